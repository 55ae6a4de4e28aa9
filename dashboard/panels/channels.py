"""The channels of a brand: each account of ours with its purpose, its voice and whether it still works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.accounts import in_scope
from models import accounts
from models.accounts import Health, Kept
from models.networks import BY_ID

KEY = "channels"
NAME = "Channels"


@dataclass(frozen=True, slots=True)
class Frame:
    """Our accounts in scope, those that need somebody first."""

    rows: tuple[Kept, ...]
    is_ours: bool
    words: str
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """The accounts of our brands in scope; a competitor has none of ours."""
    own = {brand.id for brand in question.organisation.brands if brand.kind == "own"}
    ours = tuple(one for one in question.scope.brand_ids if one in own)
    rows = in_scope(connection, replace(question.scope, brand_ids=ours))
    return Frame(
        rows=tuple(sorted(rows, key=lambda item: not item.needs(question.now))),
        is_ours=bool(ours),
        words=frame.about(question).scope_words,
        zone=question.zone,
        now=question.now,
    )


def draw(found: Frame) -> Props:
    """A row an account: what it is for, how it speaks, what somebody must put right."""
    if not found.rows:
        text = (
            "No account of ours is in this scope. Accounts come with the organisation’s file."
            if found.is_ours
            else "A competitor’s accounts are not ours."
        )
        state = {"kind": "empty", "title": "No channels here", "text": text, "widen": ""}
        return {f"{KEY}-head": frame.head(NAME, "", label=f"{NAME}: none"), f"{KEY}-state": state}
    needs = sum(bool(item.needs(found.now)) for item in found.rows)
    side = f"{needs} need attention" if needs > 1 else "1 needs attention" if needs else ""
    return {
        f"{KEY}-list": {"rows": [_row(item, found.now) for item in found.rows]},
        f"{KEY}-head": frame.head(
            NAME, "purpose, voice, health", side=side, label=f"{NAME}: {len(found.rows)}, {side}"
        ),
        f"{KEY}-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty list."""
    body = html.Div(id=f"{KEY}-list", className="channel-list", role="list", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, body)


def table(found: Frame) -> Table:
    """A row an account."""
    return Table(
        title=NAME,
        about=exported.line(found.words, found.now, found.zone, f"{len(found.rows)} accounts"),
        columns=("Account", "Team", "Purpose", "Voice", "Needs"),
        rows=tuple(
            (
                f"{BY_ID[item.network_id].key}/{item.handle}",
                item.team or None,
                item.purpose or None,
                item.voice.get("tone"),
                ", ".join(item.needs(found.now)) or None,
            )
            for item in found.rows
        ),
    )


def _row(item: Kept, now: datetime) -> dict[str, Any]:
    needs = item.needs(now)
    works = any(item.health.get(name, Health()).state == "works" for name in accounts.CAPABILITIES)
    return {
        "id": str(item.id),
        "net": BY_ID[item.network_id].monogram,
        "network": BY_ID[item.network_id].name,
        "name": f"@{item.handle.removeprefix('@')}",
        "team": item.team,
        "purpose": ", ".join(words for words in (item.purpose, str(item.voice.get("tone") or "")) if words),
        "health": ", ".join(needs) or ("works" if works else "not used yet"),
        "bad": bool(needs),
    }


PANEL = Panel(
    key=KEY,
    topics=("accounts", "organisation", "people"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search", "window"}),
    table=table,
)
