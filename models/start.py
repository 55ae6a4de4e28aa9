"""Opening the database: refused on another schema, except that the embedded one is backed up and brought up to date."""

from __future__ import annotations

import errno
import fcntl
import socket
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from models.backup import back_up, database_file, is_served
from models.database import Database, require_schema, schema_version
from models.errors import InputError, SchemaError
from models.migrations import HEAD
from models.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database of the settings at this release's schema; SchemaError where PostgreSQL has another one.

    The embedded database is made where there is none; an older one is copied to `backups` in home first. InputError
    where the folder or the file cannot be used.
    """
    make_home(settings.home)
    database = opened(settings)
    if database.is_sqlite:
        bring_up(database, settings.home / "backups", now=datetime.now(UTC))
    require_schema(database)
    return database


def existing_database(settings: Settings) -> Database:
    """As `open_database`, but InputError where there is no embedded database yet: who only looks makes none."""
    url = make_url(settings.resolved_database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise InputError(
            f'there is no database "{url.database}" yet; begin with `watchfloor run`, or set WATCHFLOOR_HOME '
            "to where it is"
        )
    return open_database(settings)


def make_home(home: Path) -> None:
    """Create the folder for the database, keys, logs and backups; InputError where that cannot be."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'the folder "{home}" cannot be made: {error.strerror}; set WATCHFLOOR_HOME') from error


def opened(settings: Settings) -> Database:
    """The database of the settings whatever its schema; InputError where its folder cannot be made."""
    try:
        return Database(settings.resolved_database_url)
    except OSError as error:
        raise InputError(f'"{error.filename}" cannot be made: {error.strerror}; set WATCHFLOOR_DATABASE_URL') from error


def check_port(settings: Settings) -> None:
    """InputError where the address cannot be served: taken, not this machine's, or only for root."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise InputError(f'"{host}" is no name of this machine; set WATCHFLOOR_HOST, e.g. to 127.0.0.1') from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} of {host} is taken by another program; stop that one, "
                f"or choose another port: WATCHFLOOR_PORT={port + 1 if port < 65535 else 8050}"
            ) from error
        if error.errno == errno.EACCES:
            raise InputError(f"port {port} is only for root; set WATCHFLOOR_PORT to 1024 or above") from error
        reason = f'"{host}" is no address of this machine ({error.strerror}); set WATCHFLOOR_HOST, e.g. to 127.0.0.1'
        raise InputError(reason) from error


def check_alone(database: Database) -> None:
    """InputError where another web process serves the embedded database."""
    if database.is_sqlite and is_served(database):
        raise InputError(
            f'Watchfloor is running already on "{database_file(database)}"; stop that one first. '
            "To sign in there: watchfloor signin-link EMAIL"
        )


def bring_up(database: Database, backups: Path, *, now: datetime) -> Path | None:
    """Bring the embedded database to this release's schema; returns the backup made before, None where none was needed.

    SchemaError where it is newer than this release, or another program's; InputError where the file is none or cannot
    be written.
    """
    path = database_file(database)
    if _look(database)[0] == HEAD:
        return None
    with path.with_name(f"{path.name}.upgrade-lock").open("w") as lock:
        # Web and ingest may start at the same moment: the second one finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _bring_up(database, path, backups, now)


def _look(database: Database) -> tuple[str | None, list[str]]:
    """The schema, None where there is none, and then the tables that are there all the same."""
    try:
        with database.read() as connection:
            version = schema_version(connection)
            return version, inspect(connection).get_table_names() if version is None else []
    except DBAPIError as error:
        path = database_file(database)
        raise InputError(f'the database "{path}" cannot be opened: {error.orig}; see `watchfloor doctor`') from error


def _bring_up(database: Database, path: Path, backups: Path, now: datetime) -> Path | None:
    before, tables = _look(database)
    if before == HEAD:
        return None
    if tables:
        raise SchemaError(f'"{path}" belongs to another program: it has a table {tables[0]}; name another file')
    kept = None
    if before is not None:
        if before > HEAD:
            raise SchemaError(
                f'the database "{path}" has schema {before}, newer than this release ({HEAD}): '
                "install the newer release, or restore a backup made by this one"
            )
        kept = backups / f"before-{HEAD}-{now:%Y%m%d-%H%M%S}.db"
        back_up(database, kept)
    upgrade(database)
    path.chmod(0o600)
    return kept


def upgrade(database: Database) -> tuple[str | None, str]:
    """Run the migrations that are missing; returns (schema before, schema after). SchemaError."""
    # Half a second of imports that only an upgrade needs.
    from alembic.util import CommandError

    from models import schema

    try:
        return schema.upgrade(database)
    except CommandError as error:
        shown = database.url.render_as_string()
        raise SchemaError(f"{shown} has a schema that this release does not know: {error}") from error
