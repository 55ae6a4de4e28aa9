"""Conversations: a thread in the order it was said, with who of it is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from models.access import Scope
from models.mentions import marks
from models.tables.base import from_microseconds

# A thread is read whole up to here; longer ones show their oldest posts.
MOST_POSTS = 500


@dataclass(frozen=True, slots=True)
class Said:
    """One post of a thread. `depth` = answers above it; `account_id` of ours, None for everybody else.

    `text` and `author` are None for a post that is in no brand of the reader's scope, or was deleted.
    """

    external_id: str
    parent: str | None
    depth: int
    posted_at: datetime | None
    account_id: int | None
    author: str | None
    text: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation of one network, oldest first, no answer before what it answers."""

    network_id: int
    root: str
    posts: tuple[Said, ...]


def thread(connection: Connection, scope: Scope, network_id: int, external_id: str) -> Thread:
    """The thread a post stands in, with the texts that the scope's brands hold."""
    params = {"network": network_id, "post": external_id}
    root = (
        connection.execute(
            text("select root from thread_post where network_id = :network and external_id = :post"), params
        ).scalar()
        or external_id
    )
    rows = connection.execute(
        text(
            "select external_id, parent, posted_at, account_id from thread_post"
            " where network_id = :network and root = :root order by posted_at, external_id limit :limit"
        ),
        {"network": network_id, "root": root, "limit": MOST_POSTS},
    ).all()
    links = {row[0]: (row[1], row[2], row[3]) for row in rows}
    links.setdefault(root, (None, None, None))
    texts = _texts(connection, scope, network_id, list(links))
    return Thread(network_id, root, tuple(_said(key, depth, links, texts) for key, depth in _ordered(root, links)))


def by_root(connection: Connection) -> str:
    """Stands behind `thread_post` where a join asks for many roots: SQLite would read the whole network instead."""
    return " indexed by ix_thread_post_network_id_root_posted_at" if connection.dialect.name == "sqlite" else ""


Link = tuple[str | None, int | None, int | None]
_Text = tuple[str | None, str | None, int, int | None, bool]


def _ordered(root: str, links: dict[str, Link]) -> list[tuple[str, int]]:
    """(post, depth), by time, but no answer before the post that it answers where that is known."""
    ordered: list[tuple[str, int]] = []
    depths: dict[str, int] = {}
    waiting = sorted(links, key=lambda key: (key != root, links[key][1] or 0, key))
    while waiting:
        later = []
        for key in waiting:
            parent = links[key][0]
            if parent is None or parent not in links or parent == key or parent in depths:
                depths[key] = depths[parent] + 1 if parent in depths else 0 if key == root else 1
                ordered.append((key, depths[key]))
            else:
                later.append(key)
        if len(later) == len(waiting):
            # A circle of answers: as it was said.
            ordered += [(key, 1) for key in later]
            break
        waiting = later
    return ordered


def _texts(connection: Connection, scope: Scope, network_id: int, keys: Sequence[str]) -> dict[str, _Text]:
    """External id -> (author, text, posted_at, account, deleted) of what the brands of the scope hold of it."""
    params: dict[str, object] = {"network": network_id}
    brands, posts = marks(params, scope.brand_ids), marks(params, keys)
    places = "" if scope.location_ids is None else f" and location_id in ({marks(params, scope.location_ids)})"
    found: dict[str, _Text] = {}
    for row in connection.execute(
        text(
            "select external_id, coalesce(author_handle, author_name), text, posted_at, deleted_at from mention"  # noqa: S608
            f" where brand_id in ({brands}) and network_id = :network and external_id in ({posts}){places}"
        ),
        params,
    ):
        found[row[0]] = (row[1], row[2], row[3], None, row[4] is not None)
    for row in connection.execute(
        text(
            "select external_id, text, posted_at, account_id, deleted_at from our_post"  # noqa: S608
            f" where brand_id in ({brands}) and network_id = :network and external_id in ({posts})"
        ),
        params,
    ):
        found[row[0]] = (None, row[1], row[2], row[3], row[4] is not None)
    return found


def _said(key: str, depth: int, links: dict[str, Link], texts: dict[str, _Text]) -> Said:
    parent, posted, account_id = links[key]
    author, body, text_posted, text_account, deleted = texts.get(key, (None, None, None, None, False))
    instant = posted if posted is not None else text_posted
    return Said(
        external_id=key,
        parent=parent,
        depth=depth,
        posted_at=None if instant is None else from_microseconds(instant),
        account_id=account_id if account_id is not None else text_account,
        author=None if deleted else author,
        text=None if deleted else body,
        deleted=deleted,
    )
