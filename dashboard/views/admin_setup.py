"""The page of the set-up: what there is to do before the watch floor listens, and what becomes of the demo data."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import admin_setup
from dashboard.views.view import View
from models.access import ADMIN


def place() -> Component:
    """One panel; its heading is the page's."""
    return html.Div(className="setup", children=[admin_setup.PANEL.place()])


VIEW = View(
    key="admin-setup",
    path="/admin/setup",
    title="Set-up",
    icon="admin",
    panels=(admin_setup.PANEL,),
    place=place,
    right=ADMIN,
    rail_path="/admin/sources",
    has_scope=False,
)
