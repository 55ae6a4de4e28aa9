"""models/identity.py: sessions that end when they must, links that work once, and an audit row for each."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select, update

from models import audit, identity, leaving
from models.access import RIGHTS, Access, Grant
from models.database import Database
from models.errors import InputError, NotFound
from models.identity import Link, SignedIn
from models.tables import membership, person, session, signin_link

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ANA = "ana.novak@meridian.example"
PASSWORD = "the lighthouse keeps its own hours"


def add(database: Database, email: str = ANA, *, role: str = "admin", password: str | None = None) -> int:
    with database.write() as connection:
        return identity.add_person(connection, email=email, name="Ana Novak", role=role, password=password, now=NOW)


def open_session(database: Database, now: datetime = NOW) -> SignedIn:
    with database.write() as connection:
        token = identity.make_link(connection, ANA, now)
        opened = identity.use_link(connection, token, "192.0.2.7", now)
    assert opened is not None
    return opened


def access(database: Database, opened: SignedIn, now: datetime = NOW) -> identity.Signed | None:
    with database.read() as connection:
        return identity.access_for(connection, identity.session_hash(opened.session_id), now)


def actions(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.action for row in reversed(audit.newest(connection, 100))]


# -- password ----------------------------------------------------------------------------------------------


def test_the_right_mail_and_password_open_a_session(database: Database) -> None:
    person_id = add(database, password=PASSWORD)
    opened = identity.sign_in(database, f"  {ANA.upper()} ", PASSWORD, "192.0.2.7", NOW)
    assert opened is not None
    signed = access(database, opened)
    assert signed is not None
    assert signed.access == Access.granted(person_id, ANA, "Ana Novak", [Grant("admin")])
    assert signed.csrf_token == opened.csrf_token
    assert actions(database) == ["person.added", "signin.succeeded"]


def test_only_the_hash_of_a_session_or_a_link_is_kept(database: Database) -> None:
    add(database)
    with database.write() as connection:
        token = identity.make_link(connection, ANA, NOW)
    opened = open_session(database)
    with database.read() as connection:
        stored = repr(connection.execute(select(session)).all()) + repr(connection.execute(select(signin_link)).all())
    assert identity.session_hash(opened.session_id) in stored
    assert opened.session_id not in stored
    assert token not in stored
    assert len(opened.session_id) == len(token) == 43


def test_an_unknown_or_impossible_mail_opens_nothing_and_breaks_nothing(database: Database) -> None:
    add(database, password=PASSWORD)
    mails = [
        "nobody@meridian.example",
        "' or 1=1 --",
        "ana.novak@meridian.example' --",
        'x"; drop table person; --@a',
        "%@%",
        "a\x00b@c.example",
        "\ud800@c.example",
        "x" * 100_000 + "@c.example",
        "",
    ]
    for email in mails:
        assert identity.sign_in(database, email, PASSWORD, "192.0.2.7", NOW) is None
    assert identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW) is not None


def test_a_failure_is_audited_without_repeating_what_is_no_address(database: Database) -> None:
    add(database, password=PASSWORD)
    identity.sign_in(database, ANA, "wrong", "192.0.2.7", NOW)
    identity.sign_in(database, "hunter2", PASSWORD, "192.0.2.7", NOW)
    with database.read() as connection:
        second, first = audit.newest(connection, 2)
    assert (first.action, first.subject, first.details) == (
        "signin.failed",
        ANA,
        {"address": "192.0.2.7", "reason": "wrong password", "person_id": 1},
    )
    assert second.subject == "(no email address)"
    assert "hunter2" not in repr(second)


def test_an_unknown_mail_is_compared_like_a_known_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add(database, password=PASSWORD)
    compared: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, kept: str, given: bytes) -> bool:
        compared.append(kept.split("$")[3])
        return verify(self, kept, given)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    identity.sign_in(database, ANA, "wrong", "192.0.2.7", NOW)
    identity.sign_in(database, "nobody@meridian.example", "wrong", "192.0.2.7", NOW)
    assert len(compared) == 2
    assert compared[0] == compared[1]


def test_a_person_without_a_password_comes_in_by_link_only(database: Database) -> None:
    add(database)
    assert identity.sign_in(database, ANA, "", "192.0.2.7", NOW) is None
    assert identity.sign_in(database, ANA, "nobody", "192.0.2.7", NOW) is None


def test_signing_in_ends_the_session_that_the_browser_had(database: Database) -> None:
    add(database, password=PASSWORD)
    before = open_session(database)
    after = identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW, previous=before.session_id)
    assert after is not None
    assert after.session_id != before.session_id
    assert access(database, before) is None
    assert access(database, after) is not None


def test_a_password_kept_at_yesterdays_cost_is_kept_anew_at_sign_in(database: Database) -> None:
    add(database)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with database.write() as connection:
        connection.execute(update(person).values(password_hash=cheap))
    assert identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW) is not None
    with database.read() as connection:
        kept = connection.execute(select(person.c.password_hash)).scalar_one()
    assert kept != cheap
    assert identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW) is not None


def test_another_password_ends_all_sessions(database: Database) -> None:
    add(database, password=PASSWORD)
    opened = open_session(database)
    with database.write() as connection:
        identity.set_password(connection, ANA, "a quite different sentence", NOW)
    assert access(database, opened) is None
    assert identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW) is None
    assert identity.sign_in(database, ANA, "a quite different sentence", "192.0.2.7", NOW) is not None
    assert "person.password_set" in actions(database)


# -- links -------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once(database: Database) -> None:
    add(database)
    with database.write() as connection:
        token = identity.make_link(connection, ANA, NOW)
        assert identity.find_link(connection, token, NOW) == Link("valid", "Ana Novak")
        assert identity.use_link(connection, token, "192.0.2.7", NOW) is not None
        assert identity.find_link(connection, token, NOW) == Link("used")
        assert identity.use_link(connection, token, "192.0.2.7", NOW) is None
    assert actions(database) == ["person.added", "link.made", "signin.succeeded", "signin.failed"]


def test_a_link_expires(database: Database) -> None:
    add(database)
    with database.write() as connection:
        token = identity.make_link(connection, ANA, NOW)
        late = NOW + identity.LINK_VALID
        assert identity.find_link(connection, token, late - timedelta(seconds=1)).state == "valid"
        assert identity.find_link(connection, token, late).state == "expired"
        assert identity.use_link(connection, token, "192.0.2.7", late) is None


def test_a_made_up_link_is_worth_nothing(database: Database) -> None:
    for token in ("", "x", "\x00", "\ud800", "' or 1=1 --"):
        with database.write() as connection:
            assert identity.find_link(connection, token, NOW) == Link("unknown")
            assert identity.use_link(connection, token, "192.0.2.7", NOW) is None


def test_of_simultaneous_uses_of_a_link_one_wins(database: Database) -> None:
    add(database)
    rounds, rivals = 10, 6
    for _ in range(rounds):
        with database.write() as connection:
            token = identity.make_link(connection, ANA, NOW)
        start = threading.Barrier(rivals)
        won: list[SignedIn] = []

        def race(token: str = token, start: threading.Barrier = start, won: list[SignedIn] = won) -> None:
            start.wait()
            with database.write() as connection:
                opened = identity.use_link(connection, token, "192.0.2.7", NOW)
            if opened is not None:
                won.append(opened)

        threads = [threading.Thread(target=race) for _ in range(rivals)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
    with database.read() as connection:
        assert len(connection.execute(select(session)).all()) == rounds


def test_a_link_needs_a_person_who_may_sign_in(database: Database) -> None:
    with database.write() as connection, pytest.raises(NotFound, match="user list"):
        identity.make_link(connection, ANA, NOW)
    add(database)
    with database.write() as connection:
        token = identity.make_link(connection, ANA, NOW)
        leaving.disable_person(connection, ANA, NOW)
        assert identity.find_link(connection, token, NOW) == Link("unknown")
        assert identity.use_link(connection, token, "192.0.2.7", NOW) is None
    with database.write() as connection, pytest.raises(InputError, match="disabled"):
        identity.make_link(connection, ANA, NOW)


# -- sessions ----------------------------------------------------------------------------------------------


def test_a_session_ends_after_twelve_idle_hours(database: Database) -> None:
    add(database)
    opened = open_session(database)
    assert access(database, opened, NOW + timedelta(hours=11, minutes=59)) is not None
    assert access(database, opened, NOW + timedelta(hours=12)) is None


def test_use_moves_the_idle_end_but_never_beyond_seven_days(database: Database) -> None:
    add(database)
    opened = open_session(database)
    digest = identity.session_hash(opened.session_id)
    now = NOW
    while access(database, opened, now) is not None and now < NOW + timedelta(days=30):
        with database.write() as connection:
            identity.touch(connection, digest, now)
        now += timedelta(hours=6)
    assert now == NOW + timedelta(days=7)


def test_use_does_not_bring_an_ended_session_back(database: Database) -> None:
    add(database)
    revoked, idle = open_session(database), open_session(database)
    with database.write() as connection:
        assert identity.sign_out(connection, identity.session_hash(revoked.session_id), NOW)
        identity.touch(connection, identity.session_hash(revoked.session_id), NOW)
        late = NOW + timedelta(hours=13)
        identity.touch(connection, identity.session_hash(idle.session_id), late)
    assert access(database, revoked) is None
    assert access(database, idle, late) is None


def test_signing_out_ends_one_session_and_is_audited_once(database: Database) -> None:
    add(database)
    gone, stays = open_session(database), open_session(database)
    with database.write() as connection:
        assert identity.sign_out(connection, identity.session_hash(gone.session_id), NOW)
        assert not identity.sign_out(connection, identity.session_hash(gone.session_id), NOW)
        assert not identity.sign_out(connection, identity.session_hash("made up"), NOW)
    assert access(database, gone) is None
    assert access(database, stays) is not None
    assert actions(database).count("signin.ended") == 1


def test_disabling_a_person_ends_their_sessions_and_keeps_them_out(database: Database) -> None:
    add(database, password=PASSWORD)
    opened = open_session(database)
    with database.write() as connection:
        assert leaving.disable_person(connection, ANA, NOW) == leaving.Ended(1, 0)
        assert leaving.disable_person(connection, ANA, NOW) == leaving.Ended(0, 0)
    assert access(database, opened) is None
    assert identity.sign_in(database, ANA, PASSWORD, "192.0.2.7", NOW) is None
    assert actions(database).count("person.disabled") == 1
    with database.read() as connection:
        assert audit.newest(connection, 1)[0].details == {"address": "192.0.2.7", "reason": "disabled", "person_id": 1}


def test_a_disabled_person_is_nobody_even_where_a_session_was_left_open(database: Database) -> None:
    add(database)
    opened = open_session(database)
    with database.write() as connection:
        connection.execute(update(person).values(disabled_at=NOW))
    assert access(database, opened) is None


def test_who_has_no_right_valid_now_is_nobody(database: Database) -> None:
    add(database)
    opened = open_session(database)
    with database.write() as connection:
        connection.execute(update(membership).values(valid_to=NOW + timedelta(hours=1)))
    assert access(database, opened, NOW + timedelta(minutes=59)) is not None
    assert access(database, opened, NOW + timedelta(hours=1)) is None


def test_row_scope_comes_with_the_right_and_admins_have_none(database: Database) -> None:
    with database.write() as connection:
        identity.add_person(
            connection, email=ANA, name="Ana", role="viewer", brand_ids=[3, 2], location_ids=[5], now=NOW
        )
    opened = open_session(database)
    signed = access(database, opened)
    assert signed is not None
    assert (signed.access.brand_ids, signed.access.location_ids) == (frozenset({2, 3}), frozenset({5}))
    with database.write() as connection:
        connection.execute(
            insert(membership).values(
                id=9, person_id=1, right="admin", valid_from=NOW, valid_to=NOW + timedelta(hours=1)
            )
        )
    signed = access(database, opened)
    assert signed is not None
    assert {grant.role for grant in signed.access.grants} == {"admin", "viewer"}
    assert (signed.access.rights, signed.access.brand_ids) == (frozenset(RIGHTS), None)
    later = access(database, opened, NOW + timedelta(hours=1))
    assert later is not None
    assert later.access.brand_ids == frozenset({2, 3})


def test_many_sessions_are_looked_up_at_once_and_the_dead_are_left_out(database: Database) -> None:
    add(database)
    opened = [open_session(database) for _ in range(3)]
    digests = [identity.session_hash(one.session_id) for one in opened]
    with database.write() as connection:
        identity.sign_out(connection, digests[1], NOW)
        found = identity.signed_in(connection, [*digests, *(f"{n:064x}" for n in range(1_200))], NOW)
        assert identity.signed_in(connection, [], NOW) == {}
    assert set(found) == {digests[0], digests[2]}


def test_what_ended_long_ago_is_swept_away_at_sign_in(database: Database) -> None:
    add(database)
    open_session(database)
    late = NOW + timedelta(days=60)
    open_session(database, late)
    with database.read() as connection:
        assert len(connection.execute(select(session)).all()) == 1
        assert len(connection.execute(select(signin_link)).all()) == 1
