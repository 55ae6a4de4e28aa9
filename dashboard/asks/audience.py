"""The core audience: what the form offers, and declaring it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.panels.audience import LANGUAGES
from models import audience, geography
from models.access import Request, narrow
from models.errors import InputError
from models.networks import NETWORKS


def form(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Brands of ours with what each has declared, and every value that can be chosen, with its name."""
    organisation = asked.organisation
    brands = [brand for brand in organisation.brands if brand.kind == "own"]
    readable = set(narrow(Request(), asked.access, organisation).brand_ids)
    brands = [brand for brand in brands if brand.id in readable]
    declared = {item.brand_id: item for item in audience.declared(connection, [brand.id for brand in brands])}
    return {
        "brands": [
            {"key": brand.key, "name": brand.name, "declared": _declared(declared.get(brand.id))} for brand in brands
        ],
        "options": {
            "network": [{"key": item.key, "name": item.name} for item in NETWORKS[1:]],
            "place": sorted(
                ({"key": code, "name": geography.country_name(code)} for code in geography.countries()),
                key=lambda item: item["name"],
            ),
            "language": [{"key": code, "name": name} for code, name in LANGUAGES.items()],
            "format": [{"key": name, "name": name} for name in audience.FORMATS],
        },
    }


def _declared(item: audience.Declared | None) -> dict[str, Any]:
    if item is None:
        return {}
    return {name: {"values": item.values[name], "share": item.shares.get(name)} for name in audience.DIMENSIONS}


def declare(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Declare `brand`'s core audience: `declared` is {dimension: {values, share}}."""
    given = asked.given.get("declared")
    if not isinstance(given, Mapping):
        raise InputError("declared: an object of dimensions is needed")
    brand = asked.text("brand", longest=64)
    item = audience.declare(connection, brand, given, asked.organisation, access=asked.access, now=asked.now)
    return {"words": f"The core audience of {asked.organisation.brand_names[item.brand_id]} is declared."}


READS: dict[str, Read] = {"audience.form": form}
ACTS: dict[str, Act] = {"audience.declare": declare}
