"""What networks bring to cases: posts of customers open, join and reopen them, answers of ours end their rounds.

A page is worked through in one go: the cases it concerns are read together, its posts taken in the order in which they
were published, and what came of it is written together. Posts may come in any order; the clocks put them right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from models.bulk import asked
from models.case_clocks import posted_at
from models.case_steps import CLOSED, RESOLVED, WAITING, CaseKey, Event
from models.case_writing import NO_CLAIM, NOBODY, Who, Working, clock_events, open_key, write
from models.cases import answer
from models.database import new_id
from models.incident_cases import IncidentOf
from models.networks import BY_ID
from models.routing import SPOKEN, Facts, Routing, decide
from models.tables import desk_case
from models.tables.base import to_microseconds

# A further post joins the case within this long; after our answer and so much silence the case is settled.
JOINS_WITHIN = timedelta(hours=72)
REOPENS_WITHIN = timedelta(days=7)
# What is older than this when we first read it opens no case: an answer would come too late to help anybody.
OPENS_WITHIN = timedelta(hours=12)
# What is older still is not even compared with cases.
LOOKS_BACK = REOPENS_WITHIN + JOINS_WITHIN

_CASES = select(desk_case).where(
    desk_case.c.brand_id == bindparam("brand"), desk_case.c.id.in_(bindparam("cases", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A post of somebody else that was just stored as a mention of a brand of ours; `root` of its thread."""

    brand_id: int
    mention_id: int
    network_id: int
    external_id: str
    posted_at: datetime
    kind: str
    author_key: str
    author_handle: str | None
    author_name: str | None
    author_followers: int | None
    text: str
    language: str | None
    sentiment: int | None
    location_id: int
    team_id: int
    root: str
    addresses_us: bool = False


@dataclass(frozen=True, slots=True)
class OurAnswer:
    """An answer that an account of ours published, to which post in which thread, by whom of us where that is known."""

    brand_id: int
    network_id: int
    external_id: str
    reply_to: str
    root: str
    posted_at: datetime
    account_id: int
    actor: str
    person_id: int | None = None
    is_automatic: bool = False


