"""models/answer_times.py: medians and p90 from classes that can be summed."""

from __future__ import annotations

from collections import Counter
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.answer_times import (
    EXACT_BELOW,
    KEPT,
    LAST_CLASS,
    MISSED,
    MOST_ERROR,
    RATIO,
    class_of,
    from_classes,
    from_rows,
    seconds_of,
)

DURATIONS = st.lists(st.floats(1, 50_000_000), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("seconds", "number"), [(0, 0), (0.999, 0), (1, 1), (1.049, 1), (1.051, 2), (60, 84), (3_600, 168), (86_400, 233)]
)
def test_a_duration_is_in_the_class_whose_bounds_hold_it(seconds: float, number: int) -> None:
    assert class_of(seconds) == number
    if number:
        assert RATIO ** (number - 1) <= seconds < RATIO**number


@settings(max_examples=60, deadline=None)
@given(seconds=st.floats(1, 1_000_000_000))
def test_a_class_tells_its_durations_with_an_error_below_two_and_a_half_percent(seconds: float) -> None:
    assert abs(seconds_of(class_of(seconds)) / seconds - 1) <= MOST_ERROR + 1e-9 < 0.025


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(DURATIONS, min_size=1, max_size=4))
def test_median_and_p90_of_summed_classes_are_those_of_all_durations_within_the_error(parts: list[list[float]]) -> None:
    together = [duration for part in parts for duration in part]
    exact = from_rows(together)
    found = from_classes(pair for part in parts for pair in Counter(map(class_of, part)).items())

    assert (found.n, found.is_exact, exact.is_exact) == (len(together), False, True)
    assert exact.median == pytest.approx(median(together))
    assert found.median == pytest.approx(exact.median, rel=0.025)
    assert found.p90 == pytest.approx(exact.p90, rel=0.025)


def test_a_year_of_answers_is_told_within_the_error() -> None:
    chance = Random(7)
    durations = [chance.lognormvariate(7, 1.6) for _ in range(4 * EXACT_BELOW)]
    exact, found = from_rows(durations), from_classes(Counter(map(class_of, durations)).items())
    assert found.median == pytest.approx(exact.median, rel=0.025)
    assert found.p90 == pytest.approx(exact.p90, rel=0.025)
    assert len({class_of(duration) for duration in durations}) < 350


def test_classes_that_were_taken_back_count_no_more() -> None:
    found = from_classes([(10, 3), (200, 1), (200, -1), (10, -2)])
    assert (found.n, found.median, found.p90) == (1, seconds_of(10), seconds_of(10))


def test_promises_kept_and_missed_stand_among_the_classes_and_are_no_durations() -> None:
    found = from_classes([(KEPT, 8), (MISSED, 2), (100, 5), (KEPT, 1)])
    assert (found.n, found.met, found.missed, found.hit_share) == (5, 9, 2, 9 / 11)
    assert from_classes([(KEPT, 1)]).median is None
    assert from_classes([]).hit_share is None
    assert from_rows([], met=1).p90 is None


def test_what_is_no_duration_and_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot come before"):
        class_of(-1)
    with pytest.raises(ValueError, match="begin at 0"):
        seconds_of(MISSED)
    assert class_of(1e15) == LAST_CLASS
