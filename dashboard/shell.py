"""The frame around every page: rail, scope bar, notices, and the one callback that decides which page is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import bars, gate, scope
from dashboard.panel import INCIDENT, Question
from dashboard.style import icon
from dashboard.views import COMMON, VIEWS, View, by_path
from models import accounts
from models import organisation as organisations
from models.access import ADMIN, RIGHTS, Access
from models.accounts import Kept
from models.database import Database
from models.errors import AccessDenied, NotFound, ScopeError, SearchError
from models.networks import BY_ID
from models.organisation import Organisation
from models.settings import Settings

Read = Callable[[], AbstractContextManager[Connection]]

TITLE = "Watchfloor"
# theme.js stands in the head: without it a light screen flashes dark until the last script has come.
INDEX = """<!DOCTYPE html>
<html lang="en" dir="ltr" data-theme="dark" data-mantine-color-scheme="dark">
<head>
{%metas%}
<title>{%title%}</title>
<script src="/assets/theme.js"></script>
{%favicon%}
{%css%}
</head>
<body>
{%app_entry%}
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Screen:
    """What an address shows one person. `page` names what is drawn, so that it is not drawn anew without need."""

    page: str
    children: Component
    notices: list[Component]
    options: dict[str, Any]
    view: dict[str, Any]


def layout() -> Component:
    """The frame, the same for everybody: nothing in it tells who is signed in or what there is to see."""
    return html.Div(
        className="frame",
        children=[
            html.A("Skip to the mentions", href="#feed-list", className="skip"),
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="view"),
            dcc.Store(id="scope-options"),
            bars.rail(),
            bars.scope_bar(),
            html.Div(
                className="body",
                children=[
                    html.Div(
                        className="notices",
                        children=[
                            html.Div(id="notices", style={"display": "contents"}),
                            *[panel.place() for panel in COMMON],
                            # How far older posts have been filled in; empty when that is done.
                            html.Span(id="history", className="progress"),
                            html.Button(
                                "A new version is here. Load it.",
                                id="new-version",
                                className="btn",
                                hidden=True,
                                disable_n_clicks=True,
                                **{"data-do": "reload"},
                            ),
                        ],
                    ),
                    html.Main(id="page", tabIndex="-1"),
                ],
            ),
            bars.bottom_bar(),
            html.Div(id="say", className="unseen", role="status", **{"aria-live": "polite"}),
            bars.key_list(),
        ],
    )


