"""The rows behind a figure: what they were counted as and why some were left out, page by page, newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.correction_fields import PERSON
from models.database import time_id
from models.errors import InputError
from models.mentions import ROW_LIMIT, Params, filtered, marks
from models.organisation import UNKNOWN
from models.tables.base import from_microseconds

# So many rows stand behind a figure at most, the newest; and so many come at once.
MOST = 5_000
PAGE = 100
# A part is looked for in walks of so many rows, until a page is full or ROW_LIMIT rows were looked at.
WALK = 2_000
MOST_APART = 16


@dataclass(frozen=True, slots=True)
class Kinds:
    """Of the newest rows of a scope, `rows` in all: how many are what. `partial` where there were more than ROW_LIMIT.

    `languages` holds what was not scored by language, most first, "" where none was recognised; `wordless` are not
    scored and have no text.
    """

    rows: int
    partial: bool
    deleted: int
    wordless: int
    languages: tuple[tuple[str, int], ...]
    without_followers: int


@dataclass(frozen=True, slots=True)
class Behind:
    """One row behind a figure. `set_by` names the person who set the sentiment, None where a model did or nobody."""

    brand_id: int
    id: int
    network_id: int
    posted_at: datetime
    received_at: datetime
    author: str | None
    followers: int | None
    text: str
    language: str | None
    sentiment: int | None
    score: float | None
    scored_by: str | None
    set_by: str | None
    location_id: int
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the id before which the next ones stand; None at the end of what is shown."""

    rows: tuple[Behind, ...]
    before_id: int | None


PARTS: Mapping[str, Callable[[Any], bool]] = {
    "all": lambda row: True,
    "positive": lambda row: row.sentiment == 1,
    "neutral": lambda row: row.sentiment == 0,
    "negative": lambda row: row.sentiment == -1,
    "scored": lambda row: row.sentiment is not None,
    "unscored": lambda row: row.sentiment is None,
    "deleted": lambda row: row.deleted_at is not None,
    "silent": lambda row: not row.author_followers,
}

_COLUMNS = (
    "m.brand_id, m.id, m.network_id, m.external_id, m.posted_at, m.received_at, m.author_handle, m.author_name,"
    " m.author_followers, m.text, m.language, m.sentiment, m.sentiment_score, m.sentiment_by, m.location_id,"
    " m.deleted_at"
)


def kinds(connection: Connection, scope: Scope, window: Window, *, total: int) -> Kinds:
    """Counted in one walk over the newest rows of a scope, at most ROW_LIMIT; `total` = as many as the rollups say."""
    # Where all are wanted nothing has to be merged by time: a walk a brand costs a third.
    apart = total <= ROW_LIMIT and len(scope.brand_ids) <= MOST_APART
    walks = [(brand_id,) for brand_id in scope.brand_ids] if apart else [scope.brand_ids]
    rows = [row for brand_ids in walks for row in _kinds(connection, scope, brand_ids, window)]
    counted = sum(row.n for row in rows)
    languages: dict[str, int] = {}
    for row in rows:
        if row.unscored and not row.wordless:
            languages[row.language or ""] = languages.get(row.language or "", 0) + row.n
    return Kinds(
        rows=counted,
        partial=total > counted,
        deleted=sum(row.n for row in rows if row.deleted),
        wordless=sum(row.n for row in rows if row.unscored and row.wordless),
        languages=tuple(sorted(languages.items(), key=lambda item: (-item[1], item[0]))),
        without_followers=sum(row.n for row in rows if row.silent),
    )


def _kinds(connection: Connection, scope: Scope, brand_ids: Sequence[int], window: Window) -> Sequence[Any]:
    params: Params = {}
    columns = "m.author_followers, m.language, m.sentiment, m.deleted_at, m.text"
    inner = filtered(connection, scope, brand_ids, window, params, columns=columns, limit=ROW_LIMIT)
    return connection.execute(
        text(
            "select language, sentiment is null as unscored, deleted_at is not null as deleted,"  # noqa: S608
            " text = '' as wordless, coalesce(author_followers, 0) = 0 as silent, count(*) as n"
            f" from ({inner}) as counted group by 1, 2, 3, 4, 5"
        ),
        params,
    ).all()


def authors(connection: Connection, scope: Scope, window: Window) -> int:
    """How many authors with known followers the newest ROW_LIMIT rows of a scope have, each (network, author) once."""
    params: Params = {}
    columns = "m.network_id, m.author_key, m.author_followers"
    inner = filtered(connection, scope, scope.brand_ids, window, params, columns=columns, limit=ROW_LIMIT)
    return int(
        connection.execute(
            text(
                "select count(*) from (select distinct network_id, author_key"  # noqa: S608
                f" from ({inner}) as counted where author_followers > 0) as authors"
            ),
            params,
        ).scalar_one()
    )


