"""Which cases belong to an incident: the open ones in its scope when it is declared, and those that open later.

Cases are written by models/case_writing.py alone; this file asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from models import search
from models.case_steps import LIVE
from models.case_writing import Who, Working, tell, write
from models.incident_reading import Incident, IncidentScope, open_now
from models.organisation import Organisation
from models.tables import desk_case, mention

# Of one brand, the newest: more are no list that anybody reads.
MOST_LINKED = 500

IncidentOf = Callable[[int, int, int, str], int | None]
"""Brand, location, network and text of a new case -> the number of the incident it belongs to."""


def check_search(scope: IncidentScope) -> None:
    """SearchError where what is searched for cannot be read."""
    if scope.search:
        search.read(scope.search)


def link_open(connection: Connection, organisation: Organisation, found: Incident, *, now: datetime) -> int:
    """Link the open cases in its scope that belong to no incident, at most MOST_LINKED a brand; returns how many."""
    brands = found.scope.brand_ids or tuple(item.id for item in organisation.brands if item.kind == "own")
    linked = 0
    for brand_id in sorted(brands):
        works = _open_in(connection, organisation, found, brand_id)
        for work in works:
            said = {"before": {"incident_id": None}, "after": {"incident_id": found.id}}
            work.happen("linked", Who(None, found.label), now=now, details=said, incident_id=found.id)
        write(connection, works, now=now)
        if works:
            tell(connection, [brand_id])
        linked += len(works)
    return linked


def incident_of(connection: Connection, organisation: Organisation, now: datetime) -> IncidentOf:
    """Which open incident a new case belongs to: the most severe, then the newest. Read once for many cases."""
    found = open_now(connection, now)

    def of(brand_id: int, location_id: int, network_id: int, text: str) -> int | None:
        return next(
            (
                item.id
                for item in found
                if item.scope.covers(organisation, brand_id=brand_id, location_id=location_id, network_id=network_id)
                and _is_said(item.scope, text, network_id)
            ),
            None,
        )

    return of


def _open_in(connection: Connection, organisation: Organisation, found: Incident, brand_id: int) -> Sequence[Working]:
    scope = found.scope
    asked = (
        select(desk_case)
        .where(desk_case.c.brand_id == brand_id, desk_case.c.state.in_(LIVE), desk_case.c.incident_id.is_(None))
        .order_by(desk_case.c.id.desc())
        .limit(MOST_LINKED)
    )
    if scope.network_ids is not None:
        asked = asked.where(desk_case.c.network_id.in_(scope.network_ids))
    if scope.location_ids is not None:
        below = {place for top in scope.location_ids for place in organisation.below(top)}
        asked = asked.where(desk_case.c.location_id.in_(sorted(below)))
    if connection.dialect.name == "postgresql":
        asked = asked.with_for_update()
    works = [Working.of(row._asdict()) for row in connection.execute(asked)]
    if not scope.search or not works:
        return works
    texts = {
        row.id: row.text
        for row in connection.execute(
            select(mention.c.id, mention.c.text).where(
                mention.c.brand_id == brand_id, mention.c.id.in_([work.values["last_mention_id"] for work in works])
            )
        )
    }
    return [
        work
        for work in works
        if _is_said(scope, texts.get(work.values["last_mention_id"]) or "", work.values["network_id"])
    ]


def _is_said(scope: IncidentScope, text: str, network_id: int) -> bool:
    return not scope.search or search.read(scope.search).holds(text, None, None, network_id)
