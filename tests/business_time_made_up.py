"""Hours of business, spans and pauses as chance makes them up, and an oracle that counts them minute by minute.

The oracle shares nothing with the product: it turns each minute of UTC into local wall time and looks whether the texts
of the hours hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from models.service_level import Calendar, Pause

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
# No clock is changed for less than four weeks.
STEP = 20 * DAY
ELSEWHERE = ("Africa/Casablanca", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


@dataclass(frozen=True)
class Hours:
    """One version of hours as texts, and from when it counts."""

    zone: str
    hours: dict[str, list[list[str]]]
    exceptions: dict[str, list[list[str]]]
    since: datetime

    def calendar(self, version: int = 1) -> Calendar:
        return Calendar.parse(self.zone, self.hours, self.exceptions, version=version, valid_from=self.since)


@dataclass(frozen=True)
class Made:
    """A case: versions of hours, oldest first, the span, and what pauses it."""

    versions: tuple[Hours, ...]
    start: datetime
    end: datetime
    pauses: tuple[Pause, ...]

    def calendars(self) -> tuple[Calendar, ...]:
        return tuple(item.calendar(number) for number, item in enumerate(self.versions, start=1))


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The minutes from 2024 to 2030 at which a zone changes its clock."""
    info, found, at = ZoneInfo(zone), [], FIRST
    while at < LAST:
        low, high = at, min(at + STEP, LAST)
        if low.astimezone(info).utcoffset() != high.astimezone(info).utcoffset():
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                if middle.astimezone(info).utcoffset() == at.astimezone(info).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high)
        at += STEP
    return tuple(found)


@cache
def zones_that_change() -> tuple[str, ...]:
    """Every zone with a clock change from 2024 to 2030."""
    return tuple(zone for zone in sorted(available_timezones()) if changes(zone))


def made(zone: str, chance: Random, *, most_minutes: int) -> Made:
    """A case in a zone, mostly about one of its clock changes; instants are whole minutes."""
    change = chance.choice(changes(zone))
    length = timedelta(minutes=chance.randrange(30, most_minutes))
    start = change - timedelta(minutes=chance.randrange(0, max(1, length // MINUTE)))
    end = start + length
    versions = [_hours(zone, chance, start, end, FIRST)]
    if chance.random() < 0.3:
        since = start + chance.random() * length // MINUTE * MINUTE
        # The organisation may have moved, too.
        elsewhere = zone if chance.random() < 0.7 else chance.choice(ELSEWHERE)
        versions.append(_hours(elsewhere, chance, start, end, since))
    return Made(tuple(versions), start, end, _pauses(chance, start, end))


def _hours(zone: str, chance: Random, start: datetime, end: datetime, since: datetime) -> Hours:
    if chance.random() < 0.1:
        return Hours(zone, {str(day): [["00:00", "24:00"]] for day in range(7)}, {}, since)
    week = {str(day): _intervals(chance) for day in range(7) if chance.random() < 0.85}
    week.setdefault("2", [["02:00", "03:00"]])
    days = [(start - DAY).date() + timedelta(days=n) for n in range((end - start).days + 4)]
    exceptions = {day.isoformat(): _intervals(chance, least=0) for day in days if chance.random() < 0.15}
    return Hours(zone, week, exceptions, since)


def _intervals(chance: Random, *, least: int = 1) -> list[list[str]]:
    """Up to three that do not overlap, the last perhaps past midnight; often about the small hours."""
    number = chance.randint(least, 3)
    step = chance.choice((1, 5, 30, 60))
    edges = sorted(chance.sample(range(0, 1_441, step), number * 2))
    if number == 1 and chance.random() < 0.3:
        edges = sorted(chance.sample(range(0, 301, min(step, 30)), 2))
    pairs = [[_text(opens), _text(closes)] for opens, closes in zip(edges[::2], edges[1::2], strict=True)]
    if pairs and chance.random() < 0.25 and edges[-2] > 0:
        pairs[-1][1] = _text(chance.randrange(0, edges[-2]))
    chance.shuffle(pairs)
    return pairs


def _text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _pauses(chance: Random, start: datetime, end: datetime) -> tuple[Pause, ...]:
    minutes = (end - start) // MINUTE
    found = []
    for _ in range(chance.choice((0, 0, 1, 3))):
        begins = start + chance.randrange(-60, minutes) * MINUTE
        lasts = None if chance.random() < 0.1 else begins + chance.randrange(1, minutes) * MINUTE
        found.append(Pause(begins, lasts, chance.choice(("waiting for customer", "snoozed"))))
    return tuple(found)


# -- the oracle ------------------------------------------------------------------------------------------------


def counted_minutes(case: Made) -> list[bool]:
    """Of each minute of the span, whether it counts."""
    walls = [Wall(item) for item in case.versions]
    found, at = [], case.start
    while at < case.end:
        if case.pauses and any(p.start <= at and (p.end is None or at < p.end) for p in case.pauses):
            found.append(False)
        else:
            number = max((n for n, item in enumerate(case.versions[1:], start=1) if item.since <= at), default=0)
            found.append(walls[number].is_open(at))
        at += MINUTE
    return found


class Wall:
    """One version's hours beside the wall clock of its zone."""

    def __init__(self, item: Hours) -> None:
        self.item, self.info = item, ZoneInfo(item.zone)
        self.days: dict[date, list[tuple[int, int]]] = {}

    def is_open(self, at: datetime) -> bool:
        """Whether the wall clock shows a time within the hours."""
        local = at.astimezone(self.info)
        today, minute = local.date(), local.hour * 60 + local.minute
        for opens, closes in self.opening(today):
            if opens < closes and opens <= minute < closes:
                return True
            if opens > closes and minute >= opens:
                return True
        return any(opens > closes > minute for opens, closes in self.opening(today - DAY))

    def opening(self, day: date) -> list[tuple[int, int]]:
        if day not in self.days:
            pairs = self.item.exceptions.get(day.isoformat())
            if pairs is None:
                pairs = self.item.hours.get(str(day.weekday()), [])
            self.days[day] = [(_TIMES[opens], _TIMES[closes]) for opens, closes in pairs]
        return self.days[day]


_TIMES = {_text(minute): minute for minute in range(1_441)}
