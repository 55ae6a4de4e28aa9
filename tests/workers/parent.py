"""Starts workers, kills and stops them in random order, wakes the stopped, and then counts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from models import sources
from models.database import Database
from tests.builders import load, rows
from tests.workers.diary import Entry, Reader
from tests.workers.verdict import Blow, Verdict, judged

# Of ten blows two fall on a worker that has just taken a source, four inside a transaction, the rest at any moment.
STAGES = ("leased", "leased", "inside", "inside", "copy", "copy", "any", "any", "any", "any")
KILL, STOP = signal.SIGKILL, signal.SIGSTOP
# What takes longer than this, beside what a blow itself takes, will never come.
DEADLINE_SECONDS = 60.0
LOOK_SECONDS = 0.02
SETTLED_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sources and workers there are, and what is done to them."""

    kills: int
    stops: int
    ttl: float
    # How long the database lets a process hold its locks without a word.
    hung: float
    # The longest pause between two blows.
    pause: float
    seed: int
    sources: int = 24
    workers: int = 3
    every_seconds: float = 1.0
    stages: tuple[str, ...] = STAGES
    variant: str = "as built"


def prove(database: Database, folder: Path, plan: Plan) -> Verdict:
    """Let the workers poll through all the blows and say what came of it."""
    organisation = load(database)
    with database.write() as connection:
        for number in range(1, plan.sources + 1):
            sources.add(
                connection,
                name=f"source {number}",
                kind="made_up",
                network_id=1,
                config={"source": number},
                every_seconds=plan.every_seconds,
                now=datetime.now(UTC),
            )
    began = time.monotonic()
    with _floor(database, folder, plan) as floor:
        floor.rage()
        floor.settle()
        return judged(database, organisation, plan.sources, floor.blows, floor.look(), time.monotonic() - began)


