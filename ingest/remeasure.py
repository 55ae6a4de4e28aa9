"""The one writer of `measure_due`: whose engagement is measured again, and when.

Engagement grows fast and then hardly: a post is measured minutes, hours and days after it was posted, and then no more.
A post stands here once however many brands it names, so that each measurement is paid once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from ingest.pipeline import Enriched, Ours
from models.bulk import merge_rows
from models.tables.base import from_microseconds, to_microseconds

# Ages of a post at which it is measured; each step costs one read.
AGES = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)

Key = tuple[int, str]


def next_due(posted_at: datetime, now: datetime) -> datetime | None:
    """When a post is measured next; None once it is older than the last step."""
    return next((due for age in AGES if (due := posted_at + age) > now), None)


def enlist(
    connection: Connection,
    *,
    source_id: int,
    whose: str,
    mentions: Iterable[Enriched],
    ours: Iterable[Ours],
    now: datetime,
) -> None:
    """Have posts measured again by the source that brought them; `whose` is none, ours or all."""
    posts: dict[Key, datetime] = {}
    if whose != "none":
        posts |= {(item.network_id, item.post.external_id): item.post.posted_at for item in ours}
    if whose == "all":
        posts |= {(item.network_id, item.post.external_id): item.post.posted_at for item in mentions}
    rows = [
        (*key, source_id, to_microseconds(posted_at), to_microseconds(due))
        for key, posted_at in posts.items()
        if (due := next_due(posted_at, now)) is not None
    ]
    # Who is on the list already keeps its turn.
    values = ("source_id", "posted_at", "due_at")
    merge = "posted_at = excluded.posted_at"
    merge_rows(connection, "measure_due", ("network_id", "external_id"), values, merge, rows)


def due(connection: Connection, source_id: int, now: datetime, limit: int) -> dict[str, datetime]:
    """External id -> posted_at of what this source has to measure now, the longest waiting first."""
    rows = connection.execute(
        text(
            "select external_id, posted_at from measure_due where source_id = :source and due_at <= :now"
            " order by due_at limit :limit"
        ),
        {"source": source_id, "now": to_microseconds(now), "limit": limit},
    )
    return {row[0]: from_microseconds(row[1]) for row in rows}


def measured(connection: Connection, source_id: int, posts: Mapping[str, datetime], now: datetime) -> None:
    """Set the next turn of posts that were measured; after the last step they leave the list."""
    later = {key: at for key, posted_at in posts.items() if (at := next_due(posted_at, now)) is not None}
    if later:
        connection.execute(
            text("update measure_due set due_at = :due where source_id = :source and external_id = :post"),
            [{"due": to_microseconds(at), "source": source_id, "post": key} for key, at in later.items()],
        )
    done = [{"source": source_id, "post": key} for key in posts if key not in later]
    if done:
        connection.execute(text("delete from measure_due where source_id = :source and external_id = :post"), done)


def to_compare(
    connection: Connection, source_id: int, brand_ids: Sequence[int], after: tuple[int, int], since: int, limit: int
) -> list[tuple[int, int, int, str]]:
    """(brand, id, network, external id) of stored posts of a source behind a place in its walk: brand by brand, by id.

    A post that an earlier brand holds too is asked for once.
    """
    found: list[tuple[int, int, int, str]] = []
    for brand_id in brand_ids:
        if brand_id < after[0] or len(found) >= limit:
            continue
        rows = connection.execute(
            text(
                "select m.brand_id, m.id, m.network_id, m.external_id from mention m where m.brand_id = :brand"
                " and m.id > :after and m.source_id = :source and m.deleted_at is null and not exists"
                " (select 1 from mention o where o.brand_id < :brand and o.brand_id in (select b.id from brand b)"
                " and o.network_id = m.network_id and o.external_id = m.external_id)"
                " order by m.id limit :limit"
            ),
            {
                "brand": brand_id,
                "after": max(since, after[1] if brand_id == after[0] else 0),
                "source": source_id,
                "limit": limit - len(found),
            },
        )
        found += [(row[0], row[1], row[2], row[3]) for row in rows]
    return found
