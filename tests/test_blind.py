"""models/blind.py: which sources hear nothing, and whether a low count is a quiet one or a blind one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from ingest.ledger import cover
from models import sources
from models.blind import Blind, Listening, blind, listening
from models.database import Database
from models.tables import duty, source
from tests.builders import NOW, add_source

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START, END = NOW - 20 * MINUTE, NOW - 5 * MINUTE
HEARD: dict[str, Any] = {"last_success_at": NOW - timedelta(seconds=1), "due_at": NOW}
LATE: dict[str, Any] = {"last_success_at": NOW - HOUR, "due_at": NOW - HOUR}


def add(database: Database, name: str = "X", **values: Any) -> int:
    source_id = add_source(database, name, kind="x", every=5.0)
    with database.write() as connection:
        made = {"created_at": NOW - 30 * DAY} | values
        connection.execute(update(source).where(source.c.id == source_id).values(**made))
    return source_id


def sing(database: Database, source_id: int, result: str, at: datetime = NOW - MINUTE) -> None:
    with database.write() as connection:
        values = {"source_id": source_id, "kind": "canary", "due_at": NOW + HOUR, "last_at": at, "result": result}
        connection.execute(insert(duty).values(**values))


def covers(database: Database, source_id: int, start: datetime, end: datetime) -> None:
    with database.write() as connection:
        cover(connection, source_id, (start, end), joins_all=True)


def found(database: Database) -> tuple[Blind, ...]:
    with database.read() as connection:
        return blind(connection, sources.health(connection, NOW), NOW)


def who_listened(database: Database, networks: tuple[int, ...] | None = None) -> Listening:
    with database.read() as connection:
        return listening(connection, sources.health(connection, NOW), networks, start=START, end=END)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LATE, "X has not been heard for more than ten times its normal."),
        (LATE | {"last_error": "timed out", "due_at": NOW + HOUR}, "more than ten times its normal: timed out."),
        (HEARD | {"state": "disconnected", "last_error": "401."}, "X is disconnected: 401."),
        (HEARD | {"state": "gone"}, "X is gone."),
        (HEARD | {"budget": 5.0, "spent": 6.0, "month": 2026 * 12 + 10}, "X has spent the budget of its month"),
    ],
)
def test_a_source_that_hears_nothing_says_why(database: Database, values: dict[str, Any], words: str) -> None:
    add(database, **values)
    (one,) = found(database)
    assert words in one.words
    assert one.since == values["last_success_at"]


@pytest.mark.parametrize(
    "values",
    [
        HEARD,
        HEARD | {"last_success_at": NOW - 90 * timedelta(seconds=1), "due_at": NOW - 90 * timedelta(seconds=1)},
        LATE | {"state": "paused"},
        LATE | {"state": "done"},
        # It fills in history.
        LATE | {"progress": 0.4},
        # It rests in its quiet hours; and they are just over.
        LATE | {"due_at": NOW + 5 * HOUR},
        LATE | {"due_at": NOW - MINUTE},
        # Its first fetch is to come.
        {"last_success_at": None, "due_at": NOW},
    ],
)
def test_a_source_that_hears_or_should_not_is_not_blind(database: Database, values: dict[str, Any]) -> None:
    add(database, **values)
    assert found(database) == ()


def test_a_source_whose_canary_is_not_heard_is_blind_since_it_last_brought_anything(database: Database) -> None:
    sing(database, add(database, last_new_at=NOW - 6 * HOUR, **HEARD), "deaf")
    (one,) = found(database)
    assert one.since == NOW - 6 * HOUR
    assert "a query that always finds something found nothing" in one.words


def test_a_quiet_span_is_one_that_every_source_heard(database: Database) -> None:
    for name in ("X", "Reddit"):
        covers(database, add(database, name, **HEARD), NOW - DAY, NOW)
    sing(database, 1, "heard")

    heard = who_listened(database)

    assert (heard.asked, heard.missing, heard.canary_at) == (2, (), NOW - MINUTE)
    assert not heard.is_blind


def test_who_stopped_before_the_middle_of_a_span_is_named_with_the_instant(database: Database) -> None:
    covers(database, add(database, "X", **HEARD), NOW - DAY, NOW)
    covers(database, add(database, "Reddit", **LATE), NOW - DAY, START + 3 * MINUTE)

    heard = who_listened(database)

    assert (heard.asked, heard.missing, heard.since) == (2, ("Reddit",), START + 3 * MINUTE)
    assert heard.is_blind


@pytest.mark.parametrize("values", [LATE, LATE | {"state": "paused"}, LATE | {"state": "disconnected"}])
def test_who_did_not_listen_at_all_is_named_whatever_the_reason(database: Database, values: dict[str, Any]) -> None:
    add(database, "X", **values)
    heard = who_listened(database)
    assert (heard.missing, heard.since) == (("X",), NOW - HOUR)


def test_a_deaf_source_did_not_listen_although_it_answers(database: Database) -> None:
    covers(database, add(database, "X", **HEARD), NOW - DAY, NOW)
    sing(database, 1, "deaf")
    assert who_listened(database).missing == ("X",)


def test_a_source_is_asked_about_spans_of_its_own_time_and_network_alone(database: Database) -> None:
    add(database, "new", created_at=NOW - MINUTE)
    add(database, "other network", network_id=3)
    covers(database, add(database, "history", state="done", network_id=2), NOW - DAY, NOW)

    heard = who_listened(database, (2,))

    assert (heard.asked, heard.missing) == (1, ())
