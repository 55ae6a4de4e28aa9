"""Mentions over time: the line in its expected range, what stands out of it, hatching where nobody listened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, flagged, frame
from dashboard.panels.flagged import Flag
from dashboard.panels.frame import About, Span, TimeAxis
from models import alerts, blind, cube, sources
from models.bands import UNKNOWN, Band, recent_band
from models.blind import Listening
from models.cube import Series
from models.expected import Expected

KEY = "volume"
NAME = "Mentions over time"
# The highest point gets its words only where it stands out from the last one and has room beside it.
PEAK_FACTOR = 1.25
NO_BAND = Band(())
# How many steps the names of the lines are wide, as a share of the window.
NAME_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Frame:
    """Counts per step up to `end`, their expected ranges, the spans without a listener, what was flagged, the words.

    `listening` is asked for only where the newest whole step is low: is it quiet, or are we blind?
    """

    series: Series
    end: datetime
    gaps: tuple[Span, ...]
    about: About
    band: Band = NO_BAND
    flags: tuple[Flag, ...] = ()
    listening: Listening | None = None

    def range(self, index: int) -> Expected:
        """What was to be expected of a step."""
        return self.band.ranges[index] if index < len(self.band.ranges) else UNKNOWN


def query(connection: Connection, question: Question) -> Frame:
    """Counts from the rollups; when the scope was last spoken of only where the window is empty."""
    scope, window = question.scope, question.window
    series = cube.series(connection, scope, window, question.organisation, values=cube.SENTIMENTS[:1])
    told = frame.about(question)
    if not series.total.mentions:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    expected = recent_band(
        connection, scope, series.starts, series.step_seconds, question.organisation, now=question.now
    )
    found = Frame(series, window.end, frame.gaps(connection, window), told, expected, _flags(connection, question))
    return replace(found, listening=_listening(connection, question, found))


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
    side = flagged.count_words(found.flags)
    spoken = "; ".join(filter(None, (said, _range_words(found.range(last)), side, _low_words(found, counts[last]))))
    return {
        "volume-graph": {"figure": _figure(found, counts, last)},
        "volume-head": frame.head(per, _sub(found), side=side or _zone(told), label=f"{per}, {told.words}: {spoken}"),
        "volume-state": frame.NO_STATE,
    }


def table(found: Frame) -> Table:
    """A row a step: None where nobody listened, and where no range is known."""
    told, total = found.about, found.series.total.mentions
    step = timedelta(seconds=found.series.step_seconds)
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for index, (start, count) in enumerate(zip(found.series.starts, known_counts(found), strict=True)):
        ranged = found.range(index)
        words = "; ".join(flag.title for flag in found.flags if start <= flag.at < start + step)
        rows.append((start, count, ranged.low, ranged.middle, ranged.high, words or None))
    return Table(
        title=f"Mentions per {style.step_words(told.step_seconds)}",
        about=exported.line(told.words, found.end, told.zone, f"{total:,} mention{'' if total == 1 else 's'}"),
        columns=("From", "Mentions", "Expected from", "Expected middle", "Expected to", "Flagged"),
        rows=tuple(rows),
    )


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
    ranges = [found.range(index) if count is not None else UNKNOWN for index, count in enumerate(counts)]
    highest = max((count for count in counts if count is not None), default=0)
    top, grid = style.axis_top(max([highest, *(ranged.high for ranged in ranges if ranged.high is not None)]))
    traces, notes = hatching(found.gaps, axis, starts[0], found.end)
    traces += _band(x, ranges)
    traces += _lines(x, counts, last)
    marks, labels, taken = flagged.drawn(found.flags, starts, x, counts, found.series.step_seconds, axis)
    traces += marks
    notes += labels
    highest_notes = _words(x, counts, last, axis, starts, busy=taken)
    notes += highest_notes
    places = [x.index(note["x"]) for note in highest_notes]
    notes += _names(x, counts, ranges, taken=[*taken, *((place, place) for place in places)])
    notes += _beside_last(found, counts[last], x)
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


def _band(x: list[str], ranges: Sequence[Expected]) -> list[figures.Trace]:
    """The range and its dashed middle, run by run: nothing is drawn over steps in which nobody listened."""
    traces: list[figures.Trace] = []
    for first, last in _runs([ranged.is_known for ranged in ranges]):
        run = slice(first, last)
        floor, roof = figures.band(
            x[run], [ranged.low for ranged in ranges[run]], [ranged.high for ranged in ranges[run]], name="expected"
        )
        said = [f"{ranged.low:,.0f} to {ranged.high:,.0f}" for ranged in ranges[run]]
        traces += [floor, roof | {"customdata": said, "hovertemplate": "%{customdata}<extra>expected</extra>"}]
    if traces:
        middle = figures.line(x, [ranged.middle for ranged in ranges], colour="$text-3", width=1.2, dash="4px,3px")
        traces.append(middle | {"hoverinfo": "skip", "hovertemplate": None})
    return traces


def _runs(known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The unbroken runs of True, as (first, behind the last)."""
    first = None
    for index, is_known in enumerate([*known, False]):
        if is_known and first is None:
            first = index
        elif not is_known and first is not None:
            yield first, index
            first = None


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
    x: list[str],
    counts: list[int | None],
    last: int,
    axis: TimeAxis,
    starts: tuple[datetime, ...],
    *,
    busy: Sequence[tuple[int, int]],
) -> list[dict[str, Any]]:
    """The last whole value at the end of the line, and the highest where no flag stands near it."""
    notes = []
    value = counts[last]
    if value is not None:
        at = figures.note(x[-1], value, f"{value:,}", colour="$text-1", dx=12)
        at["font"]["weight"] = 600
        notes.append(at)
        clock = axis.clock(starts[last])
        notes.append(figures.note(x[-1], value, clock, colour="$text-3", size=11, dx=12, dy=14))
    known = [(count, index) for index, count in enumerate(counts) if count is not None]
    most, index = max(known, default=(0, 0))
    room = len(x) * 0.08
    is_free = all(not first - room < index < end + room for first, end in busy)
    if value is not None and is_free and most > PEAK_FACTOR * max(value, 1) and room < index < len(x) - 2 * room:
        clock = axis.clock(starts[index])
        words = f"{most:,} {'at' if ':' in clock else 'on'} {clock}"
        notes.append(figures.note(x[index], most, words, anchor="center", dx=0, dy=11))
    return notes


