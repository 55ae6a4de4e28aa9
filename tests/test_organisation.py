"""models/organisation.py and its load: the organisation as it is now, and how it became so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from models import organisation as organisations
from models.database import Database, raise_change
from models.errors import NotFound, OrganisationError
from models.organisation import Cover, Location, Organisation
from models.organisation_entries import BrandEntry, LocationEntry, TeamEntry
from models.organisation_file import Difference, OrganisationFile, apply
from models.tables import brand
from models.tables.base import to_microseconds
from tests.builders import (
    AMSTERDAM_SITE,
    BANK_DESK,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    EMEA,
    EMEA_CARE,
    HALDEN,
    MUMBAI,
    NETHERLANDS,
    NO_TEAM,
    NOW,
    NOWHERE,
    UTRECHT,
    load,
    meridian,
    number,
    rows,
)
from tests.few import few

LATER = NOW + timedelta(days=1)


def bring(database: Database, file: OrganisationFile) -> tuple[Difference, ...]:
    with database.write() as connection:
        return apply(connection, file, actor="a test", now=NOW)


def now(database: Database) -> Organisation:
    with database.read() as connection:
        return organisations.current(connection, LATER)


def only(**parts: Any) -> OrganisationFile:
    """A file that says nothing but this."""
    nothing = OrganisationFile(None, None, None, None, (), (), ())
    return replace(nothing, **parts)


def test_what_a_file_says_is_what_is_there(database: Database) -> None:
    found = load(database)

    assert (found.name, found.zone, found.languages, found.simulated) == (
        "Meridian Group",
        "Europe/Amsterdam",
        ("en", "nl"),
        False,
    )
    assert [item.key for item in found.brands] == ["unmatched", *(item.key for item in meridian().brands)]
    assert found.brand_by_key("halden").rules == ("halden", "@halden")
    assert found.location_by_key("amsterdam").aliases == ("ams", "mokum")
    assert found.location_by_key("utrecht").parent_id == NETHERLANDS


def test_an_empty_database_has_a_place_for_what_is_unknown(database: Database) -> None:
    found = now(database)

    assert [(item.id, item.key) for item in found.brands] == [(1, "unmatched")]
    assert [(item.id, item.key) for item in found.locations] == [(1, "unknown")]
    assert [(item.id, item.key) for item in found.teams] == [(1, "none")]
    assert (found.zone, found.languages) == ("UTC", ("en",))


def test_what_is_remembered_is_read_anew_after_a_change_and_after_a_minute(database: Database) -> None:
    load(database)
    known = organisations.Remembered()
    with database.write() as connection:
        first = known.current(connection, NOW)
        assert known.current(connection, NOW + timedelta(seconds=59)) is first
        connection.execute(update(brand).where(brand.c.id == CORVANE).values(name="Corvane Cars"))
        assert known.current(connection, NOW) is first
        raise_change(connection, "organisation")
    with database.read() as connection:
        second = known.current(connection, NOW)
        assert second.brand_names[CORVANE] == "Corvane Cars"
        assert known.current(connection, NOW + timedelta(seconds=61)) is not second
        # A clock that went back says nothing about what is valid.
        assert known.current(connection, NOW) == second


def test_a_load_can_be_repeated(database: Database) -> None:
    first = bring(database, meridian())
    told = number(database, "select n from change where topic = 'organisation'")
    before = now(database)

    again = bring(database, meridian())

    assert len(first) >= 14
    assert again == ()
    assert now(database) == before
    assert number(database, "select n from change where topic = 'organisation'") == told
    assert number(database, "select count(*) from audit where action = 'organisation.load'") == 1


def test_a_load_that_is_rolled_back_only_looks(database: Database) -> None:
    looked: list[Difference] = []

    def look() -> None:
        with database.write() as connection:
            looked.extend(apply(connection, meridian(), actor="a test", now=NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look()

    assert Difference("add", "brand", "corvane", "Corvane") in looked
    assert [item.key for item in now(database).brands] == ["unmatched"]


def test_what_a_file_does_not_name_stays(database: Database) -> None:
    load(database)
    before = now(database)

    bring(database, only(brands=(BrandEntry("nova", "Nova", "own", "NO", (), ("nova",)),)))

    found = now(database)
    assert found.brands[:-1] == before.brands
    assert found.brands[-1].key == "nova"
    assert (found.locations, found.teams, found.covers, found.zone) == (
        before.locations,
        before.teams,
        before.covers,
        before.zone,
    )


def test_a_changed_rule_is_a_new_version_and_the_old_one_ends(database: Database) -> None:
    load(database)
    corvane = meridian().brands[0]

    differences = bring(database, only(brands=(replace(corvane, rules=("corvane airline",)),)))

    assert now(database).brand_by_key("corvane").rules == ("corvane airline",)
    assert {(item.action, item.thing, item.key) for item in differences} == {("change", "brand", "corvane")}
    versions = rows(database, "select version, valid_to from brand_rule where brand_id = 2 order by version")
    assert [(row["version"], row["valid_to"] is None) for row in versions] == [(1, False), (2, False), (3, True)]
    with database.read() as connection:
        yesterday = organisations.current(connection, NOW - timedelta(days=1))
    assert yesterday.brand_by_key("corvane").rules == ("corvane", "@corvane")


def test_a_changed_name_is_told_with_what_it_was(database: Database) -> None:
    load(database)

    differences = bring(database, only(brands=(replace(meridian().brands[2], name="Velta Air"),)))

    assert differences == (Difference("change", "brand", "velta", "name: Velta -> Velta Air"),)


def test_a_new_id_is_larger_than_any_there_ever_was(database: Database) -> None:
    """Facts are stamped with ids: one that is given a second time would hand them over."""
    load(database)
    with database.write() as connection:
        connection.execute(update(brand).where(brand.c.id == 6).values(valid_to=NOW))

    bring(database, only(brands=(BrandEntry("nova", "Nova", "own", "NO", (), ("nova",)),)))

    assert now(database).brand_by_key("nova").id == 7


@pytest.mark.parametrize("table", ["brand", "location", "team"])
def test_what_has_ended_is_not_there(database: Database, table: str) -> None:
    load(database)
    highest = number(database, f"select max(id) from {table}")
    with database.write() as connection:
        connection.execute(
            text(f"update {table} set valid_to = :now where id = :id"), {"now": to_microseconds(NOW), "id": highest}
        )

    found = now(database)
    there = {
        "brand": [item.id for item in found.brands],
        "location": [item.id for item in found.locations],
        "team": [item.id for item in found.teams],
    }[table]
    assert highest not in there
    assert len(there) == highest - 1


@pytest.mark.parametrize(
    ("file", "fault"),
    few(
        [
            (
                only(brands=(BrandEntry("nova", "Nova", "own", "NO", ("nobody",), ("nova",)),)),
                'brand "nova": there is no brand "nobody" to compete with',
            ),
            (
                only(locations=(LocationEntry("a", "A", "site", "nowhere", None, None, None, (), "A"),)),
                'location "a": there is no location "nowhere" to be its parent',
            ),
            (
                only(
                    locations=(
                        LocationEntry("a", "A", "region", "b", None, None, None, (), "A"),
                        LocationEntry("b", "B", "region", "a", None, None, None, (), "B"),
                    )
                ),
                "its parents go in a circle",
            ),
            (
                only(teams=(TeamEntry("t", "T", (("nobody", "nowhere"),)),)),
                'team "t": there is no location "nowhere" to cover',
            ),
        ],
        2,
    ),
)
def test_a_file_that_refers_to_nothing_is_refused_and_nothing_is_written(
    database: Database, file: OrganisationFile, fault: str
) -> None:
    load(database)
    before = now(database)

    with pytest.raises(OrganisationError, match=fault):
        bring(database, file)

    assert now(database) == before


def test_a_load_that_closes_a_circle_with_what_is_there_is_refused(database: Database) -> None:
    """EMEA under the Netherlands, which lie under EMEA: walking the tree would never end."""
    load(database)

    with pytest.raises(OrganisationError, match="its parents go in a circle"):
        bring(database, only(locations=(replace(meridian().locations[0], parent="netherlands"),)))

    assert now(database).location_by_key("emea").parent_id is None


def test_a_place_has_what_lies_below_it(database: Database) -> None:
    found = load(database)

    assert set(found.below(EMEA)) == {EMEA, NETHERLANDS, BERLIN, AMSTERDAM_SITE, UTRECHT}
    assert found.below(UTRECHT) == (UTRECHT,)
    assert found.below(99) == ()


@pytest.mark.parametrize(
    ("brand_id", "location_id", "team_id"),
    few(
        [
            (CORVANE, UTRECHT, DUTCH_CARE),
            (CORVANE, NETHERLANDS, DUTCH_CARE),
            (CORVANE, BERLIN, EMEA_CARE),
            (CORVANE, MUMBAI, NO_TEAM),
            (CORVANE, NOWHERE, NO_TEAM),
            (HALDEN, MUMBAI, BANK_DESK),
            (HALDEN, UTRECHT, DUTCH_CARE),
        ],
        2,
    ),
)
def test_the_narrowest_cover_gives_the_team(database: Database, brand_id: int, location_id: int, team_id: int) -> None:
    assert load(database).team_for(brand_id, location_id) == team_id


def test_a_brand_at_a_place_is_narrower_than_the_place(database: Database) -> None:
    load(database)
    squad = TeamEntry("halden-utrecht", "Halden in Utrecht", (("halden", "utrecht"),))
    bring(database, only(teams=(squad,)))

    found = now(database)
    assert found.team_for(HALDEN, UTRECHT) == found.team_by_key("halden-utrecht").id
    assert found.team_for(CORVANE, UTRECHT) == DUTCH_CARE


def test_the_smallest_rank_wins_whatever_the_order() -> None:
    for covers in ((Cover(2, 0, 0, 9), Cover(3, 2, 0, 4)), (Cover(3, 2, 0, 4), Cover(2, 0, 0, 9))):
        there = Organisation("M", "UTC", ("en",), False, (), (), (), covers)
        assert (there.team_for(2, 5), there.team_for(3, 5)) == (3, 2)


def test_a_place_whose_parent_has_ended_stands_alone() -> None:
    place = Location(5, "utrecht", "Utrecht", "site", 4, None, None, None, (), "")
    there = Organisation("M", "UTC", ("en",), False, (), (place,), (), (Cover(2, 0, 5, 1),))

    assert there.below(5) == (5,)
    assert there.team_for(2, 5) == 2


def test_an_unknown_key_is_named(database: Database) -> None:
    found = load(database)
    for ask, thing in ((found.brand_by_key, "brand"), (found.location_by_key, "location"), (found.team_by_key, "team")):
        with pytest.raises(NotFound, match=f'no {thing} "x"'):
            ask("x")
