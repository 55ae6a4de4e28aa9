"""Commands that bring mentions in: import, sources, the worker, and `run`, which starts everything on one machine."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ingest import connectors, demo, leases
from ingest.connectors import file as file_connector
from ingest.mapping import FIELDS
from ingest.found import Page
from ingest.pipeline import Pipeline
from ingest.run import Outcome, run
from ingest.schedule import Worker
from models import audit, identity, organisation, settings, sources
from models.database import Database
from models.errors import InputError
from models.networks import network_by_key
from models.settings import Settings
from models.start import open_database
from models.tables import source

app = typer.Typer(no_args_is_help=True)
source_app = typer.Typer(no_args_is_help=True, help="What is polled.")
app.add_typer(source_app, name="source")
out = Console(highlight=False, soft_wrap=True)
log = logging.getLogger("watchfloor")

# How long `run` waits for its two processes to finish what they are doing.
PATIENCE_SECONDS = 20
NICE = 5


def now() -> datetime:
    """The instant that a command calls now."""
    return datetime.now(UTC)


def _opened() -> Database:
    return open_database(settings.load())


def _pipeline(database: Database) -> Pipeline:
    with database.read() as connection:
        return Pipeline(organisation.current(connection, now()))


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
    settings_of_file = {
        "zone": zone,
        "encoding": encoding,
        "format": form,
        "posted_at_form": posted_at_form,
        "delimiter": delimiter,
        "id_from": "hash" if hash_ids else None,
    }
    flags = {**_pairs(column, "--column"), **{k: v for k, v in settings_of_file.items() if v is not None}}
    config = file_connector.config_from(file, flags)
    if brand:
        config = config.model_copy(update={"brands": _pairs(brand, "--brand-value")})
    for line in file_connector.explained(config):
        out.print(escape(line))
    database = _opened()
    name = _file_source(database, config)
    outcome = _run_to_end(database, name)
    with database.write() as connection:
        details = {"read": outcome.items, "new": outcome.new, "set_aside": outcome.set_aside}
        audit.record(
            connection,
            at=now(),
            action="file.imported",
            subject=str(config.path),
            actor="command line",
            details=details,
        )
    out.print(
        f"{escape(file.name)}: {outcome.new:,} mentions stored, {outcome.repeated:,} were stored already, "
        f"{outcome.set_aside:,} set aside."
    )
    if outcome.error:
        raise InputError(outcome.error)


def _pairs(given: list[str] | None, flag: str) -> dict[str, str]:
    pairs = {}
    for item in given or ():
        key, sign, value = item.partition("=")
        if not sign or not key or not value:
            raise InputError(f'{flag} "{item}": write it as NAME=VALUE')
        pairs[key.strip()] = value.strip()
    return pairs


def _file_source(database: Database, config: BaseModel) -> str:
    """The name of the source that holds the cursor of this file; a finished one begins again."""
    stored = config.model_dump(mode="json")
    name = f"File {stored['path']}"
    with database.write() as connection:
        row = connection.execute(source.select().where(source.c.name == name)).first()
        if row is None:
            sources.add(
                connection,
                name=name,
                kind="file",
                network_id=1,
                config=stored,
                every_seconds=file_connector.EVERY_SECONDS,
                now=now(),
            )
        else:
            again = row.state != "active" or row.config != stored
            values: dict[str, Any] = {"config": stored, "state": "active", "due_at": now(), "last_error": None}
            if again:
                values["cursor"] = None
            connection.execute(source.update().where(source.c.id == row.id).values(**values))
    return name


def _run_to_end(database: Database, name: str) -> Outcome:
    """Run a source until it has no more, with a bar, the rate and the time left; Ctrl-C ends after the page."""
    stopping = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stopping.set())
    pipeline = _pipeline(database)
    worker = f"import-{os.getpid()}"
    total = Outcome()
    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("reading", total=1.0)

            def show(outcome: Outcome, page: Page) -> None:
                items = total.items + outcome.items
                rate = items / max(time.monotonic() - began, 0.001)
                bar.update(task, completed=page.progress or 0.0, description=f"{items:,} rows, {rate:,.0f} a second")

            while True:
                lease = leases.take(database, worker, now=now(), name=name)
                if lease is None:
                    raise InputError(f'"{name}" is being read by another process; wait for it, or stop it')
                part = run(database, pipeline, lease, stopping=stopping.is_set, progress=show)
                total = Outcome(
                    total.items + part.items,
                    total.new + part.new,
                    total.repeated + part.repeated,
                    total.set_aside + part.set_aside,
                    total.pages + part.pages,
                    part.done,
                    part.error,
                )
                if part.done or part.error:
                    return total
                if stopping.is_set():
                    raise InputError("interrupted; what was read is stored, the same command goes on from there")
    finally:
        signal.signal(signal.SIGINT, before)


# -- sources -----------------------------------------------------------------------------------------------


@source_app.command("list", epilog="Example: watchfloor source list")
def source_list() -> None:
    """Every source, how it is doing, and how old its data is."""
    with _opened().read() as connection:
        found = sources.health(connection, now())
    table = Table("source", "kind", "state", "every", "data age", "normal", "last error", box=None)
    for item in found:
        age = "never" if item.data_age_seconds is None else f"{item.data_age_seconds:.0f} s"
        table.add_row(
            escape(item.name),
            item.kind,
            item.badge,
            f"{item.every_seconds:g} s",
            age,
            f"{item.normal_seconds:.1f} s",
            escape(item.last_error or ""),
        )
    out.print(table)
    out.print(f"{len(found)} sources.")


@source_app.command(
    "add", epilog="Example: watchfloor source add feed --name 'Press' --set url=https://example.org/feed.xml"
)
def source_add(
    kind: str,
    name: Annotated[str, typer.Option(help="As screens call it.")],
    given: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of the connector's settings.")] = None,
    every: Annotated[float | None, typer.Option(min=1, max=86_400, help="Seconds between two fetches.")] = None,
) -> None:
    """Poll one more source, from now on."""
    connector = connectors.by_kind(kind)
    config = _config(connector, _pairs(given, "--set"))
    network = connector.NETWORK or getattr(config, "network", None) or "other"
    with _opened().write() as connection:
        sources.add(
            connection,
            name=name,
            kind=kind,
            network_id=network_by_key(str(network)).id,
            config=config.model_dump(mode="json"),
            every_seconds=every or connector.EVERY_SECONDS,
            now=now(),
        )
        audit.record(
            connection, at=now(), action="source.added", subject=name, actor="command line", details={"kind": kind}
        )
    out.print(
        f"{escape(name)}: {escape(connector.describe(config))}, fetched every {every or connector.EVERY_SECONDS:g} s."
    )


def _config(connector: Any, values: Mapping[str, str]) -> BaseModel:
    try:
        config = connector.Config.model_validate(values)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            message = fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "extra_forbidden":
                message = f"there is no such setting; known: {', '.join(connector.Config.model_fields)}"
            faults.append(f"--set {'.'.join(map(str, fault['loc']))}: {message}")
        raise InputError("\n".join(faults)) from error
    assert isinstance(config, BaseModel)
    return config


@source_app.command("pause", epilog="Example: watchfloor source pause Press")
def source_pause(name: str) -> None:
    """Poll a source no more until it is resumed."""
    with _opened().write() as connection:
        sources.pause(connection, name, by="command line")
        audit.record(connection, at=now(), action="source.paused", subject=name, actor="command line")
    out.print(f"{escape(name)} is paused.")


@source_app.command("resume", epilog="Example: watchfloor source resume Press")
def source_resume(name: str) -> None:
    """Poll a source again, at once."""
    with _opened().write() as connection:
        sources.resume(connection, name, now=now())
        audit.record(connection, at=now(), action="source.resumed", subject=name, actor="command line")
    out.print(f"{escape(name)} is polled again.")


@app.command(epilog="Example: watchfloor once Press")
def once(name: Annotated[str, typer.Argument(metavar="SOURCE")]) -> None:
    """Fetch a source now, once, in this terminal."""
    database = _opened()
    lease = leases.take(database, f"once-{os.getpid()}", now=now(), name=name)
    if lease is None:
        with database.read() as connection:
            known = {item.name: item.badge for item in sources.health(connection, now())}
        state = known.get(name)
        if state is None:
            raise InputError(f'no source "{name}"; known: {", ".join(known) or "none yet"}')
        raise InputError(f'"{name}" is {state if state == "paused" else "being fetched by a worker"}; try again later')
    outcome = run(database, _pipeline(database), lease)
    if outcome.error:
        raise InputError(f"{name}: {outcome.error}")
    out.print(f"{escape(name)}: {outcome.items:,} found, {outcome.new:,} new, {outcome.set_aside:,} set aside.")


# -- processes ---------------------------------------------------------------------------------------------


@app.command(epilog="Example: watchfloor ingest")
def ingest() -> None:
    """Poll every source that is due, until stopped; several of these may share one PostgreSQL."""
    loaded = settings.load()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    worker = Worker(open_database(loaded))
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    worker.start()
    stopping.wait()
    worker.stop()
    out.print("Ingest has stopped; every page under way was finished.")


@app.command(name="run", epilog="Example: watchfloor run")
def run_everything() -> None:
    """Start web and ingest on this machine, and print the address with a one-time sign-in link."""
    loaded = settings.load()
    database = open_database(loaded)
    link = _first_steps(database, loaded)
    logs = loaded.home / "logs"
    logs.mkdir(exist_ok=True)
    processes = {}
    for name in ("web", "ingest"):
        log_file = (logs / f"{name}.log").open("ab")
        # Not in this terminal's process group: Ctrl-C reaches only this process, which stops them in order.
        processes[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "app", name],
            stdout=log_file,
            stderr=log_file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=(lambda: os.nice(NICE)) if name == "ingest" else None,
        )
        log_file.close()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        _say_when_ready(loaded, link, processes, stopping)
        _watch(database, processes, stopping)
    finally:
        _stop(processes)
    ended = [name for name, process in processes.items() if process.returncode not in (0, -signal.SIGTERM)]
    if ended and not stopping.is_set():
        raise InputError(f"{' and '.join(ended)} ended by itself; the reason is in {logs}")
    out.print("Stopped.")


def _first_steps(database: Database, loaded: Settings) -> str:
    """Make what a first start needs; returns a link that signs the first administrator in once."""
    with database.write() as connection:
        if loaded.demo and demo.is_wanted(connection, now()):
            demo.create(connection, rate=loaded.demo_rate, now=now())
        email = demo.first_administrator(connection, now())
        token = identity.make_link(connection, email, now(), valid_for=identity.FIRST_LINK_VALID)
    return f"{loaded.address}/signin/link?token={token}"


def _say_when_ready(
    loaded: Settings, link: str, processes: Mapping[str, subprocess.Popen[bytes]], stopping: threading.Event
) -> None:
    import httpx

    host = "127.0.0.1" if loaded.host in ("0.0.0.0", "::") else loaded.host  # noqa: S104 - compared, not bound
    for _ in range(600):
        if stopping.wait(0.1) or any(process.poll() is not None for process in processes.values()):
            return
        try:
            if httpx.get(f"http://{host}:{loaded.port}/readyz", timeout=2, trust_env=False).status_code == 200:
                break
        except httpx.HTTPError:
            continue
    out.print(f"Watchfloor is at {loaded.address}")
    out.print("Sign in, once, within 24 hours, with")
    print(f"  {link}", flush=True)
    out.print("Ctrl-C stops it. Another link: watchfloor signin-link EMAIL")


def _watch(database: Database, processes: Mapping[str, subprocess.Popen[bytes]], stopping: threading.Event) -> None:
    """Until stopped or a process ends: how far the history of the simulated organisation is filled in."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}
        while not stopping.wait(1.0):
            if any(process.poll() is not None for process in processes.values()):
                return
            with database.read() as connection:
                filling = {
                    item.name: item.progress
                    for item in sources.health(connection, now())
                    if item.progress is not None and (item.state == "active" or item.name in tasks)
                }
            for name, progress in filling.items():
                if name not in tasks:
                    tasks[name] = bar.add_task(f"Filling in {name}, newest first", total=100)
                bar.update(tasks[name], completed=int(100 * progress))
                if progress >= 1 and not bar.tasks[tasks[name]].finished:
                    bar.remove_task(tasks[name])


def _stop(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # Safe at any instant: what was not committed is fetched again.
            process.kill()
            process.wait()
