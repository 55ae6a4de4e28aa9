"""The pulse of the shift log: that there is a new line or a new signature. What it says is read by who may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from models import shift_log

KEY = "log"
NAME = "Shift log"


@dataclass(frozen=True, slots=True)
class Frame:
    """The newest line about the brands in scope or about none (0 = there is none), and the newest signature."""

    newest_id: int
    signed_at: datetime | None


def query(connection: Connection, question: Question) -> Frame:
    """Two bounded reads; nothing of what anybody wrote."""
    brands = question.scope.brand_ids
    return Frame(
        shift_log.newest_id(connection, brands),
        shift_log.newest_signature(connection, brands, now=question.now),
    )


def draw(found: Frame) -> Props:
    """Ids go as text: a browser rounds beyond 2^53."""
    signed = "" if found.signed_at is None else found.signed_at.isoformat()
    return {"log-pulse": {"newest": str(found.newest_id or ""), "signed": signed}}


def place() -> Component:
    """Nothing to look at: an element that takes no room, for assets/shift-log.js to be told by."""
    return html.Span(id="log-pulse", hidden=True)


PANEL = Panel(
    key=KEY,
    topics=("log",),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
)
