"""What could be wrong with an installation, looked at one by one; each finding names the way out."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from models import sources
from models.cube import DAY
from models.database import Database, require_schema
from models.errors import WatchfloorError
from models.organisation import current
from models.settings import Settings

LEAST_FREE_BYTES = 1 << 30
MOST_CLOCK_DIFFERENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: `is_well`, what was looked at, and what was seen, with the way out where it is not well."""

    is_well: bool
    subject: str
    seen: str


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every finding, from the ground up; a database that does not answer ends the list."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), "Python", f"{version}; 3.11 or newer is needed")
    yield _home(settings)
    yield _port(settings)
    try:
        database = Database(settings.resolved_database_url)
        require_schema(database)
    except WatchfloorError as error:
        yield Finding(False, "Database", str(error))
        return
    yield Finding(True, "Database", database.url.render_as_string(hide_password=True))
    for look in (_clock, _sources, _rollups):
        yield from look(database, now)
    database.close()


def _home(settings: Settings) -> Finding:
    home = settings.home
    place = home if home.exists() else home.parent
    if not os.access(place, os.W_OK):
        return Finding(False, "Home", f"{home} cannot be written; give it to this user or set WATCHFLOOR_HOME")
    free = shutil.disk_usage(place).free
    words = f"{home}, {free / (1 << 30):.1f} GiB free"
    return Finding(free >= LEAST_FREE_BYTES, "Home", words if free >= LEAST_FREE_BYTES else f"{words}; make room")


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        is_taken = probe.connect_ex((settings.host if settings.host != "0.0.0.0" else "127.0.0.1", settings.port)) == 0  # noqa: S104
    seen = "answers: Watchfloor or another program serves it" if is_taken else "is free"
    return Finding(True, "Port", f"{settings.host}:{settings.port} {seen}")


def _clock(database: Database, now: datetime) -> Iterator[Finding]:
    if database.is_sqlite:
        return
    with database.read() as connection:
        theirs = connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one()
    difference = abs(datetime.fromtimestamp(float(theirs), UTC) - datetime.now(UTC))
    words = f"{difference.total_seconds():.1f} s between this machine and the database"
    is_well = difference <= MOST_CLOCK_DIFFERENCE
    yield Finding(is_well, "Clock", words if is_well else f"{words}; leases need clocks that agree: set up NTP")


def _sources(database: Database, now: datetime) -> Iterator[Finding]:
    with database.read() as connection:
        found = sources.health(connection, now)
    if not found:
        yield Finding(True, "Sources", "none yet; add one with `watchfloor source add` or import a file")
    for item in found:
        is_well = item.badge in ("live", "done", "paused", "waiting")
        yield Finding(is_well, f"Source {item.name}", item.badge + (f": {item.last_error}" if item.last_error else ""))


def _rollups(database: Database, now: datetime) -> Iterator[Finding]:
    """The newest whole day of every brand, counted again: a spot check; `watchfloor cube check` looks at all."""
    with database.read() as connection:
        organisation = current(connection, now)
        different = []
        for brand in organisation.brands:
            bucket = connection.execute(
                text(
                    "select max(bucket) from cube where brand_id = :b and granularity = :g"
                    " and location_id = 0 and team_id = 0 and network_id = 0 and bucket < :before"
                ),
                {"b": brand.id, "g": DAY, "before": int(now.timestamp()) - 2 * DAY},
            ).scalar()
            if bucket is None:
                continue
            counted = connection.execute(
                text(
                    "select (select sum(mentions) from cube where brand_id = :b and granularity = 3600 and location_id = 0"
                    " and team_id = 0 and network_id = 0 and bucket >= :from and bucket < :to),"
                    " (select count(*) from mention where brand_id = :b and posted_at >= :from * 1000000"
                    " and posted_at < :to * 1000000)"
                ),
                {"b": brand.id, "from": bucket, "to": bucket + 23 * 3600},
            ).one()
            if (counted[0] or 0) != counted[1]:
                different.append(brand.key)
    yield Finding(
        not different,
        "Rollups",
        f"differ from their rows for {', '.join(different)}: run `watchfloor cube rebuild`" if different else "agree",
    )
