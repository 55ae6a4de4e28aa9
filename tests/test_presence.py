"""Presence: who looks or types, of the moment only."""

from __future__ import annotations

import pytest

from models.access import Access
from models.case_steps import CaseKey
from models.database import Database
from models.presence import GONE, LOOKING, TYPING, Presences
from tests.builders import NOW, number, rows
from tests.case_desk import MINUTE

ANA = Access(1, "ana@meridian.example", "Ana", frozenset())
BO = Access(2, "bo@meridian.example", "Bo", frozenset())
KEY, OTHER = CaseKey(2, 11), CaseKey(2, 12)


def _raised(database: Database) -> int:
    return number(database, "select coalesce(sum(n), 0) from change where topic = 'presence'")


def test_who_types_stands_first_and_who_is_silent_is_gone(database: Database) -> None:
    there = Presences(database)
    there.beat(ANA, KEY, LOOKING, now=NOW)
    there.beat(BO, KEY, TYPING, now=NOW + GONE / 2)
    there.beat(BO, OTHER, LOOKING, now=NOW)
    with database.read() as connection:
        found = there.of(connection, [KEY, CaseKey(3, 11)], now=NOW + GONE)
        assert [(one.name, one.doing) for one in found[KEY]] == [("Bo", TYPING), ("Ana", LOOKING)]
        assert found.keys() == {KEY}
        later = there.of(connection, [KEY], now=NOW + GONE * 1.2)
        assert [one.name for one in later[KEY]] == ["Bo"]
        assert there.of(connection, [KEY, OTHER], now=NOW + MINUTE) == {}


def test_only_news_wakes_the_screens(database: Database) -> None:
    there = Presences(database)
    assert there.beat(ANA, KEY, LOOKING, now=NOW)
    assert not there.beat(ANA, KEY, LOOKING, now=NOW + GONE / 2)
    assert there.beat(ANA, KEY, TYPING, now=NOW + GONE / 2)
    assert there.beat(ANA, KEY, TYPING, now=NOW + MINUTE)
    assert _raised(database) == 3
    assert there.leave(ANA, KEY, now=NOW + MINUTE)
    assert not there.leave(BO, KEY, now=NOW + MINUTE)
    assert _raised(database) == 4


def test_it_stays_out_of_the_embedded_database_and_is_shared_on_a_server(database: Database) -> None:
    one, other = Presences(database), Presences(database)
    one.beat(ANA, KEY, LOOKING, now=NOW)
    with database.read() as connection:
        seen = other.of(connection, [KEY], now=NOW)
    assert bool(seen) is not database.is_sqlite
    assert len(rows(database, "select * from presence")) == (0 if database.is_sqlite else 1)
    assert one.sweep(now=NOW + MINUTE) == 1
    assert rows(database, "select * from presence") == []
    assert _raised(database) == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_does_anything_else_in_a_case(database: Database) -> None:
    with pytest.raises(ValueError, match='nobody is "sleeping" in a case'):
        Presences(database).beat(ANA, KEY, "sleeping", now=NOW)
