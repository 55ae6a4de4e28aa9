"""models/demo_people.py: who is in the simulated organisation, that nobody signs in as one of them, how they go."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from ingest import demo as first_start
from models import accounts, canned, demo_data, demo_people, identity, people, people_acts, shifts, signon
from models import organisation as organisations
from models.access import Access, Grant
from models.database import Database
from models.demo_removal import remove_some
from models.errors import InputError
from models.organisation_file import apply, read
from models.signon import Claimed
from models.tables import account, audit, membership, person, shift_pattern
from tests.empty import empty_database
from tests.small_organisation import NOW

WHO: dict[str, Any] = {"actor": "hedda@meridian.example", "person_id": 1, "now": NOW}
ADMIN = Access.granted(900, "hedda@meridian.example", "Hedda", [Grant("admin")])
_PEOPLE = select(person.c.id, person.c.email, person.c.name, person.c.is_trainee).order_by(person.c.id)
INGRID = "ingrid.solvane@simulated.example"


def first_started(database: Database, home: Path) -> demo_data.Demo:
    """A first start, and the administrator that follows it."""
    with database.write() as connection:
        first_start.create(connection, rate=1.0, home=home, now=NOW)
        first_start.first_administrator(connection, NOW)
        return demo_data.of(connection)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database after a first start."""
    folder = tmp_path_factory.mktemp("first")
    made = empty_database(folder)
    first_started(made, folder)
    made.close()
    return folder / "watchfloor.db"


