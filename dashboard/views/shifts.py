"""The shifts of one team."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import shifts
from dashboard.views.view import View

KEYS = (("O", "I am on, on a break, off: one after the other"),)


def place() -> Component:
    """The panel at its final size."""
    return html.Div(className="shifts", children=[html.H1("Shifts", className="unseen"), shifts.PANEL.place()])


VIEW = View(
    key="shifts",
    path="/team",
    title="Shifts",
    icon="teams",
    panels=(shifts.PANEL,),
    place=place,
    rail_path="/teams",
    subject="team",
    tail="/shifts",
    keys=KEYS,
)
