"""ingest/alerts.py: every brand is judged at each edge of five minutes by one of any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from ingest import alerts as judging
from ingest.alerts import AGAIN, FIRST, judge_one, judged_brands
from ingest.ledger import cover
from models import alerts, cube
from models.alerts import NO_BRAND, Alert
from models.database import Database, raise_change
from models.tables import alert_judged, source
from models.tables import cube as cells
from tests.builders import CORVANE, HALDEN, NOW, OTHER_RIVAL, RIVAL, UNMATCHED, VELTA, add_source, load, number

STEP, MINUTE, HOUR, DAY = timedelta(minutes=5), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Fifteen seconds after an edge, when what was posted before it is there.
EDGE = datetime.fromisoformat("2026-11-19T14:30:00+00:00")
SETTLED = EDGE + judging.SETTLES
VALUES = dict.fromkeys(cube.VALUES, 0)


@pytest.fixture(autouse=True)
def _a_short_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer days to judge the first time: a third of the work."""
    monkeypatch.setattr(alerts, "KEPT", 8 * DAY)


def fill(database: Database, *, days: int = 5, brand_id: int = CORVANE) -> None:
    """A source that always listened, and 12 to 14 mentions in every five minutes."""
    load(database)
    source_id = add_source(database, "X", kind="x")
    with database.write() as connection:
        connection.execute(update(source).values(created_at=NOW - 40 * DAY, last_success_at=NOW, due_at=NOW))
        cover(connection, source_id, (EDGE - max(days, 1) * DAY, EDGE + 9 * DAY), joins_all=True)
    said(database, [(EDGE - n * STEP, 12 + n % 3) for n in range(1, days * 288)], brand_id=brand_id)


def said(database: Database, counts: Sequence[tuple[datetime, int]], *, brand_id: int = CORVANE) -> None:
    """So many mentions in the five minutes from each instant on, as ingest would have counted them."""
    rows = [
        VALUES
        | {"brand_id": brand_id, "granularity": 300, "location_id": 0, "team_id": 0, "network_id": 0}
        | {"bucket": int(at.timestamp()), "mentions": count, "neutral": count}
        for at, count in counts
    ]
    with database.write() as connection:
        if rows:
            connection.execute(insert(cells), rows)
        raise_change(connection, "mentions", (brand_id,))


def judge(database: Database, at: datetime = SETTLED, *brand_ids: int) -> list[str]:
    """Judge all that is due at an instant."""
    done: list[str] = []
    while (one := judge_one(database, brand_ids or (CORVANE,), now=lambda: at)) is not None:
        done.append(one)
    return done


def told(database: Database, brand_id: int = CORVANE) -> tuple[Alert, ...]:
    with database.read() as connection:
        return alerts.of_brands(connection, (brand_id,), start=EDGE - 40 * DAY, end=EDGE + 40 * DAY)


def reads(database: Database, work: Callable[[], Any]) -> int:
    """How often cells are read."""
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, _p: object, _x: object, _m: object) -> None:
        if "from cube" in statement:
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return len(seen)


def test_ours_and_our_competitors_are_judged_and_unmatched_posts_are_not(database: Database) -> None:
    brand_ids = judged_brands(load(database))
    assert brand_ids == (CORVANE, HALDEN, VELTA, RIVAL, OTHER_RIVAL)
    assert UNMATCHED not in brand_ids


@pytest.mark.prove
def test_the_first_time_the_whole_past_is_judged(database: Database) -> None:
    fill(database)
    with database.write() as connection:
        busy = [int((EDGE - 2 * DAY + n * STEP).timestamp()) for n in range(6)]
        connection.execute(
            update(cells).where(cells.c.bucket.in_(busy), cells.c.granularity == 300).values(mentions=60)
        )

    assert judge(database) == [FIRST]

    (one,) = told(database)
    assert EDGE - 2 * DAY <= one.started_at <= EDGE - 2 * DAY + 2 * STEP
    assert one.ended_at is not None


def test_a_burst_is_flagged_at_the_next_edge_and_ended_an_hour_after_it(database: Database) -> None:
    fill(database)
    judge(database)
    said(database, [(EDGE, 70), (EDGE + STEP, 70)])

    assert judge(database, SETTLED + STEP) == [AGAIN]
    (one,) = told(database)
    assert (one.started_at, one.flagged_at, one.ended_at) == (EDGE, SETTLED + STEP, None)

    for n in range(2, 20):
        judge(database, SETTLED + n * STEP)
    (one,) = told(database)
    assert one.ended_at is not None
    assert EDGE + 2 * STEP <= one.ended_at <= EDGE + 5 * STEP


