"""models/since.py: what somebody who was away is told, from the rollups, in what they may see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from models import organisation as organisations
from models import shift_log, since
from models.access import Access
from models.database import Database, new_id
from models.since import Since
from models.tables import alert, source
from tests.small_organisation import ADMIN, NOW, person
from tests.small_store import Said, fill, say

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
INES = Access(8, "ines2@meridian.example", "Ines", frozenset({"viewer"}))
SEEN = NOW - 8 * HOUR


@pytest.fixture
def there(database: Database) -> Database:
    fill(database)
    return database


def told(database: Database, who: Access = ADMIN, *, seen_at: datetime = SEEN, now: datetime = NOW) -> Since:
    with database.read() as connection:
        return since.since(connection, who, organisations.current(connection, now), seen_at, now=now)


def spike(database: Database, *, hours: float, **values: Any) -> None:
    at = NOW - hours * HOUR
    given = {"brand_id": 2, "kind": "volume", "source_id": 0, "seen": 90.0, "expected": 30.0, "words": "far more"}
    with database.write() as connection:
        connection.execute(
            insert(alert).values(**given | {"id": new_id(at), "started_at": at, "flagged_at": at} | values)
        )


@pytest.mark.parametrize(("minutes", "away"), [(29.9, False), (30, True), (10_000, True)])
def test_half_an_hour_without_a_look_is_away(minutes: float, away: bool) -> None:
    assert since.is_away(NOW - timedelta(minutes=minutes), NOW) is away


def test_who_never_looked_was_not_away() -> None:
    assert not since.is_away(None, NOW)


def test_volume_is_compared_with_the_median_of_the_same_hours_of_past_weeks(there: Database) -> None:
    say(there, [Said(f"now {n}", minutes=30 + n) for n in range(30)])
    for weeks, count in ((1, 10), (2, 14), (3, 12), (4, 90)):
        say(there, [Said(f"then {weeks} {n}", minutes=weeks * 7 * 24 * 60 + 60 + n) for n in range(count)])
    # Beside the hours that are compared.
    say(there, [Said("before", minutes=9 * 60), Said("a week before", minutes=7 * 24 * 60 + 10 * 60)])

    found = told(there)

    assert (found.volume.mentions, found.volume.compared) == (30, 30)
    assert (found.volume.usual, found.volume.weeks) == (13.0, 4)
    assert found.volume.start == datetime(2026, 11, 19, 6, 30, tzinfo=NOW.tzinfo)


def test_weeks_in_which_nobody_listened_are_not_compared_with(database: Database) -> None:
    fill(database, listened=timedelta(days=10))
    say(database, [Said(f"then {n}", minutes=7 * 24 * 60 + 60 + n) for n in range(5)])

    found = told(database)

    assert (found.volume.usual, found.volume.weeks) == (None, 1)


def test_sentiment_names_the_brand_that_moved_most_and_only_beyond_chance(there: Database) -> None:
    posts = []
    for brand_id, now, before in ((2, 1, 1), (3, -1, 1), (4, 0, 0)):
        posts += [Said(f"{n}", minutes=30 + n, brand_id=brand_id, sentiment=now) for n in range(40)]
        posts += [Said(f"{n}", minutes=10 * 60 + n, brand_id=brand_id, sentiment=before) for n in range(40)]
    say(there, posts)

    mood = told(there).mood

    assert (mood.is_clear, mood.brand_id) == (True, 3)
    assert (mood.brand_before.net_sentiment, mood.brand_now.net_sentiment) == (100.0, -100.0)
    assert mood.before.scored == mood.now.scored == 120
    quiet = told(there, person(brand_ids=frozenset({4}))).mood
    assert (quiet.is_clear, quiet.brand_id) == (False, None)


def test_a_person_is_told_of_what_they_may_see_alone(there: Database) -> None:
    say(there, [Said("one", brand_id=2), Said("two", brand_id=3), Said("three", brand_id=3, location_id=6)])
    spike(there, hours=2, brand_id=2)
    spike(there, hours=3, brand_id=3)
    bank, tokyo = person(brand_ids=frozenset({3})), person(location_ids=frozenset({6}))

    assert told(there).volume.mentions == 3
    assert (told(there, bank).volume.mentions, [item.brand_id for item in told(there, bank).alerts]) == (2, [3])
    # A spike counts a whole brand: nothing that one who sees one place could check.
    assert (told(there, tokyo).volume.mentions, told(there, tokyo).alerts) == (1, ())


def test_spikes_are_those_that_began_since_or_go_on_and_blind_sources_are_none(there: Database) -> None:
    spike(there, hours=2, words="since")
    spike(there, hours=20, words="goes on", kind="negative")
    spike(there, hours=21, words="over long ago", ended_at=NOW - 19 * HOUR, brand_id=3)
    spike(there, hours=1, words="blind", kind="blind", brand_id=0, source_id=1)

    assert [item.words for item in told(there).alerts] == ["since", "goes on"]


def test_sources_that_need_somebody_are_named_and_paused_ones_do_not_count(there: Database) -> None:
    assert told(there).failing == ()
    with there.write() as connection:
        connection.execute(update(source).values(state="disconnected"))
        copied = connection.execute(source.select()).one()
        for number, state in ((2, "paused"), (3, "active")):
            values = dict(copied._mapping) | {"id": number, "name": f"source {number}", "state": state}
            connection.execute(insert(source).values(**values))

    found = told(there)

    assert [item.name for item in found.failing] == ["X search"]
    assert [item.name for item in found.sources] == ["X search", "source 3"]


def test_the_shift_log_tells_what_others_wrote_since(there: Database) -> None:
    with there.write() as connection:
        organisation = organisations.current(connection, NOW)
        for hours, who, words in ((9, INES, "before"), (7, INES, "one"), (6, ADMIN, "my own"), (5, INES, "two")):
            shift_log.add(connection, who, organisation, words, now=NOW - hours * HOUR)

    found = told(there)

    assert [line.text for line in found.lines] == ["two", "one"]
    assert (found.more_lines, found.unsigned) == (0, 3)
    with there.read() as connection:
        assert shift_log.newest_id(connection, ()) == found.newest_line_id


def test_who_was_away_for_months_is_told_of_the_last_week(there: Database) -> None:
    say(there, [Said("lately", minutes=60), Said("long ago", minutes=8 * 24 * 60)])
    found = told(there, seen_at=NOW - 100 * timedelta(days=1))

    assert found.seen_at == NOW - WEEK
    assert found.volume.mentions == 1


def test_the_number_of_statements_does_not_grow_with_what_is_stored(there: Database) -> None:
    def statements() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(there.engine, "before_cursor_execute", counted)
        told(there)
        event.remove(there.engine, "before_cursor_execute", counted)
        return count

    few = statements()
    say(there, [Said(f"post {n}", minutes=n, brand_id=2 + n % 3) for n in range(400)])
    for hours in range(1, 8):
        spike(there, hours=hours)
    assert statements() <= few + 4
    assert few < 60
