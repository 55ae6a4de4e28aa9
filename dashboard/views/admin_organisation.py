"""The pages of brands, locations and teams: a table, a form beside it, a file to load."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panel import Panel
from dashboard.panels import admin_brands, admin_locations, admin_teams
from dashboard.views.view import View
from models.access import ADMIN


def _view(panel: Panel, path: str, title: str, icon: str) -> View:
    def place() -> Component:
        return html.Div(className="org", children=[html.H1(title, className="unseen"), panel.place()])

    return View(
        key=panel.key,
        path=path,
        title=title,
        icon=icon,
        panels=(panel,),
        place=place,
        right=ADMIN,
        rail_path="/admin/sources",
        has_scope=False,
    )


BRANDS = _view(admin_brands.PANEL, "/admin/brands", "Brands", "brands")
LOCATIONS = _view(admin_locations.PANEL, "/admin/locations", "Locations", "locations")
TEAMS = _view(admin_teams.PANEL, "/admin/teams", "Teams", "teams")
