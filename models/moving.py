"""What goes with a mention that changes its place or its brand: its texts, its author's day (reach), its copies.

The steps of models/corrections.py, which holds the locks of the brands.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text

from models.bulk import insert_rows
from models.cube import Cells, local_day, packed_reach
from models.database import time_id
from models.tables import mention
from models.tables.base import from_microseconds

_DAY = "brand_id = :brand and day = :day and network_id = :network and author_key = :author"
_DAY_COLUMNS = (
    "brand_id", "day", "network_id", "author_key", "followers", "location_id", "team_id", "counted_at", "first_at",
    "last_at",
)  # fmt: skip


def copy_mention(connection: Connection, row: Any, brand_id: int, team_id: int) -> None:
    """The same post in another brand, with its earlier texts. The words that matched were the other brand's."""
    wish = time_id(
        from_microseconds(row.posted_at), zlib.crc32(f"{brand_id} {row.network_id} {row.external_id}".encode())
    )
    # On SQLite the id alone is the key, so that any brand's row takes it.
    same = "1 = 1" if connection.dialect.name == "sqlite" else "brand_id = :brand"
    taken = text(f"select 1 from mention where {same} and id = :id")  # noqa: S608
    while connection.execute(taken, {"id": wish, "brand": brand_id}).first() is not None:
        wish += 1
    new = {"brand_id": ":brand", "id": ":new", "team_id": ":team", "matched": "null"}
    columns = [column.name for column in mention.columns]
    values = {"brand": brand_id, "new": wish, "team": team_id, "from": row.brand_id, "old": row.id}
    connection.execute(
        text(
            f"insert into mention ({', '.join(columns)}) select {', '.join(new.get(name, name) for name in columns)}"  # noqa: S608
            " from mention where brand_id = :from and id = :old"
        ),
        values,
    )
    connection.execute(
        text(
            "insert into mention_version (brand_id, mention_id, number, text, edited_at, replaced_at)"
            " select :brand, :new, number, text, edited_at, replaced_at from mention_version"
            " where brand_id = :from and mention_id = :old"
        ),
        values,
    )
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "insert into mention_text (rowid, text, author_handle, author_name) values (?, ?, ?, ?)",
            (wish, row.text, row.author_handle, row.author_name),
        )


def remove_mention(connection: Connection, row: Any) -> None:
    """Take a mention out of its brand, with its earlier texts."""
    key = {"brand": row.brand_id, "id": row.id}
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "insert into mention_text (mention_text, rowid, text, author_handle, author_name)"
            " values ('delete', ?, ?, ?, ?)",
            (row.id, row.text, row.author_handle, row.author_name),
        )
    connection.execute(text("delete from mention_version where brand_id = :brand and mention_id = :id"), key)
    connection.execute(text("delete from mention where brand_id = :brand and id = :id"), key)


