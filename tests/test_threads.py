"""ingest/threads.py and models/conversations.py: who answers whom, whatever order the parts come in."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest

from ingest.pipeline import Enriched, Ours
from ingest.store import store
from models.conversations import Thread, thread
from models.database import Database
from models.organisation import Account, Organisation
from tests.builders import CORVANE, HALDEN, NOW, keep, load, mention, number, post, rows, scope

MINUTE = timedelta(minutes=1)
X = 2

# Who answers whom: a small tree, two deep on one side.
TREE = {"a": None, "b": "a", "c": "a", "d": "b", "e": "d"}
AFTER = {key: NOW - (10 - i) * MINUTE for i, key in enumerate(TREE)}


def part(key: str, **given: Any) -> Enriched:
    return mention(
        key, reply_to=TREE[key], posted_at=AFTER[key], text=f"corvane {key}", author=f"author {key}", **given
    )


def read(database: Database, external_id: str = "a") -> Thread:
    with database.read() as connection:
        return thread(connection, scope([CORVANE]), X, external_id)


def told(thread: Thread) -> list[tuple[str, int]]:
    return [(said.external_id, said.depth) for said in thread.posts]


WHOLE = [("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 3)]


@pytest.mark.parametrize("order", random.Random(3).sample(list(itertools.permutations(TREE)), 3), ids="".join)
def test_the_thread_is_the_same_whatever_order_its_parts_come_in(database: Database, order: tuple[str, ...]) -> None:
    organisation = load(database)

    for key in order:
        keep(database, [part(key)], organisation)

    for key in TREE:
        found = read(database, key)
        assert found.root == "a"
        assert told(found) == WHOLE
    assert [said.text for said in read(database).posts] == [f"corvane {key}" for key in TREE]


def test_a_page_that_moves_two_roots_one_under_the_other_leaves_nothing_between(database: Database) -> None:
    organisation = load(database)
    chain = dict(zip("fedcb", "edcba", strict=True))
    for page in ("f", "d", "ec", "b"):
        keep(
            database,
            [mention(key, reply_to=chain[key], posted_at=NOW - (ord(key) % 10) * MINUTE) for key in page],
            organisation,
        )
        roots = {row["external_id"]: row["root"] for row in rows(database, "select external_id, root from thread_post")}
        for root in roots.values():
            assert root not in roots, roots
    assert set(roots.values()) == {"a"}


def test_parts_of_one_page_find_each_other(database: Database) -> None:
    organisation = load(database)

    keep(database, [part(key) for key in reversed(TREE)], organisation)

    assert told(read(database)) == WHOLE


def test_the_word_of_the_network_for_the_root_wins_while_the_parts_between_are_missing(database: Database) -> None:
    organisation = load(database)
    keep(database, [part("e", conversation="a")], organisation)

    assert read(database, "e").root == "a"

    keep(database, [part("d")], organisation)
    keep(database, [part("b")], organisation)
    keep(database, [part("a")], organisation)
    assert told(read(database, "e")) == [("a", 0), ("b", 1), ("d", 2), ("e", 3)]


def test_a_circle_of_answers_is_read_once(database: Database) -> None:
    organisation = load(database)
    circle = [mention("p", reply_to="q", posted_at=NOW), mention("q", reply_to="p", posted_at=NOW)]

    keep(database, circle, organisation)

    found = read(database, "p")
    assert sorted(said.external_id for said in found.posts) == ["p", "q"]


def test_equal_ids_of_two_networks_are_two_threads(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("2", reply_to="1"), mention("2", reply_to="7", network="mastodon")], organisation)

    assert read(database, "2").root == "1"


def test_a_reader_sees_only_the_texts_of_the_brands_in_scope(database: Database) -> None:
    organisation = load(database)
    keep(database, [part("a"), part("b", brand_id=HALDEN)], organisation)

    texts = {said.external_id: said.text for said in read(database).posts}

    assert texts == {"a": "corvane a", "b": None}


def ours(organisation: Organisation, external_id: str, **given: Any) -> Ours:
    account = Account(9, X, "corvanecare", None, "Corvane care", "support", CORVANE, None)
    return Ours(post(external_id, author="corvanecare", **given), account, X, "en")


def test_an_answer_of_ours_stands_in_the_thread_as_ours(database: Database) -> None:
    organisation = load(database)
    answer = ours(organisation, "z", reply_to="b", posted_at=NOW - MINUTE, text="We are on it")

    keep(database, [part("a"), part("b")], organisation)
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, ours=[answer])

    said = read(database).posts[-1]
    assert (said.external_id, said.depth, said.account_id, said.text) == ("z", 2, 9, "We are on it")
    assert number(database, "select count(*) from mention where external_id = 'z'") == 0
    assert rows(database, "select account_id from thread_post where external_id = 'z'") == [{"account_id": 9}]
