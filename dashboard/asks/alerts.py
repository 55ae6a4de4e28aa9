"""Alerts of a person: those of the last days to read, one to acknowledge by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.panels.alerts import item
from models import alerts
from models.access import Request, narrow
from models.alerts import NO_BRAND
from models.errors import InputError, NotFound, ScopeError

RECENT = timedelta(days=7)


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What goes on or began in the last 7 days, of the brands of the page and of the sources, newest first."""
    seen = alerts.may_see(asked.access, asked.asked().scope.brand_ids)
    found = {one.id: one for one in alerts.waiting(connection, seen, since=asked.now, now=asked.now)}
    for one in alerts.of_brands(connection, seen, start=asked.now - RECENT, end=asked.now + RECENT):
        found[one.id] = one
    newest = sorted(found.values(), key=lambda one: one.id, reverse=True)
    return {"alerts": [item(one, asked.organisation.brand_names) for one in newest]}


def acknowledge(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Say that one looks at `id` ("brand-alert"). NotFound for one that this person may not see."""
    brand_id, alert_id = _ids(asked.text("id", longest=40))
    if brand_id not in _visible(asked, brand_id):
        raise NotFound(alerts.NO_SUCH)
    found = alerts.acknowledge(connection, brand_id, alert_id, by=asked.access, now=asked.now)
    is_first = found.acknowledged_at == asked.now
    words = "Acknowledged: others see that you look at it." if is_first else f"{found.acknowledged_by} was first."
    return {"words": words, "alert": item(found, asked.organisation.brand_names)}


def _visible(asked: Asked, brand_id: int) -> tuple[int, ...]:
    """The brand, if the person may read it, and the sources."""
    brand = next((one for one in asked.organisation.brands if one.id == brand_id), None)
    if brand is None:
        return (NO_BRAND,)
    try:
        scope = narrow(Request(brands=(brand.key,)), asked.access, asked.organisation)
    except (NotFound, ScopeError):
        return (NO_BRAND,)
    return alerts.may_see(asked.access, scope.brand_ids)


def _ids(text: str) -> tuple[int, int]:
    brand, dash, alert = text.partition("-")
    is_number = [part.isascii() and part.isdigit() and len(part) <= 19 for part in (brand, alert)]
    if not dash or not all(is_number) or int(brand) >= 1 << 31 or int(alert) >= 1 << 63:
        raise InputError("id: that is no alert")
    return int(brand), int(alert)


READS: dict[str, Read] = {"alerts": read}
ACTS: dict[str, Act] = {"alerts.acknowledge": acknowledge}
