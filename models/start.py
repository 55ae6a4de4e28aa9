"""Opening the database: refused on another schema, except that the embedded one is backed up and brought up to date."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from models.database import Database, require_schema, schema_version
from models.errors import InputError, SchemaError
from models.migrations import HEAD
from models.schema import upgrade
from models.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database of the settings at this release's schema; SchemaError where PostgreSQL has another one.

    The embedded database is made where there is none; an older one is copied to `backups` in home first.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    if database.is_sqlite:
        _bring_up(database, settings)
    require_schema(database)
    return database


def _bring_up(database: Database, settings: Settings) -> None:
    with database.read() as connection:
        before = schema_version(connection)
    if before == HEAD:
        return
    if before is not None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        back_up(database, settings.home / "backups" / f"before-{HEAD}-{stamp}.db")
    upgrade(database)
    Path(str(database.url.database)).chmod(0o600)


def back_up(database: Database, target: Path) -> int:
    """Copy the embedded database while it is in use; returns the size in bytes. InputError where the file exists."""
    if target.exists():
        raise InputError(f'"{target}" exists already; name another file')
    target.parent.mkdir(parents=True, exist_ok=True)
    source = sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    copy = sqlite3.connect(unfinished)
    try:
        source.backup(copy, pages=4096)
    finally:
        copy.close()
        source.close()
    unfinished.chmod(0o600)
    unfinished.rename(target)
    return target.stat().st_size


def restore(database: Database, backup: Path) -> Path | None:
    """Put a backup in the place of the embedded database; returns where the replaced one is kept, None if there was none.

    InputError where the file is no whole Watchfloor database, SchemaError where it is newer than this release.
    """
    if not backup.is_file():
        raise InputError(f'there is no file "{backup}"')
    check = sqlite3.connect(f"file:{backup}?mode=ro", uri=True)
    try:
        sound = check.execute("PRAGMA quick_check").fetchone()[0]
        version = check.execute("select version_num from alembic_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise InputError(f'"{backup}" is no Watchfloor backup: {error}') from error
    finally:
        check.close()
    if sound != "ok":
        raise InputError(f'"{backup}" is damaged: {sound}; use another backup')
    if version > HEAD:
        raise SchemaError(
            f'"{backup}" has schema {version}, newer than this release ({HEAD}): install the newer release'
        )
    path = Path(str(database.url.database))
    database.close()
    kept = None
    if path.exists():
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        kept = path.with_name(f"{path.name}.replaced-{stamp}")
        back_up(database, kept)
    unfinished = path.with_name(f"{path.name}.restoring")
    source, copy = sqlite3.connect(f"file:{backup}?mode=ro", uri=True), sqlite3.connect(unfinished)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
    unfinished.chmod(0o600)
    unfinished.replace(path)
    return kept
