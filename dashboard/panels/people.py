"""The people: figures of what needs somebody, and a table of roles with what they are for and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.people_rows import line, said, state
from models import people_reading
from models.organisation import Organisation
from models.people_reading import Directory

KEY = "admin-people"
NAME = "People"


@dataclass(frozen=True, slots=True)
class Frame:
    """The people seen from one reach, as they are now."""

    found: Directory
    organisation: Organisation
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """Everybody counted, and those with a role, leavers and the newest others in full."""
    found = people_reading.directory(connection, question.organisation, question.reach, now=question.now)
    return Frame(found, question.organisation, question.now)


def draw(shown: Frame) -> Props:
    """A line a role."""
    found = shown.found
    lines = [one for row in found.rows for one in line(row, shown.organisation, shown.now)]
    hidden = found.people - found.with_role - found.without_shown
    zone = shown.organisation.zone.replace("_", " ")
    return {
        f"{KEY}-rows": {
            "kpis": _figures(shown),
            "rows": lines,
            "hidden": max(hidden, 0),
            "foot": f"As of {shown.now.astimezone(shown.organisation.zone_info):%H:%M}, times in {zone}",
        },
        f"{KEY}-state": frame.NO_STATE,
    }


def _figures(shown: Frame) -> list[dict[str, Any]]:
    found = shown.found
    since = found.leaver_since
    local = None if since is None else since.astimezone(shown.organisation.zone_info)
    reviewed = "–" if not found.going_on else f"{100 * (found.going_on - found.due) / found.going_on:.0f}"
    kinds = f"{found.kinds} kind{'' if found.kinds == 1 else 's'} of role"
    return [
        _figure(
            "people", "People", f"{found.people:,}", "", f"{found.people - found.with_role:,} without a role", "none"
        ),
        _figure("role", "With a role", f"{found.with_role:,}", "", kinds, "role"),
        _figure(
            "soon",
            "Roles that end in 7 days",
            f"{found.ends_soon:,}",
            "",
            f"{found.ends_next_day:,} within a day" if found.ends_soon else "none",
            "soon",
            attention=found.ends_soon > 0,
        ),
        _figure(
            "leavers",
            "Leavers with accounts",
            f"{found.leavers:,}",
            "",
            "none" if local is None else f"since {local:%-d %b}",
            "leavers",
            attention=found.leavers > 0,
        ),
        _figure(
            "due",
            "Reviewed in 90 days",
            reviewed,
            "%" if found.going_on else "",
            f"{found.due:,} role{'' if found.due == 1 else 's'} due, n = {found.going_on:,}",
            "due",
        ),
    ]


def _figure(
    key: str, label: str, value: str, unit: str, words: str, shows: str, *, attention: bool = False
) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "value": value,
        "unit": unit,
        "line": words,
        "filter": shows,
        "attention": attention,
    }


def place() -> Component:
    """The box before data came: the browser draws figures and table into it."""
    return html.Section(
        id=f"panel-{KEY}",
        className="people-panel",
        **{"aria-label": NAME, "data-panel": KEY},
        children=[
            html.Div(id=f"{KEY}-rows", className="people-body"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


def table(shown: Frame) -> Table:
    """A row a role, people without one too."""
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for row in shown.found.rows:
        if not row.roles:
            rows.append((row.name, row.email, "", "", "", None, None, state(row), row.last_seen_at))
        for role in row.roles:
            words = said(role, shown.organisation, shown.now)
            rows.append(
                (
                    row.name,
                    row.email,
                    role.grant.role,
                    words["for"],
                    words["team"],
                    role.valid_from,
                    role.valid_to,
                    state(row),
                    row.last_seen_at,
                )
            )
    return Table(
        title=NAME,
        about=exported.line("People and roles", shown.now, shown.organisation.zone, f"{len(rows):,} rows"),
        columns=("Name", "Email", "Role", "For", "Teams", "From (UTC)", "Until (UTC)", "State", "Last seen (UTC)"),
        rows=tuple(rows),
    )


PANEL = Panel(
    key=KEY,
    topics=("people", "organisation", "accounts"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
    table=table,
    reads_cases=True,
)
