"""models/queue_statements.py: built once for each scope, and asked anew by everybody at every instant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models import case_reading, claims, queue_statements
from models.access import Access
from models.case_reading import Filters
from models.database import Database
from models.organisation import Organisation
from tests.builders import DUTCH_CARE, HALDEN, NETHERLANDS, NOW, VELTA
from tests.case_desk import HOUR, MINUTE, act, all_cases, arrive, hire, open_desk, said, take


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


def _reach(desk: Organisation, who: Access, **filters: Any) -> queue_statements.Reach:
    return queue_statements.reach(desk, who, Filters(**filters))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_people_who_see_the_same_share_statements_and_others_do_not(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    dirk = hire(database, "Dirk", location_ids=[NETHERLANDS], team_ids=[DUTCH_CARE])
    rows = queue_statements.rows
    assert rows(_reach(desk, ana), Filters(), 50) is rows(_reach(desk, bo), Filters(), 50)
    assert rows(_reach(desk, ana), Filters(), 50) is not rows(_reach(desk, dirk), Filters(), 50)
    assert rows(_reach(desk, ana), Filters(), 50) is not rows(_reach(desk, ana), Filters(show="all"), 50)


def test_one_statement_gives_each_their_own_at_each_instant(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("1", author="ada"), said("2", author="eve"))
    keys = {case.author_key: case.key for case in all_cases(database)}
    take(database, desk, ana, keys["ada"])

    def offered(who: Access, minutes: int) -> set[str]:
        with database.read() as connection:
            now = NOW + timedelta(minutes=minutes)
            found = case_reading.candidates(connection, desk, who, Filters(), now=now, limit=9)
        return {name for name, key in keys.items() if key in found}

    def mine(who: Access) -> set[str]:
        with database.read() as connection:
            found = case_reading.queue(connection, desk, who, Filters(whose="mine", show="all"), now=NOW)
        return {row.case.author_key for row in found.rows}

    assert offered(bo, 0) == {"eve"}
    assert offered(bo, 60) == {"ada", "eve"}
    assert (mine(ana), mine(bo)) == ({"ada"}, set())


def test_what_was_given_to_somebody_is_offered_to_them_first_and_once(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(
        database,
        desk,
        said("1", author="late", posted_at=NOW - 3 * HOUR),
        said("2", author="given", posted_at=NOW - 2 * HOUR),
        said("3", author="calm", posted_at=NOW - MINUTE),
        said("4", author="hers", posted_at=NOW - MINUTE),
    )
    keys = {case.author_key: case.key for case in all_cases(database)}
    act(database, desk, bo, keys["given"], "assigned", assigned_to=ana.person_id)
    act(database, desk, ana, keys["hers"], "assigned", assigned_to=bo.person_id)
    with database.read() as connection:
        found = case_reading.candidates(connection, desk, ana, Filters(), now=NOW, limit=9)
    assert found == (keys["given"], keys["late"], keys["calm"])
    with database.write() as connection:
        won = claims.claim_next(connection, desk, ana, now=NOW)
    assert won is not None
    assert won.key == keys["given"]


def test_of_many_walks_the_order_is_that_of_one(
    database: Database, desk: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = hire(database, "Ana")
    arrive(
        database,
        desk,
        said("1", author="a", posted_at=NOW - 2 * HOUR),
        said("2", author="b", posted_at=NOW - 50 * MINUTE),
        said("3", author="c", posted_at=NOW - 3 * HOUR, brand_id=HALDEN, text="@halden card declined?"),
        said("4", author="d", posted_at=NOW - 9 * MINUTE, brand_id=VELTA, text="@velta where is it?"),
    )

    def asked() -> tuple[tuple[str, ...], case_reading.Counts]:
        queue_statements.rows.cache_clear()
        queue_statements.counts.cache_clear()
        with database.read() as connection:
            found = case_reading.queue(connection, desk, ana, Filters(show="all"), now=NOW, limit=3)
        return tuple(row.case.author_key for row in found.rows), found.counts

    whole = asked()
    assert whole[0] == ("c", "a", "b")
    monkeypatch.setattr(queue_statements, "MOST_WALKS", 1)
    assert asked() == whole
    queue_statements.rows.cache_clear()
    queue_statements.counts.cache_clear()
