"""What a screen shows, as rows: to read as a table, to copy, to take away as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard import scope as url_scope
from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.made import counted_window
from dashboard.panel import Panel, Question, Table
from dashboard.panels import exported
from models import audit, rows_behind
from models.errors import NotFound
from models.export import guarded
from models.metrics import METRICS
from models.networks import BY_ID

Cell = str | float | datetime | None

# Which figure a panel shows, for those that show one.
METRIC_OF = {
    "volume": "mentions",
    "feed": "mentions",
    "locations": "mentions",
    "sentiment": "net_sentiment",
    "topics": "topic_rise",
    "sources": "data_age",
    "our-posts": "engagement_rate",
}
# The same where it depends on what the page is about.
METRIC_OF_SUBJECT = {("share", "brand"): "share_of_voice", ("share", "location"): "share_of_brand_volume"}
ROW_COLUMNS = (
    "Brand",
    "Network",
    "Posted",
    "Received",
    "Author",
    "Followers",
    "Text",
    "Language",
    "Sentiment",
    "Score",
    "Scored by",
    "Location",
)


def panels(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What the panels of the page can give, by key: {table: whether there are rows, metric: its figure or ""}."""
    subject = asked.asked().subject
    kind = subject.kind if subject is not None else ""
    found = {}
    for panel in _panels(asked):
        metric = METRIC_OF_SUBJECT.get((panel.key, kind), METRIC_OF.get(panel.key, ""))
        found[panel.key] = {"table": panel.table is not None, "metric": metric}
    return {"panels": found}


def table(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`panel` of the page as {title, about, columns, rows}; instants in the page's zone. NotFound where it has none."""
    found, question = _table(connection, asked)
    zone = ZoneInfo(question.zone)
    rows = [[_shown(cell, zone) for cell in row] for row in found.rows]
    return {"title": found.title, "about": found.about, "columns": list(found.columns), "rows": rows}


def export_csv(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`panel` of the page as {name, text}: RFC 4180, instants in ISO 8601 with their offset. Leaves an audit row."""
    found, question = _table(connection, asked)
    key = asked.text("panel", longest=64)
    return _exported(connection, asked, question, found, name=key)


def export_rows(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The newest rows behind `metric`, those of `part`, as {name, text}. Leaves an audit row."""
    key, part, question = asked.text("metric", longest=64), asked.text("part", "all", longest=16), asked.asked()
    if key not in METRICS:
        raise NotFound(f'there is no figure "{key}"')
    names = question.organisation
    found: list[tuple[Cell, ...]] = []
    before_id: int | None = None
    while True:
        page = rows_behind.page(
            connection, question.scope, counted_window(question), part=part, before_id=before_id, shown=len(found)
        )
        found += [_row(item, names.brand_names, names.location_names) for item in page.rows]
        before_id = page.before_id
        if before_id is None:
            break
    words = url_scope.words(question.scope, question.window, names)
    counted = f"newest {len(found):,} rows ({part})"
    about = exported.line(words, question.window.end, question.zone, counted)
    rows = Table(f"Rows behind {METRICS[key].label}", about, ROW_COLUMNS, tuple(found))
    return _exported(connection, asked, question, rows, name=f"{key}-rows")


def _exported(
    connection: Connection, asked: Asked, question: Question, found: Table, *, name: str
) -> Mapping[str, Any]:
    audit.record(
        connection,
        at=asked.now,
        action="panel.exported",
        subject=found.title,
        actor=asked.access.email,
        person_id=asked.access.person_id,
        details={"about": found.about, "rows": len(found.rows), "path": str(asked.given.get("path", ""))},
    )
    zone = ZoneInfo(question.zone)
    file = f"{name}-{asked.now.astimezone(zone):%Y%m%d-%H%M}.csv"
    return {"name": file, "text": as_csv(found, zone), "words": f"{len(found.rows):,} rows saved as {file}."}


def as_csv(found: Table, zone: ZoneInfo) -> str:
    """A table as CSV, `about` first, then the names of the columns. No cell is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["about", guarded(found.about)])
    writer.writerow([guarded(column) for column in found.columns])
    writer.writerows(_cells(row, zone) for row in found.rows)
    return out.getvalue()


def _row(item: rows_behind.Behind, brands: Mapping[int, str], locations: Mapping[int, str]) -> tuple[Cell, ...]:
    signs = {1: "positive", 0: "neutral", -1: "negative", None: None}
    network = BY_ID.get(item.network_id)
    return (
        brands.get(item.brand_id),
        network.name if network else None,
        item.posted_at,
        item.received_at,
        item.author,
        item.followers,
        item.text,
        item.language,
        signs[item.sentiment],
        item.score,
        item.set_by or item.scored_by,
        locations.get(item.location_id),
    )


def _panels(asked: Asked) -> tuple[Panel, ...]:
    return asked.address.view.panels if asked.address is not None else ()


def _table(connection: Connection, asked: Asked) -> tuple[Table, Question]:
    question = asked.asked()
    key = asked.text("panel", longest=64)
    panel = next((panel for panel in _panels(asked) if panel.key == key), None)
    if panel is None or panel.table is None:
        raise NotFound(f'no table of a panel "{key}" on this page')
    if panel.reads_cases:
        question = replace(question, reach=asked.access.reach)
    return panel.table(panel.query(connection, question)), question


def _shown(cell: Cell, zone: ZoneInfo) -> str | float | None:
    return cell.astimezone(zone).strftime("%Y-%m-%d %H:%M") if isinstance(cell, datetime) else cell


def _cells(row: Iterable[Cell], zone: ZoneInfo) -> list[str | float]:
    return [_written(cell, zone) for cell in row]


def _written(cell: Cell, zone: ZoneInfo) -> str | float:
    if isinstance(cell, datetime):
        return cell.astimezone(zone).isoformat()
    if isinstance(cell, str):
        return guarded(cell)
    return "" if cell is None else cell


READS: dict[str, Read] = {"table": table, "panels": panels}
ACTS: dict[str, Act] = {"export.csv": export_csv, "export.rows": export_rows}
