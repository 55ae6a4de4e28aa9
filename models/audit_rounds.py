"""Checking the audit log all the time, a slice now and then: how far it is known to be whole is remembered.

New links are checked as they come, the whole chain once an hour (more rarely where that takes long) and whenever
somebody asks. What was found stands in the row of the turn, signed with the key that lies outside the database, so
that nobody who can write there can make the checker skip anything: a mark that is not ours is forgotten.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from time import thread_time
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from models.audit_chain import THE_TURN, TOPIC, TURN, Clock, Link, is_ours, newest_link, take_turn
from models.audit_check import SLICE, Known, Mark, Unchained, end_fault, expectations, tail, walk
from models.audit_heads import Outside, stored_heads
from models.audit_why import Fault
from models.database import Database, raise_change, time_id
from models.errors import InputError
from models.tables import audit, audit_head, audit_link, audit_turn
from models.tables.base import from_microseconds, to_microseconds

EVERY = timedelta(hours=1)
# Checking everything takes at most one part in so many of a core.
RESTS = 50
# How far back the rows that wait for their link are counted for the screen.
WAITING = timedelta(hours=6)
START = Mark()


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known. Up to `mark` every link held `at`; `whole_at` is when the whole chain last did, None = never.

    `running` is how far the check of everything has come that began at `began_at`, None where none is under way.
    """

    mark: Mark = START
    at: datetime | None = None
    whole_at: datetime | None = None
    took_seconds: float = 0.0
    running: Mark | None = None
    began_at: datetime | None = None
    fault: Fault | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The chain as a screen tells of it. `last` is its end, `first_at` the date of its first row; None = empty.

    `is_asked` says that somebody asked for all of it to be checked again, and it has not begun.
    """

    last: Link | None
    first_at: datetime | None
    checked: Checked
    is_asked: bool
    unchained: Unchained
    head_day: str | None
    head_number: int | None
    head_at: datetime | None
    head_key: str | None


def step(database: Database, outside: Outside, owner: str, *, now: Clock) -> bool:
    """Check one slice, if anything is due and it is this worker's turn; True when there is more to do at once."""
    began, at = thread_time(), now()
    with database.read() as connection:
        turn = connection.execute(select(audit_turn).where(audit_turn.c.id == THE_TURN)).first()
        last = newest_link(connection)
        if turn is None or last is None or not is_ours(turn, owner, at):
            return False
        checked = _opened(turn.checked, outside)
        if checked.running is None and _is_due(checked, turn.asked_at, at):
            checked = replace(checked, running=START, began_at=at, took_seconds=0.0)
        is_new = last.number != checked.mark.number and checked.fault is None
        if checked.running is None and not is_new:
            return False
        after = _further(connection, checked, last, outside, at)
    after = replace(after, took_seconds=after.took_seconds + thread_time() - began)
    with database.write() as connection:
        if not take_turn(connection, owner, turn.fence, until=at + TURN):
            return False
        held = update(audit_turn).where(audit_turn.c.id == THE_TURN).values(checked=_sealed(after, outside))
        connection.execute(held)
        raise_change(connection, TOPIC)
    return after.running is not None


def ask(connection: Connection, *, now: datetime) -> None:
    """Ask for everything to be checked again; a worker begins within a second."""
    asked = update(audit_turn).where(audit_turn.c.id == THE_TURN).values(asked_at=now)
    if not connection.execute(asked).rowcount:
        connection.execute(insert(audit_turn).values(id=THE_TURN, fence=0, asked_at=now))
    raise_change(connection, TOPIC)


