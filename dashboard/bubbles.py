"""Where the bubbles of the map stand: projected, cut to the places there are, pushed apart; pure.

The picture is assets/world.svg: Miller's projection in degrees of longitude, 180 W to 180 E and 84 N to 57 S. What is
shown of it follows from the organisation's places alone, so that it stays the same whatever scope is chosen. Lengths
are shares of the map's width in per cent, so that the map fits every screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import degrees, log, pi, radians, sqrt, tan

import numpy as np

NORTH, SOUTH = 84.0, -57.0
PICTURE_WIDTH = 360.0
# Width over height of the map.
ASPECT = 1.55
MARGIN = 14.0
# An organisation in one country still sees where on earth that is.
LEAST_WIDTH = 120.0
LARGEST_RADIUS = 5.0
LEAST_RADIUS = 0.9
# Half of what is clicked: 24 pixels of a map as narrow as a phone's.
LEAST_REACH = 3.5
# All that is clicked together covers at most so much of the map.
MOST_COVERED = 0.3
GAP = 0.3
# Radii are pushed apart in classes, so that one mention more moves nothing.
CLASS = 1.0
MOST_STEPS = 160
PULL = 0.04


@dataclass(frozen=True, slots=True)
class View:
    """The part of the picture that is shown, in its units; `y` grows to the south."""

    x: float
    y: float
    width: float

    @property
    def height(self) -> float:
        """What the aspect makes of the width."""
        return self.width / ASPECT

    def share(self, longitude: float, latitude: float) -> tuple[float, float]:
        """A place as per cent of the width, from the left and from the top."""
        x, y = projected(longitude, latitude)
        return 100 * (x - self.x) / self.width, 100 * (y - self.y) / self.width


@dataclass(frozen=True, slots=True)
class Bubble:
    """`left` and `top` of its centre, `radius` of what is seen, `reach` of what is clicked; per cent of the width."""

    left: float
    top: float
    radius: float
    reach: float


def projected(longitude: float, latitude: float) -> tuple[float, float]:
    """A place in the units of the picture."""
    return longitude + 180.0, _miller(NORTH) - _miller(min(max(latitude, SOUTH), NORTH))


def _miller(latitude: float) -> float:
    return degrees(1.25 * log(tan(pi / 4 + 0.4 * radians(latitude))))


PICTURE_HEIGHT = _miller(NORTH) - _miller(SOUTH)


@lru_cache(maxsize=64)
def view(places: tuple[tuple[float, float], ...]) -> View:
    """The smallest part of the picture that holds all places (longitude, latitude) with a margin."""
    points = [projected(*place) for place in places] or [(0.0, 0.0), (PICTURE_WIDTH, PICTURE_HEIGHT)]
    left, right = min(x for x, _ in points) - MARGIN, max(x for x, _ in points) + MARGIN
    top, bottom = min(y for _, y in points) - MARGIN, max(y for _, y in points) + MARGIN
    width = min(max(right - left, (bottom - top) * ASPECT, LEAST_WIDTH), PICTURE_WIDTH)
    height = width / ASPECT
    return View(
        _within((left + right - width) / 2, PICTURE_WIDTH - width),
        _within((top + bottom - height) / 2, PICTURE_HEIGHT - height),
        width,
    )


def _within(value: float, most: float) -> float:
    """Inside the picture; in its middle where the map is larger."""
    return min(max(value, 0.0), most) if most >= 0 else most / 2


def bubbles(centres: Sequence[tuple[float, float]], counts: Sequence[int]) -> tuple[Bubble, ...]:
    """A bubble for each count at its centre (per cent of the width), pushed apart until none covers another.

    The area of what is seen is in proportion to the count; a place of which nothing was said stays a dot.
    """
    most = max(counts, default=0)
    radii = [max(LARGEST_RADIUS * sqrt(count / most), LEAST_RADIUS) if most else LEAST_RADIUS for count in counts]
    share = 100 * (100 / ASPECT) * MOST_COVERED / (pi * max(len(counts), 1))
    least = min(LEAST_REACH, sqrt(share))
    reaches = [max(radius, least) for radius in radii]
    classes = tuple(round(-(-reach // CLASS) * CLASS if reach > least else least, 3) for reach in reaches)
    places = pushed_apart(tuple((round(x, 3), round(y, 3)) for x, y in centres), classes)
    return tuple(Bubble(x, y, radius, reach) for (x, y), radius, reach in zip(places, radii, reaches, strict=True))


@lru_cache(maxsize=512)
def pushed_apart(centres: tuple[tuple[float, float], ...], radii: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    """Centres moved as little as it takes for circles of these radii not to touch, all of them inside the map.

    The same circles always come to stand in the same places.
    """
    if not centres:
        return ()
    anchors = np.array(centres)
    size = np.array(radii)
    # Two offices in one town: a direction of its own for each, always the same one.
    angle = np.arange(len(size)) * 2.399963
    at = anchors + 0.01 * np.column_stack((np.cos(angle), np.sin(angle)))
    wanted = size[:, None] + size[None, :] + GAP
    np.fill_diagonal(wanted, 0.0)
    # The larger one stays where it is.
    weight = size[:, None] ** 2
    moves = weight.T / (weight + weight.T)
    low, high = size[:, None], np.array([100.0, 100.0 / ASPECT]) - size[:, None]
    for step in range(MOST_STEPS):
        if step < MOST_STEPS // 2:
            at += PULL * (anchors - at)
        away = at[:, None, :] - at[None, :, :]
        distance = np.sqrt((away**2).sum(axis=2)) + 1e-9
        overlap = np.maximum(wanted - distance, 0.0)
        if step >= MOST_STEPS // 2 and not (overlap > GAP / 2).any():
            break
        at += ((moves * overlap / distance)[:, :, None] * away).sum(axis=1) * 0.7
        at = np.clip(at, low, high)
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in at)
