"""The chain over the audit log: each row gets a link whose hash covers the row, its number and the link before it.

Rows are linked in the order in which they are found, by one worker at a time: whoever holds the turn. What is linked
can be changed by nobody without every later link, and every head that was signed, saying so. The hash is SHA-256 over
one JSON object in UTF-8, its keys in alphabetical order and nothing between them, as `digest` writes it; `details` go
into it as the text that the database holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Select, Text, cast, insert, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from models.database import Database, raise_change, time_id
from models.tables import audit, audit_link, audit_turn
from models.tables.base import from_microseconds, to_microseconds

# What the first link stands on.
BEGINNING = "0" * 64
# A transaction that commits a moment later may carry an earlier instant: waiting this long keeps most in order.
SETTLES = timedelta(milliseconds=500)
# Where rows are looked for each time; what was committed later than that is found by looking at everything.
RECENT = timedelta(minutes=5)
BATCH = 1_000
# Whoever linked last goes on; another takes over when nothing was heard of it for so long.
TURN = timedelta(seconds=5)
TOPIC = "audit"
THE_TURN = 1

Clock = Callable[[], datetime]

# The row as the database holds it: what is hashed must not depend on how a library reads it.
RAW = (
    audit.c.id,
    type_coerce(audit.c.at, BigInteger).label("at"),
    audit.c.person_id,
    audit.c.actor,
    audit.c.action,
    audit.c.subject,
    cast(audit.c.details, Text).label("details"),
    audit.c.address,
    audit.c.brand_id,
    audit.c.case_id,
)
NAMES = tuple(column.name for column in RAW)


@dataclass(frozen=True, slots=True)
class Link:
    """One link: the row with `audit_id` is number `number`; linked `at`."""

    number: int
    audit_id: int
    at: datetime
    hash: str


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn did: how many rows it linked, whether there may be more, and the newest link there is."""

    linked: int
    is_behind: bool
    last: Link | None


def digest(number: int, previous: str, linked_at: int, row: Sequence[Any]) -> str:
    """The hash of a link. `row` holds the columns of RAW in their order; instants are microseconds since 1970."""
    identifier, at, person_id, actor, action, subject, details, address, brand_id, case_id = row
    text = orjson.dumps(
        {
            "action": action,
            "actor": actor,
            "address": address,
            "at": at,
            "brand_id": brand_id,
            "case_id": case_id,
            "details": details,
            "id": identifier,
            "linked_at": linked_at,
            "number": number,
            "person_id": person_id,
            "previous": previous,
            "subject": subject,
        },
        # Whatever somebody put into SQLite: it must break the chain, not the check.
        default=repr,
    )
    return hashlib.sha256(text).hexdigest()


def chain(database: Database, owner: str, *, now: Clock, since_id: int | None = None) -> Round | None:
    """Link at most BATCH rows that have none; None where it is another's turn.

    Rows from an id on are looked for, 0 = all of them, None = those of the last minutes.
    """
    at = now()
    with database.read() as connection:
        turn = connection.execute(select(audit_turn).where(audit_turn.c.id == THE_TURN)).first()
        if turn is not None and not is_ours(turn, owner, at):
            return None
        last = newest_link(connection)
        rows = connection.execute(_without_link(at, since_id)).all()
    if not rows:
        return Round(0, False, last)
    if turn is None:
        _introduce(database)
        return chain(database, owner, now=now, since_id=since_id)
    links = _linked(last, rows, at)
    with database.write() as connection:
        if not take_turn(connection, owner, turn.fence, until=at + TURN):
            return None
        connection.execute(
            insert(audit_link),
            [{"number": n.number, "audit_id": n.audit_id, "at": n.at, "hash": n.hash} for n in links],
        )
        raise_change(connection, TOPIC)
    return Round(len(links), len(links) == BATCH, links[-1])


def is_ours(turn: Any, owner: str, at: datetime) -> bool:
    """Whether a row of the turn lets this worker try: it had it last, nobody has it, or it ran out."""
    return turn.owner in (None, owner) or turn.expires_at is None or bool(turn.expires_at <= at)


def take_turn(connection: Connection, owner: str, seen_fence: int, *, until: datetime) -> bool:
    """Have the turn until `until`, in the transaction of what is done with it; False when somebody had it meanwhile."""
    taken = connection.execute(
        update(audit_turn)
        .where(audit_turn.c.id == THE_TURN, audit_turn.c.fence == seen_fence)
        .values(owner=owner, fence=seen_fence + 1, expires_at=until)
    )
    return bool(taken.rowcount)


def newest_link(connection: Connection) -> Link | None:
    """The end of the chain; None where nothing is linked yet."""
    row = connection.execute(select(audit_link).order_by(audit_link.c.number.desc()).limit(1)).first()
    return None if row is None else Link(row.number, row.audit_id, row.at, row.hash)


def unlinked(*, since_id: int = 0) -> Select[Any]:
    """The rows without a link, as RAW, oldest first."""
    return (
        select(*RAW)
        .outerjoin(audit_link, audit_link.c.audit_id == audit.c.id)
        .where(audit.c.id >= since_id, audit_link.c.number.is_(None))
        .order_by(audit.c.id)
    )


def _without_link(at: datetime, since_id: int | None) -> Select[Any]:
    low = time_id(at - RECENT, 0) if since_id is None else since_id
    return unlinked(since_id=low).where(audit.c.id <= time_id(at - SETTLES, 0)).limit(BATCH)


def _linked(last: Link | None, rows: Sequence[Any], at: datetime) -> list[Link]:
    number, previous = (last.number, last.hash) if last is not None else (0, BEGINNING)
    linked_at = to_microseconds(at)
    links = []
    for row in rows:
        number += 1
        previous = digest(number, previous, linked_at, row)
        links.append(Link(number, row.id, from_microseconds(linked_at), previous))
    return links


def _introduce(database: Database) -> None:
    try:
        with database.write() as connection:
            connection.execute(insert(audit_turn).values(id=THE_TURN, fence=0))
    except IntegrityError:
        # Another worker was faster; its row is as good.
        return
