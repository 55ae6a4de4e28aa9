"""The command screen: key figures above, two charts at the left, the live feed at the right, the sources below."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import feed, kpi, sentiment, sources, volume
from dashboard.views.view import View


def place() -> Component:
    """The grid. The feed stands before the charts, as it is read and reached by Tab in that order."""
    return html.Div(
        className="command",
        children=[
            html.H1("Command", className="unseen"),
            kpi.PANEL.place(),
            feed.PANEL.place(),
            volume.PANEL.place(),
            sentiment.PANEL.place(),
            sources.PANEL.place(),
        ],
    )


VIEW = View(
    key="command",
    path="/",
    title="Command",
    icon="command",
    panels=(kpi.PANEL, volume.PANEL, sentiment.PANEL, feed.PANEL, sources.PANEL),
    place=place,
)
