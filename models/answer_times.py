"""Times that add up: durations kept as counts in classes, from which medians and p90 of any sum are read; pure.

Class 0 holds what took less than a second and is told as 0; class k holds [1.05^(k-1), 1.05^k) seconds and is told as
the geometric middle of both, at most 2.47 % from any duration in it. So are a median and a p90 of summed classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor, log

from models.expected import percentile

RATIO = 1.05
MOST_ERROR = RATIO**0.5 - 1
# In the same column of the table as the classes: promises missed and kept.
MISSED, KEPT = -1, -2
# Fifty years; nobody waited longer.
LAST_CLASS = ceil(log(50 * 366 * 86_400) / log(RATIO))
MEDIAN, P90 = 0.5, 0.9
# Below so many, exact times are read from the rows.
EXACT_BELOW = 5_000


@dataclass(frozen=True, slots=True)
class Times:
    """`n` durations in seconds; None where there are none. `is_exact` is False where they come from classes."""

    n: int
    median: float | None
    p90: float | None
    is_exact: bool
    met: int = 0
    missed: int = 0

    @property
    def hit_share(self) -> float | None:
        """met / (met + missed), 0..1; None where no promise is decided."""
        decided = self.met + self.missed
        return self.met / decided if decided else None


def class_of(seconds: float) -> int:
    """The class of a duration. ValueError for a negative one: an answer comes after what it answers."""
    if seconds < 0:
        raise ValueError(f"a duration of {seconds} s: an answer cannot come before what it answers")
    if seconds < 1:
        return 0
    return min(floor(log(seconds) / log(RATIO)) + 1, LAST_CLASS)


def seconds_of(number: int) -> float:
    """The duration that a class stands for. ValueError for a number that is no class."""
    if number < 0:
        raise ValueError(f"class {number} holds no durations; they begin at 0")
    return 0.0 if number == 0 else float(RATIO ** (number - 0.5))


def from_classes(counts: Iterable[tuple[int, int]]) -> Times:
    """Median and p90 of (class, cases), in any order, a class as often as it was summed; MISSED and KEPT among them."""
    summed: dict[int, int] = {}
    for number, cases in counts:
        summed[number] = summed.get(number, 0) + cases
    met, missed = summed.pop(KEPT, 0), summed.pop(MISSED, 0)
    # A class that was emptied again by corrections.
    summed = {number: summed[number] for number in sorted(summed) if summed[number] > 0}
    n = sum(summed.values())
    if not n:
        return Times(0, None, None, is_exact=False, met=met, missed=missed)
    return Times(n, _at(summed, n, MEDIAN), _at(summed, n, P90), is_exact=False, met=met, missed=missed)


def from_rows(durations: Iterable[float], *, met: int = 0, missed: int = 0) -> Times:
    """Median and p90 of durations one by one, by the same rule: on the line between the neighbours."""
    ordered = sorted(durations)
    if not ordered:
        return Times(0, None, None, is_exact=True, met=met, missed=missed)
    return Times(len(ordered), percentile(ordered, MEDIAN), percentile(ordered, P90), True, met, missed)


def _at(counts: Mapping[int, int], n: int, share: float) -> float:
    """As `percentile` of every single duration would give it."""
    place = share * (n - 1)
    below = int(place)
    low, high = _ranked(counts, below), _ranked(counts, min(below + 1, n - 1))
    return low + (high - low) * (place - below)


def _ranked(counts: Mapping[int, int], rank: int) -> float:
    """The duration at a place among all, counted from 0."""
    seen = 0
    for number, cases in counts.items():
        seen += cases
        if rank < seen:
            return seconds_of(number)
    raise ValueError(f"there is no place {rank} among {seen} durations")
