"""The map: every place of the scope can be seen and clicked, size and colour say what they mean, nothing is spread."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import dist
from typing import Any

import orjson
import pytest

from dashboard import bubbles
from dashboard.panels import locations
from dashboard.panels.frame import About
from models.cube import NOTHING, Tally
from models.database import Database
from models.organisation import Location
from tests.few import few
from tests.small_organisation import NOW, asked

ABOUT = About("all brands, last 24 h", "all brands", "24h", True, 900, "Europe/Amsterdam", NOW)
CITIES = {
    "amsterdam": (4.9, 52.37),
    "berlin": (13.4, 52.52),
    "london": (-0.13, 51.51),
    "paris": (2.35, 48.86),
    "madrid": (-3.7, 40.42),
    "milan": (9.19, 45.46),
    "warsaw": (21.01, 52.23),
    "stockholm": (18.07, 59.33),
    "new-york": (-74.01, 40.71),
    "los-angeles": (-118.24, 34.05),
    "auckland": (174.76, -36.85),
    "sao-paulo": (-46.63, -23.55),
}


def site(number: int, key: str, longitude: float | None, latitude: float | None, kind: str = "site") -> Location:
    return Location(number, key, key.title(), kind, None, None, latitude, longitude, (), key[:3].upper())


def said(mentions: int, net: float = 0.0, scored: int | None = None) -> Tally:
    of = mentions if scored is None else scored
    positive = round(of * (1 + net / 100) / 2)
    return Tally(mentions, positive=positive, negative=of - positive, unscored=mentions - of)


def frame(**tallies: Tally) -> locations.Frame:
    places = tuple(
        (site(number, key, *CITIES[key]), tallies.get(key.replace("-", "_"), NOTHING))
        for number, key in enumerate(CITIES, start=10)
    )
    view = bubbles.view(tuple(CITIES.values()))
    return locations.Frame(places, (), said(1_203), view, NOW, ABOUT)


def drawn(found: locations.Frame) -> dict[str, Any]:
    props = dict(locations.draw(found))
    orjson.dumps(props)
    return props


def place(found: locations.Frame, key: str) -> dict[str, Any]:
    shown: dict[str, Any] = next(row for row in drawn(found)["locations-map"]["places"] if row["key"] == key)
    return shown


def test_no_bubble_covers_another_and_none_leaves_the_map() -> None:
    counts = [900, 850, 800, 5, 0, 40, 3, 120, 700, 1, 2, 300]
    view = bubbles.view(tuple(CITIES.values()))

    placed = bubbles.bubbles([view.share(*at) for at in CITIES.values()], counts)

    for one, other in combinations(placed, 2):
        assert dist((one.left, one.top), (other.left, other.top)) >= one.reach + other.reach - 0.2
    for one in placed:
        assert one.reach <= one.left + 0.01
        assert one.left + one.reach <= 100.01
        assert one.top + one.reach <= 100 / bubbles.ASPECT + 0.01


def test_the_area_of_a_bubble_is_in_proportion_to_its_mentions() -> None:
    placed = bubbles.bubbles([(20.0, 20.0), (60.0, 40.0)], [400, 100])

    assert placed[0].radius == pytest.approx(2 * placed[1].radius)


def test_one_mention_more_moves_nothing() -> None:
    view = bubbles.view(tuple(CITIES.values()))
    centres = [view.share(*at) for at in CITIES.values()]
    counts = [900, 850, 800, 5, 1, 40, 3, 120, 700, 1, 2, 300]

    before, after = bubbles.bubbles(centres, counts), bubbles.bubbles(centres, [900, 850, 800, 6, *counts[4:]])

    assert [(one.left, one.top) for one in before] == [(one.left, one.top) for one in after]


def test_two_places_in_one_town_can_both_be_clicked() -> None:
    one, other = bubbles.bubbles([(50.0, 30.0), (50.0, 30.0)], [10, 10])

    assert dist((one.left, one.top), (other.left, other.top)) >= one.reach + other.reach


def test_a_hundred_places_still_stand_on_the_map() -> None:
    placed = bubbles.bubbles([(50.0 + n % 10, 30.0 + n // 10) for n in range(100)], list(range(100)))

    assert all(0 <= one.left <= 100 and 0 <= one.top <= 100 / bubbles.ASPECT for one in placed)


def test_the_map_shows_the_part_of_the_world_in_which_all_places_lie() -> None:
    america = bubbles.view((CITIES["new-york"], CITIES["los-angeles"]))
    world = bubbles.view(tuple(CITIES.values()))

    assert america.width == bubbles.LEAST_WIDTH
    assert world.width > 300
    for at in (CITIES["new-york"], CITIES["los-angeles"]):
        left, top = america.share(*at)
        assert 0 < left < 100
        assert 0 < top < 100 / bubbles.ASPECT


def test_colour_says_net_sentiment_up_to_fifty_points() -> None:
    found = frame(amsterdam=said(400, -52), berlin=said(400, 25), london=said(300, 2))

    amsterdam, berlin, london = (place(found, key) for key in ("amsterdam", "berlin", "london"))
    assert (amsterdam["sign"], amsterdam["share"], amsterdam["glyph"], amsterdam["net"]) == ("neg", 100, "▼", "−52")
    assert (berlin["sign"], berlin["share"], berlin["glyph"]) == ("pos", 50, "▲")
    assert (london["glyph"], london["tone"]) == ("●", "neu")


def test_a_place_of_which_little_was_scored_is_neutral_without_an_arrow() -> None:
    few, unscored = frame(berlin=said(300, -90, scored=19)), frame(berlin=said(300, scored=0))

    assert (place(few, "berlin")["share"], place(few, "berlin")["glyph"], place(few, "berlin")["net"]) == (0, "", "−89")
    assert (place(unscored, "berlin")["net"], place(unscored, "berlin")["share"]) == ("", 0)
    assert place(unscored, "berlin")["said"] == "300 mentions, none of them scored"


def test_every_place_says_how_many_mentions_and_how_they_were_meant() -> None:
    assert place(frame(berlin=said(1_300, -31, scored=1_000)), "berlin")["said"] == (
        "1,300 mentions, net −31 of 1,000 scored"
    )
    assert place(frame(berlin=said(1)), "paris")["said"] == "0 mentions"


def test_mentions_without_a_place_are_counted_beside_the_map_and_never_spread() -> None:
    props = drawn(frame(berlin=said(10)))["locations-map"]

    assert props["foot"] == "1,203 without a known place"
    assert sum(row["mentions"] for row in props["places"]) == 10


def test_a_country_without_a_site_is_said_beside_the_map() -> None:
    found = replace(frame(berlin=said(10)), elsewhere=((site(40, "kenya", None, None, "country"), said(7)),))

    assert drawn(found)["locations-map"]["foot"] == "1,203 without a known place, 7 by country only"


def test_the_largest_bubbles_hold_their_monogram() -> None:
    found = frame(berlin=said(1_000), paris=said(1))

    assert (place(found, "berlin")["mono"], place(found, "paris")["mono"]) == ("BER", "")


def test_nothing_said_anywhere_is_empty_in_words() -> None:
    found = replace(frame(), unplaced=NOTHING)

    assert drawn(found)["locations-state"]["kind"] == "empty"
    assert drawn(found)["locations-map"]["places"] == []


def test_an_organisation_without_coordinates_is_told_what_to_do() -> None:
    found = replace(frame(), places=())

    assert drawn(found)["locations-state"]["title"] == "No place of this scope has coordinates"


def test_a_part_of_the_rows_says_so() -> None:
    assert drawn(replace(frame(berlin=said(5)), partial=True))["locations-head"]["sub"] == (
        "area = mentions, last 24 h, newest 50,000 counted"
    )


def test_the_table_has_a_row_a_place_the_most_mentioned_first_and_the_unknown_last() -> None:
    table = locations.table(frame(berlin=said(10, 100), paris=said(30)))

    assert [row[:3] for row in table.rows][:2] == [("Paris", 30, 0.0), ("Berlin", 10, 100.0)]
    assert table.rows[-1][:2] == ("Without a known place", 1_203)
    assert table.about.endswith("1,243 mentions")


@pytest.mark.parametrize(
    "search", few(["", "?window=7d", "?window=15m", "?location=kenya", "?location=nairobi&team=care", "?q=card"], 2)
)
def test_the_figures_are_those_of_the_scope(search: str, database: Database) -> None:
    from tests.small_store import Said, fill, say

    fill(database)
    say(database, [Said(f"card {n}", minutes=1 + n / 10, location_id=4, sentiment=-1) for n in range(25)])
    say(database, [Said("card x", minutes=2, location_id=1), Said("card y", minutes=3, brand_id=5)])
    with database.read() as connection:
        found = locations.query(connection, asked(search))

    table = {row[0]: row for row in locations.table(found).rows}
    assert table["Nairobi"][1:4] == (25, -100.0, 25)
    assert ("Without a known place" in table) is ("location" not in search)
    if "location" not in search:
        assert table["Without a known place"][1] == 1


def test_figures_come_from_the_rollup_alone(database: Database) -> None:
    from sqlalchemy import event

    from tests.small_store import Said, fill, say

    fill(database)
    say(database, [Said(f"card {n}", minutes=1 + n, location_id=4) for n in range(5)])
    statements: list[str] = []
    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        locations.query(connection, asked())

    reading = [statement for statement in statements if "select" in statement]
    assert len(reading) == 1
    assert "from cube" in reading[0]


def test_places_of_another_scope_are_not_shown() -> None:
    found = frame(amsterdam=said(5))
    found = replace(found, places=found.places[:1], unplaced=None)

    assert [row["key"] for row in drawn(found)["locations-map"]["places"]] == ["amsterdam"]
    assert drawn(found)["locations-map"]["foot"] == ""
