"""Flagged spikes on a line over time: a diamond each, and in words what was seen and what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard import figures, style
from dashboard.panels.frame import TimeAxis
from models.alerts import NEGATIVE, Alert

MARK = "◇"
# So many have words beside them, the newest first; the others say theirs when pointed at.
MOST_LABELS = 3
# How much of the window a label is wide on a narrow screen: two that are closer would lie on each other.
LABEL_SHARE = 0.42
# Higher than this share of the highest value no label is put above the line.
MOST_HEIGHT = 0.75

Taken = tuple[int, int]
"""The first and the last step over which something is written."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A spike as a chart shows it: its arithmetic in a few words and in a sentence, and who looks at it."""

    at: datetime
    brand: str
    short: str
    words: str
    by: str = ""

    @property
    def title(self) -> str:
        """“Corvane: 31 in 15 min, 7 usual”."""
        return f"{self.brand}: {self.short}"


def flag(alert: Alert, brand: str) -> Flag:
    """A recorded spike of a brand, as a chart shows it."""
    by = f"{alert.acknowledged_by} is on it" if alert.acknowledged_by and alert.ended_at is None else ""
    return Flag(alert.started_at, brand, short(alert), alert.words, by)


def short(alert: Alert) -> str:
    """The arithmetic of a spike in a few words; for a source its sentence."""
    told = alert.details
    if not told:
        return alert.words
    span = style.step_words(int(told["window_seconds"])).replace("hour", "1 h")
    if alert.kind == NEGATIVE:
        return f"{style.percent(alert.seen or 0.0, 0)} of {told['count']:,} negative in {span}"
    return f"{told['count']:,} in {span}, {told['usual']:,.0f} usual"


def count_words(flags: Sequence[Flag]) -> str:
    """“2 spikes flagged”; empty where none is."""
    return f"{len(flags)} spike{'' if len(flags) == 1 else 's'} flagged" if flags else ""


def drawn(
    flags: Sequence[Flag],
    starts: Sequence[datetime],
    x: list[str],
    counts: Sequence[int | None],
    step_seconds: int,
    axis: TimeAxis,
) -> tuple[list[figures.Trace], list[dict[str, Any]], list[Taken]]:
    """A trace of diamonds, the notes beside the newest ones, and which steps these lie over."""
    step = timedelta(seconds=step_seconds)
    placed = [
        (index, one)
        for one in flags
        for index, start in enumerate(starts)
        if start <= one.at < start + step and counts[index] is not None
    ]
    if not placed:
        return [], [], []
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [x[index] for index, _ in placed],
        "y": [counts[index] for index, _ in placed],
        "name": "flagged",
        "text": [figures.text(one.title) for _, one in placed],
        "hovertemplate": "%{text}<extra>flagged</extra>",
        "cliponaxis": False,
        "marker": {
            "symbol": "diamond",
            "size": 11,
            "color": "$bg-panel",
            "line": {"color": "$text-1", "width": 1.6},
        },
    }
    notes: list[dict[str, Any]] = []
    taken: list[Taken] = []
    width = round(LABEL_SHARE * len(x))
    for index, one in reversed(placed):
        # Left of the rise nothing else is drawn; near the left end there is room at the right alone.
        is_left = index >= 0.3 * len(x)
        first, end = (index - width, index) if is_left else (index, index + width)
        if len(notes) == MOST_LABELS or any(first < b and a < end for a, b in taken):
            taken.append((index, index))
            continue
        taken.append((first, end))
        note = _label(x[index], one, counts[index] or 0, axis, is_left=is_left)
        # Above the line that runs under it, where that leaves room for it.
        near = counts[max(0, index - width // 2) : index] if is_left else counts[index : index + width // 2]
        under = max((count for count in near if count is not None), default=0)
        if note["y"] < under < MOST_HEIGHT * max(count or 0 for count in counts):
            note |= {"y": under, "yanchor": "bottom", "yshift": 0}
        notes.append(note)
    return [trace], notes, taken


def _label(x: str, one: Flag, count: int, axis: TimeAxis, *, is_left: bool) -> dict[str, Any]:
    first = f"<b>{MARK} {axis.clock(one.at)} {figures.text(one.brand)}</b>"
    by = f"<br>{figures.text(one.by)}" if one.by else ""
    note = figures.note(x, count, "", anchor="right" if is_left else "left", dx=-10 if is_left else 12, dy=8)
    return note | {
        "text": f"{first}<br>{figures.text(one.short)}{by}",
        "align": "right" if is_left else "left",
        "bgcolor": "$bg-panel",
    }
