"""Claims: one winner, an end, and nothing written by whoever lost it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy import select

from models import cases, claims
from models.access import Access
from models.case_bulk import bulk, undo
from models.case_scope import Filters
from models.case_steps import CaseKey, WrongState
from models.case_writing import Raced
from models.cases import Taken, replay, told_of
from models.claims import LEASE, Claim, ClaimLapsed
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from models.tables import case_event
from tests.builders import BANK_DESK, DUTCH_CARE, HALDEN, NOW
from tests.case_desk import (
    HOUR,
    MINUTE,
    act,
    all_cases,
    arrive,
    entries,
    hire,
    kinds,
    open_desk,
    said,
    take,
    the_case,
)

pytestmark = pytest.mark.both


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


def _cases(database: Database, desk: Organisation, number: int) -> list[CaseKey]:
    """So many cases of different people, the oldest first."""
    page = [said(str(n), author=f"person {n}", posted_at=NOW - HOUR + n * MINUTE) for n in range(number)]
    arrive(database, desk, *page)
    return [case.key for case in all_cases(database)]


def _require(database: Database, who: Access, key: CaseKey, token: str, now: datetime) -> None:
    with database.write() as connection:
        claims.require_claim(connection, who, key, token, now=now)


def test_two_agents_cannot_claim_the_same_case(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    (key,) = _cases(database, desk, 1)
    mine = take(database, desk, ana, key)
    assert mine.expires_at == NOW + LEASE
    with pytest.raises(Taken, match="Ana has this case until 14:35:10 UTC; take it over with a reason") as refusal:
        take(database, desk, bo, key)
    assert refusal.value.by == ana.person_id
    assert the_case(database).state == "open"
    again = take(database, desk, ana, key, NOW + MINUTE)
    assert (again.token, again.expires_at) == (mine.token, NOW + MINUTE + LEASE)
    assert kinds(database, key) == ["opened", "claimed"]


def test_an_expired_claim_is_no_claim(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    (key,) = _cases(database, desk, 1)
    mine = take(database, desk, ana, key)
    _require(database, ana, key, mine.token, NOW + LEASE - MINUTE)
    for ends in (NOW + LEASE, NOW + HOUR):
        with pytest.raises(ClaimLapsed, match="your claim ended at 14:35:10 UTC"):
            _require(database, ana, key, mine.token, ends)
        with database.write() as connection, pytest.raises(ClaimLapsed):
            claims.renew(connection, desk, ana, key, mine.token, now=ends)
    theirs = take(database, desk, bo, key, NOW + LEASE)
    assert theirs.token != mine.token
    with pytest.raises(ClaimLapsed, match="you do not hold this case"):
        _require(database, ana, key, mine.token, NOW + LEASE)
    with pytest.raises(ClaimLapsed):
        _require(database, ana, key, theirs.token, NOW + LEASE)
    with database.write() as connection, pytest.raises(ClaimLapsed):
        claims.release(connection, desk, ana, key, mine.token, now=NOW + LEASE)


def test_a_claim_is_renewed_without_an_event_and_released_by_hand(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    (key,) = _cases(database, desk, 1)
    mine = take(database, desk, ana, key)
    with database.write() as connection:
        renewed = claims.renew(connection, desk, ana, key, mine.token, now=NOW + MINUTE)
    assert renewed == Claim(key, mine.token, NOW + MINUTE + LEASE, mine.event)
    with database.write() as connection:
        claims.release(connection, desk, ana, key, mine.token, now=NOW + MINUTE)
    found = the_case(database)
    assert (found.claimed_by, found.claim_expires_at) == (None, None)
    assert kinds(database, key) == ["opened", "claimed", "released"]
    assert replay(entries(database, key)) == told_of(found)


def test_a_case_is_taken_over_only_with_a_reason(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    (key,) = _cases(database, desk, 1)
    mine = take(database, desk, ana, key)
    with database.write() as connection, pytest.raises(InputError, match="say why"):
        claims.take_over(connection, desk, bo, key, reason="  ", now=NOW)
    with database.write() as connection:
        theirs = claims.take_over(connection, desk, bo, key, reason="Ana is at lunch", now=NOW)
    with pytest.raises(ClaimLapsed):
        _require(database, ana, key, mine.token, NOW)
    _require(database, bo, key, theirs.token, NOW)
    assert kinds(database, key)[-1] == "taken_over"


def test_who_lacks_the_right_or_may_not_see_the_case_claims_nothing(database: Database, desk: Organisation) -> None:
    looks, bank = hire(database, "Vi", "viewer"), hire(database, "Lou", brand_ids=[HALDEN])
    (key,) = _cases(database, desk, 1)
    with pytest.raises(AccessDenied):
        take(database, desk, looks, key)
    with pytest.raises(NotFound, match=f'no case "{key}"'):
        take(database, desk, bank, key)
    with database.write() as connection:
        assert claims.claim_next(connection, desk, looks, now=NOW) is None
        assert claims.claim_next(connection, desk, bank, now=NOW) is None
    ana = hire(database, "Ana")
    act(database, desk, ana, key, "resolved")
    with pytest.raises(WrongState, match="resolved; reopen it first"):
        take(database, desk, ana, key)


def test_claim_next_takes_mine_first_then_the_most_urgent_and_leaves_what_a_colleague_was_given(
    database: Database, desk: Organisation
) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    first, second, third, fourth, fifth = _cases(database, desk, 5)
    act(database, desk, ana, first, "assigned", assigned_to=bo.person_id)
    act(database, desk, ana, fourth, "assigned", assigned_to=ana.person_id)
    act(database, desk, ana, third, "snoozed", until=NOW + 2 * HOUR)
    act(database, desk, ana, fifth, "prioritised", priority=1)

    def next_of(who: Access, now: datetime, filters: Filters | None = None) -> CaseKey | None:
        with database.write() as connection:
            got = claims.claim_next(connection, desk, who, now=now, filters=filters)
        return None if got is None else got.key

    early = NOW - MINUTE
    assert next_of(ana, early) == fourth
    assert next_of(ana, early, Filters(priority=3)) is None
    assert next_of(ana, early) == fifth
    assert next_of(ana, early) == second
    assert next_of(ana, early) is None
    # Late, it is offered to whoever is there.
    assert next_of(ana, NOW) == first


def test_claims_end_with_a_shift_and_what_was_given_goes_back(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    first, second, third = _cases(database, desk, 3)
    take(database, desk, ana, first)
    act(database, desk, bo, second, "assigned", assigned_to=ana.person_id)
    take(database, desk, bo, third)
    with database.write() as connection:
        assert claims.end_claims_of(connection, ana.person_id, now=NOW) == 2
        assert claims.end_claims_of(connection, ana.person_id, now=NOW) == 0
    found = {case.key: case for case in all_cases(database)}
    assert [found[key].claimed_by for key in (first, third)] == [None, bo.person_id]
    assert found[second].assigned_to is None
    assert kinds(database, first)[-1] == "released"


def test_claims_that_are_over_are_taken_out_and_told(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    (key,) = _cases(database, desk, 1)
    take(database, desk, ana, key)
    with database.write() as connection:
        assert claims.expire(connection, key.brand_id, now=NOW + MINUTE) == 0
        assert claims.expire(connection, key.brand_id, now=NOW + LEASE) == 1
    assert kinds(database, key)[-1] == "lapsed"
    assert replay(entries(database, key)) == told_of(the_case(database))


def test_of_many_who_claim_at_once_each_case_has_one_winner(database: Database, desk: Organisation) -> None:
    people = [hire(database, f"Agent{n}") for n in range(6)]
    keys = _cases(database, desk, 8)
    won: list[tuple[CaseKey, int]] = []
    together = threading.Barrier(len(people))

    def work(who: Access, turn: int) -> None:
        together.wait()
        for key in keys[turn:] + keys[:turn]:
            try:
                take(database, desk, who, key)
                won.append((key, who.person_id))
            except Taken:
                pass

    _at_once([partial(work, who, turn) for turn, who in enumerate(people)])
    assert sorted(key for key, _ in won) == sorted(keys)
    held = {case.key: case.claimed_by for case in all_cases(database)}
    assert held == dict(won)
    with database.read() as connection:
        counted = connection.execute(select(case_event.c.case_id).where(case_event.c.kind == "claimed")).all()
    assert len(counted) == len(keys)


def test_two_who_ask_for_the_next_case_at_once_never_get_the_same(database: Database, desk: Organisation) -> None:
    people = [hire(database, f"Agent{n}") for n in range(6)]
    keys = _cases(database, desk, 12)
    got: list[CaseKey] = []
    together = threading.Barrier(len(people))

    def work(who: Access) -> None:
        together.wait()
        for _ in range(2):
            with database.write() as connection:
                claim = claims.claim_next(connection, desk, who, now=NOW)
            assert claim is not None
            got.append(claim.key)

    _at_once([partial(work, who) for who in people])
    assert sorted(got) == sorted(keys)


def _at_once(works: list[Callable[[], None]]) -> None:
    failed: list[BaseException] = []

    def safely(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=safely, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed, failed


@pytest.mark.parametrize("between", ["claimed", "renewed"])
def test_what_happened_between_reading_and_writing_decides(
    database: Database, desk: Organisation, between: str
) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    (key,) = _cases(database, desk, 1)
    mine = take(database, desk, ana, key) if between == "renewed" else None
    with database.write() as connection:
        # To Bo the claim is over; to Ana, whose clock is a little behind, it is not yet.
        read = claims._workable(connection, desk, bo, key)
        if mine is None:
            claims.win(connection, desk, ana, key, now=NOW)
        else:
            claims.renew(connection, desk, ana, key, mine.token, now=NOW + LEASE - MINUTE)
        with pytest.raises(Raced):
            claims._claim(connection, read, bo, NOW + LEASE, None)
    assert the_case(database).claimed_by == ana.person_id


# -- many at once ----------------------------------------------------------------------------------------------


def test_what_is_done_to_many_is_taken_back_as_one(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    keys = _cases(database, desk, 4)
    take(database, desk, bo, keys[0])
    with database.write() as connection:
        dismissed = bulk(connection, desk, ana, keys, "dismissed", now=NOW)
        tagged = bulk(connection, desk, ana, keys, "tagged", now=NOW, details={"add": ["storm"]})
    assert [key for key, _ in dismissed.refused] == [keys[0]]
    assert "Bo has this case" in dismissed.refused[0][1]
    assert len(tagged.done) == 4
    with database.write() as connection:
        cases.advance(connection, desk, bo, keys[1], "tagged", now=NOW, details={"add": ["mine"]})
        back = undo(connection, desk, ana, tagged.done, now=NOW + MINUTE)
        again = undo(connection, desk, ana, dismissed.done, now=NOW + MINUTE)
    assert [words for _, words in back.refused] == ["the case has changed since"]
    assert len(again.done) == 3
    found = {case.key: case for case in all_cases(database)}
    assert {case.state for case in found.values()} == {"new", "open"}
    assert found[keys[1]].tags == ("storm", "mine")
    assert found[keys[2]].tags == ()
    assert found[keys[2]].waiting_since is not None
    for key in keys:
        assert replay(entries(database, key)) == told_of(found[key])


def test_only_who_did_it_takes_it_back_and_not_for_ever(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    keys = _cases(database, desk, 2)
    with database.write() as connection:
        claimed = bulk(connection, desk, ana, keys, "claimed", now=NOW)
        given = bulk(connection, desk, ana, keys, "assigned", now=NOW, details={"team_id": DUTCH_CARE})
    _require(database, ana, keys[0], claimed.done[0].token or "", NOW)
    with database.write() as connection:
        assert len(undo(connection, desk, bo, claimed.done, now=NOW).refused) == 2
        assert len(undo(connection, desk, ana, given.done, now=NOW + HOUR).refused) == 2
        assert len(undo(connection, desk, ana, claimed.done, now=NOW).done) == 2
    assert {case.claimed_by for case in all_cases(database)} == {None}
    assert {case.team_id for case in all_cases(database)} == {DUTCH_CARE}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_sent_is_not_done_to_many(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana", team_ids=[BANK_DESK])
    with database.write() as connection:
        for keys, action, words in (
            ([CaseKey(2, 1)], "noted", "not done to many"),
            ([], "tagged", "choose 1 to 200"),
            ([CaseKey(2, n) for n in range(201)], "tagged", "choose 1 to 200"),
        ):
            with pytest.raises(InputError, match=words):
                bulk(connection, desk, ana, keys, action, now=NOW)
        missing = bulk(connection, desk, ana, [CaseKey(2, 1)], "claimed", now=NOW)
    assert missing.refused == ((CaseKey(2, 1), 'no case "2-1"'),)
