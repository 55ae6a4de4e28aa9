"""Incidents: declared in one transaction; over when somebody ends them, or by themselves when their time is over.

With models/incident_writing.py, models/incident_changes.py and models/incident_ending.py the only writer of `incident`,
`incident_event` and `incident_person`. What anybody does is a line of the timeline and a row of the audit log in the
same transaction. An incident whose time is over holds nothing back any more, though nobody ended it: a forgotten one
must not silence a brand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import alerts, audit, incident_cases
from models.access import DECLARE, Access, everything
from models.database import Database
from models.errors import InputError, NotFound
from models.incident_reading import (
    DECISION,
    EVIDENCE,
    LATE,
    MANAGER_SIGNS,
    OUTBOUND,
    SEVERITIES,
    STEP,
    Incident,
    IncidentScope,
    one,
    open_now,
    timeline,
)
from models.incident_tasks import tasks
from models.incident_writing import (
    LONGEST_NAME,
    LONGEST_TEXT,
    active_person,
    add_line,
    audited,
    check_expiry,
    check_next_update,
    check_scope,
    clean,
    packed,
    put_on_it,
    require_in,
    wake,
)
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables import alert, incident, mention

LEAD, DECLARER = "Lead", "Declared it"
THE_CLOCK = "the clock"
SPIKE_RULE = "the spike rule"
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class From:
    """What an incident is declared from, its first evidence: a spike that was flagged, or a post."""

    kind: str
    brand_id: int
    id: int


SPIKE, POST = "alert", "mention"


@dataclass(frozen=True, slots=True)
class _Evidence:
    at: datetime
    words: str
    actor: str
    href: str | None
    alert_id: int | None


def declare(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    name: str,
    severity: int,
    scope: IncidentScope,
    reason: str,
    lead_id: int,
    expires_at: datetime,
    now: datetime,
    outbound: str = MANAGER_SIGNS,
    declared_from: From | None = None,
    next_update_at: datetime | None = None,
) -> Incident:
    """Declare an incident: from this transaction on outbound in scope is held. InputError, AccessDenied, NotFound.

    The open cases in its scope belong to it at once, those that open later as they come.
    """
    title, why = clean(name, "the name", LONGEST_NAME), clean(reason, "the reason", LONGEST_TEXT)
    if severity not in SEVERITIES:
        raise InputError(f"severity {severity}: use 1 (worst), 2 or 3")
    if outbound not in OUTBOUND:
        raise InputError(f'outbound "{outbound[:32]}": known: {", ".join(OUTBOUND)}')
    check_expiry(expires_at, now)
    check_next_update(next_update_at, now)
    check_scope(scope, organisation)
    require_in(who, organisation, scope, DECLARE)
    incident_cases.check_search(scope)
    lead = active_person(connection, lead_id)
    evidence = _evidence(connection, organisation, who, declared_from)
    number = int(connection.execute(select(func.coalesce(func.max(incident.c.id), 0))).scalar_one()) + 1
    values: dict[str, Any] = {
        "name": title,
        "severity": severity,
        "scope": packed(scope),
        "outbound": outbound,
        "reason": why,
        "lead_id": lead_id,
        "detected_at": None if evidence is None else evidence.at,
        "alert_id": None if evidence is None else evidence.alert_id,
        "declared_at": now,
        "declared_by": who.name,
        "expires_at": expires_at,
        "next_update_at": next_update_at,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(incident).values(id=number, **values))
    except IntegrityError as error:
        raise InputError("somebody else declared an incident at the same moment; look at theirs first") from error
    if evidence is not None:
        add_line(
            connection, number, EVIDENCE, evidence.words, now=now, actor=evidence.actor, href=evidence.href,
            at=min(evidence.at, now),
        )  # fmt: skip
    add_line(connection, number, STEP, f"Declared: {why}", now=now, actor=who.name, person_id=who.person_id)
    add_line(connection, number, DECISION, f"In its scope {OUTBOUND[outbound]}", now=now, actor=who.name)
    put_on_it(connection, number, lead_id, LEAD, now)
    if who.person_id != lead_id:
        put_on_it(connection, number, who.person_id, DECLARER, now)
    audited(connection, who, number, "incident.declared", now, {"after": {**values, "lead": lead.email}})
    declared = one(connection, organisation, who, number)
    incident_cases.link_open(connection, organisation, declared, now=now)
    wake(connection, organisation, declared.scope)
    return declared


# -- by the clock ------------------------------------------------------------------------------------------


def keep_time(database: Database, organisation: Organisation, *, now: datetime) -> int:
    """End what has run out and write down what is late; takes the lock of writers only where there may be something."""
    with database.read() as connection:
        unended = connection.execute(
            select(incident.c.id, incident.c.expires_at, incident.c.next_update_at).where(incident.c.ended_at.is_(None))
        ).all()
        asks = any(
            row.expires_at <= now
            or (row.next_update_at is not None and row.next_update_at <= now)
            or any(task.is_late(now) for task in tasks(connection, row.id))
            for row in unended
        )
    if not asks:
        return 0
    with database.write() as connection:
        return run_out(connection, organisation, now=now) + note_late(connection, organisation, now=now)


def run_out(connection: Connection, organisation: Organisation, *, now: datetime) -> int:
    """End incidents whose time is over, each once, whoever asks; returns how many."""
    over = incident.c.ended_at.is_(None), incident.c.expires_at <= now
    ended = 0
    for row in connection.execute(select(incident.c.id, incident.c.expires_at).where(*over)).all():
        won = connection.execute(
            update(incident).where(incident.c.id == row.id, *over).values(ended_at=row.expires_at, ended_by=THE_CLOCK)
        ).rowcount
        if not won:
            continue
        ended += 1
        words = "Its time was over: nothing is held any more"
        add_line(connection, row.id, LATE, words, now=now, actor=THE_CLOCK, at=row.expires_at)
        audit.record(
            connection,
            at=now,
            action="incident.ran_out",
            subject=f"INC-{row.id}",
            actor=THE_CLOCK,
            details={"before": {"ended_at": None}, "after": {"ended_at": row.expires_at}},
        )
        wake(connection, organisation, IncidentScope())
    return ended


def note_late(connection: Connection, organisation: Organisation, *, now: datetime) -> int:
    """Write down what was promised and is late, a public update or a task, each once; returns how many."""
    written = 0
    for found in open_now(connection, now):
        late = [
            (task.due_at, f"Task {task.number} is late: {task.text}")
            for task in tasks(connection, found.id)
            if task.is_late(now) and task.due_at is not None
        ]
        if found.next_update_at is not None and found.next_update_at <= now:
            late.append((found.next_update_at, "The public update that was promised is late"))
        if not late:
            continue
        told = {(line.at, line.text) for line in timeline(connection, found.id) if line.kind == LATE}
        for at, words in late:
            if (at, words) not in told:
                add_line(connection, found.id, LATE, words, now=now, actor=THE_CLOCK, at=at)
                written += 1
                wake(connection, organisation, found.scope)
    return written


# -- what it is declared from ------------------------------------------------------------------------------


def _evidence(connection: Connection, organisation: Organisation, who: Access, given: From | None) -> _Evidence | None:
    if given is None:
        return None
    key = next((brand.key for brand in organisation.brands if brand.id == given.brand_id), "")
    seen = everything(who, organisation)
    if given.kind == SPIKE:
        row = _row(connection, alert, given)
        if row is None or given.brand_id not in alerts.may_see(who, seen.brand_ids):
            raise NotFound(alerts.NO_SUCH)
        href = f"/?brand={quote(key)}&window={_instant(row.started_at - BEFORE)}..{_instant(row.flagged_at + AFTER)}"
        return _Evidence(row.flagged_at, row.words, SPIKE_RULE, href if key else None, row.id)
    if given.kind != POST:
        raise InputError(f'an incident is declared from {SPIKE} or {POST}, not "{given.kind[:32]}"')
    row = _row(connection, mention, given)
    is_seen = row is not None and given.brand_id in seen.brand_ids
    if row is None or not is_seen or not (seen.location_ids is None or row.location_id in seen.location_ids):
        raise NotFound("there is no such mention")
    network = BY_ID[row.network_id].name if row.network_id in BY_ID else "a network"
    at = row.posted_at.replace(microsecond=0) + timedelta(seconds=1)
    href = f"/?brand={quote(key)}&window=1h&at={_instant(at)}"
    return _Evidence(row.posted_at, f"The post on {network} that it was declared from", network, href, None)


def _row(connection: Connection, table: Any, given: From) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c.brand_id == given.brand_id, table.c.id == given.id)).first()


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
