"""Reading mentions: the newest of a scope, and the rows behind a figure that no rollup holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.database import time_id
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables.base import from_microseconds, to_microseconds

# A figure that needs rows counts at most this many, the newest, and says so.
ROW_LIMIT = 50_000
# Above this many (brand, location) pairs one walk down each brand beats one walk down each pair.
MOST_PAIRS = 64
# SQLite joins at most 500 selects; beyond, one walk down all that there is looks for the brands.
MOST_WALKS = 200
EXPORT_PAGE = 2_000

Params = dict[str, Any]

_COLUMNS = (
    "m.brand_id, m.id, m.network_id, m.external_id, m.posted_at, m.received_at, m.kind, m.author_handle,"
    " m.author_name, m.author_followers, m.text, m.url, m.language, m.sentiment, m.place, m.location_id, m.team_id,"
    " m.media, m.matched, m.likes, m.replies, m.reposts"
)
_DOCUMENT = (
    "to_tsvector('simple', m.text || ' ' || coalesce(m.author_handle, '') || ' ' || coalesce(m.author_name, ''))"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One mention as a screen shows it. `matched` = the words its brand's rule found; None = the network is silent."""

    brand_id: int
    id: int
    network_id: int
    external_id: str
    posted_at: datetime
    received_at: datetime
    kind: str
    author_handle: str | None
    author_name: str | None
    author_followers: int | None
    text: str
    url: str | None
    language: str | None
    sentiment: int | None
    place: str | None
    location_id: int
    team_id: int
    media: tuple[tuple[str, str], ...]
    matched: tuple[str, ...]
    likes: int | None
    replies: int | None
    reposts: int | None


def newest(
    connection: Connection, scope: Scope, window: Window, *, limit: int = 50, before_id: int | None = None
) -> tuple[Shown, ...]:
    """The newest `limit` mentions of a scope inside the window (and older than `before_id`), newest first."""
    params: Params = {} if before_id is None else {"before_id": before_id}
    statement = filtered(connection, scope, scope.brand_ids, window, params, columns=_COLUMNS, limit=limit)
    return tuple(_shown(row) for row in connection.execute(text(statement), params))


def last_posted_at(connection: Connection, scope: Scope) -> datetime | None:
    """When the newest mention of a scope was posted, however long ago; None where there never was one."""
    params: Params = {}
    statement = filtered(connection, scope, scope.brand_ids, None, params, columns="m.id, m.posted_at", limit=1)
    row = connection.execute(text(statement), params).first()
    return None if row is None else from_microseconds(row[1])


def marks(params: Params, values: Iterable[Any]) -> str:
    """Bind `values` into `params` and return their marks, for an IN list; nothing is in an empty one."""
    names = []
    for value in values:
        name = f"p{len(params)}"
        params[name] = value
        names.append(f":{name}")
    return ", ".join(names) or "null"


def search_phrases(search: str) -> tuple[str, ...]:
    """The words and "quoted phrases" of a search; a mention must hold every one of them.

    They are kept as they were typed: each database cuts them into words as it cut the texts. What holds no letter and
    no digit is left out.
    """
    typed = search.replace("\0", " ").encode("utf-8", "ignore").decode()
    found = re.findall(r'"([^"]*)"|([^\s"]+)', typed)
    phrases = (" ".join((quoted or word).split()) for quoted, word in found)
    return tuple(phrase for phrase in phrases if any(map(str.isalnum, phrase)))


def filtered(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    window: Window | None,
    params: Params,
    *,
    columns: str,
    limit: int,
) -> str:
    """The SQL of the newest `limit` rows of a scope, aliased `m`, newest first.

    One index walk per brand (and location), merged: `IN (...) ORDER BY ... LIMIT` sorts everything that matches.
    `columns` must hold m.posted_at, or m.id, or be aggregated by the caller.
    """
    span = _span(window, params) + (" and m.id < :before_id" if "before_id" in params else "")
    phrases = search_phrases(scope.search)
    if scope.search and not phrases:
        span += " and 1 = 0"
    rest = span + _in(params, "m.network_id", scope.network_ids) + _in(params, "m.team_id", scope.team_ids)
    params["limit"] = limit
    if phrases:
        return _searched(connection, phrases, brand_ids, scope, rest, params, columns)
    locations = scope.location_ids
    if locations is None or len(locations) * len(brand_ids) > MOST_PAIRS:
        rest += _in(params, "m.location_id", locations)
        walks = [f"m.brand_id = {int(brand)}{rest}" for brand in brand_ids]
        if len(walks) > MOST_WALKS:
            walks = [f"m.brand_id in ({marks(params, brand_ids)}){rest}"]
    else:
        walks = [
            f"m.brand_id = {int(brand)} and m.location_id = {int(place)}{rest}"
            for brand in brand_ids
            for place in locations
        ]
    if not walks:
        walks = ["1 = 0"]
    if len(walks) == 1:
        return f"select {columns} from mention m where {walks[0]} order by m.id desc limit :limit"  # noqa: S608
    parts = [
        f"select * from (select m.id from mention m where {walk} order by m.id desc limit :limit) as w{i}"  # noqa: S608
        for i, walk in enumerate(walks)
    ]
    return (
        f"select {columns} from mention m where m.brand_id in ({', '.join(str(int(b)) for b in brand_ids)})"  # noqa: S608
        f" and m.id in (select id from ({' union all '.join(parts)}) as walks order by id desc limit :limit)"
        " order by m.id desc limit :limit"
    )


