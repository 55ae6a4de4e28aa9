"""Commands about spikes: when would a setting have spoken?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape

from models import organisation
from models.errors import InputError, NotFound
from models.spike_counts import counts_of
from models.spikes import COOL_DOWN, FEWEST_DAYS, PAST_DAYS, STEP, spikes
from models.terminal import counted, existing, now, out

app = typer.Typer(no_args_is_help=True, help="What is unusual, and what would have been.")
MOST_DAYS = 400
LEAST_FACTOR, MOST_FACTOR = 0.1, 100.0


@app.callback()
def of_spikes() -> None:
    """What is unusual, and what would have been."""


@app.command("backtest", epilog="Example: watchfloor spikes backtest --brand halden-bank --days 90")
def backtest(
    brand: Annotated[str, typer.Option(help="Key of a brand.")],
    days: Annotated[int, typer.Option(help="How many days to judge.")] = 90,
    factor: Annotated[float, typer.Option(help="Times the rules' own factors: 2 speaks less, 0.8 more.")] = 1.0,
    cool_down: Annotated[
        float, typer.Option("--cool-down", help="Hours of quiet after which an event is over.")
    ] = COOL_DOWN / timedelta(hours=1),
) -> None:
    """Say when a setting would have spoken about a brand, with its arithmetic, and how often a day.

    Each moment is judged by what was known then: the 28 days before it, as far as there are any.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"--days {days}: must be 1 to {MOST_DAYS}")
    if not LEAST_FACTOR <= factor <= MOST_FACTOR:
        raise InputError(f"--factor {factor:g}: must be {LEAST_FACTOR:g} to {MOST_FACTOR:g}")
    if not 0 <= cool_down <= 24 * MOST_DAYS:
        raise InputError(f"--cool-down {cool_down:g}: must be 0 to {24 * MOST_DAYS} hours")
    instant = now()
    since = instant - timedelta(days=days)
    with existing().read() as connection:
        current = organisation.current(connection, instant)
        try:
            asked = current.brand_by_key(brand)
        except NotFound as error:
            raise InputError(f"{error}; known: {', '.join(item.key for item in current.brands)}") from error
        counts = counts_of(
            connection, asked.id, current, start=since - timedelta(days=PAST_DAYS + FEWEST_DAYS), end=instant
        )
    found = [spike for spike in spikes(counts, factor=factor, cool_down=timedelta(hours=cool_down)) if spike.at > since]
    for spike in found:
        local = spike.at.astimezone(current.zone_info)
        out.print(escape(f"{local:%Y-%m-%d %H:%M %Z}  {spike.sentence()}"))
    heard = float(counts.heard[-(timedelta(days=days) // STEP) :].sum()) * STEP / timedelta(days=1)
    if not heard:
        out.print(
            escape(f"{asked.name}: nobody listened in the past {counted(days, 'day')}; there is nothing to judge.")
        )
        return
    out.print(
        escape(
            f"{asked.name}: {counted(len(found), 'spike')} in {heard:.1f} days in which we listened,"
            f" {len(found) / heard:.2f} a day."
        )
    )
