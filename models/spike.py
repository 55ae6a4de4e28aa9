"""What a spike is: the rule that a count has passed, what was compared, and its arithmetic in a sentence; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

STEP_SECONDS = 300
# The share of the past days whose peak stays under the level.
LEVEL = 0.85
# Added to both sides of the ratio, so that 3 after 0 is not infinitely much.
SMOOTHING = 2.0

Kind: TypeAlias = Literal["volume", "negative"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Alarms when the value of a window passes `factor` times the level of the past days, and for counts a margin."""

    kind: Kind
    window_seconds: int
    factor: float

    @property
    def steps(self) -> int:
        """Of how many five minutes the window is."""
        return self.window_seconds // STEP_SECONDS

    @property
    def smoothing(self) -> float:
        """What is added to both sides of the ratio."""
        return SMOOTHING if self.kind == "volume" else 0.0

    @property
    def margin(self) -> float:
        """What the smoothing adds to the bar."""
        return (self.factor - 1) * self.smoothing

    def bar(self, level: float) -> float:
        """What must be reached where the past days set that level."""
        return self.factor * level + self.margin


@dataclass(frozen=True, slots=True)
class Spike:
    """One event that stands out, at the first span that says so; `at` is the end of that span.

    `count` mentions were seen in `window_seconds`, where `expected` is the median of the past `days`. `value`, `level`
    and `bar` are what was compared: mentions, or a lower bound of the share of negative ones. `share_negative` is of
    the scored in the window, None where nothing is scored; `share_one_post` is of copies of one post, None = not asked.
    """

    at: datetime
    count: int
    expected: float
    window_seconds: int
    rule: Rule
    value: float
    level: float
    bar: float
    days: int
    share_negative: float | None
    share_one_post: float | None = None

    @property
    def kind(self) -> Kind:
        """Whether much is said, or much of it is negative."""
        return self.rule.kind

    def sentence(self) -> str:
        """Its arithmetic in one sentence: seen, expected, window, rule, shares."""
        factor = f"{self.rule.factor:g} × "
        past = f"{_percent(LEVEL)} of the past {self.days} days stay under"
        seen = f"{self.count:,} mentions in {_minutes(self.window_seconds)}, where {self.expected:,.0f} are usual"
        if self.kind == "negative":
            level = _percent(self.level, 1)
            why = f"beyond chance {_percent(self.value, 1)} or more, over {_percent(self.bar, 1)} = {factor}{level}"
            sentence = f"{_percent(self.share_negative)} negative of {seen}: {why}, and {past} {level}"
        else:
            level = f"{self.level:,.1f}"
            by_rule = self.rule.bar(self.level)
            why = f"over {self.bar:,.1f} = {factor}{level} + {self.rule.margin:g}, and {past} {level}"
            if self.bar > by_rule:
                why = f"{self.bar:,.0f} or more, the least that counts for a brand this small"
            sentence = f"{seen}: {why}"
            if self.share_negative is not None:
                sentence += f"; {_percent(self.share_negative)} negative"
        if self.share_one_post is not None:
            sentence += f"; {_percent(self.share_one_post)} are copies of one post"
        return f"{sentence}."


@dataclass(frozen=True, slots=True)
class Event:
    """A spike, and the end of the last span so far that belongs to it: later ones within the cool-down prolong it."""

    spike: Spike
    until: datetime


def _minutes(seconds: int) -> str:
    return "an hour" if seconds == 3600 else f"{seconds // 60} minutes"


def _percent(share: float | None, digits: int = 0) -> str:
    return "none" if share is None else f"{100 * share:.{digits}f} %"
