"""The head of the page of an incident: what it is, its figures, what it holds back, when the public hears more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, select

from dashboard import style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, incident_words
from models import incident_ending, incident_figures
from models.incident_ending import Questions
from models.incident_figures import Curve, Said, Work
from models.incident_reading import Incident
from models.tables import person

KEY = "incident"
NAME = "The incident"


@dataclass(frozen=True, slots=True)
class Frame:
    """The incident with its figures as far as somebody sees them, and what its end would ask."""

    incident: Incident
    lead: str
    curve: Curve
    said: Said
    work: Work
    asks: Questions
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """Counts from the rollups and from its cases."""
    item = incident_words.found(connection, question)
    who, organisation, now = question.anybody, question.organisation, question.now
    lead = connection.execute(select(person.c.name).where(person.c.id == item.lead_id)).scalar()
    return Frame(
        item,
        lead or "",
        incident_figures.curve(connection, organisation, who, item, now=now),
        incident_figures.said(connection, organisation, who, item, now=now),
        incident_figures.work(connection, organisation, who, item, now=now),
        incident_ending.questions(connection, item, organisation),
        question.zone,
        now,
    )


def draw(found: Frame) -> Props:
    """The card and what is held back; instants in ISO."""
    item = found.incident
    shown = found.curve.whole[-1:] if item.is_open(found.now) else ((found.curve.peak,) if found.curve.peak else ())
    times = incident_words.times(shown[0].mentions, shown[0].middle) if shown else ""
    card = incident_words.plain(item, lead=found.lead, now=found.now) | incident_words.net(found.said.net)
    card |= {
        "reason": item.reason,
        "declared_by": item.declared_by,
        "when": incident_words.clock(item.declared_at, found.zone, found.now),
        "times": times,
        "times_words": "expected volume" if item.is_open(found.now) else "expected at its peak",
        "mentions": f"{found.said.mentions:,}",
        "reach": style.short(found.said.reach),
        "reach_words": "est." if found.said.reach_each_once else "est., days added up",
        "cases": found.work.cases,
        "waiting": found.work.waiting,
        "late": found.work.late,
        "oldest": incident_words.iso(found.work.oldest_waiting),
        "part": found.curve.is_part,
    }
    held = {
        "rows": [
            {"words": "Replies waiting for sign-off", "count": found.asks.awaiting, "href": "/respond"},
            {"words": "Approved, not sent yet", "count": found.asks.approved, "href": "/respond"},
            {"words": "Cases that wait for an answer", "count": found.work.waiting, "href": "/respond"},
        ],
        "held": incident_words.HELD[item.outbound] if item.is_open(found.now) else "",
    }
    return {"incident-card": card, "incident-held": held, "incident-state": frame.NO_STATE}


def table(found: Frame) -> Table:
    """One row a figure."""
    said, work = found.said, found.work
    rows = (
        ("Mentions", said.mentions),
        ("Net sentiment (pts)", None if said.net is None else round(said.net, 1)),
        ("Scored", said.scored),
        ("Reach, estimated", said.reach),
        ("Cases", work.cases),
        ("Waiting", work.waiting),
        ("Late", work.late),
        ("Answered", work.answered),
        ("Replies sent", work.sent),
    )
    about = exported.line(found.incident.label, found.now, found.zone, f"{said.mentions:,} mentions")
    return Table(f"{found.incident.label}: {found.incident.name}", about, ("Figure", "Value"), rows)


def place() -> Component:
    """One row at its final height; the browser writes into it."""
    card = html.Div(id="incident-card", className="ihead")
    return frame.box(KEY, NAME, card, head=False, class_name="incident-panel")


PANEL = Panel(
    key=KEY,
    topics=("incidents", "mentions", "cases", "replies", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES,
    table=table,
    reads_cases=True,
)
