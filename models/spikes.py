"""Is this unusual? Counts of five minutes against what the past days bring at their busiest; pure.

Every past day (24 hours back from the last full hour) gives its busiest span. The level is what 85 % of these stay
under: a day's peak says how wild a brand is, and one launch a week does not raise it, as it would raise a quantile over
all spans. A decision uses what was counted until then and nothing later; spans in which nobody listened are neither
judged nor remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, log, log1p, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.spike import LEVEL, STEP_SECONDS, Event, Rule, Spike

Floats: TypeAlias = npt.NDArray[np.float64]
Heard: TypeAlias = npt.NDArray[np.bool_]
Span: TypeAlias = tuple[datetime, datetime]

STEP = timedelta(seconds=STEP_SECONDS)
PER_HOUR = 12
HOURS = 24
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The same four weeks as the expected range.
PAST_DAYS = 28
# Below this nothing is judged: one day's peak is no measure of a day's peak.
FEWEST_DAYS = 2
# What is seen within this time after the last conspicuous span belongs to the same event.
COOL_DOWN = timedelta(hours=12)
# How far back it is looked for the beginning of an event that goes on.
MEMORY = timedelta(days=3)
# Fewer mentions than this never alarm, however quiet a brand is: 0 -> 3 is three people.
FEWEST_MENTIONS = 5
# Brands with fewer mentions in a window than this have no daily peak to speak of: for them chance decides as well.
SMALL = 5.0
# A negative-binomial brand of that mean and variance shows such a count once in 100,000 spans: once a year.
CHANCE = 1e-5
# The mean and variance behind it leave out the highest share of the past, or an event would excuse the next one.
ORDINARY = 0.98
FEWEST_NEGATIVE = 10
# Standard deviations of the lower end of a share of negative ones: about one in a thousand by chance.
CERTAINTY = 3.0

# Five minutes scatter more, so they need more; an hour is what a share needs to mean something.
RULES = (Rule("volume", 900, 1.5), Rule("volume", 300, 2.5), Rule("negative", 3600, 1.25))


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts of one brand in steps of five minutes, oldest first, from `start` (on an edge of five minutes).

    `scored` counts the mentions whose sentiment is known, `negative` those of them that are negative. `heard` is False
    where nobody listened.
    """

    start: datetime
    mentions: Floats
    negative: Floats
    scored: Floats
    heard: Heard

    @classmethod
    def of(
        cls,
        start: datetime,
        mentions: Sequence[float],
        *,
        negative: Sequence[float] | None = None,
        scored: Sequence[float] | None = None,
        unheard: Iterable[Span] = (),
    ) -> Counts:
        """Counts of plain numbers; every step that touches a span of `unheard` is one in which nobody listened."""
        length = len(mentions)
        heard = np.ones(length, dtype=np.bool_)
        for begin, end in unheard:
            first = max(0, (begin - start) // STEP)
            heard[first : max(first, -((start - end) // STEP))] = False
        nothing = np.zeros(length)
        return cls(
            start,
            np.asarray(mentions, dtype=np.float64),
            nothing if negative is None else np.asarray(negative, dtype=np.float64),
            nothing if scored is None else np.asarray(scored, dtype=np.float64),
            heard,
        )

    def end(self, place: int) -> datetime:
        """When a step is over and its count known."""
        return self.start + (place + 1) * STEP


def spikes(
    counts: Counts,
    *,
    since: datetime | None = None,
    rules: Sequence[Rule] = RULES,
    factor: float = 1.0,
    cool_down: timedelta = COOL_DOWN,
) -> tuple[Spike, ...]:
    """Every event of the counts, oldest first: one for each kind of rule until it has been quiet for the cool-down.

    `factor` raises every rule's own. `since` leaves out what was over by then, and costs less; an event that began more
    than MEMORY before it begins anew. The first PAST_DAYS of the counts are judged by the days there are: give
    PAST_DAYS and MEMORY before what you ask about.
    """
    found = events(counts, since=since, rules=rules, factor=factor, cool_down=cool_down)
    return tuple(event.spike for event in found if since is None or event.spike.at > since)


def events(
    counts: Counts,
    *,
    since: datetime | None = None,
    rules: Sequence[Rule] = RULES,
    factor: float = 1.0,
    cool_down: timedelta = COOL_DOWN,
) -> tuple[Event, ...]:
    """As `spikes`, with what began before `since` and went on after it."""
    first = None if since is None else since - MEMORY
    judged = [_judged(counts, rule, first) for rule in rules]
    found: list[Event] = []
    for kind in dict.fromkeys(rule.kind for rule in rules):
        same = [one for one in judged if one.rule.kind == kind]
        strongest = np.max([one.strengths for one in same], axis=0)
        for place, last in each_event(strongest, factor, steps=cool_down // STEP):
            if since is None or counts.end(last) > since:
                strengths = [float(one.strengths[place]) for one in same]
                found.append(Event(_spike(counts, same[int(np.argmax(strengths))], place), counts.end(last)))
    return tuple(sorted(found, key=lambda event: event.spike.at))


def first_of_each(strengths: Floats, bar: float, *, steps: int) -> Iterator[int]:
    """The places where an event begins: at the bar, after `steps` in which nothing reached it."""
    return (first for first, _ in each_event(strengths, bar, steps=steps))


def each_event(strengths: Floats, bar: float, *, steps: int) -> Iterator[tuple[int, int]]:
    """The first and the last place of every event; `steps` in which nothing reaches the bar lie between two."""
    first = last = None
    for place in (int(place) for place in np.flatnonzero(strengths >= bar)):
        if first is None or last is None:
            first = place
        elif place - last >= steps:
            yield first, last
            first = place
        last = place
    if first is not None and last is not None:
        yield first, last


def strength(counts: Counts, rule: Rule) -> Floats:
    """How strongly each step passes the rule: 1 at its bar, 2 at twice that, 0 where it may not alarm at all."""
    return _judged(counts, rule, None).strengths


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What a rule looks at for each step, the level that the days before its hour set, and how they compare."""

    rule: Rule
    values: Floats
    levels: Floats
    strengths: Floats


def _judged(counts: Counts, rule: Rule, first: datetime | None) -> _Judged:
    values, levels = _levels(counts, rule, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (values + rule.smoothing) / (levels + rule.smoothing)
        found: Floats = np.nan_to_num(ratio / rule.factor, nan=0.0, posinf=0.0)
    if rule.kind == "volume":
        found[~(values >= FEWEST_MENTIONS)] = 0.0
        ordinary: dict[int, tuple[float, float]] = {}
        # Only what is near a bar is worth the sum over a distribution; an hour shares its past.
        for place in np.flatnonzero(found >= 0.5):
            until = _until(counts, int(place))
            if until not in ordinary:
                ordinary[until] = _ordinary(_past(values, until))
            mean, variance = ordinary[until]
            if mean < SMALL and chance(int(values[place]), mean, variance) > CHANCE:
                found[place] = 0.0
    return _Judged(rule, values, levels, found)


def chance(count: int, mean: float, variance: float) -> float:
    """The chance of `count` or more of a negative binomial; of a Poisson where the variance is not above the mean."""
    if count <= 0:
        return 1.0
    below = np.arange(count, dtype=np.float64)
    if variance > mean * (1 + 1e-9):
        share = mean / variance
        size = mean * share / (1 - share)
        first = size * log(share)
        steps = np.log((below + size) / (below + 1)) + log1p(-share)
    else:
        first = -mean
        steps = log(mean) - np.log(below + 1)
    logs = first + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    top = float(logs.max())
    return max(0.0, 1.0 - exp(top) * float(np.exp(logs - top).sum()))


def least_share(part: Floats, whole: Floats) -> Floats:
    """The lower end of Wilson's interval of a share; NaN where there is nothing to take a share of."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
        square = CERTAINTY**2
        spread = CERTAINTY * np.sqrt(share * (1 - share) / whole + square / (4 * whole**2))
        least: Floats = (share + square / (2 * whole) - spread) / (1 + square / whole)
    return least


def _spike(counts: Counts, judged: _Judged, place: int) -> Spike:
    rule, value, level = judged.rule, float(judged.values[place]), float(judged.levels[place])
    mentions, scored, negative = (
        trailing(values, rule.steps, counts.heard) for values in (counts.mentions, counts.scored, counts.negative)
    )
    past = _past(mentions, _until(counts, place))
    bar = rule.bar(level)
    if rule.kind == "volume":
        mean, variance = _ordinary(past)
        bar = max(bar, _floor(mean, variance) if mean < SMALL else FEWEST_MENTIONS)
    return Spike(
        at=counts.end(place),
        count=int(mentions[place]),
        expected=float(np.median(past)),
        window_seconds=rule.window_seconds,
        rule=rule,
        value=value,
        level=level,
        bar=bar,
        days=min(PAST_DAYS, (_hours(counts)[0] + place) // PER_HOUR // HOURS),
        share_negative=float(negative[place] / scored[place]) if scored[place] else None,
    )


def _floor(mean: float, variance: float) -> int:
    """The least count that may alarm for a brand of that mean and variance."""
    count = FEWEST_MENTIONS
    reach = int(mean + 5 * sqrt(variance))
    count = max(count, reach if chance(reach, mean, variance) > CHANCE else count)
    while chance(count, mean, variance) > CHANCE:
        count += 1
    return count


def _levels(counts: Counts, rule: Rule, first: datetime | None) -> tuple[Floats, Floats]:
    """What the rule looks at for each step, and the level that the days before its hour set.

    NaN = not known; no level is worked out before `first`.
    """
    mentions = counts.mentions if rule.kind == "volume" else counts.scored
    values = trailing(mentions, rule.steps, counts.heard)
    if rule.kind == "negative":
        negative = trailing(counts.negative, rule.steps, counts.heard)
        values = least_share(negative, values)
        values[~(negative >= FEWEST_NEGATIVE)] = 0.0
        values[np.isnan(trailing(mentions, rule.steps, counts.heard))] = np.nan
    lead, hours = _hours(counts)
    padded = np.concatenate([np.full(lead, np.nan), values, np.full(hours * PER_HOUR - lead - len(values), np.nan)])
    peaks = _peaks(padded.reshape(hours, PER_HOUR))
    levels = np.full(hours, np.nan)
    skipped = 0 if first is None else (lead + (first - counts.start) // STEP) // PER_HOUR
    for hour in range(max(FEWEST_DAYS * HOURS, skipped), hours):
        days = min(PAST_DAYS, hour // HOURS)
        found = _peaks(peaks[hour - days * HOURS : hour].reshape(days, HOURS))
        known = found[~np.isnan(found)]
        if len(known) >= FEWEST_DAYS:
            levels[hour] = np.quantile(known, LEVEL)
    return values, np.repeat(levels, PER_HOUR)[lead : lead + len(values)]


def _peaks(spans: Floats) -> Floats:
    """The highest of each row; NaN where less than half of it is known."""
    known = ~np.isnan(spans)
    highest: Floats = np.where(known, spans, -np.inf).max(axis=1)
    highest[2 * known.sum(axis=1) < spans.shape[1]] = np.nan
    return highest


def trailing(values: Floats, steps: int, heard: Heard) -> Floats:
    """The sum of each step and those before it in the window; NaN where one of them was not heard or is not there."""
    known = np.where(heard, values, np.nan)
    found: Floats = np.full(len(values), np.nan)
    if len(values) >= steps:
        found[steps - 1 :] = np.lib.stride_tricks.sliding_window_view(known, steps).sum(axis=1)
    return found


def _hours(counts: Counts) -> tuple[int, int]:
    """How many steps of its first hour the counts leave out, and how many hours they touch."""
    lead = (counts.start - EPOCH) // STEP % PER_HOUR
    return lead, -(-(lead + len(counts.mentions)) // PER_HOUR)


def _until(counts: Counts, place: int) -> int:
    """Where the hour of a step begins: what is older is its past."""
    lead, _ = _hours(counts)
    return max(0, (lead + place) // PER_HOUR * PER_HOUR - lead)


def _past(values: Floats, until: int) -> Floats:
    past = values[max(0, until - PAST_DAYS * HOURS * PER_HOUR) : until]
    return past[~np.isnan(past)]


def _ordinary(past: Floats) -> tuple[float, float]:
    """Mean and variance of the past without its highest; as if one mention more had been seen on an added day."""
    kept = past[past <= np.quantile(past, ORDINARY)] if len(past) else past
    per_day = HOURS * PER_HOUR
    mean = (float(kept.sum()) + 1.0) / (len(kept) + per_day)
    return mean, max(mean, float(kept.var()) if len(kept) else mean)
