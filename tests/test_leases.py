"""ingest/leases.py: one worker holds a source, and who lost it writes nothing more."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest

from ingest import leases
from ingest.leases import TTL, Lease
from ingest.store import store
from models import sources
from models.database import Database
from models.errors import LeaseLost, NotFound
from models.tables.base import to_microseconds
from tests.builders import NOW, add_source, as_taken, load, mention, number, rows, source_row

pytestmark = pytest.mark.both

SECOND = timedelta(seconds=1)


def test_a_source_is_held_by_one_worker(database: Database) -> None:
    source_id = add_source(database)

    first = as_taken(leases.take(database, "ada", now=NOW))

    assert (first.source_id, first.owner, first.fence) == (source_id, "ada", 1)
    assert leases.take(database, "bob", now=NOW) is None
    assert leases.take(database, "ada", now=NOW) is None


def test_workers_that_race_never_hold_the_same_source(database: Database) -> None:
    """Six workers, forty sources, all at once: each source goes to exactly one of them."""
    for n in range(40):
        add_source(database, f"source {n}")
    started = threading.Barrier(6)
    taken: list[tuple[str, int, int]] = []

    def work(name: str) -> None:
        started.wait(10)
        misses = 0
        # On PostgreSQL a worker passes by a row that another is just taking, and looks again.
        while misses < 3:
            lease = leases.take(database, name, now=NOW)
            if lease is None:
                misses += 1
            else:
                taken.append((name, lease.source_id, lease.fence))

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert Counter(source_id for _, source_id, _ in taken) == Counter(range(1, 41))
    assert {fence for _, _, fence in taken} == {1}
    owners = rows(database, "select id, owner from source order by id")
    assert {(row["owner"], row["id"]) for row in owners} == {(name, source_id) for name, source_id, _ in taken}


def test_workers_that_race_for_one_source_make_one_holder(database: Database) -> None:
    add_source(database)
    for round_number in range(1, 16):
        started = threading.Barrier(4)
        got: list[Lease] = []

        def work(name: str, started: threading.Barrier = started, got: list[Lease] = got) -> None:
            started.wait(10)
            lease = leases.take(database, name, now=NOW)
            if lease is not None:
                got.append(lease)

        threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert [lease.fence for lease in got] == [round_number]
        with database.write() as connection:
            leases.release(connection, got[0])


def test_an_expired_lease_is_taken_over_with_a_larger_fence(database: Database) -> None:
    add_source(database)
    old = as_taken(leases.take(database, "ada", now=NOW))

    assert leases.take(database, "bob", now=NOW + TTL) is None
    new = as_taken(leases.take(database, "bob", now=NOW + TTL + SECOND))

    assert (new.owner, new.source_id) == ("bob", old.source_id)
    assert new.fence > old.fence


def test_a_lease_that_is_held_on_to_does_not_expire(database: Database) -> None:
    add_source(database)
    lease = as_taken(leases.take(database, "ada", now=NOW))

    with database.write() as connection:
        leases.hold(connection, lease, now=NOW + TTL, cursor={"page": 2})

    assert leases.take(database, "bob", now=NOW + TTL + SECOND) is None
    assert as_taken(leases.take(database, "bob", now=NOW + 2 * TTL + SECOND)).cursor == {"page": 2}


@pytest.mark.parametrize("successor", ["bob", "ada"])
def test_who_lost_the_lease_can_neither_move_the_cursor_nor_hand_it_back(database: Database, successor: str) -> None:
    """Even where the same worker took it again: the fence tells the two apart."""
    add_source(database)
    old = as_taken(leases.take(database, "ada", now=NOW))
    new = as_taken(leases.take(database, successor, now=NOW + TTL + SECOND))

    lost = 'another worker holds the source "made up" now'
    with pytest.raises(LeaseLost, match=lost), database.write() as connection:
        leases.hold(connection, old, now=NOW, cursor={"page": 9})
    with pytest.raises(LeaseLost, match=lost), database.write() as connection:
        leases.release(connection, old, cursor={"page": 9})

    row = source_row(database)
    assert (row["owner"], row["fence"], row["cursor"]) == (successor, new.fence, None)


def test_a_page_whose_lease_was_lost_leaves_no_row(database: Database) -> None:
    organisation = load(database)
    source_id = add_source(database)
    old = as_taken(leases.take(database, "ada", now=NOW))
    leases.take(database, "bob", now=NOW + TTL + SECOND)
    before = rows(database, "select topic, brand_id, n from change order by topic, brand_id")

    def late_write() -> None:
        with database.write() as connection:
            store(connection, [mention()], source_id=source_id, organisation=organisation, now=NOW)
            leases.hold(connection, old, now=NOW, cursor={"page": 9})

    with pytest.raises(LeaseLost):
        late_write()

    assert number(database, "select count(*) from mention") == 0
    assert number(database, "select count(*) from cube") == 0
    assert rows(database, "select topic, brand_id, n from change order by topic, brand_id") == before


@pytest.mark.parametrize("state", ["paused", "done", "disconnected", "gone"])
def test_only_active_sources_are_taken(database: Database, state: str) -> None:
    add_source(database)
    with database.write() as connection:
        connection.exec_driver_sql(f"update source set state = '{state}'")

    assert leases.take(database, "ada", now=NOW) is None


@pytest.mark.parametrize(("state", "is_taken"), [("active", True), ("done", True), ("gone", True), ("paused", False)])
def test_a_source_called_by_name_is_taken_due_or_not(database: Database, state: str, is_taken: bool) -> None:
    add_source(database, "another")
    add_source(database)
    with database.write() as connection:
        connection.exec_driver_sql(f"update source set state = '{state}', due_at = {to_microseconds(NOW) * 2}")

    lease = leases.take(database, "ada", now=NOW, name="made up")

    assert (lease is not None) == is_taken
    assert lease is None or lease.name == "made up"
    assert leases.take(database, "bob", now=NOW, name="made up") is None


def test_a_name_nobody_has_is_not_taken(database: Database) -> None:
    add_source(database)

    assert leases.take(database, "ada", now=NOW, name="made-up") is None


def test_what_is_not_due_waits(database: Database) -> None:
    add_source(database)
    lease = as_taken(leases.take(database, "ada", now=NOW))
    with database.write() as connection:
        leases.release(connection, lease, due_at=NOW + 60 * SECOND)

    assert leases.take(database, "ada", now=NOW + 59 * SECOND) is None
    assert leases.take(database, "ada", now=NOW + 60 * SECOND) is not None


def test_the_most_urgent_source_goes_first(database: Database) -> None:
    with database.write() as connection:
        for name, priority, late in (("slow", 9, 900), ("new", 0, 1), ("old", 0, 60)):
            sources.add(
                connection, name=name, kind="file", network_id=2, config={}, every_seconds=1, priority=priority,
                now=NOW - late * SECOND,
            )  # fmt: skip

    assert [as_taken(leases.take(database, "ada", now=NOW)).name for _ in range(3)] == ["old", "new", "slow"]


def test_what_this_worker_runs_already_is_left_out(database: Database) -> None:
    """Its lease may have run out while it hangs; taking it twice would run it twice side by side."""
    source_id = add_source(database)
    leases.take(database, "ada", now=NOW)

    assert leases.take(database, "ada", now=NOW + TTL + SECOND, busy=(source_id,)) is None


def test_a_lease_knows_what_a_run_needs(database: Database) -> None:
    with database.write() as connection:
        sources.add(
            connection, name="made up", kind="feed", network_id=7, config={"url": "http://127.0.0.1/"},
            every_seconds=90, priority=3, now=NOW,
        )  # fmt: skip

    lease = as_taken(leases.take(database, "ada", now=NOW))

    assert (lease.kind, lease.network_id, lease.every_seconds, lease.priority) == ("feed", 7, 90.0, 3)
    assert (lease.config, lease.cursor, lease.failures) == ({"url": "http://127.0.0.1/"}, None, 0)


def test_pausing_a_source_that_is_not_there_names_those_that_are(database: Database) -> None:
    add_source(database)

    with pytest.raises(NotFound, match='no source "x"; known: made up'), database.write() as connection:
        sources.pause(connection, "x", by="ada")
