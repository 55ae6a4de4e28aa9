"""Sentiment over time: positive above zero, negative below, net as a dotted line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import About, Span, TimeAxis
from dashboard.panels.volume import hatching, last_whole
from models import cube
from models.cube import NOTHING, Series, Tally

KEY = "sentiment"
NAME = "Sentiment over time"
LEAST_SCORED = 12
FACTORS = (1, 2, 4, 8)
LEAST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """Tallies per step up to `end`, the spans in which no source listened, and the words."""

    series: Series
    end: datetime
    gaps: tuple[Span, ...]
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """Tallies from the rollups."""
    series = cube.series(connection, question.scope, question.window, question.organisation, values=cube.SENTIMENTS)
    told = frame.about(question)
    if not series.total.mentions:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(series, question.window.end, frame.gaps(connection, question.window), told)


def draw(found: Frame) -> Props:
    """Shares of what could be scored; a step without any is a gap, not a zero."""
    told, total = found.about, found.series.total
    series = coarser(found.series) if total.scored else found.series
    title = f"Sentiment, % of mentions per {style.step_words(series.step_seconds)}"
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
        "sentiment-graph": {"figure": _figure(found, series)},
        "sentiment-head": frame.head(title, sub, side=side, label=label),
        "sentiment-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def table(found: Frame) -> Table:
    """A row a step as it is drawn; counts are None where nobody listened, net where nothing was scored."""
    told, total = found.about, found.series.total
    series = coarser(found.series) if total.scored else found.series
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for start, tally in zip(series.starts, series.tallies, strict=True):
        if frame.unheard(start, series.step_seconds, found.gaps, count=tally.mentions):
            rows.append((start, None, None, None, None, None))
            continue
        net = None if tally.net_sentiment is None else round(tally.net_sentiment, 1)
        rows.append((start, tally.positive, tally.neutral, tally.negative, tally.unscored, net))
    counted = f"{total.scored:,} scored of {total.mentions:,} mentions"
    return Table(
        title=f"Sentiment per {style.step_words(series.step_seconds)}",
        about=exported.line(told.words, found.end, told.zone, counted),
        columns=("From", "Positive", "Neutral", "Negative", "Not scored", "Net (pts)"),
        rows=tuple(rows),
    )


def coarser(series: Series) -> Series:
    """The same tallies with 1, 2, 4 or 8 steps in one, so that it holds LEAST_SCORED on average: fewer are noise."""
    scored, steps = series.total.scored, len(series.starts)
    factors = [n for n in FACTORS if n == 1 or steps >= LEAST_STEPS * n]
    factor = next((n for n in factors if scored * n >= LEAST_SCORED * steps), factors[-1])
    starts = series.starts[::factor]
    groups = [series.tallies[at : at + factor] for at in range(0, len(series.tallies), factor)]
    tallies = tuple(replace(series, tallies=group).total for group in groups)
    return replace(series, starts=starts, tallies=tallies, step_seconds=series.step_seconds * factor)


def _figure(found: Frame, series: Series) -> figures.Figure:
    starts, step = series.starts, series.step_seconds
    first, until = found.series.starts[0], found.series.starts[-1]
    axis = TimeAxis(first, max(until, first + timedelta(seconds=1)), found.about.zone)
    x = [axis.x(start) for start in starts]
    heard = [
        tally if not frame.unheard(start, step, found.gaps, count=tally.mentions) else NOTHING
        for start, tally in zip(starts, series.tallies, strict=True)
    ]
    above = [_share(tally.positive, tally) for tally in heard]
    below = [_share(tally.negative, tally) for tally in heard]
    net = [None if tally.net_sentiment is None else round(tally.net_sentiment, 1) for tally in heard]
    up, down = _reach(above), _reach(below)
    traces, notes = hatching(found.gaps, axis, first, found.end)
    for trace in figures.mirrored(x, above, below, names=("▲ Positive", "▼ Negative"), unit="%"):
        traces += [_filling(trace), _dotted(trace | {"fill": "none"})]
    net_line = figures.line(x, net, name="net", width=1.6, dash="1px,3px", hover="%{y:+.0f}")
    traces.append(_dotted(net_line))
    notes += _words(axis.x(until), x, above, below, net, last_whole(series, found.end), up + down)
    drawn = figures.figure(traces, revision=found.about.words, margin=(48, 72, 8, 28), notes=notes)
    drawn["layout"]["xaxis"] |= axis.layout()
    mark = 20 if up + down <= 120 else 40
    marks = list(range(-(down // mark) * mark, up + 1, mark))
    drawn["layout"]["yaxis"] |= {
        "range": [-down * 1.04, up * 1.04],
        "tickvals": marks,
        "ticktext": [f"{abs(value)}%" for value in marks],
        "zeroline": True,
        "fixedrange": True,
    }
    drawn["layout"]["dragmode"] = False
    return drawn


def _filling(trace: figures.Trace) -> figures.Trace:
    """The area of a trace, down to zero at both sides of a gap: Plotly would fill across it."""
    x: list[str] = []
    y: list[float] = []
    before: float | None = None
    pairs = list(zip(trace["x"], trace["y"], strict=True))
    for (at, value), (_, after) in zip(pairs, [*pairs[1:], ("", None)], strict=True):
        if value is not None:
            x += [at] * (1 + (before is None) + (after is None))
            y += [0.0] * (before is None) + [value] + [0.0] * (after is None)
        before = value
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "fill": "tozeroy",
        "fillcolor": trace["fillcolor"],
        "line": {"width": 0, "color": trace["fillcolor"]},
        "hoverinfo": "skip",
    }


def _dotted(trace: figures.Trace) -> figures.Trace:
    """The trace with a dot at each step that stands between gaps: a line of one point would not be seen."""
    values = trace["y"]
    around = zip([None, *values], values, [*values[1:], None], strict=False)
    sizes = [5 * (value is not None and before is None and after is None) for before, value, after in around]
    if not any(sizes):
        return trace
    marker = {"size": sizes, "color": trace["line"]["color"], "line": {"width": 0}}
    return trace | {"mode": "lines+markers", "marker": marker}


def _share(count: int, tally: Tally) -> float | None:
    return round(100 * count / tally.scored, 1) if tally.scored else None


def _reach(shares: list[float | None]) -> int:
    """How far the axis goes to one side: the next 20 %, at least 40, so that two quiet days look alike."""
    highest = max((share for share in shares if share is not None), default=0.0)
    return int(min(100, max(40, -(-highest // 20) * 20)))


def _words(
    right: str,
    x: list[str],
    above: list[float | None],
    below: list[float | None],
    net: list[float | None],
    last: int,
    height: int,
) -> list[dict[str, Any]]:
    """The names at the left of their areas, the last whole values at the right end of the lines."""
    notes = []
    first = next((index for index, share in enumerate(above) if share is not None), 0)
    # As many steps as the words are wide.
    near = slice(first, first + len(x) // 6 + 2)
    lift = height * 0.07
    high = max(lift, *(share or 0 for share in above[near]))
    low = max(lift, *(share or 0 for share in below[near]))
    notes.append(_bold(figures.note(x[first], high + lift, "▲ Positive", colour="$pos", dx=10)))
    notes.append(_bold(figures.note(x[first], -low - lift, "▼ Negative", colour="$neg", dx=10)))
    up, down, level = above[last], below[last], net[last]
    if up is None or down is None or level is None:
        return notes
    apart = height * 0.1
    top = max(up, level + apart)
    bottom = max(down, apart - level)
    notes.append(_bold(figures.note(right, top, f"▲ {up:.0f}%", colour="$pos", dx=10)))
    notes.append(_bold(figures.note(right, level, f"net {style.signed(level)}", colour="$text-1", dx=10)))
    notes.append(_bold(figures.note(right, -bottom, f"▼ {down:.0f}%", colour="$neg", dx=10)))
    return notes


def _bold(note: dict[str, Any]) -> dict[str, Any]:
    return note | {"font": note["font"] | {"weight": 600}}


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place, table=table)
