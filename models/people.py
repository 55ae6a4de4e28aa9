"""People. The only writer of `person`; what they may do is written by models/roles.py.

Every change writes its audit row in the same transaction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import audit, passwords, roles
from models.access import ADMIN, Access
from models.database import raise_change
from models.errors import InputError, NotFound
from models.roles import TOPIC, end_role, give_role, granted, is_made_up, memberships
from models.tables import person, session

LONGEST_EMAIL = 254
LONGEST_NAME = 200
COMMAND_LINE = "command line"


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
    role: str | None,
    now: datetime,
    brand_ids: Collection[int] | None = None,
    location_ids: Collection[int] | None = None,
    team_ids: Collection[int] | None = None,
    password: str | None = None,
    actor: str = COMMAND_LINE,
    actor_id: int | None = None,
) -> int:
    """The id of the new person. InputError says what is wrong.

    Without a password they are invited: they sign in by a link, or by company sign-on, which is linked to them once.
    Without a role they can do neither until they are given one.
    """
    address, shown_name = checked_email(email), checked_name(name)
    grant = None if role is None else roles.checked(role, brand_ids, location_ids, team_ids)
    if connection.execute(select(person.c.id).where(person.c.email == address)).first():
        raise InputError(f'"{address}" exists already; see `watchfloor user list`')
    password_hash = None if password is None else passwords.hashed(password)
    try:
        with connection.begin_nested():
            person_id = int(connection.execute(select(func.coalesce(func.max(person.c.id), 0))).scalar_one()) + 1
            connection.execute(
                insert(person).values(
                    id=person_id,
                    email=address,
                    name=shown_name,
                    password_hash=password_hash,
                    created_at=now,
                    invited_at=now if password is None else None,
                )
            )
            if grant is not None:
                roles.add(connection, person_id, grant, start=now, until=None, by=actor)
    except IntegrityError as error:
        raise InputError(f'"{address}": somebody else was added at the same moment; try again') from error
    audit.record(
        connection,
        at=now,
        action="person.added",
        subject=address,
        actor=actor,
        person_id=actor_id,
        details={"role": None} if grant is None else roles.said(grant),
    )
    raise_change(connection, TOPIC)
    return person_id


def add_people(
    connection: Connection,
    named: Sequence[tuple[str, str]],
    *,
    now: datetime,
    actor: str,
    actor_id: int | None = None,
) -> dict[str, int]:
    """Many at once, by checked email and name, invited and without a role: email -> id. One statement for all."""
    first = int(connection.execute(select(func.coalesce(func.max(person.c.id), 0))).scalar_one()) + 1
    rows = [
        {"id": first + place, "email": email, "name": name, "created_at": now, "invited_at": now}
        for place, (email, name) in enumerate(named)
    ]
    if not rows:
        return {}
    try:
        with connection.begin_nested():
            connection.execute(insert(person), rows)
    except IntegrityError as error:
        raise InputError("somebody else was added at the same moment; try again") from error
    for row in rows:
        audit.record(
            connection,
            at=now,
            action="person.added",
            subject=str(row["email"]),
            actor=actor,
            person_id=actor_id,
            details={"role": None},
        )
    raise_change(connection, TOPIC)
    return {str(row["email"]): first + place for place, row in enumerate(rows)}


def checked_email(email: str) -> str:
    """The one spelling an email is kept in. InputError where it is none."""
    address = normal_email(email)
    if address is None:
        raise InputError(f'"{audit.shown(email)}" is no email address; use one like ana@example.org')
    return address


def checked_name(name: str) -> str:
    """A name without what cannot be seen. InputError where it is empty or too long."""
    shown_name = " ".join(audit.shown(name).split())
    if not shown_name or len(shown_name) > LONGEST_NAME:
        raise InputError(f"the name has {len(shown_name)} characters; use 1 to {LONGEST_NAME}")
    return shown_name


def rename(
    connection: Connection, person_id: int, name: str, *, now: datetime, actor: str, actor_id: int | None = None
) -> None:
    """Another name for the same person. NotFound, InputError."""
    row = person_by_id(connection, person_id)
    shown_name = checked_name(name)
    connection.execute(update(person).where(person.c.id == person_id).values(name=shown_name))
    changed = audit.difference({"name": row.name}, {"name": shown_name})
    _record(connection, "person.renamed", row, now=now, actor=actor, actor_id=actor_id, details=changed)


def set_trainee(
    connection: Connection,
    person_id: int,
    is_trainee: bool,
    *,
    now: datetime,
    actor: str,
    actor_id: int | None = None,
) -> None:
    """Whether somebody is in training, so that policies may ask for a signature. NotFound."""
    row = person_by_id(connection, person_id)
    connection.execute(update(person).where(person.c.id == person_id).values(is_trainee=is_trainee))
    changed = audit.difference({"is_trainee": row.is_trainee}, {"is_trainee": is_trainee})
    _record(connection, "person.training", row, now=now, actor=actor, actor_id=actor_id, details=changed)


def invite(connection: Connection, person_id: int, *, now: datetime, actor: str, actor_id: int | None = None) -> None:
    """The company sign-on may be linked to this person, once. NotFound; InputError where it is not for them."""
    row = person_by_id(connection, person_id)
    if row.disabled_at is not None or row.is_break_glass:
        which = "is deactivated" if row.disabled_at is not None else "is the one who gets in without company sign-on"
        raise InputError(f'"{row.email}" {which}; nothing can be linked to them')
    connection.execute(update(person).where(person.c.id == person_id).values(invited_at=now))
    _record(connection, "person.invited", row, now=now, actor=actor, actor_id=actor_id, details=None)


def use_invitation(connection: Connection, person_id: int) -> bool:
    """Use it up; False where there is none any more."""
    done = connection.execute(
        update(person).where(person.c.id == person_id, person.c.invited_at.is_not(None)).values(invited_at=None)
    )
    return done.rowcount == 1


def set_break_glass(connection: Connection, email: str, *, now: datetime, actor: str = COMMAND_LINE) -> None:
    """Make this person the one local administrator who gets in when the company sign-on is down.

    InputError where they have no password, or are no administrator; whoever it was before is it no more.
    """
    row = person_by_email(connection, email)
    held = {grant.role for grant in granted(memberships(connection, {row.id}, now).get(row.id, ()))}
    if row.password_hash is None or row.disabled_at is not None or ADMIN not in held:
        raise InputError(f'"{row.email}" needs the role admin and a password to get in when nothing else works')
    before = connection.execute(select(person.c.email).where(person.c.is_break_glass)).scalars().all()
    connection.execute(update(person).where(person.c.is_break_glass).values(is_break_glass=False))
    connection.execute(update(person).where(person.c.id == row.id).values(is_break_glass=True, invited_at=None))
    details = audit.difference({"email": ", ".join(before) or None}, {"email": row.email})
    _record(connection, "person.break_glass_set", row, now=now, actor=actor, actor_id=None, details=details)


def person_by_id(connection: Connection, person_id: int) -> Any:
    """The row of a person. NotFound."""
    row = connection.execute(select(person).where(person.c.id == person_id)).first()
    if row is None:
        raise NotFound(f"no person {person_id}")
    return row


def _record(
    connection: Connection,
    action: str,
    row: Any,
    *,
    now: datetime,
    actor: str,
    actor_id: int | None,
    details: Mapping[str, Any] | None,
) -> None:
    audit.record(connection, at=now, action=action, subject=row.email, actor=actor, person_id=actor_id, details=details)
    raise_change(connection, TOPIC)


def close_person(connection: Connection, row: Any, now: datetime) -> None:
    """Mark a person as disabled; their sessions and the audit row are the caller's."""
    connection.execute(update(person).where(person.c.id == row.id).values(disabled_at=now, invited_at=None))
    raise_change(connection, TOPIC)


def reopen_person(
    connection: Connection, person_id: int, *, now: datetime, actor: str, actor_id: int | None = None
) -> None:
    """Somebody who was disabled may sign in again, with the roles that go on. NotFound."""
    row = person_by_id(connection, person_id)
    if row.disabled_at is not None:
        connection.execute(update(person).where(person.c.id == person_id).values(disabled_at=None))
        _record(connection, "person.enabled", row, now=now, actor=actor, actor_id=actor_id, details=None)


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


__all__ = [
    "COMMAND_LINE",
    "LONGEST_EMAIL",
    "TOPIC",
    "Person",
    "add_people",
    "add_person",
    "checked_email",
    "checked_name",
    "close_person",
    "end_role",
    "give_role",
    "granted",
    "invite",
    "is_made_up",
    "keep_password",
    "list_people",
    "memberships",
    "normal_email",
    "person_by_email",
    "person_by_id",
    "rename",
    "reopen_person",
    "set_break_glass",
    "set_trainee",
    "use_invitation",
]
