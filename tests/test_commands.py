"""The commands as people type them: what they say, and what they say when they cannot."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import typer
from sqlalchemy import text

import app
from ingest.together import COMMANDS as COMMANDS_OF_RUN
from models.database import Database
from models.export import unguarded
from models.migrations import HEAD
from tests.command_line import AIRLINES, Terminal, terminal
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.few import few
from tests.test_importing import FLAGS, posts, written
from tests.test_together import lives, until

__all__ = ["terminal"]

EXECUTABLE = Path(sys.executable).with_name("watchfloor")
COMMANDS = {
    "audit export",
    "audit head",
    "audit verify",
    "backup",
    "cube check",
    "cube rebuild",
    "db upgrade",
    "doctor",
    "export",
    "import",
    "ingest",
    "once",
    "organisation load",
    "restore",
    "rules test",
    "run",
    "signin-link",
    "simulate misbehave",
    "simulate status",
    "simulate well",
    "source add",
    "source fetch",
    "source list",
    "source pause",
    "source resume",
    "spikes backtest",
    "status",
    "user add",
    "user break-glass",
    "user disable",
    "user enable",
    "user import",
    "user list",
    "user role",
    "web",
}
# What each of them needs to be typed at all.
ARGUMENTS = {
    "audit export": ["/nowhere/audit.jsonl"],
    "backup": ["/nowhere/x.db"],
    "import": [str(AIRLINES)],
    "once": ["Press"],
    "organisation load": [str(AIRLINES)],
    "restore": [str(AIRLINES)],
    "rules test": ["text"],
    "signin-link": ["ana@example.org"],
    "source add": ["feed", "--name", "Press", "--set", "url=https://example.org/feed.xml"],
    "simulate misbehave": ["--network", "x", "--kind", "outage"],
    "source fetch": ["Press"],
    "source pause": ["Press"],
    "source resume": ["Press"],
    "spikes backtest": ["--brand", "united"],
    "user add": ["ana@example.org", "--name", "Ana"],
    "user break-glass": ["ana@example.org"],
    "user disable": ["ana@example.org"],
    "user enable": ["ana@example.org"],
    "user import": ["people.csv"],
    "user role": ["ana@example.org", "agent"],
}
ALONE = {"import", "backup", "restore", "doctor", "simulate misbehave", "simulate status", "simulate well"}
NEED_DATABASE = sorted(COMMANDS - ALONE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from tree(below, f"{path}{name} ")
        else:
            yield f"{path}{name}", below


# -- help --------------------------------------------------------------------------------------------------


def test_every_command_says_what_it_does_and_has_an_example() -> None:
    found = dict(tree(typer.main.get_command(app.build())))
    assert set(found) == COMMANDS
    for name, command in found.items():
        assert re.fullmatch(rf"Example: (WATCHFLOOR_\w+=\S+ )?watchfloor {name}\b.*", command.epilog), name
        assert command.help.split("\n")[0].endswith("."), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_is_there_for_every_command_without_a_database(terminal: Terminal, name: str) -> None:
    assert "Example: " in terminal.sees(*name.split(), "--help")
    assert not terminal.home.exists()


def test_the_version_is_printed(terminal: Terminal) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", terminal.sees("--version"))


# -- what cannot be done -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMMANDS - {"import"}))
def test_a_wrong_setting_is_told_by_every_command(terminal: Terminal, name: str) -> None:
    terminal.set("PORT", "eighty")
    terminal.set("PROT", "80")
    lines = terminal.is_told(*name.split(), *ARGUMENTS.get(name, [])).split("\n")
    assert lines[0] == 'WATCHFLOOR_PORT: "eighty" is no whole number'
    assert lines[1].startswith('WATCHFLOOR_PROT: there is no setting "prot" (did you mean port?)')


@pytest.mark.parametrize("name", NEED_DATABASE)
def test_a_database_that_is_down_is_told_by_every_command(terminal: Terminal, name: str) -> None:
    terminal.set("DATABASE_URL", "postgresql://ana:hunter2@127.0.0.1:1/none?connect_timeout=2")
    terminal.set("PORT", str(free_port()))
    told = terminal.is_told(*name.split(), *ARGUMENTS.get(name, []))
    assert "does not answer" in told
    assert "hunter2" not in told
    assert "\n" not in told


@pytest.mark.parametrize("name", few(["run", "web", "ingest", "user list", "status"], 1))
def test_postgresql_at_another_schema_is_refused_with_the_way_out(terminal: Terminal, name: str) -> None:
    url = new_postgres_database()
    try:
        database = Database(url)
        with database.write() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        database.close()
        terminal.set("DATABASE_URL", url)
        terminal.set("PORT", str(free_port()))
        assert terminal.is_told(*name.split()).endswith(": run `watchfloor db upgrade`")
    finally:
        drop_postgres_database(url)


@pytest.mark.parametrize(
    "name", sorted(COMMANDS - {"run", "web", "ingest", "doctor", "db upgrade", "import", "restore", "rules test"})
)
def test_a_home_that_is_a_file_is_told_by_every_command(terminal: Terminal, name: str) -> None:
    terminal.home.write_text("in the way")
    told = terminal.is_told(*name.split(), *ARGUMENTS.get(name, []))
    assert str(terminal.home) in told
    assert "WATCHFLOOR_HOME" in told


@pytest.mark.parametrize("name", ["run", "web"])
def test_a_taken_port_is_told_before_anything_is_made(terminal: Terminal, name: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        terminal.set("PORT", str(port))
        told = terminal.is_told(name)
    assert told.startswith(f"port {port} of 127.0.0.1 is taken by another program; ")
    assert not terminal.home.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["once", "Press"], 'no source "Press"; known: none yet'),
        (["source", "pause", "Press"], 'no source "Press"; known: none yet'),
        (["source", "resume", "Press"], 'no source "Press"; known: none yet'),
        (["source", "add", "telegraph", "--name", "T"], r'no connector "telegraph"; known: .*feed, file, simulator, x'),
        (["source", "add", "feed", "--name", "T"], "--set url: is missing; give it as --set url=VALUE"),
        (["source", "add", "feed", "--name", "T", "--set", "url"], '--set "url": write it as NAME=VALUE'),
        (
            ["source", "add", "feed", "--name", "T", "--set", "url=https://e.org/", "--set", "colour=red"],
            "--set colour: there is no such setting; known: url, .*",
        ),
        (
            ["source", "add", "feed", "--name", "x" * 201, "--set", "url=https://e.org/"],
            "--name: a name has 1 to 200 printable characters, this one 201",
        ),
        (["user", "add", "ana", "--name", "Ana"], '"ana" is no email address; use one like ana@example.org'),
        (["user", "add", "a@b.org", "--name", "A", "--role", "king"], 'no role "king"; known: viewer, agent, .*'),
        (["user", "add", "a@b.org", "--name", "A", "--brand", "x"], 'no brand "x"; known: unmatched, american, .*'),
        (["user", "add", "a@b.org", "--name", "A", "--location", "x"], r'no location "x"; known: .* and \d+ more|.*'),
        (["user", "disable", "a@b.org"], 'no person "a@b.org"; see `watchfloor user list`'),
        (["user", "role", "a@b.org", "agent"], 'no person "a@b.org"; see `watchfloor user list`'),
        (["user", "import", "nowhere.csv"], "nowhere.csv: cannot be read: No such file or directory"),
        (["signin-link", "a@b.org"], 'no person "a@b.org"; see `watchfloor user list`'),
        (["rules", "test", "x", "--network", "telex"], 'no network "telex"; known: .*'),
        (["rules", "test", "x", "--rule", "(a"], r"the rule does not parse:\n\(a\n\^.*"),
        (["export", "--format", "xls"], 'no format "xls"; known: csv, jsonl'),
        (["export", "--brand", "x"], 'no brand "x"; known: unmatched, american, .*'),
        (["export", "--from", "yesterday"], '"yesterday" is no instant; write one like .*'),
        (["export", "--from", "9999-12-31T23:59"], '"9999-12-31T23:59" is no instant; .*'),
        (["export", "--to", "0001-01-01T00:00+14:00"], '"0001.*" is no instant; .*'),
        (["export", "--from", "2015-02-24", "--to", "2015-02-23"], "--from 2015-02-24T08:00Z is not before --to .*"),
        (["organisation", "load", "/nowhere.toml"], 'there is no file "/nowhere.toml"'),
        (["organisation", "load", "/"], "/: cannot be read: Is a directory"),
        (["restore", "/nowhere.db"], 'there is no file "/nowhere.db"'),
        (["backup", "/proc/nowhere/x.db"], '"/proc/nowhere/x.db" cannot be written: .*'),
        (["import", "/nowhere.csv", "-c", "network==x"], "/nowhere.csv is not there"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_the_way_out(
    terminal: Terminal, arguments: list[str], sentence: str
) -> None:
    terminal.with_airlines()
    assert re.fullmatch(sentence, terminal.is_told(*arguments), re.DOTALL), terminal.is_told(*arguments)


@pytest.mark.parametrize(
    "arguments", [["nope"], ["status", "--nope"], ["import"], ["user", "add", "x"], ["export", "--from"]]
)
def test_a_command_or_a_flag_that_is_none_is_told_with_the_help(terminal: Terminal, arguments: list[str]) -> None:
    answer = terminal.run(*arguments)
    assert answer.code == 2
    assert re.search(r"No such command|No such option|Missing argument|Missing option|requires an argument", answer.err)
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "name", ["status", "export", "user list", "source list", "once", "cube check", "cube rebuild", "signin-link"]
)
def test_a_command_that_only_looks_makes_no_database(terminal: Terminal, name: str) -> None:
    told = terminal.is_told(*name.split(), *ARGUMENTS.get(name, []))
    assert told.startswith(f'there is no database "{terminal.home}/watchfloor.db" yet; begin with `watchfloor run`')
    assert not terminal.home.exists()


# -- the organisation, rules, people -----------------------------------------------------------------------


def test_an_organisation_is_shown_then_loaded_then_unchanged(terminal: Terminal) -> None:
    dry = terminal.sees("organisation", "load", str(AIRLINES), "--dry-run")
    assert "+ brand united United\n" in dry
    assert dry.endswith(f"{AIRLINES}: 47 differences would be applied.\n")
    assert "american" not in terminal.sees("status")
    assert terminal.sees("organisation", "load", str(AIRLINES)).endswith("47 differences were applied.\n")
    assert terminal.sees("organisation", "load", str(AIRLINES)) == "Nothing to change.\n"
    assert "united" in terminal.sees("status")


def test_a_faulty_organisation_changes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[[brand]]\nkey = "good"\n[[brand]]\nkey = "bad"\ncompetitors = ["ghost"]\n')
    told = terminal.is_told("organisation", "load", str(tmp_path / "bad.toml"))
    assert told == 'brand "bad": there is no brand "ghost" to compete with'
    assert "good" not in terminal.sees("status")


def test_another_zone_is_told_to_need_the_rollups_anew(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "zone.toml").write_text('[organisation]\nzone = "Asia/Tokyo"\n')
    terminal.with_airlines()
    terminal.sees("import", written(tmp_path, posts(3)), *FLAGS)
    assert "run `watchfloor cube rebuild`" in terminal.sees("organisation", "load", str(tmp_path / "zone.toml"))
    assert terminal.sees("cube", "rebuild").endswith("cells anew for 5 brands and the unmatched.\n")
    assert terminal.sees("cube", "check") == "Every cell says what its rows say.\n"


def test_a_cell_that_is_wrong_is_named_in_words(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    terminal.sees("import", written(tmp_path, posts(1)), *FLAGS)
    with closing(sqlite3.connect(terminal.home / "watchfloor.db")) as connection:
        connection.execute(
            "update cube set mentions = 7 where granularity = 86400 and location_id = 0 and team_id = 0"
            " and network_id = 0"
        )
        connection.commit()
    answer = terminal.run("cube", "check")
    assert answer.out == "United, 1440 min from 2015-02-20 08:00 UTC: mentions 7, counted 1\n"
    assert answer.err == "watchfloor: 1 cell not what the rows say; run `watchfloor cube rebuild`\n"


def test_a_text_is_tried_against_the_rules(terminal: Terminal) -> None:
    terminal.with_airlines()
    assert terminal.sees("rules", "test", "flying @united and @VirginAmerica today") == (
        'United (united): "@united"\nVirgin America (virgin-america): "@virginamerica"\nA mention of 2 brands.\n'
    )
    assert terminal.sees("rules", "test", "hello") == (
        "No brand's rule matches: the post would be kept as unmatched.\n"
    )
    assert terminal.sees("rules", "test", "late again", "--rule", "late") == 'The rule matches by "late".\n'
    assert terminal.sees("rules", "test", "late again", "--rule", "early") == "The rule does not match.\n"


def test_a_text_without_any_rule_is_told_so(terminal: Terminal) -> None:
    terminal.database().close()
    assert "No brand has a rule yet" in terminal.sees("rules", "test", "late again")


def test_people_are_added_listed_linked_and_disabled(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.with_airlines()
    added = terminal.sees(
        "user", "add", "ana@example.org", "--name", "Ana", "--brand", "united", "--location", "seattle"
    )
    assert added == "ana@example.org may sign in as viewer, by a link: watchfloor signin-link ana@example.org.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    arguments = ("user", "add", "bo@example.org", "--name", "Bo", "--role", "admin", "--password-stdin")
    assert terminal.is_told(*arguments).startswith("the password has 5 characters; use at least ")
    monkeypatch.setattr("sys.stdin", io.StringIO("a lighthouse keeps its hours\n"))
    assert terminal.sees(*arguments) == "bo@example.org may sign in as admin, with the password.\n"
    listed = terminal.sees("user", "list")
    assert re.search(r"ana@example.org +Ana +viewer +united +seattle +never", listed)
    assert listed.endswith("2 people.\n")
    link = terminal.sees("signin-link", "ana@example.org")
    assert re.fullmatch(r"http://localhost:8050/signin/link\?token=[\w-]{43}\n", link)
    assert terminal.sees("user", "disable", "ana@example.org").endswith("; 0 claims and 0 open sessions ended.\n")
    assert "is disabled" in terminal.is_told("signin-link", "ana@example.org")
    assert re.search(r"ana@example.org +Ana +disabled", terminal.sees("user", "list"))
    terminal.sees("user", "enable", "ana@example.org")
    given = terminal.sees("user", "role", "ana@example.org", "approver", "--brand", "united", "--until", "2031-12-01")
    assert given == "ana@example.org is approver for United.\n"
    assert "approver, viewer" in terminal.sees("user", "list")
    assert "just that" in terminal.is_told("user", "role", "ana@example.org", "approver", "--end")
    terminal.sees("user", "role", "ana@example.org", "approver", "--brand", "united", "--end")
    assert "approver" not in terminal.sees("user", "list")
    assert "gets in with a password" in terminal.sees("user", "break-glass", "bo@example.org")
    assert "needs the role admin" in terminal.is_told("user", "break-glass", "ana@example.org")


def test_people_come_from_a_file_that_is_looked_at_first(terminal: Terminal, tmp_path: Path) -> None:
    terminal.sees("organisation", "load", str(AIRLINES))
    file = tmp_path / "people.csv"
    file.write_text("email,name,role,brands,dept\nnoor@x.example,Noor,agent,united,care\nbad,B,,,\n")
    looked = terminal.sees("user", "import", str(file), "--dry-run")
    assert "+ noor@x.example agent for United\n" in looked
    assert "line 3: “bad” is no work address" in looked
    assert "Columns not read: dept." in looked
    assert looked.endswith("1 change would be loaded, 1 line not read.\n")
    assert "0 people" in terminal.sees("user", "list")
    assert terminal.sees("user", "import", str(file)).endswith("1 change was loaded, 1 line not read.\n")
    assert "noor@x.example" in terminal.sees("user", "list")
    assert terminal.sees("user", "import", str(file)).endswith("0 changes were loaded, 1 line not read.\n")


def test_a_link_names_the_address_that_people_open(terminal: Terminal) -> None:
    terminal.database().close()
    terminal.set("PUBLIC_URL", "https://floor.example.org")
    terminal.sees("user", "add", "ana@example.org", "--name", "Ana")
    assert terminal.sees("signin-link", "ana@example.org").startswith("https://floor.example.org/signin/link?token=")


# -- sources, status, backup -------------------------------------------------------------------------------


def test_a_source_is_added_paused_resumed_and_fetched(terminal: Terminal) -> None:
    terminal.with_airlines()
    url = f"url=http://127.0.0.1:{free_port()}/feed.xml"
    assert "does not answer" in terminal.is_told("source", "add", "feed", "--name", "The [bold]Press", "--set", url)
    flags = ["--set", url, "--every", "60", "--no-check"]
    added = terminal.sees("source", "add", "feed", "--name", "The [bold]Press", *flags)
    assert added == f"The [bold]Press: feed {url.removeprefix('url=')}, fetched every 60 s.\n"
    assert "there is a source" in terminal.is_told("source", "add", "feed", "--name", "The [bold]Press", "--set", url)
    assert "does not answer" in terminal.is_told("once", "The [bold]Press")
    assert terminal.sees("source", "pause", "The [bold]Press") == "The [bold]Press is paused.\n"
    assert terminal.is_told("once", "The [bold]Press").endswith('watchfloor source resume "The [bold]Press"')
    assert terminal.sees("source", "resume", "The [bold]Press") == "The [bold]Press is polled again.\n"
    listed = terminal.sees("source", "list")
    assert re.search(r"The \[bold\]Press +feed +waiting +60 s +never", listed)
    assert listed.endswith("1 source.\n")


def test_status_says_the_same_to_people_and_to_programs(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    terminal.sees("import", written(tmp_path, [*posts(12), ("x", "", "2015-02-20T00:00Z", "")]), *FLAGS)
    found = json.loads(terminal.sees("status", "--json"))
    assert found["mentions"]["by_brand"]["united"] == found["mentions"]["total"] == 12
    assert found["set_aside"] == 1
    (file,) = found["sources"]
    assert (file["kind"], file["state"], file["last_error"]) == ("file", "done", None)
    shown = terminal.sees("status")
    assert shown.startswith("12 mentions, 0 of them unmatched, 1 row set aside; sqlite:///")
    assert re.search(r"united +12\b", shown)


def test_a_backup_is_made_and_restored(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    kept = str(tmp_path / "kept.db")
    assert re.fullmatch(rf"Backed up \d\.\d MB to {kept}\.\n", terminal.sees("backup", kept))
    terminal.sees("import", written(tmp_path, posts(5)), *FLAGS)
    # Commands end with their process, and so do their connections; here they end with the garbage.
    gc.collect()
    assert terminal.sees("restore", kept).startswith(f"Restored {kept}. What was there before is {terminal.home}")
    assert json.loads(terminal.sees("status", "--json"))["mentions"]["total"] == 0
    terminal.set("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    assert terminal.is_told("restore", kept) == (
        "the database is PostgreSQL, which has its own tools for this: pg_restore --clean --dbname=NAME FILE"
    )


def test_doctor_names_what_is_bad_and_exits_with_it(terminal: Terminal) -> None:
    terminal.set("PORT", str(free_port()))
    assert terminal.sees("doctor").endswith("All 4 things looked at are well.\n")
    terminal.with_airlines()
    (terminal.home / "watchfloor.db").chmod(0o644)
    answer = terminal.run("doctor")
    assert answer.code == 1
    assert "BAD File: " in answer.out
    assert answer.err == "watchfloor: 1 thing of 9 looked at needs mending; see BAD above\n"


def test_an_upgrade_says_what_it_did(terminal: Terminal) -> None:
    assert terminal.sees("db", "upgrade") == f"sqlite:///{terminal.home}/watchfloor.db has schema {HEAD}.\n"
    assert terminal.sees("db", "upgrade") == f"sqlite:///{terminal.home}/watchfloor.db has schema {HEAD}.\n"


# -- export ------------------------------------------------------------------------------------------------


def test_an_export_reads_back_as_it_was_imported(terminal: Terminal, tmp_path: Path) -> None:
    texts = ["=1+1", "'=1", "+late", "-late", "@united", "it's", "a,b", 'say "so"', "two\r\nlines", "\u2028\U0001f600"]
    rows = [(str(i), value, "2015-02-20T12:00:00Z", "united") for i, value in enumerate(texts)]
    terminal.with_airlines()
    terminal.sees("import", written(tmp_path, rows), *FLAGS)
    lines = terminal.sees("export", "--format", "jsonl").split("\n")[:-1]
    found = {row["external_id"]: row["text"] for row in map(json.loads, lines)}
    assert [found[str(i)] for i in range(len(texts))] == texts
    table = list(csv.DictReader(io.StringIO(terminal.sees("export"), newline="")))
    read_back = {row["external_id"]: unguarded(row["text"]) for row in table}
    assert [read_back[str(i)] for i in range(len(texts))] == texts
    assert not [row for row in table for cell in row.values() if cell[:1] in ("=", "+", "-", "@") and cell[1:2] == "1"]
    assert terminal.sees("export", "--brand", "american").count("\n") == 1


@pytest.fixture
def filled(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A home with more mentions than a pipe holds."""
    terminal.with_airlines()
    terminal.sees("import", written(tmp_path, posts(900)), *FLAGS)
    return terminal


