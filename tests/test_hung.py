"""models/hung.py: what a process that hangs keeps from the others on PostgreSQL, and how it is taken from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models import hung
from models.database import Database

on_postgres = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
WRITE = text("insert into change (topic, brand_id, n) values ('hung', 0, 1) on conflict do nothing")
LOCK = text("select pg_advisory_xact_lock(1, 1)")
DEADLINE_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is judged at once."""
    monkeypatch.setattr(hung, "HUNG_SECONDS", 0.0)


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same database, as another process sees it."""
    other = Database(database.url)
    yield other
    other.close()


def sweep(database: Database) -> int:
    with database.read() as connection:
        return hung.end_hung(connection)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"still not: {what}"
        threading.Event().wait(0.01)


def is_alive(connection: Connection) -> bool:
    try:
        connection.execute(text("select 1"))
    except (DBAPIError, psycopg.Error):
        connection.invalidate()
        return False
    return True


@on_postgres
def test_who_wrote_and_fell_silent_is_thrown_out(database: Database, other: Database) -> None:
    with database._writers.connect() as silent:
        silent.execute(WRITE)

        assert sweep(other) == 1
        assert not is_alive(silent)

    with database.read() as connection:
        assert connection.execute(text("select count(*) from change where topic = 'hung'")).scalar_one() == 0


@on_postgres
def test_who_fell_silent_in_the_middle_of_a_copy_is_thrown_out(database: Database, other: Database) -> None:
    """None of PostgreSQL's own limits ends it."""
    with database._writers.connect() as silent:
        driver = silent.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        copying = driver.cursor().copy("copy change (topic, brand_id, n) from stdin")
        copying.__enter__().write_row(("hung", 0, 1))

        until(lambda: sweep(other) == 1, "the session was found")

        with pytest.raises(psycopg.Error):
            copying.__exit__(None, None, None)
        silent.invalidate()


@on_postgres
def test_what_waits_behind_it_in_the_same_process_ends_with_it(database: Database, other: Database) -> None:
    """Else each would get the lock in its turn and fall silent with it."""
    ended = threading.Event()

    def wait_for_the_lock() -> None:
        try:
            with database._writers.begin() as connection:
                connection.execute(LOCK)
                # The lock may be handed on a moment before the end comes.
                until(lambda: not connection.execute(text("select 1")), "it is ended")
        except DBAPIError:
            ended.set()

    with database._writers.connect() as silent:
        silent.execute(WRITE)
        silent.execute(LOCK)
        waiting = threading.Thread(target=wait_for_the_lock)
        waiting.start()
        with other.read() as connection:
            blocked = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            until(lambda: connection.execute(blocked).scalar_one() == 1, "the second one waits")

        assert sweep(other) == 2
        waiting.join(DEADLINE_SECONDS)
        assert ended.is_set()
        assert not is_alive(silent)


@on_postgres
@pytest.mark.parametrize("what", ["reads", "counts for long", "is of another program"])
def test_others_are_left_alone(database: Database, other: Database, what: str) -> None:
    """Who only reads keeps nobody from anything; who said that it takes long is believed; the rest is not ours."""
    with database._writers.connect() as silent:
        if what == "counts for long":
            hung.allow_silence(silent)
        if what == "is of another program":
            silent.execute(text("set local application_name = 'psql'"))
        silent.execute(text("select 1") if what == "reads" else WRITE)

        assert sweep(other) == 0
        assert is_alive(silent)


@on_postgres
def test_a_process_that_speaks_elsewhere_does_not_hang(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow thread of a worker that ticks on is no worker that hangs."""
    monkeypatch.setattr(hung, "HUNG_SECONDS", 2.0)
    with database._writers.connect() as silent:
        silent.execute(WRITE)
        threading.Event().wait(2.1)
        with database.read() as connection:
            connection.execute(text("select 1"))

        assert sweep(other) == 0
        assert is_alive(silent)


@on_postgres
def test_a_write_ends_by_itself_where_nobody_looks(database: Database) -> None:
    asked = text("select current_setting('idle_in_transaction_session_timeout')")
    with database.write() as connection:
        assert connection.execute(asked).scalar_one() == f"{hung.LONGEST_SILENCE:.0f}s"
        hung.allow_silence(connection)
        assert connection.execute(asked).scalar_one() == "0"
    with database.read() as connection:
        assert connection.execute(asked).scalar_one() == "0"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_has_nobody_to_throw_out(database: Database) -> None:
    """Its lock belongs to the one process that writes."""
    with database.write() as connection:
        connection.execute(WRITE)
        assert hung.end_hung(connection) == 0


def test_no_two_processes_have_one_name() -> None:
    assert hung.session_name() != hung.session_name()
    assert len(hung.session_name()) < 64
