"""When posts of ours are engaged with most, by network: a pure comparison of two-hour windows of the week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean
from zoneinfo import ZoneInfo

# Below this many posts of a network nothing is said, and a window needs this many of them.
FEWEST_POSTS = 20
FEWEST_IN_WINDOW = 5
WINDOW_HOURS = 2
MOST_WINDOWS = 2
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Published:
    """A post of ours: when, and its engagement: (likes + replies + reposts) / base in 0.., None where not measured."""

    posted_at: datetime
    engagement: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """A window of the week: `days` is weekdays or weekend, from `hour` for WINDOW_HOURS, local time."""

    days: str
    hour: int
    posts: int
    engagement: float

    def words(self) -> str:
        """As a person would say it: weekdays 12 - 14."""
        return f"{self.days} {self.hour:02d}\u2013{self.hour + WINDOW_HOURS:02d}"


@dataclass(frozen=True, slots=True)
class Best:
    """The best windows of one network, best first; empty where there are too few posts to say.

    `usual` = mean engagement of all measured posts, `posts` how many were measured, `mostly` the window that most
    of them were published in.
    """

    best: tuple[Span, ...]
    usual: float | None
    posts: int
    mostly: str

    @property
    def factor(self) -> float | None:
        """The best window's engagement as a multiple of the usual one."""
        return self.best[0].engagement / self.usual if self.best and self.usual else None


def best_hours(published: Iterable[Published], zone: ZoneInfo) -> Best:
    """The windows whose posts were engaged with most, of those with at least FEWEST_IN_WINDOW posts."""
    windows: dict[tuple[str, int], list[float | None]] = {}
    for post in published:
        local = post.posted_at.astimezone(zone)
        days = "weekend" if local.weekday() >= SATURDAY else "weekdays"
        windows.setdefault((days, local.hour - local.hour % WINDOW_HOURS), []).append(post.engagement)
    measured = {key: [rate for rate in rates if rate is not None] for key, rates in windows.items()}
    every = [rate for rates in measured.values() for rate in rates]
    mostly = max(windows, key=lambda key: (len(windows[key]), -key[1]), default=None)
    said = Span(*mostly, 0, 0.0).words() if mostly is not None else ""
    if len(every) < FEWEST_POSTS:
        return Best((), mean(every) if every else None, len(every), said)
    usual = mean(every)
    return Best(_above(measured, usual), usual, len(every), said)


def _above(measured: dict[tuple[str, int], list[float]], usual: float) -> tuple[Span, ...]:
    spans: Sequence[Span] = [
        Span(days, hour, len(rates), mean(rates))
        for (days, hour), rates in measured.items()
        if len(rates) >= FEWEST_IN_WINDOW
    ]
    better = [span for span in spans if span.engagement > usual]
    return tuple(sorted(better, key=lambda span: (-span.engagement, span.days, span.hour))[:MOST_WINDOWS])
