"""How sure a share is, from how few it was counted; pure."""

from __future__ import annotations

from math import sqrt

# The 97.5th percentile of the normal distribution: an interval that holds the truth 95 times in 100.
Z = 1.959964


def wilson(part: int, whole: int, *, z: float = Z) -> tuple[float, float]:
    """The interval (0..1, 0..1) of the share part / whole; (0, 1) where nothing was counted.

    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22: good for
    small counts and for shares near 0 and 1, where the plain interval is not.
    """
    if whole <= 0:
        return 0.0, 1.0
    share, square = part / whole, z * z / whole
    centre = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / whole + square / (4 * whole)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
