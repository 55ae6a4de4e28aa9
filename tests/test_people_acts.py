"""models/people_acts.py: nobody gives what they do not hold, and nobody is left without a chief."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import identity, leaving, people, people_acts, people_reading, roles
from models.access import Access, Grant
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.group_roles import RoleFor
from models.organisation import Organisation
from models.people_acts import Span
from models.tables import account, membership, person
from tests.builders import HALDEN, NETHERLANDS, load

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ADMIN = Access.granted(1, "hedda@meridian.example", "Hedda", [Grant("admin")])
HALDEN_NL = Grant("manager", frozenset({HALDEN}), frozenset({NETHERLANDS}))
MANAGER = Access.granted(2, "ines@meridian.example", "Ines", [HALDEN_NL])


class Floor:
    """People 1 (admin), 2 (manager of Halden in the Netherlands), 3 Mo and 4 Keiko without a role."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.there: Organisation = load(database)
        with database.write() as connection:
            for email, name, role in (
                ("hedda@meridian.example", "Hedda Brandt", "admin"),
                ("ines@meridian.example", "Ines Kramer", None),
                ("mo@meridian.example", "Mo Okafor", None),
                ("keiko@meridian.example", "Keiko Mori", None),
            ):
                people.add_person(connection, email=email, name=name, role=role, now=NOW)
            roles.give_role(
                connection, 2, "manager", brand_ids=[HALDEN], location_ids=[NETHERLANDS], now=NOW, actor="test"
            )

    def give(self, who: Access, number: int, wanted: RoleFor, span: Span = people_acts.ALWAYS) -> int:
        with self.database.write() as connection:
            return people_acts.give(connection, self.there, who, number, wanted, span=span, now=NOW)

    def held(self, number: int, now: datetime = NOW) -> set[str]:
        with self.database.read() as connection:
            return {row.right for row in roles.memberships(connection, {number}, now).get(number, ())}


@pytest.fixture
def floor(database: Database) -> Floor:
    return Floor(database)


AGENT_HERE = RoleFor("agent", ("halden",), ("amsterdam",))


def test_a_manager_gives_what_they_hold_where_they_hold_it(floor: Floor) -> None:
    floor.give(MANAGER, 3, AGENT_HERE)
    floor.give(MANAGER, 3, RoleFor("approver", ("halden",), ("netherlands",)), Span(None, NOW + timedelta(days=1)))
    assert floor.held(3) == {"agent", "approver"}
    assert floor.held(3, NOW + timedelta(days=1)) == {"agent"}
    beyond = (
        RoleFor("agent"),
        RoleFor("agent", ("corvane",), ("amsterdam",)),
        RoleFor("agent", ("halden",)),
        RoleFor("agent", ("halden",), ("berlin",)),
        RoleFor("agent", ("halden", "corvane"), ("amsterdam",)),
        RoleFor("admin"),
        RoleFor("auditor"),
    )
    for wanted in beyond:
        with pytest.raises(AccessDenied, match="it is more than you hold"):
            floor.give(MANAGER, 4, wanted)
    assert floor.held(4) == set()
    for wanted in beyond:
        floor.give(ADMIN, 4, wanted)


def test_who_manages_nobody_changes_nobody(floor: Floor) -> None:
    for role in ("viewer", "agent", "approver", "auditor", "display"):
        somebody = Access.granted(9, "vic@meridian.example", "Vic", [Grant(role)])
        with pytest.raises(AccessDenied):
            floor.give(somebody, 3, AGENT_HERE)
        with floor.database.write() as connection, pytest.raises(AccessDenied):
            people_acts.add(connection, floor.there, somebody, email="a@b.example", name="A", wanted=None, now=NOW)


def test_nobody_changes_themselves(floor: Floor) -> None:
    for who, number in ((MANAGER, 2), (ADMIN, 1)):
        with pytest.raises(AccessDenied, match="nobody changes their own roles"):
            floor.give(who, number, AGENT_HERE)


def test_who_is_elsewhere_is_as_unknown_as_nobody(floor: Floor) -> None:
    number = floor.give(ADMIN, 3, RoleFor("agent", ("corvane",)))
    acts = [
        lambda connection, who, person_id: people_acts.deactivate(connection, floor.there, who, person_id, now=NOW),
        lambda connection, who, person_id: people_acts.activate(connection, floor.there, who, person_id, now=NOW),
        lambda connection, who, person_id: people_acts.invite(connection, floor.there, who, person_id, now=NOW),
        lambda connection, who, person_id: people_acts.first_link(connection, floor.there, who, person_id, now=NOW),
        lambda connection, who, person_id: people_acts.train(
            connection, floor.there, who, person_id, is_trainee=True, now=NOW
        ),
        lambda connection, who, person_id: people_acts.give(
            connection, floor.there, who, person_id, AGENT_HERE, now=NOW
        ),
        lambda connection, who, person_id: people_reading.one(connection, floor.there, who.reach, person_id, now=NOW),
    ]
    for act in acts:
        told = []
        for person_id in (3, 999):
            with floor.database.write() as connection, pytest.raises(NotFound) as refused:
                act(connection, MANAGER, person_id)  # type: ignore[no-untyped-call]
            told.append(str(refused.value).replace(str(person_id), "N"))
        assert told[0] == told[1]
    told = []
    for role in (number, 999):
        with floor.database.write() as connection, pytest.raises(NotFound) as refused:
            people_acts.end(connection, floor.there, MANAGER, role, at=NOW, now=NOW)
        told.append(str(refused.value).replace(str(role), "N"))
    assert told[0] == told[1]


