"""What spikes are judged on, read from the rollups and the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from models.access import Scope, Window
from models.cube import Tally, by_brand_of, fine_counts
from models.organisation import Organisation
from models.sources import gaps
from models.spike import STEP_SECONDS
from models.spikes import EPOCH, STEP, Counts, Span

# Read in pieces: what is older than the fine cells is counted from rows, and a piece has no more of them than are read.
PIECE = timedelta(days=1)
HOUR = timedelta(hours=1)


def counts_of(
    connection: Connection, brand_id: int, organisation: Organisation, *, start: datetime, end: datetime
) -> Counts:
    """The counts of a brand by five minutes, from the hour of `start` to the last edge of five minutes before `end`.

    Not heard is what no source covered and no file brought, hour by hour, and a day of more old mentions than can be
    counted from rows.
    """
    first = start - (start - EPOCH) % HOUR
    last = end - (end - EPOCH) % STEP
    scope = Scope((brand_id,), (brand_id,))
    tallies: list[Tally] = []
    unheard: list[Span] = []
    at = first
    while at < last:
        until = min(at + PIECE, last)
        window = Window("counts", at, until, STEP_SECONDS, live=False)
        series = by_brand_of(connection, scope, (brand_id,), window, organisation)[brand_id]
        tallies += series.tallies
        if series.partial:
            unheard.append((at, until))
        at = until
    if first < last:
        for gap in gaps(connection, Window("counts", first, last, STEP_SECONDS, live=False)):
            unheard += _silent(gap, first, [tally.mentions for tally in tallies])
    return Counts.of(
        first,
        [tally.mentions for tally in tallies],
        negative=[tally.negative for tally in tallies],
        scored=[tally.scored for tally in tallies],
        unheard=unheard,
    )


def kept_counts_of(connection: Connection, brand_id: int, *, start: datetime, end: datetime) -> Counts:
    """The same from the cells alone, in one walk: for spans no longer ago than the fine cells are kept."""
    first = start - (start - EPOCH) % HOUR
    last = max(end - (end - EPOCH) % STEP, first)
    base, length = int((first - EPOCH) / STEP), (last - first) // STEP
    rows = fine_counts(connection, brand_id, (base * STEP_SECONDS, (base + length) * STEP_SECONDS))
    mentions, negative, scored = ([0] * length for _ in range(3))
    for bucket, said, bad, known in (tuple(row) for row in rows):
        place = bucket // STEP_SECONDS - base
        mentions[place], negative[place], scored[place] = said, bad, known
    unheard: list[Span] = []
    if length:
        for gap in gaps(connection, Window("counts", first, last, STEP_SECONDS, live=False)):
            unheard += _silent(gap, first, mentions)
    return Counts.of(first, mentions, negative=negative, scored=scored, unheard=unheard)


def _silent(gap: Span, first: datetime, mentions: Sequence[float]) -> Iterator[Span]:
    """A span that no source covered, without the whole hours in it that hold mentions: a file brought those."""
    at, end = gap
    hour = first - (first - at) // HOUR * HOUR
    while hour + HOUR <= end:
        place = (hour - first) // STEP
        if any(mentions[place : place + HOUR // STEP]):
            if at < hour:
                yield at, hour
            at = hour + HOUR
        hour += HOUR
    if at < end:
        yield at, end
