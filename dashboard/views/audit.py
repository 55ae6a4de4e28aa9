"""The page of the audit log: is it whole, what was done by whom, one row with what it changed, a copy to take along."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import audit_chain
from dashboard.views.view import View
from models.access import AUDIT

KEYS = (
    ("J  K", "Next and previous row"),
    ("Enter", "Open the row"),
    ("F", "Only this person, and everybody again"),
    ("PgDn", "Older rows"),
    ("/", "Find a row, a name, a case"),
    ("Ctrl E", "Export what the filter shows"),
    ("Esc", "Close the row"),
    ("?", "Show these keys"),
)


def place() -> Component:
    """The chain as a panel; trail, row and export are built by the browser, since each person filters by himself."""
    return html.Div(
        className="audit",
        children=[
            html.H1("Audit", className="unseen"),
            audit_chain.PANEL.place(),
            html.Section(id="audit-trail", className="panel atrail", **{"aria-label": "Trail"}),
            html.Section(id="audit-row", className="panel arow", **{"aria-label": "One row"}),
            html.Section(id="audit-export", className="panel aexport", **{"aria-label": "Export"}),
        ],
    )


VIEW = View(
    key="audit",
    path="/audit",
    title="Audit",
    icon="audit",
    panels=(audit_chain.PANEL,),
    place=place,
    right=AUDIT,
    has_scope=False,
    keys=KEYS,
)
