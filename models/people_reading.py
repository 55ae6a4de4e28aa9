"""The people as those see them who look after them: roles, what for, until when, and what needs somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from models import roles, signon
from models.access import Grant
from models.errors import NotFound
from models.organisation import Organisation
from models.people_acts import is_seen
from models.roles import granted
from models.tables import account, membership, person, session

SOON = timedelta(days=7)
REVIEW_EVERY = timedelta(days=90)
# Beside those with a role, so many of the newest without one; the others are found by name.
MOST_WITHOUT = 200
MOST_FOUND = 50
LONGEST_QUERY = 100


@dataclass(frozen=True, slots=True)
class Role:
    """A role that goes on, is to begin, or is over."""

    number: int
    grant: Grant
    valid_from: datetime
    valid_to: datetime | None
    given_by: str | None
    reviewed_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.valid_to is not None and self.valid_to <= now

    def ends_soon(self, now: datetime) -> bool:
        """Whether it ends within a week."""
        return self.valid_to is not None and now < self.valid_to <= now + SOON

    def is_due(self, now: datetime) -> bool:
        """Whether nobody has said within 90 days that it is right: who gave it then said so."""
        return max(self.reviewed_at or self.valid_from, self.valid_from) < now - REVIEW_EVERY


@dataclass(frozen=True, slots=True)
class Row:
    """One person. `roles` are those that go on or are to begin; `accounts` of the company they answer for."""

    id: int
    email: str
    name: str
    created_at: datetime
    disabled_at: datetime | None
    invited_at: datetime | None
    last_seen_at: datetime | None
    is_trainee: bool
    is_break_glass: bool
    is_linked: bool
    has_password: bool
    # Of the simulated organisation: nobody signs in as one of these.
    is_made_up: bool
    accounts: int
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody counted; `rows` are those with a role, leavers who still answer for something, the newest others.

    `people` are not disabled; `leavers` are disabled and yet own an account, since `leaver_since`; `due` of `going_on`
    roles have not been looked at for 90 days.
    """

    people: int
    with_role: int
    kinds: int
    ends_soon: int
    ends_next_day: int
    leavers: int
    leaver_since: datetime | None
    going_on: int
    due: int
    rows: tuple[Row, ...]
    without_shown: int


def directory(
    connection: Connection, organisation: Organisation, reach: Sequence[Grant], *, now: datetime
) -> Directory:
    """The people seen from `reach`: who has a role elsewhere only is not there."""
    held = _roles(connection, or_(membership.c.valid_to.is_(None), membership.c.valid_to > now))
    people = connection.execute(_PEOPLE.order_by(person.c.id.desc())).all()
    owners = _accounts(connection)
    seen = [
        row
        for row in people
        if is_seen(reach, (one.grant for one in held.get(row.id, ()) if not one.is_over(now)), organisation)
    ]
    goes_on = {
        row.id: [one for one in held.get(row.id, ()) if not one.is_over(now)] for row in seen if row.disabled_at is None
    }
    active = {number: [one for one in given if one.valid_from <= now] for number, given in goes_on.items()}
    current = [one for given in active.values() for one in given]
    leavers = [row for row in seen if row.disabled_at is not None and owners[row.id]]
    left = {row.id for row in leavers}
    first = [row for row in seen if goes_on.get(row.id) or row.id in left or row.is_break_glass]
    listed = {row.id for row in first}
    without = [row for row in seen if row.id not in listed and row.disabled_at is None]
    shown = [*first, *without[:MOST_WITHOUT]]
    return Directory(
        people=sum(row.disabled_at is None for row in seen),
        with_role=sum(bool(given) for given in active.values()),
        kinds=len({one.grant.role for one in current}),
        ends_soon=sum(one.ends_soon(now) for one in current),
        ends_next_day=sum(one.valid_to is not None and one.valid_to <= now + timedelta(days=1) for one in current),
        leavers=len(leavers),
        leaver_since=min((row.disabled_at for row in leavers), default=None),
        going_on=len(current),
        due=sum(one.is_due(now) for one in current),
        rows=_rows(connection, shown, held, owners, now),
        without_shown=min(len(without), MOST_WITHOUT),
    )


