"""Reading the audit log: newest first, a page at a time, as far as the filter lets through, never more than is bounded.

A filter that lets little through is not looked for in everything that was ever written: a page looks at so many rows
and says how far it came, and the next one goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, or_, select, type_coerce

from models.audit_chain import NAMES, RAW
from models.database import EARLIEST, time_id
from models.errors import NotFound
from models.tables import audit, audit_link, person
from models.tables.base import from_microseconds

PAGE = 50
# Rows that one page looks at, and rows that are counted.
LOOK = 20_000
MOST_COUNTED = 50_000
FOLLOWS = timedelta(minutes=10)
MOST_FOLLOWING = 5
LARGEST_ID = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; None and "" let everything through. `start` and `end` half-open; `action` is one or its beginning
    ("case."); `text` stands anywhere in the subject, or is the number of a row."""

    start: datetime | None = None
    end: datetime | None = None
    person_id: int | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    brand_id: int | None = None
    case_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log and its link; `number`, `hash` and `linked_at` are None until it is linked."""

    id: int
    at: datetime
    person_id: int | None
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] | None
    address: str | None
    brand_id: int | None
    case_id: int | None
    number: int | None
    hash: str | None
    linked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `before_id` asks for the next page, None where there is none; `looked_to` is an instant where
    the page ended because it had looked at LOOK rows, not because it was full."""

    rows: tuple[Row, ...]
    before_id: int | None
    looked_to: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows there are in a span, by step: instant of the step -> rows. `is_part` beyond MOST_COUNTED looked at,
    and then the oldest are missing."""

    rows: int
    steps: Mapping[datetime, int]
    is_part: bool


@dataclass(frozen=True, slots=True)
class Following:
    """What stands around one row: hash of the link before, and what was done to the same thing soon after."""

    row: Row
    previous: str | None
    followed: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be filtered by: the actions and the actors among the newest LOOK rows."""

    actions: tuple[str, ...]
    actors: tuple[tuple[int | None, str], ...]


def page(connection: Connection, wanted: Wanted, *, before_id: int | None = None, limit: int = PAGE) -> Page:
    """The newest rows before an id (of a row that may have been shown)."""
    high = min(_high(wanted), before_id or LARGEST_ID)
    floor = None if wanted.case_id is not None else _floor(connection, _low(wanted), high, LOOK)
    low = _low(wanted) if floor is None else floor
    rows = _read(connection, _rows(wanted, low, high).limit(limit + 1))
    if len(rows) > limit:
        return Page(rows[:limit], rows[limit - 1].id, None)
    return Page(rows, floor, None if floor is None else _instant_of(floor))


def newer(connection: Connection, wanted: Wanted, *, after_id: int, limit: int = PAGE) -> tuple[Row, ...]:
    """The rows behind an id, newest first: at most the newest `limit` of them."""
    return _read(connection, _rows(wanted, max(after_id + 1, _low(wanted)), _high(wanted)).limit(limit))


