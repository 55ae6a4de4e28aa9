"""ingest/recent.py: what other workers stored, for the window of copies."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from ingest import recent
from ingest.enrich.copies import Copies, First, own_id
from ingest.recent import catch_up
from models.database import Database, time_id
from models.tables import mention
from tests.builders import CORVANE, HALDEN, NOW, load
from tests.copies_made_up import posts

SAID = "The seat map on flight 719 shows nothing but grey squares again"


def stored(
    database: Database,
    external_id: str,
    text: str = SAID,
    *,
    brand_id: int = CORVANE,
    at: datetime = NOW,
    copy_id: int | None = 7,
    deleted_at: datetime | None = None,
) -> None:
    """A mention as another worker stores it."""
    low = own_id("x", external_id)
    with database.write() as connection:
        connection.execute(
            insert(mention).values(
                brand_id=brand_id,
                id=time_id(at, low + brand_id),
                network_id=2,
                external_id=external_id,
                posted_at=at,
                received_at=NOW,
                source_id=1,
                kind="post",
                author_key="ada",
                text=text,
                location_id=1,
                team_id=1,
                copy_id=copy_id,
                deleted_at=deleted_at,
            )
        )


def test_a_worker_knows_what_others_stored(database: Database) -> None:
    current = load(database)
    stored(database, "theirs", copy_id=own_id("x", "theirs"))
    copies = Copies()

    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 1

    assert (
        copies.groups(posts([f"RT @a: {SAID}", SAID.replace("grey", "blue")], "p", NOW)) == [own_id("x", "theirs")] * 2
    )
    assert copies.first(posts([SAID], "p")[0], own_id("x", "theirs")) == First("x", "ada", NOW)


def test_what_is_known_or_gone_or_has_no_group_or_is_too_old_is_passed_over(database: Database) -> None:
    current = load(database)
    copies = Copies()
    [own] = copies.groups(posts([SAID], "p", NOW))
    stored(database, "p-0", copy_id=own + 1)
    stored(database, "deleted", "", copy_id=8, deleted_at=NOW)
    stored(database, "before groups", "Another text that is long enough to be compared", copy_id=None)
    stored(database, "old", "One more text that is long enough to be compared", at=NOW - timedelta(hours=73))

    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 0

    assert copies.groups(posts([SAID], "q", NOW)) == [own]


def test_a_post_that_names_two_brands_is_taken_in_once(database: Database) -> None:
    current = load(database)
    stored(database, "both", brand_id=CORVANE)
    stored(database, "both", brand_id=HALDEN)
    copies = Copies()

    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 1
    assert len(copies) == 1


def test_the_next_time_only_the_last_minutes_are_read_again(database: Database) -> None:
    """A post that was published a little before the newest may be stored after it; one from hours before is missed."""
    current = load(database)
    copies = Copies()
    stored(database, "newest", "The newest of all the texts that were read before")

    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 1
    stored(
        database, "late", "A text that was stored a little late by somebody", at=NOW - timedelta(minutes=14), copy_id=8
    )
    stored(
        database, "hours", "A text that was stored many hours late by somebody", at=NOW - timedelta(hours=5), copy_id=9
    )
    stored(database, "other brand", "What another brand has is read from its own mark", brand_id=HALDEN, copy_id=10)
    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 2

    assert copies.knows("x", "late")
    assert copies.knows("x", "other brand")
    assert not copies.knows("x", "hours")


def test_a_post_from_tomorrow_does_not_stop_the_reading(database: Database) -> None:
    """Instants up to a day ahead are stored as they are."""
    current = load(database)
    copies = Copies()
    stored(database, "tomorrow", at=NOW + timedelta(hours=23))

    with database.read() as connection:
        catch_up(connection, copies, current, NOW)
    stored(database, "today", "A text of today that is long enough for this", at=NOW + timedelta(minutes=5))
    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW + timedelta(minutes=6)) == 1


def test_the_newest_are_taken_where_there_are_too_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    current = load(database)
    monkeypatch.setattr(recent, "MOST_ROWS", 3 * len(current.brands))
    for minute in range(6):
        stored(
            database, f"p{minute}", f"number {minute} of six", at=NOW - timedelta(minutes=minute), copy_id=minute + 1
        )
    copies = Copies()

    with database.read() as connection:
        assert catch_up(connection, copies, current, NOW) == 3

    assert [copies.knows("x", f"p{minute}") for minute in range(6)] == [True] * 3 + [False] * 3
