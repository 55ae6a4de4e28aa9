"""The statements of the queue, built once for each scope: to build one takes several times as long as to ask it.

They name `now` and `me`, the person who asks, for which values are given with each question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)  # fmt: skip

from models import case_scope
from models.access import VIEWER, Access
from models.case_scope import (
    ALL_OPEN,
    DONE,
    MINE,
    NEEDS_REPLY,
    SHOWS,
    SIGN_OFF,
    SNOOZED,
    TEAM,
    UNCLAIMED,
    WAITS,
    Condition,
    Filters,
    Places,
)  # fmt: skip
from models.case_steps import LIVE
from models.organisation import Organisation
from models.tables import desk_case
from models.tables.base import UtcDateTime

DUE_SOON = timedelta(minutes=15)
# Both databases take more parts of one statement than this.
MOST_WALKS = 100
# Statements of each kind that are kept: a few hundred kilobytes each, and people share most of their scopes.
KEPT = 32
NOW = bindparam("now", type_=UtcDateTime())
SOON = bindparam("soon", type_=UtcDateTime())
ME = bindparam("me", type_=Integer())

Reach = tuple[tuple[int, Places], ...]
"""Brands, and where in them."""
_RANKED = tuple(desk_case.c[name] for name in ("brand_id", "id", "due_at", "opened_at", "priority", "waiting_since"))


def reach(organisation: Organisation, who: Access, filters: Filters, right: str = VIEWER) -> Reach:
    """The brands of ours that were asked for, with the places in them where somebody has the right."""
    brands = case_scope.readable_brands(organisation, who, filters)
    there = ((brand_id, case_scope.places_of(organisation, who, brand_id, right)) for brand_id in brands)
    return tuple((brand_id, places) for brand_id, places in there if places is not None)


@dataclass(frozen=True, slots=True)
class Walks:
    """Statements that each give up to `limit` rows of some walks, in their order; `by_number`: opened last first."""

    parts: tuple[Select[Any], ...]
    limit: int
    by_number: bool = False


def read(connection: Connection, walks: Walks, asked: Mapping[str, Any]) -> list[Any]:
    """The first `limit` rows of all walks."""
    found: list[Any] = []
    for part in walks.parts:
        found += connection.execute(part, asked)
    if len(walks.parts) <= 1:
        return found
    return sorted(found, key=_number if walks.by_number else _urgency, reverse=walks.by_number)[: walks.limit]


@lru_cache(KEPT)
def rows(brands: Reach, filters: Filters, limit: int) -> Walks:
    """The cases that fit, the most urgent first, or those closed last where closed ones are asked for."""
    by_number = filters.show == DONE
    return Walks(_joined(list(_walks(brands, filters, limit)), limit, by_number=by_number), limit, by_number)


@lru_cache(KEPT)
def candidates(brands: Reach, filters: Filters, limit: int) -> Walks:
    """What `me` may work on and nobody holds: what was given to them, then what was given to nobody or is late."""
    wanted = replace(filters, whose=TEAM, show=UNCLAIMED)
    given = desk_case.c.assigned_to
    turns = (given == ME, or_(given.is_(None), and_(given != ME, desk_case.c.due_at <= NOW)))
    walks = [
        walk.with_only_columns(*_RANKED, literal(turn).label("turn"), maintain_column_froms=True)
        for turn, also in enumerate(turns)
        for walk in _walks(brands, wanted, limit, also)
    ]
    return Walks(_joined(walks, limit), limit)


def _walks(brands: Reach, filters: Filters, limit: int, also: Condition | None = None) -> Iterator[Select[Any]]:
    """Walks down the index, one a brand and state, what is due first; what nothing is promised for comes last."""
    everywhere = and_(
        case_scope.asked_for(filters), case_scope.of(filters.whose, ME, NOW), case_scope.listed(filters.show, NOW)
    )
    if also is not None:
        everywhere = and_(everywhere, also)
    for brand_id, places in brands:
        for state in SHOWS[filters.show]:
            there = (desk_case.c.brand_id == brand_id, desk_case.c.state == state)
            here = select(desk_case).where(*there, case_scope.within(places), everywhere)
            if filters.show == DONE:
                yield here.order_by(desk_case.c.id.desc()).limit(limit)
            else:
                due = desk_case.c.due_at
                yield here.where(due.is_not(None)).order_by(due).limit(limit)
                yield here.where(due.is_(None)).order_by(desk_case.c.id).limit(limit)


def _joined(walks: Sequence[Select[Any]], limit: int, *, by_number: bool = False) -> tuple[Select[Any], ...]:
    """One statement for many walks: a person waits for every way to the server and back, and there are dozens.

    It sorts, since each walk gives up to `limit` rows, of which most are none of those.
    """
    found = []
    for start in range(0, len(walks), MOST_WALKS):
        there = union_all(*(select(walk.subquery()) for walk in walks[start : start + MOST_WALKS])).subquery()
        order = (there.c.id.desc(),) if by_number else _by_urgency(there.c)
        found.append(select(there).order_by(*order).limit(limit))
    return tuple(found)


def _by_urgency(row: Any) -> tuple[Any, ...]:
    """What `_urgency` says, in SQL."""
    return (
        *([row.turn] if "turn" in row else []),
        row.due_at.is_(None),
        func.coalesce(row.due_at, row.opened_at),
        row.priority,
        func.coalesce(row.waiting_since, row.opened_at),
        row.id,
    )


def _urgency(row: Any) -> tuple[Any, ...]:
    turn, due = getattr(row, "turn", 0), row.due_at
    return (turn, due is None, due or row.opened_at, row.priority, row.waiting_since or row.opened_at, row.id)


def _number(row: Any) -> int:
    return int(row.id)


@lru_cache(KEPT)
def counts(brands: Reach, filters: Filters) -> tuple[Executable, ...]:
    """A row a brand with everything that is counted, in one pass over its open cases, and since when somebody waits.

    It asks for `soon`, too: until when it is soon.
    """
    shown = and_(case_scope.of(filters.whose, ME, NOW), case_scope.listed(filters.show, NOW))
    needs = case_scope.listed(NEEDS_REPLY, NOW)
    due = desk_case.c.due_at
    # What was closed is listed, never counted: there is ever more of it.
    wanted = {
        "late": and_(shown, due <= NOW),
        "due": and_(shown, due > NOW, due <= SOON),
        "later": and_(shown, or_(due.is_(None), due > SOON)),
        "team": needs,
        "mine": and_(case_scope.of(MINE, ME, NOW), case_scope.listed(ALL_OPEN, NOW)),
        "sign_off": and_(case_scope.of(SIGN_OFF, ME, NOW), case_scope.listed(ALL_OPEN, NOW)),
        "waiting": case_scope.listed(WAITS, NOW),
        "snoozed": case_scope.listed(SNOOZED, NOW),
    }
    columns = [func.count(case((condition, 1))).label(name) for name, condition in wanted.items()]
    oldest = func.min(case((needs, desk_case.c.waiting_since))).label("oldest")
    each = [
        select(*columns, oldest).where(
            desk_case.c.brand_id == brand_id,
            desk_case.c.state.in_(LIVE),
            case_scope.within(places),
            case_scope.asked_for(filters),
        )
        for brand_id, places in brands
    ]
    return tuple(union_all(*each[start : start + MOST_WALKS]) for start in range(0, len(each), MOST_WALKS))
