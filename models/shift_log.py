"""The shift log: timed lines that anyone may add and nobody changes, read and signed by the next operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from models import alerts, audit
from models.access import Access, Request, narrow
from models.database import new_id, raise_change, time_id
from models.errors import InputError, NotFound, ScopeError
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables import alert, log_entry, mention, source

# A line about no brand is read by everybody.
EVERYBODY = 0
LONGEST_TEXT = 1_000
MOST_LINES = 100
PINS = ("mention", "alert", "source")
# What nobody took over for so long is no hand-over any more; without a limit the whole log would be looked through.
OPEN_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Pin:
    """What a line is pinned to: `kind` is mention, alert or source; `words` name it; `at` and `brand_id` place it.

    `words` are empty where it is gone, or is not for the eyes of who asks.
    """

    kind: str
    id: int
    words: str = ""
    at: datetime | None = None
    brand_id: int = EVERYBODY


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `signed_by` is the operator who read it and took over; None while nobody did."""

    id: int
    at: datetime
    person_id: int
    author: str
    text: str
    brand_id: int
    pin: Pin | None
    signed_at: datetime | None
    signed_by: str | None


def readable(access: Access, organisation: Organisation) -> tuple[int, ...]:
    """The brands whose lines a person reads, 0 (about none) among them."""
    found = [EVERYBODY]
    for brand in organisation.brands:
        try:
            narrow(Request(brands=(brand.key,)), access, organisation)
        except (NotFound, ScopeError):
            continue
        found.append(brand.id)
    return tuple(sorted(found))


def lines(
    connection: Connection,
    access: Access,
    organisation: Organisation,
    *,
    limit: int = 50,
    before_id: int | None = None,
) -> tuple[Line, ...]:
    """The newest lines that a person may read (and older than `before_id`), newest first; at most MOST_LINES."""
    asked = select(log_entry).where(log_entry.c.brand_id.in_(readable(access, organisation)))
    if before_id is not None:
        asked = asked.where(log_entry.c.id < before_id)
    rows = connection.execute(asked.order_by(log_entry.c.id.desc()).limit(min(limit, MOST_LINES))).all()
    pins = _pins(connection, access, organisation, {(row.pinned, row.pinned_id) for row in rows if row.pinned})
    return tuple(_line(row, pins) for row in rows)


