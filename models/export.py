"""Mentions written out, a row at a time: CSV for spreadsheets, JSON Lines for programs. Both read back as they were."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

FORMATS = ("csv", "jsonl")
# The columns, so that an export without a row has its header too; a test holds them equal to what mentions hand out.
COLUMNS = (
    "brand",
    "id",
    "network",
    "external_id",
    "posted_at",
    "received_at",
    "kind",
    "author",
    "author_name",
    "followers",
    "text",
    "url",
    "language",
    "sentiment",
    "place",
    "location",
    "team",
    "likes",
    "replies",
    "reposts",
)
# What a spreadsheet takes for a formula, and the same behind the apostrophes that guard it.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"''*[=+\-@\t\r]")


def write_csv(rows: Iterable[Mapping[str, Any]], file: TextIO) -> int:
    """Write rows with a header; returns their number. No cell is a formula to a spreadsheet."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({key: guarded(value) if isinstance(value, str) else value for key, value in row.items()})
        count += 1
    return count


def write_jsonl(rows: Iterable[Mapping[str, Any]], file: TextIO) -> int:
    """Write an object a line; returns their number."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula; `unguarded` undoes it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell
