"""models/saved_views.py: a person's own names for scopes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from models import people, saved_views
from models.database import Database
from models.errors import InputError, NotFound
from models.saved_views import SavedView
from models.tables import saved_view

NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)


@pytest.fixture
def ana(database: Database) -> int:
    return somebody(database, "ana")


def somebody(database: Database, name: str) -> int:
    with database.write() as connection:
        return people.add_person(connection, email=f"{name}@meridian.example", name=name, role="viewer", now=NOW)


def saved(database: Database, person_id: int, name: str, search: str = "?brand=corvane", path: str = "/") -> SavedView:
    with database.write() as connection:
        return saved_views.save(connection, person_id, name=name, path=path, search=search, now=NOW)


def names(database: Database, person_id: int) -> list[str]:
    with database.read() as connection:
        return [view.name for view in saved_views.of(connection, person_id)]


def test_a_person_sees_their_own_views_by_name_and_nobody_elses(database: Database, ana: int) -> None:
    bob = somebody(database, "bob")
    for name in ("weekend", "Morning watch", "Élan", "evening"):
        saved(database, ana, name)
    theirs = saved(database, bob, "Morning watch")

    assert names(database, ana) == ["evening", "Morning watch", "weekend", "Élan"]
    assert names(database, bob) == ["Morning watch"]
    changes: tuple[Callable[[Connection], object], ...] = (
        lambda connection: saved_views.rename(connection, ana, theirs.id, "mine"),
        lambda connection: saved_views.readdress(connection, ana, theirs.id, path="/", search=""),
        lambda connection: saved_views.begin_at(connection, ana, theirs.id),
        lambda connection: saved_views.delete(connection, ana, theirs.id),
    )
    for change in changes:
        with pytest.raises(NotFound, match="you have no such view"), database.write() as connection:
            change(connection)
    assert names(database, bob) == ["Morning watch"]


def test_a_view_leads_where_it_was_last_told_to(database: Database, ana: int) -> None:
    view = saved(database, ana, "  Morning   watch ", "?brand=corvane&window=1h")
    with database.write() as connection:
        saved_views.readdress(connection, ana, view.id, path="/brand/corvane", search="?window=7d")
        saved_views.rename(connection, ana, view.id, "Corvane week")
    with database.read() as connection:
        [found] = saved_views.of(connection, ana)

    assert view.name == "Morning watch"
    assert (found.name, found.address) == ("Corvane week", "/brand/corvane?window=7d")


def test_one_view_at_most_is_where_a_person_begins(database: Database, ana: int) -> None:
    first, second = saved(database, ana, "first"), saved(database, ana, "second", "?window=7d")

    def start() -> str:
        with database.read() as connection:
            return saved_views.start_address(connection, ana)

    assert start() == "/"
    with database.write() as connection:
        saved_views.begin_at(connection, ana, first.id)
        saved_views.begin_at(connection, ana, second.id)
    assert start() == "/?window=7d"
    with database.read() as connection:
        assert [view.name for view in saved_views.of(connection, ana) if view.is_start] == ["second"]
    with database.write() as connection:
        saved_views.delete(connection, ana, second.id)
    assert start() == "/"
    with database.write() as connection:
        saved_views.begin_at(connection, ana, first.id)
        saved_views.begin_at_command(connection, ana)
    assert start() == "/"


@pytest.mark.parametrize(
    ("name", "said"), [("", "1 to 80"), ("x" * 81, "1 to 80"), ("a\x00b", "printable"), ("Morning watch", "already")]
)
def test_a_name_that_is_none_or_taken_is_refused_with_the_way_out(
    database: Database, ana: int, name: str, said: str
) -> None:
    saved(database, ana, "Morning watch")
    other = saved(database, ana, "other")
    with pytest.raises(InputError, match=said):
        saved(database, ana, name)
    with pytest.raises(InputError, match=said):
        _renamed(database, ana, other.id, name)
    assert names(database, ana) == ["Morning watch", "other"]


def test_a_view_may_be_given_its_own_name_again(database: Database, ana: int) -> None:
    view = saved(database, ana, "Morning watch")
    assert _renamed(database, ana, view.id, "Morning watch") == view


@pytest.mark.prove
def test_a_hundred_views_are_kept_and_no_more(database: Database, ana: int) -> None:
    with database.write() as connection:
        for number in range(saved_views.MOST):
            saved_views.save(
                connection, ana, name=f"view {number}", path="/", search="", now=NOW + timedelta(seconds=number)
            )
    with pytest.raises(InputError, match="delete one"):
        saved(database, ana, "one more")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(saved_view)).scalar_one() == 100


def test_an_address_longer_than_any_link_is_refused(database: Database, ana: int) -> None:
    with pytest.raises(InputError, match=r"4,001 characters"):
        saved(database, ana, "long", "?" + "x" * 4_000)


def _renamed(database: Database, person_id: int, view_id: int, name: str) -> SavedView:
    with database.write() as connection:
        return saved_views.rename(connection, person_id, view_id, name)
