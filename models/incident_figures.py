"""What an incident looks like in numbers: its curve against the expected range, what was said, what became of cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, func, or_, select

from models import case_scope, cube, topic_texts
from models.access import Access, Scope, Window
from models.bands import recent_band
from models.case_steps import LIVE
from models.cube import FINE_KEPT
from models.database import time_id
from models.incident_reading import Incident, counted_scope
from models.organisation import Organisation
from models.tables import desk_case, reply, signature
from models.tables.base import EPOCH
from models.topic_lines import Topics

FIVE_MINUTES, QUARTER, HOUR, SIX_HOURS = 300, 900, 3_600, 21_600
MOST_POINTS = 400
# The curve begins before it was noticed, and goes on after it was ended.
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=1)
# Of fewer scored mentions a step's net sentiment says nothing.
LEAST_SCORED = 30
OURS_SENT = ("sent",)


@dataclass(frozen=True, slots=True)
class Point:
    """One step of the curve: mentions, and what the past four weeks make one expect (None = not known).

    Of its `scored` mentions `balance` = positive - negative.
    """

    at: datetime
    mentions: int
    low: float | None
    middle: float | None
    high: float | None
    scored: int = 0
    balance: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """Steps in order; `why_not` says why no range is known, `is_part` that only the newest mentions were counted.

    `is_growing`: the last step is still filling.
    """

    points: tuple[Point, ...]
    step_seconds: int
    why_not: str
    is_part: bool
    is_growing: bool

    @property
    def whole(self) -> tuple[Point, ...]:
        """The steps that are over."""
        return self.points[:-1] if self.is_growing else self.points

    @property
    def peak(self) -> Point | None:
        """The highest step."""
        return max(self.points, key=lambda point: point.mentions, default=None)

    def net(self, since: datetime) -> float | None:
        """Net sentiment of what was said since; None where fewer than LEAST_SCORED mentions are scored."""
        later = [point for point in self.points if point.at >= since]
        scored = sum(point.scored for point in later)
        return 100 * sum(point.balance for point in later) / scored if scored >= LEAST_SCORED else None

    def back_in_range(self, since: datetime) -> datetime | None:
        """From when on, after `since`, no whole step stood above its range; None where the last one still does."""
        back: datetime | None = None
        for point in reversed(self.whole):
            if point.at < since or point.high is None or point.mentions > point.high:
                break
            back = point.at
        return back


@dataclass(frozen=True, slots=True)
class Said:
    """What was said from when it was noticed until it was over, in the part of it that somebody sees.

    `net` is None where nothing is scored; `lowest_*` is the step with the lowest net of at least LEAST_SCORED.
    """

    mentions: int
    scored: int
    net: float | None
    lowest_net: float | None
    lowest_at: datetime | None
    reach: int
    reach_each_once: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Cases of the incident and replies in them. Instants are None where it has not happened."""

    cases: int = 0
    waiting: int = 0
    late: int = 0
    oldest_waiting: datetime | None = None
    answered: int = 0
    sent: int = 0
    first_sent_at: datetime | None = None
    first_signed_at: datetime | None = None


def began_at(found: Incident) -> datetime:
    """When it was noticed; where nobody noted that, when it was declared."""
    return min(found.detected_at or found.declared_at, found.declared_at)


def window(found: Incident, scope: Scope, now: datetime) -> Window:
    """The span of the curve, in steps that the rollups still hold."""
    end = now if found.ended_at is None else min(now, found.ended_at + AFTER)
    start = began_at(found) - BEFORE
    step = step_of(scope, start, end, now)
    first = _floor(start, step)
    live = found.ended_at is None or end == now
    return Window("custom", first, max(end, first + timedelta(seconds=step)), step, live)


def step_of(scope: Scope, start: datetime, end: datetime, now: datetime) -> int:
    """The finest step that keeps the curve readable and is still counted."""
    is_kept = start > now - FINE_KEPT
    for step in (FIVE_MINUTES, QUARTER):
        fits = (end - start) / timedelta(seconds=step) <= MOST_POINTS
        is_counted = scope.needs_rows or cube.kept_for(scope, step, first=_seconds(_floor(start, step))) is not None
        if is_kept and fits and is_counted:
            return step
    return HOUR if (end - start) / timedelta(seconds=HOUR) <= MOST_POINTS else SIX_HOURS


def curve(connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime) -> Curve:
    """Mentions in its scope per step, from an hour before it was noticed."""
    scope = counted_scope(found.scope, who, organisation)
    span = window(found, scope, now)
    series = cube.series(connection, scope, span, organisation)
    expected = recent_band(connection, scope, series.starts, series.step_seconds, organisation, now=now)
    points = tuple(
        Point(
            at=start,
            mentions=tally.mentions,
            low=ranged.low,
            middle=ranged.middle,
            high=ranged.high,
            scored=tally.scored,
            balance=tally.positive - tally.negative,
        )
        for start, tally, ranged in zip(series.starts, series.tallies, expected.ranges, strict=True)
    )
    last_ends = series.starts[-1] + timedelta(seconds=series.step_seconds)
    return Curve(points, series.step_seconds, expected.why_not, series.partial, last_ends > now)


