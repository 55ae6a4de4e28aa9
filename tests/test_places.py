"""ingest/enrich/places.py: where a post is from, on earth and among our locations."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.enrich import places as enrich_places
from ingest.enrich.places import NEAR_KILOMETRES, PARTS_OF_THE_WORLD, Located, Places
from ingest.found import Author, Found
from models import geography
from models.organisation import UNKNOWN, Location, Organisation
from tests.data_folder import rows

AMSTERDAM, LONDON = 2759794, 2643743


def location(
    number: int,
    name: str,
    at: tuple[float, float] | None = None,
    *aliases: str,
    kind: str = "site",
    parent: int | None = None,
    zone: str | None = None,
) -> Location:
    latitude, longitude = at or (None, None)
    return Location(number, name.lower(), name, kind, parent, zone, latitude, longitude, aliases, "")


def places(*locations: Location) -> Places:
    return Places(Organisation("Meridian", "UTC", ("en",), False, (), locations, (), ()))


def post(
    place: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    *,
    home: str | None = None,
) -> Found:
    at = datetime(2026, 11, 19, tzinfo=UTC)
    return Found("x", "1", at, "", Author("a"), place=place, latitude=latitude, longitude=longitude, home=home)


def located(where: Places, found: Found) -> tuple[int, str | None]:
    answer = where.locate(found)
    return answer.location_id, answer.location_by


EUROPE = places(
    location(1, "Unknown place", kind="unknown"),
    location(2, "Netherlands", None, "holland", kind="country"),
    location(3, "Amsterdam", (52.37, 4.90), "mokum", "ams", "🌷", parent=2),
    location(4, "Haarlem", (52.38, 4.64), parent=2),
    location(5, "Zürich", (47.37, 8.54), "zurich"),
    location(6, "Villiers-le-Bel", None),
    location(7, "Suva", (-18.14, 178.44)),
    location(8, "Taveuni", (-16.85, -179.97)),
    location(9, "Zwitserse klanten", None, kind="country", zone="Europe/Zurich"),
    location(10, "Western Europe", None, "europe", kind="region"),
    location(11, "UK & Ireland", None, "uk and ireland", kind="region"),
    location(12, "Scotland", kind="country", parent=11),
    location(13, "Rest of the world", None, kind="region"),
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
    ],
)
def test_words_for_a_place_name_a_site(said: str, found: int) -> None:
    assert located(EUROPE, post(said)) == (found, "name")
    assert located(EUROPE, post(said)) == (found, "name")


@pytest.mark.parametrize(
    "said",
    ["New Amsterdam", "Amsterdamned", "", "🌷", "everywhere, ", " , / ; ", "Unknown place", "Tokyo", "Springfield"],
)
def test_other_words_name_none_of_ours(said: str) -> None:
    assert located(EUROPE, post(said)) == (UNKNOWN, None)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Netherlands", 2),
        ("holland", 2),
        ("Utrecht", 2),
        ("Rotterdam, The Netherlands", 2),
        ("Genève", 9),
        ("Paris, France", 10),
        ("🇩🇪", 10),
        ("London", 11),
        ("Dublin, Ireland", 11),
        ("Edinburgh", 12),
        ("europe", 10),
        ("Rest of the world", 13),
    ],
)
def test_a_place_elsewhere_counts_for_the_smallest_country_or_region_of_ours(said: str, found: int) -> None:
    """By name, by alias, by zone, and by what the world calls its parts."""
    assert located(EUROPE, post(said)) == (found, "region")
    assert located(EUROPE, post(home=said)) == (found, "home")


@pytest.mark.parametrize("home", ["Amsterdam", "mokum", "Haarlem, NL", "Zürich", "52.37, 4.90"])
def test_a_home_never_fills_a_site(home: str) -> None:
    """Who lives in Amsterdam need not be there."""
    number, by = located(EUROPE, post(home=home))

    assert number in (UNKNOWN, 2, 9, 10)
    assert by in (None, "home")
    assert located(places(location(3, "Amsterdam", (52.37, 4.90), "mokum")), post(home=home)) == (UNKNOWN, None)


def test_where_it_was_made_counts_and_not_where_its_author_lives() -> None:
    assert located(EUROPE, post("Tokyo", home="Utrecht")) == (UNKNOWN, None)
    assert located(EUROPE, post("Seat 4B", home="Utrecht")) == (2, "home")
    assert located(EUROPE, post("Paris", home="Utrecht")) == (10, "region")
    assert located(EUROPE, post(None, 35.68, 139.69, home="Utrecht")) == (UNKNOWN, None)


def test_what_is_hardly_sure_fills_no_location() -> None:
    """A name somewhere in a sentence is kept as a fact about the author and is none about our locations."""
    answer = EUROPE.locate(post(home="a Dutchman in London, dreaming of Utrecht"))

    assert answer.home_geo is not None
    assert answer.home_confidence is not None
    assert answer.home_confidence < 50
    assert answer.location_id == UNKNOWN


def test_home_and_place_are_two_facts_each_with_what_it_rests_on() -> None:
    both = EUROPE.locate(post("Amsterdam", home="London"))
    assert (both.home_geo, both.place_geo, both.place_by) == (LONDON, AMSTERDAM, "place")

    exact = EUROPE.locate(post("London", 52.37, 4.90, home="NYC"))
    assert exact.place_by == "coordinates"
    assert exact.place_geo is not None
    made_at = geography.place(exact.place_geo)
    assert made_at is not None
    assert made_at.country == "NL"
    assert exact.place_confidence is not None
    assert exact.place_confidence > 90
    assert exact.location_id == 3

    at_sea = EUROPE.locate(post("London", 0.0, 0.0))
    assert (at_sea.place_geo, at_sea.place_by) == (LONDON, "place")
    assert EUROPE.locate(post()) == Located(None, None, None, None, None, UNKNOWN, None)


def test_coordinates_are_less_sure_the_farther_the_city() -> None:
    """From the middle of Reykjavik out to sea."""
    near, far = EUROPE.locate(post(None, 64.135, -21.9)), EUROPE.locate(post(None, 64.135, -22.75))

    assert near.place_confidence is not None
    assert far.place_confidence is not None
    assert 60 <= far.place_confidence < near.place_confidence <= 95


def test_a_region_below_a_country_is_looked_for_inside_it() -> None:
    """Georgia is a state or a country, as its parent says."""
    state = places(location(2, "United States", kind="country"), location(3, "Georgia", kind="region", parent=2))
    country = places(location(2, "Georgia", kind="country"))

    assert located(state, post("Atlanta, Georgia")) == (3, "region")
    assert located(state, post("Tbilisi")) == (UNKNOWN, None)
    assert located(state, post("Dallas, TX")) == (2, "region")
    assert located(country, post("Tbilisi")) == (2, "region")
    assert located(country, post("Atlanta, GA")) == (UNKNOWN, None)


def test_of_two_parts_of_the_world_the_smaller_one_counts() -> None:
    here = places(
        location(2, "EMEA", kind="region"), location(3, "DACH", kind="region"), location(4, "APAC", kind="region")
    )

    assert located(here, post("Vienna, Austria")) == (3, "region")
    assert located(here, post("Nairobi")) == (2, "region")
    assert located(here, post("Dubai")) == (2, "region")
    assert located(here, post("Sydney, Australia")) == (4, "region")
    assert located(here, post("Lima, Peru")) == (UNKNOWN, None)


def test_every_part_of_the_world_is_of_countries_that_there_are() -> None:
    known, continents = set(geography.countries()), {geography.continent(code) for code in geography.countries()}
    for name, (held, countries) in PARTS_OF_THE_WORLD.items():
        assert geography.key(name) == name
        assert set(held.split()) <= continents
        assert set(countries.split()) <= known
        assert held or countries


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ((52.37, 4.90), 3),
        ((52.38, 4.70), 4),
        ((52.38, 4.80), 3),
        ((51.92, 4.48), 4),
        ((50.85, 5.69), 2),
        ((48.86, 2.35), 10),
        ((35.68, 139.69), UNKNOWN),
        ((0.0, 0.0), UNKNOWN),
        ((-16.85, 179.99), 8),
        ((-18.14, 178.4), 7),
    ],
)
def test_a_post_is_counted_at_the_nearest_site(at: tuple[float, float], found: int) -> None:
    assert EUROPE.locate(post(None, *at)).location_id == found


def test_coordinates_say_more_than_words_and_words_more_than_far_away() -> None:
    assert located(EUROPE, post("Zürich", 52.37, 4.90)) == (3, "coordinates")
    assert located(EUROPE, post("Zürich", 0.0, 0.0)) == (5, "name")


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 91.0, 1e300, -90.01])
def test_coordinates_that_are_none_are_passed_over(wrong: float) -> None:
    assert located(EUROPE, post("Amsterdam", wrong, 4.90)) == (3, "name")
    assert located(EUROPE, post("Amsterdam", 52.37, wrong * 3)) == (3, "name")
    assert located(EUROPE, post(None, wrong, wrong)) == (UNKNOWN, None)


def test_one_coordinate_alone_is_none() -> None:
    assert located(EUROPE, post(None, 52.37, None)) == (UNKNOWN, None)
    assert located(EUROPE, post("Haarlem", None, 4.90)) == (4, "name")


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_any_two_points_have_a_distance(a: float, b: float, c: float, d: float) -> None:
    """The far side of the earth is where rounding asks for the arcsine of one and a little."""
    there = places(location(2, "There", (a, b)))
    assert located(there, post(None, c, d)) in ((2, "coordinates"), (UNKNOWN, None))
    assert located(there, post(None, -a, b - 180 if b > 0 else b + 180)) == (UNKNOWN, None)


def test_near_is_within_sixty_kilometres() -> None:
    """One degree of latitude is 111.2 km."""
    here = places(location(2, "Here", (10.0, 20.0)))
    degrees = NEAR_KILOMETRES / (6371.0 * math.pi / 180)
    assert located(here, post(None, 10.0 + degrees * 0.999, 20.0)) == (2, "coordinates")
    assert located(here, post(None, 10.0 + degrees * 1.001, 20.0)) == (UNKNOWN, None)


def test_what_was_found_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are whatever people write: the memory of them must not grow for ever."""
    monkeypatch.setattr(enrich_places, "MOST_REMEMBERED", 500)
    there = places(location(2, "Here", None, "hier"))
    dice = random.Random(1)
    for _ in range(1_200):
        there.locate(post(f"nowhere {dice.random()}"))
        there.locate(post(home=f"nowhere {dice.random()}"))

    assert len(there._resolved) <= 500
    assert len(there._located) <= 500
    assert located(there, post("hier")) == (2, "name")


