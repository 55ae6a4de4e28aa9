"""A small screen for tests of the live link: two panels that read the database and count how often they are asked."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Connection, insert, select

from dashboard import figures
from dashboard.panel import Panel, Question
from dashboard.views.view import Address, View
from models.access import Access
from models.database import Database, raise_change
from models.tables import brand, competitor, setting

NOW = datetime(2026, 11, 19, 14, 32, 10, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=900)
ADMIN = Access(1, "admin@meridian.example", "Admin", frozenset({"admin"}))
ONLY_CORVANE = Access(2, "ines@meridian.example", "Ines", frozenset({"viewer"}), brand_ids=frozenset({2}))
NOBODY = Access(3, "new@meridian.example", "New", frozenset())


class Clock:
    """Seconds that pass when the test says so; the time of day follows."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000.0)

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


class Screen:
    """The panels `count` (how often mentions of its brands changed) and `sources`, with what was asked of them."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, Question]] = []
        self.failing: set[str] = set()
        self.before_read: Callable[[], None] = lambda: None
        self.lock = threading.Lock()
        self.view = View(
            key="test",
            path="/",
            title="Test",
            icon="command",
            panels=(
                self._panel("count", ("mentions",), self._count, frozenset()),
                self._panel(
                    "sources",
                    ("sources",),
                    self._sources,
                    frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
                ),
            ),
            place=self.place,
        )

    def find(self, path: str) -> Address | None:
        return Address(self.view) if path in ("/", "/wall", "/audience") else None

    def asked(self, panel: str) -> int:
        with self.lock:
            return sum(1 for name, _ in self.questions if name == panel)

    def place(self) -> Component:
        return html.Div([panel.place() for panel in self.view.panels])

    def _panel(self, key: str, topics: tuple[str, ...], query: Any, ignores: frozenset[str]) -> Panel:
        def asked(connection: Connection, question: Question) -> Any:
            with self.lock:
                self.questions.append((key, question))
            if key in self.failing:
                raise RuntimeError("this panel is broken on purpose")
            return query(connection, question)

        def place() -> Component:
            children: list[Component] = [html.Div(id=f"{key}-words")]
            if key == "count":
                children += [
                    html.B(id="count-drawn"),
                    dcc.Graph(id="count-graph", figure=figures.figure([], revision="")),
                ]
            return html.Section(children, id=f"panel-{key}")

        return Panel(key, topics, asked, lambda drawn: drawn, place, ignores)

    def _count(self, connection: Connection, question: Question) -> dict[str, dict[str, Any]]:
        self.before_read()
        rows = connection.execute(
            select(brand.c.name).where(brand.c.id.in_(question.scope.brand_ids)).order_by(brand.c.id)
        ).scalars()
        n = change_count(connection, question.scope.brand_ids)
        return {
            "count-words": {"children": f"{n} for {', '.join(rows)}"},
            "count-drawn": {"n": n},
            "count-graph": {
                "figure": figures.figure(
                    [figures.line(["2026-11-19 14:00:00", "2026-11-19 14:30:00"], [0, n], colour="$pos")],
                    revision="r",
                )
            },
        }

    def _sources(self, connection: Connection, question: Question) -> dict[str, dict[str, Any]]:
        return {"sources-words": {"children": f"sources of {question.zone}"}}


def change_count(connection: Connection, brand_ids: tuple[int, ...]) -> int:
    """How often mentions of these brands changed, from the table that the hub watches."""
    rows = connection.exec_driver_sql("select brand_id, n from change where topic = 'mentions'")
    return sum(n for brand_id, n in rows if brand_id in brand_ids)


def fill(database: Database) -> None:
    """Three brands of ours, a competitor of the first, one source that nobody has fetched."""
    with database.write() as connection:
        named = [("corvane", "own"), ("halden", "own"), ("velta", "own"), ("rival", "competitor")]
        for number, (key, kind) in enumerate(named, start=2):
            connection.execute(
                insert(brand).values(
                    id=number,
                    key=key,
                    name=key.title(),
                    kind=kind,
                    monogram=key[:2],
                    valid_from=NOW - timedelta(days=9),
                )
            )
        connection.execute(insert(competitor).values(brand_id=2, competitor_id=5))
        connection.execute(insert(setting).values(key="zone", value="Europe/Amsterdam"))


def mention_comes(database: Database, *brand_ids: int) -> None:
    """What the store does at the end of a page."""
    with database.write() as connection:
        raise_change(connection, "mentions", brand_ids)


def opened(frame: bytes) -> dict[str, Any]:
    """A frame as the browser reads it."""
    found = orjson.loads(zlib.decompress(frame, -15))
    assert isinstance(found, dict)
    return found
