"""Cases and rounds of what is stored already: for imported conversations, which open no case as they come in.

Posts and answers are taken in the order in which they were published, as if they had come in then: every case, round
and time comes out as it was. What belongs to a case already stays in it, so it may be done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from models.access import DRAFT, Access
from models.bulk import asked, lock_brands
from models.case_arrivals import Arrived, Desk, OurAnswer
from models.case_scope import may_see
from models.case_steps import CaseKey
from models.case_writing import Who, tell
from models.database import time_id
from models.errors import InputError, NotFound
from models.mentions import LARGEST_ID
from models.organisation import Organisation
from models.routing import SPOKEN, Routing, Rule, When
from models.tables import account, case_event, mention, our_post

# Posts worked through in one go; a transaction holds all of them.
CHUNK = 500
# Whatever its age, it opens a case.
ANY_AGE = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    posts: int
    answers: int
    opened: int
    joined: int


def rebuild_from_posts(
    connection: Connection,
    organisation: Organisation,
    brand_id: int,
    rules: Routing,
    *,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Rebuilt:
    """Open, join and answer cases of a brand of ours by its mentions and answers of a span (all of them: None).

    `rules` decide what opens a case, as for a post that comes in. InputError for a brand that is none of ours.
    """
    if brand_id not in {brand.id for brand in organisation.brands if brand.kind == "own"}:
        raise InputError(f"brand {brand_id} is none of ours; competitors have no cases")
    lock_brands(connection, [brand_id])
    posts = answers = opened = joined = 0
    for chunk in _chunks(connection, brand_id, since, until):
        desk = Desk(connection, opens_within=ANY_AGE)
        arrived = [item for item in chunk if isinstance(item, Arrived)]
        said = [item for item in chunk if isinstance(item, OurAnswer)]
        desk.read(arrived, said, chunk[0].posted_at)
        for item in chunk:
            if isinstance(item, Arrived):
                desk.take(item, rules, now=item.posted_at)
            else:
                desk.hear(item, now=item.posted_at)
        desk.write(now=chunk[-1].posted_at, recorded_at=now)
        posts, answers = posts + len(arrived), answers + len(said)
        opened, joined = opened + desk.opened, joined + desk.joined
    tell(connection, [brand_id] if opened or joined else [])
    return Rebuilt(posts, answers, opened, joined)


def case_for(
    connection: Connection, organisation: Organisation, who: Access, brand_id: int, mention_id: int, *, now: datetime
) -> CaseKey:
    """The case of a mention, opened by hand where it belongs to none; NotFound, AccessDenied.

    It joins the open case of its author, as it would have done by itself.
    """
    this = (mention.c.brand_id == brand_id, mention.c.id == mention_id, mention.c.deleted_at.is_(None))
    row = connection.execute(select(mention).where(*this)).first()
    own = {brand.id for brand in organisation.brands if brand.kind == "own"}
    if row is None or brand_id not in own or not may_see(who, organisation, brand_id, row.location_id, row.team_id):
        raise NotFound(f"no mention {mention_id}")
    place = {"brand_id": brand_id, "location_id": row.location_id, "team_id": row.team_id}
    who.require_for(DRAFT, organisation, **place)
    lock_brands(connection, [brand_id])
    held = connection.execute(
        select(case_event.c.case_id)
        .where(case_event.c.brand_id == brand_id, case_event.c.mention_id == mention_id)
        .order_by(case_event.c.case_id.desc())
    ).scalar()
    if held is not None:
        return CaseKey(brand_id, held)
    desk = Desk(connection, opens_within=ANY_AGE, by=Who(who.person_id, who.name))
    arrived = [replace(post, kind=SPOKEN[0]) for post in _arrived(connection, brand_id, [row], (row.kind,))]
    desk.read(arrived, [], now)
    by_hand = Routing((Rule(0, 0, "Opened by hand", When(), True, 2),), organisation)
    work = desk.take(arrived[0], by_hand, now=now)
    if work is None:
        raise InputError("the author has another open case, and this post is much older than it")
    desk.write(now=now)
    tell(connection, [brand_id])
    return work.key


Item = Arrived | OurAnswer


def _chunks(
    connection: Connection, brand_id: int, since: datetime | None, until: datetime | None
) -> Iterator[list[Item]]:
    """Posts and answers by time: ids carry the instant, so each table is walked down its key once."""
    after = time_id(since, 0) - 1 if since is not None else -1
    last = time_id(until, 0) if until is not None else LARGEST_ID
    speakers = {row.id: row for row in connection.execute(select(account.c.id, account.c.handle, account.c.voice))}
    while True:
        mentions = connection.execute(
            select(mention)
            .where(mention.c.brand_id == brand_id, mention.c.id > after, mention.c.id < last)
            .order_by(mention.c.id)
            .limit(CHUNK)
        ).all()
        # Answers up to the last of these posts; with the last posts, all that are left.
        end = mentions[-1].id + 1 if len(mentions) == CHUNK else last
        answers = connection.execute(
            select(our_post)
            .where(
                our_post.c.brand_id == brand_id,
                our_post.c.id > after,
                our_post.c.id < end,
                our_post.c.reply_to.is_not(None),
                our_post.c.deleted_at.is_(None),
            )
            .order_by(our_post.c.id)
        ).all()
        chunk: list[Item] = [*_arrived(connection, brand_id, mentions), *_answers(connection, answers, speakers)]
        if chunk:
            yield sorted(chunk, key=_order)
        if end == last:
            return
        after = end - 1


def _order(item: Item) -> tuple[datetime, bool, str]:
    return item.posted_at, isinstance(item, OurAnswer), item.external_id


def _roots(connection: Connection, rows: Iterable[Any]) -> dict[tuple[int, str], str]:
    keys = {(row.network_id, row.external_id) for row in rows}
    if not keys:
        return {}
    relation, params = asked(connection, keys)
    found = connection.exec_driver_sql(
        f"select a.a0, a.a1, t.root from {relation} cross join thread_post t"  # noqa: S608
        " where t.network_id = a.a0 and t.external_id = a.a1",
        params,
    )
    return {(row[0], row[1]): row[2] for row in found}


def _arrived(
    connection: Connection, brand_id: int, rows: Iterable[Any], kinds: Sequence[str] = SPOKEN
) -> Iterator[Arrived]:
    """The posts that belong to no case yet and may."""
    spoken = [row for row in rows if row.kind in kinds and row.deleted_at is None]
    if not spoken:
        return
    relation, params = asked(connection, {(brand_id, row.id) for row in spoken})
    held = set(
        connection.exec_driver_sql(
            f"select e.mention_id from {relation} cross join case_event e"  # noqa: S608
            " where e.brand_id = a.a0 and e.mention_id = a.a1",
            params,
        ).scalars()
    )
    roots = _roots(connection, spoken)
    handles = _handles(connection, brand_id)
    for row in spoken:
        if row.id in held:
            continue
        folded = row.text.casefold()
        yield Arrived(
            brand_id=brand_id,
            mention_id=row.id,
            network_id=row.network_id,
            external_id=row.external_id,
            posted_at=row.posted_at,
            kind=row.kind,
            author_key=row.author_key,
            author_handle=row.author_handle,
            author_name=row.author_name,
            author_followers=row.author_followers,
            text=row.text,
            language=row.language,
            sentiment=row.sentiment,
            location_id=row.location_id,
            team_id=row.team_id,
            root=roots.get((row.network_id, row.external_id), row.external_id),
            addresses_us=any(f"@{handle}" in folded for network_id, handle in handles if network_id == row.network_id),
        )


def _handles(connection: Connection, brand_id: int) -> set[tuple[int, str]]:
    rows = connection.execute(select(account.c.network_id, account.c.handle).where(account.c.brand_id == brand_id))
    return {(row.network_id, row.handle.casefold()) for row in rows}


def _answers(connection: Connection, rows: Iterable[Any], speakers: dict[int, Any]) -> Iterator[OurAnswer]:
    said = list(rows)
    roots = _roots(connection, said)
    for row in said:
        speaker = speakers[row.account_id]
        yield OurAnswer(
            brand_id=row.brand_id,
            network_id=row.network_id,
            external_id=row.external_id,
            reply_to=row.reply_to,
            root=roots.get((row.network_id, row.external_id), row.external_id),
            posted_at=row.posted_at,
            account_id=row.account_id,
            actor=f"@{speaker.handle}",
            person_id=row.person_id,
            is_automatic=bool((speaker.voice or {}).get("automatic")),
        )
