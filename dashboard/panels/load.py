"""The load of a team over the day: mentions routed to it an hour, today and on the like days of the past four weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from models import cube
from models.access import Window
from models.expected import FRIDAY

KEY = "load"
NAME = "Load over the day"
WEEKS = 4
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Frame:
    """24 local hours: the mean of `days` like days, and the day that the window ends in; None = not heard, not yet."""

    usual: tuple[float | None, ...]
    today: tuple[int | None, ...]
    days: int
    like: str
    day: datetime
    end: datetime
    partial: bool
    words: str
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """One read of the hours of four weeks and of today up to the end of the window."""
    zone = ZoneInfo(question.zone)
    end = question.window.end
    day = end.astimezone(zone).date()
    start = datetime.combine(day - timedelta(weeks=WEEKS), time(), zone).astimezone(UTC)
    stop = scope.edge_before(end, HOUR, zone).astimezone(UTC)
    window = Window("weeks", start, max(stop, start + timedelta(seconds=HOUR)), HOUR, live=False)
    counts, partial = cube.counts(connection, question.scope, window, question.organisation)
    spans = frame.gaps(connection, window)
    sums, times = [0] * 24, [0] * 24
    today: list[int | None] = [None] * 24
    days = set()
    for begun, mentions in zip(cube.steps(window, question.organisation), counts, strict=True):
        if frame.unheard(begun, HOUR, spans, count=mentions):
            continue
        local = begun.astimezone(zone)
        if local.date() == day:
            today[local.hour] = (today[local.hour] or 0) + mentions
        elif (local.weekday() <= FRIDAY) == (day.weekday() <= FRIDAY):
            sums[local.hour] += mentions
            times[local.hour] += 1
            days.add(local.date())
    return Frame(
        usual=tuple(total / count if count else None for total, count in zip(sums, times, strict=True)),
        today=tuple(today),
        days=len(days),
        like="Mon to Fri" if day.weekday() <= FRIDAY else "Sat and Sun",
        day=datetime.combine(day, time(), zone),
        end=end,
        partial=partial,
        words=", ".join(scope.scope_words(question.scope, question.organisation)),
        zone=question.zone,
    )


def draw(found: Frame) -> Props:
    """The usual day as an area, today as a line that ends where the day stands."""
    title = NAME
    sub = f"usual {found.like}, {found.days} days"
    if found.partial:
        sub += ", newest 50,000 counted"
    known = [value for value in (*found.usual, *found.today) if value]
    if not known:
        text = "Nothing was routed to it in the past four weeks."
        state = {"kind": "empty", "title": "No load to show", "text": text, "widen": ""}
        return {"load-head": frame.head(title, sub, label=f"{title}: none"), "load-state": state}
    most = (
        max((value, hour) for hour, value in enumerate(found.usual) if value is not None)
        if any(value is not None for value in found.usual)
        else (0, 0)
    )
    label = f"{title}, {found.words}: usually {most[0]:,.1f} at most, at {most[1]:02d}:00"
    return {
        "load-graph": {"figure": _figure(found)},
        "load-head": frame.head(title, sub, label=label),
        "load-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def table(found: Frame) -> Table:
    """A row an hour of the day."""
    rows = [
        (f"{hour:02d}:00", None if usual is None else round(usual, 2), today)
        for hour, (usual, today) in enumerate(zip(found.usual, found.today, strict=True))
    ]
    counted = f"{found.days} days, {sum(count or 0 for count in found.today):,} mentions today"
    return Table(
        title=NAME,
        about=exported.line(found.words, found.end, found.zone, counted),
        columns=(f"Hour ({found.zone})", f"Usual, {found.like} (mentions per hour)", f"{found.day:%-d %b %Y}"),
        rows=tuple(rows),
    )


def _figure(found: Frame) -> figures.Figure:
    hours = [f"{found.day:%Y-%m-%d} {hour:02d}:00:00" for hour in range(24)]
    usual = [None if value is None else round(value, 2) for value in found.usual]
    highest = max((value for value in (*usual, *found.today) if value is not None), default=0)
    top, grid = style.axis_top(highest)
    area = figures.line(hours, usual, name="usual", colour=figures.QUIET, width=1.2, dash="dot", hover="%{y:,.1f}")
    traces = [
        area | {"fill": "tozeroy", "fillcolor": "$chart-band"},
        figures.line(hours, found.today, name=f"{found.day:%-d %b}", width=2.2),
    ]
    notes = []
    last = next((hour for hour in range(23, -1, -1) if found.today[hour] is not None), None)
    if last is not None:
        value = found.today[last]
        assert value is not None
        dot = figures.line([hours[last]], [value]) | {
            "mode": "markers",
            "marker": {"size": 7, "color": "$chart-ink", "line": {"width": 0}},
            "hoverinfo": "skip",
            "hovertemplate": None,
        }
        traces.append(dot)
        note = figures.note(hours[last], value, f"{value:,} at {last:02d}:00", colour="$text-1", dx=10, dy=8)
        notes.append(note | {"font": note["font"] | {"weight": 600}})
    if usual[23] is not None:
        notes.append(figures.note(hours[23], usual[23], "usual", colour="$text-2", dx=10))
    drawn = figures.figure(traces, revision=found.words, margin=(44, 64, 12, 28), notes=notes)
    drawn["layout"]["xaxis"] |= {
        "type": "date",
        "range": [hours[0], hours[23]],
        "tickvals": hours[::6],
        "ticktext": [f"{hour:02d}:00" for hour in range(0, 24, 6)],
        "hoverformat": "%H:%M",
        "fixedrange": True,
    }
    drawn["layout"]["yaxis"] |= {"range": [0, top * 1.06], "dtick": grid, "tickformat": ",d", "zeroline": True}
    drawn["layout"]["dragmode"] = False
    return drawn


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place, table=table)
