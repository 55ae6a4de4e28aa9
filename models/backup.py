"""The embedded database copied while it is in use, and a copy put back in its place."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from models.database import Database
from models.errors import InputError, SchemaError
from models.migrations import HEAD

# Tables by which one of ours is known, whatever its schema.
OURS = {"alembic_version", "brand", "mention", "source"}
# Another connection is waited for this long: a command that is just ending, never a process that stays.
PATIENCE_SECONDS = 2.0


def database_file(database: Database) -> Path:
    """The file of the embedded database."""
    return Path(str(database.url.database))


def is_served(database: Database) -> bool:
    """True while a web process serves the embedded database: it holds a lock beside it until it ends."""
    path = database_file(database)
    try:
        with path.with_name(f"{path.name}.web-lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return True
        raise
    return False


def back_up(database: Database, target: Path) -> int:
    """Copy the embedded database while it is in use; returns the size in bytes.

    InputError where the file exists or cannot be written. The copy is whole or not there at all.
    """
    if target.exists():
        raise InputError(f'"{target}" exists already; name another file')
    source = database_file(database)
    if not source.is_file():
        raise InputError(f'there is no database "{source}" to back up')
    with _told(f'"{target}" cannot be written'):
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.unfinished-{os.getpid()}")
        try:
            _copy(source, unfinished)
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def restore(database: Database, backup: Path, now: datetime) -> Path | None:
    """Put a backup in the place of the embedded database; returns where the replaced one is kept, None without one.

    InputError where the file is no whole Watchfloor database or the one in its place is in use, SchemaError where the
    backup is newer than this release. Either the old database is in place afterwards or the new one.
    """
    _check(backup)
    path = database_file(database)
    if path.exists() and path.samefile(backup):
        raise InputError(f'"{backup}" is the database itself; name a backup of it')
    _check_unused(database)
    with _told(f'"{path}" cannot be written'):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.restoring")
        unfinished.unlink(missing_ok=True)
        try:
            _copy(backup, unfinished)
            kept = _keep(path, now)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return kept


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(_read_only(source), uri=True)) as old, closing(sqlite3.connect(target)) as new:
        # In one step: between two steps another process may write, and then the copy begins anew; with ingest
        # writing several times a second it would never end. Writers are not held up, SQLite reads beside the WAL.
        old.backup(new)
        # So that the copy is this one file, whole without anything beside it, wherever it is carried.
        new.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def _check(backup: Path) -> None:
    if not backup.is_file():
        raise InputError(f'there is no file "{backup}"')
    with _told(f'"{backup}" is no Watchfloor backup'), closing(sqlite3.connect(_read_only(backup), uri=True)) as check:
        tables = {row[0] for row in check.execute("select name from sqlite_master where type = 'table'")}
        if not tables >= OURS:
            raise InputError(f'"{backup}" is no Watchfloor backup: it has no table {sorted(OURS - tables)[0]}')
        sound = check.execute("PRAGMA quick_check(1)").fetchone()[0]
        version = check.execute("select max(version_num) from alembic_version").fetchone()[0]
    if sound != "ok":
        raise InputError(f'"{backup}" is damaged ({sound.splitlines()[0]}); use another backup')
    if version is None or version > HEAD:
        raise SchemaError(
            f'"{backup}" has schema {version}, newer than this release ({HEAD}): install the newer release'
        )


def _check_unused(database: Database) -> None:
    """InputError while anybody has the database open; what its WAL holds is in the file afterwards."""
    path = database_file(database)
    if is_served(database):
        raise InputError(f'"{path}" is in use by `watchfloor run` or `watchfloor web`; stop it, then restore')
    database.close()
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as connection:
        try:
            # Leaving WAL needs the file alone: every open connection holds a lock on it, an idle one too.
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise InputError(
                    f'"{path}" is in use by another process (`watchfloor ingest`, or a command); stop it, then restore'
                ) from error
        except sqlite3.DatabaseError:
            # Damaged: that is when people restore.
            return


def _keep(path: Path, now: datetime) -> Path | None:
    """Give the file that is to be replaced a second name; a damaged one takes what lies beside it along."""
    if not path.exists():
        return None
    kept = path.with_name(f"{path.name}.replaced-{now:%Y%m%d-%H%M%S}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.replaced-{now:%Y%m%d-%H%M%S}-{number}")
    try:
        os.link(path, kept)
    except OSError:
        # A file system without hard links.
        path.rename(kept)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + suffix))
    return kept


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(f"{what}: {error}") from error
    except OSError as error:
        raise InputError(f"{what}: {error.strerror or error}") from error
