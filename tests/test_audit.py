"""models/audit.py: rows that stand with the change they tell of, and never hold a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from models import audit
from models.database import Database
from models.errors import AccessDenied
from models.tables.audit import KEPT

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def add(database: Database, action: str = "person.added", **given: object) -> int:
    fields = {"at": NOW, "action": action, "subject": "ana@meridian.example", "actor": "command line"} | given
    with database.write() as connection:
        return audit.record(connection, **fields)  # type: ignore[arg-type]


def rows(database: Database, limit: int = 10) -> tuple[audit.Entry, ...]:
    with database.read() as connection:
        return audit.newest(connection, limit)


def test_a_row_says_who_did_what_to_whom_and_when(database: Database) -> None:
    details = {"right": "viewer", "brand_ids": frozenset({3, 2}), "rows": 12, "from": NOW, "none": None}
    identifier = add(database, person_id=7, details=details)
    assert rows(database) == (
        audit.Entry(
            id=identifier,
            at=NOW,
            person_id=7,
            actor="command line",
            action="person.added",
            subject="ana@meridian.example",
            details={"right": "viewer", "brand_ids": [2, 3], "rows": 12, "from": NOW.isoformat(), "none": None},
        ),
    )


def test_the_newest_rows_come_first_and_no_more_than_asked(database: Database) -> None:
    for minute in range(5):
        add(database, f"thing.done{minute}", at=NOW + timedelta(minutes=minute))
    assert [row.action for row in rows(database, 3)] == ["thing.done4", "thing.done3", "thing.done2"]


def test_a_row_vanishes_with_the_change_it_tells_of(database: Database) -> None:
    def change() -> None:
        with database.write() as connection:
            audit.record(connection, at=NOW, action="person.added", subject="x", actor="y")
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        change()
    assert rows(database) == ()


def test_a_detail_that_is_a_secret_by_name_is_refused(database: Database) -> None:
    for key in (
        "password",
        "new_password",
        "Token",
        "csrf-token",
        "api_key",
        "Client-Secret",
        "PASSWORD_HASH",
        "cookie",
    ):
        with pytest.raises(ValueError, match="never written to the audit log"):
            add(database, details={"settings": [{key: "hunter2"}]})
    assert rows(database) == ()


def test_text_that_could_hurt_a_log_or_a_database_is_made_harmless(database: Database) -> None:
    add(database, subject="a\x00b\u202ec\ud800d\ne", details={"k\x00": "v\x00"})
    (row,) = rows(database)
    assert row.subject == "a�b�c�d�e"
    assert row.details == {"k�": "v�"}


def test_a_long_text_is_cut_visibly(database: Database) -> None:
    add(database, subject="x" * 1_000_000)
    subject = rows(database)[0].subject
    assert len(subject) == audit.LONGEST_TEXT
    assert subject.endswith("…")


def test_an_action_is_a_short_ascii_word(database: Database) -> None:
    for action in ("", "x" * 65, "persön.added"):
        with pytest.raises(ValueError, match="audit action"):
            add(database, action)


def test_what_cannot_be_kept_is_refused_by_name(database: Database) -> None:
    with pytest.raises(ValueError, match=r"details\.file: bytes"):
        add(database, details={"file": b"raw"})


# -- what belongs to a case, and what a customer wrote -----------------------------------------------------------


def test_a_row_says_from_where_it_came_and_to_which_case_it_belongs(database: Database) -> None:
    add(database, address="192.0.2.7", brand_id=3, case_id=4_000_000_000_000_000_001)
    (row,) = rows(database)
    assert (row.address, row.brand_id, row.case_id) == ("192.0.2.7", 3, 4_000_000_000_000_000_001)


def test_before_and_after_hold_what_differs_alone() -> None:
    before, after = {"state": "open", "team": 2, "level": 0}, {"state": "resolved", "team": 2, "resolved_at": 5}
    assert audit.difference(before, after) == {
        "before": {"state": "open", "level": 0, "resolved_at": None},
        "after": {"state": "resolved", "level": None, "resolved_at": 5},
    }


def test_what_a_customer_wrote_can_be_recognised_and_not_read() -> None:
    one, same, other = audit.hashed("My card \ud800 is declined"), audit.hashed("My card \ud800 is declined"), "x"
    assert one == same != audit.hashed(other)
    assert one.startswith("sha256:")
    assert len(one) == 71


def test_no_statement_of_ours_changes_or_deletes_a_row(database: Database) -> None:
    add(database)
    for table in KEPT:
        for statement in (delete(table), update(table).values({table.primary_key.columns[0]: 1})):
            with pytest.raises(AccessDenied, match="only added"), database.write() as connection:
                connection.execute(statement)
    assert len(rows(database)) == 1


def test_the_database_refuses_what_goes_past_us(database: Database) -> None:
    add(database)
    verbs = ["update audit set subject = 'x'", "delete from audit"]
    if not database.is_sqlite:
        verbs.append("truncate audit")
    for statement in verbs:
        with pytest.raises(DBAPIError, match="only added"), database.write() as connection:
            connection.execute(text(statement))
    assert rows(database)[0].subject == "ana@meridian.example"
