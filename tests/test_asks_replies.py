"""dashboard/asks/replies.py: a reply from the first word to the network, and each way in which it is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.asks import canned
from dashboard.asks import cases as cases_asked
from dashboard.asks import replies as asks
from dashboard.asks.ask import Conflict
from models.case_steps import CaseKey
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.policy import Rule, When, save
from models.tables import reply
from tests.builders import rows
from tests.desk_asks import ask, opened, writes_again
from tests.reply_desk import Desk
from tests.test_policy import ADMIN

TEXT = "We are sorry and look into it 👩‍👧."


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def rule(desk: Desk, **given: Any) -> None:
    with desk.database.write() as connection:
        save(connection, desk.organisation, ADMIN, Rule("Everything", When(), 1, **given), now=desk.now)


def claimed(desk: Desk, name: str = "ana") -> tuple[CaseKey, dict[str, Any]]:
    """A case that somebody has, and what goes along with each of their acts."""
    key = opened(desk)
    token = ask(desk, name, cases_asked.claim, case=str(key))["token"]
    return key, {"case": str(key), "token": token, "event": desk.seen(key), "account": None, "text": TEXT}


def view(desk: Desk, name: str, key: CaseKey) -> dict[str, Any]:
    return ask(desk, name, cases_asked.read, case=str(key))


def reply_of(found: dict[str, Any]) -> dict[str, Any]:
    (one,) = [item for item in found["thread"] if item["kind"] == "reply"]
    return dict(one)


def test_what_is_typed_is_kept_as_it_was_typed_and_is_ones_own(desk: Desk) -> None:
    key, given = claimed(desk)
    saved = ask(desk, "ana", asks.save, **given | {"text": TEXT + " \n"})

    assert (saved["claim"], saved["newer"]) == (True, 0)
    assert view(desk, "ana", key)["draft"]["text"] == TEXT + " \n"
    assert view(desk, "ben", key)["draft"] is None
    assert TEXT not in str(view(desk, "ben", key))


def test_words_are_kept_although_the_claim_ended_and_the_customer_wrote(desk: Desk) -> None:
    _, given = claimed(desk)
    desk.wait(minutes=4)
    saved = ask(desk, "ana", asks.save, **given)
    assert saved["claim"] is False


def test_the_checks_are_six_cells_and_each_says_why(desk: Desk) -> None:
    key, given = claimed(desk)
    found = ask(desk, "ana", asks.look, **given)
    names = [check["name"] for check in found["checks"]]
    assert names == ["Length", "Greeting", "Forbidden words", "Language", "Promises", "Wording"]
    assert all(check["words"] for check in found["checks"])
    assert (found["label"], found["at_once"], found["off"]) == ("Send", True, "")
    long = ask(desk, "ana", asks.look, case=str(key), text="very " * 80, account=None)
    assert (long["checks"][0]["verdict"], long["off"]) == ("block", "A check stands in the way.")


def test_a_policy_is_said_with_who_signs_and_why(desk: Desk) -> None:
    rule(desk, needs_manager=True)
    _, given = claimed(desk)
    found = ask(desk, "ana", asks.look, **given)
    assert (found["title"], found["label"]) == ("A senior manager signs off", "Send for sign-off")
    assert "Everything" in found["about"]


def test_a_reply_goes_out_in_ten_seconds_unless_it_is_taken_back(desk: Desk) -> None:
    key, given = claimed(desk)
    sent = ask(desk, "ana", asks.submit, **given)
    assert (sent["state"], sent["undo"]) == ("approved", True)
    going = reply_of(view(desk, "ana", key))
    assert (going["state"], going["can"]) == ("approved", [["edit", "Undo"]])

    back = ask(desk, "ana", asks.edit, case=str(key), reply=going["id"])

    assert back["text"] == TEXT
    assert view(desk, "ana", key)["draft"]["text"] == TEXT


def test_a_stale_text_is_refused_and_goes_out_once_the_newer_post_was_read(desk: Desk) -> None:
    key, given = claimed(desk)
    desk.wait(minutes=1)
    writes_again(desk, key)

    with pytest.raises(Conflict, match="changed while you wrote") as refused:
        ask(desk, "ana", asks.submit, **given)

    assert refused.value.told["kind"] == "stale"
    read = given | {"event": view(desk, "ana", key)["n"]}
    assert ask(desk, "ana", asks.submit, **read)["state"] == "approved"


def test_a_claim_that_ended_or_was_never_there_sends_nothing(desk: Desk) -> None:
    _, given = claimed(desk)
    with pytest.raises(Conflict) as forged:
        ask(desk, "ana", asks.submit, **given | {"token": "made up"})
    desk.wait(minutes=4)
    with pytest.raises(Conflict) as lapsed:
        ask(desk, "ana", asks.submit, **given)
    assert forged.value.told["kind"] == lapsed.value.told["kind"] == "lapsed"
    assert [row["state"] for row in rows(desk.database, "select state from reply")] == []


def test_what_is_not_given_as_it_should_be_is_refused(desk: Desk) -> None:
    _, given = claimed(desk)
    for wrong in ({"text": None}, {"text": ["a"]}, {"event": "x"}, {"account": "x"}, {"text": "a" * 200_001}):
        with pytest.raises(InputError):
            ask(desk, "ana", asks.submit, **given | wrong)


# -- sign-off ------------------------------------------------------------------------------------------------


def test_an_approver_signs_what_stands_there_or_sends_it_back_and_sees_what_changed(desk: Desk) -> None:
    rule(desk)
    key, given = claimed(desk)
    assert ask(desk, "ana", asks.submit, **given)["state"] == "awaiting_sign_off"
    waiting = view(desk, "petra", key)["panel"]
    assert (waiting["may"], waiting["text"], waiting["before"]) == (True, TEXT, "")
    assert waiting["why"] == ["Everything."]
    assert [row["id"] for row in ask(desk, "petra", cases_asked.own_queue, tab="sign")["rows"]] == [str(key)]
    assert ask(desk, "ana", cases_asked.own_queue, tab="sign")["rows"] == []
    asked = [one for name in desk.who for one in ask(desk, name, asks.asked_of_me)["asked"]]
    assert [(one["id"], one["author"]) for one in asked] == [(f"{key.brand_id}-{waiting['id']}", "Ana")]

    named = {"case": str(key), "reply": waiting["id"], "hash": waiting["hash"]}
    with pytest.raises(AccessDenied):
        ask(desk, "ana", asks.sign, **named)
    with pytest.raises(Conflict) as other:
        ask(desk, "petra", asks.sign, **named | {"hash": "0" * 64})
    assert other.value.told["kind"] == "changed"
    assert ask(desk, "petra", asks.send_back, **named, reason="Name the depot.")["words"] == "Sent back to Ana."

    returned = reply_of(view(desk, "ana", key))
    assert (returned["state"], returned["says"]) == ("returned", ["Petra: Name the depot."])
    assert view(desk, "ana", key)["draft"]["text"] == TEXT
    newer = given | {"text": "Our depot in Utrecht looks into it.", "event": view(desk, "ana", key)["n"]}
    ask(desk, "ana", asks.submit, **newer)
    again = view(desk, "petra", key)["panel"]
    assert (again["before"], again["text"]) == (TEXT, newer["text"])
    signed = ask(desk, "petra", asks.sign, case=str(key), reply=again["id"], hash=again["hash"])
    assert signed["words"] == "Signed. It goes out as Ana wrote it."
    assert reply_of(view(desk, "ana", key))["says"] == ["Signed by Petra."]


def test_what_was_signed_too_late_goes_by_one_key_of_its_author(desk: Desk) -> None:
    rule(desk)
    key, given = claimed(desk)
    ask(desk, "ana", asks.submit, **given)
    desk.wait(minutes=31)
    waiting = view(desk, "petra", key)["panel"]
    said = ask(desk, "petra", asks.sign, case=str(key), reply=waiting["id"], hash=waiting["hash"])
    assert "too late to go by itself" in said["words"]

    late = view(desk, "ana", key)
    assert (late["draft"], reply_of(late)["can"][0]) == (None, ["confirm", "Send it now"])
    token = ask(desk, "ana", cases_asked.claim, case=str(key))["token"]
    seen = view(desk, "ana", key)["n"]
    done = ask(desk, "ana", asks.confirm, case=str(key), reply=reply_of(late)["id"], token=token, event=seen)
    assert done["state"] == "approved"


def test_a_reply_of_a_foreign_case_is_not_there(desk: Desk) -> None:
    key, given = claimed(desk)
    number = ask(desk, "ana", asks.save, **given)["reply"]
    for what in (asks.edit, asks.withdraw, asks.native, asks.arrived, asks.lost):
        with pytest.raises(NotFound):
            ask(desk, "ben", what, case=str(key), reply=number, reason="why", token="", event=1)


def test_a_doubtful_reply_is_decided_by_a_person(desk: Desk) -> None:
    key, given = claimed(desk)
    number = ask(desk, "ana", asks.submit, **given)["reply"]
    with desk.database.write() as connection:
        connection.execute(reply.update().values(state="unknown", sending_at=desk.now, error="no answer in 10 s"))
    doubtful = reply_of(view(desk, "ben", key))
    assert doubtful["can"] == [["arrived", "It arrived"], ["lost", "It did not arrive"]]
    assert "nothing is sent again by itself" in doubtful["says"][0]

    ask(desk, "ben", asks.lost, case=str(key), reply=number, reason="looked, it is not there")

    lost = reply_of(view(desk, "ana", key))
    assert (lost["state"], lost["can"]) == ("failed", [["again", "Write it again"]])


def test_canned_replies_come_with_what_is_known_of_the_case(desk: Desk) -> None:
    found = ask(desk, "ana", canned.canned_replies, case=str(opened(desk, name="Ada Lovelace")))
    texts = " ".join(one["text"] for one in found["canned"])
    assert found["canned"]
    assert "Ada" in texts
    assert "{first_name}" not in texts
