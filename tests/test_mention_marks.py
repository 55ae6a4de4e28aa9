"""models/mention_marks.py: hidden as irrelevant and fit for walls, each undone, audited, and only within the scope."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ingest.found import Gone
from ingest.store import store
from models import audit, cube, mention_marks
from models.database import Database
from models.errors import NotFound
from models.mention_marks import HIDDEN, WALL, Hidden, Who
from models.organisation import Organisation
from tests.builders import (
    BERLIN,
    CORVANE,
    HALDEN,
    NOW,
    UNMATCHED,
    UTRECHT,
    VELTA,
    keep,
    last,
    load,
    mention,
    rows,
    scope,
)

ALL = scope([CORVANE, HALDEN, VELTA])
ANA = Who(7, "ana@example.org", NOW)
BO = Who(8, "bo@example.org", NOW)


def id_of(database: Database, external_id: str = "1", brand_id: int = CORVANE) -> int:
    found = rows(database, "select id from mention where external_id = :e and brand_id = :b", e=external_id, b=brand_id)
    return int(found[0]["id"]) if found else 0


def brands_of(database: Database, external_id: str = "1") -> list[int]:
    found = rows(database, "select brand_id from mention where external_id = :e order by brand_id", e=external_id)
    return [row["brand_id"] for row in found]


def hide(
    database: Database, organisation: Organisation, brand_id: int = CORVANE, who: Who = ANA, **given: Any
) -> Hidden:
    with database.write() as connection:
        return mention_marks.hide(
            connection,
            given.get("within", ALL),
            (brand_id, id_of(database, brand_id=brand_id)),
            organisation=organisation,
            who=who,
        )


def unhide(database: Database, organisation: Organisation, hidden: Hidden, who: Who = ANA) -> None:
    with database.write() as connection:
        mention_marks.unhide(
            connection, ALL, hidden, organisation=organisation, who=replace(who, now=NOW + timedelta(seconds=9))
        )


def marks(database: Database) -> list[tuple[int, str]]:
    return [(row["brand_id"], row["mark"]) for row in rows(database, "select * from mention_mark order by 1, 3")]


def counted(database: Database, organisation: Organisation, brand_id: int) -> int:
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []
        return cube.series(connection, scope([brand_id]), last("24h"), organisation).total.mentions


def actions(database: Database) -> list[str]:
    with database.read() as connection:
        return [entry.action for entry in audit.newest(connection, 20) if entry.action.startswith("mention.")]


def test_a_hidden_mention_counts_for_no_brand_and_the_figures_agree(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("2")], organisation)

    hidden = hide(database, organisation)

    assert (counted(database, organisation, CORVANE), counted(database, organisation, UNMATCHED)) == (1, 1)
    assert hidden.key == (UNMATCHED, id_of(database, brand_id=UNMATCHED))
    assert marks(database) == [(UNMATCHED, HIDDEN)]
    assert actions(database)[0] == "mention.hidden"
    assert {row["brand_id"] for row in rows(database, "select * from change where topic = 'mentions'")} >= {1, CORVANE}


def test_hiding_is_undone_by_the_one_who_did_it(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    before = id_of(database)
    hidden = hide(database, organisation)

    with pytest.raises(NotFound):
        unhide(database, organisation, hidden, BO)
    unhide(database, organisation, hidden)

    assert (brands_of(database), marks(database)) == ([CORVANE], [])
    assert id_of(database) == before
    assert counted(database, organisation, CORVANE) == 1
    assert actions(database)[0] == "mention.unhidden"


def test_a_post_of_no_brand_is_hidden_and_comes_back_where_it_was(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", brand_id=UNMATCHED)], organisation)
    within = scope([UNMATCHED, CORVANE])

    hidden = hide(database, organisation, UNMATCHED, within=within)

    assert (hidden.correction, marks(database)) == (None, [(UNMATCHED, HIDDEN)])
    with pytest.raises(NotFound):
        unhide(database, organisation, hidden, BO)
    unhide(database, organisation, hidden)
    assert (brands_of(database), marks(database)) == ([UNMATCHED], [])


def test_a_post_that_two_brands_hid_comes_back_to_each_by_itself(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("1", brand_id=HALDEN)], organisation)
    of_corvane, of_halden = hide(database, organisation), hide(database, organisation, HALDEN, BO)
    assert brands_of(database) == [UNMATCHED]

    unhide(database, organisation, of_halden, BO)
    assert (brands_of(database), marks(database)) == ([UNMATCHED, HALDEN], [(UNMATCHED, HIDDEN)])
    unhide(database, organisation, of_corvane)

    assert (brands_of(database), marks(database)) == ([CORVANE, HALDEN], [])
    for brand_id, count in ((UNMATCHED, 0), (CORVANE, 1), (HALDEN, 1)):
        assert counted(database, organisation, brand_id) == count


def test_what_is_fit_for_walls_is_marked_once_and_taken_off_again(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    key = (CORVANE, id_of(database))

    with database.write() as connection:
        assert mention_marks.show_on_walls(connection, ALL, key, organisation=organisation, who=ANA)
        assert not mention_marks.show_on_walls(connection, ALL, key, organisation=organisation, who=BO)
        assert mention_marks.marked(connection, [key, (CORVANE, 5)], WALL) == {key}
        assert mention_marks.take_off_walls(connection, ALL, key, organisation=organisation, who=BO)
        assert not mention_marks.take_off_walls(connection, ALL, key, organisation=organisation, who=BO)
        assert mention_marks.marked(connection, [key], WALL) == frozenset()

    assert actions(database) == ["mention.wall_removed", "mention.wall"]


def test_a_mention_that_leaves_its_brand_leaves_its_marks(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    with database.write() as connection:
        mention_marks.show_on_walls(connection, ALL, (CORVANE, id_of(database)), organisation=organisation, who=ANA)

    hide(database, organisation)

    assert marks(database) == [(UNMATCHED, HIDDEN)]


@pytest.mark.parametrize("act", [mention_marks.hide, mention_marks.show_on_walls, mention_marks.take_off_walls])
def test_a_foreign_a_missing_and_a_deleted_mention_are_the_same(database: Database, act: Any) -> None:
    organisation = load(database)
    keep(database, [mention("1", location_id=BERLIN), mention("2")], organisation)
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=[Gone("x", "2")])
    foreign, deleted = id_of(database), id_of(database, "2")
    said = []
    for within, number in (
        (scope([HALDEN]), foreign),
        (scope([CORVANE], locations=[UTRECHT]), foreign),
        (ALL, 4711),
        (ALL, deleted),
    ):
        with database.write() as connection, pytest.raises(NotFound) as failure:
            act(connection, within, (CORVANE, number), organisation=organisation, who=ANA)
        said.append(str(failure.value).replace(str(number), "N"))

    assert set(said) == {"no mention N"}
    assert marks(database) == []
