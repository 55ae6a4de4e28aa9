"""What a feed shows: the newest mentions of a scope, filtered, copies of one text once, with what each of them answers.

Filters have no index, on purpose: they walk down the newest mentions until the page is full, and give up after LOOKED
of them, which the answer says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from models import mention_marks
from models.access import Scope, Window
from models.bulk import asked
from models.mentions import COLUMNS, CUT_SHORT, MOST_PAIRS, Params, Shown, filtered, marks, shown
from models.organisation import UNKNOWN

# From so many followers on a mention reaches many.
HIGH_REACH = 10_000
# What a filter that matches rarely walks down, and what the order by reach is made of.
LOOKED = 10_000
LOOKED_BY_REACH = 5_000
# Each walk (a brand, or a place of one) reads so many rows of the index at most; together they stay below a tenth of
# a second.
FEWEST_LOOKED = 1_000
MOST_ENTRIES = 100_000
FIRST_PAGE = 500
GROWTH = 2
# Without a filter only copies make a page shorter: it is filled up so many times.
REFILLS = 4
SMALLEST_REFILL = 20
# Of the highest, some are copies of each other.
MOST_FOLDED = 8
# Of a larger group it is said that it is larger.
MOST_ACCOUNTS = 1_000
OPENER_SHOWN = 140

Key = tuple[int, int]
"""(brand, mention)."""
Group = tuple[int, int, bool]
"""(brand, group of copies, True), or (brand, mention, False) for what belongs to none."""
Post = tuple[int, int, str]
"""(brand, network, external id)."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a feed is narrowed to beside its scope, and its order: by age, or by reach."""

    negative: bool = False
    high_reach: bool = False
    unmatched: bool = False
    languages: tuple[str, ...] = ()
    by_reach: bool = False
    needs_reply: bool = False

    @property
    def narrows(self) -> bool:
        """Whether a mention of the scope can be left out."""
        return self.negative or self.high_reach or self.needs_reply or bool(self.languages)

    def applied(self, scope: Scope) -> Scope:
        """The scope that is read: posts of no brand stand in none of its brands."""
        return replace(scope, brand_ids=(UNKNOWN,), tracked_ids=(UNKNOWN,)) if self.unmatched else scope


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Copies:
    """How often a text was said, by how many accounts; `are_more` = by more than that."""

    count: int
    accounts: int
    are_more: bool = False


@dataclass(frozen=True, slots=True)
class Opener:
    """What a mention answers: directly, or (`is_root`) the post that its conversation began with.

    `account_id` is ours, where one of ours said it; `author` and `text` are None where nothing is stored of it.
    """

    author: str | None = None
    text: str | None = None
    account_id: int | None = None
    is_root: bool = False


@dataclass(frozen=True, slots=True)
class More:
    """What a card says beyond the mention itself."""

    is_deleted: bool = False
    is_edited: bool = False
    copies: Copies | None = None
    opener: Opener | None = None
    is_on_walls: bool = False


NOTHING_MORE = More()


@dataclass(frozen=True, slots=True)
class Cards:
    """The mentions of a feed in its order; `looked` at so many, `is_part` where older ones were not looked at."""

    shown: tuple[Shown, ...]
    more: Mapping[Key, More]
    looked: int
    is_part: bool


@dataclass(frozen=True, slots=True)
class CardRow:
    """A mention with what its card is made of."""

    shown: Shown
    copy_id: int | None
    reply_to: str | None
    is_deleted: bool
    is_edited: bool

    @property
    def key(self) -> Key:
        """(brand, mention)."""
        return self.shown.brand_id, self.shown.id

    @property
    def post(self) -> Post:
        """(brand, network, external id)."""
        return self.shown.brand_id, self.shown.network_id, self.shown.external_id


