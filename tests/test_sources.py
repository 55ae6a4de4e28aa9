"""models/sources.py: how fresh, how healthy, when nobody was listening; adding, pausing, resuming."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from ingest.store import Fetched, cover, write_ledger
from models import sources
from models.access import Window
from models.database import Database
from models.errors import InputError, NotFound
from models.sources import BADGES, Health, gaps, health, worst
from models.tables import source
from tests.builders import NOW, add_source, last, rows, source_row, window

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def listened(database: Database, *, age: float, every: float = 60.0, name: str = "made up") -> Health:
    """A source that was fetched with success so many seconds ago."""
    source_id = add_source(database, name, every=every)
    with database.write() as connection:
        at = NOW - timedelta(seconds=age)
        connection.execute(update(source).where(source.c.id == source_id).values(last_success_at=at))
    with database.read() as connection:
        return next(item for item in health(connection, NOW) if item.id == source_id)


@pytest.mark.parametrize(
    ("age", "badge"), [(0, "live"), (179, "live"), (180, "slow"), (600, "slow"), (601, "stale"), (9e9 / 1e3, "stale")]
)
def test_the_badge_is_the_age_against_the_normal(database: Database, age: float, badge: str) -> None:
    found = listened(database, age=age)

    assert (found.badge, found.data_age_seconds, found.normal_seconds) == (badge, age, 60.0)


def test_the_normal_of_a_source_is_its_interval_and_the_slow_ones_of_its_fetches(database: Database) -> None:
    source_id = add_source(database)
    with database.write() as connection:
        for n in range(40):
            seconds = 30.0 if n in (3, 17) else 100.0 if n == 9 else 2.0
            started = NOW - timedelta(minutes=50 - n)
            line = Fetched(started_at=started, ended_at=started + timedelta(seconds=seconds), items=1)
            write_ledger(connection, line, source_id=source_id, worker="w")
        started = NOW - HOUR
        failed = Fetched(started_at=started, ended_at=started + 900 * SECOND, error_kind="passing", error="late")
        write_ledger(connection, failed, source_id=source_id, worker="w")

    with database.read() as connection:
        (found,) = health(connection, NOW)

    assert found.normal_seconds == 60.0 + 30.0


def test_a_source_that_polls_every_second_still_takes_a_moment(database: Database) -> None:
    assert listened(database, age=5, every=1.0).badge == "live"
    assert listened(database, age=7, every=1.0, name="another").badge == "slow"


@pytest.mark.parametrize("state", ["paused", "disconnected", "gone", "done"])
def test_a_source_that_is_not_polled_says_why(database: Database, state: str) -> None:
    listened(database, age=9e6)
    with database.write() as connection:
        connection.execute(update(source).values(state=state))

    with database.read() as connection:
        (found,) = health(connection, NOW)

    assert found.badge == state in BADGES


def test_a_new_source_waits_and_one_that_never_answered_is_stale(database: Database) -> None:
    add_source(database)
    with database.read() as connection:
        assert health(connection, NOW)[0].badge == "waiting"

    with database.write() as connection:
        connection.execute(update(source).values(last_error="no answer"))
    with database.read() as connection:
        assert health(connection, NOW)[0].badge == "stale"


def test_the_worst_source_is_the_oldest_against_its_own_normal(database: Database) -> None:
    listened(database, age=100, every=60.0, name="quick")
    listened(database, age=2_000, every=3_600.0, name="slow")
    listened(database, age=9e6, every=1.0, name="file")
    listened(database, age=9e6, every=1.0, name="paused")
    with database.write() as connection:
        connection.execute(update(source).where(source.c.name == "file").values(progress=0.5))
        connection.execute(update(source).where(source.c.name == "paused").values(state="paused"))

    with database.read() as connection:
        of_all = health(connection, NOW)

    found = worst(of_all)
    assert found is not None
    assert found.name == "quick"
    assert worst(()) is None
    assert worst(tuple(item for item in of_all if item.name in ("file", "paused"))) is None


# -- gaps --------------------------------------------------------------------------------------------------


def covered(database: Database, source_id: int, *spans: tuple[datetime, datetime]) -> None:
    with database.write() as connection:
        for span in spans:
            cover(connection, source_id, span, joins_all=False)


def test_what_is_inside_the_normal_of_a_source_is_no_gap_yet(database: Database) -> None:
    source_id = add_source(database, every=10.0)
    covered(database, source_id, (NOW - 30 * HOUR, NOW - 90 * SECOND))

    with database.read() as connection:
        assert gaps(connection, last("24h")) == ()
        ended = Window("", NOW - HOUR, NOW, 60, live=False)
        assert gaps(connection, ended) == ((NOW - 90 * SECOND, NOW),)


def test_a_source_that_stopped_leaves_a_gap_to_now(database: Database) -> None:
    source_id = add_source(database, every=10.0)
    covered(database, source_id, (NOW - 30 * HOUR, NOW - 2 * HOUR))

    with database.read() as connection:
        assert gaps(connection, last("24h")) == ((NOW - 2 * HOUR, NOW),)


def test_nobody_listened_before_the_first_source(database: Database) -> None:
    nothing = window(NOW - 5 * HOUR, NOW, 900)
    with database.read() as connection:
        assert gaps(connection, nothing) == ((nothing.start, NOW),)


def test_one_source_that_listens_is_enough(database: Database) -> None:
    one, two = add_source(database), add_source(database, "another")
    covered(database, one, (NOW - 9 * HOUR, NOW - 4 * HOUR), (NOW - 3 * HOUR, NOW))
    covered(database, two, (NOW - 5 * HOUR, NOW - HOUR))

    with database.read() as connection:
        assert gaps(connection, window(NOW - 8 * HOUR, NOW, 900)) == ()


# -- adding, pausing, resuming -----------------------------------------------------------------------------


def changes(database: Database) -> int:
    return sum(row["n"] for row in rows(database, "select n from change where topic = 'sources'"))


def test_a_source_is_added_once(database: Database) -> None:
    assert (add_source(database), add_source(database, "another")) == (1, 2)
    assert changes(database) == 2

    with pytest.raises(InputError, match='there is a source "made up" already; choose another name'):
        add_source(database)
    row = source_row(database)
    assert (row["state"], row["fence"], row["failures"], row["owner"]) == ("active", 0, 0, None)


def test_a_paused_source_says_by_whom_and_is_due_when_resumed(database: Database) -> None:
    add_source(database)
    with database.write() as connection:
        sources.pause(connection, "made up", by="Ana Novak")
    with database.read() as connection:
        (paused,) = health(connection, NOW)

    with database.write() as connection:
        sources.resume(connection, "made up", now=NOW)
    with database.read() as connection:
        (resumed,) = health(connection, NOW)

    assert (paused.badge, paused.paused_by) == ("paused", "Ana Novak")
    assert (resumed.state, resumed.paused_by) == ("active", None)
    assert source_row(database)["due_at"] == NOW.timestamp() * 1_000_000
    assert changes(database) == 3


def test_resuming_clears_what_disconnected_a_source(database: Database) -> None:
    add_source(database)
    with database.write() as connection:
        connection.execute(update(source).values(state="disconnected", failures=4, last_error="no token"))
        sources.resume(connection, "made up", now=NOW)

    row = source_row(database)
    assert (row["state"], row["failures"], row["last_error"]) == ("active", 0, None)


def test_a_source_that_is_not_there_cannot_be_resumed(database: Database) -> None:
    with pytest.raises(NotFound, match='no source "x"; known: none yet'), database.write() as connection:
        sources.resume(connection, "x", now=NOW)
