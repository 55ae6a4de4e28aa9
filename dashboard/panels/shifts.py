"""The shifts of a team over the next days: who should be there, who is, who stands in for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, select

from dashboard.panel import Panel, Props, Question, Table
from models import shifts
from models.shifts import ON, WEEKDAYS, Pattern, Span, Status
from models.tables import person

KEY = "shifts"
DAYS = 4
HOURS = DAYS * 24


@dataclass(frozen=True, slots=True)
class Frame:
    """`people` are (id, name) by name; `spans` are theirs within [start, end); `here` are those who are there now."""

    team: str
    zone: str
    start: datetime
    end: datetime
    now: datetime
    people: tuple[tuple[int, str], ...]
    patterns: tuple[Pattern, ...]
    spans: tuple[Span, ...]
    here: frozenset[int]
    said: Mapping[int, Status]
    deputies: Mapping[int, str]


def query(connection: Connection, question: Question) -> Frame:
    """Four days of the team's clock from today."""
    assert question.subject is not None
    organisation, team_id, now = question.organisation, question.subject.id, question.now
    zone = shifts.zone_of(organisation, team_id)
    tz = ZoneInfo(zone)
    start = datetime.combine(now.astimezone(tz).date(), time(), tz)
    end = datetime.combine(start.date() + timedelta(days=DAYS), time(), tz)
    found = shifts.patterns(connection, team_id, now)
    people = shifts.team_people(connection, team_id, now)
    numbers = [number for number, _ in people]
    standing_in = shifts.deputies(connection, numbers, now)
    names = {
        row.id: row.name
        for row in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(standing_in.values())))
    }
    return Frame(
        team=organisation.team_names.get(team_id, ""),
        zone=zone,
        start=start,
        end=end,
        now=now,
        people=people,
        patterns=found,
        spans=shifts.spans(found, zone, start=start, end=end),
        here=frozenset(shifts.on_now(connection, organisation, numbers, now)),
        said=shifts.statuses(connection, numbers, now),
        deputies={number: names[other] for number, other in standing_in.items() if other in names},
    )


def draw(found: Frame) -> Props:
    """Bars as shares of the four days, and the hours in which nobody is planned."""
    length = (found.end - found.start).total_seconds()

    def share(instant: datetime) -> float:
        return round(100 * min(max((instant - found.start).total_seconds() / length, 0.0), 1.0), 3)

    tz = ZoneInfo(found.zone)
    rows = []
    for number, name in found.people:
        bars = []
        for span in found.spans:
            if span.person_id == number:
                local = (span.start.astimezone(tz), span.end.astimezone(tz))
                bars.append(
                    {
                        "left": share(span.start),
                        "width": round(share(span.end) - share(span.start), 3),
                        "words": f"{local[0]:%a %H:%M}–{local[1]:%H:%M}",
                        "now": span.start <= found.now < span.end,
                    }
                )
        status = found.said.get(number)
        rows.append(
            {
                "id": str(number),
                "name": name,
                "here": number in found.here,
                "status": ON if number in found.here else status.status if status is not None else "off",
                "deputy": found.deputies.get(number, ""),
                "bars": bars,
                "spans": [
                    {
                        "id": str(item.id),
                        "words": shifts.said_of(item.weekday, item.start_minute, item.end_minute),
                    }
                    for item in found.patterns
                    if item.person_id == number
                ],
            }
        )
    planned = _planned(found)
    gaps = sum(1 for count in planned if count == 0)
    days = [found.start + timedelta(days=day) for day in range(DAYS)]
    shown: dict[str, Any] = {
        "team": found.team,
        "zone": found.zone,
        "days": [f"{WEEKDAYS[day.weekday()]} {day.day}" for day in days],
        "now": share(found.now),
        "rows": rows,
        "planned": planned,
        "gaps": gaps,
        "here": len(found.here),
    }
    state: dict[str, Any] = {"kind": ""}
    if not rows:
        words = f"Nobody has a role for {found.team} by name, and no shift is kept. Add a shift, or load a file."
        state = {"kind": "empty", "title": "No shifts yet", "text": words, "widen": "", "widen_words": ""}
    return {"shifts-rows": shown, f"{KEY}-state": state}


def table(found: Frame) -> Table:
    """One row a span of the four days."""
    return Table(
        f"Shifts of {found.team}",
        f"{found.zone}; {DAYS} days; n = {len(found.spans)}",
        ("Person", "From", "Until"),
        tuple((span.name, span.start, span.end) for span in found.spans),
    )


def _planned(found: Frame) -> list[int]:
    """People planned in each hour, counted at its half."""
    counts = []
    for hour in range(HOURS):
        at = found.start + timedelta(hours=hour, minutes=30)
        counts.append(len({span.person_id for span in found.spans if span.start <= at < span.end}))
    return counts


def place() -> Component:
    """The panel before data came."""
    return html.Section(
        id=f"panel-{KEY}",
        className="panel shifts-panel",
        **{"aria-label": "Shifts", "data-panel": KEY},
        children=[
            html.Div(id="shifts-rows", className="shifts-body"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


PANEL = Panel(
    key=KEY,
    topics=("shifts", "people", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search", "network_ids", "location_ids"}),
    table=table,
)
