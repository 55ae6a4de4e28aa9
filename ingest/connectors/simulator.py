"""The simulated network: posts about Meridian Group that nobody wrote, the same every time for the same seed.

A live source hands out what has been delivered since its cursor; a history source goes backwards from the first
start, newest first. Together they hand out every post exactly once: history what was posted before `start`, live
what was posted from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.found import Cursor, Page
from ingest.simulation.posts import LONGEST_DELIVERY, Delivery, Simulation
from ingest.simulation.world import NETWORKS
from models.errors import ConnectorError
from models.networks import network_by_key
from models.tables.base import from_microseconds, to_microseconds

NETWORK = None
EVERY_SECONDS = 1.0

PER_DAY = 6000
HISTORY_DAYS = 35
# How often each network is asked, in seconds, as one would ask the real one.
CADENCE = {"x": 1.0, "bluesky": 1.0, "mastodon": 2.0, "reddit": 5.0, "youtube": 10.0, "rss": 30.0}
LIVE_PRIORITY = 0
HISTORY_PRIORITY = 9
HISTORY_EVERY_SECONDS = 1.0
MINUTE = 60_000_000


class Config(BaseModel):
    """`start` is where history ends and live begins, and what events are placed from; `network` None = all six.

    `per_day` counts posts of all networks together; `page` is about how many posts one fetch hands over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["live", "history"]
    seed: int = Field(ge=0, lt=2**63)
    start: AwareDatetime
    network: Literal["x", "bluesky", "mastodon", "reddit", "youtube", "rss"] | None = None
    per_day: float = Field(default=PER_DAY, gt=0, le=100 * PER_DAY)
    days: int = Field(default=HISTORY_DAYS, ge=1, le=400)
    page: int = Field(default=1000, ge=1, le=5000)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source to be created: `network` is a key of models.networks, a smaller `priority` goes first."""

    name: str
    kind: str
    network: str
    config: Mapping[str, Any]
    every_seconds: float
    priority: int


def sources(*, seed: int, start: datetime, rate: float) -> tuple[SourceSpec, ...]:
    """What a first start creates: one live source a network, and the history behind them."""
    common = {"seed": seed, "start": start.isoformat(), "per_day": PER_DAY * rate}
    live = tuple(
        SourceSpec(
            name=network_by_key(key).name,
            kind="simulator",
            network=key,
            config={"mode": "live", "network": key, "page": 2000, **common},
            every_seconds=CADENCE[key],
            priority=LIVE_PRIORITY,
        )
        for key in NETWORKS
    )
    history = SourceSpec(
        name="History",
        kind="simulator",
        network="other",
        config={"mode": "history", "days": HISTORY_DAYS, **common},
        every_seconds=HISTORY_EVERY_SECONDS,
        priority=HISTORY_PRIORITY,
    )
    return (*live, history)


def describe(config: Config) -> str:
    """One line for people."""
    volume = f"about {config.per_day:,.0f} posts a day on six networks, seed {config.seed}"
    if config.mode == "history":
        return f"Simulated history: {config.days} days before {config.start:%Y-%m-%d %H:%M} UTC, {volume}"
    network = network_by_key(config.network).name if config.network else "All networks"
    return f"{network}, simulated: {volume}"


def fetch(config: Config, cursor: Cursor | None, *, now: datetime) -> Page:
    """The next page; ConnectorError for a cursor that is none of ours.

    Live, {"after": instant}: what was delivered in (after, now], beginning at `start`. History, {"before": instant}:
    what was posted before it and `start`, newest first; done when `days` are told.
    """
    simulation = Simulation(config.seed, int(config.start.timestamp()), config.per_day)
    networks = (NETWORKS.index(config.network),) if config.network else tuple(range(len(NETWORKS)))
    page = _history if config.mode == "history" else _live
    return page(config, simulation, networks, cursor, now)


def _live(
    config: Config, simulation: Simulation, networks: Sequence[int], cursor: Cursor | None, now: datetime
) -> Page:
    start, last = to_microseconds(config.start), to_microseconds(now)
    after = start - 1 if cursor is None else _instant(cursor, "after")
    if after >= last:
        return Page(found=(), cursor={"after": from_microseconds(after).isoformat()})
    waiting: list[Delivery] = []
    until = last
    minute = max(after - LONGEST_DELIVERY, start) // MINUTE
    while minute * MINUTE <= last:
        waiting += [
            post for post in simulation.posts(networks, minute) if after < post.at <= last and post.posted >= start
        ]
        minute += 1
        # What is posted from here on cannot be delivered before it.
        ready = min(minute * MINUTE, last)
        if len(waiting) >= config.page and sum(post.at <= ready for post in waiting) >= config.page:
            until = ready
            break
    waiting = sorted((post for post in waiting if post.at <= until), key=_delivered)
    page = waiting[: config.page]
    if len(page) < len(waiting):
        until = page[-1].at
        page += [post for post in waiting[config.page :] if post.at == until]
    return Page(
        found=tuple(post.found for post in page),
        cursor={"after": from_microseconds(until).isoformat()},
        more=until < last,
        window=(from_microseconds(after), from_microseconds(until)),
    )


def _history(
    config: Config, simulation: Simulation, networks: Sequence[int], cursor: Cursor | None, now: datetime
) -> Page:
    newest = to_microseconds(config.start)
    oldest = newest - config.days * 1440 * MINUTE
    before = newest if cursor is None else min(_instant(cursor, "before"), newest)
    found: list[Delivery] = []
    reached, minute = before, before // MINUTE
    while reached > oldest and len(found) < config.page:
        reached = max(minute * MINUTE, oldest)
        found += [post for post in simulation.posts(networks, minute) if reached <= post.posted < before]
        minute -= 1
    found.sort(key=_posted, reverse=True)
    done = reached <= oldest
    return Page(
        found=tuple(post.found for post in found),
        cursor={"before": from_microseconds(reached).isoformat()},
        more=not done,
        done=done,
        progress=1.0 if done else (newest - reached) / (newest - oldest),
        window=(from_microseconds(reached), from_microseconds(before)),
    )


def _delivered(post: Delivery) -> tuple[int, str]:
    return post.at, post.found.external_id


def _posted(post: Delivery) -> tuple[int, str]:
    return post.posted, post.found.external_id


def _instant(cursor: Cursor, key: str) -> int:
    try:
        return to_microseconds(datetime.fromisoformat(cursor[key]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConnectorError(
            f'cursor {dict(cursor)!r}: no "{key}" instant with a zone in it; remove the source and add it again',
            permanent=True,
            kind="unknown",
        ) from error
