"""ingest/enrich/place_choice.py: which of several places of one name or code is meant."""

from __future__ import annotations

import pytest

from ingest.enrich.place_choice import BY_CODE, BY_NAME, by_code, by_name, city_of, is_own, is_within, likeliest
from models import geography
from models.geography import Place

LONDON, PARIS = 2643743, 2988507


def place(number: int, name: str, people: int, *, country: str = "US", region: str | None = "TX") -> Place:
    return Place(number, "city", name, country, region, 1.0, 2.0, people)


def test_the_largest_place_of_a_name_is_meant_and_the_more_it_is_the_surer() -> None:
    """London is in England, though Ontario has one; Springfield is one of many."""
    london, springfield = by_name("london"), by_name("springfield")

    assert london is not None
    assert springfield is not None
    assert london.geo_id == LONDON
    assert springfield.confidence < london.confidence <= BY_NAME


def test_whose_own_name_it_is_goes_before_one_ten_times_smaller_in_name_alone() -> None:
    named, called = place(1, "Belle", 30_000), place(2, "Beautiful", 290_000, country="FR", region="11")
    assert likeliest((named, called), "belle").geo_id == 1
    assert likeliest((called._replace(population=310_000), named), "belle").geo_id == 2


def test_a_name_that_is_in_no_gazetteer_means_nothing() -> None:
    assert by_name("no such place") is None
    assert by_code("QQQQ") is None
    assert by_code("A") is None


def test_an_article_before_a_name_is_left_out() -> None:
    for name in ("paris", "the paris"):
        found = by_name(name)
        assert found is not None
        assert found.geo_id == PARIS


@pytest.mark.parametrize(("code", "name"), [("CA", "California"), ("USA", "United States"), ("NYC", "New York City")])
def test_a_code_means_what_people_call_so(code: str, name: str) -> None:
    found = by_code(code)

    assert found is not None
    assert found.confidence <= BY_CODE
    meant = geography.place(found.geo_id)
    assert meant is not None
    assert meant.name == name


def test_a_region_gives_way_to_the_large_city_that_bears_its_name() -> None:
    region = Place(1, "region", "Utah", "US", "UT", 1.0, 2.0, 1_000_000)
    large, small = place(2, "Utah", 60_000, region="UT"), place(3, "Utah", 40_000, region="UT")

    assert city_of(region, (region, large)) is large
    assert city_of(region, (region, small)) is region
    assert city_of(region, (region, large._replace(region="NV"))) is region
    assert city_of(large, (region, large)) is large


def test_a_place_lies_in_its_region_and_its_country_and_in_no_other() -> None:
    town = place(1, "Town", 20_000)
    assert is_within(town, Place(2, "region", "Texas", "US", "TX", None, None, 0))
    assert is_within(town, Place(3, "country", "United States", "US", None, None, None, 0))
    assert not is_within(town, Place(4, "region", "Utah", "US", "UT", None, None, 0))
    assert not is_within(town, Place(5, "country", "France", "FR", None, None, None, 0))


def test_a_name_is_its_own_however_it_is_marked() -> None:
    assert is_own(place(1, "Z\u00fcrich", 400_000), "zurich")
    assert not is_own(place(1, "Chicago", 2_700_000), "windy city")
