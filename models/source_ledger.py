"""What the ledger says of every source: the last day by quarter hours, the newest fetches, money and its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, text

from models.sources import MOST_SELECTS, Health, month_number
from models.tables import coverage, fetch
from models.tables.base import from_microseconds, to_microseconds

QUARTER = timedelta(minutes=15)
QUARTERS = 96
WEEK = timedelta(days=7)
# A pace taken over less than this says nothing about a month.
SHORTEST_PACE = timedelta(hours=1)
NEWEST = 10


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of an hour of one source. `fetches` counts those that failed too."""

    fetches: int = 0
    failed: int = 0
    items: int = 0
    new_items: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """The last 96 quarter hours of a source, on the edges of the clock, from `start`.

    `quarters[n]` is None where the ledger has no row. `heard[n]` is False where nobody listened: the source existed,
    asked nothing, and no later fetch brought what was said meanwhile. `cost_today` is since the local midnight.
    """

    start: datetime
    quarters: tuple[Quarter | None, ...]
    heard: tuple[bool, ...]
    cost_today: float

    @property
    def total(self) -> Quarter:
        """All quarters together."""
        there = [quarter for quarter in self.quarters if quarter is not None]
        return Quarter(
            fetches=sum(quarter.fetches for quarter in there),
            failed=sum(quarter.failed for quarter in there),
            items=sum(quarter.items for quarter in there),
            new_items=sum(quarter.new_items for quarter in there),
        )

    @property
    def unheard(self) -> timedelta:
        """How long nobody listened."""
        return QUARTER * sum(not heard for heard in self.heard)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One line of the ledger. `kind` is fetch, look_up or canary; several quiet fetches can be one line."""

    started_at: datetime
    ended_at: datetime
    window: tuple[datetime, datetime] | None
    kind: str
    fetches: int
    seconds: float
    items: int
    new_items: int
    cost: float
    error_kind: str | None
    error: str | None


def days(
    connection: Connection,
    sources: Sequence[Health],
    created_at: Mapping[int, datetime],
    *,
    midnight: datetime,
    now: datetime,
) -> dict[int, Day]:
    """The last day of each source: one read of the ledger and one of what was listened to, for all of them."""
    first = now - (now - datetime(1970, 1, 1, tzinfo=UTC)) % QUARTER - QUARTER * (QUARTERS - 1)
    step = to_microseconds(datetime(1970, 1, 1, tzinfo=UTC) + QUARTER)
    rows = connection.execute(
        text(
            "select source_id, ended_at / :step as bucket,"
            " sum(case when kind = 'fetch' then fetches else 0 end) as fetches,"
            " sum(case when kind = 'fetch' and error_kind is not null then fetches else 0 end) as failed,"
            " sum(case when kind = 'fetch' then items else 0 end) as items,"
            " sum(case when kind = 'fetch' then new_items else 0 end) as new_items,"
            " sum(case when ended_at >= :midnight then cost else 0 end) as cost"
            # By id, or the index (source, end) would not serve.
            ' from "fetch" where source_id in :ids and ended_at >= :since group by source_id, ended_at / :step'
        ).bindparams(bindparam("ids", expanding=True)),
        {
            "step": step,
            "midnight": to_microseconds(midnight),
            "since": to_microseconds(min(first, midnight)),
            "ids": [item.id for item in sources],
        },
    ).all()
    base = to_microseconds(first) // step
    quarters: dict[int, list[Quarter | None]] = {item.id: [None] * QUARTERS for item in sources}
    costs: dict[int, float] = dict.fromkeys(quarters, 0.0)
    for row in rows:
        costs[row.source_id] += row.cost
        place = int(row.bucket) - base
        if 0 <= place < QUARTERS and row.fetches:
            quarters[row.source_id][place] = Quarter(
                int(row.fetches), int(row.failed), int(row.items), int(row.new_items)
            )
    covered = _covered(connection, first)
    return {
        item.id: Day(
            start=first,
            quarters=tuple(quarters[item.id]),
            heard=_heard(item, quarters[item.id], covered.get(item.id, []), first, created_at[item.id], now),
            cost_today=costs[item.id],
        )
        for item in sources
    }


def _covered(connection: Connection, since: datetime) -> dict[int, list[tuple[datetime, datetime]]]:
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in connection.execute(select(coverage).where(coverage.c.covered_to > since)):
        spans.setdefault(row.source_id, []).append((row.covered_from, row.covered_to))
    return spans


def _heard(
    source: Health,
    quarters: Sequence[Quarter | None],
    covered: Sequence[tuple[datetime, datetime]],
    first: datetime,
    created_at: datetime,
    now: datetime,
) -> tuple[bool, ...]:
    # What fills in history or has been read to its end listens to nothing that is said today.
    if source.state == "done" or source.progress is not None:
        return (True,) * QUARTERS
    # Between two polls nobody is deaf yet.
    patience = timedelta(seconds=2 * source.normal_seconds) if source.state == "active" else timedelta(0)
    last = source.last_success_at
    heard = []
    for place, quarter in enumerate(quarters):
        start, end = first + place * QUARTER, first + (place + 1) * QUARTER
        is_covered = any(begin < end and stop > start for begin, stop in covered)
        is_waiting = last is not None and last <= end and start < last + patience
        heard.append(quarter is not None or is_covered or is_waiting or end <= created_at or start > now)
    return tuple(heard)


def costs_of_week(connection: Connection, created_at: Mapping[int, datetime], *, now: datetime) -> dict[int, float]:
    """Dollars a day by source, over the last 7 days of the ledger or as long as the source exists."""
    if not created_at:
        return {}
    since = now - WEEK
    rows = connection.execute(
        select(fetch.c.source_id, func.sum(fetch.c.cost))
        .where(fetch.c.source_id.in_(list(created_at)), fetch.c.ended_at >= since)
        .group_by(fetch.c.source_id)
    )
    return {
        source_id: float(spent or 0.0)
        / (max(now - max(since, created_at[source_id]), SHORTEST_PACE) / timedelta(days=1))
        for source_id, spent in rows
    }


def budget_ends_at(*, spent: float, budget: float, per_day: float, now: datetime) -> datetime | None:
    """When a month's budget is spent at this pace: now where it is already, None where the month (UTC) ends first."""
    if spent >= budget:
        return now
    if per_day <= 0:
        return None
    days_left = (budget - spent) / per_day
    ends_at = now + timedelta(days=days_left) if days_left < 62 else None
    return ends_at if ends_at is not None and month_number(ends_at) == month_number(now) else None


