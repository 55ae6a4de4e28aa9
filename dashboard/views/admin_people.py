"""The page of the people: who has which role for what, until when; a person in the drawer; a file of people."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import people
from dashboard.views.view import View
from models.access import PEOPLE

KEYS = (
    ("J  K", "Next and previous person"),
    ("Enter", "Open the person"),
    ("X", "Tick the person"),
    ("A", "Add a person"),
    ("/", "Find a person"),
    ("Esc", "Close what is open"),
    ("?", "Show these keys"),
)


def place() -> Component:
    """Figures and table; whatever opens stands beside them."""
    return html.Div(className="people", children=[html.H1("People", className="unseen"), people.PANEL.place()])


VIEW = View(
    key="admin-people",
    path="/admin/people",
    title="People",
    icon="teams",
    panels=(people.PANEL,),
    place=place,
    right=PEOPLE,
    rail_path="/admin/sources",
    has_scope=False,
    keys=KEYS,
)
