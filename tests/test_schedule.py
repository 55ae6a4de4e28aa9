"""ingest/schedule.py: a worker polls what is due, side by side, and outlives what goes wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from ingest import connectors, leases
from ingest.found import Cursor, Page
from ingest.schedule import Worker
from models import sources
from models.database import Database
from models.organisation_entries import BrandEntry
from models.organisation_file import OrganisationFile
from tests.builders import load, meridian, number, post, rows, source_row

DEADLINE_SECONDS = 30.0


class Live:
    """A connector that says what `answer` makes of the number of the fetch, at the interval of its source."""

    EVERY_SECONDS = 0.01
    NETWORK = "x"

    class Config(BaseModel):
        pass

    def __init__(self, answer: Callable[[int], Page]) -> None:
        self.fetches = 0
        self._answer = answer

    def fetch(self, _config: Any, cursor: Cursor | None, *, now: datetime) -> Page:
        self.fetches += 1
        return self._answer(self.fetches)

    def describe(self, _config: Any) -> str:
        return "made up"


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"after {DEADLINE_SECONDS:.0f} s still not: {what}"
        pause.wait(0.02)


def add(database: Database, *names: str, every: float = 0.01) -> None:
    with database.write() as connection:
        for name in names:
            sources.add(
                connection, name=name, kind="live", network_id=2, config={}, every_seconds=every, now=datetime.now(UTC)
            )


@pytest.fixture
def workers(database: Database) -> Iterator[Callable[[], Worker]]:
    """Makes and starts workers, and stops them after the test."""
    started: list[Worker] = []

    def start() -> Worker:
        worker = Worker(database)
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if not worker._stopping.is_set():
            worker.stop()


def connect(monkeypatch: pytest.MonkeyPatch, answer: Callable[[int], Page]) -> Live:
    live = Live(answer)
    monkeypatch.setattr(connectors, "by_kind", lambda _kind: live)
    return live


def page(number_of_fetch: int, text: str = "corvane is late") -> Page:
    return Page((post(f"post {number_of_fetch}", text=text),), {"fetch": number_of_fetch})


def test_a_worker_polls_what_is_due_again_and_again(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database)
    add(database, "one", "two")
    connect(monkeypatch, page)

    worker = workers()
    until(lambda: number(database, "select count(*) from mention") >= 6, "six posts stored")
    worker.stop()

    polled = {row["source_id"] for row in rows(database, 'select distinct source_id from "fetch"')}
    assert polled == {1, 2}
    assert {row["worker"] for row in rows(database, 'select distinct worker from "fetch"')} == {worker.name}
    assert rows(database, "select name from source where owner is not null") == []


def test_a_stopped_worker_has_finished_its_page_and_takes_no_other(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database)
    add(database, "one")
    inside, go_on = threading.Event(), threading.Event()

    def slow(number_of_fetch: int) -> Page:
        inside.set()
        assert go_on.wait(DEADLINE_SECONDS)
        return page(number_of_fetch)

    live = connect(monkeypatch, slow)
    worker = workers()
    assert inside.wait(DEADLINE_SECONDS)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    until(worker._stopping.is_set, "the worker was told to stop")
    go_on.set()
    stopping.join(DEADLINE_SECONDS)

    assert not stopping.is_alive()
    assert live.fetches == 1
    assert number(database, "select count(*) from mention") == 1
    assert source_row(database, "one")["owner"] is None


def test_sources_run_side_by_side(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three fetches that wait for each other: one after the other they would wait for ever."""
    load(database)
    add(database, "one", "two", "three", every=3600)
    together = threading.Barrier(3)
    connect(monkeypatch, lambda n: (together.wait(DEADLINE_SECONDS), page(n))[1])

    workers()

    until(lambda: number(database, "select count(*) from source where last_success_at is not null") == 3, "three polls")


