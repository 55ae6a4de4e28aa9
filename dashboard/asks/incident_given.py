"""What a browser says about incidents, read and checked: scopes by key, spans in minutes, lists of texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboard.asks.ask import Asked
from models.access import Request, narrow
from models.errors import InputError
from models.incident_reading import IncidentScope
from models.incident_report import Change
from models.incidents import POST, SPIKE, From
from models.networks import network_by_key

MOST_KEYS = 100
# What somebody may ask for in place of an instant: minutes from now.
LONGEST_MINUTES = 60 * 24 * 14


def scope_of(asked: Asked) -> IncidentScope:
    """Keys of brands, locations and networks; none named = all of them."""
    organisation = asked.organisation
    # What one may not see is not there, whatever one may declare.
    named = Request(tuple(texts(asked, "brands")), tuple(texts(asked, "locations")))
    if named != Request():
        narrow(named, asked.access, organisation)
    brands = [organisation.brand_by_key(key).id for key in named.brands]
    places = [organisation.location_by_key(key).id for key in named.locations]
    networks = [network_by_key(key).id for key in texts(asked, "networks")]
    return IncidentScope(
        brand_ids=tuple(sorted(set(brands))) or None,
        location_ids=tuple(sorted(set(places))) or None,
        network_ids=tuple(sorted(set(networks))) or None,
        search=" ".join(asked.text("search", longest=200).split()),
    )


def declared_from(asked: Asked) -> From | None:
    """What it is declared from: "alert" or "mention", and "brand-id"."""
    kind = asked.text("from", longest=16)
    if not kind:
        return None
    if kind not in (SPIKE, POST):
        raise InputError(f'from "{kind}": use {SPIKE} or {POST}')
    brand, dash, number = asked.text("from_id", longest=40).partition("-")
    if not dash:
        raise InputError("from_id: brand and id, joined by a dash, are needed")
    return From(kind, whole(brand, "from_id"), whole(number, "from_id"))


def minutes(asked: Asked, name: str) -> int | None:
    """Minutes from now; None where none were given."""
    if asked.given.get(name) in (None, ""):
        return None
    count = asked.number(name)
    if not 0 < count <= LONGEST_MINUTES:
        raise InputError(f"{name}: {count} minutes; use 1 to {LONGEST_MINUTES:,}")
    return count


def instant_in(asked: Asked, name: str) -> datetime | None:
    """So many minutes from now; None where none were given."""
    count = minutes(asked, name)
    return None if count is None else asked.now + timedelta(minutes=count)


def somebody(asked: Asked, name: str) -> int | None:
    """A person by number; None where nobody was named."""
    return None if asked.given.get(name) in (None, "") else asked.number(name)


def listed(asked: Asked, name: str) -> list[Any]:
    """A list that is not too long."""
    found = asked.given.get(name, [])
    if not isinstance(found, list) or len(found) > MOST_KEYS:
        raise InputError(f"{name}: a list of at most {MOST_KEYS} is needed")
    return found


def texts(asked: Asked, name: str) -> list[str]:
    """A list of texts."""
    return [said(asked, name, item) for item in listed(asked, name)]


def changes(asked: Asked) -> list[Change]:
    """What changes after an incident, each with its owner and day."""
    found = []
    for item in listed(asked, "changes"):
        if not isinstance(item, dict):
            raise InputError("changes: each is an object with text, owner, due and done")
        words = {name: said(asked, name, item.get(name) or "") for name in ("text", "owner", "due")}
        found.append(Change(**words, done=item.get("done") is True))
    return found


def said(asked: Asked, name: str, value: Any) -> str:
    """One of many texts, read as a single one is."""
    return Asked(asked.access, asked.organisation, asked.now, {name: value}).text(name)


def whole(value: Any, name: str) -> int:
    """A whole number that stands within something else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 1 << 63):
        raise InputError(f"{name}: a whole number is needed")
    return int(text)
