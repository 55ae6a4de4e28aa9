"""Who of a team is there with what in hand, on the page of a team; the channels of a brand on its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from dashboard.panel import Panel, Question, Subject
from dashboard.panels import channels, on_shift
from dashboard.scope import parse
from dashboard.scope import question as asked_of
from models import claims, shifts
from models.case_steps import CaseKey
from models.database import Database
from models.tables import account, account_health, desk_case, membership
from tests.builders import CORVANE, DUTCH_CARE
from tests.desk_asks import opened
from tests.reply_desk import CORVANE_CARE, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def question(desk: Desk, kind: str, number: int, key: str, name: str = "ana") -> Question:
    who = desk.who[name]
    asked = asked_of(parse(""), who, desk.organisation, desk.now, about=(kind, key))
    return Question(
        asked.scope, asked.window, asked.zone, desk.organisation, desk.now,
        subject=Subject(kind, number), reach=who.reach,
    )  # fmt: skip


def drawn(desk: Desk, panel: Panel, asked: Question) -> dict[str, Any]:
    with desk.database.read() as connection:
        found = panel.query(connection, asked)
    if panel.table is not None:
        table = panel.table(found)
        assert all(len(row) == len(table.columns) for row in table.rows)
    return dict(panel.draw(found))


def of_team(desk: Desk, name: str = "ana") -> list[dict[str, Any]]:
    key = next(team.key for team in desk.organisation.teams if team.id == DUTCH_CARE)
    found = drawn(desk, on_shift.PANEL, question(desk, "team", DUTCH_CARE, key, name))
    return list(found["on-shift-list"]["rows"])


def belongs(desk: Desk, *names: str) -> None:
    with desk.database.write() as connection:
        numbers = [desk.who[name].person_id for name in names]
        theirs = membership.c.person_id.in_(numbers)
        connection.execute(update(membership).where(theirs).values(team_ids=[DUTCH_CARE]))


def claim(desk: Desk, name: str, key: CaseKey) -> None:
    with desk.database.write() as connection:
        claims.claim(connection, desk.organisation, desk.who[name], key, now=desk.now)


def test_each_of_a_team_has_in_hand_what_they_claimed_and_nobody_has_the_rest(desk: Desk) -> None:
    belongs(desk, "ana", "ben")
    claim(desk, "ben", opened(desk))
    late = opened(desk)
    with desk.database.write() as connection:
        soon = desk.now - timedelta(minutes=1)
        connection.execute(update(desk_case).where(desk_case.c.id == late.id).values(due_at=soon))

    rows = of_team(desk)
    assert [(row["name"], row["cases"], row["late"]) for row in rows] == [
        ("Nobody", 1, 1),
        ("Ben", 1, 0),
        ("Ana", 0, 0),
    ]
    desk.wait(minutes=5)
    # A claim that lapsed is in nobody's hand any more.
    assert of_team(desk)[0]["cases"] == 2


def test_who_said_that_they_are_away_stands_behind_who_is_there(desk: Desk) -> None:
    belongs(desk, "ana", "ben")
    with desk.database.write() as connection:
        shifts.say(connection, desk.who["ana"], shifts.BREAK, now=desk.now)
    rows = of_team(desk)
    assert [(row["name"], row["status"], row["words"]) for row in rows] == [
        ("Ben", "on", "on"),
        ("Ana", "break", "on a break"),
    ]


def test_a_case_that_one_may_not_see_is_not_counted(desk: Desk) -> None:
    belongs(desk, "ana")
    opened(desk)
    key = next(team.key for team in desk.organisation.teams if team.id == DUTCH_CARE)
    asked = question(desk, "team", DUTCH_CARE, key)
    with desk.database.read() as connection:
        for reach, cases in ((asked.reach, 1), ((), 0)):
            found = on_shift.query(connection, replace(asked, reach=reach))
            assert sum(one.cases for one in found.loads) == cases


def test_a_brand_shows_its_channels_and_first_what_needs_somebody(desk: Desk) -> None:
    ana, ben = desk.who["ana"].person_id, desk.who["ben"].person_id
    with desk.database.write() as connection:
        own = account.c.id == CORVANE_CARE
        connection.execute(update(account).where(own).values(owner_id=ana, deputy_id=ben, purpose="Service replies"))
        health = {"account_id": CORVANE_CARE, "capability": "reply", "succeeded_at": desk.now}
        connection.execute(insert(account_health).values(**health))
    found = drawn(desk, channels.PANEL, question(desk, "brand", CORVANE, "corvane"))
    rows = {row["name"]: row for row in found["channels-list"]["rows"]}
    assert (rows["@corvane_care"]["health"], rows["@corvane_care"]["bad"]) == ("works", False)
    assert rows["@corvane_care"]["purpose"] == "Service replies"
    assert rows["@corvane"]["health"] == "no owner, no deputy"
    assert next(iter(rows.values()))["bad"]
    assert found["channels-head"]["side"].endswith("attention")


def test_a_competitor_has_no_channel_of_ours(desk: Desk) -> None:
    rival = next(brand for brand in desk.organisation.brands if brand.kind == "competitor")
    found = drawn(desk, channels.PANEL, question(desk, "brand", rival.id, rival.key))
    assert found["channels-state"]["kind"] == "empty"
    assert "not ours" in found["channels-state"]["text"]
