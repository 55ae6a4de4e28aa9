"""The curve of an incident against the expected range; what stands above it is filled, decisions are ticks on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, incident_words
from dashboard.panels.frame import TimeAxis
from models import incident_figures, incident_reading
from models.incident_figures import Curve, Point
from models.incident_reading import DECISION, EVIDENCE, Incident, Line

KEY = "incident-curve"
NAME = "Curve"
# So many decisions are named over the curve, at least so far apart (as a share of its width).
MOST_TICKS, LEAST_APART = 4, 0.16
WORDS_SHOWN = 18
# Nearer to an edge than this a word stands inward of its mark.
EDGE = 0.12


@dataclass(frozen=True, slots=True)
class Frame:
    """The curve, and the lines of the timeline that may stand over it."""

    incident: Incident
    curve: Curve
    marks: tuple[Line, ...]
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """Counts from the rollups."""
    item = incident_words.found(connection, question)
    curve = incident_figures.curve(connection, question.organisation, question.anybody, item, now=question.now)
    lines = incident_reading.timeline(connection, item.id)
    marks = tuple(line for line in reversed(lines) if line.kind in (EVIDENCE, DECISION))
    return Frame(item, curve, marks, question.zone, question.now)


def draw(found: Frame) -> Props:
    """The figure and its head."""
    per = f"mentions per {style.step_words(found.curve.step_seconds)} in the frozen scope"
    said = _said(found)
    sub = f"{per}; {found.curve.why_not}" if found.curve.why_not else per
    sub += ", newest 50,000 counted" if found.curve.is_part else ""
    return {
        f"{KEY}-graph": {"figure": figure(found)},
        f"{KEY}-head": frame.head(NAME, sub, label=f"{NAME}, {per}: {said}"),
        f"{KEY}-state": frame.NO_STATE,
    }


def figure(found: Frame) -> figures.Figure:
    """The line over its range; what stands above the range is filled in the colour of incidents."""
    points = found.curve.points
    whole = found.curve.whole or points
    end = points[-1].at + timedelta(seconds=found.curve.step_seconds)
    axis = TimeAxis(points[0].at, end, found.zone, most_ticks=5)
    x = [axis.x(point.at) for point in whole]
    highs = [point.high for point in points if point.high is not None]
    top, grid = style.axis_top(max([point.mentions for point in points] + highs, default=0))
    traces = _range(x, whole)
    traces += _excess(x, whole)
    if any(point.middle is not None for point in whole):
        middle = figures.line(x, [point.middle for point in whole], colour="$text-3", width=1.2, dash="4px,3px")
        traces.append(middle | {"hoverinfo": "skip", "hovertemplate": None})
    traces.append(figures.line(x, [point.mentions for point in whole], name="mentions"))
    last = whole[-1]
    colour = "$inc" if _is_above(last) else "$chart-ink"
    dot = {"mode": "markers", "marker": {"size": 7, "color": colour}, "hoverinfo": "skip", "hovertemplate": None}
    traces.append(figures.line(x[-1:], [last.mentions]) | dot)
    notes = [*_words(found, whole, axis), *_ticks(found, axis)]
    drawn = figures.figure(traces, revision=found.incident.label, margin=(44, 16, 44, 26), notes=notes)
    drawn["layout"]["xaxis"] |= axis.layout()
    drawn["layout"]["yaxis"] |= {"range": [0, top * 1.06], "dtick": grid, "tickformat": ",d", "zeroline": True}
    drawn["layout"]["dragmode"] = False
    drawn["layout"]["shapes"] = [_rule(axis.x(line.at)) for line in _named(found)]
    return drawn


def table(found: Frame) -> Table:
    """A row a step; None where no range is known."""
    rows = tuple((point.at, point.mentions, point.low, point.middle, point.high) for point in found.curve.points)
    total = sum(point.mentions for point in found.curve.points)
    about = exported.line(found.incident.label, found.now, found.zone, f"{total:,} mentions")
    columns = ("From", "Mentions", "Expected from", "Expected middle", "Expected to")
    return Table(f"{found.incident.label}: curve", about, columns, rows)


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME), class_name="icurve-panel")


# -- parts -------------------------------------------------------------------------------------------------


def _range(x: list[str], points: Sequence[Point]) -> list[figures.Trace]:
    if not any(point.high is not None for point in points):
        return []
    floor, roof = figures.band(x, [p.low for p in points], [p.high for p in points], name="expected")
    return [floor, roof | {"hoverinfo": "skip", "hovertemplate": None}]


def _excess(x: list[str], points: Sequence[Point]) -> list[figures.Trace]:
    """The area between the top of the range and the line, where the line stands above it."""
    if not any(_is_above(point) for point in points):
        return []
    floor = figures.line(x, [point.high for point in points], width=0) | {"hoverinfo": "skip", "hovertemplate": None}
    roof = [None if p.high is None else max(float(p.mentions), p.high) for p in points]
    above = figures.line(x, roof, width=0) | {"hoverinfo": "skip", "hovertemplate": None}
    return [floor, above | {"fill": "tonexty", "fillcolor": "$inc-line"}]


def _is_above(point: Point) -> bool:
    return point.high is not None and point.mentions > point.high


def _words(found: Frame, whole: Sequence[Point], axis: TimeAxis) -> list[dict[str, Any]]:
    """The last value while it goes on, the highest once it is over, beside what was expected."""
    goes_on = found.incident.is_open(found.now)
    at = len(whole) - 1 if goes_on else max(range(len(whole)), key=lambda index: whole[index].mentions)
    # They stand where the curve is lower: above its first third, or above its last.
    third = max(1, len(found.curve.points) // 3)
    calm = [max((p.mentions for p in part), default=0) for part in (whole[:third], whole[-third:])]
    point = whole[at]
    times = incident_words.times(point.mentions, point.middle)
    when = "now" if goes_on else f"at {axis.clock(point.at)}"
    words = f"{point.mentions:,} {when}" + (f", {times} expected" if times else "")
    anchor, place = ("left", 0.01) if calm[0] <= calm[1] else ("right", 0.99)
    note = figures.note(place, 0.9, words, colour="$text-1", anchor=anchor, dx=0, pinned=True)
    note["font"]["weight"] = 600
    notes = [note]
    if point.middle is not None:
        under = f"{point.middle:,.0f} expected at this hour"
        notes.append(figures.note(place, 0.9, under, anchor=anchor, dx=0, dy=-16, pinned=True))
    return notes


def _named(found: Frame) -> list[Line]:
    """Marks that have room beside each other, the oldest first."""
    named: list[Line] = []
    for line in found.marks:
        place = _place(found, line)
        before = _place(found, named[-1]) if named else -1.0
        if 0 <= place <= 1 and place - before >= LEAST_APART and len(named) < MOST_TICKS:
            named.append(line)
    return named


def _place(found: Frame, line: Line) -> float:
    """Where a line stands on the curve: 0 = its beginning, 1 = its end."""
    points = found.curve.points
    span = (points[-1].at - points[0].at).total_seconds() + found.curve.step_seconds
    return (line.at - points[0].at).total_seconds() / span


def _ticks(found: Frame, axis: TimeAxis) -> list[dict[str, Any]]:
    notes = []
    for line in _named(found):
        place = _place(found, line)
        # At an edge a centred word would be cut off.
        anchor = "left" if place < EDGE else "right" if place > 1 - EDGE else "center"
        note = figures.note(axis.x(line.at), 1, _brief(line), size=11, anchor=anchor, dx=0, dy=12)
        notes.append(note | {"yref": "paper", "font": {"size": 11, "color": "$text-3"}})
    return notes


def _brief(line: Line) -> str:
    """A few words for a line: what stands before its colon."""
    words = "flagged" if line.kind == EVIDENCE else line.text.partition(":")[0].strip()
    return words if len(words) <= WORDS_SHOWN else f"{words[: WORDS_SHOWN - 1].rstrip()}…"


def _rule(x: str) -> dict[str, Any]:
    line = {"color": "$line-strong", "width": 1, "dash": "2px,2px"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": "paper", "line": line}


def _said(found: Frame) -> str:
    peak = found.curve.peak
    last = found.curve.whole[-1] if found.curve.whole else None
    parts = [] if last is None else [f"{last.mentions:,} in the last whole step"]
    return "; ".join([*parts, *([] if peak is None else [f"{peak.mentions:,} at its highest"])])


PANEL = Panel(
    key=KEY,
    topics=("incidents", "mentions", "sources", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES,
    table=table,
    reads_cases=True,
)
