"""The range in which a count was to be expected."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.expected import FEWEST, Counts, expected, percentile

QUARTER = timedelta(minutes=15)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 8, 1, tzinfo=UTC)
# A Wednesday, 14:00 in Amsterdam.
AT = datetime(2026, 9, 16, 12, 0, tzinfo=UTC)


def past(count: Callable[[datetime], int | None], *, start: datetime = START, days: int = 60) -> Counts:
    """Counts of every quarter of an hour, as a function of when it begins."""
    steps = range(days * 96)
    return Counts(start, QUARTER, [count(start + step * QUARTER) for step in steps])


def local(at: datetime) -> datetime:
    return at.astimezone(AMSTERDAM)


def test_the_range_is_the_5th_to_95th_percentile_of_36_values() -> None:
    seen: list[int] = []

    def count(at: datetime) -> int:
        here = local(at)
        minutes = here.hour * 60 + here.minute
        if here.date() in {date(2026, 9, 16) - timedelta(days=7 * week) for week in (1, 2, 3, 4)} and (
            13 * 60 <= minutes <= 15 * 60
        ):
            seen.append(len(seen))
            return seen[-1]
        return 10_000

    found = expected(past(count), AT, AMSTERDAM)
    assert found.n == len(seen) == 36
    assert found.joined == 0
    assert found.low == pytest.approx(0.05 * 35)
    assert found.high == pytest.approx(0.95 * 35)


def test_like_days_are_joined_newest_first_only_while_there_are_fewer_than_24() -> None:
    # Two weeks of data: 18 values of two Wednesdays; the Tuesday before gives nine more, and that is enough.
    start = AT - timedelta(days=14, hours=2)
    kinds = {1: 5, 2: 7, 5: 500, 6: 500}
    found = expected(past(lambda at: kinds.get(local(at).weekday(), 300), start=start, days=14), AT, AMSTERDAM)
    assert (found.n, found.joined) == (27, 9)
    assert (found.low, found.high) == (5.0, 7.0)


def test_a_weekend_is_never_joined_with_a_working_day() -> None:
    # A Saturday with one week behind it: its own Saturday, then the Sunday after that.
    at = AT + timedelta(days=3)
    found = expected(past(lambda _: 4, start=at - timedelta(days=8), days=8), at, AMSTERDAM)
    assert found.n == 18
    assert found.low is None
    assert found.sentence() == "No expected range: 18 comparable counts in the past 4 weeks, 24 are needed."


def test_what_was_not_heard_is_left_out_and_too_little_gives_no_range() -> None:
    deaf = {date(2026, 9, 2), date(2026, 8, 26)}
    found = expected(past(lambda at: None if local(at).date() in deaf else 3), AT, AMSTERDAM)
    assert (found.n, found.joined) == (27, 9)
    assert expected(past(lambda _: None), AT, AMSTERDAM).holds(3) is None
    nothing = expected(Counts(START, QUARTER, []), AT, AMSTERDAM)
    assert (nothing.n, nothing.is_known) == (0, False)


def test_what_is_counted_from_the_step_on_changes_nothing() -> None:
    def with_later(later: int) -> Counts:
        return past(lambda at: later if at >= AT else 3, start=AT - timedelta(days=6))

    assert expected(with_later(3), AT, AMSTERDAM) == expected(with_later(900), AT, AMSTERDAM)
    assert expected(with_later(3), AT, AMSTERDAM).n >= FEWEST


def test_the_same_local_time_is_meant_where_clocks_change() -> None:
    # The Wednesday after the clocks went back on 25 October: 14:00 in Amsterdam is 13:00 UTC, and was 12:00 before.
    at = datetime(2026, 10, 28, 13, 0, tzinfo=UTC)
    found = expected(past(lambda when: local(when).hour, start=at - timedelta(days=30), days=30), at, AMSTERDAM)
    assert found.n == 36
    assert (found.low, found.high) == (13.0, 15.0)
    assert found.holds(14)
    assert not found.holds(16)


@pytest.mark.prove
def test_ordinary_counts_lie_outside_in_one_of_ten() -> None:
    chance = random.Random(4)
    counts = past(lambda _: sum(chance.random() < 0.04 for _ in range(1000)))
    answers = [
        expected(counts, START + step * QUARTER, AMSTERDAM).holds(counts.counts[step] or 0)
        for step in range(2700, 5700)
    ]
    assert None not in answers
    assert 0.05 < answers.count(False) / len(answers) < 0.15


def test_the_range_says_where_it_comes_from() -> None:
    said = expected(past(lambda at: local(at).hour), AT, AMSTERDAM).sentence()
    assert said == (
        "Expected 13 to 15: 90 % of 36 counts within an hour of this time on the same weekday in the past 4 weeks."
    )


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.05, 1.2), (0.5, 3), (0.95, 4.8), (1.0, 5)])
def test_a_percentile_lies_on_the_line_between_its_neighbours(share: float, value: float) -> None:
    assert percentile([1, 2, 3, 4, 5], share) == pytest.approx(value)
