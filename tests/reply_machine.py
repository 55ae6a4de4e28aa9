"""Everybody at the desk at once, in any order: what a random floor does to three cases, and what must never come of it.

What was signed, which policy is in force and what the network took is kept here a second time, by other means than in
the product, and compared at every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, rule
from sqlalchemy import delete, insert, select, update

from models import claims, doubts, outbox, policy, replies, reply_rows, sign_off
from models.case_steps import CaseKey
from models.doubts import SeenPost
from models.errors import WatchfloorError
from models.outbox import Call, Turn
from models.policy import Rule
from models.replies import ReplyKey
from models.tables import account_breaker, incident, policy_rule
from models.tables import reply as rows_of_replies
from tests.builders import CORVANE, HALDEN
from tests.reply_desk import CORVANE_CARE, HALDEN_CARE, Desk, X
from tests.test_policy import ADMIN

AGENTS = some.sampled_from(("ana", "ben", "petra"))
SIGNERS = some.sampled_from(("ana", "petra", "piet", "mona"))
PLACES = some.integers(0, 2)
TEXTS = some.sampled_from(("We look into it.", "It is on its way to you.", "Sorry, and thank you."))
# Mostly everybody: a floor on which nobody signs sends little.
SEVERAL_SIGNERS = some.one_of(some.just(["petra", "piet", "ana", "mona"]), some.lists(SIGNERS, max_size=4))
OUTCOMES = some.sampled_from(("sent", "sent", "sent", "silent", "lost", "refused", "died", "died after"))
ACCOUNTS = {CORVANE: CORVANE_CARE, HALDEN: HALDEN_CARE}


@dataclass
class Kept:
    """What this file knows of a reply: who signed which words since they were submitted, how often it was called."""

    author: str
    signed: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    has_reason: bool = False


class Machine(RuleBasedStateMachine):
    """One run. `desk` and the counts are of all runs."""

    desk: ClassVar[Desk]
    counted: ClassVar[Counter[str]] = Counter()
    mutate: ClassVar[Callable[[], None] | None] = None

    def __init__(self) -> None:
        super().__init__()
        desk = self.desk
        desk.wait(hours=2)
        with desk.database.write() as connection:
            connection.execute(update(policy_rule).values(valid_to=desk.now))
            connection.execute(update(incident).values(ended_at=desk.now))
            connection.execute(delete(account_breaker))
        shared = f"shared {desk.posts}"
        author = f"both know {desk.posts}"
        self.cases = [
            desk.case(shared, author=author),
            desk.case(shared, brand_id=HALDEN, author=author),
            desk.case(),
        ]
        self.kept: dict[ReplyKey, Kept] = {}
        self.tokens: dict[tuple[str, CaseKey], str] = {}
        self.seen: dict[tuple[str, CaseKey], int] = {}
        self.network: list[tuple[ReplyKey, str, str]] = []
        self.policy = (1, False)
        self.incident: str | None = None
        self.fence = 0
        self.set_policy(1, manager=False)
        self.counted["runs"] += 1

    def do(self, name: str, work: Callable[[Any], Any]) -> Any:
        """Try something in a transaction of its own; None where the product refuses it."""
        self.counted["steps"] += 1
        try:
            with self.desk.database.write() as connection:
                done = work(connection)
        except WatchfloorError as refused:
            self.counted[f"refused {type(refused).__name__}"] += 1
            return None
        self.counted[name] += 1
        return done

    def given(self, name: str) -> tuple[Any, Any]:
        return self.desk.organisation, self.desk.who[name]

    # -- the customer, the clock, those who decide ---------------------------------------------------------------------

    @rule(seconds=some.sampled_from((3, 11, 61, 200, 1_900)))
    def wait(self, seconds: int) -> None:
        self.desk.wait(seconds=seconds)

    @rule(place=PLACES)
    def customer_writes(self, place: int) -> None:
        self.desk.wait(seconds=1)
        self.desk.customer_writes(self.cases[place])

    @rule(signatures=some.integers(0, 2), manager=some.booleans())
    def set_policy(self, signatures: int, *, manager: bool) -> None:
        desk = self.desk

        def change(connection: Any) -> None:
            connection.execute(update(policy_rule).where(policy_rule.c.valid_to.is_(None)).values(valid_to=desk.now))
            if connection.execute(select(policy_rule.c.id).limit(1)).first() is None:
                policy.save(connection, desk.organisation, ADMIN, Rule("first"), now=desk.now)
                connection.execute(update(policy_rule).values(valid_to=desk.now))
            new = Rule("of this run", signatures=signatures, needs_manager=manager)
            policy.save(connection, desk.organisation, ADMIN, new, now=desk.now)

        self.do("policy", change)
        self.policy = (max(signatures, int(manager)), manager)

    @rule(outbound=some.sampled_from((None, None, None, None, "frozen", "manager")))
    def declare(self, outbound: str | None) -> None:
        desk = self.desk

        def change(connection: Any) -> None:
            connection.execute(update(incident).where(incident.c.ended_at.is_(None)).values(ended_at=desk.now))
            if outbound is not None:
                self.counted["incidents"] += 1
                values = {
                    "name": "Data centre",
                    "severity": 1,
                    "scope": {"brand_ids": [CORVANE]},
                    "outbound": outbound,
                    "reason": "down",
                    "lead_id": desk.who["mona"].person_id,
                    "declared_at": desk.now,
                    "declared_by": "Mona",
                    "expires_at": desk.now + timedelta(days=1),
                }
                connection.execute(insert(incident).values(id=self.counted["incidents"], **values))

        self.do("declare", change)
        self.incident = outbound

    # -- agents --------------------------------------------------------------------------------------------------------

    @rule(name=AGENTS, place=PLACES)
    def claim(self, name: str, place: int) -> None:
        key = self.cases[place]
        got = self.do("claimed", lambda c: claims.claim(c, *self.given(name), key, now=self.desk.now))
        if got is not None:
            self.tokens[(name, key)] = got.token
            self.look(name, place)

    @rule(name=AGENTS, place=PLACES)
    def look(self, name: str, place: int) -> None:
        self.seen[(name, self.cases[place])] = self.desk.seen(self.cases[place])

    @rule(name=AGENTS, place=PLACES, text=TEXTS)
    def write(self, name: str, place: int, text: str) -> None:
        key = self.cases[place]
        saved = self.do(
            "saved",
            lambda c: replies.save_draft(
                c,
                *self.given(name),
                key,
                text=text,
                account_id=ACCOUNTS[key.brand_id],
                claim_token=None,
                event_seen=self.seen.get((name, key), 0),
                now=self.desk.now,
            ),
        )
        if saved is not None:
            known = self.kept.setdefault(saved.key, Kept(name))
            if known.signed and set(known.signed.values()) != {saved.text_hash}:
                known.signed.clear()

    @rule(name=AGENTS, place=PLACES, reason=some.sampled_from((None, "we both must")))
    def submit(self, name: str, place: int, reason: str | None) -> None:
        self._forward("submitted", sign_off.submit, name, place, reason)

    @rule(name=AGENTS, place=PLACES, reason=some.sampled_from((None, "we both must")))
    def confirm(self, name: str, place: int, reason: str | None) -> None:
        self._forward("confirmed", sign_off.confirm, name, place, reason)

    def _forward(self, what: str, act: Callable[..., Any], name: str, place: int, reason: str | None) -> None:
        key = self.cases[place]
        row = self._newest(key, name)
        if row is None:
            return
        reply = ReplyKey(row.brand_id, row.id)
        done = self.do(
            what,
            lambda c: act(
                c,
                *self.given(name),
                reply,
                text_hash=row.text_hash,
                claim_token=self.tokens.get((name, key), ""),
                event_seen=self.seen.get((name, key), 0),
                now=self.desk.now,
                reason=reason,
            ),
        )
        if done is not None:
            known = self.kept[reply]
            known.has_reason |= reason is not None
            if what == "submitted":
                known.signed.clear()

    @rule(name=AGENTS, place=PLACES)
    def take_back(self, name: str, place: int) -> None:
        row = self._newest(self.cases[place], name)
        if row is not None:
            key = ReplyKey(row.brand_id, row.id)
            if self.do("taken back", lambda c: replies.edit(c, *self.given(name), key, now=self.desk.now)):
                self.kept[key].signed.clear()

    @rule(name=AGENTS, place=PLACES, text=TEXTS)
    def answer(self, name: str, place: int, text: str) -> None:
        """What an agent mostly does, in one go."""
        self.claim(name, place)
        self.look(name, place)
        self.write(name, place, text)
        self.submit(name, place, None)

    @rule(names=SEVERAL_SIGNERS)
    def all_sign(self, names: list[str]) -> None:
        for place in range(len(self.cases)):
            for name in names:
                self.sign(name, place, None)

    @rule(name=AGENTS, place=PLACES, text=TEXTS, names=SEVERAL_SIGNERS, outcome=OUTCOMES)
    def go_all_the_way(self, name: str, place: int, text: str, names: list[str], outcome: str) -> None:
        self.answer(name, place, text)
        self.all_sign(names)
        self.send(outcome)

    @rule(name=SIGNERS, place=PLACES, text=TEXTS)
    def sign_from_memory(self, name: str, place: int, text: str) -> None:
        self.sign(name, place, text)

    def sign(self, name: str, place: int, text: str | None) -> None:
        row = self._newest(self.cases[place], None, "awaiting_sign_off")
        if row is not None:
            key, read = ReplyKey(row.brand_id, row.id), reply_rows.hash_of(text or row.text)
            done = self.do(
                "signed",
                lambda c: sign_off.sign(c, *self.given(name), key, text_hash=read, now=self.desk.now),
            )
            if done is not None:
                assert name != self.kept[key].author, "signed their own"
                self.kept[key].signed[name] = read

    @rule(name=SIGNERS, place=PLACES)
    def send_back(self, name: str, place: int) -> None:
        row = self._newest(self.cases[place], None, "awaiting_sign_off")
        if row is not None:
            key = ReplyKey(row.brand_id, row.id)
            done = self.do(
                "sent back",
                lambda c: sign_off.send_back(
                    c, *self.given(name), key, text_hash=row.text_hash, reason="no", now=self.desk.now
                ),
            )
            if done is not None:
                self.kept[key].signed.clear()

    # -- the worker and the network ------------------------------------------------------------------------------------

    @rule(outcome=OUTCOMES)
    def send(self, outcome: str) -> None:
        # Each time another worker; the one before it is dead or slow, or has given the account back.
        self.fence += 1
        self.desk.wait(seconds=11)
        with self.desk.database.write() as connection:
            connection.execute(update(account_breaker).values(expires_at=self.desk.now - timedelta(seconds=1)))
        with self.desk.database.read() as connection:
            accounts = outbox.due_accounts(connection, f"worker {self.fence}", self.desk.now)
        for account_id in accounts:
            self._serve(account_id, outcome)

    def _serve(self, account_id: int, outcome: str) -> None:
        turn = self.do("turns", lambda c: outbox.take_turn(c, account_id, f"worker {self.fence}", now=self.desk.now))
        with self.desk.database.read() as connection:
            waiting = outbox.due(connection, account_id, self.desk.now)
        for key in waiting if turn is not None else ():
            self._call(turn, key, outcome)

    def _call(self, turn: Turn, key: ReplyKey, outcome: str) -> None:
        call = self.do("begun", lambda c: outbox.begin(c, self.desk.organisation, turn, key, now=self.desk.now))
        if not isinstance(call, Call):
            return
        self.counted["calls"] += 1
        self._judge(call)
        external_id = f"net {call.key}"
        if outcome in ("sent", "silent", "died after"):
            self.network.append((key, call.reply_to, call.text))
        now = self.desk.now
        if outcome == "sent":
            self.do("sent", lambda c: outbox.delivered(c, key, external_id=external_id, url=None, now=now))
        elif outcome in ("silent", "lost"):
            self.do("doubt", lambda c: outbox.doubtful(c, key, error="no answer", now=now))
        elif outcome == "refused":
            self.do(
                "refused",
                lambda c: outbox.refused(c, key, error="no", kind="unknown", retry_after=None, now=now),
            )
        with self.desk.database.write() as connection:
            # The breaker has tests of its own; here it would only keep things from happening.
            connection.execute(update(account_breaker).values(open_until=None, failures=0))

    def _judge(self, call: Call) -> None:
        """What must hold whenever the network is called."""
        known, row = self.kept[call.reply], self.desk.row(call.reply)
        words = reply_rows.hash_of(call.text)
        assert row.approved_hash == words, "sent other words than were approved"
        known.calls += 1
        assert known.calls == 1, "called twice"
        people = {name for name, read in known.signed.items() if read == words} - {known.author}
        wanted, manager = self.policy
        held = self.incident if call.reply.brand_id == CORVANE else None
        assert held != "frozen", "sent while frozen"
        assert len(people) >= max(wanted, int(held == "manager")), "sent without the signatures in force"
        assert "mona" in people or not (manager or held == "manager"), "sent without a manager"

    @rule()
    def read_back(self) -> None:
        posts = [
            SeenPost(key.brand_id, ACCOUNTS[key.brand_id], X, f"net watchfloor-{key}", post, text, self.desk.now)
            for key, post, text in self.network
        ]
        self.do("read back", lambda c: doubts.read_back(c, posts, now=self.desk.now))

    @rule(name=AGENTS, place=PLACES)
    def decide_not_sent(self, name: str, place: int) -> None:
        row = self._newest(self.cases[place], None, "unknown")
        if row is None or any(key == ReplyKey(row.brand_id, row.id) for key, _, _ in self.network):
            # A person who looks sees what is there.
            return
        key = ReplyKey(row.brand_id, row.id)
        self.do(
            "decided",
            lambda c: doubts.mark_not_sent(c, *self.given(name), key, reason="looked", now=self.desk.now),
        )

    def teardown(self) -> None:
        """What must hold at the end of every run."""
        by_post: dict[str, list[ReplyKey]] = {}
        for key, post, _ in self.network:
            by_post.setdefault(post, []).append(key)
        for post, keys in by_post.items():
            assert len(keys) == len(set(keys)), f"{post} was answered twice by one reply"
            assert sum(not self.kept[key].has_reason for key in keys) <= 1, f"{post} was answered twice"
        with self.desk.database.read() as connection:
            for case in self.cases:
                live = connection.execute(
                    select(rows_of_replies.c.id).where(
                        rows_of_replies.c.brand_id == case.brand_id,
                        rows_of_replies.c.case_id == case.id,
                        rows_of_replies.c.state.in_(("approved", "sending", "unknown")),
                    )
                ).all()
                assert len(live) <= 1, "two replies of one case are on their way"

    def _newest(self, case: CaseKey, name: str | None, state: str | None = None) -> Any:
        table = rows_of_replies.c
        wanted = select(rows_of_replies).where(table.brand_id == case.brand_id, table.case_id == case.id)
        if name is not None:
            wanted = wanted.where(table.author_id == self.desk.who[name].person_id)
        if state is not None:
            wanted = wanted.where(table.state == state)
        with self.desk.database.read() as connection:
            return connection.execute(wanted.order_by(table.id.desc()).limit(1)).first()
