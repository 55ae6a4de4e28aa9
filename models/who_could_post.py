"""Who could post as an account on a day: from what was valid then, and what the product itself sent. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from models.access import ADMIN, ROLES, SEND, Access, Grant
from models.accounts import visible
from models.database import ID_LOW_MASK, time_id
from models.organisation import UNKNOWN, Organisation
from models.tables import account_part, membership, our_post, person, reply


@dataclass(frozen=True, slots=True)
class Could:
    """Somebody who could post then. `since` and `until` bound what gave it; None = it goes on. `sent` in the span."""

    person_id: int
    name: str
    why: str
    since: datetime
    until: datetime | None
    granted_by: str
    sent: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`others` = posts of the account in the span that did not go through the product; `rows` = rows that were read."""

    people: tuple[Could, ...]
    others: int
    rows: int

    @property
    def could(self) -> int:
        """People, each once."""
        return len({item.person_id for item in self.people})

    @property
    def did(self) -> int:
        """Of them those who sent something."""
        return len({item.person_id for item in self.people if item.sent})


def who_could_post(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    account_id: int,
    *,
    start: datetime,
    end: datetime,
) -> Answer:
    """Everybody who for any moment of [start, end) had the right to send there, and why. NotFound."""
    row = visible(connection, organisation, who, account_id)
    given = connection.execute(
        select(membership, person.c.name, person.c.disabled_at)
        .join(person, person.c.id == membership.c.person_id)
        .where(
            membership.c.valid_from < end,
            or_(membership.c.valid_to.is_(None), membership.c.valid_to > start),
            or_(person.c.disabled_at.is_(None), person.c.disabled_at > start),
        )
        .order_by(membership.c.valid_from, membership.c.id)
    ).all()
    parts = connection.execute(
        select(account_part, person.c.name)
        .join(person, person.c.id == account_part.c.person_id)
        .where(
            account_part.c.account_id == account_id,
            account_part.c.valid_from < end,
            or_(account_part.c.valid_to.is_(None), account_part.c.valid_to > start),
        )
    ).all()
    sent = _sent(connection, row, start, end)
    answers_for = {part.person_id: part.part for part in parts}
    people = tuple(
        Could(
            person_id=item.person_id,
            name=item.name,
            why=_why(item, organisation, answers_for.get(item.person_id, "")),
            since=item.valid_from,
            until=_earliest(item.valid_to, item.disabled_at),
            granted_by=item.granted_by or "",
            sent=sent.get(item.person_id, 0),
        )
        for item in given
        if _reaches(item, row, organisation)
    )
    others, looked_at = _outside(connection, row, start, end)
    return Answer(people, others, len(given) + len(parts) + sum(sent.values()) + looked_at)


def _reaches(item: Row[Any], row: Row[Any], organisation: Organisation) -> bool:
    rights = ROLES.get(item.right, frozenset())
    if ADMIN in rights:
        return True
    grant = Grant(item.right, _ids(item.brand_ids), _ids(item.location_ids), _ids(item.team_ids))
    place = row.location_id or UNKNOWN
    return (
        SEND in rights
        and (grant.brand_ids is None or row.brand_id in grant.brand_ids)
        and (grant.location_ids is None or any(place in organisation.below(top) for top in grant.location_ids))
        and (grant.team_ids is None or row.team_id in grant.team_ids)
    )


def _sent(connection: Connection, row: Row[Any], start: datetime, end: datetime) -> dict[int, int]:
    counted = (
        select(reply.c.author_id, func.count())
        .where(
            reply.c.brand_id == row.brand_id,
            reply.c.account_id == row.id,
            reply.c.state == "sent",
            and_(reply.c.sent_at >= start, reply.c.sent_at < end),
        )
        .group_by(reply.c.author_id)
    )
    return {row[0]: row[1] for row in connection.execute(counted)}


def _outside(connection: Connection, row: Row[Any], start: datetime, end: datetime) -> tuple[int, int]:
    """Posts of the account that nobody sent through the product, and how many posts were looked at."""
    total, ours = connection.execute(
        select(func.count(), func.count(our_post.c.person_id)).where(
            our_post.c.brand_id == row.brand_id,
            our_post.c.account_id == row.id,
            our_post.c.id >= time_id(start, 0),
            our_post.c.id <= time_id(end, ID_LOW_MASK),
            our_post.c.posted_at < end,
        )
    ).one()
    return total - ours, total


def _why(item: Row[Any], organisation: Organisation, part: str) -> str:
    def named(ids: Iterable[int] | None, names: dict[int, str], everything: str) -> str:
        return everything if ids is None else ", ".join(names.get(number, "one that is gone") for number in ids)

    brands = named(item.brand_ids, organisation.brand_names, "all brands")
    places = "" if item.location_ids is None else f", {named(item.location_ids, organisation.location_names, '')}"
    owns = f"{part} of the account; " if part else ""
    return f"{owns}role {item.right}, {brands}{places}"


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((item for item in instants if item is not None), default=None)


def _ids(listed: list[int] | None) -> frozenset[int] | None:
    return None if listed is None else frozenset(listed)
