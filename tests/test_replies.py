"""Drafts are never lost, and a reply goes from state to state by the table alone."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from models import cases, replies
from models.case_steps import CaseKey
from models.claims import ClaimLapsed
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.reply_steps import LIVE, STATES, STEPS, NeedsReason, TextChanged, WrongStep, after
from tests.builders import CORVANE, HALDEN, NOW, number, rows
from tests.reply_desk import CORVANE_CARE, HALDEN_CARE, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def save(desk: Desk, name: str, case: CaseKey, text: str, **given: object) -> replies.Draft:
    values = {"account_id": None, "claim_token": "t", "event_seen": desk.seen(case), "now": desk.now, **given}
    with desk.database.write() as connection:
        return replies.save_draft(connection, desk.organisation, desk.who[name], case, text=text, **values)  # type: ignore[arg-type]


def test_a_draft_saved_again_and_again_is_one_row_with_the_newest_words(desk: Desk) -> None:
    case = desk.case()

    saved = [save(desk, "ana", case, text).key for text in ("We", "We are", "We are sorry")]

    assert len(set(saved)) == 1
    assert rows(desk.database, "select text, state from reply") == [{"text": "We are sorry", "state": "drafted"}]
    assert number(desk.database, "select count(*) from case_event where kind = 'drafted'") == 1
    with desk.database.read() as connection:
        found = replies.own_draft(connection, desk.organisation, desk.who["ana"], case, desk.now)
    assert found is not None
    assert found.text == "We are sorry"


def test_two_people_write_in_one_case_without_seeing_each_others_drafts(desk: Desk) -> None:
    case = desk.case()
    ana, ben = desk.draft("ana", case, "from Ana"), desk.draft("ben", case, "from Ben")

    with desk.database.read() as connection:
        seen = replies.replies_of(connection, desk.organisation, desk.who["ben"], case, desk.now)
        with pytest.raises(NotFound, match="no reply"):
            replies.reply(connection, desk.organisation, desk.who["ben"], ana, desk.now)

    assert [item.key for item in seen] == [ben]


def test_words_are_kept_when_the_claim_is_over_and_the_customer_wrote_again(desk: Desk) -> None:
    case = desk.case()
    desk.claim("ana", case)
    seen = desk.seen(case)
    assert save(desk, "ana", case, "We", event_seen=seen).claim_is_live
    desk.wait(minutes=4)
    desk.customer_writes(case)

    saved = save(desk, "ana", case, "We are sorry", event_seen=seen)

    assert (saved.claim_is_live, saved.newer) == (False, 1)
    assert desk.row(saved.key).text == "We are sorry"


def test_a_viewer_drafts_nothing_and_learns_of_no_foreign_reply(desk: Desk) -> None:
    case = desk.case()
    with pytest.raises(AccessDenied):
        save(desk, "vera", case, "hello")
    with desk.database.read() as connection, pytest.raises(NotFound, match='no reply "2-99"'):
        replies.reply(connection, desk.organisation, desk.who["vera"], replies.ReplyKey.read("2-99"), NOW)
    with pytest.raises(NotFound, match='no reply "x"'):
        replies.ReplyKey.read("x")


def test_hostile_words_are_kept_without_what_no_database_takes(desk: Desk) -> None:
    case = desk.case()
    saved = save(desk, "ana", case, "a\0b\ud800c\r\nd")
    assert desk.row(saved.key).text == "a\ufffdb\ufffdc\nd"
    with pytest.raises(InputError, match="at most 10,000"):
        save(desk, "ana", case, "x" * 10_001)


def test_an_account_of_another_brand_does_not_speak_for_this_one(desk: Desk) -> None:
    case = desk.case()
    assert desk.row(save(desk, "ana", case, "a", account_id=CORVANE_CARE).key).account_id == CORVANE_CARE
    with pytest.raises(InputError, match="another brand"):
        save(desk, "ana", case, "a", account_id=HALDEN_CARE)


def test_what_policy_lets_go_is_approved_and_waits_ten_seconds(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case)

    sent = desk.submit("ana", draft, token)

    assert (sent.state, sent.send_at) == ("approved", desk.now + timedelta(seconds=10))
    assert sent.approved_hash == sent.text_hash == replies.hash_of(sent.text)
    assert sent.account_id == CORVANE_CARE
    kinds = [row["kind"] for row in rows(desk.database, "select kind from case_event order by number")]
    assert kinds == ["opened", "claimed", "drafted", "approved"]
    audited = rows(desk.database, "select action from audit where case_id is not null order by id")
    assert [row["action"] for row in audited][-2:] == ["reply.drafted", "reply.approved"]


def test_undo_brings_the_reply_back_and_frees_its_post(desk: Desk) -> None:
    case = desk.case()
    draft = desk.approved(case)
    assert number(desk.database, "select count(*) from answer_lock") == 1

    back = desk.edit("ana", draft)

    assert (back.state, back.send_at, back.approved_hash, back.submitted_at) == ("drafted", None, None, None)
    assert number(desk.database, "select count(*) from answer_lock") == 0
    with pytest.raises(WrongStep, match="is a draft"):
        desk.edit("ana", draft)


def test_only_its_author_takes_a_reply_back(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    with pytest.raises(AccessDenied, match="Ana's"):
        desk.edit("ben", draft)


def test_what_waits_for_others_is_not_written_over_by_a_late_save(desk: Desk) -> None:
    case = desk.case()
    draft = desk.approved(case)

    assert save(desk, "ana", case, desk.row(draft).text, account_id=CORVANE_CARE).key == draft
    with pytest.raises(WrongStep, match="about to be sent"):
        save(desk, "ana", case, "other words")

    assert desk.row(draft).state == "approved"


def test_a_send_without_the_claim_is_refused(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case)
    with pytest.raises(ClaimLapsed):
        desk.submit("ana", draft, "another token")
    desk.wait(minutes=3, seconds=1)
    with pytest.raises(ClaimLapsed):
        desk.submit("ana", draft, token)
    assert desk.row(draft).state == "drafted"


def test_a_send_after_a_newer_post_is_refused_and_tells_what_happened(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case)
    seen = desk.seen(case)
    desk.customer_writes(case)

    with pytest.raises(cases.Stale) as refused:
        desk.submit("ana", draft, token, seen=seen)

    assert [event.kind for event in refused.value.newer] == ["joined"]
    assert desk.submit("ana", draft, token).in_reply_to == "post 2"


def test_a_text_changed_in_another_window_is_not_sent_unread(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case, "one")
    with pytest.raises(TextChanged):
        desk.submit("ana", draft, token, text_hash=replies.hash_of("two"))


def test_a_case_has_one_reply_on_its_way(desk: Desk) -> None:
    case = desk.case()
    desk.approved(case)
    desk.wait(minutes=4)
    token = desk.claim("ben", case)
    second = desk.draft("ben", case, "me too")

    with pytest.raises((WrongStep, NeedsReason)):
        desk.submit("ben", second, token)
    with pytest.raises(WrongStep, match="by Ana, is on its way"):
        desk.submit("ben", second, token, reason="two of us")


def test_a_second_brand_named_in_one_post_needs_a_reason(desk: Desk) -> None:
    ours = desk.case("both")
    theirs = desk.case("both", brand_id=HALDEN)
    desk.approved(ours)
    token = desk.claim("ben", theirs)
    draft = desk.draft("ben", theirs, "Halden here")

    with pytest.raises(NeedsReason, match=r"Corvane \(Ana\) answers this post already"):
        desk.submit("ben", draft, token)
    sent = desk.submit("ben", draft, token, reason="the loan is ours")

    assert sent.state == "approved"
    assert rows(desk.database, "select brand_id, reason from answer_lock") == [
        {"brand_id": HALDEN, "reason": "the loan is ours"}
    ]


def test_a_reply_is_withdrawn_by_its_author_or_with_a_reason_by_who_may_sign(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    with desk.database.write() as connection, pytest.raises(AccessDenied):
        replies.withdraw(connection, desk.organisation, desk.who["ben"], draft, reason="x", now=desk.now)
    with desk.database.write() as connection, pytest.raises(InputError, match="reason"):
        replies.withdraw(connection, desk.organisation, desk.who["petra"], draft, reason=" ", now=desk.now)
    with desk.database.write() as connection:
        gone = replies.withdraw(
            connection, desk.organisation, desk.who["petra"], draft, reason="wrong customer", now=desk.now
        )
    assert (gone.state, gone.error) == ("withdrawn", "wrong customer")
    assert number(desk.database, "select count(*) from answer_lock") == 0


def test_every_step_leads_from_states_to_a_state_and_sent_leads_nowhere() -> None:
    for action, step in STEPS.items():
        assert step.before <= set(STATES), action
        assert step.after in STATES
    assert not any({"sent", "withdrawn"} & step.before for step in STEPS.values())
    assert {action for action, step in STEPS.items() if step.after == "sending"} == {"begin"}
    assert STEPS["begin"].before == {"approved"}
    assert {"approved", "sending", "unknown"} == LIVE
    with pytest.raises(WrongStep, match="was sent"):
        after("edit", "sent")


def test_the_audit_of_a_reply_tells_its_way(desk: Desk) -> None:
    draft = desk.approved(desk.case(brand_id=CORVANE))
    desk.edit("ana", draft)
    told = rows(desk.database, "select details from audit where action like 'reply.%' order by id")
    ways = [(item.get("from"), item["to"]) for item in (_json(row["details"]) for row in told)]
    assert ways == [(None, "drafted"), ("drafted", "approved"), ("approved", "drafted")]


def _json(value: object) -> dict[str, object]:
    return orjson.loads(value) if isinstance(value, str | bytes) else value  # type: ignore[return-value]
