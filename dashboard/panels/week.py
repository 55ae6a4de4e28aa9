"""When there is most to do: mentions per hour by hour of the week, over the past four weeks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import Span
from models import cube
from models.access import Window

KEY = "week"
NAME = "Hours of the week"
WEEKS = 4
HOUR = 3600
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# The ramp runs from the background to the ink; this bend leaves room between the busy hours.
GAMMA = 1.3


@dataclass(frozen=True, slots=True)
class Frame:
    """Mean mentions of an hour by weekday (0 = Monday) and local hour; None where nobody ever listened then.

    `hours` = how many hours were counted, `mentions` how many there were in them.
    """

    means: tuple[tuple[float | None, ...], ...]
    hours: int
    mentions: int
    partial: bool
    end: datetime
    words: str
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """Whole hours of the four weeks before the end of the window, in the page's zone."""
    zone = ZoneInfo(question.zone)
    window = hours_before(question.window.end, zone)
    counts, partial = cube.counts(connection, question.scope, window, question.organisation)
    starts = cube.steps(window, question.organisation)
    means, hours, mentions = _means(zip(starts, counts, strict=True), frame.gaps(connection, window), zone)
    return Frame(
        means=means,
        hours=hours,
        mentions=mentions,
        partial=partial,
        end=window.end,
        words=", ".join(scope.scope_words(question.scope, question.organisation)),
        zone=question.zone,
    )


def hours_before(end: datetime, zone: ZoneInfo) -> Window:
    """WEEKS weeks of whole hours of a zone's clock that are over at an instant."""
    stop = scope.edge_before(end, HOUR, zone).astimezone(UTC)
    return Window("weeks", stop - timedelta(weeks=WEEKS), stop, HOUR, live=False)


def draw(found: Frame) -> Props:
    """Seven rows of 24 cells; the busiest hour is named below and framed."""
    title = "Mentions per hour by hour of week"
    sub = f"past {WEEKS} weeks, {found.zone.replace('_', ' ')}"
    if found.partial:
        sub += ", newest 50,000 counted"
    best = peak(found)
    if best is None:
        text = f"No mention in the {found.hours:,} hours that were listened to in the past {WEEKS} weeks."
        if not found.hours:
            text = f"Nobody listened in the past {WEEKS} weeks, so nothing is known; this is not zero."
        state = {"kind": "empty", "title": "No hour of the week stands out", "text": text, "widen": ""}
        return {"week-head": frame.head(title, sub, label=f"{title}: none"), "week-state": state}
    day, hour, most = best
    words = f"Peak {DAYS[day]} {hour:02d}:00, {_number(most)} mentions per hour"
    return {
        "week-graph": {"figure": _figure(found, best, words)},
        "week-head": frame.head(title, sub, label=f"{title}, {found.words}: {words}"),
        "week-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty graph."""
    return frame.box(KEY, NAME, frame.graph(KEY, NAME))


def table(found: Frame) -> Table:
    """A row an hour of the week, Monday first."""
    rows = [
        (DAYS[day], f"{hour:02d}:00", None if mean is None else round(mean, 2))
        for day, means in enumerate(found.means)
        for hour, mean in enumerate(means)
    ]
    counted = f"{found.mentions:,} mentions in {found.hours:,} hours"
    return Table(
        title=f"Mentions per hour by hour of the week, past {WEEKS} weeks",
        about=exported.line(found.words, found.end, found.zone, counted),
        columns=("Day", f"Hour ({found.zone})", "Mentions per hour"),
        rows=tuple(rows),
    )


def peak(found: Frame) -> tuple[int, int, float] | None:
    """(weekday, hour, mean) of the busiest hour, the first of the week where two are equal; None where all are zero."""
    cells = [
        (mean, -day, -hour)
        for day, means in enumerate(found.means)
        for hour, mean in enumerate(means)
        if mean is not None and mean > 0
    ]
    if not cells:
        return None
    most, day, hour = max(cells)
    return -day, -hour, most


def _means(
    hours: Iterable[tuple[datetime, int]], spans: tuple[Span, ...], zone: ZoneInfo
) -> tuple[tuple[tuple[float | None, ...], ...], int, int]:
    sums = [[0] * 24 for _ in DAYS]
    counts = [[0] * 24 for _ in DAYS]
    for start, mentions in hours:
        if frame.unheard(start, HOUR, spans, count=mentions):
            continue
        local = start.astimezone(zone)
        sums[local.weekday()][local.hour] += mentions
        counts[local.weekday()][local.hour] += 1
    means = tuple(
        tuple(total / times if times else None for total, times in zip(*rows, strict=True))
        for rows in zip(sums, counts, strict=True)
    )
    return means, sum(map(sum, counts)), sum(map(sum, sums))


def _figure(found: Frame, best: tuple[int, int, float], words: str) -> figures.Figure:
    day, hour, most = best
    said = [
        [
            f"{DAYS[day]} {hour:02d}:00, {_number(mean)} per hour" if mean is not None else ""
            for hour, mean in enumerate(means)
        ]
        for day, means in enumerate(found.means)
    ]
    heat = {
        "type": "heatmap",
        "x": list(range(24)),
        "y": list(DAYS),
        "z": [[None if mean is None else round((mean / most) ** GAMMA, 3) for mean in means] for means in found.means],
        "text": said,
        "zmin": 0,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "colorscale": [[0, "$bg-raised"], [1, "$chart-ink"]],
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{text}<extra></extra>",
    }
    notes = [
        figures.note(0, 0, words, colour="$accent", dx=0, dy=-36, pinned=True),
        figures.note(
            1, 0, f"0 to {_number(most)} / h", colour="$text-3", size=11, anchor="right", dx=0, dy=-36, pinned=True
        ),
    ]
    notes[0]["font"]["weight"] = 600
    drawn = figures.figure([heat], revision=found.words, margin=(48, 16, 8, 52), notes=notes, hover="closest")
    drawn["layout"]["xaxis"] |= {
        "tickvals": [0, 6, 12, 18],
        "ticktext": ["00:00", "06:00", "12:00", "18:00"],
        "range": [-0.5, 23.5],
        "ticks": "",
        "fixedrange": True,
    }
    drawn["layout"]["yaxis"] |= {
        "autorange": "reversed",
        "tickvals": list(DAYS),
        "ticktext": list(DAYS),
        "showgrid": False,
        "ticks": "",
        "tickformat": "",
    }
    drawn["layout"]["shapes"] = [
        {
            "type": "rect",
            "x0": hour - 0.5,
            "x1": hour + 0.5,
            "y0": day - 0.5,
            "y1": day + 0.5,
            "line": {"color": "$accent", "width": 2},
        }
    ]
    drawn["layout"]["dragmode"] = False
    return drawn


def _number(mean: float) -> str:
    return f"{mean:,.0f}" if mean >= 10 else f"{mean:,.1f}"


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place, table=table)
