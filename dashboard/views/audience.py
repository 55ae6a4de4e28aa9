"""Where the audience spends its time, how it writes and when, beside the core audience that was declared."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import audience, best_hours, week
from dashboard.views.view import View


def place() -> Component:
    """The grid; the sections of the audience panel stand in it by themselves."""
    return html.Div(
        className="audience",
        children=[
            html.H1("Audience", className="unseen"),
            audience.PANEL.place(),
            week.PANEL.place(),
            best_hours.PANEL.place(),
        ],
    )


VIEW = View(
    key="audience",
    path="/audience",
    title="Audience",
    icon="audience",
    panels=(audience.PANEL, week.PANEL, best_hours.PANEL),
    place=place,
)
