"""Commands that bring mentions in: import, sources, the worker, and `run`, which starts everything on one machine."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ingest.commands_simulation import app as simulate_app
from ingest.commands_sources import app as source_app
from ingest.commands_sources import pairs
from ingest.mapping import FIELDS
from models import audit, identity, organisation, secrets, settings, sources
from models.backup import database_file
from models.database import Database
from models.errors import InputError
from models.settings import Settings
from models.start import bring_up, check_alone, check_port, existing_database, make_home, open_database
from models.start import opened as opened_as_it_is
from models.terminal import counted, log_to, now, out

app = typer.Typer(no_args_is_help=True)
app.add_typer(source_app, name="source")
app.add_typer(simulate_app, name="simulate")

# What a reason for setting rows aside says -> what to do about all of them.
WAYS_OUT = {
    "is not UTF-8": "Is the file in another encoding? Name it and import again: --encoding cp1252",
    "has no zone": "Name the zone of the file and import again: --zone America/Los_Angeles",
}
EXAMPLE_ORGANISATION = "models/demo/meridian.toml"


# -- files -------------------------------------------------------------------------------------------------


@app.command(
    "import",
    epilog="Example: watchfloor import tweets.csv -c network==x -c external_id=tweet_id -c posted_at=tweet_created "
    "--zone America/Los_Angeles -c brand=airline",
)
def import_file(
    file: Path,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "-c",
            help=f"FIELD=COLUMN, or FIELD==VALUE for one value throughout. Fields: {', '.join(FIELDS)}.",
        ),
    ] = None,
    brand: Annotated[
        list[str] | None,
        typer.Option("--brand-value", help="VALUE=KEY: what the brand column says and whose key it is."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of instants that name none, e.g. Europe/Berlin.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file; UTF-8, with or without BOM, where not named.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="csv, tsv or jsonl; by the file's ending if not named.")
    ] = None,
    posted_at_form: Annotated[str | None, typer.Option(help="unix, unix_ms, or a form like %d.%m.%Y %H:%M.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Between the cells of a CSV.")] = None,
    hash_ids: Annotated[bool, typer.Option(help="Make ids from what a row says, where there is no id column.")] = False,
) -> None:
    """Store the posts of a file. It may be interrupted and repeated: nothing is lost, nothing is stored twice."""
    # Here and in other commands: models of language and sentiment take a second to load.
    from ingest import importing
    from ingest.connectors import file as file_connector

    settings_of_file = {
        "zone": zone,
        "encoding": encoding,
        "format": form,
        "posted_at_form": posted_at_form,
        "delimiter": delimiter,
        "id_from": "hash" if hash_ids else None,
    }
    flags = {**pairs(column, "--column"), **{k: v for k, v in settings_of_file.items() if v is not None}}
    config = file_connector.config_from(file, flags)
    if brand:
        config = config.model_copy(update={"brands": pairs(brand, "--brand-value")})
    for line in file_connector.explained(config):
        out.print(escape(line))
    loaded = settings.load()
    database = open_database(loaded)
    log_to(loaded)
    begun = importing.begin(database, config)
    if begun.line is not None:
        out.print(f"Going on from line {begun.line:,}, where the last import of this file stopped.")
    summary = importing.bring_in(database, begun)
    with database.write() as connection:
        details = {
            "rows": summary.rows,
            "stored": summary.stored,
            "repeated": summary.repeated,
            "set_aside": summary.set_aside,
            "error": summary.error,
        }
        subject = str(config.path)
        audit.record(
            connection, at=now(), action="file.imported", subject=subject, actor="command line", details=details
        )
    if summary.rows or not summary.error:
        out.print(f"{escape(file.name)}: {summary.sentence()}.")
    if summary.set_aside or summary.incomplete:
        reasons = importing.set_aside_reasons(database, begun)
        for reason, number in reasons:
            out.print(escape(f"  {counted(number, 'row')}: {reason}"))
        for sign, way_out in WAYS_OUT.items():
            if any(sign in reason for reason, _ in reasons):
                out.print(way_out)
    if summary.error:
        raise InputError(summary.error)


@app.command(epilog="Example: watchfloor once Press")
def once(name: Annotated[str, typer.Argument(metavar="SOURCE")]) -> None:
    """Fetch a source now, once, in this terminal."""
    from ingest import leases
    from ingest.pipeline import Pipeline
    from ingest.run import run

    loaded = settings.load()
    database = existing_database(loaded)
    log_to(loaded)
    lease = leases.take(database, f"once-{os.getpid()}", now=now(), name=name)
    if lease is None:
        with database.read() as connection:
            known = {item.name: item.badge for item in sources.health(connection, now())}
        state = known.get(name)
        if state is None:
            raise InputError(f'no source "{name}"; known: {", ".join(known) or "none yet"}')
        if state == "paused":
            raise InputError(f'"{name}" is paused; watchfloor source resume "{name}"')
        raise InputError(f'"{name}" is being fetched by a worker; try again in a moment')
    with database.read() as connection:
        pipeline = Pipeline(organisation.current(connection, now()))
    outcome = run(database, pipeline, lease, settings=loaded)
    if outcome.error:
        raise InputError(f"{name}: {outcome.error}")
    out.print(f"{escape(name)}: {outcome.items:,} found, {outcome.new:,} new, {outcome.set_aside:,} set aside.")


# -- processes ---------------------------------------------------------------------------------------------


@app.command(epilog="Example: watchfloor ingest")
def ingest() -> None:
    """Poll every source that is due, until stopped; several of these may share one PostgreSQL."""
    from ingest.schedule import Worker
    from ingest.together import until_stopped

    loaded = settings.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    database = open_database(loaded)
    with database.read() as connection:
        secrets.check_stored(connection, loaded)
    worker = Worker(database, settings=loaded)
    with until_stopped() as stopping:
        worker.start()
        stopping.wait()
        worker.stop()
    out.print("Ingest has stopped; every page under way was finished.")


@app.command(name="run", epilog="Example: watchfloor run")
def run_everything() -> None:
    """Start web and ingest on this machine, and print the address with a one-time sign-in link."""
    from ingest import together

    loaded = settings.load()
    # Before anything is made or started.
    check_port(loaded)
    database = _brought_up(loaded)
    link = _first_steps(database, loaded)
    logs = loaded.home / "logs"
    _say(f"Starting; the logs are in {logs}")
    with together.until_stopped() as stopping, together.started(logs) as children:
        if together.wait_until_ready(loaded, children, stopping):
            _greet(database, loaded, link)
        elif not stopping.is_set() and not together.ended(children):
            _say(f"Still starting after {together.READY_SECONDS} s; the logs are in {logs}")
        together.watch(database, children, stopping, say=_say)
        fallen = together.ended(children)
        if stopping.is_set():
            _say("Stopping; what is under way is finished first.")
    database.close()
    if fallen and not stopping.is_set():
        reasons = "; ".join(child.reason() for child in fallen)
        raise InputError(f"{reasons}. The other one was stopped; the logs are in {logs}")
    _say("Stopped.")


def _say(line: str) -> None:
    """A line that is there at once, also in a pipe or a log."""
    out.print(escape(line))
    sys.stdout.flush()


def _brought_up(loaded: Settings) -> Database:
    make_home(loaded.home)
    database = opened_as_it_is(loaded)
    if database.is_sqlite:
        check_alone(database)
        kept = bring_up(database, loaded.home / "backups", now=now())
        if kept is not None:
            _say(f"The database was brought to this release; as it was before it is in {kept}")
    database.close()
    return open_database(loaded)


def _first_steps(database: Database, loaded: Settings) -> str:
    """Make what a first start needs; returns a link that signs the first administrator in once."""
    from ingest import demo

    with database.write() as connection:
        if loaded.demo and demo.is_wanted(connection, now()):
            demo.create(connection, rate=loaded.demo_rate, home=loaded.home, now=now())
            _say("First start: a simulated organisation is created; WATCHFLOOR_DEMO=0 in a fresh home starts empty.")
        email = demo.first_administrator(connection, now())
        token = identity.make_link(connection, email, now(), valid_for=identity.FIRST_LINK_VALID)
    return f"{loaded.address}/signin/link?token={token}"


def _greet(database: Database, loaded: Settings, link: str) -> None:
    from ingest import demo

    _say(f"Watchfloor is at {loaded.address}")
    _say("Sign in, once, within 24 hours, with")
    typer.echo(f"  {link}")
    with database.read() as connection:
        if demo.is_empty(connection):
            _say("It is empty. Describe your organisation: watchfloor organisation load FILE")
            _say(f"({_example()} shows how); then bring posts in: watchfloor import FILE, or watchfloor source add")
    place = database_file(database) if database.is_sqlite else database.url.render_as_string()
    _say(f"Ctrl-C stops it. Data: {place}. Another link: watchfloor signin-link EMAIL")


def _example() -> Path:
    return Path(__file__).parent.parent / EXAMPLE_ORGANISATION
