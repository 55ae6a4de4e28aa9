"""From what was just stored to cases: called by the store, in its transaction.

Posts of others about brands of ours go to models/case_arrivals.py, with what the store knows of their threads; answers
of ours, edits and deletions too. A fixed number of statements a page, whatever its size.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from ingest.edits import Held, MentionKey
from ingest.pipeline import Enriched, Ours
from models import incident_cases, routing
from models.bulk import asked
from models.case_arrivals import LOOKS_BACK, OPENS_WITHIN, Arrived, Desk, OurAnswer, authors_with_cases
from models.case_edits import DELETED, EDITED, keys_of, posts_changed
from models.case_writing import tell
from models.conversations import by_root
from models.doubts import SeenPost, read_back
from models.organisation import Account, Organisation
from models.tables import account
from models.tables.base import from_microseconds, to_microseconds

_VOICES = select(account.c.id, account.c.voice).where(account.c.voice.is_not(None))

Post = tuple[int, str]
"""(network, external id)."""


def bring_to_cases(
    connection: Connection,
    organisation: Organisation,
    fresh: Mapping[MentionKey, Enriched],
    ours: Sequence[Ours],
    known: Mapping[MentionKey, Enriched],
    held: Mapping[MentionKey, Held],
    erased: Collection[Post],
    *,
    now: datetime,
) -> None:
    """Open, join, reopen and answer cases by what a page brought, in the caller's transaction, after it was stored."""
    own = frozenset(brand.id for brand in organisation.brands if brand.kind == "own")
    touched = _take(connection, organisation, own, fresh, ours, now)
    edited = {(key[0], held[key].id) for key in known if key[0] in own and _is_edited(known[key], held[key])}
    touched |= posts_changed(connection, EDITED, edited, now=now)
    gone = {(brand_id, *post) for brand_id in own for post in erased}
    touched |= posts_changed(connection, DELETED, keys_of(connection, gone), now=now)
    tell(connection, touched)


def _take(
    connection: Connection,
    organisation: Organisation,
    own: frozenset[int],
    fresh: Mapping[MentionKey, Enriched],
    ours: Sequence[Ours],
    now: datetime,
) -> set[int]:
    posts = _concerned(connection, own, fresh, now)
    said = [item for item in ours if item.post.reply_to is not None and item.account.brand_id in own]
    if not posts and not said:
        return set()
    roots = _roots(connection, posts, said)
    arrived = _arrived(connection, organisation, posts, roots)
    accounts = {item.id: item for item in organisation.accounts}
    answers = [
        OurAnswer(
            brand_id=item.account.brand_id,
            network_id=item.network_id,
            external_id=item.post.external_id,
            reply_to=item.post.reply_to or "",
            root=roots.get((item.network_id, item.post.external_id), item.post.external_id),
            posted_at=item.post.posted_at,
            account_id=item.account.id,
            actor=f"@{item.account.handle}",
        )
        for item in said
    ]
    # Before the cases hear of them: what is a reply of ours in doubt is sent, and known as such.
    read_back(connection, [_seen(item) for item in said], now=now)
    desk = Desk(connection, incident_of=incident_cases.incident_of(connection, organisation, now))
    desk.read(arrived, answers, now)
    rules = routing.load(connection, organisation, now)
    automatic = _automatic(connection) if answers else frozenset()
    taken: list[Arrived] = []
    page: list[Arrived | OurAnswer] = [*arrived, *answers]
    for item in sorted(page, key=_order):
        if isinstance(item, OurAnswer):
            desk.hear(_marked(item, automatic), now=now)
        elif desk.take(item, rules, now=now) is not None:
            taken.append(item)
    earlier = _earlier_answers(connection, taken, accounts)
    if earlier and not answers:
        automatic = _automatic(connection)
    for answer in sorted(earlier, key=_order):
        desk.hear(_marked(answer, automatic), now=now)
    return desk.write(now=now)


def _seen(item: Ours) -> SeenPost:
    return SeenPost(
        brand_id=item.account.brand_id,
        account_id=item.account.id,
        network_id=item.network_id,
        external_id=item.post.external_id,
        reply_to=item.post.reply_to,
        text=item.post.text,
        posted_at=item.post.posted_at,
        url=item.post.url,
    )


def _concerned(
    connection: Connection, own: frozenset[int], fresh: Mapping[MentionKey, Enriched], now: datetime
) -> dict[MentionKey, Enriched]:
    """The posts that may open a case, and older ones of authors who have one: history passes by."""
    new, since = now - OPENS_WITHIN, now - LOOKS_BACK
    posts = {
        key: mention
        for key, mention in fresh.items()
        if key[0] in own and mention.post.kind in routing.SPOKEN and mention.post.posted_at > since
    }
    old = {key for key, mention in posts.items() if mention.post.posted_at < new}
    if not old:
        return posts
    known = authors_with_cases(connection, {(*key[:2], posts[key].post.author.key) for key in old}, now)
    return {key: m for key, m in posts.items() if key not in old or (*key[:2], m.post.author.key) in known}


