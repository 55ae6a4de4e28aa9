"""models/export.py: what is written out reads back as it was, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access import Access, Request, Window, narrow
from models.database import Database
from models.export import COLUMNS, guarded, unguarded, write_csv, write_jsonl
from models.mentions import export_rows
from models.organisation import current
from models.organisation_file import apply, read
from tests.command_line import AIRLINES

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FORMULA = st.sampled_from(["=1+1", "'=1", "''=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'", "it's", "'twas", ""])


def row(**values: Any) -> dict[str, Any]:
    return {name: values.get(name) for name in COLUMNS}


@given(st.text() | FORMULA | st.builds(str.__add__, FORMULA, st.text()))
def test_a_guarded_text_is_no_formula_and_reads_back(text: str) -> None:
    cell = guarded(text)
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert unguarded(cell) == text


@given(st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"])) | FORMULA})))
def test_csv_and_json_lines_read_back_exactly(values: list[dict[str, str]]) -> None:
    rows = [row(brand="united", id="9007199254740993", followers=12, **value) for value in values]
    table, lines = io.StringIO(newline=""), io.StringIO(newline="")
    assert write_csv(iter(rows), table) == write_jsonl(iter(rows), lines) == len(rows)
    table.seek(0)
    read_back = list(csv.DictReader(table))
    assert [unguarded(item["text"]) for item in read_back] == [item["text"] for item in rows]
    assert all(item["id"] == "9007199254740993" and item["followers"] == "12" for item in read_back)
    parts = lines.getvalue().split("\n")[:-1]
    assert [json.loads(part) for part in parts] == rows


def test_an_export_without_a_mention_has_its_header() -> None:
    table = io.StringIO(newline="")
    assert write_csv(iter(()), table) == 0
    assert table.getvalue() == ",".join(COLUMNS) + "\r\n"


def test_the_columns_are_those_that_mentions_hand_out(database: Database) -> None:
    from ingest.found import Author, Found
    from ingest.pipeline import Pipeline
    from ingest.store import store
    from models import sources

    with database.write() as connection:
        apply(connection, read(AIRLINES), actor="test", now=NOW)
        organisation = current(connection, NOW)
        source_id = sources.add(connection, name="s", kind="file", network_id=1, config={}, every_seconds=60, now=NOW)
        post = Found("x", "1", NOW, "@united = late", Author("ana", "ana", "Ana", 5))
        store(
            connection, Pipeline(organisation).enrich([post]), source_id=source_id, organisation=organisation, now=NOW
        )
    everything = Access(0, "", "test", frozenset({"admin"}))
    window = Window("export", NOW - timedelta(days=1), NOW + timedelta(days=1), 86_400, live=False)
    with database.read() as connection:
        (exported,) = export_rows(connection, narrow(Request(), everything, organisation), window, organisation)
    assert tuple(exported) == COLUMNS
    assert (exported["brand"], exported["external_id"], exported["text"], exported["team"]) == (
        "united",
        "1",
        "@united = late",
        "national-desk",
    )


@pytest.mark.prove
@pytest.mark.parametrize("write", [write_csv, write_jsonl])
def test_an_export_takes_no_more_memory_when_it_is_longer(write: Any) -> None:
    class Nowhere(io.TextIOBase):
        def write(self, text: str) -> int:
            return len(text)

    def rows(number: int) -> Iterator[dict[str, Any]]:
        return (row(text=f"{n} " + "x" * 1000) for n in range(number))

    tracemalloc.start()
    try:
        assert write(rows(5_000), Nowhere()) == 5_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 5,000 rows of a kilobyte are 5 MB.
    assert peak < 500_000
