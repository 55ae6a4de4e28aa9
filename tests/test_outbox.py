"""From an approval to the network: at most one call, and nothing late or overtaken goes out by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from models import breaker, doubts, outbox, policy
from models.case_steps import CaseKey
from models.database import Database
from models.doubts import SeenPost
from models.errors import InputError, LeaseLost
from models.outbox import Call, Held, Turn
from models.policy import Rule, save
from models.replies import ReplyKey, reply
from models.reply_steps import NeedsReason, WrongStep
from models.tables import incident
from models.tables import reply as replies
from tests.builders import CORVANE, HALDEN, NOW, number, rows
from tests.reply_desk import CORVANE_CARE, Desk, X
from tests.test_policy import ADMIN


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def turn(desk: Desk, owner: str = "one") -> Turn:
    with desk.database.write() as connection:
        taken = outbox.take_turn(connection, CORVANE_CARE, owner, now=desk.now)
    assert taken is not None
    return taken


def begin(desk: Desk, key: ReplyKey, held: Turn | None = None) -> Call | Held | None:
    held = held or turn(desk)
    with desk.database.write() as connection:
        return outbox.begin(connection, desk.organisation, held, key, now=desk.now)


def delivered(desk: Desk, key: ReplyKey, external_id: str = "900") -> None:
    with desk.database.write() as connection:
        outbox.delivered(connection, key, external_id=external_id, url=None, now=desk.now)


def sending(desk: Desk) -> tuple[CaseKey, ReplyKey]:
    case = desk.case()
    draft = desk.approved(case)
    desk.wait(seconds=10)
    assert isinstance(begin(desk, draft), Call)
    return case, draft


def due(desk: Desk) -> tuple[ReplyKey, ...]:
    with desk.database.read() as connection:
        return outbox.due(connection, CORVANE_CARE, desk.now)


def seen(reply: ReplyKey, desk: Desk, external_id: str = "900", **given: object) -> SeenPost:
    row = desk.row(reply)
    values = {
        "brand_id": CORVANE,
        "account_id": CORVANE_CARE,
        "network_id": X,
        "external_id": external_id,
        "reply_to": row.in_reply_to,
        "text": row.text,
        "posted_at": desk.now,
        **given,
    }
    return SeenPost(**values)


def read_back(desk: Desk, *posts: SeenPost) -> dict[tuple[int, str], doubts.ReadBack]:
    with desk.database.write() as connection:
        return doubts.read_back(connection, posts, now=desk.now)


def test_a_reply_is_due_when_its_seconds_are_over_and_begun_once(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    desk.wait(seconds=9)
    assert due(desk) == ()
    assert begin(desk, draft) is None
    desk.wait(seconds=1)
    assert due(desk) == (draft,)

    call = begin(desk, draft)

    assert isinstance(call, Call)
    assert (call.text, call.reply_to, call.handle) == ("We look into it.", "post 1", "corvane_care")
    assert call.key == f"watchfloor-{draft.brand_id}-{draft.id}"
    assert (desk.row(draft).state, desk.row(draft).call_key) == ("sending", call.key)
    with pytest.raises(WrongStep, match="is being sent"):
        desk.edit("ana", draft)
    assert begin(desk, draft) is None


def test_what_is_sent_ends_the_round_of_its_case(desk: Desk) -> None:
    case, draft = sending(desk)

    delivered(desk, draft)
    delivered(desk, draft)

    assert (desk.row(draft).state, desk.row(draft).external_id) == ("sent", "900")
    assert desk.row(draft).live_slot is None
    found = rows(desk.database, "select state, waiting_since from desk_case where id = :id", id=case.id)
    assert found == [{"state": "waiting_for_customer", "waiting_since": None}]
    kinds = [row["kind"] for row in rows(desk.database, "select kind from case_event order by number")]
    assert kinds[-3:] == ["sending", "sent", "answered"]


def test_one_worker_has_the_turn_of_an_account(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    first = turn(desk)
    with desk.database.write() as connection:
        assert outbox.take_turn(connection, CORVANE_CARE, "two", now=desk.now) is None
    desk.wait(seconds=61)
    second = turn(desk, "two")
    assert second.fence > first.fence

    with pytest.raises(LeaseLost):
        begin(desk, draft, first)

    assert desk.row(draft).state == "approved"
    with desk.database.write() as connection:
        outbox.give_turn_back(connection, first)
    assert isinstance(begin(desk, draft, second), Call)
    with desk.database.write() as connection:
        outbox.give_turn_back(connection, second)
    assert turn(desk).owner == "one"


def test_what_a_dead_worker_left_sending_is_unknown_and_never_begun_again(desk: Desk) -> None:
    _, draft = sending(desk)
    with desk.database.read() as connection:
        assert outbox.due_accounts(connection, "two", desk.now) == ()
        assert outbox.due_accounts(connection, "two", desk.wait(seconds=61)) == (CORVANE_CARE,)

    later = turn(desk, "two")

    assert desk.row(draft).state == "unknown"
    assert "may be out" in desk.row(draft).error
    assert due(desk) == ()
    assert begin(desk, draft, later) is None
    # The one that was taken for dead comes back with an answer after all.
    delivered(desk, draft)
    assert desk.row(draft).state == "sent"


def test_newer_events_within_the_ten_seconds_bring_the_reply_back(desk: Desk) -> None:
    case = desk.case()
    draft = desk.approved(case)
    desk.wait(seconds=5)
    desk.customer_writes(case)
    desk.wait(seconds=5)

    assert begin(desk, draft) is None

    assert desk.row(draft).state == "returned"
    assert desk.row(draft).approved_hash == desk.row(draft).text_hash


def test_what_could_not_be_sent_for_half_an_hour_goes_back_to_its_author(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    desk.wait(minutes=31)
    assert begin(desk, draft) is None
    assert (desk.row(draft).state, desk.row(draft).live_slot) == ("returned", None)


def test_policy_that_became_stricter_meanwhile_holds_what_is_approved(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    with desk.database.write() as connection:
        save(connection, desk.organisation, ADMIN, Rule("everything", signatures=1), now=desk.now)
    desk.wait(seconds=10)
    assert begin(desk, draft) is None
    assert "policy asks for more" in desk.row(draft).error


def test_a_text_that_is_not_the_approved_one_is_never_sent(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    with desk.database.write() as connection:
        connection.execute(update(replies).values(text="something else"))
    desk.wait(seconds=10)
    assert begin(desk, draft) is None
    assert "not the one that was approved" in desk.row(draft).error


def test_a_frozen_scope_holds_and_lets_go(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    with desk.database.write() as connection:
        # Without the rule that comes with the product, by which an incident asks for a signature as well.
        for rule in policy.rules(connection, desk.now):
            policy.retire(connection, ADMIN, rule.id, now=desk.now)
        connection.execute(
            insert(incident).values(
                id=1,
                name="Data centre",
                severity=1,
                scope={"brand_ids": [CORVANE]},
                outbound="frozen",
                reason="down",
                lead_id=desk.who["mona"].person_id,
                declared_at=desk.now,
                declared_by="Mona",
                expires_at=desk.now + timedelta(hours=4),
            )
        )
    desk.wait(seconds=10)

    held = begin(desk, draft)

    assert isinstance(held, Held)
    assert "INC-1 Data centre" in held.reason
    assert (desk.row(draft).state, desk.row(draft).error) == ("approved", held.reason)
    with desk.database.write() as connection:
        connection.execute(incident.update().values(ended_at=desk.now))
    assert isinstance(begin(desk, draft), Call)


def test_failures_in_a_row_stop_the_account_and_a_success_lets_it_go(desk: Desk) -> None:
    for count in range(3):
        draft = desk.approved(desk.case())
        desk.wait(seconds=10)
        assert isinstance(begin(desk, draft), Call), count
        with desk.database.write() as connection:
            outbox.doubtful(connection, draft, error="no answer", now=desk.now)
    with desk.database.read() as connection:
        stopped = breaker.breaker(connection, CORVANE_CARE, desk.now)
        over = breaker.breaker(connection, CORVANE_CARE, desk.now + timedelta(seconds=60))
    assert stopped is not None
    assert over is not None
    assert (stopped.failures, stopped.open_until, over.open_until) == (3, desk.now + timedelta(seconds=60), None)
    with desk.database.write() as connection:
        breaker.note_success(connection, CORVANE_CARE, now=desk.now)
        closed = breaker.breaker(connection, CORVANE_CARE, desk.now)
    assert closed == breaker.Breaker(0, None, None)


def test_an_open_breaker_holds_what_is_approved(desk: Desk) -> None:
    draft = desk.approved(desk.case())
    turn(desk)
    with desk.database.write() as connection:
        breaker.note_failure(connection, CORVANE_CARE, "dead_token", "X knows the keys no more", None, now=desk.now)
    desk.wait(seconds=10)
    held = begin(desk, draft)
    assert isinstance(held, Held)
    assert "keys no more" in held.reason


@pytest.mark.parametrize(
    ("failures", "kind", "retry_after", "seconds"),
    [
        (1, "passing", None, None),
        (3, "passing", None, 60),
        (4, "passing", None, 120),
        (99, "passing", None, 900),
        (1, "dead_token", None, 900),
        (1, "rate_limited", 30.0, 30),
        (1, "rate_limited", 1e9, 900),
        (1, "rate_limited", None, 60),
    ],
)
def test_how_long_an_account_rests(failures: int, kind: str, retry_after: float | None, seconds: int | None) -> None:
    wanted = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert breaker.opens_until(failures, kind, retry_after, NOW) == wanted


def test_a_refusal_of_the_network_ends_the_reply_with_its_words(desk: Desk) -> None:
    _, draft = sending(desk)
    with desk.database.write() as connection:
        outbox.refused(connection, draft, error="not allowed", kind="unknown", retry_after=None, now=desk.now)
    assert (desk.row(draft).state, desk.row(draft).error) == ("failed", "not allowed")
    assert number(desk.database, "select count(*) from answer_lock") == 0


def test_an_unknown_reply_is_found_by_what_is_read_back(desk: Desk) -> None:
    case, draft = sending(desk)
    with desk.database.write() as connection:
        outbox.doubtful(connection, draft, error="no answer", now=desk.now)
    other = seen(draft, desk, "899", text="Something else of ours.")
    same = seen(draft, desk, "900", text="@ada   We look into it. https://t.co/x", url="https://x.com/a/status/900")

    found = read_back(desk, other, same)

    assert list(found) == [(CORVANE, "900")]
    assert (found[(CORVANE, "900")].reply_id, found[(CORVANE, "900")].case_id) == (draft.id, case.id)
    assert (desk.row(draft).state, desk.row(draft).url) == ("sent", "https://x.com/a/status/900")
    assert list(read_back(desk, same)) == [(CORVANE, "900")]
    assert number(desk.database, "select count(*) from case_event where kind = 'answered'") == 1


def test_a_person_decides_about_what_was_not_found(desk: Desk) -> None:
    _, first = sending(desk)
    with desk.database.write() as connection:
        outbox.doubtful(connection, first, error="no answer", now=desk.now)
    with desk.database.write() as connection, pytest.raises(InputError, match="reason"):
        doubts.mark_not_sent(connection, desk.organisation, desk.who["ana"], first, reason="", now=desk.now)
    with desk.database.write() as connection:
        gone = doubts.mark_not_sent(
            connection, desk.organisation, desk.who["ana"], first, reason="looked at X", now=desk.now
        )
    assert (gone.state, number(desk.database, "select count(*) from answer_lock")) == ("failed", 0)
    # It was there after all: the network is right.
    read_back(desk, seen(first, desk))
    assert desk.row(first).state == "sent"


def test_a_person_who_saw_it_says_so(desk: Desk) -> None:
    case, draft = sending(desk)
    with desk.database.write() as connection:
        outbox.doubtful(connection, draft, error="no answer", now=desk.now)
    with desk.database.read() as connection:
        waiting = reply(connection, desk.organisation, desk.who["ana"], draft, desk.now)
    assert not waiting.needs_decision(desk.now)
    assert waiting.needs_decision(desk.now + timedelta(minutes=5))
    with desk.database.write() as connection, pytest.raises(InputError, match="no address"):
        doubts.mark_sent(
            connection, desk.organisation, desk.who["ben"], draft, url="javascript:x", reason=None, now=desk.now
        )
    with desk.database.write() as connection:
        done = doubts.mark_sent(
            connection,
            desk.organisation,
            desk.who["ben"],
            draft,
            url="https://x.com/corvane_care/status/900",
            reason=None,
            now=desk.now,
        )
    assert (done.state, done.url) == ("sent", "https://x.com/corvane_care/status/900")
    assert rows(desk.database, "select state from desk_case where id = :id", id=case.id) == [
        {"state": "waiting_for_customer"}
    ]


def test_an_answer_by_hand_waits_to_be_seen_on_the_network(desk: Desk) -> None:
    case = desk.case(text="where is my corvane", url="https://x.com/ada/status/1")
    draft = desk.approved(case)
    row = desk.row(draft)
    assert (row.state, row.is_native, row.send_at) == ("approved", True, None)
    desk.wait(seconds=60)
    assert due(desk) == ()

    with desk.database.write() as connection:
        opened = doubts.answer_natively(
            connection,
            desk.organisation,
            desk.who["ana"],
            draft,
            claim_token=token_of(desk, case),
            event_seen=desk.seen(case),
            now=desk.now,
        )
    assert opened.state == "unknown"
    read_back(desk, seen(draft, desk))
    assert desk.row(draft).state == "sent"


def test_a_post_that_was_answered_stays_locked(desk: Desk) -> None:
    ours = desk.case("both")
    theirs = desk.case("both", brand_id=HALDEN)
    draft = desk.approved(ours)
    desk.wait(seconds=10)
    begin(desk, draft)
    delivered(desk, draft)
    token = desk.claim("ben", theirs)
    second = desk.draft("ben", theirs)
    with pytest.raises(NeedsReason):
        desk.submit("ben", second, token)


def token_of(desk: Desk, case: CaseKey) -> str:
    return str(rows(desk.database, "select claim_token from desk_case where id = :id", id=case.id)[0]["claim_token"])
