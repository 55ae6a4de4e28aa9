"""From a mention to its case, and what waits: for screens that show mentions, and the number beside the desk's name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from models import case_scope
from models.access import Access
from models.bulk import asked
from models.case_reading import names_of
from models.case_steps import NEW, OPEN, CaseKey, case_of
from models.organisation import Organisation
from models.tables import desk_case

Key = tuple[int, int]
"""(brand, mention)."""

# Open cases of a brand that a filter looks at, those that wait longest left out first.
MOST_WAITING = 2_000
MOST_DUES = 100
# Kinds of events that put a mention into a case.
_BRINGS = ("opened", "joined", "came_back", "reopened_by_customer")


@dataclass(frozen=True, slots=True)
class Desked:
    """The case of a mention. `needs_reply`: it waits for us, and this mention is the newest post of it."""

    key: CaseKey
    state: str
    priority: int
    due_at: datetime | None
    needs_reply: bool
    holder: int | None
    holder_name: str | None
    holds_until: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """When the answer of a case is due, `priority` 1 (most urgent) to 4."""

    at: datetime
    key: CaseKey
    priority: int


def of_mentions(
    connection: Connection, organisation: Organisation, who: Access, keys: Collection[Key], *, now: datetime
) -> dict[Key, Desked]:
    """The cases of these mentions that somebody may see; mentions without one are left out."""
    if not keys:
        return {}
    relation, params = asked(connection, keys)
    kinds = ", ".join(f"'{kind}'" for kind in _BRINGS)
    brought = connection.exec_driver_sql(
        f"select e.brand_id, e.mention_id, e.case_id from {relation} cross join case_event e"  # noqa: S608
        f" where e.brand_id = a.a0 and e.mention_id = a.a1 and e.kind in ({kinds})",
        tuple(params),
    ).all()
    found: dict[CaseKey, Any] = {}
    for brand_id in sorted({row[0] for row in brought}):
        wanted = sorted({row[2] for row in brought if row[0] == brand_id})
        rows = connection.execute(select(desk_case).where(desk_case.c.brand_id == brand_id, desk_case.c.id.in_(wanted)))
        for row in rows:
            if case_scope.may_see(who, organisation, row.brand_id, row.location_id, row.team_id):
                found[CaseKey(brand_id, row.id)] = case_of(row._asdict())
    names = names_of(connection, (case.holder(now) for case in found.values()))
    desked = {}
    for brand_id, mention_id, case_id in brought:
        case = found.get(CaseKey(brand_id, case_id))
        if case is None:
            continue
        holder = case.holder(now)
        is_asleep = case.snoozed_until is not None and case.snoozed_until > now
        desked[brand_id, mention_id] = Desked(
            key=case.key,
            state=case.state,
            priority=case.priority,
            due_at=case.due_at,
            needs_reply=case.waiting_since is not None and not is_asleep and case.last_mention_id == mention_id,
            holder=holder,
            holder_name=None if holder is None else names.get(holder),
            holds_until=None if holder is None else case.claim_expires_at,
        )
    return desked


def needing_reply(
    connection: Connection, organisation: Organisation, who: Access, brand_ids: Collection[int], *, now: datetime
) -> tuple[int, ...]:
    """The mentions that wait for an answer of ours: of each open case the customer's newest post, newest first."""
    found: list[int] = []
    for brand_id in sorted(brand_ids):
        allowed = case_scope.allowed(organisation, who, brand_id)
        if allowed is None:
            continue
        found += connection.execute(
            select(desk_case.c.last_mention_id)
            .where(*_waits(brand_id, now), allowed)
            .order_by(desk_case.c.last_mention_id.desc())
            .limit(MOST_WAITING)
        ).scalars()
    return tuple(sorted(found, reverse=True)[:MOST_WAITING])


def dues(
    connection: Connection, organisation: Organisation, who: Access, brand_ids: Collection[int], *, now: datetime
) -> tuple[Due, ...]:
    """When the next MOST_DUES answers are due, late ones first: one walk down an index for a brand and state."""
    found: list[Due] = []
    for brand_id in sorted(brand_ids):
        allowed = case_scope.allowed(organisation, who, brand_id)
        if allowed is None:
            continue
        for state in (NEW, OPEN):
            found += [
                Due(row.due_at, CaseKey(brand_id, row.id), row.priority)
                for row in connection.execute(
                    select(desk_case.c.due_at, desk_case.c.id, desk_case.c.priority)
                    .where(*_waits(brand_id, now, state), allowed, desk_case.c.due_at.is_not(None))
                    .order_by(desk_case.c.due_at)
                    .limit(MOST_DUES)
                )
            ]
    return tuple(sorted(found)[:MOST_DUES])


def _waits(brand_id: int, now: datetime, *states: str) -> tuple[ColumnElement[bool], ...]:
    return (
        desk_case.c.brand_id == brand_id,
        desk_case.c.state.in_(states or (NEW, OPEN)),
        desk_case.c.waiting_since.is_not(None),
        or_(desk_case.c.snoozed_until.is_(None), desk_case.c.snoozed_until <= now),
    )
