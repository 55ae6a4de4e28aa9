"""Whatever people, customers and the clock do to cases, in any order: one live claim, an audit that tells it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from models import cases, claims
from models.access import Access
from models.case_arrivals import Arrived, Desk, OurAnswer
from models.case_scope import Filters
from models.case_steps import LIVE, STATES, Case, CaseKey, case_of
from models.cases import replay, told_of
from models.claims import LEASE, Claim, ClaimLapsed
from models.errors import WatchfloorError
from models.organisation import Organisation
from models.routing import Routing, Rule, When
from models.tables import desk_case
from tests.builders import CORVANE, DUTCH_CARE, EMEA_CARE, NOW
from tests.case_desk import X, entries, hire, open_desk
from tests.empty import empty_database

ALL_OPEN = Rule(1, 10, "all", When(), True, 2)
# Asked of a case, with what.
ACTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("prioritised", {"priority": 1}),
    ("prioritised", {"priority": 3}),
    ("escalated", {"reason": "angry"}),
    ("tagged", {"add": ["refund"]}),
    ("tagged", {"remove": ["refund"]}),
    ("noted", {"text": "be kind"}),
    ("assigned", {"team_id": DUTCH_CARE}),
    ("assigned", {"team_id": EMEA_CARE, "assigned_to": None}),
    ("snoozed", {"until": None}),
    ("woken", {}),
    ("handed_over", {"text": "yours", "assigned_to": None}),
    ("dismissed", {}),
    ("resolved", {}),
    ("reopened", {}),
)


class World:
    """One database for all runs: every run has people of its own to talk with, and its own clock."""

    def __init__(self, folder: Path) -> None:
        self.database = empty_database(folder)
        self.organisation: Organisation = open_desk(self.database)
        self.people = tuple(hire(self.database, name) for name in ("Ana", "Bo", "Cy"))
        self.runs = 0


class CaseMachine(RuleBasedStateMachine):
    """Cases of two customers, three agents, and a model that knows who holds which case until when."""

    world: World
    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.world.runs += 1
        self.now = NOW + timedelta(days=30 * self.world.runs)
        self.authors = [f"run {self.world.runs} {name}" for name in ("ada", "bob")]
        self.posts = 0
        # Token -> (case, person, until): what lives by the rules.
        self.live: dict[str, tuple[CaseKey, int, datetime]] = {}
        self.numbers: dict[CaseKey, int] = {}

    def teardown(self) -> None:
        with self.world.database.write() as connection:
            for who in self.world.people:
                claims.end_claims_of(connection, who.person_id, now=self.now)
        for case in self._cases():
            told = entries(self.world.database, case.key)
            assert len(told) == case.last_event, "each event is in the audit once"
            assert replay(told) == told_of(case), "replaying the audit gives the case"

    # -- what may happen ---------------------------------------------------------------------------------------

    @initialize()
    def somebody_writes(self) -> None:
        self._post(0)

    @rule(author=st.integers(0, 1))
    def customer_posts(self, author: int) -> None:
        self._post(author)

    @rule(author=st.integers(0, 1), automatic=st.booleans())
    def we_answer(self, author: int, automatic: bool) -> None:
        found = [case for case in self._cases() if case.author_key == self.authors[author]]
        if not found:
            return
        self.posts += 1
        self._in_page(
            lambda desk: desk.hear(
                OurAnswer(
                    CORVANE, X, f"{self.world.runs}-{self.posts}", found[-1].last_post, found[-1].thread, self.now, 1,
                    "@corvane", is_automatic=automatic,
                ),
                now=self.now,
            ),
            answers=[found[-1]],
        )  # fmt: skip

    @rule(seconds=st.sampled_from([1, 45, 100, 181, 3_600, 4 * 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=tokens, who=st.integers(0, 2), case=st.integers(0, 3))
    def somebody_claims(self, who: int, case: int) -> Any:
        person, key = self.world.people[who], self._key(case)
        got = self._tried(lambda connection: claims.claim(connection, *self._as(person), key, now=self.now))
        return self._holds(person, got)

    @rule(target=tokens, who=st.integers(0, 2))
    def somebody_claims_the_next(self, who: int) -> Any:
        person = self.world.people[who]
        filters = Filters(brand_ids=(CORVANE,))
        got = self._tried(lambda c: claims.claim_next(c, *self._as(person), now=self.now, filters=filters))
        return self._holds(person, got)

    @rule(target=tokens, who=st.integers(0, 2), case=st.integers(0, 3))
    def somebody_takes_over(self, who: int, case: int) -> Any:
        person, key = self.world.people[who], self._key(case)
        got = self._tried(
            lambda connection: claims.take_over(connection, *self._as(person), key, reason="urgent", now=self.now)
        )
        return self._holds(person, got)

    @rule(token=tokens)
    def somebody_renews(self, token: tuple[str, CaseKey, int]) -> None:
        text, key, who = token
        person = self._person(who)
        lives = self._lives(text)
        got = self._tried(lambda connection: claims.renew(connection, *self._as(person), key, text, now=self.now))
        assert (got is not None) == lives, f"renewed {got}, by the rules it lives: {lives}"
        if lives:
            self.live[text] = (key, who, self.now + LEASE)

    @rule(token=consumes(tokens))
    def somebody_releases(self, token: tuple[str, CaseKey, int]) -> None:
        text, key, who = token
        lives = self._lives(text)
        got = self._tried(
            lambda connection: claims.release(connection, *self._as(self._person(who)), key, text, now=self.now)
        )
        assert (got is not None) == lives
        self.live.pop(text, None)

    @rule(who=st.integers(0, 2))
    def a_shift_ends(self, who: int) -> None:
        person = self.world.people[who]
        with self.world.database.write() as connection:
            claims.end_claims_of(connection, person.person_id, now=self.now)
        self.live = {text: held for text, held in self.live.items() if held[1] != person.person_id}

    @rule()
    def claims_that_are_over_are_taken_out(self) -> None:
        with self.world.database.write() as connection:
            claims.expire(connection, CORVANE, now=self.now)

    @rule(who=st.integers(0, 2), case=st.integers(0, 3), action=st.sampled_from(ACTIONS))
    def somebody_acts(self, who: int, case: int, action: tuple[str, dict[str, Any]]) -> None:
        person, key, (name, details) = self.world.people[who], self._key(case), action
        got = self._tried(
            lambda connection: cases.advance(connection, *self._as(person), key, name, now=self.now, details=details)
        )
        holders = {held[1] for text, held in self.live.items() if held[0] == key and self._lives(text)}
        if got is not None and name in ("resolved", "dismissed", "snoozed", "handed_over"):
            assert holders <= {person.person_id}, f"{name} by {person.person_id} while {holders} held it"
            self.live = {text: held for text, held in self.live.items() if held[0] != key}

    # -- what always holds -------------------------------------------------------------------------------------

    @invariant()
    def exactly_the_claims_that_live_are_taken(self) -> None:
        with self.world.database.write() as connection:
            for text, (key, person_id, _) in self.live.items():
                try:
                    claims.require_claim(connection, self._person(person_id), key, text, now=self.now)
                    is_taken = True
                except ClaimLapsed:
                    is_taken = False
                assert is_taken == self._lives(text), f"taken {is_taken}, by the rules it lives: {self._lives(text)}"
        holders: dict[CaseKey, int] = {}
        for text, (key, _, _) in self.live.items():
            holders[key] = holders.get(key, 0) + self._lives(text)
        assert all(number <= 1 for number in holders.values()), "two live claims of one case"

    @invariant()
    def every_case_is_in_order(self) -> None:
        # No two things happen in the same microsecond.
        self.now += timedelta(milliseconds=1)
        found = self._cases()
        for author in self.authors:
            assert sum(case.author_key == author and case.state in LIVE for case in found) <= 1, "two open cases"
        for case in found:
            assert case.state in STATES
            assert case.last_event >= self.numbers.get(case.key, 0), "events are only added"
            self.numbers[case.key] = case.last_event
            if case.state not in LIVE:
                assert (case.holder(self.now), case.snoozed_until, case.due_at) == (None, None, None)
            if case.state == "waiting_for_customer":
                assert case.waiting_since is None

    # -- how ---------------------------------------------------------------------------------------------------

    def _post(self, author: int) -> None:
        self.posts += 1
        name = f"{self.world.runs}-{self.posts}"
        number = self.world.runs * 1_000 + self.posts
        post = Arrived(
            CORVANE, number, X, name, self.now, "post", self.authors[author], "h", "n", 10, "why?", "en", 0, 1,
            DUTCH_CARE, name,
        )  # fmt: skip
        routing = Routing((ALL_OPEN,), self.world.organisation)
        self._in_page(lambda desk: desk.take(post, routing, now=self.now), arrived=[post])

    def _in_page(
        self, work: Callable[[Desk], object], *, arrived: list[Arrived] | None = None, answers: list[Case] | None = None
    ) -> None:
        said = [
            OurAnswer(CORVANE, X, "", case.last_post, case.thread, self.now, 1, "@corvane") for case in answers or ()
        ]
        with self.world.database.write() as connection:
            desk = Desk(connection)
            desk.read(arrived or [], said, self.now)
            work(desk)
            desk.write(now=self.now)
        # Settled: whoever held it holds it no more.
        closed = {case.key for case in self._cases() if case.state not in LIVE}
        self.live = {text: held for text, held in self.live.items() if held[0] not in closed}

    def _cases(self) -> list[Case]:
        with self.world.database.read() as connection:
            rows = connection.execute(
                select(desk_case)
                .where(desk_case.c.brand_id == CORVANE, desk_case.c.network_id == X)
                .where(desk_case.c.author_key.in_(self.authors))
                .order_by(desk_case.c.id)
            )
            return [case_of(row._asdict()) for row in rows]

    def _key(self, place: int) -> CaseKey:
        found = self._cases()
        return found[place % len(found)].key

    def _as(self, person: Access) -> tuple[Organisation, Access]:
        return self.world.organisation, person

    def _person(self, person_id: int) -> Access:
        return next(person for person in self.world.people if person.person_id == person_id)

    def _tried(self, work: Callable[[Any], Any]) -> Any:
        try:
            with self.world.database.write() as connection:
                return work(connection)
        except WatchfloorError:
            return None

    def _lives(self, text: str) -> bool:
        held = self.live.get(text)
        return held is not None and held[2] > self.now

    def _holds(self, person: Access, got: Claim | None) -> Any:
        """Whoever got a claim is the only one from now on."""
        if got is None:
            return multiple()
        others = {t: h for t, h in self.live.items() if h[0] == got.key and t != got.token}
        assert not [t for t, h in others.items() if self._lives(t) and h[1] == person.person_id]
        self.live = {t: h for t, h in self.live.items() if t not in others}
        self.live[got.token] = (got.key, person.person_id, got.expires_at)
        return got.token, got.key, person.person_id


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("machine"))
    yield made
    made.database.close()


def _run(world: World, *, runs: int, steps: int) -> None:
    machine = type("Machine", (CaseMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            # Making a failure smaller takes minutes; what led to it is printed anyway.
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    ("runs", "steps"),
    [
        (20, 20),
        pytest.param(200, 50, marks=pytest.mark.prove),
        pytest.param(2_000, 50, marks=[pytest.mark.long, pytest.mark.timeout(3_600)]),
    ],
)
def test_one_live_claim_whatever_happens(world: World, runs: int, steps: int) -> None:
    before = world.runs
    _run(world, runs=runs, steps=steps)
    print(f"{world.runs - before} runs of up to {steps} steps")
    assert world.runs - before >= runs


@pytest.mark.parametrize("broken", ["the end of a lease", "a colleague", "the audit"])
def test_a_machine_that_is_broken_is_caught(world: World, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    if broken == "the end of a lease":
        held = claims._held
        monkeypatch.setattr(claims, "_held", lambda *args: held(*args)[:-1])
    elif broken == "a colleague":
        monkeypatch.setattr(Case, "holder", lambda *_: None)
        monkeypatch.setattr(claims, "or_", lambda *conditions: desk_case.c.id > 0)
    else:
        monkeypatch.setattr("models.case_writing.TOLD", ("state", "priority"))
    with pytest.raises(AssertionError):
        _run(world, runs=60, steps=30)
