"""The command that serves the screens."""

from __future__ import annotations

import logging

import typer
import uvicorn

from models import settings

app = typer.Typer(no_args_is_help=True)


@app.command(epilog="Example: WATCHFLOOR_PORT=8080 watchfloor web")
def web() -> None:
    """Serve the screens, until stopped."""
    from dashboard.live import SERVER_OPTIONS

    loaded = settings.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        "dashboard.commands:application",
        factory=True,
        host=loaded.host,
        port=loaded.port,
        workers=loaded.workers if loaded.workers > 1 else None,
        access_log=False,
        timeout_graceful_shutdown=5,
        **SERVER_OPTIONS,
    )


def application() -> object:
    """The program of one web process."""
    from dashboard import create_app
    from models.start import open_database

    loaded = settings.load()
    return create_app(loaded, open_database(loaded))