def _order(item: Arrived | OurAnswer) -> tuple[datetime, bool, str]:
    """As it was published; at one instant the question comes first."""
    return item.posted_at, isinstance(item, OurAnswer), item.external_id


def _marked(said: OurAnswer, automatic: Collection[int]) -> OurAnswer:
    return replace(said, is_automatic=True) if said.account_id in automatic else said


def _arrived(
    connection: Connection, organisation: Organisation, posts: Mapping[MentionKey, Enriched], roots: Mapping[Post, str]
) -> list[Arrived]:
    if not posts:
        return []
    ids = _ids(connection, posts)
    to_us = _answering_us(connection, posts)
    handles = _handles(organisation)
    found = []
    for key, mention in posts.items():
        post, author = mention.post, mention.post.author
        folded = post.text.casefold() if "@" in post.text else ""
        found.append(
            Arrived(
                brand_id=key[0],
                mention_id=ids[key],
                network_id=key[1],
                external_id=key[2],
                posted_at=post.posted_at,
                kind=post.kind,
                author_key=author.key,
                author_handle=author.handle,
                author_name=author.name,
                author_followers=author.followers,
                text=post.text,
                language=mention.language,
                sentiment=mention.sentiment,
                location_id=mention.location_id,
                team_id=mention.team_id,
                root=roots.get(key[1:], key[2]),
                addresses_us=key in to_us or any(handle in folded for handle in handles.get(key[:2], ())),
            )
        )
    return found


def _handles(organisation: Organisation) -> dict[tuple[int, int], tuple[str, ...]]:
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    for item in organisation.accounts:
        key = (item.brand_id, item.network_id)
        found[key] = (*found.get(key, ()), f"@{item.handle.casefold()}")
    return found


def _ids(connection: Connection, posts: Mapping[MentionKey, Enriched]) -> dict[MentionKey, int]:
    relation, params = asked(connection, posts.keys())
    rows = connection.exec_driver_sql(
        f"select m.brand_id, m.network_id, m.external_id, m.id from {relation} cross join mention m"  # noqa: S608
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2",
        params,
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _answering_us(connection: Connection, posts: Mapping[MentionKey, Enriched]) -> set[MentionKey]:
    """Those of the posts that answer one of ours."""
    parents = {(key[0], key[1], m.post.reply_to): key for key, m in posts.items() if m.post.reply_to is not None}
    if not parents:
        return set()
    relation, params = asked(connection, parents.keys())
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, a.a2 from {relation} cross join our_post o"  # noqa: S608
        " where o.brand_id = a.a0 and o.network_id = a.a1 and o.external_id = a.a2",
        params,
    )
    ours = {tuple(row) for row in rows}
    return {key for key, m in posts.items() if (key[0], key[1], m.post.reply_to) in ours}


def _roots(connection: Connection, posts: Mapping[MentionKey, Enriched], said: Sequence[Ours]) -> dict[Post, str]:
    """The roots of the threads that these posts stand in; a post that begins one is its own root and not in here."""
    keys = {
        key[1:]
        for key, mention in posts.items()
        if mention.post.reply_to is not None or mention.post.conversation is not None
    }
    keys |= {(item.network_id, item.post.external_id) for item in said}
    if not keys:
        return {}
    relation, params = asked(connection, keys)
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, t.root from {relation} cross join thread_post t"  # noqa: S608
        " where t.network_id = a.a0 and t.external_id = a.a1",
        params,
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _automatic(connection: Connection) -> frozenset[int]:
    """The accounts of ours of which it is said that a machine speaks through them."""
    rows = connection.execute(_VOICES)
    return frozenset(row.id for row in rows if isinstance(row.voice, dict) and row.voice.get("automatic"))


def _earlier_answers(
    connection: Connection, taken: Sequence[Arrived], accounts: Mapping[int, Account]
) -> list[OurAnswer]:
    """What we answered to these posts before they came: pages are not always read in order."""
    if not taken:
        return []
    relation, params = asked(connection, {(post.network_id, post.root) for post in taken})
    rows = connection.exec_driver_sql(
        "select t.network_id, t.root, t.external_id, t.parent, t.posted_at, t.account_id"  # noqa: S608
        f" from {relation} cross join thread_post t{by_root(connection)}"
        " where t.network_id = a.a0 and t.root = a.a1 and t.account_id is not null",
        params,
    ).all()
    asked_of = {(post.network_id, post.external_id): post.brand_id for post in taken}
    found = []
    for network_id, root, external_id, parent, posted, account_id in rows:
        speaker = accounts.get(account_id)
        if speaker is None or asked_of.get((network_id, parent)) is None:
            continue
        found.append(
            OurAnswer(
                brand_id=speaker.brand_id,
                network_id=network_id,
                external_id=external_id,
                reply_to=parent,
                root=root,
                posted_at=from_microseconds(posted),
                account_id=account_id,
                actor=f"@{speaker.handle}",
            )
        )
    return found


def _is_edited(mention: Enriched, held: Held) -> bool:
    edited_at = mention.post.edited_at
    return edited_at is not None and to_microseconds(edited_at) > (held.edited_at or 0)
