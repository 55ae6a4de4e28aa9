"""A source that a person wants to add or change: asked for on the screen, tried by a worker, saved only if it works.

The screen may not talk to networks and ingest not to people, so they meet in rows of `source_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from models import audit, secrets, sources
from models.database import new_id, raise_change
from models.errors import InputError, NotFound, SettingsError
from models.networks import network_by_key
from models.settings import Settings
from models.source_kinds import (
    FASTEST_SECONDS,
    LARGEST_BUDGET,
    REMEASURE,
    SLOWEST_SECONDS,
    FormFault,
    form_of,
    missing_keys,
    number,
    read,
)
from models.source_kinds import secrets as secrets_given
from models.tables import source, source_check

# A worker that has not answered in this time has died: another one tries.
LONGEST_TRY = timedelta(seconds=60)
# Credentials do not wait for ever for somebody to start a worker.
LONGEST_WAIT = timedelta(minutes=15)
# How long the screen shows what came of a check.
RECENT = timedelta(minutes=10)
MOST_SHOWN = 20
LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Check:
    """What a worker tries. `config` holds no secret; `sealed` are all secrets the source will have, None = it has none.

    `source_id` is the source that is changed, None for a new one.
    """

    id: int
    asked_at: datetime
    asked_by: str
    person_id: int | None
    source_id: int | None
    name: str
    kind: str
    network: str
    config: Mapping[str, Any]
    sealed: bytes | None
    every_seconds: float
    budget: float | None
    remeasure: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A check as the screen shows it: `state` is waiting, trying, works or refused; `answer` a sentence, or None."""

    id: int
    asked_at: datetime
    source_id: int | None
    name: str
    state: str
    answer: str | None


def ask(
    connection: Connection,
    settings: Settings,
    given: Mapping[str, Any],
    *,
    kind: str,
    source_id: int | None,
    by: str,
    person_id: int | None,
    now: datetime,
) -> int:
    """Ask for a source as a form was filled in; returns the id of the check. FormFault names every wrong field.

    `given` holds the fields of the form and name, every_seconds, budget, remeasure. A secret left empty stays as it is.
    NotFound where the source to change is not there.
    """
    form = form_of(kind)
    before: Mapping[str, Any] | None = None
    kept: bytes | None = None
    if source_id is not None:
        row = connection.execute(select(source).where(source.c.id == source_id, source.c.kind == kind)).first()
        if row is None:
            raise NotFound(f"there is no source {source_id} of the kind {kind}")
        before, kept = row.config, row.secrets
    faults: dict[str, str] = {}
    wanted: dict[str, Any] = {"kind": kind, "network": form.network}
    entered: dict[str, str] = {}
    for name, value in (
        ("config", lambda: read(form, given, before)),
        ("entered", lambda: secrets_given(form, given)),
        ("name", lambda: sources.check_name(connection, str(given.get("name") or ""), besides=source_id)),
        ("every_seconds", lambda: _every(given, form.every_seconds)),
        ("budget", lambda: _budget(given)),
        ("remeasure", lambda: _remeasure(given)),
    ):
        try:
            found: Any = value()
        except FormFault as fault:
            faults |= fault.faults
        except InputError as fault:
            faults[name] = str(fault)
        else:
            if name == "entered":
                entered = found
            else:
                wanted[name] = found
    held: dict[str, str] = {}
    if not faults:
        kept_values, faults = _kept(settings, kept)
        held = kept_values | entered
        faults |= missing_keys(form, held)
    if faults:
        raise FormFault(faults)
    check_id = new_id(now)
    connection.execute(
        insert(source_check).values(
            id=check_id,
            asked_at=now,
            asked_by=by,
            person_id=person_id,
            source_id=source_id,
            wanted=wanted,
            secrets=secrets.seal(settings, held) if held else None,
            state="waiting",
        )
    )
    details = {"kind": kind, "source": source_id, "entered": sorted(entered)}
    audit.record(
        connection,
        at=now,
        action="source.check_asked",
        subject=wanted["name"],
        actor=by,
        person_id=person_id,
        details=_speakable(details),
    )
    raise_change(connection, "sources")
    return check_id


def take(connection: Connection, now: datetime) -> Check | None:
    """The oldest check that nobody tries, now ours to answer; None when there is none. It writes."""
    _give_up(connection, now)
    free = or_(
        source_check.c.state == "waiting",
        and_(source_check.c.state == "trying", source_check.c.taken_at < now - LONGEST_TRY),
    )
    wanted = select(source_check.c.id).where(free).order_by(source_check.c.asked_at).limit(1)
    check_id = connection.execute(wanted.with_for_update(skip_locked=True)).scalar()
    if check_id is None:
        return None
    row = connection.execute(
        update(source_check)
        .where(source_check.c.id == check_id)
        .values(state="trying", taken_at=now)
        .returning(*source_check.c)
    ).one()
    asked = row.wanted
    raise_change(connection, "sources")
    return Check(
        id=row.id,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        person_id=row.person_id,
        source_id=row.source_id,
        name=asked["name"],
        kind=asked["kind"],
        network=asked["network"],
        config=asked["config"],
        sealed=row.secrets,
        every_seconds=asked["every_seconds"],
        budget=asked["budget"],
        remeasure=asked["remeasure"],
    )


