"""Kills the process that ingests, starts it again until all is read, and then counts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text, update

from models import cube, sources
from models import organisation as organisations
from models.database import Database
from models.tables import source
from tests.builders import NOW, load, number
from tests.crash import made_up
from tests.crash.child import STAGES

NAME = "made up"
# Of ten kills eight wait for a stage of a transaction, two come at any moment.
AIMED = 0.8
MORE_POSTS = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is stored after all the kills, against what had to be."""

    rows: int
    lost: int
    twice: int
    wrong_cells: int
    kills: int
    kills_inside: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.kills_inside} of them inside a transaction: {self.rows:,} rows,"
            f" {self.lost} lost, {self.twice} twice, {self.wrong_cells} wrong cells, {self.seconds:.1f} s"
        )


def prove(database: Database, *, posts: int, kills: int, seed: int, variant: str = "as built") -> Verdict:
    """Ingest all posts through that many kills and say what came of it."""
    began = time.monotonic()
    organisation = load(database)
    with database.write() as connection:
        sources.add(
            connection, name=NAME, kind="made_up", network_id=1, config={"posts": posts}, every_seconds=1, now=NOW
        )
        connection.execute(text("update source set due_at = 0"))
    dice = random.Random(seed)
    killed = inside = 0
    with _nursery(database, variant) as child:
        done = False
        while killed < kills or not done:
            if done:
                # Read to its end before all the kills were spent: it grows. Reading it again would hide what was lost.
                posts += MORE_POSTS
                _grow(database, posts)
            was_killed, was_inside = child.life(dice, kill=killed < kills)
            killed += was_killed
            inside += was_inside
            # As the row says: death may come between the last commit and the word of it.
            done = number(database, "select count(*) from source where state = 'done'") == 1
    return _judged(database, organisation, posts, killed, inside, time.monotonic() - began)


def _grow(database: Database, posts: int) -> None:
    with database.write() as connection:
        connection.execute(update(source).values(state="active", config={"posts": posts}))


class Nursery:
    """The child process, from which one worker after another comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def life(self, dice: random.Random, *, kill: bool) -> tuple[bool, bool]:
        """One worker from its start to its end: (killed, killed inside a transaction)."""
        aimed = kill and dice.random() < AIMED
        stage, transaction = (dice.choice(STAGES), dice.choice((1, 1, 1, 2, 2))) if aimed else ("free", 0)
        self._in.write(f"{stage} {transaction}\n")
        self._in.flush()
        pid = int(self.hear().split()[1])
        delay = dice.uniform(0.0, 0.1)
        heard = []
        while (word := self.hear()) not in ("killed", "ended"):
            heard.append(word)
            if word in ("inside", "between") or (word == "leased" and kill and not aimed):
                if word == "leased":
                    # At any moment: the only wait here, and it is what is tested.
                    time.sleep(delay)
                os.kill(pid, signal.SIGKILL)
        assert not any(word.startswith("failed") for word in heard), heard
        last = [said for said in heard if said in ("begin", "end")][-1:]
        return word == "killed", word == "killed" and last == ["begin"]

    def hear(self) -> str:
        word = self._out.readline().strip()
        assert word, "the process that ingests ended by itself; its last words are above"
        return word


@contextmanager
def _nursery(database: Database, variant: str) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.crash.child", database.url.render_as_string(hide_password=False), variant]
    project = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project) as process:
        try:
            nursery = Nursery(process)
            assert nursery.hear() == "ready"
            yield nursery
        finally:
            process.kill()


def _judged(
    database: Database,
    organisation: organisations.Organisation,
    posts: int,
    kills: int,
    kills_inside: int,
    seconds: float,
) -> Verdict:
    expected = made_up.expected(posts)
    with database.read() as connection:
        found = [
            (row[0], row[1], row[2])
            for row in connection.execute(text("select brand_id, network_id, external_id from mention"))
        ]
        wrong = cube.check(connection, organisation, NOW)
        counted = sum(
            connection.execute(
                text(
                    "select coalesce(sum(mentions), 0) from cube where brand_id = :brand and granularity = :day"
                    " and location_id = 0 and team_id = 0 and network_id = 0"
                ),
                {"brand": brand.id, "day": cube.DAY},
            ).scalar_one()
            for brand in organisation.brands
        )
    if database.is_sqlite:
        with database.write() as connection:
            # Raises where the text index does not hold exactly the texts of the rows.
            connection.execute(text("insert into mention_text (mention_text, rank) values ('integrity-check', 1)"))
    assert int(counted) == len(found) == number(database, "select count(*) from mention")
    return Verdict(
        rows=len(found),
        lost=len(expected - set(found)),
        twice=len(found) - len(set(found)) + len(set(found) - expected),
        wrong_cells=len(wrong),
        kills=kills,
        kills_inside=kills_inside,
        seconds=seconds,
    )
