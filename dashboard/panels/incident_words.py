"""What the panels of incidents share: which one a page is about, and how its instants and figures are said."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard import style
from dashboard.panel import Question
from models import incident_reading
from models.errors import NotFound
from models.incident_reading import FROZEN, Incident

# How replies are held, in a few words.
HELD = {FROZEN: "Nothing is sent", "manager": "Replies need a manager"}
KINDS = {
    "evidence": "Evidence",
    "decision": "Decision",
    "note": "Note",
    "step": "",
    "update": "Public update",
    "late": "Late",
}
IGNORES = frozenset({"location_ids", "team_ids", "network_ids", "search", "window"})
"""An incident has its own scope: whatever the address narrows, its page shows all of it that a person sees."""


def found(connection: Connection, question: Question) -> Incident:
    """The incident that a page is about. NotFound for one that whoever shares the panel may not see."""
    if question.subject is None:
        raise NotFound(incident_reading.NO_SUCH)
    return incident_reading.one(connection, question.organisation, question.anybody, question.subject.id)


def clock(at: datetime, zone: str, now: datetime) -> str:
    """14:31, with the day where that is another one."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%-d %b %H:%M}"


def iso(at: datetime | None) -> str:
    """An instant for the browser, which makes ages and countdowns of it; "" where there is none."""
    return "" if at is None else at.isoformat()


def net(value: float | None) -> dict[str, str]:
    """Net sentiment as words, mark and tone."""
    if value is None:
        return {"net": style.NO_VALUE, "glyph": "", "tone": "t3"}
    glyph, tone = (style.UP, "pos") if value >= 0.5 else (style.DOWN, "neg") if value <= -0.5 else (style.LEVEL, "neu")
    return {"net": style.signed(value), "glyph": glyph, "tone": tone}


def times(seen: float, middle: float | None) -> str:
    """How often the expected middle was seen: ×7.6; "" where nothing is known to be expected."""
    if not middle:
        return ""
    value = seen / middle
    return "×99+" if value > 99 else f"×{value:.0f}" if value >= 9.95 else f"×{value:.1f}"


def state(item: Incident, now: datetime) -> str:
    """open, ended, or over by the clock."""
    return "open" if item.is_open(now) else "ended"


def plain(item: Incident, *, lead: str, now: datetime) -> dict[str, Any]:
    """What every drawing of an incident begins with."""
    return {
        "id": item.id,
        "label": item.label,
        "name": item.name,
        "severity": item.severity,
        "state": state(item, now),
        "declared": iso(item.declared_at),
        "since": iso(min(item.detected_at or item.declared_at, item.declared_at)),
        "expires": iso(item.expires_at),
        "ended": iso(item.ended_at or (item.expires_at if item.expires_at <= now else None)),
        "ended_by": item.ended_by or "",
        "next": iso(item.next_update_at),
        "held": HELD[item.outbound],
        "outbound": item.outbound,
        "lead": lead,
    }
