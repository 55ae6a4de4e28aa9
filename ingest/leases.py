"""Who polls a source: a row says so, with a fence that grows at every change of hands.

A worker takes a due source by one conditional UPDATE, and moves its cursor only while the row still names it and its
fence. A killed worker loses the source when the lease runs out; a hung one finds its late writes refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from models.database import Database
from models.errors import LeaseLost
from models.tables import source

TTL = timedelta(seconds=30)
# A lease older than this share of its time is renewed before a network is asked, which may take the rest.
FRESH = 1 / 6


@dataclass(frozen=True, slots=True)
class Lease:
    """A source in the hands of one worker until `expires_at`, and everything a run needs to know of it."""

    source_id: int
    name: str
    kind: str
    network_id: int
    config: Mapping[str, Any]
    cursor: Mapping[str, Any] | None
    every_seconds: float
    priority: int
    failures: int
    last_success_at: datetime | None
    last_error: str | None
    owner: str
    fence: int
    last_new_at: datetime | None = None
    secrets: bytes | None = None
    budget: float | None = None
    month: int | None = None
    spent: float = 0.0
    quiet: Mapping[str, Any] | None = None
    remeasure: str = "none"
    taken_at: datetime | None = None


def take(
    database: Database, owner: str, *, now: datetime, busy: Collection[int] = (), name: str | None = None
) -> Lease | None:
    """The most urgent due source that nobody holds, now ours; None when there is none.

    `busy` are sources this worker runs already. With `name`, that one source, due or not, in any state but paused.
    """
    free = or_(source.c.owner.is_(None), source.c.expires_at < now)
    wanted = select(source.c.id).where(free)
    if name is None:
        wanted = wanted.where(source.c.state == "active", source.c.due_at <= now, source.c.id.not_in(busy))
    else:
        wanted = wanted.where(source.c.name == name, source.c.state != "paused")
    wanted = wanted.order_by(source.c.priority, source.c.due_at).limit(1)
    with database.write() as connection:
        source_id = connection.execute(wanted.with_for_update(skip_locked=True)).scalar()
        if source_id is None:
            return None
        row = connection.execute(
            update(source)
            .where(source.c.id == source_id)
            .values(owner=owner, fence=source.c.fence + 1, expires_at=now + TTL)
            .returning(*source.c)
        ).one()
    return Lease(
        source_id=row.id,
        name=row.name,
        kind=row.kind,
        network_id=row.network_id,
        config=row.config,
        cursor=row.cursor,
        every_seconds=row.every_seconds,
        priority=row.priority,
        failures=row.failures,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        owner=owner,
        fence=row.fence,
        last_new_at=row.last_new_at,
        secrets=row.secrets,
        budget=row.budget,
        month=row.month,
        spent=row.spent or 0.0,
        quiet=row.quiet,
        remeasure=row.remeasure,
        taken_at=now,
    )


def hold(connection: Connection, lease: Lease, *, now: datetime, **values: Any) -> None:
    """Write `values` to the source and renew the lease, in the caller's transaction; LeaseLost if it is not ours."""
    _fenced(connection, lease, expires_at=now + TTL, **values)


def release(connection: Connection, lease: Lease, **values: Any) -> None:
    """Write `values` to the source and hand it back, in the caller's transaction; LeaseLost if it is not ours."""
    _fenced(connection, lease, owner=None, expires_at=None, **values)


def _fenced(connection: Connection, lease: Lease, **values: Any) -> None:
    changed = connection.execute(
        update(source)
        .where(source.c.id == lease.source_id, source.c.owner == lease.owner, source.c.fence == lease.fence)
        .values(**values)
    )
    if changed.rowcount == 0:
        raise LeaseLost(f'another worker holds the source "{lease.name}" now; nothing of this page was stored')
