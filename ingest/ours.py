"""Posts of ours: what accounts of ours published, and how their engagement grew."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from ingest.edits import COUNTS
from ingest.pipeline import Ours
from models.bulk import asked, insert_rows
from models.database import time_id
from models.tables.base import to_microseconds

_COLUMNS = (
    "brand_id", "id", "account_id", "network_id", "external_id", "posted_at", "kind", "text", "url", "reply_to",
    "media", "language", *COUNTS, "measured_at", "edited_at",
)  # fmt: skip
_ENGAGEMENT = ("brand_id", "network_id", "external_id", "measured_at", *COUNTS)

Key = tuple[int, int, str]


def store_ours(connection: Connection, posts: Sequence[Ours], *, now: datetime) -> set[int]:
    """Store what is new, and a row of `engagement` for each measurement that brought a change; returns the brands.

    The caller holds the lock of each brand.
    """
    if not posts:
        return set()
    newest = {(item.account.brand_id, item.network_id, item.post.external_id): item for item in posts}
    relation, params = asked(connection, set(newest))
    rows = connection.exec_driver_sql(
        "select o.brand_id, o.network_id, o.external_id, o.id, o.likes, o.replies, o.reposts, o.impressions,"  # noqa: S608
        f" o.edited_at, o.text from {relation} cross join our_post o"
        " where o.brand_id = a.a0 and o.network_id = a.a1 and o.external_id = a.a2",
        params,
    )
    held = {(row[0], row[1], row[2]): row for row in rows}
    measured_at = to_microseconds(now)
    fresh = {key: item for key, item in newest.items() if key not in held}
    _insert(connection, fresh, measured_at)
    series = [(*key, measured_at, *_counts(item)) for key, item in fresh.items() if any(_counts(item))]
    touched = {key[0] for key in fresh}
    for key, row in held.items():
        item = newest[key]
        counts = tuple(old if new is None else new for old, new in zip(row[4:8], _counts(item), strict=True))
        edited = None if item.post.edited_at is None else to_microseconds(item.post.edited_at)
        is_newer = edited is not None and edited > (row[8] or 0)
        if counts != tuple(row[4:8]):
            series.append((*key, measured_at, *counts))
        elif not is_newer:
            continue
        values = {
            **dict(zip(COUNTS, counts, strict=True)),
            "at": measured_at,
            "text": item.post.text if is_newer else row[9],
            "edited": edited if is_newer else row[8],
            "brand": key[0],
            "id": row[3],
        }
        connection.execute(
            text(
                "update our_post set likes = :likes, replies = :replies, reposts = :reposts,"
                " impressions = :impressions, measured_at = :at, text = :text, edited_at = :edited"
                " where brand_id = :brand and id = :id"
            ),
            values,
        )
        touched.add(key[0])
    insert_rows(connection, "engagement", _ENGAGEMENT, series)
    return touched


def _insert(connection: Connection, fresh: dict[Key, Ours], measured_at: int) -> None:
    rows: list[tuple[Any, ...]] = []
    taken: set[tuple[int, int]] = set()
    for (brand_id, network_id, external_id), item in fresh.items():
        post = item.post
        wish = time_id(post.posted_at, zlib.crc32(f"{network_id} {external_id}".encode()))
        while (brand_id, wish) in taken or _is_taken(connection, brand_id, wish):
            wish += 1
        taken.add((brand_id, wish))
        rows.append(
            (
                brand_id, wish, item.account.id, network_id, external_id, to_microseconds(post.posted_at), post.kind,
                post.text, post.url, post.reply_to, orjson.dumps(post.media).decode() if post.media else None,
                item.language, *_counts(item), measured_at,
                None if post.edited_at is None else to_microseconds(post.edited_at),
            )
        )  # fmt: skip
    insert_rows(connection, "our_post", _COLUMNS, rows)


def _is_taken(connection: Connection, brand_id: int, wish: int) -> bool:
    found = connection.execute(
        text("select 1 from our_post where brand_id = :brand and id = :id"), {"brand": brand_id, "id": wish}
    )
    return found.first() is not None


def _counts(item: Ours) -> tuple[int | None, ...]:
    counts = item.post.counts
    return (counts.likes, counts.replies, counts.reposts, counts.impressions)
