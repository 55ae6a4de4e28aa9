"""The bars around every page: rail, scope bar, the bar at the foot of a phone, and the list of keys."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import scope
from dashboard.style import icon
from dashboard.views import VIEWS, View
from models.access import VIEWER

# What the keyboard does on a page that names no keys of its own; assets/shell.js does it.
KEYS = (
    ("/", "Search mentions"),
    ("P", "Pause and resume"),
    ("1 – 5", "Window: 15 minutes, 1 hour, 24 hours, 7 days, 30 days"),
    ("Esc", "Close what is open, leave the search"),
    ("?", "Show these keys"),
)
KINDS = {"brand": "Brand", "location": "Location", "team": "Team", "network": "Network"}


def rail() -> Component:
    """At the left: the pages there are; at its foot the theme and the person."""
    return html.Nav(
        className="rail",
        **{"aria-label": "Main"},
        children=[
            dcc.Link([icon("logo", "s28"), html.Span("Watchfloor", className="unseen")], href="/", className="logo"),
            *[_link(view, "ri") for view in VIEWS if view.is_in_rail and view.right == VIEWER],
            html.Span(className="railgap"),
            *[_link(view, "ri") for view in VIEWS if view.is_in_rail and view.right != VIEWER],
            html.Button(
                icon("theme"),
                className="railbtn",
                disable_n_clicks=True,
                title="Dark or light",
                **{"aria-label": "Switch between dark and light", "data-do": "theme"},
            ),
            html.Button(
                html.Span(className="av a1", **{"data-initials": ""}),
                className="railbtn",
                disable_n_clicks=True,
                **{"aria-label": "You", "aria-haspopup": "dialog", "data-do": "person"},
            ),
        ],
    )


def _link(view: View, class_name: str) -> Component:
    """The way to a page. What not everybody may see stays hidden until the server has said who this is."""
    # dcc.Link knows no attributes of its own choice, so what it needs stands in its class.
    limited = "" if view.right == VIEWER else f" needs needs-{view.right}"
    return dcc.Link(
        [icon(view.icon), html.Span(view.rail or view.title)], href=view.path, className=f"{class_name}{limited}"
    )


def _is_admin(view: View) -> bool:
    return view.path.startswith("/admin/")


def scope_bar() -> Component:
    """At the top: what is shown, of when, how old it is. The browser fills in what the address says."""
    return html.Header(
        id="scope-bar",
        className="scope",
        **{"aria-label": "Scope"},
        children=[
            # The pages that stand behind one entry of the rail.
            html.Nav(
                [dcc.Link(view.title, href=view.path, className="tab") for view in VIEWS if _is_admin(view)],
                id="admin-tabs",
                className="admin-tabs",
                **{"aria-label": "Administration"},
            ),
            # A page without a scope puts its own title and controls here.
            html.Div(id="bar-own", className="bar-own"),
            html.Button(
                [html.Span(className="v"), html.Em(className="w"), icon("chev", "s16")],
                className="phone sel",
                disable_n_clicks=True,
                **{"aria-haspopup": "dialog", "data-do": "sheet", "aria-label": "Scope"},
            ),
            *[_kind_button(kind, name) for kind, name in KINDS.items()],
            html.Span(
                className="seg",
                role="radiogroup",
                **{"aria-label": "Window"},
                children=[
                    html.Button(
                        name, role="radio", disable_n_clicks=True, **{"data-window": name, "aria-checked": "false"}
                    )
                    for name in scope.WINDOWS
                ],
            ),
            html.Span(className="grow"),
            html.Div(
                className="search",
                role="search",
                children=[
                    icon("search", "s16"),
                    # The browser puts the field in: one that Dash controls would be written back while it is typed in.
                    html.Span(id="search-box", style={"display": "contents"}),
                    html.Kbd("/"),
                    html.Button(
                        icon("x", "s14"),
                        disable_n_clicks=True,
                        **{"aria-label": "Clear the search", "data-do": "clear-search"},
                    ),
                ],
            ),
            html.Button(
                icon("search"),
                className="phone icon",
                disable_n_clicks=True,
                **{"aria-label": "Search", "data-do": "find"},
            ),
            html.Span(className="vr"),
            html.Span(className="zone", id="zone"),
            html.Span(
                id="live-badge",
                className="badge",
                role="status",
                children=[
                    html.Span(className="mark"),
                    html.B(id="live-badge-words"),
                    html.Span(id="live-badge-detail", className="detail"),
                ],
            ),
            html.Span(
                [html.Span(className="mark"), html.B("Not live")],
                className="badge not-live",
                **{"data-state": "done"},
            ),
            html.Button(
                [html.I(className="ic s14 ic-pause"), html.Span("Pause"), html.Kbd("P")],
                className="btn pausebtn",
                disable_n_clicks=True,
                **{"data-do": "pause", "aria-pressed": "false"},
            ),
        ],
    )


def _kind_button(kind: str, name: str) -> Component:
    return html.Button(
        [html.Em(name), html.Span(className="v"), icon("chev", "s14")],
        className="sel kinds",
        disable_n_clicks=True,
        **{"data-kind": kind, "aria-haspopup": "dialog", "aria-expanded": "false"},
    )


def bottom_bar() -> Component:
    """On a phone: what the rail holds."""
    return html.Nav(
        className="bottom",
        **{"aria-label": "Main"},
        children=[
            *[_link(view, "ri-phone") for view in VIEWS if view.is_in_rail],
            html.Button(
                [icon("user"), html.Span("You")],
                disable_n_clicks=True,
                **{"aria-haspopup": "dialog", "data-do": "person"},
            ),
        ],
    )


def key_list() -> Component:
    """What "?" opens."""
    lists = [
        html.Dl(
            [part for key, what in view.keys or KEYS for part in (html.Dt(html.Kbd(key)), html.Dd(what))],
            className="keys",
            **{"data-page": view.key},
        )
        for view in VIEWS
    ]
    return html.Dialog(
        id="keys",
        className="dialog",
        **{"aria-label": "Keys"},
        children=[
            html.Header(
                [
                    html.H2("Keys of this page"),
                    html.Button(
                        icon("x", "s16"),
                        className="close",
                        disable_n_clicks=True,
                        **{"aria-label": "Close", "data-do": "close"},
                    ),
                ]
            ),
            *lists,
        ],
    )
