"""Drafts of posts: who writes when, where and about whom, drawn from (seed, network, minute, place in the minute)."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from ingest.simulation.dice import LARGEST_EXACT, UNIT, count, sixteen
from ingest.simulation.events import REFERENCE_PER_DAY, Event, around
from ingest.simulation.identities import CONVERSATION, numbered
from ingest.simulation.people import Person, person, pool
from ingest.simulation.rhythm import BLOCK_MINUTES, SITE_SHARES, clocks, pace, talks
from ingest.simulation.world import NETWORKS, SITE_BY_KEY, SITES, TALK_BY_KEY, TALKS, cumulative

# Seconds from a post to its delivery, shortest and longest.
DELIVERY = {
    "x": (0.5, 1.6),
    "bluesky": (0.5, 1.0),
    "mastodon": (0.8, 3.0),
    "reddit": (1.2, 4.0),
    "youtube": (1.5, 4.0),
    "rss": (2.0, 4.0),
}
LONGEST_DELIVERY = 4_000_000
# Share of copies, answers and quotes, in the order of NETWORKS.
_KINDS = ((0.17, 0.20, 0.05), (0.14, 0.18, 0.05), (0.15, 0.16, 0.0), (0.0, 0.45, 0.0), (0.0, 0.22, 0.0), (0, 0, 0))


class Draft(NamedTuple):
    """A post before its words: who, when (microseconds since 1970), where, about whom.

    `number` is unique in the network; `drawn` holds what chance decides of the rest, `subject` seeds the words.
    """

    network: int
    minute: int
    posted: int
    number: int
    site: int
    talk: int
    kind: str
    mood: int
    language: str
    event: Event | None
    who: Person
    drawn: tuple[int, ...]
    subject: bytes


Line = tuple[Event | None, ...]
_NOBODY: Line = ()


@lru_cache(maxsize=4096)
def lines(seed: int, start: int, per_day: float, minute: int) -> tuple[Line, ...]:
    """Who writes in a minute on each network: one entry a post, the event it belongs to or None."""
    drawn = sixteen(_SLOT(seed, minute, 0, 0))
    current = around(minute, seed, start)
    written = []
    for network in range(len(NETWORKS)):
        quiet, mean = _ordinary(network, minute // BLOCK_MINUTES, per_day)
        first = drawn[network] * UNIT
        line: Line = _NOBODY if first < quiet else (None,) * count(mean, first, drawn[15 - network] * UNIT)
        for number, event in enumerate(current):
            drawn_too = sixteen(_SLOT(seed, minute, network + 1, number))
            expected = event.pace(minute) * per_day / REFERENCE_PER_DAY * event.networks[network]
            line += (event,) * count(expected, drawn_too[0] * UNIT, drawn_too[1] * UNIT)
        written.append(line[:CONVERSATION])
    return tuple(written)


@lru_cache(maxsize=8192)
def _ordinary(network: int, block: int, per_day: float) -> tuple[float, float]:
    """The chance that nobody writes in a minute of the block, and how many do on average; without events."""
    mean = per_day * _ORDINARY / 1440 * pace(network, block).total
    return math.exp(-mean) if mean <= LARGEST_EXACT else 0.0, mean


# What others refer to is wanted again, and what conversations begin with for fifteen hours.
@lru_cache(maxsize=8192)
def drafted(seed: int, network: int, minute: int, place: int, event: Event | None) -> Draft:
    """The post at a place in a minute; `event` as `lines` says it."""
    subject = _POST(seed, minute, network, place)
    drawn = sixteen(subject)
    where, inclined, among = drawn[1] * UNIT, drawn[3] * UNIT, drawn[4] * UNIT
    if event is None:
        block = minute // BLOCK_MINUTES
        total, sums = pace(network, block)
        site = bisect_right(sums, where * total)
        talk = bisect_right(talks(network, site, clocks(block)[site].hour), drawn[2] * UNIT)
        mood = bisect_right(TALKS[talk].moods, inclined)
        # A few write a lot, most write once; in an event everybody does.
        among *= among
    else:
        talk = TALK_BY_KEY[event.brand]
        if event.sites:
            site = SITE_BY_KEY[event.sites[int(where * len(event.sites))]]
        else:
            site = bisect_right(_PRESENCE[talk], where)
        mood = bisect_right(event.moods, inclined)
    language = _language(SITES[site].languages, drawn[5] * UNIT)
    posted = minute * 60_000_000 + (drawn[0] * 60_000_000 >> 32)
    return Draft(
        network,
        minute,
        posted,
        numbered(posted, place),
        site,
        talk,
        kind_of(network, drawn[6] * UNIT),
        mood,
        language,
        event,
        person(network, site, language, int(_ACCOUNTS[network][site] * among), seed),
        drawn,
        subject,
    )


def delivered_at(network: int, posted: int, drawn: tuple[int, ...]) -> int:
    """When the network hands out a post that is in time, in microseconds since 1970."""
    shortest, longest = _DELIVERY[network]
    return posted + shortest + ((longest - shortest) * drawn[9] >> 32)


def _language(languages: tuple[tuple[str, float], ...], drawn: float) -> str:
    for language, share in languages:
        if drawn < share:
            return language
        drawn -= share
    return languages[-1][0]


def kind_of(network: int, drawn: float) -> str:
    """What a post of a network is meant as; without anything to refer to it becomes a post."""
    repost, reply, quote = _KINDS[network]
    if drawn < repost:
        return "repost"
    if drawn < repost + reply:
        return "reply"
    return "quote" if drawn < repost + reply + quote else "post"


# What is left for the ordinary when events have their share, so that a month averages `per_day`.
_ORDINARY = 0.973
_DELIVERY = tuple((int(shortest * 1_000_000), int(longest * 1_000_000)) for shortest, longest in DELIVERY.values())
_SLOT = Struct("<qqHHxx").pack
_POST = Struct("<qqHHx").pack
_PRESENCE = tuple(cumulative(talk.presence) for talk in TALKS)
_ACCOUNTS = tuple(
    tuple(pool(share * (0.6 if len(SITES[site].languages) > 1 else 1.0)) for site, share in enumerate(shares))
    for shares in SITE_SHARES
)
