"""models/source_ledger.py: a day by quarter hours, the newest fetches, when a budget ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, update

from ingest.ledger import Fetched, cover, write_ledger
from models import source_ledger, sources
from models.database import Database
from models.source_ledger import QUARTER, Day, Quarter, budget_ends_at, costs_of_week, newest
from models.tables import source
from tests.builders import NOW, add_source

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)


def fetched(
    database: Database,
    source_id: int,
    ended: datetime,
    *,
    items: int = 0,
    new: int = 0,
    cost: float = 0.0,
    error: str | None = None,
    kind: str = "fetch",
) -> None:
    with database.write() as connection:
        line = Fetched(
            started_at=ended - SECOND,
            ended_at=ended,
            items=items,
            new_items=new,
            cost=cost,
            error_kind=error,
            kind=kind,
        )
        write_ledger(connection, line, source_id=source_id, worker="w")


def day_of(database: Database, source_id: int = 1, *, now: datetime = NOW) -> Day:
    with database.read() as connection:
        health = sources.health(connection, now)
        created = {key: setup.created_at for key, setup in sources.setups(connection, now).items()}
        return source_ledger.days(connection, health, created, midnight=MIDNIGHT, now=now)[source_id]


def since(database: Database, created_at: datetime, **values: object) -> None:
    with database.write() as connection:
        connection.execute(update(source).values(created_at=created_at, **values))


def test_a_day_has_ninety_six_quarter_hours_on_the_edges_of_the_clock(database: Database) -> None:
    add_source(database)
    day = day_of(database)

    assert len(day.quarters) == len(day.heard) == 96
    assert (day.start.minute, day.start.second) == (45, 0)
    assert day.start + 96 * QUARTER == NOW.replace(minute=45, second=0)


def test_a_quarter_hour_counts_what_was_fetched_what_was_quiet_and_what_failed(database: Database) -> None:
    add_source(database)
    quarter = NOW.replace(minute=15, second=30)
    fetched(database, 1, quarter, items=5, new=3)
    fetched(database, 1, quarter + 60 * SECOND, items=2, new=2)
    fetched(database, 1, quarter + 120 * SECOND, error="passing")
    for n in range(4):
        fetched(database, 1, quarter - 15 * 60 * SECOND + n * SECOND)
    fetched(database, 1, quarter - 30 * 60 * SECOND, error="passing")

    day = day_of(database)

    assert day.quarters[-2] == Quarter(fetches=3, failed=1, items=7, new_items=5)
    assert day.quarters[-3] == Quarter(fetches=4)
    assert day.quarters[-4] == Quarter(fetches=1, failed=1)
    assert day.total == Quarter(fetches=8, failed=2, items=7, new_items=5)


def test_what_is_measured_again_costs_but_is_no_fetch(database: Database) -> None:
    add_source(database)
    fetched(database, 1, NOW - 60 * SECOND, items=100, cost=0.5, kind="look_up")
    fetched(database, 1, NOW - 30 * SECOND, items=10, cost=0.05)
    fetched(database, 1, MIDNIGHT - HOUR, items=10, cost=7.0)

    day = day_of(database)

    assert day.total.items == 20
    assert day.cost_today == pytest.approx(0.55)


def test_no_source_pays_for_another(database: Database) -> None:
    add_source(database)
    add_source(database, "another")
    fetched(database, 2, NOW - 60 * SECOND, items=10, cost=0.05)

    assert day_of(database, 1).total == Quarter()
    assert day_of(database, 1).cost_today == 0.0
    assert day_of(database, 2).total.items == 10


def test_nobody_listened_while_a_source_was_paused(database: Database) -> None:
    add_source(database)
    since(database, NOW - 30 * DAY, state="paused", last_success_at=NOW - 2 * HOUR)
    with database.write() as connection:
        cover(connection, 1, (NOW - 20 * DAY, NOW - 2 * HOUR), joins_all=True)

    day = day_of(database)

    # 12:32 is the middle of a quarter hour; from 12:45 on nobody listened, eight quarters with the one that runs.
    assert [heard for heard in day.heard if not heard] == [False] * 8
    assert day.heard[:88] == (True,) * 88
    assert day.unheard == 8 * QUARTER


def test_between_two_polls_and_before_it_was_there_a_source_is_not_deaf(database: Database) -> None:
    add_source(database, every=3_600.0)
    since(database, NOW - 5 * HOUR, last_success_at=NOW - HOUR)
    with database.write() as connection:
        cover(connection, 1, (NOW - 5 * HOUR, NOW - HOUR), joins_all=True)

    assert day_of(database).heard == (True,) * 96


def test_a_later_fetch_that_brings_what_was_missed_fills_the_gap(database: Database) -> None:
    add_source(database)
    since(database, NOW - 30 * DAY, last_success_at=NOW - 6 * HOUR)
    with database.write() as connection:
        cover(connection, 1, (NOW - 20 * DAY, NOW - 6 * HOUR), joins_all=True)
    assert day_of(database).unheard > 5 * HOUR

    since(database, NOW - 30 * DAY, last_success_at=NOW)
    with database.write() as connection:
        cover(connection, 1, (NOW, NOW), joins_all=True)
    assert day_of(database).unheard == timedelta(0)


def test_what_was_read_to_its_end_listens_to_nothing_and_misses_nothing(database: Database) -> None:
    add_source(database)
    since(database, NOW - 30 * DAY, state="done")

    assert day_of(database).heard == (True,) * 96


def test_the_day_of_many_sources_is_one_read_of_the_ledger(database: Database) -> None:
    for number in range(40):
        add_source(database, f"source {number}")
        fetched(database, number + 1, NOW - 60 * SECOND, items=number)
    statements: list[str] = []
    with database.read() as connection:
        health = sources.health(connection, NOW)
        created = {key: setup.created_at for key, setup in sources.setups(connection, NOW).items()}
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        found = source_ledger.days(connection, health, created, midnight=MIDNIGHT, now=NOW)

    assert [found[number + 1].total.items for number in range(40)] == list(range(40))
    assert sum('"fetch"' in statement for statement in statements) == 1


def test_the_newest_fetches_of_each_source_newest_first(database: Database) -> None:
    add_source(database)
    add_source(database, "another")
    for n in range(15):
        fetched(database, 1, NOW - n * 60 * SECOND, items=n + 1)
    fetched(database, 2, NOW, error="rate_limited")

    with database.read() as connection:
        found = newest(connection, [1, 2, 3])

    assert [line.items for line in found[1]] == list(range(1, 11))
    assert [(line.error_kind, line.ended_at) for line in found[2]] == [("rate_limited", NOW)]
    assert 3 not in found


def test_the_pace_is_that_of_seven_days_or_of_the_life_of_a_source(database: Database) -> None:
    add_source(database)
    add_source(database, "another")
    for days in (1, 3, 6, 9):
        fetched(database, 1, NOW - days * DAY, items=1, cost=7.0)
    fetched(database, 2, NOW - HOUR, items=1, cost=1.0)

    with database.read() as connection:
        found = costs_of_week(connection, {1: NOW - 90 * DAY, 2: NOW - 12 * HOUR}, now=NOW)

    assert found == {1: pytest.approx(3.0), 2: pytest.approx(2.0)}


@pytest.mark.parametrize(
    ("spent", "per_day", "days"),
    [(100.0, 5.0, 0), (120.0, 0.0, 0), (60.0, 5.0, 8), (60.0, 3.0, None), (60.0, 0.0, None), (0.0, 1e-9, None)],
)
def test_a_budget_ends_on_a_day_of_this_month_or_not_at_all(spent: float, per_day: float, days: int | None) -> None:
    ends_at = budget_ends_at(spent=spent, budget=100.0, per_day=per_day, now=NOW)

    assert ends_at == (None if days is None else NOW + days * DAY)
