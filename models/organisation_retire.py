"""Brands, locations and teams taken out of use: nothing that was counted changes, nothing refers to them any more.

The row stays with the instant it ended, so its id is never given again; adding the same key brings it back with all
that was stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, update

from models import audit
from models.database import raise_change
from models.errors import InputError
from models.organisation import UNKNOWN, current
from models.tables import account, brand, brand_rule, competitor, location, rule_draft, team, team_cover

KEPT = {
    "brand": "Its mentions and figures are kept and shown no more, and nothing new is found for it.",
    "location": "Mentions made there keep their place and are counted in the totals; new ones are not put there.",
    "team": "Mentions routed to it are kept; new ones go to whoever else covers them.",
}
"""What retiring means, in words, by kind."""


def retire(connection: Connection, kind: str, key: str, *, actor: str, person_id: int | None, now: datetime) -> str:
    """Take a brand, location or team out of use from `now` on; returns what was done in words.

    NotFound for an unknown key, InputError for a location that others still stand in.
    """
    there = current(connection, now)
    if kind not in KEPT:
        raise InputError(f'no kind "{kind}" to retire; known: {", ".join(KEPT)}')
    found: Any = {"brand": there.brand_by_key, "location": there.location_by_key, "team": there.team_by_key}[kind](key)
    if found.id == UNKNOWN:
        raise InputError(f"{found.name} belongs to the product and cannot be retired")
    _STEPS[kind](connection, found.id, now)
    table = {"brand": brand, "location": location, "team": team}[kind]
    connection.execute(update(table).where(table.c.id == found.id).values(valid_to=now))
    raise_change(connection, "organisation")
    audit.record(
        connection, at=now, action=f"{kind}.retired", subject=f"{found.name} ({key})", actor=actor, person_id=person_id
    )
    return f"{found.name} is retired. {KEPT[kind]}"


def _brand(connection: Connection, brand_id: int, now: datetime) -> None:
    open_rule = brand_rule.c.valid_to.is_(None)
    connection.execute(update(brand_rule).where(brand_rule.c.brand_id == brand_id, open_rule).values(valid_to=now))
    connection.execute(delete(rule_draft).where(rule_draft.c.brand_id == brand_id))
    is_named = or_(competitor.c.brand_id == brand_id, competitor.c.competitor_id == brand_id)
    connection.execute(delete(competitor).where(is_named))
    connection.execute(delete(team_cover).where(team_cover.c.brand_id == brand_id))
    speaks = [account.c.brand_id == brand_id, account.c.valid_to.is_(None)]
    connection.execute(update(account).where(*speaks).values(valid_to=now))


def _location(connection: Connection, location_id: int, now: datetime) -> None:
    below = [item.name for item in current(connection, now).locations if item.parent_id == location_id]
    if below:
        more = f" and {len(below) - 5} more" if len(below) > 5 else ""
        raise InputError(f"{', '.join(below[:5])}{more} stand in it: retire them first, or move them elsewhere")
    connection.execute(delete(team_cover).where(team_cover.c.location_id == location_id))
    connection.execute(update(account).where(account.c.location_id == location_id).values(location_id=None))


def _team(connection: Connection, team_id: int, now: datetime) -> None:
    connection.execute(delete(team_cover).where(team_cover.c.team_id == team_id))


_STEPS = {"brand": _brand, "location": _location, "team": _team}