def _searched(
    connection: Connection,
    phrases: tuple[str, ...],
    brand_ids: Sequence[int],
    scope: Scope,
    rest: str,
    params: Params,
    columns: str,
) -> str:
    brands = f"m.brand_id in ({marks(params, brand_ids)})"
    rest += _in(params, "m.location_id", scope.location_ids)
    if connection.dialect.name == "sqlite":
        params["match"] = " AND ".join(f'"{phrase}"' for phrase in phrases)
        # Walks the hits from the newest rowid down and stops at the limit.
        return (
            f"select {columns} from mention_text t join mention m on m.id = t.rowid"  # noqa: S608
            f" where t.mention_text match :match and {brands}{rest.replace('m.id', 't.rowid')}"
            " order by t.rowid desc limit :limit"
        )
    queries = []
    for phrase in phrases:
        mark = marks(params, [phrase])
        queries.append(f"phraseto_tsquery('simple', {mark})")
    return (
        f"select {columns} from mention m where {_DOCUMENT} @@ ({' && '.join(queries)})"  # noqa: S608
        f" and {brands}{rest} order by m.id desc limit :limit"
    )


def _span(window: Window | None, params: Params) -> str:
    if window is None:
        return ""
    params["first_id"] = time_id(window.start, 0)
    if window.live:
        return " and m.id >= :first_id"
    params["last_id"] = time_id(window.end, 0)
    params["last_at"] = to_microseconds(window.end)
    params["past_id"] = params["last_id"] | ((1 << 22) - 1)
    return " and m.id >= :first_id and m.id <= :past_id and m.posted_at < :last_at"


def _in(params: Params, column: str, chosen: Sequence[int] | None) -> str:
    return "" if chosen is None else f" and {column} in ({marks(params, chosen)})"


def _shown(row: Any) -> Shown:
    return Shown(
        brand_id=row[0],
        id=row[1],
        network_id=row[2],
        external_id=row[3],
        posted_at=from_microseconds(row[4]),
        received_at=from_microseconds(row[5]),
        kind=row[6],
        author_handle=row[7],
        author_name=row[8],
        author_followers=row[9],
        text=row[10],
        url=row[11],
        language=row[12],
        sentiment=row[13],
        place=row[14],
        location_id=row[15],
        team_id=row[16],
        media=tuple((kind, alt) for kind, alt in _json(row[17])),
        matched=tuple(_json(row[18])),
        likes=row[19],
        replies=row[20],
        reposts=row[21],
    )


def _json(value: Any) -> list[Any]:
    # Read with plain SQL: SQLite hands the text over, psycopg the list.
    if value is None:
        return []
    return list(json.loads(value)) if isinstance(value, str) else list(value)


def export_rows(
    connection: Connection, scope: Scope, window: Window, organisation: Organisation
) -> Iterator[dict[str, Any]]:
    """Every mention of a scope in a window with keys instead of numbers, brand by brand, newest first."""
    locations = {item.id: item.key for item in organisation.locations}
    teams = {item.id: item.key for item in organisation.teams}
    brands = {item.id: item.key for item in organisation.brands}
    for brand_id in scope.brand_ids:
        before_id: int | None = None
        while True:
            of_brand = replace(scope, brand_ids=(brand_id,))
            page = newest(connection, of_brand, window, limit=EXPORT_PAGE, before_id=before_id)
            for item in page:
                yield {
                    "brand": brands.get(item.brand_id),
                    "id": str(item.id),
                    "network": BY_ID[item.network_id].key,
                    "external_id": item.external_id,
                    "posted_at": item.posted_at.isoformat(),
                    "received_at": item.received_at.isoformat(),
                    "kind": item.kind,
                    "author": item.author_handle,
                    "author_name": item.author_name,
                    "followers": item.author_followers,
                    "text": item.text,
                    "url": item.url,
                    "language": item.language,
                    "sentiment": item.sentiment,
                    "place": item.place,
                    "location": locations.get(item.location_id),
                    "team": teams.get(item.team_id),
                    "likes": item.likes,
                    "replies": item.replies,
                    "reposts": item.reposts,
                }
            if len(page) < EXPORT_PAGE:
                break
            before_id = page[-1].id
