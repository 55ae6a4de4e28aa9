"""Whether a ratio changed, or only what chance made of it; pure. Shares alone stand in models/intervals.py."""

from __future__ import annotations

from math import sqrt

from models.intervals import Z, wilson


def net_interval(positive: int, neutral: int, negative: int, *, z: float = Z) -> tuple[float, float] | None:
    """The 95 % interval of 100 x (positive - negative) / n, in -100..100; None where nothing was counted.

    D. G. Bonett and R. M. Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data", Journal of Educational and Behavioral Statistics 37: one added to both counts, two to n.
    The plain interval has no width where all are of one mind.
    """
    if not positive + neutral + negative:
        return None
    n = positive + neutral + negative + 2
    up, down = (positive + 1) / n, (negative + 1) / n
    half = z * sqrt((up + down - (up - down) ** 2) / n)
    return 100 * max(-1.0, up - down - half), 100 * min(1.0, up - down + half)


def nets_differ(now: tuple[int, int, int], before: tuple[int, int, int]) -> bool:
    """Whether two net figures of (positive, neutral, negative) differ by more than chance; False where one has no n."""
    found = net_interval(*now), net_interval(*before)
    if found[0] is None or found[1] is None:
        return False
    values = [100 * (counts[0] - counts[2]) / sum(counts) for counts in (now, before)]
    return _apart((values[0], *found[0]), (values[1], *found[1]))


def shares_differ(now: tuple[int, int], before: tuple[int, int]) -> bool:
    """Whether two shares of (part, whole) differ by more than chance; False where one has no whole."""
    if not now[1] or not before[1]:
        return False
    return _apart((now[0] / now[1], *wilson(*now)), (before[0] / before[1], *wilson(*before)))


def _apart(now: tuple[float, float, float], before: tuple[float, float, float]) -> bool:
    """Whether the interval of the difference of two (value, low, high) leaves out zero.

    R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17, method 10: each side takes the half that points at the other.
    """
    if now[0] < before[0]:
        now, before = before, now
    down, up = max(0.0, now[0] - now[1]), max(0.0, before[2] - before[0])
    return now[0] - before[0] > sqrt(down**2 + up**2)
