"""How each figure of the strip was made: its formula with the numbers in it, what was counted, what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dashboard import style
from dashboard.panel import Question
from dashboard.panels import kpi
from models.intervals import wilson
from models.metrics import Metric, share_of_voice
from models.noise import net_interval

# So many brands get a line of their own.
MOST_BRANDS = 8
# From here on an interval is as wide to both sides as makes no difference.
EVEN_FROM = 300

Line = dict[str, Any]
Made = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure that is asked about: the question of its page, and what the strip shows for it.

    `open_ids` are the brands that the person may choose; `unmatched` = how many posts matched no brand, None for who
    may not see those.
    """

    metric: Metric
    question: Question
    frame: kpi.Frame
    open_ids: frozenset[int]
    unmatched: int | None = None

    def brand(self, brand_id: int) -> str:
        """A brand's name."""
        return self.question.organisation.brand_names.get(brand_id, "?")

    def narrow(self, brand_id: int) -> Mapping[str, str]:
        """What a click on a brand changes in the scope; nothing where that is not open, or the page is about one."""
        subject = self.question.subject
        if brand_id not in self.open_ids or (subject is not None and subject.kind == "brand"):
            return {}
        keys = {item.id: item.key for item in self.question.organisation.brands}
        return {"brand": keys[brand_id]}

    def totals(self) -> dict[int, int]:
        """Mentions of the window by brand of the tracked set."""
        return dict(self.frame.by_brand)


def line(words: str, n: int | None, kind: str, *, of: int = 0, part: str = "", **more: Any) -> Line:
    """One line of what was counted. `kind` is whole, brand, out (left out), kept (counted all the same) or base.

    `part` names the rows it opens; `share` is n / of, None where that says nothing.
    """
    share = n / of if n is not None and of else None
    return {"words": words, "n": n, "kind": kind, "share": share, "part": part, **more}


def _mentions(reading: Reading) -> Made:
    totals, total = reading.totals(), reading.frame.series.total.mentions
    ours = reading.question.scope.brand_ids
    lines = [line("Mentions in scope", total, "base", of=total, part="all")]
    lines += _brand_lines(reading, {brand_id: totals[brand_id] for brand_id in ours}, total)
    if reading.unmatched is not None:
        narrow = {"brand": "unmatched"}
        lines.append(line("Matched no brand, left out", reading.unmatched, "out", narrow=narrow))
    terms = sorted((n for n in (totals[brand_id] for brand_id in ours) if n), reverse=True)
    shown, others = terms[:MOST_BRANDS], terms[MOST_BRANDS:]
    parts = [f"{n:,}" for n in shown] + ([f"{sum(others):,} of {len(others)} more"] if others else [])
    over = [_piece(part) for part in _between(parts or ["0"], " + ")]
    return {
        "formula": {"lead": "", "over": over, "under": []},
        "value": f"{total:,}",
        "unit": "",
        "interval": "the count itself, nothing estimated",
        "counted": lines,
        "chips": [_chip("all", "All", total)],
    }


def _net_sentiment(reading: Reading) -> Made:
    total = reading.frame.series.total
    up, level, down, scored = total.positive, total.neutral, total.negative, total.scored
    value = total.net_sentiment
    return {
        "formula": {
            "lead": "100 ×",
            "over": [
                _piece(f"{style.UP} {up:,}", "pos"),
                _piece(f" {style.MINUS} "),
                _piece(f"{style.DOWN} {down:,}", "neg"),
            ],
            "under": [_piece(f"{up:,} + {level:,} + {down:,}")],
        },
        "value": style.NO_VALUE if value is None else style.signed(value, 1),
        "unit": "" if value is None else "pts",
        "interval": _interval(reading.metric, scored, value, net_interval(up, level, down), "scored"),
        "counted": [
            line("Mentions in scope", total.mentions, "whole", of=total.mentions, part="all"),
            line("Not scored, left out", total.unscored, "out", of=total.mentions, part="unscored", id="unscored"),
            line("Scored, the base", scored, "base", of=total.mentions, part="scored"),
        ],
        "chips": [
            _chip("scored", "All", scored),
            _chip("positive", style.UP, up, "pos"),
            _chip("neutral", style.LEVEL, level),
            _chip("negative", style.DOWN, down, "neg"),
            _chip("unscored", "Left out", total.unscored),
        ],
    }


