"""Who of a team is there, and how much each has in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from models import case_scope, shifts
from models.access import Access, Scope
from models.case_reading import names_of
from models.case_scope import NEEDS_REPLY, Filters
from models.case_steps import NEW, OPEN
from models.organisation import Organisation
from models.shifts import OFF, ON
from models.tables import desk_case
from models.tables.base import MICROSECOND


@dataclass(frozen=True, slots=True)
class Load:
    """What somebody has in hand of a team's cases: claimed, else assigned. `person_id` None = nobody has them.

    `status` is on, off or break, as in the shifts; "" for nobody and for who is in another team. `until` is the end of
    the shift that goes on.
    """

    person_id: int | None
    name: str
    status: str
    until: datetime | None
    cases: int
    late: int


def loads(
    connection: Connection, organisation: Organisation, who: Access, team_id: int, scope: Scope, *, now: datetime
) -> tuple[Load, ...]:
    """The people of a team, those who are on first, then by load; what nobody has in hand first of all, if any.

    Counted are open cases that wait for us and that `who` may see: one pass over the open cases of each brand.
    """
    counted = _counted(connection, organisation, who, team_id, scope, now)
    people = dict(shifts.team_people(connection, team_id, now))
    here = set(shifts.on_now(connection, organisation, sorted(people), now))
    said = shifts.statuses(connection, people, now)
    zone = shifts.zone_of(organisation, team_id)
    going_on = shifts.spans(shifts.patterns(connection, team_id, now), zone, start=now, end=now + MICROSECOND)
    until = {span.person_id: span.end for span in going_on}
    names = people | names_of(connection, (number for number in counted if number is not None))
    found = [
        Load(
            person_id=number,
            name="Nobody" if number is None else names.get(number, ""),
            status=_status(number, people, here, said),
            until=until.get(number) if number in here else None,
            cases=counted.get(number, (0, 0))[0],
            late=counted.get(number, (0, 0))[1],
        )
        for number in {*people, *counted}
    ]
    return tuple(
        sorted(
            found,
            key=lambda one: (one.person_id is not None, one.status != ON, -one.cases, one.name.casefold()),
        )
    )


def _status(number: int | None, people: dict[int, str], here: set[int], said: dict[int, shifts.Status]) -> str:
    if number is None or number not in people:
        return ""
    if number in here:
        return ON
    return said[number].status if number in said and said[number].status != ON else OFF


def _counted(
    connection: Connection, organisation: Organisation, who: Access, team_id: int, scope: Scope, now: datetime
) -> dict[int | None, tuple[int, int]]:
    filters = Filters(scope.brand_ids, scope.location_ids, (team_id,), scope.network_ids)
    holder = case((desk_case.c.claim_expires_at > now, desk_case.c.claimed_by), else_=desk_case.c.assigned_to)
    found: dict[int | None, tuple[int, int]] = {}
    for brand_id in case_scope.readable_brands(organisation, who, filters):
        allowed = case_scope.allowed(organisation, who, brand_id)
        assert allowed is not None
        waiting = (
            select(holder.label("holder"), desk_case.c.due_at)
            .where(
                desk_case.c.brand_id == brand_id,
                desk_case.c.state.in_((NEW, OPEN)),
                desk_case.c.waiting_since.is_not(None),
                case_scope.listed(NEEDS_REPLY, now),
                case_scope.asked_for(filters),
                allowed,
            )
            .subquery()
        )
        rows = connection.execute(
            select(waiting.c.holder, func.count(), func.count(case((waiting.c.due_at <= now, 1)))).group_by(
                waiting.c.holder
            )
        )
        for number, cases, late in rows:
            before = found.get(number, (0, 0))
            found[number] = (before[0] + cases, before[1] + late)
    return found