def hidden(connection: Connection, scope: Scope, window: Window) -> int | None:
    """How many mentions somebody hid, which took them out of the brands of a scope; ROW_LIMIT at most.

    None for a scope that they cannot be told of any more: a team, since they lost theirs, and a search.
    """
    if scope.team_ids is not None or scope.search:
        return None
    params: Params = {}
    found = _hidden(scope, window, params, limit=ROW_LIMIT)
    return int(connection.execute(text(f"select count(*) from ({found}) as hidden"), params).scalar_one())  # noqa: S608


def page(
    connection: Connection, scope: Scope, window: Window, *, part: str, before_id: int | None = None, shown: int = 0
) -> Page:
    """The next rows of a part ("all", "negative" ...) before an id, of which `shown` came already.

    InputError for a part that there is not.
    """
    most = min(PAGE, MOST - shown)
    if most <= 0:
        return Page((), None)
    if part not in PARTS:
        raise InputError(f'no part "{part}" of a figure; known: {", ".join(PARTS)}')
    ids = _ids(connection, scope, window, PARTS[part], before_id, most + 1)
    rows = _rows(connection, scope, ids[:most])
    goes_on = len(ids) > most and shown + most < MOST
    return Page(rows, ids[most - 1] if goes_on else None)


def _ids(
    connection: Connection,
    scope: Scope,
    window: Window,
    is_in: Callable[[Any], bool],
    before_id: int | None,
    most: int,
) -> list[int]:
    found: list[int] = []
    walk = most if is_in is PARTS["all"] else WALK
    for _ in range(ROW_LIMIT // walk):
        params: Params = {} if before_id is None else {"before_id": before_id}
        columns = "m.id, m.sentiment, m.deleted_at, m.author_followers"
        statement = filtered(connection, scope, scope.brand_ids, window, params, columns=columns, limit=walk)
        rows = connection.execute(text(statement), params).all()
        found += [row.id for row in rows if is_in(row)]
        if len(found) >= most or len(rows) < walk:
            break
        before_id = rows[-1].id
    return found[:most]


def _hidden(scope: Scope, window: Window, params: Params, *, limit: int) -> str:
    """The ids of what stands hidden among the posts of no brand and was taken out of the brands of a scope.

    Marks are few, so they are walked and not the mentions.
    """
    params |= {"first_mark": time_id(window.start, 0), "last_mark": time_id(window.end, -1), "most": limit}
    params["nobody"] = UNKNOWN
    where = ""
    for column, chosen in (("m.location_id", scope.location_ids), ("m.network_id", scope.network_ids)):
        if chosen is not None:
            where += f" and {column} in ({marks(params, chosen)})"
    return (
        "select m.id from mention_mark k join mention m on m.brand_id = k.brand_id and m.id = k.mention_id"  # noqa: S608
        " where k.brand_id = :nobody and k.mark = 'hidden'"
        f" and k.mention_id >= :first_mark and k.mention_id <= :last_mark{where} and exists (select 1 from correction c"
        f" where c.brand_id in ({marks(params, scope.brand_ids)}) and c.network_id = m.network_id"
        " and c.external_id = m.external_id and c.field = 'brand' and c.after = :nobody) limit :most"
    )


def _rows(connection: Connection, scope: Scope, ids: Sequence[int]) -> tuple[Behind, ...]:
    if not ids:
        return ()
    params: Params = {}
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from mention m where m.brand_id in ({marks(params, scope.brand_ids)})"  # noqa: S608
            f" and m.id in ({marks(params, ids)}) order by m.id desc"
        ),
        params,
    ).all()
    people = _people(connection, [row for row in rows if row.sentiment_by == PERSON])
    return tuple(
        Behind(
            brand_id=row.brand_id,
            id=row.id,
            network_id=row.network_id,
            posted_at=from_microseconds(row.posted_at),
            received_at=from_microseconds(row.received_at),
            author=row.author_name or row.author_handle,
            followers=row.author_followers,
            text=row.text,
            language=row.language,
            sentiment=row.sentiment,
            score=row.sentiment_score,
            scored_by=row.sentiment_by,
            set_by=people.get((row.network_id, row.external_id), "a person") if row.sentiment_by == PERSON else None,
            location_id=row.location_id,
            is_deleted=row.deleted_at is not None,
        )
        for row in rows
    )


def _people(connection: Connection, rows: Sequence[Any]) -> dict[tuple[int, str], str]:
    """Who set the sentiment of a post last, by (network, external id): it may have moved between brands since."""
    if not rows:
        return {}
    params: Params = {}
    found = connection.execute(
        text(
            "select network_id, external_id, actor from correction"  # noqa: S608
            f" where brand_id in ({marks(params, {row.brand_id for row in rows})})"
            f" and network_id in ({marks(params, {row.network_id for row in rows})})"
            f" and external_id in ({marks(params, [row.external_id for row in rows])})"
            " and field = 'sentiment' order by at, id"
        ),
        params,
    )
    return {(row.network_id, row.external_id): row.actor for row in found}


def of_brands(scope: Scope, brand_ids: Sequence[int]) -> Scope:
    """The same scope about other brands; the caller has made sure that the person may read them."""
    return replace(scope, brand_ids=tuple(sorted(brand_ids)))
