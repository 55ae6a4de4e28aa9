"""dashboard/asks/cases.py: one case as somebody sees it, claims, steps, several at once, what is refused in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard import attendance
from dashboard.asks import cases as asks
from dashboard.asks.ask import Asked, Conflict
from dashboard.asks.serving import _answer
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from tests.builders import BANK_DESK, DUTCH_CARE
from tests.desk_asks import QUESTION, ask, opened, writes_again
from tests.reply_desk import Desk
from tests.test_panel_queue import only_for


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def kinds(view: dict[str, Any]) -> list[str]:
    return [item["kind"] for item in view["thread"]]


def test_a_case_is_read_with_its_conversation_and_what_happened_between(desk: Desk) -> None:
    key = opened(desk, matched=("order",))
    ask(desk, "ana", asks.claim, case=str(key))
    desk.wait(minutes=1)
    ask(desk, "ana", asks.step, case=str(key), step="noted", details={"text": "Ask the depot first."})

    view = ask(desk, "ben", asks.read, case=str(key))

    assert kinds(view) == ["post", "event", "event"]
    post, claimed, noted = view["thread"]
    assert post["text"] == [["@corvane_care where is my ", 0], ["order", 1], ["? It is late.", 0]]
    assert post["answering"] == 1
    assert claimed["words"] == "Claimed by Ana"
    assert (noted["words"], noted["text"]) == ("Note of Ana", "Ask the depot first.")
    assert [note["text"] for note in view["notes"]] == ["Ask the depot first."]
    assert view["trail"][-1]["words"].startswith("Received from X")


def test_the_token_of_a_claim_is_told_to_its_holder_alone(desk: Desk) -> None:
    key = opened(desk)
    token = ask(desk, "ana", asks.claim, case=str(key))["token"]

    hers, his = (ask(desk, name, asks.read, case=str(key)) for name in ("ana", "ben"))

    assert (hers["mine"], hers["token"]) == (True, token)
    assert (his["mine"], his["token"], his["by"]["name"]) == (False, None, "Ana")
    assert token not in str(his)


def test_a_case_of_another_team_is_not_there_word_for_word(desk: Desk) -> None:
    key = opened(desk)
    only_for(desk, "bente", BANK_DESK)
    reads = (asks.read, asks.version, asks.people, asks.presence, asks.claim, asks.release, asks.take, asks.step)
    for what in reads:
        given = {"step": "resolved", "reason": "mine", "token": "t"}
        with pytest.raises(NotFound) as foreign:
            ask(desk, "bente", what, case=str(key), **given)
        with pytest.raises(NotFound) as unknown:
            ask(desk, "bente", what, case="2-1234", **given)
        assert str(foreign.value).replace(str(key), "2-1234") == str(unknown.value)


def test_how_a_case_can_be_answered_is_said_before_anybody_claims_it(desk: Desk) -> None:
    view = ask(desk, "ana", asks.read, case=str(opened(desk)))
    assert view["reply"]["how"] == "api"
    assert [account["name"] for account in view["reply"]["accounts"]] == ["@corvane_care", "@corvane"]
    silent = opened(desk, "Why does corvane never answer anybody?", url="https://x.example/1")
    asked_of_nobody = ask(desk, "ana", asks.read, case=str(silent))
    assert asked_of_nobody["reply"]["how"] == "native"
    assert "mentioned or quoted us" in asked_of_nobody["reply"]["why"]


def test_the_promise_is_shown_working(desk: Desk) -> None:
    key = opened(desk)
    desk.wait(minutes=90)

    view = ask(desk, "ana", asks.read, case=str(key))

    assert view["service"]["words"] == "First answer: 90 min counted of 60 promised."
    assert view["service"]["spans"] == [[view["waiting"], desk.now.isoformat(), True]]
    assert [row["words"] for row in view["trail"] if row["late"]] == ["Missed: first answer was promised within 1 h"]


def test_what_the_customer_wrote_meanwhile_is_among_the_events_that_matter(desk: Desk) -> None:
    key = opened(desk)
    seen = ask(desk, "ana", asks.read, case=str(key))["n"]
    desk.wait(minutes=2)
    writes_again(desk, key)

    view = ask(desk, "ana", asks.read, case=str(key))

    (newer,) = [event for event in view["events"] if event["n"] > seen]
    assert (newer["words"], newer["text"]) == ("author 1 wrote again", "@corvane_care is anybody there?")
    assert ask(desk, "ana", asks.version, case=str(key)) == {"n": view["n"]}


# -- claiming ------------------------------------------------------------------------------------------------


def test_a_case_that_a_colleague_has_is_refused_with_who_and_until_when(desk: Desk) -> None:
    key = opened(desk)
    ask(desk, "ana", asks.claim, case=str(key))

    with pytest.raises(Conflict, match=r"Ana has this case until 15:35") as refused:
        ask(desk, "ben", asks.claim, case=str(key))

    assert refused.value.told["kind"] == "taken"
    with pytest.raises(InputError, match="why"):
        ask(desk, "ben", asks.take, case=str(key), reason=" ")
    assert ask(desk, "ben", asks.take, case=str(key), reason="Ana is at lunch")["words"] == "It is yours now."


def test_the_next_case_is_the_most_urgent_one_that_nobody_has(desk: Desk) -> None:
    late = opened(desk)
    desk.wait(minutes=20)
    later = opened(desk)

    assert ask(desk, "ana", asks.claim_next)["case"] == str(late)
    assert ask(desk, "ben", asks.claim_next)["case"] == str(later)
    assert "case" not in ask(desk, "petra", asks.claim_next)


def test_a_claim_that_ended_is_not_renewed(desk: Desk) -> None:
    key = opened(desk)
    token = ask(desk, "ana", asks.claim, case=str(key))["token"]
    desk.wait(minutes=2)
    assert ask(desk, "ana", asks.renew, case=str(key), token=token)["until"] > desk.now.isoformat()
    desk.wait(minutes=4)
    with pytest.raises(Conflict, match="claim has ended") as refused:
        ask(desk, "ana", asks.renew, case=str(key), token=token)
    assert refused.value.told == {"kind": "lapsed"}


def test_a_conflict_is_answered_as_409_with_its_kind() -> None:
    def refuse() -> dict[str, Any]:
        raise Conflict("the case changed", "stale", newer=[3])

    response = _answer(refuse)

    assert response.status_code == 409
    assert response.body == b'{"error":"The case changed.","kind":"stale","newer":[3]}'


# -- steps ---------------------------------------------------------------------------------------------------


def test_steps_are_checked_before_the_rule_sees_them(desk: Desk) -> None:
    key = opened(desk)
    for given in (
        {"step": "opened"},
        {"step": "snoozed", "details": {"until": "tomorrow"}},
        {"step": "snoozed", "details": {"until": "2026-11-20T09:00:00"}},
        {"step": "prioritised", "details": {"priority": "1"}},
        {"step": "tagged", "details": {"add": "vip"}},
        {"step": "resolved", "details": {"state": "new"}},
        {"step": "resolved", "details": []},
    ):
        with pytest.raises(InputError):
            ask(desk, "ana", asks.step, case=str(key), **given)
    assert ask(desk, "ana", asks.read, case=str(key))["state"] == "new"


def test_a_viewer_writes_a_note_and_does_nothing_else(desk: Desk) -> None:
    key = opened(desk)
    assert ask(desk, "vera", asks.step, case=str(key), step="noted", details={"text": "seen"})["words"] == "Noted."
    with pytest.raises(AccessDenied):
        ask(desk, "vera", asks.step, case=str(key), step="resolved")


def test_a_case_is_given_put_off_tagged_and_closed(desk: Desk) -> None:
    key = opened(desk)
    ben = desk.who["ben"].person_id
    for step, details in (
        ("assigned", {"assigned_to": ben}),
        ("snoozed", {"until": (desk.now + timedelta(hours=2)).isoformat()}),
        ("tagged", {"add": ["Delivery"], "remove": []}),
        ("resolved", {}),
    ):
        desk.wait(seconds=1)
        ask(desk, "ana", asks.step, case=str(key), step=step, details=details)

    view = ask(desk, "ana", asks.read, case=str(key))

    assert [item["words"] for item in view["thread"] if item["kind"] == "event"] == [
        "Ana gave it to Ben",
        "Ana put it off until Thu 19 Nov, 17:32",
        "Ana closed it as resolved",
    ]
    assert (view["closed"], view["tags"]) == (True, ["delivery"])
    closed = ask(desk, "ana", asks.own_queue, tab="closed")["rows"]
    assert [row["id"] for row in closed] == [str(key)]


def test_a_case_goes_to_people_who_may_answer_there(desk: Desk) -> None:
    only_for(desk, "dirk", DUTCH_CARE)
    only_for(desk, "bente", BANK_DESK)
    found = ask(desk, "ana", asks.people, case=str(opened(desk)))
    names = [one["name"] for one in found["people"]]
    assert "Dirk" in names
    assert not {"Bente", "Vera"} & set(names)
    assert "Bank desk" in [team["name"] for team in found["teams"]]


# -- several at once -----------------------------------------------------------------------------------------


def test_what_is_done_to_several_is_undone_and_what_is_refused_is_said(desk: Desk) -> None:
    first, second = opened(desk), opened(desk)
    ask(desk, "ben", asks.claim, case=str(second))

    done = ask(desk, "ana", asks.bulk, cases=[str(first), str(second)], step="dismissed", details={"reason": "spam"})

    assert done["words"].startswith("1 case dismissed. 1 not: Ben has this case")
    assert ask(desk, "ana", asks.read, case=str(first))["closed"] is True
    back = ask(desk, "ana", asks.undo, done=done["undo"])
    assert back["words"] == "1 case put back."
    assert ask(desk, "ana", asks.read, case=str(first))["closed"] is False


def test_no_text_goes_to_many(desk: Desk) -> None:
    with pytest.raises(InputError, match="not done to several"):
        ask(desk, "ana", asks.bulk, cases=[str(opened(desk))], step="noted", details={"text": QUESTION})


# -- presence ------------------------------------------------------------------------------------------------


def test_presence_is_taken_from_who_may_see_the_case(desk: Desk) -> None:
    key = opened(desk)
    here = attendance.serve(desk.database)
    who = desk.who["ana"]

    def say(doing: str) -> object:
        with desk.database.read() as connection:
            return asks.presence(
                connection, Asked(who, desk.organisation, desk.now, {"case": str(key), "doing": doing})
            )

    def there() -> list[str]:
        with desk.database.read() as connection:
            return [one.name for one in here.of(connection, [key], now=desk.now).get(key, ())]

    assert (say("typing"), there()) == ({"there": True}, ["Ana"])
    assert (say(""), there()) == ({"there": False}, [])
    with pytest.raises(InputError):
        say("sleeping")
