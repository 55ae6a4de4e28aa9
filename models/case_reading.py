"""The queue: cases by the risk of missing what was promised, as far as one person may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, select

from models import case_scope, queue_statements
from models.access import DRAFT, Access
from models.case_scope import Filters as Filters
from models.case_steps import Case, CaseKey, case_of
from models.organisation import Organisation
from models.presence import Presence
from models.queue_statements import DUE_SOON
from models.tables import mention, person, reply

LATE, DUE, LATER = "late", "due", "later"
# More than this in a queue is a number, not a list.
MOST_ROWS = 500


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
    brands = queue_statements.reach(organisation, who, filters)
    asked = {"now": now, "soon": now + DUE_SOON, "me": who.person_id}
    found = queue_statements.read(connection, queue_statements.rows(brands, filters, limit + 1), asked)
    rows = _shown(connection, [case_of(row._asdict()) for row in found[:limit]], now)
    counts, oldest = _counted(connection, queue_statements.counts(brands, filters), asked)
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
    brands = queue_statements.reach(organisation, who, filters, DRAFT)
    found = queue_statements.read(
        connection, queue_statements.candidates(brands, filters, limit), {"now": now, "me": who.person_id}
    )
    return tuple(CaseKey(row.brand_id, row.id) for row in found)


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


def _counted(
    connection: Connection, statements: Iterable[Executable], asked: Mapping[str, Any]
) -> tuple[Counts, datetime | None]:
    """Everything that is counted, and since when somebody waits."""
    totals = {column.name: 0 for column in fields(Counts)}
    oldest: list[datetime] = []
    for statement in statements:
        for row in connection.execute(statement, asked):
            for name in totals:
                totals[name] += getattr(row, name)
            oldest += [row.oldest] if row.oldest is not None else []
    return Counts(**totals), min(oldest, default=None)
