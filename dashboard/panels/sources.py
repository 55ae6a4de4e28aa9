"""The source strip: how fresh each source is, what is left of its limit, its last error in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from models import sources
from models.networks import BY_ID
from models.sources import Health

KEY = "sources"
NAME = "Sources"
# An error this old is history; the ledger still has it.
RECENT_SECONDS = 86_400
TROUBLE = ("stale", "disconnected", "gone", "slow", "waiting")


@dataclass(frozen=True, slots=True)
class Frame:
    """Every source as it is now, in the order of the strip."""

    health: tuple[Health, ...]
    now: datetime
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """All sources: health belongs to the whole organisation, whatever the scope."""
    return Frame(sources.health(connection, question.now), question.now, question.zone)


def draw(found: Frame) -> Props:
    """A cell a source, those in trouble first; the fill-in of the history goes to the notice above the page."""
    listening = [item for item in found.health if item.progress is None or item.progress >= 1 or item.state != "active"]
    filling = [item for item in found.health if item not in listening]
    shown = [item for item in listening if item.state != "done"]
    shown.sort(key=lambda item: (TROUBLE.index(item.badge) if item.badge in TROUBLE else len(TROUBLE), item.id))
    cells = [_cell(item, found) for item in [*shown, *filling]]
    state = frame.NO_STATE
    if not cells:
        state = {
            "kind": "empty",
            "title": "",
            "text": "No source is connected yet. “watchfloor source add” connects the first.",
            "widen": "",
            "plain": True,
        }
    return {"sources-strip": {"cells": cells}, "history": _history(filling), "sources-state": state}


def place() -> Component:
    """One row at the foot of the page, at its final height."""
    strip = html.Div(id="sources-strip", className="strip", role="list", **{"aria-label": "Health of the sources"})
    return frame.box(KEY, NAME, strip, head=False, class_name="sources-panel")


def table(found: Frame) -> Table:
    """A row a source, in the order they were added."""
    rows = tuple(
        (
            item.name,
            BY_ID[item.network_id].name if item.network_id in BY_ID else "Other",
            item.badge,
            None if item.data_age_seconds is None else round(item.data_age_seconds, 1),
            round(item.normal_seconds, 1),
            None if item.rate_left is None else round(100 * item.rate_left, 1),
            item.last_success_at,
            item.last_error_at,
            item.last_error,
        )
        for item in found.health
    )
    at = f"{found.now.astimezone(ZoneInfo(found.zone)):%a %-d %b %Y %H:%M}"
    return Table(
        title=NAME,
        about=f"All sources at {at} {found.zone.replace('_', ' ')}, {len(rows):,} sources",
        columns=(
            "Source",
            "Network",
            "State",
            "Data age (s)",
            "Normal (s)",
            "Rate left (%)",
            "Last success",
            "Last error at",
            "Last error",
        ),
        rows=rows,
    )


def _cell(item: Health, found: Frame) -> dict[str, Any]:
    network = BY_ID.get(item.network_id)
    badge = item.badge
    share, left = 1.0, "no limit"
    if item.progress is not None and item.state == "active":
        share, left = item.progress, f"{100 * item.progress:.0f}%"
    elif item.rate_left is not None:
        share, left = min(max(item.rate_left, 0.0), 1.0), f"{100 * min(max(item.rate_left, 0.0), 1.0):.0f}% left"
    return {
        "id": str(item.id),
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "name": item.name,
        "badge": badge,
        "age": _age(item, badge),
        # Live ages are kept by the browser: a panel that waits for a change would show an old one.
        "since": item.last_success_at.isoformat()
        if item.last_success_at and badge in ("live", "slow", "stale")
        else "",
        "share": round(share, 3),
        "left": left,
        "words": _words(item, found),
        "tone": "wn" if badge in ("slow", "stale", "disconnected", "gone") else "t3",
    }


def _age(item: Health, badge: str) -> str:
    words = {
        "paused": "paused",
        "waiting": "first fetch to come",
        "disconnected": "disconnected",
        "gone": "gone",
        "done": "done",
    }
    if badge in words:
        return words[badge]
    if item.data_age_seconds is None:
        return "never fetched"
    return {"live": "lag", "slow": "slow", "stale": "stale"}[badge]


def _words(item: Health, found: Frame) -> str:
    if item.state == "paused":
        return f"paused by {item.paused_by}" if item.paused_by else "paused"
    if item.progress is not None and item.state == "active":
        return "filling in history, newest first"
    if item.last_error is None or item.last_error_at is None:
        return "no error in 24 h"
    if (found.now - item.last_error_at).total_seconds() >= RECENT_SECONDS and item.badge == "live":
        return "no error in 24 h"
    return f"{item.last_error_at.astimezone(ZoneInfo(found.zone)):%H:%M}: {item.last_error}"


def _history(filling: list[Health]) -> dict[str, Any]:
    """How far the fill-in of older posts has come, over the sources that still do it."""
    if not filling:
        return {"share": None, "text": ""}
    share = sum(item.progress or 0.0 for item in filling) / len(filling)
    return {"share": round(share, 3), "text": f"History {100 * share:.0f}%, newest first"}


PANEL = Panel(
    key=KEY,
    topics=("sources",),
    query=query,
    draw=draw,
    place=place,
    table=table,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
)
