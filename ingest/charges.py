"""The one writer of `charged`: what a network charges for once a UTC day, whichever source or look-up reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from ingest.found import Page
from models.bulk import asked
from models.tables.base import EPOCH

_KEY = "network_id, payer, day, unit, external_id"


def charged_units(connection: Connection, network_id: int, page: Page, now: datetime) -> Mapping[str, int]:
    """The units that a page is paid for: its `units`, and of what it `charged` what its payer had not read today."""
    if not page.charged:
        return page.units
    day = (now.astimezone(UTC) - EPOCH).days
    rows = {(network_id, page.payer, day, unit, external_id) for unit, external_id in page.charged}
    relation, params = asked(connection, rows)
    fresh = connection.exec_driver_sql(
        # "where true" tells SQLite where the select ends.
        f"insert into charged ({_KEY}) select a0, a1, a2, a3, a4 from {relation} where true"  # noqa: S608
        " on conflict do nothing returning unit",
        params,
    )
    counted = Counter(page.units) + Counter(fresh.scalars())
    connection.execute(
        text("delete from charged where network_id = :network and payer = :payer and day < :day"),
        {"network": network_id, "payer": page.payer, "day": day},
    )
    return counted
