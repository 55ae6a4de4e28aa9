"""A row of the tables of all brands, locations and teams: its figures, what they are compared with, how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from dashboard import style
from dashboard.panels import kpi
from dashboard.panels.index_rows import Group, Member
from models.alerts import Alert
from models.cube import Tally
from models.expected import HIGHEST, LOWEST, percentile
from models.noise import net_interval

# From here on a multiple is set in bold.
BOLD_FROM = 1.5
SPARK_POINTS = 48
SPARK = (100.0, 28.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a row shows: the tally, counts a step, the same hours of earlier weeks, reach, the whole of its share."""

    tally: Tally
    counts: tuple[int, ...]
    past: tuple[tuple[int, ...], ...]
    reach: int
    whole: int
    spikes: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """Groups of members in their order, the figures of each by key, the total of those of ours.

    `whole_steps` of the counts are over; `weeks` = how far apart the earlier spans lie.
    """

    kind: str
    groups: tuple[Group, ...]
    figures: Mapping[str, Figures]
    total: Figures
    unknown: Figures | None
    whole_steps: int
    weeks: int
    each_once: bool
    has_spikes: bool
    partial: bool
    words: str
    end: datetime
    zone: str


def expected(figures: Figures) -> float | None:
    """The median of what the same hours held before; None with fewer than two spans that were listened to."""
    sums = [sum(span) for span in figures.past]
    return median(sums) if len(sums) >= 2 else None


def change(found: Frame, figures: Figures) -> tuple[float | None, str]:
    """(relative change, words) of the whole steps against the same hours before; None where chance may have made it."""
    if not figures.past:
        return None, "no data before"
    before, now = sum(figures.past[0]), sum(figures.counts[: found.whole_steps])
    if min(before, now) < kpi.LEAST_MENTIONS:
        return None, f"was {style.short(before)}"
    points = (now - before) / before
    rounded = round(100 * points)
    arrow = style.UP if rounded > 0 else style.DOWN
    return points, f"{arrow} {abs(rounded):,}%" if rounded else "0%"


def row(found: Frame, name: str, figures: Figures, *, member: Member | None = None, kind: str = "") -> dict[str, Any]:
    tally = figures.tally
    usual, now = expected(figures), sum(figures.counts[: found.whole_steps])
    times = now / usual if usual and max(now, usual) >= kpi.LEAST_MENTIONS else None
    points, words = change(found, figures)
    value, unit = style.number(tally.mentions)
    reach, reach_unit = style.number(figures.reach)
    share = 100 * tally.mentions / figures.whole if figures.whole else None
    drawn: dict[str, Any] = {
        "key": member.key if member else "",
        "name": name,
        "line": member.line if member else "",
        "mono": member.monogram if member else "",
        "href": f"/{kind}/{member.key}" if member else "",
        "ours": member.is_ours if member else True,
        "depth": member.depth if member else 0,
        "spark": _spark(found, figures),
        "mentions": {"v": tally.mentions, "text": value, "unit": unit, "change": words, "points": points},
        "times": {"v": times, "text": style.NO_VALUE if times is None else f"×{times:.1f}", "bold": False},
        "share": {"v": share, "text": style.NO_VALUE if share is None else f"{share:.1f}%"},
        "net": net(tally),
        "reach": {"v": figures.reach or None, "text": reach if figures.reach else style.NO_VALUE, "unit": reach_unit},
        "spikes": _spikes(found, figures, member),
    }
    if times is not None:
        drawn["times"] |= {"bold": times >= BOLD_FROM, "tip": f"{now:,} in whole steps, {usual:,.0f} expected"}
    return drawn