def counted(connection: Connection, wanted: Wanted, *, step: timedelta) -> Counted:
    """How many rows the filter lets through, in steps."""
    high = _high(wanted)
    floor = _floor(connection, _low(wanted), high, MOST_COUNTED)
    size = step // timedelta(microseconds=1)
    bucket = (type_coerce(audit.c.at, BigInteger) // size).label("bucket")
    low = _low(wanted) if floor is None else floor
    found = connection.execute(
        select(bucket, func.count()).where(*_range(low, high), *_where(wanted)).group_by(bucket)
    ).all()
    steps = {_instant(int(number) * size): int(count) for number, count in found}
    return Counted(sum(steps.values()), dict(sorted(steps.items())), floor is not None)


def around(connection: Connection, identifier: int) -> Following:
    """One row with what stands around it. NotFound where there is none."""
    found = _read(connection, _rows(Wanted(), identifier, identifier + 1).limit(1))
    if not found:
        raise NotFound("there is no such row in the audit log")
    row = found[0]
    previous = None
    if row.number is not None:
        before = select(audit_link.c.hash).where(audit_link.c.number == row.number - 1)
        previous = connection.execute(before).scalar()
    same = Wanted(brand_id=row.brand_id, case_id=row.case_id) if row.case_id else Wanted(subject=row.subject)
    until = time_id(row.at + FOLLOWS, 0)
    soon = _rows(same, row.id + 1, until).order_by(None).order_by(audit.c.id).limit(MOST_FOLLOWING)
    return Following(row, previous, _read(connection, soon))


def numbered(connection: Connection, number: int) -> int | None:
    """The id of the row with this number; None where there is none."""
    found: int | None = connection.execute(select(audit_link.c.audit_id).where(audit_link.c.number == number)).scalar()
    return found


def choices(connection: Connection) -> Choices:
    """What the newest rows can be told apart by."""
    low = _floor(connection, 0, LARGEST_ID, LOOK) or 0
    actions = connection.execute(select(audit.c.action).where(audit.c.id >= low).distinct()).scalars()
    actors = connection.execute(select(audit.c.person_id, audit.c.actor).where(audit.c.id >= low).distinct())
    found: dict[Any, tuple[int | None, str]] = {}
    for person_id, actor in actors:
        found[person_id if person_id is not None else actor] = (person_id, actor)
    return Choices(tuple(sorted(actions)), tuple(sorted(found.values(), key=lambda pair: pair[1].lower())))


def names(connection: Connection) -> Mapping[int, str]:
    """What people are called, by id."""
    return {row.id: row.name for row in connection.execute(select(person.c.id, person.c.name))}


def restricted(wanted: Wanted, before_id: int) -> list[ColumnElement[bool]]:
    """What rows older than an id must fulfil, for who reads them with columns of his own."""
    return [*_range(_low(wanted), min(_high(wanted), before_id)), *_where(wanted)]


# -- what is asked of the database -----------------------------------------------------------------------------


def _rows(wanted: Wanted, low: int, high: int) -> Select[Any]:
    linked_at = type_coerce(audit_link.c.at, BigInteger).label("linked_at")
    return (
        select(*RAW, audit_link.c.number, audit_link.c.hash, linked_at)
        .outerjoin(audit_link, audit_link.c.audit_id == audit.c.id)
        .where(*_range(low, high), *_where(wanted))
        .order_by(audit.c.id.desc())
    )


def _range(low: int, high: int) -> tuple[ColumnElement[bool], ...]:
    return audit.c.id >= low, audit.c.id < high


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    for column, value in (
        (audit.c.person_id, wanted.person_id),
        (audit.c.brand_id, wanted.brand_id),
        (audit.c.case_id, wanted.case_id),
        (audit.c.actor, wanted.actor or None),
        (audit.c.subject, wanted.subject or None),
    ):
        if value is not None:
            parts.append(column == value)
    if wanted.action:
        parts.append(audit.c.action.startswith(wanted.action, autoescape=True))
    if wanted.text:
        inside = audit.c.subject.icontains(wanted.text, autoescape=True)
        digits = wanted.text.replace(",", "")
        if digits.isascii() and digits.isdigit() and len(digits) < 19:
            row = select(audit_link.c.audit_id).where(audit_link.c.number == int(digits)).scalar_subquery()
            inside = or_(inside, audit.c.id == row)
        parts.append(inside)
    return parts


def _floor(connection: Connection, low: int, high: int, most: int) -> int | None:
    """The id that `most` rows are read down to; None where there are fewer."""
    ids = select(audit.c.id).where(*_range(low, high)).order_by(audit.c.id.desc())
    found: int | None = connection.execute(ids.offset(most).limit(1)).scalar()
    return None if found is None else found + 1


def _low(wanted: Wanted) -> int:
    return 0 if wanted.start is None else time_id(wanted.start, 0)


def _high(wanted: Wanted) -> int:
    return LARGEST_ID if wanted.end is None else time_id(wanted.end, 0)


def _read(connection: Connection, asked: Select[Any]) -> tuple[Row, ...]:
    return tuple(_row(row) for row in connection.execute(asked))


def _row(row: Any) -> Row:
    held = dict(zip((*NAMES, "number", "hash", "linked_at"), row, strict=True))
    held["at"] = _instant(held["at"])
    held["linked_at"] = None if held["linked_at"] is None else _instant(held["linked_at"])
    held["details"] = _details(held["details"])
    return Row(**held)


def _instant(microseconds: Any) -> datetime:
    """The instant; the earliest there is where somebody put in what is none, so that the row can still be seen."""
    try:
        return from_microseconds(int(microseconds))
    except (ValueError, TypeError, OverflowError):
        return EARLIEST


def _instant_of(identifier: int) -> datetime:
    return EARLIEST.astimezone(UTC) + timedelta(milliseconds=identifier >> 22)


def _details(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"unreadable": str(found)}
