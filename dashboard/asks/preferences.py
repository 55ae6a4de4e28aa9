"""What a person has set for themselves: read and put by its key, for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from models import preferences


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Every preference of the one who asks, as {"preferences": {key: value}}."""
    return {"preferences": dict(preferences.of(connection, asked.access.person_id))}


def put(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Set `key` to `value` (any JSON) for the one who asks. InputError for a key that is none or a value too large."""
    preferences.put(
        connection, asked.access.person_id, asked.text("key", longest=64), asked.given.get("value"), now=asked.now
    )
    return {"words": "Saved for you."}


READS: dict[str, Read] = {"preferences": read}
ACTS: dict[str, Act] = {"preference.put": put}
