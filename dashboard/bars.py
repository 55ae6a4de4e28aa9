"""The bars around every page: rail, scope bar, the bar at the foot of a phone, and the list of keys."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import scope
from dashboard.style import icon
from dashboard.views import VIEWS, View
from dashboard.views.view import Keys
from models.access import VIEWER, Access

# What the keyboard does on every page with a scope; assets/shell.js and assets/palette.js do it.
SCOPE_KEYS = (
    ("/", "Search mentions"),
    ("P", "Pause and resume"),
    ("1 – 5", "Window: 15 minutes, 1 hour, 24 hours, 7 days, 30 days"),
)
# What it does on any page.
KEYS = (
    ("Ctrl K", "Everything: pages, brands, places, views, actions"),
    ("L", "Shift log"),
    ("N", "Note in the shift log"),
    ("I", "The open incident; where there is none, declare one"),
    ("Esc", "Close what is open, leave the search"),
    ("?", "Show these keys"),
)
LIST_KEYS = (
    ("↑ ↓", "Move in a list or menu"),
    ("↵", "Open"),
    ("Tab", "To the next control"),
)
# After G, within a second: the page of this path, where there is one.
CHORDS = {
    "/": "C",
    "/respond": "R",
    "/brands": "B",
    "/locations": "L",
    "/teams": "T",
    "/audience": "A",
    "/incidents": "I",
}
# Four ways fit under a thumb: these many pages, everything else, and the person.
MOST_ON_A_PHONE = 2
KINDS = {"brand": "Brand", "location": "Location", "team": "Team", "network": "Network"}


def rail() -> Component:
    """At the left: the pages there are; at its foot the theme and the person."""
    return html.Nav(
        className="rail",
        **{"aria-label": "Main"},
        children=[
            # The browser sends it to the view that the person begins at.
            dcc.Link(
                [icon("logo", "s28"), html.Span("Watchfloor", className="unseen")],
                id="logo",
                href="/",
                className="logo",
            ),
            *[_link(view, "ri") for view in VIEWS if view.is_in_rail and view.right == VIEWER],
            html.Span(className="railgap"),
            *[_link(view, "ri") for view in VIEWS if view.is_in_rail and view.right != VIEWER],
            # Who manages people and sets nothing up finds the one page of these that is theirs.
            dcc.Link([icon("admin"), html.Span("Admin")], href="/admin/people", className="ri needs needs-people-only"),
            html.Button(
                [icon("log"), html.Span(className="log-new", hidden=True)],
                className="railbtn",
                disable_n_clicks=True,
                title="Shift log (L)",
                **{"aria-label": "Shift log", "data-do": "log"},
            ),
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


def pages(access: Access) -> list[dict[str, str]]:
    """The pages that this person may open, in the order of the rail, with the key that leads there after G.

    A page with a `subject` has an address for each: `path` and then the key of a brand, a location or a team.
    """
    return [
        {
            "path": view.path,
            "title": view.title,
            "icon": view.icon,
            "subject": view.subject,
            "chord": CHORDS.get(view.path, ""),
        }
        for view in VIEWS
        if access.may(view.right)
    ]


def _link(view: View, class_name: str) -> Component:
    """The way to a page. What not everybody may see stays hidden until the server has said who this is."""
    # dcc.Link knows no attributes of its own choice, so what it needs stands in its class.
    limited = "" if view.right == VIEWER else f" needs needs-{view.right}"
    # How many there wait for somebody: the browser fills it in.
    waiting = [html.Span(className="rb warn", hidden=True)] if view.path == "/respond" else []
    return dcc.Link(
        [icon(view.icon), html.Span(view.rail or view.title), *waiting],
        href=view.path,
        className=f"{class_name}{limited}",
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
                [
                    dcc.Link(view.title, href=view.path, className=f"tab needs needs-{view.right}")
                    for view in VIEWS
                    if _is_admin(view)
                ],
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
            html.Button(
                [icon("calendar", "s16"), html.Span(className="v")],
                className="sel dates",
                disable_n_clicks=True,
                title="From and to",
                **{
                    "aria-label": "Window from and to",
                    "aria-haspopup": "dialog",
                    "aria-expanded": "false",
                    "data-do": "dates",
                },
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
            html.Button(
                [html.Em("View"), html.Span(className="v"), icon("chev", "s14")],
                className="sel views",
                disable_n_clicks=True,
                **{"aria-label": "Saved views", "aria-haspopup": "menu", "aria-expanded": "false", "data-do": "views"},
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
            *[_link(view, "ri-phone") for view in VIEWS if view.is_in_rail and view.right == VIEWER][:MOST_ON_A_PHONE],
            # The rest of the pages, and whatever else has a name.
            html.Button(
                [icon("search"), html.Span("More")],
                disable_n_clicks=True,
                **{"aria-haspopup": "dialog", "data-do": "palette"},
            ),
            html.Button(
                [icon("user"), html.Span("You")],
                disable_n_clicks=True,
                **{"aria-haspopup": "dialog", "data-do": "person"},
            ),
        ],
    )


def key_list() -> Component:
    """What "?" opens: the keys of this page first, then those of every page. The browser shows the page's own list."""
    own = [
        html.Section([html.H3(f"On {view.title}"), _keys(view.keys)], hidden=True, **{"data-page": view.key})
        for view in VIEWS
        if view.keys
    ]
    ways = [
        html.Div(
            [html.Dt([html.Kbd("G"), html.Kbd(CHORDS[view.path])]), html.Dd(view.title)],
            className="key-row",
            hidden=True,
            **{"data-goes": view.path},
        )
        for view in VIEWS
        if view.path in CHORDS
    ]
    return html.Dialog(
        id="keys",
        className="dialog keys-dialog",
        **{"aria-label": "Keys"},
        children=[
            html.Header(
                [
                    html.H2("Keys"),
                    html.Span(id="keys-page", className="t3 grow"),
                    # The browser puts the field in, as in the scope bar.
                    html.Span(id="keys-find", className="find"),
                    html.Button(
                        icon("x", "s16"),
                        className="close",
                        disable_n_clicks=True,
                        **{"aria-label": "Close", "data-do": "close"},
                    ),
                ]
            ),
            html.Div(
                html.Div(
                    className="key-columns",
                    children=[
                        *own,
                        html.Section([html.H3("What is shown"), _keys(SCOPE_KEYS)], **{"data-scope-keys": ""}),
                        html.Section([html.H3("Everywhere"), _keys(KEYS)]),
                        html.Section([html.H3("Go to"), html.Dl(ways, className="keys")], **{"data-chords": ""}),
                        html.Section([html.H3("Lists and menus"), _keys(LIST_KEYS)]),
                        html.P("No key of that name.", id="keys-none", className="t3", hidden=True),
                    ],
                ),
                className="key-lists",
            ),
            html.Footer(
                [
                    html.Button(
                        html.I(),
                        className="switch",
                        role="switch",
                        disable_n_clicks=True,
                        **{"aria-checked": "true", "aria-label": "Single keys", "data-do": "single-keys"},
                    ),
                    html.B("Single keys on", id="single-keys-words"),
                    html.Span("They are off while you type. ", className="t3"),
                    html.Span([html.Kbd("G"), " waits 1 s for the second key."], className="t3"),
                ]
            ),
        ],
    )


def _keys(keys: Keys) -> Component:
    rows = [html.Div([html.Dt(_caps(key)), html.Dd(what)], className="key-row") for key, what in keys]
    return html.Dl(rows, className="keys")


def _caps(key: str) -> list[Component | str]:
    """The caps of a key: several are parted by blanks, a dash says from where to where."""
    return [html.Kbd(part) if part not in ("–", "…", "then") else f" {part} " for part in key.split()]
