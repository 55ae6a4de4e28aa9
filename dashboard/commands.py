"""The command that serves the screens."""

from __future__ import annotations

import logging

import typer

from models import settings
from models.start import check_alone, check_port, open_database
from models.terminal import out

app = typer.Typer(no_args_is_help=True)


@app.command(epilog="Example: WATCHFLOOR_PORT=8080 watchfloor web")
def web() -> None:
    """Serve the screens, until stopped."""
    # Here and not above: a second of imports that no other command needs.
    import uvicorn

    from dashboard.live import SERVER_OPTIONS

    loaded = settings.load()
    # Looked at before the server starts: what goes wrong inside it is said by uvicorn, at length.
    check_port(loaded)
    database = open_database(loaded)
    check_alone(database)
    database.close()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    out.print(f"Serving {loaded.address}; Ctrl-C stops it. To sign in: watchfloor signin-link EMAIL")
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

    loaded = settings.load()
    return create_app(loaded, open_database(loaded))
