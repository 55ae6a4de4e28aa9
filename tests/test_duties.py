"""ingest/duties.py, ingest/remeasure.py, ingest/ours.py: what a source does beside fetching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from ingest import connectors, leases
from ingest.found import Counts, Cursor, Found, Gone, Page
from ingest.pipeline import Pipeline
from ingest.remeasure import AGES, next_due
from ingest.run import Outcome, run
from models import cube, sources
from models.database import Database
from models.errors import ConnectorError
from models.organisation_entries import AccountEntry
from models.settings import Settings
from tests.builders import CORVANE, NOW, as_taken, load, meridian, number, post, rows, source_row, ticking

MINUTE = timedelta(minutes=1)
CARE = AccountEntry("x", "corvanecare", "4711", "Corvane care", "support", "corvane", None)


class Network:
    """A connector over posts in memory, which grow and vanish as the test says."""

    EVERY_SECONDS = 60.0
    NETWORK = "x"
    LOOK_UP_SIZE = 3
    COMPLIANCE_DAYS = 2

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self) -> None:
        self.fresh: list[Found] = []
        self.known: dict[str, Found] = {}
        self.gone: set[str] = set()
        self.asked: list[tuple[str, ...]] = []
        self.canaries = 0
        self.answers: bool | Exception = True
        self.refusal: ConnectorError | None = None

    def fetch(self, _config: Any, cursor: Cursor | None, *, now: datetime) -> Page:
        found, self.fresh = tuple(self.fresh), []
        self.known |= {item.external_id: item for item in found}
        return Page(found, cursor, units={"post": len(found)})

    def describe(self, _config: Any) -> str:
        return "in memory"

    def look_up(self, _config: Any, external_ids: Sequence[str], *, now: datetime) -> Page:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(tuple(external_ids))
        found = tuple(self.known[key] for key in external_ids if key not in self.gone)
        gone = tuple(Gone("x", key) for key in external_ids if key in self.gone)
        return Page(found, None, gone=gone, units={"post": len(found)})

    def canary(self, _config: Any, *, now: datetime) -> bool:
        self.canaries += 1
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def grow(self, key: str, likes: int) -> None:
        self.known[key] = replace(self.known[key], counts=Counts(likes=likes))


class Bench:
    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch, remeasure: str) -> None:
        self.database = database
        self.organisation = load(database, replace(meridian(), accounts=(CARE,)))
        self.network = Network()
        monkeypatch.setattr(connectors, "by_kind", lambda _kind: self.network)
        with database.write() as connection:
            self.source_id = sources.add(
                connection, name="made up", kind="scripted", network_id=2, config={}, every_seconds=60, now=NOW
            )
        with database.write() as connection:
            connection.exec_driver_sql(f"update source set remeasure = '{remeasure}'")

    def run(self, at: datetime) -> Outcome:
        lease = as_taken(leases.take(self.database, "ada", now=at, name="made up"))
        settings = Settings(prices={"x": {"post": 0.5}})
        outcome = run(self.database, Pipeline(self.organisation), lease, settings=settings, now=ticking(at))
        assert source_row(self.database)["owner"] is None
        return outcome

    def likes(self) -> int:
        return number(
            self.database,
            "select coalesce(sum(likes), 0) from cube where granularity = 86400 and location_id = 0 and team_id = 0"
            " and network_id = 0",
        )

    def duty(self, kind: str) -> Any:
        return next(iter(rows(self.database, "select * from duty where kind = :kind", kind=kind)), None)


@pytest.fixture
def everybody(database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(database, monkeypatch, "all")


@pytest.fixture
def only_ours(database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(database, monkeypatch, "ours")


def our_post(external_id: str, **given: Any) -> Found:
    return post(external_id, author="4711", handle="corvanecare", text="We are here, says corvane", **given)


# -- engagement --------------------------------------------------------------------------------------------


def test_a_post_is_measured_after_minutes_hours_and_days_and_then_no_more(everybody: Bench) -> None:
    network = everybody.network
    network.COMPLIANCE_DAYS = 0
    network.fresh = [post("1", posted_at=NOW, likes=1)]
    everybody.run(NOW)
    seen: list[int] = []

    for age in AGES:
        network.grow("1", len(seen) * 10 + 5)
        everybody.run(NOW + age - MINUTE)
        before = len([ids for ids in network.asked if "1" in ids])
        everybody.run(NOW + age + MINUTE)
        seen.append(len([ids for ids in network.asked if "1" in ids]) - before)

    assert seen == [1] * len(AGES)
    assert number(everybody.database, "select count(*) from measure_due") == 0
    assert everybody.likes() == 65
    assert next_due(NOW, NOW + AGES[-1]) is None


def test_a_post_that_names_two_brands_is_measured_once_and_counted_for_both(everybody: Bench) -> None:
    network = everybody.network
    network.fresh = [post("1", posted_at=NOW, text="corvane and halden", likes=1)]
    everybody.run(NOW)
    network.grow("1", 11)

    everybody.run(NOW + 6 * MINUTE)

    assert [ids for ids in network.asked if "1" in ids][-1:] == [("1",)]
    assert everybody.likes() == 22
    spent = number(everybody.database, "select cast(sum(cost) * 100 as integer) from \"fetch\" where kind = 'look_up'")
    # Measured once, and once asked whether it is still there.
    assert spent == 50 * len(network.asked)
    with everybody.database.read() as connection:
        assert cube.check(connection, everybody.organisation, NOW) == []


def test_what_is_ours_is_no_mention_and_its_engagement_is_a_series(only_ours: Bench) -> None:
    network = only_ours.network
    network.fresh = [our_post("9", posted_at=NOW, likes=1), post("1", posted_at=NOW, likes=1)]
    only_ours.run(NOW)
    for minutes, likes in ((6, 4), (31, 4), (121, 9)):
        network.grow("9", likes)
        only_ours.run(NOW + minutes * MINUTE)

    assert rows(only_ours.database, "select external_id from mention") == [{"external_id": "1"}]
    assert rows(only_ours.database, "select external_id, kind, likes, brand_id from our_post") == [
        {"external_id": "9", "kind": "post", "likes": 9, "brand_id": CORVANE}
    ]
    series = rows(only_ours.database, "select likes from engagement order by measured_at")
    assert [row["likes"] for row in series] == [1, 4, 9]
    assert {row["external_id"] for row in rows(only_ours.database, "select external_id from measure_due")} == {"9"}


def test_a_refused_look_up_is_in_the_ledger_and_the_source_goes_on(everybody: Bench) -> None:
    network = everybody.network
    network.fresh = [post("1", posted_at=NOW)]
    everybody.run(NOW)
    network.refusal = ConnectorError("too many", kind="rate_limited", retry_after=60)

    outcome = everybody.run(NOW + 6 * MINUTE)

    assert outcome.error is None
    assert source_row(everybody.database)["failures"] == 0
    refused = rows(everybody.database, 'select error_kind from "fetch" where error_kind is not null')
    assert refused[0] == {"error_kind": "rate_limited"}
    assert number(everybody.database, "select count(*) from measure_due") == 1


# -- is it still there? ------------------------------------------------------------------------------------


def test_stored_posts_are_asked_after_once_a_day_in_batches_and_the_deleted_are_emptied(only_ours: Bench) -> None:
    network = only_ours.network
    network.fresh = [post(str(n), posted_at=NOW - n * MINUTE, text=f"corvane {n}") for n in range(7)]
    network.fresh.append(post("both", posted_at=NOW, text="corvane and halden"))
    network.fresh.append(post("old", posted_at=NOW - timedelta(days=3)))
    only_ours.run(NOW)
    asked = [key for ids in network.asked for key in ids]
    assert sorted(asked) == sorted([*map(str, range(7)), "both"])
    assert all(len(ids) <= 3 for ids in network.asked)
    network.gone = {"3", "both"}

    only_ours.run(NOW + timedelta(hours=23))
    assert len([key for ids in network.asked for key in ids]) == len(asked)
    only_ours.run(NOW + timedelta(hours=25))

    emptied = rows(only_ours.database, "select external_id, text from mention where deleted_at is not null")
    assert sorted(row["external_id"] for row in emptied) == ["3", "both", "both"]
    assert {row["text"] for row in emptied} == {""}
    assert only_ours.duty("compliance")["result"] == "done"


# -- quiet or deaf -----------------------------------------------------------------------------------------


def test_the_canary_sings_only_when_a_source_has_been_quiet_for_long(everybody: Bench) -> None:
    network = everybody.network
    network.fresh = [post("1", posted_at=NOW)]
    everybody.run(NOW)
    everybody.run(NOW + 5 * MINUTE)
    assert network.canaries == 0

    everybody.run(NOW + 11 * MINUTE)
    everybody.run(NOW + 12 * MINUTE)

    assert network.canaries == 1
    assert everybody.duty("canary")["result"] == "heard"


@pytest.mark.parametrize("answer", [False, ConnectorError("nothing", kind="passing")])
def test_a_network_without_an_answer_to_the_canary_is_deaf(everybody: Bench, answer: bool | ConnectorError) -> None:
    everybody.network.answers = answer

    everybody.run(NOW + 20 * MINUTE)
    assert everybody.duty("canary")["result"] == "deaf"

    everybody.network.answers = True
    everybody.run(NOW + 40 * MINUTE)
    assert everybody.duty("canary")["result"] == "heard"


# -- money -------------------------------------------------------------------------------------------------


def test_the_cost_of_a_month_is_kept_with_the_source_and_begins_anew(everybody: Bench) -> None:
    network = everybody.network
    network.fresh = [post(str(n), posted_at=NOW - timedelta(days=8)) for n in range(3)]
    everybody.run(NOW)
    assert source_row(everybody.database)["spent"] == pytest.approx(1.5)

    network.fresh = [post("9", posted_at=NOW - timedelta(days=8))]
    everybody.run(NOW + timedelta(days=20))

    assert source_row(everybody.database)["spent"] == pytest.approx(0.5)