def test_homes_that_are_said_otherwise_and_are_the_same_place_share_their_answer() -> None:
    assert EUROPE.locate(post(home="Utrecht")) is EUROPE.locate(post(home="utrecht "))
    assert EUROPE.locate(post(home="Zürich")) is not EUROPE.locate(post(home="Zurich, Switzerland"))
    assert EUROPE.locate(post(home="")) is EUROPE.locate(post())


def test_the_first_of_two_sites_of_one_name_has_it() -> None:
    assert located(places(location(2, "Springfield"), location(3, "Springfield")), post("springfield")) == (2, "name")


@pytest.mark.data
def test_homes_of_real_posts_fill_their_country_and_no_site(data: Path) -> None:
    """At least 78 % of those that are not empty are resolved."""
    airlines = places(
        location(2, "United States", None, "usa", kind="country"),
        location(3, "New York", (40.71, -74.0), "nyc", parent=2),
    )
    homes = [home for row in rows(data, "airline/tweets.csv") if (home := row["tweet_location"]).strip()]
    found = [airlines.locate(post(home=home)) for home in homes]
    resolved = sum(each.home_geo is not None for each in found)

    print(f"{resolved / len(homes):.4f} of {len(homes)} resolved")
    assert len(homes) >= 5_000
    assert resolved >= 0.78 * len(homes)
    assert {each.location_id for each in found} == {UNKNOWN, 2}
    assert sum(each.location_id == 2 for each in found) > 0.5 * len(homes)
    assert all(each.place_geo is None for each in found)