def _names(
    x: list[str], counts: list[int | None], ranges: Sequence[Expected], *, taken: Sequence[tuple[int, int]]
) -> list[dict[str, Any]]:
    """What is actual and what was expected, each where it is calm and nothing else is written."""
    if not any(ranged.is_known for ranged in ranges):
        return []
    half = max(1, round(len(x) * NAME_SHARE / 2))

    def free(at: int) -> bool:
        return ranges[at].is_known and counts[at] is not None and all(not a - half < at < b + half for a, b in taken)

    def under(at: int, heights: Sequence[float]) -> float:
        return max(heights[at - half : at + half + 1])

    def unrest(at: int, heights: Sequence[float]) -> float:
        near = heights[at - half : at + half + 1]
        return max(near) - min(near) + max(near) / 4

    places = [at for at in range(half, len(x) - half) if free(at)]
    if not places:
        return []
    actual = [float(count or 0) for count in counts]
    roofs = [max(count, ranged.high or 0.0) for count, ranged in zip(actual, ranges, strict=True)]
    at = min(places, key=lambda at: unrest(at, roofs))
    # Where there are labels, a narrow screen has room for short lines alone.
    expected = "Expected range,<br>5–95%" if any(a < b for a, b in taken) else "Expected range, 5–95%"
    note = figures.note(x[at - half], under(at, roofs), "", colour="$text-3", dx=0)
    notes = [note | {"text": expected, "align": "left", "yanchor": "bottom", "yshift": 2}]
    apart = [other for other in places if abs(other - at) > 1.6 * half]
    if apart:
        at = min(apart, key=lambda at: unrest(at, actual))
        name = figures.note(x[at], under(at, actual), "Actual", colour="$text-1", anchor="center", dx=0, dy=11)
        notes.append(name | {"font": name["font"] | {"weight": 600}})
    return notes


