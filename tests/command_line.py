"""The `watchfloor` command as a test runs it: in this process, with a home of its own."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import typer

import app
from models.database import Database
from models.organisation_file import apply, read
from tests.empty import empty_database

# All commands are put together once for a test process: it takes longer than most of them run.
_COMMANDS = typer.main.get_command(app.build())
AIRLINES = Path(__file__).parent / "airlines.toml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Terminal:
    """A person at a terminal whose settings are `environment`; `run("status", "--json")` is what they type."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        for name in list(os.environ):
            if name.startswith("WATCHFLOOR_"):
                monkeypatch.delenv(name)
        self.set("HOME", str(home))

    def set(self, name: str, value: str) -> None:
        """Set WATCHFLOOR_`name`."""
        self._monkeypatch.setenv(f"WATCHFLOOR_{name}", value)

    def run(self, *arguments: str) -> Answer:
        """Type a command and read what comes back; a traceback would fail the test by itself."""
        self._capsys.readouterr()
        code = 0
        self._monkeypatch.setattr(app, "build", lambda: _COMMANDS)
        try:
            app.main(arguments)
        except SystemExit as end:
            if isinstance(end.code, str):
                # As the interpreter does with a sentence.
                code, sentence = 1, f"{end.code}\n"
            else:
                code, sentence = int(end.code or 0), ""
        else:
            sentence = ""
        finally:
            for handler in list(logging.getLogger("watchfloor").handlers):
                logging.getLogger("watchfloor").removeHandler(handler)
                handler.close()
        read = self._capsys.readouterr()
        return Answer(code, read.out, read.err + sentence)

    def sees(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        answer = self.run(*arguments)
        assert answer.code == 0, answer
        return answer.out

    def is_told(self, *arguments: str) -> str:
        """The one sentence of a command that must fail."""
        answer = self.run(*arguments)
        assert answer.code != 0, answer
        assert "Traceback" not in answer.err
        assert answer.err.startswith("watchfloor: "), answer
        return answer.err.removeprefix("watchfloor: ").rstrip("\n")

    def database(self) -> Database:
        """The embedded database of this home; an empty one where there is none."""
        path = self.home / "watchfloor.db"
        if not path.exists():
            self.home.mkdir(exist_ok=True)
            empty_database(self.home).close()
            path.chmod(0o600)
        return Database(f"sqlite:///{path}")

    def with_airlines(self) -> Terminal:
        """This terminal, with the five airlines loaded in its home."""
        self.home.mkdir()
        shutil.copy(_airlines(), self.home / "watchfloor.db")
        return self


@cache
def _airlines() -> Path:
    """A database with the five airlines, made once: it takes half a second, and a hundred tests want one."""
    folder = Path(tempfile.mkdtemp(prefix="watchfloor-airlines-"))
    database = empty_database(folder)
    with database.write() as connection:
        apply(connection, read(AIRLINES), actor="test", now=datetime.now(UTC))
    database.close()
    (folder / "watchfloor.db").chmod(0o600)
    return folder / "watchfloor.db"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal in a fresh home without a database."""
    return Terminal(tmp_path / "home", monkeypatch, capsys)
