"""Sentiment over time: positive above zero, negative below, net as a dotted line."""

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
from dashboard.panels.volume import hatching, last_whole
from models import cube
from models.cube import Series, Tally

KEY = "sentiment"
NAME = "Sentiment over time"


@dataclass(frozen=True, slots=True)
class Frame:
    """Tallies per step up to `end`, the spans in which no source listened, and the words."""

    series: Series
    end: datetime
    gaps: tuple[Span, ...]
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """Tallies from the rollups."""
    series = cube.series(connection, question.scope, question.window, question.organisation)
    told = frame.about(question)
    if not series.total.mentions:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(series, question.window.end, frame.gaps(connection, question.window), told)


def draw(found: Frame) -> Props:
    """Shares of what could be scored; a step without any is a gap, not a zero."""
    told, total = found.about, found.series.total
    title = f"Sentiment, % of mentions per {style.step_words(told.step_seconds)}"
    sub = "positive above zero, negative below, dots = net"
    if not total.scored:
        state = frame.empty(told)
        if total.mentions:
            said = f"{total.mentions:,} mention{'' if total.mentions == 1 else 's'}, none in a language that is scored."
            state = {"kind": "empty", "title": "No sentiment in this scope", "text": said, "widen": ""}
        label = f"{title}, {told.words}: nothing scored"
        return {"sentiment-head": frame.head(title, sub, label=label), "sentiment-state": state}
    net = total.net_sentiment or 0.0
    side = f"neutral {style.percent(total.neutral / total.scored, 0)}, not drawn"
    label = f"{title}, {told.words}: net {style.signed(net)} of {total.scored:,} scored"
    return {
        "sentiment-graph": {"figure": _figure(found)},
        "sentiment-head": frame.head(title, sub, side=side, label=label),
        "sentiment-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def _figure(found: Frame) -> figures.Figure:
    starts, tallies = found.series.starts, found.series.tallies
    axis = TimeAxis(starts[0], max(starts[-1], starts[0] + timedelta(seconds=1)), found.about.zone)
    x = [axis.x(start) for start in starts]
    above = [_share(tally.positive, tally) for tally in tallies]
    below = [_share(tally.negative, tally) for tally in tallies]
    net = [tally.net_sentiment for tally in tallies]
    up, down = _reach(above), _reach(below)
    traces, notes = hatching(found.gaps, axis, starts[0], found.end)
    for trace in figures.mirrored(x, above, below, names=("▲ Positive", "▼ Negative"), unit="%"):
        traces.append(trace | {"opacity": 0.9})
    dots = figures.line(x, net, name="net", width=1.6, dash="1px,3px", hover="%{y:+.0f}")
    traces.append(dots)
    notes += _words(x, above, below, net, last_whole(found.series, found.end), up + down)
    drawn = figures.figure(traces, revision=found.about.words, margin=(48, 72, 8, 28), notes=notes)
    drawn["layout"]["xaxis"] |= axis.layout()
    step = 20 if up + down <= 120 else 40
    marks = list(range(-(down // step) * step, up + 1, step))
    drawn["layout"]["yaxis"] |= {
        "range": [-down * 1.04, up * 1.04],
        "tickvals": marks,
        "ticktext": [f"{abs(mark)}%" for mark in marks],
        "zeroline": True,
        "fixedrange": True,
    }
    drawn["layout"]["dragmode"] = False
    return drawn


def _share(count: int, tally: Tally) -> float | None:
    return 100 * count / tally.scored if tally.scored else None


def _reach(shares: list[float | None]) -> int:
    """How far the axis goes to one side: the next 20 %, at least 40, so that two quiet days look alike."""
    highest = max((share for share in shares if share is not None), default=0.0)
    return int(min(100, max(40, -(-highest // 20) * 20)))


def _words(
    x: list[str],
    above: list[float | None],
    below: list[float | None],
    net: list[float | None],
    last: int,
    height: int,
) -> list[dict[str, Any]]:
    """The names at the left of their areas, the last whole values at the right end of the lines."""
    notes = []
    near = max(len(x) // 8, 1)
    high = max((share or 0 for share in above[:near]), default=0)
    low = max((share or 0 for share in below[:near]), default=0)
    lift = height * 0.06
    notes.append(_bold(figures.note(x[0], high + lift, "▲ Positive", colour="$pos", dx=10)))
    notes.append(_bold(figures.note(x[0], -low - lift, "▼ Negative", colour="$neg", dx=10)))
    up, down, level = above[last], below[last], net[last]
    if up is None or down is None or level is None:
        return notes
    apart = height * 0.1
    top = max(up, level + apart)
    bottom = max(down, apart - level)
    notes.append(_bold(figures.note(x[-1], top, f"▲ {up:.0f}%", colour="$pos", dx=10)))
    notes.append(_bold(figures.note(x[-1], level, f"net {style.signed(level)}", colour="$text-1", dx=10)))
    notes.append(_bold(figures.note(x[-1], -bottom, f"▼ {down:.0f}%", colour="$neg", dx=10)))
    return notes


def _bold(note: dict[str, Any]) -> dict[str, Any]:
    return note | {"font": note["font"] | {"weight": 600}}


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place)
