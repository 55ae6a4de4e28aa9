"""What could be wrong with an installation, looked at one by one; each finding names the way out."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from models import sources
from models.backup import database_file
from models.cube import DAY
from models.database import Database, require_schema
from models.errors import WatchfloorError
from models.organisation import UNKNOWN, current
from models.settings import Settings

LEAST_FREE_BYTES = 1 << 30
MOST_CLOCK_DIFFERENCE = timedelta(seconds=5)
HOUR = 3600
WELL = ("live", "done", "paused", "waiting")


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: `is_well`, what was looked at, and what was seen, with the way out where it is not well."""

    is_well: bool
    subject: str
    seen: str


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every finding, from the ground up; a database that does not answer ends the list. Nothing is changed."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), "Python", f"{version}; 3.11 or newer is needed")
    yield _home(settings.home)
    yield _port(settings)
    database = Database(settings.resolved_database_url) if _is_there(settings) else None
    if database is None:
        yield Finding(True, "Database", "none yet; `watchfloor run` makes one")
        return
    try:
        if database.is_sqlite:
            yield _file(database)
            yield _integrity(database)
        require_schema(database)
        yield Finding(True, "Database", database.url.render_as_string())
        for look in (_clock, _organisation, _sources, _rollups):
            yield from look(database, now)
    except WatchfloorError as error:
        yield Finding(False, "Database", str(error))
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        yield Finding(False, "Database", f"{reason}; restore a backup with `watchfloor restore FILE`")
    finally:
        database.close()


def _is_there(settings: Settings) -> bool:
    """False for an embedded database that was not made yet: looking for it must not make it."""
    url = make_url(settings.resolved_database_url)
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def _home(home: Path) -> Finding:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Finding(False, "Home", f"{home} cannot be written; give it to this user or set WATCHFLOOR_HOME")
    free = shutil.disk_usage(place).free
    words = f"{home}, {free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding(False, "Home", f"{words}; make room, or set WATCHFLOOR_HOME to a folder on another disk")
    return Finding(True, "Home", words)


def _port(settings: Settings) -> Finding:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    place = f"{settings.host}:{settings.port}"
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = json.loads(connection.getresponse().read(1000))
        is_ours = isinstance(answer, dict) and answer.get("status") == "up"
    except (ConnectionRefusedError, socket.gaierror) as error:
        if isinstance(error, socket.gaierror):
            return Finding(False, "Port", f'"{settings.host}" is no name of this machine; set WATCHFLOOR_HOST')
        return Finding(True, "Port", f"{place} is free")
    except (OSError, ValueError, http.client.HTTPException):
        is_ours = False
    finally:
        connection.close()
    if is_ours:
        return Finding(True, "Port", f"{place} is served by Watchfloor")
    return Finding(False, "Port", f"{place} is taken by another program; stop it, or set WATCHFLOOR_PORT")


def _file(database: Database) -> Finding:
    path = database_file(database)
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        return Finding(False, "File", f"{path} and its folder cannot be written; give them to this user")
    found = path.stat()
    words = f"{path}, {found.st_size / 1e6:,.1f} MB"
    if found.st_mode & stat.S_IRWXO:
        return Finding(False, "File", f"{words}; everybody on this machine may read it: run: chmod 600 {path}")
    return Finding(True, "File", words)


def _integrity(database: Database) -> Finding:
    try:
        address = f"{database_file(database).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            sound = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]).splitlines()[0]
    except sqlite3.Error as error:
        sound = str(error)
    if sound == "ok":
        return Finding(True, "Integrity", "every page of the file is sound")
    return Finding(False, "Integrity", f"{sound}; restore a backup with `watchfloor restore FILE`")


def _clock(database: Database, now: datetime) -> Iterator[Finding]:
    if database.is_sqlite:
        return
    with database.read() as connection:
        theirs = connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one()
    difference = abs(datetime.fromtimestamp(float(theirs), UTC) - datetime.now(UTC))
    words = f"{difference.total_seconds():.1f} s between this machine and the database"
    is_well = difference <= MOST_CLOCK_DIFFERENCE
    yield Finding(is_well, "Clock", words if is_well else f"{words}; leases need clocks that agree: set up NTP")


def _organisation(database: Database, now: datetime) -> Iterator[Finding]:
    with database.read() as connection:
        found = current(connection, now)
    ours = [brand for brand in found.brands if brand.kind == "own"]
    if not ours:
        yield Finding(True, "Organisation", "no brand yet; describe yours with `watchfloor organisation load FILE`")
        return
    mute = [brand.key for brand in found.brands if brand.id != UNKNOWN and not brand.rules]
    words = f"{found.name}{' (simulated)' if found.simulated else ''}, {len(ours)} brands of ours"
    yield Finding(True, "Organisation", words + (f"; without a rule: {', '.join(mute)}" if mute else ""))


def _sources(database: Database, now: datetime) -> Iterator[Finding]:
    with database.read() as connection:
        found = sources.health(connection, now)
    if not found:
        yield Finding(True, "Sources", "none yet; add one with `watchfloor source add`, or import a file")
    late = [item for item in found if item.badge in ("slow", "stale")]
    if late and all(item.badge != "live" for item in found):
        yield Finding(False, "Ingest", "no source was fetched in its time; is `watchfloor run` or `ingest` running?")
    for item in found:
        words = item.badge + (f": {item.last_error}" if item.last_error else "")
        if item.badge in ("disconnected", "gone"):
            again = "import the file again" if item.kind == "file" else f"watchfloor source resume '{item.name}'"
            words += f"; when that is mended: {again}"
        yield Finding(item.badge in WELL, f"Source {item.name}", words)


def _rollups(database: Database, now: datetime) -> Iterator[Finding]:
    """The newest whole day of every brand, counted again: a spot check; `watchfloor cube check` looks at all."""
    different = []
    with database.read() as connection:
        for brand in current(connection, now).brands:
            bucket = connection.execute(
                text(
                    "select max(bucket) from cube where brand_id = :b and granularity = :g"
                    " and location_id = 0 and team_id = 0 and network_id = 0 and bucket < :before"
                ),
                {"b": brand.id, "g": DAY, "before": int(now.timestamp()) - 2 * DAY},
            ).scalar()
            if bucket is None:
                continue
            # Whole hours inside the local day, which may begin at half past and may have 23 of them.
            start = bucket - bucket % -HOUR
            counted = connection.execute(
                text(
                    "select (select sum(mentions) from cube where brand_id = :b and granularity = :hour"
                    " and location_id = 0 and team_id = 0 and network_id = 0 and bucket >= :start and bucket < :stop),"
                    " (select count(*) from mention where brand_id = :b and posted_at >= :start * 1000000"
                    " and posted_at < :stop * 1000000)"
                ),
                {"b": brand.id, "hour": HOUR, "start": start, "stop": start + 22 * HOUR},
            ).one()
            if (counted[0] or 0) != counted[1]:
                different.append(brand.key)
    if different:
        words = f"differ from their rows for {', '.join(different)}; run `watchfloor cube rebuild`"
        yield Finding(False, "Rollups", words)
    else:
        yield Finding(True, "Rollups", "agree with their rows")
