"""All brands, all locations, all teams: one arrangement, a table to sort and two graphs of what is ticked."""

from __future__ import annotations

from collections.abc import Callable

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.panel import Panel
from dashboard.panels import index_graphs, index_table
from dashboard.views.view import View

KINDS = (("brand", "Brands"), ("location", "Locations"), ("team", "Teams"))
KEYS = (
    ("J  K", "Next and previous row"),
    ("X", "Tick the row for the graphs, at most four"),
    ("Enter", "Open the page of the row"),
    ("S then 1 – 9", "Sort by a column; again turns it around"),
)


def _placed(kind: str, title: str, panels: tuple[Panel, ...]) -> Callable[[], Component]:
    def place() -> Component:
        """The way to the two other tables, the table, the graphs below it."""
        ways = [
            dcc.Link(name, href=f"/{other}s", className="tab on" if other == kind else "tab") for other, name in KINDS
        ]
        return html.Div(
            className="index",
            children=[
                html.H1(title, className="unseen"),
                html.Nav(ways, className="index-tabs", **{"aria-label": "What to compare"}),
                *[panel.place() for panel in panels],
            ],
        )

    return place


def _view(kind: str, title: str) -> View:
    panels = (index_table.panel(kind), index_graphs.panel(kind))
    return View(
        key=f"{kind}s",
        path=f"/{kind}s",
        title=title,
        icon=f"{kind}s",
        panels=panels,
        place=_placed(kind, title, panels),
        keys=KEYS,
    )


BRANDS = _view("brand", "Brands")
LOCATIONS = _view("location", "Locations")
TEAMS = _view("team", "Teams")
