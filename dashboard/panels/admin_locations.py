"""The tree of locations: kind, zone, coordinates, and the other names each is known by."""

from __future__ import annotations

from sqlalchemy import Connection

from dashboard.panel import Props, Question
from dashboard.panels.organisation_rows import field, panel, props, row
from models.organisation import UNKNOWN, Location, Organisation

KEY = "admin-locations"
COLUMNS = ("Location", "Kind", "Zone", "Coordinates", "Also called")
FIELDS = [
    field("name", "Name"),
    field(
        "key",
        "Key",
        "In addresses and files; small letters, digits, hyphens. It cannot be changed later.",
        new_only=True,
    ),
    field("kind", "Kind", "Only sites hold mentions.", type="choice", choices=("site", "country", "region")),
    field("parent", "Stands in", "The key of a location; empty at the top of the tree."),
    field("zone", "Zone", "E.g. Europe/Amsterdam; empty for that of what it stands in."),
    field("latitude", "Latitude", "-90 to 90."),
    field("longitude", "Longitude", "-180 to 180."),
    field("aliases", "Also called", "Names that posts use for it, with commas between."),
    field("monogram", "Monogram", "1 to 4 letters; made of the name where empty."),
]


def query(connection: Connection, question: Question) -> Organisation:
    """What is known already."""
    return question.organisation


def draw(there: Organisation) -> Props:
    """As a tree: each behind what it stands in."""
    keys = {item.id: item.key for item in there.locations}
    children: dict[int | None, list[Location]] = {}
    for item in there.locations:
        if item.id != UNKNOWN:
            children.setdefault(item.parent_id if item.parent_id in keys else None, []).append(item)
    rows = []

    def walk(parent: int | None, depth: int) -> None:
        for item in sorted(children.get(parent, ()), key=lambda one: one.name):
            is_placed = item.latitude is not None and item.longitude is not None
            cells = (
                item.name,
                item.kind,
                item.zone or "",
                f"{item.latitude:.2f}, {item.longitude:.2f}" if is_placed else "",
                ", ".join(item.aliases),
            )
            values = {
                "name": item.name,
                "key": item.key,
                "kind": item.kind,
                "parent": keys.get(item.parent_id, "") if item.parent_id else "",
                "zone": item.zone or "",
                "latitude": "" if item.latitude is None else f"{item.latitude!r}",
                "longitude": "" if item.longitude is None else f"{item.longitude!r}",
                "aliases": ", ".join(item.aliases),
                "monogram": item.monogram,
            }
            rows.append(row(item.key, cells, values, depth=depth))
            walk(item.id, depth + 1)

    walk(None, 0)
    return props(KEY, "location", COLUMNS, rows, FIELDS)


PANEL = panel(KEY, "Locations", query, draw)
