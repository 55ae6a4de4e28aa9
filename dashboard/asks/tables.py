"""A panel as a table: to read, to copy, to take away as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.panel import Question, Table
from models.errors import NotFound

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`panel` of the page as {title, about, columns, rows}; instants in the page's zone. NotFound where it has none."""
    found, question = _table(connection, asked)
    zone = ZoneInfo(question.zone)
    rows = [[_shown(cell, zone) for cell in row] for row in found.rows]
    return {"title": found.title, "about": found.about, "columns": list(found.columns), "rows": rows}


def as_csv(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`panel` of the page as {name, text}: RFC 4180, instants in ISO 8601 with their offset."""
    found, question = _table(connection, asked)
    zone = ZoneInfo(question.zone)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["about", found.about])
    writer.writerow(found.columns)
    for row in found.rows:
        writer.writerow([_exported(cell, zone) for cell in row])
    name = f"{asked.text('panel', longest=64)}-{asked.now.astimezone(zone):%Y%m%d-%H%M}.csv"
    return {"name": name, "text": out.getvalue()}


def _table(connection: Connection, asked: Asked) -> tuple[Table, Question]:
    question = asked.asked()
    key = asked.text("panel", longest=64)
    panels = asked.address.view.panels if asked.address is not None else ()
    panel = next((panel for panel in panels if panel.key == key), None)
    if panel is None or panel.table is None:
        raise NotFound(f'no table of a panel "{key}" on this page')
    return panel.table(panel.query(connection, question)), question


def _shown(cell: str | float | datetime | None, zone: ZoneInfo) -> str | float | None:
    return cell.astimezone(zone).strftime("%Y-%m-%d %H:%M") if isinstance(cell, datetime) else cell


def _exported(cell: str | float | datetime | None, zone: ZoneInfo) -> str | float:
    if isinstance(cell, datetime):
        return cell.astimezone(zone).isoformat()
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) else cell
    return "" if cell is None else cell


READS: dict[str, Read] = {"table": table, "csv": as_csv}
ACTS: dict[str, Act] = {}