def cards(
    connection: Connection,
    scope: Scope,
    window: Window,
    filters: Filters = NO_FILTERS,
    *,
    limit: int,
    waiting: Collection[int] = (),
) -> Cards:
    """At most `limit` cards of a scope inside the window, newest first or by reach.

    `waiting` are the mentions that need a reply, for the filter that shows those alone (models/mention_cases.py).
    """
    scope = filters.applied(scope)
    if filters.narrows or filters.by_reach:
        folded: dict[Key, Copies] = {}
        keys, looked, is_part = _picked(connection, scope, window, filters, limit, waiting)
        by_key = {row.key: row for row in rows_of(connection, keys)}
        found = [by_key[key] for key in keys if key in by_key]
    else:
        found, folded, looked = _newest(connection, scope, window, limit)
        is_part = False
    return Cards(tuple(row.shown for row in found), _more(connection, scope, found, folded), looked, is_part)


def cards_of(connection: Connection, scope: Scope, rows: Sequence[CardRow]) -> Cards:
    """The same of rows that were found otherwise."""
    return Cards(tuple(row.shown for row in rows), _more(connection, scope, rows, {}), len(rows), False)


def _newest(
    connection: Connection, scope: Scope, window: Window, limit: int
) -> tuple[list[CardRow], dict[Key, Copies], int]:
    """The newest of each group of copies; how many copies of it stand among those that were read."""
    kept: dict[Group, CardRow] = {}
    authors: dict[Group, list[Any]] = {}
    before_id: int | None = None
    size, looked = limit, 0
    for refill in range(REFILLS + 1):
        page = _page(connection, scope, window, before_id, size)
        looked += len(page)
        for row in page:
            group = _group(row.shown.brand_id, row.shown.id, row.copy_id)
            if group not in kept and len(kept) == limit:
                continue
            kept.setdefault(group, row)
            authors.setdefault(group, []).append((row.shown.network_id, row.shown.author_handle))
        if len(kept) == limit or len(page) < size:
            break
        before_id, size = page[-1].shown.id, max(2 * (limit - len(kept)), SMALLEST_REFILL) << refill
    folded = {kept[group].key: Copies(len(said), len(set(said))) for group, said in authors.items() if len(said) > 1}
    return list(kept.values()), folded, looked


def _group(brand_id: int, mention_id: int, copy_id: int | None) -> Group:
    return (brand_id, mention_id, False) if copy_id is None else (brand_id, copy_id, True)


_CARD = f"{COLUMNS}, m.copy_id, m.reply_to, m.deleted_at, m.edited_at"


def _page(connection: Connection, scope: Scope, window: Window, before_id: int | None, size: int) -> list[CardRow]:
    params: Params = {} if before_id is None else {"before_id": before_id}
    statement = filtered(
        connection, scope, scope.brand_ids, window, params, columns=_CARD, limit=size, also=_not_hidden(scope)
    )
    return [_row(row) for row in connection.execute(text(statement), params)]


def _not_hidden(scope: Scope) -> str:
    # What is hidden stands among the posts of no brand.
    return mention_marks.IS_NOT_HIDDEN if UNKNOWN in scope.brand_ids else ""


def _row(row: Any) -> CardRow:
    copy_id, reply_to, deleted_at, edited_at = row[-4:]
    return CardRow(shown(row), copy_id, reply_to, deleted_at is not None, edited_at is not None)


def rows_of(connection: Connection, keys: Collection[Key]) -> list[CardRow]:
    """Mentions by their keys, in no order."""
    if not keys:
        return []
    relation, params = asked(connection, keys)
    statement = f"select {_CARD} from {relation} cross join mention m where m.brand_id = a.a0 and m.id = a.a1"  # noqa: S608
    return [_row(row) for row in connection.exec_driver_sql(statement, tuple(params))]


# -- filters -------------------------------------------------------------------------------------------------

_FACTS = "m.brand_id, m.id, m.copy_id, m.sentiment, m.author_followers, m.language"
# Newer first among equals: an id carries its instant.
_HIGHEST = "order by coalesce(author_followers, 0) desc, id desc limit :top"