@dataclass(slots=True)
class Desk:
    """The cases that a page concerns. `take` and `hear` change them in memory, `write` writes what came of it."""

    connection: Connection
    opens_within: timedelta = OPENS_WITHIN
    # Who brings the posts to it; None = their network.
    by: Who | None = None
    incident_of: IncidentOf | None = None
    opened: int = 0
    joined: int = 0
    answered: int = 0
    _works: dict[CaseKey, Working] = field(default_factory=dict)
    _by_author: dict[tuple[int, int, str], list[Working]] = field(default_factory=dict)
    # (brand, network, post of a customer) -> its case.
    _by_post: dict[tuple[int, int, str], Working] = field(default_factory=dict)
    _told: dict[CaseKey, list[Event]] = field(default_factory=dict)

    def read(self, arrived: Sequence[Arrived], answers: Sequence[OurAnswer], now: datetime) -> None:
        """Read the cases that these posts may concern; nobody else changes them until the transaction ends."""
        keys = _of_authors(self.connection, arrived, now) | _of_answered(self.connection, answers)
        works = _locked(self.connection, {key for key, _ in keys})
        self._told = clock_events(self.connection, list(works))
        for key, work in works.items():
            self._keep(key, work)
        for key, post in keys:
            if post is not None and key in works:
                self._by_post[(key.brand_id, works[key].values["network_id"], post)] = works[key]

    def take(self, post: Arrived, routing: Routing, *, now: datetime) -> Working | None:
        """Put a customer's post where it belongs: into their open case, one that it reopens, a new one, or none."""
        if post.kind not in SPOKEN:
            return None
        known = self._by_author.get((post.brand_id, post.network_id, _whose(post)), [])
        live = next((work for work in known if work.state not in CLOSED), None)
        if live is not None and self._is_over(live, post):
            live.happen("settled", Who(None, "rule"), now=now, resolved_at=now, **_resolved(live, now), **NO_CLAIM)
            live = None
        if live is not None:
            return self._join(live, post, routing, now)
        before = next((work for work in known if self._reopens(work, post)), None)
        if before is not None and before.state == RESOLVED:
            return self._join(before, post, routing, now)
        return self._open(post, routing, now)

    def hear(self, said: OurAnswer, *, now: datetime) -> Event | None:
        """An answer of ours: it ends the round of the case whose post it answers, else of the one in its thread."""
        work = self._by_post.get((said.brand_id, said.network_id, said.reply_to))
        if work is None:
            threads = [
                work
                for work in self._works.values()
                if (work.key.brand_id, work.values["network_id"], work.values["thread"])
                == (said.brand_id, said.network_id, said.root)
            ]
            # Where several people wait in one thread nobody knows whom it was meant for.
            work = threads[0] if len(threads) == 1 else None
        if work is None or said.posted_at < self._first_at(work):
            return None
        event = answer(
            work,
            self._told.get(work.key, ()),
            Who(said.person_id, said.actor),
            post=said.external_id,
            posted_at=said.posted_at,
            now=now,
            account_id=said.account_id,
            is_automatic=said.is_automatic,
        )
        self.answered += event is not None
        return event

    def write(self, *, now: datetime, recorded_at: datetime | None = None) -> set[int]:
        """Write what happened; returns the brands whose cases changed. The audit log has it `recorded_at`, or now."""
        changed = [work for work in self._works.values() if work.events]
        write(self.connection, changed, now=now, told=self._told, recorded_at=recorded_at)
        return {work.key.brand_id for work in changed}

    # -- one post ------------------------------------------------------------------------------------------

    def _is_over(self, work: Working, post: Arrived) -> bool:
        """Answered, silent for long, and now something else: that conversation is over."""
        return work.state == WAITING and not _is_near(work, post) and post.posted_at > work.values["last_customer_at"]

    def _reopens(self, work: Working, post: Arrived) -> bool:
        resolved_at = work.values["resolved_at"]
        return resolved_at is not None and (
            post.posted_at - resolved_at <= REOPENS_WITHIN if post.posted_at > resolved_at else _is_near(work, post)
        )

    def _join(self, work: Working, post: Arrived, routing: Routing, now: datetime) -> Working | None:
        values = work.values
        is_newest = post.posted_at >= values["last_customer_at"]
        if not is_newest and not _is_near(work, post):
            return None
        # History that is filled in would make somebody late who was never asked: what opens no case begins no round.
        if post.posted_at < min(now - self.opens_within, values["opened_at"]):
            return None
        ours = values["last_ours_at"]
        # Of two at the same instant the one that came later is the later one, as for the clocks.
        is_unanswered = ours is None or post.posted_at >= ours
        kind = "joined"
        if is_newest and is_unanswered and work.state == WAITING:
            kind = "came_back"
        elif is_newest and is_unanswered and work.state == RESOLVED:
            # Also where it was published before: nobody had seen it.
            kind = "reopened_by_customer"
        changes: dict[str, Any] = {}
        if is_newest:
            changes = {
                "thread": post.root,
                "last_mention_id": post.mention_id,
                "last_post": post.external_id,
                "last_customer_at": post.posted_at,
                "sentiment": post.sentiment,
                "snoozed_until": None,
                "author_handle": post.author_handle,
                "author_name": post.author_name,
                "author_followers": post.author_followers,
            }
            decision = decide(routing, _facts(post))
            if decision.opens and decision.priority < values["priority"]:
                changes["priority"] = decision.priority
        if kind == "reopened_by_customer":
            changes["resolved_at"] = None
        self._happen(work, kind, post, now, {}, changes)
        self.joined += 1
        return work

    def _open(self, post: Arrived, routing: Routing, now: datetime) -> Working | None:
        if post.posted_at < now - self.opens_within:
            return None
        decision = decide(routing, _facts(post))
        if not decision.opens:
            return None
        opened_at = min(post.posted_at, now)
        work = Working.opened(
            {
                "brand_id": post.brand_id,
                "id": new_id(opened_at),
                "network_id": post.network_id,
                "open_key": open_key(post.author_key, post.root),
                "thread": post.root,
                "author_key": post.author_key,
                "author_handle": post.author_handle,
                "author_name": post.author_name,
                "author_followers": post.author_followers,
                "priority": decision.priority,
                "team_id": decision.team_id,
                "location_id": post.location_id,
                "language": post.language,
                "sentiment": post.sentiment,
                "opened_at": opened_at,
                "last_mention_id": post.mention_id,
                "last_post": post.external_id,
                "last_customer_at": post.posted_at,
                "incident_id": self._incident_of(post),
            }
        )
        self._keep(work.key, work)
        self._happen(work, "opened", post, now, {"rule": decision.rule_name}, {})
        self.opened += 1
        return work

    def _incident_of(self, post: Arrived) -> int | None:
        if self.incident_of is None:
            return None
        return self.incident_of(post.brand_id, post.location_id, post.network_id, post.text)

    def _happen(
        self,
        work: Working,
        kind: str,
        post: Arrived,
        now: datetime,
        said: Mapping[str, Any],
        changes: Mapping[str, Any],
    ) -> None:
        details = {**said, "posted_at": post.posted_at}
        by = self.by or Who(None, BY_ID[post.network_id].name)
        work.happen(kind, by, now=now, mention_id=post.mention_id, details=details, **changes)
        self._by_post[(post.brand_id, post.network_id, post.external_id)] = work

    def _keep(self, key: CaseKey, work: Working) -> None:
        self._works[key] = work
        values = work.values
        whose = values["author_key"] if values["author_key"] not in NOBODY else open_key("", values["thread"])
        among = self._by_author.setdefault((key.brand_id, values["network_id"], whose), [])
        # The newest first.
        among.insert(0, work)
        among.sort(key=lambda one: one.key.id, reverse=True)

    def _first_at(self, work: Working) -> datetime:
        told = [*self._told.get(work.key, ()), *work.events]
        return min(
            (posted_at(event) for event in told if event.mention_id is not None), default=work.values["opened_at"]
        )


