"""Our accounts on the networks: who answers for each, how it speaks, what it can still do, when its access ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from models import accounts
from models.access import Scope
from models.accounts import CAPABILITIES, Health, Kept
from models.networks import BY_ID

KEY = "accounts"
COLUMNS = ("Account", "Place", "Purpose", "Voice", "Owner", "Deputy", "Read", "Reply", "Publish", "Access ends", "Team")
STATE_WORDS = {"works": "works", "lost": "lost", "never": "not yet"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What is kept about the accounts of a scope."""

    rows: tuple[Kept, ...]
    brands: Mapping[int, str]
    places: Mapping[int, str]
    about: str
    simulated: bool
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """The accounts of the brands, places, teams and networks in scope."""
    return Frame(
        rows=in_scope(connection, question.scope),
        brands=question.organisation.brand_names,
        places=question.organisation.location_names,
        about=frame.about(question).scope_words,
        simulated=question.organisation.simulated,
        now=question.now,
    )


def in_scope(connection: Connection, scope: Scope) -> tuple[Kept, ...]:
    """The accounts of the brands, places, teams and networks of a scope."""
    return tuple(
        item
        for item in accounts.kept(connection, scope.brand_ids, scope.location_ids)
        if (scope.network_ids is None or item.network_id in scope.network_ids)
        and (scope.team_ids is None or item.team_id in scope.team_ids)
    )


def draw(found: Frame) -> Props:
    """A strip of counts, and a row an account."""
    shown = {"strip": _strip(found), "rows": [_row(item, found) for item in found.rows]}
    state = frame.NO_STATE
    if not found.rows:
        shown["strip"] = []
        words = f"No account of ours is in {found.about or 'this scope'}. Accounts come with the organisation's file."
        state = {"kind": "empty", "title": "No accounts here", "text": words, "widen": "", "widen_words": ""}
    return {"accounts-rows": shown, f"{KEY}-state": state}


def table(found: Frame) -> Table:
    """One row an account."""
    return Table(
        "Accounts",
        f"{found.about}; n = {len(found.rows)}",
        COLUMNS,
        tuple(
            (
                f"{BY_ID[item.network_id].key}/{item.handle}",
                _place(item, found),
                item.purpose or None,
                item.voice.get("tone"),
                item.owner or None,
                item.deputy or None,
                *(STATE_WORDS[_health(item, name).state] for name in CAPABILITIES),
                item.secrets_expire_at,
                item.team or None,
            )
            for item in found.rows
        ),
    )


def _strip(found: Frame) -> list[dict[str, Any]]:
    rows, total = found.rows, len(found.rows)
    both = [item for item in rows if item.owner_id and item.deputy_id and not (item.owner_left or item.deputy_left)]
    no_deputy = sum(1 for item in rows if item.deputy_id is None)
    left = sum(1 for item in rows if item.owner_left or item.deputy_left)
    connected = [item for item in rows if item.is_connected]
    ends = [item for item in rows if item.warns(found.now) is not None]
    lost = [item for item in rows if any(_health(item, name).state == "lost" for name in CAPABILITIES)]
    needs = [item for item in rows if item.needs(found.now)]
    owned = ", ".join(words for words in (no_deputy and f"{no_deputy} no deputy", left and f"{left} left") if words)
    return [
        {"name": "Accounts", "value": f"{total:,}", "of": "", "note": "of ours in scope", "needs": False},
        {
            "name": "Owner and deputy",
            "value": f"{len(both):,}",
            "of": f"of {total:,}",
            "note": owned or "all named",
            "needs": len(both) < total,
        },
        {
            "name": "Connected",
            "value": f"{len(connected):,}",
            "of": f"of {total:,}",
            "note": "credentials entered",
            "needs": False,
        },
        {
            "name": "Lost or running out",
            "value": f"{len({item.id for item in (*ends, *lost)}):,}",
            "of": "",
            "note": f"{len(lost)} lost, {len(ends)} end within 14 days",
            "needs": bool(ends or lost),
        },
        {
            "name": "Need you",
            "value": f"{len(needs):,}",
            "of": "",
            "note": "something is missing or left",
            "needs": bool(needs),
        },
    ]


def _row(item: Kept, found: Frame) -> dict[str, Any]:
    days = item.days_left(found.now)
    return {
        "id": str(item.id),
        "network": BY_ID[item.network_id].monogram,
        "network_name": BY_ID[item.network_id].name,
        "handle": f"@{item.handle.removeprefix('@')}",
        "place": _place(item, found),
        "purpose": item.purpose or "no purpose noted",
        "voice": str(item.voice.get("tone") or ""),
        "owner": item.owner + (", left" if item.owner_left else "") if item.owner else "no owner",
        "owner_bad": item.owner_id is None or item.owner_left,
        "deputy": item.deputy + (", left" if item.deputy_left else "") if item.deputy else "no deputy",
        "deputy_bad": item.deputy_id is None or item.deputy_left,
        "health": [_shown_health(item, name) for name in CAPABILITIES],
        "ends": "" if item.secrets_expire_at is None else item.secrets_expire_at.isoformat(),
        "ends_words": _ends(item, days, simulated=found.simulated),
        "ends_bad": item.warns(found.now) is not None,
        "team": item.team,
        "needs": list(item.needs(found.now)),
        "connected": item.is_connected,
    }


def _shown_health(item: Kept, name: str) -> dict[str, str]:
    health = _health(item, name)
    at = health.failed_at if health.state == "lost" else health.succeeded_at
    return {
        "name": name,
        "state": health.state,
        "words": STATE_WORDS[health.state],
        "at": "" if at is None else at.isoformat(),
        "error": health.error or "" if health.state == "lost" else "",
    }


def _ends(item: Kept, days: int | None, *, simulated: bool) -> str:
    if not item.is_connected:
        return "simulated network" if simulated else "not connected"
    if days is None:
        return "no expiry known"
    return "ran out" if days < 0 else f"ends in {days} day{'' if days == 1 else 's'}" if days <= 14 else "ends"


def _health(item: Kept, name: str) -> Health:
    return item.health.get(name, Health())


def _place(item: Kept, found: Frame) -> str:
    brand = found.brands.get(item.brand_id, "")
    return brand if item.location_id is None else f"{brand}, {found.places.get(item.location_id, '')}"


def place() -> Component:
    """The panel before data came."""
    return html.Section(
        id=f"panel-{KEY}",
        className="panel accounts-panel",
        **{"aria-label": "Accounts", "data-panel": KEY},
        children=[
            html.Div(id="accounts-rows", className="accounts-body"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


PANEL = Panel(
    key=KEY,
    topics=("accounts", "organisation", "people"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search", "window"}),
    table=table,
)
