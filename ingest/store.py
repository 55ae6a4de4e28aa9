"""The one writer of mentions, posts, set-aside bytes and the ledger.

A page is stored with the rollups, the ledger row and the moved cursor in one transaction, fenced by the lease. What is
stored already is not stored again: a page may be read twice, and after a kill it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from ingest.edits import COUNTS, Held, MentionKey, rewrite, with_newer
from ingest.erase import erase, erased_keys
from ingest.found import Gone
from ingest.groups import count_copies
from ingest.opening import bring_to_cases
from ingest.ours import store_ours
from ingest.pipeline import Enriched, Ours
from ingest.threads import join, part_of
from models.bulk import Asked, asked, insert_rows, lock_brands, merge_rows
from models.corrections import moved
from models.cube import Cells, local_day, packed_engagement, packed_mention, packed_reach
from models.database import raise_change, time_id_at
from models.organisation import Organisation
from models.search_index import words_of
from models.tables.base import to_microseconds

# On SQLite a transaction of this many rows holds the write lock under 50 ms; PostgreSQL likes larger ones.
SQLITE_ROWS = 200
POSTGRES_ROWS = 1000

_MENTION = (
    "brand_id", "id", "network_id", "external_id", "posted_at", "posted_at_given", "received_at", "source_id", "kind",
    "author_key", "author_handle", "author_name", "author_followers", "text", "url", "reply_to", "quote_of",
    "repost_of", "media", "language", "language_by", "sentiment", "sentiment_score", "sentiment_by", "home",
    "home_geo", "home_confidence", "place", "latitude", "longitude", "place_geo", "place_by", "place_confidence",
    "location_id", "location_by", "team_id", "matched", "likes", "replies", "reposts", "impressions", "copy_id",
    "edited_at",
)  # fmt: skip
_POST = (*COUNTS, "measured_at")
# The newest measurement wins; what it is silent about keeps the older number.
_POST_MERGE = (
    ", ".join(
        f"{name} = case when excluded.measured_at >= post.measured_at"
        f" then coalesce(excluded.{name}, post.{name}) else coalesce(post.{name}, excluded.{name}) end"
        for name in COUNTS
    )
    + ", measured_at = case when excluded.measured_at > post.measured_at"
    " then excluded.measured_at else post.measured_at end"
)
_AUTHOR_DAY_KEYS = ("brand_id", "day", "network_id", "author_key")
_AUTHOR_DAY = ("followers", "location_id", "team_id", "counted_at", "first_at", "last_at")
_AUTHOR_DAY_MERGE = (
    "first_at = case when excluded.first_at < author_day.first_at then excluded.first_at else author_day.first_at end,"
    " last_at = case when excluded.last_at > author_day.last_at then excluded.last_at else author_day.last_at end"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the mentions handed in: `new` + `repeated` = all of them."""

    new: int
    repeated: int
    brand_ids: tuple[int, ...]


def store(
    connection: Connection,
    mentions: Sequence[Enriched],
    *,
    source_id: int,
    organisation: Organisation,
    now: datetime,
    ours: Sequence[Ours] = (),
    gone: Sequence[Gone] = (),
) -> Stored:
    """Store what is new among `mentions` and `ours`, count it, and empty what is `gone`, in the caller's transaction.

    What is stored already gets its newer engagement and its edits; what was deleted stays empty.
    """
    erased = erased_keys(gone)
    offered = len(mentions)
    keys = asked(connection, map(_key, mentions)) if mentions else None
    # Whoever empties a post must shut out every writer who might be storing it.
    named = {mention.brand_id for mention in mentions} | {item.account.brand_id for item in ours}
    if keys:
        named |= set(moved(connection, keys).values())
    brand_ids = sorted({brand.id for brand in organisation.brands} if erased else named)
    if not brand_ids:
        return Stored(0, 0, ())
    lock_brands(connection, brand_ids)
    if keys and (went := moved(connection, keys)):
        mentions = _followed(mentions, went, organisation, brand_ids)
        keys = asked(connection, map(_key, mentions)) if mentions else None
    dead = erased | (_deleted(connection, keys) if keys else set())
    if ours:
        of_ours = {(item.account.brand_id, item.network_id, item.post.external_id) for item in ours}
        dead |= _deleted(connection, asked(connection, of_ours))
    living = [m for m in mentions if (m.network_id, m.post.external_id) not in dead] if dead else mentions
    held = _held(connection, keys) if keys else {}
    fresh: dict[MentionKey, Enriched] = {}
    known: dict[MentionKey, Enriched] = {}
    for mention in living:
        among = known if (key := _key(mention)) in held else fresh
        among[key] = mention if key not in among else with_newer(among[key], mention)
    cells = Cells(organisation.zone)
    touched = set()
    if fresh:
        _insert(connection, list(fresh.values()), source_id, organisation, now, cells)
        touched |= {mention.brand_id for mention in fresh.values()}
        count_copies(connection, list(fresh.values()))
    touched |= _count_differences(connection, known, held, cells, now)
    touched |= rewrite(connection, known, held, cells, now)
    cells.write(connection)
    alive = [item for item in ours if (item.network_id, item.post.external_id) not in dead]
    touched |= store_ours(connection, alive, now=now)
    _join_threads(connection, list(fresh.values()), alive)
    touched |= erase(connection, erased, now=now)
    bring_to_cases(connection, organisation, fresh, alive, known, held, erased, now=now)
    raise_change(connection, "mentions", touched)
    return Stored(len(fresh), offered - len(fresh), tuple(sorted(touched)))


