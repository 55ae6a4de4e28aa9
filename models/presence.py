"""Who looks at a case or types in it, of the moment only: in memory on SQLite, in the table `presence` on PostgreSQL.

SQLite has one web process, so its memory is the whole truth; with PostgreSQL several web processes share the table.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from models.access import Access
from models.case_steps import CaseKey
from models.database import Database, raise_change
from models.tables import presence

TOPIC = "presence"
LOOKING, TYPING = "looking", "typing"
DOINGS = (LOOKING, TYPING)
# A browser says every ten seconds that somebody is there; who has not for so long is gone.
BEAT_SECONDS = 10
GONE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody in a case. `doing` is looking or typing."""

    key: CaseKey
    person_id: int
    name: str
    doing: str
    at: datetime


class Presences:
    """Presence in the cases of one database. Used from many threads; who may see the case is the caller's to check."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._there: dict[tuple[CaseKey, int], Presence] = {}

    def beat(self, who: Access, key: CaseKey, doing: str, *, now: datetime) -> bool:
        """Somebody is there. True where that is news, and then the screens are told."""
        if doing not in DOINGS:
            raise ValueError(f'nobody is "{doing}" in a case; known: {", ".join(DOINGS)}')
        here = Presence(key, who.person_id, who.name, doing, now)
        before = self._of_person(here)
        is_news = before is None or before.doing != doing or now - before.at > GONE
        if self._database.is_sqlite:
            with self._lock:
                self._there[(key, who.person_id)] = here
            if is_news:
                with self._database.write() as connection:
                    raise_change(connection, TOPIC, [key.brand_id])
            return is_news
        with self._database.write() as connection:
            _keep(connection, here)
            if is_news:
                raise_change(connection, TOPIC, [key.brand_id])
        return is_news

    def leave(self, who: Access, key: CaseKey, *, now: datetime) -> bool:
        """Somebody is gone. True where they had been there."""
        with self._lock:
            gone = self._there.pop((key, who.person_id), None)
        was_there = gone is not None and now - gone.at <= GONE
        if self._database.is_sqlite and not was_there:
            return False
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                mine = (presence.c.brand_id == key.brand_id, presence.c.case_id == key.id)
                done = connection.execute(delete(presence).where(*mine, presence.c.person_id == who.person_id))
                was_there = done.rowcount > 0
            if was_there:
                raise_change(connection, TOPIC, [key.brand_id])
        return was_there

    def of(
        self, connection: Connection, keys: Iterable[CaseKey], *, now: datetime
    ) -> dict[CaseKey, tuple[Presence, ...]]:
        """Who is in these cases, those who type first, then by name; cases that nobody is in are left out."""
        asked = set(keys)
        found: dict[CaseKey, list[Presence]] = {}
        for here in self._known(connection, asked, now):
            if now - here.at <= GONE:
                found.setdefault(here.key, []).append(here)
        return {key: tuple(sorted(here, key=_order)) for key, here in found.items()}

    def sweep(self, *, now: datetime) -> int:
        """Forget who is gone, and tell the screens; how many that were."""
        with self._lock:
            gone = [where for where, here in self._there.items() if now - here.at > GONE]
            for where in gone:
                del self._there[where]
        brands = [key.brand_id for key, _ in gone]
        if self._database.is_sqlite and not brands:
            return 0
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                done = delete(presence).where(presence.c.at < now - GONE).returning(presence.c.brand_id)
                brands = list(connection.execute(done).scalars())
            raise_change(connection, TOPIC, brands)
        return len(brands)

    def _of_person(self, here: Presence) -> Presence | None:
        """What is known of the same person in the same case; other processes' beats are not asked for."""
        with self._lock:
            before = self._there.get((here.key, here.person_id))
            self._there[(here.key, here.person_id)] = here
        return before

    def _known(self, connection: Connection, keys: set[CaseKey], now: datetime) -> list[Presence]:
        if self._database.is_sqlite:
            with self._lock:
                return [here for here in self._there.values() if here.key in keys]
        found: list[Presence] = []
        for brand_id in sorted({key.brand_id for key in keys}):
            ids = sorted(key.id for key in keys if key.brand_id == brand_id)
            rows = connection.execute(
                select(presence).where(presence.c.brand_id == brand_id, presence.c.case_id.in_(ids))
            )
            found += [_presence(row) for row in rows]
        return found


def _keep(connection: Connection, here: Presence) -> None:
    row = {
        "brand_id": here.key.brand_id,
        "case_id": here.key.id,
        "person_id": here.person_id,
        "name": here.name,
        "doing": here.doing,
        "at": here.at,
    }
    added = insert(presence).values(row)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=["brand_id", "case_id", "person_id"],
            set_={"name": added.excluded.name, "doing": added.excluded.doing, "at": added.excluded.at},
        )
    )


def _presence(row: Any) -> Presence:
    return Presence(CaseKey(row.brand_id, row.case_id), row.person_id, row.name, row.doing, row.at)


def _order(here: Presence) -> tuple[bool, str, int]:
    return (here.doing != TYPING, here.name, here.person_id)
