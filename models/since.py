"""What happened while a person was away: volume against the usual, net sentiment, spikes, sources, the shift log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from models import alerts, cube, shift_log, sources, topic_reading
from models.access import Access, Request, Scope, Window, narrow
from models.alerts import Alert
from models.cube import Tally
from models.noise import nets_differ
from models.organisation import Organisation
from models.shift_log import Line
from models.sources import Health
from models.topic_scores import Score

AWAY = timedelta(minutes=30)
# Whoever was away for longer is told of the last week.
LONGEST = timedelta(days=7)
WEEK, DAY, HOUR, QUARTER = timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
WEEKS = 4
# An earlier week is compared with only where at least this share of it was listened to.
LEAST_HEARD = 0.9
FEWEST_WEEKS = 2
MOST_LINES = 4
MOST_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Volume:
    """Mentions from `start` to now; of the whole steps alone `compared`, and what those hours usually hold.

    `usual` is the median of the same hours of the `weeks` of the past four in which we listened; None with fewer
    than two of them.
    """

    start: datetime
    mentions: int
    compared: int
    usual: float | None
    weeks: int


@dataclass(frozen=True, slots=True)
class Mood:
    """What was scored since `Volume.start` and in the 24 hours before it; `is_clear`: they differ by more than chance.

    `brand_id` is the brand whose net sentiment moved most, by more than chance; None where none did, or there is one.
    """

    now: Tally
    before: Tally
    is_clear: bool
    brand_id: int | None = None
    brand_now: Tally = cube.NOTHING
    brand_before: Tally = cube.NOTHING


@dataclass(frozen=True, slots=True)
class Since:
    """All of it, narrowed to what the person may see. `alerts` began since `seen_at` or go on, newest first; `rising`
    are the topics of now, of whole brands alone.

    `sources` are all that should listen, `failing` those of them that need somebody; `lines` the newest of others
    since, `unsigned` how many nobody has signed, `newest_line_id` the line up to which one would sign.
    """

    seen_at: datetime
    now: datetime
    scope: Scope
    volume: Volume
    mood: Mood
    alerts: tuple[Alert, ...]
    rising: tuple[Score, ...]
    sources: tuple[Health, ...]
    failing: tuple[Health, ...]
    lines: tuple[Line, ...]
    more_lines: int
    unsigned: int
    newest_line_id: int


def is_away(seen_at: datetime | None, now: datetime) -> bool:
    """Whether somebody who looked last at `seen_at` has been away; never for one who never looked."""
    return seen_at is not None and now - seen_at >= AWAY


def since(
    connection: Connection, access: Access, organisation: Organisation, seen_at: datetime, *, now: datetime
) -> Since:
    """What happened from `seen_at` (at most a week ago) to now, in everything that this person may see.

    Seven reads of rollups at most, whatever there is. Raises ScopeError for a person without any brand.
    """
    scope = narrow(Request(), access, organisation)
    began = max(seen_at, now - LONGEST)
    step = QUARTER if now - began <= DAY else HOUR
    start, whole = _floor(began, step), _floor(now, step)
    counted = cube.by_brand_of(connection, scope, scope.brand_ids, _window(start, now, step, live=True), organisation)
    before = cube.by_brand_of(connection, scope, scope.brand_ids, _window(start - DAY, start, QUARTER), organisation)
    now_by_brand = {brand_id: series.total for brand_id, series in counted.items()}
    before_by_brand = {brand_id: series.total for brand_id, series in before.items()}
    steps = (whole - start) // step
    compared = sum(tally.mentions for series in counted.values() for tally in series.tallies[:steps])
    usual, weeks = _usual(connection, scope, (start, whole), step, organisation)
    total = sum(tally.mentions for tally in now_by_brand.values())
    told = alerts.may_see(access, scope.brand_ids)
    health = tuple(item for item in sources.health(connection, now) if item.state not in ("paused", "done"))
    lines = [
        line
        for line in shift_log.lines(connection, access, organisation, limit=shift_log.MOST_LINES)
        if line.at > began and line.person_id != access.person_id
    ]
    newest = shift_log.lines(connection, access, organisation, limit=1)
    return Since(
        seen_at=began,
        now=now,
        scope=scope,
        volume=Volume(start, total, compared, usual, weeks),
        mood=_mood(now_by_brand, before_by_brand),
        alerts=_alerts(connection, told, began, now),
        # Of a day at most: of more, what rises now would drown in what rose days ago.
        rising=_rising(connection, scope, _window(max(start, now - DAY), now, QUARTER, live=True), organisation),
        sources=health,
        failing=tuple(item for item in health if _fails(item)),
        lines=tuple(lines[:MOST_LINES]),
        more_lines=max(0, len(lines) - MOST_LINES),
        unsigned=shift_log.waiting(connection, access, organisation, now=now),
        newest_line_id=newest[0].id if newest else 0,
    )


def _usual(
    connection: Connection, scope: Scope, span: tuple[datetime, datetime], step: timedelta, organisation: Organisation
) -> tuple[float | None, int]:
    """The median of the same hours of the past weeks, and of how many weeks: those in which we listened."""
    found = []
    for weeks in range(1, WEEKS + 1):
        start, end = (_earlier(instant, weeks, organisation.zone_info) for instant in span)
        if end <= start:
            continue
        window = _window(start, end, step)
        silent = sum(
            (min(until, end) - max(at, start)).total_seconds()
            for at, until in sources.gaps(connection, window)
            if until > start and at < end
        )
        if silent > (1 - LEAST_HEARD) * (end - start).total_seconds():
            continue
        found.append(cube.series(connection, scope, window, organisation).total.mentions)
    return (float(median(found)) if len(found) >= FEWEST_WEEKS else None), len(found)


def _mood(now: dict[int, Tally], before: dict[int, Tally]) -> Mood:
    moved = [
        brand_id for brand_id in now if len(now) > 1 and nets_differ(_counts(now[brand_id]), _counts(before[brand_id]))
    ]
    most = max(moved, key=lambda brand_id: abs(_net(now[brand_id]) - _net(before[brand_id])), default=None)
    all_now, all_before = _sum(now), _sum(before)
    is_clear = nets_differ(_counts(all_now), _counts(all_before))
    if most is None:
        return Mood(all_now, all_before, is_clear)
    return Mood(all_now, all_before, is_clear, most, now[most], before[most])


def _alerts(connection: Connection, brand_ids: tuple[int, ...], began: datetime, now: datetime) -> tuple[Alert, ...]:
    """Spikes alone: a blind source is told of with the sources."""
    found = {item.id: item for item in alerts.of_brands(connection, brand_ids, start=began, end=now + DAY)}
    found |= {item.id: item for item in alerts.waiting(connection, brand_ids, since=began, now=now)}
    spikes = [item for item in found.values() if item.kind != alerts.BLIND]
    return tuple(sorted(spikes, key=lambda item: item.id, reverse=True))


def _rising(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> tuple[Score, ...]:
    """Nothing where some places alone are seen: that would read 2,000 texts, where whole brands are counted by hour."""
    if scope.location_ids is not None:
        return ()
    found = topic_reading.topics(connection, scope, window, organisation)
    return tuple(topic.score for topic in found.rising[:MOST_TOPICS])


def _fails(item: Health) -> bool:
    return item.condition in ("stale", "disconnected", "unknown", "spent", "deaf", "gone")


def _window(start: datetime, end: datetime, step: timedelta, *, live: bool = False) -> Window:
    return Window("custom", start, end, int(step.total_seconds()), live)


def _floor(instant: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)


def _earlier(instant: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """The same time of the clock some weeks before."""
    return (instant.astimezone(zone) - weeks * WEEK).astimezone(UTC)


def _counts(tally: Tally) -> tuple[int, int, int]:
    return tally.positive, tally.neutral, tally.negative


def _net(tally: Tally) -> float:
    return tally.net_sentiment or 0.0


def _sum(tallies: dict[int, Tally]) -> Tally:
    values = tallies.values()
    return Tally(**{name: sum(getattr(tally, name) for tally in values) for name in cube.VALUES})
