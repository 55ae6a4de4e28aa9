"""models/incident_changes.py: what is changed while an incident goes on, by whom, and that it is written down."""

from __future__ import annotations

from typing import Any

import pytest

from models import incident_reading
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.incident_changes import (
    change_outbound,
    change_scope,
    change_severity,
    extend,
    hand_over,
    join,
    public_update,
    write_line,
)
from models.incident_reading import FROZEN, MANAGER_SIGNS, IncidentScope
from tests.builders import CORVANE, HALDEN, NETHERLANDS
from tests.case_desk import hire
from tests.incident_desk import ABOUT_CORVANE, HOUR, MINUTE, again, audited, declare, do, lines
from tests.reply_desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_every_change_of_what_is_held_has_a_reason_a_line_and_an_audit_row(desk: Desk) -> None:
    found = declare(desk)

    do(desk, "mona", change_severity, found, 1, reason="the press calls")
    do(desk, "mona", change_outbound, found, FROZEN, reason="wrong answers went out")
    do(desk, "mona", change_scope, found, IncidentScope((CORVANE,), (NETHERLANDS,)), reason="it is Dutch only")
    do(desk, "mona", extend, found, desk.now + 9 * HOUR, reason="the strike goes on")

    now = again(desk, found)
    assert (now.severity, now.outbound, now.scope.location_ids) == (1, FROZEN, (NETHERLANDS,))
    assert now.expires_at == desk.now + 9 * HOUR
    assert [line.text.partition(":")[0] for line in lines(desk, found)[2:]] == [
        "Severity 2 → 1",
        "From now on nothing is sent",
        "Scope is now Corvane, Netherlands, all networks",
        "Runs until 20 Nov 00",
    ]
    assert audited(desk, found)[1:] == [
        "incident.severity_changed",
        "incident.outbound_changed",
        "incident.scope_changed",
        "incident.extended",
    ]


WRONG: tuple[tuple[Any, tuple[Any, ...], dict[str, Any]], ...] = (
    (change_severity, (1,), {"reason": " "}),
    (change_severity, (2,), {"reason": "the same"}),
    (change_outbound, (MANAGER_SIGNS,), {"reason": "the same"}),
    (change_scope, (ABOUT_CORVANE,), {"reason": "the same"}),
    (change_scope, (IncidentScope((HALDEN,)),), {"reason": ""}),
    (write_line, ("step", "by hand"), {}),
    (write_line, ("note", ""), {}),
    (write_line, ("note", "look"), {"href": "//elsewhere.example"}),
    (write_line, ("note", "look"), {"href": "/\t/elsewhere.example"}),
)


def test_a_change_without_reason_or_sense_changes_nothing(desk: Desk) -> None:
    found = declare(desk)

    for change, given, named in WRONG:
        with pytest.raises(InputError):
            do(desk, "mona", change, found, *given, **named)

    assert again(desk, found) == found
    assert len(lines(desk, found)) == 2


def test_who_is_put_on_it_notes_and_informs_but_does_not_lead(desk: Desk) -> None:
    found = declare(desk)
    with pytest.raises(AccessDenied):
        do(desk, "ana", write_line, found, "note", "the depot is empty")

    do(desk, "mona", join, found, desk.who["ana"].person_id, "Replies, NL")
    do(desk, "ana", write_line, found, "note", "the depot is empty", href="/respond")
    do(desk, "ana", public_update, found, "We are on it", next_update_at=desk.now + 30 * MINUTE)
    with pytest.raises(AccessDenied):
        do(desk, "ana", change_severity, found, 3, reason="I think it is calm")

    assert again(desk, found).next_update_at == desk.now + 30 * MINUTE
    assert [(line.kind, line.actor) for line in lines(desk, found)[2:]] == [
        ("step", "Mona"),
        ("note", "Ana"),
        ("update", "Ana"),
    ]


def test_the_new_lead_may_what_the_old_one_might(desk: Desk) -> None:
    found = declare(desk)

    do(desk, "mona", hand_over, found, desk.who["petra"].person_id, note="the carrier calls back at four")
    do(desk, "petra", change_severity, found, 3, reason="it is over soon")

    with desk.database.read() as connection:
        parts = {item.name: item.part for item in incident_reading.people_on(connection, found.id)}
    assert parts == {"Mona": "Had the lead", "Petra": "Lead"}
    assert again(desk, found).lead_id == desk.who["petra"].person_id


def test_a_wider_scope_needs_the_right_for_what_comes_in(desk: Desk) -> None:
    desk.who["nora"] = hire(desk.database, "Nora", "manager", brand_ids=[CORVANE])
    found = declare(desk, "nora")

    with pytest.raises(AccessDenied):
        do(desk, "nora", change_scope, found, IncidentScope((CORVANE, HALDEN)), reason="the bank too")


def test_a_promise_to_the_public_lies_ahead(desk: Desk) -> None:
    found = declare(desk)

    with pytest.raises(InputError, match="name a later time"):
        do(desk, "mona", public_update, found, "We are on it", next_update_at=desk.now)


def test_nobody_works_on_what_they_may_not_see(desk: Desk) -> None:
    desk.who["bo"] = hire(desk.database, "Bo", "manager", brand_ids=[HALDEN])
    found = declare(desk)

    with pytest.raises(NotFound):
        do(desk, "bo", write_line, found, "note", "hello")
