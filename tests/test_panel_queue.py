"""dashboard/panels/queue.py: the queue that everybody with the same scope shares, and nothing personal in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from dashboard import attendance, scope
from dashboard.hub import Hub
from dashboard.panel import Question
from dashboard.panels import due, queue
from dashboard.views import by_path
from models import people, roles
from models.access import Access
from models.case_steps import CaseKey
from models.cases import advance
from models.database import Database
from models.policy import Rule, When, save
from models.tables import desk_case
from tests.builders import BANK_DESK, DUTCH_CARE, HALDEN
from tests.desk_asks import opened
from tests.reply_desk import Desk
from tests.test_policy import ADMIN


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def question(desk: Desk, name: str = "ana", search: str = "") -> Question:
    who = desk.who[name]
    asked = scope.question(scope.parse(search), who, desk.organisation, desk.now)
    return Question(asked.scope, asked.window, asked.zone, desk.organisation, desk.now, reach=who.reach)


def props(desk: Desk, name: str = "ana", search: str = "") -> dict[str, Any]:
    with desk.database.read() as connection:
        drawn = queue.draw(queue.query(connection, question(desk, name, search)))
    # What goes to a browser is JSON, and whole numbers in it are none that it would round.
    found: dict[str, Any] = orjson.loads(orjson.dumps(drawn["queue-list"], option=orjson.OPT_STRICT_INTEGER))
    return found


def only_for(desk: Desk, name: str, *team_ids: int) -> Access:
    """Somebody new who is an agent of these teams alone."""
    with desk.database.write() as connection:
        number = people.add_person(
            connection, email=f"{name}@meridian.example", name=name.title(), role="agent", now=desk.now,
            team_ids=team_ids,
        )  # fmt: skip
        grants = roles.granted(roles.memberships(connection, [number], desk.now)[number])
    desk.who[name] = Access.granted(number, f"{name}@meridian.example", name.title(), grants)
    return desk.who[name]


def test_nobody_waits_where_there_is_no_case(desk: Desk) -> None:
    found = props(desk)
    assert (found["rows"], found["oldest"], found["more"], found["signs"]) == ([], None, False, "")


def test_a_row_says_who_waits_for_what_and_who_has_it(desk: Desk) -> None:
    key = opened(desk, "@corvane_care   where is\nmy order? It is late.")
    desk.claim("ana", key)

    (row,) = props(desk)["rows"]

    assert row["id"] == str(key)
    assert row["text"] == "@corvane_care where is my order? It is late."
    assert (row["net"], row["network"], row["p"], row["places"]) == ("X", "X", 2, ["Corvane", "Amsterdam"])
    assert row["waiting"] == desk.now.isoformat()
    assert row["by"]["name"] == "Ana"
    assert row["by"]["until"] == (desk.now + timedelta(minutes=3)).isoformat()


def test_no_token_and_no_draft_goes_through_the_shared_queue(desk: Desk) -> None:
    key = opened(desk)
    token = desk.claim("ana", key)
    desk.draft("ana", key, "What only Ana knows so far.")

    said = orjson.dumps(props(desk)).decode()

    assert token not in said
    assert "What only Ana knows" not in said


def test_what_waits_for_a_signature_is_marked_and_changes_what_is_asked_again(desk: Desk) -> None:
    key = opened(desk)
    before = props(desk)["signs"]
    with desk.database.write() as connection:
        save(connection, desk.organisation, ADMIN, Rule("all", When(), 1), now=desk.now)
    token = desk.claim("ana", key)
    desk.submit("ana", desk.draft("ana", key), token)

    found = props(desk)

    assert found["rows"][0]["sign"] == 1
    assert found["signs"].startswith(f"{key}:")
    assert before == ""


def test_an_agent_of_one_team_sees_no_case_of_another(desk: Desk) -> None:
    opened(desk)
    only_for(desk, "dirk", DUTCH_CARE)
    only_for(desk, "bente", BANK_DESK)

    assert [row["places"][0] for row in props(desk, "dirk")["rows"]] == ["Corvane"]
    assert props(desk, "bente")["rows"] == []


def test_people_share_a_queue_only_where_they_see_the_same_cases(desk: Desk) -> None:
    only_for(desk, "dirk", DUTCH_CARE)
    only_for(desk, "dora", DUTCH_CARE)
    hub = Hub(desk.database, by_path)
    hub.organisation = desk.organisation
    names = {name: hub.channel("/respond", "", desk.who[name]).name for name in ("ana", "ben", "dirk", "dora")}

    assert names["ana"] == names["ben"]
    assert names["dirk"] == names["dora"]
    assert names["ana"] != names["dirk"]


def test_the_scope_of_the_address_narrows_the_queue_and_time_does_not(desk: Desk) -> None:
    opened(desk)
    opened(desk, "@halden my card is declined again, why?", brand_id=HALDEN)
    assert len(props(desk)["rows"]) == 2
    assert [row["places"][0] for row in props(desk, search="?brand=halden")["rows"]] == ["Halden Bank"]
    assert len(props(desk, search="?window=15m&q=nothing+like+it")["rows"]) == 2


def test_who_is_in_a_case_is_seen_and_gone_after_twenty_seconds(desk: Desk) -> None:
    key = opened(desk)
    here = attendance.serve(desk.database)
    here.beat(desk.who["ben"], key, "typing", now=desk.now)

    assert [(one["name"], one["doing"]) for one in props(desk)["rows"][0]["here"]] == [("Ben", "typing")]
    desk.wait(seconds=21)
    assert "here" not in props(desk)["rows"][0]
    assert here.tidy(now=desk.now) == 1


def test_who_left_is_looked_for_every_five_seconds_however_many_say_that_they_are_there(desk: Desk) -> None:
    key = opened(desk)
    here = attendance.serve(desk.database)
    here.beat(desk.who["ben"], key, "typing", now=desk.now)
    assert here.tidy(now=desk.now + timedelta(seconds=18)) == 0
    assert here.tidy(now=desk.now + timedelta(seconds=22)) == 0
    assert here.tidy(now=desk.now + timedelta(seconds=23)) == 1


def test_the_number_at_the_desks_name_counts_who_waits_and_is_not_put_off(desk: Desk) -> None:
    opened(desk)
    act(desk, opened(desk), "snoozed", until=desk.now + timedelta(hours=2))
    with desk.database.read() as connection:
        found = due.draw(due.query(connection, question(desk)))["due-count"]

    assert len(found["dues"]) == 1


def test_the_most_urgent_answers_are_told_by_name_since_they_call(desk: Desk) -> None:
    opened(desk)
    key = opened(desk)
    with desk.database.write() as connection:
        connection.execute(update(desk_case).where(desk_case.c.id == key.id).values(priority=1))
    with desk.database.read() as connection:
        found = due.draw(due.query(connection, question(desk)))["due-count"]

    assert len(found["dues"]) == 2
    (one,) = found["urgent"]
    assert (one["id"], one["brand"]) == (str(key), desk.organisation.brand_names[key.brand_id])
    assert one["at"] in found["dues"]


def act(desk: Desk, key: CaseKey, action: str, **details: Any) -> None:
    with desk.database.write() as connection:
        advance(connection, desk.organisation, desk.who["ana"], key, action, now=desk.now, details=details)


def test_the_queue_as_a_table_holds_the_same_cases(desk: Desk) -> None:
    opened(desk)
    with desk.database.read() as connection:
        found = queue.table(queue.query(connection, question(desk)))
    assert (len(found.rows), found.rows[0][-1]) == (1, "@corvane_care where is my order? It is late.")
    assert len(found.rows[0]) == len(found.columns)
