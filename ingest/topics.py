"""Keeping the topics counted: once a minute one worker of all looks for hours that changed, and counts them.

It works beside the store, never in its transaction, and rests after every day it counted, so that polling comes first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, thread_time

from models import organisation, topics
from models.database import Database
from models.organisation import UNKNOWN

log = logging.getLogger("watchfloor.ingest")

EVERY = timedelta(seconds=60)
# A little less, so that a tick that comes early does not leave a minute out.
TURN = EVERY - timedelta(seconds=5)
LONGEST_SECONDS = 45.0
# After each day it waits this many times as long as it computed.
RESTS = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one turn did. `is_behind` where it ended with days left."""

    days: int = 0
    mentions: int = 0
    cpu_seconds: float = 0.0
    is_behind: bool = False


def count_topics(database: Database, *, now: Callable[[], datetime], wait: Callable[[float], bool]) -> Outcome | None:
    """Count what changed, newest first, for at most LONGEST_SECONDS; None where another worker has the turn.

    `wait(seconds)` rests and says whether the worker is to stop.
    """
    began, cpu = monotonic(), thread_time()
    with database.write() as connection:
        if not topics.take_turn(connection, now(), every=TURN):
            return None
    with database.read() as connection:
        there = organisation.current(connection, now())
        brands = {brand.id: brand for brand in there.brands if brand.id != UNKNOWN}
        due = topics.due(connection, sorted(brands), now()) if brands else []
    days = mentions = 0
    for day in due:
        if monotonic() - began >= LONGEST_SECONDS:
            break
        before = thread_time()
        mentions += topics.count_day(database, brands[day.brand_id], day, now())
        days += 1
        if wait(RESTS * (thread_time() - before)):
            break
    return Outcome(days, mentions, thread_time() - cpu, is_behind=days < len(due))
