"""Sources as people see them: how fresh, how healthy, when they were not listening; adding, pausing, resuming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, text, update

from models.access import Window
from models.database import raise_change
from models.errors import InputError, NotFound
from models.tables import coverage, duty, source

# Data age against the source's normal: below the first live, up to the second slow, beyond stale.
SLOW_AFTER = 3.0
STALE_AFTER = 10.0
# How many ledger rows the p95 of the fetch time is taken from.
RECENT_FETCHES = 100
# A source that polls every second still takes a moment: below this nothing is called slow.
LEAST_NORMAL = timedelta(seconds=2)
BADGES = ("live", "done", "waiting", "paused", "slow", "stale", "disconnected", "gone")
# What the ledger calls a failed fetch -> the condition that the source is in while it is the newest.
FAULTS = {"dead_token": "disconnected", "rate_limited": "limited", "passing": "passing", "gone": "gone"}
CONDITIONS = (*BADGES, "limited", "passing", "unknown", "spent", "deaf")
LONGEST_NAME = 200
LONGEST_REASON = 200
# SQLite joins at most 500 selects in one statement.
MOST_SELECTS = 200


@dataclass(frozen=True, slots=True)
class Health:
    """One source now. `state` is what it was set to, `badge` how fresh its data is, `condition` what is the matter.

    `normal_seconds` = poll interval + p95 of the fetch time. `data_age_seconds` = now - end of the newest successful
    fetch, whether or not that brought anything; None before the first. `error_kind` (dead_token, rate_limited, passing,
    gone, unknown) is that of the newest fetch, None where that was well. `budget` are dollars a calendar month (UTC),
    None = no limit, and `spent` those of this month. `is_deaf`: a query that always finds something found nothing.
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
    error_kind: str | None = None
    paused_at: datetime | None = None
    paused_because: str | None = None
    budget: float | None = None
    spent: float = 0.0
    is_deaf: bool = False

    @property
    def condition(self) -> str:
        """The badge, or what is the matter: limited, passing, unknown (three kinds of fault), spent, deaf."""
        if self.state != "active":
            return self.state
        if self.budget is not None and self.spent >= self.budget:
            return "spent"
        if self.error_kind is not None:
            return FAULTS.get(self.error_kind, "unknown")
        return "deaf" if self.is_deaf else self.badge

    @property
    def times_normal(self) -> float | None:
        """Data age / normal; None before the first fetch."""
        return None if self.data_age_seconds is None else self.data_age_seconds / self.normal_seconds

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


@dataclass(frozen=True, slots=True)
class Setup:
    """How a source is set up. `config` holds no secret; `quiet` says when it is polled less or not at all."""

    id: int
    config: Mapping[str, Any]
    priority: int
    quiet: Mapping[str, Any] | None
    remeasure: str
    has_secrets: bool
    due_at: datetime
    is_running: bool
    created_at: datetime


def health(connection: Connection, now: datetime) -> tuple[Health, ...]:
    """Every source, in the order of their names' creation. Two reads, however many there are."""
    rows = connection.execute(select(*(column for column in source.c if column.name != "secrets"))).all()
    rows = sorted(rows, key=lambda row: row.id)
    seconds, kinds = _recent(connection, [(row.id, row.last_error is not None) for row in rows])
    deaf = set(
        connection.execute(select(duty.c.source_id).where(duty.c.kind == "canary", duty.c.result == "deaf")).scalars()
    )
    return tuple(
        _health(row, now, seconds=seconds.get(row.id, []), error_kind=kinds.get(row.id), is_deaf=row.id in deaf)
        for row in rows
    )


def _recent(connection: Connection, asked: Sequence[tuple[int, bool]]) -> tuple[dict[int, list[float]], dict[int, str]]:
    """By source the seconds of its newest successful fetches, and what the newest failed one was.

    The second only for sources that stand in an error: a healthy one's last failure may lie a year of rows back.
    """
    parts = []
    for source_id, has_error in asked:
        # One walk down the index for each source beats a window function over the whole ledger.
        parts.append(
            f'select * from (select source_id, seconds, error_kind from "fetch" where source_id = {source_id:d}'  # noqa: S608
            f" and error_kind is null and kind = 'fetch' order by ended_at desc limit {RECENT_FETCHES:d}) a"
        )
        if has_error:
            parts.append(
                f'select * from (select source_id, seconds, error_kind from "fetch" where source_id = {source_id:d}'  # noqa: S608
                " and error_kind is not null order by ended_at desc limit 1) a"
            )
    seconds: dict[int, list[float]] = {}
    kinds = {source_id: "unknown" for source_id, has_error in asked if has_error}
    for start in range(0, len(parts), MOST_SELECTS):
        for row in connection.execute(text(" union all ".join(parts[start : start + MOST_SELECTS]))):
            if row.error_kind is None:
                seconds.setdefault(row.source_id, []).append(row.seconds)
            else:
                kinds[row.source_id] = row.error_kind
    return seconds, kinds


