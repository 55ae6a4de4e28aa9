"""How well we answer, over a scope and some days: who waits now, how quick first answers were, which promises held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from models import case_scope
from models.access import Access, Scope
from models.answer_times import KEPT, MISSED, Times, from_classes
from models.case_scope import NEEDS_REPLY, Filters
from models.case_steps import NEW, OPEN
from models.cube import local_day
from models.organisation import Organisation
from models.service_level import FIRST, NEXT
from models.tables import answer_time, desk_case


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases that wait for us: how many, since when the longest of them, how many are late."""

    count: int
    since: datetime | None
    late: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What ended on some local days. `first`: first answers in business time; `met`, `missed`: first and next ones."""

    first: Times
    met: int
    missed: int


def waiting(connection: Connection, organisation: Organisation, who: Access, scope: Scope, *, now: datetime) -> Waiting:
    """Who waits now: one pass over the open cases of each brand."""
    filters = Filters(scope.brand_ids, scope.location_ids, scope.team_ids, scope.network_ids)
    count, late, oldest = 0, 0, []
    for brand_id in case_scope.readable_brands(organisation, who, filters):
        allowed = case_scope.allowed(organisation, who, brand_id)
        assert allowed is not None
        since = desk_case.c.waiting_since
        row = connection.execute(
            select(func.count(), func.min(since), func.count(case((desk_case.c.due_at <= now, 1)))).where(
                desk_case.c.brand_id == brand_id,
                desk_case.c.state.in_((NEW, OPEN)),
                since.is_not(None),
                case_scope.listed(NEEDS_REPLY, now),
                case_scope.asked_for(filters),
                allowed,
            )
        ).one()
        count, late = count + row[0], late + row[2]
        oldest += [row[1]] if row[1] is not None else []
    return Waiting(count, min(oldest, default=None), late)


def answers(
    connection: Connection, organisation: Organisation, who: Access, scope: Scope, *, start: datetime, end: datetime
) -> Answers:
    """What ended on the local days from that of `start` to that of `end`; a network is not kept and not asked for."""
    first_day, last_day = (local_day(int(at.timestamp()), organisation.zone)[0] for at in (start, end))
    filters = Filters(scope.brand_ids, scope.location_ids, scope.team_ids)
    columns = answer_time.c
    classes: list[tuple[int, int]] = []
    decided = {KEPT: 0, MISSED: 0}
    for brand_id in case_scope.readable_brands(organisation, who, filters):
        allowed = case_scope.allowed(organisation, who, brand_id, columns=columns)
        assert allowed is not None
        rows = connection.execute(
            select(columns.kind, columns["class"], func.sum(columns.cases))
            .where(
                columns.brand_id == brand_id,
                columns.day.between(first_day, last_day),
                columns.kind.in_((FIRST, NEXT)),
                _among(scope.location_ids, scope.team_ids),
                allowed,
            )
            .group_by(columns.kind, columns["class"])
        )
        for kind, number, cases in rows:
            if number in decided:
                decided[number] += int(cases)
            elif kind == FIRST:
                classes.append((number, int(cases)))
    return Answers(from_classes(classes), decided[KEPT], decided[MISSED])


def _among(location_ids: Sequence[int] | None, team_ids: Sequence[int] | None) -> case_scope.Condition:
    wanted: list[case_scope.Condition] = []
    if location_ids is not None:
        wanted.append(answer_time.c.location_id.in_(location_ids))
    if team_ids is not None:
        wanted.append(answer_time.c.team_id.in_(team_ids))
    return and_(True, *wanted)
