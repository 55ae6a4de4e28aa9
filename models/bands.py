"""The expected range along a window: for each of its steps what the past four weeks held at that hour of like days."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from models import cube
from models.access import Scope, Window
from models.expected import DAYS, EITHER_SIDE, FEWEST, WEEKS, Counts, Expected, expected
from models.organisation import Organisation
from models.sources import gaps
from models.tables.base import EPOCH

MINUTE, FIVE_MINUTES, QUARTER, HOUR = 60, 300, 900, 3600
# Where clocks change between then and now, the same time of day is an hour off.
CLOCK_CHANGE = timedelta(hours=1)
UNKNOWN = Expected(None, None, 0)
# A screen is drawn anew each second, and what was counted weeks ago changes when history is filled in or mended.
HOLDS = timedelta(minutes=1)
MOST_REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Band:
    """One range a step, in the order of the steps; `why_not` says in a few words why none of them is known."""

    ranges: tuple[Expected, ...]
    why_not: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is anything to draw."""
        return any(found.is_known for found in self.ranges)


_Key = tuple[Scope, datetime, int, int, str]
_remembered: WeakKeyDictionary[Engine, dict[_Key, tuple[datetime, Band]]] = WeakKeyDictionary()
_lock = threading.Lock()


def recent_band(
    connection: Connection,
    scope: Scope,
    starts: Sequence[datetime],
    step_seconds: int,
    organisation: Organisation,
    *,
    now: datetime,
) -> Band:
    """The same, worked out once a minute for all who ask."""
    if not starts:
        return band(connection, scope, starts, step_seconds, organisation, now=now)
    key = (scope, starts[0], len(starts), step_seconds, organisation.zone)
    with _lock:
        at, found = _remembered.setdefault(connection.engine, {}).get(key, (None, None))
    if at is not None and found is not None and timedelta(0) <= now - at < HOLDS:
        return found
    found = band(connection, scope, starts, step_seconds, organisation, now=now)
    with _lock:
        held = _remembered.setdefault(connection.engine, {})
        while len(held) >= MOST_REMEMBERED:
            held.pop(next(iter(held)))
        held.pop(key, None)
        held[key] = (now, found)
    return found


def band(
    connection: Connection,
    scope: Scope,
    starts: Sequence[datetime],
    step_seconds: int,
    organisation: Organisation,
    *,
    now: datetime,
) -> Band:
    """The ranges of the steps of a window, from cells alone and by the clock of the organisation.

    The past is read once: of steps up to a quarter of an hour only the same weekdays, unless these are too few.
    """
    why_not = _why_not(scope, step_seconds) if starts else "no steps"
    cells = None if why_not else cube.kept_for(scope, step_seconds, first=_seconds(starts[0]))
    if cells is None:
        return Band((UNKNOWN,) * len(starts), why_not or "no band: this scope is not kept in such steps")
    past = _Past(connection, scope, starts, timedelta(seconds=step_seconds), cells, now)
    zone = organisation.zone_info
    found: list[Expected] = []
    if step_seconds <= QUARTER:
        counts = past.read(past.same_weekdays())
        found = [expected(counts, at, zone) for at in starts]
    if not found or any(one.n < FEWEST for one in found):
        counts = past.read([past.whole()])
        found = [expected(counts, at, zone) for at in starts]
    if not any(one.is_known for one in found):
        most = max(one.n for one in found)
        why_not = f"no band: {most} comparable counts in the past {WEEKS} weeks, {FEWEST} are needed"
    return Band(tuple(found), why_not)


def known(
    counts: Callable[[int], int],
    start: datetime,
    step: timedelta,
    length: int,
    unheard: Sequence[tuple[datetime, datetime]],
) -> list[int | None]:
    """Counts of equal steps; None where nobody listened for half of a step, or for a part of one without mentions."""
    missed: dict[int, timedelta] = {}
    for gap_start, gap_end in unheard:
        first, last = max(0, (gap_start - start) // step), min(length, -((start - gap_end) // step))
        for place in range(first, last):
            begins = start + place * step
            overlap = min(gap_end, begins + step) - max(gap_start, begins)
            missed[place] = missed.get(place, timedelta(0)) + overlap
    found: list[int | None] = [counts(place) for place in range(length)]
    for place, lost in missed.items():
        if lost > timedelta(0) and (not found[place] or lost >= step / 2):
            found[place] = None
    return found


class _Past:
    """The four weeks before the steps of a window, cut in such steps."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        starts: Sequence[datetime],
        step: timedelta,
        cells: int,
        now: datetime,
    ) -> None:
        self._connection, self._scope, self._cells, self._step = connection, scope, cells, step
        self._starts = starts
        around = EITHER_SIDE + CLOCK_CHANGE
        before = -(-(timedelta(days=DAYS) + around) // step)
        self._first = starts[0] - before * step
        # Finer cells than an hour are forgotten: what is older would look like silence.
        forgotten = now - cube.FINE_KEPT if cells < HOUR else self._first
        self._first += max(0, -(-(forgotten - self._first) // step)) * step
        self._length = max(0, (starts[-1] - self._first) // step)
        self._end = self._first + self._length * step
        self._margin = -(-around // step) * step

    def whole(self) -> tuple[datetime, datetime]:
        return self._first, self._end

    def same_weekdays(self) -> list[tuple[datetime, datetime]]:
        found = []
        for week in range(WEEKS, 0, -1):
            back = timedelta(days=7 * week)
            start = max(self._first, self._edge(self._starts[0] - back - self._margin))
            end = min(self._end, self._edge(self._starts[-1] - back + self._margin) + self._step)
            if start < end:
                found.append((start, end))
        return found

    def read(self, spans: Sequence[tuple[datetime, datetime]]) -> Counts:
        """Counts of some spans; all others are unknown."""
        step = int(self._step.total_seconds())
        asked = [(_seconds(start), _seconds(end)) for start, end in spans if start < end]
        found = cube.mentions_in(self._connection, self._scope, asked, cells=self._cells, step_seconds=step)
        first = _seconds(self._first)
        window = Window("past", self._first, self._end, step, live=False)
        unheard = gaps(self._connection, window) if self._length else ()
        counts = known(lambda place: found.get(first + place * step, 0), self._first, self._step, self._length, unheard)
        read = [False] * self._length
        for start, end in asked:
            for place in range((start - first) // step, (end - first) // step):
                read[place] = True
        return Counts(self._first, self._step, [n if there else None for n, there in zip(counts, read, strict=True)])

    def _edge(self, instant: datetime) -> datetime:
        return self._first + (instant - self._first) // self._step * self._step


def _why_not(scope: Scope, step_seconds: int) -> str:
    is_narrow = any(ids is not None for ids in (scope.location_ids, scope.team_ids, scope.network_ids))
    if scope.search:
        return "no band for a search"
    if scope.needs_rows:
        return "no band for a place and a team together"
    if step_seconds < FIVE_MINUTES:
        return "no band for single minutes"
    if step_seconds > HOUR:
        return "no band for steps of more than an hour"
    return "no band for 5 minutes of a part of a brand" if step_seconds < QUARTER and is_narrow else ""


def _seconds(instant: datetime) -> int:
    return int((instant - EPOCH) // timedelta(seconds=1))
