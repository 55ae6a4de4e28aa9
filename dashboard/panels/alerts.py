"""What wants somebody to look now: spikes and blind sources that nobody has acknowledged, and those that go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question
from dashboard.panels import flagged, frame
from models import alerts, sources
from models.alerts import BLIND, NO_BRAND, Alert
from models.blind import blind
from models.database import changes

KEY = "alerts"
NAME = "Alerts"
# What is over and was never acknowledged leaves the bar after this.
RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Frame:
    """Alerts, newest first. `unheard_since` is told where every source is late and nobody is there to record it.

    `changes` counts the changes of alerts where spikes are left out, because the scope holds a part of the brands only:
    a browser whose person may see them asks for them when it grows. None where nothing is left out.
    """

    alerts: tuple[Alert, ...]
    brand_names: Mapping[int, str]
    unheard_since: datetime | None = None
    changes: int | None = None


def query(connection: Connection, question: Question) -> Frame:
    """Alerts of the brands in scope, and of the sources."""
    is_part = question.scope.location_ids is not None
    brand_ids = (NO_BRAND,) if is_part else (NO_BRAND, *question.scope.brand_ids)
    found = alerts.waiting(connection, brand_ids, since=question.now - RECENT, now=question.now)
    return Frame(
        found,
        question.organisation.brand_names,
        None if any(item.kind == BLIND for item in found) else _unheard_since(connection, question.now),
        changes(connection, "alerts", [NO_BRAND, *question.scope.brand_ids]) if is_part else None,
    )


def draw(found: Frame) -> Props:
    """The alerts as the browser draws and compares them; instants in ISO, ids as text."""
    items = [item(one, found.brand_names) for one in found.alerts]
    if found.unheard_since is not None:
        items.insert(0, _nobody_listens(found.unheard_since))
    return {"alerts-bar": {"items": items, "changes": found.changes}, "alerts-state": frame.NO_STATE}


def place() -> Component:
    """A row that is there only while somebody should look."""
    bar = html.Div(id="alerts-bar", className="alerts-bar", role="list", **{"aria-label": NAME})
    return frame.box(KEY, NAME, bar, head=False, class_name="alerts-panel")


def item(alert: Alert, brand_names: Mapping[int, str]) -> dict[str, Any]:
    """One alert in plain JSON."""
    return {
        "id": f"{alert.brand_id}-{alert.id}",
        "kind": alert.kind,
        "title": brand_names.get(alert.brand_id, "") if alert.brand_id != NO_BRAND else "Blind",
        "text": flagged.short(alert),
        "words": alert.words,
        "started": alert.started_at.isoformat(),
        "flagged": alert.flagged_at.isoformat(),
        "ended": "" if alert.ended_at is None else alert.ended_at.isoformat(),
        "by": alert.acknowledged_by or "",
        "at": "" if alert.acknowledged_at is None else alert.acknowledged_at.isoformat(),
    }


def _nobody_listens(since: datetime) -> dict[str, Any]:
    at = since.isoformat()
    return {
        # Nothing is recorded, so there is nothing to acknowledge.
        "id": f"nobody-{at}",
        "kind": BLIND,
        "title": "Blind",
        "text": "No source is heard. Is “watchfloor ingest” running?",
        "words": "Every source is long due and none was asked. Is “watchfloor ingest” running?",
        "started": at,
        "flagged": at,
        "ended": "",
        "by": "",
        "at": "",
    }


def _unheard_since(connection: Connection, now: datetime) -> datetime | None:
    """When the last source was heard, where all of them are blind; None where one hears, or none is there."""
    health = [one for one in sources.health(connection, now) if one.state == "active" and one.progress is None]
    if not health or len(found := blind(connection, health, now)) < len(health):
        return None
    return max(one.since for one in found)


PANEL = Panel(
    key=KEY,
    topics=("alerts", "sources", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"team_ids", "network_ids", "search", "window"}),
)
