"""Which roles people have, for what, from when until when. The only writer of `membership`.

Every change writes its audit row in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from models import audit
from models.access import ADMIN, ROLES, Grant
from models.database import raise_change
from models.errors import InputError, NotFound
from models.organisation import DEMO
from models.tables import membership, person, setting

# Who gave a role that follows a group of the company's: it ends when the group does.
COMPANY = "company sign-on"
TOPIC = "people"
# People asked for in one statement.
BATCH = 500

_VALID = (
    select(
        membership.c.person_id,
        membership.c.right,
        membership.c.brand_ids,
        membership.c.location_ids,
        membership.c.team_ids,
    )
    .where(
        membership.c.person_id.in_(bindparam("people", expanding=True)),
        membership.c.valid_from <= bindparam("now"),
        or_(membership.c.valid_to.is_(None), membership.c.valid_to > bindparam("now")),
        membership.c.right.in_(tuple(ROLES)),
    )
    .order_by(membership.c.right, membership.c.id)
)


def give_role(
    connection: Connection,
    person_id: int,
    role: str,
    *,
    now: datetime,
    brand_ids: Collection[int] | None = None,
    location_ids: Collection[int] | None = None,
    team_ids: Collection[int] | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    actor: str,
    actor_id: int | None = None,
) -> int:
    """The number of the new membership, from `valid_from` (now) until `valid_to` (open). InputError, NotFound."""
    row = connection.execute(select(person.c.email).where(person.c.id == person_id)).first()
    if row is None:
        raise NotFound(f"no person {person_id}")
    start = valid_from or now
    if valid_to is not None and valid_to <= start:
        raise InputError(f"a role that ends at {valid_to:%Y-%m-%d %H:%M} cannot begin at {start:%Y-%m-%d %H:%M}")
    grant = checked(role, brand_ids, location_ids, team_ids)
    try:
        with connection.begin_nested():
            number = add(connection, person_id, grant, start=start, until=valid_to, by=actor)
    except IntegrityError as error:
        raise InputError(f"{row.email}: another role was given at the same moment; try again") from error
    details = {**said(grant), "valid_from": start, "valid_to": valid_to}
    _record(connection, "person.role_given", row.email, now=now, actor=actor, actor_id=actor_id, details=details)
    return number


def end_role(
    connection: Connection, number: int, *, at: datetime, now: datetime, actor: str, actor_id: int | None = None
) -> None:
    """End a membership at `at`, now or later. NotFound where there is none that goes on."""
    row = role_row(connection, number, now)
    until = max(at, now)
    connection.execute(update(membership).where(membership.c.id == number).values(valid_to=until))
    details = {"role": row.right, "valid_to": until}
    _record(connection, "person.role_ended", row.email, now=now, actor=actor, actor_id=actor_id, details=details)


def review_role(connection: Connection, number: int, *, now: datetime, actor: str, actor_id: int | None = None) -> None:
    """Say that a role is still right. NotFound where there is none that goes on."""
    row = role_row(connection, number, now)
    connection.execute(update(membership).where(membership.c.id == number).values(reviewed_at=now))
    details = {"role": row.right}
    _record(connection, "person.role_reviewed", row.email, now=now, actor=actor, actor_id=actor_id, details=details)


def keep_roles(
    connection: Connection, person_id: int, email: str, wanted: Mapping[Grant, Collection[str]], *, now: datetime
) -> None:
    """Bring the roles that follow groups of the company's to `wanted` (grant -> the groups that give it).

    Those that people gave stay as they are.
    """
    rows = connection.execute(
        select(membership).where(
            membership.c.person_id == person_id,
            membership.c.granted_by == COMPANY,
            or_(membership.c.valid_to.is_(None), membership.c.valid_to > now),
        )
    ).all()
    held = {grant: row.id for row in rows for grant in granted([row])}
    for grant, number in held.items():
        if grant not in wanted:
            connection.execute(update(membership).where(membership.c.id == number).values(valid_to=now))
            details = {**said(grant), "valid_to": now}
            _record(connection, "person.role_ended", email, now=now, actor=COMPANY, actor_id=None, details=details)
    for grant, groups in wanted.items():
        if grant not in held:
            add(connection, person_id, grant, start=now, until=None, by=COMPANY)
            details = {**said(grant), "groups": sorted(groups)}
            _record(connection, "person.role_given", email, now=now, actor=COMPANY, actor_id=None, details=details)


def number_of(connection: Connection, person_id: int, grant: Grant, now: datetime) -> int:
    """The number of somebody's role that is just this, and goes on. NotFound."""
    rows = connection.execute(
        select(membership)
        .where(
            membership.c.person_id == person_id,
            membership.c.right == grant.role,
            or_(membership.c.valid_to.is_(None), membership.c.valid_to > now),
        )
        .order_by(membership.c.id.desc())
    ).all()
    found = next((row.id for row in rows if granted([row])[0] == grant), None)
    if found is None:
        raise NotFound(f"they do not have the role {grant.role} for just that")
    return int(found)


