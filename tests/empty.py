"""Migrated, empty SQLite databases, copied from one that a test process migrates once: to migrate takes a second."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import event

from models.database import Database
from models.schema import upgrade


def empty_database(folder: Path) -> Database:
    """A new one, `watchfloor.db` in the folder."""
    path = folder / "watchfloor.db"
    shutil.copy(_template(), path)
    database = Database(f"sqlite:///{path}")
    for engine in (database._readers, database._writers):
        event.listen(engine, "connect", _without_waiting)
    return database


def _without_waiting(connection: sqlite3.Connection, _record: object) -> None:
    """Nothing of it outlives the tests: no need to wait for the disk."""
    connection.execute("pragma synchronous=off")


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'watchfloor.db'}")
    upgrade(database)
    database.close()
    return folder / "watchfloor.db"
