"""Engines, transactions, bulk writes, and word of changes, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select

from models.bulk import insert_rows, merge_rows
from models.database import Database, Watcher, raise_change, require_schema, time_id
from models.errors import SchemaError, SettingsError
from models.migrations import HEAD
from models.schema import alembic_config, upgrade
from models.tables import change, metadata, setting
from models.tables.base import to_microseconds

pytestmark = pytest.mark.both

NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)


def test_ids_sort_by_time_and_stay_inside_63_bits() -> None:
    earlier, later = time_id(NOW, 2**22 - 1), time_id(NOW + timedelta(milliseconds=1), 0)
    assert earlier < later < 2**63
    assert time_id(datetime(2069, 1, 1, tzinfo=UTC), 0) < 2**63


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_microseconds(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_release_names_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_the_migrated_schema_has_every_table_and_column(database: Database) -> None:
    inspector = inspect(database.engine)
    for table in metadata.sorted_tables:
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert found == {column.name: bool(column.nullable) for column in table.columns}, table.name
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes, table.name


def test_an_upgrade_can_be_repeated(database: Database) -> None:
    assert upgrade(database) == (HEAD, HEAD)


def test_another_schema_is_refused_with_the_way_out(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '0000'")
    with pytest.raises(SchemaError, match=r"has schema 0000, this release needs .*watchfloor db upgrade"):
        require_schema(database)


def test_a_newer_database_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaError, match="newer than this release"):
        upgrade(database)


def test_a_database_that_does_not_exist_is_named_without_its_password() -> None:
    database = Database("postgresql://someone:secret@127.0.0.1:9/none")
    with pytest.raises(SchemaError) as caught:
        require_schema(database)
    assert "127.0.0.1:9" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_only_two_databases_are_known() -> None:
    with pytest.raises(SettingsError, match='no database "mysql"'):
        Database("mysql://localhost/x")


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.write() as connection:
            connection.execute(insert(setting).values(key="a", value=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.read() as connection:
        assert connection.execute(select(setting)).all() == []


def test_rows_merge_by_adding(database: Database) -> None:
    with database.write() as connection:
        for _ in range(2):
            merge_rows(
                connection,
                "change",
                ("topic", "brand_id"),
                ("n",),
                "n = change.n + excluded.n",
                [("b", 2, 5), ("a", 1, 3)],
            )
        insert_rows(connection, "change", ("topic", "brand_id", "n"), [("c", 0, 1)])
    with database.read() as connection:
        rows = connection.execute(select(change).order_by(change.c.topic)).all()
    assert [tuple(row) for row in rows] == [("a", 1, 6), ("b", 2, 10), ("c", 0, 1)]


def test_a_change_is_heard_once_and_only_after_the_commit(database: Database) -> None:
    watcher = Watcher(database)
    assert watcher.wait(0.05) == set()
    with database.write() as connection:
        raise_change(connection, "mentions", [3, 2, 3])
        if not database.is_sqlite:
            assert watcher.wait(0.05) == set()
    assert watcher.wait(5) == {("mentions", 2), ("mentions", 3)}
    assert watcher.wait(0.05) == set()
    watcher.close()


def test_a_waiting_watcher_wakes_while_others_write(database: Database) -> None:
    watcher = Watcher(database)
    watcher.wait(0.01)
    heard: list[set[tuple[str, int]]] = []
    thread = threading.Thread(target=lambda: heard.append(watcher.wait(10)))
    thread.start()
    with database.write() as connection:
        raise_change(connection, "sources")
    thread.join(10)
    assert heard == [{("sources", 0)}]


def test_a_write_waits_for_the_write_before_it(database: Database) -> None:
    """A deferred BEGIN would fail at once on SQLite; both databases end with both numbers added."""
    started = threading.Barrier(2)

    def add() -> None:
        started.wait(5)
        for _ in range(20):
            with database.write() as connection:
                raise_change(connection, "mentions", [2])

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.read() as connection:
        assert connection.execute(select(change.c.n)).scalar() == 40
