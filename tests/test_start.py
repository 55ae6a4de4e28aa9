"""models/start.py: opening a database, bringing it up to date, and what is looked at before anything starts."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from models import schema
from models.database import Database
from models.errors import InputError, SchemaError
from models.migrations import HEAD
from models.settings import Settings
from models.start import bring_up, check_alone, check_port, existing_database, open_database, upgrade
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.empty import empty_database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def older(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An embedded database that stands one release behind, and an upgrade that can be seen."""
    home.home.mkdir()
    database = empty_database(home.home)
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))

    def one_step(database: Database) -> tuple[str | None, str]:
        with database.write() as connection:
            connection.execute(text("update alembic_version set version_num = :head"), {"head": HEAD})
            connection.execute(text("create table stepped (n integer)"))
        return "0000", HEAD

    monkeypatch.setattr(schema, "upgrade", one_step)
    yield database
    database.close()


def version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("select version_num from alembic_version").fetchone()[0])


def test_a_first_start_makes_a_database_that_only_its_owner_reads(home: Settings) -> None:
    open_database(home).close()
    path = home.home / "watchfloor.db"
    assert version(path) == HEAD
    assert path.stat().st_mode & 0o077 == 0
    assert home.home.stat().st_mode & 0o077 == 0
    assert not (home.home / "backups").exists()


def test_an_older_embedded_database_is_backed_up_and_brought_up_to_date(home: Settings, older: Database) -> None:
    kept = bring_up(older, home.home / "backups", now=NOW)
    assert kept == home.home / "backups" / f"before-{HEAD}-20261122-090000.db"
    assert version(kept) == "0000"
    assert version(home.home / "watchfloor.db") == HEAD
    assert bring_up(older, home.home / "backups", now=NOW) is None


def test_an_upgrade_that_cannot_be_backed_up_is_not_begun(home: Settings, older: Database) -> None:
    (home.home / "backups").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be written: Not a directory|cannot be written: File exists"):
        bring_up(older, home.home / "backups", now=NOW)
    assert version(home.home / "watchfloor.db") == "0000"


def test_a_newer_database_is_refused_and_left_alone(home: Settings) -> None:
    home.home.mkdir()
    database = empty_database(home.home)
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaError, match=f"has schema 9999, newer than this release \\({HEAD}\\): install the newer"):
        open_database(home)
    assert not (home.home / "backups").exists()


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table customers (n integer)")
    with pytest.raises(SchemaError, match="belongs to another program: it has a table customers; name another file"):
        open_database(Settings(home=tmp_path, database_url=f"sqlite:///{path}"))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select count(*) from sqlite_master").fetchone() == (1,)


def test_a_schema_nobody_knows_is_told_by_the_upgrade(tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000x'"))
    with pytest.raises(SchemaError, match="has a schema that this release does not know"):
        upgrade(database)


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "watchfloor.db").write_text("no database " * 100)
    with pytest.raises(InputError, match="cannot be opened: file is not a database; see `watchfloor doctor`"):
        open_database(Settings(home=tmp_path))


@pytest.mark.parametrize("place", ["file/home", "file"])
def test_a_home_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be made: (Not a directory|File exists); set WATCHFLOOR_HOME"):
        open_database(Settings(home=tmp_path / place))
    url = f"sqlite:///{tmp_path}/file/deeper/x.db"
    with pytest.raises(InputError, match="cannot be made: Not a directory; set WATCHFLOOR_DATABASE_URL"):
        open_database(Settings(home=tmp_path / "home", database_url=url))


def test_who_only_looks_makes_no_database(home: Settings) -> None:
    with pytest.raises(InputError, match="begin with `watchfloor run`, or set WATCHFLOOR_HOME"):
        existing_database(home)
    assert not home.home.exists()
    open_database(home).close()
    existing_database(home).close()


def test_two_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    program = (
        "from models.settings import load; from models.start import open_database; open_database(load()); print('up')"
    )
    environment = {"WATCHFLOOR_HOME": str(tmp_path / "home"), "PATH": "", "HOME": str(tmp_path)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=60) for process in running]
    assert [out for out, _ in ends] == [b"up\n", b"up\n"], ends


def test_postgresql_at_another_schema_is_refused_and_the_way_out_named(tmp_path: Path) -> None:
    url = new_postgres_database()
    try:
        settings = Settings(home=tmp_path, database_url=url)
        open_database(settings).close()
        database = Database(url)
        with database.write() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        database.close()
        with pytest.raises(
            SchemaError, match=f"has schema 0000, this release needs {HEAD}: run `watchfloor db upgrade`"
        ):
            open_database(settings)
    finally:
        drop_postgres_database(url)


def test_a_port_that_is_taken_is_told_with_another_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is taken .* WATCHFLOOR_PORT={port + 1}"):
            check_port(Settings(port=port))
    check_port(Settings(port=port))


@pytest.mark.parametrize(
    ("host", "reason"),
    [("no-such-host.invalid", "is no name of this machine"), ("192.0.2.1", "is no address of this machine")],
)
def test_a_host_that_is_not_this_machine_is_told(host: str, reason: str) -> None:
    with pytest.raises(InputError, match=f'"{host}" {reason}.*set WATCHFLOOR_HOST'):
        check_port(Settings(host=host, port=8999))


def test_a_second_web_process_on_one_embedded_database_is_refused(tmp_path: Path) -> None:
    from dashboard.web import only_process

    database = empty_database(tmp_path)
    check_alone(database)
    lock = only_process(tmp_path / "watchfloor.db")
    with pytest.raises(InputError, match="Watchfloor is running already on"):
        check_alone(database)
    lock.close()
    check_alone(database)
