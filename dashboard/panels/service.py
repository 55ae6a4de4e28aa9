"""How we answer, beside the key figures: who waits, the median first response, answers within the promise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.kpi import earlier
from models import answer_reading
from models.answer_reading import Answers, Waiting
from models.intervals import wilson
from models.metrics import METRICS

KEY = "service"
NAME = "How we answer"
CELLS = ("waiting_for_reply", "first_response_time", "answered_in_time")
LEAST = METRICS["answered_in_time"].least_n


@dataclass(frozen=True, slots=True)
class Frame:
    """Who waits now, what ended on the days of the window and on the same days a week before."""

    waiting: Waiting
    now: Answers
    before: Answers
    by_network: bool
    words: str
    at: datetime
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """The open cases of the scope once, and two reads of what was counted by day."""
    who, there, asked, window = question.anybody, question.organisation, question.scope, question.window
    past = earlier(window, 1, there.zone)

    def ended(start: datetime, end: datetime) -> Answers:
        return answer_reading.answers(connection, there, who, asked, start=start, end=end)

    return Frame(
        waiting=answer_reading.waiting(connection, there, who, asked, now=question.now),
        now=ended(window.start, window.end),
        before=ended(past.start, past.end),
        by_network=asked.network_ids is not None,
        words=frame.about(replace(question, scope=replace(asked, search=""))).words,
        at=window.end,
        zone=question.zone,
    )


def draw(found: Frame) -> Props:
    """Three cells, plain."""
    cells = [_waiting(found), _first(found), _in_time(found)]
    return {"service-strip": {"cells": cells, "words": found.words}, "service-state": frame.NO_STATE}


def place() -> Component:
    """Three cells at their final height; each leads to the desk."""
    strip = html.Div(id="service-strip", className="kpis", role="group", **{"aria-label": NAME})
    return frame.box(KEY, NAME, strip, head=False, class_name="kpi-panel")


def table(found: Frame) -> Table:
    """A row a figure: now, and the same days a week before."""
    share, share_before = _share(found.now, found.waiting.late), _share(found.before, 0)
    rows = (
        (METRICS[CELLS[0]].label, found.waiting.count, None, "count", found.waiting.count),
        (METRICS[CELLS[1]].label, found.now.first.median, found.before.first.median, "s", found.now.first.n),
        (METRICS[CELLS[2]].label, _tenth(share), _tenth(share_before), "%", _base(found.now, found.waiting.late)),
    )
    about = exported.line(found.words, found.at, found.zone, f"{found.now.first.n:,} first answers")
    return Table(NAME, about, ("Figure", "Value", "Same days a week before", "Unit", "n"), rows)


def _waiting(found: Frame) -> dict[str, Any]:
    late = found.waiting.late
    return _cell(
        CELLS[0],
        f"{found.waiting.count:,}",
        "",
        change=f"{late:,} late" if late else "none late" if found.waiting.count else "nobody waits",
        tone="wn" if late else "t3",
        since=None if found.waiting.since is None else found.waiting.since.isoformat(),
        attention=late > 0,
    )


def _first(found: Frame) -> dict[str, Any]:
    if found.by_network:
        return _cell(CELLS[1], style.NO_VALUE, "", change="not kept by network", tone="t3")
    times, before = found.now.first, found.before.first
    if times.median is None:
        return _cell(CELLS[1], style.NO_VALUE, "", change="no first answer yet", tone="t3")
    value, unit = _duration(times.median)
    was = f"was {' '.join(_duration(before.median))}" if before.median is not None else ""
    change = "" if min(times.n, before.n) < METRICS[CELLS[1]].least_n else _quicker(times.median, before.median or 0)
    tone = "pos" if "quicker" in change else "neg" if "slower" in change else "t2"
    return _cell(CELLS[1], value, unit, change=change, tone=tone, was=was, note=f"n = {times.n:,}")


def _in_time(found: Frame) -> dict[str, Any]:
    if found.by_network:
        return _cell(CELLS[2], style.NO_VALUE, "", change="not kept by network", tone="t3")
    share, n = _share(found.now, found.waiting.late), _base(found.now, found.waiting.late)
    if share is None:
        return _cell(CELLS[2], style.NO_VALUE, "", change="nothing was due", tone="t3")
    before = _share(found.before, 0)
    note = f"n = {n:,}"
    interval = wilson(round(share * n / 100), n) if n < LEAST else None
    if interval is not None:
        note = f"{100 * interval[0]:.0f} to {100 * interval[1]:.0f}%, {note}"
    was = "" if before is None else f"was {before:.0f}%"
    return _cell(CELLS[2], f"{share:.0f}", "%", change="", tone="t2", was=was, note=note)


def _base(answers: Answers, late: int) -> int:
    return answers.met + answers.missed + late


def _share(answers: Answers, late: int) -> float | None:
    """100 x met / (met + missed); what is open and overdue is missed."""
    base = _base(answers, late)
    return 100 * answers.met / base if base else None


def _quicker(now: float, before: float) -> str:
    percent = round(100 * (now - before) / before) if before else 0
    if not percent:
        return "no change"
    return f"{style.DOWN} {abs(percent)}% quicker" if percent < 0 else f"{style.UP} {percent}% slower"


def _duration(seconds: float) -> tuple[str, str]:
    """11:20 min, 2 h 05."""
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02d}", "min"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d}", ""


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _cell(
    key: str,
    value: str,
    unit: str,
    *,
    change: str,
    tone: str,
    was: str = "",
    note: str = "",
    since: str | None = None,
    attention: bool = False,
) -> dict[str, Any]:
    metric = METRICS[key]
    return {
        "key": key,
        "label": metric.label,
        "value": value,
        "unit": unit,
        "note": note,
        "change": change,
        "tone": tone,
        "was": was,
        "spark": [],
        "tip": metric.definition,
        "exact": "",
        "since": since,
        "attention": attention,
        "href": "/respond",
    }


PANEL = Panel(
    key=KEY,
    topics=("cases", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search"}),
    table=table,
    reads_cases=True,
)
