"""Counts of the simulated network by five minutes, made from its drafts without storing a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from ingest.simulation.drafts import drafted, lines
from ingest.simulation.events import REFERENCE_PER_DAY, RIPPLES, Event
from ingest.simulation.world import MOODS, NOISE, TALKS
from models.spikes import STEP, Counts, Floats

START = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
SEED = 7
# What happens every day, and not once a week.
EVERYDAY = {event.minutes for event in RIPPLES}
NEGATIVE = MOODS.index("negative")
STEPS_A_DAY = 288


@dataclass(frozen=True, slots=True)
class Told:
    """Counts by brand, of everything and of what is left without launches and outages; these as (brand, span)."""

    everything: Mapping[str, Counts]
    quiet: Mapping[str, Counts]
    events: tuple[tuple[str, datetime, datetime], ...]


@cache
def told(days: int, *, seed: int = SEED, end: datetime = START) -> Told:
    """What every brand was told in the days before an instant, 6,000 posts a day."""
    start = end - timedelta(days=days)
    first = int(start.timestamp()) // 60
    shape = (2, 2, len(TALKS), days * STEPS_A_DAY)
    mentions = np.zeros(shape)
    events: set[Event] = set()
    for minute in range(first, first + days * 1440):
        for network, line in enumerate(lines(seed, int(end.timestamp()), REFERENCE_PER_DAY, minute)):
            for place, event in enumerate(line):
                draft = drafted(seed, network, minute, place, event)
                is_event = event is not None and event.minutes not in EVERYDAY
                if event is not None and is_event:
                    events.add(event)
                mentions[int(is_event), int(draft.mood == NEGATIVE), draft.talk, (minute - first) // 5] += 1
    ordinary, added = mentions
    brands = [talk.key for talk in TALKS if talk.key != NOISE]
    return Told(
        {key: _counts(start, ordinary + added, place) for place, key in enumerate(brands)},
        {key: _counts(start, ordinary, place) for place, key in enumerate(brands)},
        tuple(sorted({(event.brand, *_span(event)) for event in events})),
    )


def _counts(start: datetime, mentions: Floats, place: int) -> Counts:
    mild, negative = mentions[:, place]
    total = mild + negative
    return Counts(start, total, negative, total, np.ones(len(total), dtype=np.bool_))


def _span(event: Event) -> tuple[datetime, datetime]:
    begins = datetime.fromtimestamp(event.begins * 60, UTC)
    return begins, begins + timedelta(minutes=event.minutes) + STEP