def _health(row: Any, now: datetime, *, seconds: list[float], error_kind: str | None, is_deaf: bool) -> Health:
    durations = sorted(seconds)
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
        error_kind=error_kind,
        paused_at=row.paused_at,
        paused_because=row.paused_because,
        budget=row.budget,
        spent=(row.spent or 0.0) if row.month == month_number(now) else 0.0,
        is_deaf=is_deaf,
    )


def month_number(now: datetime) -> int:
    """The calendar month (UTC) as `source.month` counts it: 2026 * 12 + 10 is November 2026."""
    at = now.astimezone(UTC)
    return at.year * 12 + at.month - 1


def setups(connection: Connection, now: datetime) -> dict[int, Setup]:
    """How each source is set up, by id."""
    rows = connection.execute(
        select(
            *(column for column in source.c if column.name != "secrets"), source.c.secrets.is_not(None).label("sealed")
        )
    )
    return {
        row.id: Setup(
            id=row.id,
            config=row.config,
            priority=row.priority,
            quiet=row.quiet,
            remeasure=row.remeasure,
            has_secrets=bool(row.sealed),
            due_at=row.due_at,
            is_running=row.owner is not None and row.expires_at is not None and row.expires_at > now,
            created_at=row.created_at,
        )
        for row in rows
    }


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
    **more: Any,
) -> int:
    """Add a source that is due at once; returns its id. InputError when the name is taken.

    `more` are other columns: secrets (sealed), budget, quiet, remeasure.
    """
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
            **more,
        )
    )
    raise_change(connection, "sources")
    return source_id


def pause(connection: Connection, name: str, *, by: str, at: datetime | None = None, because: str = "") -> None:
    """Stop polling a source; what is under way is finished. NotFound for an unknown name."""
    reason = because.strip()[:LONGEST_REASON] or None
    _set_state(connection, name, state="paused", paused_by=by, paused_at=at, paused_because=reason)


def resume(connection: Connection, name: str, *, now: datetime) -> None:
    """Poll again, at once; clears the error that disconnected it. NotFound for an unknown name."""
    _set_state(
        connection,
        name,
        state="active",
        paused_by=None,
        paused_at=None,
        paused_because=None,
        due_at=now,
        failures=0,
        last_error=None,
    )


def fetch_now(connection: Connection, name: str, *, now: datetime) -> None:
    """Make a source due at once. InputError where it is not polled; NotFound for an unknown name.

    A limit of the network still holds: the worker that takes it asks the limiter first.
    """
    state = connection.execute(select(source.c.state).where(source.c.name == name)).scalar()
    if state is not None and state != "active":
        ways = {"paused": "start it again first", "done": "it has been read to its end"}
        raise InputError(f'"{name}" is {state}: {ways.get(state, "mend it, then start it again")}')
    _set_state(connection, name, due_at=now)


def name_of(connection: Connection, source_id: int) -> str:
    """The name of a source; NotFound where there is none."""
    name: str | None = connection.execute(select(source.c.name).where(source.c.id == source_id)).scalar()
    if name is None:
        raise NotFound(f"there is no source {source_id}")
    return name


def check_name(connection: Connection, name: str, *, besides: int | None = None) -> str:
    """The name without blanks around it; InputError when it cannot be one, or when another source has it."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"a name has 1 to {LONGEST_NAME} printable characters, this one {len(name)}")
    taken = connection.execute(select(source.c.id).where(source.c.name == name)).scalar()
    if taken is not None and taken != besides:
        raise InputError(f'there is a source "{name}" already; choose another name')
    return name


def change(connection: Connection, source_id: int, *, now: datetime, **values: Any) -> None:
    """Write checked settings (name, config, secrets, every_seconds, priority, budget, ...) to a source.

    It is due at once, and what had disconnected it is forgotten; one that is paused stays so. NotFound.
    """
    name_of(connection, source_id)
    state = case((source.c.state == "paused", "paused"), else_="active")
    mended = {"state": state, "due_at": now, "failures": 0, "last_error": None}
    connection.execute(update(source).where(source.c.id == source_id).values(**values, **mended))
    raise_change(connection, "sources")


def _set_state(connection: Connection, name: str, **values: Any) -> None:
    changed = connection.execute(update(source).where(source.c.name == name).values(**values))
    if changed.rowcount == 0:
        known = ", ".join(connection.execute(select(source.c.name).order_by(source.c.id)).scalars())
        raise NotFound(f'no source "{name}"; known: {known or "none yet"}')
    raise_change(connection, "sources")
