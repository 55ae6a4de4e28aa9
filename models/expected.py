"""The range in which a count was to be expected: what was counted at this hour of like days before; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LOWEST, MIDDLE, HIGHEST = 0.05, 0.5, 0.95
WEEKS = 4
DAYS = 7 * WEEKS
EITHER_SIDE = timedelta(hours=1)
# Below this many values like days are joined, and if they are not enough either, no range is said.
FEWEST = 24
FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts in equal steps, oldest first; None = not to be compared with: not heard, or in a declared incident."""

    start: datetime
    step: timedelta
    counts: Sequence[int | None]

    def around(self, at: datetime) -> Iterator[int]:
        """What is known of the steps that begin within an hour either side of an instant."""
        first = -((self.start - (at - EITHER_SIDE)) // self.step)
        last = (at + EITHER_SIDE - self.start) // self.step
        for place in range(max(0, first), min(len(self.counts), last + 1)):
            count = self.counts[place]
            if count is not None:
                yield count


@dataclass(frozen=True, slots=True)
class Expected:
    """5th and 95th percentile of `n` past counts, of which like days gave `joined`; None with fewer than FEWEST.

    `middle` is their median.
    """

    low: float | None
    high: float | None
    n: int
    joined: int = 0
    middle: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a range to draw."""
        return self.low is not None

    def holds(self, count: float) -> bool | None:
        """Whether a count lies in the range, its ends included; None where no range is known."""
        if self.low is None or self.high is None:
            return None
        return self.low <= count <= self.high

    def sentence(self) -> str:
        """Where the range comes from, or why there is none."""
        if self.low is None or self.high is None:
            return f"No expected range: {self.n} comparable counts in the past {WEEKS} weeks, {FEWEST} are needed."
        like = f", {self.joined} of them from like days" if self.joined else ""
        return (
            f"Expected {self.low:,.0f} to {self.high:,.0f}: 90 % of {self.n} counts within an hour of this time on the"
            f" same weekday in the past {WEEKS} weeks{like}."
        )


def expected(past: Counts, at: datetime, zone: ZoneInfo) -> Expected:
    """The range for the step that begins at an instant, by the clock and the weekdays of a zone.

    Steps of up to an hour; nothing from that step on is used, whatever `past` holds.
    """
    local = at.astimezone(zone)
    found: list[int] = []
    for week in range(1, WEEKS + 1):
        found += past.around(_same_time(local, local.date() - timedelta(days=7 * week)))
    joined = 0
    for day in _like_days(local.date()):
        if len(found) >= FEWEST:
            break
        more = list(past.around(_same_time(local, day)))
        found += more
        joined += len(more)
    if len(found) < FEWEST:
        return Expected(None, None, len(found), joined)
    found.sort()
    low, middle, high = (percentile(found, share) for share in (LOWEST, MIDDLE, HIGHEST))
    return Expected(low, high, len(found), joined, middle)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of ascending values lies, on the line between its neighbours."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _same_time(local: datetime, day: date) -> datetime:
    # An instant of its own: a day is 23 or 25 hours where clocks change.
    return datetime.combine(day, local.timetz())


def _like_days(today: date) -> Iterator[date]:
    """The days of the past weeks that are like today, newest first, without its own weekday."""
    for back in range(1, DAYS + 1):
        day = today - timedelta(days=back)
        if back % 7 and (day.weekday() <= FRIDAY) == (today.weekday() <= FRIDAY):
            yield day
