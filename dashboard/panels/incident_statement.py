"""What we say about an incident: its versions, what each changed, in how many replies it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame, incident_words
from models import incident_statements
from models.incident_reading import Incident
from models.incident_statements import DRAFT, IN_USE, Statement

KEY = "incident-statement"
NAME = "Statement"
# The newest are drawn; all of them stand in the report.
MOST = 12


@dataclass(frozen=True, slots=True)
class Frame:
    """Versions, the newest first, with the sent replies that quote each."""

    incident: Incident
    versions: tuple[Statement, ...]
    quoted: Mapping[int, int]
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """Every version, and one count."""
    item = incident_words.found(connection, question)
    written = incident_statements.versions(connection, item.id)
    quoted = incident_statements.quoted_by(connection, item, written, question.now)
    return Frame(item, written, quoted, question.zone, question.now)


def draw(found: Frame) -> Props:
    """The version in use with what it changed; the others in one line each."""
    before = {item.version: text for item, text in zip(found.versions, _before(found.versions), strict=True)}
    rows = [_row(found, item, before[item.version]) for item in found.versions[:MOST]]
    state: dict[str, Any] = frame.NO_STATE
    if not rows:
        state = {"kind": "empty", "title": "", "text": "Nothing is pinned yet. Write what we say.", "plain": True}
    return {
        f"{KEY}-list": {"rows": rows, "open": found.incident.is_open(found.now)},
        f"{KEY}-head": frame.head(NAME, "underlined = added", label=NAME),
        f"{KEY}-state": state,
    }


def place() -> Component:
    """The box with an empty list."""
    inner = html.Div(id=f"{KEY}-list", className="istatement", tabIndex="0", role="region", **{"aria-label": NAME})
    return frame.box(KEY, NAME, inner, class_name="istatement-panel")


def _before(versions: tuple[Statement, ...]) -> list[str]:
    """For each version, newest first, the text that was in use before it; for a draft the newest that ever was."""
    found = []
    for index, item in enumerate(versions):
        older = versions[index + 1 :]
        used = next((one.text for one in older if one.in_use_at is not None), None)
        found.append(used if used is not None else (older[0].text if older and item.state == DRAFT else ""))
    return found


def _row(found: Frame, item: Statement, before: str) -> dict[str, Any]:
    def at(instant: datetime | None) -> str:
        return "" if instant is None else incident_words.clock(instant, found.zone, found.now)

    quoted = found.quoted.get(item.version, 0)
    used = f"used in {quoted} repl{'y' if quoted == 1 else 'ies'}"
    if item.state == IN_USE:
        said = f"approved {at(item.in_use_at)}, {item.approved_by}; {used}"
    elif item.state == DRAFT:
        said = f"{item.author}, {at(item.written_at)}"
    else:
        said = f"withdrawn {at(item.withdrawn_at)}; {used if item.in_use_at is not None else 'never used'}"
    pieces = incident_statements.difference(before, item.text) if before else (("same", item.text),)
    return {
        "version": item.version,
        "label": item.label,
        "state": item.state,
        "said": said,
        "author": item.author_id,
        "text": item.text,
        "pieces": [list(piece) for piece in pieces],
    }


PANEL = Panel(
    key=KEY,
    topics=("incidents", "replies", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES,
    reads_cases=True,
)
