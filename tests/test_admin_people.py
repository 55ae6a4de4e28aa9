"""The page of the people: what it shows to whom, what it does, and that another one's people are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard import rights
from dashboard import scope as url_scope
from dashboard.asks import ACTS, READS, people
from dashboard.asks.ask import Asked
from dashboard.panel import Question
from dashboard.panels import people as panel
from dashboard.panels.people_rows import initials
from dashboard.views import by_path
from models import audit, roles
from models.access import PEOPLE as MANAGE_PEOPLE
from models.access import Access, Grant
from models.errors import InputError, NotFound
from models.people_reading import REVIEW_EVERY
from tests.empty import empty_database
from tests.test_people_acts import ADMIN, AGENT_HERE, MANAGER, NOW, Floor


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    database = empty_database(tmp_path)
    yield Floor(database)
    database.close()


def question(floor: Floor, who: Access = ADMIN, now: datetime = NOW) -> Question:
    asked = url_scope.question(url_scope.parse(""), who, floor.there, now)
    return replace(asked, reach=who.reach)


def drawn(floor: Floor, who: Access = ADMIN, now: datetime = NOW) -> dict[str, Any]:
    with floor.database.read() as connection:
        props = panel.PANEL.draw(panel.PANEL.query(connection, question(floor, who, now)))
    # What goes to a browser is plain JSON.
    found: dict[str, Any] = json.loads(json.dumps(props))["admin-people-rows"]
    return found


def ask(floor: Floor, what: str, who: Access = ADMIN, /, now: datetime = NOW, **given: Any) -> dict[str, Any]:
    asked = Asked(who, floor.there, now, given)
    if what in people.READS:
        with floor.database.read() as connection:
            return dict(people.READS[what](connection, asked))
    with floor.database.write() as connection:
        return dict(people.ACTS[what](connection, asked))


def figures(found: dict[str, Any]) -> dict[str, str]:
    return {cell["key"]: f"{cell['value']}{cell['unit']} {cell['line']}" for cell in found["kpis"]}


# -- what it shows -------------------------------------------------------------------------------------------


def test_the_table_says_who_has_which_role_for_what_and_until_when(floor: Floor) -> None:
    ask(floor, "people.give", person=3, role="agent", brands=["halden"], locations=["amsterdam"], until="2026-11-25")
    rows = {row["name"]: row for row in drawn(floor)["rows"]}
    mo = rows["Mo Okafor"]
    assert (mo["role"], mo["for"], mo["from"], mo["until"]) == (
        "Agent",
        "Halden Bank, Amsterdam",
        "22 Nov 2026",
        "25 Nov 2026",
    )
    assert (mo["pill"], mo["soon"], mo["state"], mo["seen"], mo["initials"]) == (True, True, "invited", None, "MO")
    assert (rows["Keiko Mori"]["role"], rows["Keiko Mori"]["number"]) == ("No role", 0)
    assert rows["Hedda Brandt"]["for"] == "everything"


def test_the_figures_say_what_needs_somebody(floor: Floor) -> None:
    assert figures(drawn(floor)) == {
        "people": "4 2 without a role",
        "role": "2 2 kinds of role",
        "soon": "0 none",
        "leavers": "0 none",
        "due": "100% 0 roles due, n = 2",
    }
    later = drawn(floor, now=NOW + REVIEW_EVERY + timedelta(seconds=1))
    assert figures(later)["due"] == "0% 2 roles due, n = 2"
    ask(floor, "people.end", MANAGER_OF_ALL, number=2)
    assert figures(drawn(floor))["role"] == "1 1 kind of role"


MANAGER_OF_ALL = Access.granted(9, "root@meridian.example", "Root", [Grant("admin")])


def test_two_who_see_the_same_share_the_panel_and_others_do_not(floor: Floor) -> None:
    assert panel.PANEL.reads_cases
    ask(floor, "people.give", person=4, role="agent", brands=["corvane"])
    names = {row["name"] for row in drawn(floor, MANAGER)["rows"]}
    assert "Keiko Mori" not in names
    assert "Mo Okafor" in names
    assert figures(drawn(floor, MANAGER))["people"] == "3 1 without a role"


def test_the_table_is_there_to_read_and_to_take_along(floor: Floor) -> None:
    with floor.database.read() as connection:
        table = panel.table(panel.query(connection, question(floor)))
    assert table.columns[:5] == ("Name", "Email", "Role", "For", "Teams")
    assert [row[:4] for row in table.rows[:2]] == [
        ("Hedda Brandt", "hedda@meridian.example", "admin", "everything"),
        ("Ines Kramer", "ines@meridian.example", "manager", "Halden Bank, Netherlands"),
    ]


def test_the_page_stands_with_the_administration_and_needs_the_right(floor: Floor) -> None:
    address = by_path("/admin/people")
    assert address is not None
    assert address.view.right == MANAGE_PEOPLE
    route = rights.route_for("/admin/people")
    assert route is not None
    assert route.right == MANAGE_PEOPLE
    named = {name for name in (*READS, *ACTS) if name.startswith("people.")}
    assert {rights.READS.get(name) or rights.ACTS.get(name) for name in named} == {MANAGE_PEOPLE}
    assert len(named) == 14


def test_initials_are_two_letters_of_any_name() -> None:
    assert [initials(name) for name in ("Ana Novak", "Piotr", "Noor el Haddad", "(-) 7", "…", "élan vital")] == [
        "AN",
        "P",
        "NH",
        "7",
        "",
        "ÉV",
    ]


# -- what it does --------------------------------------------------------------------------------------------


def test_a_person_is_added_with_a_role_and_opened_in_full(floor: Floor) -> None:
    at_first: dict[str, Any] = {"from": "2026-12-01"}
    said = ask(
        floor,
        "people.add",
        MANAGER,
        name="Noor Haddad",
        email="Noor@Meridian.example",
        role="agent",
        brands=["halden"],
        locations=["utrecht"],
        **at_first,
    )
    one = ask(floor, "people.one", MANAGER, id=said["id"])
    assert (one["email"], one["mine"], one["newcomer"], one["invited"]) == ("noor@meridian.example", True, True, True)
    assert [(role["role"], role["from"], role["until"], role["by"]) for role in one["roles"]] == [
        ("Agent", "1 Dec 2026", "open", "ines@meridian.example")
    ]
    with floor.database.read() as connection:
        given, added = audit.newest(connection, 2)
    assert {(row.action, row.actor, row.person_id) for row in (given, added)} == {
        ("person.added", "ines@meridian.example", 2),
        ("person.role_given", "ines@meridian.example", 2),
    }


def test_a_role_ends_now_or_on_a_day_and_stands_among_those_before(floor: Floor) -> None:
    number = floor.give(ADMIN, 3, AGENT_HERE)
    assert ask(floor, "people.end", number=number, at="2026-11-30")["words"] == "The role ends then."
    assert floor.held(3, datetime(2026, 11, 30, 22, 59, tzinfo=UTC)) == {"agent"}
    assert floor.held(3, datetime(2026, 11, 30, 23, 0, tzinfo=UTC)) == set()
    assert ask(floor, "people.end", number=number)["words"] == "The role has ended."
    (role,) = ask(floor, "people.one", id=3, now=NOW + timedelta(seconds=1))["roles"]
    assert role["over"]


def test_a_newcomer_gets_a_link_that_works_once(floor: Floor) -> None:
    said = ask(floor, "people.link", person=3)
    assert said["link"].startswith("/signin/link?token=")
    with floor.database.read() as connection:
        row = audit.newest(connection, 1)[0]
    assert (row.action, row.subject, row.actor) == ("link.made", "mo@meridian.example", "hedda@meridian.example")
    assert said["link"].partition("=")[2] not in repr(row)


def test_deactivating_inviting_training_and_reviewing_say_what_they_did(floor: Floor) -> None:
    number = floor.give(ADMIN, 3, AGENT_HERE)
    assert ask(floor, "people.review", numbers=[number])["words"] == "1 role looked at: still right."
    assert ask(floor, "people.train", person=3, trainee=True)["words"] == "In training now."
    assert ask(floor, "people.invite", person=3)["words"].startswith("Invited")
    assert ask(floor, "people.deactivate", person=3)["words"] == "Deactivated; 0 sessions and 0 claims ended."
    assert ask(floor, "people.one", id=3)["left"] == "22 Nov 2026"
    assert ask(floor, "people.activate", person=3)["words"].startswith("They may sign in again")


def test_a_file_is_looked_at_and_loaded_from_the_page(floor: Floor) -> None:
    content = "email,name,role,brands,dept\nnoor@m.example,Noor,agent,halden,x\nbad,,,,\n"
    seen = ask(floor, "people.look", content=content)
    assert (seen["counts"], seen["number"], seen["ignored"], seen["absent"]) == (
        {"new": 1, "changed": 0, "leaver": 0, "same": 0},
        1,
        ["dept"],
        2,
    )
    assert seen["changes"][0]["what"] == "agent for Halden Bank"
    assert seen["unread"] == [[3, "“bad” is no work address"]]
    other = ask(floor, "people.load", content=content, seen="0" * 64)
    assert (other["done"], other["words"]) == (False, "People were changed meanwhile: this is the difference now.")
    assert ask(floor, "people.load", content=content, seen=seen["seen"])["words"] == "1 change loaded."
    with pytest.raises(InputError, match="larger than 900 kB"):
        ask(floor, "people.look", content="x" * 900_001)
    with pytest.raises(InputError, match="did not arrive"):
        ask(floor, "people.look")


ODD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("people.give", {"person": 3, "role": "agent", "brands": "halden"}),
    ("people.give", {"person": 3, "role": "agent", "brands": [1]}),
    ("people.give", {"person": 3, "role": "agent", "brands": ["nowhere"]}),
    ("people.give", {"person": 3, "role": "agent", "brands": ["halden"] * 101}),
    ("people.give", {"person": 3, "role": ""}),
    ("people.give", {"person": 3, "role": "agent", "until": "yesterday"}),
    ("people.give", {"person": 3, "role": "agent", "until": "2020-01-01"}),
    ("people.give", {"person": "three", "role": "agent"}),
    ("people.give", {"person": 1 << 62, "role": "agent"}),
    ("people.add", {"name": "A", "email": "hedda@meridian.example"}),
    ("people.add", {"name": "", "email": "a@b.example"}),
    ("people.review", {"numbers": []}),
    ("people.review", {"numbers": ["x"]}),
    ("people.review", {"numbers": [{}] * 3}),
    ("people.train", {"person": 3, "trainee": "yes"}),
    ("people.one", {"id": []}),
    ("people.find", {"q": 5}),
)


def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(floor: Floor) -> None:
    for name, given in ODD:
        with pytest.raises((InputError, NotFound)):
            ask(floor, name, **given)
    with floor.database.read() as connection:
        assert set(roles.memberships(connection, range(1, 9), NOW)) == {1, 2}


def test_a_manager_is_offered_what_they_may_give(floor: Floor) -> None:
    offered = ask(floor, "people.choices", MANAGER)
    assert [one["key"] for one in offered["roles"]] == ["viewer", "agent", "approver", "manager", "display"]
    assert {one["key"] for one in offered["brands"]} == {"corvane", "halden", "velta"}
    everything = ask(floor, "people.choices")["roles"]
    assert [one["key"] for one in everything if not one["limited"]] == ["admin", "auditor"]
