"""An audit log with a chain, and everything that somebody with the database in hands could do to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, text

from models import audit as log
from models.audit_chain import RAW, chain, digest, newest_link
from models.audit_heads import Outside, note_latest, sign_finished_day
from models.database import Database, time_id
from models.tables import audit
from models.tables.base import to_microseconds

BEGAN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
STEP = timedelta(hours=1)
LINKED_AFTER = timedelta(seconds=1)
OWNER = "worker 1"


def fields(number: int) -> dict[str, Any]:
    """What row `number` of the log says: an hour after the one before."""
    return {
        "at": BEGAN + number * STEP,
        "action": ("case.claim", "case.release", "reply.draft")[number % 3],
        "subject": f"case {number} of Halden Bank",
        "actor": f"person{number % 4}@meridian.example",
        "person_id": number % 4 + 1,
        "details": {"before": {"claimed_by": None}, "after": {"claimed_by": number % 4 + 1}, "reason": "Zoë: “next”"},
        "address": "192.0.2.7",
        "brand_id": 3,
        "case_id": 4_000_000_000_000_000_000 + number,
    }


def write(database: Database, number: int, **given: Any) -> int:
    """Write row `number`, or another one in its place; its id."""
    with database.write() as connection:
        return log.record(connection, **(fields(number) | given))


def made(database: Database, home: Path, rows: int) -> Outside:
    """A log of so many rows, linked at the end of each day, days signed, the end noted outside."""
    outside = Outside(home)
    days = sorted({(BEGAN + number * STEP).date() for number in range(rows)})
    for day in days:
        with database.write() as connection:
            numbers = [number for number in range(rows) if (BEGAN + number * STEP).date() == day]
            for number in numbers:
                log.record(connection, **fields(number))
        now = BEGAN + numbers[-1] * STEP + LINKED_AFTER
        sign_finished_day(database, outside, now=now)
        link(database, now)
    note(database, outside, BEGAN + rows * STEP)
    return outside


def link(database: Database, now: datetime, *, owner: str = OWNER, everywhere: bool = True) -> int:
    """Link what there is."""
    done = chain(database, owner, now=lambda: now, since_id=0 if everywhere else None)
    assert done is not None
    return done.linked


def note(database: Database, outside: Outside, now: datetime) -> bool:
    """Note the end of the chain outside."""
    with database.read() as connection:
        last = newest_link(connection)
        assert last is not None
        return note_latest(connection, outside, last, now=now)


def switch_off(database: Database) -> None:
    """Take away what makes SQLite refuse, for good: doing so each time makes it read its schema anew."""
    with database.write() as connection:
        _drop_triggers(connection)


def _drop_triggers(connection: Connection) -> None:
    names = connection.execute(text("select name from sqlite_master where type = 'trigger'")).scalars().all()
    for name in names:
        if name.startswith("audit"):
            connection.execute(text(f"drop trigger {name}"))


class Undone(Exception):
    """What was tampered with is taken back."""


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """A transaction in which the database does not refuse; rolled back at the end."""
    try:
        with database.write() as connection:
            if database.is_sqlite:
                _drop_triggers(connection)
            else:
                connection.execute(text("set local session_replication_role = replica"))
            yield connection
            raise Undone
    except Undone:
        return


# -- what somebody could do ----------------------------------------------------------------------------------


def edit(connection: Connection, rng: random.Random) -> str:
    """One value of one row, link or head."""
    column, value = rng.choice(
        [
            ("at", "at + 1000"),
            ("person_id", "case when person_id = 1 then 2 else null end"),
            ("actor", "'somebody@else.example'"),
            ("action", "'case.dismiss'"),
            ("subject", "subject || ' '"),
            ("details", '\'{"after": {"claimed_by": 77}}\''),
            ("details", "null"),
            ("address", "null"),
            ("brand_id", "brand_id + 1"),
            ("case_id", "case_id - 1"),
            ("id", "id + 1"),
        ]
    )
    number = _some(connection, rng)
    if rng.random() < 0.2:
        column = rng.choice(["hash", "at"])
        change = "hash = reverse(hash)" if connection.dialect.name == "postgresql" else "hash = lower(hex(hash))"
        change = f"hash = '{'ab' * 32}'" if column == "hash" else "at = at + 1"
        connection.execute(text(f"update audit_link set {change} where number = {number}"))
        return f"link {column}"
    if rng.random() < 0.1:
        change = rng.choice(["hash = 'f'", "number = number - 1", "signature = '00'", "day = '2026-11-19'"])
        connection.execute(text(f"update audit_head set {change} where day = '2026-11-20'"))
        return f"head {change}"
    connection.execute(text(f"update audit set {column} = {value} where id = {_id(connection, number)}"))
    return column


def delete(connection: Connection, rng: random.Random) -> str:
    """A row, its link, or both; what comes behind may be renumbered, or a head be taken away."""
    number, way = _some(connection, rng, keep_last=True), rng.randrange(5)
    identifier = _id(connection, number)
    if way == 4:
        connection.execute(text("delete from audit_head where day = '2026-11-20'"))
        return "head"
    if way != 1:
        connection.execute(text(f"delete from audit where id = {identifier}"))
    if way != 0:
        connection.execute(text(f"delete from audit_link where number = {number}"))
    if way == 3:
        _renumber(connection, number, -1)
    return ("row", "link", "both", "both, renumbered")[way]


def insert(connection: Connection, rng: random.Random) -> str:
    """A row of the past: without a link, with one at the end, or with one in its place."""
    number, way = _some(connection, rng, keep_last=True), rng.randrange(3)
    at = _at(connection, number) + STEP / 2
    identifier = time_id(at, rng.getrandbits(22))
    row = (identifier, to_microseconds(at), 1, "ana@meridian.example", "case.claim", "case 7", None, None, 3, 7)
    names = ("id", "at", "person_id", "actor", "action", "subject", "details", "address", "brand_id", "case_id")
    values = dict(zip(names, row, strict=True))
    connection.execute(
        text(f"insert into audit ({', '.join(names)}) values ({', '.join(f':{name}' for name in names)})"), values
    )
    if way == 0:
        return "row alone"
    place = number + 1
    if way == 1:
        place = connection.execute(text("select max(number) + 1 from audit_link")).scalar_one()
    else:
        _renumber(connection, place, 1)
    before = connection.execute(text(f"select hash, at from audit_link where number = {place - 1}")).one()
    linked_at = to_microseconds(at) + 1_000_000 if way == 2 else before.at + 1
    connection.execute(
        text("insert into audit_link (number, audit_id, at, hash) values (:number, :id, :at, :hash)"),
        {"number": place, "id": identifier, "at": linked_at, "hash": digest(place, before.hash, linked_at, row)},
    )
    return "linked at the end" if way == 1 else "linked in its place"


def swap(connection: Connection, rng: random.Random) -> str:
    """Two rows, what stands in them, or their links."""
    one, other = sorted(rng.sample(range(1, _last(connection) + 1), 2))
    table, column = rng.choice([("audit", "id"), ("audit_link", "audit_id"), ("audit_link", "number")])
    first, second = (one, other) if column == "number" else (_id(connection, one), _id(connection, other))
    for before, after in ((first, -1), (second, first), (-1, second)):
        connection.execute(text(f"update {table} set {column} = {after} where {column} = {before}"))
    return f"{table} {column}"


def cut(connection: Connection, rng: random.Random) -> str:
    """The last rows with their links, or the links alone; or everything there is."""
    last = _last(connection)
    number = 1 if rng.random() < 0.1 else rng.randrange(max(2, last - 12), last + 1)
    if rng.random() < 0.8:
        ids = f"select audit_id from audit_link where number >= {number}"
        connection.execute(text(f"delete from audit where id in ({ids})"))
    connection.execute(text(f"delete from audit_link where number >= {number}"))
    return f"from {number}"


def rewrite(connection: Connection, rng: random.Random) -> str:
    """A row edited and every hash behind it made anew, as who knows how the chain is made would do."""
    number = _some(connection, rng)
    connection.execute(text(f"update audit set subject = 'something else' where id = {_id(connection, number)}"))
    previous = "0" * 64
    for link_row in connection.execute(text("select number, audit_id, at from audit_link order by number")).all():
        row = connection.execute(select(*RAW).where(audit.c.id == link_row.audit_id)).one()
        previous = digest(link_row.number, previous, link_row.at, row)
        connection.execute(
            text("update audit_link set hash = :hash where number = :number"),
            {"hash": previous, "number": link_row.number},
        )
    return f"from {number}"


WAYS: dict[str, Callable[[Connection, random.Random], str]] = {
    "edit": edit, "delete": delete, "insert": insert, "swap": swap, "cut": cut, "rewrite": rewrite,
}  # fmt: skip


def _renumber(connection: Connection, first: int, by: int) -> None:
    connection.execute(text(f"update audit_link set number = -(number + {by}) where number >= {first}"))
    connection.execute(text("update audit_link set number = -number where number < 0"))


def _last(connection: Connection) -> int:
    return int(connection.execute(text("select max(number) from audit_link")).scalar_one())


def _some(connection: Connection, rng: random.Random, *, keep_last: bool = False) -> int:
    return rng.randrange(1, _last(connection) + (0 if keep_last else 1))


def _id(connection: Connection, number: int) -> int:
    return int(connection.execute(text(f"select audit_id from audit_link where number = {number}")).scalar_one())


def _at(connection: Connection, number: int) -> datetime:
    found = connection.execute(select(audit.c.at).where(audit.c.id == _id(connection, number))).scalar_one()
    assert isinstance(found, datetime)
    return found
