"""The queue: cases by the risk of missing what was promised, as far as one person may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select, union_all

from models import case_scope
from models.access import DRAFT, VIEWER, Access
from models.case_scope import ALL_OPEN, DONE, MINE, NEEDS_REPLY, SHOWS, SIGN_OFF, SNOOZED, TEAM, UNCLAIMED, WAITS
from models.case_scope import Condition as Condition
from models.case_scope import Filters as Filters
from models.case_steps import LIVE, Case, CaseKey, case_of
from models.organisation import Organisation
from models.presence import Presence
from models.tables import desk_case, mention, person, reply

LATE, DUE, LATER = "late", "due", "later"
DUE_SOON = timedelta(minutes=15)
# More than this in a queue is a number, not a list.
MOST_ROWS = 500
# Both databases take more parts of one statement than this.
MOST_WALKS = 100
_RANKED = tuple(desk_case.c[name] for name in ("brand_id", "id", "due_at", "opened_at", "priority", "waiting_since"))


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A case in the queue. `text` is of the customer's newest post, None where it was deleted.

    `holder` holds a claim now; `doing` is who looks or types; `group` is late, due or later; `awaiting` = a reply of it
    waits for a signature.
    """

    case: Case
    text: str | None
    posted_at: datetime | None
    holder: int | None
    holder_name: str | None
    group: str
    awaiting: bool
    doing: tuple[Presence, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases of the whole scope: of what is shown by urgency, then of the tabs and of the other lists."""

    late: int = 0
    due: int = 0
    later: int = 0
    team: int = 0
    mine: int = 0
    sign_off: int = 0
    waiting: int = 0
    snoozed: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The rows by urgency; `is_part` where there are more than were asked for. `oldest_waiting` = who waits longest."""

    late: tuple[QueueRow, ...]
    due: tuple[QueueRow, ...]
    later: tuple[QueueRow, ...]
    counts: Counts
    oldest_waiting: datetime | None
    is_part: bool

    @property
    def rows(self) -> tuple[QueueRow, ...]:
        """All of them, the most urgent first."""
        return (*self.late, *self.due, *self.later)


def queue(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    filters: Filters,
    *,
    now: datetime,
    limit: int = 200,
) -> Queue:
    """The most urgent `limit` cases that fit, and how many there are. `with_presence` adds who is in them."""
    limit = min(limit, MOST_ROWS)
    brands = case_scope.readable_brands(organisation, who, filters)
    walks = _walks(organisation, who, filters, brands, now, limit + 1)
    found = _read(connection, walks, limit + 1, by_number=filters.show == DONE)
    rows = _shown(connection, [case_of(row._asdict()) for row in found[:limit]], now)
    counts, oldest = _counted(connection, organisation, who, filters, brands, now)
    return Queue(
        late=tuple(row for row in rows if row.group == LATE),
        due=tuple(row for row in rows if row.group == DUE),
        later=tuple(row for row in rows if row.group == LATER),
        counts=counts,
        oldest_waiting=oldest,
        is_part=len(found) > limit,
    )


def candidates(
    connection: Connection, organisation: Organisation, who: Access, filters: Filters, *, now: datetime, limit: int
) -> tuple[CaseKey, ...]:
    """What somebody may work on and nobody holds: first what was given to them, then the most urgent.

    What was given to a colleague is the colleague's until it is late.
    """
    brands = case_scope.readable_brands(organisation, who, filters)
    wanted = replace(filters, whose=TEAM, show=UNCLAIMED)
    given = desk_case.c.assigned_to
    keys: list[CaseKey] = []
    for also in (given == who.person_id, or_(given.is_(None), desk_case.c.due_at <= now)):
        whole = _walks(organisation, who, wanted, brands, now, limit, DRAFT, also)
        walks = [walk.with_only_columns(*_RANKED, maintain_column_froms=True) for walk in whole]
        keys += [CaseKey(row.brand_id, row.id) for row in _read(connection, walks, limit)]
        if len(keys) >= limit:
            break
    return tuple(dict.fromkeys(keys))[:limit]


def group_of(found: Case, now: datetime) -> str:
    """How pressing a case is."""
    if found.due_at is None or found.due_at > now + DUE_SOON:
        return LATER
    return LATE if found.due_at <= now else DUE


def with_presence(found: Queue, doing: Mapping[CaseKey, tuple[Presence, ...]]) -> Queue:
    """The queue with who is in its cases."""

    def there(rows: Iterable[QueueRow]) -> tuple[QueueRow, ...]:
        return tuple(replace(row, doing=doing.get(row.case.key, ())) for row in rows)

    return replace(found, late=there(found.late), due=there(found.due), later=there(found.later))


def names_of(connection: Connection, person_ids: Iterable[int | None]) -> dict[int, str]:
    """The names of people, by id."""
    wanted = {person_id for person_id in person_ids if person_id is not None}
    if not wanted:
        return {}
    rows = connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


# -- which rows ------------------------------------------------------------------------------------------------


def _walks(
    organisation: Organisation,
    who: Access,
    filters: Filters,
    brands: Sequence[int],
    now: datetime,
    limit: int,
    right: str = VIEWER,
    also: Condition | None = None,
) -> list[Select[Any]]:
    """Walks down the index, one a brand and state, what is due first; what nothing is promised for comes last."""
    found: list[Select[Any]] = []
    everywhere = and_(
        case_scope.asked_for(filters), case_scope.of(filters.whose, who, now), case_scope.listed(filters.show, now)
    )
    if also is not None:
        everywhere = and_(everywhere, also)
    for brand_id in brands:
        allowed = case_scope.allowed(organisation, who, brand_id, right)
        if allowed is None:
            continue
        for state in SHOWS[filters.show]:
            there = (desk_case.c.brand_id == brand_id, desk_case.c.state == state)
            here = select(desk_case).where(*there, allowed, everywhere)
            if filters.show == DONE:
                found.append(here.order_by(desk_case.c.id.desc()).limit(limit))
            else:
                due = desk_case.c.due_at
                found.append(here.where(due.is_not(None)).order_by(due).limit(limit))
                found.append(here.where(due.is_(None)).order_by(desk_case.c.id).limit(limit))
    return found


def _read(connection: Connection, walks: Sequence[Select[Any]], limit: int, *, by_number: bool = False) -> list[Any]:
    """The most urgent `limit` rows of all walks, or those opened last."""
    found: list[Any] = []
    # One statement for many walks: a person waits for every way to the server and back, and there are dozens. It sorts,
    # since each walk gives up to `limit` rows, of which most are none of those.
    for start in range(0, len(walks), MOST_WALKS):
        there = union_all(*(select(walk.subquery()) for walk in walks[start : start + MOST_WALKS])).subquery()
        order = (there.c.id.desc(),) if by_number else _by_urgency(there.c)
        found += connection.execute(select(there).order_by(*order).limit(limit))
    if len(walks) <= MOST_WALKS:
        return found
    return sorted(found, key=_number if by_number else _urgency, reverse=by_number)[:limit]


def _by_urgency(row: Any) -> tuple[Any, ...]:
    """What `_urgency` says, in SQL."""
    return (
        row.due_at.is_(None),
        func.coalesce(row.due_at, row.opened_at),
        row.priority,
        func.coalesce(row.waiting_since, row.opened_at),
        row.id,
    )


def _urgency(row: Any) -> tuple[Any, ...]:
    due = row.due_at
    return (due is None, due or row.opened_at, row.priority, row.waiting_since or row.opened_at, row.id)


def _number(row: Any) -> int:
    return int(row.id)


# -- what is shown of them -------------------------------------------------------------------------------------


def _shown(connection: Connection, found: Sequence[Case], now: datetime) -> list[QueueRow]:
    texts = _texts(connection, found)
    names = names_of(connection, (one.holder(now) for one in found))
    awaiting = _awaiting(connection, found)
    rows = []
    for one in found:
        said, posted_at = texts.get((one.key.brand_id, one.last_mention_id), (None, None))
        holder = one.holder(now)
        rows.append(
            QueueRow(
                case=one,
                text=said,
                posted_at=posted_at,
                holder=holder,
                holder_name=None if holder is None else names.get(holder),
                group=group_of(one, now),
                awaiting=one.key in awaiting,
            )
        )
    return rows


def _by_brand(found: Sequence[Case]) -> dict[int, list[Case]]:
    brands: dict[int, list[Case]] = {}
    for one in found:
        brands.setdefault(one.key.brand_id, []).append(one)
    return brands


def _texts(connection: Connection, found: Sequence[Case]) -> dict[tuple[int, int], tuple[str | None, datetime]]:
    texts: dict[tuple[int, int], tuple[str | None, datetime]] = {}
    for brand_id, ones in _by_brand(found).items():
        rows = connection.execute(
            select(mention.c.id, mention.c.text, mention.c.posted_at, mention.c.deleted_at).where(
                mention.c.brand_id == brand_id, mention.c.id.in_([one.last_mention_id for one in ones])
            )
        )
        for row in rows:
            texts[(brand_id, row.id)] = (None if row.deleted_at is not None else row.text, row.posted_at)
    return texts


def _awaiting(connection: Connection, found: Sequence[Case]) -> set[CaseKey]:
    keys: set[CaseKey] = set()
    for brand_id, ones in _by_brand(found).items():
        rows = connection.execute(
            select(reply.c.case_id).where(
                reply.c.brand_id == brand_id,
                reply.c.case_id.in_([one.key.id for one in ones]),
                reply.c.state == case_scope.AWAITING,
            )
        )
        keys |= {CaseKey(brand_id, row.case_id) for row in rows}
    return keys


# -- how many --------------------------------------------------------------------------------------------------


def _counted(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    filters: Filters,
    brands: Sequence[int],
    now: datetime,
) -> tuple[Counts, datetime | None]:
    """Everything that is counted, in one pass over the open cases of each brand, and since when somebody waits."""
    shown = and_(case_scope.of(filters.whose, who, now), case_scope.listed(filters.show, now))
    needs = case_scope.listed(NEEDS_REPLY, now)
    due = desk_case.c.due_at
    # What was closed is listed, never counted: there is ever more of it.
    wanted = {
        "late": and_(shown, due <= now),
        "due": and_(shown, due > now, due <= now + DUE_SOON),
        "later": and_(shown, or_(due.is_(None), due > now + DUE_SOON)),
        "team": needs,
        "mine": and_(case_scope.of(MINE, who, now), case_scope.listed(ALL_OPEN, now)),
        "sign_off": and_(case_scope.of(SIGN_OFF, who, now), case_scope.listed(ALL_OPEN, now)),
        "waiting": case_scope.listed(WAITS, now),
        "snoozed": case_scope.listed(SNOOZED, now),
    }
    columns = [func.count(case((condition, 1))).label(name) for name, condition in wanted.items()]
    totals = dict.fromkeys(wanted, 0)
    oldest: list[datetime] = []
    for brand_id in brands:
        allowed = case_scope.allowed(organisation, who, brand_id)
        if allowed is None:
            continue
        row = connection.execute(
            select(*columns, func.min(case((needs, desk_case.c.waiting_since))).label("oldest")).where(
                desk_case.c.brand_id == brand_id,
                desk_case.c.state.in_(LIVE),
                allowed,
                case_scope.asked_for(filters),
            )
        ).one()
        for name in wanted:
            totals[name] += getattr(row, name)
        oldest += [row.oldest] if row.oldest is not None else []
    return Counts(**totals), min(oldest, default=None)
