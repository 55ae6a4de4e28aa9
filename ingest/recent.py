"""What other workers stored lately, for the window of copies: so that a worker that starts, or works beside others,
knows a text that it did not fetch itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from ingest.enrich.copies import DEFAULT_AGE, Copies
from models.database import time_id
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables import mention

# Rows a call, over all brands: what is older than these is left out.
MOST_ROWS = 5_000
# Posts are stored minutes after they were published, so the last minutes are read again.
OVERLAP = timedelta(minutes=15)


def catch_up(connection: Connection, copies: Copies, organisation: Organisation, now: datetime) -> int:
    """Take the newest stored mentions into the window, and say how many of them it did not have.

    Of each brand those that were published since 15 minutes before the newest one that was read (at first, within the
    age of the window): a span of ids, since ids carry the instant.
    """
    brands = [brand.id for brand in organisation.brands]
    if not brands:
        return 0
    rows: dict[tuple[int, str], Row[Any]] = {}
    columns = [mention.c[name] for name in ("network_id", "external_id", "text", "posted_at", "copy_id", "author_key")]
    for brand_id in brands:
        low = copies.read_to.get(brand_id, time_id(now - DEFAULT_AGE, 0))
        asked = (
            select(*columns)
            .where(mention.c.brand_id == brand_id, mention.c.id > low)
            .where(mention.c.deleted_at.is_(None), mention.c.copy_id.is_not(None))
            .order_by(mention.c.id.desc())
            .limit(max(MOST_ROWS // len(brands), 1))
        )
        for number, row in enumerate(connection.execute(asked)):
            if number == 0:
                copies.read_to[brand_id] = max(low, time_id(min(row.posted_at, now) - OVERLAP, 0))
            rows[row.network_id, row.external_id] = row
    new = 0
    for row in sorted(rows.values(), key=lambda row: row.posted_at):
        network = BY_ID[row.network_id].key
        if not copies.knows(network, row.external_id):
            copies.remember(network, row.external_id, row.text, row.posted_at, row.copy_id, author_key=row.author_key)
            new += 1
    return new
