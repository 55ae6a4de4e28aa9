"""Bring a database to the schema of this release. Called by the command line only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from models.database import Database, schema_version
from models.errors import SchemaError
from models.migrations import HEAD

SCRIPTS = Path(__file__).parent / "migrations"
# First key of the advisory lock that lets one upgrade run at a time.
UPGRADE_LOCK = 0x57465550


def alembic_config(connection: Any = None) -> Config:
    """Alembic's configuration, with the connection its env.py works on."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> tuple[str | None, str]:
    """Run what is missing, in one transaction; returns (schema before, schema after).

    SchemaError when the database is newer than this release.
    """
    if database.is_sqlite:
        return _upgrade_sqlite(database)
    with database.write() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        return _run(connection, database)


def _upgrade_sqlite(database: Database) -> tuple[str | None, str]:
    with database.engine.connect() as connection:
        # With foreign keys on, recreating a table deletes its children; the pragma does nothing inside a transaction.
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                result = _run(connection, database)
                broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
                if broken:
                    raise SchemaError(
                        f"the upgrade would leave {len(broken)} rows without their parent; nothing was changed"
                    )
        finally:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    return result


def _run(connection: Any, database: Database) -> tuple[str | None, str]:
    before = schema_version(connection)
    if before is not None and before > HEAD:
        raise SchemaError(
            f"the database {database.url.render_as_string()} has schema {before}, newer than this release ({HEAD}): "
            "install the newer release, or restore a backup made by this one"
        )
    if before != HEAD:
        command.upgrade(alembic_config(connection), "head")
    return before, HEAD
