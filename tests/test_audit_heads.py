"""models/audit_heads.py: what proves the log from outside the database."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from models.audit_chain import newest_link
from models.audit_check import Known, verify
from models.audit_heads import DAY, NOW, Outside, note_restored, read_heads, sign_finished_day, sign_now, stored_heads
from models.database import Database
from models.errors import InputError
from models.tables import audit_head
from tests.audit_made_up import BEGAN, STEP, link, made, note, tampering, write
from tests.empty import empty_database

ROWS = 20
AFTER = BEGAN + ROWS * STEP


@pytest.fixture
def there(tmp_path: Path) -> Database:
    return empty_database(tmp_path)


def whole(database: Database, outside: Outside) -> bool:
    key = outside.public_key()
    assert key is not None
    with database.read() as connection:
        return verify(connection, Known(outside.heads(), frozenset({key})), now=AFTER).is_whole


def test_the_key_is_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    assert outside.public_key() is None
    sealed = outside.seal(b"text")
    assert stat.S_IMODE(outside.key_path.stat().st_mode) == 0o600
    assert Outside(tmp_path).opens(b"text", sealed)
    assert not outside.opens(b"another text", sealed)
    assert not outside.opens(b"text", "no signature")
    assert [path.name for path in outside.folder.iterdir()] == ["signing.key"]


def test_a_head_holds_until_a_word_of_it_is_changed(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, 2)
    with there.read() as connection:
        last = newest_link(connection)
    assert last is not None
    head = outside.signed(NOW, last, day="2026-11-20", now=BEGAN)
    assert head.holds()
    for changed in (
        replace(head, number=1),
        replace(head, hash="0" * 64),
        replace(head, day="2026-11-21"),
        replace(head, kind=DAY),
        replace(head, signed_at=BEGAN + STEP),
        replace(head, signature="00"),
        replace(head, key="no key"),
    ):
        assert not changed.holds()


def test_a_day_is_signed_once_after_it_ended_in_the_database_and_outside(database: Database, tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    for number in range(ROWS):
        write(database, number)
    link(database, BEGAN + 3 * STEP)
    midnight = BEGAN.replace(hour=0) + timedelta(days=1)
    assert sign_finished_day(database, outside, now=midnight - timedelta(seconds=1)) is None
    link(database, AFTER)

    head = sign_finished_day(database, outside, now=midnight)

    assert head is not None
    assert (head.kind, head.day, head.number) == (DAY, "2026-11-20", 3)
    assert sign_finished_day(database, outside, now=midnight) is None
    with database.read() as connection:
        assert stored_heads(connection) == (head,)
        path = connection.execute(select(audit_head.c.exported_to)).scalar_one()
    assert read_heads(Path(path)) == (head,)


def test_the_newest_link_can_be_signed_at_any_moment(there: Database, tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    with there.read() as connection:
        assert sign_now(connection, outside, now=BEGAN) is None
    made(there, tmp_path, 2)
    with there.read() as connection:
        head = sign_now(connection, outside, now=AFTER)
    assert head is not None
    assert head in outside.heads()
    assert whole(there, outside)


def test_a_tail_that_was_cut_stays_proved_when_new_rows_take_its_place(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, 5)
    with tampering(there) as connection:
        connection.execute(text("delete from audit where id in (select audit_id from audit_link where number > 3)"))
        connection.execute(text("delete from audit_link where number > 3"))
        connection.execute(text("commit"))
        connection.execute(text("begin"))
    for number in range(5, 8):
        write(there, number)
    link(there, AFTER)

    assert not note(there, outside, AFTER)
    assert outside.heads()[-1].number == 5
    assert not whole(there, outside)


def test_a_backup_put_in_its_place_is_said_and_no_fault(there: Database, tmp_path: Path) -> None:
    outside = made(there, tmp_path, 5)
    with tampering(there) as connection:
        connection.execute(text("delete from audit where id in (select audit_id from audit_link where number > 3)"))
        connection.execute(text("delete from audit_link where number > 3"))
        connection.execute(text("commit"))
        connection.execute(text("begin"))
    assert note_restored(there, outside, now=AFTER) is not None
    write(there, 20)
    link(there, AFTER + STEP)
    assert note(there, outside, AFTER + STEP)
    with there.read() as connection:
        verdict = verify(connection, Known(outside.heads()), now=AFTER + STEP)
    assert verdict.is_whole
    assert verdict.notes == (
        "a backup that ended with row 3 was restored 2026-11-21 02:00:00 UTC, and 2 rows were lost",
    )


def test_where_nothing_was_signed_a_backup_needs_no_note(there: Database, tmp_path: Path) -> None:
    outside = Outside(tmp_path / "elsewhere")
    assert note_restored(there, outside, now=AFTER) is None
    assert not outside.folder.exists()


@pytest.mark.parametrize("line", ["{", "{}", '{"kind": "day", "number": "x"}', "[]", "7"])
def test_a_line_that_is_no_head_is_refused_by_its_place(line: str, tmp_path: Path) -> None:
    path = tmp_path / "heads-2026.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"heads-2026\.jsonl line 2: is no signed head"):
        read_heads(path)
