"""Every team and what it covers."""

from __future__ import annotations

from sqlalchemy import Connection

from dashboard.panel import Props, Question
from dashboard.panels.organisation_rows import field, panel, props, row
from models.organisation import UNKNOWN, Organisation

KEY = "admin-teams"
COLUMNS = ("Team", "Covers")
FIELDS = [
    field("name", "Name"),
    field(
        "key",
        "Key",
        "In addresses and files; small letters, digits, hyphens. It cannot be changed later.",
        new_only=True,
    ),
    field(
        "covers", "Covers", "brand@location by their keys, one a line; * is every one: acme@*, *@berlin.", type="lines"
    ),
]


def query(connection: Connection, question: Question) -> Organisation:
    """What is known already."""
    return question.organisation


def draw(there: Organisation) -> Props:
    """In the order they were added."""
    brands = {item.id: (item.key, item.name) for item in there.brands} | {0: ("*", "every brand")}
    places = {item.id: (item.key, item.name) for item in there.locations} | {0: ("*", "everywhere")}
    rows = []
    for item in there.teams:
        if item.id == UNKNOWN:
            continue
        covers = [
            (brands[one.brand_id], places[one.location_id])
            for one in there.covers
            if one.team_id == item.id and one.brand_id in brands and one.location_id in places
        ]
        said = "; ".join(f"{of[1]}, {at[1]}" for of, at in covers) or "nothing yet"
        values = {"name": item.name, "key": item.key, "covers": "\n".join(f"{of[0]}@{at[0]}" for of, at in covers)}
        rows.append(row(item.key, (item.name, said), values))
    return props(KEY, "team", COLUMNS, rows, FIELDS)


PANEL = panel(KEY, "Teams", query, draw)
