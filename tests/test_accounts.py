"""Accounts of ours: who answers for one, its credentials, what it last did, who could post as it on a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import accounts, audit, leaving, people, secrets
from models.accounts import CAPABILITIES, Kept
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from models.settings import Settings
from models.tables import account, account_part
from models.who_could_post import who_could_post
from tests.builders import CORVANE, HALDEN, NOW
from tests.case_desk import DAY, HOUR, hire, open_desk

OURS = 1
NOTHING: dict[str, object] = {"owner_id": None, "deputy_id": None, "team_id": None, "purpose": "", "audience": ""}


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def one(database: Database, number: int = OURS) -> Kept:
    with database.read() as connection:
        return next(item for item in accounts.kept(connection, (CORVANE, HALDEN)) if item.id == number)


def save(database: Database, desk: Organisation, who: object, number: int = OURS, **given: object) -> None:
    with database.write() as connection:
        accounts.save(connection, desk, who, number, **{**NOTHING, "voice": {}, "now": NOW, **given})  # type: ignore[arg-type]


def test_an_account_without_owner_and_deputy_needs_somebody(database: Database, desk: Organisation) -> None:
    boss, ana, mo = hire(database, "Boss", "manager"), hire(database, "Ana"), hire(database, "Mo")
    assert one(database).needs(NOW) == ("no owner", "no deputy")
    save(
        database,
        desk,
        boss,
        owner_id=ana.person_id,
        deputy_id=mo.person_id,
        purpose=" Service  replies ",
        voice={"tone": "calm", "forbidden": ["refund", " "]},
    )
    found = one(database)
    assert (found.owner, found.deputy, found.purpose, found.needs(NOW)) == ("Ana", "Mo", "Service replies", ())
    assert found.voice == {"tone": "calm", "forbidden": ["refund"]}
    with database.write() as connection:
        people.close_person(connection, people.person_by_email(connection, "ana@meridian.example"), NOW)
    assert one(database).needs(NOW) == ("the owner left",)


def test_who_may_not_see_an_account_hears_that_there_is_none(database: Database, desk: Organisation) -> None:
    bank = hire(database, "Bea", "manager", brand_ids=[HALDEN])
    with pytest.raises(NotFound, match="there is no such account"):
        save(database, desk, bank)
    with pytest.raises(NotFound, match="there is no such account"):
        save(database, desk, bank, number=99)
    with pytest.raises(AccessDenied, match="manage_accounts"):
        save(database, desk, hire(database, "Ana"))


def test_owner_and_deputy_are_two_people_who_are_there(database: Database, desk: Organisation) -> None:
    boss = hire(database, "Boss", "manager")
    with pytest.raises(InputError, match="two people"):
        save(database, desk, boss, owner_id=boss.person_id, deputy_id=boss.person_id)
    with pytest.raises(NotFound, match="no person 77"):
        save(database, desk, boss, owner_id=77)


def test_credentials_go_in_sealed_and_an_empty_field_keeps_what_is_there(
    database: Database, desk: Organisation, settings: Settings
) -> None:
    boss = hire(database, "Boss", "manager")

    def connect(**values: str) -> None:
        with database.write() as connection:
            accounts.connect(connection, settings, desk, boss, OURS, values=values, expires_at=NOW + 10 * DAY, now=NOW)

    connect(consumer_key="key one", access_token="token one")
    connect(consumer_key=" ", access_token="token two")
    with pytest.raises(InputError, match="nothing was entered"):
        connect(consumer_key="", access_token=" ")
    with database.read() as connection:
        sealed = connection.execute(select(account.c.secrets).where(account.c.id == OURS)).scalar_one()
        said = repr(audit.newest(connection, 50))
    assert b"token" not in sealed
    assert secrets.unseal(settings, sealed) == {"consumer_key": "key one", "access_token": "token two"}
    assert "token two" not in said
    assert [one(database).warns(NOW + days * DAY) for days in (-10, 0, 4, 9.5, 11)] == [None, 14, 7, 1, 1]


def test_health_is_kept_for_each_thing_an_account_can_do(database: Database, desk: Organisation) -> None:
    with database.write() as connection:
        accounts.note_health(connection, OURS, "read", now=NOW)
        accounts.note_health(connection, OURS, "reply", now=NOW)
        accounts.note_health(connection, OURS, "reply", now=NOW + HOUR, error="the token is dead")
    health = one(database).health
    assert [health[name].state if name in health else "never" for name in CAPABILITIES] == ["works", "lost", "never"]
    with database.write() as connection:
        accounts.note_health(connection, OURS, "reply", now=NOW + 2 * HOUR)
    assert one(database).health["reply"].state == "works"


def test_who_could_post_on_a_day_is_told_from_what_was_valid_then(database: Database, desk: Organisation) -> None:
    boss, ana = hire(database, "Boss", "manager"), hire(database, "Ana", brand_ids=[CORVANE])
    hire(database, "Bea", brand_ids=[HALDEN])
    hire(database, "Vic", "viewer")
    with database.write() as connection:
        cover = hire_for_a_day(connection, database)
        assert cover

    def could(day: int) -> list[str]:
        with database.read() as connection:
            answer = who_could_post(connection, desk, boss, OURS, start=NOW + day * DAY, end=NOW + (day + 1) * DAY)
        assert answer.did == 0
        return sorted(item.name for item in answer.people)

    assert could(-3) == []
    assert could(0) == ["Ana", "Boss"]
    assert could(5) == ["Ana", "Boss", "Mo"]
    assert could(7) == ["Ana", "Boss"]
    with database.write() as connection:
        people.close_person(connection, people.person_by_email(connection, ana.email), NOW + 6 * DAY)
    assert could(7) == ["Boss"]
    assert could(5) == ["Ana", "Boss", "Mo"]


def hire_for_a_day(connection: object, database: Database) -> int:
    mo = people.add_person(connection, email="mo@meridian.example", name="Mo", role="viewer", now=NOW)  # type: ignore[arg-type]
    return people.give_role(
        connection,  # type: ignore[arg-type]
        mo,
        "agent",
        now=NOW,
        valid_from=NOW + 5 * DAY,
        valid_to=NOW + 5 * DAY + timedelta(hours=8),
        actor="boss",
    )


def test_who_answers_for_an_account_is_told_that_its_access_ends_and_nobody_else(
    database: Database, desk: Organisation
) -> None:
    boss, ana, mo = hire(database, "Boss", "manager"), hire(database, "Ana"), hire(database, "Mo")
    save(database, desk, boss, owner_id=ana.person_id)
    told = {}
    for days in (20, 10, -1):
        with database.write() as connection:
            connection.execute(update(account).where(account.c.id == OURS).values(secrets_expire_at=NOW + days * DAY))
        with database.read() as connection:
            told[days] = [
                [item.id for item in accounts.running_out(connection, desk, who, NOW)] for who in (boss, ana, mo)
            ]
    assert told == {20: [[], [], []], 10: [[OURS], [OURS], []], -1: [[OURS], [OURS], []]}


def test_the_deputy_of_a_leaver_becomes_the_owner_and_it_is_audited(database: Database, desk: Organisation) -> None:
    boss, ana, mo = hire(database, "Boss", "manager"), hire(database, "Ana"), hire(database, "Mo")
    save(database, desk, boss, owner_id=ana.person_id, deputy_id=mo.person_id)
    with database.write() as connection:
        ended = leaving.disable_person(connection, ana.email, NOW + HOUR)
    assert (ended.accounts, ended.orphans) == (1, 0)
    found = one(database)
    assert (found.owner_id, found.deputy_id, found.needs(NOW)) == (mo.person_id, None, ("no deputy",))
    with database.read() as connection:
        parts = connection.execute(select(account_part).order_by(account_part.c.part, account_part.c.valid_from)).all()
        (row,) = audit.newest(connection, 1)
    gone = NOW + HOUR
    assert [(part.part, part.person_id, part.valid_to) for part in parts] == [
        ("deputy", mo.person_id, gone),
        ("owner", ana.person_id, gone),
        ("owner", mo.person_id, None),
    ]
    assert (row.details or {})["accounts_handed_over"] == 1


def test_a_leaver_without_a_deputy_is_shown_as_an_owner_who_left(database: Database, desk: Organisation) -> None:
    boss, ana, mo = hire(database, "Boss", "manager"), hire(database, "Ana"), hire(database, "Mo")
    save(database, desk, boss, owner_id=ana.person_id, deputy_id=mo.person_id)
    with database.write() as connection:
        assert leaving.disable_person(connection, mo.email, NOW).orphans == 1
        ended = leaving.disable_person(connection, ana.email, NOW)
    assert (ended.accounts, ended.orphans) == (0, 1)
    assert "1 still need somebody" in ended.accounts_words
    assert one(database).needs(NOW) == ("the owner left", "the deputy left")
