"""The page of the rules: which posts are about a brand, tried on stored posts before it counts."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import rule_list
from dashboard.views.view import View
from models.access import ADMIN

KEYS = (
    ("Ctrl S", "Save the draft"),
    ("Ctrl Enter", "Publish the rule"),
    ("F8", "Next error"),
    ("J  K", "Next and previous rule"),
    ("E", "Write at the rule"),
    ("Esc", "Leave the text"),
    ("?", "Show these keys"),
)


def place() -> Component:
    """The list, and where the browser builds editor, examples, volume and preview."""
    return html.Div(
        className="rules",
        children=[
            html.H1("Rules", className="unseen"),
            rule_list.PANEL.place(),
            html.Div(id="rule-editor", className="rmid"),
            html.Div(id="rule-preview", className="rright"),
        ],
    )


VIEW = View(
    key="admin-rules",
    path="/admin/rules",
    title="Rules",
    icon="filter",
    panels=(rule_list.PANEL,),
    place=place,
    right=ADMIN,
    rail_path="/admin/sources",
    has_scope=False,
    keys=KEYS,
)
