"""The timeline of an incident, newest first: evidence, decisions, steps of people, what was late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, incident_words
from models import incident_reading
from models.incident_reading import DECISION, Incident, Line

KEY = "incident-timeline"
NAME = "Timeline"


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines, newest first."""

    incident: Incident
    lines: tuple[Line, ...]
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """A bounded number of lines."""
    item = incident_words.found(connection, question)
    return Frame(item, incident_reading.timeline(connection, item.id), question.zone, question.now)


def draw(found: Frame) -> Props:
    """One entry a line: the first sentence stands out where a line has several parts."""
    rows = [
        {
            "n": line.number,
            "at": line.at.isoformat(),
            "clock": incident_words.clock(line.at, found.zone, found.now),
            "kind": line.kind,
            "word": incident_words.KINDS.get(line.kind, ""),
            "text": line.text,
            "actor": line.actor,
            "href": line.href or "",
        }
        for line in found.lines
    ]
    decisions = sum(line.kind == DECISION for line in found.lines)
    head = frame.head(NAME, "newest first", label=f"{NAME}: {len(rows)} lines, {decisions} decisions")
    return {
        f"{KEY}-list": {"rows": rows, "decisions": decisions},
        f"{KEY}-head": head,
        f"{KEY}-state": frame.NO_STATE,
    }


def table(found: Frame) -> Table:
    """A row a line, oldest first."""
    rows = tuple((line.at, line.kind, line.actor, line.text) for line in reversed(found.lines))
    about = exported.line(found.incident.label, found.now, found.zone, f"{len(rows)} lines")
    return Table(f"{found.incident.label}: timeline", about, ("At", "Kind", "Who", "What"), rows)


def place() -> Component:
    """The box with an empty list."""
    inner = html.Ol(id=f"{KEY}-list", className="itimeline", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, inner, class_name="itimeline-panel")


PANEL = Panel(
    key=KEY,
    topics=("incidents", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES,
    table=table,
    reads_cases=True,
)
