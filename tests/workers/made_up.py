"""Sources whose every post is known by its number: a connector, and what must be stored once it has read so far.

A page holds the next few posts after the cursor, with the last ones of the page before it, as networks do. Its window
is made of the numbers of its posts, so that the ledger tells which page followed which.
"""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from ingest.found import Author, Counts, Cursor, Found, Page
from models.networks import network_by_key
from tests.crash.made_up import SAYINGS
from tests.workers.diary import Diary

EVERY_SECONDS = 1.0
NETWORK = None
START = datetime(2026, 6, 1, tzinfo=UTC)
REPEATED = 2
FEWEST, MOST = 3, 9
# One page in four leads to another at once.
MORE = 4
FASTEST_SECONDS, SLOWEST_SECONDS = 0.05, 0.35
# The diary of the process that polls; set when it begins.
diary: Diary | None = None


class Config(BaseModel):
    """Which of the sources."""

    source: int


def describe(config: Config) -> str:
    return f"made-up source {config.source}"


def fetch(config: Config, cursor: Cursor | None, *, now: datetime) -> Page:
    """The page that starts at the cursor's post; it takes as long as a network takes."""
    start = 0 if cursor is None else int(cursor["next"])
    dice = random.Random(f"{config.source} {start}")
    if diary is not None:
        diary.write("began", source=config.source, next=start)
    threading.Event().wait(dice.uniform(FASTEST_SECONDS, SLOWEST_SECONDS))
    end = start + dice.randint(FEWEST, MOST)
    if diary is not None:
        diary.write("ended", source=config.source, next=start)
    found = tuple(post(config.source, number) for number in range(max(0, start - REPEATED), end))
    return Page(found, {"next": end}, more=dice.randrange(MORE) == 0, window=(instant(start), instant(end)))


def instant(number: int) -> datetime:
    """The instant that stands for a number in a window."""
    return START + timedelta(seconds=number)


def post(source: int, number: int) -> Found:
    """The post of that number, the same every time."""
    text, _ = SAYINGS[number % len(SAYINGS)]
    return Found(
        network=_network(source),
        external_id=f"{source} {number}",
        posted_at=START + timedelta(minutes=(number * 7919) % 20_000),
        text=f"{text} ({source}, {number})",
        author=Author(f"author {number % 97}", handle=f"author{number % 97}", followers=number % 97),
        language="en",
        counts=Counts(likes=number % 50, reposts=number % 3),
    )


def expected(source: int, before: int) -> set[tuple[int, int, str]]:
    """(brand, network, external id) of every mention that must be stored, once, of the posts below a number."""
    network_id = network_by_key(_network(source)).id
    return {
        (brand_id, network_id, f"{source} {number}")
        for number in range(before)
        for brand_id in SAYINGS[number % len(SAYINGS)][1]
    }


def _network(source: int) -> str:
    return "x" if source % 2 else "mastodon"


def as_connector(_kind: str) -> Any:
    """This module, whatever kind is asked for."""
    import tests.workers.made_up

    return tests.workers.made_up
