"""models/corrections.py: what a person corrects is counted at once and stands whatever comes of the post later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.enrich.copies import First
from ingest.found import Gone
from ingest.store import store
from models import corrections, cube
from models.access import Scope
from models.corrections import Corrected, correct
from models.database import Database
from models.errors import InputError, NotFound
from models.mentions import newest
from models.organisation import Organisation
from tests.builders import (
    AMSTERDAM_SITE,
    BANK_DESK,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    EMEA_CARE,
    HALDEN,
    NO_TEAM,
    NOW,
    NOWHERE,
    RIVAL,
    UNMATCHED,
    VELTA,
    keep,
    last,
    load,
    mention,
    number,
    rows,
    scope,
)
from tests.few import few

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)
ALL = scope([UNMATCHED, CORVANE, HALDEN, VELTA])
COMING = NOW - timedelta(hours=2)
NADIA: Mapping[str, Any] = {"author": "nadia-4711", "followers": 40, "likes": 3, "posted_at": COMING}


def change(
    database: Database,
    organisation: Organisation,
    external_id: str,
    field: str,
    value: int,
    *,
    brand_id: int = CORVANE,
    within: Scope = ALL,
    now: datetime = NOW,
) -> None:
    with database.write() as connection:
        correct(
            connection,
            within,
            mention=(brand_id, id_of(database, external_id, brand_id)),
            field=field,
            value=value,
            organisation=organisation,
            by=7,
            actor="Ana",
            now=now,
        )


def id_of(database: Database, external_id: str, brand_id: int = CORVANE) -> int:
    statement = "select id from mention where external_id = :e and brand_id = :b"
    found = rows(database, statement, e=external_id, b=brand_id)
    return int(found[0]["id"]) if found else 0


def one(database: Database, external_id: str = "1", brand_id: int = CORVANE) -> Mapping[str, Any]:
    found = rows(database, "select * from mention where external_id = :e and brand_id = :b", e=external_id, b=brand_id)
    return found[0]


def brands_of(database: Database, external_id: str) -> list[int]:
    found = rows(database, "select brand_id from mention where external_id = :e order by brand_id", e=external_id)
    return [row["brand_id"] for row in found]


def tally(database: Database, organisation: Organisation, asked: Scope) -> cube.Tally:
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []
        return cube.series(connection, asked, last("24h"), organisation).total


def reach(database: Database, organisation: Organisation, asked: Scope) -> int:
    """From the author days; the cells must hold the same."""
    with database.read() as connection:
        each_once = cube.reach(connection, asked, last("24h"), organisation).value
        assert cube.reach(connection, asked, last("7d"), organisation).value == each_once
        return each_once


def forget(database: Database, organisation: Organisation, external_id: str) -> None:
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=[Gone("x", external_id)])


def exported(database: Database, within: Scope = ALL) -> list[Corrected]:
    with database.read() as connection:
        return list(corrections.export(connection, within))


# -- sentiment ---------------------------------------------------------------------------------------------


def test_a_corrected_sentiment_is_counted_at_once_and_says_who_set_it(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1), mention("2", sentiment=-1)], organisation)
    raised = number(database, "select n from change where topic = 'mentions' and brand_id = :b", b=CORVANE)

    change(database, organisation, "1", "sentiment", 1)

    counted = tally(database, organisation, ALL)
    assert (counted.mentions, counted.positive, counted.negative) == (2, 1, 1)
    assert (one(database)["sentiment"], one(database)["sentiment_by"]) == (1, "person")
    assert number(database, "select n from change where topic = 'mentions' and brand_id = :b", b=CORVANE) == raised + 1
    assert rows(database, "select action, person_id, actor from audit where action like 'mention%'") == [
        {"action": "mention.corrected", "person_id": 7, "actor": "Ana"}
    ]
    kept = rows(database, "select brand_id, external_id, field, before, after, person_id, actor from correction")
    assert [tuple(row.values()) for row in kept] == [(CORVANE, "1", "sentiment", -1, 1, 7, "Ana")]


def test_a_sentiment_that_nobody_could_score_may_be_given(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=None)], organisation)

    change(database, organisation, "1", "sentiment", 0)

    counted = tally(database, organisation, ALL)
    assert (counted.unscored, counted.neutral) == (0, 1)


def test_an_edit_and_a_repeat_do_not_overwrite_what_a_person_set(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1, text="corvane is sick")], organisation)
    change(database, organisation, "1", "sentiment", 1)
    change(database, organisation, "1", "location", BERLIN)

    edited = mention("1", sentiment=-1, text="corvane is so sick", edited_at=NOW, likes=9, location_id=NOWHERE)
    keep(database, [edited], organisation)
    keep(database, [edited], organisation)

    now = one(database)
    assert (now["text"], now["sentiment"], now["sentiment_by"]) == ("corvane is so sick", 1, "person")
    assert (now["location_id"], now["location_by"], now["likes"]) == (BERLIN, "person", 9)
    counted = tally(database, organisation, ALL)
    assert (counted.positive, counted.negative, counted.likes) == (1, 0, 9)


def test_a_person_who_agrees_with_the_model_is_heard_too_and_once(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1)], organisation)

    change(database, organisation, "1", "sentiment", -1)
    change(database, organisation, "1", "sentiment", -1)

    assert one(database)["sentiment_by"] == "person"
    assert number(database, "select count(*) from correction") == 1


# -- place -------------------------------------------------------------------------------------------------


def test_a_corrected_location_takes_team_and_reach_with_it(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", **NADIA)], organisation)

    change(database, organisation, "1", "location", AMSTERDAM_SITE)

    now = one(database)
    assert (now["location_id"], now["location_by"], now["team_id"]) == (AMSTERDAM_SITE, "person", DUTCH_CARE)
    there, nowhere = scope([CORVANE], locations=[AMSTERDAM_SITE]), scope([CORVANE], locations=[NOWHERE])
    assert tally(database, organisation, there).likes == 3
    assert tally(database, organisation, nowhere) == cube.NOTHING
    assert reach(database, organisation, there) == reach(database, organisation, scope(teams=[DUTCH_CARE])) == 40
    assert reach(database, organisation, nowhere) == reach(database, organisation, scope(teams=[NO_TEAM])) == 0


def test_the_reach_of_an_author_stays_with_the_mention_that_was_first(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", **NADIA), mention("2", **{**NADIA, "posted_at": NOW - MINUTE})], organisation)

    change(database, organisation, "2", "location", BERLIN)

    assert reach(database, organisation, scope([CORVANE], locations=[BERLIN])) == 0
    assert reach(database, organisation, scope([CORVANE], locations=[NOWHERE])) == 40
    assert tally(database, organisation, scope([CORVANE], teams=[EMEA_CARE])).mentions == 1


# -- brand -------------------------------------------------------------------------------------------------


def test_a_mention_leaves_one_brand_and_stands_in_the_other_with_all_it_has(database: Database) -> None:
    organisation = load(database)
    first = mention("1", text="halden zanzibar", location_id=AMSTERDAM_SITE, matched=("corvane",), **NADIA)
    keep(database, [first], organisation)
    keep(database, [replace(first, post=replace(first.post, text="halden zanzibar!", edited_at=NOW))], organisation)
    before = tally(database, organisation, ALL)

    change(database, organisation, "1", "brand", HALDEN)

    assert brands_of(database, "1") == [HALDEN]
    assert tally(database, organisation, scope([CORVANE])) == cube.NOTHING
    assert tally(database, organisation, scope([HALDEN])) == before
    assert reach(database, organisation, scope([CORVANE])) == 0
    assert reach(database, organisation, scope([HALDEN])) == 40
    now = one(database, brand_id=HALDEN)
    assert (now["team_id"], now["matched"]) == (organisation.team_for(HALDEN, AMSTERDAM_SITE), None)
    assert now["team_id"] in (DUTCH_CARE, BANK_DESK)
    versions = rows(database, "select brand_id, mention_id, text from mention_version")
    assert [tuple(row.values()) for row in versions] == [(HALDEN, now["id"], "halden zanzibar")]
    with database.read() as connection:
        found = newest(connection, scope([CORVANE, HALDEN], search="zanzibar"), last("24h"))
    assert [item.brand_id for item in found] == [HALDEN]
    changed = rows(database, "select brand_id from change where topic = 'mentions' order by brand_id")
    assert [row["brand_id"] for row in changed] == [CORVANE, HALDEN]


@pytest.mark.parametrize("to", few([HALDEN, UNMATCHED, RIVAL], 1))
def test_a_post_that_is_read_again_stays_where_a_person_put_it(database: Database, to: int) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1, **NADIA)], organisation)
    change(database, organisation, "1", "brand", to, within=scope([CORVANE, HALDEN], tracked=[CORVANE, HALDEN, RIVAL]))

    again = mention("1", sentiment=1, text="corvane, better", edited_at=NOW, **{**NADIA, "likes": 10})
    stored = keep(database, [again, replace(again, brand_id=VELTA)], organisation)

    assert (stored.new, stored.repeated) == (1, 1)
    assert brands_of(database, "1") == sorted([to, VELTA])
    now = one(database, brand_id=to)
    assert (now["likes"], now["text"], now["sentiment"]) == (10, "corvane, better", 1)
    assert tally(database, organisation, scope([CORVANE])) == cube.NOTHING
    assert tally(database, organisation, scope([to])).likes == 10


def test_where_the_other_brand_holds_the_post_it_only_leaves(database: Database) -> None:
    organisation = load(database)
    said = mention("1", **NADIA)
    keep(database, [said, replace(said, brand_id=HALDEN)], organisation)
    other = one(database, brand_id=HALDEN)

    change(database, organisation, "1", "brand", HALDEN)
    keep(database, [said, replace(said, brand_id=HALDEN)], organisation)

    assert brands_of(database, "1") == [HALDEN]
    assert one(database, brand_id=HALDEN) == other
    assert tally(database, organisation, ALL).mentions == 1
    assert reach(database, organisation, ALL) == 40


def test_a_mention_that_comes_back_is_read_there_again(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", **NADIA)], organisation)
    for step, (brand_id, to) in enumerate([(CORVANE, HALDEN), (HALDEN, VELTA), (VELTA, CORVANE)]):
        change(database, organisation, "1", "brand", to, brand_id=brand_id, now=NOW + step * MINUTE)

    said = mention("1", **{**NADIA, "likes": 8})
    keep(database, [said, replace(said, brand_id=HALDEN), replace(said, brand_id=VELTA)], organisation)

    assert brands_of(database, "1") == [CORVANE]
    counted = tally(database, organisation, ALL)
    assert (counted.mentions, counted.likes) == (1, 8)


def test_reach_stays_with_the_author_who_still_has_a_post_in_the_brand(database: Database) -> None:
    organisation = load(database)
    later = {**NADIA, "posted_at": COMING + 30 * MINUTE, "followers": 45, "location_id": BERLIN}
    keep(database, [mention("1", **NADIA)], organisation)
    keep(database, [mention("2", **later)], organisation, now=NOW + MINUTE)

    change(database, organisation, "1", "brand", HALDEN)
    assert reach(database, organisation, scope([CORVANE], locations=[BERLIN])) == 45
    assert reach(database, organisation, scope([HALDEN])) == 40
    span = rows(database, "select counted_at, first_at, last_at from author_day where brand_id = :b", b=CORVANE)
    assert len({*span[0].values()}) == 1
    assert tally(database, organisation, ALL).mentions == 2

    change(database, organisation, "2", "brand", HALDEN)
    assert reach(database, organisation, scope([CORVANE])) == 0
    assert reach(database, organisation, scope([HALDEN])) == 40
    assert tally(database, organisation, scope([HALDEN])).mentions == 2


def test_the_name_of_an_author_goes_when_the_last_post_that_stands_leaves(database: Database) -> None:
    """The other one was deleted: its count stays, its author's name must not."""
    organisation = load(database)
    keep(database, [mention("1", **NADIA), mention("2", **{**NADIA, "posted_at": NOW - MINUTE})], organisation)
    forget(database, organisation, "1")

    change(database, organisation, "2", "brand", HALDEN)

    assert reach(database, organisation, scope([CORVANE])) == reach(database, organisation, scope([HALDEN])) == 40
    named = rows(database, "select brand_id from author_day where author_key = 'nadia-4711'")
    assert [row["brand_id"] for row in named] == [HALDEN]
    assert tally(database, organisation, scope([CORVANE])).mentions == 1


