"""Reading mentions: the newest of a scope, and the rows behind a figure that no rollup holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from models import search as text_search
from models import search_index
from models.access import Scope, Window
from models.database import EARLIEST, MILLISECOND, instant_of, time_id
from models.networks import BY_ID
from models.organisation import Organisation
from models.spans import Span, since, spans
from models.tables.base import from_microseconds, to_microseconds

# A figure that needs rows counts at most this many, the newest, and says so.
ROW_LIMIT = 50_000
# Above this many (brand, location) pairs one walk down each brand beats one walk down each pair.
MOST_PAIRS = 64
# SQLite joins at most 500 selects; beyond, one walk down all that there is looks for the brands.
MOST_WALKS = 200
EXPORT_PAGE = 2_000
# So many rows are worth a look at where the newest of several brands or places together begin.
MANY = 500
# How far back the last mention of a part of a brand is looked for first.
RECENT = timedelta(days=35)
# So little is walked down as soon as it is known where in it to look.
SHORT = timedelta(hours=2)
# So many more posts than asked for are read at first (a twentieth, and twenty): most that the index proposes hold.
SLACK = 20
# Where the index says nothing each post is asked by itself, and few of them hold.
FIRST_WALK = 1_000
# Set by `filtered` in its params where a search did not look at older rows any more.
CUT_SHORT = "cut_short"
LARGEST_ID = 2**63 - 1

Params = dict[str, Any]

COLUMNS = (
    "m.brand_id, m.id, m.network_id, m.external_id, m.posted_at, m.received_at, m.kind, m.author_handle,"
    " m.author_name, m.author_followers, m.text, m.url, m.language, m.sentiment, m.place, m.location_id, m.team_id,"
    " m.media, m.matched, m.likes, m.replies, m.reposts"
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
    statement = filtered(connection, scope, scope.brand_ids, window, params, columns=COLUMNS, limit=limit)
    return tuple(shown(row) for row in connection.execute(text(statement), params))


def last_posted_at(connection: Connection, scope: Scope) -> datetime | None:
    """When the newest mention of a scope was posted, however long ago; None where there never was one."""
    latest = _latest(connection, Scope(scope.brand_ids, scope.brand_ids), None)
    if latest is None:
        return None
    # What was said lately is found in a few cells; only what was not is looked for in all that there ever was.
    recent = Window("recent", latest - RECENT, latest, 0, live=True)
    return _latest(connection, scope, recent) or _latest(connection, scope, None)


def _latest(connection: Connection, scope: Scope, window: Window | None) -> datetime | None:
    params: Params = {}
    statement = filtered(connection, scope, scope.brand_ids, window, params, columns="m.id, m.posted_at", limit=1)
    row = connection.execute(text(statement), params).first()
    return None if row is None else from_microseconds(row[1])


def marks(params: Params, values: Iterable[Any]) -> str:
    """What stands in an IN list for `values`: a whole number itself, which costs nothing to bind; nothing if empty."""
    listed = []
    for value in values:
        listed.append(str(value) if type(value) is int else f":p{len(params)}")
        params |= {} if type(value) is int else {f"p{len(params)}": value}
    return ", ".join(listed) or "null"


def search_phrases(search: str) -> tuple[str, ...]:
    """The words and phrases that a search looks for, as its matches are marked on a screen."""
    return text_search.words(search)


def filtered(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    window: Window | None,
    params: Params,
    *,
    columns: str,
    limit: int,
    also: str = "",
) -> str:
    """The SQL of the newest `limit` rows of a scope, aliased `m`, newest first; `also` is a condition more on each.

    One index walk per brand (and location), merged: `IN (...) ORDER BY ... LIMIT` sorts everything that matches.
    `columns` must hold m.posted_at, or m.id, or be aggregated by the caller.
    """
    span = _span(window, params) + (" and m.id < :before_id" if "before_id" in params else "")
    rest = span + _in(params, "m.network_id", scope.network_ids) + _in(params, "m.team_id", scope.team_ids)
    rest += f" and {also}" if also else ""
    params["limit"] = limit
    if scope.search:
        return _searched(connection, brand_ids, scope, rest, params, columns, limit)
    few = _few(connection, scope, brand_ids, window, params, LARGEST_ID if also else limit)
    if few is not None:
        return _in_spans(connection, brand_ids, few, rest, params, columns)
    if scope.location_ids is not None and window is not None and window.end - window.start <= SHORT:
        # What lies in so short a span is sorted sooner than a walk for each brand and place is made ready.
        rest = f"m.brand_id in ({marks(params, brand_ids)}){_in(params, 'm.location_id', scope.location_ids)}{rest}"
        return f"select {columns} from mention m where {rest} order by m.id desc limit :limit"  # noqa: S608
    if limit >= MANY and window is not None and not also and "before_id" not in params:
        begins = since(connection, scope, brand_ids, window, limit=limit) or window.start
        params["first_id"] = max(params["first_id"], time_id(begins, 0))
    # Where the index of places decides on the rows too, many short walks beat few long ones.
    most = MOST_PAIRS if scope.team_ids is None and scope.network_ids is None else MOST_WALKS
    return _walked(brand_ids, scope.location_ids, rest, params, columns, most_pairs=most)


def _few(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    window: Window | None,
    params: Params,
    limit: int,
) -> list[Span] | None:
    """Where the mentions of a team or network lie that are few among those of its brands; None where they are not.

    Those of a place are found by its index.
    """
    if (scope.team_ids is None and scope.network_ids is None) or scope.location_ids is not None:
        return None
    if window is None:
        window = Window("ever", EARLIEST, EARLIEST, 0, live=True)
    elif window.end - window.start <= SHORT:
        return None
    if "before_id" in params:
        window = replace(window, end=instant_of(params["before_id"]) + MILLISECOND, live=False)
    return spans(connection, scope, brand_ids, window, limit=limit)


def _in_spans(
    connection: Connection, brand_ids: Sequence[int], few: Sequence[Span], rest: str, params: Params, columns: str
) -> str:
    """The newest rows that lie in some spans of ids."""
    # The index is walked from where a span begins, and not from where the window does.
    rest = rest.replace(" m.id ", " +m.id ")
    if connection.dialect.name == "sqlite":
        params["spans"] = json.dumps(few)
        relation = (
            "(select value ->> 0 as brand_id, value ->> 1 as first_id, value ->> 2 as past_id from json_each(:spans))"
        )
    else:
        params |= {f"span_{n}": [span[n] for span in few] for n in range(3)}
        arrays = ", ".join(f"cast(:span_{n} as bigint[])" for n in range(3))
        relation = f"(select * from unnest({arrays}) as u(brand_id, first_id, past_id))"  # noqa: S608
    return _rows_of(
        f"select m.brand_id, m.id from {relation} s cross join mention m where m.brand_id = s.brand_id"  # noqa: S608
        f" and m.id >= s.first_id and m.id < s.past_id{rest} order by m.id desc limit :limit",
        brand_ids,
        columns,
    )


def _walked(
    brand_ids: Sequence[int],
    locations: tuple[int, ...] | None,
    rest: str,
    params: Params,
    columns: str,
    *,
    most_pairs: int = MOST_PAIRS,
) -> str:
    if locations is None or len(locations) * len(brand_ids) > most_pairs:
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
        f"select * from (select m.brand_id, m.id from mention m where {walk} order by m.id desc limit :limit) as w{i}"  # noqa: S608
        for i, walk in enumerate(walks)
    ]
    return _rows_of(
        f"select brand_id, id from ({' union all '.join(parts)}) as walks order by id desc limit :limit",  # noqa: S608
        brand_ids,
        columns,
    )


def _rows_of(keys: str, brand_ids: Sequence[int], columns: str) -> str:
    """The rows of (brand_id, id), newest first. The join begins with them, whatever index holds all of the columns."""
    return (
        f"select {columns} from ({keys}) as w cross join mention m"  # noqa: S608
        f" where m.brand_id in ({', '.join(str(int(b)) for b in brand_ids)})"
        " and m.brand_id = w.brand_id and m.id = w.id order by m.id desc limit :limit"
    )


def _searched(
    connection: Connection,
    brand_ids: Sequence[int],
    scope: Scope,
    rest: str,
    params: Params,
    columns: str,
    limit: int,
) -> str:
    """The rows that a search finds, by their ids: which those are is decided row by row, not by the database."""
    asked = text_search.read(scope.search)
    candidates, first = _candidates(connection, brand_ids, scope, rest, dict(params), limit)
    found = text_search.found(candidates, asked, limit=limit, first=first, most=ROW_LIMIT + 1)
    params[CUT_SHORT] = found.is_part
    brands = f"m.brand_id in ({marks(params, brand_ids)})"
    if connection.dialect.name == "sqlite":
        params["ids"] = json.dumps(found.ids)
        ids = "select value from json_each(:ids)"
    else:
        params["ids"] = list(found.ids)
        ids = "select unnest(cast(:ids as bigint[]))"
    return f"select {columns} from mention m where {brands} and m.id in ({ids}) order by m.id desc limit :limit"  # noqa: S608


def _candidates(
    connection: Connection, brand_ids: Sequence[int], scope: Scope, rest: str, params: Params, limit: int
) -> tuple[Callable[[int, int | None], Sequence[Any]], int]:
    """Pages of what a search may find, newest first, and how long the first one is."""
    sieve = search_index.sieve(
        text_search.read(scope.search).rule, connection.dialect.name, lambda value: marks(params, [value])
    )
    rest += " and m.id < :page_before" + (f" and {sieve.plain}" if sieve.plain else "")
    columns, first = text_search.COLUMNS, limit + limit // SLACK + SLACK
    if not sieve.index:
        statement = _walked(brand_ids, scope.location_ids, rest, params, columns)
        first = max(first, FIRST_WALK)
    else:
        rest += _in(params, "m.location_id", scope.location_ids)
        brands = f"m.brand_id in ({marks(params, brand_ids)})"
        table = "mention m"
        if connection.dialect.name == "sqlite":
            # Walks the hits from the newest rowid down and stops at the limit.
            table = "mention_text t join mention m on m.id = t.rowid"
            rest = rest.replace("m.id", "t.rowid")
        order = "t.rowid" if connection.dialect.name == "sqlite" else "m.id"
        statement = (
            f"select {columns} from {table} where {sieve.index} and {brands}{rest} order by {order} desc limit :limit"  # noqa: S608
        )
    asked = text(statement)

    def page(size: int, before_id: int | None) -> Sequence[Any]:
        newest_id = LARGEST_ID if before_id is None else before_id
        return connection.execute(asked, params | {"limit": size, "page_before": newest_id}).all()

    return page, first


def _span(window: Window | None, params: Params) -> str:
    if window is None:
        return ""
    params["first_id"] = time_id(window.start, 0)
    if window.live:
        return " and m.id >= :first_id"
    params["past_id"] = time_id(window.end, 0)
    params["last_at"] = to_microseconds(window.end)
    if params["last_at"] % 1_000 == 0:
        # An id carries its instant to the millisecond, so that the index alone decides.
        return " and m.id >= :first_id and m.id < :past_id"
    # Those of the last millisecond alone are asked when they were posted.
    params["edge_id"], params["past_id"] = params["past_id"], params["past_id"] | (1 << 22) - 1
    return " and m.id >= :first_id and m.id <= :past_id and (m.id < :edge_id or m.posted_at < :last_at)"


def _in(params: Params, column: str, chosen: Sequence[int] | None) -> str:
    return "" if chosen is None else f" and {column} in ({marks(params, chosen)})"


def shown(row: Any) -> Shown:
    """One row of COLUMNS; what stands behind them is another's."""
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
    search = text_search.read(scope.search) if scope.search else None
    for brand_id in scope.brand_ids:
        before_id: int | None = None
        while True:
            of_brand = replace(scope, brand_ids=(brand_id,), search="")
            page = newest(connection, of_brand, window, limit=EXPORT_PAGE, before_id=before_id)
            for item in page:
                # Asked here, since a search for a screen ends after ROW_LIMIT rows.
                if search and not search.holds(item.text, item.author_handle, item.language, item.network_id):
                    continue
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