@pytest.fixture
def embedded(started: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of it."""
    shutil.copy(started, tmp_path / "watchfloor.db")
    database = Database(f"sqlite:///{tmp_path / 'watchfloor.db'}")
    yield database
    database.close()


@pytest.fixture
def demo(embedded: Database) -> demo_data.Demo:
    """What belongs to it."""
    with embedded.read() as connection:
        return demo_data.of(connection)


def test_they_are_a_dozen_with_roles_and_none_is_an_administrator(embedded: Database, demo: demo_data.Demo) -> None:
    with embedded.read() as connection:
        everybody = people.list_people(connection, NOW)
    made_up = [one for one in everybody if one.id in demo.people]
    assert len(made_up) >= 12
    assert {role for one in made_up for role in one.roles} == {"agent", "approver", "manager", "auditor", "viewer"}
    assert all(one.email.endswith("@simulated.example") for one in made_up)
    assert [one.email for one in everybody if "admin" in one.roles] == [first_start.FIRST_ADMINISTRATOR]


def test_every_account_has_an_owner_and_a_deputy_and_every_team_with_cases_its_shifts(
    embedded: Database, demo: demo_data.Demo
) -> None:
    with embedded.read() as connection:
        there = organisations.current(connection, NOW)
        kept = accounts.kept(connection, demo.brands)
        team_ids = {cover.team_id for cover in there.covers}
        planned = {team: shifts.patterns(connection, team, NOW) for team in team_ids}
        texts = {brand: canned.listed(connection, brand, "en", NOW) for brand in demo.brands[:4]}
    assert len(kept) == len(demo.accounts)
    assert [one.handle for one in kept if one.needs(NOW)] == []
    assert [team for team, found in planned.items() if not found] == []
    # Its own stand before those of all brands.
    assert all(found[0].brand_id == brand for brand, found in texts.items())


def test_somebody_is_on_shift_at_every_hour_of_a_week(embedded: Database, demo: demo_data.Demo) -> None:
    with embedded.read() as connection:
        there = organisations.current(connection, NOW)
        empty = [
            hour
            for hour in range(0, 168, 3)
            if not shifts.on_now(connection, there, demo.people[:13], NOW + timedelta(hours=hour))
        ]
    assert len(empty) <= 6


def test_nobody_signs_in_as_one_of_them_by_any_way(embedded: Database, demo: demo_data.Demo) -> None:
    said = Claimed("https://company.example", "1", INGRID, True, None)
    with embedded.write() as connection:
        there = organisations.current(connection, NOW)
        number = people.person_by_email(connection, INGRID).id
        with pytest.raises(InputError, match="nobody signs in"):
            identity.make_link(connection, INGRID, NOW)
        with pytest.raises(InputError, match="nobody signs in"):
            people_acts.first_link(connection, there, ADMIN, number, now=NOW)
        with pytest.raises(InputError, match="nobody signs in"):
            identity.set_password(connection, INGRID, "the lighthouse keeps its own hours", NOW)
        with pytest.raises(InputError, match="nobody signs in"):
            people.give_role(connection, number, "admin", now=NOW, actor="a test")
        people.invite(connection, number, now=NOW, actor="a test")
        entered = signon.enter(connection, said, there, groups={}, may_link=True, address="127.0.0.1", now=NOW)
        assert entered.opened is None
        # Not even where a way in stands in the database already.
        people.keep_password(connection, number, "whatever")
        row = people.person_by_email(connection, INGRID)
        assert identity.open_session(connection, row, address="-", now=NOW, previous=None, by="password") is None


def test_what_is_done_in_their_making_is_told_of_the_first_start(embedded: Database, demo: demo_data.Demo) -> None:
    with embedded.read() as connection:
        told = set(connection.execute(select(audit.c.actor).where(audit.c.action != "person.added")).scalars())
        speaking = connection.execute(select(func.count()).where(audit.c.person_id.in_(demo.people))).scalar()
    assert told == {"first start"}
    assert speaking == 0


def test_they_are_the_same_each_time_and_made_quickly(embedded: Database, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = empty_database(tmp_path / "other")
    with other.write() as connection:
        apply(connection, read(first_start.FILE), actor="first start", now=NOW)
        began = process_time()
        ids = demo_people.create(connection, now=NOW)
        took = process_time() - began
        made = connection.execute(_PEOPLE.where(person.c.id.in_(ids))).all()
    other.close()
    with embedded.read() as connection:
        assert connection.execute(_PEOPLE.where(person.c.id.in_(ids))).all() == made
    assert len(made) >= 12
    assert took < 1.0


def test_they_are_away_while_the_demo_is_hidden(embedded: Database, demo: demo_data.Demo) -> None:
    with embedded.write() as connection:
        people.close_person(connection, people.person_by_email(connection, INGRID), NOW)
        demo_data.hide(connection, by="Hedda", **WHO)
        here = {one.id for one in people.list_people(connection, NOW) if one.disabled_at is None}
        assert not here & set(demo.people)
        demo_data.show(connection, **WHO)
        back = {one.email for one in people.list_people(connection, NOW) if one.disabled_at is None}
    # Whom a person sent away stays away.
    assert len(back) == len(demo.people)
    assert INGRID not in back


def test_they_go_with_the_demo_and_who_is_named_elsewhere_stays_deactivated(database: Database, tmp_path: Path) -> None:
    demo = first_started(database, tmp_path)
    with database.write() as connection:
        real = people.add_person(
            connection, email="ana@real.example", name="Ana", role="agent", now=NOW, team_ids=[demo.teams[0]]
        )
        there = organisations.current(connection, NOW)
        when = {"weekday": 0, "start_minute": 480, "end_minute": 960}
        shifts.add(connection, there, ADMIN, team_id=demo.teams[0], person_id=real, now=NOW, **when)
        ingrid = people.person_by_email(connection, INGRID).id
        own = {"network_id": 2, "handle": "real", "name": "Real", "kind": "company", "valid_from": NOW}
        connection.execute(insert(account).values(id=900, brand_id=1, owner_id=ingrid, team_id=demo.teams[0], **own))
        demo_data.ask_removal(connection, by="Hedda", **WHO)
    assert remove_some(database, now=lambda: NOW, is_over=lambda: False)
    with database.write() as connection:
        left = {one.email: one for one in people.list_people(connection, NOW)}
        assert set(left) == {first_start.FIRST_ADMINISTRATOR, "ana@real.example", INGRID}
        assert left[INGRID].disabled_at is not None
        assert left[INGRID].roles == ()
        assert connection.execute(select(func.count()).select_from(shift_pattern)).scalar() == 0
        assert connection.execute(select(account.c.team_id).where(account.c.id == 900)).scalar() is None
        assert connection.execute(select(membership.c.team_ids).where(membership.c.person_id == real)).scalar() == []
        # Also then nobody gets in as her.
        people.reopen_person(connection, ingrid, now=NOW, actor="a test")
        with pytest.raises(InputError, match="nobody signs in"):
            identity.make_link(connection, INGRID, NOW)