def add(
    connection: Connection,
    access: Access,
    organisation: Organisation,
    text: str,
    *,
    now: datetime,
    brand: str = "",
    pinned: str = "",
    pinned_id: int = 0,
) -> Line:
    """Write a line: about the brand of what it is pinned to, else about `brand` (a key), else about none.

    InputError for a text that is none, NotFound for a brand or a thing that is foreign or unknown.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        raise InputError(f"a line has 1 to {LONGEST_TEXT:,} characters, this one {len(text):,}")
    pin = None
    if pinned:
        if pinned not in PINS:
            raise InputError(f'a line cannot be pinned to "{pinned[:32]}"; known: {", ".join(PINS)}')
        pin = _pins(connection, access, organisation, {(pinned, pinned_id)}).get((pinned, pinned_id))
        if pin is None:
            raise NotFound(f"there is no such {pinned} that you may see")
    brand_id = EVERYBODY if pin is None else pin.brand_id
    if pin is None and brand:
        brand_id = organisation.brand_by_key(brand).id
        if brand_id not in readable(access, organisation):
            raise NotFound(f'no brand "{brand}"')
    line = Line(new_id(now), now, access.person_id, access.name, text, brand_id, pin, None, None)
    connection.execute(
        insert(log_entry).values(
            id=line.id,
            at=now,
            person_id=access.person_id,
            author=access.name,
            text=text,
            brand_id=brand_id,
            pinned=pinned or None,
            pinned_id=pinned_id if pinned else None,
        )
    )
    audit.record(
        connection,
        at=now,
        action="log.added",
        subject=f"shift log line {line.id}",
        actor=access.email,
        person_id=access.person_id,
        details={"brand_id": brand_id, "pinned": pinned or None, "pinned_id": str(pinned_id) if pinned else None},
    )
    raise_change(connection, "log", [brand_id])
    return line


def sign(connection: Connection, access: Access, organisation: Organisation, up_to_id: int, *, now: datetime) -> int:
    """Read and taken over: sign what others wrote and nobody signed, up to a line; returns how many lines that were.

    InputError where none is left: they are one's own, or another operator was first.
    """
    waiting = _open(access.person_id, readable(access, organisation), now) & (log_entry.c.id <= up_to_id)
    brands = connection.execute(select(log_entry.c.brand_id).where(waiting).distinct()).scalars().all()
    signed = connection.execute(
        update(log_entry).where(waiting).values(signed_at=now, signed_by=access.name, signed_person_id=access.person_id)
    ).rowcount
    if not signed:
        raise InputError("nothing is left to take over: every line is your own, or somebody signed it already")
    audit.record(
        connection,
        at=now,
        action="log.signed",
        subject="shift log",
        actor=access.email,
        person_id=access.person_id,
        details={"lines": signed, "up_to": str(up_to_id)},
    )
    raise_change(connection, "log", brands)
    return signed


def waiting(connection: Connection, access: Access, organisation: Organisation, *, now: datetime) -> int:
    """How many lines of others nobody has signed, of the last 14 days."""
    count = select(func.count()).select_from(log_entry)
    readers = readable(access, organisation)
    return int(connection.execute(count.where(_open(access.person_id, readers, now))).scalar_one())


def source_names(connection: Connection) -> tuple[tuple[int, str], ...]:
    """(id, name) of every source, by name: what a line can be pinned to."""
    rows = connection.execute(select(source.c.id, source.c.name))
    return tuple(sorted(((row.id, row.name) for row in rows), key=lambda pair: pair[1].casefold()))


def newest_id(connection: Connection, brand_ids: tuple[int, ...]) -> int:
    """The newest line about any of these brands or about none; 0 where there is none."""
    found = connection.execute(
        select(log_entry.c.id)
        .where(log_entry.c.brand_id.in_((EVERYBODY, *brand_ids)))
        .order_by(log_entry.c.id.desc())
        .limit(1)
    ).scalar()
    return found or 0


def newest_signature(connection: Connection, brand_ids: tuple[int, ...], *, now: datetime) -> datetime | None:
    """When a line of the last 14 days about any of these brands or about none was last signed."""
    found: datetime | None = connection.execute(
        select(log_entry.c.signed_at)
        .where(
            log_entry.c.id >= time_id(now - OPEN_FOR, 0),
            log_entry.c.brand_id.in_((EVERYBODY, *brand_ids)),
            log_entry.c.signed_at.is_not(None),
        )
        .order_by(log_entry.c.signed_at.desc())
        .limit(1)
    ).scalar()
    return found


def _open(person_id: int, readers: tuple[int, ...], now: datetime) -> Any:
    return (
        (log_entry.c.id >= time_id(now - OPEN_FOR, 0))
        & log_entry.c.brand_id.in_(readers)
        & (log_entry.c.person_id != person_id)
        & log_entry.c.signed_at.is_(None)
    )


def _line(row: Any, pins: dict[tuple[str, int], Pin]) -> Line:
    pin = None
    if row.pinned:
        pin = pins.get((row.pinned, row.pinned_id), Pin(row.pinned, row.pinned_id))
    return Line(row.id, row.at, row.person_id, row.author, row.text, row.brand_id, pin, row.signed_at, row.signed_by)


def _pins(
    connection: Connection, access: Access, organisation: Organisation, wanted: set[tuple[str, int]]
) -> dict[tuple[str, int], Pin]:
    """What may be seen of what lines are pinned to: three reads at most, by (kind, id)."""
    brands = readable(access, organisation)
    found: list[Pin] = []
    for kind in PINS:
        ids = sorted(number for name, number in wanted if name == kind)
        if ids and kind == "mention":
            places = narrow(Request(), access, organisation).location_ids
            found += _mentions(connection, ids, brands, places)
        elif ids and kind == "alert":
            found += _alerts(connection, ids, alerts.may_see(access, brands), organisation)
        elif ids:
            found += _sources(connection, ids)
    return {(pin.kind, pin.id): pin for pin in found}


def _mentions(
    connection: Connection, ids: list[int], brands: tuple[int, ...], places: tuple[int, ...] | None
) -> Iterator[Pin]:
    asked = select(
        mention.c.brand_id, mention.c.id, mention.c.network_id, mention.c.author_handle, mention.c.posted_at
    ).where(mention.c.brand_id.in_(brands), mention.c.id.in_(ids))
    if places is not None:
        asked = asked.where(mention.c.location_id.in_(places))
    for row in connection.execute(asked):
        words = f"{row.author_handle or 'a post'} on {BY_ID[row.network_id].name}"
        yield Pin("mention", row.id, words, row.posted_at, row.brand_id)


def _alerts(
    connection: Connection, ids: list[int], brands: tuple[int, ...], organisation: Organisation
) -> Iterator[Pin]:
    asked = select(alert.c.brand_id, alert.c.id, alert.c.kind, alert.c.started_at).where(
        alert.c.brand_id.in_(brands), alert.c.id.in_(ids)
    )
    for row in connection.execute(asked):
        name = organisation.brand_names.get(row.brand_id, "a brand")
        words = "a blind source" if row.kind == "blind" else f"the spike of {name}"
        yield Pin("alert", row.id, words, row.started_at, row.brand_id)


def _sources(connection: Connection, ids: list[int]) -> Iterator[Pin]:
    for row in connection.execute(select(source.c.id, source.c.name).where(source.c.id.in_(ids))):
        yield Pin("source", row.id, row.name)