def resite_day(connection: Connection, row: Any, to: tuple[int, int], zone: str, cells: Cells) -> None:
    """Move the reach of an author's day to another (location, team), where this mention is what counts it."""
    day = _day(connection, row, row.brand_id, zone)
    if day is None or not _is_counted_by(day, row):
        return
    _count(cells, day, -1)
    cells.add(row.brand_id, *to, row.network_id, day.counted_at // 1_000_000, packed_reach(day.followers))
    connection.execute(
        text(f"update author_day set location_id = :location, team_id = :team where {_DAY}"),  # noqa: S608
        {**_key(day), "location": to[0], "team": to[1]},
    )


def join_day(connection: Connection, row: Any, brand_id: int, team_id: int, zone: str, cells: Cells) -> None:
    """Count the author of a mention that comes to a brand, unless that day counts them there already."""
    if not row.author_followers:
        return
    day = _day(connection, row, brand_id, zone)
    if day is not None:
        span = {"first": min(day.first_at, row.posted_at), "last": max(day.last_at, row.posted_at)}
        statement = text(f"update author_day set first_at = :first, last_at = :last where {_DAY}")  # noqa: S608
        connection.execute(statement, {**_key(day), **span})
        return
    seconds, at = row.posted_at // 1_000_000, row.posted_at
    values = (
        brand_id, local_day(seconds, zone)[0], row.network_id, row.author_key, row.author_followers, row.location_id,
        team_id, at, at, at,
    )  # fmt: skip
    insert_rows(connection, "author_day", _DAY_COLUMNS, [values])
    cells.add(brand_id, row.location_id, team_id, row.network_id, seconds, packed_reach(row.author_followers))


def leave_day(connection: Connection, row: Any, zone: str, cells: Cells) -> None:
    """Take a mention that left its brand out of its author's day, which goes with its last one.

    Where it was the one that reach is counted by, the next one stored takes its place.
    """
    day = _day(connection, row, row.brand_id, zone) if row.author_followers else None
    if day is None:
        return
    others = connection.execute(
        text(
            "select posted_at, location_id, team_id, author_followers from mention where brand_id = :brand"
            " and id between :low and :high and network_id = :network and author_key = :author"
            " and posted_at between :first and :last and author_followers > 0 order by received_at, id"
        ),
        {**_key(day), "first": day.first_at, "last": day.last_at, **_ids(day.first_at, day.last_at)},
    ).all()
    counted_by_it = _is_counted_by(day, row)
    if not others:
        _close(connection, day, None if counted_by_it else _deleted_at(connection, day), cells)
        return
    counted = (day.followers, day.location_id, day.team_id, day.counted_at)
    if counted_by_it:
        first = others[0]
        _count(cells, day, -1)
        counted = (first.author_followers, first.location_id, first.team_id, first.posted_at)
        cells.add(day.brand_id, *counted[1:3], day.network_id, counted[3] // 1_000_000, packed_reach(counted[0]))
    # A deleted post may still be the one that it is counted by.
    instants = [counted[3], *(other.posted_at for other in others)]
    connection.execute(
        text(
            "update author_day set followers = :followers, location_id = :location, team_id = :team,"  # noqa: S608
            f" counted_at = :counted, first_at = :first, last_at = :last where {_DAY}"
        ),
        {
            **_key(day),
            **dict(zip(("followers", "location", "team", "counted"), counted, strict=True)),
            "first": min(instants),
            "last": max(instants),
        },
    )


def recount_copies(connection: Connection, brand_ids: Collection[int], copy_id: int, posted_at: int) -> None:
    """Count a group of copies anew in the brands that a copy of it left and came to; a text said once has no group."""
    held: list[Any] = []
    for brand_id in sorted(brand_ids):
        held += connection.execute(
            text("select first_at, last_at from copy_group where brand_id = :brand and copy_id = :copy"),
            {"brand": brand_id, "copy": copy_id},
        ).all()
    if not held:
        return
    first, last = min(posted_at, *(g.first_at for g in held)), max(posted_at, *(g.last_at for g in held))
    for brand_id in sorted(brand_ids):
        key = {"brand": brand_id, "copy": copy_id}
        rows = connection.execute(
            text(
                "select id, network_id, author_key, posted_at from mention where brand_id = :brand"
                " and id between :low and :high and copy_id = :copy"
            ),
            {**key, **_ids(first, last)},
        ).all()
        connection.execute(text("delete from copy_group where brand_id = :brand and copy_id = :copy"), key)
        connection.execute(text("delete from copy_account where brand_id = :brand and copy_id = :copy"), key)
        if len(rows) < 2:
            continue
        instants = [row.posted_at for row in rows]
        group = (brand_id, copy_id, len(rows), min(instants), max(instants))
        insert_rows(connection, "copy_group", ("brand_id", "copy_id", "size", "first_at", "last_at"), [group])
        accounts = sorted({(brand_id, copy_id, row.network_id, row.author_key or f"deleted:{row.id}") for row in rows})
        insert_rows(connection, "copy_account", ("brand_id", "copy_id", "network_id", "author_key"), accounts)


def _day(connection: Connection, row: Any, brand_id: int, zone: str) -> Any:
    day, _ = local_day(row.posted_at // 1_000_000, zone)
    return connection.execute(
        text(f"select * from author_day where {_DAY}"),  # noqa: S608
        {"brand": brand_id, "day": day, "network": row.network_id, "author": row.author_key},
    ).first()


def _key(day: Any) -> dict[str, Any]:
    return {"brand": day.brand_id, "day": day.day, "network": day.network_id, "author": day.author_key}


def _is_counted_by(day: Any, row: Any) -> bool:
    return bool((day.counted_at, day.location_id, day.team_id) == (row.posted_at, row.location_id, row.team_id))


def _count(cells: Cells, day: Any, times: int) -> None:
    seconds, packed = day.counted_at // 1_000_000, times * packed_reach(day.followers)
    cells.add(day.brand_id, day.location_id, day.team_id, day.network_id, seconds, packed)


def _deleted_at(connection: Connection, day: Any) -> int | None:
    """The deleted mention that an author's day is still counted by."""
    found: int | None = connection.execute(
        text(
            "select id from mention where brand_id = :brand and id between :low and :high and posted_at = :at"
            " and network_id = :network and deleted_at is not null limit 1"
        ),
        {**_key(day), "at": day.counted_at, **_ids(day.counted_at, day.counted_at)},
    ).scalar()
    return found


def _close(connection: Connection, day: Any, deleted_id: int | None, cells: Cells) -> None:
    """Nobody names the author that day any more: the day goes, or stays without a name with the deleted post."""
    if deleted_id is None:
        _count(cells, day, -1)
        connection.execute(text(f"delete from author_day where {_DAY}"), _key(day))  # noqa: S608
        return
    connection.execute(
        text(f"update author_day set author_key = :nobody where {_DAY}"),  # noqa: S608
        {**_key(day), "nobody": f"deleted:{deleted_id}"},
    )


def _ids(first: int, last: int) -> dict[str, int]:
    # An id holds its instant in the high bits: a span of time is a span of ids.
    return {"low": time_id(from_microseconds(first), 0), "high": time_id(from_microseconds(last), -1)}
