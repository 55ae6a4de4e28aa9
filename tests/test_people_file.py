"""models/people_file.py: a file of people is looked at before anything is written, and says why a line is not read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from models import audit, people, people_file, roles
from models.access import Access, Grant
from models.database import Database
from models.errors import InputError
from models.people_file import Preview
from models.people_lines import Unread
from models.tables import membership, person
from tests.builders import HALDEN, load

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ADMIN = Access.granted(1, "hedda@meridian.example", "Hedda", [Grant("admin")])
HEAD = "email,name,role,brands,locations,teams,from,until,trainee,left\n"


def looked(database: Database, content: str, who: Access = ADMIN) -> Preview:
    there = load(database)
    with database.read() as connection:
        return people_file.preview(connection, there, who, content, now=NOW)


def loaded(database: Database, content: str, who: Access = ADMIN, seen: str | None = None) -> tuple[Preview, bool]:
    there = load(database)
    with database.write() as connection:
        seen = seen or people_file.preview(connection, there, who, content, now=NOW).seen
        return people_file.load(connection, there, who, content, seen=seen, now=NOW)


def add(database: Database, email: str, name: str, role: str | None = None) -> int:
    with database.write() as connection:
        return people.add_person(connection, email=email, name=name, role=role, now=NOW)


FILE = (
    HEAD
    + "noor@meridian.example,Noor Haddad,,,,,,,,\n"
    + "ana@meridian.example,Ana Novak,agent,halden,netherlands,,,2026-12-01,,\n"
    + "mo@meridian.example,Mo B. Okafor,,,,,,,yes,\n"
    + "tom@meridian.example,Tom Reyes,,,,,,,,2026-11-17\n"
    + "hedda@meridian.example,Hedda Brandt,,,,,,,,\n"
    + ",Nobody,,,,,,,,\n"
    + "piotr@meridian.example,Piotr,agent,,,Dutch caer,,,,\n"
)


def filled(database: Database) -> None:
    load(database)
    add(database, "hedda@meridian.example", "Hedda Brandt", "admin")
    add(database, "mo@meridian.example", "Mo Okafor")
    add(database, "tom@meridian.example", "Tom Reyes", "agent")
    add(database, "ruben@meridian.example", "Ruben Aksoy", "approver")


def test_the_preview_says_what_would_change_and_writes_nothing(database: Database) -> None:
    filled(database)
    found = looked(database, FILE)
    assert [(one.kind, one.name, one.what) for one in found.changes] == [
        ("leaver", "Tom Reyes", ("deactivated; 1 role, sessions and claims end",)),
        ("changed", "Mo B. Okafor", ("name: Mo Okafor → Mo B. Okafor", "in training")),
        ("new", "Ana Novak", ("agent for Halden Bank, Netherlands until 2 Dec 2026",)),
        ("new", "Noor Haddad", ("no role yet",)),
    ]
    assert (found.lines, found.same, found.absent, found.count("new")) == (7, 1, 1, 2)
    assert found.unread == (
        Unread(7, "no work address"),
        Unread(8, "team “Dutch caer” is not known; did you mean Dutch care?"),
    )
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(person)).scalar_one() == 4


def test_loading_does_what_was_seen_and_the_second_time_nothing(database: Database) -> None:
    filled(database)
    found, done = loaded(database, FILE)
    assert (done, len(found.changes)) == (True, 4)
    with database.read() as connection:
        held = roles.memberships(connection, range(1, 9), NOW)
        by_mail = {row.email: row for row in connection.execute(select(person))}
        rows = {row.action for row in audit.newest(connection, 8)}
    ana = by_mail["ana@meridian.example"]
    assert [row.right for row in held[ana.id]] == ["agent"]
    assert ana.invited_at == NOW
    assert by_mail["noor@meridian.example"].id not in held
    assert by_mail["tom@meridian.example"].disabled_at == NOW
    assert (by_mail["mo@meridian.example"].name, by_mail["mo@meridian.example"].is_trainee) == ("Mo B. Okafor", True)
    assert {"person.added", "person.role_given", "person.disabled", "person.renamed", "person.training"} <= rows
    again = looked(database, FILE)
    assert (again.changes, again.same) == ((), 5)


def test_what_was_changed_meanwhile_is_shown_and_not_written(database: Database) -> None:
    filled(database)
    seen = looked(database, FILE).seen
    add(database, "noor@meridian.example", "Noor Haddad")
    found, done = loaded(database, FILE, seen=seen)
    assert not done
    assert found.count("new") == 1
    with database.read() as connection:
        assert connection.execute(select(person.c.disabled_at).where(person.c.email.like("tom%"))).scalar_one() is None


def test_leavers_and_those_who_come_back(database: Database) -> None:
    filled(database)
    soon = HEAD + "tom@meridian.example,,,,,,,,,2026-11-30\n"
    assert looked(database, soon).changes[0].what == ("leaves 30 Nov 2026: roles end then",)
    loaded(database, soon)
    with database.read() as connection:
        until = connection.execute(select(membership.c.valid_to).where(membership.c.person_id == 3)).scalar_one()
    assert until == datetime(2026, 11, 29, 23, 0, tzinfo=UTC)
    loaded(database, HEAD + "tom@meridian.example,,,,,,,,,yes\n")
    back = looked(database, HEAD + "tom@meridian.example,,,,,,,,,no\n")
    assert [(one.kind, one.what) for one in back.changes] == [("changed", ("back again",))]
    for line in ("hedda@meridian.example,,,,,,,,,yes", "never@meridian.example,Never,,,,,,,,yes"):
        assert looked(database, f"{HEAD}{line}\n").changes == ()


def test_who_manages_a_part_loads_for_that_part(database: Database) -> None:
    filled(database)
    manager = Access.granted(9, "ines@meridian.example", "Ines", [Grant("manager", frozenset({HALDEN}))])
    content = (
        HEAD
        + "noor@meridian.example,Noor,agent,halden,,,,,,\n"
        + "ana@meridian.example,Ana,agent,corvane,,,,,,\n"
        + "ruben@meridian.example,Ruben,,,,,,,,yes\n"
    )
    found = looked(database, content, manager)
    assert [one.name for one in found.changes] == ["Noor"]
    assert [one.number for one in found.unread] == [3, 4]
    assert "it is more than you hold" in found.unread[0].reason
    assert found.unread[1].reason == "ruben@meridian.example is not yours to change"


LINES: tuple[tuple[str, str], ...] = (
    ("a b@c.example,A,,,,,,,,", "“a b@c.example” is no work address"),
    ("a@c.example,,,,,,,,,", "a@c.example is new and has no name"),
    ("a@c.example,A,owner,,,,,,,", 'no role "owner"'),
    ("a@c.example,A,,halden,,,,,,", "brands are named, but no role"),
    ("a@c.example,A,admin,halden,,,,,,", 'the role "admin" is for everything'),
    ("a@c.example,A,agent,,,,,tomorrow,,", "until: “tomorrow” is no date; write 2026-11-30"),
    ("a@c.example,A,agent,,,,,2026-11-01,,", "over before it begins"),
    ("a@c.example,A,agent,,,,9999-12-31,,,", "from: “9999-12-31” is no date"),
    ("a@c.example,A,,,,,,,perhaps,", "trainee: “perhaps” is neither yes nor no"),
    (f"a@c.example,{'A' * 2_000},,,,,,,,", "a field has more than"),
    ("a@c.example,A,,,,,,,,\na@c.example,B,,,,,,,,", "a@c.example has two names: A, B"),
)


def test_a_line_that_cannot_be_used_says_why(database: Database) -> None:
    there = load(database)
    with database.read() as connection:
        for line, reason in LINES:
            found = people_file.preview(connection, there, ADMIN, f"{HEAD}{line}\n", now=NOW)
            assert found.changes == (), line
            assert reason in found.unread[0].reason, line
            assert found.unread[0].number == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has no column “email”"),
        ("name\nAna\n", "has no column “email”"),
        ("email,email\na@b.example,x\n", "the column “email” more than once"),
        ('email\n"a', "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused(database: Database, content: str, reason: str) -> None:
    if reason == "cannot be read":
        assert looked(database, content).unread
        return
    with pytest.raises(InputError, match=reason):
        looked(database, content)


def test_names_keys_semicolons_and_other_columns_are_understood(database: Database) -> None:
    load(database)
    content = "\ufeffEmail;NAME;role;brands;department\r\nana@x.example;Ana;Agent;Corvane;Care\r\n"
    found = looked(database, content)
    assert found.changes[0].what == ("agent for Corvane",)
    assert found.ignored == ("department",)
    two = HEAD + "ana@x.example,Ana,agent,halden,,,,,,\nana@x.example,,approver,Halden Bank; velta,,,,,,\n"
    assert looked(database, two).changes[0].what == ("agent for Halden Bank", "approver for Halden Bank, Velta")


def test_a_role_that_is_there_ends_when_the_file_says_so(database: Database) -> None:
    filled(database)
    content = HEAD + "ruben@meridian.example,,approver,,,,,2026-11-30T18:00,,\n"
    assert looked(database, content).changes[0].what == ("approver for everything: ends 30 Nov 2026 18:00",)
    loaded(database, content)
    with database.read() as connection:
        ends = connection.execute(select(membership.c.valid_to).where(membership.c.person_id == 4)).scalar_one()
    assert ends == datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
    assert looked(database, content).changes == ()


def test_thousands_are_loaded_at_once(database: Database) -> None:
    filled(database)
    content = HEAD + "".join(f"person{n}@meridian.example,Person {n},,,,,,,,\n" for n in range(1_000))
    found, done = loaded(database, content)
    assert (done, found.count("new")) == (True, 1_000)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(person)).scalar_one() == 1_004
