"""Groups of copies: how often a text came and from how many accounts. Nothing is deleted for being a copy."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ingest.pipeline import Enriched
from models.bulk import asked, merge_rows
from models.networks import network_by_key
from models.tables.base import to_microseconds

_MERGE = (
    "size = copy_group.size + excluded.size,"
    " first_at = case when excluded.first_at < copy_group.first_at then excluded.first_at else copy_group.first_at end,"
    " last_at = case when excluded.last_at > copy_group.last_at then excluded.last_at else copy_group.last_at end"
)


def count_copies(connection: Connection, fresh: Sequence[Enriched]) -> None:
    """Count new mentions that copy an earlier text into their groups, in the caller's transaction.

    The first post of a group is counted with its first copy: most texts come once and have no row.
    """
    copies = [(mention, first) for mention in fresh if (first := mention.copy_of) is not None]
    if not copies:
        return
    known = _known(connection, {(mention.brand_id, _group(mention)) for mention, _ in copies})
    sizes: dict[tuple[int, int], list[int]] = {}
    accounts: dict[tuple[int, int, int, str], None] = {}
    for mention, first in copies:
        key = (mention.brand_id, _group(mention))
        size = sizes.get(key)
        if size is None:
            began = to_microseconds(first.posted_at)
            size = sizes[key] = [0 if key in known else 1, began, began]
            accounts[(*key, network_by_key(first.network).id, first.author_key)] = None
        posted = to_microseconds(mention.post.posted_at)
        size[0] += 1
        size[1], size[2] = min(size[1], posted), max(size[2], posted)
        accounts[(*key, mention.network_id, mention.post.author.key)] = None
    values = ("size", "first_at", "last_at")
    rows = [(*key, *size) for key, size in sizes.items()]
    merge_rows(connection, "copy_group", ("brand_id", "copy_id"), values, _MERGE, rows)
    keys = ("brand_id", "copy_id", "network_id", "author_key")
    merge_rows(connection, "copy_account", keys, (), "author_key = excluded.author_key", list(accounts))


def _group(mention: Enriched) -> int:
    assert mention.copy_id is not None
    return mention.copy_id


def _known(connection: Connection, keys: set[tuple[int, int]]) -> set[tuple[int, int]]:
    relation, params = asked(connection, keys)
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1 from {relation} cross join copy_group g"  # noqa: S608
        " where g.brand_id = a.a0 and g.copy_id = a.a1",
        params,
    )
    return {(row[0], row[1]) for row in rows}
