"""The chain of the audit log: how far it is checked, which head was signed, what waits for its link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from models import audit_rounds
from models.audit_chain import TOPIC
from models.audit_rounds import State

KEY = "audit-chain"
NAME = "Chain of the audit log"


@dataclass(frozen=True, slots=True)
class Frame:
    """The chain as it is now."""

    state: State
    now: datetime
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """A handful of single rows, and the rows of the last hours that have no link."""
    return Frame(audit_rounds.state(connection, now=question.now), question.now, question.zone)


def draw(found: Frame) -> Props:
    """What stands in the bar, in words; ages are kept by the browser."""
    state, zone = found.state, ZoneInfo(found.zone)
    checked, last = state.checked, state.last
    fault = checked.fault
    props: dict[str, Any] = {
        "kind": _kind(state),
        **_said(found),
        "head": "No head signed yet" if state.head_at is None else f"Head signed {_clock(state.head_at, zone)}",
        "head_line": _head_line(state, zone),
        "rows": "No rows" if last is None else f"{last.number:,} row{'' if last.number == 1 else 's'}",
        "rows_line": _rows_line(state, zone),
        "fault": None if fault is None else {"number": fault.number, "id": _text(fault.audit_id)},
        "notes": list(checked.notes),
        "waiting": waiting(state),
        "key": state.head_key or "",
    }
    return {f"{KEY}-bar": props, f"{KEY}-state": frame.NO_STATE}


def waiting(state: State) -> dict[str, Any]:
    """The rows without a link: how many, and since when the oldest waits."""
    oldest = state.unchained.oldest_at
    return {"rows": state.unchained.rows, "since": "" if oldest is None else oldest.isoformat()}


def place() -> Component:
    """One line at its final height."""
    return html.Section(
        id=f"panel-{KEY}",
        className="panel achain",
        **{"aria-label": NAME, "data-panel": KEY},
        children=[
            html.Div(id=f"{KEY}-bar", className="abar"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


def _kind(state: State) -> str:
    checked = state.checked
    if checked.running is not None or state.is_asked:
        return "checking"
    if checked.fault is not None:
        return "broken"
    return "verified" if checked.at is not None and checked.mark.number else "unknown"


def _said(found: Frame) -> dict[str, str]:
    state, zone = found.state, ZoneInfo(found.zone)
    checked, kind = state.checked, _kind(found.state)
    of = 0 if state.last is None else state.last.number
    if kind == "checking":
        done = 0 if checked.running is None else checked.running.number
        line = f"row {done:,} of {of:,}"
        return {"title": "Checking every link", "line": line, "share": str(round(done / of, 3) if of else 0)}
    if kind == "broken" and checked.fault is not None:
        number = checked.fault.number
        title = "Broken" if number is None else f"Broken at row {number:,}"
        words = checked.fault.words
        return {"title": title, "line": f"{words[:1].upper()}{words[1:]}"}
    if kind == "unknown" or checked.at is None:
        said = "Nothing is linked yet" if state.last is None else "An ingest worker checks it within a minute"
        return {"title": "Not checked yet", "line": said}
    when = audit_rounds.linked_at(checked.mark)
    whole = (
        "" if checked.whole_at is None else f"; every link checked again {_clock(checked.whole_at, zone, found.now)}"
    )
    title = "Verified" if when is None else f"Verified to {_clock(when, zone, found.now)}"
    return {"title": title, "line": f"row {checked.mark.number:,}{whole}"}


def _head_line(state: State, zone: ZoneInfo) -> str:
    if state.head_at is None or state.head_key is None or state.head_number is None:
        return "each day is signed after midnight UTC"
    local = state.head_at.astimezone(zone)
    return f"{local:%a %-d %b}, row {state.head_number:,}, key {state.head_key[:4]}…{state.head_key[-4:]}"


def _rows_line(state: State, zone: ZoneInfo) -> str:
    if state.first_at is None:
        return "nothing is written yet"
    since = f"since {state.first_at.astimezone(zone):%-d %b %Y}"
    return f"{since}, none removed" if _kind(state) == "verified" and state.checked.whole_at is not None else since


def _clock(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    local = at.astimezone(zone)
    if now is not None and local.date() != now.astimezone(zone).date():
        return f"{local:%-d %b %H:%M:%S}"
    return f"{local:%H:%M}" if now is None else f"{local:%H:%M:%S}"


def _text(identifier: int | None) -> str:
    return "" if identifier is None else str(identifier)


PANEL = Panel(
    key=KEY,
    topics=(TOPIC,),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
)