def net(tally: Tally) -> dict[str, Any]:
    interval = net_interval(tally.positive, tally.neutral, tally.negative)
    if interval is None or tally.net_sentiment is None:
        return {"v": None, "text": style.NO_VALUE, "pm": "", "tone": "t3", "glyph": "", "low": 0, "high": 0}
    low, high = interval
    glyph, tone = style.LEVEL, "neu"
    # A sign only where zero lies outside of what the number may as well be.
    if low > 0:
        glyph, tone = style.UP, "pos"
    elif high < 0:
        glyph, tone = style.DOWN, "neg"
    return {
        "v": round(tally.net_sentiment, 2),
        "text": style.signed(tally.net_sentiment),
        "pm": f"± {max(1, round((high - low) / 2))}",
        "tone": tone,
        "glyph": glyph,
        "low": round(low, 1),
        "high": round(high, 1),
        "tip": f"{style.signed(low)} to {style.signed(high)} (95 %), {tally.scored:,} scored, {tally.unscored:,} not",
    }


def _spikes(found: Frame, figures: Figures, member: Member | None) -> dict[str, Any]:
    if not found.has_spikes:
        return {"v": None, "text": "whole brand only" if found.kind == "brand" else "", "tip": "", "glyph": ""}
    count = len(figures.spikes)
    if not count:
        return {"v": 0, "text": "none", "tip": "", "glyph": ""}
    # Filled while one of them goes on.
    open_now = any(item.ended_at is None for item in figures.spikes)
    last = figures.spikes[0]
    clock = last.started_at.astimezone(ZoneInfo(found.zone))
    return {
        "v": count,
        "glyph": "◆" if open_now else "◇",
        "text": str(count)
        if member is None
        else f"{count} at {clock:%H:%M}"
        if count == 1
        else f"{count}, last {clock:%H:%M}",
        "tip": last.words,
    }


def _spark(found: Frame, figures: Figures) -> dict[str, Any]:
    """The line of the whole steps and, with three earlier spans or more, the range of the same hours before."""
    counts = figures.counts[: found.whole_steps]
    size = max(1, -(-len(counts) // SPARK_POINTS))
    line = bundled(counts, size)
    past = [bundled(span, size) for span in figures.past]
    band: list[tuple[float, float]] = []
    if len(past) >= 3:
        for n in range(len(line)):
            near = sorted(span[m] for span in past for m in (n - 1, n, n + 1) if 0 <= m < len(span))
            band.append((percentile(near, LOWEST), percentile(near, HIGHEST)))
    top = max([*line, *(high for _, high in band), 1])
    width, height = SPARK
    step = width / max(len(line) - 1, 1)

    def at(n: int, value: float) -> str:
        return f"{n * step:.1f},{height - value / top * height:.1f}"

    area = [at(n, high) for n, (_, high) in enumerate(band)] + [at(n, band[n][0]) for n in reversed(range(len(band)))]
    return {"line": " ".join(at(n, value) for n, value in enumerate(line)), "band": " ".join(area)}


def bundled(counts: Sequence[int], size: int) -> list[float]:
    """Steps next to each other taken together, as a mean; the first group holds what is left over."""
    first = len(counts) % size
    edges = ([0] if first else []) + list(range(first, len(counts), size))
    return [
        sum(counts[start:end]) / (end - start)
        for start, end in zip(edges, [*edges[1:], len(counts)], strict=True)
        if end > start
    ]


def plain(found: Frame, group: str, name: str, figures: Figures) -> tuple[str | float | datetime | None, ...]:
    tally = figures.tally
    interval = net_interval(tally.positive, tally.neutral, tally.negative)
    usual, now = expected(figures), sum(figures.counts[: found.whole_steps])
    score = tally.net_sentiment
    return (
        group,
        name,
        tally.mentions,
        sum(figures.past[0]) if figures.past else None,
        None if not usual else round(now / usual, 2),
        None if not figures.whole else round(100 * tally.mentions / figures.whole, 1),
        None if score is None else round(score, 1),
        None if interval is None else round(interval[0], 1),
        None if interval is None else round(interval[1], 1),
        tally.scored,
        figures.reach,
        len(figures.spikes) if found.has_spikes else None,
    )
