"""What people do to an incident while it goes on: severity, scope, lead, public updates, notes, who is on it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from models import incident_cases
from models.access import DECLARE, Access
from models.errors import InputError
from models.incident_reading import (
    DECISION,
    EVIDENCE,
    NOTE,
    OUTBOUND,
    SEVERITIES,
    STEP,
    UPDATE,
    IncidentScope,
    scope_words,
)
from models.incident_writing import (
    LONGEST_PART,
    LONGEST_TEXT,
    active_person,
    audited,
    change,
    check_expiry,
    check_next_update,
    check_scope,
    clean,
    leadable,
    noted,
    packed,
    put_on_it,
    require_in,
    wake,
    workable,
)
from models.incidents import LEAD
from models.organisation import Organisation

HAD_THE_LEAD = "Had the lead"
WRITTEN = frozenset({EVIDENCE, DECISION, NOTE})
# Browsers leave tabs and line ends out of an address: "/<tab>/there.example" would lead to another host.
_ADDRESS = re.compile(r"/(?![/\\])\S*")


def change_severity(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    severity: int,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Raise or lower it, for a reason."""
    found = leadable(connection, organisation, who, incident_id, now)
    if severity not in SEVERITIES:
        raise InputError(f"severity {severity}: use 1 (worst), 2 or 3")
    if severity == found.severity:
        raise InputError(f"{found.label} is of severity {severity} already")
    why = clean(reason, "the reason", LONGEST_TEXT)
    change(connection, who, found, "incident.severity_changed", now, severity=severity)
    noted(connection, organisation, who, found, DECISION, f"Severity {found.severity} → {severity}: {why}", now)


def change_outbound(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    outbound: str,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Hold back more or less, for a reason."""
    found = leadable(connection, organisation, who, incident_id, now)
    if outbound not in OUTBOUND:
        raise InputError(f'outbound "{outbound[:32]}": known: {", ".join(OUTBOUND)}')
    if outbound == found.outbound:
        raise InputError(f"in the scope of {found.label} {OUTBOUND[outbound]} already")
    why = clean(reason, "the reason", LONGEST_TEXT)
    change(connection, who, found, "incident.outbound_changed", now, outbound=outbound)
    noted(connection, organisation, who, found, DECISION, f"From now on {OUTBOUND[outbound]}: {why}", now)


def change_scope(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    scope: IncidentScope,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Widen or narrow what is frozen, for a reason; needs the right for the old scope and the new one."""
    found = leadable(connection, organisation, who, incident_id, now)
    check_scope(scope, organisation)
    incident_cases.check_search(scope)
    require_in(who, organisation, scope, DECLARE)
    if packed(scope) == packed(found.scope):
        raise InputError(f"that is the scope of {found.label} already")
    why = clean(reason, "the reason", LONGEST_TEXT)
    change(connection, who, found, "incident.scope_changed", now, scope=packed(scope))
    words = f"Scope is now {', '.join(scope_words(scope, organisation))}: {why}"
    noted(connection, organisation, who, found, DECISION, words, now)
    incident_cases.link_open(connection, organisation, replace(found, scope=scope), now=now)
    wake(connection, organisation, scope)


def extend(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    expires_at: datetime,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Let it go on for longer, or end by itself earlier, for a reason."""
    found = leadable(connection, organisation, who, incident_id, now)
    check_expiry(expires_at, now)
    why = clean(reason, "the reason", LONGEST_TEXT)
    change(connection, who, found, "incident.extended", now, expires_at=expires_at)
    until = expires_at.astimezone(organisation.zone_info)
    noted(connection, organisation, who, found, DECISION, f"Runs until {until:%-d %b %H:%M}: {why}", now)


def hand_over(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    lead_id: int,
    *,
    note: str,
    now: datetime,
) -> None:
    """Give the lead to somebody else, with a note of what they must know."""
    found = leadable(connection, organisation, who, incident_id, now)
    lead = active_person(connection, lead_id)
    told = clean(note, "the note", LONGEST_TEXT)
    if lead_id == found.lead_id:
        raise InputError(f"{lead.name} has the lead already")
    change(connection, who, found, "incident.handed_over", now, lead_id=lead_id)
    put_on_it(connection, found.id, found.lead_id, HAD_THE_LEAD, now)
    put_on_it(connection, found.id, lead_id, LEAD, now)
    noted(connection, organisation, who, found, STEP, f"{lead.name} has the lead: {told}", now)


def public_update(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    text: str,
    *,
    next_update_at: datetime | None,
    now: datetime,
) -> None:
    """Note what the public was told, and until when it hears more; None = nothing was promised."""
    found = workable(connection, organisation, who, incident_id, now)
    told = clean(text, "the update", LONGEST_TEXT)
    check_next_update(next_update_at, now)
    change(connection, who, found, "incident.updated", now, next_update_at=next_update_at)
    noted(connection, organisation, who, found, UPDATE, told, now)


def write_line(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    kind: str,
    text: str,
    *,
    now: datetime,
    href: str | None = None,
) -> None:
    """Add evidence, a decision or a note to the timeline. `href` is an address within the product."""
    found = workable(connection, organisation, who, incident_id, now)
    if kind not in WRITTEN:
        raise InputError(f'a line is {", ".join(sorted(WRITTEN))}, not "{kind[:32]}"')
    if href is not None and not _ADDRESS.fullmatch(href):
        raise InputError(f'"{href[:80]}" is no address of a page here; it begins with one "/"')
    words = clean(text, "the line", LONGEST_TEXT)
    audited(connection, who, found.id, "incident.line_added", now, {"kind": kind})
    noted(connection, organisation, who, found, kind, words, now, href=href)


def join(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    person_id: int,
    part: str,
    *,
    now: datetime,
) -> None:
    """Put somebody on it, as what."""
    found = workable(connection, organisation, who, incident_id, now)
    joined, as_what = active_person(connection, person_id), clean(part, "what they do", LONGEST_PART)
    put_on_it(connection, found.id, person_id, as_what, now)
    audited(connection, who, found.id, "incident.joined", now, {"after": {"person": joined.email, "part": as_what}})
    noted(connection, organisation, who, found, STEP, f"{joined.name} is on it: {as_what}", now)
