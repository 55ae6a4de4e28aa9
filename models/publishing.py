"""Reading what we published ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models.best_hours import Published
from models.database import time_id
from models.tables import our_post

_COLUMNS = (
    our_post.c.network_id,
    our_post.c.posted_at,
    our_post.c.likes,
    our_post.c.replies,
    our_post.c.reposts,
    our_post.c.impressions,
)
# Posts of a brand that are looked at, the newest.
MOST_POSTS = 2_000


@dataclass(frozen=True, slots=True)
class OfNetwork:
    """Posts of ours on one network. `per` = what their engagement is divided by: impressions, or the post itself."""

    posts: tuple[Published, ...]
    per: str


def published(
    connection: Connection,
    brand_ids: Sequence[int],
    network_ids: Sequence[int] | None,
    *,
    since: datetime,
    until: datetime,
) -> dict[int, OfNetwork]:
    """Posts of ours (no answers) by network id, the newest MOST_POSTS of each brand.

    Engagement is likes + replies + reposts, per impression where the network measures impressions, else per post:
    the followers of accounts of ours are not kept, so there is no other base.
    """
    rows: dict[int, list[Any]] = {}
    for brand_id in brand_ids:
        statement = (
            select(*_COLUMNS)
            .where(
                our_post.c.brand_id == brand_id,
                our_post.c.id >= time_id(since, 0),
                our_post.c.id < time_id(until, 0),
                our_post.c.reply_to.is_(None),
                our_post.c.deleted_at.is_(None),
            )
            .order_by(our_post.c.id.desc())
            .limit(MOST_POSTS)
        )
        if network_ids is not None:
            statement = statement.where(our_post.c.network_id.in_(network_ids))
        for row in connection.execute(statement):
            rows.setdefault(row.network_id, []).append(row)
    return {network_id: _of_network(found) for network_id, found in rows.items()}


def _of_network(rows: Sequence[Any]) -> OfNetwork:
    is_measured = any(row.impressions for row in rows)
    posts = []
    for row in rows:
        known = [value for value in (row.likes, row.replies, row.reposts) if value is not None]
        base = row.impressions if is_measured else 1
        posts.append(Published(row.posted_at, sum(known) / base if known and base else None))
    return OfNetwork(tuple(posts), "impression" if is_measured else "post")
