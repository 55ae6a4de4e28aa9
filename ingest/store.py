"""The one writer of mentions, posts, set-aside bytes and the ledger.

A page is stored with the rollups, the ledger row and the moved cursor in one transaction, fenced by the lease. What is
stored already is not stored again: a page may be read twice, and after a kill it is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from ingest.door import safe_text
from ingest.found import SetAside
from ingest.pipeline import Enriched
from models.cube import Cells, local_day, packed_engagement, packed_mention, packed_reach
from models.database import array_literal, insert_rows, lock_brands, merge_rows, new_id, raise_change, time_id
from models.organisation import Organisation
from models.tables import coverage, fetch
from models.tables.base import to_microseconds

# On SQLite a transaction of this many rows holds the write lock under 50 ms; PostgreSQL likes larger ones.
SQLITE_ROWS = 200
POSTGRES_ROWS = 1000
# Quiet fetches inside one such span become one row of the ledger.
QUIET_SPAN = timedelta(minutes=15)

_MENTION = (
    "brand_id", "id", "network_id", "external_id", "posted_at", "posted_at_given", "received_at", "source_id", "kind",
    "author_key", "author_handle", "author_name", "author_followers", "text", "url", "reply_to", "media", "language",
    "language_by", "sentiment", "sentiment_score", "sentiment_by", "place", "latitude", "longitude", "location_id",
    "team_id", "matched", "likes", "replies", "reposts", "impressions",
)  # fmt: skip
_COUNTS = ("likes", "replies", "reposts", "impressions")
_POST = (*_COUNTS, "measured_at")
# The newest measurement wins; what it is silent about keeps the older number.
_POST_MERGE = (
    ", ".join(
        f"{name} = case when excluded.measured_at >= post.measured_at"
        f" then coalesce(excluded.{name}, post.{name}) else coalesce(post.{name}, excluded.{name}) end"
        for name in _COUNTS
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


@dataclass(slots=True)
class _Held:
    """A mention that is stored already, as far as a newer measurement of it matters."""

    id: int
    location_id: int
    team_id: int
    posted_at: int
    # Likes, replies, reposts, impressions.
    counts: tuple[int | None, ...]


def store(
    connection: Connection, mentions: Sequence[Enriched], *, source_id: int, organisation: Organisation, now: datetime
) -> Stored:
    """Store what is new among `mentions`, and count it, in the caller's transaction."""
    if not mentions:
        return Stored(0, 0, ())
    brand_ids = sorted({mention.brand_id for mention in mentions})
    lock_brands(connection, brand_ids)
    held = _held(connection, mentions)
    fresh: dict[tuple[int, int, str], Enriched] = {}
    measured: dict[tuple[int, int, str], Enriched] = {}
    for mention in mentions:
        key = (mention.brand_id, mention.network_id, mention.post.external_id)
        known = measured if key in held else fresh
        known[key] = mention if key not in known else _with_newer_counts(known[key], mention)
    cells = Cells(organisation.zone)
    touched = set()
    if fresh:
        _insert(connection, list(fresh.values()), source_id, organisation, now, cells)
        touched |= {mention.brand_id for mention in fresh.values()}
    touched |= _count_differences(connection, measured, held, cells, now)
    cells.write(connection)
    raise_change(connection, "mentions", touched)
    return Stored(len(fresh), len(mentions) - len(fresh), tuple(sorted(touched)))


def _with_newer_counts(first: Enriched, again: Enriched) -> Enriched:
    """A post that stands twice in a page: as it came first, with what the later one says of its engagement."""
    said = {name: count for name in _COUNTS if (count := getattr(again.post.counts, name)) is not None}
    return replace(first, post=replace(first.post, counts=replace(first.post.counts, **said)))


def _held(connection: Connection, mentions: Sequence[Enriched]) -> dict[tuple[int, int, str], _Held]:
    asked, params = _asked(connection, {(m.brand_id, m.network_id, m.post.external_id) for m in mentions})
    rows = connection.exec_driver_sql(
        "select m.brand_id, m.network_id, m.external_id, m.id, m.location_id, m.team_id, m.posted_at, m.likes,"  # noqa: S608
        f" m.replies, m.reposts, m.impressions from {asked} cross join mention m"
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2",
        params,
    )
    return {(row[0], row[1], row[2]): _Held(row[3], row[4], row[5], row[6], tuple(row[7:11])) for row in rows}


