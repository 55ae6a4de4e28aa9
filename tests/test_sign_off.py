"""Nobody signs their own, a signature binds to the text, and nothing late goes out by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from models import people, shifts, sign_off_requests
from models.case_steps import CaseKey
from models.claims import ClaimLapsed
from models.database import Database
from models.errors import AccessDenied, InputError
from models.policy import Rule, When, save
from models.replies import Reply, ReplyKey
from models.reply_steps import Blocked, Frozen, NotReplyable, TextChanged, WrongStep
from models.tables import deputy, incident
from tests.builders import CORVANE, NOW, number, rows
from tests.reply_desk import Desk
from tests.test_policy import ADMIN


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def rule(desk: Desk, signatures: int = 1, *, needs_manager: bool = False, **when: object) -> None:
    with desk.database.write() as connection:
        wanted = Rule("of the test", When(**when), signatures, needs_manager)  # type: ignore[arg-type]
        save(connection, desk.organisation, ADMIN, wanted, now=desk.now)


def submitted(desk: Desk, *, name: str = "ana") -> tuple[ReplyKey, str]:
    """A reply that waits for a signature, and the token of its author's claim."""
    case = desk.case()
    token = desk.claim(name, case)
    draft = desk.draft(name, case)
    assert desk.submit(name, draft, token).state == "awaiting_sign_off"
    return draft, token


def declare(desk: Desk, outbound: str) -> None:
    with desk.database.write() as connection:
        connection.execute(
            insert(incident).values(
                id=1,
                name="Data centre",
                severity=1,
                scope={"brand_ids": [CORVANE]},
                outbound=outbound,
                reason="down",
                lead_id=desk.who["mona"].person_id,
                declared_at=desk.now,
                declared_by="Mona",
                expires_at=desk.now + timedelta(hours=4),
            )
        )


def requests(desk: Desk, name: str) -> list[tuple[ReplyKey, bool]]:
    with desk.database.read() as connection:
        found = sign_off_requests.requests_for(connection, desk.organisation, desk.who[name], desk.now)
    return [(item.reply.key, item.is_mine) for item in found]


def test_a_signed_reply_is_approved_for_the_very_text_that_was_signed(desk: Desk) -> None:
    rule(desk)
    draft, _ = submitted(desk)

    signed = desk.sign("petra", draft)

    assert (signed.state, signed.send_at) == ("approved", desk.now + timedelta(seconds=10))
    assert signed.approved_hash == signed.text_hash
    assert [(item.actor, item.in_force) for item in signed.signed] == [("Petra", True)]


def test_nobody_signs_their_own_reply(desk: Desk) -> None:
    rule(desk)
    draft, _ = submitted(desk, name="petra")
    with pytest.raises(AccessDenied, match="their own"):
        desk.sign("petra", draft)
    with pytest.raises(AccessDenied):
        desk.sign("ben", draft)
    assert desk.row(draft).state == "awaiting_sign_off"


def test_two_signatures_are_two_people(desk: Desk) -> None:
    rule(desk, 2)
    draft, _ = submitted(desk)

    assert desk.sign("petra", draft).state == "awaiting_sign_off"
    with pytest.raises(WrongStep, match="already"):
        desk.sign("petra", draft)
    assert desk.sign("piet", draft).state == "approved"


def test_where_policy_wants_a_manager_others_do_not_suffice(desk: Desk) -> None:
    rule(desk, 1, needs_manager=True)
    draft, _ = submitted(desk)

    assert desk.sign("petra", draft).state == "awaiting_sign_off"
    assert desk.sign("mona", draft).state == "approved"


def test_an_edit_voids_what_was_signed_even_when_the_words_come_back(desk: Desk) -> None:
    rule(desk, 2)
    draft, token = submitted(desk)
    desk.sign("petra", draft)

    back = desk.edit("ana", draft)
    again = desk.submit("ana", draft, token)

    assert not any(item.in_force for item in back.signed)
    assert again.state == "awaiting_sign_off"
    assert desk.sign("piet", draft).state == "awaiting_sign_off"
    assert desk.sign("petra", draft).state == "approved"


def test_a_signature_on_other_words_than_stand_there_is_refused(desk: Desk) -> None:
    rule(desk)
    draft, token = submitted(desk)
    old = desk.row(draft).text_hash
    desk.edit("ana", draft)
    desk.draft("ana", case_of(desk, draft), "Quite other words.")
    desk.submit("ana", draft, token)

    with pytest.raises(TextChanged):
        desk.sign("petra", draft, text_hash=old)


def test_a_reply_sent_back_needs_a_reason_and_a_new_submission(desk: Desk) -> None:
    rule(desk)
    draft, token = submitted(desk)
    with pytest.raises(InputError, match="reason"):
        desk.send_back("petra", draft, " ")

    back = desk.send_back("petra", draft, "too long")

    assert (back.state, back.error, back.waits_for_one_key) == ("returned", "too long", False)
    with pytest.raises(WrongStep, match="nobody has signed"):
        desk.confirm("ana", draft, token)
    assert desk.submit("ana", draft, token).state == "awaiting_sign_off"


def test_a_signature_after_half_an_hour_returns_the_reply_for_one_key(desk: Desk) -> None:
    rule(desk)
    draft, _ = submitted(desk)
    desk.wait(minutes=31)

    late = desk.sign("petra", draft)

    assert (late.state, late.waits_for_one_key, late.send_at) == ("returned", True, None)
    assert late.error is not None
    assert "31 minutes" in late.error
    token = claim_again(desk, late)
    assert desk.confirm("ana", draft, token).state == "approved"


