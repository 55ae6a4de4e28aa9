"""The simulated network: posts about Meridian Group that nobody wrote, the same every time for the same seed.

A live source hands out what has been delivered since its cursor: posts, their edits and deletions, what accounts of
ours published and how customers react. A history source goes backwards from the first start, newest first. Together
they hand out every post exactly once: history what was posted before `start` and is still there, live what was posted
from then on. Replies are published through it; what came of them, and how it misbehaves, stands in its memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.found import Cursor, Found, Gone, Page
from ingest.simulation import agenda
from ingest.simulation.agenda import Entry
from ingest.simulation.drafts import LONGEST_DELIVERY
from ingest.simulation.memory import (
    DEAD_TOKEN,
    OUTAGE,
    RATE_LIMITED,
    REFUSED,
    TIMEOUT_AFTER_ACCEPTING,
    Memory,
    Remembered,
)
from ingest.simulation.ours import account_by_handle
from ingest.simulation.posts import Simulation
from ingest.simulation.replies import is_dropped, look, remembered_state, take
from ingest.simulation.threads import LONGEST_HOURS
from ingest.simulation.world import NETWORKS
from models.errors import ConnectorError
from models.networks import network_by_key
from models.tables.base import from_microseconds, to_microseconds

NETWORK = None
EVERY_SECONDS = 1.0
# Posts of these last days are asked after once a day.
COMPLIANCE_DAYS = 2

PER_DAY = 6000
HISTORY_DAYS = 35
# How often each network is asked, in seconds, as one would ask the real one.
CADENCE = {"x": 1.0, "bluesky": 1.0, "mastodon": 2.0, "reddit": 5.0, "youtube": 10.0, "rss": 30.0}
LIVE_PRIORITY = 0
HISTORY_PRIORITY = 9
HISTORY_EVERY_SECONDS = 1.0
MINUTE = 60_000_000
HOUR = 60 * MINUTE
LOOK_UP_SIZE = 100
# A network with nothing newer than this is deaf: even at night everybody together says something.
CANARY_HOURS = 6
LONGEST_WAIT_SECONDS = 900.0
# How far back accounts are read for what they published.
LONGEST_READ_BACK_DAYS = 2


class Config(BaseModel):
    """`start` is where history ends and live begins, and what events are placed from; `network` None = all six.

    `per_day` counts posts of all networks together; `page` is about how many posts one fetch hands over; `memory` is
    the file that holds what was published and how the network misbehaves, None = takes no replies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["live", "history"]
    seed: int = Field(ge=0, lt=2**63)
    start: AwareDatetime
    network: Literal["x", "bluesky", "mastodon", "reddit", "youtube", "rss"] | None = None
    per_day: float = Field(default=PER_DAY, gt=0, le=100 * PER_DAY)
    days: int = Field(default=HISTORY_DAYS, ge=1, le=400)
    page: int = Field(default=1000, ge=1, le=5000)
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source to be created: `network` is a key of models.networks, a smaller `priority` goes first."""

    name: str
    kind: str
    network: str
    config: Mapping[str, Any]
    every_seconds: float
    priority: int


def sources(*, seed: int, start: datetime, rate: float, memory: str | None = None) -> tuple[SourceSpec, ...]:
    """What a first start creates: one live source a network, and the history behind them."""
    common = {"seed": seed, "start": start.isoformat(), "per_day": PER_DAY * rate, "memory": memory}
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
    """The next page; ConnectorError for a cursor that is none of ours, and while the network misbehaves.

    Live, {"after": instant}: what was delivered in (after, now], beginning at `start`. History, {"before": instant}:
    what was posted before it and `start`, newest first, as it stands now; done when `days` are told.
    """
    if config.mode == "history":
        return _history(config, cursor, now)
    if _misbehaviour(config, now) == OUTAGE:
        # Deaf, and it does not know: the window was asked for, nothing came, and what was missed comes afterwards.
        after = config.start if cursor is None else from_microseconds(_instant(cursor, "after"))
        return Page(found=(), cursor=cursor, window=(min(after, now), now))
    return _live(config, cursor, now)


def look_up(config: Config, external_ids: Sequence[str], *, now: datetime) -> Page:
    """What the network says now of posts we know: their newest state, or that they are gone; nothing of ids that it
    never had."""
    if _misbehaviour(config, now) == OUTAGE:
        return Page(found=(), cursor=None)
    simulation, memory, as_of = _simulation(config), Memory(config.memory), to_microseconds(now)
    found: list[Found] = []
    gone: list[Gone] = []
    for network in _networks(config):
        answered = memory.answered(NETWORKS[network], 0)
        for external_id in dict.fromkeys(external_ids):
            said = look(simulation, memory, network, external_id, as_of, answered)
            if isinstance(said, Found):
                found.append(said)
            elif said is not None:
                gone.append(said)
    return Page(found=tuple(found), cursor=None, gone=tuple(gone), units=_units(found))


def canary(config: Config, *, now: datetime) -> bool:
    """Whether the network tells of anything that was posted within the last hours; ConnectorError while it refuses."""
    if _misbehaviour(config, now) == OUTAGE:
        return False
    simulation, minute = _simulation(config), to_microseconds(now) // MINUTE
    minutes = range(minute - 1, minute - CANARY_HOURS * 60, -1)
    return any(simulation.drafts(_networks(config), minute) for minute in minutes)


def check(config: Config, *, now: datetime) -> str:
    """One sentence of what works; ConnectorError while the network refuses us."""
    _misbehaviour(config, now)
    what = "reads and takes replies" if config.memory else "reads; takes no replies, since it has no memory"
    return f"{describe(config)}; {what}"


def publish(config: Config, handle: str, *, reply_to: str | None, text: str, key: str, now: datetime) -> str:
    """Publish a reply of the account `handle` and return its external id; `reply_to` None = a post of its own.

    `key` names the attempt: the network takes it once and answers a repetition with the id of the first time.
    ConnectorError: kind "passing" while it does not answer (what was said may be out), "gone" where the post to answer
    is not there, "rate_limited" and "dead_token" as everywhere, "unknown" for what the network does not take.
    """
    if config.network is None:
        raise ConnectorError("replies go out through the source of one network", permanent=True, kind="unknown")
    misbehaves = _misbehaviour(config, now)
    if misbehaves == OUTAGE:
        raise ConnectorError(f"{_said(config)} did not answer in time")
    simulation, memory = _simulation(config), Memory(config.memory)
    network = NETWORKS.index(config.network)
    external_id = take(
        simulation, memory, network, handle, reply_to=reply_to, text=text, key=key, posted=to_microseconds(now)
    )
    if misbehaves == TIMEOUT_AFTER_ACCEPTING:
        raise ConnectorError(f"{_said(config)} did not answer in time")
    return external_id


def find_by_author(config: Config, handle: str, since: datetime, *, now: datetime) -> tuple[Found, ...]:
    """What an account of ours published since then (at most two days back), oldest first: what a reply that nobody
    confirmed is looked for in."""
    if _misbehaviour(config, now) == OUTAGE:
        return ()
    last = to_microseconds(now)
    first = max(to_microseconds(since), last - LONGEST_READ_BACK_DAYS * 24 * HOUR)
    simulation, memory = _simulation(config), Memory(config.memory)
    found: list[Found] = []
    for network in _networks(config):
        account = account_by_handle(network, handle)
        if account is None:
            continue
        answered = memory.answered(NETWORKS[network], first - LONGEST_HOURS * HOUR)
        posts = [
            post
            for minute in range(first // MINUTE, last // MINUTE + 1)
            for post in agenda.of_ours(simulation, (network,), minute)
            if first <= post.posted <= last and not is_dropped(post, answered)
        ]
        said = [agenda.state(simulation, post, last) for post in posts]
        found += [item for item in said if isinstance(item, Found) and item.author == account.who.author]
        kept = memory.posts_by(NETWORKS[network], account.who.author.key, first, last)
        found += [remembered_state(post, last) for post in kept]
    return tuple(sorted(found, key=lambda item: (item.posted_at, item.external_id)))


def _live(config: Config, cursor: Cursor | None, now: datetime) -> Page:
    start, last = to_microseconds(config.start), to_microseconds(now)
    after = start - 1 if cursor is None else _instant(cursor, "after")
    if after >= last:
        return Page(found=(), cursor={"after": from_microseconds(after).isoformat()})
    simulation, memory, networks = _simulation(config), Memory(config.memory), _networks(config)
    answered: dict[int, int] = {}
    # (delivery, number, what) of each; what is remembered stands beside what is made from the seed.
    waiting: list[_Waiting] = []
    for network in networks:
        answered |= memory.answered(NETWORKS[network], after - LONGEST_HOURS * HOUR)
        waiting += [(post.at, post.number, post) for post in memory.posts(NETWORKS[network], after, last)]
    until = last
    first = after // MINUTE
    minute = max(after - LONGEST_DELIVERY, start) // MINUTE
    while minute * MINUTE <= last:
        entries = agenda.in_time(simulation, networks, minute)
        if minute >= first:
            entries += agenda.beside(simulation, networks, minute)
        waiting += [
            (entry.at, entry.post.number, entry)
            for entry in entries
            if after < entry.at <= last
            and (entry.post.posted >= start or not entry.is_new)
            and not is_dropped(entry.post, answered)
        ]
        minute += 1
        # What is posted from here on cannot be delivered before it.
        ready = min(minute * MINUTE, last)
        if len(waiting) >= config.page and sum(item[0] <= ready for item in waiting) >= config.page:
            until = ready
            break
    waiting = sorted((item for item in waiting if item[0] <= until), key=_delivered)
    page = waiting[: config.page]
    if len(page) < len(waiting):
        until = page[-1][0]
        page += [item for item in waiting[config.page :] if item[0] == until]
    found, gone = _said_of(simulation, page)
    return Page(
        found=found,
        cursor={"after": from_microseconds(until).isoformat()},
        more=until < last,
        window=(from_microseconds(after), from_microseconds(until)),
        gone=gone,
        units=_units(found),
    )


def _said_of(simulation: Simulation, page: Sequence[_Waiting]) -> tuple[tuple[Found, ...], tuple[Gone, ...]]:
    """The newest of what is said about each post: a page never tells of a post both that it is there and gone."""
    found: dict[tuple[str, str], Found] = {}
    gone: dict[tuple[str, str], Gone] = {}
    for at, _, what in page:
        said = agenda.state(simulation, what.post, at) if isinstance(what, Entry) else remembered_state(what, at)
        key = (said.network, said.external_id)
        if isinstance(said, Found):
            found[key] = said
        elif isinstance(what, Entry) and not what.is_new:
            found.pop(key, None)
            gone[key] = said
    return tuple(found.values()), tuple(gone.values())


def _history(config: Config, cursor: Cursor | None, now: datetime) -> Page:
    newest, as_of = to_microseconds(config.start), to_microseconds(max(now, config.start))
    oldest = newest - config.days * 1440 * MINUTE
    before = newest if cursor is None else min(_instant(cursor, "before"), newest)
    simulation, networks = _simulation(config), _networks(config)
    posts: list[agenda.Post] = []
    reached, minute = before, before // MINUTE
    while reached > oldest and len(posts) < config.page:
        reached = max(minute * MINUTE, oldest)
        posts += [post for post in agenda.posted(simulation, networks, minute) if reached <= post.posted < before]
        minute -= 1
    posts.sort(key=_posted, reverse=True)
    said = [agenda.state(simulation, post, as_of) for post in posts]
    done = reached <= oldest
    return Page(
        found=tuple(item for item in said if isinstance(item, Found)),
        cursor={"before": from_microseconds(reached).isoformat()},
        more=not done,
        done=done,
        progress=1.0 if done else (newest - reached) / (newest - oldest),
        window=(from_microseconds(reached), from_microseconds(before)),
    )


def _simulation(config: Config) -> Simulation:
    return Simulation(config.seed, int(config.start.timestamp()), config.per_day)


def _networks(config: Config) -> Sequence[int]:
    return (NETWORKS.index(config.network),) if config.network else range(len(NETWORKS))


def _misbehaviour(config: Config, now: datetime) -> str | None:
    """What is wrong with the source's network, where it is not told by an error at once."""
    for item in Memory(config.memory).misbehaviours(now):
        if item.network != config.network:
            continue
        left = (item.until - to_microseconds(now)) / 1_000_000
        if item.kind == RATE_LIMITED:
            wait = min(left, LONGEST_WAIT_SECONDS)
            raise ConnectorError(
                f"{_said(config)} takes no more requests for {wait:.0f} s", retry_after=wait, kind="rate_limited"
            )
        if item.kind == DEAD_TOKEN:
            raise ConnectorError(
                f"{_said(config)} knows our credentials no more (401); connect the source again",
                permanent=True,
                kind="dead_token",
            )
        if item.kind == REFUSED:
            raise ConnectorError(f"{_said(config)} answered with a fault of its own (503)")
        return item.kind
    return None


def _said(config: Config) -> str:
    return f"the simulated {network_by_key(config.network).name}" if config.network else "the simulated network"


def _units(found: Sequence[Found]) -> dict[str, int]:
    """What X would charge for the posts and their authors; the other networks charge nothing."""
    posts = [item for item in found if item.network == "x"]
    if not posts:
        return {}
    own = sum(account_by_handle(0, item.author.key) is not None for item in posts)
    units = {"post": len(posts) - own, "user": len({item.author.key for item in posts}), "own": own}
    return {unit: number for unit, number in units.items() if number}


_Waiting: TypeAlias = tuple[int, int, Entry | Remembered]


def _delivered(item: _Waiting) -> tuple[int, int]:
    return item[0], item[1]


def _posted(post: agenda.Post) -> tuple[int, int, int]:
    return post.posted, post.network, post.number


def _instant(cursor: Cursor, key: str) -> int:
    try:
        return to_microseconds(datetime.fromisoformat(cursor[key]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConnectorError(
            f'cursor {dict(cursor)!r}: no "{key}" instant with a zone in it; remove the source and add it again',
            permanent=True,
            kind="unknown",
        ) from error
