"""What an open incident keeps from being said, and what it has us say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from models.checks import Pinned
from models.incident_reading import FROZEN, Incident, holding, open_now
from models.incident_statements import IN_USE, MOST_VERSIONS
from models.organisation import Organisation
from models.tables import incident_statement


@dataclass(frozen=True, slots=True)
class Hold:
    """An open incident in whose scope something is. `outbound`: frozen, or manager (a senior manager signs)."""

    incident_id: int
    name: str
    outbound: str

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is sent at all."""
        return self.outbound == FROZEN


def holds(
    connection: Connection, organisation: Organisation, brand_id: int, location_id: int, network_id: int, now: datetime
) -> Hold | None:
    """The strictest open incident that something in this brand, place and network is in; None where there is none."""
    return hold_of(open_now(connection, now), organisation, brand_id, location_id, network_id)


def hold_of(
    incidents: Sequence[Incident], organisation: Organisation, brand_id: int, location_id: int, network_id: int
) -> Hold | None:
    """The same among incidents that were read already."""
    found = holding(incidents, organisation, brand_id=brand_id, location_id=location_id, network_id=network_id)
    return None if found is None else Hold(found.id, found.label + " " + found.name, found.outbound)


def pinned(connection: Connection, hold: Hold | None) -> Pinned | None:
    """What is to be said about an incident, with what was said before; None where nothing ever was."""
    if hold is None:
        return None
    rows = connection.execute(
        select(incident_statement)
        .where(incident_statement.c.incident_id == hold.incident_id, incident_statement.c.in_use_at.is_not(None))
        .order_by(incident_statement.c.version.desc())
    ).all()
    if not rows:
        return None
    current = next((row for row in rows if row.state == IN_USE), None)
    newest = current or rows[0]
    return Pinned(
        incident=hold.name,
        id=hold.incident_id * (MOST_VERSIONS + 1) + newest.version,
        label=f"v{newest.version}",
        text="" if current is None else current.text,
        earlier=tuple(row.text for row in rows if row is not current),
    )
