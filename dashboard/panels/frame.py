"""What every panel shares: its box with a head, a body and a place for its state, and the words that stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Question
from models import mentions, sources
from models.access import Window

WIDEN = {"1h": "1 h", "24h": "24 h", "7d": "7 days", "30d": "30 days"}
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class About:
    """What a panel says about what it shows. `last_at` is asked for only where the scope is empty."""

    words: str
    scope_words: str
    window_name: str
    live: bool
    step_seconds: int
    zone: str
    now: datetime
    last_at: datetime | None = None


def about(question: Question) -> About:
    """The scope and window of a question in words."""
    window = question.window
    return About(
        words=scope.words(question.scope, window, question.organisation),
        scope_words=", ".join(scope.scope_words(question.scope, question.organisation)),
        window_name=window.name,
        live=window.live,
        step_seconds=window.step_seconds,
        zone=question.zone,
        now=question.now,
    )


def last_posted_at(connection: Connection, question: Question) -> datetime | None:
    """When the scope was last spoken of, for the sentence of an empty panel."""
    return mentions.last_posted_at(connection, question.scope)


def gaps(connection: Connection, window: Window) -> tuple[Span, ...]:
    """Spans in which no source listened, clipped to the window."""
    return tuple(
        (max(start, window.start), min(end, window.end))
        for start, end in sources.gaps(connection, window)
        if end > window.start and start < window.end
    )


def unheard(start: datetime, step_seconds: int, spans: Sequence[Span], *, count: int) -> bool:
    """Whether nobody listened for most of a step, or for a part of one without mentions: its count says nothing."""
    end = start + timedelta(seconds=step_seconds)
    overlaps = [(min(end, span[1]) - max(start, span[0])).total_seconds() for span in spans]
    missed = sum(overlap for overlap in overlaps if overlap > 0)
    return missed > 0 and (count == 0 or missed >= step_seconds / 2)


def box(key: str, name: str, body: Component, *, head: bool = True, class_name: str = "") -> Component:
    """A panel at its final size. The browser draws into head and state; both stay without children here."""
    return html.Section(
        id=f"panel-{key}",
        className=f"panel {class_name}".strip(),
        **{"aria-label": name, "data-panel": key},
        children=[
            *([html.Div(id=f"{key}-head", className="ph")] if head else []),
            html.Div(body, className="pb"),
            html.Div(id=f"{key}-state", className="pstate", **{"data-state-of": key}),
        ],
    )


def graph(key: str, name: str) -> Component:
    """An empty graph that fills the body of its panel."""
    return html.Div(
        className="plot",
        role="img",
        **{"aria-label": name, "data-graph": key},
        children=dcc.Graph(
            id=f"{key}-graph",
            figure=figures.figure([], revision=""),
            config=figures.CONFIG,
            responsive=True,
            style={"height": "100%"},
        ),
    )


def head(title: str, sub: str, *, side: str = "", label: str = "") -> dict[str, Any]:
    """The head's texts; `label` is what a screen reader says of the graph: its title and last value."""
    return {"title": title, "sub": sub, "side": side, "label": label}


NO_STATE: dict[str, Any] = {"kind": ""}


def empty(told: About, *, text: str = "") -> dict[str, Any]:
    """No mentions match: the scope in words, when there was last something, the ways out."""
    words = told.words[:1].upper() + told.words[1:]
    last = "There has been none so far."
    if told.last_at is not None:
        ago = style.span_words((told.now - told.last_at).total_seconds())
        last = f"The last one was {ago} ago." if told.live else f"The newest is of {_day(told.last_at, told.zone)}."
    names = list(scope.WINDOWS)
    wider = ""
    if told.window_name in names and told.window_name != names[-1]:
        wider = names[names.index(told.window_name) + 1]
    return {
        "kind": "empty",
        "title": "No mentions match this scope",
        "text": text or f"{words}. {last}",
        "widen": wider,
        "widen_words": f"Widen to {WIDEN[wider]}" if wider else "",
    }


def _day(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%-d %b %Y}"


class TimeAxis:
    """Instants as Plotly draws them, on the wall clock that the window ends with.

    One offset for the whole window keeps the line running to the right in the hour that summer time repeats; the
    labels are the true local times.
    """

    def __init__(self, start: datetime, end: datetime, zone: str, *, most_ticks: int = 9) -> None:
        self._zone = ZoneInfo(zone)
        self._offset = end.astimezone(self._zone).utcoffset() or timedelta()
        self._utc = start.tzinfo
        self._span = end - start
        self.range = (self.x(start), self.x(end))
        values, self.labels = style.ticks(start, end, self._zone, most=most_ticks)
        self.values = [self.x(datetime.fromtimestamp(value, start.tzinfo)) for value in values]

    def x(self, instant: datetime) -> str:
        """One instant as a place on the axis."""
        return (instant.astimezone(self._utc) + self._offset).strftime("%Y-%m-%d %H:%M:%S")

    def clock(self, instant: datetime) -> str:
        """The local time of an instant as the window needs it: 14:15, Thu 14:15 or 19 Nov."""
        local = instant.astimezone(self._zone)
        if self._span <= timedelta(hours=36):
            return f"{local:%H:%M}"
        return f"{local:%a %H:%M}" if self._span <= timedelta(days=8) else f"{local:%-d %b}"

    def layout(self) -> dict[str, Any]:
        """What the x axis of a figure gets."""
        return {
            "type": "date",
            "range": list(self.range),
            "tickvals": self.values,
            "ticktext": self.labels,
            "tickangle": 0,
            "fixedrange": True,
            "hoverformat": "%a %-d %b, %H:%M",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": "$line-strong",
        }
