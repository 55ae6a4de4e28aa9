"""models/cube/grouped.py: many brands, locations and teams at once say what each of them says alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import cube
from models.access import Scope, Window
from models.cube import grouped
from models.database import Database
from models.organisation import Organisation
from tests.builders import (
    AMSTERDAM_SITE,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    EMEA_CARE,
    HALDEN,
    KOLKATA,
    MUMBAI,
    NO_TEAM,
    NOW,
    NOWHERE,
    OWN,
    RIVAL,
    keep,
    last,
    load,
    mention,
    scope,
)
from tests.few import few

TRACKED = (*OWN, RIVAL)
WINDOWS = ("15m", "1h", "24h", "7d", "30d")


def filled(database: Database, zone: str = "Europe/Amsterdam") -> Organisation:
    """80 posts of four brands over 30 days, in four places, by seven authors."""
    there = load(database, zone=zone)
    made = [
        mention(
            f"p{n}",
            brand_id=TRACKED[n % 4],
            posted_at=NOW - timedelta(minutes=1 + n * n * 6.7),
            sentiment=(1, 0, -1, None)[n % 4 if n % 3 else n % 2],
            location_id=(NOWHERE, BERLIN, AMSTERDAM_SITE, MUMBAI)[n % 7 % 4],
            team_id=(NO_TEAM, DUTCH_CARE, EMEA_CARE)[n % 5 % 3],
            network=("x", "reddit")[n % 2],
            author=f"a{n % 7}",
            followers=100 * (n % 7 + 1),
            likes=n,
        )
        for n in range(80)
    ]
    keep(database, made, there)
    return there


def ended(window: Window) -> Window:
    """The same window, ended in the middle of a cell instead of now."""
    return replace(window, end=window.end - timedelta(minutes=3, seconds=7), live=False)


def alone(asked: Scope, dimension: str, value: int) -> Scope:
    """The scope of one value of a dimension."""
    if dimension == cube.BRAND:
        return replace(asked, brand_ids=(value,), tracked_ids=(value,))
    name = {cube.LOCATION: "location_ids", cube.TEAM: "team_ids", cube.NETWORK: "network_ids"}[dimension]
    only: dict[str, Any] = {name: (value,)}
    return replace(asked, **only)


@pytest.mark.parametrize(
    ("zone", "names"), few([("Europe/Amsterdam", ("1h", "24h", "7d")), (KOLKATA, ("15m", "30d"))], 1)
)
def test_each_of_many_says_what_it_says_alone(zone: str, names: tuple[str, ...], database: Database) -> None:
    there = filled(database, zone)
    asked = scope(tracked=TRACKED)
    compared = 0
    with database.read() as connection:
        for name in names:
            for window in (last(name, zone=zone), ended(last(name, zone=zone))):
                for dimension in (cube.BRAND, cube.LOCATION, cube.TEAM, cube.NETWORK):
                    together = cube.series_by(connection, asked, dimension, window, there)
                    counts = cube.counts_by(connection, asked, dimension, window, there)
                    totals = cube.totals_by(connection, asked, (dimension,), window, there)
                    reach, each_once = cube.reach_by(connection, asked, dimension, window, there)
                    assert counts == {
                        value: tuple(tally.mentions for tally in found.tallies) for value, found in together.items()
                    }
                    for value, found in together.items():
                        one = cube.series(connection, alone(asked, dimension, value), window, there)
                        assert found == one, (name, window.live, dimension, value)
                        assert replace(totals.of(value), reach=0) == replace(one.total, reach=0)
                        truly = cube.reach(connection, alone(asked, dimension, value), window, there)
                        assert (reach.get(value, 0), each_once) == (truly.value, truly.each_once)
                        compared += 1
    assert compared > 30


def test_all_of_them_together_are_the_whole(database: Database) -> None:
    there, asked = filled(database), scope(tracked=TRACKED)
    with database.read() as connection:
        for name in WINDOWS:
            whole = cube.series(connection, asked, last(name), there)
            for dimension in (cube.LOCATION, cube.TEAM, cube.NETWORK):
                totals = cube.totals_by(connection, asked, (dimension,), last(name), there)
                assert sum(tally.mentions for tally in totals.tallies.values()) == whole.total.mentions
            counts, partial = cube.counts(connection, asked, last(name), there)
            assert counts == tuple(tally.mentions for tally in whole.tallies)
            assert not partial


def test_two_dimensions_are_kept_apart_in_one_statement(database: Database) -> None:
    there, asked = filled(database), scope(tracked=OWN)
    with database.read() as connection:
        both = cube.totals_by(connection, asked, (cube.BRAND, cube.LOCATION), last("7d"), there)
        for brand_id in OWN:
            for place in (NOWHERE, BERLIN, AMSTERDAM_SITE, MUMBAI):
                one = replace(asked, brand_ids=(brand_id,), location_ids=(place,))
                assert (
                    both.of(brand_id, place).mentions == cube.series(connection, one, last("7d"), there).total.mentions
                )


def test_places_and_teams_together_are_counted_from_rows(database: Database) -> None:
    """No cell holds a place and a team at once."""
    there, asked = filled(database), scope(locations=(BERLIN, AMSTERDAM_SITE))
    with database.read() as connection:
        teams = cube.by_team(connection, asked, last("7d"), there)
        for team_id, found in teams.items():
            one = replace(asked, team_ids=(team_id,))
            assert found.total.mentions == cube.series(connection, one, last("7d"), there).total.mentions
    assert set(teams) <= {NO_TEAM, DUTCH_CARE, EMEA_CARE}
    assert sum(found.total.mentions for found in teams.values()) > 0


def test_brands_are_those_of_the_tracked_set_and_others_those_in_scope(database: Database) -> None:
    there, asked = filled(database), scope((CORVANE,), tracked=(CORVANE, RIVAL))
    with database.read() as connection:
        assert set(cube.series_by(connection, asked, cube.BRAND, last("30d"), there)) == {CORVANE, RIVAL}
        places = cube.totals_by(connection, asked, (cube.LOCATION,), last("30d"), there)
        alone_there = cube.series(connection, scope((CORVANE,)), last("30d"), there).total.mentions
    assert sum(tally.mentions for tally in places.tallies.values()) == alone_there


def test_what_nothing_was_said_of_is_left_out(database: Database) -> None:
    there = load(database)
    with database.read() as connection:
        assert cube.by_team(connection, scope(), last("24h"), there) == {}
        assert cube.totals_by(connection, scope(), (cube.BRAND,), last("24h"), there).of(HALDEN) == cube.NOTHING
        assert cube.reach_by(connection, scope(), cube.BRAND, last("24h"), there) == ({}, True)


def test_a_window_that_ends_in_a_day_reads_rows_of_its_last_hour_alone(database: Database) -> None:
    there = filled(database)
    end = NOW - timedelta(minutes=20)
    start = cube.steps(Window("days", NOW - timedelta(days=20), NOW, 86_400, live=False), there)[1]
    days = Window("days", start, end, 86_400, live=False)
    posts = [(TRACKED[n % 4], NOW - timedelta(minutes=1 + n * n * 6.7)) for n in range(80)]
    inside = Counter(brand for brand, at in posts if brand in OWN and start <= at < end)
    seen: list[timedelta] = []
    read = grouped._from_rows

    def from_rows(*given: Any, **named: Any) -> Any:
        seen.append(given[4].end - given[4].start)
        return read(*given, **named)

    with pytest.MonkeyPatch.context() as patch, database.read() as connection:
        patch.setattr(grouped, "_from_rows", from_rows)
        found = cube.counts_by(connection, scope(), cube.BRAND, days, there)

    assert seen
    assert max(seen) <= timedelta(hours=1)
    assert {one: sum(held) for one, held in found.items()} == inside
    assert inside.total() > 20
