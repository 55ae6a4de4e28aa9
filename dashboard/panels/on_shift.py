"""Who of a team is there, and what each has in hand: the desk of a team in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import scope
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from models import shifts, team_load
from models.shifts import BREAK, OFF, ON
from models.team_load import Load

KEY = "on-shift"
NAME = "On shift"
WORDS = {ON: "on", OFF: "off", BREAK: "on a break", "": ""}


@dataclass(frozen=True, slots=True)
class Frame:
    """The people of the team and what waits, and the zone of its shifts."""

    loads: tuple[Load, ...]
    zone: str
    words: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """Its people, and the open cases of the scope once."""
    assert question.subject is not None
    team_id, organisation = question.subject.id, question.organisation
    return Frame(
        loads=team_load.loads(connection, organisation, question.anybody, team_id, question.scope, now=question.now),
        zone=shifts.zone_of(organisation, team_id),
        words=", ".join(scope.scope_words(question.scope, organisation)),
        now=question.now,
    )


def draw(found: Frame) -> Props:
    """A row a person; what nobody has in hand stands first."""
    people = [one for one in found.loads if one.person_id is not None]
    on, cases = sum(one.status == ON for one in people), sum(one.cases for one in found.loads)
    if not found.loads:
        text = "Nobody has a role or a shift in it, and no case of it waits. Roles are given on the page of people."
        state = {"kind": "empty", "title": "Nobody is in this team", "text": text, "widen": ""}
        return {f"{KEY}-head": frame.head(NAME, "", label=f"{NAME}: nobody"), f"{KEY}-state": state}
    return {
        f"{KEY}-list": {"rows": [_row(one, ZoneInfo(found.zone)) for one in found.loads], "all": cases},
        f"{KEY}-head": frame.head(
            NAME, f"{on} of {len(people)} on", side=f"{cases} waiting", label=f"{NAME}: {on} of {len(people)}"
        ),
        f"{KEY}-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty list."""
    body = html.Div(id=f"{KEY}-list", className="shift-list", role="list", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, body)


def table(found: Frame) -> Table:
    """A row a person."""
    return Table(
        title=NAME,
        about=exported.line(found.words, found.now, found.zone, f"{sum(one.cases for one in found.loads)} waiting"),
        columns=("Person", "Status", f"Until ({found.zone})", "In hand (open cases)", "Late"),
        rows=tuple((one.name, WORDS[one.status] or None, one.until, one.cases, one.late) for one in found.loads),
    )


def _row(one: Load, zone: ZoneInfo) -> dict[str, Any]:
    words = WORDS[one.status]
    if one.until is not None:
        words += f" until {one.until.astimezone(zone):%H:%M}"
    if one.person_id is None:
        words = "not claimed, not assigned"
    elif not one.status:
        words = "of another team"
    return {
        "id": str(one.person_id or 0),
        "name": one.name,
        "status": one.status,
        "words": words,
        "cases": one.cases,
        "late": one.late,
    }


PANEL = Panel(
    key=KEY,
    topics=("cases", "shifts", "people", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search", "window"}),
    table=table,
    reads_cases=True,
)
