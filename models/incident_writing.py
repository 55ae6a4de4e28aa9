"""What every change of an incident shares: who may, its line in the timeline, its audit row, who is told.

Used by models/incidents.py and the files beside it, which together write `incident`, `incident_event` and
`incident_person`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from models import audit
from models.access import DECLARE, Access
from models.database import raise_change
from models.errors import AccessDenied, InputError, NotFound
from models.incident_reading import Incident, IncidentScope, one
from models.networks import BY_ID
from models.organisation import UNKNOWN, Organisation
from models.tables import incident, incident_event, incident_person, person

TOPIC = "incidents"
# Wakes every screen: a banner is shown whatever the scope of its page.
EVERYBODY = 0
LONGEST_NAME = 200
LONGEST_TEXT = 2_000
LONGEST_PART = 80
LONGEST = timedelta(days=14)


# -- who may -----------------------------------------------------------------------------------------------


def workable(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, now: datetime
) -> Incident:
    """An open incident that this person may work on: they are on it, or may declare one in its scope.

    Who writes at the same time waits. NotFound, AccessDenied, InputError where it is over.
    """
    found = _open(connection, organisation, who, incident_id, now)
    if not is_on_it(connection, incident_id, who.person_id):
        require_in(who, organisation, found.scope, DECLARE)
    return found


def leadable(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, now: datetime
) -> Incident:
    """The same for what only its lead may do, and who may declare one in its scope."""
    found = _open(connection, organisation, who, incident_id, now)
    if found.lead_id != who.person_id:
        require_in(who, organisation, found.scope, DECLARE)
    return found


def locked(connection: Connection, incident_id: int) -> None:
    """Two who write at once stand in a queue at its row."""
    connection.execute(update(incident).where(incident.c.id == incident_id).values(severity=incident.c.severity))


def is_on_it(connection: Connection, incident_id: int, person_id: int) -> bool:
    """Whether somebody works on it."""
    this = (incident_person.c.incident_id == incident_id, incident_person.c.person_id == person_id)
    return connection.execute(select(incident_person.c.person_id).where(*this)).first() is not None


def may_in(who: Access, organisation: Organisation, scope: IncidentScope, right: str) -> bool:
    """Whether somebody has a right in every brand and place of a scope."""
    brands = scope.brand_ids or tuple(item.id for item in organisation.brands if item.kind == "own")
    # Who has it for what stands nowhere has it everywhere.
    places = scope.location_ids or (UNKNOWN,)
    return all(who.may_for(right, organisation, brand_id=one, location_id=place) for one in brands for place in places)


def require_in(who: Access, organisation: Organisation, scope: IncidentScope, right: str) -> None:
    """AccessDenied, in words, where they have not."""
    if not may_in(who, organisation, scope, right):
        raise AccessDenied(f"this needs the right “{right}” for all of its scope; ask an administrator for it")


# -- what may be said --------------------------------------------------------------------------------------


def check_scope(scope: IncidentScope, organisation: Organisation) -> None:
    """InputError for a scope of nothing, NotFound for what is not ours."""
    own = {item.id for item in organisation.brands if item.kind == "own"}
    places = {item.id for item in organisation.locations}
    for kind, ids, known in (
        ("brand", scope.brand_ids, own),
        ("location", scope.location_ids, places),
        ("network", scope.network_ids, set(BY_ID)),
    ):
        if ids is None:
            continue
        if not ids:
            raise InputError(f"the scope names no {kind}; name one, or leave it out for all")
        if foreign := sorted(set(ids) - known):
            raise NotFound(f"no {kind} {foreign[0]} of ours")
    if len(scope.search) > LONGEST_TEXT:
        raise InputError(f"the search of the scope has {len(scope.search):,} characters; at most {LONGEST_TEXT:,} fit")


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """InputError for an end that is over, or too far away."""
    if not now < expires_at <= now + LONGEST:
        raise InputError(
            f"it would run until {expires_at:%Y-%m-%d %H:%M} UTC; name an instant within {LONGEST.days} days from now"
        )


def check_next_update(next_update_at: datetime | None, now: datetime) -> None:
    """InputError for a promise that is broken when it is given."""
    if next_update_at is not None and next_update_at <= now:
        raise InputError(f"the next update at {next_update_at:%H:%M} UTC is over already; name a later time")


def clean(text: str, what: str, longest: int) -> str:
    """A text without blanks around it. InputError for none, and for one that is too long."""
    stripped = text.strip()
    if not stripped or len(stripped) > longest:
        raise InputError(f"{what} has {len(stripped):,} characters; use 1 to {longest:,}")
    return stripped


def active_person(connection: Connection, person_id: int) -> Row[Any]:
    """Somebody who can sign in. NotFound."""
    row = connection.execute(select(person).where(person.c.id == person_id, person.c.disabled_at.is_(None))).first()
    if row is None:
        raise NotFound("there is no such person")
    return row


# -- writing -----------------------------------------------------------------------------------------------


def change(connection: Connection, who: Access, found: Incident, action: str, now: datetime, **values: Any) -> None:
    """Set columns of an incident that nobody has ended meanwhile, with the audit row."""
    before = {**asdict(found), "scope": packed(found.scope)}
    won = connection.execute(
        update(incident).where(incident.c.id == found.id, incident.c.ended_at.is_(None)).values(**values)
    ).rowcount
    if not won:
        raise InputError(f"{found.label} was ended at this moment")
    audited(connection, who, found.id, action, now, {"before": {key: before[key] for key in values}, "after": values})


def noted(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    found: Incident,
    kind: str,
    text: str,
    now: datetime,
    *,
    href: str | None = None,
) -> None:
    """A line of the timeline in a person's name; every screen hears of it. The audit row is the caller's."""
    add_line(connection, found.id, kind, text, now=now, actor=who.name, person_id=who.person_id, href=href)
    wake(connection, organisation, found.scope)


def add_line(
    connection: Connection,
    incident_id: int,
    kind: str,
    text: str,
    *,
    now: datetime,
    actor: str,
    person_id: int | None = None,
    href: str | None = None,
    at: datetime | None = None,
) -> None:
    """A line of the timeline; `at` is when it happened, where that was before now."""
    highest = select(func.coalesce(func.max(incident_event.c.number), 0)).where(
        incident_event.c.incident_id == incident_id
    )
    connection.execute(
        insert(incident_event).values(
            incident_id=incident_id,
            number=int(connection.execute(highest).scalar_one()) + 1,
            at=at or now,
            kind=kind,
            text=text,
            person_id=person_id,
            actor=actor,
            href=href,
        )
    )


def put_on_it(connection: Connection, incident_id: int, person_id: int, part: str, now: datetime) -> None:
    """Somebody works on it; who did already does it as something else now."""
    this = (incident_person.c.incident_id == incident_id, incident_person.c.person_id == person_id)
    if not connection.execute(update(incident_person).where(*this).values(part=part)).rowcount:
        connection.execute(
            insert(incident_person).values(incident_id=incident_id, person_id=person_id, part=part, since=now)
        )


def audited(
    connection: Connection, who: Access, incident_id: int, action: str, now: datetime, details: Mapping[str, Any]
) -> None:
    """The audit row of a change of an incident."""
    audit.record(
        connection,
        at=now,
        action=action,
        subject=f"INC-{incident_id}",
        actor=who.email,
        person_id=who.person_id,
        details=details,
    )


def wake(connection: Connection, organisation: Organisation, scope: IncidentScope) -> None:
    """Let every screen know."""
    brands: Collection[int] = scope.brand_ids or [item.id for item in organisation.brands if item.kind == "own"]
    raise_change(connection, TOPIC, (EVERYBODY, *sorted(brands)))


def packed(scope: IncidentScope) -> dict[str, Any]:
    """A scope as the table holds it."""
    return {
        "brand_ids": None if scope.brand_ids is None else sorted(scope.brand_ids),
        "location_ids": None if scope.location_ids is None else sorted(scope.location_ids),
        "network_ids": None if scope.network_ids is None else sorted(scope.network_ids),
        "search": scope.search,
    }


def _open(connection: Connection, organisation: Organisation, who: Access, incident_id: int, now: datetime) -> Incident:
    locked(connection, incident_id)
    found = one(connection, organisation, who, incident_id)
    if not found.is_open(now):
        over_at = (found.ended_at or found.expires_at).astimezone(organisation.zone_info)
        raise InputError(f"{found.label} is over since {over_at:%-d %b %H:%M}")
    return found
