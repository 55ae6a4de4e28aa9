"""Where the mentions of a team or a network are looked for: in the hours that hold some, or in all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import mentions
from models.access import Scope, Window
from models.database import Database, instant_of, time_id
from models.mentions import last_posted_at, newest
from models.spans import since, spans
from tests.small_organisation import NOW
from tests.small_store import Said, fill, say

REDDIT = 5
DAYS = 20
WINDOW = Window("30d", NOW - timedelta(days=30), NOW, 21_600, live=True)


def scope(network_id: int, *brand_ids: int) -> Scope:
    return Scope(brand_ids or (2,), brand_ids or (2,), network_ids=(network_id,))


def said(database: Database, *, rare_days: tuple[int, ...]) -> None:
    """A mention an hour on one network, and one a day, on some days, on another."""
    fill(database)
    often = [Said(f"usual {n}", minutes=60 * n + 5, author=f"a{n}") for n in range(24 * DAYS)]
    seldom = [Said(f"rare {day}", minutes=1440 * day + 7, network="reddit", author=f"r{day}") for day in rare_days]
    say(database, often + seldom)


def test_few_mentions_are_looked_for_in_their_hours_alone(database: Database) -> None:
    said(database, rare_days=(3, 9, 15))

    with database.read() as connection:
        found = spans(connection, scope(REDDIT), (2,), WINDOW, limit=50)
        shown = newest(connection, scope(REDDIT), WINDOW)

    assert found is not None
    assert len(found) == 3
    assert all(instant_of(past) - instant_of(first) == timedelta(hours=1) for _, first, past in found)
    assert [one.text for one in shown] == ["rare 3", "rare 9", "rare 15"]


def test_no_more_hours_than_hold_what_is_shown(database: Database) -> None:
    said(database, rare_days=(3, 9, 15))

    with database.read() as connection:
        found = spans(connection, scope(REDDIT), (2,), WINDOW, limit=1)
        shown = newest(connection, scope(REDDIT), WINDOW, limit=1)

    assert found is not None
    assert len(found) == 1
    assert [one.text for one in shown] == ["rare 3"]


def test_what_is_a_good_part_of_all_is_walked_down_to(database: Database) -> None:
    said(database, rare_days=(3,))

    with database.read() as connection:
        assert spans(connection, scope(2), (2,), WINDOW, limit=50) is None
        assert len(newest(connection, scope(2), WINDOW)) == 50


def test_a_network_on_which_nothing_was_said_is_looked_for_nowhere(database: Database) -> None:
    said(database, rare_days=())

    with database.read() as connection:
        assert spans(connection, scope(REDDIT), (2,), WINDOW, limit=50) == []
        assert newest(connection, scope(REDDIT), WINDOW) == ()
        assert last_posted_at(connection, scope(REDDIT)) is None


def test_the_last_of_few_is_found_however_long_ago(database: Database) -> None:
    said(database, rare_days=(400,))

    with database.read() as connection:
        assert last_posted_at(connection, scope(REDDIT)) == NOW - timedelta(days=400, minutes=7)


def test_a_window_that_ends_in_the_past_holds_nothing_behind_its_end(database: Database) -> None:
    said(database, rare_days=(3, 9, 15))
    end = NOW - timedelta(days=9, minutes=8)
    window = Window("30d", end - timedelta(days=20), end, 21_600, live=False)

    with database.read() as connection:
        assert [one.text for one in newest(connection, scope(REDDIT), window, limit=1)] == ["rare 15"]


def test_pages_follow_each_other_without_a_gap(database: Database) -> None:
    said(database, rare_days=tuple(range(1, 12)))
    texts: list[str] = []
    before_id: int | None = None

    with database.read() as connection:
        while page := newest(connection, scope(REDDIT), WINDOW, limit=4, before_id=before_id):
            texts += [one.text for one in page]
            before_id = page[-1].id

    assert texts == [f"rare {day}" for day in range(1, 12)]


def test_the_hours_of_a_location_are_refused(database: Database) -> None:
    fill(database)
    with database.read() as connection, pytest.raises(ValueError, match="location"):
        spans(connection, Scope((2,), (2,), location_ids=(4,), team_ids=(2,)), (2,), WINDOW, limit=50)


SOME = {
    "brands": Scope((2, 3), (2, 3)),
    "one place": Scope((2, 3), (2, 3), location_ids=(5,)),
    "a network": Scope((2, 3), (2, 3), network_ids=(2,)),
    "nothing": Scope((4,), (4,)),
}


@pytest.mark.parametrize("asked", SOME.values(), ids=SOME.keys())
@pytest.mark.parametrize("minutes_ago", [None, 2 * 1440 + 31])
def test_walks_that_stop_where_the_newest_begin_find_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, asked: Scope, minutes_ago: int | None
) -> None:
    fill(database)
    say(
        database,
        [
            Said(f"{n}", minutes=97 * n + 5, brand_id=2 + n % 2, location_id=4 + n % 3, author=f"a{n}")
            for n in range(400)
        ],
    )
    window = WINDOW
    if minutes_ago is not None:
        end = NOW - timedelta(minutes=minutes_ago)
        window = Window("30d", end - timedelta(days=25), end, 21_600, live=False)

    with database.read() as connection:
        for limit in (5, 40, 120, 1_000):
            monkeypatch.setattr(mentions, "MANY", 10_000)
            whole = newest(connection, asked, window, limit=limit)
            monkeypatch.setattr(mentions, "MANY", 1)
            assert newest(connection, asked, window, limit=limit) == whole
            begins = since(connection, asked, asked.brand_ids, window, limit=limit)
            assert begins is None or (window.start <= begins <= whole[-1].posted_at and len(whole) == limit)
            assert begins is not None or limit > 20 or not whole


def test_a_place_and_a_team_together_have_no_days_to_stop_at(database: Database) -> None:
    fill(database)
    both = Scope((2,), (2,), location_ids=(4,), team_ids=(2,))
    with database.read() as connection:
        assert since(connection, both, (2,), WINDOW, limit=1) is None


def test_an_id_says_when_it_was_made() -> None:
    assert instant_of(time_id(NOW, 77)) == NOW
