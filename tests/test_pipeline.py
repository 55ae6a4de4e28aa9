"""ingest/pipeline.py: from posts as found to mentions ready to store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from ingest.enrich.sentiment import Score
from ingest.pipeline import Enriched, Pipeline, chunks
from models.errors import InputError, NotFound
from models.organisation import Brand, Cover, Location, Organisation, Team
from tests.builders import CORVANE, HALDEN, NOW, RIVAL, UNMATCHED, VELTA, post

AMSTERDAM, MUMBAI = 4, 7


@cache
def meridian() -> Organisation:
    def brand(number: int, key: str, kind: str, *rules: str) -> Brand:
        return Brand(number, key, key.title(), kind, "", rules)

    return Organisation(
        name="Meridian Group",
        zone="Europe/Amsterdam",
        languages=("en", "nl"),
        simulated=False,
        brands=(
            Brand(UNMATCHED, "unmatched", "Unmatched", "unmatched", ""),
            brand(CORVANE, "corvane", "own", "corvane -airshow", "lang:nl vliegtuig"),
            brand(HALDEN, "halden", "own", "halden network:reddit", "author:haldenfan"),
            brand(VELTA, "velta", "own"),
            brand(RIVAL, "rival", "competitor", "rival"),
        ),
        locations=(
            Location(1, "unknown", "Unknown place", "unknown", None, None, None, None, (), ""),
            Location(3, "nl", "Netherlands", "country", None, None, None, None, (), ""),
            Location(AMSTERDAM, "amsterdam", "Amsterdam", "site", 3, None, 52.37, 4.90, ("mokum",), ""),
            Location(MUMBAI, "mumbai", "Mumbai", "site", None, None, 19.08, 72.88, (), ""),
        ),
        teams=(Team(1, "none", "No team"), Team(2, "dutch", "Dutch care"), Team(3, "bank", "Bank desk")),
        covers=(Cover(3, HALDEN, 0, 10), Cover(2, 0, 3, 20)),
        competitors={CORVANE: (RIVAL,)},
    )


@cache
def pipeline() -> Pipeline:
    return Pipeline(meridian())


def enriched(**given: Any) -> list[Enriched]:
    return pipeline().enrich([post(**given)])


def brands(**given: Any) -> list[int]:
    return [item.brand_id for item in enriched(**given)]


def test_a_post_is_one_mention_for_every_brand_it_names() -> None:
    found = pipeline().enrich([post("1", text="corvane and rival"), post("2", text="rival"), post("3", text="nobody")])

    assert [(item.post.external_id, item.brand_id) for item in found] == [
        ("1", CORVANE),
        ("1", RIVAL),
        ("2", RIVAL),
        ("3", UNMATCHED),
    ]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"text": "Corvane!"}, [CORVANE]),
        ({"text": "the Corvane airshow"}, [UNMATCHED]),
        ({"text": "het vliegtuig is te laat", "language": "nl"}, [CORVANE]),
        ({"text": "het vliegtuig is te laat", "language": "de"}, [UNMATCHED]),
        ({"text": "halden", "network": "reddit"}, [HALDEN]),
        ({"text": "halden", "network": "x"}, [UNMATCHED]),
        ({"text": "good morning", "handle": "HaldenFan"}, [HALDEN]),
        ({"text": "", "handle": None}, [UNMATCHED]),
    ],
)
def test_rules_see_the_text_the_author_the_language_and_the_network(given: dict[str, Any], found: list[int]) -> None:
    assert brands(**given) == found


def test_a_column_of_a_file_decides_the_brand_and_the_rules_do_not() -> None:
    found = enriched(text="corvane", brand="velta")

    assert [(item.brand_id, item.matched) for item in found] == [(VELTA, ())]
    with pytest.raises(NotFound, match='no brand "nobody"'):
        enriched(brand="nobody")


def test_the_words_that_matched_are_kept() -> None:
    assert enriched(text="Ahoy CORVANE")[0].matched == ("corvane",)


@pytest.mark.parametrize(
    ("given", "place", "team"),
    [
        ({"place": "Mokum, NL"}, AMSTERDAM, 2),
        ({"latitude": 52.3, "longitude": 4.8}, AMSTERDAM, 2),
        ({"place": "Mumbai"}, MUMBAI, 1),
        ({"place": "the moon"}, 1, 1),
        ({"place": "Mumbai", "brand": "halden"}, MUMBAI, 3),
        ({"place": "Amsterdam", "brand": "halden"}, AMSTERDAM, 3),
    ],
)
def test_place_and_brand_decide_the_team(given: dict[str, Any], place: int, team: int) -> None:
    (found,) = enriched(text="corvane", **given)

    assert (found.location_id, found.team_id) == (place, team)


@pytest.mark.parametrize(
    ("text", "language", "label"),
    [
        ("corvane I love this, wonderful!", "en", 1),
        ("corvane is horrible, I hate it", "en", -1),
        ("corvane has a gate", "en", 0),
        ("corvane I love this, wonderful!", "en-gb", 1),
        ("corvane I love this, wonderful!", "EN_us", 1),
        ("corvane ik vind dit geweldig", "nl", None),
        ("corvane", "und", None),
    ],
)
def test_sentiment_is_scored_in_the_languages_the_model_knows(text: str, language: str, label: int | None) -> None:
    (found,) = enriched(text=text, language=language)

    assert found.sentiment == label
    assert (found.sentiment_by is None) == (found.sentiment_score is None) == (label is None)


def test_the_network_s_word_for_the_language_goes_first() -> None:
    (said,) = enriched(text="corvane this is plainly English, is it not", language="nl")
    (judged,) = enriched(text="corvane this is plainly English, is it not")

    assert (said.language, said.language_by) == ("nl", "network")
    assert judged.language == "en"
    assert judged.language_by is not None
    assert judged.language_by.startswith("py3langid")


def test_the_same_posts_give_the_same_mentions() -> None:
    posts = [
        post(
            str(n),
            text=f"corvane rival {n} is late",
            place=("Mumbai", "Mokum", None)[n % 3],
            posted_at=NOW + timedelta(seconds=n),
        )
        for n in range(50)
    ]

    at_once = Pipeline(meridian()).enrich(posts)
    alone = Pipeline(meridian())

    assert [item for one in posts for item in alone.enrich([one])] == at_once
    assert Pipeline(meridian()).enrich(posts) == at_once


def test_hostile_texts_go_through() -> None:
    texts = ("", " ", "\u202e" * 500, "(" * 40_000, "corvane " * 5_000, "\\u0000", "🚀" * 1_000, "a" * 1_000_000)

    found = pipeline().enrich([post(str(n), text=text) for n, text in enumerate(texts)])

    assert [item.post.text for item in found] == list(texts)


def test_a_network_that_is_not_known_is_named() -> None:
    with pytest.raises(InputError, match='no network "myspace"; known: '):
        enriched(network="myspace")


def test_another_model_slots_in() -> None:
    class Grumpy:
        name = "grumpy-1"
        languages = frozenset(("nl",))

        def score(self, texts: Sequence[str]) -> list[Score | None]:
            return [Score(-1, -0.5) if "laat" in text else None for text in texts]

    there = Pipeline(meridian(), Grumpy())
    posts = [post("1", text="te laat", language="nl"), post("2", text="hm", language="nl"), post("3", language="en")]

    found = [(item.sentiment, item.sentiment_score, item.sentiment_by) for item in there.enrich(posts)]

    assert found == [(-1, -0.5, "grumpy-1"), (None, None, None), (None, None, None)]


def test_nothing_in_is_nothing_out_and_the_time_is_told_by_step() -> None:
    there = Pipeline(meridian())

    assert there.enrich([]) == []
    there.enrich([post()])
    assert set(there.seconds) == {"language", "brands", "places", "sentiment", "copies"}
    assert all(seconds > 0 for seconds in there.seconds.values())


def test_an_organisation_without_rules_matches_nothing() -> None:
    bare = replace(meridian(), brands=(Brand(1, "unmatched", "Unmatched", "unmatched", ""),))

    assert [item.brand_id for item in Pipeline(bare).enrich([post(text="corvane")])] == [UNMATCHED]


def test_chunks_hold_everything_in_order() -> None:
    found = pipeline().enrich([post(str(n)) for n in range(23)])

    assert [len(part) for part in chunks(found, 10)] == [10, 10, 3]
    assert [item for part in chunks(found, 10) for item in part] == found
    assert list(chunks([], 10)) == []
