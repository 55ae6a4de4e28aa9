"""Migrated, empty SQLite databases, copied from one that a test process migrates once: to migrate takes a second."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from models.database import Database
from models.schema import upgrade


def empty_database(folder: Path) -> Database:
    """A new one, `watchfloor.db` in the folder."""
    path = folder / "watchfloor.db"
    shutil.copy(_template(), path)
    return Database(f"sqlite:///{path}")


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'watchfloor.db'}")
    upgrade(database)
    database.close()
    return folder / "watchfloor.db"
