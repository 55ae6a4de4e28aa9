"""What wants somebody to look: spikes and sources that went blind, one row an event, acknowledged by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from models import audit
from models.access import Access
from models.blind import Blind
from models.database import new_id, raise_change, time_id
from models.errors import NotFound
from models.spike import Event, Spike
from models.spikes import COOL_DOWN, STEP
from models.tables import alert, mention

VOLUME, NEGATIVE, BLIND = "volume", "negative", "blind"
# The brand of what belongs to no brand.
NO_BRAND = 0
# An event is over when nothing of it was seen for this long; what comes within the cool-down makes it go on.
OVER_AFTER = timedelta(hours=1)
# As long as the cells that spikes are judged on.
KEPT = timedelta(days=35)
# Of how many mentions the share of one post is taken.
MOST_COPIES = 5_000
MOST = 200
NO_SUCH = "there is no such alert"


@dataclass(frozen=True, slots=True)
class Alert:
    """One event. `started_at` is its first unusual five minutes, or when the source was last heard.

    `seen` and `expected` are mentions in the window of the rule, for `negative` a share 0..1 and what the past days
    stay under; None for a source. `ended_at` is None while it goes on. `details` holds the arithmetic.
    """

    brand_id: int
    id: int
    kind: str
    source_id: int
    started_at: datetime
    flagged_at: datetime
    ended_at: datetime | None
    seen: float | None
    expected: float | None
    words: str
    details: Mapping[str, Any]
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has said that they look at it."""
        return self.acknowledged_at is not None

    @property
    def last_at(self) -> datetime:
        """The end of the last unusual span."""
        return datetime.fromisoformat(self.details["last_at"]) if "last_at" in self.details else self.started_at


# -- reading -----------------------------------------------------------------------------------------------


def of_brands(
    connection: Connection, brand_ids: Collection[int], *, start: datetime, end: datetime
) -> tuple[Alert, ...]:
    """What began in a span, newest first, at most MOST; NO_BRAND stands for the sources."""
    return _found(connection, brand_ids, alert.c.id >= time_id(start, 0), alert.c.id < time_id(end, 0))


def waiting(connection: Connection, brand_ids: Collection[int], *, since: datetime, now: datetime) -> tuple[Alert, ...]:
    """What goes on, and what began after `since` and nobody has acknowledged; newest first."""
    kept = alert.c.id >= time_id(now - KEPT, 0)
    unseen = and_(alert.c.acknowledged_at.is_(None), alert.c.id >= time_id(since, 0))
    return _found(connection, brand_ids, kept, or_(alert.c.ended_at.is_(None), unseen))


def may_see(access: Access, brand_ids: Iterable[int]) -> tuple[int, ...]:
    """The brands of a narrowed scope whose alerts a person may see, and the sources.

    A spike counts a whole brand, so whoever sees some places alone sees none.
    """
    is_limited = not access.sees_all and access.location_ids is not None
    return (NO_BRAND,) if is_limited else (NO_BRAND, *brand_ids)


def _found(connection: Connection, brand_ids: Collection[int], *which: ColumnElement[bool]) -> tuple[Alert, ...]:
    rows = connection.execute(
        select(alert).where(alert.c.brand_id.in_(sorted(brand_ids)), *which).order_by(alert.c.id.desc()).limit(MOST)
    )
    return tuple(_alert(row) for row in rows)


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        brand_id=row.brand_id,
        id=row.id,
        kind=row.kind,
        source_id=row.source_id,
        started_at=row.started_at,
        flagged_at=row.flagged_at,
        ended_at=row.ended_at,
        seen=row.seen,
        expected=row.expected,
        words=row.words,
        details=row.details or {},
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )


# -- spikes ------------------------------------------------------------------------------------------------


def keep_spikes(
    connection: Connection, brand_id: int, events: Sequence[Event], *, judged_to: datetime, now: datetime
) -> int:
    """Record what is new, prolong what goes on, end what is over; returns how many are new.

    An event is recorded once: one that began within the cool-down of a recorded one of its kind is that one.
    """
    known = list(of_brands(connection, (brand_id,), start=now - KEPT, end=now + COOL_DOWN))
    changed, new = False, 0
    for event in sorted(events, key=lambda event: event.spike.at):
        started_at = event.spike.at - STEP
        same = next((item for item in known if _is_same(item, event)), None)
        if same is None:
            known.append(_record(connection, brand_id, event, started_at, now))
            changed, new = True, new + 1
        elif event.until > same.last_at:
            details = {**same.details, "last_at": event.until.isoformat()}
            _write(connection, same, details=details)
            known[known.index(same)] = replace(same, details=details)
            changed = True
    for item in known:
        ended_at = item.last_at if judged_to - item.last_at >= OVER_AFTER else None
        if ended_at != item.ended_at:
            _write(connection, item, ended_at=ended_at)
            changed = True
    if changed:
        raise_change(connection, "alerts", (brand_id,))
    return new


