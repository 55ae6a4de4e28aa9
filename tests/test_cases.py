"""Cases: what opens and joins them, what people do with them, what stays provable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ingest.found import Gone
from ingest.store import store
from models import case_steps, cases
from models.case_rebuild import case_for
from models.case_steps import LIVE, STATES, STEPS, CaseKey, WrongState
from models.cases import Stale, Taken, replay, told_of
from models.corrections import correct
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from tests.builders import BANK_DESK, CORVANE, DUTCH_CARE, HALDEN, NOW, RIVAL, UNMATCHED, number, rows, scope
from tests.case_desk import (
    DAY,
    HOUR,
    MINUTE,
    act,
    all_cases,
    arrive,
    entries,
    hire,
    kinds,
    open_desk,
    ours,
    said,
    take,
    the_case,
)


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


# -- what arrives ----------------------------------------------------------------------------------------------


def test_a_question_to_us_opens_a_case(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said(followers=420, sentiment=0))
    found = the_case(database)
    assert (found.state, found.priority, found.key.brand_id, found.author_handle) == ("new", 2, CORVANE, "ada")
    assert found.waiting_since == found.opened_at == NOW - MINUTE
    assert found.due_kind == "first"
    assert found.due_at == NOW - MINUTE + HOUR
    assert kinds(database, found.key) == ["opened"]


def test_competitors_unmatched_posts_praise_and_what_is_passed_on_open_none(
    database: Database, desk: Organisation
) -> None:
    arrive(
        database,
        desk,
        said("1", brand_id=RIVAL),
        said("2", brand_id=UNMATCHED),
        said("3", text="@corvane thank you, great service", sentiment=1),
        said("4", kind="repost", repost_of="9"),
        said("5", text="Corvane opens a new depot in Utrecht", author="press"),
    )
    assert all_cases(database) == []


def test_what_is_older_than_half_a_day_when_it_is_read_opens_none(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1", posted_at=NOW - 13 * HOUR), said("2", posted_at=NOW - 11 * HOUR, author="bob"))
    assert the_case(database).author_key == "bob"


def test_history_that_is_filled_in_makes_nobody_late(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("new", posted_at=NOW - HOUR))
    arrive(database, desk, said("old", posted_at=NOW - 14 * HOUR), said("late", posted_at=NOW - 3 * HOUR))
    (found,) = all_cases(database)
    # What was published within half a day has waited since; what is older would have opened no case either.
    assert found.waiting_since == NOW - 3 * HOUR


def test_further_posts_of_a_person_join_the_open_case(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1", posted_at=NOW - HOUR))
    arrive(
        database,
        desk,
        said("2", text="hello? anybody there", posted_at=NOW),
        said("3", author="bob"),
        said("4", brand_id=HALDEN, text="and @halden, my card?"),
    )
    cases_ = all_cases(database)
    assert len(cases_) == 3
    mine = next(case for case in cases_ if case.author_key == "ada" and case.key.brand_id == CORVANE)
    assert kinds(database, mine.key) == ["opened", "joined"]
    assert mine.last_post == "2"
    assert mine.waiting_since == NOW - HOUR


def test_a_page_that_brings_a_post_its_answer_and_the_next_post_is_read_in_their_order(
    database: Database, desk: Organisation
) -> None:
    arrive(
        database,
        desk,
        said("3", text="no, it is not there", posted_at=NOW - MINUTE, reply_to="2", conversation="1"),
        said("1", posted_at=NOW - HOUR),
        ours=[ours("2", "1", at=NOW - 30 * MINUTE)],
    )
    found = the_case(database)
    assert found.state == "open"
    assert found.first_answered_at == NOW - 30 * MINUTE
    assert found.waiting_since == NOW - MINUTE
    assert found.due_kind == "next"


@pytest.mark.parametrize("order", [("1", "2", "3"), ("3", "2", "1"), ("2", "3", "1"), ("3", "1", "2")])
def test_posts_in_any_order_give_the_same_clocks(
    database: Database, desk: Organisation, order: tuple[str, ...]
) -> None:
    pages: dict[str, Callable[[], None]] = {
        "1": lambda: arrive(database, desk, said("1", posted_at=NOW - 3 * HOUR)),
        "2": lambda: arrive(database, desk, ours=[ours("2", "1", at=NOW - 2 * HOUR)]),
        "3": lambda: arrive(
            database,
            desk,
            said("3", text="@corvane still nothing?", posted_at=NOW - HOUR, reply_to="2", conversation="1"),
        ),
    }
    for name in order:
        pages[name]()
    found = the_case(database)
    assert found.first_answered_at == NOW - 2 * HOUR
    assert found.waiting_since == NOW - HOUR
    assert found.last_ours_at == NOW - 2 * HOUR
    assert found.state == "open" if order[-1] != "1" else found.state in LIVE


def test_our_answer_ends_the_round_and_an_automatic_one_does_not(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1", posted_at=NOW - HOUR))
    key = the_case(database).key
    with database.write() as connection:
        robot = cases.answered(
            connection, key, post="a", posted_at=NOW - 59 * MINUTE, now=NOW, actor="robot", is_automatic=True
        )
    assert robot is not None
    assert the_case(database).state == "new"
    assert the_case(database).waiting_since == NOW - HOUR
    arrive(database, desk, ours=[ours("2", "1", at=NOW - 10 * MINUTE)])
    found = the_case(database)
    assert (found.state, found.waiting_since, found.first_answered_at) == (
        "waiting_for_customer", None, NOW - 10 * MINUTE,
    )  # fmt: skip
    with database.write() as connection:
        again = cases.answered(connection, key, post="2", posted_at=NOW - 10 * MINUTE, now=NOW, actor="Ana")
    assert again is None
    assert kinds(database, key) == ["opened", "auto_answered", "answered"]


def test_after_a_resolve_the_customer_reopens_it_within_seven_days_and_opens_another_after(
    database: Database, desk: Organisation
) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1"))
    first = the_case(database).key
    act(database, desk, ana, first, "resolved", NOW)
    later = NOW + 6 * DAY
    arrive(database, desk, said("2", posted_at=later, text="@corvane and now? broken again"), now=later)
    assert kinds(database, first)[-1] == "reopened_by_customer"
    assert (the_case(database).state, the_case(database).resolved_at) == ("open", None)
    assert the_case(database).first_resolved_at == NOW
    act(database, desk, ana, first, "resolved", later)
    much_later = later + 8 * DAY
    arrive(database, desk, said("3", posted_at=much_later), now=much_later)
    assert [case.state for case in all_cases(database)] == ["resolved", "new"]


def test_a_post_that_was_published_before_the_resolve_and_read_after_it_reopens_the_case(
    database: Database, desk: Organisation
) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1", posted_at=NOW - HOUR))
    act(database, desk, ana, the_case(database).key, "resolved", NOW)
    arrive(database, desk, said("2", posted_at=NOW - MINUTE), now=NOW + MINUTE)
    found = the_case(database)
    assert found.state == "open"
    assert found.waiting_since == NOW - HOUR


def test_a_dismissed_case_stays_dismissed(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1"))
    act(database, desk, ana, the_case(database).key, "dismissed", NOW, reason="an advertisement")
    arrive(database, desk, said("2", posted_at=NOW + HOUR), now=NOW + HOUR)
    assert [case.state for case in all_cases(database)] == ["dismissed", "new"]


def test_answered_and_silent_for_three_days_a_new_thread_is_a_new_case(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1", posted_at=NOW - HOUR), ours=[ours("2", "1", at=NOW - MINUTE)])
    later = NOW + 4 * DAY
    arrive(database, desk, said("3", posted_at=later), now=later)
    settled, new = all_cases(database)
    assert (settled.state, settled.resolved_at) == ("resolved", later)
    assert (new.state, new.last_post) == ("new", "3")
    assert kinds(database, settled.key)[-1] == "settled"


def test_the_same_page_again_changes_nothing(database: Database, desk: Organisation) -> None:
    page: dict[str, Any] = {"ours": [ours("2", "1", at=NOW - MINUTE)]}
    arrive(database, desk, said("1", posted_at=NOW - HOUR), **page)
    before = the_case(database)
    arrive(database, desk, said("1", posted_at=NOW - HOUR), **page, now=NOW + MINUTE)
    assert the_case(database) == before


def test_edits_and_deletions_are_told_and_who_is_forgotten_is_forgotten(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1"))
    edited = said("1", text="@corvane where is my parcel??", edited_at=NOW)
    arrive(database, desk, edited, now=NOW + MINUTE)
    key = the_case(database).key
    assert kinds(database, key) == ["opened", "edited"]
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=desk, now=NOW + HOUR, gone=[Gone("x", "1")])
    found = the_case(database)
    assert kinds(database, key)[-1] == "deleted"
    assert (found.author_key, found.author_handle, found.author_name) == ("", None, None)
    held = rows(database, "select * from desk_case") + rows(database, "select * from case_event")
    assert held
    assert not [
        row for row in held + rows(database, "select * from audit") if "ada" in str(row) or "parcel" in str(row)
    ]
    arrive(database, desk, said("2", posted_at=NOW + HOUR), now=NOW + HOUR)
    assert len(all_cases(database)) == 2


# -- what people do --------------------------------------------------------------------------------------------


def test_every_action_changes_what_it_says_and_is_an_event(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("1"))
    key = the_case(database).key
    act(database, desk, ana, key, "prioritised", priority=1)
    act(database, desk, ana, key, "tagged", add=["Refund ", "#vip"])
    act(database, desk, ana, key, "tagged", remove=["vip"])
    act(database, desk, ana, key, "noted", text="Knows the founder", people=[bo.person_id])
    act(database, desk, ana, key, "assigned", team_id=DUTCH_CARE, assigned_to=bo.person_id)
    act(database, desk, ana, key, "snoozed", until=NOW + HOUR)
    found = the_case(database)
    assert (found.priority, found.tags, found.team_id) == (1, ("refund",), DUTCH_CARE)
    assert (found.assigned_to, found.snoozed_until) == (bo.person_id, NOW + HOUR)
    assert found.due_at == NOW - MINUTE + 15 * MINUTE
    act(database, desk, bo, key, "woken")
    act(database, desk, bo, key, "escalated", reason="threatens to sue")
    act(database, desk, bo, key, "handed_over", text="please call", assigned_to=ana.person_id)
    act(database, desk, ana, key, "resolved", NOW)
    act(database, desk, ana, key, "reopened", NOW + MINUTE)
    found = the_case(database)
    assert (found.state, found.level, found.resolved_at, found.first_resolved_at) == ("open", 1, None, NOW)
    assert found.waiting_since == NOW - MINUTE
    assert len(kinds(database, key)) == found.last_event == 12


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_is_refused_in_words(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    limited = hire(database, "Lou", brand_ids=[HALDEN])
    arrive(database, desk, said("1"))
    key = the_case(database).key
    refused: list[tuple[str, dict[str, Any], type[Exception], str]] = [
        ("prioritised", {"priority": 0}, InputError, "use 1"),
        ("escalated", {}, InputError, "say why"),
        ("snoozed", {"until": NOW - HOUR}, InputError, "30 days ahead"),
        ("woken", {}, InputError, "not snoozed"),
        ("tagged", {}, InputError, "name a tag"),
        ("noted", {"text": " "}, InputError, "write something"),
        ("noted", {"text": "x", "people": [999]}, NotFound, "no person 999"),
        ("assigned", {}, InputError, "name the team"),
        ("assigned", {"team_id": 999}, NotFound, "no team 999"),
        ("assigned", {"assigned_to": limited.person_id}, InputError, "Lou may not work on this case"),
        ("linked", {}, InputError, "no incident"),
        ("reopened", {}, WrongState, "nobody has looked"),
    ]
    for action, details, error, words in refused:
        with pytest.raises(error, match=words):
            act(database, desk, ana, key, action, **details)
    assert kinds(database, key) == ["opened"]


def test_a_foreign_case_is_not_found_word_for_word(database: Database, desk: Organisation) -> None:
    bank = hire(database, "Lou", brand_ids=[HALDEN])
    team = hire(database, "Tim", team_ids=[BANK_DESK])
    looks = hire(database, "Vi", role="viewer")
    arrive(database, desk, said("1"))
    key = the_case(database).key
    missing = CaseKey(key.brand_id, key.id + 1)
    for who in (bank, team):
        for asked, name in ((key, str(key)), (missing, str(missing))):
            with pytest.raises(NotFound) as refusal:
                act(database, desk, who, asked, "noted", text="x")
            assert str(refusal.value) == f'no case "{name}"'
    act(database, desk, looks, key, "noted", text="a viewer may note")
    with pytest.raises(AccessDenied):
        act(database, desk, looks, key, "resolved")


def test_who_has_not_seen_the_newest_is_told_what_it_is(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("1"))
    key = the_case(database).key
    act(database, desk, bo, key, "tagged", add=["refund"])
    act(database, desk, ana, key, "noted", text="my own note")
    with database.write() as connection:
        cases.advance(connection, desk, ana, key, "prioritised", now=NOW, details={"priority": 1}, event_seen=1)
    arrive(database, desk, said("2", posted_at=NOW))
    with database.write() as connection, pytest.raises(Stale, match="the customer wrote again") as refusal:
        cases.advance(connection, desk, ana, key, "resolved", now=NOW, event_seen=4)
    assert [event.kind for event in refusal.value.newer] == ["joined"]


def test_a_colleagues_case_is_left_alone(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("1"))
    key = the_case(database).key
    take(database, desk, ana, key)
    for action in ("resolved", "dismissed", "snoozed"):
        with pytest.raises(Taken, match="Ana has this case until 14:35:10 UTC"):
            act(database, desk, bo, key, action)
    act(database, desk, bo, key, "noted", text="I know them")
    act(database, desk, ana, key, "resolved")
    assert the_case(database).claimed_by is None


def test_a_newer_open_case_of_the_same_person_stands_in_the_way_of_reopening(
    database: Database, desk: Organisation
) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1"))
    first = the_case(database).key
    act(database, desk, ana, first, "dismissed")
    arrive(database, desk, said("2", posted_at=NOW + MINUTE), now=NOW + MINUTE)
    with pytest.raises(WrongState, match="a newer case of the same person is open"):
        act(database, desk, ana, first, "reopened")


def test_replaying_the_audit_of_a_case_gives_its_state(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("1", posted_at=NOW - HOUR))
    key = the_case(database).key
    take(database, desk, ana, key)
    act(database, desk, ana, key, "tagged", add=["refund"])
    arrive(database, desk, ours=[ours("2", "1", at=NOW - MINUTE)])
    act(database, desk, ana, key, "snoozed", NOW)
    arrive(database, desk, said("3", posted_at=NOW + HOUR), now=NOW + HOUR)
    act(database, desk, bo, key, "resolved", NOW + HOUR)
    told = entries(database, key)
    assert len(told) == the_case(database).last_event
    assert replay(told) == told_of(the_case(database))
    assert replay(told[:-1]) != told_of(the_case(database))
    broken = [replace(entry, details={**(entry.details or {}), "after": {}}) for entry in told]
    assert replay(broken) != told_of(the_case(database))


def test_a_replys_fate_is_told_in_its_case_and_audited_once(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1"))
    key = the_case(database).key
    with database.write() as connection:
        event = cases.note_reply(connection, key, "submitted", reply_id=77, now=NOW, person_id=None, actor="Ana")
    assert (event.number, event.reply_id) == (2, 77)
    assert [entry.action for entry in entries(database, key)] == ["case.opened", "reply.submitted"]
    assert replay(entries(database, key)) == told_of(the_case(database))
    with database.write() as connection, pytest.raises(ValueError, match="nothing that becomes of a reply"):
        cases.note_reply(connection, key, "eaten", reply_id=77, now=NOW, person_id=None, actor="Ana")


# -- words -----------------------------------------------------------------------------------------------------


def test_no_two_steps_of_an_action_hold_the_same_state() -> None:
    for action, steps in STEPS.items():
        for state in STATES:
            assert sum(state in step.before for step in steps) <= 1, (action, state)
        assert all(step.after in STATES for step in steps)


def test_a_closed_case_is_left_only_by_reopening() -> None:
    leads_out = {
        action
        for action, steps in STEPS.items()
        for step in steps
        for state in step.before & set(case_steps.CLOSED)
        if step.after != state
    }
    assert leads_out == {"reopened", "reopened_by_customer"}


def test_a_key_is_read_as_it_is_written() -> None:
    key = CaseKey(2, (1 << 62) + 1)
    assert CaseKey.read(str(key)) == key
    for text in ("", "2", "2-", "-2-3", "2-x", "2-3-4", "２-3", "2-99999999999999999999", "a" * 100):
        with pytest.raises(NotFound):
            CaseKey.read(text)


def test_answers_and_resolutions_are_counted_in_classes_and_taken_out_again(
    database: Database, desk: Organisation
) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1", posted_at=NOW - 2 * HOUR), ours=[ours("2", "1", at=NOW - HOUR)])
    key = the_case(database).key
    act(database, desk, ana, key, "resolved", NOW)
    count = "select coalesce(sum(cases), 0) from answer_time where brand_id = 2 and kind = :kind and class >= 0"
    assert number(database, count, kind="first") == number(database, count, kind="first:plain") == 1
    assert number(database, count, kind="resolved") == number(database, count, kind="initial") == 1
    missed = "select sum(cases) from answer_time where kind = 'first' and \"class\" = -2"
    assert number(database, missed) == 1
    arrive(database, desk, said("3", posted_at=NOW + HOUR), now=NOW + HOUR)
    assert number(database, count, kind="resolved") == 0
    assert number(database, count, kind="initial") == 1
    act(database, desk, ana, key, "resolved", NOW + 2 * HOUR)
    assert number(database, count, kind="resolved") == number(database, count, kind="initial") == 1


def test_a_mention_without_a_case_gets_one_by_hand(database: Database, desk: Organisation) -> None:
    ana, looks = hire(database, "Ana"), hire(database, "Vi", "viewer")
    bank = hire(database, "Lou", brand_ids=[HALDEN])
    arrive(database, desk, said("1", text="corvane came, thank you", sentiment=1, posted_at=NOW - 20 * DAY))
    assert all_cases(database) == []
    mention_id = number(database, "select id from mention")
    with database.write() as connection:
        for who, error in ((looks, AccessDenied), (bank, NotFound)):
            with pytest.raises(error):
                case_for(connection, desk, who, CORVANE, mention_id, now=NOW)
        with pytest.raises(NotFound):
            case_for(connection, desk, ana, CORVANE, mention_id + 1, now=NOW)
        key = case_for(connection, desk, ana, CORVANE, mention_id, now=NOW)
        assert case_for(connection, desk, ana, CORVANE, mention_id, now=NOW) == key
    assert the_case(database).key == key
    assert [(entry.action, entry.person_id) for entry in entries(database, key)] == [("case.opened", ana.person_id)]


def test_a_post_that_is_taken_out_of_its_brand_takes_its_case_along(database: Database, desk: Organisation) -> None:
    arrive(database, desk, said("1"), said("2", author="bob"))
    key = next(case.key for case in all_cases(database) if case.author_key == "ada")
    mention_id = number(database, "select id from mention where external_id = '1'")
    with database.write() as connection:
        what: dict[str, Any] = {"mention": (CORVANE, mention_id), "field": "brand", "value": UNMATCHED}
        correct(connection, scope(), **what, organisation=desk, by=None, actor="Ana", now=NOW)
    assert kinds(database, key) == ["opened", "dismissed"]
    assert {case.author_key: case.state for case in all_cases(database)} == {"ada": "dismissed", "bob": "new"}


def test_of_two_posts_at_one_instant_the_one_that_came_later_is_the_later_one(
    database: Database, desk: Organisation
) -> None:
    arrive(database, desk, said("1", posted_at=NOW - HOUR), ours=[ours("2", "1", at=NOW)])
    arrive(database, desk, said("3", posted_at=NOW))
    found = the_case(database)
    assert (found.state, found.waiting_since) == ("open", NOW)
