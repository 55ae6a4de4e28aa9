"""Deletions and protections: text, author, earlier versions, set-aside bytes and index emptied at once, the count kept.

What stays is that there was a post: its id, its instant, its brand, place and sentiment, so that every figure stays
what it was, and a page that is read again does not bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from ingest.found import Gone
from models import rule_desk
from models.bulk import asked, merge_rows
from models.database import time_id
from models.networks import network_by_key
from models.tables.base import from_microseconds, to_microseconds

# A withheld post is hidden in some countries only; it may be read elsewhere and stays.
ERASED = ("deleted", "protected")

Key = tuple[int, str]

_EMPTIED = (
    "text = '', words = null, author_key = '', author_handle = null, author_name = null, author_followers = null,"
    " url = null, reply_to = null, quote_of = null, repost_of = null, media = null, place = null, latitude = null,"
    " longitude = null, home = null, matched = null, posted_at_given = null"
)


def erased_keys(gone: Sequence[Gone]) -> set[Key]:
    """(network, external id) of the posts that have to be emptied."""
    return {(network_by_key(item.network).id, item.external_id) for item in gone if item.reason in ERASED}


def erase(connection: Connection, keys: set[Key], *, now: datetime) -> set[int]:
    """Empty the posts wherever they stand; returns the brands touched.

    The caller holds the locks of all brands, so that no writer stores one of them at the same time.
    """
    if not keys:
        return set()
    at = to_microseconds(now)
    merge_rows(
        connection,
        "post",
        ("network_id", "external_id"),
        ("measured_at", "deleted_at"),
        "deleted_at = coalesce(post.deleted_at, excluded.deleted_at)",
        [(*key, at, at) for key in keys],
    )
    relation, params = asked(connection, keys)
    held = _held(connection, relation, params)
    for row in held:
        _empty(connection, row, at)
    touched = {row.brand_id for row in held}
    rule_desk.forget(connection, {row.id for row in held})
    touched |= _empty_ours(connection, relation, params, at)
    matching = "where network_id = :network and external_id = :post"
    bound = [{"network": network_id, "post": external_id} for network_id, external_id in sorted(keys)]
    connection.execute(text(f"update thread_post set author_key = '' {matching}"), bound)  # noqa: S608
    connection.execute(
        text(f"update set_aside set raw = :nothing, reason = 'deleted by its network' {matching}"),  # noqa: S608
        [{**values, "nothing": b""} for values in bound],
    )
    connection.execute(text(f"delete from measure_due {matching}"), bound)  # noqa: S608
    return touched


def _held(connection: Connection, relation: str, params: Any) -> Sequence[Any]:
    return connection.exec_driver_sql(
        "select m.brand_id, m.id, m.network_id, m.external_id, m.author_key, m.text, m.author_handle, m.author_name,"  # noqa: S608
        " m.posted_at, m.copy_id"
        f" from {relation} cross join brand b cross join mention m"
        " where m.brand_id = b.id and m.network_id = a.a0 and m.external_id = a.a1 and m.deleted_at is null",
        params,
    ).all()


def _empty(connection: Connection, row: Any, at: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "insert into mention_text (mention_text, rowid, text, author_handle, author_name)"
            " values ('delete', ?, ?, ?, ?)",
            (row.id, row.text, row.author_handle, row.author_name),
        )
        connection.exec_driver_sql(
            "insert into mention_text (rowid, text, author_handle, author_name) values (?, '', null, null)", (row.id,)
        )
    key = {"brand": row.brand_id, "id": row.id}
    connection.execute(
        text(f"update mention set {_EMPTIED}, deleted_at = :at where brand_id = :brand and id = :id"),  # noqa: S608
        {**key, "at": at},
    )
    connection.execute(text("delete from mention_version where brand_id = :brand and mention_id = :id"), key)
    _forget_author(connection, row)


def _forget_author(connection: Connection, row: Any) -> None:
    """The author leaves the days and the copies, unless another post that is still there names them."""
    author = {"brand": row.brand_id, "network": row.network_id, "author": row.author_key}
    day = connection.execute(
        text(
            "select day, first_at, last_at from author_day where brand_id = :brand and network_id = :network"
            " and author_key = :author and first_at <= :posted and last_at >= :posted"
        ),
        {**author, "posted": row.posted_at},
    ).first()
    if day is not None:
        # An id holds its instant in the high bits: the span of the author's day is a span of ids.
        others = connection.execute(
            text(
                "select 1 from mention where brand_id = :brand and posted_at between :first and :last"
                " and id between :low and :high and network_id = :network and author_key = :author limit 1"
            ),
            {**author, "first": day.first_at, "last": day.last_at, **_ids(day.first_at, day.last_at)},
        ).first()
        if others is None:
            connection.execute(
                text(
                    "update author_day set author_key = :nobody where brand_id = :brand and day = :day"
                    " and network_id = :network and author_key = :author"
                ),
                {**author, "day": day.day, "nobody": f"deleted:{row.id}"},
            )
    if row.copy_id is not None:
        connection.execute(
            text(
                "update copy_account set author_key = :nobody where brand_id = :brand and copy_id = :copy"
                " and network_id = :network and author_key = :author"
            ),
            {**author, "copy": row.copy_id, "nobody": f"deleted:{row.id}"},
        )


def _ids(first: int, last: int) -> dict[str, int]:
    return {"low": time_id(from_microseconds(first), 0), "high": time_id(from_microseconds(last), -1)}


def _empty_ours(connection: Connection, relation: str, params: Any, at: int) -> set[int]:
    rows = connection.exec_driver_sql(
        f"select o.brand_id, o.id from {relation} cross join brand b cross join our_post o"  # noqa: S608
        " where o.brand_id = b.id and o.network_id = a.a0 and o.external_id = a.a1 and o.deleted_at is null",
        params,
    ).all()
    if rows:
        connection.execute(
            text(
                "update our_post set text = '', url = null, media = null, deleted_at = :at"
                " where brand_id = :brand and id = :id"
            ),
            [{"brand": row.brand_id, "id": row.id, "at": at} for row in rows],
        )
    return {row.brand_id for row in rows}
