"""Posts of the simulated network, minute by minute.

Every post is drawn from its own seed (network, minute, place in the minute), so any minute can be made alone, in
any order and in any process, and a copy or an answer can look up what it refers to.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from ingest.found import Counts, Found
from ingest.simulation.dice import LARGEST_EXACT, UNIT, count, endless, sixteen
from ingest.simulation.events import REFERENCE_PER_DAY, Event, around
from ingest.simulation.people import Person, person, pool
from ingest.simulation.rhythm import BLOCK_MINUTES, SITE_SHARES, clocks, pace, talks
from ingest.simulation.speech import Given, speech
from ingest.simulation.world import NETWORKS, NOISE, SITE_BY_KEY, SITES, TALK_BY_KEY, TALKS, cumulative

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
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Share of copies, answers and quotes, in the order of NETWORKS.
_KINDS = ((0.17, 0.20, 0.05), (0.14, 0.18, 0.05), (0.15, 0.16, 0.0), (0.0, 0.45, 0.0), (0.0, 0.22, 0.0), (0, 0, 0))
# Networks that say which language a post is in; on the others it has to be detected.
_SAY_LANGUAGE = {"x", "bluesky", "mastodon", "youtube"}
_WITH_HANDLES = {"x", "mastodon", "bluesky"}
_COMMUNITIES = {"bank": "personal_finance", "cars": "electric_cars", "retail": "shopping", "mobility": "transit"}
_PICTURE_SHARE = {"x": 0.12, "bluesky": 0.15, "mastodon": 0.20, "reddit": 0.08, "youtube": 0.0, "rss": 0.5}
_PICTURES = {
    "bank": (
        "A card terminal with an error message",
        "Screenshot of a banking app",
        "Queue in front of a cash machine",
    ),
    "cars": ("A white car at a charger", "Dashboard with the range in kilometres", "Charging curve as a line chart"),
    "retail": (
        "A bowl of soup on a wooden table",
        "Shop window with winter decoration",
        "A broken parcel on a doormat",
    ),
    "mobility": ("Departure board with delays", "A van at a bus stop in the rain", "Screenshot of a ticket app"),
    NOISE: ("A bird over a motorway", "View over roofs", "A cup of coffee"),
}
# How far back an answer or a copy looks for what it refers to, in minutes.
_SEARCH = 25
_FARTHEST = 700


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


class Delivery(NamedTuple):
    """A post, when it was posted and when the network hands it out, in microseconds since 1970."""

    at: int
    posted: int
    found: Found


Line = tuple[Event | None, ...]
_NOBODY: Line = ()


@dataclass(frozen=True, slots=True)
class Simulation:
    """All posts that `seed` means: `per_day` on an average day, events placed from `start` (seconds since 1970)."""

    seed: int
    start: int
    per_day: float

    def posts(self, networks: Sequence[int], minute: int) -> list[Delivery]:
        """The posts of some of world.NETWORKS in a minute since 1970, in no order."""
        lines = _lines(self.seed, self.start, self.per_day, minute)
        return [
            self._delivery(_draft(self.seed, network, minute, place, event))
            for network in networks
            for place, event in enumerate(lines[network])
        ]

    def _delivery(self, draft: Draft) -> Delivery:
        network, _minute, posted, number, _site, talk, kind, _mood, language, _event, who, drawn, _subject = draft
        key = NETWORKS[network]
        reply_to: str | None = None
        related = self._related(draft) if kind != "post" else None
        if related is None:
            kind = "article" if key == "rss" else "post"
            text = _words(draft)
        elif kind == "repost":
            language = related.language
            text = self._text(related)
            if key == "x":
                text = f"RT @{related.who.author.handle}: {text}"
        else:
            text = _addressed(_words(draft), draft, related)
            if kind == "reply":
                reply_to = _external_id(key, related.number)
        pictures: tuple[tuple[str, str], ...] = ()
        if drawn[10] * UNIT < _PICTURE_SHARE[key] and kind != "repost":
            alts = _PICTURES[TALKS[talk].sector]
            pictures = (("image", alts[drawn[11] % len(alts)] if drawn[12] & 1 else ""),)
        found = Found(
            key,
            _external_id(key, number),
            EPOCH + timedelta(0, 0, posted),
            text,
            who.author,
            kind,
            _link(key, draft),
            reply_to,
            language if key in _SAY_LANGUAGE else None,
            _counts(key, who, drawn),
            who.place,
            who.latitude,
            who.longitude,
            pictures,
        )
        shortest, longest = _DELIVERY[network]
        return Delivery(posted + shortest + ((longest - shortest) * drawn[9] >> 32), posted, found)

    def _text(self, original: Draft) -> str:
        """What an original says, the same as in its own delivery."""
        related = self._related(original) if original.kind != "post" else None
        text = _words(original)
        return text if related is None else _addressed(text, original, related)

    def _related(self, draft: Draft) -> Draft | None:
        """An earlier original of the same network, often one that others answer and copy too; None if there is none."""
        back = draft.drawn[8] * UNIT
        if draft.drawn[7] * UNIT < 0.4:
            hour = draft.minute // 60 - int(back * 4)
            target = hour * 60 + (hour * 2_654_435_761 + draft.network * 97) % 60
        else:
            target = draft.minute - 1 - int(_FARTHEST * back**3)
        target = min(target, draft.minute - 1)
        for minute in range(target, target - _SEARCH, -1):
            line = _lines(self.seed, self.start, self.per_day, minute)[draft.network]
            if line:
                place = draft.drawn[15] % min(len(line), 3)
                original = _draft(self.seed, draft.network, minute, place, line[place])
                if original.kind != "repost":
                    return original
        return None


@lru_cache(maxsize=4096)
def _lines(seed: int, start: int, per_day: float, minute: int) -> tuple[Line, ...]:
    """Who writes in a minute on each network: one entry a post, the event it belongs to or None."""
    drawn = sixteen(_SLOT(seed, minute, 0, 0))
    current = around(minute, seed, start)
    lines = []
    for network in range(len(NETWORKS)):
        quiet, mean = _ordinary(network, minute // BLOCK_MINUTES, per_day)
        first = drawn[network] * UNIT
        line: Line = _NOBODY if first < quiet else (None,) * count(mean, first, drawn[15 - network] * UNIT)
        for number, event in enumerate(current):
            drawn_too = sixteen(_SLOT(seed, minute, network + 1, number))
            expected = event.pace(minute) * per_day / REFERENCE_PER_DAY * event.networks[network]
            line += (event,) * count(expected, drawn_too[0] * UNIT, drawn_too[1] * UNIT)
        lines.append(line)
    return tuple(lines)


@lru_cache(maxsize=8192)
def _ordinary(network: int, block: int, per_day: float) -> tuple[float, float]:
    """The chance that nobody writes in a minute of the block, and how many do on average; without events."""
    mean = per_day * _ORDINARY / 1440 * pace(network, block).total
    return math.exp(-mean) if mean <= LARGEST_EXACT else 0.0, mean


def _draft(seed: int, network: int, minute: int, place: int, event: Event | None) -> Draft:
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
        # The microsecond, and the place among those of one minute.
        posted << 10 | place & 1023,
        site,
        talk,
        _kind(network, drawn[6] * UNIT),
        mood,
        language,
        event,
        person(network, site, language, int(_ACCOUNTS[network][site] * among), seed),
        drawn,
        subject,
    )


def _language(languages: tuple[tuple[str, float], ...], drawn: float) -> str:
    for language, share in languages:
        if drawn < share:
            return language
        drawn -= share
    return languages[-1][0]


def _kind(network: int, drawn: float) -> str:
    repost, reply, quote = _KINDS[network]
    if drawn < repost:
        return "repost"
    if drawn < repost + reply:
        return "reply"
    return "quote" if drawn < repost + reply + quote else "post"


def _addressed(text: str, draft: Draft, related: Draft) -> str:
    """An answer names whom it answers, a quote links to what it quotes."""
    key = NETWORKS[draft.network]
    if draft.kind == "quote":
        return f"{text} {_link(key, related)}"
    return f"@{related.who.author.handle} {text}" if key in _WITH_HANDLES else text


def _words(draft: Draft) -> str:
    network, talk, cities = NETWORKS[draft.network], TALKS[draft.talk], SITES[draft.site].cities
    words = speech(draft.language)
    draw = endless(draft.subject)
    if network == "rss" and talk.sector != NOISE:
        # Where a language has no newspapers, the English one is read.
        words = words if words.articles else speech("en")
        return words.article(draw, (talk.names[:1], talk.products, cities), sector=talk.sector, mood=draft.mood)
    given: Given = (talk.called if network in _WITH_HANDLES else talk.names, talk.products, cities)
    text = words.post(
        draw,
        given,
        sector=talk.sector,
        mood=draft.mood,
        event=draft.event.key if draft.event else None,
        is_long=network == "reddit",
    )
    if network in _WITH_HANDLES:
        style = draw()
        if style < _LOWER_CASE:
            return text.lower()
        if style < _TAGGED and talk.tag:
            return f"{text} #{talk.tag}"
    return text


def _counts(network: str, who: Person, drawn: tuple[int, ...]) -> Counts:
    if network == "rss":
        return _SILENT
    # Few posts are seen by many: a Pareto tail, carried by the author's following.
    likes = int(who.carried * min(1.0 / (drawn[13] * UNIT + 0.0008) - 1.0, 400.0))
    answered = drawn[14] * UNIT
    replies = int(likes * 0.18 * answered + answered * 1.3)
    if network in ("reddit", "youtube"):
        return Counts(likes, replies)
    copied = drawn[12] * UNIT
    reposts = int(likes * 0.3 * copied)
    if network != "x":
        return Counts(likes, replies, reposts)
    followers = who.author.followers or 0
    return Counts(likes, replies, reposts, int(followers * (0.05 + 0.5 * copied) + likes * 22 + 8 * answered))


def _external_id(network: str, number: int) -> str:
    if network == "reddit":
        return f"t1_{number:x}"
    if network == "youtube":
        return f"Ug{number:x}AaABAg"
    if network == "bluesky":
        return f"at://did:sim:{number >> 20:x}/post/{number:x}"
    return f"urn:simulated:{number:x}" if network == "rss" else str(number)


def _link(network: str, draft: Draft) -> str:
    # .example is reserved: no such address can ever lead anywhere.
    where = draft.who.author.handle
    if network == "reddit":
        where = _COMMUNITIES.get(TALKS[draft.talk].sector, "everyday")
    return f"https://social.example/{network}/{where}/{draft.number:x}"


# What is left for the ordinary when events have their share, so that a month averages `per_day`.
_ORDINARY = 0.973
_SILENT = Counts()
_DELIVERY = tuple((int(shortest * 1_000_000), int(longest * 1_000_000)) for shortest, longest in DELIVERY.values())
_LOWER_CASE, _TAGGED = int(0.09 * 65536), int(0.18 * 65536)
_SLOT = Struct("<qqHHxx").pack
_POST = Struct("<qqHHx").pack
_PRESENCE = tuple(cumulative(talk.presence) for talk in TALKS)
_ACCOUNTS = tuple(
    tuple(pool(share * (0.6 if len(SITES[site].languages) > 1 else 1.0)) for site, share in enumerate(shares))
    for shares in SITE_SHARES
)
