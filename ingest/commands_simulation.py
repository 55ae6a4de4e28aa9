"""Commands that make the simulated network misbehave, for exercises and for looking at what the screens say then."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ingest.simulation.memory import FILE, KINDS, Memory
from ingest.simulation.world import NETWORKS
from models import settings
from models.errors import InputError
from models.networks import network_by_key
from models.start import make_home
from models.tables.base import from_microseconds
from models.terminal import age, counted, now, out, print_table

app = typer.Typer(no_args_is_help=True, help="The simulated network: let it misbehave, and be well again.")
EVERY = "all"
MOST_MINUTES = 7 * 1440.0


@app.command("misbehave", epilog="Example: watchfloor simulate misbehave --network x --kind outage --minutes 5")
def misbehave(
    network: Annotated[str, typer.Option(help=f"{', '.join(NETWORKS)}, or {EVERY}.")],
    kind: Annotated[str, typer.Option(help=", ".join(KINDS))],
    minutes: Annotated[float, typer.Option(help="For how long.")] = 5.0,
) -> None:
    """Let a simulated network misbehave for some minutes, in every process that talks to it."""
    if not 0 < minutes <= MOST_MINUTES:
        raise InputError(f"--minutes {minutes:g}: must be more than 0 and at most {MOST_MINUTES:,.0f}, a week")
    memory, until = _memory(), now() + timedelta(minutes=minutes)
    for key in _networks(network):
        memory.misbehave(key, kind, until)
        name = network_by_key(key).name
        out.print(f"The simulated {escape(name)} {KINDS[kind]} until {until:%H:%M:%S} UTC.")


@app.command("status", epilog="Example: watchfloor simulate status")
def status() -> None:
    """Show which simulated networks misbehave, how, and for how much longer."""
    instant = now()
    found = _memory().misbehaviours(instant)
    if not found:
        out.print("Every simulated network is well.")
        return
    table = Table("network", "kind", "what it does", "for another", box=None)
    for item in found:
        left = (from_microseconds(item.until) - instant).total_seconds()
        table.add_row(network_by_key(item.network).name, item.kind, KINDS[item.kind], age(left))
    print_table(table)


@app.command("well", epilog="Example: watchfloor simulate well")
def well() -> None:
    """End every misbehaviour."""
    ended = len(_memory().misbehaviours(now()))
    _memory().behave()
    out.print(f"{counted(ended, 'simulated network')} well again." if ended else "Every simulated network was well.")


def _memory() -> Memory:
    home = settings.load().home
    make_home(home)
    return Memory(str(home / FILE))


def _networks(key: str) -> tuple[str, ...]:
    if key == EVERY:
        return NETWORKS
    if key not in NETWORKS:
        raise InputError(f'no simulated network "{key}"; known: {", ".join(NETWORKS)}, {EVERY}')
    return (key,)
