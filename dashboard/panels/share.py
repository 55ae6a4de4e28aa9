"""Share over time: of voice for a brand, of the brands' volume for a location, of all mentions for a team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import Span, TimeAxis
from dashboard.panels.subject_header import whole_of
from models import cube
from models.access import Window
from models.cube import Series
from models.organisation import UNKNOWN

KEY = "share"
NAME = "Share over time"
TITLES = {
    "brand": "Share of voice, % of mentions",
    "location": "Share of brand volume, % of mentions",
    "team": "Share of the teams, % of mentions",
}
WHOLES = {"brand": "its competitors", "location": "all locations", "team": "all teams"}
DAYS = timedelta(days=30)
# Lines of others: the largest, so that every line keeps its name.
MOST_OTHERS = 4
# A day with fewer mentions in the whole has no share worth drawing.
LEAST = 10
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """One of those that are compared: mentions a day."""

    id: int
    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Days (UTC instants of local midnights), mentions of the whole a day, the subject's line and those of others."""

    kind: str
    starts: tuple[datetime, ...]
    end: datetime
    whole: tuple[int, ...]
    own: Line
    others: tuple[Line, ...]
    gaps: tuple[Span, ...]
    partial: bool
    words: str
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """One statement for a brand and its set; for a location or team one for all of them and one for the whole."""
    window = whole_days(question)
    subject, there = question.subject, question.organisation
    kind = subject.kind if subject is not None else "brand"
    groups: dict[int, tuple[int, ...]]
    if kind == "brand" or subject is None:
        parts, names = (
            cube.by_brand(connection, question.scope, window, there, values=cube.SENTIMENTS[:1]),
            there.brand_names,
        )
        ours = question.scope.brand_ids
        groups = {one: (one,) for one in parts if one not in ours}
    elif kind == "location":
        parts = cube.series_by(connection, whole_of(question), cube.LOCATION, window, there, values=cube.SENTIMENTS[:1])
        names, ours = there.location_names, there.below(subject.id)
        groups = {one: there.below(one) for one in peers(question)}
    else:
        parts = cube.series_by(connection, whole_of(question), cube.TEAM, window, there, values=cube.SENTIMENTS[:1])
        names, ours = there.team_names, (subject.id,)
        groups = {one: (one,) for one in parts if one not in (subject.id, UNKNOWN)}
    starts = cube.steps(window, there)
    lines = [Line(one, names.get(one, "?"), _added(parts, members, len(starts))) for one, members in groups.items()]
    lines.sort(key=lambda line: (-sum(line.counts), line.id))
    return Frame(
        kind=kind,
        starts=starts,
        end=window.end,
        whole=_added(parts, tuple(parts), len(starts)),
        own=Line(0, _name(question), _added(parts, ours, len(starts))),
        others=tuple(line for line in lines[:MOST_OTHERS] if sum(line.counts) or kind == "brand"),
        gaps=frame.gaps(connection, window),
        partial=any(part.partial for part in parts.values()),
        words=", ".join(scope.scope_words(question.scope, there)),
        zone=there.zone,
    )


def whole_days(question: Question) -> Window:
    """The local days of the window that are over, 30 of them at least.

    Over hours a share is mostly the hour of the day, and a day that has begun looks like a slump.
    """
    window, zone = question.window, question.organisation.zone_info
    end = scope.edge_before(window.end, DAY, zone)
    # Half a day more, so that a day of 23 or 25 hours is still one day.
    start = scope.edge_before(min(window.start, end - DAYS + timedelta(hours=12)), DAY, zone)
    return Window("days", start, end, DAY, live=False)