def newest(connection: Connection, source_ids: Collection[int], limit: int = NEWEST) -> dict[int, tuple[Fetch, ...]]:
    """The newest lines of the ledger of each source, newest first."""
    parts = [
        "select * from (select source_id, started_at, ended_at, window_from, window_to, kind, fetches, seconds, items,"  # noqa: S608
        f' new_items, cost, error_kind, error from "fetch" where source_id = {source_id:d}'
        f" order by ended_at desc limit {limit:d}) a"
        for source_id in source_ids
    ]
    found: dict[int, list[Fetch]] = {}
    for start in range(0, len(parts), MOST_SELECTS):
        for row in connection.execute(text(" union all ".join(parts[start : start + MOST_SELECTS]))):
            window = None
            if row.window_from is not None and row.window_to is not None:
                window = (from_microseconds(row.window_from), from_microseconds(row.window_to))
            found.setdefault(row.source_id, []).append(
                Fetch(
                    started_at=from_microseconds(row.started_at),
                    ended_at=from_microseconds(row.ended_at),
                    window=window,
                    kind=row.kind,
                    fetches=row.fetches,
                    seconds=row.seconds,
                    items=row.items,
                    new_items=row.new_items,
                    cost=row.cost,
                    error_kind=row.error_kind,
                    error=row.error,
                )
            )
    return {key: tuple(sorted(rows, key=lambda row: row.ended_at, reverse=True)) for key, rows in found.items()}
