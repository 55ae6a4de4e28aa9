"""The shifts of a team as a file: written, compared with what is kept, loaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from models import audit
from models.access import Access
from models.errors import InputError
from models.organisation import Organisation
from models.shifts import (
    DAY_MINUTES,
    WEEKDAYS,
    Pattern,
    check_span,
    clock,
    end_span,
    insert_span,
    patterns,
    recorded,
    require_team,
    said_of,
)
from models.tables import person

COLUMNS = ("email", "weekday", "start", "end")
MOST_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file says: spans to add and to end, and lines that could not be read."""

    new: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]
    same: int
    faults: tuple[str, ...]


def written(found: Iterable[Pattern]) -> str:
    """A pattern as CSV: email, weekday, start, end."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for item in found:
        writer.writerow((item.email, WEEKDAYS[item.weekday], clock(item.start_minute), clock(item.end_minute)))
    return file.getvalue()


def look(
    connection: Connection, organisation: Organisation, who: Access, team_id: int, text: str, now: datetime
) -> Loaded:
    """What loading a file would change; nothing is written. A line that cannot be read keeps no other from counting."""
    require_team(who, organisation, team_id)
    return _compared(connection, team_id, text, now)[0]


def load(
    connection: Connection, organisation: Organisation, who: Access, team_id: int, text: str, now: datetime
) -> Loaded:
    """Bring the pattern of a team to what a file says. InputError where a line cannot be read: nothing is written."""
    require_team(who, organisation, team_id)
    loaded, adding, ending = _compared(connection, team_id, text, now)
    if loaded.faults:
        raise InputError("; ".join(loaded.faults[:5]))
    for number in ending:
        end_span(connection, number, now)
    for person_id, span in adding:
        insert_span(connection, team_id, person_id, span, now)
    if adding or ending:
        counts: dict[str, object] = {"added": len(adding), "ended": len(ending)}
        recorded(connection, organisation, who, team_id, "shift.loaded", now, counts)
    return loaded


def _compared(
    connection: Connection, team_id: int, text: str, now: datetime
) -> tuple[Loaded, list[tuple[int, tuple[int, int, int]]], list[int]]:
    people = {
        row.email: row.id
        for row in connection.execute(select(person.c.id, person.c.email).where(person.c.disabled_at.is_(None)))
    }
    held = {
        (item.email, item.weekday, item.start_minute, item.end_minute): item
        for item in patterns(connection, team_id, now)
    }
    asked: set[tuple[str, int, int, int]] = set()
    faults: list[str] = []
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(name.strip().lower() for name in reader.fieldnames or ()) != COLUMNS:
        return Loaded((), (), 0, (f"line 1: the columns must be {', '.join(COLUMNS)}",)), [], []
    for line, row in enumerate(reader, start=2):
        if line > MOST_LINES:
            faults.append(f"line {line}: at most {MOST_LINES:,} lines are read")
            break
        try:
            asked.add(_read(row, people))
        except InputError as error:
            faults.append(f"line {line}: {error}")
    new, gone = sorted(asked - set(held)), sorted(set(held) - asked)
    loaded = Loaded(
        new=tuple((email, said_of(*span)) for email, *span in new),
        gone=tuple((email, said_of(*span)) for email, *span in gone),
        same=len(asked & set(held)),
        faults=tuple(faults),
    )
    return (
        loaded,
        [(people[email], (day, start, end)) for email, day, start, end in new],
        [held[key].id for key in gone],
    )


def _read(row: dict[str, str | None], people: dict[str, int]) -> tuple[str, int, int, int]:
    given = {str(key).strip().lower(): (value or "").strip() for key, value in row.items() if key}
    email = given.get("email", "").lower()
    if email not in people:
        raise InputError(f'no person "{audit.shown(email)[:80]}"')
    day = given.get("weekday", "")[:3].title()
    if day not in WEEKDAYS:
        raise InputError(f'weekday "{audit.shown(given.get("weekday", ""))[:20]}": use {", ".join(WEEKDAYS)}')
    start, end = _minutes(given.get("start", "")), _minutes(given.get("end", ""))
    check_span(WEEKDAYS.index(day), start, end)
    return email, WEEKDAYS.index(day), start, end


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2 and len(hours) <= 2):
        raise InputError(f'"{audit.shown(text)[:20]}" is no time of day; write it like 08:30')
    number = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or number > DAY_MINUTES:
        raise InputError(f'"{text}" is no time of day; 00:00 to 24:00')
    return number
