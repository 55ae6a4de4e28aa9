"""models/cube/routed.py: places and teams together say what their mentions say, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.pipeline import Enriched
from models import cube
from models.access import Scope, Window
from models.cube import grouped, reading, routed
from models.database import Database
from models.organisation import Organisation
from tests.builders import (
    AMSTERDAM_SITE,
    BERLIN,
    DUTCH_CARE,
    EMEA_CARE,
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

BRANDS = (*OWN, RIVAL)
PLACES = (NOWHERE, BERLIN, AMSTERDAM_SITE, MUMBAI)
TEAMS = (NO_TEAM, DUTCH_CARE, EMEA_CARE)


def said(there: Organisation, *, elsewhere: Sequence[int] = ()) -> list[Enriched]:
    """70 posts of 30 days, each with the team that covers it; those with the numbers `elsewhere` with another one."""
    made = []
    for n in range(70):
        brand, place = BRANDS[n % 4], PLACES[n % 7 % 4]
        team = there.team_for(brand, place)
        if n in elsewhere:
            team = next(one for one in TEAMS if one != team)
        made.append(
            mention(
                f"p{n}",
                brand_id=brand,
                posted_at=NOW - timedelta(minutes=1 + n * n * 8.7),
                sentiment=(1, 0, -1, None)[n % 4 if n % 3 else n % 2],
                location_id=place,
                team_id=team,
                network=("x", "reddit")[n % 2],
                author=f"a{n % 7}",
                followers=100,
                likes=n,
            )
        )
    return made


def windows() -> Iterator[Window]:
    """Live ones, and some that end inside a cell, to the second and not."""
    for name in ("1h", "24h", "7d", "30d"):
        yield last(name)
        yield replace(last(name), end=NOW - timedelta(minutes=3, seconds=7), live=False)
        yield replace(last(name), end=NOW - timedelta(minutes=3, microseconds=7), live=False)


def scopes() -> Iterator[Scope]:
    everything = scope(OWN, tracked=BRANDS)
    yield replace(everything, location_ids=(BERLIN, AMSTERDAM_SITE), team_ids=(EMEA_CARE,))
    yield replace(everything, location_ids=(NOWHERE, BERLIN, MUMBAI), team_ids=(NO_TEAM, DUTCH_CARE))
    yield replace(everything, location_ids=(AMSTERDAM_SITE, MUMBAI), team_ids=TEAMS, network_ids=(2,))


def of(items: Sequence[Enriched], asked: Scope, brands: Sequence[int], window: Window) -> list[Enriched]:
    """What a scope and window hold, looked at one by one; live windows with what lies in the step that now is in."""
    return [
        item
        for item in items
        if item.brand_id in brands
        and (asked.location_ids is None or item.location_id in asked.location_ids)
        and (asked.team_ids is None or item.team_id in asked.team_ids)
        and (asked.network_ids is None or item.network_id in asked.network_ids)
        and window.start <= item.post.posted_at < window.end
    ]


def likes(items: Sequence[Enriched]) -> tuple[int, int, int]:
    """Mentions, negative ones, likes."""
    return len(items), sum(item.sentiment == -1 for item in items), sum(item.post.counts.likes or 0 for item in items)


@pytest.mark.parametrize("elsewhere", [(), (5, 8, 9, 40)], ids=["as covered", "some elsewhere"])
def test_every_figure_of_places_and_teams_is_what_a_plain_count_gives(
    database: Database, elsewhere: tuple[int, ...]
) -> None:
    there = load(database)
    items = said(there, elsewhere=elsewhere)
    keep(database, items, there)
    compared = 0

    with database.read() as connection:
        for window in windows():
            for asked in scopes():
                whole = cube.series(connection, asked, window, there)
                found = whole.total.mentions, whole.total.negative, whole.total.likes
                true = likes(of(items, asked, OWN, window))
                assert (found, whole.partial) == (true, False), (window, asked)
                of_steps = cube.series(connection, asked, window, there, values=("mentions",))
                assert [tally.mentions for tally in of_steps.tallies] == [tally.mentions for tally in whole.tallies]
                brands = cube.by_brand(connection, asked, window, there)
                for brand_id, series in brands.items():
                    assert series.total.mentions == len(of(items, asked, (brand_id,), window))
                compared += true[0]
            for asked, dimension in (
                (scope(OWN, teams=(EMEA_CARE,)), cube.LOCATION),
                (scope(OWN, teams=(DUTCH_CARE, NO_TEAM)), cube.LOCATION),
                (scope(OWN, locations=(BERLIN, NOWHERE)), cube.TEAM),
            ):
                held = cube.totals_by(connection, asked, (dimension,), window, there)
                counts = cube.counts_by(connection, asked, dimension, window, there)
                for value in PLACES if dimension == cube.LOCATION else TEAMS:
                    name = {cube.LOCATION: "location_id", cube.TEAM: "team_id"}[dimension]
                    mine = [item for item in of(items, asked, OWN, window) if getattr(item, name) == value]
                    tally = held.of(value)
                    assert (tally.mentions, tally.negative, tally.likes) == likes(mine), (window, asked, value)
                    assert sum(counts.get(value, ())) == len(mine)
    assert compared > 100


@pytest.mark.parametrize("elsewhere", [(), (5,)], ids=["as covered", "one elsewhere"])
def test_rows_are_read_of_what_went_elsewhere_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch, elsewhere: tuple[int, ...]
) -> None:
    there = load(database)
    items = said(there, elsewhere=elsewhere)
    keep(database, items, there)
    read: list[tuple[tuple[int, ...], tuple[int, ...] | None]] = []
    for module in (reading, grouped):
        original = module._from_rows

        def noted(connection: object, asked: Scope, brands: Sequence[int], *rest: object, **more: object) -> object:
            read.append((tuple(brands), asked.location_ids))
            return original(connection, asked, brands, *rest, **more)  # noqa: B023 - called before the next one

        monkeypatch.setattr(module, "_from_rows", noted)
        with database.read() as connection:
            if module is reading:
                cube.series(connection, scope(OWN, locations=PLACES, teams=(EMEA_CARE,)), last("7d"), there)
            else:
                cube.totals_by(connection, scope(OWN, teams=(EMEA_CARE,)), (cube.LOCATION,), last("7d"), there)

    ids = {f"p{n}" for n in elsewhere}
    moved = {(item.brand_id, item.location_id) for item in items if item.post.external_id in ids}
    assert {(brands, places) for brands, places in read} == {((brand,), (place,)) for brand, place in moved}


def test_teams_to_which_nothing_went_have_nothing(database: Database) -> None:
    there = load(database)
    keep(database, [one for one in said(there) if one.team_id != DUTCH_CARE], there)
    with database.read() as connection:
        asked = scope(OWN, teams=(DUTCH_CARE,))
        assert cube.totals_by(connection, asked, (cube.LOCATION,), last("30d"), there).tallies == {}


def test_what_is_told_apart_is_no_part_however_many_rows_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = load(database)
    items = said(there)
    keep(database, items, there)
    asked = scope(OWN, locations=PLACES, teams=TEAMS)
    monkeypatch.setattr(reading, "ROW_LIMIT", 10)

    with database.read() as connection:
        whole = cube.series(connection, asked, last("30d"), there)
        assert (whole.partial, whole.total.mentions) == (False, len(of(items, asked, OWN, last("30d"))))
        monkeypatch.setattr(routed, "MOST_LOOKED_AT", 10)
        assert cube.series(connection, asked, last("30d"), there).partial