def test_nothing_is_judged_twice_within_five_minutes(database: Database) -> None:
    fill(database)
    assert judge(database) == [FIRST]
    assert judge(database, SETTLED + 4 * MINUTE) == []
    assert judge(database, SETTLED + STEP) == [AGAIN]


def test_a_worker_that_was_away_flags_what_it_missed_once(database: Database) -> None:
    fill(database)
    judge(database)
    said(database, [(EDGE + n * STEP, 70 if n in (30, 31, 32) else 13) for n in range(200)])

    back = SETTLED + 200 * STEP
    judge(database, back)
    judge(database, back + STEP)

    assert [one.started_at for one in told(database)] == [EDGE + 30 * STEP]


@pytest.mark.prove
def test_a_brand_whose_mentions_did_not_change_costs_no_look_at_its_cells(database: Database) -> None:
    fill(database)
    judge(database)
    # What was stored after the edge of the last turn: once more.
    assert reads(database, lambda: judge(database, SETTLED + STEP)) > 0
    assert reads(database, lambda: judge(database, SETTLED + 2 * STEP)) == 0
    said(database, [(EDGE + 2 * STEP, 3)])
    assert reads(database, lambda: judge(database, SETTLED + 3 * STEP)) > 0


def test_a_brand_of_which_too_little_is_said_is_not_compared_with_its_past(database: Database) -> None:
    fill(database, days=0)
    judge(database)
    said(database, [(EDGE, 2)])
    assert reads(database, lambda: judge(database, SETTLED + STEP)) == 1


def test_while_a_history_is_filled_in_nothing_is_judged_for_the_first_time(database: Database) -> None:
    fill(database, days=3)
    filling = add_source(database, "History", kind="simulator")
    with database.write() as connection:
        values = {"progress": 0.3, "created_at": SETTLED - MINUTE}
        connection.execute(update(source).where(source.c.id == filling).values(**values))

    judge(database)
    assert number(database, "select count(*) from alert_judged where judged_to is not null") == 0
    # For two hours at most.
    judge(database, SETTLED + 2 * HOUR)
    assert number(database, "select count(*) from alert_judged where judged_to is not null") == 1


def test_two_workers_at_the_same_instant_judge_each_brand_once(database: Database) -> None:
    fill(database, days=3)
    brands = (CORVANE, HALDEN, VELTA)

    with ThreadPoolExecutor(2) as pool:
        done = [name for names in pool.map(lambda _: judge(database, SETTLED, *brands), range(2)) for name in names]
    # Who finds another one faster ends its round: the rest is for the next.
    done += judge(database, SETTLED, *brands)

    assert done == [FIRST] * 3


def test_a_worker_that_took_too_long_writes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database)
    with database.write() as connection:
        busy = [int((EDGE - DAY + n * STEP).timestamp()) for n in range(6)]
        connection.execute(update(cells).where(cells.c.bucket.in_(busy)).values(mentions=60))
    inner = judging._events

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(judging, "_events", inner)
        # Its turn ran out, and another worker takes the next one.
        assert judge(database, SETTLED + judging.TURN) == [FIRST]
        return inner(*given)

    monkeypatch.setattr(judging, "_events", slow)
    assert judge_one(database, (CORVANE,), now=lambda: SETTLED) == FIRST

    assert len(told(database)) == 1
    with database.read() as connection:
        due_at = connection.execute(alert_judged.select()).one().due_at
    assert due_at == SETTLED + STEP


def test_a_blind_source_is_flagged_and_its_alert_ends_with_the_silence(database: Database) -> None:
    fill(database, days=0)
    at = SETTLED + HOUR

    judge(database, at, NO_BRAND)
    (one,) = told(database, NO_BRAND)
    assert (one.kind, one.source_id, one.started_at) == ("blind", 1, NOW)

    with database.write() as connection:
        connection.execute(update(source).values(last_success_at=at, due_at=at + MINUTE))
    assert judge(database, at + MINUTE, NO_BRAND) == [AGAIN]
    assert told(database, NO_BRAND)[0].ended_at == at + MINUTE
