"""ingest/cadence.py: when a source is asked next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from ingest.cadence import JITTER, Money, affordable_at, next_due, quiet_until
from models.sources import month_number
from tests.builders import NOW

NO_LIMIT = Money(None, 0.0)
NIGHT = {"from": "22:00", "to": "06:00", "zone": "Europe/Amsterdam", "every_seconds": None}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(every: float, now: datetime = NOW, *, quiet: Mapping[str, object] | None = None) -> float:
    found = next_due(now, now, every_seconds=every, priority=5, quiet=quiet, money=NO_LIMIT)
    return (found - now).total_seconds()


def test_sources_of_one_cadence_drift_apart() -> None:
    waits = [due(300) for _ in range(200)]

    assert all(300 * (1 - JITTER) <= wait <= 300 * (1 + JITTER) for wait in waits)
    assert max(waits) - min(waits) > 300 * JITTER


def test_a_source_that_is_asked_each_second_has_no_jitter() -> None:
    assert due(1) == 1


def test_a_late_source_is_due_now_and_not_in_the_past() -> None:
    started = NOW - timedelta(hours=1)
    assert next_due(started, NOW, every_seconds=60, priority=5, quiet=None, money=NO_LIMIT) == NOW


# -- quiet hours -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-19T20:59:59", None),
        ("2026-11-19T21:00:00", "2026-11-20T05:00:00"),
        ("2026-11-20T04:59:59", "2026-11-20T05:00:00"),
        ("2026-11-20T05:00:00", None),
        # The night the clock went back is an hour longer.
        ("2026-10-24T21:00:00", "2026-10-25T05:00:00"),
        ("2026-10-24T20:00:00", "2026-10-25T05:00:00"),
        ("2026-10-24T19:59:59", None),
    ],
)
def test_quiet_hours_are_local_and_may_cross_midnight(now: str, ends: str | None) -> None:
    assert quiet_until(NIGHT, at(now)) == (None if ends is None else at(ends))


def test_in_quiet_hours_a_source_sleeps_or_slows_down() -> None:
    night, day = at("2026-11-19T23:00:00"), at("2026-11-19T12:00:00")

    assert due(60, night, quiet=NIGHT) == timedelta(hours=6).total_seconds()
    assert due(5, night, quiet={**NIGHT, "every_seconds": 9}) == 9
    assert due(9, night, quiet={**NIGHT, "every_seconds": 5}) == 9
    assert due(5, day, quiet=NIGHT) == 5


# -- money -------------------------------------------------------------------------------------------------

MID = at("2026-11-16T00:00:00")


def test_months_are_counted_in_utc() -> None:
    assert month_number(at("2026-12-31T23:59:59")) + 1 == month_number(at("2027-01-01T00:00:00"))


def waits(money: Money, priority: int, now: datetime = MID) -> timedelta:
    return max(timedelta(0), affordable_at(money, priority, now) - now)


def test_without_a_budget_nothing_waits() -> None:
    assert waits(Money(None, 1e6), 9) == timedelta(0)


def test_money_spent_as_the_month_goes_makes_nobody_wait() -> None:
    assert waits(Money(100, 49), 9) == timedelta(0)


def test_a_source_ahead_of_its_money_waits_for_the_calendar() -> None:
    # Three quarters are gone at half time.
    assert waits(Money(100, 75), 9) == timedelta(days=7.5)


def test_the_higher_the_priority_the_shorter_the_wait() -> None:
    waited = [waits(Money(100, 85), priority) for priority in range(10)]
    assert waited == sorted(waited)
    assert waited[0] < waited[5] < waited[9]


def test_spent_money_stops_a_source_until_the_next_month() -> None:
    assert next_due(MID, MID, every_seconds=60, priority=0, quiet=None, money=Money(100, 100.5)) == at(
        "2026-12-01T00:00:00"
    )
    assert next_due(
        at("2026-12-31T12:00:00"),
        at("2026-12-31T12:00:00"),
        every_seconds=60,
        priority=0,
        quiet=None,
        money=Money(1, 2),
    ) == at("2027-01-01T00:00:00")


@pytest.mark.parametrize("priority", [0, 3, 6, 9])
def test_a_greedy_source_ends_the_month_inside_its_budget(priority: int) -> None:
    """Polled by its pace through a whole month, at four times what it can pay for."""
    budget, spent, now, polls = 30.0, 0.0, at("2026-11-01T00:00:00"), 0
    last = now
    while now < at("2026-12-01T00:00:00"):
        spent += budget / (30 * 24 * 12 / 4)
        polls += 1
        last = now
        now = next_due(now, now, every_seconds=300, priority=priority, quiet=None, money=Money(budget, spent))

    assert spent <= budget * 1.02
    # Its money lasts: it still listens on the last day of the month.
    assert last > at("2026-11-29T00:00:00")
    assert polls >= 30 * 24 * 12 / 4 * 0.9