def said(connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime) -> Said:
    """Mentions, net sentiment and reach while it lasted."""
    scope = counted_scope(found.scope, who, organisation)
    span = _lasted(found, scope, now)
    series = cube.series(connection, scope, span, organisation)
    total = series.total
    steps = [
        (tally.net_sentiment, start)
        for start, tally in zip(series.starts, series.tallies, strict=True)
        if tally.scored >= LEAST_SCORED and tally.net_sentiment is not None
    ]
    lowest = min(steps, default=None)
    reach = cube.reach(connection, scope, span, organisation)
    return Said(
        mentions=total.mentions,
        scored=total.scored,
        net=total.net_sentiment,
        lowest_net=None if lowest is None else lowest[0],
        lowest_at=None if lowest is None else lowest[1],
        reach=reach.value,
        reach_each_once=reach.each_once,
    )


def narratives(
    connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime
) -> Topics:
    """What stands out in the texts of its scope while it lasted, the newest of them where they are many."""
    scope = counted_scope(found.scope, who, organisation)
    return topic_texts.of_texts(connection, scope, _lasted(found, scope, now), organisation)


def work(connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime) -> Work:
    """Cases that belong to it and that this person may see, and what we sent in them."""
    total = Work()
    for brand_id in brands_of(found, organisation):
        seen = case_scope.allowed(organisation, who, brand_id)
        if seen is not None:
            total = _added(total, _work_of(connection, found, brand_id, seen, now))
    return total


def brands_of(found: Incident, organisation: Organisation) -> tuple[int, ...]:
    """The brands of ours that it is about."""
    own = tuple(sorted(item.id for item in organisation.brands if item.kind == "own"))
    return own if found.scope.brand_ids is None else tuple(sorted(found.scope.brand_ids))


def _work_of(connection: Connection, found: Incident, brand_id: int, seen: case_scope.Condition, now: datetime) -> Work:
    mine = and_(desk_case.c.brand_id == brand_id, desk_case.c.incident_id == found.id, seen)
    waits = and_(desk_case.c.state.in_(LIVE), desk_case.c.waiting_since.is_not(None))
    is_late = and_(waits, desk_case.c.due_at.is_not(None), desk_case.c.due_at <= now)
    counted = connection.execute(
        select(
            func.count(),
            func.count(case((waits, 1))),
            func.count(case((is_late, 1))),
            func.min(case((waits, desk_case.c.waiting_since))),
            func.count(desk_case.c.first_answered_at),
        ).where(mine)
    ).one()
    joined = reply.join(desk_case, (desk_case.c.brand_id == reply.c.brand_id) & (desk_case.c.id == reply.c.case_id))
    sent = connection.execute(
        select(func.count(), func.min(reply.c.sent_at))
        .select_from(joined)
        .where(mine, reply.c.brand_id == brand_id, reply.c.state.in_(OURS_SENT), reply.c.sent_at >= found.declared_at)
        .where(*lifetime(found, now))
    ).one()
    signed = connection.execute(
        select(func.min(signature.c.at))
        .select_from(
            joined.join(signature, (signature.c.brand_id == reply.c.brand_id) & (signature.c.reply_id == reply.c.id))
        )
        .where(mine, reply.c.brand_id == brand_id, signature.c.verdict == "signed", signature.c.at >= found.declared_at)
        .where(*lifetime(found, now))
    ).scalar()
    return Work(counted[0], counted[1], counted[2], counted[3], counted[4], sent[0], sent[1], signed)


def lifetime(found: Incident, now: datetime) -> Iterator[case_scope.Condition]:
    """Replies by their ids, which carry when they were begun: not before a day before, not after its end."""
    yield reply.c.id >= time_id(found.declared_at - timedelta(days=1), 0)
    yield reply.c.id <= time_id(found.ended_at or now, (1 << 22) - 1)
    if found.ended_at is not None:
        yield or_(reply.c.sent_at.is_(None), reply.c.sent_at <= found.ended_at)


def _added(one: Work, other: Work) -> Work:
    def first(*instants: datetime | None) -> datetime | None:
        return min((at for at in instants if at is not None), default=None)

    return Work(
        cases=one.cases + other.cases,
        waiting=one.waiting + other.waiting,
        late=one.late + other.late,
        oldest_waiting=first(one.oldest_waiting, other.oldest_waiting),
        answered=one.answered + other.answered,
        sent=one.sent + other.sent,
        first_sent_at=first(one.first_sent_at, other.first_sent_at),
        first_signed_at=first(one.first_signed_at, other.first_signed_at),
    )


def _lasted(found: Incident, scope: Scope, now: datetime) -> Window:
    """From when it was noticed until its end, or now; whole steps."""
    end = found.ended_at or now
    start = began_at(found)
    step = step_of(scope, start, end, now)
    first = _floor(start, step)
    return Window("custom", first, max(end, first + timedelta(seconds=step)), step, found.ended_at is None)


def _floor(instant: datetime, step_seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=_seconds(instant) // step_seconds * step_seconds)


def _seconds(instant: datetime) -> int:
    return int((instant - EPOCH) // timedelta(seconds=1))
