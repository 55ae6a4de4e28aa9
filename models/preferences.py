"""What a person has set for themselves, and nobody else sees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models.errors import InputError
from models.tables import preference

KEYS = frozenset({"look_here", "seen", "single_keys"})
LARGEST = 4_000


def of(connection: Connection, person_id: int) -> Mapping[str, Any]:
    """Every preference of a person, by key."""
    rows = connection.execute(select(preference.c.key, preference.c.value).where(preference.c.person_id == person_id))
    return {row.key: row.value for row in rows}


def put(connection: Connection, person_id: int, key: str, value: Any, *, now: datetime) -> None:
    """Set one preference. InputError for a key that is none, or a value too large to keep."""
    if key not in KEYS:
        raise InputError(f'there is no preference "{key[:64]}"; known: {", ".join(sorted(KEYS))}')
    if len(json.dumps(value)) > LARGEST:
        raise InputError(f"{key}: larger than {LARGEST:,} characters of JSON")
    mine = (preference.c.person_id == person_id) & (preference.c.key == key)
    changed = connection.execute(preference.update().where(mine).values(value=value, at=now))
    if not changed.rowcount:
        connection.execute(preference.insert().values(person_id=person_id, key=key, value=value, at=now))
