"""Mentions over time: one line, the step that still fills apart, hatching where nobody listened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, style
from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from dashboard.panels.frame import About, Span, TimeAxis
from models import cube
from models.cube import Series

KEY = "volume"
NAME = "Mentions over time"
# The highest point gets its words only where it stands out from the last one and has room beside it.
PEAK_FACTOR = 1.25


@dataclass(frozen=True, slots=True)
class Frame:
    """Counts per step up to `end`, the spans in which no source listened, and the words."""

    series: Series
    end: datetime
    gaps: tuple[Span, ...]
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """Counts from the rollups; when the scope was last spoken of only where the window is empty."""
    series = cube.series(connection, question.scope, question.window, question.organisation)
    told = frame.about(question)
    if not series.total.mentions:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(series, question.window.end, frame.gaps(connection, question.window), told)


def draw(found: Frame) -> Props:
    """The figure, the head, and the words in its place where there is nothing to draw."""
    told = found.about
    per = f"Mentions per {style.step_words(told.step_seconds)}"
    if not found.series.total.mentions:
        label = f"{per}, {told.words}: none"
        return {
            "volume-head": frame.head(per, told.words, side=_zone(told), label=label),
            "volume-state": _nothing(found),
        }
    counts = known_counts(found)
    last = last_whole(found.series, found.end)
    said = "nothing known" if counts[last] is None else f"{counts[last]:,} in the last whole step"
    sub = told.words + (", newest 50,000 counted" if found.series.partial else "")
    return {
        "volume-graph": {"figure": _figure(found, counts, last)},
        "volume-head": frame.head(per, sub, side=_zone(told), label=f"{per}, {told.words}: {said}"),
        "volume-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def known_counts(found: Frame) -> list[int | None]:
    """Mentions a step; None where nobody listened for most of it, so that the line stops there."""
    step = found.series.step_seconds
    return [
        None if frame.unheard(start, step, found.gaps, count=tally.mentions) else tally.mentions
        for start, tally in zip(found.series.starts, found.series.tallies, strict=True)
    ]


def last_whole(series: Series, end: datetime) -> int:
    """The index of the last step that is over; 0 where only one has begun."""
    count = len(series.starts)
    over = series.starts[-1] + timedelta(seconds=series.step_seconds) <= end
    return count - 1 if over else max(count - 2, 0)


def hatching(gaps: tuple[Span, ...], axis: TimeAxis, start: datetime, end: datetime) -> tuple[list[Any], list[Any]]:
    """Traces and words for the spans without listening. Yellow only where it is so now."""
    traces: list[Any] = []
    notes: list[Any] = []
    for gap_start, gap_end in gaps:
        now = gap_end >= end
        traces += figures.spans([(axis.x(gap_start), axis.x(gap_end))], colour="$warn" if now else "$line-strong")
        if (gap_end - gap_start) < (end - start) / 8:
            continue
        words = f"no data {axis.clock(gap_start)} – {axis.clock(gap_end)}"
        if now:
            words = f"no data since {axis.clock(gap_start)}"
        elif gap_start <= start:
            words = f"no data before {axis.clock(gap_end)}"
        if gap_start <= start and now:
            words = "nobody listened"
        note = figures.note(axis.x(gap_start), 1, words, dx=8, dy=-12)
        notes.append(note | {"yref": "paper", "bgcolor": "$bg-panel"})
    return traces, notes


def _figure(found: Frame, counts: list[int | None], last: int) -> figures.Figure:
    starts = found.series.starts
    axis = TimeAxis(starts[0], max(starts[-1], starts[0] + timedelta(seconds=1)), found.about.zone)
    x = [axis.x(start) for start in starts]
    top, grid = style.axis_top(max((count for count in counts if count is not None), default=0))
    traces, notes = hatching(found.gaps, axis, starts[0], found.end)
    traces += _lines(x, counts, last)
    notes += _words(x, counts, last, axis, starts)
    drawn = figures.figure(traces, revision=found.about.words, margin=(48, 72, 12, 28), notes=notes)
    drawn["layout"]["xaxis"] |= axis.layout()
    drawn["layout"]["yaxis"] |= {
        "range": [0, top * 1.06],
        "dtick": grid,
        "tickformat": ",d",
        "zeroline": True,
        "fixedrange": True,
    }
    drawn["layout"]["dragmode"] = False
    return drawn


def _lines(x: list[str], counts: list[int | None], last: int) -> list[figures.Trace]:
    """The whole steps as a line that ends in a dot; the step that still fills as a hollow dot of its own.

    Joined to the line it would fall to nothing at the beginning of every step, as if everybody had fallen silent.
    """
    traces = [figures.line(x[: last + 1], counts[: last + 1], name="mentions")]
    if last + 1 < len(x):
        growing = figures.line(x[last + 1 :], counts[last + 1 :], name="mentions so far", colour="$text-3")
        traces.append(growing | _dot("$bg-panel", "$text-3"))
    ends = figures.line(x[last : last + 1], counts[last : last + 1]) | _dot("$chart-ink", "$chart-ink")
    traces.append(ends | {"hoverinfo": "skip", "hovertemplate": None})
    return traces


def _dot(colour: str, edge: str) -> figures.Trace:
    marker = {"size": 7, "color": colour, "line": {"color": edge, "width": 1.4}}
    return {"mode": "markers", "cliponaxis": False, "marker": marker}


def _words(
    x: list[str], counts: list[int | None], last: int, axis: TimeAxis, starts: tuple[datetime, ...]
) -> list[dict[str, Any]]:
    notes = []
    value = counts[last]
    if value is not None:
        at = figures.note(x[-1], value, f"{value:,}", colour="$text-1", dx=12)
        at["font"]["weight"] = 600
        notes.append(at)
        clock = axis.clock(starts[last])
        notes.append(figures.note(x[-1], value, clock, colour="$text-3", size=11, dx=12, dy=-14))
    known = [(count, index) for index, count in enumerate(counts) if count is not None]
    most, index = max(known, default=(0, 0))
    room = len(x) * 0.08
    if value is not None and most > PEAK_FACTOR * max(value, 1) and room < index < len(x) - 2 * room:
        clock = axis.clock(starts[index])
        words = f"{most:,} {'at' if ':' in clock else 'on'} {clock}"
        notes.append(figures.note(x[index], most, words, anchor="center", dx=0, dy=11))
    return notes


def _nothing(found: Frame) -> dict[str, Any]:
    unheard = sum((end - start).total_seconds() for start, end in found.gaps)
    whole = (found.end - found.series.starts[0]).total_seconds() if found.series.starts else 0
    if whole and unheard >= 0.999 * whole:
        words = found.about.words[:1].upper() + found.about.words[1:]
        text = f"{words}. No source listened then, so nothing is known; this is not zero."
        return frame.empty(found.about, text=text) | {"title": "Nothing was collected in this window"}
    return frame.empty(found.about)


def _zone(told: About) -> str:
    return told.zone.replace("_", " ")


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place)
