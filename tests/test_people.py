"""models/people.py: people are added with a role, under one spelling of their mail, or not at all."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from models import audit, people
from models.database import Database
from models.errors import InputError

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def add(database: Database, **given: Any) -> int:
    fields: dict[str, Any] = {
        "email": "ana@meridian.example",
        "name": "Ana Novak",
        "role": "viewer",
        "now": NOW,
    } | given
    with database.write() as connection:
        return people.add_person(connection, **fields)


def test_people_are_listed_by_mail_with_what_they_may(database: Database) -> None:
    add(database, email="Zoë@Meridian.example", role="admin")
    add(database, brand_ids=[4, 2, 4], name="  Ana\tNovak ")
    with database.read() as connection:
        ana, zoe = people.list_people(connection, NOW)
    assert (ana.email, ana.name, ana.roles, ana.brand_ids) == (
        "ana@meridian.example",
        "Ana�Novak",
        ("viewer",),
        frozenset({2, 4}),
    )
    assert (zoe.email, zoe.roles, zoe.brand_ids, zoe.last_seen_at) == ("zoë@meridian.example", ("admin",), None, None)


def test_adding_is_audited_without_the_password(database: Database) -> None:
    add(database, password="the lighthouse keeps its own hours")
    with database.read() as connection:
        (row,) = audit.newest(connection, 10)
    assert (row.action, row.subject, row.actor) == ("person.added", "ana@meridian.example", "command line")
    assert "lighthouse" not in repr(row)


FAULTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"email": "ana"}, "no email address"),
    ({"email": "a@b@c"}, "no email address"),
    ({"email": "a b@c.example"}, "no email address"),
    ({"email": "ana@"}, "no email address"),
    ({"email": "a\u202eb@c.example"}, "no email address"),
    ({"email": "x" * 300 + "@c.example"}, "no email address"),
    ({"name": " "}, "name has 0 characters"),
    ({"name": "x" * 201}, "name has 201 characters"),
    ({"role": "owner"}, 'no role "owner"; known: viewer, agent, approver, manager, admin, auditor, display'),
    ({"brand_ids": []}, "empty list of brands"),
    ({"location_ids": []}, "empty list of locations"),
    ({"password": "short"}, "5 characters; use at least 12"),
    ({"password": "x" * 2_000}, "longer than 1024 bytes"),
)


def test_what_is_wrong_is_said_and_nobody_is_added(database: Database) -> None:
    for given, sentence in FAULTS:
        with pytest.raises(InputError, match=sentence):
            add(database, **given)
    with database.read() as connection:
        assert people.list_people(connection, NOW) == ()
        assert audit.newest(connection, 10) == ()


def test_one_mail_is_one_person_however_it_is_spelled(database: Database) -> None:
    add(database, email="zoë@meridian.example")
    with pytest.raises(InputError, match="exists already"):
        add(database, email=" ZOE\u0308@Meridian.Example ")


def test_two_who_are_added_at_the_same_moment_both_get_in_or_hear_why(database: Database) -> None:
    start = threading.Barrier(4)
    heard: list[str] = []

    def race(number: int) -> None:
        start.wait()
        try:
            add(database, email=f"ana{number}@meridian.example")
        except InputError as error:
            heard.append(str(error))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        added = people.list_people(connection, NOW)
    assert len(added) + len(heard) == 4
    assert len({one.id for one in added}) == len(added) >= 1
    assert all("try again" in sentence for sentence in heard)