def test_copies_are_counted_where_they_stand(database: Database) -> None:
    organisation = load(database)
    first = First("x", "ada", NOW - 9 * MINUTE)

    def copy(external_id: str, author: str, brand_id: int = CORVANE) -> Any:
        made = mention(external_id, author=author, brand_id=brand_id, posted_at=NOW - int(external_id) * MINUTE)
        return replace(made, copy_id=77, copy_of=None if external_id == "9" else first)

    keep(database, [copy("9", "ada"), copy("8", "bob"), copy("7", "bob"), copy("6", "cid", HALDEN)], organisation)

    change(database, organisation, "7", "brand", HALDEN)

    groups = rows(database, "select brand_id, size from copy_group order by brand_id")
    accounts = rows(database, "select brand_id, author_key from copy_account order by brand_id, author_key")
    assert [tuple(row.values()) for row in groups] == [(CORVANE, 2), (HALDEN, 2)]
    assert [tuple(row.values()) for row in accounts] == [
        (CORVANE, "ada"),
        (CORVANE, "bob"),
        (HALDEN, "bob"),
        (HALDEN, "cid"),
    ]

    change(database, organisation, "8", "brand", VELTA)
    assert [row["brand_id"] for row in rows(database, "select brand_id from copy_group")] == [HALDEN]