def _asked(connection: Connection, keys: Collection[tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    """A relation `a (a0, a1, ...)` of many keys as one bound value, so that one statement asks for all of them."""
    ordered = sorted(keys)
    width = len(ordered[0])
    if connection.dialect.name == "sqlite":
        columns = ", ".join(f"value ->> {i} as a{i}" for i in range(width))
        return f"(select {columns} from json_each(?)) as a", (_json(ordered),)  # noqa: S608
    kinds = ["text[]" if isinstance(value, str) else "bigint[]" for value in ordered[0]]
    names = ", ".join(f"a{i}" for i in range(width))
    values = tuple(array_literal(column) for column in zip(*ordered, strict=True))
    return f"unnest({', '.join(f'%s::{kind}' for kind in kinds)}) as a({names})", values


def _insert(
    connection: Connection,
    fresh: list[Enriched],
    source_id: int,
    organisation: Organisation,
    now: datetime,
    cells: Cells,
) -> None:
    ids = _ids(connection, fresh)
    received = to_microseconds(now)
    rows: list[tuple[Any, ...]] = []
    authors: dict[tuple[int, int, int, str], list[int]] = {}
    for mention, mention_id in zip(fresh, ids, strict=True):
        post, author, counts = mention.post, mention.post.author, mention.post.counts
        posted = to_microseconds(post.posted_at)
        rows.append(
            (
                mention.brand_id, mention_id, mention.network_id, post.external_id, posted, post.posted_at_given,
                received, source_id, post.kind, author.key, author.handle, author.name, author.followers, post.text,
                post.url, post.reply_to, _json(post.media) if post.media else None, mention.language,
                mention.language_by, mention.sentiment, mention.sentiment_score, mention.sentiment_by, post.place,
                post.latitude, post.longitude, mention.location_id, mention.team_id,
                _json(mention.matched) if mention.matched else None, counts.likes, counts.replies, counts.reposts,
                counts.impressions,
            )
        )  # fmt: skip
        seconds = posted // 1_000_000
        packed = packed_mention(mention.sentiment, counts.likes, counts.replies, counts.reposts)
        cells.add(mention.brand_id, mention.location_id, mention.team_id, mention.network_id, seconds, packed)
        day, _ = local_day(seconds, organisation.zone)
        if not author.followers:
            # Reach counts followers: an author whose network is silent about them adds nothing to it.
            continue
        seen = authors.get(key := (mention.brand_id, day, mention.network_id, author.key))
        if seen is None:
            authors[key] = [author.followers, mention.location_id, mention.team_id, posted, posted, posted]
        else:
            seen[4], seen[5] = min(seen[4], posted), max(seen[5], posted)
    # In the order of ids: FTS5 flushes its buffer at every rowid that goes backwards (74 us a row against 20).
    rows.sort(key=lambda row: row[1])
    insert_rows(connection, "mention", _MENTION, rows)
    if connection.dialect.name == "sqlite":
        text_rows = [(row[1], row[13], row[10], row[11]) for row in rows]
        insert_rows(connection, "mention_text", ("rowid", "text", "author_handle", "author_name"), text_rows)
    _count_authors(connection, authors, cells)


def _ids(connection: Connection, fresh: list[Enriched]) -> list[int]:
    """An id a mention: its instant, then bits of a hash of what it is; the next free one where two collide."""
    wanted = [
        time_id(m.post.posted_at, zlib.crc32(f"{m.brand_id} {m.network_id} {m.post.external_id}".encode()))
        for m in fresh
    ]
    brand_ids = sorted({mention.brand_id for mention in fresh})
    taken = _taken(connection, brand_ids, wanted)
    ids = []
    for wish in wanted:
        candidate = wish
        while candidate in taken:
            candidate += 1
            if candidate not in taken:
                taken |= _taken(connection, brand_ids, [candidate])
        taken.add(candidate)
        ids.append(candidate)
    return ids


def _taken(connection: Connection, brand_ids: list[int], ids: list[int]) -> set[int]:
    asked, params = _asked(connection, {(i,) for i in ids})
    brands = ", ".join(str(int(brand_id)) for brand_id in brand_ids)
    # On SQLite the id alone is the key, so that any brand's row takes it.
    where = "m.id = a.a0" if connection.dialect.name == "sqlite" else f"m.brand_id in ({brands}) and m.id = a.a0"
    rows = connection.exec_driver_sql(f"select m.id from {asked} cross join mention m where {where}", params)  # noqa: S608
    return set(rows.scalars())


def _count_authors(connection: Connection, authors: dict[tuple[int, int, int, str], list[int]], cells: Cells) -> None:
    """Reach: the followers of an author count once a brand and local day, in the cell of the mention stored first."""
    if not authors:
        return
    asked, params = _asked(connection, authors.keys())
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, a.a2, a.a3 from {asked} cross join author_day d"  # noqa: S608
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
    measured: dict[tuple[int, int, str], Enriched],
    held: dict[tuple[int, int, str], _Held],
    cells: Cells,
    now: datetime,
) -> set[int]:
    """Engagement that grew or shrank since it was counted: the difference goes into the cells, once."""
    touched = set()
    changes = []
    newer = []
    for key, mention in measured.items():
        old = held[key]
        said = [getattr(mention.post.counts, name) for name in _COUNTS]
        new = tuple(before if after is None else after for before, after in zip(old.counts, said, strict=True))
        if new == old.counts:
            continue
        likes, replies, reposts, _ = ((a or 0) - (b or 0) for b, a in zip(old.counts, new, strict=True))
        seconds = old.posted_at // 1_000_000
        cells.add(key[0], old.location_id, old.team_id, key[1], seconds, packed_engagement(likes, replies, reposts))
        changes.append({"brand": key[0], "key": old.id, **dict(zip(_COUNTS, new, strict=True))})
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


def put_aside(connection: Connection, records: Sequence[SetAside], *, source_id: int, now: datetime) -> int:
    """Keep what could not be stored as it stands, with its bytes; returns how many were not kept already."""
    if not records:
        return 0
    rows = {}
    for record in records:
        place, reason = safe_text(record.place), safe_text(record.reason)
        digest = hashlib.sha256(f"{source_id}\0{place}\0{reason}\0".encode() + record.raw).hexdigest()
        rows[digest] = (new_id(now), source_id, to_microseconds(now), place, reason, record.raw, digest)
    asked, params = _asked(connection, [(digest,) for digest in rows])
    known = set(
        connection.exec_driver_sql(
            f"select s.digest from {asked} cross join set_aside s where s.digest = a.a0",  # noqa: S608
            params,
        ).scalars()
    )
    fresh = [row for digest, row in rows.items() if digest not in known]
    insert_rows(connection, "set_aside", ("id", "source_id", "at", "place", "reason", "raw", "digest"), fresh)
    return len(fresh)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One line of the ledger."""

    started_at: datetime
    ended_at: datetime
    items: int = 0
    new_items: int = 0
    set_aside: int = 0
    window: tuple[datetime, datetime] | None = None
    cost: float = 0.0
    rate_left: float | None = None
    error_kind: str | None = None
    error: str | None = None


def write_ledger(connection: Connection, line: Fetched, *, source_id: int, worker: str) -> None:
    """Add a line to the ledger; a quiet fetch lengthens the quiet line before it."""
    seconds = (line.ended_at - line.started_at).total_seconds()
    quiet = line.items == 0 and line.set_aside == 0 and line.error_kind is None and line.cost == 0
    if quiet:
        last = connection.execute(
            select(fetch).where(fetch.c.source_id == source_id).order_by(fetch.c.ended_at.desc()).limit(1)
        ).first()
        if (
            last is not None
            and last.items == 0
            and last.set_aside == 0
            and last.error_kind is None
            and last.cost == 0
            and last.worker == worker
            and _span(last.started_at) == _span(line.started_at)
        ):
            connection.execute(
                update(fetch)
                .where(fetch.c.id == last.id)
                .values(
                    ended_at=line.ended_at,
                    window_to=line.window[1] if line.window else None,
                    fetches=last.fetches + 1,
                    seconds=max(last.seconds, seconds),
                    rate_left=line.rate_left,
                )
            )
            return
    connection.execute(
        insert(fetch).values(
            id=new_id(line.ended_at),
            source_id=source_id,
            worker=worker,
            started_at=line.started_at,
            ended_at=line.ended_at,
            window_from=line.window[0] if line.window else None,
            window_to=line.window[1] if line.window else None,
            fetches=1,
            seconds=seconds,
            items=line.items,
            new_items=line.new_items,
            set_aside=line.set_aside,
            cost=line.cost,
            rate_left=line.rate_left,
            error_kind=line.error_kind,
            error=line.error,
        )
    )


def _span(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) // QUIET_SPAN)


def cover(connection: Connection, source_id: int, span: tuple[datetime, datetime], *, joins_all: bool) -> None:
    """Remember that a source was asked for this span, joined with those it touches (`joins_all`: with every one)."""
    start, end = span
    touching = select(coverage).where(coverage.c.source_id == source_id)
    if not joins_all:
        touching = touching.where(coverage.c.covered_from <= end, coverage.c.covered_to >= start)
    rows = connection.execute(touching).all()
    if len(rows) == 1 and rows[0].covered_from <= start:
        if rows[0].covered_to < end:
            connection.execute(
                update(coverage)
                .where(coverage.c.source_id == source_id, coverage.c.covered_from == rows[0].covered_from)
                .values(covered_to=end)
            )
        return
    if rows:
        connection.execute(
            delete(coverage).where(coverage.c.source_id == source_id, coverage.c.covered_from == bindparam("at")),
            [{"at": row.covered_from} for row in rows],
        )
    joined = (min([start, *(r.covered_from for r in rows)]), max([end, *(r.covered_to for r in rows)]))
    connection.execute(insert(coverage).values(source_id=source_id, covered_from=joined[0], covered_to=joined[1]))
