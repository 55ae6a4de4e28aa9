"""dashboard/panels/feed.py: what a card says beyond its mention, the filters in words, the feed as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from dashboard.hub import Hub
from dashboard.panels import feed
from dashboard.scope import UrlScope, parse
from dashboard.views import by_path
from models.database import Database
from models.errors import ScopeError
from models.feed import NO_FILTERS, Copies, Filters, More, Opener
from tests.few import few
from tests.small_organisation import ADMIN, NOW, asked, person
from tests.small_store import Said, fill, say
from tests.test_panels import ABOUT, feed_frame, shown

KEY = (2, 2**62 + 1)


def frame(more: More | None = None, **given: Any) -> feed.Frame:
    said = shown(**given)
    plain = feed_frame(said)
    return feed.Frame(
        plain.shown,
        plain.brands,
        plain.locations,
        plain.teams,
        (),
        ABOUT,
        {KEY: more} if more else {},
        {3: "Corvane NL"},
    )


def card(more: More | None = None, **given: Any) -> dict[str, Any]:
    drawn: dict[str, Any] = feed.draw(frame(more, **given))["feed-list"]["rows"][0]
    return drawn


def seen(database: Database, search: str, access: Any = ADMIN) -> tuple[feed.Frame, dict[str, Any]]:
    with database.read() as connection:
        found = feed.query(connection, asked(search, access=access))
    return found, dict(feed.draw(found))


def texts(drawn: dict[str, Any]) -> list[str]:
    return ["".join(piece for piece, _ in row["text"]) for row in drawn["feed-list"]["rows"]]


# -- a card ------------------------------------------------------------------------------------------------


def test_an_ordinary_card_carries_nothing_of_what_most_have_not() -> None:
    assert not {"cut", "gone", "edited", "wall", "copies", "answers"} & card().keys()


@pytest.mark.parametrize(
    ("copies", "words"),
    [
        (Copies(12, 9), "12 copies from 9 accounts"),
        (Copies(2, 1), "2 copies from 1 account"),
        (Copies(40_000, 1_000, are_more=True), "40,000 copies from over 1,000 accounts"),
    ],
)
def test_copies_are_told_with_their_number_and_accounts(copies: Copies, words: str) -> None:
    assert card(More(copies=copies))["copies"] == words


@pytest.mark.parametrize(
    ("opener", "words"),
    [
        (Opener("ada", "where is  my\nbag?"), ["answers @ada", "where is my bag?"]),
        (Opener("ada", "where is my bag?", is_root=True), ["in the conversation of @ada", "where is my bag?"]),
        (Opener(None, "We are on it.", account_id=3), ["answers Corvane NL", "We are on it."]),
        (Opener(), ["answers a post that was not collected", ""]),
    ],
)
def test_an_answer_says_whom_and_what_it_answers(opener: Opener, words: list[str]) -> None:
    assert card(More(opener=opener))["answers"] == words


def test_what_is_answered_is_cut_to_a_line() -> None:
    assert len(card(More(opener=Opener("ada", "x" * 141)))["answers"][1]) == feed.OPENER_SHOWN


def test_a_deleted_mention_says_so_and_an_edited_one_and_one_for_walls() -> None:
    gone = card(More(is_deleted=True), text="", author_name=None, author_handle=None)

    assert (gone["name"], gone["text"], bool(gone["gone"])) == ("Deleted author", [], True)
    drawn = card(More(is_edited=True, is_on_walls=True))
    assert (drawn["edited"], drawn["wall"]) == (1, 1)


def test_a_card_says_when_there_is_more_of_its_text_than_it_holds() -> None:
    assert "cut" not in card(text="x" * feed.TEXT_SHOWN)
    assert card(text="x" * (feed.TEXT_SHOWN + 1))["cut"] == 1


# -- filters -----------------------------------------------------------------------------------------------

SAID = [
    Said("angry", minutes=1, sentiment=-1, language="nl"),
    Said("angry and heard", minutes=2, sentiment=-1, followers=10_000),
    Said("happy and heard", minutes=3, sentiment=1, followers=2_000_000, language="de"),
    Said("of nobody", minutes=4, brand_id=1, location_id=1),
]


@pytest.mark.parametrize(
    ("search", "found", "sub"),
    few(
        [
            ("", ["angry", "angry and heard", "happy and heard"], "newest first"),
            ("?show=negative", ["angry", "angry and heard"], "negative, newest first"),
            ("?show=negative,reach", ["angry and heard"], "negative, authors with 10k+ followers, newest first"),
            ("?lang=de,nl", ["angry", "happy and heard"], "in de, nl, newest first"),
            ("?sort=reach", ["happy and heard", "angry and heard", "angry"], "highest reach first"),
            ("?show=unmatched", ["of nobody"], "no brand, newest first"),
        ],
        2,
    ),
)
def test_the_address_narrows_and_orders_the_feed(database: Database, search: str, found: list[str], sub: str) -> None:
    fill(database)
    say(database, SAID)

    _, drawn = seen(database, search)

    assert texts(drawn) == found
    assert drawn["feed-head"]["sub"] == sub
    orjson.dumps(drawn)


def test_a_feed_that_filters_emptied_says_which_and_how_many_were_looked_at(database: Database) -> None:
    fill(database)
    say(database, SAID)

    _, drawn = seen(database, "?show=reach&lang=nl")

    state = drawn["feed-state"]
    assert state["kind"] == "empty"
    assert state["text"] == (
        "All brands, last 24 h, authors with 10k+ followers, in nl. None of its 3 mentions passes the filters."
    )


def test_posts_of_no_brand_are_for_administrators() -> None:
    assert asked("?show=unmatched").filters.unmatched
    with pytest.raises(ScopeError, match="leave out “unmatched”"):
        asked("?show=unmatched", access=person())


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("?show=positive", "“positive” is none of needs, negative, reach, unmatched"),
        ("?sort=name", "“name” is none of age, reach"),
        ("?sort=age&sort=reach", "given 2 times"),
        ("?lang=Klingon!", "“klingon!” is no language"),
    ],
)
def test_a_malformed_filter_names_the_value_and_the_way_out(search: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        parse(search)


def test_a_link_reproduces_the_filters() -> None:
    wanted = UrlScope(show=("negative", "reach"), languages=("de", "zh-hant"), order="reach")

    assert wanted.to_search() == "?show=negative,reach&lang=de,zh-hant&sort=reach"
    assert parse(wanted.to_search()) == wanted
    assert parse("?sort=age&show=") == UrlScope()


def test_panels_that_read_no_filters_stay_shared_whatever_the_filters(database: Database) -> None:
    import asyncio

    fill(database)

    async def units() -> tuple[set[Any], set[Any]]:
        hub = Hub(database, by_path, wall=lambda: datetime.now(UTC))
        try:
            await hub.reload()
            plain = hub.channel("/", "", ADMIN)
            narrowed = hub.channel("/", "?show=unmatched&lang=nl&sort=reach", ADMIN)
            return set(plain.units), set(narrowed.units)
        finally:
            await hub.stop()

    plain, narrowed = asyncio.run(units())

    alone = narrowed - plain
    assert {unit.name for unit in alone} == {"feed"}
    (unit,) = alone
    assert unit.key.filters == Filters(unmatched=True, languages=("nl",), by_reach=True)
    # What wakes it are the posts that it shows.
    assert (unit.wakes(("mentions", 1)), unit.wakes(("mentions", 2))) == (True, False)
    assert {other.key.filters for other in plain} == {NO_FILTERS}


# -- as a table --------------------------------------------------------------------------------------------


def test_the_feed_is_a_table_with_the_whole_text(database: Database) -> None:
    fill(database)
    say(database, [Said("x" * 1_000, sentiment=-1, followers=50), Said("of nobody", brand_id=1, location_id=1)])

    found, _ = seen(database, "?sort=reach")
    table = feed.table(found)

    assert table.columns == (
        "Network", "Author", "Posted", "Text", "Brand", "Place", "Sentiment", "Reach (followers)"
    )  # fmt: skip
    assert table.rows == (
        ("X", "Sanne", NOW - timedelta(minutes=5), "x" * 1_000, "Corvane", "Nairobi", "Negative", 50),
    )
    assert table.about == "all brands, last 24 h, highest reach first; n = 1"
