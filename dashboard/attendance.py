"""Who is in which case, as this web process knows it: one record for each database that it serves."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from models.database import Database, raise_change
from models.presence import TOPIC, Presences

# Who left without a word is looked for so often at most: each who says that they are there asks for it.
TIDY_EVERY = timedelta(seconds=5)
# By the identity of the engine that is read with: a connection knows its engine, and not its database.
_SERVED: WeakValueDictionary[int, Attendance] = WeakValueDictionary()


class Attendance(Presences):
    """The presence in the cases of one database, and how its screens hear of those who left without a word."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._served = database
        self._tidied: datetime | None = None

    def tidy(self, *, now: datetime) -> int:
        """Forget who is gone and have the queues drawn without them; how many that were, 0 where that was just done."""
        if self._tidied is not None and timedelta() <= now - self._tidied < TIDY_EVERY:
            return 0
        self._tidied = now
        gone = self.sweep(now=now)
        if gone:
            with self._served.write() as connection:
                raise_change(connection, TOPIC)
        return gone


def serve(database: Database) -> Attendance:
    """The record of a database; it lasts as long as whoever asked for it keeps it."""
    return _SERVED.setdefault(id(database.engine), Attendance(database))


def here(connection: Connection) -> Attendance | None:
    """The record for a read connection; None in a process that serves nobody."""
    return _SERVED.get(id(connection.engine))
