"""models/sources.py: how fresh, how healthy, when nobody was listening; adding, pausing, resuming."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert, update

from ingest.ledger import Fetched, cover, write_ledger
from models import sources
from models.access import Window
from models.database import Database
from models.errors import InputError, NotFound
from models.sources import BADGES, CONDITIONS, Health, gaps, health, worst
from models.tables import duty, source
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


# -- what is the matter ------------------------------------------------------------------------------------


def failed(database: Database, source_id: int, kind: str, *, ended: datetime = NOW) -> None:
    """What ingest does when a fetch fails."""
    with database.write() as connection:
        line = Fetched(started_at=ended - SECOND, ended_at=ended, error_kind=kind, error="no")
        write_ledger(connection, line, source_id=source_id, worker="w")
        connection.execute(update(source).where(source.c.id == source_id).values(last_error="no", last_error_at=ended))


@pytest.mark.parametrize(
    ("kind", "condition"),
    [("dead_token", "disconnected"), ("rate_limited", "limited"), ("passing", "passing"), ("unknown", "unknown"),
     ("gone", "gone"), ("a new word", "unknown")],
)  # fmt: skip
def test_faults_of_different_kinds_are_different_conditions(database: Database, kind: str, condition: str) -> None:
    found = listened(database, age=10)
    failed(database, found.id, "passing", ended=NOW - HOUR)
    failed(database, found.id, kind)

    with database.read() as connection:
        (found,) = health(connection, NOW)

    assert (found.error_kind, found.condition, found.badge) == (kind, condition, "live")
    assert found.condition in CONDITIONS


def test_a_fault_that_is_over_is_no_condition(database: Database) -> None:
    found = listened(database, age=10)
    failed(database, found.id, "rate_limited")
    with database.write() as connection:
        connection.execute(update(source).values(last_error=None))

    with database.read() as connection:
        (found,) = health(connection, NOW)

    assert (found.error_kind, found.condition) == (None, "live")


def test_a_budget_that_is_spent_says_so_until_the_next_month(database: Database) -> None:
    listened(database, age=10)
    with database.write() as connection:
        connection.execute(update(source).values(budget=20.0, spent=20.0, month=sources.month_number(NOW)))

    with database.read() as connection:
        (spent,) = health(connection, NOW)
        (anew,) = health(connection, NOW + timedelta(days=12))

    assert (spent.condition, spent.spent) == ("spent", 20.0)
    assert (anew.condition, anew.spent) == ("stale", 0.0)


def test_a_quiet_network_is_deaf_when_its_canary_says_so(database: Database) -> None:
    found = listened(database, age=10)
    with database.write() as connection:
        connection.execute(insert(duty).values(source_id=found.id, kind="canary", due_at=NOW, result="deaf"))
    with database.read() as connection:
        assert health(connection, NOW)[0].condition == "deaf"

    with database.write() as connection:
        connection.execute(update(duty).values(result="heard"))
    with database.read() as connection:
        assert health(connection, NOW)[0].condition == "live"


@pytest.mark.prove
def test_the_health_of_many_sources_is_read_in_a_handful_of_statements(database: Database) -> None:
    for number in range(250):
        add_source(database, f"source {number}")
    failed(database, 3, "dead_token")
    statements: list[str] = []

    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        found = health(connection, NOW)

    assert (len(found), found[2].condition) == (250, "disconnected")
    assert [item.id for item in found] == list(range(1, 251))
    assert sum(statement.startswith(("SELECT", "select")) for statement in statements) <= 4


# -- changing ----------------------------------------------------------------------------------------------


def test_who_paused_a_source_may_say_why(database: Database) -> None:
    add_source(database)
    with database.write() as connection:
        sources.pause(connection, "made up", by="Hedda Brandt", at=NOW, because="  supplier changes columns ")
    with database.read() as connection:
        (paused,) = health(connection, NOW)
    assert (paused.paused_by, paused.paused_at, paused.paused_because) == (
        "Hedda Brandt",
        NOW,
        "supplier changes columns",
    )

    with database.write() as connection:
        sources.resume(connection, "made up", now=NOW)
    with database.read() as connection:
        (resumed,) = health(connection, NOW)
    assert (resumed.paused_at, resumed.paused_because) == (None, None)


def test_fetch_now_makes_a_source_due_and_no_other(database: Database) -> None:
    add_source(database)
    add_source(database, "another")
    later = NOW + HOUR
    with database.write() as connection:
        connection.execute(update(source).values(due_at=later))
        sources.fetch_now(connection, "made up", now=NOW)

    with database.read() as connection:
        setups = sources.setups(connection, NOW)

    assert [setups[1].due_at, setups[2].due_at] == [NOW, later]


@pytest.mark.parametrize("state", ["paused", "disconnected", "gone", "done"])
def test_what_is_not_asked_cannot_be_fetched_now(database: Database, state: str) -> None:
    add_source(database)
    with database.write() as connection:
        connection.execute(update(source).values(state=state))
    with pytest.raises(InputError, match=f'"made up" is {state}: '), database.write() as connection:
        sources.fetch_now(connection, "made up", now=NOW)
    with pytest.raises(NotFound), database.write() as connection:
        sources.fetch_now(connection, "x", now=NOW)


def test_a_changed_source_is_connected_again_but_stays_paused(database: Database) -> None:
    add_source(database)
    add_source(database, "another")
    with database.write() as connection:
        connection.execute(update(source).where(source.c.id == 1).values(state="disconnected", last_error="401"))
        connection.execute(update(source).where(source.c.id == 2).values(state="paused"))
        sources.change(connection, 1, now=NOW, every_seconds=15.0)
        sources.change(connection, 2, now=NOW, name="renamed")
    with database.read() as connection:
        one, two = health(connection, NOW)

    assert (one.state, one.last_error, one.every_seconds) == ("active", None, 15.0)
    assert (two.state, two.name) == ("paused", "renamed")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines"])
def test_a_name_is_a_line_of_text(database: Database, name: str) -> None:
    with database.read() as connection, pytest.raises(InputError, match="1 to 200 printable characters"):
        sources.check_name(connection, name)


def test_a_source_keeps_its_own_name_and_takes_nobody_elses(database: Database) -> None:
    add_source(database)
    with database.read() as connection:
        assert sources.check_name(connection, " made up ", besides=1) == "made up"
        with pytest.raises(InputError, match="already"):
            sources.check_name(connection, "made up", besides=2)
