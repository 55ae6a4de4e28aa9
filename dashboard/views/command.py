"""The command screen: key figures above, charts at the left, map and topics, the live feed, the sources below."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import feed, kpi, locations, sentiment, service, sources, topics, volume
from dashboard.views.view import View

KEYS = (
    ("J  K", "Next and previous mention"),
    ("Enter", "Open the mention"),
    ("C", "Claim the case of the mention"),
    ("M", "What can be done with the mention"),
    ("H", "How the key figure was made"),
)


def place() -> Component:
    """The grid. The feed stands before the charts, as it is read and reached by Tab in that order."""
    return html.Div(
        className="command",
        children=[
            html.H1("Command", className="unseen"),
            # One strip to the eye: what was said, and how we answered.
            html.Div([kpi.PANEL.place(), service.PANEL.place()], className="kpi-row"),
            feed.PANEL.place(),
            volume.PANEL.place(),
            locations.PANEL.place(),
            sentiment.PANEL.place(),
            topics.PANEL.place(),
            sources.PANEL.place(),
        ],
    )


VIEW = View(
    key="command",
    path="/",
    title="Command",
    icon="command",
    panels=(
        kpi.PANEL,
        service.PANEL,
        volume.PANEL,
        sentiment.PANEL,
        locations.PANEL,
        topics.PANEL,
        feed.PANEL,
        sources.PANEL,
    ),
    place=place,
    keys=KEYS,
)
