"""Incidents: the list of them, and one with everything that belongs to it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panel import INCIDENT
from dashboard.panels import (
    incident_beside,
    incident_curve,
    incident_head,
    incident_list,
    incident_narratives,
    incident_statement,
    incident_timeline,
)
from dashboard.views.view import View

PATH = "/incidents"
LIST_KEYS = (
    ("J  K", "Next and previous incident"),
    ("Enter", "Open it"),
    ("I", "Declare an incident"),
)
KEYS = (
    ("U", "Public update, and when the next one comes"),
    ("N", "Note"),
    ("D", "Decision"),
    ("T", "Task"),
    ("W", "Who is on it"),
    ("S", "Statement"),
    ("Esc", "Back to the list"),
)


def place_list() -> Component:
    """The list; the browser puts what can be done into the bar."""
    return html.Div(className="incidents", children=[html.H1("Incidents", className="unseen"), LIST_PANEL.place()])


def place_one() -> Component:
    """Banner, timeline, what is said and what we say, what stands beside it."""
    return html.Div(
        id="incident",
        className="incident",
        children=[
            html.H1("Incident", className="unseen"),
            incident_head.PANEL.place(),
            incident_timeline.PANEL.place(),
            html.Div(
                [incident_curve.PANEL.place(), incident_narratives.PANEL.place(), incident_statement.PANEL.place()],
                className="icolumn imiddle",
            ),
            html.Div(
                [
                    incident_beside.place_people(),
                    incident_beside.place_scope(),
                    incident_beside.place_tasks(),
                    incident_beside.place_held(),
                ],
                className="icolumn ibeside",
            ),
        ],
    )


LIST_PANEL = incident_list.PANEL

LIST = View(
    key="incidents",
    path=PATH,
    title="Incidents",
    icon="incidents",
    panels=(LIST_PANEL,),
    place=place_list,
    has_scope=False,
    keys=LIST_KEYS,
)

ONE = View(
    key="incident",
    path=PATH,
    title="Incident",
    icon="incidents",
    panels=(
        incident_head.PANEL,
        incident_timeline.PANEL,
        incident_curve.PANEL,
        incident_narratives.PANEL,
        incident_statement.PANEL,
        incident_beside.PEOPLE_PANEL,
        incident_beside.SCOPE_PANEL,
        incident_beside.TASKS_PANEL,
    ),
    place=place_one,
    has_scope=False,
    rail_path=PATH,
    subject=INCIDENT,
    keys=KEYS,
)
