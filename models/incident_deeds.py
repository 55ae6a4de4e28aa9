"""Who did what in an incident, and whether promises were kept: read from its timeline, its cases and their replies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from models import case_clocks, case_scope, service_rules
from models.access import Access
from models.case_steps import CaseKey
from models.case_writing import clock_events
from models.incident_figures import brands_of, lifetime
from models.incident_reading import Incident, people_on
from models.organisation import Organisation
from models.service_level import RESOLUTION, Clock, HitRate, hit_rate
from models.tables import desk_case, incident_event, person, reply, signature

# Of one brand, the newest: their clocks are worked out one by one.
MOST_CASES = 1_000


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody did: lines of the timeline, replies sent, signatures given. `part` is "" for who is not on it."""

    person_id: int
    name: str
    part: str
    since: datetime | None = None
    lines: int = 0
    sent: int = 0
    signed: int = 0
    last_at: datetime | None = None


def who_did_what(
    connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime
) -> tuple[Did, ...]:
    """Everybody on it, then everybody else who wrote, signed or noted something; most first."""
    on_it = {item.person_id: item for item in people_on(connection, found.id)}
    did = {one: Did(one, item.name, item.part, item.since) for one, item in on_it.items()}
    for kind, rows in _counted(connection, organisation, who, found, now):
        for person_id, count, last_at in rows:
            before = did.get(person_id, Did(person_id, "", ""))
            latest = max((at for at in (before.last_at, last_at) if at is not None), default=None)
            counts = {name: getattr(before, name) for name in ("lines", "sent", "signed")}
            counts[kind] += count
            did[person_id] = replace(before, **counts, last_at=latest)
    nameless = [one for one, item in did.items() if not item.name]
    named = select(person.c.id, person.c.name).where(person.c.id.in_(nameless))
    names = {row.id: row.name for row in connection.execute(named)}
    told = [item if item.name else replace(item, name=names.get(one, "Somebody")) for one, item in did.items()]
    return tuple(
        sorted(told, key=lambda item: (item.person_id not in on_it, -(item.sent + item.signed + item.lines), item.name))
    )


def promises(
    connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime
) -> HitRate:
    """First and further answers in its cases: promises that were kept and missed, of rounds that began while it went.

    Read from at most MOST_CASES cases a brand, the newest.
    """
    until = found.ended_at or now
    rules = service_rules.load(connection, now)
    clocks: list[Clock] = []
    for brand_id in brands_of(found, organisation):
        seen = case_scope.allowed(organisation, who, brand_id)
        if seen is None:
            continue
        rows = connection.execute(
            select(desk_case.c.id, desk_case.c.priority, desk_case.c.opened_at)
            .where(desk_case.c.brand_id == brand_id, desk_case.c.incident_id == found.id, seen)
            .order_by(desk_case.c.id.desc())
            .limit(MOST_CASES)
        ).all()
        told = clock_events(connection, [CaseKey(brand_id, row.id) for row in rows])
        for row in rows:
            promise, calendars = rules.of(brand_id, row.priority, row.opened_at)
            stands = case_clocks.standing(told.get(CaseKey(brand_id, row.id), ()), promise, calendars, until)
            clocks += [clock for clock in stands.clocks if clock.kind != RESOLUTION and clock.started_at <= until]
    return hit_rate(clocks)


Rows = Sequence[Any]


def _counted(
    connection: Connection, organisation: Organisation, who: Access, found: Incident, now: datetime
) -> Iterator[tuple[str, Rows]]:
    """(what, rows of (person, how often, when last))."""
    event = incident_event
    yield (
        "lines",
        connection.execute(
            select(event.c.person_id, func.count(), func.max(event.c.at))
            .where(event.c.incident_id == found.id, event.c.person_id.is_not(None))
            .group_by(event.c.person_id)
        ).all(),
    )
    for brand_id in brands_of(found, organisation):
        seen = case_scope.allowed(organisation, who, brand_id)
        if seen is None:
            continue
        mine: ColumnElement[bool] = and_(
            desk_case.c.brand_id == brand_id,
            desk_case.c.incident_id == found.id,
            seen,
            reply.c.brand_id == brand_id,
            *lifetime(found, now),
        )
        joined = reply.join(desk_case, (desk_case.c.brand_id == reply.c.brand_id) & (desk_case.c.id == reply.c.case_id))
        yield (
            "sent",
            connection.execute(
                select(reply.c.author_id, func.count(), func.max(reply.c.sent_at))
                .select_from(joined)
                .where(mine, reply.c.state == "sent", reply.c.sent_at >= found.declared_at)
                .group_by(reply.c.author_id)
            ).all(),
        )
        signs = (signature.c.brand_id == reply.c.brand_id) & (signature.c.reply_id == reply.c.id)
        yield (
            "signed",
            connection.execute(
                select(signature.c.person_id, func.count(), func.max(signature.c.at))
                .select_from(joined.join(signature, signs))
                .where(mine, signature.c.verdict == "signed", signature.c.at >= found.declared_at)
                .group_by(signature.c.person_id)
            ).all(),
        )
