"""models/audit_reading.py: newest first, a bounded page at a time, whatever is filtered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models import audit_reading
from models.audit_reading import Wanted, around, choices, counted, newer, numbered, page
from models.database import EARLIEST, Database
from models.errors import NotFound
from tests.audit_made_up import BEGAN, STEP, link, tampering, write

ROWS = 12


@pytest.fixture
def there(database: Database) -> Database:
    """Twelve rows, the last without a link."""
    for number in range(ROWS - 1):
        write(database, number)
    link(database, BEGAN + (ROWS - 2) * STEP + timedelta(seconds=1))
    write(database, ROWS - 1)
    return database


def subjects(database: Database, wanted: Wanted = Wanted(), **more: int) -> list[int]:  # noqa: B008
    with database.read() as connection:
        return [int(row.subject.split()[1]) for row in page(connection, wanted, **more).rows]


def test_pages_lead_from_the_newest_row_to_the_oldest(there: Database) -> None:
    seen, before = [], None
    for _ in range(4):
        with there.read() as connection:
            found = page(connection, Wanted(), before_id=before, limit=5)
        seen += [int(row.subject.split()[1]) for row in found.rows]
        before = found.before_id
        if before is None:
            break
    assert seen == list(range(ROWS - 1, -1, -1))
    assert before is None


def test_a_row_comes_with_its_link_or_without(there: Database) -> None:
    with there.read() as connection:
        last, linked = page(connection, Wanted(), limit=2).rows
    assert (last.number, last.hash, last.linked_at) == (None, None, None)
    assert linked.number == ROWS - 1
    assert linked.linked_at == BEGAN + (ROWS - 2) * STEP + timedelta(seconds=1)
    assert linked.details == {
        "before": {"claimed_by": None}, "after": {"claimed_by": 3}, "reason": "Zoë: “next”",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (Wanted(start=BEGAN + 9 * STEP), [11, 10, 9]),
        (Wanted(end=BEGAN + 2 * STEP), [1, 0]),
        (Wanted(person_id=2), [9, 5, 1]),
        (Wanted(actor="person3@meridian.example"), [11, 7, 3]),
        (Wanted(action="reply."), [11, 8, 5, 2]),
        (Wanted(action="case.claim"), [9, 6, 3, 0]),
        (Wanted(subject="case 7 of Halden Bank"), [7]),
        (Wanted(text="CASE 1"), [11, 10, 1]),
        (Wanted(text="10"), [10, 9]),
        (Wanted(text="100%_"), []),
        (Wanted(brand_id=3, case_id=4_000_000_000_000_000_004), [4]),
        (Wanted(brand_id=4), []),
    ],
)
def test_a_filter_lets_through_what_it_says(wanted: Wanted, seen: list[int], there: Database) -> None:
    assert subjects(there, wanted) == seen


def test_a_filter_that_lets_little_through_looks_at_so_many_rows_and_says_how_far(
    there: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_reading, "LOOK", 5)
    with there.read() as connection:
        first = page(connection, Wanted(person_id=1))
        assert [row.subject for row in first.rows] == ["case 8 of Halden Bank"]
        assert first.looked_to is not None
        assert abs(first.looked_to - (BEGAN + 6 * STEP)) < timedelta(seconds=1)
        second = page(connection, Wanted(person_id=1), before_id=first.before_id)
        assert [row.subject for row in second.rows] == ["case 4 of Halden Bank"]
        third = page(connection, Wanted(person_id=1), before_id=second.before_id)
        assert [row.subject for row in third.rows] == ["case 0 of Halden Bank"]
        assert (third.before_id, third.looked_to) == (None, None)


def test_what_came_since_is_read_alone(there: Database) -> None:
    with there.read() as connection:
        newest = page(connection, Wanted(), limit=3).rows
        found = newer(connection, Wanted(), after_id=newest[2].id)
        assert [row.id for row in found] == [newest[0].id, newest[1].id]
        assert newer(connection, Wanted(), after_id=newest[0].id) == ()


def test_rows_are_counted_by_step_and_only_so_many(there: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with there.read() as connection:
        found = counted(connection, Wanted(), step=6 * STEP)
        assert (found.rows, found.is_part) == (ROWS, False)
        assert list(found.steps.values()) == [6, 6]
        monkeypatch.setattr(audit_reading, "MOST_COUNTED", 4)
        part = counted(connection, Wanted(), step=6 * STEP)
        assert (part.rows, part.is_part) == (4, True)


def test_around_a_row_stand_the_hash_before_it_and_what_followed(there: Database) -> None:
    write(there, 5, at=BEGAN + 5 * STEP + timedelta(minutes=4), action="case.resolve")
    write(there, 5, at=BEGAN + 5 * STEP + timedelta(minutes=40), action="case.reopen")
    with there.read() as connection:
        fifth = numbered(connection, 6)
        fourth = numbered(connection, 5)
        assert fifth is not None
        assert fourth is not None
        found = around(connection, fifth)
        assert found.previous == around(connection, fourth).row.hash
        assert [row.action for row in found.followed] == ["case.resolve"]
        assert numbered(connection, 99) is None
        with pytest.raises(NotFound):
            around(connection, 7)


def test_what_can_be_chosen_is_what_was_done_lately(there: Database) -> None:
    write(there, ROWS, person_id=None, actor="command line", action="user.added")
    with there.read() as connection:
        found = choices(connection)
    assert found.actions == ("case.claim", "case.release", "reply.draft", "user.added")
    assert found.actors[0] == (None, "command line")
    assert len(found.actors) == 5


def test_a_row_that_somebody_put_in_can_be_seen_whatever_stands_in_it(there: Database) -> None:
    with tampering(there) as connection:
        connection.execute(
            text(
                "insert into audit (id, at, actor, action, subject, details)"
                " values (9223372036854775806, 9223372036854775806, 'x', 'y.z', 's', '[1]')"
            )
        )
        row = page(connection, Wanted(), limit=1).rows[0]
    assert row.at == EARLIEST
    assert row.details == {"unreadable": "[1]"}


def test_an_empty_log_has_an_empty_page(tmp_path: Path, database: Database) -> None:
    with database.read() as connection:
        assert page(connection, Wanted()).rows == ()
        assert counted(connection, Wanted(), step=STEP).rows == 0
        assert choices(connection) == audit_reading.Choices((), ())