@dataclass
class Floor:
    """The workers, by process: those that run, those that are stopped, and what was done to them."""

    database: Database
    folder: Path
    plan: Plan
    nursery: subprocess.Popen[str]
    running: set[int] = field(default_factory=set)
    stopped: dict[int, Blow] = field(default_factory=dict)
    blows: list[Blow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = Reader(self.folder / "diary")
        self._dice = random.Random(self.plan.seed)

    def look(self) -> list[Entry]:
        """The diary so far."""
        return self._reader.look()

    # -- blows

    def rage(self) -> None:
        """Deal all blows, and wake whom was stopped as soon as others poll what it held."""
        blows = [KILL] * self.plan.kills + [STOP] * self.plan.stops
        self._dice.shuffle(blows)
        for _ in range(self.plan.workers):
            self.start()
        self._until(lambda: self._polled_since(0.0, range(1, self.plan.sources + 1)), "every source was polled once")
        due = time.monotonic()
        while blows or self.stopped:
            self._wake()
            if blows and time.monotonic() >= due and (victim := self._victim(blows[0])) is not None:
                self._strike(victim, blows.pop(0))
                due = time.monotonic() + self._dice.uniform(0, self.plan.pause)
            time.sleep(LOOK_SECONDS)

    def start(self) -> None:
        """One more worker."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write("start\n")
        self.nursery.stdin.flush()
        words = self.nursery.stdout.readline().split()
        assert words, "the process that workers come from ended by itself; its last words are above"
        self.running.add(int(words[1]))

    def _victim(self, blow: signal.Signals) -> int | None:
        """Whom it hits: never the last one that runs, unless somebody takes its place at once."""
        if blow == STOP and len(self.running) < 2:
            return None
        if self.plan.workers == 1 and not all(self._taken_over(before) for before in self.blows[-1:]):
            # There is nobody else who could take over meanwhile.
            return None
        ready = {entry.pid for entry in self.look() if entry.what == "began"} - self._silent()
        return self._dice.choice(sorted(self.running & ready) or [None])

    def _strike(self, pid: int, blow: signal.Signals) -> None:
        stage = self._dice.choice(
            [stage for stage in self.plan.stages if stage != "copy" or not self.database.is_sqlite]
        )
        at = time.time()
        if stage == "any":
            os.kill(pid, blow)
        else:
            # Made in one step, so that nobody reads half of it.
            beside = self.folder / f"{pid}.new"
            beside.write_text(f"{stage} {int(blow)}")
            beside.rename(self.folder / str(pid))
        down = (psutil.STATUS_ZOMBIE,) if blow == KILL else (psutil.STATUS_STOPPED,)
        self._until(lambda: psutil.Process(pid).status() in down, f"{pid} was hit ({stage})")
        if stage != "any":
            at = next(entry.at for entry in reversed(self.look()) if entry.pid == pid and entry.what == "aimed")
        name = next(entry.words for entry in self.look() if entry.pid == pid and entry.what == "worker")
        struck = Blow(pid, name, blow == KILL, stage, at, self._held(name))
        self.blows.append(struck)
        self.running.discard(pid)
        if blow == KILL:
            self.start()
        else:
            self.stopped[pid] = struck

    def _held(self, name: str) -> frozenset[int]:
        """What a worker holds, after the database has done what the worker had sent."""
        before = None
        while True:
            found = rows(self.database, "select id from source where owner = :name", name=name)
            held = frozenset(int(row["id"]) for row in found)
            if held == before:
                return held
            before = held
            time.sleep(SETTLED_SECONDS)

    def _wake(self) -> None:
        for pid, blow in list(self.stopped.items()):
            if self._taken_over(blow):
                blow.woken_at = time.time()
                os.kill(pid, signal.SIGCONT)
                self.running.add(pid)
                del self.stopped[pid]
            else:
                assert time.time() - blow.at < self.plan.ttl + DEADLINE_SECONDS, f"nobody took over from {blow}"

    def _taken_over(self, blow: Blow) -> bool:
        return self._polled_since(blow.at, blow.held, but=blow.pid)

    def _polled_since(self, at: float, wanted: Iterable[int], *, but: int = 0) -> bool:
        polled = {entry.source for entry in self.look() if entry.what == "began" and entry.at > at and entry.pid != but}
        return polled.issuperset(wanted)

    # -- the end

    def settle(self) -> None:
        """Wait until everything that was held is polled by others and the woken have spoken, then end the workers."""
        self._until(lambda: all(self._taken_over(blow) for blow in self.blows), "everything was taken over")
        self._until(lambda: not self._silent(), "every woken worker tried to write")
        since = time.time()
        self._until(lambda: self._polled_since(since, range(1, self.plan.sources + 1)), "every source is polled again")
        for pid in self.running:
            os.kill(pid, signal.SIGTERM)
        ended = (psutil.STATUS_ZOMBIE,)
        self._until(lambda: all(psutil.Process(pid).status() in ended for pid in self.running), "the workers ended")

    def _silent(self) -> set[int]:
        """Who was woken and did not yet try to write all that it held."""
        if self.plan.variant != "as built":
            return set()
        refused = [entry.pid for entry in self.look() if entry.what == "refused"]
        late: dict[int, int] = {}
        for blow in self.blows:
            late[blow.pid] = late.get(blow.pid, 0) + (len(blow.held) if blow.woken_at is not None else 0)
        return {pid for pid, number in late.items() if refused.count(pid) < number}

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.plan.ttl + DEADLINE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"still not: {what}"
            time.sleep(LOOK_SECONDS)


@contextmanager
def _floor(database: Database, folder: Path, plan: Plan) -> Iterator[Floor]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.workers.child", url, str(folder), str(plan.ttl), str(plan.hung)]
    project = Path(__file__).parents[2]
    with subprocess.Popen(
        [*command, plan.variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project
    ) as nursery:
        floor = Floor(database, folder, plan, nursery)
        try:
            yield floor
        finally:
            # Before the nursery: while it lives, their numbers are theirs.
            for pid in floor.running | floor.stopped.keys():
                os.kill(pid, signal.SIGKILL)
            nursery.kill()
