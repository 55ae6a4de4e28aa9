"""People and what they may do. The only writer of `person` and `membership`.

Every change writes its audit row in the same transaction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from models import audit, passwords
from models.access import ROLES, Access, Grant
from models.errors import InputError, NotFound
from models.tables import membership, person, session

LONGEST_EMAIL = 254
LONGEST_NAME = 200
COMMAND_LINE = "command line"
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


@dataclass(frozen=True, slots=True)
class Person:
    """A row of `user list`. `roles` are those valid now; None in `brand_ids` and `location_ids` = all are seen."""

    id: int
    email: str
    name: str
    roles: tuple[str, ...]
    brand_ids: frozenset[int] | None
    location_ids: frozenset[int] | None
    created_at: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None


def add_person(
    connection: Connection,
    *,
    email: str,
    name: str,
    role: str,
    now: datetime,
    brand_ids: Collection[int] | None = None,
    location_ids: Collection[int] | None = None,
    team_ids: Collection[int] | None = None,
    password: str | None = None,
    actor: str = COMMAND_LINE,
) -> int:
    """The id of the new person. Without a password they sign in by link. InputError says what is wrong."""
    address = normal_email(email)
    if address is None:
        raise InputError(f'"{audit.shown(email)}" is no email address; use one like ana@example.org')
    shown_name = " ".join(audit.shown(name).split())
    if not shown_name or len(shown_name) > LONGEST_NAME:
        raise InputError(f"the name has {len(shown_name)} characters; use 1 to {LONGEST_NAME}")
    grant = _checked(role, brand_ids, location_ids, team_ids)
    if connection.execute(select(person.c.id).where(person.c.email == address)).first():
        raise InputError(f'"{address}" exists already; see `watchfloor user list`')
    password_hash = None if password is None else passwords.hashed(password)
    try:
        with connection.begin_nested():
            person_id = int(connection.execute(select(func.coalesce(func.max(person.c.id), 0))).scalar_one()) + 1
            connection.execute(
                insert(person).values(
                    id=person_id, email=address, name=shown_name, password_hash=password_hash, created_at=now
                )
            )
            _grant(connection, person_id, grant, now=now, until=None, actor=actor)
    except IntegrityError as error:
        raise InputError(f'"{address}": somebody else was added at the same moment; try again') from error
    audit.record(connection, at=now, action="person.added", subject=address, actor=actor, details=_said(grant))
    return person_id


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
    grant = _checked(role, brand_ids, location_ids, team_ids)
    try:
        with connection.begin_nested():
            number = _grant(connection, person_id, grant, now=start, until=valid_to, actor=actor)
    except IntegrityError as error:
        raise InputError(f"{row.email}: another role was given at the same moment; try again") from error
    details = {**_said(grant), "valid_from": start, "valid_to": valid_to}
    audit.record(
        connection,
        at=now,
        action="person.role_given",
        subject=row.email,
        actor=actor,
        person_id=actor_id,
        details=details,
    )
    return number


def end_role(
    connection: Connection, number: int, *, at: datetime, now: datetime, actor: str, actor_id: int | None = None
) -> None:
    """End a membership at `at`, now or later. NotFound where there is none that goes on."""
    row = connection.execute(
        select(membership.c.person_id, membership.c.right, person.c.email)
        .join(person, person.c.id == membership.c.person_id)
        .where(membership.c.id == number, or_(membership.c.valid_to.is_(None), membership.c.valid_to > now))
    ).first()
    if row is None:
        raise NotFound(f"no role {number} that goes on")
    connection.execute(update(membership).where(membership.c.id == number).values(valid_to=max(at, now)))
    audit.record(
        connection,
        at=now,
        action="person.role_ended",
        subject=row.email,
        actor=actor,
        person_id=actor_id,
        details={"role": row.right, "valid_to": max(at, now)},
    )


def _checked(
    role: str,
    brand_ids: Collection[int] | None,
    location_ids: Collection[int] | None,
    team_ids: Collection[int] | None,
) -> Grant:
    if role not in ROLES:
        raise InputError(f'no role "{role}"; known: {", ".join(ROLES)}')
    for kind, ids in (("brands", brand_ids), ("locations", location_ids), ("teams", team_ids)):
        if ids is not None and not ids:
            raise InputError(f"an empty list of {kind} shows nothing; name some, or leave it out for all")
    return Grant(role, _ids(brand_ids), _ids(location_ids), _ids(team_ids))


def _grant(
    connection: Connection, person_id: int, grant: Grant, *, now: datetime, until: datetime | None, actor: str
) -> int:
    number = int(connection.execute(select(func.coalesce(func.max(membership.c.id), 0))).scalar_one()) + 1
    connection.execute(
        insert(membership).values(
            id=number,
            person_id=person_id,
            right=grant.role,
            brand_ids=_listed(grant.brand_ids),
            location_ids=_listed(grant.location_ids),
            team_ids=_listed(grant.team_ids),
            valid_from=now,
            valid_to=until,
            granted_by=actor,
        )
    )
    return number


def _said(grant: Grant) -> dict[str, Any]:
    return {
        "role": grant.role,
        "brand_ids": _listed(grant.brand_ids),
        "location_ids": _listed(grant.location_ids),
        "team_ids": _listed(grant.team_ids),
    }


def close_person(connection: Connection, row: Any, now: datetime) -> None:
    """Mark a person as disabled; their sessions and the audit row are the caller's."""
    connection.execute(update(person).where(person.c.id == row.id).values(disabled_at=now))