def test_a_new_rule_holds_for_the_next_page(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database)
    add(database, "one")
    connect(monkeypatch, lambda n: page(n, text="corvane or aurora"))
    workers()
    until(lambda: number(database, "select count(*) from mention where brand_id = 2") > 0, "a mention of Corvane")

    file = meridian()
    aurora = BrandEntry("aurora", "Aurora", "own", "AU", (), ("aurora",))
    load(database, OrganisationFile(file.name, file.zone, file.languages, file.simulated, (aurora,), (), ()))

    until(lambda: number(database, "select count(*) from mention where brand_id = 7") > 0, "a mention of Aurora")


def test_a_worker_outlives_a_tick_that_fails(
    database: Database,
    workers: Callable[[], Worker],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load(database)
    add(database, "one")
    connect(monkeypatch, page)
    take = leases.take
    failures = iter([ConnectionError("the database went away")] * 3)

    def take_sometimes(*given: Any, **named: Any) -> Any:
        for failure in failures:
            raise failure
        return take(*given, **named)

    monkeypatch.setattr(leases, "take", take_sometimes)
    with caplog.at_level(logging.ERROR, "watchfloor.ingest"):
        workers()
        until(lambda: number(database, "select count(*) from mention") > 0, "a post stored after the failures")

    assert caplog.text.count("tick_failed") == 3


def test_an_organisation_that_cannot_be_read_holds_up_no_source(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lease is taken before there is a pipeline to run it with."""
    load(database)
    add(database, "one")
    connect(monkeypatch, page)
    failed = threading.Event()
    current = Worker._current_pipeline

    def fail_first(worker: Worker) -> Any:
        if not failed.is_set():
            failed.set()
            assert number(database, "select count(*) from source where owner is not null") == 0
            raise ValueError("a rule that does not parse")
        return current(worker)

    monkeypatch.setattr(Worker, "_current_pipeline", fail_first)
    began = time.monotonic()
    workers()

    until(lambda: number(database, "select count(*) from mention") > 0, "a post stored after the failure")
    assert failed.is_set()
    assert time.monotonic() - began < leases.TTL.total_seconds()


def test_a_source_that_fails_does_not_hold_up_the_others(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database)
    add(database, "one", "two")

    def answer(number_of_fetch: int) -> Page:
        if number_of_fetch == 1:
            raise ZeroDivisionError
        return page(number_of_fetch)

    connect(monkeypatch, answer)
    workers()

    until(lambda: number(database, "select count(*) from mention") >= 3, "posts of the other source")
    assert number(database, "select count(*) from source where last_error is not null") <= 1


def test_two_workers_share_the_sources_and_store_every_post_once(
    database: Database, workers: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database)
    add(database, *(f"source {n}" for n in range(6)))
    connect(monkeypatch, page)

    pair = [workers(), workers()]
    until(
        lambda: (
            {row["worker"] for row in rows(database, 'select distinct worker from "fetch"')}
            == {worker.name for worker in pair}
        ),
        "both workers fetched",
    )
    for worker in pair:
        worker.stop()

    stored = number(database, "select count(*) from mention")
    assert stored == number(database, "select count(distinct external_id) from mention") > 0
    assert stored == number(database, 'select sum(new_items) from "fetch"')


def test_housekeeping_drops_old_fine_cells(database: Database) -> None:
    load(database)
    old = int((datetime.now(UTC) - timedelta(days=40)).timestamp()) // 900 * 900
    new = int(datetime.now(UTC).timestamp()) // 900 * 900
    with database.write() as connection:
        for granularity, bucket in ((900, old), (3600, old), (900, new)):
            connection.exec_driver_sql(
                f"insert into cube values (2, {granularity}, 0, 0, 0, {bucket}, 1, 0, 0, 0, 1, 0, 0, 0, 0)"
            )

    Worker(database)._keep_house()

    kept = rows(database, "select granularity, bucket from cube order by granularity")
    assert [tuple(row.values()) for row in kept] == [(900, new), (3600, old)]
