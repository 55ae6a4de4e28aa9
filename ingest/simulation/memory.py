"""What the simulated network remembers beside its seed: replies it was given, reactions to them, how it misbehaves.

One small SQLite file, shared by every process that talks to the network and by the command that makes it misbehave.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from models.errors import ConnectorError, InputError
from models.tables.base import to_microseconds

FILE = "simulated-network.db"

TIMEOUT_AFTER_ACCEPTING = "timeout_after_accepting"
RATE_LIMITED = "rate_limited"
DEAD_TOKEN = "dead_token"  # noqa: S105
OUTAGE = "outage"
REFUSED = "refused"
# What each is, for people.
KINDS = {
    TIMEOUT_AFTER_ACCEPTING: "takes replies and then does not answer",
    RATE_LIMITED: "refuses every request as one too many",
    DEAD_TOKEN: "knows our credentials no more",
    OUTAGE: "answers with nothing, as if nobody spoke",
    REFUSED: "answers every request with a fault of its own",
}
_PATIENCE_SECONDS = 5.0
_SCHEMA = (
    """create table if not exists post (
        network text not null,
        number integer not null,
        posted integer not null,
        at integer not null,
        handle text,
        author text not null,
        body text not null,
        language text,
        reply_to integer,
        root integer,
        key text,
        attempts integer not null,
        primary key (network, number)
    )""",
    "create unique index if not exists post_key on post (network, key)",
    "create index if not exists post_at on post (network, at)",
    "create index if not exists post_root on post (network, root)",
    """create table if not exists misbehaviour (
        network text primary key,
        kind text not null,
        until integer not null
    )""",
)
_COLUMNS = "network, number, posted, at, handle, author, body, language, reply_to, root, key, attempts"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A post that came about by a published reply: the reply itself (`handle`: the account of ours) or a customer's
    reaction to it (`handle` None).

    Instants in microseconds since 1970; `reply_to` and `root` are numbers; `author` is JSON; `attempts` counts how
    often the reply with that `key` was handed to the network.
    """

    network: str
    number: int
    posted: int
    at: int
    handle: str | None
    author: str
    body: str
    language: str | None
    reply_to: int | None
    root: int | None
    key: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """How a network misbehaves, and until when (microseconds since 1970)."""

    network: str
    kind: str
    until: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The file at `path`; None or a file that is not there remembers nothing.

    ConnectorError where it cannot be used.
    """

    path: str | None

    def posts(self, network: str, after: int, until: int) -> list[Remembered]:
        """What is handed out in (after, until], oldest first."""
        return self._posts("network = ? and at > ? and at <= ? order by at, number", network, after, until)

    def post(self, network: str, number: int) -> Remembered | None:
        """The post with that number."""
        return next(iter(self._posts("network = ? and number = ?", network, number)), None)

    def post_by_key(self, network: str, key: str) -> Remembered | None:
        """The reply that was handed over with that key."""
        return next(iter(self._posts("network = ? and key = ?", network, key)), None)

    def posts_by(self, network: str, handle: str, since: int, until: int) -> list[Remembered]:
        """What an account of ours was made to publish in [since, until], oldest first."""
        return self._posts(
            "network = ? and handle = ? and posted >= ? and posted <= ? order by posted", network, handle, since, until
        )

    def answered(self, network: str, since: int) -> dict[int, int]:
        """The conversations (numbers of their first posts) that got a published reply since then, and its instant."""

        def read(connection: sqlite3.Connection) -> dict[int, int]:
            rows = connection.execute(
                "select root, min(posted) from post"
                " where network = ? and handle is not null and root is not null and posted >= ? group by root",
                (network, since),
            )
            return dict(rows.fetchall())

        return self._read(read, {})

    def misbehaviours(self, now: datetime) -> list[Misbehaviour]:
        """What is going on at that instant, by network."""

        def read(connection: sqlite3.Connection) -> list[Misbehaviour]:
            rows = connection.execute(
                "select network, kind, until from misbehaviour where until > ? order by network",
                (to_microseconds(now),),
            )
            return [Misbehaviour(*row) for row in rows]

        return self._read(read, [])

    def keep(self, reply: Remembered, reactions: list[Remembered]) -> Remembered | None:
        """Remember a published reply with what it will bring about, in place of what was still to come in its
        conversation; None where its number is taken.

        A key that is known already changes nothing but the count of attempts; the reply of then is returned.
        """

        def write(connection: sqlite3.Connection) -> Remembered | None:
            if reply.key is not None:
                known = connection.execute(
                    f"update post set attempts = attempts + 1 where network = ? and key = ? returning {_COLUMNS}",  # noqa: S608
                    (reply.network, reply.key),
                ).fetchall()
                if known:
                    return Remembered(*known[0])
            taken = "select 1 from post where network = ? and number = ?"
            if connection.execute(taken, (reply.network, reply.number)).fetchone():
                return None
            connection.execute(
                "delete from post where network = ? and root = ? and posted > ? and handle is null",
                (reply.network, reply.root, reply.posted),
            )
            for post in (reply, *reactions):
                values = tuple(getattr(post, name) for name in _COLUMNS.split(", "))
                connection.execute(
                    f"insert or ignore into post ({_COLUMNS}) values ({', '.join('?' * len(values))})",  # noqa: S608
                    values,
                )
            return reply

        return self._write(write)

    def misbehave(self, network: str, kind: str, until: datetime) -> None:
        """Let a network misbehave until an instant, in place of what it did. InputError for an unknown kind."""
        if kind not in KINDS:
            raise InputError(f'no misbehaviour "{kind}"; known: {", ".join(KINDS)}')

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "insert into misbehaviour (network, kind, until) values (?, ?, ?)"
                " on conflict (network) do update set kind = excluded.kind, until = excluded.until",
                (network, kind, to_microseconds(until)),
            )

        self._write(write)

    def behave(self) -> int:
        """End every misbehaviour; returns how many networks had one noted."""
        if self.path is None or not Path(self.path).exists():
            return 0
        return self._write(lambda connection: connection.execute("delete from misbehaviour").rowcount)

    def _posts(self, where: str, *values: object) -> list[Remembered]:
        def read(connection: sqlite3.Connection) -> list[Remembered]:
            rows = connection.execute(f"select {_COLUMNS} from post where {where}", values)  # noqa: S608
            return [Remembered(*row) for row in rows]

        return self._read(read, [])

    def _read(self, work: Callable[[sqlite3.Connection], T], empty: T) -> T:
        if self.path is None or not Path(self.path).exists():
            return empty
        with self._open(self.path) as connection:
            is_made = connection.execute("select 1 from sqlite_master where name = 'misbehaviour'").fetchone()
            return work(connection) if is_made else empty

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self.path is None:
            raise ConnectorError(
                "this source of the simulated network has no memory, so it takes no replies; name a file as memory",
                permanent=True,
                kind="unknown",
            )
        with self._open(self.path) as connection:
            connection.execute("begin immediate")
            for statement in _SCHEMA:
                connection.execute(statement)
            result = work(connection)
            connection.execute("commit")
            return result

    @contextmanager
    def _open(self, path: str) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
            yield connection
        except sqlite3.Error as error:
            raise ConnectorError(f'the memory "{path}" of the simulated network cannot be used: {error}') from error
        finally:
            if connection is not None:
                connection.close()
