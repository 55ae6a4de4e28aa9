"""Every brand: its kind and competitors, how many versions its rule has, what it was mentioned in a week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, func, select

from dashboard.panel import Props, Question
from dashboard.panels.organisation_rows import field, panel, props, row
from models.access import Window
from models.cube import by_brand_of
from models.organisation import UNKNOWN, Organisation
from models.tables import brand_rule

KEY = "admin-brands"
WEEK = timedelta(days=7)
QUARTER_SECONDS = 900
COLUMNS = ("Brand", "Kind", "Monogram", "Competitors", "Mentions, 7 days", "Rule versions")
FIELDS = [
    field("name", "Name"),
    field(
        "key",
        "Key",
        "In addresses and files; small letters, digits, hyphens. It cannot be changed later.",
        new_only=True,
    ),
    field("kind", "Kind", type="choice", choices=("own", "competitor")),
    field("monogram", "Monogram", "1 to 4 letters; made of the name where empty."),
    field("competitors", "Competitors", "Keys of brands, with commas between."),
    field(
        "rules",
        "Rule",
        "What makes a post a mention, e.g. acme OR @acme. It can be written later.",
        type="lines",
        new_only=True,
    ),
]


@dataclass(frozen=True, slots=True)
class Frame:
    """The brands, mentions of the last seven days and versions of the rule by brand id."""

    organisation: Organisation
    mentions: dict[int, int]
    versions: dict[int, int]


def query(connection: Connection, question: Question) -> Frame:
    """The rollup, and one count."""
    there = question.organisation
    ids = tuple(item.id for item in there.brands if item.id != UNKNOWN)
    start = question.now - WEEK
    start -= timedelta(seconds=start.timestamp() % QUARTER_SECONDS)
    window = Window("7d", start, question.now, QUARTER_SECONDS, live=True)
    scope = replace(question.scope, brand_ids=ids, tracked_ids=ids, search="")
    counted = by_brand_of(connection, scope, ids, window, there) if ids else {}
    versions = select(brand_rule.c.brand_id, func.max(brand_rule.c.version)).group_by(brand_rule.c.brand_id)
    return Frame(
        there,
        {brand_id: series.total.mentions for brand_id, series in counted.items()},
        {row[0]: row[1] for row in connection.execute(versions)},
    )


def draw(found: Frame) -> Props:
    """Ours first."""
    there = found.organisation
    keys = {item.id: item.key for item in there.brands}
    brands = sorted(
        (item for item in there.brands if item.id != UNKNOWN), key=lambda item: (item.kind != "own", item.id)
    )
    rows = []
    for item in brands:
        rivals = there.competitors.get(item.id, ())
        number = found.versions.get(item.id, 0)
        cells = (
            item.name,
            item.kind,
            item.monogram,
            ", ".join(there.brand_names[one] for one in rivals if one in there.brand_names),
            f"{found.mentions.get(item.id, 0):,}",
            f"{number} version{'' if number == 1 else 's'}" if number else "no rule yet",
        )
        values = {
            "name": item.name,
            "key": item.key,
            "kind": item.kind,
            "monogram": item.monogram,
            "competitors": ", ".join(keys[one] for one in rivals if one in keys),
        }
        rows.append(row(item.key, cells, values, link=f"/admin/rules#{item.key}"))
    return props(KEY, "brand", COLUMNS, rows, FIELDS)


PANEL = panel(KEY, "Brands", query, draw, topics=("organisation", "mentions"))
