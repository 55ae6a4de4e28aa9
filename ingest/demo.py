"""The simulated organisation that a first start creates, and its first administrator."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from ingest.connectors import simulator
from ingest.simulation.memory import FILE as MEMORY_FILE
from models import demo_data, demo_people, people, sources
from models.access import ADMIN
from models.networks import network_by_key
from models.organisation import UNKNOWN
from models.organisation_file import apply, read
from models.tables import brand, source

FILE = demo_data.FILE
SEED = 1
FIRST_ADMINISTRATOR = "admin@watchfloor.example"


def is_wanted(connection: Connection, now: datetime) -> bool:
    """True for an installation that nobody has filled, and from which no demo was removed."""
    return is_empty(connection) and not demo_data.is_gone(connection)


def is_empty(connection: Connection) -> bool:
    """No brand, no source."""
    brands = connection.execute(select(func.count()).select_from(brand).where(brand.c.id > UNKNOWN)).scalar_one()
    polled = connection.execute(select(func.count()).select_from(source)).scalar_one()
    return not brands and not polled


def create(connection: Connection, *, rate: float, home: Path, now: datetime) -> None:
    """Meridian Group with its people, a live source for each of its networks and 35 days of history behind them.

    What is published to the simulated networks, and how they misbehave, stands in a file of its own in `home`.
    """
    apply(connection, read(FILE), actor="first start", now=now)
    demo_people.create(connection, now=now)
    for spec in simulator.sources(seed=SEED, start=now, rate=rate, memory=str(home / MEMORY_FILE)):
        sources.add(
            connection,
            name=spec.name,
            kind=spec.kind,
            network_id=network_by_key(spec.network).id,
            config=spec.config,
            every_seconds=spec.every_seconds,
            priority=spec.priority,
            now=now,
            remeasure="all" if spec.priority == simulator.LIVE_PRIORITY else "none",
        )
    demo_data.record(connection)


def first_administrator(connection: Connection, now: datetime) -> str:
    """The email of an administrator who may sign in; made where there is none."""
    for person in people.list_people(connection, now):
        if ADMIN in person.roles and person.disabled_at is None:
            return person.email
    people.add_person(
        connection, email=FIRST_ADMINISTRATOR, name="Administrator", role=ADMIN, now=now, actor="first start"
    )
    return FIRST_ADMINISTRATOR
