"""The real thing for minutes: `python -m tests.workers.soak --minutes 10`.

X and a feed on loopback that go on saying things, a file and six simulated networks, under two processes as `watchfloor
ingest` starts them, on PostgreSQL. In the middle one is killed and replaced. Prints what was served and what is stored;
ends with 1 where anything is lost, doubled, uncovered or polled by two.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from models.database import Database
from models.settings import Settings
from tests.builders import number, rows
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.workers.networks import FILE, Networks, add_file, add_sources, networks
from tests.workers.soaked import Kill, Memory, Report, reported

X_SECONDS, FEED_SECONDS = 1.0, 2.0
LOOK_SECONDS = 0.25
MEMORY_SECONDS = 5.0
# The file begins so long before the kill, so that the kill may fall into it.
FILE_BEFORE_SECONDS = 3.0
DRAIN_SECONDS = 120.0


def soak(minutes: float) -> Report:
    """Run for so long and say what came of it."""
    url = new_postgres_database()
    database = Database(url)
    try:
        with tempfile.TemporaryDirectory(prefix="watchfloor-soak-") as folder, networks() as them:
            settings = Settings(home=Path(folder), database_url=url, demo=False)
            began = datetime.now(UTC)
            add_sources(database, settings, them, began)
            with _crew(database, settings, them) as crew:
                crew.go(minutes * 60)
            return reported(database, them, began, crew.kill, crew.memories)
    finally:
        database.close()
        drop_postgres_database(url)


@dataclass
class Crew:
    """Two workers, who they are, and what they need."""

    database: Database
    settings: Settings
    them: Networks
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    memories: dict[int, Memory] = field(default_factory=dict)
    kill: Kill | None = None

    def start(self) -> None:
        """One more worker, as the command does it."""
        log = self.settings.home / f"worker-{len(self.memories)}.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHFLOOR_")}
        environment |= {
            "WATCHFLOOR_HOME": str(self.settings.home),
            "WATCHFLOOR_DATABASE_URL": self.settings.database_url,
            "WATCHFLOOR_DEMO": "0",
        }
        command = [sys.executable, "-m", "tests.workers.soak", "--worker", self.them.x.url]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env=environment, stdout=file, stderr=file, cwd=Path(__file__).parents[2]
            )
        self.running.append(process)
        self.memories[process.pid] = Memory()

    def go(self, seconds: float) -> None:
        """Say things, look at the memory, kill one in the middle, and in the end wait until all is read."""
        for _ in range(2):
            self.start()
        began = time.monotonic()
        due = {"x": 0.0, "feed": 0.0, "memory": 0.0, "file": seconds / 2 - FILE_BEFORE_SECONDS, "kill": seconds / 2}
        acts: dict[str, tuple[Callable[[], None], float]] = {
            "x": (self.them.say_on_x, X_SECONDS),
            "feed": (self.them.say_in_the_feed, FEED_SECONDS),
            "memory": (self._weigh, MEMORY_SECONDS),
            "file": (self._bring_a_file, float("inf")),
            "kill": (self._kill_one, float("inf")),
        }
        while (now := time.monotonic() - began) < seconds:
            for name, (act, every) in acts.items():
                if now >= due[name]:
                    act()
                    due[name] += every
            time.sleep(LOOK_SECONDS)
        self._drain()
        self._weigh()
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            assert process.wait(60) == 0, f"a worker ended with {process.returncode}"

    def _bring_a_file(self) -> None:
        add_file(self.database, self.settings.home / "archive.csv", datetime.now(UTC))

    def _weigh(self) -> None:
        for process in self.running:
            self.memories[process.pid].note(psutil.Process(process.pid).memory_info().rss)

    def _kill_one(self) -> None:
        victim = max(self.running, key=lambda process: len(self._held(process.pid)))
        at = time.time()
        victim.kill()
        victim.wait()
        self.running.remove(victim)
        time.sleep(LOOK_SECONDS)
        self.kill = Kill(victim.pid, at, frozenset(self._held(victim.pid)))
        self.start()

    def _held(self, pid: int) -> list[int]:
        found = rows(self.database, "select id, owner from source where owner is not null")
        return [int(row["id"]) for row in found if f"-{pid}-" in row["owner"]]

    def _drain(self) -> None:
        """Nothing more is said: wait until every source was asked after that, and the file is read."""
        silent = int(time.time() * 1_000_000)
        deadline = time.monotonic() + DRAIN_SECONDS
        waiting = "select count(*) from source where state = 'active' and coalesce(last_success_at, 0) < :silent"
        unread = "select count(*) from source where name = :file and state <> 'done'"
        while number(self.database, waiting, silent=silent) or number(self.database, unread, file=FILE):
            assert time.monotonic() < deadline, f"not all was read {DRAIN_SECONDS:.0f} s after the last word"
            time.sleep(LOOK_SECONDS)
        # A walk through X that was under way has its last page behind it by the poll after.
        while number(self.database, waiting, silent=silent + 2_000_000):
            assert time.monotonic() < deadline, "a source was not asked once more"
            time.sleep(LOOK_SECONDS)


@contextmanager
def _crew(database: Database, settings: Settings, them: Networks) -> Iterator[Crew]:
    crew = Crew(database, settings, them)
    try:
        yield crew
    finally:
        for process in crew.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def work(x_url: str) -> None:
    """What `watchfloor ingest` does, with X on loopback."""
    from ingest.commands import ingest
    from ingest.connectors import x

    x.API = x_url
    ingest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--worker", metavar="X_URL")
    given = parser.parse_args()
    if given.worker:
        work(given.worker)
        return
    report = soak(given.minutes)
    print(report)
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
