"""ingest/run.py: what comes of one run of one source, whatever its network does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from ingest import cadence, connectors, leases, store
from ingest import run as runs
from ingest.cadence import wait_after
from ingest.found import Cursor, Found, Page, SetAside
from ingest.leases import TTL
from ingest.pipeline import Pipeline
from ingest.run import Outcome, run
from models import cube, sources
from models.database import Database
from models.errors import ConnectorError, InputError, WatchfloorError
from models.networks import BY_KEY
from models.organisation import Organisation
from models.tables.base import from_microseconds
from tests.builders import CORVANE, HALDEN, NOW, UNMATCHED, as_taken, load, number, post, rows, source_row, ticking
from tests.few import few

SECOND = timedelta(seconds=1)
Answer = Page | Exception | Callable[[], Page]


class Scripted:
    """A connector that answers what the test wrote down, in order; what it was asked is in `cursors`."""

    EVERY_SECONDS = 60.0
    NETWORK = "x"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

        url: str = ""

    def __init__(self, answers: Sequence[Answer], *, continuous: bool = False) -> None:
        self.answers = list(answers)
        self.cursors: list[Cursor | None] = []
        self.CONTINUOUS = continuous

    def fetch(self, _config: Any, cursor: Cursor | None, *, now: datetime) -> Page:
        self.cursors.append(cursor)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def describe(self, _config: Any) -> str:
        return "what the test wrote down"


class Bench:
    """A database with one scripted source, and runs of it."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.organisation: Organisation = load(database)
        self.pipeline = Pipeline(self.organisation)
        self._monkeypatch = monkeypatch
        with database.write() as connection:
            self.source_id = sources.add(
                connection, name="made up", kind="scripted", network_id=2, config={}, every_seconds=60, now=NOW
            )

    def run(self, *answers: Answer, at: datetime = NOW, continuous: bool = False, **given: Any) -> Outcome:
        """One run with these answers, on a clock that goes on by a second a look."""
        self.connector = Scripted(answers, continuous=continuous)
        self._monkeypatch.setattr(connectors, "by_kind", lambda _kind: self.connector)
        lease = as_taken(leases.take(self.database, "ada", now=at))
        outcome = run(self.database, self.pipeline, lease, **{"now": ticking(at), **given})
        assert not self.connector.answers
        return outcome

    def due_in(self, at: datetime = NOW) -> float:
        return (from_microseconds(self.row["due_at"]) - at).total_seconds()

    @property
    def row(self) -> Any:
        return source_row(self.database)

    @property
    def ledger(self) -> list[Any]:
        return rows(self.database, 'select * from "fetch" order by id')

    def mentions(self) -> int:
        return number(self.database, "select count(*) from mention")


