"""Commands about what is polled: list, add, pause, resume, fetch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from rich.markup import escape
from rich.table import Table

from ingest import connectors
from ingest.asking import Asking
from ingest.limits import Limiter
from models import audit, organisation, secrets, settings, sources
from models.errors import ConnectorError, InputError
from models.networks import network_by_key
from models.source_kinds import REMEASURE
from models.terminal import age, counted, existing, now, opened, out, print_table

app = typer.Typer(no_args_is_help=True, help="What is polled.")


@app.command("list", epilog="Example: watchfloor source list")
def source_list() -> None:
    """Every source, how it is doing, and how old its data is."""
    with existing().read() as connection:
        found = sources.health(connection, now())
    table = Table("source", "kind", "state", "every", "data age", "normal", "last error", box=None)
    for item in found:
        table.add_row(
            escape(item.name),
            item.kind,
            item.badge,
            f"{item.every_seconds:g} s",
            age(item.data_age_seconds),
            f"{item.normal_seconds:.1f} s",
            escape(item.last_error or ""),
        )
    if found:
        print_table(table)
    out.print(f"{counted(len(found), 'source')}.")


@app.command(
    "add",
    epilog="Example: watchfloor source add feed --name Press --set url=https://example.org/feed.xml; or for X: "
    "--name 'X search' --set what=search --set query='corvane OR @corvane' --secret bearer_token --budget 200",
)
def source_add(
    kind: str,
    name: Annotated[str, typer.Option(help="As screens call it.")],
    given: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of the connector's settings.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", help="NAME of a setting to ask for unseen, or to read as a line from a pipe."),
    ] = None,
    every: Annotated[float | None, typer.Option(min=1, max=86_400, help="Seconds between two fetches.")] = None,
    priority: Annotated[int, typer.Option(min=0, max=9, help="0 goes first and slows down last.")] = 5,
    budget: Annotated[float | None, typer.Option(min=0, help="Dollars a month; it slows down before they end.")] = None,
    quiet: Annotated[str | None, typer.Option(help="22:00-06:00: hours of the organisation without fetches.")] = None,
    remeasure: Annotated[str, typer.Option(help="Whose engagement is measured again: none, ours, all.")] = "ours",
    check: Annotated[bool, typer.Option(help="Ask the network first whether it works.")] = True,
) -> None:
    """Poll one more source, from now on. It is tried first, and saved only if it works."""
    connector = connectors.by_kind(kind)
    secret_names = [n for n, field in connector.Config.model_fields.items() if "SecretStr" in str(field.annotation)]
    values = {**pairs(given, "--set"), **_asked_for(secret or (), secret_names)}
    config = _config(connector, values)
    network = connector.NETWORK or getattr(config, "network", None) or "other"
    if remeasure not in REMEASURE:
        raise InputError(f'--remeasure "{remeasure}" is none of {", ".join(REMEASURE)}')
    loaded = settings.load()
    database = opened()
    with database.read() as connection:
        try:
            name = sources.check_name(connection, name)
        except InputError as error:
            raise InputError(f"--name: {error}") from None
    if check and hasattr(connector, "check"):
        try:
            works = Asking(connector, config, loaded, Limiter(database)).check(now=now())
        except ConnectorError as error:
            raise InputError(f"{name} was not added, it does not work: {error}") from error
        out.print(escape(works))
    sealed = {key: value for key, value in values.items() if key in secret_names}
    with database.write() as connection:
        sources.add(
            connection,
            name=name,
            kind=kind,
            network_id=network_by_key(str(network)).id,
            config=config.model_dump(mode="json", exclude_unset=True, exclude=set(secret_names)),
            every_seconds=every or connector.EVERY_SECONDS,
            priority=priority,
            now=now(),
            secrets=secrets.seal(loaded, sealed) if sealed else None,
            budget=budget,
            quiet=None if quiet is None else _quiet(quiet, organisation.current(connection, now()).zone),
            remeasure=remeasure if hasattr(connector, "look_up") else "none",
        )
        audit.record(
            connection, at=now(), action="source.added", subject=name, actor="command line", details={"kind": kind}
        )
    out.print(
        f"{escape(name)}: {escape(connector.describe(config))}, fetched every {every or connector.EVERY_SECONDS:g} s."
    )


def _asked_for(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    values = {}
    for name in names:
        if name not in known:
            raise InputError(f'--secret "{name}": there is no such secret; known: {", ".join(known) or "none"}')
        if sys.stdin.isatty():
            values[name] = typer.prompt(name, hide_input=True)
        else:
            values[name] = sys.stdin.readline().strip()
        if not values[name]:
            raise InputError(f"--secret {name}: nothing was entered")
    return values


def _quiet(given: str, zone: str) -> dict[str, object]:
    begins, _, ends = given.partition("-")
    try:
        span = [time.fromisoformat(part.strip()).strftime("%H:%M") for part in (begins, ends)]
    except ValueError:
        raise InputError(f'--quiet "{given}": write the hours as 22:00-06:00') from None
    return {"from": span[0], "to": span[1], "zone": zone, "every_seconds": None}


def _config(connector: Any, values: Mapping[str, str]) -> BaseModel:
    try:
        config = connector.Config.model_validate(values)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            place, message = ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "extra_forbidden":
                message = f"there is no such setting; known: {', '.join(connector.Config.model_fields)}"
            elif fault["type"] == "missing":
                message = f"is missing; give it as --set {place}=VALUE"
            elif place:
                message = f'"{fault["input"]}": {message}'
            faults.append(f"--set {place}: {message}" if place else message)
        raise InputError("\n".join(faults)) from error
    assert isinstance(config, BaseModel)
    return config


@app.command("pause", epilog="Example: watchfloor source pause Press")
def source_pause(name: str) -> None:
    """Poll a source no more until it is resumed."""
    with existing().write() as connection:
        sources.pause(connection, name, by="command line")
        audit.record(connection, at=now(), action="source.paused", subject=name, actor="command line")
    out.print(f"{escape(name)} is paused.")


@app.command("resume", epilog="Example: watchfloor source resume Press")
def source_resume(name: str) -> None:
    """Poll a source again, at once."""
    with existing().write() as connection:
        sources.resume(connection, name, now=now())
        audit.record(connection, at=now(), action="source.resumed", subject=name, actor="command line")
    out.print(f"{escape(name)} is polled again.")


@app.command("fetch", epilog="Example: watchfloor source fetch Press")
def source_fetch(name: str) -> None:
    """Have a worker fetch a source now."""
    with existing().write() as connection:
        sources.fetch_now(connection, name, now=now())
        audit.record(connection, at=now(), action="source.fetched_now", subject=name, actor="command line")
    out.print(f"{escape(name)} is due now.")


def pairs(given: list[str] | None, flag: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in given or ():
        key, sign, value = item.partition("=")
        key = key.strip()
        if not sign or not key or not value:
            raise InputError(f'{flag} "{item}": write it as NAME=VALUE')
        if key in pairs:
            raise InputError(f'{flag} "{item}": {key} was given twice')
        pairs[key] = value.strip()
    return pairs