def register(app: Dash, database: Database, settings: Settings) -> None:
    """Which page an address shows is decided on the server; the scope bar follows the address in the browser."""
    for view in VIEWS:
        view.register(app, database, settings)
    read = database.read

    async def show(pathname: str | None, search: str | None, shown: dict[str, Any] | None) -> tuple[Any, ...]:
        access, now = gate.current().access, datetime.now(UTC)
        screen = await asyncio.to_thread(_read_and_route, read, pathname or "/", search or "", access, now)
        same = bool(shown) and (shown or {}).get("drawn") == screen.page and bool(screen.view.get("path"))
        return (
            no_update if same else screen.children,
            screen.notices,
            no_update if same else screen.options,
            screen.view,
        )

    app.callback(
        Output("page", "children"),
        Output("notices", "children"),
        Output("scope-options", "data"),
        Output("view", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        State("view", "data"),
    )(show)
    app.clientside_callback(
        "function (search) { return window.WatchfloorScope.show(search); }",
        Output("scope-bar", "data-shown"),
        Input("url", "search"),
    )
    app.clientside_callback(
        "function (options) { return window.WatchfloorScope.offer(options); }",
        Output("scope-bar", "data-offered"),
        Input("scope-options", "data"),
    )
    app.clientside_callback(
        "function (view) { return window.WatchfloorShell.follow(view); }",
        Output("scope-bar", "data-followed"),
        Input("view", "data"),
    )


def route(
    pathname: str,
    search: str,
    access: Access,
    organisation: Organisation,
    now: datetime,
    *,
    running_out: Sequence[Kept] = (),
) -> Screen:
    """The page of an address for this person, or a calm message that says what is wrong with it.

    `running_out` are the accounts of which this person must be told that their access ends.
    """
    who = {"id": access.person_id, "name": access.name, "email": access.email}
    options: dict[str, Any] = {
        "person": who,
        "kinds": {},
        "zone": organisation.zone,
        "rights": _rights(access),
        "pages": bars.pages(access),
    }
    notices = [_simulated(access)] if organisation.simulated else []
    notices += [_runs_out(running_out, now)] if running_out else []
    address = by_path(pathname)
    if address is None:
        said = f"There is no page at {pathname[:80]}."
        return _message("nowhere", "info", "Nothing here", said, "Go to Command", "/", notices, options)
    view = address.view
    about = (view.subject, address.subject_key) if view.subject else None
    try:
        access.require(view.right)
    except AccessDenied as denied:
        return _message("denied", "lock", "You may not see this", f"{denied}.".capitalize(), "", "", notices, options)
    try:
        options["kinds"] = scope.options(access, organisation)
        if view.has_scope and access.may(ADMIN) and not any(item.kind == "own" for item in organisation.brands):
            said = "Add one brand, and what is said about it shows here."
            return _message(
                "empty", "info", "No brand is watched yet", said, "Set up", "/admin/setup", notices, options
            )
        asked = scope.parse(search)
        question = scope.question(asked, access, organisation, now, about=about)
    except (ScopeError, NotFound) as fault:
        if not options["kinds"].get("brand"):
            said = "No brand is open to you yet. An administrator can give you one."
            return _message("denied", "lock", "You may not see this", said, "", "", notices, options)
        title = "This link asks for something that is not there"
        if isinstance(fault, SearchError):
            title = "This search cannot be read"
        said = f"There is {fault} that you may see" if isinstance(fault, NotFound) else str(fault)
        return _message("fault", "info", title, _sentence(said), "Clear filters", address.path, notices, options)
    if not question.window.live:
        notices = [
            *notices,
            _as_known_now(asked, scope.window_words(question.window, organisation.zone_info), question.zone),
        ]
    return Screen(
        page=f"{view.key} {address.subject_key}".rstrip(),
        children=view.place(),
        notices=notices,
        options=options,
        view={
            "page": view.key,
            "drawn": f"{view.key} {address.subject_key}".rstrip(),
            "title": f"{_title(question, view.title)} · {TITLE}",
            "path": address.path,
            "rail": _rail(view, access),
            "subject": view.subject,
            "scope": view.has_scope,
            "rights": options["rights"],
            "search": asked.to_search(),
            "live": question.window.live,
        },
    )


def _read_and_route(read: Read, pathname: str, search: str, access: Access, now: datetime) -> Screen:
    with read() as connection:
        organisation = organisations.current(connection, now)
        ends = accounts.running_out(connection, organisation, access, now)
    return route(pathname, search, access, organisation, now, running_out=ends)


def _message(
    page: str,
    symbol: str,
    title: str,
    text: str,
    action: str,
    href: str,
    notices: list[Component],
    options: dict[str, Any],
) -> Screen:
    children = [icon(symbol, "s24"), html.H1(title), html.P(text)]
    if action:
        children.append(dcc.Link(action, href=href, className="btn"))
    return Screen(
        page=page,
        children=html.Div(children, className="message", role="alert"),
        notices=notices,
        options=options,
        view={
            "page": page,
            "drawn": page,
            "title": f"{title} · {TITLE}",
            "path": None,
            "rail": href,
            "subject": "",
            "scope": True,
            "rights": options["rights"],
            "search": "",
            "live": False,
        },
    )


def _title(question: Question, title: str) -> str:
    """What a page is about, where it is about one thing; else the page's own title."""
    if question.subject is None:
        return title
    found = question.organisation
    if question.subject.kind == INCIDENT:
        return f"INC-{question.subject.id}"
    names = {"brand": found.brand_names, "location": found.location_names, "team": found.team_names}
    return names[question.subject.kind][question.subject.id]


def _rail(view: View, access: Access) -> str:
    """The entry of the rail that a page stands behind, where the person may open that one."""
    front = by_path(view.rail_path) if view.rail_path else None
    return view.rail_path if front is not None and access.may(front.view.right) else view.path


def _rights(access: Access) -> list[str]:
    """The rights this person has, for the rail: it shows only the pages one may see."""
    return [right for right in RIGHTS if access.may(right)]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _simulated(access: Access) -> Component:
    """For administrators with the ways out of it."""
    ways: list[Component] = []
    if access.may(ADMIN):
        ways = [
            html.Span(className="grow"),
            html.Button("Hide demo data", className="btn sm", disable_n_clicks=True, **{"data-do": "hide-demo"}),
            dcc.Link("Set up", href="/admin/setup", className="btn sm pri"),
        ]
    return html.Div(
        className="notice",
        role="note",
        children=[
            icon("info", "s16"),
            html.B("You are looking at simulated data."),
            html.Span("Nothing here is real: the organisation and every post are made up.", className="t2 optional"),
            *ways,
        ],
    )


def _runs_out(found: Sequence[Kept], now: datetime) -> Component:
    """For those who answer for an account: the first whose access ends, and how many more."""
    first, more = found[0], len(found) - 1
    days = first.days_left(now)
    when = "has run out" if days is None or days < 0 else "ends today" if days == 0 else f"ends in {days} days"
    when = when.replace("in 1 days", "tomorrow")
    name = f"@{first.handle.removeprefix('@')}"
    return html.Div(
        className="notice plain",
        role="note",
        children=[
            icon("clock", "s16"),
            html.B([html.Bdi(name), f": access {when}."], title=BY_ID[first.network_id].name),
            html.Span(f"{more} more of yours." if more else "Nothing is read or sent then.", className="t2 optional"),
            html.Span(className="grow"),
            dcc.Link("Accounts", href="/accounts", className="btn sm"),
        ],
    )


def _as_known_now(asked: scope.UrlScope, words: str, zone: str) -> Component:
    live = replace(asked, at=None, span=None, window=scope.DEFAULT_WINDOW if asked.span else asked.window)
    return html.Div(
        className="notice plain",
        role="note",
        children=[
            icon("clock", "s16"),
            html.B(f"{words[:1].upper()}{words[1:]}, as known now."),
            html.Span(f"Not live. Times in {zone.replace('_', ' ')}.", className="t2 optional"),
            html.Span(className="grow"),
            dcc.Link("Back to live", href=live.to_search() or "/", className="btn sm"),
        ],
    )