def test_a_deletion_finds_a_mention_that_was_moved(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", **NADIA)], organisation)
    change(database, organisation, "1", "brand", HALDEN)
    change(database, organisation, "1", "sentiment", 1, brand_id=HALDEN)

    forget(database, organisation, "1")

    for table in ("mention", "author_day", "correction", "audit"):
        assert "nadia" not in str(rows(database, f"select * from {table}"))
    assert tally(database, organisation, scope([HALDEN])).positive == 1
    assert exported(database) == []


# -- who may -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "within",
    few(
        [
            scope([HALDEN]),
            scope([CORVANE], locations=[BERLIN]),
            scope([CORVANE], teams=[DUTCH_CARE]),
            scope([CORVANE], networks=[4]),
            scope([HALDEN], tracked=[CORVANE, HALDEN]),
        ],
        1,
    ),
)
@pytest.mark.parametrize(("field", "value"), [("sentiment", 1), ("location", NOWHERE), ("brand", UNMATCHED)])
def test_what_is_foreign_is_as_missing_as_what_is_not_there(
    database: Database, within: Scope, field: str, value: int
) -> None:
    organisation = load(database)
    keep(database, [mention("1", **NADIA)], organisation)
    before = rows(database, "select * from mention")
    foreign = id_of(database, "1")

    for mention_id in (foreign, foreign + 1):
        with pytest.raises(NotFound, match=f"no mention {mention_id}$"), database.write() as connection:
            correct(
                connection,
                within,
                mention=(CORVANE, mention_id),
                field=field,
                value=value,
                organisation=organisation,
                by=7,
                actor="Ana",
                now=NOW,
            )

    assert rows(database, "select * from mention") == before
    assert number(database, "select count(*) from correction") == 0


