"""Which reply answers a post: two brands that one post names never both answer it by accident."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, text, update

from models.organisation import Organisation
from models.reply_steps import NeedsReason
from models.tables import answer_lock
from models.tables import reply as replies
from models.tables.base import to_microseconds


def take(
    connection: Connection, organisation: Organisation, row: Row[Any], post: str, *, reason: str | None, now: datetime
) -> None:
    """Make a post this reply's to answer. NeedsReason where another reply has it and no reason is given."""
    wanted = (answer_lock.c.network_id == row.network_id, answer_lock.c.external_id == post)
    held = connection.execute(select(answer_lock).where(*wanted).with_for_update()).first()
    if held is None:
        if keep(connection, row, post, now=now):
            return
        held = connection.execute(select(answer_lock).where(*wanted)).one()
    if (held.brand_id, held.reply_id) == (row.brand_id, row.id):
        return
    if reason is None:
        by = connection.execute(
            select(replies.c.author).where(replies.c.brand_id == held.brand_id, replies.c.id == held.reply_id)
        ).scalar()
        raise NeedsReason(organisation.brand_names.get(held.brand_id, "another brand"), by or "a colleague", held.at)
    connection.execute(
        update(answer_lock).where(*wanted).values(brand_id=row.brand_id, reply_id=row.id, at=now, reason=reason)
    )


def keep(connection: Connection, row: Row[Any], post: str, *, now: datetime) -> bool:
    """Make a post this reply's if nobody has it; whether it is so now. Of two at once the database lets one in."""
    inserted = connection.execute(
        text(
            "insert into answer_lock (network_id, external_id, brand_id, reply_id, at) values"
            " (:network, :post, :brand, :reply, :at) on conflict do nothing"
        ),
        {
            "network": row.network_id,
            "post": post,
            "brand": row.brand_id,
            "reply": row.id,
            "at": to_microseconds(now),
        },
    )
    return inserted.rowcount == 1


def give_up(connection: Connection, row: Row[Any]) -> None:
    """Free the post of a reply that will not be sent; one that was answered before stays locked."""
    connection.execute(
        delete(answer_lock).where(
            answer_lock.c.network_id == row.network_id,
            answer_lock.c.external_id == row.in_reply_to,
            answer_lock.c.brand_id == row.brand_id,
            answer_lock.c.reply_id == row.id,
            answer_lock.c.reason.is_(None),
        )
    )
