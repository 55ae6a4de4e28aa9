"""What people mark on a mention: hidden as irrelevant, or fit for lobby walls.

A hidden mention leaves its brand by a correction, so that every figure agrees, and stands among the posts of no brand,
where the mark keeps it out of the feed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from models import audit
from models.access import Scope
from models.bulk import asked, lock_brands
from models.corrections import correct, take_back
from models.database import raise_change
from models.errors import InputError, NotFound
from models.organisation import UNKNOWN, Organisation
from models.tables import mention_mark

HIDDEN = "hidden"
WALL = "wall"

IS_NOT_HIDDEN = (
    "not exists (select 1 from mention_mark k where k.brand_id = m.brand_id and k.mention_id = m.id"
    " and k.mark = 'hidden')"
)
"""For a statement about mentions `m`."""

Key = tuple[int, int]
"""(brand, mention)."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it, and when; `person_id` None where nobody is signed in."""

    person_id: int | None
    actor: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Hidden:
    """Where a hidden mention stands now, and the correction that took it there; None where it had no brand."""

    key: Key
    correction: Key | None


def marked(connection: Connection, keys: Collection[Key], mark: str) -> frozenset[Key]:
    """Those of `keys` that carry the mark."""
    if not keys:
        return frozenset()
    relation, params = asked(connection, set(keys))
    found = connection.exec_driver_sql(
        f"select k.brand_id, k.mention_id, k.mark from {relation} cross join mention_mark k"  # noqa: S608
        " where k.brand_id = a.a0 and k.mention_id = a.a1",
        tuple(params),
    )
    return frozenset((row[0], row[1]) for row in found if row[2] == mark)


def show_on_walls(connection: Connection, scope: Scope, key: Key, *, organisation: Organisation, who: Who) -> bool:
    """Mark a mention as fit for lobby walls; False where it is already. NotFound outside the scope, or when deleted."""
    lock_brands(connection, {key[0]})
    _standing(connection, scope, key)
    if not _put(connection, key, WALL, who):
        return False
    _tell(connection, key, "mention.wall", organisation, who)
    return True


def take_off_walls(connection: Connection, scope: Scope, key: Key, *, organisation: Organisation, who: Who) -> bool:
    """The reverse; False where it was not marked."""
    lock_brands(connection, {key[0]})
    _standing(connection, scope, key)
    if not _remove(connection, key, WALL):
        return False
    _tell(connection, key, "mention.wall_removed", organisation, who)
    return True


def hide(connection: Connection, scope: Scope, key: Key, *, organisation: Organisation, who: Who) -> Hidden:
    """Take a mention that is irrelevant out of its brand and out of sight. NotFound as `correct` says it."""
    brand_id, mention_id = key
    lock_brands(connection, {brand_id, UNKNOWN})
    network_id, external_id = _standing(connection, scope, key)
    correction: Key | None = None
    if brand_id != UNKNOWN:
        made = correct(
            connection,
            scope,
            mention=key,
            field="brand",
            value=UNKNOWN,
            organisation=organisation,
            by=who.person_id,
            actor=who.actor,
            now=who.now,
        )
        correction = None if made is None else (brand_id, made)
        forget(connection, key)
        mention_id = _id_of(connection, UNKNOWN, network_id, external_id)
    there = (UNKNOWN, mention_id)
    _put(connection, there, HIDDEN, who)
    _tell(connection, there, "mention.hidden", organisation, who)
    return Hidden(there, correction)


def unhide(connection: Connection, scope: Scope, hidden: Hidden, *, organisation: Organisation, who: Who) -> None:
    """Undo `hide`, by the one who did it: back into the brand it came from. NotFound for what they did not hide."""
    if hidden.correction is None:
        lock_brands(connection, {hidden.key[0]})
        if _marker(connection, hidden.key, HIDDEN) != (who.person_id,):
            raise NotFound(f"no hidden mention {hidden.key[1]}")
        _remove(connection, hidden.key, HIDDEN)
    else:
        take_back(
            connection,
            scope,
            correction=hidden.correction,
            organisation=organisation,
            by=who.person_id,
            actor=who.actor,
            now=who.now,
        )
        # It stays where another brand left it too, and stays hidden there.
        if not _exists(connection, hidden.key):
            forget(connection, hidden.key)
    _tell(connection, hidden.key, "mention.unhidden", organisation, who)


def forget(connection: Connection, key: Key) -> None:
    """Drop the marks of a mention that leaves its brand: they were made for that brand."""
    connection.execute(
        text("delete from mention_mark where brand_id = :brand and mention_id = :id"), {"brand": key[0], "id": key[1]}
    )


def _standing(connection: Connection, scope: Scope, key: Key) -> tuple[int, str]:
    """(network, external id) of a mention that stands in the scope; foreign, missing and deleted are the same."""
    brand_id, mention_id = key
    if brand_id not in scope.brand_ids:
        raise NotFound(f"no mention {mention_id}")
    row = connection.execute(
        text(
            "select network_id, external_id, location_id from mention"
            " where brand_id = :brand and id = :id and deleted_at is null"
        ),
        {"brand": brand_id, "id": mention_id},
    ).first()
    if row is None or (scope.location_ids is not None and row.location_id not in scope.location_ids):
        raise NotFound(f"no mention {mention_id}")
    return row.network_id, row.external_id


def _id_of(connection: Connection, brand_id: int, network_id: int, external_id: str) -> int:
    found = connection.execute(
        text("select id from mention where brand_id = :b and network_id = :n and external_id = :e"),
        {"b": brand_id, "n": network_id, "e": external_id},
    ).scalar()
    if found is None:
        raise InputError("this mention was deleted meanwhile; there is nothing left to hide")
    return int(found)


def _marker(connection: Connection, key: Key, mark: str) -> tuple[int | None] | None:
    """Who set a mark; None where it is not set."""
    row = connection.execute(
        text("select person_id from mention_mark where brand_id = :brand and mention_id = :id and mark = :mark"),
        {"brand": key[0], "id": key[1], "mark": mark},
    ).first()
    return None if row is None else (row.person_id,)


def _exists(connection: Connection, key: Key) -> bool:
    statement = text("select 1 from mention where brand_id = :brand and id = :id")
    return connection.execute(statement, {"brand": key[0], "id": key[1]}).first() is not None


def _put(connection: Connection, key: Key, mark: str, who: Who) -> bool:
    if _marker(connection, key, mark) is not None:
        return False
    connection.execute(
        mention_mark.insert().values(
            brand_id=key[0],
            mention_id=key[1],
            mark=mark,
            at=who.now,
            person_id=who.person_id,
            actor=audit.shown(who.actor),
        )
    )
    return True


def _remove(connection: Connection, key: Key, mark: str) -> bool:
    gone = connection.execute(
        text("delete from mention_mark where brand_id = :brand and mention_id = :id and mark = :mark"),
        {"brand": key[0], "id": key[1], "mark": mark},
    )
    return bool(gone.rowcount)


def _tell(connection: Connection, key: Key, action: str, organisation: Organisation, who: Who) -> None:
    audit.record(
        connection,
        at=who.now,
        action=action,
        subject=f"mention {key[1]} of {organisation.brand_names.get(key[0], key[0])}",
        actor=who.actor,
        person_id=who.person_id,
        details={"brand": key[0]},
    )
    raise_change(connection, "mentions", {key[0]})