def is_waiting(connection: Connection) -> bool:
    """Whether somebody waits: a cheap question for every tick of a worker, outside a write transaction."""
    found = select(source_check.c.id).where(source_check.c.state.in_(("waiting", "trying"))).limit(1)
    return connection.execute(found).first() is not None


def accept(connection: Connection, check: Check, sentence: str, now: datetime) -> int | None:
    """Save the source that works and say so; returns its id. None where it cannot be saved: then it was refused."""
    values: dict[str, Any] = {
        "config": dict(check.config),
        "every_seconds": check.every_seconds,
        "secrets": check.sealed,
        "budget": check.budget,
        "remeasure": check.remeasure,
    }
    if not _answer(connection, check, "works", sentence, now):
        return None
    try:
        name = sources.check_name(connection, check.name, besides=check.source_id)
        if check.source_id is None:
            source_id = sources.add(
                connection,
                name=name,
                kind=check.kind,
                network_id=network_by_key(check.network).id,
                now=now,
                **values,
            )
        else:
            source_id = check.source_id
            sources.change(connection, source_id, now=now, name=name, **values)
    except (InputError, NotFound) as fault:
        # Meanwhile somebody took the name: nothing was written yet but the answer.
        _answer(connection, check, "refused", f"It works, but {fault}", now, again=True)
        return None
    audit.record(
        connection,
        at=now,
        action="source.added" if check.source_id is None else "source.changed",
        subject=name,
        actor=check.asked_by,
        person_id=check.person_id,
        details=_speakable({"kind": check.kind, "every_seconds": check.every_seconds, "budget": check.budget}),
    )
    return source_id


def refuse(connection: Connection, check: Check, reason: str, now: datetime) -> None:
    """Say why nothing was saved."""
    if _answer(connection, check, "refused", reason, now):
        audit.record(
            connection,
            at=now,
            action="source.check_refused",
            subject=check.name,
            actor=check.asked_by,
            person_id=check.person_id,
            details={"kind": check.kind, "reason": reason},
        )


def recent(connection: Connection, now: datetime) -> tuple[Shown, ...]:
    """What was asked lately and what came of it, newest first; no setting and no secret among it."""
    rows = connection.execute(
        select(
            source_check.c.id,
            source_check.c.asked_at,
            source_check.c.source_id,
            source_check.c.wanted,
            source_check.c.state,
            source_check.c.answer,
        )
        .where(source_check.c.asked_at > now - RECENT)
        .order_by(source_check.c.asked_at.desc())
        .limit(MOST_SHOWN)
    )
    return tuple(Shown(r.id, r.asked_at, r.source_id, r.wanted["name"], r.state, r.answer) for r in rows)


def _answer(
    connection: Connection, check: Check, state: str, answer: str, now: datetime, *, again: bool = False
) -> bool:
    """Write the answer once: False where another worker was quicker. The secrets leave the row with it."""
    open_states = ("works",) if again else ("waiting", "trying")
    changed = connection.execute(
        update(source_check)
        .where(source_check.c.id == check.id, source_check.c.state.in_(open_states))
        .values(state=state, answer=answer[:LONGEST_ANSWER], answered_at=now, secrets=None)
    )
    raise_change(connection, "sources")
    return changed.rowcount == 1


def _give_up(connection: Connection, now: datetime) -> None:
    words = f"No worker tried it within {LONGEST_WAIT.total_seconds() / 60:.0f} minutes; ask again."
    changed = connection.execute(
        update(source_check)
        .where(source_check.c.state.in_(("waiting", "trying")), source_check.c.asked_at < now - LONGEST_WAIT)
        .values(state="refused", answer=words, answered_at=now, secrets=None)
    )
    if changed.rowcount:
        raise_change(connection, "sources")


def _every(given: Mapping[str, Any], proposed: float) -> float:
    value = given.get("every_seconds")
    if value in (None, ""):
        return proposed
    return number(value, least=FASTEST_SECONDS, most=SLOWEST_SECONDS, unit="seconds")


def _budget(given: Mapping[str, Any]) -> float | None:
    value = given.get("budget")
    return None if value in (None, "") else number(value, least=0, most=LARGEST_BUDGET, unit="dollars")


def _remeasure(given: Mapping[str, Any]) -> str:
    value = str(given.get("remeasure") or "none")
    if value not in REMEASURE:
        raise InputError("is none of the choices")
    return value


def _kept(settings: Settings, sealed: bytes | None) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets that a source has, and what is wrong with them."""
    if sealed is None:
        return {}, {}
    try:
        return secrets.unseal(settings, sealed), {}
    except SettingsError as error:
        return {}, {"name": str(error)}


def _speakable(details: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in details.items() if value not in (None, [])}