@pytest.mark.prove
def test_a_reader_that_has_seen_enough_ends_an_export_quietly(filled: Terminal) -> None:
    export = subprocess.Popen([EXECUTABLE, "export"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert export.stdout is not None
    assert export.stderr is not None
    assert export.stdout.readline().startswith(b"brand,id,network")
    export.stdout.close()
    assert export.stderr.read() == b""
    assert export.wait(20) != 0


# -- run ---------------------------------------------------------------------------------------------------


class Running:
    """`watchfloor run` in a process of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.port = free_port()
        self.output = home.parent / f"run-{self.port}.txt"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHFLOOR_")}
        environment |= {"WATCHFLOOR_HOME": str(home), "WATCHFLOOR_PORT": str(self.port)}
        environment |= {f"WATCHFLOOR_{name}": value for name, value in settings.items()}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [EXECUTABLE, "run"], env=environment, stdout=file, stderr=file, start_new_session=True
            )

    def said(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.output.read_text() or self.process.poll() is not None

    def wait_until_ready(self) -> str:
        """The one-time link."""
        until(self.said("Ctrl-C stops it"), "it came up")
        found = re.search(r"http://localhost:\d+/signin/link\?token=[\w-]+", self.output.read_text())
        assert found is not None, self.output.read_text()
        return found[0]

    def children(self) -> dict[str, int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        names = {int(number): Path(f"/proc/{number}/cmdline").read_text().split("\0") for number in listed}
        return {words[-2]: number for number, words in names.items()}

    def ends_with(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture
def started() -> Iterator[Callable[..., Running]]:
    all_of_them: list[Running] = []

    def start(home: Path, **settings: str) -> Running:
        all_of_them.append(Running(home, **settings))
        return all_of_them[-1]

    yield start
    for running in all_of_them:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_first_run_shows_a_simulated_organisation_and_ctrl_c_stops_all_of_it(
    terminal: Terminal, started: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started(terminal.home, DEMO_RATE="0.1")
    link = first.wait_until_ready()
    with urlopen(f"http://127.0.0.1:{first.port}/readyz", timeout=10) as answer:
        assert answer.status == 200
    assert "a simulated organisation is created" in first.output.read_text()
    children = first.children()
    assert set(children) == {"web", "ingest"}

    # Nobody else gets in its way, on another port or by a restore.
    terminal.set("PORT", str(free_port()))
    assert terminal.is_told("run").startswith(f'Watchfloor is running already on "{terminal.home}/watchfloor.db"')
    backup = str(terminal.home / "kept.db")
    terminal.sees("backup", backup)
    assert "is in use by `watchfloor run`" in terminal.is_told("restore", backup)
    until(first.said("Filling in History, newest first: "), "the history is being filled in")

    assert first.ends_with(signal.SIGINT) == 0
    assert first.output.read_text().endswith("Stopping; what is under way is finished first.\nStopped.\n")
    assert not any(map(lives, children.values()))
    with closing(sqlite3.connect(terminal.home / "watchfloor.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from source where owner is not null").fetchone() == (0,)
    before = json.loads(terminal.sees("status", "--json"))
    assert before["simulated"]
    assert before["mentions"]["total"] > 0
    assert terminal.sees("cube", "check") == "Every cell says what its rows say.\n"

    # The second start makes nothing twice, and hands out another link.
    in_place_of_both(monkeypatch)
    again = terminal.sees("run")
    assert "is created" not in again
    assert "/signin/link?token=" in again
    assert link not in again
    after = json.loads(terminal.sees("status", "--json"))
    assert [item["name"] for item in after["sources"]] == [item["name"] for item in before["sources"]]
    listed = terminal.sees("user", "list")
    # Nobody can sign in but the administrator: the others are made up.
    assert listed.count("admin@") == 1
    assert listed.endswith("17 people.\n")


READY = (
    "import http.server as h, os\n"
    "class Handler(h.BaseHTTPRequestHandler):\n"
    "    def do_GET(self): self.send_response(200); self.end_headers()\n"
    "h.HTTPServer(('127.0.0.1', int(os.environ['WATCHFLOOR_PORT'])), Handler).serve_forever()\n"
)


def in_place_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small programs instead of web and ingest, and somebody who ends the run at the first look."""
    monkeypatch.setitem(COMMANDS_OF_RUN, "web", (sys.executable, "-c", READY))
    monkeypatch.setitem(COMMANDS_OF_RUN, "ingest", (sys.executable, "-c", "import signal; signal.pause()"))
    monkeypatch.setattr("ingest.together.watch", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))


def test_a_run_without_a_demo_is_empty_and_says_what_to_do_next(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_place_of_both(monkeypatch)
    terminal.set("PORT", str(free_port()))
    terminal.set("DEMO", "0")
    said = terminal.sees("run")
    assert "It is empty. Describe your organisation: watchfloor organisation load FILE" in said
    example = re.search(r"\((\S+) shows how\)", said)
    assert example is not None
    assert Path(example[1]).is_file()
    assert said.endswith("Stopping; what is under way is finished first.\nStopped.\n")
    found = json.loads(terminal.sees("status", "--json"))
    assert (found["mentions"]["total"], found["sources"], found["simulated"]) == (0, [], False)


@pytest.mark.prove
def test_a_run_whose_screens_do_not_start_says_why_and_where_the_log_is(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS_OF_RUN, "web", (sys.executable, "-c", "import sys; sys.exit('no room')"))
    monkeypatch.setitem(COMMANDS_OF_RUN, "ingest", (sys.executable, "-c", "import signal; signal.pause()"))
    terminal.set("PORT", str(free_port()))
    assert terminal.is_told("run") == (
        f"web ended by itself (exit code 1): no room. The other one was stopped; the logs are in {terminal.home}/logs"
    )
