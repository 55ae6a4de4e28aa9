"""ingest/together.py: two processes and their logs, started, watched and stopped by one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import together
from ingest.together import Log, ended, started, until_stopped, wait_until_ready, watch
from models import sources
from models.settings import Settings
from models.tables import source
from tests.empty import empty_database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PATIENCE = 60
STAYS = (sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()")
FALLS = (sys.executable, "-c", "import sys; print('a first line'); sys.exit('the reason')")
DEAF = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()",
)
CHATTERS = (sys.executable, "-c", "print('x' * 99 + '\\n', end='', flush=True); [print('x' * 99) for _ in range(3000)]")


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def lives(process_id: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process_id, 0)
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def said(path: Path, words: str) -> Callable[[], bool]:
    return lambda: path.exists() and words in path.read_text()


def test_both_are_gone_when_the_one_that_started_them_goes_on(tmp_path: Path) -> None:
    with started(tmp_path / "logs", {"web": STAYS, "ingest": STAYS}) as children:
        ids = [child.process_id for child in children]
        until(said(tmp_path / "logs" / "web.log", "up"), "web came up")
        assert ended(children) == []
    assert not any(map(lives, ids))


def test_both_are_gone_whatever_happens_meanwhile(tmp_path: Path) -> None:
    ids: list[int] = []

    def fail() -> None:
        with started(tmp_path, {"web": STAYS, "ingest": STAYS}) as children:
            ids.extend(child.process_id for child in children)
            raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        fail()
    assert len(ids) == 2
    assert not any(map(lives, ids))


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 0.2)
    with started(tmp_path, {"web": DEAF}) as children:
        until(said(tmp_path / "web.log", "up"), "web came up")
    assert not lives(children[0].process_id)


def test_a_process_that_falls_is_named_with_its_last_words(tmp_path: Path) -> None:
    with started(tmp_path, {"web": FALLS, "ingest": STAYS}) as children:
        until(lambda: bool(ended(children)), "web fell")
        (fallen,) = ended(children)
        assert fallen.name == "web"
        assert fallen.reason() == "web ended by itself (exit code 1): the reason"
    assert (tmp_path / "web.log").read_text() == "a first line\nthe reason\n"


def test_a_process_that_was_killed_is_named_with_the_signal(tmp_path: Path) -> None:
    with started(tmp_path, {"web": STAYS}) as children:
        until(said(tmp_path / "web.log", "up"), "web came up")
        os.kill(children[0].process_id, signal.SIGKILL)
        until(lambda: bool(ended(children)), "web ended")
        assert children[0].reason() == "web ended by itself (signal SIGKILL): up"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_both_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal; from ingest.together import started\n"
        f"with started(pathlib.Path({str(tmp_path)!r}), {{'web': {STAYS!r}, 'ingest': {STAYS!r}}}) as children:\n"
        "    print(*[child.process_id for child in children], flush=True)\n"
        "    signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    ids = [int(word) for word in parent.stdout.readline().split()]
    assert len(ids) == 2
    parent.kill()
    parent.wait()
    until(lambda: not any(map(lives, ids)), "both ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop_instead_of_ending_the_process(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with until_stopped() as stopping:
        os.kill(os.getpid(), number)
        assert stopping.wait(PATIENCE)
    assert signal.getsignal(number) == before


def test_a_log_never_grows_beyond_twice_its_limit(tmp_path: Path) -> None:
    log = Log(tmp_path / "web.log", most_bytes=1_000)
    for number in range(200):
        log.write(f"{number:04d}{'x' * 95}\n".encode())
    log.close()
    kept = [path.name for path in sorted(tmp_path.iterdir())]
    assert kept == ["web.log", "web.log.1"]
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    assert (tmp_path / "web.log").read_text().splitlines()[-1].startswith("0199")


def test_what_a_process_prints_is_bounded_however_much_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log.__init__, "__defaults__", (100_000,))
    with started(tmp_path, {"web": CHATTERS}) as children:
        until(lambda: bool(ended(children)), "all was printed")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200_000


def test_waiting_ends_when_a_process_falls_or_somebody_stops_it(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings = Settings(home=tmp_path, port=probe.getsockname()[1])
    with started(tmp_path, {"web": FALLS}) as children:
        assert wait_until_ready(settings, children, threading.Event()) is False
        assert ended(children)
    stopping = threading.Event()
    stopping.set()
    with started(tmp_path, {"web": STAYS}) as children:
        assert wait_until_ready(settings, children, stopping) is False


def test_filling_in_is_said_in_plain_lines_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = empty_database(tmp_path)
    with database.write() as connection:
        sources.add(connection, name="History", kind="simulator", network_id=1, config={}, every_seconds=1, now=NOW)
    steps = iter([0.0, 0.04, 0.31, 0.35, 1.0, 1.0])
    lines: list[str] = []

    class Stopping(threading.Event):
        """Each look finds the history a step further."""

        def wait(self, timeout: float | None = None) -> bool:
            step = next(steps, None)
            if step is not None:
                with database.write() as connection:
                    connection.execute(source.update().values(progress=step))
            return step is None

    watch(database, (), Stopping(), say=lines.append)
    assert lines == [
        "Filling in History, newest first: 0 %",
        "Filling in History, newest first: 31 %",
        "History is filled in.",
    ]


def test_a_history_that_was_filled_in_before_is_not_mentioned(tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    with database.write() as connection:
        sources.add(connection, name="History", kind="simulator", network_id=1, config={}, every_seconds=1, now=NOW)
        connection.execute(source.update().values(progress=1.0))
    looks = iter([False, True])

    class Stopping(threading.Event):
        """Looked at once."""

        def wait(self, timeout: float | None = None) -> bool:
            return next(looks)

    lines: list[str] = []
    watch(database, (), Stopping(), say=lines.append)
    assert lines == []
