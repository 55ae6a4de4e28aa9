"""Of what mentions are made: networks, forms, languages, countries of a scope, counted by mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models import cube, geography
from models.access import Scope, Window
from models.audience import form
from models.mentions import filtered
from models.networks import BY_ID
from models.organisation import Organisation

# Form, language and place stand in rows alone: the newest of a scope are looked at.
SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Mix:
    """value -> mentions. Networks come from the rollups, the others from the `rows` newest rows; `is_part`: not all.

    What is not known is in no mapping: `rows` minus the sum of a mapping is unknown.
    """

    networks: Mapping[str, int]
    forms: Mapping[str, int]
    languages: Mapping[str, int]
    countries: Mapping[str, int]
    rows: int
    is_part: bool


def mix(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Mix:
    """One statement for the networks, one for the rows."""
    totals = cube.totals_by(connection, scope, (cube.NETWORK,), window, organisation)
    networks = {BY_ID[group[0]].key: tally.mentions for group, tally in totals.tallies.items() if tally.mentions}
    params: dict[str, Any] = {}
    columns = "m.id, m.language, cast(m.media as text) as media, coalesce(m.home_geo, m.place_geo) as geo"
    inner = filtered(connection, scope, scope.brand_ids, window, params, columns=columns, limit=SAMPLE + 1)
    forms: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    rows = 0
    statement = f"select language, media, geo, count(*) from ({inner}) as counted group by language, media, geo"  # noqa: S608
    for language, media, geo, count in connection.execute(text(statement), params):
        rows += count
        forms[form(media)] += count
        if language:
            languages[language] += count
        if geo and (country := _country(geo)):
            countries[country] += count
    return Mix(networks, forms, languages, countries, min(rows, SAMPLE), rows > SAMPLE)


def _country(geo_id: int) -> str | None:
    found = geography.place(geo_id)
    return found.country or None if found is not None else None
