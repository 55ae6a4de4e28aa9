"""models/audit_rounds.py: the log is checked all the time, and nobody can talk the checker out of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from models import audit_rounds
from models.audit_heads import Outside
from models.audit_rounds import EVERY, State, step
from models.database import Database
from models.tables import audit_turn
from tests.audit_made_up import BEGAN, OWNER, STEP, edit, link, made, tampering, write
from tests.empty import empty_database

ROWS = 12
AFTER = BEGAN + ROWS * STEP
SECOND = timedelta(seconds=1)


@pytest.fixture
def there(tmp_path: Path) -> Database:
    return empty_database(tmp_path)


def checked(database: Database, outside: Outside, now: datetime, *, owner: str = OWNER) -> State:
    while step(database, outside, owner, now=lambda: now):
        pass
    with database.read() as connection:
        return audit_rounds.state(connection, now=now)


def test_an_empty_log_has_nothing_to_check(there: Database, tmp_path: Path) -> None:
    state = checked(there, Outside(tmp_path), AFTER)
    assert state.last is None
    assert state.checked == audit_rounds.Checked()


def test_everything_is_checked_first_and_then_what_is_new(database: Database, tmp_path: Path) -> None:
    outside = made(database, tmp_path, ROWS)
    first = checked(database, outside, AFTER)
    assert (first.checked.mark.number, first.checked.whole_at, first.checked.fault) == (ROWS, AFTER, None)
    assert (first.first_at, first.unchained.rows) == (BEGAN, 0)

    write(database, ROWS)
    assert checked(database, outside, AFTER + SECOND).unchained.rows == 1
    link(database, AFTER + SECOND)
    second = checked(database, outside, AFTER + 2 * SECOND)
    assert (second.checked.mark.number, second.checked.at) == (ROWS + 1, AFTER + 2 * SECOND)
    assert second.checked.whole_at == AFTER
    assert second.unchained.rows == 0


def test_a_long_log_is_checked_in_slices(there: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rounds, "SLICE", 5)
    outside = made(there, tmp_path, ROWS)
    seen = []
    while step(there, outside, OWNER, now=lambda: AFTER):
        with there.read() as connection:
            running = audit_rounds.state(connection, now=AFTER).checked.running
        assert running is not None
        seen.append(running.number)
    assert seen == [5, 10]


def test_everything_is_checked_again_each_hour_and_when_somebody_asks(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    checked(there, outside, AFTER)
    assert checked(there, outside, AFTER + EVERY / 2).checked.whole_at == AFTER
    assert checked(there, outside, AFTER + EVERY).checked.whole_at == AFTER + EVERY
    with there.write() as connection:
        audit_rounds.ask(connection, now=AFTER + EVERY + SECOND)
    with there.read() as connection:
        assert audit_rounds.state(connection, now=AFTER + EVERY + SECOND).is_asked
    state = checked(there, outside, AFTER + EVERY + 2 * SECOND)
    assert state.checked.whole_at == AFTER + EVERY + 2 * SECOND
    assert not state.is_asked


def test_it_can_be_asked_for_before_anything_was_linked(there: Database) -> None:
    with there.write() as connection:
        audit_rounds.ask(connection, now=BEGAN)
    write(there, 0)
    assert link(there, BEGAN + STEP) == 1


def _change(database: Database, statement: str) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))
        connection.execute(text("commit"))
        connection.execute(text("begin"))


def test_a_change_of_what_was_checked_long_ago_is_found_within_the_hour(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    checked(there, outside, AFTER)
    _change(there, "update audit set actor = 'x' where id = (select audit_id from audit_link where number = 4)")
    fault = checked(there, outside, AFTER + EVERY).checked.fault
    assert fault is not None
    assert (fault.kind, fault.number) == ("edited", 4)


def test_a_cut_tail_is_found_at_once(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    checked(there, outside, AFTER)
    _change(there, "delete from audit_link where number > 9")
    fault = checked(there, outside, AFTER + SECOND).checked.fault
    assert fault is not None
    assert (fault.kind, fault.number) == ("cut", 10)


def test_a_mark_that_somebody_else_wrote_is_forgotten(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    checked(there, outside, AFTER)
    with there.write() as connection:
        held = connection.execute(select(audit_turn.c.checked)).scalar_one()
        forged = held | {"fault": None, "began_at": held["began_at"] + 10**12, "whole_at": held["whole_at"] + 10**12}
        connection.execute(update(audit_turn).values(checked=forged))
    _change(there, "update audit set actor = 'x' where id = (select audit_id from audit_link where number = 4)")
    assert checked(there, outside, AFTER + SECOND).checked.fault is not None


def test_what_is_no_mark_at_all_stops_nothing(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    marks: tuple[Any, ...] = ([], {"mark": 7}, {"at": 10**30, "whole_at": None, "began_at": None}, "text")
    for held in marks:
        with there.write() as connection:
            connection.execute(update(audit_turn).values(checked=held))
        with there.read() as connection:
            assert audit_rounds.state(connection, now=AFTER).checked == audit_rounds.Checked()
    assert checked(there, outside, AFTER).checked.mark.number == ROWS


def test_heads_that_cannot_be_read_are_a_fault_with_its_place(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    (outside.folder / "latest.json").write_text("{")
    fault = checked(there, outside, AFTER).checked.fault
    assert fault is not None
    assert "latest.json line 1" in fault.words


def test_another_worker_checks_only_when_it_has_the_turn(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    with there.read() as connection:
        until = connection.execute(select(audit_turn.c.expires_at)).scalar_one()
    assert not step(there, outside, "another", now=lambda: until - SECOND)
    with there.read() as connection:
        assert audit_rounds.state(connection, now=until).checked.at is None
    assert checked(there, outside, until, owner="another").checked.mark.number == ROWS


def test_edits_of_any_kind_are_found_by_the_rounds_too(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, ROWS)
    with tampering(there) as connection:
        edit(connection, random.Random(3))
        connection.execute(text("commit"))
        connection.execute(text("begin"))
    assert checked(there, outside, AFTER).checked.fault is not None
