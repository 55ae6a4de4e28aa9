"""models/corrections.py, take_back: a person undoes what they corrected, and the figures follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ingest.found import Gone
from ingest.store import store
from models import corrections, cube
from models.database import Database
from models.errors import InputError, NotFound
from models.organisation import Organisation
from tests.builders import (
    BERLIN,
    CORVANE,
    HALDEN,
    NOW,
    NOWHERE,
    UNMATCHED,
    VELTA,
    keep,
    last,
    load,
    mention,
    rows,
    scope,
)
from tests.few import few

ALL = scope([CORVANE, HALDEN, VELTA])


def one(database: Database, brand_id: int = CORVANE) -> Mapping[str, Any]:
    return rows(database, "select * from mention where external_id = '1' and brand_id = :b", b=brand_id)[0]


def brands_of(database: Database) -> list[int]:
    return [row["brand_id"] for row in rows(database, "select brand_id from mention order by brand_id")]


def tally(database: Database, organisation: Organisation, brand_id: int = CORVANE) -> cube.Tally:
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []
        return cube.series(connection, scope([brand_id]), last("24h"), organisation).total


def correct(database: Database, organisation: Organisation, field: str, value: int, **given: Any) -> tuple[int, int]:
    brand_id = given.get("brand_id", CORVANE)
    with database.write() as connection:
        made = corrections.correct(
            connection, ALL, mention=(brand_id, one(database, brand_id)["id"]), field=field, value=value,
            organisation=organisation, by=7, actor="ana", now=NOW + timedelta(seconds=given.get("after", 0)),
        )  # fmt: skip
    assert made is not None
    return brand_id, made


def take_back(database: Database, organisation: Organisation, correction: tuple[int, int], by: int = 7) -> None:
    with database.write() as connection:
        corrections.take_back(
            connection, ALL, correction=correction, organisation=organisation, by=by, actor="ana",
            now=NOW + timedelta(seconds=30),
        )  # fmt: skip


@pytest.mark.parametrize("before", few([1, 0, -1, None], 2))
def test_a_sentiment_goes_back_to_what_it_was(database: Database, before: int | None) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=before)], organisation)
    was, value = tally(database, organisation), -1 if before != -1 else 1

    made = correct(database, organisation, "sentiment", value)
    assert one(database)["sentiment"] == value
    take_back(database, organisation, made)

    assert one(database)["sentiment"] == before
    assert tally(database, organisation) == was
    actions = [row["action"] for row in rows(database, "select action from audit order by id desc limit 2")]
    assert sorted(actions) == ["mention.corrected", "mention.taken_back"]


def test_a_place_goes_back_and_the_team_with_it(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", location_id=NOWHERE)], organisation)
    team = one(database)["team_id"]

    made = correct(database, organisation, "location", BERLIN)
    assert one(database)["team_id"] != team
    take_back(database, organisation, made)

    assert (one(database)["location_id"], one(database)["team_id"]) == (NOWHERE, team)
    assert tally(database, organisation).mentions == 1


@pytest.mark.parametrize("to", few([HALDEN, UNMATCHED], 1))
def test_a_mention_goes_back_to_its_brand(database: Database, to: int) -> None:
    organisation = load(database)
    keep(database, [mention("1", followers=40, sentiment=1)], organisation)
    was = tally(database, organisation)

    made = correct(database, organisation, "brand", to)
    assert brands_of(database) == [to]
    take_back(database, organisation, made)

    assert brands_of(database) == [CORVANE]
    assert tally(database, organisation) == was
    assert tally(database, organisation, to).mentions == 0


def test_a_mention_that_its_other_brand_held_by_its_own_rule_stays_there_too(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("1", brand_id=HALDEN, matched=("halden",))], organisation)

    made = correct(database, organisation, "brand", HALDEN)
    assert brands_of(database) == [HALDEN]
    take_back(database, organisation, made)

    assert brands_of(database) == [CORVANE, HALDEN]
    assert (tally(database, organisation).mentions, tally(database, organisation, HALDEN).mentions) == (1, 1)


def test_a_post_that_is_read_again_stands_in_the_brand_it_came_back_to(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    take_back(database, organisation, correct(database, organisation, "brand", HALDEN))

    keep(database, [mention("1")], organisation)

    assert brands_of(database) == [CORVANE]


def test_nobody_takes_back_what_another_person_corrected(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    made = correct(database, organisation, "sentiment", -1)

    for correction, by in ((made, 8), ((CORVANE, 4711), 7), ((HALDEN, made[1]), 7)):
        with pytest.raises(NotFound, match="of yours"):
            take_back(database, organisation, correction, by)
    assert one(database)["sentiment"] == -1


def test_what_was_corrected_again_is_not_taken_back(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    made = correct(database, organisation, "sentiment", -1)
    correct(database, organisation, "sentiment", 1, after=5)

    with pytest.raises(InputError, match="corrected again"):
        take_back(database, organisation, made)
    assert one(database)["sentiment"] == 1


def test_nothing_is_taken_back_of_a_post_that_was_deleted(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    made = correct(database, organisation, "brand", HALDEN)
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=[Gone("x", "1")])

    with pytest.raises(NotFound):
        take_back(database, organisation, made)