def _picked(
    connection: Connection, scope: Scope, window: Window, filters: Filters, limit: int, waiting: Collection[int]
) -> tuple[list[Key], int, bool]:
    """The keys of what passes, in order; how many were looked at; whether older ones were not."""
    most = _most(scope, LOOKED_BY_REACH if filters.by_reach else LOOKED)
    keys: dict[Group, Key] = {}
    before_id: int | None = None
    looked, size, is_part = 0, most if filters.by_reach else min(FIRST_PAGE, most), False
    while True:
        count, last_id, is_cut, found = _walked(
            connection, scope, window, filters, waiting, before_id, size, MOST_FOLDED * limit
        )
        looked, is_part = looked + count, is_part or is_cut
        for brand_id, mention_id, copy_id in found:
            keys.setdefault(_group(brand_id, mention_id, copy_id), (brand_id, mention_id))
        if len(keys) >= limit and not filters.by_reach:
            return list(keys.values())[:limit], looked, False
        if count < size or looked >= most:
            # In the order of reach an older one could belong to the page too.
            return list(keys.values())[:limit], looked, is_part or count == size
        before_id, size = last_id, min(GROWTH * size, most - looked)


def _walked(
    connection: Connection,
    scope: Scope,
    window: Window,
    filters: Filters,
    waiting: Collection[int],
    before_id: int | None,
    size: int,
    top: int,
) -> tuple[int, int | None, bool, list[tuple[int, int, int | None]]]:
    """Of the next `size` mentions: how many there are, the last of them, whether a search gave up, and what passes."""
    params: Params = {} if before_id is None else {"before_id": before_id}
    newest = filtered(
        connection, scope, scope.brand_ids, window, params, columns=_FACTS, limit=size, also=_not_hidden(scope)
    )
    passes = ["1 = 1"]
    if filters.negative:
        passes.append("sentiment = -1")
    if filters.high_reach:
        passes.append(f"author_followers >= {HIGH_REACH}")
    if filters.needs_reply:
        passes.append(f"id in ({marks(params, waiting)})" if waiting else "1 = 0")
    if filters.languages:
        passes.append(f"language in ({marks(params, filters.languages)})")
    if filters.by_reach:
        params["top"] = top
    # Said twice, so that both databases make it once.
    rows = connection.execute(
        text(
            f"with newest as ({newest})"  # noqa: S608
            " select 0 as kind, count(*), min(id), null, null from newest union all select * from"
            f" (select 1, brand_id, id, copy_id, coalesce(author_followers, 0) from newest where {' and '.join(passes)}"
            f" {_HIGHEST if filters.by_reach else ''}) as passing"
        ),
        params,
    ).all()
    (walked,) = [row for row in rows if row[0] == 0]
    passing = sorted((row for row in rows if row[0] == 1), key=lambda row: row[2], reverse=True)
    if filters.by_reach:
        passing.sort(key=lambda row: row[4], reverse=True)
    return walked[1], walked[2], bool(params.get(CUT_SHORT)), [(row[1], row[2], row[3]) for row in passing]