def role_row(connection: Connection, number: int, now: datetime) -> Any:
    """A membership that goes on, or is to begin, with its person. NotFound."""
    row = connection.execute(
        select(membership, person.c.email, person.c.name)
        .join(person, person.c.id == membership.c.person_id)
        .where(membership.c.id == number, or_(membership.c.valid_to.is_(None), membership.c.valid_to > now))
    ).first()
    if row is None:
        raise NotFound(f"no role {number} that goes on")
    return row


def memberships(connection: Connection, person_ids: Collection[int], now: datetime) -> dict[int, list[Any]]:
    """The rows valid now, by person; who has none is left out."""
    given: dict[int, list[Any]] = {}
    asked = sorted(person_ids)
    for start in range(0, len(asked), BATCH):
        rows = connection.execute(_VALID, {"people": asked[start : start + BATCH], "now": now})
        for row in rows:
            given.setdefault(row.person_id, []).append(row)
    return given


def granted(rows: Iterable[Any]) -> tuple[Grant, ...]:
    """The grants that rows of `memberships` hold."""
    return tuple(Grant(row.right, _ids(row.brand_ids), _ids(row.location_ids), _ids(row.team_ids)) for row in rows)


def checked(
    role: str,
    brand_ids: Collection[int] | None,
    location_ids: Collection[int] | None,
    team_ids: Collection[int] | None,
) -> Grant:
    """The grant of a role. InputError for a role that there is not, and for an empty list."""
    if role not in ROLES:
        raise InputError(f'no role "{audit.shown(role)}"; known: {", ".join(ROLES)}')
    for kind, ids in (("brands", brand_ids), ("locations", location_ids), ("teams", team_ids)):
        if ids is not None and not ids:
            raise InputError(f"an empty list of {kind} shows nothing; name some, or leave it out for all")
    return Grant(role, _ids(brand_ids), _ids(location_ids), _ids(team_ids))


def add(
    connection: Connection, person_id: int, grant: Grant, *, start: datetime, until: datetime | None, by: str
) -> int:
    """The number of a new row; its audit row is the caller's. InputError for an administrator whom nobody can be."""
    if grant.role == ADMIN and is_made_up(connection, person_id):
        raise InputError("this person belongs to the simulated organisation; nobody signs in as one of its people")
    number = int(connection.execute(select(func.coalesce(func.max(membership.c.id), 0))).scalar_one()) + 1
    connection.execute(
        insert(membership).values(
            id=number,
            person_id=person_id,
            right=grant.role,
            brand_ids=_listed(grant.brand_ids),
            location_ids=_listed(grant.location_ids),
            team_ids=_listed(grant.team_ids),
            valid_from=start,
            valid_to=until,
            granted_by=by,
        )
    )
    return number


def is_made_up(connection: Connection, person_id: int) -> bool:
    """Whether a person belongs to the simulated organisation: nobody signs in as one of these."""
    return person_id in made_up(connection)


def made_up(connection: Connection) -> frozenset[int]:
    """The people of the simulated organisation."""
    held = connection.execute(select(setting.c.value).where(setting.c.key == DEMO)).scalar()
    return frozenset(held.get("people", ())) if isinstance(held, Mapping) else frozenset()


def said(grant: Grant) -> dict[str, Any]:
    """A grant as an audit row tells it."""
    return {
        "role": grant.role,
        "brand_ids": _listed(grant.brand_ids),
        "location_ids": _listed(grant.location_ids),
        "team_ids": _listed(grant.team_ids),
    }


def _record(
    connection: Connection,
    action: str,
    email: str,
    *,
    now: datetime,
    actor: str,
    actor_id: int | None,
    details: Mapping[str, Any],
) -> None:
    audit.record(connection, at=now, action=action, subject=email, actor=actor, person_id=actor_id, details=details)
    raise_change(connection, TOPIC)


def _ids(listed: Collection[int] | None) -> frozenset[int] | None:
    return None if listed is None else frozenset(listed)


def _listed(ids: Collection[int] | None) -> list[int] | None:
    return None if ids is None else sorted(set(ids))
