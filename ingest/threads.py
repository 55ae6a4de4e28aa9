"""The one writer of `thread_post`: who answers whom, whatever order the parts come in.

A post that answers another belongs to the thread of the oldest post known above it. The network's own word for the root
wins; else the root is that of the parent, and while the parent is unknown, the parent itself. When an older part turns
up, the thread that was built without it moves under its root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from ingest.found import Found
from models.bulk import asked, merge_rows
from models.tables.base import to_microseconds

# First key of the advisory lock: two parts of one thread stored at the same time must see each other.
THREAD_LOCK = 0x57465448
_VALUES = ("parent", "root", "posted_at", "author_key", "account_id")
_MERGE = (
    "parent = excluded.parent, root = excluded.root, account_id = coalesce(excluded.account_id, thread_post.account_id)"
)

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A post of a conversation: what it answers, and the root by the network's own word, each None where unsaid."""

    parent: str | None
    conversation: str | None
    posted_at: datetime
    author_key: str
    account_id: int | None = None


def part_of(post: Found, account_id: int | None = None) -> Part | None:
    """What a post says of its conversation; None for one that answers nothing and stands in no thread of another."""
    conversation = post.conversation if post.conversation != post.external_id else None
    if post.reply_to is None and conversation is None:
        return None
    return Part(post.reply_to, conversation, post.posted_at, post.author.key, account_id)


def join(connection: Connection, parts: Mapping[Key, Part]) -> None:
    """Store the parts under their roots, in the caller's transaction, after its locks on brands."""
    if not parts:
        return
    _lock(connection, {network_id for network_id, _ in parts})
    known = _roots(connection, {(n, part.parent) for (n, _), part in parts.items() if part.parent} | parts.keys())
    found = _settled({key: _root(key, parts, known) for key in parts})
    # While what it answers is unsaid, a post hangs under the root.
    rows = [
        (*key, part.parent or found[key], found[key], to_microseconds(part.posted_at), part.author_key, part.account_id)
        for key, part in parts.items()
    ]
    merge_rows(connection, "thread_post", ("network_id", "external_id"), _VALUES, _MERGE, rows)
    _move(connection, {key: root for key, root in found.items() if root != key[1]})


def _lock(connection: Connection, network_ids: Iterable[int]) -> None:
    if connection.dialect.name == "postgresql":
        for network_id in sorted(network_ids):
            connection.execute(
                text("select pg_advisory_xact_lock(:space, :network)"), {"space": THREAD_LOCK, "network": network_id}
            )


def _roots(connection: Connection, keys: Iterable[Key]) -> dict[Key, str]:
    relation, params = asked(connection, set(keys))
    rows = connection.exec_driver_sql(
        f"select a.a0, a.a1, t.root from {relation} cross join thread_post t"  # noqa: S608
        " where t.network_id = a.a0 and t.external_id = a.a1",
        params,
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _root(key: Key, parts: Mapping[Key, Part], known: Mapping[Key, str]) -> str:
    """The oldest post known above one; a circle of answers, which only a broken network says, ends where it closes."""
    network_id, at = key
    seen = {at}
    while True:
        part = parts.get((network_id, at))
        if part is None:
            return known.get((network_id, at), at)
        if part.conversation is not None:
            return part.conversation
        stored = known.get((network_id, at))
        if stored is not None and stored != part.parent and stored not in seen:
            # What the network said of it earlier, in an answer that had more to say.
            return stored
        above = part.parent
        if above is None or above in seen:
            return at
        seen.add(above)
        at = above


def _settled(found: Mapping[Key, str]) -> dict[Key, str]:
    """Roots that have a root themselves since this page: what was stored under one of them goes with it."""
    settled = {}
    for key, root in found.items():
        seen, top = {root}, root
        while (above := found.get((key[0], top), top)) not in seen:
            seen.add(above)
            top = above
        # In a circle nothing is above the rest.
        settled[key] = root if above != top else top
    return settled


def _move(connection: Connection, roots: Mapping[Key, str]) -> None:
    """Bring what hangs under a post that was taken for a root to the root that is above it."""
    if not roots:
        return
    relation, params = asked(connection, set(roots))
    held = connection.exec_driver_sql(
        f"select a.a0, a.a1 from {relation} where exists"  # noqa: S608
        " (select 1 from thread_post t where t.network_id = a.a0 and t.root = a.a1)",
        params,
    ).all()
    for network_id, old in held:
        connection.execute(
            text("update thread_post set root = :new where network_id = :network and root = :old"),
            {"new": roots[(network_id, old)], "network": network_id, "old": old},
        )
