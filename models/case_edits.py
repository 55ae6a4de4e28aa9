"""When a customer changes or takes back what they wrote: their case tells it, and forgets who is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from models.bulk import asked
from models.case_actions import CLOSING
from models.case_steps import LIVE, CaseKey
from models.case_writing import Who, Working, tell, write
from models.networks import BY_ID
from models.organisation import UNKNOWN
from models.tables import (
    answer_lock,
    answer_time,
    case_event,
    desk_case,
    mention,
    presence,
    reply,
    signature,
    signature_request,
)

EDITED, DELETED = "edited", "deleted"

MentionId = tuple[int, int]
"""(brand, mention)."""


def posts_changed(connection: Connection, kind: str, mentions: Collection[MentionId], *, now: datetime) -> set[int]:
    """Note in their cases that these posts were edited or deleted; returns the brands whose cases changed.

    An author none of whose posts is left in a case is no longer named by it.
    """
    if not mentions:
        return set()
    held = _cases_of(connection, mentions)
    works: list[Working] = []
    for key in sorted(held):
        work = _locked(connection, key)
        for mention_id in held[key]:
            network = Who(None, BY_ID[work.values["network_id"]].name)
            values = _forgotten(connection, key) if kind == DELETED else {}
            work.happen(kind, network, now=now, mention_id=mention_id, **values)
        works.append(work)
    write(connection, works, now=now)
    return {key.brand_id for key in held}


def posts_moved(connection: Connection, moved: MentionId, who: Who, *, now: datetime) -> None:
    """A person took a post out of its brand: a case that was about nothing else is dismissed."""
    held = _cases_of(connection, {moved})
    for key in sorted(held):
        work = _locked(connection, key)
        if work.state in LIVE and not _has_posts(connection, key):
            said = {"reason": "the post is not about this brand"}
            work.happen("dismissed", who, now=now, details=said, **CLOSING)
            write(connection, [work], now=now)
    tell(connection, {key.brand_id for key in held})


def forget_cases(connection: Connection, brand_id: int, mention_ids: Collection[int]) -> None:
    """Take cases away of which these posts, stored no more, were all there was; the audit log keeps what happened."""
    held = {key.id for key in _cases_of(connection, {(brand_id, mention_id) for mention_id in mention_ids})}
    if not held:
        return
    left = connection.execute(
        select(case_event.c.case_id)
        .join(mention, (mention.c.brand_id == case_event.c.brand_id) & (mention.c.id == case_event.c.mention_id))
        .where(case_event.c.brand_id == brand_id, case_event.c.case_id.in_(held))
    ).scalars()
    gone = sorted(held - set(left))
    replies = list(
        connection.execute(select(reply.c.id).where(reply.c.brand_id == brand_id, reply.c.case_id.in_(gone))).scalars()
    )
    for table in (signature, signature_request, answer_lock):
        connection.execute(delete(table).where(table.c.brand_id == brand_id, table.c.reply_id.in_(replies)))
    for table in (reply, presence, case_event):
        connection.execute(delete(table).where(table.c.brand_id == brand_id, table.c.case_id.in_(gone)))
    connection.execute(delete(desk_case).where(desk_case.c.brand_id == brand_id, desk_case.c.id.in_(gone)))
    tell(connection, [brand_id])


def give_up_places(connection: Connection, location_ids: Collection[int], team_ids: Collection[int]) -> None:
    """Cases and their counts in places and teams that are taken out of the organisation: in none from now on."""
    for column, gone in (("location_id", location_ids), ("team_id", team_ids)):
        if gone:
            where = desk_case.c[column].in_(sorted(gone))
            connection.execute(update(desk_case).where(where).values({column: UNKNOWN}))
            connection.execute(delete(answer_time).where(answer_time.c[column].in_(sorted(gone))))


def _cases_of(connection: Connection, mentions: Collection[MentionId]) -> dict[CaseKey, list[int]]:
    relation, params = asked(connection, set(mentions))
    rows = connection.exec_driver_sql(
        f"select distinct e.brand_id, e.case_id, e.mention_id from {relation} cross join case_event e"  # noqa: S608
        " where e.brand_id = a.a0 and e.mention_id = a.a1",
        params,
    )
    found: dict[CaseKey, list[int]] = {}
    for brand_id, case_id, mention_id in sorted(tuple(row) for row in rows):
        found.setdefault(CaseKey(brand_id, case_id), []).append(mention_id)
    return found


def _locked(connection: Connection, key: CaseKey) -> Working:
    statement = select(desk_case).where(desk_case.c.brand_id == key.brand_id, desk_case.c.id == key.id)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update()
    return Working.of(connection.execute(statement).one()._asdict())


def _has_posts(connection: Connection, key: CaseKey) -> bool:
    """Whether a post of the case is there still, in its brand and not deleted."""
    left = connection.execute(
        select(mention.c.id)
        .join(case_event, (case_event.c.brand_id == mention.c.brand_id) & (case_event.c.mention_id == mention.c.id))
        .where(case_event.c.brand_id == key.brand_id, case_event.c.case_id == key.id, mention.c.deleted_at.is_(None))
        .limit(1)
    ).first()
    return left is not None


def _forgotten(connection: Connection, key: CaseKey) -> dict[str, Any]:
    """The columns that name the author, emptied where no post of theirs is left."""
    if _has_posts(connection, key):
        return {}
    gone: dict[str, Any] = {"author_key": "", "author_handle": None, "author_name": None, "author_followers": None}
    is_open = connection.execute(
        select(desk_case.c.open_key).where(desk_case.c.brand_id == key.brand_id, desk_case.c.id == key.id)
    ).scalar()
    # It stays the one case of somebody whom nobody can name any more: a new post of theirs opens another.
    return gone | ({"open_key": f"d:{key.id}"} if is_open is not None else {})


def keys_of(connection: Connection, keys: Collection[Sequence[Any]]) -> set[MentionId]:
    """(brand, mention) of the mentions of ours with these (brand, network, external id)."""
    if not keys:
        return set()
    relation, params = asked(connection, {tuple(key) for key in keys})
    rows = connection.exec_driver_sql(
        f"select m.brand_id, m.id from {relation} cross join mention m"  # noqa: S608
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2",
        params,
    )
    return {(row[0], row[1]) for row in rows}
