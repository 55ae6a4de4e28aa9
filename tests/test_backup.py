"""models/backup.py: a copy made while the database is in use, and put back whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from dashboard.web import only_process
from models.backup import back_up, is_served, restore
from models.database import Database
from models.errors import InputError, SchemaError
from models.organisation import current
from models.organisation_file import apply, read
from tests.command_line import AIRLINES
from tests.empty import empty_database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def airlines(tmp_path: Path) -> Database:
    database = empty_database(tmp_path)
    with database.write() as connection:
        apply(connection, read(AIRLINES), actor="test", now=NOW)
    return database


def brands(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from brand").fetchone()[0])


def test_a_backup_is_one_whole_file_while_others_read_and_write(airlines: Database, tmp_path: Path) -> None:
    stopping = threading.Event()
    written: list[int] = []

    def writer() -> None:
        while not stopping.is_set():
            with airlines.write() as connection:
                connection.execute(text("update setting set value = :n where key = 'zone'"), {"n": f'"{len(written)}"'})
            written.append(1)

    thread = threading.Thread(target=writer)
    thread.start()
    target = tmp_path / "backups" / "one.db"
    try:
        with airlines.read() as reader:
            reader.execute(text("select 1"))
            size = back_up(airlines, target)
    finally:
        stopping.set()
        thread.join()
    assert written
    assert size == target.stat().st_size
    assert [path.name for path in target.parent.iterdir()] == ["one.db"]
    assert target.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
    assert brands(target) == 6


def test_a_restored_backup_has_what_it_had_and_what_was_there_is_kept(airlines: Database, tmp_path: Path) -> None:
    back_up(airlines, tmp_path / "one.db")
    with airlines.write() as connection:
        connection.execute(text("update setting set value = '\"Another\"' where key = 'name'"))
    kept = restore(airlines, tmp_path / "one.db", NOW)
    assert kept == tmp_path / "watchfloor.db.replaced-20261122-090000"
    with airlines.read() as connection:
        assert current(connection, NOW).name == "Five airlines"
    old = Database(f"sqlite:///{kept}")
    with old.read() as connection:
        assert current(connection, NOW).name == "Another"
    old.close()
    assert restore_twice(airlines, tmp_path) == tmp_path / "watchfloor.db.replaced-20261122-090000-2"


def restore_twice(database: Database, folder: Path) -> Path | None:
    return restore(database, folder / "one.db", NOW)


def test_a_backup_is_restored_where_nothing_was_and_over_a_damaged_file(airlines: Database, tmp_path: Path) -> None:
    back_up(airlines, tmp_path / "one.db")
    fresh = Database(f"sqlite:///{tmp_path / 'fresh' / 'watchfloor.db'}")
    assert restore(fresh, tmp_path / "one.db", NOW) is None
    assert brands(tmp_path / "fresh" / "watchfloor.db") == 6
    damaged = tmp_path / "fresh" / "watchfloor.db"
    damaged.write_bytes(b"scrambled" * 1000)
    assert restore(fresh, tmp_path / "one.db", NOW) == tmp_path / "fresh" / "watchfloor.db.replaced-20261122-090000"
    assert brands(damaged) == 6


def test_nothing_is_restored_while_the_screens_are_served(airlines: Database, tmp_path: Path) -> None:
    back_up(airlines, tmp_path / "one.db")
    lock = only_process(tmp_path / "watchfloor.db")
    assert is_served(airlines)
    with pytest.raises(InputError, match="is in use by `watchfloor run` or `watchfloor web`; stop it, then restore"):
        restore(airlines, tmp_path / "one.db", NOW)
    lock.close()
    restore(airlines, tmp_path / "one.db", NOW)


def test_nothing_is_restored_while_another_process_has_the_database_open(airlines: Database, tmp_path: Path) -> None:
    back_up(airlines, tmp_path / "one.db")
    ingest = Database(airlines.url)
    with ingest.read() as connection:
        connection.execute(text("select count(*) from brand"))
    # An idle connection in its pool is enough.
    with pytest.raises(InputError, match=r"is in use by another process .*; stop it, then restore"):
        restore(airlines, tmp_path / "one.db", NOW)
    assert not list(tmp_path.glob("*.replaced-*"))
    ingest.close()
    restore(airlines, tmp_path / "one.db", NOW)


def test_what_is_no_backup_is_refused_and_nothing_changes(airlines: Database, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("create table alembic_version (version_num text)")
    scrambled = tmp_path / "scrambled.db"
    scrambled.write_bytes(b"scrambled" * 1000)
    back_up(airlines, tmp_path / "one.db")
    damaged = tmp_path / "damaged.db"
    whole = (tmp_path / "one.db").read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) // 4) + whole[len(whole) * 3 // 4 :])
    newer = tmp_path / "newer.db"
    newer.write_bytes(whole)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
        connection.commit()
    before = (tmp_path / "watchfloor.db").stat().st_ino
    for path, reason in (
        (tmp_path / "no.db", 'there is no file "'),
        (tmp_path, 'there is no file "'),
        (other, "is no Watchfloor backup: it has no table brand"),
        (scrambled, "is no Watchfloor backup: file is not a database"),
        (damaged, "is damaged|is no Watchfloor backup: database disk image is malformed"),
        (tmp_path / "watchfloor.db", "is the database itself; name a backup of it"),
    ):
        with pytest.raises(InputError, match=reason):
            restore(airlines, path, NOW)
    with pytest.raises(SchemaError, match="has schema 9999, newer than this release"):
        restore(airlines, newer, NOW)
    assert (tmp_path / "watchfloor.db").stat().st_ino == before
    assert not list(tmp_path.glob("*.restoring"))


def test_a_backup_never_overwrites_and_leaves_nothing_half_done(airlines: Database, tmp_path: Path) -> None:
    target = tmp_path / "one.db"
    target.write_text("somebody's")
    with pytest.raises(InputError, match="exists already; name another file"):
        back_up(airlines, target)
    with pytest.raises(InputError, match=r'one.db/two.db" cannot be written: (Not a directory|File exists)'):
        back_up(airlines, target / "two.db")
    missing = Database(f"sqlite:///{tmp_path / 'missing.db'}")
    with pytest.raises(InputError, match=r'there is no database ".*missing.db" to back up'):
        back_up(missing, tmp_path / "three.db")
    assert not list(tmp_path.glob("*unfinished*"))
    assert target.read_text() == "somebody's"
