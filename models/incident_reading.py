"""Incidents as they stand: what they are about, what they hold back, who may see them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select

from models.access import VIEWER, Access, Grant, Request, Scope, narrow
from models.errors import NotFound
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables import incident, incident_event, incident_person, person

FROZEN, MANAGER_SIGNS = "frozen", "manager"
OUTBOUND: Mapping[str, str] = {
    FROZEN: "nothing is sent",
    MANAGER_SIGNS: "a manager signs every reply",
}
SEVERITIES = (1, 2, 3)
EVIDENCE, DECISION, NOTE, STEP, UPDATE, LATE = "evidence", "decision", "note", "step", "update", "late"
MOST_EVENTS = 500
MOST_ENDED = 200
NO_SUCH = "there is no such incident"


@dataclass(frozen=True, slots=True)
class IncidentScope:
    """What an incident is about; None = all. `location_ids` are as chosen: what lies below them belongs to it."""

    brand_ids: tuple[int, ...] | None = None
    location_ids: tuple[int, ...] | None = None
    network_ids: tuple[int, ...] | None = None
    search: str = ""

    def covers(self, organisation: Organisation, *, brand_id: int, location_id: int, network_id: int) -> bool:
        """Whether something in this brand, place and network is held by it. What is searched for does not count."""
        return (
            (self.brand_ids is None or brand_id in self.brand_ids)
            and (self.network_ids is None or network_id in self.network_ids)
            and (self.location_ids is None or any(location_id in organisation.below(top) for top in self.location_ids))
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `next_update_at` is when the public was promised to hear more."""

    id: int
    name: str
    severity: int
    scope: IncidentScope
    outbound: str
    reason: str
    lead_id: int
    detected_at: datetime | None
    alert_id: int | None
    declared_at: datetime
    declared_by: str
    expires_at: datetime
    next_update_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def label(self) -> str:
        """How people call it."""
        return f"INC-{self.id}"

    def is_open(self, now: datetime) -> bool:
        """Neither ended nor expired."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline."""

    number: int
    at: datetime
    kind: str
    text: str
    person_id: int | None
    actor: str
    href: str | None


@dataclass(frozen=True, slots=True)
class OnIt:
    """Somebody who works on it, and as what."""

    person_id: int
    name: str
    part: str
    since: datetime


def open_now(connection: Connection, now: datetime) -> tuple[Incident, ...]:
    """All that is open, the most severe first, then the newest."""
    return tuple(_incident(row) for row in connection.execute(_OPEN, {"now": now}))


_OPEN = (
    select(incident)
    .where(incident.c.ended_at.is_(None), incident.c.expires_at > bindparam("now"))
    .order_by(incident.c.severity, incident.c.id.desc())
)


def ended(connection: Connection, now: datetime, *, limit: int = MOST_ENDED) -> tuple[Incident, ...]:
    """What is over or has run out, newest first."""
    rows = connection.execute(
        select(incident)
        .where(or_(incident.c.ended_at.is_not(None), incident.c.expires_at <= now))
        .order_by(incident.c.id.desc())
        .limit(limit)
    )
    return tuple(_incident(row) for row in rows)


def one(connection: Connection, organisation: Organisation, who: Access, incident_id: int) -> Incident:
    """An incident that this person may see. NotFound for one that is foreign or unknown."""
    row = connection.execute(select(incident).where(incident.c.id == incident_id)).first()
    found = None if row is None else _incident(row)
    if found is None or not may_see(who, organisation, found):
        raise NotFound(NO_SUCH)
    return found


def may_see(who: Access, organisation: Organisation, found: Incident) -> bool:
    """Whoever sees one of its brands in one of its places sees it."""
    if who.sees_all:
        return True
    grants = who.grants or (Grant(VIEWER, who.brand_ids, who.location_ids),)
    return any(_reaches(grant, found.scope, organisation) for grant in grants)


