"""How many answers are late or due within a quarter of an hour: the number at the desk's name, on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from models import mention_cases

KEY = "due"


@dataclass(frozen=True, slots=True)
class Frame:
    """When the next answers are due, the late ones first."""

    dues: tuple[datetime, ...]


def query(connection: Connection, question: Question) -> Frame:
    """Of the brands in scope, wherever somebody sees cases."""
    return Frame(
        mention_cases.dues(
            connection, question.organisation, question.anybody, question.scope.brand_ids, now=question.now
        )
    )


def draw(found: Frame) -> Props:
    """Instants: the browser counts those that are near, each second."""
    return {"due-count": {"dues": [at.isoformat() for at in found.dues], "most": mention_cases.MOST_DUES}}


def place() -> Component:
    """Nothing of its own to see: the number is drawn at the name of the page."""
    return html.Span(html.Span(id="due-count"), id=f"panel-{KEY}", hidden=True)


PANEL = Panel(
    key=KEY,
    topics=("cases", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
    reads_cases=True,
)
