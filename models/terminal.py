"""What the commands of all packages share: the terminal, the clock, the database of the settings, ages."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler

from rich.console import Console
from rich.table import Table

from models import settings
from models.database import Database
from models.settings import Settings
from models.start import existing_database, open_database

out = Console(highlight=False, soft_wrap=True)
# A pipe or a log has no width: nothing in a table is cut there.
WIDTH_WITHOUT_TERMINAL = 400
LOG_BYTES = 1_000_000
UNITS = ((2 * 86_400, 86_400, "d"), (2 * 3600, 3600, "h"), (120, 60, "min"))


def now() -> datetime:
    """The instant that a command calls now."""
    return datetime.now(UTC)


def opened() -> Database:
    """The database of the settings, made where there is none yet."""
    return open_database(settings.load())


def existing() -> Database:
    """The database of the settings, which must be there: a command that only looks makes none."""
    return existing_database(settings.load())


def print_table(table: Table) -> None:
    """Print a table, as wide as it is where there is no terminal."""
    wide = out if out.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
    wide.print(table)


def log_to(settings: Settings) -> None:
    """Keep what a command logs, tracebacks too, in `logs/commands.log`: its terminal gets one sentence."""
    try:
        folder = settings.home / "logs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            folder / "commands.log", maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger("watchfloor").addHandler(handler)


def age(seconds: float | None) -> str:
    """ "45 s", "12 min", "5 h" or "3 d"; "never" for None."""
    if seconds is None:
        return "never"
    for least, unit, word in UNITS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds:.0f} s"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """ "1 brand", "1,200 brands"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
