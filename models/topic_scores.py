"""Which terms stand out: log-odds of a window against a baseline with an informative prior; pure.

The score is the z of Monroe, Colaresi and Quinn, "Fightin' Words" (2008), equations 16 to 22: the difference of the
log-odds of a term in the window and in the baseline, each with the same prior, divided by its standard deviation. The
prior is what both say together. Counted are texts that hold a term, not how often they do. What is said on some days
and not on others varies by more than chance: z is divided by the root of how much more (variance over mean of the days'
counts), but never by much, so that an earlier burst does not hide the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt
from types import MappingProxyType

# How many texts the prior is worth. On ten days of simulated mentions 50 found the six stories there were and nothing
# in the hours between; 500 lost four of them in hours of sixty texts.
PRIOR = 50.0
# What is missing needs more of it: next to nothing a small prior leaves no certainty at all.
PRIOR_OF_MISSING = 500.0
# A term that the past does not know has at least this much.
LEAST_PRIOR = 0.5
STANDS_OUT = 4.0
MOST_VARIED = 2.0
# A term must stand in so many texts of the window, or of what was expected, before anybody is told of it.
LEAST_TEXTS = 5
# Without so many texts in the baseline nothing is known of what is usual.
LEAST_BASE = 150
# Two terms that share a word and whose counts are this close are one topic.
ALIKE = 0.6
MOST_LOOKED_AT = 200
MOST_RISING = 5
MOST_FALLING = 3

Key = tuple[int, str, str]
"""Brand, language, term; the term "" counts every text of a brand and language."""

UNVARIED: Mapping[Key, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Said:
    """In how many texts, and in how many of those that could be scored, positive and negative ones."""

    texts: int
    positive: int = 0
    negative: int = 0
    scored: int = 0


NOTHING_SAID = Said(0)


@dataclass(frozen=True, slots=True)
class Score:
    """One term that stands out. `expected` = texts of the window if it were said as often as in the baseline.

    `z` is positive where it rises; `said` is of the window.
    """

    brand_id: int
    language: str
    term: str
    said: Said
    expected: float
    z: float

    @property
    def times(self) -> float | None:
        """Seen / expected; None where the baseline does not know the term."""
        return self.said.texts / self.expected if self.expected > 0 else None

    @property
    def net_sentiment(self) -> float | None:
        """100 x (positive - negative) / scored; None where nothing is scored."""
        said = self.said
        return 100 * (said.positive - said.negative) / said.scored if said.scored else None


def log_odds(seen: int, of: int, base_seen: int, base_of: int) -> float:
    """The z score of `seen` of `of` texts against `base_seen` of `base_of`: positive = more than usual."""
    if not seen and not base_seen:
        return 0.0
    worth = PRIOR if seen * base_of >= base_seen * of else PRIOR_OF_MISSING
    prior = max(worth * (seen + base_seen) / (of + base_of), LEAST_PRIOR)
    here, there = seen + prior, base_seen + prior
    # A term of nearly every text has no odds to speak of; half a text keeps them finite.
    not_here, not_there = max(of + worth - here, 0.5), max(base_of + worth - there, 0.5)
    difference = log(here / not_here) - log(there / not_there)
    return difference / sqrt(1 / here + 1 / not_here + 1 / there + 1 / not_there)


def varies(total: int, squares: int, days: int) -> float:
    """Variance over mean of a count a day, in 1..MOST_VARIED, from its sum, the sum of its squares and the days."""
    if total <= 0 or days < 2:
        return 1.0
    mean = total / days
    variance = max(squares - days * mean * mean, 0.0) / (days - 1)
    return min(max(variance / mean, 1.0), MOST_VARIED)


def scores(
    window: Mapping[Key, Said], base: Mapping[Key, int], keys: Iterable[Key], varied: Mapping[Key, float] = UNVARIED
) -> list[Score]:
    """The score of every key whose brand and language have a baseline, the largest |z| first.

    `varied` = variance over mean of its counts a day, 1 where it is missing.
    """
    found = []
    for key in keys:
        brand_id, language, term = key
        of, base_of = window.get((brand_id, language, "")), base.get((brand_id, language, ""), 0)
        if of is None or base_of < LEAST_BASE or not term:
            continue
        said, base_seen = window.get(key, NOTHING_SAID), base.get(key, 0)
        expected = base_seen * of.texts / base_of
        if max(said.texts, expected) < LEAST_TEXTS:
            continue
        z = log_odds(said.texts, of.texts, base_seen, base_of) / sqrt(varied.get(key, 1.0))
        found.append(Score(brand_id, language, term, said, expected, z))
    found.sort(key=lambda score: (-abs(score.z), score.brand_id, score.term))
    return found


def rising(found: Iterable[Score], most: int = MOST_RISING) -> tuple[Score, ...]:
    """What is said far more than usual, each topic once, the surest first."""
    return _topics([score for score in found if score.z >= STANDS_OUT], most, lambda score: float(score.said.texts))


def falling(found: Iterable[Score], most: int = MOST_FALLING) -> tuple[Score, ...]:
    """What is said far less than usual, each topic once, the surest first."""
    return _topics([score for score in found if score.z <= -STANDS_OUT], most, lambda score: score.expected)


def _topics(found: list[Score], most: int, size: Callable[[Score], float]) -> tuple[Score, ...]:
    """Terms of which none tells what another one tells: a longer one that explains a shorter one swallows it."""
    kept: list[Score] = []
    for score in found[:MOST_LOOKED_AT]:
        words, here = set(score.term.split()), size(score)
        near = [o for o in kept if o.brand_id == score.brand_id and words & set(o.term.split())]
        swallowed = [o for o in near if _holds(score.term, o.term) and here >= ALIKE * size(o)]
        # What holds less of the texts is a part of it, what holds about as many is the same in other words.
        is_told = any(here * ALIKE <= size(other) for other in near if other not in swallowed)
        if swallowed and not is_told:
            kept[kept.index(swallowed[0])] = score
        elif not is_told:
            kept.append(score)
        kept = [other for other in kept if other not in swallowed]
    return tuple(_once(kept)[:most])


def _once(kept: list[Score]) -> list[Score]:
    """Each term once: it may stand there in two languages, or where one longer term swallowed two shorter ones."""
    return list({(score.brand_id, score.term): score for score in reversed(kept)}.values())[::-1]


def _holds(longer: str, shorter: str) -> bool:
    return longer != shorter and f" {shorter} " in f" {longer} "