def _reaches(grant: Grant, scope: IncidentScope, organisation: Organisation) -> bool:
    brands, places = grant.brand_ids, grant.location_ids
    if brands is not None and not brands & set(scope.brand_ids if scope.brand_ids is not None else brands):
        return False
    if places is None or scope.location_ids is None:
        return True
    seen = {place for top in places for place in organisation.below(top)}
    return any(seen & set(organisation.below(top)) for top in scope.location_ids)


def counted_scope(found: IncidentScope, who: Access, organisation: Organisation) -> Scope:
    """What of an incident this person sees, as a scope that mentions are counted in. ScopeError where it is nothing."""
    mine = narrow(Request(search=found.search, networks=found.network_ids or ()), who, organisation)
    if found.brand_ids is not None:
        keys = {brand.id: brand.key for brand in organisation.brands}
        both = [keys[one] for one in found.brand_ids if one in mine.brand_ids]
        if not both:
            raise NotFound(NO_SUCH)
        asked = Request(brands=tuple(both), search=found.search, networks=found.network_ids or ())
        mine = narrow(asked, who, organisation)
    if found.location_ids is None:
        return mine
    below = {place for top in found.location_ids for place in organisation.below(top)}
    seen = below if mine.location_ids is None else below & set(mine.location_ids)
    return replace(mine, location_ids=tuple(sorted(seen)))


def scope_words(scope: IncidentScope, organisation: Organisation) -> tuple[str, ...]:
    """Its parts, each as people say it: brands, places, networks, what is searched for."""
    parts = ["All brands"] if scope.brand_ids is None else [_name(organisation.brand_names, n) for n in scope.brand_ids]
    parts += ["everywhere"] if scope.location_ids is None else []
    parts += [_name(organisation.location_names, n) for n in scope.location_ids or ()]
    parts += ["all networks"] if scope.network_ids is None else []
    parts += [BY_ID[n].name if n in BY_ID else "?" for n in scope.network_ids or ()]
    return (*parts, f"“{scope.search}”") if scope.search else tuple(parts)


def _name(names: Mapping[int, str], number: int) -> str:
    return names.get(number, "?")


def holding(
    found: Iterable[Incident], organisation: Organisation, *, brand_id: int, location_id: int, network_id: int
) -> Incident | None:
    """Of open incidents the one that holds back what is said there: a frozen one before one that asks a manager."""
    held = [
        item
        for item in found
        if item.scope.covers(organisation, brand_id=brand_id, location_id=location_id, network_id=network_id)
    ]
    return min(held, key=lambda item: (item.outbound != FROZEN, item.severity, -item.id), default=None)


def timeline(connection: Connection, incident_id: int, *, limit: int = MOST_EVENTS) -> tuple[Line, ...]:
    """What happened, newest first; a line that was written later stands where it happened."""
    rows = connection.execute(
        select(incident_event)
        .where(incident_event.c.incident_id == incident_id)
        .order_by(incident_event.c.at.desc(), incident_event.c.number.desc())
        .limit(limit)
    )
    return tuple(Line(r.number, r.at, r.kind, r.text, r.person_id, r.actor, r.href) for r in rows)


def people_on(connection: Connection, incident_id: int) -> tuple[OnIt, ...]:
    """Who is on it, who joined first before."""
    rows = connection.execute(
        select(incident_person, person.c.name)
        .join(person, person.c.id == incident_person.c.person_id)
        .where(incident_person.c.incident_id == incident_id)
        .order_by(incident_person.c.since, incident_person.c.person_id)
    )
    return tuple(OnIt(r.person_id, r.name, r.part, r.since) for r in rows)


def unpacked(packed: Mapping[str, Any]) -> IncidentScope:
    """A scope as the table holds it."""

    def ids(name: str) -> tuple[int, ...] | None:
        return None if packed.get(name) is None else tuple(packed[name])

    return IncidentScope(ids("brand_ids"), ids("location_ids"), ids("network_ids"), packed.get("search") or "")


def _incident(row: Row[Any]) -> Incident:
    return Incident(**{**row._mapping, "scope": unpacked(row.scope)})
