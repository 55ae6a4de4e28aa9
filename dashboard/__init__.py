"""The web side: it reads, draws, pushes, and asks `models` to change things."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.web import Program
    from models.database import Database
    from models.settings import Settings


def create_app(settings: Settings, database: Database | None = None) -> Program:
    """The web program, an ASGI application for uvicorn started with `dashboard.live.SERVER_OPTIONS`.

    Raises SchemaError when the database has another schema, SettingsError when SQLite is already served by
    another web process; both say the way out.
    """
    # Here and not above: whoever imports one module of this package does not load all of Dash.
    from dashboard.web import assemble

    return assemble(settings, database)
