"""Sources as people see them: how fresh, how healthy, when they were not listening; adding, pausing, resuming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from models.access import Window
from models.database import raise_change
from models.errors import InputError, NotFound
from models.tables import coverage, fetch, source

# Data age against the source's normal: below the first live, up to the second slow, beyond stale.
SLOW_AFTER = 3.0
STALE_AFTER = 10.0
# How many ledger rows the p95 of the fetch time is taken from.
RECENT_FETCHES = 100
# A source that polls every second still takes a moment: below this nothing is called slow.
LEAST_NORMAL = timedelta(seconds=2)
BADGES = ("live", "done", "waiting", "paused", "slow", "stale", "disconnected", "gone")


@dataclass(frozen=True, slots=True)
class Health:
    """One source now. `state` is what it was set to, `badge` what a screen says.

    `normal_seconds` = poll interval + p95 of the fetch time. `data_age_seconds` = now - end of the newest successful
    fetch, whether or not that brought anything; None before the first.
    """

    id: int
    name: str
    kind: str
    network_id: int
    state: str
    paused_by: str | None
    every_seconds: float
    normal_seconds: float
    data_age_seconds: float | None
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    rate_left: float | None
    progress: float | None

    @property
    def badge(self) -> str:
        """live, slow, stale, paused, waiting (never fetched), disconnected, gone or done."""
        if self.state != "active":
            return self.state
        if self.data_age_seconds is None:
            return "waiting" if self.last_error is None else "stale"
        ratio = self.data_age_seconds / self.normal_seconds
        if ratio < SLOW_AFTER:
            return "live"
        return "slow" if ratio <= STALE_AFTER else "stale"


def health(connection: Connection, now: datetime) -> tuple[Health, ...]:
    """Every source, in the order of their names' creation."""
    rows = connection.execute(select(source).order_by(source.c.id)).all()
    return tuple(_health(connection, row, now) for row in rows)


def _health(connection: Connection, row: Any, now: datetime) -> Health:
    durations = sorted(
        connection.execute(
            select(fetch.c.seconds)
            .where(fetch.c.source_id == row.id, fetch.c.error_kind.is_(None))
            .order_by(fetch.c.ended_at.desc())
            .limit(RECENT_FETCHES)
        ).scalars()
    )
    p95 = durations[min(len(durations) - 1, int(len(durations) * 0.95))] if durations else 0.0
    return Health(
        id=row.id,
        name=row.name,
        kind=row.kind,
        network_id=row.network_id,
        state=row.state,
        paused_by=row.paused_by,
        every_seconds=row.every_seconds,
        normal_seconds=max(row.every_seconds + p95, LEAST_NORMAL.total_seconds()),
        data_age_seconds=None if row.last_success_at is None else (now - row.last_success_at).total_seconds(),
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        rate_left=row.rate_left,
        progress=row.progress,
    )


def worst(sources: tuple[Health, ...]) -> Health | None:
    """The source that polls with the worst data age against its normal: what the badge in the header says."""
    listening = [item for item in sources if item.state == "active" and item.progress is None]
    return max(
        listening,
        key=lambda item: float("inf") if item.data_age_seconds is None else item.data_age_seconds / item.normal_seconds,
        default=None,
    )


def gaps(connection: Connection, window: Window) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of a window that no source covered: zero there is not "nothing was said".

    What is still inside the normal of a source at the end of a live window is not a gap yet.
    """
    rows = connection.execute(
        select(coverage.c.covered_from, coverage.c.covered_to)
        .where(coverage.c.covered_to > window.start, coverage.c.covered_from < window.end)
        .order_by(coverage.c.covered_from)
    ).all()
    found = []
    at = window.start
    for covered_from, covered_to in rows:
        if covered_from > at:
            found.append((at, covered_from))
        at = max(at, covered_to)
    patience = timedelta(0)
    if window.live:
        slowest = connection.execute(
            select(func.max(source.c.every_seconds)).where(source.c.state == "active")
        ).scalar()
        patience = max(STALE_AFTER * timedelta(seconds=min(slowest or 0, 60)), timedelta(seconds=30))
    if window.end - at > patience:
        found.append((at, window.end))
    return tuple(found)


def add(
    connection: Connection,
    *,
    name: str,
    kind: str,
    network_id: int,
    config: Mapping[str, Any],
    every_seconds: float,
    priority: int = 5,
    now: datetime,
) -> int:
    """Add a source that is due at once; returns its id. InputError when the name is taken."""
    taken = connection.execute(select(source.c.id).where(source.c.name == name)).scalar()
    if taken is not None:
        raise InputError(f'there is a source "{name}" already; choose another name')
    source_id = (connection.execute(select(func.max(source.c.id))).scalar() or 0) + 1
    connection.execute(
        insert(source).values(
            id=source_id,
            name=name,
            kind=kind,
            network_id=network_id,
            config=dict(config),
            state="active",
            every_seconds=every_seconds,
            priority=priority,
            fence=0,
            due_at=now,
            failures=0,
            created_at=now,
        )
    )
    raise_change(connection, "sources")
    return source_id


def pause(connection: Connection, name: str, *, by: str) -> None:
    """Stop polling a source; what is under way is finished. NotFound for an unknown name."""
    _set_state(connection, name, state="paused", paused_by=by)


def resume(connection: Connection, name: str, *, now: datetime) -> None:
    """Poll again, at once; clears the error that disconnected it. NotFound for an unknown name."""
    _set_state(connection, name, state="active", paused_by=None, due_at=now, failures=0, last_error=None)


def _set_state(connection: Connection, name: str, **values: Any) -> None:
    changed = connection.execute(update(source).where(source.c.name == name).values(**values))
    if changed.rowcount == 0:
        known = ", ".join(connection.execute(select(source.c.name).order_by(source.c.id)).scalars())
        raise NotFound(f'no source "{name}"; known: {known or "none yet"}')
    raise_change(connection, "sources")
