"""Every brand with its rule: how much it found in a day, whether somebody is writing at it, which version counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from models import rule_desk
from models.access import Window
from models.cube import by_brand_of
from models.organisation import Brand
from models.organisation_rules import Published, published
from models.rule_desk import TOPIC, Draft
from models.rule_tree import And, Language, Or, RulePart
from models.rules import parse

KEY = "rule-list"
NAME = "Rules"
SPAN = timedelta(hours=24)
QUARTER_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Frame:
    """The brands in the order they are listed; what counts, what is being written, mentions of the last 24 hours."""

    brands: tuple[Brand, ...]
    published: Mapping[int, Published]
    drafts: Mapping[int, Draft]
    mentions: Mapping[int, int]
    name: str
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """Two short reads a brand beside the rollup."""
    there = question.organisation
    order = {"own": 0, "competitor": 1}
    brands = tuple(sorted((item for item in there.brands if item.kind in order), key=lambda item: order[item.kind]))
    ids = tuple(item.id for item in brands)
    start = question.now - SPAN
    start -= timedelta(seconds=start.timestamp() % QUARTER_SECONDS)
    window = Window("24h", start, question.now, QUARTER_SECONDS, live=True)
    scope = replace(question.scope, brand_ids=ids, tracked_ids=ids, search="")
    counted = by_brand_of(connection, scope, ids, window, there) if ids else {}
    return Frame(
        brands=brands,
        published={brand_id: published(connection, brand_id) for brand_id in ids},
        drafts=rule_desk.drafts(connection, ids),
        mentions={brand_id: series.total.mentions for brand_id, series in counted.items()},
        name=there.name,
        zone=question.zone,
    )


def draw(found: Frame) -> Props:
    """A row a brand, ours before the others."""
    zone = ZoneInfo(found.zone)
    rows = [_row(item, found, zone) for item in found.brands]
    state = frame.NO_STATE
    if not rows:
        state = {"kind": "empty", "title": "No brand yet", "text": "A rule belongs to a brand.", "plain": True}
    return {f"{KEY}-rows": {"rows": rows, "organisation": found.name}, f"{KEY}-state": state}


def table(found: Frame) -> Table:
    """The list as rows."""
    rows = tuple(
        (
            item.name,
            item.kind,
            found.mentions.get(item.id, 0),
            found.published[item.id].version,
            found.drafts[item.id].actor if item.id in found.drafts else None,
            found.published[item.id].query,
        )
        for item in found.brands
    )
    columns = ("brand", "kind", "mentions in 24 h", "version", "draft by", "rule")
    return Table(NAME, f"{found.name}, {len(rows)} brands, last 24 h", columns, rows)


def place() -> Component:
    """The list before data came."""
    return html.Nav(
        id=f"panel-{KEY}",
        className="panel rlist",
        **{"aria-label": NAME, "data-panel": KEY},
        children=[
            html.Div(id=f"{KEY}-top", className="ph", children=[html.H2(NAME), html.Span(id=f"{KEY}-of")]),
            html.Div(id=f"{KEY}-rows", className="rrows"),
            html.Div("a post may match several", className="rfoot t3"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


def _row(item: Brand, found: Frame, zone: ZoneInfo) -> dict[str, Any]:
    counts, draft = found.published[item.id], found.drafts.get(item.id)
    return {
        "key": item.key,
        "name": item.name,
        "kind": item.kind,
        "mentions": f"{found.mentions.get(item.id, 0):,}",
        "about": ", ".join(languages(counts.query)) or ("all languages" if counts.query else "no rule yet"),
        "version": counts.version,
        "draft": None
        if draft is None
        else {"by": draft.actor, "at": draft.at.isoformat(), "saved": _when(draft, zone)},
    }


def _when(draft: Draft, zone: ZoneInfo) -> str:
    at: datetime = draft.at.astimezone(zone)
    return f"{at:%-d %b %H:%M}"


def languages(query: str) -> tuple[str, ...]:
    """The languages that a rule limits itself to; none where it takes all."""
    return tuple(dict.fromkeys(_languages(parse(query).root))) if query else ()


def _languages(part: RulePart) -> Iterator[str]:
    if isinstance(part, Language):
        yield from part.codes
    elif isinstance(part, And | Or):
        for each in part.parts:
            yield from _languages(each)


PANEL = Panel(
    key=KEY,
    topics=("organisation", "mentions", TOPIC),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
    table=table,
)