def test_a_signature_after_the_customer_wrote_again_returns_the_reply(desk: Desk) -> None:
    rule(desk)
    draft, token = submitted(desk)
    desk.wait(minutes=1)
    newest = desk.customer_writes(case_of(desk, draft))

    overtaken = desk.sign("petra", draft)

    assert overtaken.waits_for_one_key
    sent = desk.confirm("ana", draft, token)
    assert (sent.state, sent.in_reply_to) == ("approved", newest)


def test_the_one_key_needs_the_claim_and_what_policy_asks_by_now(desk: Desk) -> None:
    rule(desk)
    draft, token = submitted(desk)
    desk.wait(minutes=31)
    late = desk.sign("petra", draft)
    with pytest.raises(ClaimLapsed):
        desk.confirm("ana", draft, token)
    token = claim_again(desk, late)
    rule(desk, 1, needs_manager=True)
    with pytest.raises(WrongStep, match="policy asks for more"):
        desk.confirm("ana", draft, token)


def test_an_incident_freezes_what_would_go_out_or_has_a_manager_sign(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case)
    declare(desk, "frozen")
    with pytest.raises(Frozen, match="INC-1 Data centre"):
        desk.submit("ana", draft, token)
    with desk.database.write() as connection:
        connection.execute(incident.update().values(outbound="manager"))

    asked = desk.submit("ana", draft, token)

    assert (asked.state, asked.needs_manager) == ("awaiting_sign_off", True)
    assert any("senior manager" in words for words in asked.why)


def test_what_a_check_blocks_is_not_submitted(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case, "x" * 281)
    with pytest.raises(Blocked, match="1 too many"):
        desk.submit("ana", draft, token)
    with pytest.raises(InputError, match="no text"):
        desk.submit("ana", desk.draft("ana", case, " "), token)


def test_what_cannot_be_answered_is_not_submitted(desk: Desk) -> None:
    case = desk.case()
    token = desk.claim("ana", case)
    draft = desk.draft("ana", case)
    with desk.database.write() as connection:
        connection.exec_driver_sql("update mention set deleted_at = 1")
    with pytest.raises(NotReplyable, match="no longer on X"):
        desk.submit("ana", draft, token)


def test_a_request_goes_to_one_person_and_on_to_the_next_after_five_minutes(desk: Desk) -> None:
    rule(desk)
    draft, _ = submitted(desk)
    assert requests(desk, "petra") == [(draft, True)]
    assert requests(desk, "piet") == [(draft, False)]
    assert requests(desk, "ana") == []
    with desk.database.write() as connection:
        assert sign_off_requests.pass_on(connection, desk.organisation, desk.wait(minutes=4)) == 0
        assert sign_off_requests.pass_on(connection, desk.organisation, desk.wait(minutes=1)) == 1
        assert sign_off_requests.pass_on(connection, desk.organisation, desk.now) == 0

    assert requests(desk, "petra") == [(draft, False)]
    assert requests(desk, "piet") == [(draft, True)]
    with desk.database.write() as connection:
        sign_off_requests.pass_on(connection, desk.organisation, desk.wait(minutes=5))
        sign_off_requests.pass_on(connection, desk.organisation, desk.wait(minutes=5))
    # After the last one it stays where it is.
    assert requests(desk, "mona") == [(draft, True)]


def test_who_is_on_shift_is_asked_first_and_who_is_away_not_at_all(desk: Desk) -> None:
    rule(desk)
    with desk.database.write() as connection:
        connection.execute(
            insert(deputy).values(
                person_id=desk.who["petra"].person_id,
                deputy_id=desk.who["mona"].person_id,
                valid_from=NOW - timedelta(days=1),
                valid_to=NOW + timedelta(days=1),
            )
        )
    first, _ = submitted(desk)
    with desk.database.write() as connection:
        shifts.say(connection, desk.who["piet"], "off", now=desk.now)
    case = desk.case()
    token = desk.claim("ana", case)
    second = desk.draft("ana", case)
    desk.submit("ana", second, token)

    assert requests(desk, "petra") == [(first, False), (second, False)]
    assert requests(desk, "piet")[0] == (first, True)
    # Piet went home, and Mona stands in for Petra.
    assert (second, True) in requests(desk, "mona")


def test_a_trainee_is_signed_for(desk: Desk) -> None:
    with desk.database.write() as connection:
        people.set_trainee(connection, desk.who["ana"].person_id, is_trainee=True, now=desk.now, actor="a test")
    draft, _ = submitted(desk)
    asked = desk.row(draft).policy["why"]
    assert asked == ["In training: its author is in training"]


def test_every_verdict_stands_in_the_log(desk: Desk) -> None:
    rule(desk)
    draft, _ = submitted(desk)
    desk.send_back("petra", draft)
    actions = [row["action"] for row in rows(desk.database, "select action from audit where action like 'reply.%'")]
    assert actions[-1] == "reply.sent_back"
    assert number(desk.database, "select count(*) from signature where verdict = 'returned'") == 1


def case_of(desk: Desk, draft: ReplyKey) -> CaseKey:
    return CaseKey(draft.brand_id, desk.row(draft).case_id)


def claim_again(desk: Desk, reply: Reply) -> str:
    return desk.claim("ana", CaseKey(reply.key.brand_id, reply.case_id))