def _reach(reading: Reading) -> Made:
    found, total = reading.frame.reach, reading.frame.series.total.mentions
    words = "followers of the authors, each author once" if found.each_once else "followers of the authors, day by day"
    is_known = bool(total and found.value)
    return {
        "formula": {"lead": "sum of", "over": [_piece(words)], "under": []},
        "value": f"{found.value:,}" if is_known else style.NO_VALUE,
        "unit": "followers" if is_known else "",
        "interval": "an upper limit, not views" if is_known else "no network told how many followers there are",
        "counted": [line("Mentions in scope", total, "whole", of=total, part="all")],
        "chips": [_chip("all", "All", total)],
    }


def _share_of_voice(reading: Reading) -> Made:
    found, scope = reading.frame, reading.question.scope
    ours, tracked = found.series.total.mentions, found.tracked.total.mentions
    share = share_of_voice(ours, tracked) if found.has_competitors else None
    low, high = wilson(ours, tracked)
    interval = _interval(reading.metric, tracked, share, (100 * low, 100 * high), "tracked", unit="%")
    totals = reading.totals()
    rivals = {brand_id: n for brand_id, n in totals.items() if brand_id not in scope.brand_ids}
    lines = [line("Mentions of the tracked set", tracked, "whole", of=tracked)]
    lines += _brand_lines(reading, rivals, tracked, word="competitor")
    lines += _brand_lines(reading, {brand_id: totals[brand_id] for brand_id in scope.brand_ids}, tracked)
    lines.append(line("Of the brands in scope", ours, "base", of=tracked, part="all"))
    return {
        "formula": {"lead": "100 ×", "over": [_piece(f"{ours:,}")], "under": [_piece(f"{tracked:,}")]},
        "value": style.NO_VALUE if share is None else f"{share:.1f}",
        "unit": "" if share is None else "%",
        "interval": interval if found.has_competitors else "no competitors are set, so there is nobody to share with",
        "counted": lines,
        "chips": [_chip("all", "Ours", ours)],
    }


FIGURES: Mapping[str, Callable[[Reading], Made]] = {
    "mentions": _mentions,
    "net_sentiment": _net_sentiment,
    "reach": _reach,
    "share_of_voice": _share_of_voice,
}
"""The figures whose numbers are filled in, by key; of all others the definition alone is told."""


def in_words(metric: Metric) -> Made:
    """A figure of which only the definition is told here: its own screen shows the numbers."""
    formula = {"lead": "", "over": [_piece(metric.formula)], "under": []}
    return {"formula": formula, "value": "", "unit": metric.unit, "interval": "", "counted": [], "chips": []}


def span_words(frame: kpi.Frame) -> str:
    """How long the compared span is: “24 h”, “7 days”."""
    start, end = frame.against.spans[1]
    length = end - start
    if length >= timedelta(days=2):
        return f"{round(length / timedelta(days=1))} days"
    return style.span_words(length.total_seconds())


def _interval(
    metric: Metric, n: int, value: float | None, bounds: tuple[float, float] | None, word: str, *, unit: str = ""
) -> str:
    """The 95 % interval in words, or how many are needed for one."""
    if value is None or bounds is None:
        return f"nothing {word}"
    if n < metric.least_n:
        return f"n {n:,} is too small for an interval; {metric.least_n} {word} are needed"
    if n >= EVEN_FROM:
        return f"± {max((bounds[1] - bounds[0]) / 2, 0.05):.1f} pts, 95% interval (n {n:,})"
    digits = "" if unit else "+"
    low, high = (f"{bound:{digits}.1f}".replace("-", style.MINUS) for bound in bounds)
    return f"{low} to {high}{unit}, 95% interval (n {n:,})"


def _brand_lines(reading: Reading, counts: Mapping[int, int], of: int, *, word: str = "") -> list[Line]:
    if len(reading.question.scope.tracked_ids) == 1:
        return []
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = f", {word}" if word else ""
    lines = [
        line(f"{reading.brand(brand_id)}{named}", n, "brand", of=of, narrow=reading.narrow(brand_id))
        for brand_id, n in ranked[:MOST_BRANDS]
    ]
    if others := ranked[MOST_BRANDS:]:
        lines.append(line(f"{len(others)} more{named}", sum(n for _, n in others), "brand", of=of))
    return lines


def _chip(part: str, words: str, n: int, tone: str = "") -> dict[str, Any]:
    return {"part": part, "words": words, "n": n, "tone": tone}


def _piece(text: str, tone: str = "") -> dict[str, str]:
    return {"text": text, "tone": tone}


def _between(parts: list[str], joint: str) -> list[str]:
    return [text for i, part in enumerate(parts) for text in ([joint, part] if i else [part])]
