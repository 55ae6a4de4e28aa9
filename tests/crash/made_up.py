"""A source whose every page is known beforehand: a connector, and what must be stored when all of it was read.

Pages are of 60 to 260 posts, so that on SQLite some take one transaction and some take two, and each begins with the
last posts of the page before it, as networks do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count
from typing import Any

from pydantic import BaseModel

from ingest.found import Author, Counts, Cursor, Found, Page
from tests.builders import CORVANE, HALDEN, UNMATCHED, VELTA

EVERY_SECONDS = 1.0
NETWORK = None
START = datetime(2026, 11, 1, tzinfo=UTC)
REPEATED = 12
PLACES = ("Amsterdam", "Utrecht, NL", "Berlin", None)
# What a post says -> the brands that are named.
SAYINGS = (
    ("corvane is late again", (CORVANE,)),
    ("corvane lost my bag, #corvane", (CORVANE,)),
    ("I love @corvane", (CORVANE,)),
    ("corvane or halden, who is worse?", (CORVANE, HALDEN)),
    ("halden closed my account", (HALDEN,)),
    ("a velta day", (VELTA,)),
    ("nothing to see here", (UNMATCHED,)),
)


class Config(BaseModel):
    """How many posts there are by now."""

    posts: int


def describe(config: Config) -> str:
    return f"{config.posts} made-up posts"


def fetch(config: Config, cursor: Cursor | None, *, now: datetime) -> Page:
    """The page that starts at the cursor's post, with the last posts of the page before it."""
    start = 0 if cursor is None else int(cursor["next"])
    end = min(next(border for border in _borders() if border > start), config.posts)
    found = tuple(post(number) for number in range(max(0, start - REPEATED), end))
    done = end == config.posts
    return Page(found, {"next": end}, more=not done, done=done, progress=end / config.posts)


def _borders() -> Iterator[int]:
    dice = random.Random(1)
    return accumulate(dice.choice((60, 70, 80, 90, 100, 260)) for _ in count())


def post(number: int) -> Found:
    """The post of that number, the same every time."""
    text, _ = SAYINGS[number % len(SAYINGS)]
    return Found(
        network="x" if number % 2 else "mastodon",
        external_id=f"post {number // 2}",
        # Many share an instant, and they do not come in the order of their instants.
        posted_at=START + timedelta(minutes=(number * 7919) % 20_000),
        text=f"{text} ({number})",
        author=Author(f"author {number % 97}", handle=f"author{number % 97}", followers=number % 97),
        language="en",
        counts=Counts(likes=number % 50, reposts=number % 3),
        place=PLACES[number % len(PLACES)],
    )


def expected(posts: int) -> set[tuple[int, int, str]]:
    """(brand, network, external id) of every mention that must be stored, once."""
    found = set()
    for number in range(posts):
        for brand_id in SAYINGS[number % len(SAYINGS)][1]:
            found.add((brand_id, 2 if number % 2 else 4, f"post {number // 2}"))
    return found


def as_connector(_kind: str) -> Any:
    """This module, whatever kind is asked for."""
    import tests.crash.made_up

    return tests.crash.made_up
