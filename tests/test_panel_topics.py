"""The topics: what stands out as a table, why there is nothing in it, and text from outside that stays text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from dashboard.panels import topics
from dashboard.panels.frame import About
from models.database import Database
from models.topic_lines import Topic, Topics
from models.topic_scores import Said, Score
from tests.few import few
from tests.small_organisation import NOW, asked, organisation

ABOUT = About("all brands, last 24 h", "all brands", "24h", True, 900, "Europe/Amsterdam", NOW)
NOTHING = Topics((), (), NOW.replace(minute=0, second=0), 266, False, 28, 75_000, "hours")


def topic(term: str = "card declined", **changes: Any) -> Topic:
    plain: dict[str, Any] = {"said": Said(41, 2, 35, 40), "expected": 4.9, "z": 12.3, "language": "en", "brand_id": 3}
    return Topic(Score(term=term, **(plain | changes)), (0.01, None, 0.02, 0.15))


def drawn(found: Topics = NOTHING, *, narrowed: bool = False, told: About = ABOUT) -> dict[str, Any]:
    frame = topics.Frame(found, dict(organisation().brand_names), narrowed, NOW, told)
    props = dict(topics.draw(frame))
    orjson.dumps(props)
    return props


def test_a_topic_says_its_brand_how_many_times_the_usual_and_how_it_is_spoken_of() -> None:
    row = drawn(replace(NOTHING, rising=(topic(),)))["topics-table"]["rising"][0]

    assert (row["term"], row["brand"], row["times"]) == ("card declined", "Halden Bank", "×8.4")
    assert (row["net"], row["glyph"], row["tone"]) == ("−82", "▼", "neg")
    assert row["said"] == "41 of 266 texts, 4.9 expected, z +12.3"
    assert row["q"] == '"card declined"'
    assert len(row["spark"]) == 2


def test_few_scored_texts_get_no_arrow() -> None:
    row = drawn(replace(NOTHING, rising=(topic(said=Said(9, 0, 9, 9)),)))["topics-table"]["rising"][0]

    assert (row["net"], row["glyph"], row["tone"]) == ("−100", "", "t3")


def test_what_was_not_scored_has_no_net() -> None:
    row = drawn(replace(NOTHING, rising=(topic(said=Said(9)),)))["topics-table"]["rising"][0]

    assert (row["net"], row["glyph"]) == ("–", "")


@pytest.mark.parametrize(
    ("expected", "words"), [(0.0, "new"), (41 / 2.44, "×2.4"), (41 / 12.2, "×12"), (0.01, "×99+"), (410.0, "×0.1")]
)
def test_times_are_said_as_precisely_as_they_are_known(expected: float, words: str) -> None:
    row = drawn(replace(NOTHING, rising=(topic(expected=expected),)))["topics-table"]["rising"][0]

    assert row["times"] == words


def test_a_handle_is_searched_for_as_a_handle() -> None:
    assert drawn(replace(NOTHING, rising=(topic("@jan"),)))["topics-table"]["rising"][0]["q"] == "@jan"


def test_every_term_can_be_searched_for() -> None:
    from models import search

    for term in ("card declined", "check-in", "at&t", "@jan", "route 9", "決済", "l'eau"):
        search.read(drawn(replace(NOTHING, rising=(topic(term),)))["topics-table"]["rising"][0]["q"])


def test_the_head_says_since_when_and_against_what() -> None:
    head = drawn()["topics-head"]

    assert head["sub"] == "mentions against expected, since 15:00"
    assert head["side"] == "against 28 days"


def test_a_part_of_the_brands_says_that_its_newest_texts_are_compared_with_the_brand() -> None:
    found = replace(NOTHING, line="steps", is_part=True, rising=(topic(),))

    head = drawn(found, narrowed=True)["topics-head"]

    assert head["sub"] == "mentions against expected, newest 266 texts"
    assert head["side"] == "against the brand’s 28 days"


def test_an_hour_in_the_past_says_which() -> None:
    found = replace(NOTHING, line="steps", since=NOW - timedelta(hours=1))

    head = drawn(found, told=replace(ABOUT, live=False))["topics-head"]

    assert head["sub"] == "mentions against expected, the 60 min to 19 Nov 15:32"


def test_it_says_why_it_is_empty() -> None:
    quiet, first = drawn()["topics-state"], drawn(replace(NOTHING, base_days=0, base_texts=0))["topics-state"]

    assert quiet["title"] == "Nothing stands out"
    assert quiet["text"] == "266 texts since 15:00; baseline of 28 days, 75,000 texts."
    assert first["title"] == "Nothing to compare with yet"
    assert drawn(replace(NOTHING, texts=0))["topics-state"]["title"] == "No topics"


def test_text_from_outside_stays_text() -> None:
    row = drawn(replace(NOTHING, rising=(topic("<img src=x>"),)))["topics-table"]["rising"][0]

    assert row["term"] == "<img src=x>"


def test_the_table_holds_what_the_screen_rounds() -> None:
    found = replace(NOTHING, rising=(topic(),), falling=(topic("menu", z=-6.0, expected=90.0),))
    table = topics.table(topics.Frame(found, dict(organisation().brand_names), False, NOW, ABOUT))

    assert [row[0] for row in table.rows] == ["card declined", "menu"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.rows[0][4:8] == (41, 4.9, 8.37, 12.3)
    assert table.about.endswith("266 texts since 15:00, against 28 days")


@pytest.mark.parametrize(
    "search", few(["", "?window=7d", "?location=kenya&team=care", "?q=card", "?brand=rival", "?at=2026-11-01"], 2)
)
def test_every_kind_of_scope_is_answered(search: str, database: Database) -> None:
    from tests.small_store import Said as Mention
    from tests.small_store import fill, say

    fill(database)
    say(database, [Mention(f"card w{n}", minutes=n * 7, author=f"a{n}") for n in range(20)])
    with database.read() as connection:
        found = topics.query(connection, asked(search))

    assert topics.draw(found)["topics-head"]["title"] == "Topics"
    assert topics.table(found).rows == ()
