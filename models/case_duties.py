"""What nobody has to do by hand: cases that are over are settled, teams that are overrun get help, claims end.

Called every minute or so by one worker; each does a bounded part, and the next call goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, text

from models import claims, routing
from models.case_arrivals import JOINS_WITHIN
from models.case_scope import is_asleep, is_held
from models.case_steps import NEW, WAITING
from models.case_writing import NO_CLAIM, Who, Working, tell, write
from models.organisation import Organisation
from models.tables import desk_case

# First key of the advisory lock of whoever does it.
DUTIES_LOCK = 0x57464344
# Cases that one call settles or moves.
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """How many cases were settled and moved, and how many claims that were over were taken out."""

    settled: int
    moved: int
    lapsed: int


def keep_in_order(connection: Connection, organisation: Organisation, *, now: datetime) -> Kept:
    """Do all three for the brands of ours, in one short transaction; nothing while another worker does."""
    if connection.dialect.name == "postgresql":
        turn = text("select pg_try_advisory_xact_lock(:space, 0)")
        if not connection.execute(turn, {"space": DUTIES_LOCK}).scalar():
            return Kept(0, 0, 0)
    own = [brand.id for brand in organisation.brands if brand.kind == "own"]
    lapsed = sum(claims.expire(connection, brand_id, now=now) for brand_id in own)
    return Kept(settle(connection, own, now=now), reroute(connection, organisation, now=now), lapsed)


def settle(connection: Connection, brand_ids: Sequence[int], *, now: datetime) -> int:
    """Resolve what was answered and then silent for 72 hours: a further post would be another case."""
    silent = (desk_case.c.last_ours_at < now - JOINS_WITHIN) & (desk_case.c.last_customer_at < now - JOINS_WITHIN)
    works = [
        work for brand_id in sorted(brand_ids) for work in _some(connection, brand_id, WAITING, silent & ~is_held(now))
    ]
    for work in works:
        values: dict[str, Any] = {"first_resolved_at": work.values["first_resolved_at"] or now, "resolved_at": now}
        who, said = Who(None, "rule"), {"reason": "no further post within 72 hours of our answer"}
        work.happen("settled", who, now=now, details=said, assigned_to=None, snoozed_until=None, **values, **NO_CLAIM)
    return _written(connection, works, now)


def reroute(connection: Connection, organisation: Organisation, *, now: datetime) -> int:
    """Move what nobody has looked at from teams that have more than their rule allows to the team that helps out."""
    rules = routing.load(connection, organisation, now)
    helped = {
        rule.team_id: rule
        for rule in reversed(rules.rules)
        if rule.team_id is not None and rule.overload is not None and rule.overflow_team_id is not None
    }
    works: list[Working] = []
    for team_id, rule in sorted(helped.items()):
        too_many = rules.loads.get(team_id, 0) - (rule.overload or 0)
        if too_many <= 0:
            continue
        free = (desk_case.c.team_id == team_id) & desk_case.c.assigned_to.is_(None) & ~is_held(now) & ~is_asleep(now)
        found: list[Working] = []
        for brand in organisation.brands:
            if brand.kind == "own":
                found += _some(connection, brand.id, NEW, free, newest=True)
        # The newest go: who has waited longest is next here.
        found.sort(key=lambda work: work.key.id, reverse=True)
        for work in found[: min(too_many, MOST_AT_ONCE)]:
            said = {"rule": rule.name, "reason": f"more than {rule.overload} open cases"}
            work.happen("rerouted", Who(None, "rule"), now=now, details=said, team_id=rule.overflow_team_id)
            works.append(work)
    return _written(connection, works, now)


def _some(
    connection: Connection, brand_id: int, state: str, condition: ColumnElement[bool], *, newest: bool = False
) -> list[Working]:
    statement: Any = (
        select(desk_case)
        .where(desk_case.c.brand_id == brand_id, desk_case.c.state == state, condition)
        .order_by(desk_case.c.id.desc() if newest else desk_case.c.id)
        .limit(MOST_AT_ONCE)
    )
    if connection.dialect.name == "postgresql":
        # What somebody works on at this moment can wait for the next call.
        statement = statement.with_for_update(skip_locked=True)
    return [Working.of(row._asdict()) for row in connection.execute(statement)]


def _written(connection: Connection, works: Sequence[Working], now: datetime) -> int:
    write(connection, works, now=now)
    tell(connection, {work.key.brand_id for work in works})
    return len(works)
