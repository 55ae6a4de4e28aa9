"""models/source_checks.py: a source is tried before it is saved, and its secrets are seen by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from models import source_checks, sources
from models.audit import newest
from models.database import Database
from models.errors import InputError, NotFound
from models.secrets import seal, unseal
from models.settings import Settings
from models.source_checks import Check
from models.source_kinds import FormFault
from models.tables import source, source_check
from tests.builders import NOW, add_source, rows

BEARER = "AAAAthatNobodyMayRead"
X = {"name": "Halden search", "what": "search", "query": "halden", "longest_query": "512", "bearer_token": BEARER}
FEED = {"name": "Press", "url": "https://example.org/feed.xml"}
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def ask(
    database: Database, settings: Settings, given: Mapping[str, Any], *, kind: str = "x", source_id: int | None = None
) -> int:
    with database.write() as connection:
        return source_checks.ask(
            connection, settings, given, kind=kind, source_id=source_id, by="hedda@example.org", person_id=None, now=NOW
        )


def take(database: Database, *, after: timedelta = SECOND) -> Check | None:
    with database.write() as connection:
        return source_checks.take(connection, NOW + after)


def taken(database: Database) -> Check:
    check = take(database)
    assert check is not None
    return check


def accept(database: Database, check: Check) -> int | None:
    with database.write() as connection:
        return source_checks.accept(connection, check, "reads as app 'listen'", NOW + 2 * SECOND)


def state(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as connection:
        return [(shown.state, shown.answer) for shown in source_checks.recent(connection, NOW + 3 * SECOND)]


def everything(database: Database) -> str:
    """All that any table holds, as text."""
    names = ("source", "source_check", "audit", "change", "fetch")
    return str([rows(database, f'select * from "{name}"') for name in names])


def test_a_source_that_works_is_saved_with_its_secrets_sealed(database: Database, settings: Settings) -> None:
    ask(database, settings, X | {"budget": "900", "every_seconds": "15", "remeasure": "ours"})
    assert rows(database, "select id from source") == []

    check = taken(database)
    assert check.config == {"what": "search", "query": "halden", "longest_query": "512"}
    assert check.sealed is not None
    assert unseal(settings, check.sealed) == {"bearer_token": BEARER}
    source_id = accept(database, check)

    with database.read() as connection:
        row = connection.execute(select(source)).one()
    assert (row.id, row.name, row.kind, row.network_id, row.state) == (source_id, "Halden search", "x", 2, "active")
    assert (row.every_seconds, row.budget, row.remeasure, row.due_at) == (15.0, 900.0, "ours", NOW + 2 * SECOND)
    assert unseal(settings, row.secrets) == {"bearer_token": BEARER}
    assert state(database) == [("works", "reads as app 'listen'")]
    assert BEARER not in everything(database)


def test_nothing_is_saved_of_a_source_that_does_not_work(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    with database.write() as connection:
        check = source_checks.take(connection, NOW)
        assert check is not None
        source_checks.refuse(connection, check, "the token is not valid (401)", NOW)

    assert rows(database, "select id from source") == []
    assert state(database) == [("refused", "the token is not valid (401)")]
    with database.read() as connection:
        assert connection.execute(select(source_check.c.secrets)).scalar() is None


def test_who_asked_and_what_came_of_it_are_audited_without_a_secret(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    accept(database, taken(database))

    with database.read() as connection:
        entries = newest(connection, 10)
    said = {entry.action: entry for entry in entries}
    assert set(said) == {"source.check_asked", "source.added"}
    assert {entry.actor for entry in entries} == {"hedda@example.org"}
    assert said["source.check_asked"].details == {"kind": "x", "entered": ["bearer_token"]}
    assert BEARER not in str(entries)


def test_two_workers_never_try_the_same_check(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    ask(database, settings, X | {"name": "another"})

    first, second, third = take(database), take(database), take(database)

    assert first is not None
    assert second is not None
    assert {first.name, second.name} == {"Halden search", "another"}
    assert third is None


def test_what_a_worker_that_died_was_trying_is_tried_by_another(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    dead = taken(database)
    assert take(database, after=50 * SECOND) is None

    again = take(database, after=70 * SECOND)
    assert again is not None
    assert again.id == dead.id

    assert accept(database, again) == 1
    # The first one was only slow: its answer comes too late to make a second source.
    assert accept(database, dead) is None
    assert len(rows(database, "select id from source")) == 1


def test_credentials_do_not_wait_for_ever(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    with database.read() as connection:
        assert source_checks.is_waiting(connection)

    assert take(database, after=timedelta(minutes=16)) is None

    with database.read() as connection:
        assert not source_checks.is_waiting(connection)
        row = connection.execute(select(source_check)).one()
    assert (row.state, row.secrets) == ("refused", None)
    assert row.answer == "No worker tried it within 15 minutes; ask again."


def test_a_secret_left_empty_stays_as_it_is(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    accept(database, taken(database))

    ask(database, settings, X | {"name": "renamed", "query": "halden OR corvane", "bearer_token": ""}, source_id=1)
    accept(database, taken(database))

    with database.read() as connection:
        row = connection.execute(select(source)).one()
    assert (row.name, row.config["query"]) == ("renamed", "halden OR corvane")
    assert unseal(settings, row.secrets) == {"bearer_token": BEARER}


def test_new_credentials_connect_a_source_again(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    accept(database, taken(database))
    with database.write() as connection:
        connection.execute(update(source).values(state="disconnected", last_error="401", failures=4))

    ask(database, settings, X | {"bearer_token": "BBBBnew"}, source_id=1)
    with database.read() as connection:
        assert connection.execute(select(source.c.state)).scalar() == "disconnected"
    accept(database, taken(database))

    with database.read() as connection:
        row = connection.execute(select(source)).one()
        actions = [entry.action for entry in newest(connection, 1)]
    assert (row.state, row.last_error, row.failures) == ("active", None, 0)
    assert unseal(settings, row.secrets) == {"bearer_token": "BBBBnew"}
    assert actions == ["source.changed"]


def test_a_name_that_was_taken_meanwhile_refuses_what_works(database: Database, settings: Settings) -> None:
    ask(database, settings, FEED, kind="feed")
    check = taken(database)
    add_source(database, "Press")

    assert accept(database, check) is None

    ((said, answer),) = state(database)
    assert said == "refused"
    assert answer is not None
    assert answer.startswith("It works, but there is a source")
    assert len(rows(database, "select id from source")) == 1


@pytest.mark.parametrize(
    ("given", "kind", "names"),
    [
        ({}, "feed", {"name", "url"}),
        (FEED | {"name": "Taken"}, "feed", {"name"}),
        (FEED | {"every_seconds": "0.1"}, "feed", {"every_seconds"}),
        (FEED | {"every_seconds": "soon"}, "feed", {"every_seconds"}),
        (X | {"budget": "-1"}, "x", {"budget"}),
        (X | {"budget": "nan"}, "x", {"budget"}),
        (X | {"remeasure": "twice"}, "x", {"remeasure"}),
        (X | {"bearer_token": ""}, "x", {"bearer_token"}),
        (X | {"query": "", "bearer_token": "a b"}, "x", {"query", "bearer_token"}),
    ],
)
def test_a_form_that_cannot_be_used_asks_nobody(
    database: Database, settings: Settings, given: dict[str, str], kind: str, names: set[str]
) -> None:
    add_source(database, "Taken")

    with pytest.raises(FormFault) as fault:
        ask(database, settings, given, kind=kind)

    assert set(fault.value.faults) == names
    assert rows(database, "select id from source_check") == []


def test_only_kinds_with_a_form_and_sources_that_are_there_can_be_asked_for(
    database: Database, settings: Settings
) -> None:
    add_source(database, "File", kind="file")
    with pytest.raises(InputError, match="known: feed, x"):
        ask(database, settings, {"name": "x"}, kind="simulator")
    with pytest.raises(NotFound):
        ask(database, settings, FEED, kind="feed", source_id=1)
    with pytest.raises(NotFound):
        ask(database, settings, FEED, kind="feed", source_id=99)


def test_credentials_that_no_key_opens_are_said_and_not_lost(database: Database, settings: Settings) -> None:
    ask(database, settings, X)
    accept(database, taken(database))
    other = Settings(home=settings.home.parent / "elsewhere")
    seal(other, {"a": "b"})

    with pytest.raises(FormFault) as fault:
        ask(database, other, X, source_id=1)

    assert "does not open stored credentials" in fault.value.faults["name"]


def test_the_screen_hears_of_every_step(database: Database, settings: Settings) -> None:
    def changes() -> int:
        with database.read() as connection:
            found = connection.execute(text("select sum(n) from change where topic = 'sources'")).scalar()
        return int(found or 0)

    counts = [changes()]
    ask(database, settings, FEED, kind="feed")
    counts.append(changes())
    check = taken(database)
    counts.append(changes())
    accept(database, check)
    counts.append(changes())
    assert counts == sorted(set(counts))
    with database.read() as connection:
        assert sources.name_of(connection, 1) == "Press"
