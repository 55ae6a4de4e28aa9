"""Files written for a test, and all that the file connector reads from them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.connectors.file import Config, fetch
from ingest.found import Cursor, Found, Page, SetAside

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = "id,text,posted_at\n"
COLUMNS = {"network": "x"}


def pages(config: Config, cursor: Cursor | None = None) -> list[Page]:
    """Every page from the cursor to the end of the file."""
    read: list[Page] = []
    while not read or read[-1].more:
        read.append(fetch(config, cursor, now=NOW))
        cursor = json.loads(json.dumps(read[-1].cursor))
    assert read[-1].done
    assert read[-1].progress == 1.0
    return read


def everything(config: Config) -> tuple[list[Found], list[SetAside]]:
    read = pages(config)
    return [post for page in read for post in page.found], [aside for page in read for aside in page.set_aside]


def written(folder: Path, content: bytes | str, name: str = "posts.csv", **named: Any) -> Config:
    """A config for a file with this content, its network named."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Config.model_validate({"path": path, "columns": COLUMNS, **named})


def one(folder: Path, **cells: str) -> tuple[Found, tuple[SetAside, ...]]:
    """The post of a row with these cells, and what was set aside of it."""
    row = {"id": "1", "text": "hello", "posted_at": "2026-02-22T10:00:00Z", **cells}
    table = io.StringIO()
    csv.writer(table).writerows([row.keys(), row.values()])
    columns = {**COLUMNS, **{name: name for name in cells if name != "text"}}
    page = fetch(written(folder, table.getvalue(), columns=columns), None, now=NOW)
    assert len(page.found) == 1, page.set_aside
    return page.found[0], page.set_aside