@pytest.fixture
def bench(database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(database, monkeypatch)


def posts(first: int, count: int, **given: Any) -> tuple[Found, ...]:
    return tuple(post(str(n), **given) for n in range(first, first + count))


def page(first: int, count: int, **given: Any) -> Page:
    return Page(posts(first, count), {"next": first + count}, **given)


# -- pages -------------------------------------------------------------------------------------------------


def test_pages_are_fetched_until_there_are_no_more(bench: Bench) -> None:
    outcome = bench.run(page(0, 5, more=True), page(3, 5, more=True), page(8, 2))

    assert outcome == Outcome(items=12, new=10, repeated=2, pages=3)
    assert bench.connector.cursors == [None, {"next": 5}, {"next": 8}]
    row = bench.row
    assert (row["owner"], row["expires_at"], row["state"]) == (None, None, "active")
    assert number(bench.database, "select count(*) from source where cast(cursor as text) like '%10%'") == 1
    assert [(line["items"], line["new_items"]) for line in bench.ledger] == [(5, 5), (5, 3), (2, 2)]
    with bench.database.read() as connection:
        assert cube.check(connection, bench.organisation, NOW) == []


def test_the_next_run_goes_on_where_the_last_one_stopped(bench: Bench) -> None:
    bench.run(page(0, 5))

    bench.run(Page((), {"next": 5}), at=NOW + timedelta(hours=1))

    assert bench.connector.cursors == [{"next": 5}]


def test_a_page_larger_than_a_transaction_is_stored_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SQLITE_ROWS", 7)
    monkeypatch.setattr(store, "POSTGRES_ROWS", 7)

    outcome = bench.run(page(0, 50))

    assert (outcome.new, bench.mentions()) == (50, 50)
    assert [(line["items"], line["new_items"]) for line in bench.ledger] == [(50, 50)]


def test_a_source_that_is_done_is_not_polled_again(bench: Bench) -> None:
    outcome = bench.run(page(0, 3, done=True, more=True, progress=1.0))

    assert outcome.done
    assert (bench.row["state"], bench.row["progress"]) == ("done", 1.0)
    assert leases.take(bench.database, "ada", now=NOW + timedelta(days=9)) is None


def test_stopping_ends_after_the_page(bench: Bench) -> None:
    outcome = bench.run(page(0, 5, more=True), stopping=lambda: True)

    assert outcome.pages == 1
    assert bench.mentions() == 5
    assert bench.row["owner"] is None


def test_a_run_that_was_long_enough_lets_others_go_first_and_is_due_again_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LONGEST_RUN_SECONDS", -1.0)

    outcome = bench.run(page(0, 5, more=True))

    assert outcome.pages == 1
    assert bench.due_in() <= 10


def test_progress_is_told_after_every_page(bench: Bench) -> None:
    told: list[tuple[int, float | None]] = []

    bench.run(
        page(0, 5, more=True, progress=0.5),
        page(5, 5, progress=1.0),
        progress=lambda outcome, fetched: told.append((outcome.items, fetched.progress)),
    )

    assert told == [(5, 0.5), (10, 1.0)]


@pytest.mark.parametrize(
    ("given", "due"), few([({}, 60), ({"next_due_seconds": 5.0}, 5), ({"next_due_seconds": 900.0}, 900)], 1)
)
def test_a_source_is_due_again_after_its_interval(bench: Bench, given: dict[str, Any], due: float) -> None:
    bench.run(page(0, 1, **given))

    # The run began a second or two after the lease was taken; one part in twenty is jitter.
    assert due * (1 - cadence.JITTER) <= bench.due_in() <= due * (1 + cadence.JITTER) + 3


def test_a_slow_fetch_does_not_make_up_for_lost_polls(bench: Bench) -> None:
    """A fetch of ten minutes with an interval of one is due again when its page is stored, once."""
    bench.run(page(0, 1), now=ticking(NOW, seconds=600))

    assert bench.due_in() == (from_microseconds(bench.row["last_success_at"]) - NOW).total_seconds() > 600


def test_brands_are_found_and_what_no_brand_claims_is_kept(bench: Bench) -> None:
    said = ("corvane and halden", "nothing", "HALDEN!")

    bench.run(Page(tuple(post(str(n), text=text) for n, text in enumerate(said)), None))

    found = rows(bench.database, "select brand_id, external_id from mention order by external_id, brand_id")
    assert [tuple(row.values()) for row in found] == [(CORVANE, "0"), (HALDEN, "0"), (UNMATCHED, "1"), (HALDEN, "2")]


def test_a_post_of_a_brand_that_is_not_there_is_set_aside_with_its_bytes(bench: Bench) -> None:
    fetched = Page((post("1", brand="halden"), post("2", brand="nobody", text="whole \u202e text")), {"next": 2})

    outcome = bench.run(fetched)

    assert (outcome.items, outcome.new, outcome.set_aside) == (1, 1, 1)
    (kept,) = rows(bench.database, "select place, reason, raw from set_aside")
    assert kept["place"] == "post 2"
    assert kept["reason"].startswith('there is no brand "nobody"; load it with')
    assert "whole \u202e text" in bytes(kept["raw"]).decode()
    assert rows(bench.database, "select brand_id from mention") == [{"brand_id": HALDEN}]


def test_what_the_connector_set_aside_is_kept_and_counted(bench: Bench) -> None:
    bad = (SetAside("line 3", "no text", b"a;b"), SetAside("line 9", "no text", b"c;d"))

    outcome = bench.run(page(0, 2, set_aside=bad))
    again = bench.run(page(0, 2, set_aside=bad), at=NOW + timedelta(hours=1))

    assert (outcome.set_aside, again.set_aside) == (2, 0)
    assert number(bench.database, "select count(*) from set_aside") == 2


def test_what_the_ledger_knows_of_a_fetch(bench: Bench) -> None:
    asked = (NOW - timedelta(hours=1), NOW)

    bench.run(page(0, 3, units={"post": 3}, rate_left=0.4, window=asked))

    (line,) = bench.ledger
    assert (line["worker"], line["fetches"], line["cost"], line["rate_left"]) == ("ada", 1, 0.015, 0.4)
    assert (from_microseconds(line["window_from"]), from_microseconds(line["window_to"])) == asked
    assert bench.row["rate_left"] == 0.4


@pytest.mark.parametrize("continuous", [False, True])
def test_a_run_says_what_it_listened_to(bench: Bench, continuous: bool) -> None:
    bench.run(page(0, 2), continuous=continuous)
    bench.run(page(2, 2), at=NOW + timedelta(hours=1), continuous=continuous)

    spans = rows(bench.database, "select covered_from, covered_to from coverage")
    assert len(spans) == 1
    length = (spans[0]["covered_to"] - spans[0]["covered_from"]) / 1e6
    # A file covers the instants of its posts, a poll the time since the one before.
    assert length == 0 if continuous else 3_590 < length < 3_610


# -- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "state", "kind", "least", "most"),
    few(
        [
            (ConnectorError("no answer"), "active", "passing", 0.5, 2.5),
            (ConnectorError("wait", kind="rate_limited", retry_after=120), "active", "rate_limited", 119, 122),
            (ConnectorError("wait", kind="rate_limited", retry_after=0), "active", "rate_limited", 1, 3),
            (ConnectorError("wait", kind="rate_limited", retry_after=-50), "active", "rate_limited", 1, 3),
            (ConnectorError("wait", kind="rate_limited", retry_after=10**9), "active", "rate_limited", 899, 902),
            (ConnectorError("no token", permanent=True, kind="dead_token"), "disconnected", "dead_token", 0, 5),
            (ConnectorError("moved away", permanent=True, kind="gone"), "gone", "gone", 0, 5),
            (InputError("there is no file"), "active", "unknown", 899, 902),
            (ZeroDivisionError("a bug"), "active", "unknown", 0.5, 2.5),
            (WatchfloorError("something else"), "active", "unknown", 0.5, 2.5),
        ],
        3,
    ),
)
def test_a_failure_is_written_down_and_the_source_waits(
    bench: Bench, error: Exception, state: str, kind: str, least: float, most: float
) -> None:
    outcome = bench.run(error)

    row = bench.row
    assert outcome.error
    assert (row["state"], row["failures"], row["owner"]) == (state, 1, None)
    assert row["last_error"] == outcome.error
    assert least <= bench.due_in(NOW + SECOND) <= most
    assert [(line["error_kind"], line["error"], line["items"]) for line in bench.ledger] == [(kind, outcome.error, 0)]
    assert row["last_success_at"] is None