def _beside_last(found: Frame, value: int | None, x: list[str]) -> list[dict[str, Any]]:
    """How far the last whole value lies out of its range; where it is low, whether it is quiet or we are blind."""
    notes = []
    ranged = found.range(last_whole(found.series, found.end))
    if value is not None and ranged.holds(value) is False and ranged.middle:
        note = figures.note(x[-1], value, "", size=11, dx=12, dy=-20)
        notes.append(note | {"text": f"×{value / ranged.middle:.1f}<br>expected", "align": "left"})
    low = _low_words(found, value)
    if low:
        colour = "$warn" if found.listening is not None and found.listening.is_blind else "$text-2"
        note = figures.note(1, 1, "", colour=colour, anchor="right", dx=0, dy=-14, pinned=True)
        lines = "<br>".join(figures.text(part) for part in low.split("; "))
        notes.append(note | {"text": lines, "align": "right", "bgcolor": "$bg-panel", "yanchor": "top", "yshift": 0})
    return notes


# -- words -------------------------------------------------------------------------------------------------


def _sub(found: Frame) -> str:
    sub = found.about.words + (", newest 50,000 counted" if found.series.partial else "")
    if found.band.is_known:
        return f"{sub}; band = same hours of the past 4 weeks"
    return f"{sub}; {found.band.why_not}" if found.band.why_not else sub


def _range_words(ranged: Expected) -> str:
    if ranged.low is None or ranged.high is None:
        return ""
    return f"expected {ranged.low:,.0f} to {ranged.high:,.0f}"


def _low_words(found: Frame, value: int | None) -> str:
    """“Quiet: 6 of 6 sources listened; the canary was heard at 14:20”, or who did not listen; empty where not asked."""
    heard = found.listening
    if heard is None or not heard.asked:
        return ""
    clock = TimeAxis(found.series.starts[0], found.end, found.about.zone).clock
    if heard.is_blind:
        names = ", ".join(heard.missing[:2]) + (f" and {len(heard.missing) - 2} more" if len(heard.missing) > 2 else "")
        since = f"not heard since {clock(heard.since)}" if heard.since else "its canary found nothing"
        return f"Blind: {len(heard.missing)} of {heard.asked} sources did not listen; {names}; {since}"
    if value is None:
        return ""
    canary = f"the canary was heard at {clock(heard.canary_at)}" if heard.canary_at else "no canary was needed"
    return f"Quiet: {heard.asked} of {heard.asked} sources listened; {canary}"


# -- what is asked beside the counts -----------------------------------------------------------------------


def _flags(connection: Connection, question: Question) -> tuple[Flag, ...]:
    """What was flagged in the window. A spike counts a whole brand: in a part of one it would mark the wrong line."""
    scope, window = question.scope, question.window
    if scope.search or any(part is not None for part in (scope.location_ids, scope.team_ids, scope.network_ids)):
        return ()
    found = alerts.of_brands(connection, scope.brand_ids, start=window.start, end=window.end)
    names = question.organisation.brand_names
    return tuple(flagged.flag(item, names.get(item.brand_id, "")) for item in reversed(found))


def _listening(connection: Connection, question: Question, found: Frame) -> Listening | None:
    """Who listened in the newest whole step, where it is unknown or below its range."""
    if not found.series.starts:
        return None
    last = last_whole(found.series, found.end)
    count, ranged = known_counts(found)[last], found.range(last)
    if count is not None and (ranged.low is None or count >= ranged.low):
        return None
    start = found.series.starts[last]
    return blind.listening(
        connection,
        sources.health(connection, question.now),
        question.scope.network_ids,
        start=start,
        end=min(start + timedelta(seconds=found.series.step_seconds), found.end),
    )


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


PANEL = Panel(key=KEY, topics=("mentions", "sources", "alerts"), query=query, draw=draw, place=place, table=table)