def test_whose_roles_go_beyond_ones_own_is_seen_and_left_alone(floor: Floor) -> None:
    number = floor.give(ADMIN, 3, RoleFor("agent", ("halden",)))
    with floor.database.write() as connection:
        with pytest.raises(AccessDenied, match="Mo Okafor has roles beyond yours"):
            people_acts.deactivate(connection, floor.there, MANAGER, 3, now=NOW)
        with pytest.raises(AccessDenied):
            people_acts.end(connection, floor.there, MANAGER, number, at=NOW, now=NOW)


def test_the_last_administrator_stays(floor: Floor) -> None:
    other = Access.granted(7, "root@meridian.example", "Root", [Grant("admin")])
    with floor.database.write() as connection:
        number = connection.execute(select(membership.c.id).where(membership.c.right == "admin")).scalar_one()
        with pytest.raises(InputError, match="last administrator"):
            people_acts.end(connection, floor.there, other, number, at=NOW, now=NOW)
        with pytest.raises(InputError, match="last administrator"):
            people_acts.deactivate(connection, floor.there, other, 1, now=NOW)
    floor.give(ADMIN, 4, RoleFor("admin"))
    with floor.database.write() as connection:
        people_acts.end(connection, floor.there, other, number, at=NOW, now=NOW)
    assert floor.held(1) == set()


def test_deactivating_ends_what_goes_on_and_activating_brings_the_roles_back(floor: Floor) -> None:
    floor.give(ADMIN, 3, AGENT_HERE)
    with floor.database.write() as connection:
        token = people_acts.first_link(connection, floor.there, MANAGER, 3, now=NOW)
        assert identity.use_link(connection, token, "192.0.2.1", NOW) is not None
        with pytest.raises(InputError, match="has a way in"):
            people_acts.first_link(connection, floor.there, MANAGER, 3, now=NOW)
        assert people_acts.deactivate(connection, floor.there, MANAGER, 3, now=NOW) == leaving.Ended(1, 0)
        with pytest.raises(InputError, match="disabled"):
            identity.make_link(connection, "mo@meridian.example", NOW)
        people_acts.activate(connection, floor.there, MANAGER, 3, now=NOW)
        people_acts.invite(connection, floor.there, MANAGER, 3, now=NOW)
        assert connection.execute(select(person.c.invited_at).where(person.c.id == 3)).scalar_one() == NOW
    assert floor.held(3) == {"agent"}


def test_the_directory_counts_what_needs_somebody_and_shows_only_who_is_seen(floor: Floor) -> None:
    floor.give(ADMIN, 3, AGENT_HERE, Span(NOW - timedelta(days=100), NOW + timedelta(days=6)))
    floor.give(ADMIN, 4, RoleFor("agent", ("corvane",)))
    with floor.database.write() as connection:
        people.add_person(connection, email="tom@meridian.example", name="Tom Reyes", role=None, now=NOW)
        connection.execute(
            account.insert().values(
                id=90, network_id=2, handle="x", name="X", kind="company", brand_id=HALDEN, owner_id=5, valid_from=NOW
            )
        )
        leaving.disable_person(connection, "tom@meridian.example", NOW)
        found = people_reading.directory(connection, floor.there, ADMIN.reach, now=NOW)
        mine = people_reading.directory(connection, floor.there, MANAGER.reach, now=NOW)
    assert (found.people, found.with_role, found.kinds, found.going_on) == (4, 4, 3, 4)
    assert (found.ends_soon, found.ends_next_day, found.leavers, found.leaver_since, found.due) == (1, 0, 1, NOW, 1)
    assert [row.name for row in found.rows] == ["Hedda Brandt", "Ines Kramer", "Keiko Mori", "Mo Okafor", "Tom Reyes"]
    assert found.rows[-1].accounts == 1
    # Hedda holds everything, so she is seen; Keiko is somebody of another brand.
    assert [row.name for row in mine.rows] == ["Hedda Brandt", "Ines Kramer", "Mo Okafor", "Tom Reyes"]
    with floor.database.write() as connection:
        number = found.rows[3].roles[0].number
        assert people_acts.review(connection, floor.there, MANAGER, [number], now=NOW) == 1
        assert people_reading.directory(connection, floor.there, ADMIN.reach, now=NOW).due == 0


def test_people_are_found_by_a_part_of_name_or_mail(floor: Floor) -> None:
    floor.give(ADMIN, 4, RoleFor("agent", ("corvane",)))
    with floor.database.read() as connection:

        def found(text: str, who: Access = ADMIN) -> list[str]:
            return [row.name for row in people_reading.find(connection, floor.there, who.reach, text, now=NOW)]

        assert found("oka") == ["Mo Okafor"]
        assert found("KEIKO@") == ["Keiko Mori"]
        assert found("keiko", MANAGER) == found("100%") == found("_") == found(" ") == []
        assert len(found("meridian.example")) == 4


def test_break_glass_is_one_administrator_with_a_password(floor: Floor) -> None:
    with floor.database.write() as connection:
        for email in ("hedda@meridian.example", "mo@meridian.example"):
            with pytest.raises(InputError, match="needs the role admin and a password"):
                people.set_break_glass(connection, email, now=NOW)
        identity.set_password(connection, "hedda@meridian.example", "a sentence that is long", NOW)
        people.set_break_glass(connection, "hedda@meridian.example", now=NOW)
        with pytest.raises(InputError, match="nothing can be linked"):
            people.invite(connection, 1, now=NOW, actor="test")
        connection.execute(update(person).where(person.c.id == 4).values(is_break_glass=True))
        people.set_break_glass(connection, "hedda@meridian.example", now=NOW)
        assert connection.execute(select(person.c.id).where(person.c.is_break_glass)).scalars().all() == [1]
