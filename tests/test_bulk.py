"""Many rows and many keys in one statement, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from models.bulk import MOST_LISTS, asked, insert_rows, merge_rows
from models.database import Database

pytestmark = pytest.mark.both

AWKWARD = [
    "",
    " ",
    "a",
    'quoted "so"',
    "back\\slash",
    "{braces}, commas",
    "12",
    "null",
    "é 東京",
    "line\nline\ttab\rend",
    "\\N",
    "\\.",
    "\\",
]


@pytest.mark.parametrize("beginnings", [1, 3, MOST_LISTS, MOST_LISTS + 1])
def test_every_key_asked_for_comes_back_as_it_was_given(beginnings: int, database: Database) -> None:
    keys = {(n % beginnings, 2, value) for n in range(beginnings) for value in AWKWARD}
    with database.read() as connection:
        relation, params = asked(connection, keys)
        for _ in range(2):
            found = connection.exec_driver_sql(f"select a.a0, a.a1, a.a2 from {relation}", params).all()
            assert len(found) == len(keys)
            assert {tuple(row) for row in found} == keys


def test_keys_of_numbers_alone_or_of_texts_alone_come_back_too(database: Database) -> None:
    for keys in ({(1,), (2**62,)}, {(1, 5), (1, -7), (2, 5)}, {(value,) for value in AWKWARD}, {("a", 1), ("b", 1)}):
        with database.read() as connection:
            relation, params = asked(connection, keys)
            found = connection.exec_driver_sql(f"select * from {relation}", params).all()
        assert {tuple(row) for row in found} == keys


def test_a_key_finds_the_row_that_it_names_and_no_other(database: Database) -> None:
    rows = [(2, value, "p", "r", n, "k") for n, value in enumerate(AWKWARD)]
    names = ("network_id", "external_id", "parent", "root", "posted_at", "author_key")
    with database.write() as connection:
        insert_rows(connection, "thread_post", names, rows)
        relation, params = asked(connection, {(2, value) for value in AWKWARD} | {(3, "a"), (2, "b")})
        found = connection.exec_driver_sql(
            f"select t.external_id, t.posted_at from {relation} cross join thread_post t"
            " where t.network_id = a.a0 and t.external_id = a.a1",
            params,
        ).all()
    assert sorted(tuple(row) for row in found) == sorted((value, n) for n, value in enumerate(AWKWARD))


def test_what_no_row_says_is_stored_as_unsaid_and_zero_as_zero(database: Database) -> None:
    names = ("network_id", "external_id", "likes", "replies", "reposts", "measured_at")
    with database.write() as connection:
        insert_rows(connection, "post", names, [(2, "a", None, None, 0, 1), (2, "b", None, 4, 0, 1)])
    with database.read() as connection:
        found = connection.execute(text("select external_id, likes, replies, reposts from post order by external_id"))
        assert [tuple(row) for row in found] == [("a", None, None, 0), ("b", None, 4, 0)]


def test_rows_of_texts_numbers_and_nothing_merge_into_those_that_stand(database: Database) -> None:
    names = ("likes", "measured_at")
    merge = "likes = coalesce(excluded.likes, post.likes), measured_at = excluded.measured_at"
    keys = ("network_id", "external_id")
    with database.write() as connection:
        merge_rows(connection, "post", keys, names, merge, [(2, value, 7, 1) for value in AWKWARD])
        merge_rows(connection, "post", keys, names, merge, [(2, "a", None, 2), (2, "new", None, 2), (2, "", 9, 2)])
    with database.read() as connection:
        found = connection.execute(text("select external_id, likes, measured_at from post")).all()
    expected = dict.fromkeys(AWKWARD, (7, 1)) | {"a": (7, 2), "new": (None, 2), "": (9, 2)}
    assert {row[0]: (row[1], row[2]) for row in found} == expected
