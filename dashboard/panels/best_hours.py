"""Best hours by network: when our own posts are engaged with most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import scope
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from models import publishing
from models.best_hours import FEWEST_POSTS, Best, best_hours
from models.networks import BY_ID

KEY = "best-hours"
NAME = "Best hours by network"
# Longer than the windows of the page: of a week there are too few posts to compare hours.
DAYS = 90


@dataclass(frozen=True, slots=True)
class Row:
    """One network; `per` is what engagement is divided by."""

    network_id: int
    best: Best
    per: str
    all_posts: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A row a network on which we published, most posts first, and the brands in words."""

    rows: tuple[Row, ...]
    words: str
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """The 90 days before the end of the window, in the page's zone."""
    end = question.window.end
    found = publishing.published(
        connection, question.scope.brand_ids, question.scope.network_ids, since=end - timedelta(days=DAYS), until=end
    )
    zone = ZoneInfo(question.zone)
    rows = [
        Row(network_id, best_hours(item.posts, zone), item.per, len(item.posts)) for network_id, item in found.items()
    ]
    rows.sort(key=lambda row: (-row.all_posts, row.network_id))
    words = scope.scope_words(question.scope, question.organisation)[0]
    return Frame(tuple(rows), words, question.zone)


def draw(found: Frame) -> Props:
    """The rows, or the words in their place."""
    sub = f"own posts of {found.words}, {DAYS} days; no window under {FEWEST_POSTS} posts"
    head = frame.head(NAME, sub, side=found.zone.replace("_", " "))
    if not found.rows:
        text = f"Nothing was published by accounts of ours in these {DAYS} days, as far as we were told."
        empty = {"kind": "empty", "title": "No posts of ours", "text": text, "widen": "", "widen_words": ""}
        return {"best-hours-rows": {"rows": []}, "best-hours-head": head, "best-hours-state": empty | {"plain": True}}
    return {
        "best-hours-rows": {"rows": [_drawn(row) for row in found.rows]},
        "best-hours-head": head,
        "best-hours-state": frame.NO_STATE,
    }


def _drawn(row: Row) -> dict[str, Any]:
    network, best = BY_ID[row.network_id], row.best
    return {
        "id": row.network_id,
        "monogram": network.monogram,
        "name": network.name,
        "windows": _windows(best) or "not measured",
        "is_measured": bool(best.best),
        "engaged": _engaged(best, row.per),
        "factor": f"\u00d7{best.factor:.1f}" if best.factor else "",
        "posts": f"{row.all_posts:,}",
        "mostly": best.mostly,
    }


def _windows(best: Best) -> str:
    """The best windows, the days said once where they are the same: weekdays 12-14, 18-20."""
    said: list[str] = []
    for place, span in enumerate(best.best):
        words = span.words()
        is_same = place > 0 and best.best[place - 1].days == span.days
        said.append(words.removeprefix(f"{span.days} ") if is_same else words)
    return ", ".join(said)


def _engaged(best: Best, per: str) -> str:
    if not best.best:
        return "n/a"
    engagement = best.best[0].engagement
    return f"{100 * engagement:.1f} %" if per == "impression" else f"{engagement:,.0f} a post"


def place() -> Component:
    """The box; the browser draws the rows."""
    return frame.box(KEY, NAME, html.Div(id="best-hours-rows", className="best-hours"))


def table(found: Frame) -> Table:
    """A row a network."""
    rows = tuple(
        (
            BY_ID[row.network_id].name,
            ", ".join(span.words() for span in row.best.best),
            row.best.best[0].engagement if row.best.best else None,
            row.per,
            row.best.usual,
            row.all_posts,
            row.best.mostly,
        )
        for row in found.rows
    )
    columns = ("Network", "Best windows", "Engagement there", "Per", "Usual engagement", "Posts", "We post mostly")
    return Table(NAME, f"own posts of {found.words}, {DAYS} days, {found.zone}", columns, rows)


PANEL = Panel(
    key=KEY,
    topics=("mentions", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "search"}),
    table=table,
)