def test_an_unforeseen_fault_is_logged_and_its_words_stay_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "watchfloor.ingest"):
        outcome = bench.run(ZeroDivisionError("secret words"))

    assert outcome.error == "an unforeseen fault (ZeroDivisionError); the log has the details"
    assert "run_failed source='made up'" in caplog.text
    assert "secret words" in caplog.text


def test_settings_of_a_source_that_cannot_be_used_make_it_wait(bench: Bench) -> None:
    with bench.database.write() as connection:
        connection.exec_driver_sql("update source set config = '{\"urll\": 1}'")

    outcome = bench.run()

    assert outcome.error is not None
    assert outcome.error.startswith("the settings of this source cannot be used")
    assert bench.row["state"] == "active"


def test_a_kind_that_is_not_there_names_those_that_are(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = as_taken(leases.take(bench.database, "ada", now=NOW))

    outcome = run(bench.database, bench.pipeline, lease, now=ticking())

    assert outcome.error is not None
    assert outcome.error.startswith('no connector "scripted"; known: ')
    assert bench.row["state"] == "active"


def test_what_was_stored_before_a_failure_stays(bench: Bench) -> None:
    outcome = bench.run(page(0, 5, more=True), ConnectorError("no answer"))

    assert (outcome.new, outcome.pages, outcome.error) == (5, 1, "no answer")
    assert bench.mentions() == 5
    bench.run(page(5, 5), at=NOW + timedelta(hours=1))
    assert bench.connector.cursors == [{"next": 5}]
    assert (bench.row["failures"], bench.row["last_error"]) == (0, None)


def test_failures_in_a_row_wait_longer_and_a_stored_page_ends_the_row(bench: Bench) -> None:
    waits = []
    for hour in range(1, 7):
        at = NOW + timedelta(hours=hour)
        bench.run(ConnectorError("no answer"), at=at)
        waits.append(bench.due_in(at))
    assert waits == sorted(waits)
    assert waits[-1] > 20

    at = NOW + timedelta(hours=8)
    bench.run(page(0, 1, more=True), ConnectorError("no answer"), at=at)

    assert bench.row["failures"] == 1
    assert bench.due_in(at) < 10


def test_the_wait_is_never_shorter_than_a_second_nor_longer_than_a_quarter_of_an_hour() -> None:
    for failures in range(0, 5_000, 7):
        for retry_after in (None, -1.0, 0.0, 3.0, 1e12):
            assert 1 <= wait_after(failures, retry_after).total_seconds() <= 900
    assert wait_after(3, 77.0).total_seconds() == 77


def test_an_error_in_hostile_words_is_written_down(bench: Bench) -> None:
    outcome = bench.run(ConnectorError("answered \x00\ud800 " + "<html>" * 200_000))

    assert outcome.error is not None
    assert outcome.error.startswith("answered \\u0000\\ud800 <html>")
    assert len(bench.row["last_error"]) <= 500
    assert bench.row["owner"] is None


def test_a_page_that_the_database_refuses_is_read_again(bench: Bench) -> None:
    """Nothing of it is stored, the cursor stays, the reason is said."""
    refused = Page((post("1"), post("2", kind=None)), {"next": 2})

    outcome = bench.run(refused)

    assert outcome.error is not None
    assert outcome.error.startswith("the database refused a page: ")
    assert bench.mentions() == 0
    bench.run(page(0, 2), at=NOW + timedelta(hours=1))
    assert bench.connector.cursors == [None]


def test_a_worker_that_lost_its_lease_stores_nothing(bench: Bench) -> None:
    """Another took the source over while this one waited for its network."""

    def answer_late() -> Page:
        as_taken(leases.take(bench.database, "bob", now=NOW + TTL + 5 * SECOND))
        return page(5, 5)

    outcome = bench.run(page(0, 5, more=True), answer_late)

    assert outcome.error is not None
    assert outcome.error.startswith('another worker holds the source "made up" now')
    assert bench.mentions() == 5
    row = bench.row
    assert (row["owner"], row["last_error"], row["failures"]) == ("bob", None, 0)
    assert len(bench.ledger) == 1


def test_a_failure_after_the_lease_was_lost_touches_nothing(bench: Bench) -> None:
    def fail_late() -> Page:
        as_taken(leases.take(bench.database, "bob", now=NOW + TTL + 5 * SECOND))
        raise ConnectorError("no answer")

    outcome = bench.run(fail_late)

    assert outcome.error == "no answer"
    assert (bench.row["owner"], bench.row["last_error"]) == ("bob", None)
    assert bench.ledger == []


def test_screens_hear_of_new_posts_and_of_failures(bench: Bench) -> None:
    def heard() -> dict[tuple[str, int], int]:
        return {(row["topic"], row["brand_id"]): row["n"] for row in rows(bench.database, "select * from change")}

    before = heard()
    bench.run(page(0, 1))
    stored = heard()
    bench.run(ConnectorError("no answer"), at=NOW + timedelta(hours=1))
    failed = heard()

    assert {key for key in stored if stored[key] != before.get(key)} == {("mentions", CORVANE), ("sources", 0)}
    assert {key for key in failed if failed[key] != stored.get(key)} == {("sources", 0)}


def test_a_post_is_stored_under_its_own_network(bench: Bench) -> None:
    bench.run(Page((post("1", network="bluesky"), post("1", network="x")), None))

    found = rows(bench.database, "select network_id from mention order by network_id")
    assert [row["network_id"] for row in found] == [BY_KEY["x"].id, BY_KEY["bluesky"].id]
