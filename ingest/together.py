"""Web and ingest on one machine: started, watched and stopped together by one process that does nothing else."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from models.database import Database
from models.settings import Settings
from models.tables import source

# -P: a file app.py in the folder one stands in is not ours.
COMMANDS = {name: (sys.executable, "-P", "-m", "app", name) for name in ("web", "ingest")}
# How long they may take to finish what they are doing.
PATIENCE_SECONDS = 20
READY_SECONDS = 90
NICE = 5
# Of each log this much is kept, twice: they must never fill the disk.
LOG_BYTES = 5_000_000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


class Log:
    """A file that what is written to it never makes longer than `LOG_BYTES`; what was before is in `NAME.1`."""

    def __init__(self, path: Path, most_bytes: int = LOG_BYTES) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._file = path.open("ab", buffering=0)

    def write(self, chunk: bytes) -> None:
        """Append; a full disk costs the line, never the process that wrote it."""
        try:
            if self._file.tell() and self._file.tell() + len(chunk) > self._most_bytes:
                self._file.close()
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                self._file = self.path.open("ab", buffering=0)
            self._file.write(chunk)
        except (OSError, ValueError):
            return

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class Child:
    """One of the two processes, with its log."""

    def __init__(self, name: str, command: Sequence[str], logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Not in this terminal's process group: Ctrl-C reaches only this process, which stops them in order.
            start_new_session=True,
            preexec_fn=_begin_child(NICE if name == "ingest" else 0),
        )
        self._pump = threading.Thread(target=self._write_log, daemon=True)
        self._pump.start()

    def _write_log(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        log = Log(self.log)
        while chunk := os.read(stream.fileno(), 65_536):
            log.write(chunk)
        log.close()
        stream.close()

    @property
    def process_id(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def ask_to_stop(self) -> None:
        """Let it finish what it is doing."""
        if not self.has_ended:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Until it has ended; killed when that takes longer: what was not committed comes again."""
        try:
            self._process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pump.join(1.0)

    def reason(self) -> str:
        """How it ended, with the last line of its log."""
        self._pump.join(1.0)
        last = _last_line(self.log)
        return f"{self.name} ended by itself ({_ended(self._process.returncode)}){f': {last}' if last else ''}"


def _ended(code: int | None) -> str:
    return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2000))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _begin_child(nice: int) -> Callable[[], None]:
    """What the child does first: step back for others, and end with this process even when that is killed."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def begin() -> None:
        if nice:
            os.nice(nice)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return begin


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C, a termination or a closed terminal sets, instead of ending this process."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def started(logs: Path, commands: Mapping[str, Sequence[str]] = COMMANDS) -> Iterator[tuple[Child, ...]]:
    """Web and ingest running; stopped at the end, whatever happened."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    children: list[Child] = []
    try:
        # One by one: when the second cannot be started the first is stopped.
        for name, command in commands.items():
            child = Child(name, command, logs)
            children.append(child)
        yield tuple(children)
    finally:
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for child in children:
            child.wait(deadline - time.monotonic())


def ended(children: Sequence[Child]) -> list[Child]:
    """Those that run no more."""
    return [child for child in children if child.has_ended]


def wait_until_ready(settings: Settings, children: Sequence[Child], stopping: threading.Event) -> bool:
    """True as soon as the screens are served; False when stopped, when a process ended, or after READY_SECONDS."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and not stopping.is_set() and not ended(children):
        if _is_ready(settings):
            return True
        stopping.wait(0.1)
    return False


def _is_ready(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def watch(
    database: Database, children: Sequence[Child], stopping: threading.Event, *, say: Callable[[str], None]
) -> None:
    """Until stopped or a process ends: how far histories are filled in, as a bar, or a line now and then in a log."""
    errors = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bar:
        shown: dict[str, tuple[TaskID, int]] = {}
        while not stopping.wait(1.0) and not ended(children):
            for name, progress in _filling(database, shown):
                task, said = shown.get(name) or (bar.add_task(f"Filling in {name}, newest first", total=1.0), -1)
                bar.update(task, completed=progress)
                tenth = int(10 * progress)
                if progress >= 1:
                    bar.remove_task(task)
                    say(f"{name} is filled in.")
                elif tenth > said and not errors.is_terminal:
                    say(f"Filling in {name}, newest first: {100 * progress:.0f} %")
                shown[name] = (task, tenth)


def _filling(database: Database, shown: dict[str, tuple[TaskID, int]]) -> list[tuple[str, float]]:
    """(name, progress) of what is being filled in, and once more of what is done since it was shown."""
    try:
        with database.read() as connection:
            rows = connection.execute(
                select(source.c.name, source.c.progress).where(source.c.progress.is_not(None), source.c.kind != "file")
            ).all()
    except DBAPIError:
        # A database that is away for a moment is no reason to stop: web and ingest connect again.
        return []
    return [
        (name, progress)
        for name, progress in rows
        if (progress < 1 or name in shown) and not (name in shown and shown[name][1] >= 10)
    ]
