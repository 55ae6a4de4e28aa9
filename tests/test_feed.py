"""models/feed.py: filters, order, copies of one text once, what a mention answers; no scan of all that is stored."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ingest.found import Gone
from ingest.pipeline import Enriched
from ingest.store import store
from models import feed, mention_marks
from models.database import Database
from models.feed import HIGH_REACH, Cards, Copies, Filters, Opener, cards
from models.mention_marks import Who
from models.organisation import Organisation
from tests.builders import (
    AMSTERDAM_SITE,
    BERLIN,
    CORVANE,
    HALDEN,
    NOW,
    UNMATCHED,
    UTRECHT,
    VELTA,
    keep,
    last,
    load,
    mention,
    number,
    scope,
)
from tests.few import few

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)
EVERYWHERE = scope([UNMATCHED, CORVANE, HALDEN, VELTA])
ANA = Who(7, "ana@example.org", NOW)


def shown(database: Database, *, limit: int = 50, within: Any = None, window: str = "24h", **filters: Any) -> Cards:
    with database.read() as connection:
        return cards(connection, within or scope(), last(window), Filters(**filters), limit=limit)


def names(found: Cards) -> list[str]:
    return [item.external_id for item in found.shown]


def copied(number: int, copy_id: int | None, **given: Any) -> Enriched:
    return replace(mention(str(number), posted_at=NOW - number * MINUTE, **given), copy_id=copy_id)


def made_up(dice: random.Random, count: int) -> list[Enriched]:
    return [
        copied(
            n,
            None,
            brand_id=dice.choice((CORVANE, HALDEN, VELTA)),
            sentiment=dice.choice((-1, 0, 1, None)),
            language=dice.choice(("en", "nl", None)),
            followers=dice.choice((None, 5, HIGH_REACH - 1, HIGH_REACH, 10**9)),
            location_id=dice.choice((AMSTERDAM_SITE, UTRECHT, BERLIN)),
        )
        for n in range(1, count + 1)
    ]


def holds(item: Enriched, negative: bool, high_reach: bool, languages: tuple[str, ...]) -> bool:
    return (
        (not negative or item.sentiment == -1)
        and (not high_reach or (item.post.author.followers or 0) >= HIGH_REACH)
        and (not languages or item.language in languages)
    )


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


# -- filters and order -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", few(range(3), 1))
def test_a_filtered_feed_holds_the_newest_that_pass(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(feed, "FIRST_PAGE", 7)
    dice = random.Random(seed)
    organisation = load(database)
    said = made_up(dice, 150)
    keep(database, said, organisation)
    compared = 0
    for _ in range(25):
        filters: dict[str, Any] = {
            "negative": dice.random() < 0.5,
            "high_reach": dice.random() < 0.5,
            "languages": dice.choice(((), ("nl",), ("en", "nl"))),
        }
        within = scope(locations=dice.choice((None, [UTRECHT, BERLIN])))
        passing = [
            item.post.external_id
            for item in said
            if holds(item, **filters) and (within.location_ids is None or item.location_id in within.location_ids)
        ]
        found = shown(database, limit=20, within=within, **filters)
        assert names(found) == passing[:20]
        assert not found.is_part
        compared += len(passing[:20])
    assert compared > 100


def test_high_reach_begins_at_the_number_it_states(database: Database) -> None:
    organisation = load(database)
    keep(
        database,
        [copied(n, None, followers=count) for n, count in enumerate((HIGH_REACH - 1, HIGH_REACH, None), 1)],
        organisation,
    )

    assert names(shown(database, high_reach=True)) == ["2"]


def test_a_filter_that_matches_rarely_gives_up_and_says_how_many_it_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOKED", 40)
    monkeypatch.setattr(feed, "FEWEST_LOOKED", 10)
    monkeypatch.setattr(feed, "FIRST_PAGE", 10)
    organisation = load(database)
    keep(database, [*(copied(n, None) for n in range(1, 60)), copied(60, None, language="nl")], organisation)

    found = shown(database, languages=("nl",))

    assert (names(found), found.looked, found.is_part) == ([], 40, True)
    monkeypatch.setattr(feed, "LOOKED", 1_000)
    found = shown(database, languages=("nl",))
    assert (names(found), found.looked, found.is_part) == (["60"], 60, False)


def test_many_brands_are_looked_at_less_deeply_each() -> None:
    assert feed._most(scope([CORVANE]), feed.LOOKED) == feed.LOOKED
    assert feed._most(scope(range(2, 502)), feed.LOOKED) == feed.FEWEST_LOOKED
    assert feed._most(scope(range(2, 22), locations=[UTRECHT, BERLIN, AMSTERDAM_SITE]), feed.LOOKED) < feed.LOOKED


def test_by_reach_the_highest_of_the_newest_come_first_and_the_newer_of_equals(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = load(database)
    reach = {1: 50, 2: None, 3: 9_000, 4: 50, 5: 9_000, 6: 10**9}
    keep(database, [copied(n, None, followers=count) for n, count in reach.items()], organisation)

    assert names(shown(database, by_reach=True)) == ["6", "3", "5", "1", "4", "2"]
    monkeypatch.setattr(feed, "LOOKED_BY_REACH", 4)
    monkeypatch.setattr(feed, "FEWEST_LOOKED", 4)
    found = shown(database, by_reach=True)
    assert (names(found), found.looked, found.is_part) == (["3", "1", "4", "2"], 4, True)


def test_filters_go_with_a_search(database: Database) -> None:
    organisation = load(database)
    keep(
        database,
        [
            copied(1, None, text="bag lost", sentiment=-1),
            copied(2, None, text="bag found"),
            copied(3, None, sentiment=-1),
        ],
        organisation,
    )

    assert names(shown(database, within=scope(search="bag"), negative=True)) == ["1"]


def test_posts_of_no_brand_are_a_feed_of_their_own(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(1, None), copied(2, None, brand_id=UNMATCHED)], organisation)

    assert names(shown(database)) == ["1"]
    assert names(shown(database, unmatched=True)) == ["2"]


def test_what_is_hidden_is_not_in_the_feed_of_no_brand_either(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(1, None), copied(2, None, brand_id=UNMATCHED)], organisation)
    hidden = number(database, "select id from mention where external_id = '1'")

    with database.write() as connection:
        mention_marks.hide(connection, EVERYWHERE, (CORVANE, hidden), organisation=organisation, who=ANA)

    assert names(shown(database)) == []
    assert names(shown(database, unmatched=True)) == ["2"]
    assert names(shown(database, within=EVERYWHERE)) == ["2"]
    assert names(shown(database, unmatched=True, by_reach=True)) == ["2"]


# -- copies ------------------------------------------------------------------------------------------------


def test_copies_of_one_text_are_one_card_with_their_number_and_their_accounts(database: Database) -> None:
    organisation = load(database)
    said = [copied(n, 77, author=f"author{n % 3}") for n in range(1, 6)]
    keep(database, [*said, copied(9, 88), copied(10, None)], organisation)

    found = shown(database)

    assert names(found) == ["1", "9", "10"]
    first = found.shown[0]
    assert found.more[first.brand_id, first.id].copies == Copies(5, 3)
    assert len(found.more) == 1


def test_a_page_is_filled_up_where_copies_made_it_shorter(database: Database) -> None:
    organisation = load(database)
    keep(database, [*(copied(n, 77) for n in range(1, 30)), *(copied(n, n) for n in range(30, 60))], organisation)

    assert names(shown(database, limit=10)) == ["1", *(str(n) for n in range(30, 39))]


def test_the_same_text_of_two_brands_is_two_cards(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(1, 77), copied(2, 77, brand_id=HALDEN)], organisation)

    assert names(shown(database)) == ["1", "2"]


def test_who_sees_one_place_is_told_of_the_copies_there(database: Database) -> None:
    organisation = load(database)
    said = [copied(n, 77, author=f"author{n}", location_id=UTRECHT if n < 3 else BERLIN) for n in range(1, 10)]
    keep(database, said, organisation)

    (card,) = shown(database, within=scope(locations=[UTRECHT])).more.values()
    assert card.copies == Copies(2, 2)
    (card,) = shown(database).more.values()
    assert card.copies == Copies(9, 9)


def test_filtered_copies_are_one_card_too(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(n, 77, sentiment=-1, followers=n) for n in range(1, 6)], organisation)

    assert names(shown(database, negative=True)) == ["1"]
    assert names(shown(database, by_reach=True)) == ["5"]


# -- what a mention answers --------------------------------------------------------------------------------


def answer(number: int, to: str, **given: Any) -> Enriched:
    return copied(number, None, reply_to=to, kind="reply", **given)


def openers(found: Cards) -> dict[str, Opener | None]:
    by_key = {(item.brand_id, item.id): item.external_id for item in found.shown}
    return {by_key[key]: more.opener for key, more in found.more.items()}


def test_an_answer_says_what_it_answers(database: Database) -> None:
    organisation = load(database)
    keep(database, [answer(1, "5", author="bo"), copied(5, None, author="ada", text="where is my bag?")], organisation)

    assert openers(shown(database)) == {"1": Opener("ada", "where is my bag?")}


def test_an_answer_whose_post_is_not_held_says_what_the_conversation_began_with(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(9, None, author="ada", text="where is my bag?")], organisation)
    keep(database, [answer(8, "9", author="bo", brand_id=HALDEN)], organisation)
    keep(database, [answer(1, "8", author="cy")], organisation)

    found = openers(shown(database, within=scope([CORVANE])))

    assert found == {"1": Opener("ada", "where is my bag?", is_root=True)}


def test_an_answer_to_what_nobody_stored_says_so(database: Database) -> None:
    organisation = load(database)
    keep(database, [answer(1, "elsewhere")], organisation)

    assert openers(shown(database)) == {"1": Opener()}


def test_what_was_deleted_or_lies_outside_a_persons_places_is_not_quoted(database: Database) -> None:
    organisation = load(database)
    said = [
        answer(1, "5", location_id=UTRECHT),
        copied(5, None, author="ada", text="secret", location_id=BERLIN),
    ]
    keep(database, said, organisation)

    assert openers(shown(database, within=scope(locations=[UTRECHT]))) == {"1": Opener()}
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=[Gone("x", "5")])
    assert openers(shown(database))["1"] == Opener()


def test_a_deleted_mention_stays_as_a_card_that_says_so(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(1, None)], organisation)
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=[Gone("x", "1")])

    found = shown(database)

    assert [more.is_deleted for more in found.more.values()] == [True]


def test_a_card_says_that_it_is_fit_for_walls(database: Database) -> None:
    organisation = load(database)
    keep(database, [copied(1, None), copied(2, None)], organisation)
    first = number(database, "select id from mention where external_id = '1'")
    with database.write() as connection:
        mention_marks.show_on_walls(connection, EVERYWHERE, (CORVANE, first), organisation=organisation, who=ANA)

    assert {key: more.is_on_walls for key, more in shown(database).more.items()} == {(CORVANE, first): True}


# -- what it costs -----------------------------------------------------------------------------------------


def crowd(database: Database, organisation: Organisation) -> None:
    keep(database, [copied(n, n % 40, reply_to=str(n + 1)) for n in range(1, 200)], organisation)


def test_a_feed_asks_the_same_few_statements_however_much_it_shows(database: Database) -> None:
    organisation = load(database)
    crowd(database, organisation)

    with statements(database) as seen:
        found = shown(database, limit=50)
    assert len(found.shown) >= 40
    assert len(seen) <= 10, seen

    with statements(database) as seen:
        shown(database, limit=50, negative=True, by_reach=True)
    assert len(seen) <= 8, seen


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "filters", few([{}, {"negative": True}, {"by_reach": True}, {"unmatched": True, "languages": ("nl",)}], 1)
)
def test_every_statement_of_a_feed_walks_an_index(database: Database, filters: dict[str, Any]) -> None:
    organisation = load(database)
    crowd(database, organisation)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, params: Any, *_rest: Any) -> None:
        if statement.startswith(("select", "with")):
            asked.append((statement, params))

    event.listen(database.engine, "before_cursor_execute", note)
    shown(database, **filters)
    event.remove(database.engine, "before_cursor_execute", note)

    assert asked
    tables = {"m", "c", "g", "t", "p", "k", "mention"}
    with database.read() as connection:
        for statement, params in asked:
            plan = [row[-1] for row in connection.exec_driver_sql(f"explain query plan {statement}", params)]
            scanned = [line for line in plan if line.startswith("SCAN") and line.split()[1] in tables]
            assert scanned == [], (statement, plan)
