"""How many answers are late or due within a quarter of an hour: the number at the desk's name, on every page."""

from __future__ import annotations

from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from models import mention_cases
from models.database import changes
from models.mention_cases import Due

KEY = "due"
URGENT = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """The next answers due, the late ones first, and how often replies have changed.

    Whose turn it is to sign is personal: a browser whose person may asks for it when `replies` grows.
    """

    dues: tuple[Due, ...]
    brand_names: dict[int, str]
    replies: int


def query(connection: Connection, question: Question) -> Frame:
    """Of the brands in scope, wherever somebody sees cases."""
    asked = question.scope.brand_ids
    return Frame(
        mention_cases.dues(connection, question.organisation, question.anybody, asked, now=question.now),
        question.organisation.brand_names,
        changes(connection, "replies", asked),
    )


def draw(found: Frame) -> Props:
    """Instants: the browser counts those that are near, each second; the most urgent by name, since they call."""
    urgent = [
        {"id": str(one.key), "at": one.at.isoformat(), "brand": found.brand_names.get(one.key.brand_id, "")}
        for one in found.dues
        if one.priority == URGENT
    ]
    return {
        "due-count": {
            "dues": [one.at.isoformat() for one in found.dues],
            "most": mention_cases.MOST_DUES,
            "urgent": urgent,
            "replies": found.replies,
        }
    }


def place() -> Component:
    """Nothing of its own to see: the number is drawn at the name of the page."""
    return html.Span(html.Span(id="due-count"), id=f"panel-{KEY}", hidden=True)


PANEL = Panel(
    key=KEY,
    topics=("cases", "replies", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
    reads_cases=True,
)
