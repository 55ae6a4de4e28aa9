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
from models.access import ADMIN, RIGHTS
from models.errors import InputError, NotFound
from models.tables import membership, person, session

LONGEST_EMAIL = 254
LONGEST_NAME = 200
COMMAND_LINE = "command line"
# People asked for in one statement.
BATCH = 500

_VALID = (
    select(membership.c.person_id, membership.c.right, membership.c.brand_ids, membership.c.location_ids)
    .where(
        membership.c.person_id.in_(bindparam("people", expanding=True)),
        membership.c.valid_from <= bindparam("now"),
        or_(membership.c.valid_to.is_(None), membership.c.valid_to > bindparam("now")),
        membership.c.right.in_(RIGHTS),
    )
    .order_by(membership.c.right)
)


@dataclass(frozen=True, slots=True)
class Person:
    """A row of `user list`. `rights` are those valid now; None in `brand_ids` and `location_ids` = all."""

    id: int
    email: str
    name: str
    rights: tuple[str, ...]
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
    right: str,
    now: datetime,
    brand_ids: Collection[int] | None = None,
    location_ids: Collection[int] | None = None,
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
    if right not in RIGHTS:
        raise InputError(f'no right "{right}"; known: {", ".join(RIGHTS)}')
    for kind, ids in (("brands", brand_ids), ("locations", location_ids)):
        if ids is not None and not ids:
            raise InputError(f"an empty list of {kind} shows nothing; name some, or leave it out for all")
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
    except IntegrityError as error:
        raise InputError(f'"{address}": somebody else was added at the same moment; try again') from error
    brands, locations = _listed(brand_ids), _listed(location_ids)
    connection.execute(
        insert(membership).values(
            person_id=person_id, right=right, brand_ids=brands, location_ids=locations, valid_from=now
        )
    )
    details = {"right": right, "brand_ids": brands, "location_ids": locations}
    audit.record(connection, at=now, action="person.added", subject=address, actor=actor, details=details)
    return person_id


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
        rights, brands, locations = granted(given.get(row.id, ()))
        people.append(
            Person(
                id=row.id,
                email=row.email,
                name=row.name,
                rights=tuple(sorted(rights)),
                brand_ids=brands,
                location_ids=locations,
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


def granted(rows: Iterable[Any]) -> tuple[frozenset[str], frozenset[int] | None, frozenset[int] | None]:
    # The key (person, right) leaves one row beside `admin`, so no two row scopes are ever mixed.
    by_right = {row.right: row for row in rows}
    if not by_right or ADMIN in by_right:
        return frozenset(by_right), None, None
    (row,) = by_right.values()
    return frozenset(by_right), _ids(row.brand_ids), _ids(row.location_ids)


def _ids(listed: list[int] | None) -> frozenset[int] | None:
    return None if listed is None else frozenset(listed)


def _listed(ids: Collection[int] | None) -> list[int] | None:
    return None if ids is None else sorted(set(ids))
