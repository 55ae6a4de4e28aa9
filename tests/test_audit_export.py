"""models/audit_export.py: a copy that others can check, and one for spreadsheets."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.audit_chain import BEGINNING
from models.audit_export import COLUMNS, csv_lines, json_lines
from models.audit_heads import Head
from models.audit_reading import Wanted
from models.database import Database
from models.tables.base import from_microseconds
from tests.audit_made_up import BEGAN, STEP, made, write

ROWS = 20
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HASHED = (
    "action", "actor", "address", "at", "brand_id", "case_id", "details", "id", "linked_at", "number", "person_id",
    "previous", "subject",
)  # fmt: skip


@pytest.fixture
def there(database: Database, tmp_path: Path) -> Database:
    made(database, tmp_path, ROWS)
    write(database, ROWS)
    return database


def exported(database: Database, wanted: Wanted = Wanted(), most: int | None = None) -> list[dict[str, Any]]:  # noqa: B008
    with database.read() as connection:
        return [json.loads(line) for line in json_lines(connection, wanted, most=most, now=NOW)]


def test_anybody_can_check_each_row_and_head_of_an_export(there: Database) -> None:
    about, *rest = exported(there)
    rows = [line for line in rest if line["kind"] == "row"]
    heads = [line for line in rest if line["kind"] == "head"]
    assert "SHA-256" in about["how_to_check"]
    assert len(rows) == ROWS + 1
    assert rows[0]["hash"] is None, "the newest row waits for its link"
    hashes = {0: BEGINNING} | {row["number"]: row["hash"] for row in rows[1:]}
    for row in rows[1:]:
        text = json.dumps({name: row[name] for name in HASHED}, separators=(",", ":"), ensure_ascii=False)
        assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()
        assert row["previous"] == hashes[row["number"] - 1]
    assert len(heads) == 1
    values = {name: heads[0][name] for name in ("day", "number", "hash", "key", "signature")}
    head = Head(kind=heads[0]["head"], signed_at=from_microseconds(heads[0]["signed_at"]), **values)
    assert head.holds()
    assert head.hash == hashes[head.number]
    assert rest[-1] == {"kind": "end", "rows": ROWS + 1, "heads": 1, "is_cut": False, "most": None}


def test_an_export_is_cut_after_the_newest_rows_and_says_so(there: Database) -> None:
    lines = exported(there, most=5)
    assert [line["kind"] for line in lines].count("row") == 5
    assert lines[1]["subject"] == f"case {ROWS} of Halden Bank"
    assert lines[-1]["is_cut"]


def test_an_export_holds_what_the_filter_lets_through(there: Database) -> None:
    lines = exported(there, Wanted(start=BEGAN + 3 * STEP, end=BEGAN + 10 * STEP, action="reply."))
    assert [line["subject"].split()[1] for line in lines if line["kind"] == "row"] == ["8", "5"]


def test_a_spreadsheet_gets_every_row_and_no_formula(there: Database) -> None:
    write(there, ROWS + 1, subject='=HYPERLINK("x")', actor="+1")
    with there.read() as connection:
        lines = list(csv.reader(csv_lines(connection, Wanted(), most=3, now=NOW)))
    assert lines[0] == ["about", "audit log, written 2026-11-22 09:00:00 UTC, newest first"]
    assert lines[1] == list(COLUMNS)
    first = dict(zip(COLUMNS, lines[2], strict=True))
    assert (first["subject"], first["actor"], first["number"]) == ('\'=HYPERLINK("x")', "'+1", "")
    assert dict(zip(COLUMNS, lines[4], strict=True))["number"] == str(ROWS)
    assert lines[5] == ["about", "cut after the newest 3 rows"]
