"""Posts of ours by engagement, answers left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models.access import Window
from models.database import time_id
from models.tables import our_post

# Posts of a brand that are compared, the newest of the window.
MOST_POSTS = 2_000

_COLUMNS = (
    our_post.c.brand_id,
    our_post.c.id,
    our_post.c.account_id,
    our_post.c.network_id,
    our_post.c.posted_at,
    our_post.c.text,
    our_post.c.url,
    our_post.c.media,
    our_post.c.likes,
    our_post.c.replies,
    our_post.c.reposts,
    our_post.c.impressions,
)


@dataclass(frozen=True, slots=True)
class OurPost:
    """One post of ours. `engaged` = likes + replies + reposts as far as the network tells, None where it tells none."""

    brand_id: int
    id: int
    account_id: int
    network_id: int
    posted_at: datetime
    text: str
    url: str | None
    media: tuple[tuple[str, str], ...]
    engaged: int | None
    impressions: int | None

    @property
    def rate(self) -> float | None:
        """Engagement rate in 0..1 of measured impressions; None where none were measured.

        Followers, the other base, are those of authors of mentions: for accounts of ours nobody keeps them.
        """
        return self.engaged / self.impressions if self.engaged is not None and self.impressions else None


@dataclass(frozen=True, slots=True)
class Best:
    """The most engaged with first. `posts` were compared; `is_part` where there were more than MOST_POSTS."""

    best: tuple[OurPost, ...]
    posts: int
    is_part: bool


def our_posts(
    connection: Connection,
    brand_ids: Sequence[int],
    network_ids: Sequence[int] | None,
    window: Window,
    *,
    limit: int = 10,
) -> Best:
    """The `limit` posts of ours in a window that most people engaged with; the newer first where two are equal."""
    found: list[OurPost] = []
    is_part = False
    for brand_id in brand_ids:
        mine = _of_brand(connection, brand_id, network_ids, window)
        is_part |= len(mine) > MOST_POSTS
        found += mine[:MOST_POSTS]
    ordered = sorted(found, key=lambda post: (-(post.engaged or 0), -post.id))
    return Best(tuple(ordered[:limit]), len(found), is_part)


def last_published_at(connection: Connection, brand_ids: Sequence[int]) -> datetime | None:
    """When one of these brands last published something that is no answer; None where it never did."""
    times = [
        connection.execute(
            select(our_post.c.posted_at)
            .where(our_post.c.brand_id == brand_id, our_post.c.reply_to.is_(None), our_post.c.deleted_at.is_(None))
            .order_by(our_post.c.id.desc())
            .limit(1)
        ).scalar()
        for brand_id in brand_ids
    ]
    return max((at for at in times if at is not None), default=None)


def _of_brand(
    connection: Connection, brand_id: int, network_ids: Sequence[int] | None, window: Window
) -> list[OurPost]:
    # One walk down the key, newest first; a day of a brand holds tens.
    statement = (
        select(*_COLUMNS)
        .where(
            our_post.c.brand_id == brand_id,
            our_post.c.id >= time_id(window.start, 0),
            our_post.c.id < time_id(window.end, 0),
            our_post.c.reply_to.is_(None),
            our_post.c.deleted_at.is_(None),
        )
        .order_by(our_post.c.id.desc())
        .limit(MOST_POSTS + 1)
    )
    if network_ids is not None:
        statement = statement.where(our_post.c.network_id.in_(network_ids))
    return [_post(row) for row in connection.execute(statement)]


def _post(row: Any) -> OurPost:
    known = [value for value in (row.likes, row.replies, row.reposts) if value is not None]
    return OurPost(
        brand_id=row.brand_id,
        id=row.id,
        account_id=row.account_id,
        network_id=row.network_id,
        posted_at=row.posted_at,
        text=row.text,
        url=row.url,
        media=tuple((str(kind), str(alt)) for kind, alt in row.media or ()),
        engaged=sum(known) if known else None,
        impressions=row.impressions,
    )