def _followed(
    mentions: Sequence[Enriched], went: Mapping[MentionKey, int], organisation: Organisation, locked: Collection[int]
) -> Sequence[Enriched]:
    """The mentions in the brands where people put them, whatever the rules say of them."""
    # One that a person moved while we waited for the locks, to a brand that is not locked, is left for the next time.
    stands = [(mention, went.get(_key(mention), mention.brand_id)) for mention in mentions]
    return [
        mention
        if mention.brand_id == brand_id
        else replace(
            mention, brand_id=brand_id, team_id=organisation.team_for(brand_id, mention.location_id), matched=()
        )
        for mention, brand_id in stands
        if brand_id in locked
    ]


def _key(mention: Enriched) -> MentionKey:
    return mention.brand_id, mention.network_id, mention.post.external_id


def _deleted(connection: Connection, keys: Asked) -> set[tuple[int, str]]:
    """(network, external id) of the posts among some mentions that were deleted."""
    rows = connection.exec_driver_sql(
        f"select a.a1, a.a2 from {keys.relation} cross join post p"  # noqa: S608
        " where p.network_id = a.a1 and p.external_id = a.a2 and p.deleted_at is not null",
        keys.params,
    )
    return {(row[0], row[1]) for row in rows}


def _held(connection: Connection, keys: Asked) -> dict[MentionKey, Held]:
    rows = connection.exec_driver_sql(
        "select m.brand_id, m.network_id, m.external_id, m.id, m.location_id, m.team_id, m.posted_at, m.sentiment,"  # noqa: S608
        " m.edited_at, m.likes, m.replies, m.reposts, m.impressions, m.copy_id"
        f" from {keys.relation} cross join mention m"
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2",
        keys.params,
    )
    return {
        (row[0], row[1], row[2]): Held(row[3], row[4], row[5], row[6], row[7], row[8], tuple(row[9:13]), row[13])
        for row in rows
    }


def _join_threads(connection: Connection, fresh: Sequence[Enriched], ours: Sequence[Ours]) -> None:
    parts = {(m.network_id, m.post.external_id): part for m in fresh if (part := part_of(m.post)) is not None}
    for item in ours:
        part = part_of(item.post, item.account.id)
        if part is not None:
            parts[(item.network_id, item.post.external_id)] = part
    join(connection, parts)


def _insert(
    connection: Connection,
    fresh: list[Enriched],
    source_id: int,
    organisation: Organisation,
    now: datetime,
    cells: Cells,
) -> None:
    instants = [to_microseconds(mention.post.posted_at) for mention in fresh]
    ids = _ids(connection, fresh, instants)
    received = to_microseconds(now)
    rows: list[tuple[Any, ...]] = []
    authors: dict[tuple[int, int, int, str], list[int]] = {}
    for mention, mention_id, posted in zip(fresh, ids, instants, strict=True):
        post, author, counts = mention.post, mention.post.author, mention.post.counts
        rows.append(
            (
                mention.brand_id, mention_id, mention.network_id, post.external_id, posted, post.posted_at_given,
                received, source_id, post.kind, author.key, author.handle, author.name, author.followers, post.text,
                post.url, post.reply_to, post.quote_of, post.repost_of, _json(post.media) if post.media else None,
                mention.language, mention.language_by, mention.sentiment, mention.sentiment_score,
                mention.sentiment_by, post.home, mention.home_geo, mention.home_confidence, post.place, post.latitude,
                post.longitude, mention.place_geo, mention.place_by, mention.place_confidence, mention.location_id,
                mention.location_by, mention.team_id, _json(mention.matched) if mention.matched else None,
                counts.likes, counts.replies, counts.reposts, counts.impressions, mention.copy_id,
                None if post.edited_at is None else to_microseconds(post.edited_at),
            )
        )  # fmt: skip
        seconds = posted // 1_000_000
        packed = packed_mention(mention.sentiment, counts.likes, counts.replies, counts.reposts)
        cells.add(mention.brand_id, mention.location_id, mention.team_id, mention.network_id, seconds, packed)
        if not author.followers:
            # Reach counts followers: an author whose network is silent about them adds nothing to it.
            continue
        day, _ = local_day(seconds, organisation.zone)
        seen = authors.get(key := (mention.brand_id, day, mention.network_id, author.key))
        if seen is None:
            authors[key] = [author.followers, mention.location_id, mention.team_id, posted, posted, posted]
        else:
            seen[4], seen[5] = min(seen[4], posted), max(seen[5], posted)
    # In the order of ids: FTS5 flushes its buffer at every rowid that goes backwards (74 us a row against 20).
    rows.sort(key=lambda row: row[1])
    if connection.dialect.name == "postgresql":
        columns = (*_MENTION, "words")
        insert_rows(connection, "mention", columns, [(*row, words_of(row[13], row[10])) for row in rows])
    else:
        insert_rows(connection, "mention", _MENTION, rows)
        text_rows = [(row[1], row[13], row[10], row[11]) for row in rows]
        insert_rows(connection, "mention_text", ("rowid", "text", "author_handle", "author_name"), text_rows)
    _count_authors(connection, authors, cells)


