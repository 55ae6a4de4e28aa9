"""The `watchfloor` command: the commands of the three packages side by side."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from models.explained import explained


def build() -> typer.Typer:
    """All commands in one application."""
    from dashboard import commands as of_dashboard
    from ingest import commands as of_ingest
    from models import commands as of_models

    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    app.callback(epilog="Settings are WATCHFLOOR_* variables or one TOML file; the README lists them.")(watchfloor)
    for module in (of_ingest, of_dashboard, of_models):
        app.add_typer(module.app)
    return app


def print_version(wanted: bool) -> None:
    """What `--version` does."""
    if wanted:
        typer.echo(importlib.metadata.version("watchfloor"))
        raise typer.Exit


def watchfloor(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """The watch floor of an organisation's social channels. Begin with: watchfloor run"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; what it could not do is one clear sentence and a non-zero exit."""
    try:
        build()(args=arguments, prog_name="watchfloor")
    except Exception as error:
        sentence = explained(error)
        if sentence is None:
            raise
        sys.exit(f"watchfloor: {sentence}")


if __name__ == "__main__":
    main()
