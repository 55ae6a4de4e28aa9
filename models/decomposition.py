"""What a change of a figure is made of, brand by brand, so that the parts add up to it exactly; pure.

Everything is computed in fractions: a sum of parts that misses the change by a rounding would be a wrong picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

Counts = Mapping[int, int]
"""Brand id -> count; a brand that is missing counted nothing."""


@dataclass(frozen=True, slots=True)
class Split:
    """start + sum(parts) + rest = end, exactly. `parts` are (brand id, what it added), by brand.

    `rest` belongs to no single brand: the mix of brands, or authors that several of them share. None where the figure
    has none.
    """

    start: Fraction
    end: Fraction
    parts: tuple[tuple[int, Fraction], ...]
    rest: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """A Split as it is shown: whole numbers of 10^-digits that still add up."""

    start: int
    end: int
    parts: tuple[tuple[int, int], ...]
    rest: int | None
    digits: int


def added(before: Counts, after: Counts) -> Split:
    """Of a figure that adds up over brands: each added what it has more."""
    parts = tuple((key, Fraction(after.get(key, 0) - before.get(key, 0))) for key in sorted({*before, *after}))
    return Split(Fraction(sum(before.values())), Fraction(sum(after.values())), parts)


def overlapping(before: Counts, after: Counts, *, start: int, end: int) -> Split:
    """Of a figure that counts once what several brands share: the brands' changes, and that of the overlap."""
    parts = added(before, after).parts
    rest = Fraction(end - start) - sum(part for _, part in parts)
    return Split(Fraction(start), Fraction(end), parts, rest)


def averaged(
    before: Mapping[int, tuple[int, int]], after: Mapping[int, tuple[int, int]], *, scale: int = 100
) -> Split | None:
    """Of scale x sum(value) / sum(n), where each brand gives (value, n): its own rate's effect, and the mix of brands.

    A brand's effect is the change of its rate at its mean weight, the mix is the change of the weights at the mean
    rates: E. M. Kitagawa (1955), "Components of a difference between two rates", JASA 50. It treats both times alike
    and leaves no remainder. A brand that had nothing at one of the times changed no rate: it is all mix. None where
    one of the times counted nothing.
    """
    n_before, n_after = sum(n for _, n in before.values()), sum(n for _, n in after.values())
    if not n_before or not n_after:
        return None
    parts, mix = [], Fraction(0)
    for key in sorted({*before, *after}):
        (value_0, n_0), (value_1, n_1) = before.get(key, (0, 0)), after.get(key, (0, 0))
        if not n_0 and not n_1:
            parts.append((key, Fraction(0)))
            continue
        rate_0 = Fraction(value_0, n_0) if n_0 else Fraction(value_1, n_1)
        rate_1 = Fraction(value_1, n_1) if n_1 else rate_0
        weight_0, weight_1 = Fraction(n_0, n_before), Fraction(n_1, n_after)
        parts.append((key, scale * (rate_1 - rate_0) * (weight_0 + weight_1) / 2))
        mix += scale * (weight_1 - weight_0) * (rate_0 + rate_1) / 2
    start = scale * Fraction(sum(value for value, _ in before.values()), n_before)
    end = scale * Fraction(sum(value for value, _ in after.values()), n_after)
    return Split(start, end, tuple(parts), mix)


def shared(ours: tuple[Counts, Counts], others: tuple[Counts, Counts], *, scale: int = 100) -> Split | None:
    """Of scale x ours / (ours + others), each given before and after: what each brand's own growth moved the share by.

    With A = ours, C = others, T = A + C the change is (dA x mean(C) - mean(A) x dC) / (T0 x T1), which is a sum over
    brands: more of ours raises the share, more of the others lowers it, and nothing remains. None where one of the
    times counted nothing.
    """
    (ours_0, ours_1), (others_0, others_1) = ours, others
    a_0, a_1, c_0, c_1 = (sum(counts.values()) for counts in (ours_0, ours_1, others_0, others_1))
    if not a_0 + c_0 or not a_1 + c_1:
        return None
    whole = (a_0 + c_0) * (a_1 + c_1)
    parts = [(key, scale * part * Fraction(c_0 + c_1, 2) / whole) for key, part in added(ours_0, ours_1).parts]
    parts += [(key, -scale * part * Fraction(a_0 + a_1, 2) / whole) for key, part in added(others_0, others_1).parts]
    return Split(scale * Fraction(a_0, a_0 + c_0), scale * Fraction(a_1, a_1 + c_1), tuple(sorted(parts)))


def joined(split: Split, *, most: int, as_key: int) -> Split:
    """The same with at most `most` parts, the largest; the others together under `as_key`."""
    if len(split.parts) <= most:
        return split
    ranked = sorted(split.parts, key=lambda part: (-abs(part[1]), part[0]))
    kept, others = ranked[: most - 1], ranked[most - 1 :]
    parts = (*sorted(kept), (as_key, sum((part for _, part in others), Fraction(0))))
    return Split(split.start, split.end, parts, split.rest)


def rounded(split: Split, *, digits: int) -> Steps:
    """As whole numbers of 10^-digits, start and end rounded by themselves and the parts so that they still add up.

    Largest remainders: what is missing goes to the parts that were cut most, never to one that is nothing.
    """
    unit = 10**digits
    start, end = round(split.start * unit), round(split.end * unit)
    exact = [part * unit for _, part in split.parts] + ([] if split.rest is None else [split.rest * unit])
    cut = [part.__floor__() for part in exact]
    missing = end - start - sum(cut)
    order = sorted(range(len(exact)), key=lambda i: (exact[i] == 0, -(exact[i] - cut[i]), i))
    while missing and order:
        step = 1 if missing > 0 else -1
        for i in order if step > 0 else sorted(order, key=lambda i: (exact[i] == 0, exact[i] - cut[i], i)):
            if not missing:
                break
            cut[i] += step
            missing -= step
    keys = [key for key, _ in split.parts]
    rest = None if split.rest is None else cut[-1]
    return Steps(start, end, tuple(zip(keys, cut[: len(keys)], strict=True)), rest, digits)