def _ids(connection: Connection, fresh: list[Enriched], instants: list[int]) -> list[int]:
    """An id a mention: its instant, then bits of a hash of what it is; the next free one where two collide."""
    wanted = [
        time_id_at(posted, zlib.crc32(f"{m.brand_id} {m.network_id} {m.post.external_id}".encode()))
        for m, posted in zip(fresh, instants, strict=True)
    ]
    taken = _taken(connection, [(m.brand_id, wish) for m, wish in zip(fresh, wanted, strict=True)])
    ids = []
    for mention, wish in zip(fresh, wanted, strict=True):
        candidate = wish
        while candidate in taken:
            candidate += 1
            if candidate not in taken:
                taken |= _taken(connection, [(mention.brand_id, candidate)])
        taken.add(candidate)
        ids.append(candidate)
    return ids


def _taken(connection: Connection, wanted: list[tuple[int, int]]) -> set[int]:
    """The ids among some (brand, id) that are in use."""
    relation, params = asked(connection, wanted)
    # On SQLite the id alone is the key, so that any brand's row takes it.
    where = "m.id = a.a1" if connection.dialect.name == "sqlite" else "m.brand_id = a.a0 and m.id = a.a1"
    rows = connection.exec_driver_sql(f"select m.id from {relation} cross join mention m where {where}", params)  # noqa: S608
    return set(rows.scalars())


def _count_authors(connection: Connection, authors: dict[tuple[int, int, int, str], list[int]], cells: Cells) -> None:
    """Reach: the followers of an author count once a brand and local day, in the cell of the mention stored first."""
    if not authors:
        return
    relation, params = asked(connection, authors.keys())
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, a.a2, a.a3 from {relation} cross join author_day d"  # noqa: S608
        " where d.brand_id = a.a0 and d.day = a.a1 and d.network_id = a.a2 and d.author_key = a.a3",
        params,
    )
    known = {tuple(row) for row in rows}
    for key, (followers, location_id, team_id, counted, _, _) in authors.items():
        if key not in known:
            cells.add(key[0], location_id, team_id, key[2], counted // 1_000_000, packed_reach(followers))
    rows_of_days = [(*key, *values) for key, values in authors.items()]
    merge_rows(connection, "author_day", _AUTHOR_DAY_KEYS, _AUTHOR_DAY, _AUTHOR_DAY_MERGE, rows_of_days)


def _count_differences(
    connection: Connection,
    measured: Mapping[MentionKey, Enriched],
    held: Mapping[MentionKey, Held],
    cells: Cells,
    now: datetime,
) -> set[int]:
    """Engagement that grew or shrank since it was counted: the difference goes into the cells, once."""
    touched = set()
    changes = []
    newer = []
    for key, mention in measured.items():
        old = held[key]
        said = [getattr(mention.post.counts, name) for name in COUNTS]
        new = tuple(before if after is None else after for before, after in zip(old.counts, said, strict=True))
        if new == old.counts:
            continue
        likes, replies, reposts, _ = ((a or 0) - (b or 0) for b, a in zip(old.counts, new, strict=True))
        seconds = old.posted_at // 1_000_000
        cells.add(key[0], old.location_id, old.team_id, key[1], seconds, packed_engagement(likes, replies, reposts))
        changes.append({"brand": key[0], "key": old.id, **dict(zip(COUNTS, new, strict=True))})
        touched.add(key[0])
        newer.append(mention)
    if changes:
        connection.execute(
            text(
                "update mention set likes = :likes, replies = :replies, reposts = :reposts, impressions = :impressions"
                " where brand_id = :brand and id = :key"
            ),
            changes,
        )
        _merge_posts(connection, newer, now)
    return touched


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _merge_posts(connection: Connection, mentions: Iterable[Enriched], now: datetime) -> None:
    """The newest measurement of posts that were measured again; the first one stands in their mentions."""
    measured_at = to_microseconds(now)
    rows = {}
    for mention in mentions:
        counts = mention.post.counts
        rows[(mention.network_id, mention.post.external_id)] = (
            mention.network_id, mention.post.external_id, counts.likes, counts.replies, counts.reposts,
            counts.impressions, measured_at,
        )  # fmt: skip
    merge_rows(connection, "post", ("network_id", "external_id"), _POST, _POST_MERGE, list(rows.values()))