def _most(scope: Scope, wanted: int) -> int:
    walks = len(scope.brand_ids)
    if scope.location_ids is not None and walks * len(scope.location_ids) <= MOST_PAIRS:
        walks *= len(scope.location_ids)
    return max(FEWEST_LOOKED, min(wanted, MOST_ENTRIES // max(walks, 1)))


# -- what goes with a card -----------------------------------------------------------------------------------


def _more(
    connection: Connection, scope: Scope, rows: Sequence[CardRow], folded: Mapping[Key, Copies]
) -> dict[Key, More]:
    if not rows:
        return {}
    copies = dict(folded)
    if scope.location_ids is None:
        # Who may read a part of a brand is told of the copies in that part alone.
        counted = _copies(connection, rows)
        copies |= {row.key: counted[row.key[0], row.copy_id] for row in rows if (row.key[0], row.copy_id) in counted}
    openers = _openers(connection, scope, [row for row in rows if row.reply_to is not None and not row.is_deleted])
    on_walls = mention_marks.marked(connection, [row.key for row in rows], mention_marks.WALL)
    found = {}
    for row in rows:
        more = More(row.is_deleted, row.is_edited, copies.get(row.key), openers.get(row.key), row.key in on_walls)
        if more != NOTHING_MORE:
            found[row.key] = more
    return found


def _copies(connection: Connection, rows: Iterable[CardRow]) -> dict[tuple[int, int | None], Copies]:
    keys = {(row.shown.brand_id, row.copy_id) for row in rows if row.copy_id is not None}
    if not keys:
        return {}
    relation, params = asked(connection, keys)
    found = connection.exec_driver_sql(
        "select a.a0, a.a1, g.size, (select count(*) from (select 1 from copy_account c"  # noqa: S608
        f" where c.brand_id = a.a0 and c.copy_id = a.a1 limit {MOST_ACCOUNTS + 1}) as few)"
        f" from {relation} cross join copy_group g where g.brand_id = a.a0 and g.copy_id = a.a1 and g.size > 1",
        tuple(params),
    )
    return {(row[0], row[1]): Copies(row[2], min(row[3], MOST_ACCOUNTS), row[3] > MOST_ACCOUNTS) for row in found}


def _openers(connection: Connection, scope: Scope, rows: Sequence[CardRow]) -> dict[Key, Opener]:
    """What each of these answers, in three statements at most; what its own brand does not hold stays unknown."""
    if not rows:
        return {}
    parents = {row.key: (*row.post[:2], row.reply_to or "") for row in rows}
    held = _said(connection, scope, parents.values())
    found = {key: held[post] for key, post in parents.items() if post in held}
    lost = {row.post[1:]: row for row in rows if row.key not in found}
    if lost:
        relation, params = asked(connection, lost)
        roots = connection.exec_driver_sql(
            f"select a.a0, a.a1, t.root from {relation} cross join thread_post t"  # noqa: S608
            " where t.network_id = a.a0 and t.external_id = a.a1",
            tuple(params),
        ).all()
        root_of = {(row[0], row[1]): row[2] for row in roots}
        wanted = {row.key: (*row.post[:2], root_of[row.post[1:]]) for row in rows if row.post[1:] in root_of}
        begun = _said(connection, scope, [post for key, post in wanted.items() if key not in found])
        found |= {
            key: replace(begun[post], is_root=True)
            for key, post in wanted.items()
            if key not in found and post in begun
        }
    return {row.key: found.get(row.key, Opener()) for row in rows}


def _said(connection: Connection, scope: Scope, posts: Collection[Post]) -> dict[Post, Opener]:
    """What stands of these posts in their brands, or was said by us."""
    if not posts:
        return {}
    relation, params = asked(connection, set(posts))
    found = connection.exec_driver_sql(
        "select m.brand_id, m.network_id, m.external_id, coalesce(m.author_handle, m.author_name),"  # noqa: S608
        f" substr(m.text, 1, {OPENER_SHOWN + 1}), m.deleted_at, m.location_id, 0 from {relation} cross join mention m"
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2"
        " union all select p.brand_id, p.network_id, p.external_id, null,"
        f" substr(p.text, 1, {OPENER_SHOWN + 1}), p.deleted_at, 0, p.account_id from {relation} cross join our_post p"
        " where p.brand_id = a.a0 and p.network_id = a.a1 and p.external_id = a.a2",
        (*params, *params),
    )
    places = scope.location_ids
    return {
        (row[0], row[1], row[2]): Opener(row[3], row[4], row[7] or None)
        for row in found
        if row[5] is None and (row[7] or places is None or row[6] in places)
    }
