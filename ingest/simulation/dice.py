"""Chance that can be repeated: the same subject gives the same draws in every process and on every machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import chain
from struct import Struct

# One hash gives all the draws of a post; seeding a Mersenne Twister for it cost as much as the whole rest.
_SIXTEEN = Struct("<16I").unpack
_THIRTY_TWO = Struct("<32H").unpack
# Multiplies one of the sixteen into 0 <= u < 1.
UNIT = 2.0**-32
# e^-700 is the last comfortable double; above that, a normal distribution is the same to the eye.
LARGEST_EXACT = 500.0

Draw = Callable[[], int]


def sixteen(subject: bytes) -> tuple[int, ...]:
    """Sixteen even draws of 32 bits that belong to `subject`."""
    return _SIXTEEN(blake2b(subject).digest())


def endless(subject: bytes) -> Draw:
    """Draws of 16 bits without end; `items[draw() * len(items) >> 16]` picks one of the items."""
    # A chain hands out what is in a block without running Python for each.
    return chain.from_iterable(_blocks(subject)).__next__


def _blocks(subject: bytes) -> Iterator[tuple[int, ...]]:
    while True:
        subject = blake2b(subject).digest()
        yield _THIRTY_TWO(subject)


def normal(first: float, second: float) -> float:
    """Bell-shaped with mean 0 and deviation 1, from two even draws (Box and Muller)."""
    return math.sqrt(-2.0 * math.log(1.0 - first)) * math.cos(2.0 * math.pi * second)


def count(mean: float, first: float, second: float) -> int:
    """How many independent things happen where `mean` are expected (Poisson), from two even draws."""
    if mean > LARGEST_EXACT:
        return max(0, round(mean + math.sqrt(mean) * normal(first, second)))
    chance = math.exp(-mean)
    left = first - chance
    number = 0
    while left >= 0.0 and chance > 0.0:
        number += 1
        chance *= mean / number
        left -= chance
    return number
