"""A file of people read line by line: what each says, or why it cannot be used. Pure.

A CSV file with a header: email, name, role, brands, locations, teams, from, until, trainee, left. Only email must be
there. Keys or names of brands, locations and teams stand with ";" between them; a person with two roles has two lines.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models import group_roles
from models.audit import shown
from models.errors import InputError
from models.group_roles import RoleFor
from models.organisation import UNKNOWN, Organisation
from models.people import checked_name, normal_email

COLUMNS = ("email", "name", "role", "brands", "locations", "teams", "from", "until", "trainee", "left")
MOST_LINES = 100_000
LONGEST_FIELD = 1_000
YES, NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"no", "n", "false", "0", ""})


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says; None = nothing about it. `left` is an instant: from then on they are no more with us."""

    number: int
    email: str
    name: str | None
    wanted: RoleFor | None
    valid_from: datetime | None
    valid_to: datetime | None
    is_trainee: bool | None
    left: datetime | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that cannot be used, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A whole file. `ignored` are columns that are not read."""

    lines: tuple[Line, ...]
    unread: tuple[Unread, ...]
    ignored: tuple[str, ...]


def read(content: str, organisation: Organisation, *, now: datetime) -> Lines:
    """Every line of a file. InputError where it is no table with a column of emails."""
    text = content.removeprefix("\ufeff")
    rows = _rows(text)
    header = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    if "email" not in header:
        raise InputError(f"the file has no column “email”; its first line names columns: {', '.join(COLUMNS)}")
    twice = sorted({name for name in header if name in COLUMNS and header.count(name) > 1})
    if twice:
        raise InputError(f"the file has the column “{twice[0]}” more than once")
    lines: list[Line] = []
    unread: list[Unread] = []
    for number, cells in rows:
        if len(lines) + len(unread) >= MOST_LINES:
            raise InputError(f"the file has more than {MOST_LINES:,} lines")
        if not any(cell.strip() for cell in cells):
            continue
        given = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
        try:
            lines.append(_line(number, given, organisation, now))
        except InputError as error:
            unread.append(Unread(number, str(error)))
    ignored = tuple(shown(name) for name in header if name and name not in COLUMNS)
    return Lines(tuple(lines), tuple(unread), ignored)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"line {reader.line_num} of the file cannot be read: {error}") from error


def _line(number: int, given: Mapping[str, str], organisation: Organisation, now: datetime) -> Line:
    if any(len(value) > LONGEST_FIELD for value in given.values()):
        raise InputError(f"a field has more than {LONGEST_FIELD} characters")
    raw = given.get("email", "")
    email = normal_email(raw)
    if email is None:
        raise InputError(f"“{shown(raw)[:80]}” is no work address" if raw else "no work address")
    zone = organisation.zone_info
    valid_from, valid_to = _instant(given, "from", zone, ends=False), _instant(given, "until", zone, ends=True)
    left = now if given.get("left", "").lower() in YES else _instant(given, "left", zone, ends=False)
    if valid_to is not None and valid_to <= max(valid_from or now, now):
        raise InputError("the role would be over before it begins (from, until)")
    trainee = given.get("trainee", "").lower()
    if trainee not in YES | NO:
        raise InputError(f"trainee: “{shown(trainee)[:40]}” is neither yes nor no")
    return Line(
        number=number,
        email=email,
        name=checked_name(given["name"]) if given.get("name") else None,
        wanted=_role(given, organisation),
        valid_from=valid_from,
        valid_to=valid_to,
        is_trainee=(trainee in YES) if trainee else None,
        left=left,
    )


def _role(given: Mapping[str, str], organisation: Organisation) -> RoleFor | None:
    limits = {name: given.get(name, "") for name in ("brands", "locations", "teams")}
    role = given.get("role", "").lower()
    if not role:
        named = next((name for name, value in limits.items() if value), "")
        if named:
            raise InputError(f"{named} are named, but no role")
        return None
    own = [(item.key, item.name) for item in organisation.brands if item.id != UNKNOWN]
    places = [(item.key, item.name) for item in organisation.locations if item.id != UNKNOWN]
    teams = [(item.key, item.name) for item in organisation.teams if item.id != UNKNOWN]
    return group_roles.checked(
        role,
        _keys("brand", limits["brands"], own),
        _keys("location", limits["locations"], places),
        _keys("team", limits["teams"], teams),
    )


def _keys(kind: str, text: str, known: Iterable[tuple[str, str]]) -> list[str]:
    there = list(known)
    by_word: dict[str, str] = {name.casefold(): key for key, name in there} | {key.casefold(): key for key, _ in there}
    found = []
    for word in (part.strip() for part in text.split(";")):
        if not word:
            continue
        key = by_word.get(word.casefold())
        if key is None:
            close = difflib.get_close_matches(word.casefold(), by_word, n=1)
            name = next((name for one, name in there if close and one == by_word[close[0]]), "")
            meant = f"; did you mean {name}?" if name else ""
            raise InputError(f"{kind} “{shown(word)[:80]}” is not known{meant}")
        found.append(key)
    return found


def _instant(given: Mapping[str, str], name: str, zone: ZoneInfo, *, ends: bool) -> datetime | None:
    text = given.get(name, "")
    if not text or (name == "left" and text.lower() in NO):
        return None
    return instant(text, name, zone, ends=ends)


def instant(text: str, name: str, zone: ZoneInfo, *, ends: bool) -> datetime:
    """A day of the organisation, or an instant; a day at which something ends counts whole. InputError."""
    for read_as in _FORMS:
        try:
            return read_as(text, zone, ends)
        except (ValueError, OverflowError):
            continue
    raise InputError(f"{name}: “{shown(text)[:40]}” is no date; write 2026-11-30")


def _as_day(text: str, zone: ZoneInfo, ends: bool) -> datetime:
    day = date.fromisoformat(text)
    return _kept(datetime.combine(day + timedelta(days=1 if ends else 0), time(), zone))


def _as_instant(text: str, zone: ZoneInfo, ends: bool) -> datetime:
    found = datetime.fromisoformat(text)
    return _kept(found if found.tzinfo else found.replace(tzinfo=zone))


def _kept(instant: datetime) -> datetime:
    if not 2000 <= instant.year < 2200:
        raise ValueError("out of range")
    return instant.astimezone(ZoneInfo("UTC"))


_FORMS: tuple[Callable[[str, ZoneInfo, bool], datetime], ...] = (_as_day, _as_instant)
