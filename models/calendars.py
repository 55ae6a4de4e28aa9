"""Hours of business: which instants of a zone's local wall clock count, day by day, in versions; pure.

An instant is open when the wall clock in the zone shows, at that instant, a time within the hours: an hour that the
clock shows twice counts twice, an hour that it skips does not count. Hours belong to the day on which they open,
also where they run past midnight; an exception replaces all that opens on its day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from models.errors import ServiceLevelError
from models.organisation_entries import shown, zone_of

# Minutes of the local day, half-open: (540, 1050) is 09:00 to 17:30; a close above 1440 is past midnight.
Interval = tuple[int, int]
# Microseconds since 1970, half-open.
Instants = tuple[int, int]

MINUTES = 1_440
SECONDS = 86_400
MICROSECONDS = 1_000_000
DAY = SECONDS * MICROSECONDS
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OPEN, CLOSED, HOLIDAY = "open", "closed", "holiday"
TIME = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_INTERVALS = 12
MOST_EXCEPTIONS = 1_000
FIRST_YEAR, LAST_YEAR = 2000, 2100
# The day number of 1970-01-01 as `date.toordinal` counts.
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# Days kept for each set of hours: a day is worked out in 30 µs and looked up in 0.1.
MOST_DAYS = 20_000


@dataclass(frozen=True, slots=True)
class Hours:
    """A day of UTC as a calendar cuts it: `counted` microseconds within `opened`; `pieces` cover the day, with why."""

    counted: int
    opened: tuple[Instants, ...]
    pieces: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Calendar:
    """One version of the hours of business. `hours`: weekday (0 = Monday) -> intervals, absent = closed.

    `exceptions`: local day -> what opens on it instead, empty = nothing. The version counts from `valid_from` until the
    next one's; None = since ever.
    """

    zone: str
    hours: Mapping[int, tuple[Interval, ...]] = field(hash=False)
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    id: int = 0
    version: int = 1
    name: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @staticmethod
    def parse(
        zone: object,
        hours: object,
        exceptions: object = None,
        *,
        id: int = 0,
        version: int = 1,
        name: str = "",
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> Calendar:
        """The calendar that texts describe: {"0": [["09:00", "17:30"]]} and {"2026-12-25": []}.

        A close at or before its opening is on the next day. ServiceLevelError with every fault at once.
        """
        faults: list[str] = []
        found = zone_of("calendar", {"zone": zone}, faults) if zone is not None else None
        if zone is None:
            faults.append("calendar: zone: name the IANA zone of its hours; e.g. Europe/Amsterdam")
        week = _week(hours, faults)
        days = _exceptions({} if exceptions is None else exceptions, faults)
        if not faults and not any(week.values()):
            faults.append("hours: no weekday opens, so no promise could ever fall due; give at least one interval")
        if faults:
            raise ServiceLevelError(faults)
        return Calendar(str(found), week, days, id, version, name, valid_from, valid_to)

    def written(self) -> tuple[dict[str, list[list[str]]], dict[str, list[list[str]]]]:
        """Hours and exceptions as texts, the way `parse` reads them."""
        hours = {str(weekday): _texts(self.hours[weekday]) for weekday in sorted(self.hours)}
        return hours, {day.isoformat(): _texts(self.exceptions[day]) for day in sorted(self.exceptions)}

    @cached_property
    def days(self) -> Mapping[int, Hours]:
        """Any day of UTC, by its number since 1970."""
        week = tuple(self.hours.get(weekday, ()) for weekday in range(7))
        return _days_of(self.zone, week, tuple(sorted(self.exceptions.items())))


class _Days(dict[int, Hours]):
    """The days of UTC under one set of hours, each worked out once."""

    def __init__(self, zone: str, week: Sequence[tuple[Interval, ...]], exceptions: Mapping[date, Any]) -> None:
        super().__init__()
        self._zone = zone
        self._week = week
        self._exceptions = {day.toordinal() - EPOCH_ORDINAL: intervals for day, intervals in exceptions.items()}

    def __missing__(self, number: int) -> Hours:
        if len(self) >= MOST_DAYS:
            self.clear()
        found = self[number] = self._worked_out(number)
        return found

    def _worked_out(self, number: int) -> Hours:
        pieces: list[tuple[int, int, str]] = []
        for begins, ends, offset in _offsets(self._zone, number):
            for local in range((begins + offset) // SECONDS, (ends + offset - 1) // SECONDS + 1):
                midnight = local * SECONDS - offset
                for opens, closes, why in self._wall(local):
                    start = max(begins, midnight + opens * 60) * MICROSECONDS
                    end = min(ends, midnight + closes * 60) * MICROSECONDS
                    if start >= end:
                        continue
                    if pieces and pieces[-1][2] == why:
                        start = pieces.pop()[0]
                    pieces.append((start, end, why))
        opened = tuple((start, end) for start, end, why in pieces if why == OPEN)
        return Hours(sum(end - start for start, end in opened), opened, tuple(pieces))

    def _wall(self, local: int) -> Iterator[tuple[int, int, str]]:
        """A local day from 00:00 to 24:00: open, closed, or closed because of a holiday."""
        late = [(0, closes - MINUTES) for _, closes in self._opening(local - 1) if closes > MINUTES]
        own = [(opens, min(closes, MINUTES)) for opens, closes in self._opening(local)]
        # What would run past midnight had yesterday been an ordinary day.
        missed = [closes - MINUTES for _, closes in self._ordinary(local - 1) if closes > MINUTES]
        is_after_holiday = local - 1 in self._exceptions and local not in self._exceptions
        at = 0
        for opens, closes in [*sorted(late + own), (MINUTES, MINUTES)]:
            if opens > at:
                taken = min(opens, max(missed)) if is_after_holiday and missed else at
                if taken > at:
                    yield at, taken, f"{HOLIDAY} {_day_text(local - 1)}"
                    at = taken
                if opens > at:
                    yield at, opens, f"{HOLIDAY} {_day_text(local)}" if local in self._exceptions else CLOSED
                at = opens
            if closes > at:
                yield at, closes, OPEN
                at = closes

    def _ordinary(self, local: int) -> tuple[Interval, ...]:
        # 1970-01-01 was a Thursday.
        return self._week[(local + 3) % 7]

    def _opening(self, local: int) -> tuple[Interval, ...]:
        found: tuple[Interval, ...] | None = self._exceptions.get(local)
        return self._ordinary(local) if found is None else found


@lru_cache(maxsize=512)
def _days_of(zone: str, week: tuple[tuple[Interval, ...], ...], exceptions: tuple[Any, ...]) -> _Days:
    """Shared by all calendars that say the same, however often they are read from the database."""
    return _Days(zone, week, dict(exceptions))


@lru_cache(maxsize=65_536)
def _offsets(zone: str, number: int) -> tuple[tuple[int, int, int], ...]:
    """(begin, end, seconds ahead of UTC) within a day of UTC, in seconds since 1970."""
    info, begin, end = ZoneInfo(zone), number * SECONDS, (number + 1) * SECONDS
    before, after = _offset(info, begin), _offset(info, end)
    if before == after:
        # No zone has changed its clock twice within two days since 2000.
        return ((begin, end, before),)
    low, high = begin, end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(info, middle) == before else (low, middle)
    return (begin, high, before), (high, end, after)


def _offset(info: ZoneInfo, seconds: int) -> int:
    ahead = datetime.fromtimestamp(seconds, info).utcoffset()
    return 0 if ahead is None else ahead.days * SECONDS + ahead.seconds


# -- from texts ------------------------------------------------------------------------------------------------


def _week(given: object, faults: list[str]) -> dict[int, tuple[Interval, ...]]:
    if not isinstance(given, Mapping):
        faults.append('hours: give the intervals of each weekday, e.g. {"0": [["09:00", "17:30"]]} for Mondays')
        return {}
    found: dict[int, tuple[Interval, ...]] = {}
    for key, intervals in given.items():
        if str(key) not in {"0", "1", "2", "3", "4", "5", "6"}:
            faults.append(f'hours: there is no weekday "{shown(key)}"; 0 is Monday and 6 is Sunday')
            continue
        found[int(key)] = _intervals(f"hours of {WEEKDAYS[int(key)]}", intervals, faults)
    return {weekday: found[weekday] for weekday in sorted(found) if found[weekday]}


def _exceptions(given: object, faults: list[str]) -> dict[date, tuple[Interval, ...]]:
    if not isinstance(given, Mapping):
        faults.append('exceptions: give what opens on each date instead, e.g. {"2026-12-25": []} for nothing')
        return {}
    if len(given) > MOST_EXCEPTIONS:
        faults.append(f"exceptions: {len(given):,} dates are more than {MOST_EXCEPTIONS:,}; leave out those long past")
        return {}
    found: dict[date, tuple[Interval, ...]] = {}
    for key, intervals in given.items():
        try:
            day = date.fromisoformat(key) if isinstance(key, str) and DAY_TEXT.fullmatch(key) else None
        except ValueError:
            day = None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            faults.append(
                f'exceptions: "{shown(key)}" is no date from {FIRST_YEAR} to {LAST_YEAR}; write it as 2026-12-25'
            )
            continue
        found[day] = _intervals(f"exception {key}", intervals, faults)
    return dict(sorted(found.items()))


def _intervals(place: str, given: object, faults: list[str]) -> tuple[Interval, ...]:
    """Sorted by their opening; those that overlap are a fault."""
    if not isinstance(given, list | tuple):
        faults.append(f'{place}: "{shown(given)}" must be a list of intervals, e.g. [["09:00", "17:30"]]')
        return ()
    if len(given) > MOST_INTERVALS:
        faults.append(f"{place}: {len(given)} intervals are more than {MOST_INTERVALS}; join those that touch")
        return ()
    found: list[Interval] = []
    for pair in given:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            faults.append(f'{place}: "{shown(pair)}" must be an opening and a close, e.g. ["09:00", "17:30"]')
            continue
        opens, closes = (_minute(place, text, faults) for text in pair)
        if opens is None or closes is None:
            continue
        if opens == MINUTES:
            faults.append(f"{place}: nothing opens at 24:00; open at 00:00 of the next day")
        elif opens == closes:
            faults.append(f"{place}: opens and closes at {_text(opens)}; the whole day is 00:00 to 24:00")
        else:
            found.append((opens, closes if closes > opens else closes + MINUTES))
    found.sort()
    faults += [
        f"{place}: {_said(one)} and {_said(other)} overlap; join them, or let one begin when the other ends"
        for one, other in pairwise(found)
        if one[1] > other[0]
    ]
    return tuple(found)


def _minute(place: str, given: object, faults: list[str]) -> int | None:
    match = TIME.fullmatch(given.strip()) if isinstance(given, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else MINUTES + 1
    if minute > MINUTES:
        faults.append(f'{place}: "{shown(given)}" is no time of the day; write 00:00 to 24:00, e.g. 17:30')
        return None
    return minute


def _texts(intervals: Sequence[Interval]) -> list[list[str]]:
    return [[_text(opens), _text(closes)] for opens, closes in intervals]


def _text(minute: int) -> str:
    """24:00 stays 24:00; a minute past midnight is one of the next day."""
    past = minute - MINUTES if minute > MINUTES else minute
    return f"{past // 60:02}:{past % 60:02}"


def _said(interval: Interval) -> str:
    return f"{_text(interval[0])}-{_text(interval[1])}"


def _day_text(local: int) -> str:
    return date.fromordinal(local + EPOCH_ORDINAL).isoformat()
