"""models/incident_cases.py: the open cases in scope belong to an incident, and those that open while it goes on."""

from __future__ import annotations

import pytest

from models.case_steps import CaseKey
from models.database import Database
from models.incident_changes import change_scope
from models.incident_reading import IncidentScope
from tests.builders import AMSTERDAM_SITE, CORVANE, HALDEN, NOW
from tests.case_desk import all_cases, arrive, entries, kinds, said
from tests.incident_desk import declare, do
from tests.reply_desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def incident_of(desk: Desk, key: CaseKey) -> int | None:
    return next(case.incident_id for case in all_cases(desk.database) if case.key == key)


def test_open_cases_in_scope_are_linked_when_it_is_declared_and_audited(desk: Desk) -> None:
    mine, other = desk.case(), desk.case(brand_id=HALDEN)

    found = declare(desk)

    assert (incident_of(desk, mine), incident_of(desk, other)) == (found.id, None)
    assert kinds(desk.database, mine)[-1] == "linked"
    [row] = [entry for entry in entries(desk.database, mine) if entry.action == "case.linked"]
    assert row.details is not None
    assert row.details["after"] == {"incident_id": found.id}


def test_a_search_links_those_who_speak_of_it(desk: Desk) -> None:
    late, other = desk.case(text="where is my order?"), desk.case(text="what a lovely shop")

    found = declare(desk, scope=IncidentScope((CORVANE,), search="order"))

    assert (incident_of(desk, late), incident_of(desk, other)) == (found.id, None)


def test_a_case_of_another_incident_stays_there(desk: Desk) -> None:
    key = desk.case()
    first = declare(desk)
    declare(desk, severity=1)

    assert incident_of(desk, key) == first.id


def test_what_comes_into_scope_later_is_linked_then(desk: Desk) -> None:
    key = desk.case(brand_id=HALDEN)
    found = declare(desk)

    do(desk, "mona", change_scope, found, IncidentScope((CORVANE, HALDEN)), reason="the bank too")

    assert incident_of(desk, key) == found.id


def test_a_case_that_opens_while_it_goes_on_belongs_to_it(desk: Desk) -> None:
    found = declare(desk, scope=IncidentScope((CORVANE,), (AMSTERDAM_SITE,)))

    here = said("a", author="ada", location_id=AMSTERDAM_SITE)
    there = said("b", author="bob", location_id=5)
    arrive(desk.database, desk.organisation, here, there, now=NOW)
    assert {case.author_key: case.incident_id for case in all_cases(desk.database)} == {"ada": found.id, "bob": None}
