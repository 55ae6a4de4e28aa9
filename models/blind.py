"""Which sources should hear what is said now and do not; and whether a low count is a quiet one or a blind one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from models.sources import Health
from models.tables import coverage, duty, source

# A source that restarts is stale for a moment; nobody is called for less than this.
BLIND_AFTER = timedelta(minutes=2)
LONGEST_REASON = 200
# The canary of a quiet network sings every quarter of an hour: an older song says nothing about now.
SONG_HOLDS = timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class Blind:
    """A source that hears nothing, since when, and why in a sentence."""

    source_id: int
    since: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Listening:
    """Who listened in a span: of `asked` sources the names of those that did not, and since when the first of these.

    `canary_at` is when a query that always finds something last found it.
    """

    asked: int
    missing: tuple[str, ...]
    since: datetime | None
    canary_at: datetime | None

    @property
    def is_blind(self) -> bool:
        """Whether a low count may be our own fault."""
        return bool(self.missing)


def blind(connection: Connection, health: Sequence[Health], now: datetime) -> tuple[Blind, ...]:
    """The sources that hear nothing now, in the order of their ids."""
    columns = (source.c.id, source.c.created_at, source.c.due_at, source.c.last_new_at)
    rows = {row.id: row for row in connection.execute(select(*columns))}
    found = []
    for item in health:
        row = rows.get(item.id)
        # What fills in history listens to nothing that is said today.
        if row is None or item.state in ("paused", "done") or item.progress is not None:
            continue
        why = _why(item, row.due_at, now)
        if why is not None:
            heard_at = row.last_new_at if item.condition == "deaf" else item.last_success_at
            found.append(Blind(item.id, heard_at or row.created_at, f"{item.name} {why}."))
    return tuple(found)


def listening(
    connection: Connection,
    health: Sequence[Health],
    network_ids: Collection[int] | None,
    *,
    start: datetime,
    end: datetime,
) -> Listening:
    """Who of the sources of some networks (None = all) heard a span: those that covered it and are not deaf."""
    rows = connection.execute(
        select(coverage.c.source_id, coverage.c.covered_to)
        .where(coverage.c.covered_to > start, coverage.c.covered_from < end)
        .order_by(coverage.c.covered_to)
    )
    covered = {row.source_id: row.covered_to for row in rows}
    created = {row.id: row.created_at for row in connection.execute(select(source.c.id, source.c.created_at))}
    asked = [
        item
        for item in health
        if (network_ids is None or item.network_id in network_ids)
        and (item.id in covered or (item.state != "done" and item.progress is None and created[item.id] < start))
    ]
    # What stopped before the middle of the span did not hear it.
    missing = [item for item in asked if item.is_deaf or covered.get(item.id, start) < start + (end - start) / 2]
    stopped = [covered.get(item.id) or item.last_success_at for item in missing if not item.is_deaf]
    ids = [item.id for item in asked]
    sung = select(duty.c.last_at).where(duty.c.kind == "canary", duty.c.result == "heard", duty.c.source_id.in_(ids))
    songs = [at for at in connection.execute(sung).scalars() if at is not None and start - SONG_HOLDS < at]
    return Listening(
        asked=len(asked),
        missing=tuple(item.name for item in missing),
        since=min((at for at in stopped if at is not None), default=None),
        canary_at=max(songs, default=None),
    )


def _why(item: Health, due_at: datetime, now: datetime) -> str | None:
    """Why a source hears nothing; None while it hears, rests by its own hours, or is late by less than BLIND_AFTER."""
    said = f": {item.last_error.strip()[:LONGEST_REASON].rstrip('.')}" if item.last_error else ""
    condition = item.condition
    if condition in ("disconnected", "gone"):
        return f"is {condition}{said}"
    if condition == "deaf":
        return "answers, but a query that always finds something found nothing"
    if condition == "spent":
        return "has spent the budget of its month and waits for the next one"
    late = BLIND_AFTER.total_seconds()
    if item.badge != "stale" or (item.data_age_seconds is not None and item.data_age_seconds < late):
        return None
    if item.last_error is None and (now - due_at).total_seconds() < late:
        return None
    return f"has not been heard for more than ten times its normal{said}"
