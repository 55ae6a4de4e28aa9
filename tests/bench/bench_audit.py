"""The audit log: how long a check of 100,000 rows takes, and how fast rows are linked."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from models.audit_chain import chain
from models.audit_check import Known, verify
from models.audit_heads import Outside, note_latest, sign_finished_day
from models.database import Database, new_id
from models.schema import upgrade
from models.tables import audit
from tests.audit_made_up import BEGAN, OWNER, fields
from tests.bench.figures import Figure
from tests.conftest import drop_postgres_database, new_postgres_database

ROWS = 100_000
BATCH = 5_000
EVERY = timedelta(seconds=20)


def run(rows: int = ROWS) -> list[Figure]:
    """On both databases: seconds of a whole check, rows linked a second; every link must hold."""
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-audit-"))
    served = new_postgres_database()
    try:
        found = []
        for name, url in (("SQLite", f"sqlite:///{folder / 'audit.db'}"), ("PostgreSQL", served)):
            database = Database(url)
            upgrade(database)
            try:
                found += _measured(database, folder / name, name, rows)
            finally:
                database.close()
        return found
    finally:
        drop_postgres_database(served)
        shutil.rmtree(folder, ignore_errors=True)


def _measured(database: Database, home: Path, name: str, rows: int) -> list[Figure]:
    for start in range(0, rows, BATCH):
        values = []
        for number in range(start, min(rows, start + BATCH)):
            at = BEGAN + number * EVERY
            values.append(fields(number) | {"at": at, "id": new_id(at)})
        with database.write() as connection:
            connection.execute(insert(audit), values)
    now, outside = BEGAN + rows * EVERY + EVERY, Outside(home)
    begun, linked, last = time.perf_counter(), 0, None
    while True:
        done = chain(database, OWNER, now=lambda: now, since_id=0 if last is None else last.audit_id)
        assert done is not None
        linked, last = linked + done.linked, done.last
        if not done.is_behind:
            break
    seconds = time.perf_counter() - begun
    sign_finished_day(database, outside, now=now + timedelta(days=1))
    with database.read() as connection:
        assert last is not None
        note_latest(connection, outside, last, now=now)
    known = Known(outside.heads(), frozenset({outside.public_key() or ""}))
    took = []
    for _ in range(2):
        begun, cpu = time.perf_counter(), time.process_time()
        with database.read() as connection:
            verdict = verify(connection, known, now=now)
        took.append((time.perf_counter() - begun, time.process_time() - cpu))
    wall, cpu = min(took)
    return [
        Figure(
            f"audit verify, {name}", wall, "s", 5, "max", detail=f"{verdict.rows:,} rows, {cpu:.2f} s of CPU in Python"
        ),
        Figure(
            f"audit verify, {name}: links that hold", verdict.rows if verdict.is_whole else 0, "links", rows, gate=True
        ),
        Figure(f"audit chain, {name}", linked / seconds, "rows/s", detail=f"{linked:,} rows in batches of 1,000"),
    ]
