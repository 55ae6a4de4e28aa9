"""What nobody knows whether it was sent: answers given by hand, and calls without an answer.

They are found by what is read back from the network; else a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from models import cases, claims, replies
from models.access import SEND, Access
from models.case_steps import CaseKey
from models.errors import InputError
from models.organisation import Organisation
from models.outbox import MOST_DUE, delivered, held_back, unfit
from models.reply_rows import Reply, ReplyKey
from models.reply_steps import FAILED, SENDING, SENT, UNKNOWN, after
from models.tables import account
from models.tables import reply as rows_of_replies
from models.text_length import without_links
from models.wording import plain

# For so long unknown replies are looked for by the clock.
LOOKED_FOR = timedelta(hours=24)
LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A reply that may have been sent, to be looked for on the network."""

    reply: ReplyKey
    account_id: int
    network_id: int
    handle: str
    reply_to: str
    text: str
    sending_at: datetime
    is_native: bool


def to_look_for(connection: Connection, now: datetime, limit: int = MOST_DUE) -> tuple[Doubtful, ...]:
    """Replies of the last day of which nobody knows whether they are out, the newest first."""
    found = connection.execute(
        select(rows_of_replies, account.c.handle)
        .join(account, account.c.id == rows_of_replies.c.account_id)
        .where(rows_of_replies.c.state == UNKNOWN, rows_of_replies.c.sending_at > now - LOOKED_FOR)
        .order_by(rows_of_replies.c.sending_at.desc())
        .limit(limit)
    )
    return tuple(
        Doubtful(
            reply=ReplyKey(row.brand_id, row.id),
            account_id=row.account_id,
            network_id=row.network_id,
            handle=row.handle,
            reply_to=row.in_reply_to,
            text=row.text,
            sending_at=row.sending_at,
            is_native=row.is_native,
        )
        for row in found
    )


def answer_natively(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    claim_token: str | None,
    event_seen: int,
    now: datetime,
) -> Reply:
    """A person posts an approved reply by hand, by its link; when it is read back from the network it is sent."""
    row, case = replies.loaded(connection, organisation, who, key, SEND)
    after("answer_natively", row.state)
    if not row.is_native:
        raise InputError("this reply goes out by itself; take it back if it should not")
    claims.require_claim(connection, who, case.key, claim_token or "", now=now)
    newer = cases.newer(connection, case.key, event_seen, person_id=who.person_id)
    if newer:
        raise cases.Stale(newer)
    why = unfit(connection, organisation, row, now)
    held = held_back(connection, organisation, row, now)
    if why is not None or held is not None:
        raise InputError(why or (held.reason if held is not None else ""))
    replies.advance(connection, row, "answer_natively", now=now, who=who, values={"sending_at": now})
    return replies.again(connection, key)


def mark_sent(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    url: str | None,
    reason: str | None,
    now: datetime,
) -> Reply:
    """A person saw an unknown reply on the network."""
    row, _ = replies.loaded(connection, organisation, who, key, SEND)
    address = _address(url)
    given = replies.needed(reason or address, "tells where you saw it")
    values = {"url": address or row.url, "sent_at": row.sending_at or now, "error": None}
    replies.advance(connection, row, "mark_sent", now=now, who=who, values=values, details={"reason": given})
    cases.answered(
        connection,
        CaseKey(row.brand_id, row.case_id),
        post=f"reply {key}",
        posted_at=row.sending_at or now,
        now=now,
        actor=who.name,
        person_id=who.person_id,
        reply_id=row.id,
        account_id=row.account_id,
    )
    return replies.again(connection, key)


def mark_not_sent(
    connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, *, reason: str, now: datetime
) -> Reply:
    """A person looked, and an unknown reply is not on the network: whoever wants to answer writes a new one."""
    row, _ = replies.loaded(connection, organisation, who, key, SEND)
    given = replies.needed(reason, "tells how you know")
    replies.advance(
        connection, row, "mark_not_sent", now=now, who=who, values={"error": given}, details={"reason": given}
    )
    return replies.again(connection, key)


# -- read back from the network ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post of ours as it was seen on its network."""

    brand_id: int
    account_id: int
    network_id: int
    external_id: str
    reply_to: str | None
    text: str
    posted_at: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The reply of the product that a post of ours is, and who wrote it."""

    reply_id: int
    case_id: int
    person_id: int
    author: str


def read_back(connection: Connection, posts: Sequence[SeenPost], *, now: datetime) -> dict[tuple[int, str], ReadBack]:
    """(brand, external id) -> the reply, for posts that are replies of the product; two statements a brand.

    Those in doubt are sent from now on.
    """
    found: dict[tuple[int, str], ReadBack] = {}
    for brand_id in sorted({post.brand_id for post in posts}):
        mine = [post for post in posts if post.brand_id == brand_id]
        table = rows_of_replies.c
        known = connection.execute(
            select(rows_of_replies).where(
                table.brand_id == brand_id, table.external_id.in_([post.external_id for post in mine])
            )
        ).all()
        by_post = {(row.network_id, row.external_id): row for row in known}
        targets = sorted({post.reply_to for post in mine if post.reply_to is not None})
        open_rows = connection.execute(
            select(rows_of_replies).where(
                table.brand_id == brand_id, table.in_reply_to.in_(targets), table.external_id.is_(None)
            )
        ).all()
        for post in mine:
            row = by_post.get((post.network_id, post.external_id))
            if row is None:
                row = next((item for item in open_rows if _is_it(item, post)), None)
                if row is None:
                    continue
                open_rows = [item for item in open_rows if item.id != row.id]
                key = ReplyKey(row.brand_id, row.id)
                delivered(connection, key, external_id=post.external_id, url=post.url, now=now, found=True)
            found[(brand_id, post.external_id)] = ReadBack(row.id, row.case_id, row.author_id, row.author)
    return found


def is_same(ours: str, theirs: str) -> bool:
    """Whether a text read back is the one that was sent: networks shorten links and put handles in front."""
    return _bare(ours) == _bare(theirs)


def _bare(said: str) -> str:
    return re.sub(r"^(?:@[\w.@-]+\s*)+", "", plain(without_links(said))).strip()


def _is_it(row: Row[Any], post: SeenPost) -> bool:
    may_be = row.state in (SENDING, UNKNOWN, SENT) or (row.state == FAILED and row.sending_at is not None)
    return (
        may_be
        and row.network_id == post.network_id
        and row.account_id == post.account_id
        and row.in_reply_to == post.reply_to
        and is_same(row.text, post.text)
    )


def _address(url: str | None) -> str | None:
    given = (url or "").strip()
    if not given:
        return None
    if not re.match(r"https?://[^\s<>\"]+$", given) or len(given) > LONGEST_URL:
        raise InputError("that is no address of a post; copy it from the network, with https:// in front")
    return given
