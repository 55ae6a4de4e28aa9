"""What one person may do to others: add, give and end roles, deactivate, invite. Who may, and to whom, is decided here.

An administrator may everything, but leave nobody in charge. Whoever else manages people does so within the brands,
locations and teams that were given to them for it: nobody gives what they do not hold, and nobody changes themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models import group_roles, identity, leaving, people, roles, signon
from models.access import ADMIN, PEOPLE, UNLIMITED, Access, Grant
from models.errors import AccessDenied, InputError, NotFound
from models.group_roles import RoleFor
from models.organisation import Organisation
from models.roles import granted
from models.tables import membership, person, session


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a role holds; None = from now, and without an end."""

    valid_from: datetime | None = None
    valid_to: datetime | None = None


ALWAYS = Span()


def add(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    email: str,
    name: str,
    wanted: RoleFor | None,
    span: Span = ALWAYS,
    now: datetime,
) -> int:
    """The id of the new person, who is invited; without `wanted` they have no role yet. InputError, AccessDenied."""
    who.require(PEOPLE)
    if wanted is not None:
        check_gift(who, group_roles.grant_of(wanted, organisation), organisation)
    number = people.add_person(
        connection, email=email, name=name, role=None, now=now, actor=who.email, actor_id=who.person_id
    )
    if wanted is not None:
        _give(connection, organisation, who, number, wanted, span, now)
    return number


def give(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    person_id: int,
    wanted: RoleFor,
    *,
    span: Span = ALWAYS,
    now: datetime,
) -> int:
    """The number of the new role. NotFound, InputError, AccessDenied."""
    _require_over(connection, organisation, who, person_id, now)
    check_gift(who, group_roles.grant_of(wanted, organisation), organisation)
    return _give(connection, organisation, who, person_id, wanted, span, now)


def end(
    connection: Connection, organisation: Organisation, who: Access, number: int, *, at: datetime, now: datetime
) -> None:
    """End a role at `at`, now or later. NotFound, AccessDenied."""
    row = _role_over(connection, organisation, who, number, now)
    if row.right == ADMIN:
        check_leaves(connection, row.person_id, now)
    roles.end_role(connection, number, at=at, now=now, actor=who.email, actor_id=who.person_id)


def review(
    connection: Connection, organisation: Organisation, who: Access, numbers: Iterable[int], *, now: datetime
) -> int:
    """Say of these roles that they are still right; how many they were. NotFound, AccessDenied."""
    asked = sorted(set(numbers))
    for number in asked:
        _role_over(connection, organisation, who, number, now)
        roles.review_role(connection, number, now=now, actor=who.email, actor_id=who.person_id)
    return len(asked)


def deactivate(
    connection: Connection, organisation: Organisation, who: Access, person_id: int, *, now: datetime
) -> leaving.Ended:
    """Nobody signs in as this person any more: open sessions end within 5 s, claims at once. NotFound, AccessDenied."""
    row = _require_over(connection, organisation, who, person_id, now)
    check_leaves(connection, person_id, now)
    return leaving.disable_person(connection, row.email, now, actor=who.email, actor_id=who.person_id)


def activate(connection: Connection, organisation: Organisation, who: Access, person_id: int, *, now: datetime) -> None:
    """They may sign in again, with the roles that go on. NotFound, AccessDenied."""
    _require_over(connection, organisation, who, person_id, now)
    people.reopen_person(connection, person_id, now=now, actor=who.email, actor_id=who.person_id)


def invite(connection: Connection, organisation: Organisation, who: Access, person_id: int, *, now: datetime) -> None:
    """The company sign-on may be linked to them, once; an older link is forgotten. NotFound, AccessDenied."""
    _require_over(connection, organisation, who, person_id, now)
    signon.unlink(connection, person_id)
    people.invite(connection, person_id, now=now, actor=who.email, actor_id=who.person_id)


def first_link(
    connection: Connection, organisation: Organisation, who: Access, person_id: int, *, now: datetime
) -> str:
    """The token of a link that signs somebody in for the first time. NotFound, AccessDenied.

    InputError for who has signed in before: nobody gets to act in another's name here.
    """
    row = _require_over(connection, organisation, who, person_id, now)
    has_been_in = connection.execute(select(session.c.id_hash).where(session.c.person_id == person_id).limit(1)).first()
    if has_been_in or row.password_hash is not None or signon.linked_people(connection, (person_id,)):
        raise InputError(f"{row.name} has a way in; a link is for who never signed in")
    return identity.make_link(connection, row.email, now, actor=who.email, valid_for=identity.FIRST_LINK_VALID)


def train(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    person_id: int,
    *,
    is_trainee: bool,
    now: datetime,
) -> None:
    """Whether somebody is in training. NotFound, AccessDenied."""
    _require_over(connection, organisation, who, person_id, now)
    people.set_trainee(connection, person_id, is_trainee, now=now, actor=who.email, actor_id=who.person_id)


