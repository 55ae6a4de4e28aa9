"""Who is judged when: every brand at each edge of five minutes, by whichever worker is first, and the sources as well.

A row a brand says when it is due. Taking a turn moves that instant on; what came of it is written only while it still
stands where this turn has put it, so that any number of workers may try and each event is recorded once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import alerts, cube, sources
from models.blind import blind
from models.database import Database
from models.organisation import Organisation
from models.spike import Event
from models.spike_counts import kept_counts_of
from models.spikes import EPOCH, FEWEST_MENTIONS, MEMORY, PAST_DAYS, STEP, events
from models.tables import alert_judged, change, source

log = logging.getLogger("watchfloor.ingest")

# What was posted just before an edge is stored moments after it.
SETTLES = timedelta(seconds=15)
# What arrives later than that is judged again for this long.
OVERLAP = timedelta(hours=1)
SOURCES_EVERY = timedelta(seconds=30)
# Whoever takes longer has lost its turn.
TURN = timedelta(minutes=2)
# While somebody's past is being filled in, the days that are there say little; but nobody waits for it for ever.
FILLING_EVERY = timedelta(minutes=1)
FILLING_HOLDS = timedelta(hours=2)
FIRST, AGAIN = "first", "again"


@dataclass(frozen=True, slots=True)
class Turn:
    """A brand (or the sources) in the hands of this worker until `until`. `judged_to` None = for the first time."""

    brand_id: int
    until: datetime
    judged_to: datetime | None
    seen: int
    is_settled: bool


def judged_brands(organisation: Organisation) -> tuple[int, ...]:
    """The brands in which something can stand out: ours and those we compare them with."""
    return tuple(brand.id for brand in organisation.brands if brand.kind != "unmatched")


def judge_one(database: Database, brand_ids: Collection[int], *, now: Callable[[], datetime]) -> str | None:
    """Judge one that is due; whether it was the FIRST time or AGAIN, or None when nobody is.

    `brand_ids` may hold alerts.NO_BRAND for the sources.
    """
    turn = _take(database, brand_ids, now())
    if turn is None:
        return None
    if turn.brand_id == alerts.NO_BRAND:
        _judge_sources(database, turn, now)
        return AGAIN
    _judge_brand(database, turn, now)
    return FIRST if turn.judged_to is None else AGAIN


# -- turns -------------------------------------------------------------------------------------------------


def _take(database: Database, brand_ids: Collection[int], at: datetime) -> Turn | None:
    """The one that is due for longest; None when there is none, or another worker was faster."""
    with database.read() as connection:
        rows = connection.execute(select(alert_judged).where(alert_judged.c.brand_id.in_(sorted(brand_ids)))).all()
    missing = set(brand_ids) - {row.brand_id for row in rows}
    if missing:
        _introduce(database, missing, at)
        return _take(database, brand_ids, at)
    row = min((row for row in rows if row.due_at <= at), key=lambda row: (row.due_at, row.brand_id), default=None)
    if row is None:
        return None
    until = at + TURN
    with database.write() as connection:
        taken = connection.execute(_where(row.brand_id, row.due_at).values(due_at=until))
    return Turn(row.brand_id, until, row.judged_to, row.seen, row.is_settled) if taken.rowcount else None


def _introduce(database: Database, brand_ids: Collection[int], at: datetime) -> None:
    values = [{"brand_id": n, "due_at": at, "seen": -1, "is_settled": False} for n in sorted(brand_ids)]
    try:
        with database.write() as connection:
            connection.execute(insert(alert_judged), values)
    except IntegrityError:
        # Another worker was faster; its rows are as good.
        log.debug("judged_rows_there brands=%d", len(values))


def _end(connection: Connection, turn: Turn, **values: Any) -> bool:
    """Write what comes next; False when the turn took too long and another has it."""
    return bool(connection.execute(_where(turn.brand_id, turn.until).values(**values)).rowcount)


def _where(brand_id: int, due_at: datetime) -> Any:
    return update(alert_judged).where(alert_judged.c.brand_id == brand_id, alert_judged.c.due_at == due_at)


# -- judging -----------------------------------------------------------------------------------------------


def _judge_brand(database: Database, turn: Turn, now: Callable[[], datetime]) -> None:
    at = now()
    edge = at - SETTLES - (at - SETTLES - EPOCH) % STEP
    with database.read() as connection:
        if turn.judged_to is None and _is_filling(connection, at):
            found = None
        else:
            seen = _seen(connection, turn.brand_id)
            is_same = seen == turn.seen
            # What was stored after the edge of the last turn is in no count of it: so once more after the last change.
            found = () if is_same and turn.is_settled else _events(connection, turn, edge, at)
    with database.write() as connection:
        if found is None:
            _end(connection, turn, due_at=at + FILLING_EVERY)
            return
        due_at = max(edge + STEP + SETTLES, at + timedelta(seconds=1))
        if not _end(connection, turn, due_at=due_at, judged_to=edge, seen=seen, is_settled=is_same):
            log.warning("turn_lost brand=%d", turn.brand_id)
            return
        new = alerts.keep_spikes(connection, turn.brand_id, found, judged_to=edge, now=at)
    if new:
        log.info("spikes_flagged brand=%d new=%d", turn.brand_id, new)


def _events(connection: Connection, turn: Turn, edge: datetime, at: datetime) -> Sequence[Event]:
    kept = at - alerts.KEPT
    if turn.judged_to is None:
        return events(kept_counts_of(connection, turn.brand_id, start=kept, end=edge))
    since = max(turn.judged_to - OVERLAP, kept)
    if _said(connection, turn.brand_id, since - OVERLAP, edge) < FEWEST_MENTIONS:
        return ()
    past = max(since - MEMORY - timedelta(days=PAST_DAYS), kept)
    return events(kept_counts_of(connection, turn.brand_id, start=past, end=edge), since=since)


def _said(connection: Connection, brand_id: int, start: datetime, end: datetime) -> int:
    """How much was said of a brand in a span: too little for any rule is not worth reading its past."""
    span = (int((start - EPOCH).total_seconds()), int((end - EPOCH).total_seconds()))
    return sum(row.mentions for row in cube.fine_counts(connection, brand_id, span))


def _seen(connection: Connection, brand_id: int) -> int:
    """How often mentions of a brand have changed."""
    asked = select(change.c.n).where(change.c.topic == "mentions", change.c.brand_id == brand_id)
    return int(connection.execute(asked).scalar() or 0)


def _is_filling(connection: Connection, at: datetime) -> bool:
    """Whether a source that is new still fills in its history."""
    asked = select(source.c.id).where(
        source.c.state == "active", source.c.progress < 1, source.c.created_at > at - FILLING_HOLDS
    )
    return connection.execute(asked.limit(1)).scalar() is not None


def _judge_sources(database: Database, turn: Turn, now: Callable[[], datetime]) -> None:
    at = now()
    with database.read() as connection:
        health = sources.health(connection, at)
        found = blind(connection, health, at)
    with database.write() as connection:
        if not _end(connection, turn, due_at=at + SOURCES_EVERY, judged_to=at):
            return
        new = alerts.keep_blind(connection, found, [item.id for item in health], at)
    if new:
        log.info("blind_flagged new=%d", new)
