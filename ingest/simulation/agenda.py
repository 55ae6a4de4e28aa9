"""What happens beside the posts of a minute: late deliveries, edits, deletions, conversations, posts of ours.

It is worked out an hour of posts at a time: what an hour brings about lies within the next fifteen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ingest.found import Found, Gone
from ingest.simulation.drafts import Draft, delivered_at, drafted, lines
from ingest.simulation.fate import FATE, FATEFUL, LOW, deleted_at, edited_at, late_by
from ingest.simulation.identities import CONVERSATION, OURS, REMEMBERED, number_of, place_of, posted_of
from ingest.simulation.ours import DAY, OwnPost, of_day, own_state
from ingest.simulation.posts import Simulation
from ingest.simulation.threads import LONGEST_HOURS, Step, conversation, step_state
from ingest.simulation.world import NETWORKS

MINUTE = 60_000_000
# Of the posts that refer to nothing, how many are asked whether a conversation follows.
_CANDIDATES = int(0.22 * 65536)

Post: TypeAlias = Draft | Step | OwnPost


class Entry(NamedTuple):
    """Something the network hands out at an instant: a post as it stands then, or that it is gone.

    `is_new` tells what had not been handed out before from a change to what had. `at` in microseconds since 1970.
    """

    at: int
    post: Post
    is_new: bool


_Minutes: TypeAlias = dict[int, list[Entry]]


class _Agenda(NamedTuple):
    """The entries of an hour by the minute in which they are handed out, and the new ones by that of posting."""

    handed_out: _Minutes
    posted: _Minutes


def state(simulation: Simulation, post: Post, as_of: int) -> Found | Gone:
    """What the network shows of a post at an instant (microseconds since 1970)."""
    if isinstance(post, Draft):
        return simulation.state(post, as_of)
    return own_state(post, as_of) if isinstance(post, OwnPost) else step_state(simulation, post, as_of)


def posted(simulation: Simulation, networks: Sequence[int], minute: int) -> list[Post]:
    """Everything posted on some networks in a minute since 1970, in no order."""
    return [*simulation.drafts(networks, minute), *of_ours(simulation, networks, minute)]


def of_ours(simulation: Simulation, networks: Sequence[int], minute: int) -> list[Post]:
    """What accounts of ours posted in a minute, and what customers answered them."""
    entries = _agenda(simulation, minute // 60).posted.get(minute, ())
    return [entry.post for entry in entries if entry.post.network in networks]


def in_time(simulation: Simulation, networks: Sequence[int], minute: int) -> list[Entry]:
    """The posts of a minute that are handed out within LONGEST_DELIVERY, in no order."""
    return [
        Entry(delivered_at(draft.network, draft.posted, draft.drawn), draft, True)
        for draft in simulation.drafts(networks, minute)
        if late_by(draft.drawn) is None
    ]


def beside(simulation: Simulation, networks: Sequence[int], minute: int) -> list[Entry]:
    """What else is handed out in a minute since 1970, in no order."""
    entries = _agenda(simulation, minute // 60).handed_out.get(minute, ())
    return [entry for entry in entries if entry.post.network in networks]


def find(simulation: Simulation, network: int, external_id: str) -> Post | None:
    """The post with an id of a network; None for ids that mean none."""
    number = number_of(NETWORKS[network], external_id)
    if number is None:
        return None
    instant, place = posted_of(number), place_of(number)
    if place >= REMEMBERED:
        own = of_day(simulation.seed, instant // DAY) if place >= OURS else ()
        return next((post for post in own if (post.network, post.number) == (network, number)), None)
    minute = instant // MINUTE
    if place >= CONVERSATION:
        entries = _agenda(simulation, minute // 60).posted.get(minute, ())
        return next((e.post for e in entries if (e.post.network, e.post.number) == (network, number)), None)
    line = lines(simulation.seed, simulation.start, simulation.per_day, minute)[network]
    if place >= len(line):
        return None
    found = drafted(simulation.seed, network, minute, place, line[place])
    return found if found.number == number else None


@lru_cache(maxsize=48)
def _agenda(simulation: Simulation, hour: int) -> _Agenda:
    handed_out: _Minutes = defaultdict(list)
    new: _Minutes = defaultdict(list)
    for earlier in range(hour - LONGEST_HOURS, hour + 1):
        for entry in _of_hour(simulation, earlier):
            minute = entry.at // MINUTE
            if minute // 60 == hour:
                handed_out[minute].append(entry)
            minute = entry.post.posted // MINUTE
            if minute // 60 == hour and not isinstance(entry.post, Draft):
                new[minute].append(entry)
    return _Agenda(dict(handed_out), dict(new))


@lru_cache(maxsize=96)
def _of_hour(simulation: Simulation, hour: int) -> tuple[Entry, ...]:
    """What the posts of an hour bring about, whenever that is."""
    found: list[Entry] = []
    seed, start, per_day = simulation.seed, simulation.start, simulation.per_day
    for minute in range(hour * 60, hour * 60 + 60):
        for network, line in enumerate(lines(seed, start, per_day, minute)):
            for place, event in enumerate(line):
                # They are wanted again when their minute comes: of up to 12,000 posts a day the cache holds them all.
                draft = drafted(seed, network, minute, place, event)
                talks = draft.kind == "post" and draft.drawn[6] & LOW < _CANDIDATES
                if not talks and draft.drawn[FATE] & LOW >= FATEFUL:
                    continue
                if talks:
                    found += [Entry(step.at, step, True) for step in conversation(draft)]
                found += _changes(draft)
    found += [
        Entry(delivered_at(post.network, post.posted, post.drawn), post, True)
        for post in of_day(seed, hour // 24)
        if post.posted // (60 * MINUTE) == hour
    ]
    return tuple(found)


def _changes(draft: Draft) -> Iterator[Entry]:
    late = late_by(draft.drawn)
    if late is not None:
        yield Entry(draft.posted + late, draft, True)
    edited = edited_at(draft.drawn, draft.posted) if draft.kind != "repost" else None
    for change in (edited, deleted_at(draft.drawn, draft.posted)):
        if change is not None:
            yield Entry(delivered_at(draft.network, change, draft.drawn), draft, False)
