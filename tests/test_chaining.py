"""ingest/chaining.py: a worker links, notes outside how far that came, signs the day and checks."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.chaining import CHECK_SECONDS, EVERYWHERE_SECONDS, Chaining
from ingest.schedule import Worker
from models import audit_rounds
from models.audit_heads import Outside
from models.database import Database
from models.settings import Settings
from tests.audit_made_up import BEGAN, STEP, tampering, write
from tests.empty import empty_database
from tests.test_schedule import until


class Clock:
    """The time of the world and of the machine, moved by hand."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.seconds = 100.0

    def to(self, now: datetime, *, after: float = CHECK_SECONDS) -> None:
        self.now, self.seconds = now, self.seconds + after


@pytest.fixture
def there(tmp_path: Path) -> Database:
    return empty_database(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worker(database: Database, home: Path, clock: Clock, name: str = "one") -> Chaining:
    return Chaining(database, home, name, now=lambda: clock.now, seconds=lambda: clock.seconds)


def test_a_round_links_notes_and_checks(there: Database, tmp_path: Path, clock: Clock) -> None:
    one, outside = worker(there, tmp_path, clock), Outside(tmp_path)
    write(there, 0)
    clock.to(BEGAN + STEP)
    assert one.round() == 1
    latest = outside.latest()
    assert latest is not None
    assert latest.number == 1
    with there.read() as connection:
        assert audit_rounds.state(connection, now=clock.now).checked.mark.number == 1
    assert one.round() == 0


def test_an_idle_worker_makes_no_folder_and_writes_nothing(there: Database, tmp_path: Path, clock: Clock) -> None:
    one = worker(there, tmp_path, clock)
    clock.to(BEGAN + STEP)
    assert one.round() == 0
    assert not Outside(tmp_path).folder.exists()


def test_the_day_is_signed_at_the_first_round_after_midnight(there: Database, tmp_path: Path, clock: Clock) -> None:
    one, outside = worker(there, tmp_path, clock), Outside(tmp_path)
    write(there, 0)
    clock.to(BEGAN + STEP)
    one.round()
    clock.to(BEGAN + timedelta(days=1))
    one.round()
    assert [head.day for head in outside.heads() if head.kind == "day"] == ["2026-11-20"]


def test_rows_that_were_committed_long_after_their_instant_are_found(
    there: Database, tmp_path: Path, clock: Clock
) -> None:
    one = worker(there, tmp_path, clock)
    clock.to(BEGAN + 2 * STEP)
    one.round()
    write(there, 0)
    assert one.round() == 0
    clock.to(BEGAN + 2 * STEP, after=EVERYWHERE_SECONDS)
    assert one.round() == 1


def test_a_chain_that_is_not_what_it_was_is_logged_once_and_the_proof_is_kept(
    there: Database, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    one, outside = worker(there, tmp_path, clock), Outside(tmp_path)
    for number in range(3):
        write(there, number)
    clock.to(BEGAN + 3 * STEP)
    one.round()
    with tampering(there) as connection:
        connection.execute(text("delete from audit_link"))
        connection.execute(text("delete from audit"))
        connection.execute(text("commit"))
        connection.execute(text("begin"))
    with caplog.at_level(logging.ERROR):
        for number in (3, 4):
            write(there, number)
            clock.to(BEGAN + (number + 1) * STEP, after=EVERYWHERE_SECONDS)
            assert one.round() == 1
    assert [record.message.split()[0] for record in caplog.records] == ["audit_chain_changed"]
    latest = outside.latest()
    assert latest is not None
    assert latest.number == 3


def test_a_round_stops_when_the_worker_does(there: Database, tmp_path: Path, clock: Clock) -> None:
    write(there, 0)
    clock.to(BEGAN + STEP)
    assert worker(there, tmp_path, clock).round(lambda: True) == 0


def test_a_worker_that_runs_links_rows_by_itself(database: Database, tmp_path: Path) -> None:
    running = Worker(database, settings=Settings(home=tmp_path / "home"))
    write(database, 0)
    running.start()
    try:
        until(lambda: Outside(tmp_path / "home").latest() is not None, "the row is linked and noted")
    finally:
        running.stop()
