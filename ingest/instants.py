"""Instants as files write them, read into UTC: ISO, mail, the old X form, unix numbers, or a named form.

Local times are read by the zone's rules. An hour that happens twice (clocks go back) is read as the first of
the two; an hour that never happens (clocks go forward) is read with the offset before the change, so 02:30
becomes 03:30 of the same instant.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from ingest.door import Instant, clamp
from models.database import EARLIEST, latest

UNIX = "unix"
UNIX_MILLISECONDS = "unix_ms"
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Nine digits are 1973; fewer are rather a year or a date without dashes.
_NUMBER = re.compile(r"-?\d{9,25}(?:\.\d+)?")
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17
_OLD_X = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})")
_MONTHS = {name: at for at, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}  # noqa: SIM905
_BEFORE_TIME = re.compile(r"(?:-\d+|0000)-\d\d-\d\d(?!\d)")
_AFTER_TIME = re.compile(r"\+?\d{5,9}-\d\d-\d\d(?!\d)")
_SPACED_OFFSET = re.compile(r"\s+(?:(?P<utc>UTC|GMT|Z)|(?P<offset>[+-]\d\d:?\d\d))$", re.IGNORECASE)
_LEAP_SECOND = re.compile(r"(:\d\d):60(?!\d)")


class NoZone(ValueError):
    """A local time without a zone: the same fault stands in every row, so the file is asked about, not the row."""


def read_instant(text: str, *, zone: tzinfo | None, form: str | None, now: datetime) -> Instant:
    """The instant that `text` gives, clamped to what can be stored; the given one is kept where it was outside.

    `zone` is for values that name none. `form` is unix, unix_ms, a strptime form, or None for any form that
    cannot be misread (so 02/03/2015 needs a form). Raises ValueError with the reason.
    """
    if form is None:
        given = _any_form(text, now)
    elif form in (UNIX, UNIX_MILLISECONDS):
        given = _unix(text, 1000 if form == UNIX_MILLISECONDS else 1, now)
    else:
        given = _named_form(text, form)
    if isinstance(given, Instant):
        return given
    if given.tzinfo is None:
        if zone is None:
            raise NoZone(f'"{text[:60]}" has no zone; name the zone of the file, e.g. zone = "America/Los_Angeles"')
        given = given.replace(tzinfo=zone)
    return clamp(given, now)


def _any_form(text: str, now: datetime) -> datetime | Instant:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if match := _OLD_X.fullmatch(text):
        return _old_x(match)
    if _NUMBER.fullmatch(text):
        size = abs(float(text))
        units = (_MILLISECONDS, 1), (_MICROSECONDS, 10**3), (_NANOSECONDS, 10**6)
        return _unix(text, next((per_second for limit, per_second in units if size < limit), 10**9), now)
    # Python's calendar is 1..9999; what lies outside is outside our range too.
    if _BEFORE_TIME.match(text):
        return Instant(EARLIEST, text)
    if _AFTER_TIME.match(text):
        return Instant(latest(now), text)
    try:
        return datetime.fromisoformat(_tidied(text))
    except ValueError:
        pass
    try:
        mail = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise ValueError(
            f'"{text[:60]}" is no date we know (ISO, mail, unix seconds); name its form, e.g. "%m/%d/%Y %H:%M"'
        ) from None
    # -0000 says UTC without a place, and the library answers with a naive instant.
    return mail.replace(tzinfo=UTC) if mail.tzinfo is None and text.rstrip().endswith("-0000") else mail


def _old_x(match: re.Match[str]) -> datetime:
    month, day, hour, minute, second, sign, hours, minutes, year = match.groups()
    if month not in _MONTHS:
        raise ValueError(f'"{match.group()}" has no month "{month}"')
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=timezone(offset)
        )
    except ValueError as error:
        raise ValueError(f'"{match.group()}" is no date: {error}') from None


def _unix(text: str, per_second: int, now: datetime) -> datetime | Instant:
    try:
        whole, _, part = text.partition(".")
        # Whole numbers stay whole: a float of microseconds since 1970 is off by some.
        microseconds = int(whole) * 1_000_000 // per_second
        if part:
            microseconds = round(float(text) * 1_000_000 / per_second)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text[:60]}" is no number of seconds since 1970') from None
    try:
        return _UNIX_EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return Instant(EARLIEST if microseconds < 0 else latest(now), text)


def _named_form(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the zone of the file is added by the caller
    except ValueError:
        raise ValueError(f'"{text[:60]}" does not have the form "{form}"') from None


def _tidied(text: str) -> str:
    """ISO as people write it: a blank before the offset, UTC for Z, a leap second."""
    text = _LEAP_SECOND.sub(r"\1:59", text.strip())
    if match := _SPACED_OFFSET.search(text):
        text = text[: match.start()] + (match["offset"] or "+00:00")
    return text
