"""ingest/enrich/places.py: from what a post says of its place to one of our sites."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.enrich.places import NEAR_KILOMETRES, Places
from models.organisation import UNKNOWN, Location, Organisation


def site(number: int, name: str, at: tuple[float, float] | None = None, *aliases: str, kind: str = "site") -> Location:
    latitude, longitude = at or (None, None)
    return Location(number, name.lower(), name, kind, None, None, latitude, longitude, aliases, "")


def places(*sites: Location) -> Places:
    return Places(Organisation("Meridian", "UTC", ("en",), False, (), sites, (), ()))


EUROPE = places(
    site(1, "Unknown place", kind="unknown"),
    site(2, "Netherlands", kind="country"),
    site(3, "Amsterdam", (52.37, 4.90), "mokum", "ams", "🌷"),
    site(4, "Haarlem", (52.38, 4.64)),
    site(5, "Zürich", (47.37, 8.54), "zurich"),
    site(6, "Villiers-le-Bel", None),
    site(7, "Suva", (-18.14, 178.44)),
    site(8, "Taveuni", (-16.85, -179.97)),
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Amsterdam", 3),
        ("  AMSTERDAM!! ", 3),
        ("Amsterdam, The Netherlands", 3),
        ("The Netherlands / Amsterdam", 3),
        ("mokum", 3),
        ("Haarlem | Amsterdam", 4),
        ("somewhere; AMS", 3),
        ("London-Amsterdam", 3),
        ("Villiers-le-Bel", 6),
        ("villiers le bel, France", 6),
        ("Zürich", 5),
        ("Zu\u0308rich", 5),
        ("ZÜRICH (CH)", 5),
        ("Zurich", 5),
        ("Netherlands", UNKNOWN),
        ("New Amsterdam", UNKNOWN),
        ("Amsterdamned", UNKNOWN),
        ("", UNKNOWN),
        ("🌷", UNKNOWN),
        ("everywhere, ", UNKNOWN),
        (" , / ; ", UNKNOWN),
        ("Unknown place", UNKNOWN),
    ],
)
def test_words_for_a_place_name_a_site(said: str, found: int) -> None:
    assert EUROPE.locate(said, None, None) == found
    assert EUROPE.locate(said, None, None) == found


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ((52.37, 4.90), 3),
        ((52.38, 4.70), 4),
        ((52.38, 4.80), 3),
        ((51.92, 4.48), 4),
        ((48.86, 2.35), UNKNOWN),
        ((0.0, 0.0), UNKNOWN),
        ((-16.85, 179.99), 8),
        ((-18.14, 178.4), 7),
    ],
)
def test_a_post_is_counted_at_the_nearest_site(at: tuple[float, float], found: int) -> None:
    assert EUROPE.locate(None, *at) == found


def test_coordinates_say_more_than_words_and_words_more_than_far_away() -> None:
    assert EUROPE.locate("Zürich", 52.37, 4.90) == 3
    assert EUROPE.locate("Zürich", 0.0, 0.0) == 5


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 91.0, 1e300, -90.01])
def test_coordinates_that_are_none_are_passed_over(wrong: float) -> None:
    assert EUROPE.locate("Amsterdam", wrong, 4.90) == 3
    assert EUROPE.locate("Amsterdam", 52.37, wrong * 3) == 3
    assert EUROPE.locate(None, wrong, wrong) == UNKNOWN


def test_one_coordinate_alone_is_none() -> None:
    assert EUROPE.locate(None, 52.37, None) == UNKNOWN
    assert EUROPE.locate("Haarlem", None, 4.90) == 4


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_any_two_points_have_a_distance(a: float, b: float, c: float, d: float) -> None:
    """The far side of the earth is where rounding asks for the arcsine of one and a little."""
    assert places(site(2, "There", (a, b))).locate(None, c, d) in (2, UNKNOWN)
    assert places(site(2, "There", (a, b))).locate(None, -a, b - 180 if b > 0 else b + 180) == UNKNOWN


def test_near_is_within_sixty_kilometres() -> None:
    """One degree of latitude is 111.2 km."""
    here = places(site(2, "Here", (10.0, 20.0)))
    degrees = NEAR_KILOMETRES / (6371.0 * math.pi / 180)
    assert here.locate(None, 10.0 + degrees * 0.999, 20.0) == 2
    assert here.locate(None, 10.0 + degrees * 1.001, 20.0) == UNKNOWN


def test_what_was_found_is_remembered_within_bounds() -> None:
    """Names are whatever people write: the memory of them must not grow for ever."""
    there = places(site(2, "Here", None, "hier"))
    dice = random.Random(1)
    for _ in range(60_000):
        there.locate(f"nowhere {dice.random()}", None, None)

    assert len(there._known) <= 50_001
    assert there.locate("hier", None, None) == 2


def test_the_first_of_two_sites_of_one_name_has_it() -> None:
    assert places(site(2, "Springfield"), site(3, "Springfield")).locate("springfield", None, None) == 2
