"""The conversation of a case: what the customer wrote, what we answered, what others said in the same thread.

Who may see a case sees the posts that belong to it, wherever each of them was written; of what other people said in its
thread only what they may read as mentions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models import conversations
from models.access import Access, Scope, allowed_locations
from models.case_steps import Case, CaseKey, Event
from models.cases import ANSWERS
from models.organisation import Organisation
from models.tables import mention, our_post, reply


@dataclass(frozen=True, slots=True)
class CasePost:
    """One post of the conversation. `depth` = answers above it; `account_id` of ours, None for everybody else's.

    `person_id` and `reply_id` say who of us published it through the product. `text` is None for what was deleted, and
    for what others wrote out of the reader's scope.
    """

    external_id: str
    posted_at: datetime | None
    text: str | None
    is_customer: bool
    mention_id: int | None = None
    depth: int = 0
    author: str | None = None
    handle: str | None = None
    account_id: int | None = None
    person_id: int | None = None
    reply_id: int | None = None
    language: str | None = None
    sentiment: int | None = None
    matched: tuple[str, ...] = ()
    url: str | None = None
    media: tuple[tuple[str, str], ...] = ()
    deleted: bool = False
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseReply:
    """A reply of ours, in whatever state."""

    id: int
    state: str
    author_id: int
    author: str
    text: str
    text_hash: str
    account_id: int | None
    drafted_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    approved_at: datetime | None
    send_at: datetime | None
    sent_at: datetime | None
    external_id: str | None
    url: str | None
    error: str | None
    is_native: bool


_REPLY = tuple(reply.columns[name] for name in CaseReply.__slots__)


def replies_of(connection: Connection, key: CaseKey) -> tuple[CaseReply, ...]:
    """All replies of a case, oldest first."""
    rows = connection.execute(
        select(*_REPLY).where(reply.c.brand_id == key.brand_id, reply.c.case_id == key.id).order_by(reply.c.id)
    )
    return tuple(CaseReply(**row._asdict()) for row in rows)


def posts_of(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    found: Case,
    events: Sequence[Event],
    replies: Sequence[CaseReply],
) -> tuple[CasePost, ...]:
    """The customer's posts, our answers, and what others said in the newest thread, by time."""
    theirs = _theirs(connection, found, events)
    scope = Scope((found.key.brand_id,), (found.key.brand_id,), location_ids=allowed_locations(who, organisation))
    thread = conversations.thread(connection, scope, found.network_id, found.last_post)
    answers = {event.details["post"]: event for event in events if event.kind in ANSWERS and "post" in event.details}
    asked = {*answers, *(said.external_id for said in thread.posts if said.external_id not in theirs)}
    posts = {**_ours(connection, found, asked, answers, replies), **theirs}
    for said in thread.posts:
        if said.external_id in posts:
            posts[said.external_id] = replace(posts[said.external_id], depth=said.depth)
        elif said.text is not None or said.deleted:
            posts[said.external_id] = CasePost(
                external_id=said.external_id,
                posted_at=said.posted_at,
                text=said.text,
                is_customer=False,
                depth=said.depth,
                author=said.author,
                account_id=said.account_id,
                deleted=said.deleted,
            )
    return tuple(sorted(posts.values(), key=lambda post: (post.posted_at or found.opened_at, post.external_id)))


def _theirs(connection: Connection, found: Case, events: Sequence[Event]) -> dict[str, CasePost]:
    ids = {event.mention_id for event in events if event.mention_id is not None}
    rows = connection.execute(
        select(mention).where(mention.c.brand_id == found.key.brand_id, mention.c.id.in_(sorted(ids)))
    )
    return {row.external_id: _of_customer(row) for row in rows}


def _of_customer(row: Any) -> CasePost:
    deleted = row.deleted_at is not None
    return CasePost(
        external_id=row.external_id,
        posted_at=row.posted_at,
        text=None if deleted else row.text,
        is_customer=True,
        mention_id=row.id,
        author=row.author_name or row.author_handle,
        handle=row.author_handle,
        language=row.language,
        sentiment=row.sentiment,
        matched=tuple(row.matched or ()),
        url=row.url,
        media=tuple((str(kind), str(alt)) for kind, alt in row.media or ()),
        deleted=deleted,
        edited_at=row.edited_at,
    )


def _ours(
    connection: Connection,
    found: Case,
    external_ids: Iterable[str],
    answers: Mapping[str, Event],
    replies: Sequence[CaseReply],
) -> dict[str, CasePost]:
    """What we said in it: as we sent it, and as the network shows it once that was read back."""
    sent = {item.external_id: item for item in replies if item.external_id is not None and item.sent_at is not None}
    posts = {
        external_id: CasePost(
            external_id=external_id,
            posted_at=item.sent_at,
            text=item.text,
            is_customer=False,
            account_id=item.account_id,
            person_id=item.author_id,
            reply_id=item.id,
            url=item.url,
        )
        for external_id, item in sent.items()
    }
    rows = connection.execute(
        select(our_post).where(
            our_post.c.brand_id == found.key.brand_id,
            our_post.c.network_id == found.network_id,
            our_post.c.external_id.in_(sorted({*external_ids, *sent})),
        )
    )
    for row in rows:
        known, event = posts.get(row.external_id), answers.get(row.external_id)
        deleted = row.deleted_at is not None
        posts[row.external_id] = CasePost(
            external_id=row.external_id,
            posted_at=row.posted_at,
            text=None if deleted else row.text,
            is_customer=False,
            account_id=row.account_id,
            person_id=known.person_id if known else row.person_id or (event.person_id if event else None),
            reply_id=known.reply_id if known else None,
            url=row.url,
            deleted=deleted,
            edited_at=row.edited_at,
        )
    return posts
