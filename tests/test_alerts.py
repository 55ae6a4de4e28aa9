"""models/alerts.py: each event is one alert, however often it is judged; who acknowledged it; who may see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from models import alerts, audit
from models.access import Access
from models.alerts import Alert, keep_blind, keep_spikes
from models.blind import Blind
from models.database import Database
from models.errors import NotFound
from models.spike import Event, Spike
from models.spikes import COOL_DOWN, RULES, STEP
from tests.builders import CORVANE, HALDEN, NOW, keep, load, mention, number, rows

VOLUME, NEGATIVE = RULES[0], RULES[2]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# An edge of five minutes.
AT = datetime.fromisoformat("2026-11-19T12:00:00+00:00")
ANA = Access(3, "ana@meridian.example", "Ana Novak", frozenset({"viewer"}))
BEN = Access(4, "ben@meridian.example", "Ben Okafor", frozenset({"viewer"}))


def event(at: datetime = AT, *, lasts: timedelta = timedelta(0), rule: Any = VOLUME, count: int = 60) -> Event:
    spike = Spike(
        at=at,
        count=count,
        expected=11.0,
        window_seconds=rule.window_seconds,
        rule=rule,
        value=0.5 if rule is NEGATIVE else float(count),
        level=0.25 if rule is NEGATIVE else 30.0,
        bar=46.0,
        days=28,
        share_negative=0.84,
    )
    return Event(spike, at + lasts)


def judged(database: Database, *events: Event, at: datetime = AT, brand_id: int = CORVANE) -> int:
    with database.write() as connection:
        return keep_spikes(connection, brand_id, events, judged_to=at, now=at + MINUTE)


def told(database: Database, *brand_ids: int) -> tuple[Alert, ...]:
    with database.read() as connection:
        return alerts.of_brands(connection, brand_ids or (CORVANE,), start=AT - 40 * DAY, end=AT + 40 * DAY)


def changes(database: Database) -> int:
    return number(database, "select coalesce(sum(n), 0) from change where topic = 'alerts'")


# -- spikes ------------------------------------------------------------------------------------------------


def test_a_spike_is_recorded_with_its_arithmetic(database: Database) -> None:
    assert judged(database, event()) == 1

    (one,) = told(database)
    assert (one.kind, one.seen, one.expected) == ("volume", 60.0, 11.0)
    assert (one.started_at, one.flagged_at, one.ended_at) == (AT - STEP, AT + MINUTE, None)
    assert one.words.startswith("60 mentions in 15 minutes, where 11 are usual")
    assert one.details["share_negative"] == 0.84
    assert changes(database) == 1


def test_an_event_is_one_alert_however_often_it_is_judged(database: Database) -> None:
    for minutes in range(0, 60, 5):
        new = judged(database, event(lasts=minutes * MINUTE), at=AT + minutes * MINUTE)
        assert new == (1 if minutes == 0 else 0)

    (one,) = told(database)
    assert one.last_at == AT + 55 * MINUTE
    assert one.ended_at is None


def test_what_did_not_change_is_not_said_again(database: Database) -> None:
    judged(database, event())
    before = changes(database)

    judged(database, event(), at=AT + 5 * MINUTE)

    assert changes(database) == before


def test_an_event_is_over_when_nothing_of_it_was_seen_for_an_hour(database: Database) -> None:
    judged(database, event(lasts=20 * MINUTE), at=AT + 20 * MINUTE)

    judged(database, at=AT + 75 * MINUTE)
    assert told(database)[0].ended_at is None
    judged(database, at=AT + 80 * MINUTE)
    assert told(database)[0].ended_at == AT + 20 * MINUTE


def test_an_event_that_comes_back_within_the_cool_down_goes_on(database: Database) -> None:
    judged(database, event())
    judged(database, at=AT + 2 * HOUR)
    assert told(database)[0].ended_at == AT

    assert judged(database, event(lasts=COOL_DOWN - STEP), at=AT + COOL_DOWN) == 0

    (one,) = told(database)
    assert one.ended_at is None


def test_after_the_cool_down_it_is_another_event(database: Database) -> None:
    judged(database, event())

    assert judged(database, event(AT + COOL_DOWN), at=AT + COOL_DOWN) == 1
    assert [one.started_at for one in told(database)] == [AT + COOL_DOWN - STEP, AT - STEP]


def test_posts_that_arrive_late_move_the_beginning_and_make_no_second_alert(database: Database) -> None:
    judged(database, event())

    assert judged(database, event(AT - 3 * STEP, lasts=4 * STEP), at=AT + STEP) == 0
    assert len(told(database)) == 1


def test_much_is_said_and_much_of_it_is_negative_are_two_alerts(database: Database) -> None:
    assert judged(database, event(), event(rule=NEGATIVE)) == 2
    assert {(one.kind, one.seen, one.expected) for one in told(database)} == {
        ("volume", 60.0, 11.0),
        ("negative", 0.84, 0.25),
    }


def test_the_whole_past_can_be_judged_at_once_and_again(database: Database) -> None:
    past = [event(AT - days * DAY, lasts=30 * MINUTE) for days in (20, 9, 2)]

    assert judged(database, *past) == 3
    assert judged(database, *past) == 0
    assert all(one.ended_at is not None for one in told(database))


def test_the_share_of_one_post_is_that_of_its_copies_in_the_window(database: Database) -> None:
    there = load(database)
    posted = AT - 4 * MINUTE
    copies = [mention(f"c{n}", posted_at=posted, author=f"a{n}", text="the very same words here") for n in range(3)]
    other = [mention("o1", posted_at=posted, author="z", text="something else altogether")]
    outside = [mention(f"x{n}", posted_at=AT - HOUR, author=f"y{n}", text=f"earlier {n}") for n in range(5)]
    keep(database, [*copies, *other, *outside], there)
    with database.write() as connection:
        connection.exec_driver_sql("update mention set copy_id = 7 where text = 'the very same words here'")

    judged(database, event())

    assert told(database)[0].details["share_one_post"] == 0.75
    assert "75 % are copies of one post" in told(database)[0].words


# -- sources -----------------------------------------------------------------------------------------------


def blinded(database: Database, *found: Blind, at: datetime = AT, sources: tuple[int, ...] = (1, 2)) -> int:
    with database.write() as connection:
        return keep_blind(connection, found, sources, at)


def test_a_blind_source_is_one_alert_until_it_hears_again(database: Database) -> None:
    silence = Blind(1, AT - HOUR, "X is disconnected.")

    assert [blinded(database, silence, at=AT + n * MINUTE) for n in range(3)] == [1, 0, 0]
    blinded(database, at=AT + HOUR)

    (one,) = told(database, alerts.NO_BRAND)
    assert (one.kind, one.source_id, one.started_at, one.ended_at) == ("blind", 1, AT - HOUR, AT + HOUR)
    assert blinded(database, Blind(1, AT + 2 * HOUR, "X is gone."), at=AT + 3 * HOUR) == 1


def test_a_source_that_heard_nothing_in_between_is_in_the_same_silence(database: Database) -> None:
    silence = Blind(1, AT - 60 * DAY, "X is deaf.")
    blinded(database, silence)
    blinded(database, at=AT + HOUR)

    assert blinded(database, silence, at=AT + 2 * HOUR) == 0
    assert rows(database, "select ended_at from alert") == [{"ended_at": None}]


def test_each_source_has_its_own_alert(database: Database) -> None:
    assert blinded(database, Blind(1, AT, "X."), Blind(2, AT, "Reddit.")) == 2
    blinded(database, Blind(2, AT, "Reddit."), at=AT + HOUR)
    assert {one.source_id: one.ended_at for one in told(database, alerts.NO_BRAND)} == {1: AT + HOUR, 2: None}


# -- who looks at it ---------------------------------------------------------------------------------------


def acknowledged(database: Database, by: Access, at: datetime = NOW, *, brand_id: int = CORVANE) -> Alert:
    (one,) = told(database)
    with database.write() as connection:
        return alerts.acknowledge(connection, brand_id, one.id, by=by, now=at)


def test_the_first_who_acknowledges_is_named_and_audited(database: Database) -> None:
    judged(database, event())
    before = changes(database)

    assert acknowledged(database, ANA).acknowledged_by == "Ana Novak"
    second = acknowledged(database, BEN, NOW + MINUTE)

    assert (second.acknowledged_by, second.acknowledged_at) == ("Ana Novak", NOW)
    assert changes(database) == before + 1
    with database.read() as connection:
        entries = [entry for entry in audit.newest(connection, 10) if entry.action == "alert.acknowledge"]
    assert [(entry.actor, entry.person_id) for entry in entries] == [("ana@meridian.example", 3)]


def test_an_alert_of_another_brand_is_not_found_by_its_number(database: Database) -> None:
    judged(database, event())
    with pytest.raises(NotFound, match="there is no such alert"):
        acknowledged(database, ANA, brand_id=HALDEN)


def test_what_waits_goes_on_or_was_acknowledged_by_nobody(database: Database) -> None:
    old = event(AT - 3 * DAY)
    judged(database, old, event(AT - 5 * HOUR))
    judged(database, event(AT - 2 * HOUR), brand_id=HALDEN)

    def waiting(now: datetime) -> list[datetime]:
        with database.read() as connection:
            found = alerts.waiting(connection, (CORVANE,), since=now - DAY, now=now)
        return [one.started_at for one in found]

    assert waiting(AT) == [AT - 5 * HOUR - STEP]
    assert waiting(AT + 2 * DAY) == []
    judged(database, event(AT + 2 * DAY), at=AT + 2 * DAY)
    with database.write() as connection:
        alerts.acknowledge(connection, CORVANE, told(database)[0].id, by=ANA, now=AT)
    # Acknowledged, and it goes on.
    assert waiting(AT + 2 * DAY) == [AT + 2 * DAY - STEP]


def test_who_sees_some_places_alone_sees_no_count_of_a_whole_brand() -> None:
    limited = Access(5, "k@meridian.example", "K", frozenset({"viewer"}), None, frozenset({4}))
    admin = Access(6, "a@meridian.example", "A", frozenset({"admin"}), None, frozenset({4}))

    assert alerts.may_see(limited, (CORVANE, HALDEN)) == (alerts.NO_BRAND,)
    assert alerts.may_see(ANA, (CORVANE,)) == alerts.may_see(admin, (CORVANE,)) == (alerts.NO_BRAND, CORVANE)
