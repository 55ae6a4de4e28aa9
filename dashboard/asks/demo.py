"""The demo data: hidden, shown again, removed for good by an ingest worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from models import demo_data
from models.errors import InputError


def about(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """How much of it there is, in a sentence: what a person is told before it is removed."""
    demo = demo_data.of(connection)
    there = demo_data.counts(connection, demo)
    words = (
        f"{there.mentions:,} mentions of {there.brands} brands, {there.sources} simulated sources with their ledger, "
        f"{there.locations} locations and {there.teams} teams go, and the simulated posts that matched no brand."
    )
    return {"state": demo.state, "words": words}


def hide(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Leave the demo out of every page, its sources paused."""
    who = asked.access
    demo_data.hide(connection, by=who.name, actor=who.email, person_id=who.person_id, now=asked.now)
    return {"words": "The demo data is hidden. Set-up shows it again."}


def show(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Bring it back."""
    demo_data.show(connection, actor=asked.access.email, person_id=asked.access.person_id, now=asked.now)
    return {"words": "The demo data is back, and its sources go on."}


def remove(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Ask for it to be removed for good. `sure` must be true: there is no way back."""
    if not asked.flag("sure"):
        raise InputError("say that you are sure: what is removed does not come back")
    who = asked.access
    demo_data.ask_removal(connection, by=who.name, actor=who.email, person_id=who.person_id, now=asked.now)
    return {"words": "The demo data is being removed. It is hidden already."}


READS: dict[str, Read] = {"demo": about}
ACTS: dict[str, Act] = {"demo.hide": hide, "demo.show": show, "demo.remove": remove}
