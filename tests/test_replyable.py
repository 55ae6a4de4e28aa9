"""Before anybody claims a case it says whether it can be answered, how, and if not, why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, insert

from models import breaker, outbox
from models.case_steps import CaseKey
from models.database import Database
from models.errors import NotFound
from models.replyable import API, BLOCKED, NATIVE, Replyable, many, replyable
from models.tables import account, incident, setting
from tests.builders import AMSTERDAM_SITE, CORVANE, MUMBAI, NOW
from tests.reply_desk import CORVANE_CARE, CORVANE_MAIN, Desk, X


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def said(desk: Desk, case: CaseKey, account_id: int | None = None) -> Replyable:
    with desk.database.read() as connection:
        return replyable(connection, desk.organisation, case, desk.now, account_id)


def run(desk: Desk, statement: str) -> None:
    with desk.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_who_mentions_us_is_answered_by_the_accounts_of_the_brand_support_first(desk: Desk) -> None:
    found = said(desk, desk.case())
    assert (found.how, found.reason, found.account_id) == (API, "", CORVANE_CARE)
    assert [item.id for item in found.accounts] == [CORVANE_CARE, CORVANE_MAIN]


def test_an_account_of_the_place_comes_before_general_ones_and_other_places_are_left_out(desk: Desk) -> None:
    with desk.database.write() as connection:
        for number, place in ((10, AMSTERDAM_SITE), (11, MUMBAI)):
            values = {"network_id": X, "kind": "site", "brand_id": CORVANE, "secrets": b"s", "valid_from": NOW}
            connection.execute(
                insert(account).values(id=number, handle=f"site{number}", name="Site", location_id=place, **values)
            )
    desk.read_organisation()
    assert [item.id for item in said(desk, desk.case()).accounts] == [10, CORVANE_CARE, CORVANE_MAIN]


def test_x_answers_only_who_named_or_quoted_us_and_the_rest_by_hand(desk: Desk) -> None:
    named = desk.case(text="hey @Corvane, where is it?", url="https://x.com/ada/status/1")
    unnamed = desk.case(text="where is my corvane? @corvane_dealers", url="https://x.com/ada/status/2")
    assert said(desk, named).how == API
    by_hand = said(desk, unnamed)
    assert (by_hand.how, by_hand.url) == (NATIVE, "https://x.com/ada/status/2")
    assert "only who mentioned or quoted us" in by_hand.reason
    with desk.database.write() as connection:
        connection.execute(insert(setting).values(key="x_access", value="enterprise"))
    assert said(desk, unnamed).how == API


def test_who_quotes_or_answers_a_post_of_ours_is_answered_through_the_interface(desk: Desk) -> None:
    run(
        desk,
        "insert into our_post (brand_id, id, account_id, network_id, external_id, posted_at, kind, text, measured_at)"
        f" values ({CORVANE}, 1, {CORVANE_CARE}, {X}, 'ours', 1, 'post', 'hello', 1)",
    )
    quoting = desk.case(text="corvane says this", kind="quote", quote_of="ours")
    foreign = desk.case(text="corvane said that", kind="reply", reply_to="theirs")
    with desk.database.read() as connection:
        found = many(connection, desk.organisation, [quoting, foreign], desk.now)
    assert found[quoting].how == API
    assert found[foreign].how == BLOCKED
    assert found[foreign].url is None


def test_a_case_without_a_way_out_says_why(desk: Desk) -> None:
    case = desk.case()
    with desk.database.write() as connection:
        outbox.take_turn(connection, CORVANE_CARE, "one", now=desk.now)
        breaker.note_failure(connection, CORVANE_CARE, "dead_token", "X knows the keys no more", None, now=desk.now)
    stopped = said(desk, case)
    assert (stopped.how, "keys no more" in stopped.reason) == (BLOCKED, True)
    assert said(desk, case, CORVANE_MAIN).how == API

    desk.set_account(CORVANE_MAIN, secrets_expire_at=desk.now)
    assert "ran out" in said(desk, case, CORVANE_MAIN).reason
    desk.set_account(CORVANE_MAIN, secrets_expire_at=None, secrets=None)
    assert "not connected" in said(desk, case, CORVANE_MAIN).reason

    run(desk, "update mention set deleted_at = 1")
    assert "no longer on X" in said(desk, case).reason
    run(desk, "update desk_case set state = 'dismissed'")
    assert said(desk, case).reason == "the case is dismissed; reopen it first"


def test_a_network_that_takes_no_answers_from_programs_is_answered_by_hand(desk: Desk) -> None:
    run(desk, f"update account set network_id = 8 where id = {CORVANE_CARE}")
    desk.read_organisation()
    case = desk.case(url="https://facebook.example/1")
    run(desk, "update desk_case set network_id = 8")
    found = said(desk, case)
    assert (found.how, "Facebook takes no answers" in found.reason) == (NATIVE, True)


def test_a_brand_without_an_account_there_cannot_answer(desk: Desk) -> None:
    case = desk.case()
    run(desk, "update account set valid_to = 1")
    desk.read_organisation()
    assert "no account of this brand on X" in said(desk, case).reason


def test_an_incident_freezes_what_is_in_its_scope_only(desk: Desk) -> None:
    inside, outside = desk.case(), desk.case(location_id=MUMBAI)
    with desk.database.write() as connection:
        connection.execute(
            insert(incident).values(
                id=3,
                name="Data centre",
                severity=1,
                scope={"location_ids": [2]},
                outbound="frozen",
                reason="down",
                lead_id=desk.who["mona"].person_id,
                declared_at=desk.now,
                declared_by="Mona",
                expires_at=desk.now + timedelta(hours=1),
            )
        )
    assert said(desk, inside).reason == "outbound is frozen by the incident “INC-3 Data centre”"
    assert said(desk, outside).how == API
    desk.wait(hours=1)
    assert said(desk, inside).how == API


def test_a_queue_is_judged_with_as_many_statements_as_one_case(desk: Desk) -> None:
    cases = [desk.case() for _ in range(12)]
    with desk.database.read() as connection:
        counted: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda c, cur, said, *rest: counted.append(said))
        many(connection, desk.organisation, cases[:1], desk.now)
        one = sum(text.startswith("SELECT") for text in counted)
        counted.clear()
        found = many(connection, desk.organisation, cases, desk.now)
    assert len(found) == 12
    assert len(counted) == one >= 5


def test_a_case_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match='no case "2-5"'):
        said(desk, CaseKey(2, 5))
