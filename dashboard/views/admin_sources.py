"""The page of the sources: what each does, how to mend it, and the forms that add and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import gate, source_actions
from dashboard.panels import admin_sources
from dashboard.views.view import View
from models.access import ADMIN
from models.database import Database
from models.settings import Settings

KEYS = (
    ("J  K", "Next and previous source"),
    ("Enter", "Open the source"),
    ("F", "Fetch now"),
    ("P", "Pause or start the open source"),
    ("E", "Edit the source"),
    ("/", "Find a source"),
    ("Esc", "Close what is open"),
    ("?", "Show these keys"),
)


def place() -> Component:
    """The panel, and where the browser leaves what a person asks for and finds what came of it."""
    return html.Div(
        className="admin",
        children=[
            html.H1("Sources", className="unseen"),
            admin_sources.PANEL.place(),
            html.Div(id="source-drawer", className="drawer", role="complementary", **{"aria-label": "One source"}),
            dcc.Store(id="source-asked"),
            dcc.Store(id="source-done"),
            dcc.Store(id="source-form-asked"),
            dcc.Store(id="source-form-done"),
        ],
    )


def register(app: Dash, database: Database, settings: Settings) -> None:
    """Pause, start, fetch now; ask for a source to be added or changed."""

    async def act(asked: Mapping[str, Any] | None) -> dict[str, Any]:
        access, now = gate.current().access, datetime.now(UTC)
        return await asyncio.to_thread(source_actions.act, database, access, asked, now)

    async def form(asked: Mapping[str, Any] | None) -> Any:
        # The browser empties what it sent, so that no secret stays in the page.
        if asked is None:
            return no_update
        access, now = gate.current().access, datetime.now(UTC)
        return await asyncio.to_thread(source_actions.ask, database, settings, access, asked, now)

    app.callback(Output("source-done", "data"), Input("source-asked", "data"), prevent_initial_call=True)(act)
    app.callback(Output("source-form-done", "data"), Input("source-form-asked", "data"), prevent_initial_call=True)(
        form
    )
    app.clientside_callback(
        "function (done) { return window.WatchfloorSources.done(done); }",
        Output("source-drawer", "data-done"),
        Input("source-done", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        "function (done) { return window.WatchfloorSources.formDone(done); }",
        Output("source-drawer", "data-form-done"),
        Input("source-form-done", "data"),
        prevent_initial_call=True,
    )


VIEW = View(
    key="admin-sources",
    path="/admin/sources",
    title="Sources",
    icon="admin",
    panels=(admin_sources.PANEL,),
    place=place,
    right=ADMIN,
    rail="Admin",
    has_scope=False,
    keys=KEYS,
    register=register,
)
