"""Many workers share the sources: killed and hung ones are replaced, and nothing is lost, doubled or polled by two."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ingest import connectors, leases
from ingest.found import Cursor, Page
from ingest.pipeline import Pipeline
from ingest.run import run
from ingest.schedule import TICK_SECONDS as TICK_SECONDS_OF_A_WORKER
from models import hung
from models.database import Database
from models.tables.base import from_microseconds
from tests.builders import NOW, add_source, as_taken, load, source_row, ticking
from tests.workers.parent import Plan, prove
from tests.workers.soak import soak
from tests.workers.soaked import TICK_SECONDS
from tests.workers.verdict import Verdict

TTL = leases.TTL.total_seconds()
# Behind the end of its lease: beyond this a source was left lying, however busy the machine is.
LATE_SECONDS = 30.0
SHORT = Plan(kills=2, stops=2, ttl=3.0, hung=hung.HUNG_SECONDS / 2, pause=1.0, seed=3)


on_postgres = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _assert_proved(verdict: Verdict, plan: Plan, *, rows: int, taken_over: int) -> None:
    print(verdict)
    assert (verdict.lost, verdict.twice, verdict.gaps, verdict.wrong_cells) == (0, 0, 0, 0), verdict
    assert (verdict.overlaps, verdict.polls_overlapping, verdict.stale) == (0, 0, 0), verdict
    assert (verdict.late_written, verdict.late_refused >= verdict.late) == (0, True), verdict
    # How soon is told above: a busy machine says nothing about the product. A source left lying is another matter.
    assert verdict.longest_take_over <= plan.ttl + LATE_SECONDS, verdict
    # A proof in which hardly anything happened is none.
    assert (verdict.kills, verdict.stops) == (plan.kills, plan.stops)
    assert verdict.late >= plan.stops
    assert verdict.taken_over >= taken_over
    assert verdict.rows > rows


@on_postgres
def test_sources_of_killed_and_stopped_workers_are_taken_over(database: Database, tmp_path: Path) -> None:
    plan = replace(SHORT, kills=1, stops=1)

    verdict = prove(database, tmp_path, plan)

    _assert_proved(verdict, plan, rows=100, taken_over=2)


@pytest.mark.prove
@on_sqlite
def test_a_worker_alone_on_sqlite_is_killed_and_replaced(database: Database, tmp_path: Path) -> None:
    plan = replace(SHORT, workers=1, kills=1, stops=0, ttl=2.0)

    verdict = prove(database, tmp_path, plan)

    _assert_proved(verdict, plan, rows=100, taken_over=1)


@pytest.mark.prove
@on_postgres
def test_late_writes_that_nobody_refuses_are_caught(database: Database, tmp_path: Path) -> None:
    """The same blows, the same count: without the fence the woken must write, or the proof proves nothing."""
    verdict = prove(database, tmp_path, replace(SHORT, kills=0, stops=1, stages=("asking",), variant="no-fence"))

    print(verdict)
    assert verdict.late_written > 0
    assert verdict.gaps + verdict.overlaps > 0


def test_a_hung_worker_is_found_while_its_sources_may_wait() -> None:
    """A worker whose stores all wait for it takes over nothing meanwhile."""
    assert hung.HUNG_SECONDS + hung.LOOK_EVERY + TICK_SECONDS_OF_A_WORKER < TICK_SECONDS
    assert hung.LONGEST_SILENCE <= TTL


class Asked:
    """A connector that remembers until when the source was held while it was asked."""

    EVERY_SECONDS = 60.0
    NETWORK = None

    class Config(BaseModel):
        pass

    def __init__(self, database: Database) -> None:
        self._database = database
        self.held_until: list[int] = []

    def fetch(self, _config: Any, cursor: Cursor | None, *, now: Any) -> Page:
        self.held_until.append(source_row(self._database)["expires_at"])
        return Page((), {"asked": len(self.held_until)})


@pytest.fixture
def asked(database: Database, monkeypatch: pytest.MonkeyPatch) -> Asked:
    connector = Asked(database)
    monkeypatch.setattr(connectors, "by_kind", lambda _kind: connector)
    return connector


def test_who_lost_a_source_while_it_hung_asks_nothing(database: Database, asked: Asked) -> None:
    """What it would ask costs money, and somebody else asks it."""
    pipeline = Pipeline(load(database))
    add_source(database)
    late = NOW + leases.TTL + timedelta(seconds=1)
    lost = as_taken(leases.take(database, "ada", now=NOW))
    leases.take(database, "bob", now=late)

    outcome = run(database, pipeline, lost, now=ticking(late))

    assert outcome.error is not None
    assert "another worker holds the source" in outcome.error
    assert asked.held_until == []
    assert source_row(database)["owner"] == "bob"


def test_a_lease_that_is_partly_gone_is_renewed_before_the_network_is_asked(database: Database, asked: Asked) -> None:
    """The answer may take nearly as long as a lease lasts."""
    pipeline = Pipeline(load(database))
    add_source(database)
    later = NOW + leases.TTL / 2
    lease = as_taken(leases.take(database, "ada", now=NOW))

    outcome = run(database, pipeline, lease, now=ticking(later, seconds=0))

    assert outcome.error is None
    assert [from_microseconds(instant) for instant in asked.held_until] == [later + leases.TTL]


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(900)
@on_postgres
def test_twenty_kills_and_twenty_stops_of_three_workers(database: Database, tmp_path: Path) -> None:
    """With the lease that the product has."""
    plan = Plan(kills=20, stops=20, ttl=TTL, hung=hung.HUNG_SECONDS, pause=6.0, seed=17, every_seconds=2.0)

    verdict = prove(database, tmp_path, plan)

    _assert_proved(verdict, plan, rows=5_000, taken_over=40)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
@on_sqlite
def test_twenty_kills_of_a_worker_alone_on_sqlite(database: Database, tmp_path: Path) -> None:
    """With a shorter lease, since nobody else polls while it lasts."""
    plan = Plan(kills=20, stops=0, ttl=3.0, hung=hung.HUNG_SECONDS / 2, pause=2.0, seed=18, workers=1)

    verdict = prove(database, tmp_path, plan)

    _assert_proved(verdict, plan, rows=2_000, taken_over=20)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_everything_runs_side_by_side_under_two_workers() -> None:
    """X, a feed, a file and the simulated networks for two minutes; `python -m tests.workers.soak` does it for ten."""
    report = soak(2.0)

    print(report)
    assert report.faults == ()
    assert report.mentions > 20_000
    assert report.taken_over > 0
