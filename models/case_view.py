"""One case as the person who answers it sees it: conversation, events, notes, replies, who wrote, similar answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from models.access import Access
from models.case_posts import CasePost, CaseReply, posts_of, replies_of
from models.case_reading import names_of
from models.case_scope import may_see
from models.case_steps import RESOLVED, Case, CaseKey, Event, case_of
from models.case_writing import NOBODY, event_of
from models.cases import visible_row
from models.organisation import Organisation
from models.similar_answers import SimilarAnswer, similar_answers
from models.tables import case_event, desk_case, mention

MOST_EVENTS = 500
MOST_PAST_CASES = 20
MOST_SAID = 200
MOST_SENTIMENTS = 12


@dataclass(frozen=True, slots=True)
class PastCase:
    """An earlier or later case of the same person with the brand."""

    key: CaseKey
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorHistory:
    """What we know of who wrote: the newest of their other cases, how many were solved, how they spoke to us.

    `posts` are those that belong to their cases; `sentiments` of the newest twelve, oldest first.
    """

    cases: tuple[PastCase, ...] = ()
    solved: int = 0
    posts: int = 0
    sentiments: tuple[tuple[datetime, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything beside a case. `token` and `is_mine` are the reader's own: they never go through a shared panel.

    `events` are the newest 500, `posts` the conversation, both oldest first; `answering` is the post to answer.
    """

    case: Case
    holder: int | None
    holder_name: str | None
    is_mine: bool
    token: str | None
    events: tuple[Event, ...]
    posts: tuple[CasePost, ...]
    notes: tuple[Event, ...]
    replies: tuple[CaseReply, ...]
    author: AuthorHistory
    similar: tuple[SimilarAnswer, ...]
    answering: str | None
    names: Mapping[int, str] = field(default_factory=dict)


def case(connection: Connection, organisation: Organisation, who: Access, key: CaseKey, *, now: datetime) -> CaseView:
    """The case as somebody sees it; NotFound."""
    row = visible_row(connection, organisation, who, key)
    found = case_of(row)
    events = events_of(connection, key)
    replies = replies_of(connection, key)
    posts = posts_of(connection, organisation, who, found, events, replies)
    holder = found.holder(now)
    newest = next((post for post in reversed(posts) if post.is_customer and post.text), None)
    return CaseView(
        case=found,
        holder=holder,
        holder_name=names_of(connection, [holder]).get(holder) if holder is not None else None,
        is_mine=holder == who.person_id,
        token=row["claim_token"] if holder == who.person_id else None,
        events=events,
        posts=posts,
        notes=tuple(event for event in events if event.kind in ("noted", "handed_over")),
        replies=replies,
        author=_history(connection, organisation, who, found),
        similar=() if newest is None else similar_answers(connection, found, newest.text or "", now=now),
        answering=found.last_post,
        names=names_of(connection, _people(found, events)),
    )


def events_of(connection: Connection, key: CaseKey) -> tuple[Event, ...]:
    """The newest events of a case, oldest first."""
    rows = connection.execute(
        select(case_event)
        .where(case_event.c.brand_id == key.brand_id, case_event.c.case_id == key.id)
        .order_by(case_event.c.number.desc())
        .limit(MOST_EVENTS)
    ).all()
    return tuple(event_of(row) for row in reversed(rows))


def _people(found: Case, events: Iterable[Event]) -> set[int | None]:
    named: set[int | None] = {found.claimed_by, found.assigned_to}
    for event in events:
        named |= {event.person_id, *event.details.get("people", ()), event.details.get("person_id")}
        for side in ("before", "after"):
            said = event.details.get(side, {})
            named |= {said.get("assigned_to"), said.get("claimed_by")}
    return named


# -- who wrote -------------------------------------------------------------------------------------------------


def _history(connection: Connection, organisation: Organisation, who: Access, found: Case) -> AuthorHistory:
    """The cases of the same author with the brand that the reader may see, and how they spoke in them."""
    if found.author_key in NOBODY:
        return AuthorHistory()
    rows = connection.execute(
        select(desk_case)
        .where(
            desk_case.c.brand_id == found.key.brand_id,
            desk_case.c.network_id == found.network_id,
            desk_case.c.author_key == found.author_key,
        )
        .order_by(desk_case.c.id.desc())
        .limit(MOST_PAST_CASES + 1)
    )
    readable = [
        case_of(row._asdict()) for row in rows if may_see(who, organisation, row.brand_id, row.location_id, row.team_id)
    ]
    said = connection.execute(
        select(mention.c.posted_at, mention.c.sentiment)
        .join(case_event, (case_event.c.brand_id == mention.c.brand_id) & (case_event.c.mention_id == mention.c.id))
        .where(
            case_event.c.brand_id == found.key.brand_id,
            case_event.c.case_id.in_([one.key.id for one in readable]),
            mention.c.deleted_at.is_(None),
        )
        .distinct()
        .order_by(mention.c.posted_at.desc())
        .limit(MOST_SAID)
    ).all()
    others = tuple(
        PastCase(one.key, one.state, one.opened_at, one.resolved_at, one.tags)
        for one in readable
        if one.key != found.key
    )
    return AuthorHistory(
        cases=others,
        solved=sum(one.state == RESOLVED for one in others),
        posts=len(said),
        sentiments=tuple((row.posted_at, row.sentiment) for row in reversed(said[:MOST_SENTIMENTS])),
    )
