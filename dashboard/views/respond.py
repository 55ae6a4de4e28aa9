"""The desk: who waits, the open case with what can be answered, and what is known of who asks."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.panels import queue
from dashboard.views.view import View

KEYS = (
    ("J  K", "Next and previous case"),
    ("C", "Claim the case, or take it over"),
    ("Shift C", "Claim the most urgent case"),
    ("R", "Reply"),
    ("/", "Canned replies"),
    ("Ctrl ↵", "Send, ask for sign-off, or sign"),
    ("B", "Send back what waits for your signature"),
    ("U", "Undo: take back a reply within 10 s, or what was done to many"),
    ("A", "Assign to a person or a team"),
    ("N", "Internal note"),
    ("S", "Snooze"),
    ("E", "Close as resolved"),
    ("D", "Dismiss"),
    ("X", "Tick, for doing the same to several"),
    ("I", "About this case, where there is no room beside it"),
    ("1 – 3", "Team, mine, sign-off"),
    ("Esc", "Out of the text, back to the queue"),
)


def place() -> Component:
    """Queue, case and what stands beside it; the browser draws into all of them, and nothing in them is Dash's."""
    return html.Div(
        id="respond",
        className="respond",
        **{"data-screen": "queue"},
        children=[
            html.H1("Respond", className="unseen"),
            queue.PANEL.place(),
            html.Section(
                className="desk-case",
                **{"aria-label": "Case"},
                children=[
                    html.Header(id="desk-head", className="desk-head"),
                    html.Div(id="desk-thread", className="desk-thread", tabIndex="0", role="region", **_THREAD),
                    html.Div(id="desk-composer", className="desk-composer"),
                ],
            ),
            html.Aside(id="desk-side", className="desk-side", tabIndex="0", **{"aria-label": "About this case"}),
            html.Div(id="desk-keys", className="desk-keys", **{"aria-hidden": "true"}),
        ],
    )


_THREAD = {"aria-label": "Conversation and what happened"}

VIEW = View(
    key="respond",
    path="/respond",
    title="Respond",
    icon="respond",
    panels=(queue.PANEL,),
    place=place,
    keys=KEYS,
)
