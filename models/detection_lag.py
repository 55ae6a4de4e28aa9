"""How long after a post was published we had it: received_at - posted_at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from models.access import Scope, Window
from models.expected import percentile
from models.mentions import filtered
from models.tables import source
from models.tables.base import to_microseconds

# The newest posts of a scope that are looked at.
SAMPLE = 1_000
LEAST = 20


@dataclass(frozen=True, slots=True)
class Lag:
    """Median and 95th percentile, seconds; None below LEAST posts. `posts` = how many were looked at."""

    median: float | None
    p95: float | None
    posts: int


def detection_lag(connection: Connection, scope: Scope, window: Window) -> Lag:
    """The lag of the newest SAMPLE mentions of a scope in a window.

    What was posted before its source was added is history that was filled in: nobody could have seen it earlier.
    """
    params: dict[str, Any] = {}
    columns = "m.id, m.posted_at, m.received_at, m.source_id"
    statement = filtered(connection, scope, scope.brand_ids, window, params, columns=columns, limit=SAMPLE)
    added = {
        row.id: to_microseconds(row.created_at) for row in connection.execute(select(source.c.id, source.c.created_at))
    }
    lags = sorted(
        max(0, received - posted) / 1_000_000
        for _, posted, received, source_id in connection.execute(text(statement), params)
        if posted >= added.get(source_id, 0)
    )
    if len(lags) < LEAST:
        return Lag(None, None, len(lags))
    return Lag(percentile(lags, 0.5), percentile(lags, 0.95), len(lags))
