"""ingest/erase.py and ingest/edits.py: a deletion empties everything and keeps the count; an edit keeps what was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.found import Gone, SetAside
from ingest.ledger import put_aside
from ingest.store import store
from models import cube
from models.database import Database
from models.mentions import newest
from models.organisation import Organisation
from tests.builders import CORVANE, HALDEN, NOW, add_source, keep, last, load, mention, number, rows, scope

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)
SECRET = "corvane lost my parcel zanzibar"


def forget(database: Database, organisation: Organisation, *external_ids: str, reason: str = "deleted") -> None:
    gone = [Gone("x", key, reason) for key in external_ids]
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=organisation, now=NOW, gone=gone)


def everything(database: Database) -> str:
    """All that is stored, as one text."""
    names = [row["name"] for row in rows(database, TABLES[database.dialect])]
    return " ".join(str(rows(database, f'select * from "{name}"')) for name in names)


TABLES = {
    "sqlite": "select name from sqlite_master where type = 'table' and name not like 'mention_text_%'"
    " and name not like 'sqlite_%'",
    "postgresql": "select tablename as name from pg_tables where schemaname = current_schema()",
}


def search(database: Database, words: str) -> int:
    with database.read() as connection:
        return len(newest(connection, scope([CORVANE, HALDEN], search=words), last("7d")))


def sums(database: Database) -> list[Any]:
    return rows(database, "select * from cube order by brand_id, granularity, location_id, team_id, network_id, bucket")


def differences(database: Database, organisation: Organisation) -> list[Any]:
    with database.read() as connection:
        return cube.check(connection, organisation, NOW)


def filled(database: Database) -> Organisation:
    organisation = load(database)
    add_source(database)
    given = {"text": SECRET, "author": "nadia-4711", "name": "Nadia Zanzibar", "followers": 40, "likes": 3}
    keep(database, [mention("1", **given), mention("1", brand_id=HALDEN, **given)], organisation)
    keep(database, [mention("2", author="omar", followers=7, text="corvane is fine")], organisation)
    with database.write() as connection:
        aside = SetAside("line 1", "cut", SECRET.encode(), "x", "1")
        put_aside(connection, [aside], source_id=1, now=NOW)
    return organisation


@pytest.mark.parametrize("reason", ["deleted", "protected"])
def test_a_deletion_empties_text_author_and_index_everywhere_and_keeps_every_count(
    database: Database, reason: str
) -> None:
    organisation = filled(database)
    edited = mention("1", text=SECRET + " again", author="nadia-4711", edited_at=NOW, followers=40, likes=3)
    keep(database, [edited], organisation)
    before = sums(database)
    assert "zanzibar" in everything(database).lower()
    assert "nadia-4711" in everything(database)
    assert search(database, "zanzibar") == 2

    forget(database, organisation, "1", reason=reason)

    left = everything(database)
    assert "zanzibar" not in left.lower()
    assert "nadia" not in left
    assert search(database, "zanzibar") == search(database, "nadia") == 0
    assert sums(database) == before
    assert differences(database, organisation) == []
    assert number(database, "select count(*) from mention where deleted_at is not null") == 2
    assert number(database, "select count(*) from mention_version") == 0
    assert search(database, "fine") == 1


def test_a_withheld_post_stays(database: Database) -> None:
    organisation = filled(database)

    forget(database, organisation, "1", reason="withheld")

    assert search(database, "zanzibar") == 2


def test_a_deleted_post_that_is_read_again_stays_empty_and_is_counted_once(database: Database) -> None:
    organisation = filled(database)
    forget(database, organisation, "1")

    again = mention("1", text=SECRET, author="nadia-4711", likes=99, edited_at=NOW)
    stored = keep(database, [again], organisation)

    assert (stored.new, stored.repeated) == (0, 1)
    assert "zanzibar" not in everything(database).lower()
    assert number(database, "select coalesce(sum(likes), 0) from mention where brand_id = :b", b=CORVANE) == 3


def test_a_post_that_was_deleted_before_it_came_is_not_stored(database: Database) -> None:
    organisation = load(database)
    forget(database, organisation, "5")

    stored = keep(database, [mention("5", text=SECRET)], organisation)

    assert stored.new == 0
    assert number(database, "select count(*) from mention") == 0


def test_an_author_with_another_post_of_that_day_stays_in_it(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", author="ada", followers=5), mention("2", author="ada", followers=5)], organisation)

    forget(database, organisation, "1")
    assert rows(database, "select author_key, followers from author_day") == [{"author_key": "ada", "followers": 5}]

    forget(database, organisation, "2")
    assert number(database, "select sum(followers) from author_day") == 5
    assert "ada" not in everything(database)


# -- edits -------------------------------------------------------------------------------------------------


def edit(text: str, at: datetime, **given: Any) -> Any:
    return mention("7", text=text, edited_at=at, posted_at=NOW - 60 * MINUTE, **given)


def texts(database: Database) -> tuple[str, list[str]]:
    now = rows(database, "select text from mention where external_id = '7'")[0]["text"]
    return now, [row["text"] for row in rows(database, "select text from mention_version order by number")]


def test_an_edit_keeps_the_earlier_version_and_is_what_is_found(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("7", text="corvane is awful", posted_at=NOW - 60 * MINUTE, sentiment=-1)], organisation)

    keep(database, [edit("corvane is lovely", NOW - 5 * MINUTE, sentiment=1, likes=4)], organisation)

    assert texts(database) == ("corvane is lovely", ["corvane is awful"])
    assert (search(database, "awful"), search(database, "lovely")) == (0, 1)
    day = rows(
        database,
        "select mentions, positive, negative, likes from cube where granularity = 86400 and location_id = 0"
        " and team_id = 0 and network_id = 0",
    )
    assert day == [{"mentions": 1, "positive": 1, "negative": 0, "likes": 4}]
    assert differences(database, organisation) == []


def test_edits_that_come_in_the_wrong_order_end_in_the_newest_text(database: Database) -> None:
    organisation = load(database)
    keep(database, [edit("corvane third", NOW - MINUTE)], organisation)
    keep(database, [edit("corvane second", NOW - 2 * MINUTE)], organisation)
    keep(database, [mention("7", text="corvane first", posted_at=NOW - 60 * MINUTE)], organisation)
    keep(database, [edit("corvane second", NOW - 2 * MINUTE)], organisation)

    assert texts(database) == ("corvane third", ["corvane second", "corvane first"])


def test_another_text_without_a_word_of_an_edit_changes_nothing(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("7", text="corvane as it was")], organisation)

    keep(database, [mention("7", text="corvane from a slower source")], organisation)

    assert texts(database) == ("corvane as it was", [])