@pytest.mark.parametrize(
    ("field", "value", "error"),
    few(
        [
            ("sentiment", 2, InputError),
            ("sentiment", True, InputError),
            ("location", 4711, NotFound),
            ("location", BERLIN, NotFound),
            ("brand", 4711, NotFound),
            ("brand", VELTA, NotFound),
            ("text", 1, InputError),
        ],
        2,
    ),
)
def test_a_value_that_is_none_or_out_of_scope_is_refused(
    database: Database, field: str, value: int, error: type[Exception]
) -> None:
    organisation = load(database)
    keep(database, [mention("1", location_id=AMSTERDAM_SITE)], organisation)

    with pytest.raises(error):
        change(database, organisation, "1", field, value, within=scope([CORVANE], locations=[AMSTERDAM_SITE]))

    assert number(database, "select count(*) from correction") == 0


def test_what_its_network_deleted_is_not_there_to_be_corrected(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1")], organisation)
    forget(database, organisation, "1")

    with pytest.raises(NotFound):
        change(database, organisation, "1", "sentiment", 1)


def test_a_correction_stands_only_if_its_transaction_does(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1, **NADIA)], organisation)
    before = tally(database, organisation, ALL)

    def fail_after_it() -> None:
        mention_id = id_of(database, "1")
        given: dict[str, Any] = {"organisation": organisation, "by": None, "actor": "Ana", "now": NOW}
        with database.write() as connection:
            correct(connection, ALL, mention=(CORVANE, mention_id), field="brand", value=HALDEN, **given)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_it()

    assert tally(database, organisation, ALL) == before
    assert brands_of(database, "1") == [CORVANE]
    assert number(database, "select count(*) from audit where action = 'mention.corrected'") == 0


# -- for training ------------------------------------------------------------------------------------------


def test_the_export_holds_the_text_that_the_person_had_read(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", sentiment=-1, text="corvane is sick"), mention("2", text="gone")], organisation)
    change(database, organisation, "1", "sentiment", 1)
    change(database, organisation, "2", "sentiment", 1)
    later = mention("1", sentiment=-1, text="corvane is not sick", edited_at=NOW)
    keep(database, [later], organisation)
    change(database, organisation, "1", "sentiment", -1, now=NOW + MINUTE)
    change(database, organisation, "1", "brand", HALDEN, now=NOW + 2 * MINUTE)
    forget(database, organisation, "2")

    found = [(row.field, row.text, row.language, row.before, row.after, row.at) for row in exported(database)]

    assert found == [
        ("sentiment", "corvane is sick", "en", -1, 1, NOW),
        ("sentiment", "corvane is not sick", "en", 1, -1, NOW + MINUTE),
        ("brand", "corvane is not sick", "en", CORVANE, HALDEN, NOW + 2 * MINUTE),
    ]
    assert exported(database, scope([CORVANE])) == exported(database, scope([HALDEN])) == []


def test_the_export_goes_on_after_its_first_page(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "EXPORT_PAGE", 2)
    organisation = load(database)
    keep(database, [mention(str(n), sentiment=-1) for n in range(5)], organisation)
    for n in range(5):
        change(database, organisation, str(n), "sentiment", 1, now=NOW + n * MINUTE)

    assert [row.external_id for row in exported(database)] == ["0", "1", "2", "3", "4"]
