"""A simulated network as tests use it: one seed, one first start, everything it says in a span of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ingest.connectors.simulator import Config, fetch
from ingest.found import Cursor, Page
from ingest.simulation.posts import Simulation

START = datetime(2026, 11, 19, 14, 32, 7, tzinfo=UTC)
SEED = 7
SIMULATION = Simulation(SEED, int(START.timestamp()), 6000.0)


def history(**changes: object) -> Config:
    """A source of the day before START."""
    return Config.model_validate({"mode": "history", "seed": SEED, "start": START, "days": 1, **changes})


def live(**changes: object) -> Config:
    """A source of what is said from START on, on all networks."""
    return Config.model_validate({"mode": "live", "seed": SEED, "start": START, **changes})


def pages(config: Config, *, now: datetime, cursor: Cursor | None = None) -> Iterator[Page]:
    """Everything that a source has to say by now."""
    while True:
        page = fetch(config, cursor, now=now)
        yield page
        cursor = page.cursor
        if page.done or not page.more:
            return