def keep_password(connection: Connection, person_id: int, password_hash: str) -> None:
    """Replace what a password is compared with."""
    connection.execute(update(person).where(person.c.id == person_id).values(password_hash=password_hash))


def list_people(connection: Connection, now: datetime) -> tuple[Person, ...]:
    """Everybody, disabled ones too, by email."""
    seen: dict[int, datetime] = {
        row.person_id: row.seen_at
        for row in connection.execute(
            select(session.c.person_id, func.max(session.c.seen_at).label("seen_at")).group_by(session.c.person_id)
        )
    }
    rows = connection.execute(select(person).order_by(person.c.email)).all()
    given = memberships(connection, {row.id for row in rows}, now)
    people = []
    for row in rows:
        access = Access.granted(row.id, row.email, row.name, granted(given.get(row.id, ())))
        people.append(
            Person(
                id=row.id,
                email=row.email,
                name=row.name,
                roles=tuple(sorted({grant.role for grant in access.grants})),
                brand_ids=access.brand_ids,
                location_ids=access.location_ids,
                created_at=row.created_at,
                disabled_at=row.disabled_at,
                last_seen_at=seen.get(row.id),
            )
        )
    return tuple(people)


def normal_email(text: str) -> str | None:
    """The one spelling an email is kept and compared in; None for what is no email address."""
    candidate = unicodedata.normalize("NFC", text.strip()).lower()
    local, at, domain = candidate.rpartition("@")
    plausible = (
        at
        and local
        and "@" not in local
        and domain.strip(".") == domain != ""
        and ".." not in candidate
        and len(candidate) <= LONGEST_EMAIL
        and candidate.isprintable()
        and not any(character in " \"'<>()[],;:\\" for character in candidate)
    )
    return candidate if plausible else None


def person_by_email(connection: Connection, email: str) -> Any:
    address = normal_email(email)
    row = address and connection.execute(select(person).where(person.c.email == address)).first()
    if not row:
        raise NotFound(f'no person "{audit.shown(email)}"; see `watchfloor user list`')
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


def _ids(listed: Collection[int] | None) -> frozenset[int] | None:
    return None if listed is None else frozenset(listed)


def _listed(ids: Collection[int] | None) -> list[int] | None:
    return None if ids is None else sorted(set(ids))
