"""The web program put together: Dash on our own FastAPI, behind the gate, with the hub beside it."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.metadata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# A lazy import under several threads at once gives half-loaded modules and 500s; so before the first thread.
import numpy  # noqa: F401
import pandas  # noqa: F401
from dash import Dash
from dash.development.base_component import Component
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard import audit_export, gate, incident_report_pages, live, rights, shell, signin
from dashboard.asks import ACTS, READS, serving
from dashboard.hub import Hub, kept_up
from dashboard.live import Links
from dashboard.sessions import Sessions
from dashboard.static import Compressed, Registered
from dashboard.views import by_path
from dashboard.views.view import Address
from models import geography
from models.database import Database, require_schema
from models.errors import SchemaError, SettingsError
from models.settings import Settings

ASSETS = Path(__file__).resolve().parent.parent / "assets"


@dataclass(frozen=True, slots=True)
class Screen:
    """What people see of the program: the pages, the shell around them with its callbacks, the HTML it starts from."""

    find_view: Callable[[str], Address | None]
    layout: Callable[[], Component]
    register: Callable[[Dash, Database, Settings], None]
    index: str


SCREEN = Screen(
    find_view=by_path,
    layout=shell.layout,
    register=shell.register,
    index=shell.INDEX,
)


@dataclass(frozen=True, slots=True)
class Program:
    """An ASGI application; `server`, `dash` and `hub` are the parts it is made of."""

    asgi: ASGIApp
    server: FastAPI
    dash: Dash
    hub: Hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        await self.asgi(scope, receive, send)


def assemble(settings: Settings, database: Database | None = None, screen: Screen = SCREEN) -> Program:
    """What `create_app` promises, for any screen."""
    database = database or Database(settings.resolved_database_url)
    require_schema(database)
    alone = only_process(Path(database.url.database or "")) if database.is_sqlite else None
    version = importlib.metadata.version("watchfloor")
    sessions = Sessions(database)
    hub = Hub(database, screen.find_view, version=version)
    links = Links(hub, sessions.recheck)

    @asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        # Otherwise what is asked for before the first / comes without the scripts of assets/.
        dash._setup_server()
        rights.check_callbacks(dash)
        rights.check_asks(READS, ACTS)
        await hub.start()
        looking = asyncio.create_task(kept_up(links.look_after))
        # Reading the gazetteer takes a second, which nobody who opens a page should wait for.
        warming = asyncio.create_task(asyncio.to_thread(geography.countries))
        try:
            yield
        finally:
            looking.cancel()
            await warming
            await hub.stop()
            sessions.close()
            if alone is not None:
                alone.close()

    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    _health(server, database)
    live.mount(server, hub, links, identify=gate.current)
    serving.mount(server, database, screen.find_view, settings, clicked=hub.clicked)
    audit_export.mount(server, database)
    incident_report_pages.mount(server, database)
    server.include_router(signin.router(database, settings, sessions, version=version))
    dash = _dash(server, database, settings, screen)
    inner = Compressed(Registered(OnePage(server, screen.find_view), dash))
    guarded = gate.Gate(
        inner, sessions=sessions, settings=settings, csp_hashes=dash.csp_hashes, callbacks=dash.callback_map
    )
    return Program(guarded, server, dash, hub)


class OnePage:
    """Every page has an address of its own and is the same document: the one that Dash serves at /."""

    def __init__(self, app: ASGIApp, find_view: Callable[[str], Address | None]) -> None:
        self._app = app
        self._find_view = find_view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; the address of a page becomes /."""
        if scope["type"] == "http" and self._find_view(scope["path"]) is not None:
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self._app(scope, receive, send)


def _dash(server: FastAPI, database: Database, settings: Settings, screen: Screen) -> Dash:
    dash = Dash(
        "dashboard",
        backend="fastapi",
        server=server,
        assets_folder=str(ASSETS),
        serve_locally=True,
        title=shell.TITLE,
        update_title=None,
        suppress_callback_exceptions=True,
        index_string=screen.index,
    )
    # Dash would open a second socket in every browser.
    dash.backend.websocket_capability = False
    dash.layout = screen.layout
    screen.register(dash, database, settings)
    return dash


def _health(server: FastAPI, database: Database) -> None:
    @server.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "up"})

    @server.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
    async def readyz() -> Response:
        try:
            await asyncio.to_thread(require_schema, database)
        except SchemaError as error:
            return JSONResponse({"status": "not ready", "reason": str(error)}, status_code=503)
        return JSONResponse({"status": "ready"})


def only_process(database: Path) -> IO[str]:
    """Hold the right to serve an SQLite file; it ends with the process. SettingsError when another one has it."""
    path = database.with_name(f"{database.name}.web-lock")
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SettingsError(
            [
                f"{database}: another web process serves this database already; stop it first, "
                "or set WATCHFLOOR_DATABASE_URL to PostgreSQL to run several"
            ]
        ) from error
    return lock