def _is_same(item: Alert, event: Event) -> bool:
    if item.kind != event.spike.kind:
        return False
    return item.started_at < event.until + COOL_DOWN and event.spike.at < item.last_at + COOL_DOWN


def _record(connection: Connection, brand_id: int, event: Event, started_at: datetime, now: datetime) -> Alert:
    spike = replace(event.spike, share_one_post=_share_of_one_post(connection, brand_id, event.spike))
    is_negative = spike.kind == NEGATIVE
    details = {
        "at": spike.at.isoformat(),
        "last_at": event.until.isoformat(),
        "window_seconds": spike.window_seconds,
        "count": spike.count,
        "usual": spike.expected,
        "factor": spike.rule.factor,
        "value": spike.value,
        "level": spike.level,
        "bar": spike.bar,
        "days": spike.days,
        "share_negative": spike.share_negative,
        "share_one_post": spike.share_one_post,
    }
    made = Alert(
        brand_id=brand_id,
        id=new_id(started_at),
        kind=spike.kind,
        source_id=0,
        started_at=started_at,
        flagged_at=now,
        ended_at=None,
        seen=spike.share_negative if is_negative else float(spike.count),
        expected=spike.level if is_negative else spike.expected,
        words=spike.sentence(),
        details=details,
    )
    _add(connection, made)
    return made


def _share_of_one_post(connection: Connection, brand_id: int, spike: Spike) -> float | None:
    """Which share of the mentions in the window of a spike are copies of the same text; None without any."""
    start = spike.at - timedelta(seconds=spike.window_seconds)
    inner = (
        select(mention.c.copy_id)
        .where(mention.c.brand_id == brand_id)
        .where(mention.c.id >= time_id(start, 0), mention.c.id < time_id(spike.at, 0))
        .limit(MOST_COPIES)
        .subquery()
    )
    rows = connection.execute(select(inner.c.copy_id, func.count()).group_by(inner.c.copy_id)).all()
    total = sum(count for _, count in rows)
    return max((count if copy_id is not None else 1 for copy_id, count in rows), default=0) / total if total else None


# -- sources -----------------------------------------------------------------------------------------------


def keep_blind(connection: Connection, found: Sequence[Blind], source_ids: Iterable[int], now: datetime) -> int:
    """Record which of the sources went blind, end the alerts of those that hear again; returns how many are new."""
    why = {item.source_id: item for item in found}
    changed, new = False, 0
    for source_id in sorted(source_ids):
        item, last = why.get(source_id), _newest_of_source(connection, source_id)
        is_open = last is not None and last.ended_at is None
        if (item is not None) == is_open:
            continue
        changed = True
        if item is None and last is not None:
            _write(connection, last, ended_at=now)
        elif item is not None and last is not None and last.started_at == item.since:
            # It heard nothing new in between: the same silence goes on.
            _write(connection, last, ended_at=None, words=item.words)
        elif item is not None:
            new += 1
            _add(
                connection,
                Alert(
                    brand_id=NO_BRAND,
                    id=new_id(item.since),
                    kind=BLIND,
                    source_id=source_id,
                    started_at=item.since,
                    flagged_at=now,
                    ended_at=None,
                    seen=None,
                    expected=None,
                    words=item.words,
                    details={},
                ),
            )
    if changed:
        raise_change(connection, "alerts")
    return new


def _newest_of_source(connection: Connection, source_id: int) -> Alert | None:
    row = connection.execute(
        select(alert)
        .where(alert.c.brand_id == NO_BRAND, alert.c.kind == BLIND, alert.c.source_id == source_id)
        .order_by(alert.c.started_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _alert(row)


# -- what people do ----------------------------------------------------------------------------------------


def acknowledge(connection: Connection, brand_id: int, alert_id: int, *, by: Access, now: datetime) -> Alert:
    """Say that somebody looks at it; the first name stands. NotFound where there is none.

    Whether the person may see it is asked before.
    """
    mine = and_(alert.c.brand_id == brand_id, alert.c.id == alert_id)
    values = {"acknowledged_at": now, "acknowledged_by": by.name, "acknowledged_person_id": by.person_id}
    changed = connection.execute(update(alert).where(mine, alert.c.acknowledged_at.is_(None)).values(**values))
    row = connection.execute(select(alert).where(mine)).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH)
    if changed.rowcount:
        audit.record(
            connection,
            at=now,
            action="alert.acknowledge",
            subject=f"alert {brand_id}-{alert_id}",
            actor=by.email,
            person_id=by.person_id,
            details={"kind": row.kind, "started_at": row.started_at, "words": row.words},
        )
        raise_change(connection, "alerts", (brand_id,))
    return _alert(row)


def _add(connection: Connection, made: Alert) -> None:
    values = {name: getattr(made, name) for name in Alert.__dataclass_fields__}
    connection.execute(insert(alert).values(**values | {"details": dict(made.details)}))


def _write(connection: Connection, item: Alert, **values: Any) -> None:
    connection.execute(update(alert).where(alert.c.brand_id == item.brand_id, alert.c.id == item.id).values(**values))
