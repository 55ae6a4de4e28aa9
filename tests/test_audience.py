"""models/audience.py and its panel: people counted once, unknown never spread, a declaration beside what is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.asks.ask import Asked
from dashboard.asks.audience import declare as ask_declare
from dashboard.asks.audience import form as ask_form
from dashboard.panel import Question
from dashboard.panels import audience as panel
from models import audience, organisation
from models.access import Access, Request, Window, narrow
from models.audience import Declared, People
from models.database import Database
from models.errors import InputError, NotFound
from tests import small_store
from tests.small_store import Said

NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)
ADMIN = Access(1, "ines@meridian.example", "Ines", frozenset({"admin"}))
WINDOW = Window("24h", NOW - timedelta(days=1), NOW, 900, True)

SEEN = People(
    people=10,
    posts=14,
    repeated=3,
    profiles={
        ("x", "NL", "nl", "text"): 4,
        ("x", "DE", "de", "picture"): 2,
        ("reddit", None, "en", "text"): 3,
        ("bluesky", "NL", None, "video"): 1,
    },
)


def said(brand_id: int = 2, shares: dict[str, float] | None = None, **values: tuple[str, ...]) -> Declared:
    every = {name: values.get(name, ()) for name in audience.DIMENSIONS}
    return Declared(brand_id, 1, every, shares or {}, "Ines", NOW)


def test_people_whose_value_is_unknown_are_in_no_share_of_it() -> None:
    assert SEEN.by("place") == {"NL": 5, "DE": 2}
    assert (SEEN.known("place"), SEEN.known("language"), SEEN.known("network")) == (7, 9, 10)


def test_the_core_is_who_lies_inside_every_declared_dimension() -> None:
    assert SEEN.inside({"network": ("x",), "place": ("NL",)}) == (4, 7)
    assert SEEN.inside({"language": ("nl", "de")}) == (6, 9)
    assert SEEN.inside({}) == (10, 10)


def test_a_declaration_is_compared_with_as_many_values_as_it_names() -> None:
    blocks = audience.compared(SEEN, [said(network=("x", "bluesky"), shares={"network": 0.5})])

    (block,) = blocks
    assert (block.actual, block.missing) == (("x", "reddit"), ("reddit",))
    assert (block.inside, block.known, block.share, block.meant) == (7, 10, 0.7, 0.5)


def test_declarations_of_several_brands_are_joined_and_no_share_is_meant_then() -> None:
    (block,) = audience.compared(SEEN, [said(2, {"place": 0.9}, place=("NL",)), said(3, place=("DE",))])

    assert (block.declared, block.inside, block.meant) == (("DE", "NL"), 7, None)


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (None, "text"),
        ("[]", "text"),
        ('[["image","a car"]]', "picture"),
        ('[["image",""],["video",""]]', "video"),
        ('[["gif",""]]', "video"),
        ('[["audio",""]]', "audio"),
        ('[["poll",""]]', "text"),
    ],
)
def test_the_form_of_a_post_is_its_most_telling_medium(media: str | None, expected: str) -> None:
    assert audience.form(media) == expected


def filled(database: Database) -> None:
    small_store.fill(database, now=NOW)
    said = [
        Said("the car", 10, 2, author="ana"),
        Said("the car again", 9, 2, author="ana", network="reddit"),
        Said("still the car", 8, 2, author="ana", language="nl"),
        Said("a picture of a card", 7, 3, author="bo", media=(("image", "a card"),)),
        Said("the card", 6, 3, author="cy"),
        Said("rivals", 5, 5, author="dee"),
    ]
    small_store.say(database, said, now=NOW)


def question(database: Database, **asked: Any) -> Question:
    with database.read() as connection:
        found = organisation.current(connection, NOW)
    return Question(narrow(Request(**asked), ADMIN, found), WINDOW, found.zone, found, NOW)


def test_each_author_is_counted_once_and_brands_add_up_to_their_own_posts(database: Database) -> None:
    filled(database)
    asked = question(database)

    with database.read() as connection:
        found = audience.sample(connection, asked.scope, WINDOW)
        rows = connection.exec_driver_sql("select brand_id, network_id, author_key from mention").all()

    mine = [row for row in rows if row[0] in asked.scope.brand_ids]
    assert mine
    assert found.all.posts == len(mine)
    assert found.all.people == len({(row[1], row[2]) for row in mine})
    assert sum(people.posts for people in found.by_brand.values()) == len(mine)
    assert not found.is_part


def test_a_sample_that_holds_not_all_posts_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database)
    monkeypatch.setattr(audience, "SAMPLE", 3)

    with database.read() as connection:
        found = audience.sample(connection, question(database).scope, WINDOW)

    assert (found.all.posts, found.is_part) == (3, True)


DECLARED = {"network": {"values": ["x", "reddit"], "share": 0.7}, "place": {"values": ["NL"], "share": None}}


def test_a_declaration_is_kept_with_the_time_it_held_and_its_author(database: Database) -> None:
    small_store.fill(database, now=NOW)
    found = question(database).organisation
    brand = next(item for item in found.brands if item.kind == "own")

    with database.write() as connection:
        audience.declare(connection, brand.key, DECLARED, found, access=ADMIN, now=NOW)
        audience.declare(
            connection, brand.key, {"format": {"values": ["video"]}}, found, access=ADMIN, now=NOW + timedelta(days=1)
        )
    with database.read() as connection:
        (now,) = audience.declared(connection, [brand.id])
        rows = connection.exec_driver_sql("select version, valid_to from core_audience order by version").all()
        trail = connection.exec_driver_sql("select count(*) from audit where action = 'audience.declared'").scalar()

    assert (now.version, now.values["format"], now.values["network"], now.actor) == (2, ("video",), (), "Ines")
    assert [row[0] for row in rows] == [1, 2]
    assert rows[0][1] is not None
    assert rows[1][1] is None
    assert trail == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "choose at least one"),
        ({"network": {"values": ["myspace"]}}, "myspace"),
        ({"place": {"values": ["Holland"]}}, "Holland"),
        ({"language": {"values": ["Dutch"]}}, "Dutch"),
        ({"format": {"values": ["smell"]}}, "smell"),
        ({"network": {"values": "x"}}, "list of texts"),
        ({"network": {"values": ["x"], "share": 70}}, "between 1 % and 100 %"),
        ({"age": {"values": ["30"]}, "network": {"values": ["x"]}}, "age: no dimension"),
    ],
)
def test_what_cannot_be_declared_is_named(database: Database, given: dict[str, Any], says: str) -> None:
    small_store.fill(database, now=NOW)
    found = question(database).organisation
    brand = next(item for item in found.brands if item.kind == "own")

    with database.write() as connection, pytest.raises(InputError, match=says):
        audience.declare(connection, brand.key, given, found, access=ADMIN, now=NOW)


def test_the_audience_of_a_competitor_is_not_declared(database: Database) -> None:
    small_store.fill(database, now=NOW)
    found = question(database).organisation
    rival = next(item for item in found.brands if item.kind == "competitor")

    with database.write() as connection, pytest.raises(InputError, match="not ours"):
        audience.declare(connection, rival.key, DECLARED, found, access=ADMIN, now=NOW)
    with database.write() as connection, pytest.raises(NotFound):
        audience.declare(connection, "nobody", DECLARED, found, access=ADMIN, now=NOW)


def test_the_form_offers_what_the_act_takes(database: Database) -> None:
    small_store.fill(database, now=NOW)
    found = question(database).organisation
    asked = Asked(ADMIN, found, NOW, {})

    with database.read() as connection:
        offered = ask_form(connection, asked)
    given = {name: {"values": [options[0]["key"]]} for name, options in offered["options"].items()}
    with database.write() as connection:
        answer = ask_declare(
            connection, Asked(ADMIN, found, NOW, {"brand": offered["brands"][0]["key"], "declared": given})
        )
    with database.read() as connection:
        again = ask_form(connection, asked)

    assert "is declared" in answer["words"]
    assert again["brands"][0]["declared"]["network"]["values"] == tuple(given["network"]["values"])


def test_the_panel_draws_an_ordinary_day_and_an_empty_one(database: Database) -> None:
    filled(database)
    asked = question(database)
    with database.write() as connection:
        brand = next(item for item in asked.organisation.brands if item.kind == "own")
        audience.declare(connection, brand.key, DECLARED, asked.organisation, access=ADMIN, now=NOW)

    with database.read() as connection:
        full = panel.query(connection, asked)
        empty_window = Window("24h", NOW - timedelta(days=901), NOW - timedelta(days=900), 900, False)
        empty = panel.query(connection, Question(asked.scope, empty_window, asked.zone, asked.organisation, NOW))

    board = panel.draw(full)["audience-board"]
    assert [cell["name"] for cell in board["strip"]][:2] == ["People active", "Core audience among them"]
    for row in board["where"]["rows"]:
        assert sum(cell["share"] or 0 for cell in row["cells"]) in (0, *range(97, 104))
    assert board["core"]["blocks"][0]["declared"] == "Reddit, X"
    assert panel.draw(empty)["audience-board"] == {"is_empty": True}
    assert panel.draw(empty)["audience-state"]["kind"] == "empty"
    assert panel.table(full).rows
    assert panel.table(empty).rows == ()
