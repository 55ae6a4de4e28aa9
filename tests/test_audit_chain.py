"""models/audit_chain.py: every row is linked once, in order, by one worker at a time."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from models import audit as log
from models.audit_chain import BATCH, BEGINNING, RAW, TURN, Round, chain, digest, take_turn
from models.audit_check import Known, verify
from models.database import Database
from models.tables import audit, audit_link, audit_turn, change
from models.tables.base import to_microseconds
from tests.audit_made_up import BEGAN, STEP, fields, link, write

SECOND = timedelta(seconds=1)


def links(database: Database) -> list[tuple[int, int]]:
    with database.read() as connection:
        found = connection.execute(select(audit_link).order_by(audit_link.c.number)).all()
    return [(row.number, row.audit_id) for row in found]


def test_the_hash_is_what_anybody_can_compute_from_the_row() -> None:
    row = (7, 1, None, "Zoë", "case.claim", 'a "\\\n\x7f\u2028𝔘', '{"a": 1.50}', None, 3, None)
    names = ("id", "at", "person_id", "actor", "action", "subject", "details", "address", "brand_id", "case_id")
    whole = dict(zip(names, row, strict=True)) | {"number": 1, "previous": BEGINNING, "linked_at": 5}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest(1, BEGINNING, 5, row) == hashlib.sha256(text.encode()).hexdigest()


def test_rows_are_numbered_as_they_were_written_and_each_stands_on_the_one_before(database: Database) -> None:
    ids = [write(database, number) for number in range(3)]
    assert link(database, BEGAN + 3 * STEP) == 3
    assert links(database) == list(enumerate(ids, start=1))
    with database.read() as connection:
        previous = BEGINNING
        for row in connection.execute(select(audit_link).order_by(audit_link.c.number)).all():
            raw = connection.execute(select(*RAW).where(audit.c.id == row.audit_id)).one()
            assert row.hash == digest(row.number, previous, to_microseconds(row.at), raw)
            previous = row.hash


def test_a_link_is_told_to_the_screens(database: Database) -> None:
    write(database, 0)
    link(database, BEGAN + STEP)
    with database.read() as connection:
        assert connection.execute(select(change.c.n).where(change.c.topic == "audit")).scalar() == 1


def test_a_row_settles_for_a_moment_before_it_is_linked(database: Database) -> None:
    write(database, 0)
    assert link(database, BEGAN + SECOND / 4) == 0
    assert link(database, BEGAN + SECOND, everywhere=False) == 1


def test_what_was_committed_late_is_linked_behind_what_came_first(database: Database) -> None:
    early = write(database, 1)
    link(database, BEGAN + STEP + SECOND)
    late = write(database, 0, at=BEGAN + STEP - SECOND)
    link(database, BEGAN + STEP + 2 * SECOND, everywhere=False)
    assert links(database) == [(1, early), (2, late)]


def test_what_is_older_than_a_few_minutes_is_found_by_looking_everywhere(database: Database) -> None:
    write(database, 0)
    assert link(database, BEGAN + STEP, everywhere=False) == 0
    assert link(database, BEGAN + STEP, everywhere=True) == 1


def test_many_rows_are_linked_in_batches(database: Database) -> None:
    with database.write() as connection:
        for number in range(BATCH + 1):
            log.record(connection, **(fields(0) | {"subject": f"case {number}"}))

    def one_round() -> Round | None:
        return chain(database, "me", now=lambda: BEGAN + STEP, since_id=0)

    first, second, third = one_round(), one_round(), one_round()
    assert first is not None
    assert second is not None
    assert third is not None
    assert [(r.linked, r.is_behind) for r in (first, second, third)] == [(BATCH, True), (1, False), (0, False)]
    with database.read() as connection:
        assert verify(connection, Known(), now=BEGAN + STEP).rows == BATCH + 1


def test_another_worker_waits_its_turn_and_takes_over_when_nothing_is_heard(database: Database) -> None:
    write(database, 0)
    now = BEGAN + SECOND
    link(database, now, owner="one")
    write(database, 0, at=now)
    soon = now + SECOND
    assert chain(database, "two", now=lambda: soon, since_id=0) is None
    after = now + TURN
    assert link(database, after, owner="two") == 1


def test_a_worker_that_lost_its_turn_writes_nothing(database: Database) -> None:
    write(database, 0)
    link(database, BEGAN + SECOND, owner="one")
    with database.read() as connection:
        seen = connection.execute(select(audit_turn.c.fence)).scalar_one()
    with database.write() as connection:
        assert take_turn(connection, "two", seen, until=BEGAN + STEP)
    with database.write() as connection:
        assert not take_turn(connection, "one", seen, until=BEGAN + STEP)


def test_workers_beside_each_other_link_every_row_once(database: Database) -> None:
    count, workers = 40, 4
    with database.write() as connection:
        for number in range(count):
            log.record(connection, **fields(number))
    # Turns that run out at once: everybody tries.
    clock = iter(range(10_000))
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(6):
                chain(database, name, now=lambda: BEGAN + count * STEP + next(clock) * TURN, since_id=0)
        except IntegrityError:
            # Two that begin with an empty table may meet; one of them wins.
            return
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    found = links(database)
    assert [number for number, _ in found] == list(range(1, count + 1))
    assert len({identifier for _, identifier in found}) == count
    with database.read() as connection:
        assert verify(connection, Known(), now=BEGAN + 10 * count * STEP).is_whole


def test_a_row_is_never_linked_twice(database: Database) -> None:
    write(database, 0)
    link(database, BEGAN + STEP)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text("insert into audit_link (number, audit_id, at, hash) select 2, id, at, 'x' from audit"))