def is_seen(reach: Iterable[Grant], held: Iterable[Grant], organisation: Organisation) -> bool:
    """Whether somebody with these roles is seen from there: one of them overlaps, or there is none at all."""
    given = tuple(held)
    return not given or any(_overlap(own, other, organisation) for own in reach for other in given)


def may_over(who: Access, held: Iterable[Grant], organisation: Organisation) -> bool:
    """Whether `who` may change somebody who holds these roles."""
    return who.may(ADMIN) or all(_may_gift(who, grant, organisation) for grant in held)


def _give(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    person_id: int,
    wanted: RoleFor,
    span: Span,
    now: datetime,
) -> int:
    grant = group_roles.grant_of(wanted, organisation)
    return roles.give_role(
        connection,
        person_id,
        grant.role,
        now=now,
        brand_ids=grant.brand_ids,
        location_ids=grant.location_ids,
        team_ids=grant.team_ids,
        valid_from=span.valid_from,
        valid_to=span.valid_to,
        actor=who.email,
        actor_id=who.person_id,
    )


def _require_over(
    connection: Connection, organisation: Organisation, who: Access, person_id: int, now: datetime
) -> Any:
    """The row of somebody whom `who` may change. NotFound for who is not seen, word for word as for nobody."""
    who.require(PEOPLE)
    row = connection.execute(select(person).where(person.c.id == person_id)).first()
    held = _going_on(connection, person_id, now)
    if row is None or not (who.may(ADMIN) or is_seen(who.reach, held, organisation)):
        raise NotFound(f"no person {person_id}")
    if person_id == who.person_id:
        raise AccessDenied("nobody changes their own roles; ask somebody else who manages people")
    if not may_over(who, held, organisation):
        raise AccessDenied(f"{row.name} has roles beyond yours; ask an administrator")
    return row


def _role_over(connection: Connection, organisation: Organisation, who: Access, number: int, now: datetime) -> Any:
    who.require(PEOPLE)
    found = connection.execute(select(membership.c.person_id).where(membership.c.id == number)).first()
    try:
        if found is None:
            raise NotFound("")
        _require_over(connection, organisation, who, found.person_id, now)
    except NotFound:
        # Of a role of somebody who is not seen nothing is told, not even whose it is.
        raise NotFound(f"no role {number} that goes on") from None
    return roles.role_row(connection, number, now)


def _going_on(connection: Connection, person_id: int, now: datetime) -> tuple[Grant, ...]:
    rows = connection.execute(
        select(membership).where(
            membership.c.person_id == person_id, (membership.c.valid_to.is_(None)) | (membership.c.valid_to > now)
        )
    ).all()
    return granted(rows)


def check_gift(who: Access, grant: Grant, organisation: Organisation) -> None:
    """AccessDenied, in words, where `who` cannot give that."""
    if not _may_gift(who, grant, organisation):
        words = group_roles.words(grant, organisation)
        raise AccessDenied(f"you cannot give the role {grant.role} for {words}: it is more than you hold")


def _may_gift(who: Access, grant: Grant, organisation: Organisation) -> bool:
    if who.may(ADMIN):
        return True
    own = [one for one in who.grants if PEOPLE in one.rights]
    return grant.role not in UNLIMITED and any(
        grant.rights <= one.rights and _within(grant, one, organisation) for one in own
    )


def check_leaves(connection: Connection, person_id: int, now: datetime) -> None:
    """InputError where this is the last administrator: somebody must be left who can put things right."""
    rows = connection.execute(
        select(membership.c.person_id)
        .join(person, person.c.id == membership.c.person_id)
        .where(
            membership.c.right == ADMIN,
            person.c.disabled_at.is_(None),
            membership.c.valid_from <= now,
            membership.c.valid_to.is_(None),
        )
        .distinct()
    )
    admins = set(rows.scalars())
    if admins == {person_id}:
        raise InputError("this is the last administrator; make somebody else one first")


def _within(inner: Grant, outer: Grant, organisation: Organisation) -> bool:
    places = {place for top in outer.location_ids or () for place in organisation.below(top)}
    return (
        _subset(inner.brand_ids, outer.brand_ids)
        and (outer.location_ids is None or (inner.location_ids is not None and inner.location_ids <= places))
        and _subset(inner.team_ids, outer.team_ids)
    )


def _overlap(one: Grant, other: Grant, organisation: Organisation) -> bool:
    return (
        _meet(one.brand_ids, other.brand_ids)
        and _meet(_below(one, organisation), _below(other, organisation))
        and _meet(one.team_ids, other.team_ids)
    )


def _below(grant: Grant, organisation: Organisation) -> frozenset[int] | None:
    if grant.location_ids is None:
        return None
    return frozenset(place for top in grant.location_ids for place in organisation.below(top))


def _subset(these: frozenset[int] | None, those: frozenset[int] | None) -> bool:
    return those is None or (these is not None and these <= those)


def _meet(these: frozenset[int] | None, those: frozenset[int] | None) -> bool:
    return these is None or those is None or bool(these & those)
