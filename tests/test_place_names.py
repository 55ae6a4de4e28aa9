"""ingest/enrich/place_names.py: from what people write of where they are to a place on earth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.enrich.place_names import NOWHERE, resolve
from models import geography
from tests.data_folder import rows


def said(text: str) -> str | None:
    """Name, region and country of what a text names: "Paris TX US"."""
    found = resolve(text)
    if found is None:
        return None
    place = geography.place(found.geo_id)
    assert place is not None
    return " ".join(filter(None, (place.name, place.region, place.country)))


def sure(text: str) -> int:
    found = resolve(text)
    assert found is not None
    return found.confidence


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("NYC", "New York City NY US"),
        ("New York", "New York City NY US"),
        ("new york, new york", "New York City NY US"),
        ("New York, USA", "New York City NY US"),
        ("Brooklyn, NY", "Brooklyn NY US"),
        ("Washington D.C.", "Washington DC US"),
        ("Washington, DC", "Washington DC US"),
        ("St. Louis, MO", "St. Louis MO US"),
        ("st louis", "St. Louis MO US"),
        ("Philly", "Philadelphia PA US"),
        ("LA", "Los Angeles CA US"),
        ("London", "London ENG GB"),
        ("London, ON", "London 08 CA"),
        ("Vancouver, CA", "Vancouver 02 CA"),
        ("Los Angeles, CA", "Los Angeles CA US"),
        ("Paris", "Paris 11 FR"),
        ("Paris, TX", "Paris TX US"),
        ("Paris Texas", "Paris TX US"),
        ("Toronto, Ontario, Canada", "Toronto 08 CA"),
        ("Columbus Ohio USA", "Columbus OH US"),
        ("lexington KY", "Lexington KY US"),
        ("Beverly Hills, CA 90210", "Beverly Hills CA US"),
        ("Nigeria,lagos", "Lagos 05 NG"),
        ("Windermere (Seattle)", "Seattle WA US"),
        ("Nice, France", "Nice 93 FR"),
        ("The Hague", "The Hague 11 NL"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch 06 NL"),
        ("sao paulo", "São Paulo 27 BR"),
        ("Zürich", "Zürich ZH CH"),
        ("İstanbul", "Istanbul 34 TR"),
        ("Köln", "Köln 07 DE"),
        ("Москва", "Moscow 48 RU"),
        ("東京", "Tokyo 40 JP"),
        ("서울", "Seoul 11 KR"),
        ("القاهرة", "Cairo 11 EG"),
        ("तेल अवीव", "Tel Aviv 05 IL"),
        ("#Chicago", "Chicago IL US"),
        ("Bethlehem, PA", "Bethlehem PA US"),
        ("WCHOB, Buffalo, NY", "Buffalo NY US"),
        ("Laval, Quebec CA", "Laval 10 CA"),
        ("LA, NY, Chicago & St.Louis", "Los Angeles CA US"),
    ],
)
def test_a_city_is_known_as_people_write_it(text: str, place: str) -> None:
    assert said(text) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Texas", "Texas TX US"),
        ("TX", "Texas TX US"),
        ("ontario", "Ontario 08 CA"),
        ("England", "England ENG GB"),
        ("Lewes, DE, USA", "Delaware DE US"),
        ("Belle MO", "Missouri MO US"),
        ("East Coast, US", "United States US"),
        ("Irgendwo, Bayern", "Bayern 02 DE"),
        ("Weston Nowhere, CT USA", "Connecticut CT US"),
        ("PA", "Pennsylvania PA US"),
        ("PA, NY & HI", "Pennsylvania PA US"),
        ("America", "United States US"),
        ("Somewheretown, Tex.", "Texas TX US"),
        ("Bay Area", "California CA US"),
        ("Deutschland", "Germany DE"),
        ("España", "Spain ES"),
        ("日本", "Japan JP"),
        ("Россия", "Russia RU"),
        ("Great Britain", "United Kingdom GB"),
        ("Trinidad and Tobago", "Trinidad and Tobago TT"),
        ("U.S.A.", "United States US"),
        ("The Netherlands", "The Netherlands NL"),
        ("Nowhereville, Kenya", "Kenya KE"),
        ("🇩🇪", "Germany DE"),
        ("🇺🇸🇩🇪", "United States US"),
        ("🇺🇸 Boston", "Boston MA US"),
        ("🇰🇪 living my best life", "Kenya KE"),
    ],
)
def test_a_region_or_country_is_known_where_no_city_is(text: str, place: str) -> None:
    assert said(text) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("London / Paris", "London ENG GB"),
        ("Dallas | Los Angeles", "Dallas TX US"),
        ("Paris & New York", "Paris 11 FR"),
        ("Florida, Arizona, Worldwide", "Florida FL US"),
        ("Mars / Berlin", "Berlin 16 DE"),
        ("ÜT: 38.627012,-90.199402", "St. Louis MO US"),
        ("iPhone: 51.5074, -0.1278", "London ENG GB"),
        ("33.8688° S, 151.2093° E", "Sydney 02 AU"),
        ("Texas, duh!", "Texas TX US"),
        ("bonkers in Yonkers", "Yonkers NY US"),
        ("Proud to say I'm from Dundee", "Dundee SCT GB"),
    ],
)
def test_the_first_place_of_a_text_counts(text: str, place: str) -> None:
    assert said(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", ",", " / ", "?", "1", "🌍", "\u200b", "\ud800", "A" * 10_000, "12345", "127.0.0.1"),
        *("somewhere over the rainbow", "Earth", "The Internet", "wherever you are", "Worldwide", "Global"),
        *("on a beach", "A galaxy far far away", "your mom's house", "Planet Earth 🌍", "Hogwarts", "Gotham City"),
        *("in your heart", "Nice", "Here, There and Everywhere", "just living the dream", "OR", "in", "me", "Hi"),
        *("@home", "https://example.com/paris", "london@example.com", "91.2345, 10.1234", "0.0000, -150.0000"),
        *("Neverland", "the moon", "West Coast", "New England", "Seat 4B", "404 not found"),
    ],
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert said(text) is None


def test_how_sure_it_is_falls_with_what_it_rests_on() -> None:
    """A city with its country, a name, a name of several, a nickname, a code, a word in a sentence."""
    assert sure("Paris, France") > sure("Paris") > sure("Springfield")
    assert sure("Chicago") > sure("chitown") > sure("CA") > sure("bonkers in Yonkers")
    assert sure("Boston, MA") > sure("Belle MO")


def test_ca_is_california_or_canada_as_its_neighbour_says() -> None:
    assert said("CA") == "California CA US"
    assert said("Fresno, CA") == "Fresno CA US"
    assert said("Winnipeg, CA") == "Winnipeg 03 CA"
    assert sure("CA") < 60


def test_what_is_no_place_is_written_as_it_is_compared() -> None:
    assert len(NOWHERE) > 200
    assert all(geography.key(name) == name for name in NOWHERE)


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    found = resolve(text)
    assert found is None or (0 < found.confidence <= 100 and geography.place(found.geo_id) is not None)


@pytest.mark.data
def test_of_real_homes_more_than_three_quarters_are_resolved(data: Path) -> None:
    """At least 78 % of the homes that are not empty; what is not resolved is mostly no place."""
    homes = [home for row in rows(data, "airline/tweets.csv") if (home := row["tweet_location"]).strip()]
    unresolved = Counter(home for home in homes if resolve(home) is None)

    print(f"{1 - unresolved.total() / len(homes):.4f} of {len(homes)}; not: {unresolved.most_common(20)}")
    assert len(homes) >= 5_000
    assert unresolved.total() <= 0.22 * len(homes)
