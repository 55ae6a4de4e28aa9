"""models/incidents.py: declared in one transaction, seen by whom it concerns, over by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import incident_changes, incident_reading, incident_tasks, incidents
from models.database import Database, new_id
from models.errors import AccessDenied, InputError, NotFound, SearchError
from models.incident_reading import FROZEN, MANAGER_SIGNS, IncidentScope, holding, open_now
from models.incidents import POST, SPIKE, From, note_late, run_out
from models.tables import alert, change, incident, mention
from tests.builders import AMSTERDAM_SITE, BERLIN, CORVANE, HALDEN, MUMBAI, NETHERLANDS, NOW, RIVAL
from tests.case_desk import hire
from tests.incident_desk import ABOUT_CORVANE, HOUR, MINUTE, again, audited, declare, do, lines
from tests.reply_desk import Desk, X


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def held(desk: Desk, **where: int) -> str | None:
    with desk.database.read() as connection:
        found = holding(
            open_now(connection, desk.now),
            desk.organisation,
            **{"brand_id": CORVANE, "location_id": AMSTERDAM_SITE, "network_id": X} | where,
        )
    return None if found is None else found.outbound


def spike(desk: Desk) -> int:
    number = new_id(desk.now)
    with desk.database.write() as connection:
        connection.execute(
            insert(alert).values(
                brand_id=CORVANE, id=number, kind="volume", source_id=0, started_at=desk.now - 9 * MINUTE,
                flagged_at=desk.now - 4 * MINUTE, words="165 mentions in 15 min, 52 expected", details={},
            )
        )  # fmt: skip
    return number


def test_from_the_moment_of_declaring_its_scope_is_held_and_nothing_else(desk: Desk) -> None:
    found = declare(desk, scope=IncidentScope((CORVANE,), (NETHERLANDS,), (X,)), outbound=FROZEN)

    assert held(desk) == FROZEN
    assert held(desk, location_id=BERLIN) is None
    assert held(desk, brand_id=HALDEN) is None
    assert held(desk, network_id=3) is None
    assert (found.label, found.is_open(desk.now), found.declared_by) == ("INC-1", True, "Mona")
    assert audited(desk, found) == ["incident.declared"]


def test_the_strictest_of_several_incidents_counts(desk: Desk) -> None:
    declare(desk, severity=1, outbound=MANAGER_SIGNS)
    declare(desk, severity=3, outbound=FROZEN)

    assert held(desk) == FROZEN


def test_the_timeline_begins_with_the_spike_that_it_was_declared_from(desk: Desk) -> None:
    found = declare(desk, declared_from=From(SPIKE, CORVANE, spike(desk)))

    assert [(line.kind, line.actor) for line in lines(desk, found)] == [
        ("evidence", "the spike rule"),
        ("step", "Mona"),
        ("decision", "Mona"),
    ]
    assert found.detected_at == desk.now - 4 * MINUTE
    first = lines(desk, found)[0]
    assert first.at == desk.now - 4 * MINUTE
    assert first.href is not None
    assert first.href.startswith("/?brand=corvane&window=")


def test_a_post_that_it_is_declared_from_is_named_without_its_words(desk: Desk) -> None:
    desk.case(text="the courier ate my parcel")
    with desk.database.read() as connection:
        number = connection.execute(select(mention.c.id)).scalar_one()
    desk.wait(minutes=5)

    found = declare(desk, declared_from=From(POST, CORVANE, number))

    first = lines(desk, found)[0]
    assert (first.kind, first.actor, found.detected_at) == ("evidence", "X", first.at)
    assert "courier" not in first.text


WRONG: tuple[tuple[dict[str, Any], type[Exception]], ...] = (
    ({"severity": 4}, InputError),
    ({"name": "  "}, InputError),
    ({"reason": ""}, InputError),
    ({"outbound": "loud"}, InputError),
    ({"scope": IncidentScope(brand_ids=())}, InputError),
    ({"scope": IncidentScope((CORVANE,), search="orders AND (")}, SearchError),
    ({"scope": IncidentScope(brand_ids=(RIVAL,))}, NotFound),
    ({"scope": IncidentScope((CORVANE,), location_ids=(99,))}, NotFound),
    ({"lead_id": 999}, NotFound),
    ({"declared_from": From(SPIKE, CORVANE, 12345)}, NotFound),
    ({"declared_from": From(POST, CORVANE, 12345)}, NotFound),
    ({"expires_at": NOW}, InputError),
    ({"expires_at": NOW + timedelta(days=15)}, InputError),
)


def test_what_cannot_be_declared_leaves_nothing_behind(desk: Desk) -> None:
    for given, error in WRONG:
        with pytest.raises(error):
            declare(desk, **given)

    with desk.database.read() as connection:
        assert connection.execute(select(incident.c.id)).all() == []


def test_who_lacks_the_right_declares_nothing(desk: Desk) -> None:
    for name in ("vera", "ana", "petra"):
        with pytest.raises(AccessDenied):
            declare(desk, name)


def test_a_manager_of_one_place_declares_there_and_nowhere_else(desk: Desk) -> None:
    desk.who["nora"] = hire(desk.database, "Nora", "manager", brand_ids=[CORVANE], location_ids=[NETHERLANDS])

    declare(desk, "nora", scope=IncidentScope((CORVANE,), (AMSTERDAM_SITE,)))
    for scope in (ABOUT_CORVANE, IncidentScope((CORVANE,), (BERLIN,)), IncidentScope((HALDEN,), (AMSTERDAM_SITE,))):
        with pytest.raises(AccessDenied):
            declare(desk, "nora", scope=scope)


def test_an_incident_elsewhere_is_as_unknown_as_one_that_never_was(desk: Desk) -> None:
    banker = hire(desk.database, "Bo", "viewer", brand_ids=[HALDEN])
    dutch = hire(desk.database, "Di", "viewer", location_ids=[NETHERLANDS])
    indian = hire(desk.database, "Ira", "viewer", location_ids=[MUMBAI])
    found = declare(desk, scope=IncidentScope((CORVANE,), (AMSTERDAM_SITE,)))

    assert again(desk, found, dutch).id == found.id
    said = set()
    for who, number in ((banker, found.id), (indian, found.id), (banker, 99)):
        with desk.database.read() as connection, pytest.raises(NotFound) as refused:
            incident_reading.one(connection, desk.organisation, who, number)
        said.add(str(refused.value))
    assert len(said) == 1


def test_what_is_counted_is_the_part_of_the_scope_that_a_person_sees(desk: Desk) -> None:
    found = declare(desk, scope=IncidentScope((CORVANE, HALDEN), (NETHERLANDS,)))
    dutch = hire(desk.database, "Di", "viewer", brand_ids=[CORVANE], location_ids=[AMSTERDAM_SITE])

    counted = incident_reading.counted_scope(found.scope, dutch, desk.organisation)

    assert (counted.brand_ids, counted.location_ids) == ((CORVANE,), (AMSTERDAM_SITE,))


def test_an_incident_whose_time_is_over_holds_nothing_and_is_ended_by_the_clock_once(desk: Desk) -> None:
    found = declare(desk, expires_at=desk.now + HOUR)
    desk.wait(minutes=61)

    assert held(desk) is None
    with pytest.raises(InputError, match="is over"):
        do(desk, "mona", incident_changes.write_line, found, "note", "still there?")
    with desk.database.write() as connection:
        assert run_out(connection, desk.organisation, now=desk.now) == 1
        assert run_out(connection, desk.organisation, now=desk.now) == 0

    assert again(desk, found).ended_at == found.expires_at
    assert again(desk, found).ended_by == "the clock"
    assert [line.kind for line in lines(desk, found)].count("late") == 1
    assert audited(desk, found) == ["incident.declared", "incident.ran_out"]


def test_a_broken_promise_to_the_public_and_a_late_task_are_written_down_once(desk: Desk) -> None:
    found = declare(desk, next_update_at=desk.now + 30 * MINUTE)
    do(desk, "mona", incident_tasks.add, found, "Ask the carrier", due_at=desk.now + 10 * MINUTE)
    desk.wait(minutes=20)

    with desk.database.write() as connection:
        assert note_late(connection, desk.organisation, now=desk.now) == 1
        assert note_late(connection, desk.organisation, now=desk.now) == 0
    desk.wait(minutes=20)
    with desk.database.write() as connection:
        assert note_late(connection, desk.organisation, now=desk.now) == 1

    late = [(line.text, line.actor) for line in lines(desk, found) if line.kind == "late"]
    assert late == [
        ("Task 1 is late: Ask the carrier", "the clock"),
        ("The public update that was promised is late", "the clock"),
    ]


def test_the_worker_keeps_the_time_and_writes_only_where_something_is_due(desk: Desk) -> None:
    declare(desk, expires_at=desk.now + HOUR, next_update_at=desk.now + 10 * MINUTE)

    def kept() -> int:
        return incidents.keep_time(desk.database, desk.organisation, now=desk.now)

    assert kept() == 0
    desk.wait(minutes=11)
    assert (kept(), kept()) == (1, 0)
    desk.wait(minutes=50)
    assert (kept(), kept()) == (1, 0)


def test_every_screen_is_told_whatever_it_shows(desk: Desk) -> None:
    declare(desk)

    with desk.database.read() as connection:
        told = connection.execute(select(change.c.brand_id).where(change.c.topic == "incidents")).scalars()
        assert set(told) == {0, CORVANE}


def test_two_incidents_at_the_same_moment_get_two_numbers(desk: Desk) -> None:
    assert [declare(desk).label, declare(desk).label] == ["INC-1", "INC-2"]
    with desk.database.read() as connection:
        assert [item.id for item in open_now(connection, desk.now)] == [2, 1]
