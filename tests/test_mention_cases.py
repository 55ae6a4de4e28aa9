"""models/mention_cases.py: what a screen of mentions says of their cases, and the filter for what needs a reply."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard import scope
from dashboard.panel import Question
from dashboard.panels import feed
from models import cases, mention_cases
from models.database import Database
from tests.builders import BANK_DESK
from tests.desk_asks import opened, writes_again
from tests.reply_desk import Desk
from tests.test_panel_queue import only_for


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def cards(desk: Desk, search: str = "", name: str = "ana") -> list[dict[str, Any]]:
    who = desk.who[name]
    found = scope.question(scope.parse(search), who, desk.organisation, desk.now)
    question = Question(
        found.scope, found.window, found.zone, desk.organisation, desk.now, filters=found.filters, reach=who.reach
    )
    with desk.database.read() as connection:
        rows: list[dict[str, Any]] = feed.draw(feed.query(connection, question))["feed-list"]["rows"]
    return rows


def test_a_card_says_how_urgent_its_case_is_and_who_has_it(desk: Desk) -> None:
    key = opened(desk)
    desk.claim("ana", key)
    desk.wait(seconds=1)
    (card,) = cards(desk)
    assert (card["case"]["id"], card["case"]["p"], card["case"]["needs"]) == (str(key), 2, 1)
    assert card["case"]["by"]["name"] == "Ana"


def test_only_the_newest_post_of_a_case_needs_the_reply(desk: Desk) -> None:
    key = opened(desk)
    desk.wait(minutes=1)
    writes_again(desk, key)
    desk.wait(seconds=1)
    assert [card["case"].get("needs") for card in cards(desk)] == [1, None]
    assert [card["text"][0][0] for card in cards(desk, "?show=needs")] == ["@corvane_care is anybody there?"]


def test_what_was_answered_needs_no_reply(desk: Desk) -> None:
    key = opened(desk)
    desk.wait(minutes=1)
    with desk.database.write() as connection:
        cases.answered(connection, key, post="ours", posted_at=desk.now, now=desk.now, actor="Ana")
    desk.wait(seconds=1)
    assert cards(desk, "?show=needs") == []
    assert "needs" not in cards(desk)[0]["case"]


def test_a_case_of_another_team_is_not_told_of_on_its_mention(desk: Desk) -> None:
    opened(desk)
    only_for(desk, "bente", BANK_DESK)
    desk.wait(seconds=1)
    (card,) = cards(desk, name="bente")
    assert "case" not in card
    assert cards(desk, "?show=needs", name="bente") == []


def test_what_is_due_is_told_late_ones_first_and_no_more_than_a_badge_can_say(desk: Desk) -> None:
    for _ in range(3):
        opened(desk)
        desk.wait(minutes=5)
    who = desk.who["ana"]
    with desk.database.read() as connection:
        found = mention_cases.dues(connection, desk.organisation, who, (2, 3), now=desk.now)
    assert len(found) == 3
    assert list(found) == sorted(found)
