"""Mentions and net sentiment a day of every row of a table: the browser draws those that are ticked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import Span, TimeAxis
from dashboard.panels.index_rows import Group, groups_of
from dashboard.panels.index_table import DIMENSIONS, NAMES, added
from dashboard.panels.share import whole_days
from models import cube
from models.cube import Tally

# A day with fewer scored mentions has no net worth a point of a line.
LEAST_SCORED = 12
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Frame:
    """Days, and for each member its tallies a day."""

    kind: str
    groups: tuple[Group, ...]
    starts: tuple[datetime, ...]
    tallies: Mapping[str, tuple[Tally, ...]]
    gaps: tuple[Span, ...]
    partial: bool
    words: str
    end: datetime
    zone: str


def draw(found: Frame) -> Props:
    """The axis, and two runs of numbers a member; None where nobody listened or too few were scored."""
    kind, starts = found.kind, found.starts
    axis = TimeAxis(starts[0], starts[-1], found.zone, most_ticks=6)
    rows = [
        {
            "key": member.key,
            "name": member.name,
            "ours": member.is_ours,
            "mentions": [
                None if frame.unheard(start, DAY, found.gaps, count=tally.mentions) else tally.mentions
                for start, tally in zip(starts, found.tallies[member.key], strict=True)
            ],
            "net": [_net(tally) for tally in found.tallies[member.key]],
        }
        for group in found.groups
        for member in group.members
    ]
    return {
        f"index-{kind}s-days-graphs": {
            "kind": kind,
            "rows": rows,
            "x": [axis.x(start) for start in starts],
            "axis": axis.layout(),
            "sub": f"{len(starts)} whole days" + (", newest 50,000 counted" if found.partial else ""),
        },
        f"index-{kind}s-days-state": frame.NO_STATE,
    }


def table(found: Frame) -> Table:
    """A row a day and member."""
    rows = [
        (start, member.name, tally.mentions, _net(tally), tally.scored)
        for group in found.groups
        for member in group.members
        for start, tally in zip(found.starts, found.tallies[member.key], strict=True)
    ]
    counted = f"{len(found.tallies)} rows over {len(found.starts)} days"
    return Table(
        title=f"{NAMES[found.kind]} by day",
        about=exported.line(found.words, found.end, found.zone, counted),
        columns=("Day", "Name", "Mentions", "Net (pts)", "Scored"),
        rows=tuple(rows),
    )


def panel(kind: str) -> Panel:
    """The two graphs of one kind."""
    return Panel(
        key=f"index-{kind}s-days",
        topics=("mentions", "sources", "organisation"),
        query=_query(kind),
        draw=draw,
        place=_place(kind),
        table=table,
    )


def _query(kind: str) -> Callable[[Connection, Question], Frame]:
    def query(connection: Connection, question: Question) -> Frame:
        """One statement: days of all of them."""
        window, there = whole_days(question), question.organisation
        found = cube.series_by(connection, question.scope, DIMENSIONS[kind], window, there, values=cube.SENTIMENTS)
        starts = cube.steps(window, there)
        groups, _, _ = groups_of(kind, question)
        tallies = {
            member.key: tuple(
                added(found[one].tallies[n] for one in member.ids if one in found) for n in range(len(starts))
            )
            for group in groups
            for member in group.members
        }
        return Frame(
            kind=kind,
            groups=groups,
            starts=starts,
            tallies=tallies,
            gaps=frame.gaps(connection, window),
            partial=any(series.partial for series in found.values()),
            words=", ".join(scope.scope_words(question.scope, there)),
            end=window.end,
            zone=there.zone,
        )

    return query


def _place(kind: str) -> Callable[[], Component]:
    key = f"index-{kind}s-days"

    def place() -> Component:
        """Two boxes with empty graphs under one key."""
        return html.Section(
            id=f"panel-{key}",
            className="index-graphs",
            **{"aria-label": "Ticked rows by day", "data-panel": key},
            children=[
                html.Div(id=f"{key}-graphs", className="unseen", role="note"),
                _graph(f"{key}-mentions", "Mentions per day, ticked rows"),
                _graph(f"{key}-net", "Net sentiment per day, ticked rows"),
                html.Div(id=f"{key}-state", className="pstate", **{"data-state-of": key}),
            ],
        )

    return place


def _graph(key: str, title: str) -> Component:
    return html.Div(
        className="panel",
        children=[
            html.Div([html.H2(title), html.Span(id=f"{key}-sub", className="sub")], className="ph"),
            html.Div(
                className="pb",
                children=[
                    html.Div(
                        className="plot",
                        role="img",
                        **{"aria-label": title, "data-graph": key},
                        children=dcc.Graph(
                            id=f"{key}-graph",
                            figure=figures.figure([], revision=""),
                            config=figures.CONFIG,
                            responsive=True,
                            style={"height": "100%"},
                        ),
                    ),
                    html.P(id=f"{key}-none", className="none-ticked t2"),
                ],
            ),
        ],
    )


def _net(tally: Tally) -> float | None:
    value: Any = tally.net_sentiment
    return None if value is None or tally.scored < LEAST_SCORED else round(value, 1)
