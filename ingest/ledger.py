"""What came of each fetch, which spans were covered, what could not be stored: the ledger and the door's keeping."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ingest.door import safe_text
from ingest.found import SetAside
from models.bulk import asked, insert_rows
from models.database import new_id
from models.networks import BY_KEY
from models.tables import coverage, fetch
from models.tables.base import to_microseconds

# Quiet fetches inside one such span become one row of the ledger.
QUIET_SPAN = timedelta(minutes=15)
_SET_ASIDE = ("id", "source_id", "at", "place", "reason", "raw", "digest", "network_id", "external_id")


def put_aside(connection: Connection, records: Sequence[SetAside], *, source_id: int, now: datetime) -> int:
    """Keep what could not be stored as it stands, with its bytes; returns how many were not kept already."""
    if not records:
        return 0
    rows = {}
    for record in records:
        place, reason = safe_text(record.place), safe_text(record.reason)
        digest = hashlib.sha256(f"{source_id}\0{place}\0{reason}\0".encode() + record.raw).hexdigest()
        network = BY_KEY.get(record.network or "")
        post = (None, None) if network is None else (network.id, record.external_id)
        rows[digest] = (new_id(now), source_id, to_microseconds(now), place, reason, record.raw, digest, *post)
    relation, params = asked(connection, [(digest,) for digest in rows])
    known = set(
        connection.exec_driver_sql(
            f"select s.digest from {relation} cross join set_aside s where s.digest = a.a0",  # noqa: S608
            params,
        ).scalars()
    )
    fresh = [row for digest, row in rows.items() if digest not in known]
    insert_rows(connection, "set_aside", _SET_ASIDE, fresh)
    return len(fresh)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One line of the ledger."""

    started_at: datetime
    ended_at: datetime
    items: int = 0
    new_items: int = 0
    set_aside: int = 0
    window: tuple[datetime, datetime] | None = None
    cost: float = 0.0
    rate_left: float | None = None
    kind: str = "fetch"
    units: Mapping[str, int] = field(default_factory=dict)
    error_kind: str | None = None
    error: str | None = None


def write_ledger(connection: Connection, line: Fetched, *, source_id: int, worker: str) -> None:
    """Add a line to the ledger; a quiet fetch lengthens the quiet line before it."""
    seconds = (line.ended_at - line.started_at).total_seconds()
    quiet = line.items == 0 and line.set_aside == 0 and line.error_kind is None and line.cost == 0
    if quiet:
        last = connection.execute(
            select(fetch)
            .where(fetch.c.source_id == source_id, fetch.c.kind == line.kind)
            .order_by(fetch.c.ended_at.desc())
            .limit(1)
        ).first()
        if (
            last is not None
            and last.items == 0
            and last.set_aside == 0
            and last.error_kind is None
            and last.cost == 0
            and last.worker == worker
            and _span(last.started_at) == _span(line.started_at)
        ):
            connection.execute(
                update(fetch)
                .where(fetch.c.id == last.id)
                .values(
                    ended_at=line.ended_at,
                    window_to=line.window[1] if line.window else None,
                    fetches=last.fetches + 1,
                    seconds=max(last.seconds, seconds),
                    rate_left=line.rate_left,
                )
            )
            return
    connection.execute(
        insert(fetch).values(
            id=new_id(line.ended_at),
            source_id=source_id,
            worker=worker,
            started_at=line.started_at,
            ended_at=line.ended_at,
            window_from=line.window[0] if line.window else None,
            window_to=line.window[1] if line.window else None,
            fetches=1,
            seconds=seconds,
            items=line.items,
            new_items=line.new_items,
            set_aside=line.set_aside,
            cost=line.cost,
            rate_left=line.rate_left,
            kind=line.kind,
            units=dict(line.units) or None,
            error_kind=line.error_kind,
            error=line.error,
        )
    )


def _span(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) // QUIET_SPAN)


def cover(connection: Connection, source_id: int, span: tuple[datetime, datetime], *, joins_all: bool) -> None:
    """Remember that a source was asked for this span, joined with those it touches (`joins_all`: with every one)."""
    start, end = span
    touching = select(coverage).where(coverage.c.source_id == source_id)
    if not joins_all:
        touching = touching.where(coverage.c.covered_from <= end, coverage.c.covered_to >= start)
    rows = connection.execute(touching).all()
    if len(rows) == 1 and rows[0].covered_from <= start:
        if rows[0].covered_to < end:
            connection.execute(
                update(coverage)
                .where(coverage.c.source_id == source_id, coverage.c.covered_from == rows[0].covered_from)
                .values(covered_to=end)
            )
        return
    if rows:
        connection.execute(
            delete(coverage).where(coverage.c.source_id == source_id, coverage.c.covered_from == bindparam("at")),
            [{"at": row.covered_from} for row in rows],
        )
    joined = (min([start, *(r.covered_from for r in rows)]), max([end, *(r.covered_to for r in rows)]))
    connection.execute(insert(coverage).values(source_id=source_id, covered_from=joined[0], covered_to=joined[1]))
