"""Cases as people work on them: one `advance` for whatever they ask for, each checked for right, scope and state.

Claims are in models/claims.py, what networks bring in models/case_arrivals.py; all of them write through
models/case_writing.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from models import audit, case_actions, case_steps, people
from models.access import DRAFT, Access
from models.case_actions import Asked
from models.case_scope import may_see
from models.case_steps import MATTERS, Case, CaseKey, Event, WrongState, case_of
from models.case_writing import TOLD, Who, Working, clock_events, event_of, open_key, plain, tell, write
from models.errors import InputError, NotFound, WatchfloorError
from models.organisation import Organisation
from models.tables import case_event, desk_case, person

__all__ = ["CaseKey", "Event", "Stale", "Taken", "WrongState", "advance", "answered", "newer", "note_reply", "visible"]

_SAID = {
    "opened": "the case was opened",
    "joined": "the customer wrote again",
    "came_back": "the customer wrote again",
    "reopened_by_customer": "the customer wrote again",
    "edited": "the customer changed a post",
    "deleted": "a post was deleted",
    "answered": "somebody answered",
    "answer_noted": "somebody answered",
    "auto_answered": "an automatic answer went out",
    "sent": "a reply was sent",
    "native": "a reply was sent on the network itself",
    "noted": "a note was written",
    "handed_over": "the case was handed over",
    "taken_over": "the case was taken over",
    "escalated": "the case was escalated",
    "linked": "the case was linked to an incident",
    "dismissed": "the case was dismissed",
    "resolved": "the case was resolved",
    "reopened": "the case was reopened",
}


class Stale(WatchfloorError):
    """More happened than the person had seen; `newer` is what, oldest first."""

    def __init__(self, newer: Sequence[Event]) -> None:
        self.newer = tuple(newer)
        said = dict.fromkeys(f"{_SAID[event.kind]} at {event.at:%H:%M:%S} UTC" for event in newer)
        super().__init__(f"the case has changed since you read it: {'; '.join(said)}; read it, then do it again")


class Taken(WatchfloorError):
    """A colleague holds the case."""

    def __init__(self, by: int, name: str, until: datetime) -> None:
        self.by, self.name, self.until = by, name, until
        super().__init__(f"{name} has this case until {until:%H:%M:%S} UTC; take it over with a reason")


@dataclass(frozen=True, slots=True)
class Told:
    """A case as its audit tells it; `number` of the last event that was told."""

    values: Mapping[str, Any]
    number: int


def advance(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    action: str,
    *,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    event_seen: int | None = None,
    address: str | None = None,
) -> Event:
    """Do what a person asks of a case and return the event.

    NotFound for what they may not see, AccessDenied, WrongState, Taken while a colleague holds it (but for what does
    not disturb them), Stale where more happened than `event_seen`, InputError for details that cannot be.
    """
    work = prepare(connection, organisation, who, key, action, now=now, details=details or {}, event_seen=event_seen)
    event = happened(work, who, action, organisation, now=now, details=details or {}, address=address)
    write(connection, [work], now=now)
    tell(connection, [key.brand_id])
    return event


def prepare(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    action: str,
    *,
    now: datetime,
    details: Mapping[str, Any],
    event_seen: int | None = None,
) -> Working:
    """The case, ready to be changed: everything but the details is checked, and nobody else changes it meanwhile."""
    if action not in case_actions.PLANS:
        raise ValueError(f'nobody asks for "{action}" of a case; known: {", ".join(sorted(case_actions.PLANS))}')
    right = case_steps.STEPS[action][0].right
    assert right is not None
    work = required(connection, organisation, who, key, right)
    case = case_of(work.values)
    case_steps.step(action, case.state)
    if event_seen is not None and (missed := newer(connection, key, event_seen, person_id=who.person_id)):
        raise Stale(missed)
    holder = case.holder(now)
    disturbs = action not in case_actions.BESIDE or "assigned_to" in details
    if holder is not None and holder != who.person_id and disturbs:
        raise taken(connection, case)
    if action == "reopened":
        refuse_second(connection, case)
    _refuse_strangers(connection, organisation, case, details, now)
    return work


def happened(
    work: Working,
    who: Access,
    action: str,
    organisation: Organisation,
    *,
    now: datetime,
    details: Mapping[str, Any],
    address: str | None = None,
) -> Event:
    """Note a prepared action in the case, without writing it yet."""
    case = case_of(work.values)
    plan = case_actions.plan(action, Asked(case, who.person_id, organisation, details, now))
    after = {**plan.values, "state": case_steps.step(action, case.state).after}
    changed = {name: value for name, value in after.items() if work.values[name] != value and name in TOLD}
    said = {**plan.said, **audit.difference({name: work.values[name] for name in changed}, changed)}
    actor = Who(who.person_id, who.name, address)
    return work.happen(action, actor, now=now, details=plain(said) if changed else plan.said, **plan.values)


def visible(connection: Connection, organisation: Organisation, who: Access, key: CaseKey) -> Case:
    """The case, for somebody who may see it. NotFound for everybody else, in the same words as for no case."""
    return case_of(visible_row(connection, organisation, who, key))


def visible_row(
    connection: Connection, organisation: Organisation, who: Access, key: CaseKey, *, lock: bool = False
) -> Mapping[str, Any]:
    """The columns of a case that somebody may see; NotFound. With `lock` nobody else changes it meanwhile."""
    row = _row(connection, key, lock=lock)
    if row is None or not may_see(who, organisation, row.brand_id, row.location_id, row.team_id):
        raise NotFound(f'no case "{key}"')
    found: Mapping[str, Any] = row._asdict()
    return found


def required(connection: Connection, organisation: Organisation, who: Access, key: CaseKey, right: str) -> Working:
    """The case to be changed by somebody who has the right there; NotFound, AccessDenied.

    Nobody else changes it until the transaction ends.
    """
    found = visible_row(connection, organisation, who, key, lock=True)
    place = {name: found[name] for name in ("brand_id", "location_id", "team_id")}
    who.require_for(right, organisation, **place)
    return Working.of(found)


def require(connection: Connection, organisation: Organisation, who: Access, key: CaseKey, right: str) -> Case:
    """The case, for somebody who may see it and has the right there; NotFound, AccessDenied."""
    return case_of(required(connection, organisation, who, key, right).values)


def events_after(connection: Connection, key: CaseKey, number: int) -> tuple[Event, ...]:
    """What happened to a case after an event, oldest first."""
    rows = connection.execute(
        select(case_event)
        .where(case_event.c.brand_id == key.brand_id, case_event.c.case_id == key.id, case_event.c.number > number)
        .order_by(case_event.c.number)
    )
    return tuple(event_of(row) for row in rows)


def newer(connection: Connection, key: CaseKey, event_seen: int, *, person_id: int) -> tuple[Event, ...]:
    """What happened after the last event a person had seen, as far as it matters to an answer and others did it."""
    after = events_after(connection, key, event_seen)
    return tuple(event for event in after if event.kind in MATTERS and event.person_id != person_id)


def note_reply(
    connection: Connection,
    key: CaseKey,
    kind: str,
    *,
    reply_id: int,
    now: datetime,
    person_id: int | None,
    actor: str,
    details: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Event:
    """Tell in its case what became of a reply; with it goes the row of the audit log. The case stays as it is."""
    if kind not in case_steps.REPLY_KINDS:
        raise ValueError(f'"{kind}" is nothing that becomes of a reply; known: {sorted(case_steps.REPLY_KINDS)}')
    work = locked(connection, key)
    who = Who(person_id, actor, address)
    event = work.happen(kind, who, now=now, reply_id=reply_id, details=details)
    write(connection, [work], now=now)
    tell(connection, [key.brand_id])
    return event


def answered(
    connection: Connection,
    key: CaseKey,
    *,
    post: str,
    posted_at: datetime,
    now: datetime,
    actor: str,
    person_id: int | None = None,
    reply_id: int | None = None,
    account_id: int | None = None,
    is_automatic: bool = False,
) -> Event | None:
    """An answer of ours is on the network: it ends the round, unless it is automatic or the customer wrote since.

    `post` is its id on the network; the same one again is nothing new: None.
    """
    work = locked(connection, key)
    event = answer(
        work,
        clock_events_of(connection, key),
        Who(person_id, actor),
        post=post,
        posted_at=posted_at,
        now=now,
        reply_id=reply_id,
        account_id=account_id,
        is_automatic=is_automatic,
    )
    if event is not None:
        write(connection, [work], now=now)
        tell(connection, [key.brand_id])
    return event


def answer(
    work: Working,
    known: Iterable[Event],
    who: Who,
    *,
    post: str,
    posted_at: datetime,
    now: datetime,
    reply_id: int | None = None,
    account_id: int | None = None,
    is_automatic: bool = False,
) -> Event | None:
    """Note an answer of ours in a case; None where it is noted already."""
    if any(event.details.get("post") == post for event in [*known, *work.events] if event.kind in ANSWERS):
        return None
    ends = posted_at >= work.values["last_customer_at"] and not is_automatic
    kind = "auto_answered" if is_automatic else "answered" if ends else "answer_noted"
    details: dict[str, Any] = {"post": post, "posted_at": posted_at}
    if account_id is not None:
        details["account_id"] = account_id
    # A snooze that waited for the customer goes on; one until a time as well.
    return work.happen(kind, who, now=now, reply_id=reply_id, details=details)


ANSWERS = frozenset({"answered", "answer_noted", "auto_answered"})


def replay(entries: Iterable[audit.Entry]) -> Told:
    """The state of a case by its rows of the audit log alone, in any order: what `told_of` says of the case itself."""
    values: dict[str, Any] = dict.fromkeys(TOLD)
    number = 0
    numbered = [entry for entry in entries if entry.details and "event" in entry.details]
    for entry in sorted(numbered, key=lambda entry: (entry.details or {})["event"]):
        details = entry.details or {}
        values.update(details.get(audit.AFTER, {}))
        number = details["event"]
    return Told(values, number)


def told_of(case: Case) -> Told:
    """What the audit log should tell of a case."""
    return Told({name: plain(getattr(case, name)) for name in TOLD}, case.last_event)


# -- rows ------------------------------------------------------------------------------------------------------


def locked(connection: Connection, key: CaseKey) -> Working:
    """The case to be changed by a rule or the network. NotFound."""
    row = _row(connection, key, lock=True)
    if row is None:
        raise NotFound(f'no case "{key}"')
    return Working.of(row._asdict())


def clock_events_of(connection: Connection, key: CaseKey) -> list[Event]:
    """The events of one case that clocks know of."""
    return clock_events(connection, [key]).get(key, [])


def taken(connection: Connection, case: Case) -> Taken:
    """The refusal that names who holds the case."""
    assert case.claimed_by is not None
    assert case.claim_expires_at is not None
    name = connection.execute(select(person.c.name).where(person.c.id == case.claimed_by)).scalar()
    return Taken(case.claimed_by, name or "a colleague", case.claim_expires_at)


def _row(connection: Connection, key: CaseKey, *, lock: bool = False) -> Any:
    # SQLite has one writer, who holds the lock already.
    statement = _LOCKED if lock and connection.dialect.name == "postgresql" else _CASE
    return connection.execute(statement, {"brand": key.brand_id, "case": key.id}).first()


# Every request reads a case: to build the statement anew takes as long as to ask it.
_CASE = select(desk_case).where(desk_case.c.brand_id == bindparam("brand"), desk_case.c.id == bindparam("case"))
_LOCKED = _CASE.with_for_update()


def refuse_second(connection: Connection, case: Case) -> None:
    """At most one open case of a person with a brand on a network."""
    found = connection.execute(
        select(desk_case.c.id).where(
            desk_case.c.brand_id == case.key.brand_id,
            desk_case.c.network_id == case.network_id,
            desk_case.c.open_key == open_key(case.author_key, case.thread),
        )
    ).scalar()
    if found is not None:
        raise WrongState(f"a newer case of the same person is open: go on in {CaseKey(case.key.brand_id, found)}")


def _refuse_strangers(
    connection: Connection, organisation: Organisation, case: Case, details: Mapping[str, Any], now: datetime
) -> None:
    """Colleagues who are named have to be there; who gets a case has to be somebody who may work on it."""
    assigned = details.get("assigned_to")
    named = {person_id for person_id in (assigned, *details.get("people", ())) if person_id}
    if not named:
        return
    found = {
        row.id: row
        for row in connection.execute(
            select(person.c.id, person.c.email, person.c.name).where(
                person.c.id.in_(named), person.c.disabled_at.is_(None)
            )
        )
    }
    if missing := named - found.keys():
        raise NotFound(f"no person {min(missing)}")
    if assigned:
        one = found[assigned]
        grants = people.granted(people.memberships(connection, [assigned], now).get(assigned, ()))
        access = Access.granted(one.id, one.email, one.name, grants)
        place = {"brand_id": case.key.brand_id, "location_id": case.location_id, "team_id": case.team_id}
        if "team_id" in details:
            place["team_id"] = details["team_id"] or case.team_id
        if not (may_see(access, organisation, **place) and access.may_for(DRAFT, organisation, **place)):
            raise InputError(f"{one.name} may not work on this case; give it to somebody who may")
