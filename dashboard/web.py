"""The web side: it reads, draws, pushes, and asks `models` to change things."""

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
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from dashboard import live, shell
from dashboard.hub import Hub
from dashboard.static import Compressed
from dashboard.views import VIEWS, by_path
from dashboard.views.view import View
from models.database import Database, require_schema
from models.errors import SchemaError, SettingsError
from models.settings import Settings

ASSETS = Path(__file__).resolve().parent.parent / "assets"
TITLE = "Watchfloor"


@dataclass(frozen=True, slots=True)
class Screen:
    """What is drawn in the frame of the program: the pages, the shell around them, its callbacks, the empty page."""

    paths: tuple[str, ...]
    find_view: Callable[[str], View | None]
    layout: Callable[[], Component]
    register: Callable[[Dash, Database], None]
    index: str


SCREEN = Screen(
    paths=tuple(view.path for view in VIEWS),
    find_view=by_path,
    layout=shell.layout,
    register=lambda app, database: shell.register(app, read=database.read),
    index=shell.INDEX,
)


def create_app(settings: Settings, database: Database | None = None, *, screen: Screen = SCREEN) -> FastAPI:
    """The web program, ready to be served by one uvicorn process started with `live.SERVER_OPTIONS`.

    Raises SchemaError when the database has another schema, SettingsError when SQLite is already served by
    another web process; both say the way out.
    """
    database = database or Database(settings.resolved_database_url)
    require_schema(database)
    alone = only_process(Path(database.url.database or "")) if database.is_sqlite else None
    hub = Hub(database, screen.find_view, version=importlib.metadata.version("watchfloor"))

    @asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        # Otherwise addresses other than / are served without the scripts of assets/ until somebody opens /.
        dash._setup_server()
        await hub.start()
        try:
            yield
        finally:
            await hub.stop()
            if alone is not None:
                alone.close()

    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    server.state.hub = hub
    _health(server, database)
    dash = _dash(server, database, screen)
    server.state.dash = dash
    return server


def _dash(server: FastAPI, database: Database, screen: Screen) -> Dash:
    dash = Dash(
        "dashboard",
        backend="fastapi",
        server=server,
        assets_folder=str(ASSETS),
        serve_locally=True,
        title=TITLE,
        update_title=None,
        suppress_callback_exceptions=True,
        index_string=screen.index,
    )
    # Dash would open a second socket in every browser.
    dash.backend.websocket_capability = False
    dash.layout = screen.layout
    screen.register(dash, database)
    return dash


def _health(server: FastAPI, database: Database) -> None:
    @server.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "up"})

    @server.get("/readyz", include_in_schema=False)
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
