"""models/preferences.py: what a person has set for themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models import people, preferences
from models.database import Database
from models.errors import InputError

NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)


@pytest.fixture
def person_id(database: Database) -> int:
    with database.write() as connection:
        return people.add_person(connection, email="ana@meridian.example", name="Ana Novak", role="viewer", now=NOW)


def test_a_preference_is_kept_and_replaced_for_one_person_alone(database: Database, person_id: int) -> None:
    with database.write() as connection:
        preferences.put(connection, person_id, "single_keys", True, now=NOW)
        preferences.put(connection, person_id, "single_keys", False, now=NOW)
        preferences.put(connection, person_id, "look_here", {"sound": "bell"}, now=NOW)
    with database.read() as connection:
        assert preferences.of(connection, person_id) == {"single_keys": False, "look_here": {"sound": "bell"}}
        assert preferences.of(connection, person_id + 1) == {}


@pytest.mark.parametrize(("key", "value", "said"), [("colour", 1, "colour"), ("seen", "x" * 5_000, "seen: larger")])
def test_what_is_no_preference_is_refused_by_name(
    database: Database, person_id: int, key: str, value: object, said: str
) -> None:
    with database.write() as connection, pytest.raises(InputError, match=said):
        preferences.put(connection, person_id, key, value, now=NOW)
