"""Who of ours may do something in one place: whom a case can be given to, who can be named in a note. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from models.access import Access
from models.organisation import UNKNOWN, Organisation
from models.roles import granted, memberships
from models.tables import person


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who is not disabled; `roles` are those valid now."""

    id: int
    name: str
    roles: tuple[str, ...]


def who_may(
    connection: Connection,
    organisation: Organisation,
    right: str,
    *,
    brand_id: int,
    location_id: int = UNKNOWN,
    team_id: int = UNKNOWN,
    now: datetime,
) -> tuple[Colleague, ...]:
    """Everybody with the right for what stands in this brand, location and team, by name."""
    rows = connection.execute(select(person.c.id, person.c.email, person.c.name).where(person.c.disabled_at.is_(None)))
    people = {row.id: row for row in rows}
    given = memberships(connection, set(people), now)
    found = []
    for number, row in people.items():
        access = Access.granted(number, row.email, row.name, granted(given.get(number, ())))
        if access.may_for(right, organisation, brand_id=brand_id, location_id=location_id, team_id=team_id):
            found.append(Colleague(number, row.name, tuple(sorted({grant.role for grant in access.grants}))))
    return tuple(sorted(found, key=lambda item: (item.name.casefold(), item.id)))