def find(
    connection: Connection, organisation: Organisation, reach: Sequence[Grant], text: str, *, now: datetime
) -> tuple[Row, ...]:
    """Whose name or email holds the text, at most 50 of them, by name; only who is seen from `reach`."""
    words = text.strip().lower()[:LONGEST_QUERY]
    if not words:
        return ()
    pattern = f"%{words.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    people = connection.execute(
        _PEOPLE.where(
            or_(func.lower(person.c.name).like(pattern, escape="!"), person.c.email.like(pattern, escape="!"))
        )
        .order_by(person.c.name, person.c.id)
        .limit(10 * MOST_FOUND)
    ).all()
    return _seen_rows(connection, organisation, reach, people, now)[:MOST_FOUND]


def one(
    connection: Connection, organisation: Organisation, reach: Sequence[Grant], person_id: int, *, now: datetime
) -> Row:
    """One person, with the roles that are over too. NotFound for who is not seen, as for nobody."""
    people = connection.execute(_PEOPLE.where(person.c.id == person_id)).all()
    found = _seen_rows(connection, organisation, reach, people, now, with_past=True)
    if not found:
        raise NotFound(f"no person {person_id}")
    return found[0]


_PEOPLE = select(
    person.c.id,
    person.c.email,
    person.c.name,
    person.c.created_at,
    person.c.disabled_at,
    person.c.invited_at,
    person.c.is_trainee,
    person.c.is_break_glass,
    person.c.password_hash.is_not(None).label("has_password"),
)


def _seen_rows(
    connection: Connection,
    organisation: Organisation,
    reach: Sequence[Grant],
    people: Sequence[Any],
    now: datetime,
    *,
    with_past: bool = False,
) -> tuple[Row, ...]:
    held = _roles(connection, membership.c.person_id.in_([row.id for row in people]))
    seen = [
        row
        for row in people
        if is_seen(reach, (item.grant for item in held.get(row.id, ()) if not item.is_over(now)), organisation)
    ]
    return _rows(connection, seen, held, _accounts(connection), now, with_past=with_past)


def _rows(
    connection: Connection,
    people: Sequence[Any],
    held: dict[int, list[Role]],
    owners: Counter[int],
    now: datetime,
    *,
    with_past: bool = False,
) -> tuple[Row, ...]:
    numbers = [row.id for row in people]
    linked = signon.linked_people(connection, numbers)
    seen = dict(_last_seen(connection))
    made_up = roles.made_up(connection)
    return tuple(
        Row(
            id=row.id,
            email=row.email,
            name=row.name,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            invited_at=row.invited_at,
            last_seen_at=seen.get(row.id),
            is_trainee=row.is_trainee,
            is_break_glass=row.is_break_glass,
            is_linked=row.id in linked,
            has_password=row.has_password,
            is_made_up=row.id in made_up,
            accounts=owners[row.id],
            roles=tuple(item for item in held.get(row.id, ()) if with_past or not item.is_over(now)),
        )
        for row in sorted(people, key=lambda row: (row.name.casefold(), row.id))
    )


def _roles(connection: Connection, which: Any) -> dict[int, list[Role]]:
    rows = connection.execute(select(membership).where(which).order_by(membership.c.valid_from, membership.c.id))
    found: dict[int, list[Role]] = {}
    for row in rows:
        (grant,) = granted([row])
        found.setdefault(row.person_id, []).append(
            Role(row.id, grant, row.valid_from, row.valid_to, row.granted_by, row.reviewed_at)
        )
    return found


def _accounts(connection: Connection) -> Counter[int]:
    """How many accounts each person owns or stands in for."""
    rows = connection.execute(select(account.c.owner_id, account.c.deputy_id).where(account.c.valid_to.is_(None)))
    return Counter(number for row in rows for number in row if number is not None)


def _last_seen(connection: Connection) -> Iterable[tuple[int, datetime]]:
    rows = connection.execute(
        select(session.c.person_id, func.max(session.c.seen_at).label("seen_at")).group_by(session.c.person_id)
    )
    return ((row.person_id, row.seen_at) for row in rows)