def state(connection: Connection, *, now: datetime) -> State:
    """What a screen says of the chain: a handful of single rows, and the rows of the last hours without a link."""
    turn = connection.execute(select(audit_turn).where(audit_turn.c.id == THE_TURN)).first()
    last = newest_link(connection)
    checked = Checked() if turn is None else _read(turn.checked)
    first = connection.execute(
        select(audit.c.at).join(audit_link, audit_link.c.audit_id == audit.c.id).order_by(audit_link.c.number).limit(1)
    ).scalar()
    head = connection.execute(select(audit_head).order_by(audit_head.c.day.desc()).limit(1)).first()
    end = START if last is None else Mark(last.number, last.hash, to_microseconds(last.at), to_microseconds(last.at))
    asked_at = None if turn is None else turn.asked_at
    return State(
        last=last,
        first_at=first,
        checked=checked,
        is_asked=asked_at is not None and (checked.began_at is None or checked.began_at < asked_at),
        unchained=tail(connection, end, now=now, since_id=time_id(now - WAITING, 0)),
        head_day=None if head is None else head.day,
        head_number=None if head is None else head.number,
        head_at=None if head is None else head.signed_at,
        head_key=None if head is None else head.key,
    )


def linked_at(mark: Mark) -> datetime | None:
    """When the link at a mark was made; None before the first."""
    return from_microseconds(mark.linked_at) if mark.number else None


def _is_due(checked: Checked, asked_at: datetime | None, at: datetime) -> bool:
    if asked_at is not None and (checked.began_at is None or checked.began_at < asked_at):
        return True
    every = max(EVERY, timedelta(seconds=RESTS * checked.took_seconds))
    return checked.began_at is None or checked.began_at <= at - every


def _further(connection: Connection, checked: Checked, last: Link, outside: Outside, at: datetime) -> Checked:
    """What is known after one more slice, of the whole chain where that is being checked, else of what is new."""
    key = outside.public_key()
    try:
        known = Known(outside.heads(), frozenset() if key is None else frozenset({key}))
        expected, fault, notes = expectations(stored_heads(connection), known)
    except InputError as error:
        expected, notes = {}, ()
        fault = Fault("head", None, None, str(error))
    is_whole = checked.running is not None
    start = checked.mark if checked.running is None else checked.running
    if start.number > last.number:
        # Cut off between two slices: what was read already is gone.
        words = f"row {start.number:,} was there and checked; the chain ends with row {last.number:,} now"
        return replace(checked, at=at, running=None, fault=Fault("cut", last.number + 1, None, words))
    found = walk(connection, start, expected, limit=SLICE)
    fault = found.fault or fault
    if fault is None and not found.is_end:
        return replace(checked, running=found.mark) if is_whole else replace(checked, mark=found.mark, at=at)
    if fault is None:
        since = 0 if is_whole else time_id(at - WAITING, 0)
        fault = end_fault(found.mark, expected, tail(connection, found.mark, now=at, since_id=since))
    after = replace(checked, mark=found.mark, at=at, running=None, fault=fault, notes=notes)
    return replace(after, whole_at=at) if is_whole and fault is None else after


# -- how it is kept ------------------------------------------------------------------------------------------


def _sealed(checked: Checked, outside: Outside) -> dict[str, Any]:
    said = asdict(checked) | {
        name: None if (value := getattr(checked, name)) is None else to_microseconds(value)
        for name in ("at", "whole_at", "began_at")
    }
    said["notes"] = list(checked.notes)
    said["took_seconds"] = round(checked.took_seconds, 3)
    return said | {"signature": outside.seal(_text(said))}


def _opened(held: Any, outside: Outside) -> Checked:
    """What was kept; nothing is known where it was not this installation that wrote it."""
    if not isinstance(held, dict):
        return Checked()
    said = {name: value for name, value in held.items() if name != "signature"}
    return _read(held) if outside.opens(_text(said), str(held.get("signature"))) else Checked()


def _read(held: Any) -> Checked:
    if not isinstance(held, dict):
        return Checked()
    try:
        at, whole_at, began_at = (
            None if held[name] is None else from_microseconds(held[name]) for name in ("at", "whole_at", "began_at")
        )
        return Checked(
            mark=Mark(**held["mark"]),
            at=at,
            whole_at=whole_at,
            took_seconds=float(held["took_seconds"]),
            running=None if held["running"] is None else Mark(**held["running"]),
            began_at=began_at,
            fault=None if held["fault"] is None else Fault(**held["fault"]),
            notes=tuple(held["notes"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return Checked()


def _text(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
