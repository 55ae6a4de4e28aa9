"""When a source is asked next: cadence with jitter, quiet hours, the month's money, back-off after a failure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models.sources import month_number

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
# Sources of one cadence drift apart, so that they are not all due in the same second.
JITTER = 0.05
JITTER_FROM_SECONDS = 10.0
# The share of a month's money that a source of the highest priority (0) may spend at once; 9, the lowest, nothing.
AHEAD = 0.5
LOWEST_PRIORITY = 9


@dataclass(frozen=True, slots=True)
class Money:
    """Dollars of a source: the month's budget (None = no limit) and what the month has cost so far."""

    budget: float | None
    spent: float


def _month_start(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def affordable_at(money: Money, priority: int, now: datetime) -> datetime:
    """From when on a source may be asked again so that its money lasts: `now` or earlier = at once.

    The share of the money that may be gone grows evenly over the month, from a start that depends on the priority to
    all of it at the end. A source ahead of that line waits until the calendar has caught up; one without money waits
    for the next month.
    """
    start, end = _month_start(month_number(now)), _month_start(month_number(now) + 1)
    if money.budget is None:
        return start
    if money.spent >= money.budget:
        return end
    head_start = AHEAD * (1 - min(priority, LOWEST_PRIORITY) / LOWEST_PRIORITY)
    return start + (end - start) * max(0.0, (money.spent / money.budget - head_start) / (1 - head_start))


def next_due(
    started: datetime,
    now: datetime,
    *,
    every_seconds: float,
    priority: int,
    quiet: Mapping[str, Any] | None,
    money: Money,
) -> datetime:
    """When a source that was asked at `started` with success is due again."""
    every = every_seconds
    if quiet is not None and (ends := quiet_until(quiet, now)) is not None:
        if quiet.get("every_seconds") is None:
            return max(ends, affordable_at(money, priority, now))
        every = max(every, float(quiet["every_seconds"]))
    if every >= JITTER_FROM_SECONDS:
        every *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter
    return max(now, started + timedelta(seconds=every), affordable_at(money, priority, now))


def quiet_until(quiet: Mapping[str, Any], now: datetime) -> datetime | None:
    """The end of the quiet hours that `now` lies in; None outside them. They may cross midnight."""
    zone = ZoneInfo(str(quiet["zone"]))
    begins, ends = time.fromisoformat(str(quiet["from"])), time.fromisoformat(str(quiet["to"]))
    local = now.astimezone(zone)
    for days in (-1, 0):
        date = local.date() + timedelta(days=days)
        start = datetime.combine(date, begins, zone)
        end = datetime.combine(date + timedelta(days=1 if ends <= begins else 0), ends, zone)
        if start.astimezone(UTC) <= now < end.astimezone(UTC):
            return end.astimezone(UTC)
    return None


def wait_after(failures: int, retry_after: float | None) -> timedelta:
    """How long to leave a source alone: what the network asked for, else doubling with jitter; 1 s .. 15 min."""
    seconds = retry_after
    if seconds is None:
        seconds = SHORTEST_WAIT.total_seconds() * 2 ** min(failures, 12) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
    return timedelta(seconds=min(max(seconds, SHORTEST_WAIT.total_seconds()), LONGEST_WAIT.total_seconds()))
