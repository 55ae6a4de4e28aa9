"""models/decomposition.py: what a change is made of adds up to it, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decomposition import Split, added, averaged, joined, overlapping, rounded, shared

BRANDS = st.integers(2, 9)
COUNTS = st.dictionaries(BRANDS, st.integers(0, 10**7), max_size=6)
# (positive - negative, scored): no brand is more positive than it was scored.
VALUES = st.dictionaries(
    BRANDS,
    st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(-n, n), st.just(n))),
    max_size=6,
)


def whole(split: Split) -> Fraction:
    return sum((part for _, part in split.parts), split.start + (split.rest or 0))


@given(COUNTS, COUNTS)
def test_the_brands_of_a_count_add_up_to_its_change(before: dict[int, int], after: dict[int, int]) -> None:
    split = added(before, after)

    assert whole(split) == split.end == sum(after.values())


@given(COUNTS, COUNTS, st.integers(0, 10**8), st.integers(0, 10**8))
def test_what_brands_share_stands_apart(before: dict[int, int], after: dict[int, int], start: int, end: int) -> None:
    assert whole(overlapping(before, after, start=start, end=end)) == end


@given(VALUES, VALUES)
def test_rates_and_mix_add_up_to_the_change_of_an_average(
    before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]]
) -> None:
    split = averaged(before, after)

    if split is None:
        assert not sum(n for _, n in before.values()) or not sum(n for _, n in after.values())
    else:
        assert whole(split) == split.end
        assert split.end == Fraction(100 * sum(v for v, _ in after.values()), sum(n for _, n in after.values()))


@pytest.mark.prove
@given(VALUES, VALUES)
def test_back_in_time_every_part_is_the_same_with_the_other_sign(
    before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]]
) -> None:
    there, back = averaged(before, after), averaged(after, before)

    if there is not None and back is not None:
        assert [(key, -part) for key, part in there.parts] == list(back.parts)
        assert there.rest is not None
        assert there.rest == -(back.rest or 0)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_every_brand_of_the_tracked_set_has_its_part_of_a_share(
    ours_0: dict[int, int], ours_1: dict[int, int], others_0: dict[int, int], others_1: dict[int, int]
) -> None:
    others_0, others_1 = ({key + 10: n for key, n in counts.items()} for counts in (others_0, others_1))
    split = shared((ours_0, ours_1), (others_0, others_1))

    if split is not None:
        assert whole(split) == split.end
        assert split.rest is None


def test_a_brand_that_only_grew_changes_the_mix_and_not_its_rate() -> None:
    split = averaged({2: (10, 100), 3: (-50, 100)}, {2: (10, 100), 3: (-150, 300)})

    assert split is not None
    assert dict(split.parts) == {2: 0, 3: 0}
    assert split.rest == split.end - split.start == -15


def test_more_of_a_competitor_lowers_our_share() -> None:
    split = shared(({2: 50}, {2: 50}), ({5: 50}, {5: 150}))

    assert split is not None
    assert dict(split.parts) == {2: 0, 5: -25}


@given(VALUES, VALUES, st.integers(0, 2), st.integers(2, 5))
def test_what_is_shown_still_adds_up(
    before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]], digits: int, most: int
) -> None:
    split = averaged(before, after)
    if split is None:
        return

    steps = rounded(joined(split, most=most, as_key=0), digits=digits)

    assert steps.start + sum(value for _, value in steps.parts) + (steps.rest or 0) == steps.end
    assert len(steps.parts) <= max(most, 1)
    exact = dict(joined(split, most=most, as_key=0).parts)
    assert all(abs(value - exact[key] * 10**digits) <= 2 for key, value in steps.parts)


def test_a_part_that_is_nothing_is_shown_as_nothing() -> None:
    split = averaged({2: (1, 3), 3: (0, 3)}, {2: (2, 3), 3: (0, 3)})

    assert split is not None
    assert dict(rounded(split, digits=0).parts)[3] == 0


def test_the_smallest_brands_stand_together() -> None:
    split = joined(added({}, {2: 100, 3: 50, 4: 2, 5: 1}), most=3, as_key=0)

    assert dict(split.parts) == {2: 100, 3: 50, 0: 3}
