"""The `watchfloor` command: the commands of the three packages side by side."""

from __future__ import annotations

import sys

import typer
from sqlalchemy.exc import OperationalError

from models.errors import WatchfloorError


def build() -> typer.Typer:
    """All commands in one application."""
    from dashboard import commands as of_dashboard
    from ingest import commands as of_ingest
    from models import commands as of_models

    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="The watch floor of an organisation's social channels.",
    )
    for module in (of_ingest, of_dashboard, of_models):
        app.add_typer(module.app)
    return app


def main() -> None:
    """Run a command; what it could not do is one clear sentence and a non-zero exit."""
    try:
        build()(standalone_mode=True)
    except WatchfloorError as error:
        sys.exit(f"watchfloor: {error}")
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        sys.exit(f"watchfloor: the database does not answer: {reason}")
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
