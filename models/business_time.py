"""Time that counts: what lies between two instants, when a span of it is over, and how it was counted; pure.

Every function takes one calendar or its versions, oldest first: each counts from its `valid_from` until that of the
next, the oldest since ever, so a change of hours never rewrites what was counted. Counting is exact to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from models.calendars import DAY, MICROSECONDS, OPEN, Calendar
from models.tables.base import from_microseconds, to_microseconds

WAITING_FOR_CUSTOMER = "waiting for customer"
SNOOZED = "snoozed"
RESOLVED = "resolved"
# What is not over within so long is not looked for: the calendar does not open any more.
HORIZON = 3_653 * DAY

Calendars = Calendar | Sequence[Calendar]


@dataclass(frozen=True, slots=True)
class Pause:
    """A span that does not count, [start, end), and why; `end` None = it lasts, nobody knows until when."""

    start: datetime
    end: datetime | None
    why: str = WAITING_FOR_CUSTOMER


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the shown working, [start, end). `why`: open, closed, holiday 2026-12-25, or that of a pause."""

    start: datetime
    end: datetime
    counted: bool
    why: str

    @property
    def seconds(self) -> float:
        """How long it is by the clock."""
        return (self.end - self.start).total_seconds()


def business_seconds(calendar: Calendars, start: datetime, end: datetime, paused: Iterable[Pause] = ()) -> float:
    """The seconds of [start, end) that count; 0 where the end comes first."""
    total = 0
    for version, begins, ends in _pieces(calendar, to_microseconds(start), to_microseconds(end), paused):
        total += _walked(version, begins, ends, ends - begins + 1)[0]
    return total / MICROSECONDS


def due_at(calendar: Calendars, start: datetime, seconds: float, paused: Iterable[Pause] = ()) -> datetime | None:
    """The earliest instant at which `seconds` have been counted since `start`.

    None where nobody knows: a pause without end comes before it, or the calendar does not open within ten years.
    """
    left, begin = round(seconds * MICROSECONDS), to_microseconds(start)
    if left <= 0:
        return start
    for version, begins, ends in _pieces(calendar, begin, begin + HORIZON, paused):
        counted, instant = _walked(version, begins, ends, left)
        if instant is not None:
            return from_microseconds(instant)
        left -= counted
    return None


def working(calendar: Calendars, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> tuple[Span, ...]:
    """How [start, end) was counted, without a gap: the counted spans add up to `business_seconds`.

    A pause hides the hours behind it; of several at once the first given is named.
    """
    begin, finish = to_microseconds(start), to_microseconds(end)
    pieces: list[tuple[int, int, str]] = []
    for begins, ends, why in _cut(begin, finish, pauses):
        if why is not None:
            _joined(pieces, begins, ends, why)
            continue
        for version, first, last in _by_version(calendar, begins, ends):
            for number in range(first // DAY, (last - 1) // DAY + 1):
                for opens, closes, reason in version.days[number].pieces:
                    _joined(pieces, max(opens, first), min(closes, last), reason)
    return tuple(Span(from_microseconds(a), from_microseconds(b), why == OPEN, why) for a, b, why in pieces)


# -- in microseconds since 1970 --------------------------------------------------------------------------------


def _joined(pieces: list[tuple[int, int, str]], begins: int, ends: int, why: str) -> None:
    if begins >= ends:
        return
    if pieces and pieces[-1][2] == why:
        begins = pieces.pop()[0]
    pieces.append((begins, ends, why))


def _walked(calendar: Calendar, begins: int, ends: int, wanted: int) -> tuple[int, int | None]:
    """What counts within [begins, ends), and where `wanted` of it is reached; None where it is not."""
    days, counted = calendar.days, 0
    first_day, last_day = begins // DAY, (ends - 1) // DAY
    for number in range(first_day, last_day + 1):
        day = days[number]
        if first_day < number < last_day and counted + day.counted < wanted:
            counted += day.counted
            continue
        for opens, closes in day.opened:
            first, last = max(opens, begins), min(closes, ends)
            if first >= last:
                continue
            if counted + last - first >= wanted:
                return wanted, first + wanted - counted
            counted += last - first
    return counted, None


def _pieces(
    calendar: Calendars, begin: int, finish: int, paused: Iterable[Pause]
) -> Iterator[tuple[Calendar, int, int]]:
    """What is not paused, with the version that counts it."""
    for begins, ends, why in _cut(begin, finish, paused):
        if why is None:
            yield from _by_version(calendar, begins, ends)


def _by_version(calendar: Calendars, begin: int, finish: int) -> Iterator[tuple[Calendar, int, int]]:
    if isinstance(calendar, Calendar):
        yield calendar, begin, finish
        return
    if not calendar:
        raise ValueError("no version of the calendar is given; give at least one")
    begins = begin
    for version, after in zip(calendar, [*calendar[1:], None], strict=True):
        ends = finish if after is None else min(finish, _since(after))
        if begins < ends:
            yield version, begins, ends
            begins = ends


def _since(calendar: Calendar) -> int:
    if calendar.valid_from is None:
        raise ValueError(f"calendar {calendar.id}: version {calendar.version} does not say from when it counts")
    return to_microseconds(calendar.valid_from)


def _cut(begin: int, finish: int, pauses: Iterable[Pause]) -> Iterator[tuple[int, int, str | None]]:
    """[begin, finish) in order, each part with why it is paused; None = it is not."""
    spans = [(to_microseconds(p.start), finish if p.end is None else to_microseconds(p.end), p.why) for p in pauses]
    if not spans:
        if begin < finish:
            yield begin, finish, None
        return
    edges = {edge for start, end, _ in spans for edge in (start, end) if begin < edge < finish}
    ordered = [begin, *sorted(edges), finish]
    for first, last in pairwise(ordered):
        if first < last:
            yield first, last, next((why for start, end, why in spans if start <= first < end), None)
