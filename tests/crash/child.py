"""The process that ingests, and is killed: `python -m tests.crash.child URL VARIANT`.

It imports everything once and then starts a worker by fork for each line on its standard input, since two hundred
starts of Python would take ten minutes. A line is `STAGE N`: the worker says "inside" and waits for its end at that
stage of its N-th transaction, or of the first after it that comes by there; stage `free` waits nowhere. On standard
output come `started PID`, then from the worker `leased`, `begin`, `inside`, `end` and `done`, then `killed` or `ended`.

Variant `cursor-first` is what must not be: the cursor moves in a transaction of its own before the rows are stored.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ingest import connectors, leases, store
from ingest import keep as keeping
from ingest import run as runs
from ingest.pipeline import Pipeline
from models import organisation
from models.database import Database
from tests.builders import NOW
from tests.crash import made_up

STAGES = ("lease", "rows", "ledger", "commit", "between")


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


class Worker:
    """One life: takes the lease when the one before has run out, and reads until the source is done or death comes."""

    def __init__(self, url: str, stage: str, transaction: int) -> None:
        self.stage = stage
        self.transaction = transaction
        self.begun = 0
        self.database = Database(url)

    def live(self, pipeline: Pipeline) -> None:
        self._wrap()
        while (lease := leases.take(self.database, f"life {os.getpid()}", now=clock())) is None:
            threading.Event().wait(0.01)
        say("leased")
        Database.write = self._announced(Database.write)  # type: ignore[method-assign]
        outcome = runs.run(self.database, pipeline, lease)
        say("done" if outcome.done else f"failed {outcome.error}")

    def reached(self, stage: str) -> None:
        """Wait to be killed where the parent wanted it."""
        if stage == self.stage and self.begun >= self.transaction:
            say("inside" if stage != "between" else "between")
            threading.Event().wait()

    def _wrap(self) -> None:
        for module, name, stage in (
            (leases, "_fenced", "lease"),
            (store, "store", "rows"),
            (keeping, "write_ledger", "ledger"),
        ):
            setattr(module, name, self._then(getattr(module, name), stage))

    def _then(self, work: Any, stage: str) -> Any:
        def wrapped(*given: Any, **named: Any) -> Any:
            result = work(*given, **named)
            self.reached(stage)
            return result

        return wrapped

    def _announced(self, write: Any) -> Any:
        @contextmanager
        def wrapped(database: Database) -> Iterator[Connection]:
            self.begun += 1
            with write(database) as connection:
                say("begin")
                yield connection
                self.reached("commit")
            say("end")
            self.reached("between")

        return wrapped


def move_the_cursor_first() -> None:
    """Break what is proved: the rows of a page follow its cursor instead of going with it."""
    keep = runs.keep  # type: ignore[attr-defined]

    def broken(database: Any, pipeline: Any, lease: Any, answer: Any, **named: Any) -> Any:
        with database.write() as connection:
            leases.hold(connection, lease, now=clock(), cursor=answer.page.cursor)
        return keep(database, pipeline, lease, answer, **named)

    runs.keep = broken  # type: ignore[attr-defined]


def clock() -> datetime:
    return datetime.now(UTC)


def main(url: str, variant: str) -> None:
    connectors.by_kind = made_up.as_connector  # type: ignore[assignment]
    leases.TTL = timedelta(milliseconds=60)
    if variant == "cursor-first":
        move_the_cursor_first()
    database = Database(url)
    with database.read() as connection:
        pipeline = Pipeline(organisation.current(connection, NOW))
    database.close()
    pipeline.enrich([made_up.post(0)])
    say("ready")
    gone = None
    for line in sys.stdin:
        if gone is not None:
            os.waitpid(gone, 0)
        stage, transaction = line.split()
        pid = os.fork()
        if pid == 0:
            Worker(url, stage, int(transaction)).live(pipeline)
            os._exit(0)
        say(f"started {pid}")
        # Not taken away yet: until the parent has heard of it, a kill must not reach another process of that number.
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        say("killed" if end.si_code == os.CLD_KILLED else "ended")
        gone = pid


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
