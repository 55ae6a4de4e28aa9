"""Kills the process that publishes at every stage of a send, starts it again, and counts what the network got."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models import secrets, sources
from models.database import Database
from models.settings import Settings
from tests.builders import rows
from tests.reply_desk import CORVANE_CARE, Desk, X
from tests.x_server import KEYS, XHandler, XServer, accepted_then, x_server

STAGES = ("begin", "begun", "asked", "accepted", "answered", "finishing")
# Where the reply was out when death came.
OUT = frozenset({"accepted", "answered", "finishing"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the network got, against what is written."""

    kills: int
    by_stage: dict[str, int]
    twice: int
    retried: int
    doubtful: int
    # Of the doubtful ones: those that were never `unknown`, and those whose end is not what the network knows.
    not_unknown: int
    wrong: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills {self.by_stage}: {self.twice} sent twice, {self.retried} handed over again, of"
            f" {self.doubtful} doubtful {self.not_unknown} were not unknown, {self.wrong} ended wrongly,"
            f" {self.seconds:.1f} s"
        )


def prove(database: Database, home: Path, *, kills: int, seed: int, variant: str = "as built") -> Verdict:
    """Send a reply a kill, through that many kills."""
    began = time.monotonic()
    desk = Desk(database)
    settings = Settings(home=home)
    desk.set_account(CORVANE_CARE, secrets=secrets.seal(settings, KEYS))
    with database.write() as connection:
        listening = {"what": "search", "query": "corvane"}
        sources.add(connection, name="X", kind="x", network_id=X, config=listening, every_seconds=60, now=desk.now)
    dice = random.Random(seed)
    stages: dict[str, str] = {}
    with x_server(lambda: desk.now) as server, _nursery(database, home, server, variant) as child:
        server.limits["create"] = server.limits["posts"] = server.limits["me"] = 10_000
        server.add_user("101", "ada")
        for number in range(kills):
            stage = STAGES[number % len(STAGES)] if number < len(STAGES) else dice.choice(STAGES)
            words = f"We look into it, number {number}."
            stages[words] = stage
            post = server.add_post("@corvane_care where is it?", by="101", at=desk.now, low=number)
            desk.approved(desk.case(post, text="@corvane_care where is it?"), text=words)
            desk.wait(seconds=10)
            assert child.life(stage, server), f"nobody was killed at {stage}"
            # The turn of the dead one is over; whoever comes next is another.
            desk.wait(seconds=61)
            child.life("free", server)
        desk.wait(minutes=5)
        child.life("free", server)
        return _judged(desk, server, stages, time.monotonic() - began)


class Nursery:
    """The child process, from which one worker after another comes, and the clock of the test."""

    def __init__(self, process: subprocess.Popen[str], server: XServer) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._server = server

    def life(self, stage: str, server: XServer) -> bool:
        """One worker from its start to its end; whether it was killed."""
        pids: list[int] = []

        def kill(handler: XHandler) -> None:
            os.kill(pids[0], signal.SIGKILL)

        def step(handler: XHandler) -> None:
            if handler.endpoint == "create":
                (accepted_then(kill) if stage == "accepted" else kill)(handler)

        server.script = [step] if stage in ("asked", "accepted") else []
        self._in.write(f"{stage} {server.clock().isoformat()}\n")
        self._in.flush()
        pids.append(int(self.hear().split()[1]))
        while (word := self.hear()) not in ("killed", "ended"):
            assert word == "inside", word
            os.kill(pids[0], signal.SIGKILL)
        server.script = []
        return word == "killed"

    def hear(self) -> str:
        word = self._out.readline().strip()
        assert word, "the process that publishes ended by itself; its last words are above"
        return word


@contextmanager
def _nursery(database: Database, home: Path, server: XServer, variant: str) -> Iterator[Nursery]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.crash.publishing", url, str(home), server.url, variant]
    project = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project) as process:
        try:
            nursery = Nursery(process, server)
            assert nursery.hear() == "ready"
            yield nursery
        finally:
            process.kill()


def _judged(desk: Desk, server: XServer, stages: dict[str, str], seconds: float) -> Verdict:
    out = Counter(post["text"] for post in server.created)
    replies = {row["text"]: row for row in rows(desk.database, "select text, state, id from reply")}
    unknown = {row["reply_id"] for row in rows(desk.database, "select reply_id from case_event where kind = 'unknown'")}
    sent = Counter(
        row["reply_id"] for row in rows(desk.database, "select reply_id from case_event where kind = 'sending'")
    )
    doubtful = [words for words, stage in stages.items() if stage != "begin"]
    right = {words: "sent" if out[words] else "unknown" for words in stages}
    return Verdict(
        kills=len(stages),
        by_stage=dict(Counter(stages.values())),
        twice=sum(count > 1 for count in out.values()),
        retried=sum(count > 1 for count in sent.values()) + len(server.requests("create")) - _asked(stages),
        doubtful=len(doubtful),
        not_unknown=sum(replies[words]["id"] not in unknown for words in doubtful),
        wrong=sum(replies[words]["state"] != right[words] for words in stages)
        + sum(out[words] != (stages[words] in OUT or stages[words] == "begin") for words in stages),
        seconds=seconds,
    )


def _asked(stages: dict[str, str]) -> int:
    """Requests that were answered, and so noted: those of the killed are not."""
    return sum(stage in ("begin", "answered", "finishing") for stage in stages.values())
