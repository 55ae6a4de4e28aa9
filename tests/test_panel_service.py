"""dashboard/panels/service.py: who waits, how quick first answers were, what was answered in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard import scope
from dashboard.panel import Question
from dashboard.panels import service
from models import cases
from models.case_steps import CaseKey
from models.database import Database
from tests.builders import BANK_DESK, DUTCH_CARE
from tests.desk_asks import opened
from tests.reply_desk import Desk
from tests.test_panel_queue import only_for


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def cells(desk: Desk, name: str = "ana", search: str = "") -> dict[str, dict[str, Any]]:
    who = desk.who[name]
    asked = scope.question(scope.parse(search), who, desk.organisation, desk.now)
    question = Question(asked.scope, asked.window, asked.zone, desk.organisation, desk.now, reach=who.reach)
    with desk.database.read() as connection:
        drawn = service.draw(service.query(connection, question))
    return {cell["key"]: cell for cell in drawn["service-strip"]["cells"]}


def answer(desk: Desk, key: CaseKey) -> None:
    """An answer of ours is on the network."""
    with desk.database.write() as connection:
        cases.answered(
            connection, key, post=f"ours {key}", posted_at=desk.now, now=desk.now, actor="Ana", person_id=None
        )


def values(found: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [(cell["value"], cell["change"]) for cell in found.values()]


def test_nothing_is_no_zero(desk: Desk) -> None:
    found = cells(desk)
    assert values(found) == [("0", "nobody waits"), ("–", "no first answer yet"), ("–", "nothing was due")]


def test_who_waits_is_counted_with_the_oldest_and_those_that_are_late(desk: Desk) -> None:
    opened(desk)
    begun = desk.now
    desk.wait(minutes=61)
    opened(desk)

    waiting = cells(desk)["waiting_for_reply"]

    assert (waiting["value"], waiting["change"], waiting["attention"]) == ("2", "1 late", True)
    assert waiting["since"] == begun.isoformat()


def test_the_median_and_what_was_in_time_come_from_what_was_answered(desk: Desk) -> None:
    keys = [opened(desk) for _ in range(4)]
    for minutes, key in zip((10, 10, 10, 45), keys, strict=True):
        desk.wait(minutes=minutes)
        answer(desk, key)

    found = cells(desk)

    # After 10, 20, 30 and 75 minutes; classes are 5 % apart.
    value, unit = found["first_response_time"]["value"], found["first_response_time"]["unit"]
    minutes, seconds = value.split(":")
    assert unit == "min"
    assert abs(int(minutes) * 60 + int(seconds) - 25 * 60) < 60
    assert (found["answered_in_time"]["value"], found["answered_in_time"]["unit"]) == ("75", "%")
    assert "n = 4" in found["answered_in_time"]["note"]
    assert found["waiting_for_reply"]["value"] == "0"


def test_what_is_open_and_overdue_counts_as_missed(desk: Desk) -> None:
    answer(desk, opened(desk))
    opened(desk)
    desk.wait(minutes=90)
    assert cells(desk)["answered_in_time"]["value"] == "50"


def test_figures_are_those_of_the_teams_that_somebody_sees(desk: Desk) -> None:
    answer(desk, opened(desk))
    opened(desk)
    only_for(desk, "dirk", DUTCH_CARE)
    only_for(desk, "bente", BANK_DESK)
    assert cells(desk, "dirk")["waiting_for_reply"]["value"] == "1"
    assert cells(desk, "dirk")["answered_in_time"]["value"] == "100"
    assert values(cells(desk, "bente"))[0] == ("0", "nobody waits")
    assert cells(desk, "bente")["answered_in_time"]["value"] == "–"


def test_what_is_not_kept_by_network_is_said(desk: Desk) -> None:
    answer(desk, opened(desk))
    found = cells(desk, search="?network=x")
    assert found["first_response_time"]["change"] == "not kept by network"
    assert found["waiting_for_reply"]["value"] == "0"


def test_a_week_before_is_compared_over_the_same_days(desk: Desk) -> None:
    answer(desk, opened(desk))
    desk.now += timedelta(days=7)
    answer(desk, opened(desk))
    assert cells(desk)["answered_in_time"]["was"] == "was 100%"
