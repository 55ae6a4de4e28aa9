"""Every incident that somebody may see: the open ones, then those that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, select

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, incident_words
from models import incident_reading
from models.incident_reading import Incident
from models.organisation import Organisation
from models.tables import incident_report, person

KEY = "incidents"
NAME = "Incidents"


@dataclass(frozen=True, slots=True)
class Frame:
    """Open ones, the worst first; those over, the newest first; their leads; the numbers whose report is final."""

    open: tuple[Incident, ...]
    over: tuple[Incident, ...]
    leads: Mapping[int, str]
    final: frozenset[int]
    organisation: Organisation
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """A bounded list."""
    who, organisation, now = question.anybody, question.organisation, question.now

    def seen(items: tuple[Incident, ...]) -> tuple[Incident, ...]:
        return tuple(item for item in items if incident_reading.may_see(who, organisation, item))

    live = seen(incident_reading.open_now(connection, now))
    over = seen(incident_reading.ended(connection, now))
    leads = {item.lead_id for item in (*live, *over)}
    named = connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(leads)))
    final = connection.execute(
        select(incident_report.c.incident_id).where(
            incident_report.c.incident_id.in_([item.id for item in over]), incident_report.c.is_final
        )
    ).scalars()
    return Frame(live, over, {row.id: row.name for row in named}, frozenset(final), organisation, question.zone, now)


def draw(found: Frame) -> Props:
    """A row each; instants in ISO."""
    return {
        "incidents-list": {
            "open": [_row(found, item) for item in found.open],
            "over": [_row(found, item) for item in found.over],
        },
        "incidents-state": frame.NO_STATE,
    }


def table(found: Frame) -> Table:
    """The same, a row each."""
    rows = tuple(
        (
            item.label,
            item.name,
            item.severity,
            ", ".join(incident_reading.scope_words(item.scope, found.organisation)),
            item.declared_at,
            item.ended_at or (item.expires_at if item.expires_at <= found.now else None),
            found.leads.get(item.lead_id),
        )
        for item in (*found.open, *found.over)
    )
    columns = ("Number", "Name", "Severity", "Scope", "Declared", "Ended", "Lead")
    return Table(NAME, exported.line("all incidents", found.now, found.zone, f"{len(rows)} incidents"), columns, rows)


def place() -> Component:
    """The box with an empty list."""
    inner = html.Div(id="incidents-list", className="incidents-list", tabIndex="0", role="region", **_LABEL)
    return frame.box(KEY, NAME, inner, head=False, class_name="incidents-panel")


_LABEL = {"aria-label": NAME}


def _row(found: Frame, item: Incident) -> dict[str, Any]:
    said = incident_words.plain(item, lead=found.leads.get(item.lead_id, ""), now=found.now)
    over_at = item.ended_at or (item.expires_at if item.expires_at <= found.now else None)
    return said | {
        "scope": list(incident_reading.scope_words(item.scope, found.organisation)),
        "declared_by": item.declared_by,
        "when": incident_words.clock(item.declared_at, found.zone, found.now),
        "until": "" if over_at is None else incident_words.clock(over_at, found.zone, found.now),
        "final": item.id in found.final,
    }


PANEL = Panel(
    key=KEY,
    topics=("incidents", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES | {"brand_ids"},
    table=table,
    reads_cases=True,
)
