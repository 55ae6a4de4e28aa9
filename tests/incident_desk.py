"""An incident of Corvane in the desk of `reply_desk`, for tests of incidents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from models import incident_reading, incidents
from models.access import Access
from models.incident_reading import Incident, IncidentScope, Line
from models.tables import audit
from tests.builders import CORVANE
from tests.reply_desk import Desk

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ABOUT_CORVANE = IncidentScope(brand_ids=(CORVANE,))


def declare(desk: Desk, by: str = "mona", **given: Any) -> Incident:
    """Declared by this person, who has the lead unless another is named."""
    who = desk.who[by]
    asked: dict[str, Any] = {
        "name": "Orders are late",
        "severity": 2,
        "scope": ABOUT_CORVANE,
        "reason": "the carrier is on strike",
        "lead_id": who.person_id,
        "expires_at": desk.now + 4 * HOUR,
    }
    with desk.database.write() as connection:
        return incidents.declare(connection, desk.organisation, who, now=desk.now, **asked | given)


def do(desk: Desk, name: str, change: Callable[..., Any], found: Incident, *given: Any, **named: Any) -> Any:
    """One change of an incident, in a transaction of its own."""
    with desk.database.write() as connection:
        return change(connection, desk.organisation, desk.who[name], found.id, *given, now=desk.now, **named)


def again(desk: Desk, found: Incident, who: Access | None = None) -> Incident:
    with desk.database.read() as connection:
        return incident_reading.one(connection, desk.organisation, who or desk.who["mona"], found.id)


def lines(desk: Desk, found: Incident) -> list[Line]:
    """Its timeline, oldest first."""
    with desk.database.read() as connection:
        return list(reversed(incident_reading.timeline(connection, found.id)))


def audited(desk: Desk, found: Incident) -> list[str]:
    """Actions of its audit rows, oldest first."""
    with desk.database.read() as connection:
        mine = select(audit.c.action).where(audit.c.subject == found.label).order_by(audit.c.at, audit.c.id)
        return list(connection.execute(mine).scalars())