def draw(found: Frame) -> Props:
    """Lines of shares with their names at the right end; a day of too few mentions is a gap."""
    title = TITLES[found.kind]
    sub = f"{len(found.starts)} whole days, of {WHOLES[found.kind]}"
    if found.kind == "brand":
        sub = f"{len(found.starts)} whole days, {len(found.others) + 1} brands"
    if found.partial:
        sub += ", newest 50,000 counted"
    lines = [_shares(found, line) for line in (found.own, *found.others)]
    own = next((share for share in reversed(lines[0]) if share is not None), None)
    if not sum(found.whole) or own is None or (found.kind == "brand" and not found.others):
        alone = found.kind == "brand" and bool(sum(found.whole)) and not found.others
        text = "No competitor is set for this brand." if alone else f"No mention of {WHOLES[found.kind]} in these days."
        if sum(found.whole) and not alone:
            text = f"On no day there were {LEAST} mentions to take a share of."
        state = {"kind": "empty", "title": "No share to draw", "text": text, "widen": ""}
        return {"share-head": frame.head(title, sub, label=f"{title}: none"), "share-state": state}
    label = f"{title}, {found.own.name}, {found.words}: {own:.1f}% on the last whole day"
    return {
        "share-graph": {"figure": _figure(found, lines)},
        "share-head": frame.head(title, sub, label=label),
        "share-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def table(found: Frame) -> Table:
    """A row a day: mentions of the whole, then the shares in %."""
    lines = [found.own, *found.others]
    shares = [_shares(found, line) for line in lines]
    rows = [
        (start, found.whole[day], *(shares[n][day] for n in range(len(lines))))
        for day, start in enumerate(found.starts)
    ]
    counted = f"{sum(found.own.counts):,} of {sum(found.whole):,} mentions"
    return Table(
        title=TITLES[found.kind],
        about=exported.line(found.words, found.end, found.zone, counted),
        columns=("Day", "Mentions of all", *(f"{line.name} (%)" for line in lines)),
        rows=tuple(rows),
    )


def _shares(found: Frame, line: Line) -> list[float | None]:
    shares: list[float | None] = []
    for start, count, whole in zip(found.starts, line.counts, found.whole, strict=True):
        if whole < LEAST or frame.unheard(start, DAY, found.gaps, count=whole):
            shares.append(None)
        else:
            shares.append(round(100 * count / whole, 2))
    return shares


def _figure(found: Frame, lines: list[list[float | None]]) -> figures.Figure:
    # The last day is drawn where it ends, so that the line reaches the edge.
    axis = TimeAxis(found.starts[0], found.starts[-1], found.zone, most_ticks=5)
    x = [axis.x(start) for start in found.starts]
    highest = max(share for line in lines for share in line if share is not None)
    top, grid = style.axis_top(min(100.0, highest * 1.08))
    traces, names = [], [found.own.name, *(line.name for line in found.others)]
    for name, shares in reversed(list(zip(names[1:], lines[1:], strict=True))):
        traces.append(figures.line(x, shares, name=name, colour=figures.QUIET, width=1.2, hover="%{y:.1f}%"))
    traces.append(figures.line(x, lines[0], name=names[0], width=2.2, hover="%{y:.1f}%"))
    if None not in lines[0]:
        # Below everything: the lines of others must be seen through it.
        area = figures.line(x, lines[0], colour="$chart-band", width=0) | {
            "fill": "tozeroy",
            "fillcolor": "$chart-band",
        }
        traces.insert(0, area | {"hoverinfo": "skip", "hovertemplate": None})
    ends = [(names[n], value, n == 0) for n, line in enumerate(lines) if (value := _last(line)) is not None]
    notes = []
    for name, value, own, y in end_labels(ends, top):
        words = f"{_clipped(name)} {value:.1f}%" if own else f"{_clipped(name)} {value:.0f}%"
        note = figures.note(x[-1], y, words, colour="$text-1" if own else "$text-2", dx=10)
        notes.append(note | {"font": note["font"] | ({"weight": 600} if own else {})})
        if own:
            marker = {"size": 7, "color": "$chart-ink", "line": {"width": 0}}
            dot = figures.line([x[-1]], [value]) | {"mode": "markers", "marker": marker, "cliponaxis": False}
            traces.append(dot | {"hoverinfo": "skip", "hovertemplate": None})
    drawn = figures.figure(traces, revision=found.words, margin=(44, 128, 12, 28), notes=notes)
    drawn["layout"]["xaxis"] |= axis.layout()
    drawn["layout"]["yaxis"] |= {
        "range": [0, top * 1.04],
        "dtick": grid,
        "ticksuffix": "%",
        "tickformat": ",d",
        "zeroline": True,
    }
    drawn["layout"]["dragmode"] = False
    return drawn


def end_labels(
    ends: list[tuple[str, float, bool]], top: float, *, apart: float = 0.085
) -> list[tuple[str, float, bool, float]]:
    """(name, value, own, y): labels at line ends, pushed apart so that none covers another; `apart` of the axis."""
    ordered = sorted(ends, key=lambda end: (end[1], end[0]))
    gap, heights = top * apart, list[float]()
    for _, value, _ in ordered:
        heights.append(max(value, heights[-1] + gap) if heights else value)
    # Pushed upward only, the last ones may leave the axis: push the stack down again.
    ceiling = top
    for at in reversed(range(len(heights))):
        heights[at] = min(heights[at], ceiling)
        ceiling = heights[at] - gap
    return [(*end, y) for end, y in zip(ordered, heights, strict=True)]


def _clipped(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def _last(shares: list[float | None]) -> float | None:
    return next((share for share in reversed(shares) if share is not None), None)


def _added(parts: Mapping[int, Series], members: Sequence[int], count: int) -> tuple[int, ...]:
    found = [parts[one].tallies for one in members if one in parts]
    return tuple(sum(tallies[n].mentions for tallies in found) for n in range(count))


def peers(question: Question) -> list[int]:
    """What a location stands beside: the others of its kind that this person may see."""
    subject, places = question.subject, question.organisation.locations
    if subject is None:
        return []
    kind = next(item.kind for item in places if item.id == subject.id)
    return [
        item.id
        for item in places
        if item.kind == kind and item.id != subject.id and (subject.among is None or item.id in subject.among)
    ]


def _name(question: Question) -> str:
    subject, there = question.subject, question.organisation
    if subject is None:
        return "Our brands"
    names: dict[str, dict[int, str]] = {
        "brand": there.brand_names,
        "location": there.location_names,
        "team": there.team_names,
    }
    return names[subject.kind][subject.id]


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place, table=table)
