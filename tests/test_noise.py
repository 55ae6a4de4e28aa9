"""models/noise.py: an arrow stands for a change, not for chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.noise import net_interval, nets_differ, shares_differ

COUNT = st.integers(0, 10**6)


def test_the_interval_of_a_large_n_is_the_plain_one() -> None:
    # 1.96 x sqrt((p + q - (p - q)^2) / n) with p = 10,866 / 45,275 and q = 12,677 / 45,275 is 0.66 points.
    low, high = net_interval(10_866, 21_732, 12_677) or (0, 0)

    assert low == pytest.approx(-4.0 - 0.66, abs=0.01)
    assert high == pytest.approx(-4.0 + 0.66, abs=0.01)


def test_three_of_one_mind_are_not_certain() -> None:
    low, high = net_interval(3, 0, 0) or (0, 0)

    assert low < 20
    assert high == 100


@given(COUNT, COUNT, COUNT)
def test_an_interval_lies_within_what_the_figure_can_be(up: int, level: int, down: int) -> None:
    found = net_interval(up, level, down)

    assert (found is None) == (up + level + down == 0)
    if found is not None:
        assert -100 <= found[0] < found[1] <= 100


@given(st.tuples(COUNT, COUNT, COUNT), st.tuples(COUNT, COUNT, COUNT))
def test_whether_two_differ_does_not_depend_on_which_came_first(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert nets_differ(one, other) == nets_differ(other, one)
    assert not nets_differ(one, one)


def test_the_same_difference_is_chance_among_few_and_a_change_among_many() -> None:
    assert not nets_differ((12, 10, 8), (8, 10, 12))
    assert nets_differ((1_200, 1_000, 800), (800, 1_000, 1_200))
    assert not shares_differ((11, 20), (9, 20))
    assert shares_differ((1_100, 2_000), (900, 2_000))


def test_of_nothing_nothing_differs() -> None:
    assert not nets_differ((0, 0, 0), (5, 5, 5))
    assert not shares_differ((0, 0), (5, 5))
