"""Beside an incident: who is on it, what it covers, its tasks, what it holds back. Three small panels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame, incident_words
from models import incident_deeds, incident_reading, incident_tasks
from models.incident_deeds import Did
from models.incident_reading import Incident
from models.incident_tasks import Task
from models.networks import BY_ID
from models.organisation import Organisation

PEOPLE, SCOPE, TASKS = "incident-people", "incident-scope", "incident-tasks"
HELD = "incident-held"


# -- who is on it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnIt:
    """Everybody on it with what they did; `lead_id` has the lead."""

    did: tuple[Did, ...]
    lead_id: int
    zone: str
    now: datetime


def query_people(connection: Connection, question: Question) -> OnIt:
    """From the timeline and the replies in its cases."""
    item = incident_words.found(connection, question)
    did = incident_deeds.who_did_what(connection, question.organisation, question.anybody, item, now=question.now)
    return OnIt(tuple(one for one in did if one.part), item.lead_id, question.zone, question.now)


def draw_people(found: OnIt) -> Props:
    """A row each: who, as what, what they did, since when."""
    rows = [
        {
            "id": one.person_id,
            "name": one.name,
            "part": one.part,
            "lead": one.person_id == found.lead_id,
            "did": _did(one),
            "since": "" if one.since is None else f"since {incident_words.clock(one.since, found.zone, found.now)}",
            "last": incident_words.iso(one.last_at),
        }
        for one in sorted(found.did, key=lambda one: one.person_id != found.lead_id)
    ]
    people = f"{len(rows)} {'person' if len(rows) == 1 else 'people'}"
    return {
        f"{PEOPLE}-list": {"rows": rows},
        f"{PEOPLE}-head": frame.head("On it", people, label="On it"),
        f"{PEOPLE}-state": frame.NO_STATE,
    }


def _did(one: Did) -> str:
    parts = [f"{one.sent} sent"] if one.sent else []
    parts += [f"{one.signed} signed"] if one.signed else []
    return ", ".join(parts) or (f"{one.lines} line{'' if one.lines == 1 else 's'}" if one.lines else "")


# -- what it covers ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Covered:
    """The scope in words."""

    incident: Incident
    organisation: Organisation
    zone: str
    now: datetime


def query_scope(connection: Connection, question: Question) -> Covered:
    """What was declared."""
    return Covered(incident_words.found(connection, question), question.organisation, question.zone, question.now)


def draw_scope(found: Covered) -> Props:
    """Chips, what is held, until when it runs; the scope itself for whoever changes it."""
    item, organisation = found.incident, found.organisation

    def keys(ids: tuple[int, ...] | None, items: Any) -> list[str]:
        return [one.key for one in items if ids is not None and one.id in ids]

    since = incident_words.clock(item.declared_at, found.zone, found.now)
    until = incident_words.clock(item.expires_at, found.zone, found.now)
    said = {
        "chips": [*incident_reading.scope_words(item.scope, organisation), f"from {since}"],
        "held": incident_words.HELD[item.outbound],
        "outbound": item.outbound,
        "until": until,
        "open": item.is_open(found.now),
        "brands": keys(item.scope.brand_ids, organisation.brands),
        "locations": keys(item.scope.location_ids, organisation.locations),
        "network_keys": [BY_ID[one].key for one in item.scope.network_ids or () if one in BY_ID],
        "search": item.scope.search,
    }
    return {
        f"{SCOPE}-list": said,
        f"{SCOPE}-head": frame.head("Frozen scope", "changes are written down", label="Frozen scope"),
        f"{SCOPE}-state": frame.NO_STATE,
    }


# -- tasks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToDo:
    """Its tasks, in the order they were written."""

    tasks: tuple[Task, ...]
    is_open: bool
    zone: str
    now: datetime


def query_tasks(connection: Connection, question: Question) -> ToDo:
    """All of them."""
    item = incident_words.found(connection, question)
    return ToDo(incident_tasks.tasks(connection, item.id), item.is_open(question.now), question.zone, question.now)


def draw_tasks(found: ToDo) -> Props:
    """A row each; those that are done last."""
    rows = [
        {
            "n": task.number,
            "text": task.text,
            "owner": task.owner,
            "owner_id": task.owner_id,
            "due": incident_words.iso(task.due_at),
            "due_words": "" if task.due_at is None else f"due {_clock(found, task.due_at)}",
            "done": "" if task.done_at is None else f"done {_clock(found, task.done_at)}",
        }
        for task in sorted(found.tasks, key=lambda task: (task.done_at is not None, task.number))
    ]
    done = sum(task.done_at is not None for task in found.tasks)
    sub = f"{done} of {len(rows)} done" if rows else "none yet"
    return {
        f"{TASKS}-list": {"rows": rows, "open": found.is_open},
        f"{TASKS}-head": frame.head("Tasks", sub, label="Tasks"),
        f"{TASKS}-state": frame.NO_STATE,
    }


def _clock(found: ToDo, at: datetime) -> str:
    return incident_words.clock(at, found.zone, found.now)


# -- where they stand --------------------------------------------------------------------------------------


def _box(key: str, name: str) -> Component:
    inner = html.Div(id=f"{key}-list", className=f"{key}-list", tabIndex="0", role="region", **{"aria-label": name})
    return frame.box(key, name, inner, class_name=f"{key}-panel")


def place_people() -> Component:
    """The box with an empty list."""
    return _box(PEOPLE, "On it")


def place_scope() -> Component:
    """The box with no chips yet."""
    return _box(SCOPE, "Frozen scope")


def place_tasks() -> Component:
    """The box with an empty list."""
    return _box(TASKS, "Tasks")


def place_held() -> Component:
    """Filled by the panel of the head, which counts it."""
    head = html.Div([html.H2("Held back"), html.Span("while the incident is open", className="sub")], className="ph")
    inner = html.Div(html.Div(id=HELD, className="iheld"), className="pb")
    return html.Section([head, inner], className="panel iheld-panel", **{"aria-label": "Held back"})


PEOPLE_PANEL = Panel(
    key=PEOPLE,
    topics=("incidents", "replies", "people"),
    query=query_people,
    draw=draw_people,
    place=place_people,
    ignores=incident_words.IGNORES,
    reads_cases=True,
)
SCOPE_PANEL = Panel(
    key=SCOPE,
    topics=("incidents", "organisation"),
    query=query_scope,
    draw=draw_scope,
    place=place_scope,
    ignores=incident_words.IGNORES,
    reads_cases=True,
)
TASKS_PANEL = Panel(
    key=TASKS,
    topics=("incidents", "people"),
    query=query_tasks,
    draw=draw_tasks,
    place=place_tasks,
    ignores=incident_words.IGNORES,
    reads_cases=True,
)
