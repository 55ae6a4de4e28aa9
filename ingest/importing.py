"""A file brought in from start to end in this terminal; interrupted and repeated at will, nothing is lost or twice."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import func, select, update

from ingest import leases
from ingest.connectors import file as file_connector
from ingest.found import Page
from ingest.pipeline import Pipeline
from ingest.run import Outcome, run
from models import organisation, sources
from models.database import Database
from models.errors import InputError
from models.tables import set_aside, source
from models.terminal import counted, now

LONGEST_SOURCE_NAME = 200
# A worker leaves the file alone this long after each run here: one reader is enough.
HEAD_START = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import came to: every one of `rows` became a post or was `set_aside`; stored and repeated are mentions.

    `incomplete` posts lack a value that was wrong. `error` is a sentence, None where the end was reached.
    """

    rows: int = 0
    posts: int = 0
    stored: int = 0
    repeated: int = 0
    incomplete: int = 0
    error: str | None = None

    @property
    def set_aside(self) -> int:
        """Rows that became no post."""
        return self.rows - self.posts

    def sentence(self) -> str:
        """The counts, in words: 8,532 rows read: 8,526 stored, 6 repeated, 0 set aside."""
        several = self.stored + self.repeated - self.posts
        return (
            f"{counted(self.rows, 'row')} read: {self.stored:,} stored, {self.repeated:,} repeated, "
            f"{self.set_aside:,} set aside"
            + (f", {self.incomplete:,} stored without a value that was wrong" if self.incomplete else "")
            + (f"; {several:,} more mentions than posts, as a post of two brands is two" if several > 0 else "")
        )


@dataclass(frozen=True, slots=True)
class Begun:
    """The source that holds the cursor of a file; `line` is where reading goes on, None at the start."""

    name: str
    line: int | None


def begin(database: Database, config: file_connector.Config) -> Begun:
    """Make the source of a file, or take up the one there is: where it stopped, or anew when the end was reached.

    InputError while another process reads the file.
    """
    # Only what was said: what is not stands for what the TOML beside the file says.
    stored = config.model_dump(mode="json", exclude_unset=True)
    name = _source_name(str(config.path))
    instant = now()
    later = instant + HEAD_START
    with database.write() as connection:
        row = connection.execute(source.select().where(source.c.name == name)).first()
        if row is None:
            every = file_connector.EVERY_SECONDS
            sources.add(
                connection, name=name, kind="file", network_id=1, config=stored, every_seconds=every, now=instant
            )
            connection.execute(update(source).where(source.c.name == name).values(due_at=later))
            return Begun(name, None)
        if row.owner is not None and row.expires_at > instant and not _is_dead(row.owner):
            raise InputError(f"{config.path} is being read by another process ({row.owner}); wait for it, or stop it")
        goes_on = row.state in ("active", "paused") and row.config == stored and row.cursor is not None
        values: dict[str, Any] = {"config": stored, "state": "active", "paused_by": None, "due_at": later}
        if not goes_on:
            values |= {"cursor": None, "progress": None}
        connection.execute(
            update(source).where(source.c.id == row.id).values(**values, owner=None, expires_at=None, last_error=None)
        )
        return Begun(name, int(row.cursor.get("line", 1)) if goes_on else None)


def _source_name(path: str) -> str:
    name = f"File {path}"
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the name {path!r} is not UTF-8; rename the file") from error
    if len(name) <= LONGEST_SOURCE_NAME:
        return name
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"File {digest} …{path[-(LONGEST_SOURCE_NAME - 20) :]}"


def _worker() -> str:
    return f"import-{socket.gethostname()[:24]}-{os.getpid()}"


def _is_dead(owner: str) -> bool:
    """True for an import on this machine whose process is gone: killed, so that nothing waits for its lease to end."""
    begins, _, number = owner.rpartition("-")
    if begins != f"import-{socket.gethostname()[:24]}" or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def bring_in(database: Database, begun: Begun) -> Summary:
    """Read until the end, with a bar, the rate and the time left. Ctrl-C ends after the page under way: InputError."""
    with _interruptible() as stopping, _bar() as bar:
        with database.read() as connection:
            pipeline = Pipeline(organisation.current(connection, now()))
        summary = Summary()
        reading = _Reading(bar, time.monotonic())
        while True:
            lease = leases.take(database, _worker(), now=now(), name=begun.name)
            if lease is None:
                raise InputError(f'"{begun.name}" is being read by another process; wait for it, or stop it')
            part = run(database, pipeline, lease, stopping=stopping.is_set, progress=reading.show)
            summary = reading.summary(summary, part)
            if part.done or part.error:
                return summary
            if stopping.is_set():
                _pause(database, begun.name)
                raise InputError(
                    f"interrupted after {counted(summary.rows, 'row')}; what was read is stored, "
                    "the same command goes on from there"
                )


class _Reading:
    """Counts the rows of the pages that were stored, and shows them."""

    def __init__(self, bar: Progress, began: float) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=1.0)
        self._began = began
        self._rows = self._incomplete = 0

    def show(self, _: Outcome, page: Page) -> None:
        """Count a page that was just stored."""
        incomplete = sum(record.reason.startswith(file_connector.STORED) for record in page.set_aside)
        self._rows += len(page.found) + len(page.set_aside) - incomplete
        self._incomplete += incomplete
        rate = self._rows / max(time.monotonic() - self._began, 0.001)
        self._bar.update(
            self._task, completed=page.progress or 0.0, description=f"{self._rows:,} rows, {rate:,.0f} a second"
        )

    def summary(self, before: Summary, part: Outcome) -> Summary:
        """The summary after one more run."""
        return Summary(
            rows=self._rows,
            posts=before.posts + part.items,
            stored=before.stored + part.new,
            repeated=before.repeated + part.repeated,
            incomplete=self._incomplete,
            error=part.error,
        )


def _bar() -> Progress:
    errors = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    stopping = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pause(database: Database, name: str) -> None:
    """Who pressed Ctrl-C does not want a worker to go on with it."""
    with database.write() as connection:
        sources.pause(connection, name, by="command line")


def set_aside_reasons(database: Database, begun: Begun, most: int = 5) -> list[tuple[str, int]]:
    """The commonest reasons why rows of the file stand aside, with their numbers."""
    with database.read() as connection:
        rows = connection.execute(
            select(set_aside.c.reason, func.count())
            .join(source, source.c.id == set_aside.c.source_id)
            .where(source.c.name == begun.name)
            .group_by(set_aside.c.reason)
            .order_by(func.count().desc(), set_aside.c.reason)
            .limit(most)
        ).all()
    return [(reason, number) for reason, number in rows]
