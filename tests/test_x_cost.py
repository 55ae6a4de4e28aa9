"""Money: what the ledger holds for X is what X itself charges, by the price list, to the cent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ingest import leases
from ingest.connectors import x
from ingest.pipeline import Pipeline
from ingest.run import run
from models import sources
from models.database import Database
from models.settings import PRICES, Settings
from models.sources import month_number
from tests.builders import as_taken, load, number, rows, source_row
from tests.few import few
from tests.x_server import BEARER, XServer, x_server

# Over midnight and into another month, whose money is counted anew.
START = datetime(2026, 10, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVERY = timedelta(minutes=10)
NAME = "acme on X"


class Clock:
    """The instant of the whole test."""

    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    with x_server(clock) as server:
        monkeypatch.setattr(x, "API", server.url)
        yield server


def bill(server: XServer, day: str = "") -> float:
    """Dollars for what was served, each thing once a UTC day, of one day or all."""
    return sum(PRICES["x"][kind] for kind, _, at in server.served if at.startswith(day))


def a_day(
    database: Database, server: XServer, clock: Clock, *, mentions: int, remeasure: str, every: timedelta = EVERY
) -> None:
    """A day of so many mentions, by people of whom many speak more than once, polled every so often."""
    dice = random.Random(5)
    pipeline = Pipeline(load(database))
    with database.write() as connection:
        sources.add(
            connection,
            name=NAME,
            kind="x",
            network_id=2,
            config={"query": "corvane", "bearer_token": BEARER, "history_hours": 0.5},
            every_seconds=every.total_seconds(),
            now=START - every,
        )
    with database.write() as connection:
        connection.exec_driver_sql(f"update source set remeasure = '{remeasure}'")
    instants = sorted(START + dice.random() * DAY for _ in range(mentions))
    people = [server.add_user(str(1_000 + n), f"u{n}") for n in range(mentions // 3)]
    while clock.now < START + DAY + 2 * every:
        while instants and instants[0] <= clock.now:
            at = instants.pop(0)
            server.add_post(f"corvane {len(instants)}", by=dice.choice(people), at=at, low=len(instants) % 4_000_000)
        lease = as_taken(leases.take(database, "a worker", now=clock.now, name=NAME))
        outcome = run(database, pipeline, lease, settings=Settings(), now=clock)
        assert outcome.error is None
        clock.now += every
        # Everybody's engagement grows.
        for post in list(server.posts.values())[-50:]:
            post["public_metrics"]["like_count"] += dice.randint(0, 3)


def compared(database: Database, server: XServer, mentions: int) -> str:
    """The ledger beside the bill, after they were found equal."""
    ledger = sum(row["cost"] for row in rows(database, 'select cost from "fetch"'))
    spent = source_row(database, NAME)
    assert number(database, "select count(distinct external_id) from mention") == mentions
    assert ledger == pytest.approx(bill(server), abs=0.001)
    assert spent["month"] == month_number(START + DAY)
    assert spent["spent"] == pytest.approx(bill(server, "2026-11"), abs=0.001)
    assert bill(server, "2026-10") > 0
    return f"{mentions:,} mentions: ledger ${ledger:,.2f}, bill ${bill(server):,.2f}, {len(server.asked):,} requests"


@pytest.mark.parametrize("database", few(["sqlite", "postgresql"], 1), indirect=True)
def test_the_ledger_of_a_day_equals_the_bill(database: Database, server: XServer, clock: Clock) -> None:
    a_day(database, server, clock, mentions=90, remeasure="all", every=3 * EVERY)

    compared(database, server, 90)


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_the_ledger_of_a_day_of_ten_thousand_mentions_equals_the_bill_to_the_cent(
    database: Database, server: XServer, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    # On one database every post is measured again too.
    remeasure = "all" if database.is_sqlite else "none"
    a_day(database, server, clock, mentions=10_000, remeasure=remeasure)

    line = compared(database, server, 10_000)
    with capsys.disabled():
        print(f"\n{database.dialect}, {remeasure} measured again: {line}")
