"""dashboard/asks/mentions.py: what a person reads of a mention and does to it, within what they may see."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from dashboard.asks import mentions as asks
from dashboard.asks.ask import Asked
from dashboard.rights import ACTS, READS
from models import organisation as organisations
from models.access import ADMIN as ADMIN_RIGHT
from models.access import Access
from models.database import Database
from models.errors import InputError, NotFound
from tests.builders import rows
from tests.few import few
from tests.small_organisation import ADMIN, NOW, person
from tests.small_store import Said, fill, say

INES = person()


def do(database: Database, what: Any, access: Access = INES, **given: Any) -> Any:
    with database.write() as connection:
        return what(connection, Asked(access, organisations.current(connection, NOW), NOW, given))


def key(database: Database, brand_id: int = 2) -> dict[str, Any]:
    found = rows(database, "select id from mention where brand_id = :b", b=brand_id)
    return {"brand": str(brand_id), "id": str(found[0]["id"])}


def stored(database: Database) -> list[tuple[int, int | None, int]]:
    return [(row["brand_id"], row["sentiment"], row["location_id"]) for row in rows(database, "select * from mention")]


@pytest.fixture
def said(database: Database) -> Database:
    fill(database)
    say(database, [Said("My card is declined.", matched=("card",), media=(("image", "a card"),))])
    return database


def test_a_mention_is_read_with_all_that_is_known_of_it(said: Database) -> None:
    do(said, asks.correct, **key(said), field="sentiment", value="-1")

    found = do(said, asks.read, **key(said))

    assert found["full"] == [["My ", 0], ["card", 1], [" is declined.", 0]]
    assert found["media"] == ["Picture: a card"]
    facts = dict(found["facts"])
    assert (facts["Brand"], facts["Location"], facts["Sentiment"]) == ("Corvane", "Nairobi", "Negative, by person")
    (corrected,) = found["corrections"]
    assert (corrected["words"], corrected["who"]) == ("Sentiment: Neutral → Negative", INES.email)
    assert found["thread"] == []
    json.dumps(found)


def test_a_sentiment_is_corrected_and_undone(said: Database) -> None:
    answer = do(said, asks.correct, **key(said), field="sentiment", value="1")
    assert answer["words"] == "Sentiment: Positive. Counted at once."
    assert stored(said) == [(2, 1, 4)]

    assert do(said, asks.undo, **answer["undo"])["words"] == "Undone."
    assert stored(said) == [(2, 0, 4)]
    (first, second) = rows(said, "select person_id, actor from correction")
    assert {first["person_id"], second["person_id"]} == {INES.person_id}
    assert first["actor"] == INES.email


def test_a_brand_and_a_place_are_corrected_by_their_keys(said: Database) -> None:
    do(said, asks.correct, **key(said), field="location", value="berlin")
    assert stored(said) == [(2, 0, 5)]
    do(said, asks.wall, **key(said), on=True)

    do(said, asks.correct, **key(said), field="brand", value="halden")

    assert stored(said) == [(3, 0, 5)]
    assert rows(said, "select * from mention_mark") == []


def test_the_same_again_changes_nothing_and_says_so(said: Database) -> None:
    do(said, asks.correct, **key(said), field="sentiment", value="1")

    assert do(said, asks.correct, **key(said), field="sentiment", value="1") == {
        "words": "It is Positive already.",
        "undo": None,
    }


def test_a_viewer_hides_a_mention_and_brings_it_back(said: Database) -> None:
    answer = do(said, asks.hide, **key(said))
    assert stored(said) == [(1, 0, 4)]

    do(said, asks.undo, **answer["undo"])

    assert stored(said) == [(2, 0, 4)]
    assert rows(said, "select * from mention_mark") == []


def test_what_a_person_may_not_see_is_not_there_for_them(said: Database) -> None:
    foreign = person(brand_ids=frozenset({3}))
    elsewhere = person(location_ids=frozenset({5}))
    there = key(said)
    words = set()
    for access in (foreign, elsewhere):
        for what, given in (
            (asks.read, {}), (asks.copies, {}), (asks.hide, {}), (asks.wall, {"on": True}),
            (asks.correct, {"field": "sentiment", "value": "1"}),
        ):  # fmt: skip
            with pytest.raises(NotFound) as failure:
                do(said, what, access, **there, **given)
            words.add(str(failure.value))
    with pytest.raises(NotFound) as failure:
        do(said, asks.read, INES, brand="2", id="4711")
    assert words == {str(failure.value).replace("4711", there["id"])}

    for value in ("halden", "nobody"):
        with pytest.raises(NotFound, match=f'no brand "{value}"'):
            do(said, asks.correct, person(brand_ids=frozenset({2})), **there, field="brand", value=value)
    say(said, [Said("in Berlin", location_id=5, brand_id=4)])
    for value in ("nairobi", "atlantis"):
        with pytest.raises(NotFound, match=f'no location "{value}"'):
            do(said, asks.correct, elsewhere, **key(said, 4), field="location", value=value)
    assert stored(said)[0] == (2, 0, 4)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"field": "author", "value": "1"}, 'no field "author"'),
        ({"field": "sentiment", "value": "7"}, "use -1"),
        ({"field": "sentiment", "value": "good"}, "a whole number"),
    ],
)
def test_a_value_that_is_none_is_refused_in_words(said: Database, given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        do(said, asks.correct, **key(said), **given)


@pytest.mark.parametrize("given", few([{}, {"correction": "2"}, {"correction": "x-1"}, {"hidden": "1-²"}], 1))
def test_an_undo_of_nothing_is_refused_in_words(said: Database, given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        do(said, asks.undo, **given)


def test_the_others_that_say_the_same_are_listed(database: Database) -> None:
    fill(database)
    say(database, [Said("declined again", author=f"author{n}", minutes=n) for n in range(1, 4)])
    with database.write() as connection:
        connection.exec_driver_sql("update mention set copy_id = 77")
        connection.exec_driver_sql(
            "insert into copy_group (brand_id, copy_id, size, first_at, last_at)"
            " select 2, 77, 3, min(posted_at), max(posted_at) from mention"
        )
    newest = rows(database, "select id from mention order by id desc limit 1")[0]["id"]

    found = do(database, asks.copies, brand="2", id=str(newest))

    assert [row["name"] for row in found["rows"]] == ["Author2", "Author3"]


def test_corrections_are_exported_with_their_text_for_training(said: Database) -> None:
    say(said, [Said("=1+1", brand_id=3)])
    do(said, asks.correct, **key(said), field="sentiment", value="-1")
    do(said, asks.correct, **key(said), field="location", value="berlin")
    do(said, asks.correct, **key(said, 3), field="sentiment", value="1")

    lines = do(said, asks.export, ADMIN, format="jsonl")
    table = do(said, asks.export, ADMIN, format="csv")

    first, second, third = [json.loads(line) for line in lines["text"].splitlines()]
    assert (first["brand"], first["field"], first["before"], first["after"]) == ("corvane", "sentiment", 0, -1)
    assert (second["before"], second["after"], second["text"]) == ("nairobi", "berlin", "My card is declined.")
    assert third["text"] == "=1+1"
    assert lines["words"].startswith("3 corrections saved as corrections-20261119-1432.jsonl")
    assert [row["text"] for row in csv.DictReader(io.StringIO(table["text"]))][2] == "'=1+1"
    with pytest.raises(InputError, match="none of csv, jsonl"):
        do(said, asks.export, ADMIN, format="xml")


def test_only_administrators_take_corrections_away() -> None:
    assert READS["corrections"] == ADMIN_RIGHT
    assert set(asks.READS) <= set(READS)
    assert set(asks.ACTS) <= set(ACTS)
