"""The banner on every page while an incident is open: what it is, how loud it is, what it holds back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, func, select

from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame, incident_words
from models import incident_figures, incident_reading, incident_statements
from models.errors import NotFound, ScopeError
from models.incident_figures import Curve
from models.incident_reading import Incident
from models.incident_statements import Statement
from models.tables import incident_person, person

KEY = "banner"
NAME = "Open incidents"
# So many are drawn, the others are counted; figures are worked out for those alone.
MOST = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """Open incidents that somebody sees, the worst first, with what is known of the first two."""

    open: tuple[Incident, ...]
    leads: Mapping[int, str]
    on_it: Mapping[int, int]
    curves: Mapping[int, Curve]
    statements: Mapping[int, Statement]
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """One short read while nothing is open."""
    who, organisation, now = question.anybody, question.organisation, question.now
    seen = tuple(
        item for item in incident_reading.open_now(connection, now) if incident_reading.may_see(who, organisation, item)
    )
    shown = seen[:MOST]
    if not shown:
        return Frame((), {}, {}, {}, {}, question.zone, now)
    curves: dict[int, Curve] = {}
    for item in shown:
        try:
            curves[item.id] = incident_figures.curve(connection, organisation, who, item, now=now)
        except (NotFound, ScopeError):
            # Places that differ from brand to brand cannot be counted together; the banner stands without figures.
            continue
    ids = [item.id for item in shown]
    leads = connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_([i.lead_id for i in shown])))
    counted = connection.execute(
        select(incident_person.c.incident_id, func.count())
        .where(incident_person.c.incident_id.in_(ids))
        .group_by(incident_person.c.incident_id)
    )
    return Frame(
        seen,
        {row.id: row.name for row in leads},
        {row[0]: row[1] for row in counted},
        curves,
        incident_statements.in_use(connection, ids),
        question.zone,
        now,
    )


def draw(found: Frame) -> Props:
    """At most two lines and how many more there are; instants in ISO."""
    items = [_item(found, item) for item in found.open[:MOST]]
    more = max(0, len(found.open) - MOST)
    return {"banner-list": {"items": items, "more": more}, "banner-state": frame.NO_STATE}


def place() -> Component:
    """A row that is there only while an incident is open; a screen reader is told at once when one opens."""
    inner = html.Div(id="banner-list", className="banner-list", role="alert", **{"aria-label": NAME})
    return frame.box(KEY, NAME, inner, head=False, class_name="banner-panel")


def _item(found: Frame, item: Incident) -> dict[str, Any]:
    said = incident_words.plain(item, lead=found.leads.get(item.lead_id, ""), now=found.now)
    curve = found.curves.get(item.id)
    statement = found.statements.get(item.id)
    said |= {"on": found.on_it.get(item.id, 0), "times": "", "statement": ""} | incident_words.net(None)
    if curve is not None and curve.whole:
        last = curve.whole[-1]
        said["times"] = incident_words.times(last.mentions, last.middle)
        said |= incident_words.net(curve.net(incident_figures.began_at(item)))
    if statement is not None and statement.in_use_at is not None:
        at = incident_words.clock(statement.in_use_at, found.zone, found.now)
        said["statement"] = f"Statement {statement.label} approved {at}"
    return said


PANEL = Panel(
    key=KEY,
    topics=("incidents", "mentions", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"brand_ids", "location_ids", "team_ids", "network_ids", "search", "window"}),
    reads_cases=True,
)
