"""The accounts of ours: one table, and beside it one account whole."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import accounts
from dashboard.views.view import View

KEYS = (
    ("J  K", "Next and previous account"),
    ("Enter", "Open the account"),
)


def place() -> Component:
    """The table at its final size."""
    return html.Div(className="accounts", children=[html.H1("Accounts", className="unseen"), accounts.PANEL.place()])


VIEW = View(
    key="accounts",
    path="/accounts",
    title="Accounts",
    icon="accounts",
    panels=(accounts.PANEL,),
    place=place,
    keys=KEYS,
)