def _facts(post: Arrived) -> Facts:
    return Facts(
        brand_id=post.brand_id,
        location_id=post.location_id,
        network_id=post.network_id,
        team_id=post.team_id,
        kind=post.kind,
        language=post.language,
        text=post.text,
        reach=post.author_followers,
        sentiment=post.sentiment,
        at=post.posted_at,
        addresses_us=post.addresses_us,
    )


def _whose(post: Arrived) -> str:
    return post.author_key if post.author_key not in NOBODY else open_key("", post.root)


def _is_near(work: Working, post: Arrived) -> bool:
    """In the same thread, or within 72 hours of what the case holds."""
    first: datetime = work.values["opened_at"] - JOINS_WITHIN
    last: datetime = work.values["last_customer_at"] + JOINS_WITHIN
    return post.root == work.values["thread"] or first <= post.posted_at <= last


def _resolved(work: Working, now: datetime) -> dict[str, Any]:
    return {"first_resolved_at": work.values["first_resolved_at"] or now, "assigned_to": None, "snoozed_until": None}


# -- which cases -----------------------------------------------------------------------------------------------


def authors_with_cases(
    connection: Connection, authors: Collection[tuple[int, int, str]], now: datetime
) -> set[tuple[int, int, str]]:
    """Those of (brand, network, author) who have an open case, or one that was resolved lately."""
    named = {author for author in authors if author[2] not in NOBODY}
    return set() if not named else {author for author, _ in _lately(connection, "author_key", named, now)}


def _lately(
    connection: Connection, column: str, keys: Collection[tuple[int, int, str]], now: datetime
) -> list[tuple[tuple[int, int, str], CaseKey]]:
    """Open cases and those resolved lately, by author or by thread."""
    relation, params = asked(connection, keys)
    nobody = " and c.author_key in ('', 'unknown')" if column == "thread" else ""
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, a.a2, c.id from {relation} cross join desk_case c"  # noqa: S608
        f" where c.brand_id = a.a0 and c.network_id = a.a1 and c.{column} = a.a2{nobody}"
        f" and (c.open_key is not null or c.resolved_at >= {to_microseconds(now - LOOKS_BACK)})",
        params,
    )
    return [((row[0], row[1], row[2]), CaseKey(row[0], row[3])) for row in rows]


def _of_authors(connection: Connection, arrived: Sequence[Arrived], now: datetime) -> set[tuple[CaseKey, str | None]]:
    """The open cases of the authors, and those closed lately; of nobody's posts, those of their threads."""
    near = [post for post in arrived if post.kind in SPOKEN]
    named = {(post.brand_id, post.network_id, post.author_key) for post in near if post.author_key not in NOBODY}
    nameless = {(post.brand_id, post.network_id, post.root) for post in near if post.author_key in NOBODY}
    found: set[tuple[CaseKey, str | None]] = set()
    for column, keys in (("author_key", named), ("thread", nameless)):
        if keys:
            found |= {(key, None) for _, key in _lately(connection, column, keys, now)}
    return found


def _of_answered(connection: Connection, answers: Sequence[OurAnswer]) -> set[tuple[CaseKey, str | None]]:
    """The cases of the posts that were answered, with that post; and those whose newest thread it is."""
    if not answers:
        return set()
    relation, params = asked(connection, {(said.brand_id, said.network_id, said.reply_to) for said in answers})
    rows = connection.exec_driver_sql(
        "select e.brand_id, e.case_id, a.a2"  # noqa: S608
        f" from {relation} cross join mention m cross join case_event e"
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2"
        " and e.brand_id = m.brand_id and e.mention_id = m.id",
        params,
    )
    found: set[tuple[CaseKey, str | None]] = {(CaseKey(row[0], row[1]), row[2]) for row in rows}
    relation, params = asked(connection, {(said.brand_id, said.network_id, said.root) for said in answers})
    rows = connection.exec_driver_sql(
        f"select c.brand_id, c.id from {relation} cross join desk_case c"  # noqa: S608
        " where c.brand_id = a.a0 and c.network_id = a.a1 and c.thread = a.a2 and c.open_key is not null",
        params,
    )
    return found | {(CaseKey(row[0], row[1]), None) for row in rows}


def _locked(connection: Connection, keys: Collection[CaseKey]) -> dict[CaseKey, Working]:
    found: dict[CaseKey, Working] = {}
    for brand_id in sorted({key.brand_id for key in keys}):
        statement = _CASES.order_by(desk_case.c.id)
        if connection.dialect.name == "postgresql":
            statement = statement.with_for_update()
        rows = connection.execute(
            statement, {"brand": brand_id, "cases": sorted(key.id for key in keys if key.brand_id == brand_id)}
        )
        for row in rows:
            found[CaseKey(brand_id, row.id)] = Working.of(row._asdict())
    return found
