"""The processes that poll: `python -m tests.workers.child URL FOLDER TTL HUNG VARIANT`.

It imports everything once and then starts a worker by fork for each line on its standard input; `started PID` comes
back. Nobody takes away the dead, so that no number of a process is given twice. A worker writes what it does into
FOLDER/diary, and ends as `watchfloor ingest` does when it is told to.

FOLDER/PID holds `STAGE SIGNAL`: the worker of that number sends itself the signal when it comes by there next. Stages
are `leased` (a source is taken, and not asked yet), `asking` (its answer is being read), `copy` (rows are being sent to
PostgreSQL) and `inside` (a page is stored, and not committed).

Variant `no-fence` is what must not be: whoever comes late writes all the same.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import update

from ingest import connectors, leases, store
from ingest import run as runs
from ingest.pipeline import Pipeline
from ingest.schedule import Worker
from models import hung as hangs
from models import organisation
from models.database import Database
from models.tables import source
from tests.builders import NOW
from tests.workers import made_up
from tests.workers.diary import Diary


class Heard(logging.Handler):
    """Writes refused late writes and every fault into the diary."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self._diary = diary

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        words = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            words = f"{words}: {str(record.exc_info[1]).splitlines()[0]}"
        if words.startswith("lease_lost"):
            self._diary.write("refused", words=words)
        elif record.levelno >= logging.WARNING:
            self._diary.write("fault", words=words[:300])


def live(url: str, folder: Path) -> None:
    """One worker from its start until it is told to end."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    diary = made_up.diary = Diary(folder / "diary")
    log = logging.getLogger("watchfloor.ingest")
    log.addHandler(Heard(diary))
    log.propagate = False
    reach = _Reach(folder / str(os.getpid()), diary)
    reach.before(runs, "asking", "leased")
    reach.before(made_up, "post", "asking")
    reach.after(store, "store", "inside")
    reach.after(psycopg.Copy, "write", "copy")
    _note_what_is_taken(diary)
    database = Database(url)
    worker = Worker(database)
    diary.write("worker", words=worker.name)
    worker.start()
    stopping.wait()
    worker.stop()
    database.close()


def _note_what_is_taken(diary: Diary) -> None:
    asking = runs.__dict__["asking"]

    def noted(database: Any, settings: Any, lease: Any) -> Any:
        diary.write("took", source=lease.source_id)
        return asking(database, settings, lease)

    runs.__dict__["asking"] = noted


class _Reach:
    """Stages that the parent may aim at."""

    def __init__(self, aim: Path, diary: Diary) -> None:
        self._aim = aim
        self._diary = diary

    def before(self, place: Any, name: str, stage: str) -> None:
        """Come by at `stage` before each call of what has the name there."""
        work = getattr(place, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            self._reached(stage)
            return work(*given, **named)

        setattr(place, name, wrapped)

    def after(self, place: Any, name: str, stage: str) -> None:
        """Come by at `stage` after each call."""
        work = getattr(place, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            result = work(*given, **named)
            self._reached(stage)
            return result

        setattr(place, name, wrapped)

    def _reached(self, stage: str) -> None:
        try:
            wanted, number = self._aim.read_text().split()
            if wanted != stage:
                return
            self._aim.unlink()
        except (FileNotFoundError, ValueError):
            return
        self._diary.write("aimed", words=stage)
        os.kill(os.getpid(), int(number))
        # The kernel may let this thread go on for a moment before it stops the process.
        threading.Event().wait(0.05)


def compare_no_fence() -> None:
    """Break what is proved: the row is written whoever holds it."""

    def broken(connection: Any, lease: Any, **values: Any) -> None:
        connection.execute(update(source).where(source.c.id == lease.source_id).values(**values))

    leases._fenced = broken


def main(url: str, folder: Path, ttl: float, hung: float, variant: str) -> None:
    connectors.by_kind = made_up.as_connector  # type: ignore[assignment]
    leases.TTL = timedelta(seconds=ttl)
    hangs.HUNG_SECONDS, hangs.LOOK_EVERY = hung, hung / 4
    if variant == "no-fence":
        compare_no_fence()
    database = Database(url)
    with database.read() as connection:
        pipeline = Pipeline(organisation.current(connection, NOW))
    database.close()
    pipeline.enrich([made_up.post(1, 0)])
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                live(url, folder)
                code = 0
            finally:
                os._exit(code)
        os.write(1, f"started {pid}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
