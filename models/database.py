"""Engines, transactions, ids, bulk writes and "something changed", the same for SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import BindParameter, Connection, Engine, bindparam, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from models import hung
from models.errors import SchemaError, SettingsError
from models.migrations import HEAD
from models.tables.base import EPOCH, MICROSECOND, to_microseconds

# Instants outside this range are clamped at the door: a year-10000 instant breaks every later read on PostgreSQL.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_EARLIEST = to_microseconds(EARLIEST)
ID_LOW_BITS = 22
ID_LOW_MASK = (1 << ID_LOW_BITS) - 1
BUSY_SECONDS = 30
CONNECT_SECONDS = 10
SQLITE_POLL_SECONDS = 0.1
POSTGRES_POLL_SECONDS = 1.0
CHANNEL = "watchfloor_change"

Row = Sequence[Any]

# What a refused statement raises: bulk writes go past SQLAlchemy, which would make a DBAPIError of the other two.
DATABASE_ERRORS = (DBAPIError, sqlite3.Error, psycopg.Error)


def latest(now: datetime) -> datetime:
    """The newest instant that a post may carry."""
    return now + timedelta(days=1)


def time_id(instant: datetime, low: int) -> int:
    """A 63-bit id that sorts by `instant` (milliseconds since 2000 in the high 41 bits); `low` fills the rest."""
    return time_id_at((instant - EPOCH) // MICROSECOND, low)


def time_id_at(microseconds: int, low: int) -> int:
    """The id of an instant that is given in microseconds since 1970."""
    milliseconds = (microseconds - _EARLIEST) // 1000
    return (max(milliseconds, 0) << ID_LOW_BITS) | (low & ID_LOW_MASK)


def instant_of(id: int) -> datetime:
    """The instant that an id carries, to the millisecond."""
    return EARLIEST + (id >> ID_LOW_BITS) * MILLISECOND


_counter = itertools.count(random.SystemRandom().getrandbits(ID_LOW_BITS))


def new_id(now: datetime) -> int:
    """A fresh id for a row that happens now (a fetch, an audit row)."""
    return time_id(now, next(_counter))


class Database:
    """One database, embedded or served. `read` and `write` give short transactions; neither crosses a callback."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            if not self.url.database or self.url.database == ":memory:":
                raise SettingsError(
                    [f'database_url "{url}": SQLite needs a file, e.g. sqlite:////var/lib/watchfloor.db']
                )
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._readers = _sqlite_engine(self.url, "BEGIN")
            # A deferred BEGIN that writes later fails at once whatever busy_timeout says.
            self._writers = _sqlite_engine(self.url, "BEGIN IMMEDIATE")
            self._turn: AbstractContextManager[Any] = threading.Lock()
        elif self.dialect == "postgresql":
            url = self.url.set(drivername="postgresql+psycopg")
            # Without a limit an unreachable host keeps a command waiting for minutes.
            named: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": hung.session_name()}
            given = {key: value for key, value in named.items() if key not in url.query}
            self._writers = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, connect_args=given)
            # Of the same pool: without it every statement of a read would see what was committed before it.
            self._readers = self._writers.execution_options(isolation_level="REPEATABLE READ")
            self._turn = nullcontext()
        else:
            raise SettingsError(
                [f'database_url: no database "{self.dialect}"; use sqlite:///FILE or postgresql://USER@HOST/NAME']
            )

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database."""
        return self.dialect == "sqlite"

    @property
    def engine(self) -> Engine:
        """The engine for reading, for tools that want one (pandas, alembic)."""
        return self._readers

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one picture of the data from the first statement to the last."""
        with self._readers.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction, committed at the end and rolled back on any exception.

        On SQLite the writers of one process queue up here: its busy handler polls, and starves whoever came first.
        """
        with self._turn, self._writers.begin() as connection:
            hung.limit_silence(connection)
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._readers.dispose()
        self._writers.dispose()


# The driver looks for a way to adapt whatever is no number and no text, and fails anew at every None where it knows
# none: 1.1 us each against 0.5, and half the columns of a mention may be None.
sqlite3.register_adapter(type(None), lambda none: none)


def _sqlite_engine(url: URL, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            # What is deleted is overwritten, where that costs no extra write.
            "secure_delete=FAST",
            "temp_store=MEMORY",
            "cache_size=-32000",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def schema_version(connection: Connection) -> str | None:
    """The migration the database stands at; None where there is no schema yet."""
    try:
        with connection.begin_nested():
            version: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
            return version
    except DBAPIError:
        return None


def require_schema(database: Database) -> None:
    """Raise SchemaError unless the database has exactly the schema of this release."""
    try:
        with database.read() as connection:
            found = schema_version(connection)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise SchemaError(f"the database {database.url.render_as_string()} does not answer: {reason}") from error
    if found != HEAD:
        raise SchemaError(
            f"the database {database.url.render_as_string()} has schema {found or 'none'}, this release needs {HEAD}: "
            "run `watchfloor db upgrade`"
        )


# -- something changed -------------------------------------------------------------------------------------

Change = tuple[str, int]
"""(topic, brand_id); brand 0 = not about a brand."""


def raise_change(connection: Connection, topic: str, brand_ids: Iterable[int] = (0,)) -> None:
    """Tell every screen, when this transaction commits, that `topic` changed for these brands."""
    brands = sorted(set(brand_ids))
    if not brands:
        return
    if connection.dialect.name == "postgresql":
        # One NOTIFY a batch: it takes a global lock at commit. In one trip with the rows, which are locked until then.
        payload = json.dumps([topic, brands[:200]])
        connection.execute(_TOLD, {"topic": topic, "brands": brands, "channel": CHANNEL, "payload": payload})
    else:
        connection.execute(_COUNTED, [{"topic": topic, "brand": brand} for brand in brands])


_COUNTED = text(
    "insert into change (topic, brand_id, n) values (:topic, :brand, 1)"
    " on conflict (topic, brand_id) do update set n = change.n + 1"
)
_TOLD = text(
    "with counted as (insert into change (topic, brand_id, n)"
    " select :topic, brand, 1 from unnest(cast(:brands as integer[])) brand"
    " on conflict (topic, brand_id) do update set n = change.n + 1)"
    " select pg_notify(:channel, :payload)"
)


def changes(connection: Connection, topic: str, brand_ids: Iterable[int]) -> int:
    """How often `topic` has changed for these brands: two answers compared tell whether it did between them."""
    counted = text("select coalesce(sum(n), 0) from change where topic = :topic and brand_id in :brands")
    brands: BindParameter[Any] = bindparam("brands", sorted(set(brand_ids)), expanding=True)
    return int(connection.execute(counted.bindparams(brands), {"topic": topic}).scalar_one())


class Watcher:
    """Waits for changes on a connection of its own; used from one thread. `close` may be called from another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[Change, int] | None = None
        self._closed = threading.Event()
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: psycopg.Connection[Any] | None = None
        self._version: int | None = None

    def wait(self, timeout: float) -> set[Change]:
        """What changed since the last call; empty after `timeout` seconds of silence.

        A database that does not answer counts as silence: the next call connects again, and then every
        change that happened meanwhile is reported.
        """
        deadline = time.monotonic() + timeout
        while not self._closed.is_set():
            try:
                changes = self._listen(deadline) if not self._database.is_sqlite else self._poll()
            except (psycopg.Error, sqlite3.Error, DBAPIError):
                self._disconnect()
                changes = set()
                self._closed.wait(min(1.0, max(0.0, deadline - time.monotonic())))
            if changes or time.monotonic() >= deadline:
                return changes
        return set()

    def close(self) -> None:
        """Make a waiting call return."""
        self._closed.set()

    def _poll(self) -> set[Change]:
        if self._sqlite is None:
            self._sqlite = sqlite3.connect(
                str(self._database.url.database), isolation_level=None, check_same_thread=False
            )
            self._sqlite.execute("PRAGMA query_only=ON")
        version = self._sqlite.execute("PRAGMA data_version").fetchone()[0]
        changes: set[Change] = set()
        if version != self._version:
            self._version = version
            changes = self._compare(self._sqlite.execute("select topic, brand_id, n from change"))
        if not changes:
            self._closed.wait(SQLITE_POLL_SECONDS)
        return changes

    def _listen(self, deadline: float) -> set[Change]:
        if self._postgres is None:
            url = self._database.url.set(drivername="postgresql")
            self._postgres = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
            self._postgres.execute(f"listen {CHANNEL}")
        # The NOTIFY only wakes; the counters say what changed, so a lost notification costs a second, not a change.
        wait = min(POSTGRES_POLL_SECONDS, max(0.01, deadline - time.monotonic()))
        if self._seen is not None:
            for _ in self._postgres.notifies(timeout=wait, stop_after=1):
                pass
        return self._compare(self._postgres.execute("select topic, brand_id, n from change"))

    def _compare(self, rows: Iterable[tuple[str, int, int]]) -> set[Change]:
        current = {(topic, brand): n for topic, brand, n in rows}
        before, self._seen = self._seen, current
        if before is None:
            return set()
        return {key for key, n in current.items() if before.get(key) != n}

    def _disconnect(self) -> None:
        for connection in (self._sqlite, self._postgres):
            if connection is not None:
                connection.close()
        self._sqlite = self._postgres = None
        self._version = None


__all__ = [
    "DATABASE_ERRORS",
    "EARLIEST",
    "EPOCH",
    "MICROSECOND",
    "Change",
    "Database",
    "Watcher",
    "instant_of",
    "latest",
    "new_id",
    "raise_change",
    "require_schema",
    "schema_version",
    "time_id",
    "time_id_at",
]
