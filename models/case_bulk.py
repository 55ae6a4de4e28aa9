"""One action on many cases, and the way back. Never one text to many: what is sent is not among the actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from models import cases, claims
from models.access import DRAFT, Access
from models.audit import AFTER, BEFORE
from models.case_steps import CLOSED, LIVE, CaseKey, Event, WrongState, case_of
from models.case_writing import NO_CLAIM, Who, Working, event_of, plain, tell, write
from models.errors import InputError, WatchfloorError
from models.organisation import Organisation
from models.tables import case_event, desk_case
from models.tables.base import UtcDateTime

ACTIONS = ("claimed", "assigned", "dismissed", "tagged")
MOST_CASES = 200
UNDO_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Done:
    """A case in which it was done: its event, and the token of the claim where it was claimed."""

    key: CaseKey
    event: int
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """What was done, and what was not, each with the reason in words."""

    done: tuple[Done, ...]
    refused: tuple[tuple[CaseKey, str], ...]


def bulk(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    keys: Sequence[CaseKey],
    action: str,
    *,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> Bulk:
    """Claim, assign, dismiss or tag at most 200 cases; what one of them refuses stops none of the others.

    InputError for another action, for none and for too many.
    """
    _check(keys)
    if action not in ACTIONS:
        raise InputError(f'"{action}" is not done to many cases at once; known: {", ".join(ACTIONS)}')
    works: list[Working] = []

    def one(key: CaseKey) -> Done:
        if action == "claimed":
            got = claims.win(connection, organisation, who, key, now=now, address=address)
            return Done(key, got.event, got.token)
        said = details or {}
        work = cases.prepare(connection, organisation, who, key, action, now=now, details=said)
        event = cases.happened(work, who, action, organisation, now=now, details=said, address=address)
        works.append(work)
        return Done(key, event.number)

    return _each(connection, keys, one, works, now)


def undo(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    done: Sequence[Done],
    *,
    now: datetime,
    address: str | None = None,
) -> Bulk:
    """Take back what somebody did to many cases within the last five minutes; that is told by events too.

    Only who did it may, and only where nobody changed the same since.
    """
    events = {item.key: item.event for item in done}
    _check(list(events))
    works: list[Working] = []

    def one(key: CaseKey) -> Done:
        work = cases.required(connection, organisation, who, key, DRAFT)
        back = _undone(connection, work, who, events[key], now, address)
        works.append(work)
        return Done(key, back.number)

    return _each(connection, list(events), one, works, now)


def _check(keys: Sequence[CaseKey]) -> None:
    if not 1 <= len(keys) <= MOST_CASES:
        raise InputError(f"{len(keys):,} cases: choose 1 to {MOST_CASES}")


def _each(
    connection: Connection, keys: Sequence[CaseKey], one: Callable[[CaseKey], Done], works: list[Working], now: datetime
) -> Bulk:
    """In ascending order, so that two people who do it at the same time never wait for each other in a circle."""
    done: list[Done] = []
    refused: list[tuple[CaseKey, str]] = []
    for key in sorted(set(keys)):
        try:
            done.append(one(key))
        except WatchfloorError as error:
            refused.append((key, str(error)))
    write(connection, works, now=now)
    tell(connection, {item.key.brand_id for item in done})
    return Bulk(tuple(done), tuple(refused))


def _undone(
    connection: Connection, work: Working, who: Access, number: int, now: datetime, address: str | None
) -> Event:
    event = _event(connection, work.key, number)
    if event is None or event.kind not in ACTIONS or event.person_id != who.person_id:
        raise InputError("only who did it can take it back")
    if now - event.at > UNDO_WITHIN:
        raise InputError(f"it was done more than {UNDO_WITHIN // timedelta(minutes=1)} minutes ago")
    by = Who(who.person_id, who.name, address)
    if event.kind == "claimed":
        if work.values["claimed_by"] != who.person_id:
            raise InputError("you do not hold the case any more")
        return work.happen("undone", by, now=now, details={"of": number}, **NO_CLAIM)
    before, after = event.details.get(BEFORE, {}), event.details.get(AFTER, {})
    if any(plain(work.values[name]) != value for name, value in after.items()):
        raise WrongState("the case has changed since")
    values = {name: _read(name, value) for name, value in before.items()}
    if values.get("state") in LIVE and case_of(work.values).state in CLOSED:
        cases.refuse_second(connection, case_of(work.values))
    # What a dismissal ended, a claim, does not come back by itself.
    values |= {name: None for name in NO_CLAIM if name in values}
    return work.happen("undone", by, now=now, details={"of": number, BEFORE: after, AFTER: before}, **values)


def _event(connection: Connection, key: CaseKey, number: int) -> Event | None:
    row = connection.execute(
        select(case_event).where(
            case_event.c.brand_id == key.brand_id, case_event.c.case_id == key.id, case_event.c.number == number
        )
    ).first()
    return None if row is None else event_of(row)


def _read(name: str, value: Any) -> Any:
    """A column's value from what an event kept of it."""
    is_instant = isinstance(desk_case.columns[name].type, UtcDateTime)
    return datetime.fromisoformat(value) if is_instant and value is not None else value
