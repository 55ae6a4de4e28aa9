"""One mention with all that is known of it: earlier texts, who corrected it, the copies of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from models.access import Scope
from models.bulk import asked
from models.database import time_id
from models.errors import NotFound
from models.feed import Cards, More, cards_of, rows_of
from models.mentions import COLUMNS, Params, Shown, marks, shown
from models.tables.base import from_microseconds

MOST_COPIES = 50
# No index leads to the copies of a text: they are looked for among so many mentions of the span they were said in.
LOOKED_FOR_COPIES = 20_000
MOST_CORRECTIONS = 20
MOST_VERSIONS = 20

Key = tuple[int, int]
"""(brand, mention)."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person changed. `before` and `after` as in models/corrections.py, made in the brand `brand_id`."""

    brand_id: int
    field: str
    before: int | None
    after: int | None
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Version:
    """A text that an edit replaced, and when that was."""

    text: str
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class Details:
    """Everything about one mention; `sentiment_by` and `location_by` say who or what decided them."""

    shown: Shown
    more: More
    home: str | None
    sentiment_by: str | None
    location_by: str | None
    impressions: int | None
    edited_at: datetime | None
    versions: tuple[Version, ...]
    corrections: tuple[Correction, ...]


def details(connection: Connection, scope: Scope, key: Key) -> Details:
    """The mention (brand, id). NotFound outside the scope, and where there is none."""
    card = _card(connection, scope, key)
    (said,) = card.shown
    row = connection.execute(
        text(
            "select home, sentiment_by, location_by, impressions, edited_at from mention"
            " where brand_id = :brand and id = :id"
        ),
        {"brand": key[0], "id": key[1]},
    ).one()
    return Details(
        shown=said,
        more=card.more.get(key, More()),
        home=row.home,
        sentiment_by=row.sentiment_by,
        location_by=row.location_by,
        impressions=row.impressions,
        edited_at=None if row.edited_at is None else from_microseconds(row.edited_at),
        versions=_versions(connection, key),
        corrections=_corrections(connection, scope, said),
    )


def copies(connection: Connection, scope: Scope, key: Key) -> tuple[Shown, ...]:
    """The newest other mentions of the same brand that say the same, as far as the scope reaches."""
    (said,) = _card(connection, scope, key).shown
    group = connection.execute(
        text(
            "select g.copy_id, g.first_at, g.last_at from mention m join copy_group g"
            " on g.brand_id = m.brand_id and g.copy_id = m.copy_id where m.brand_id = :brand and m.id = :id"
        ),
        {"brand": key[0], "id": key[1]},
    ).first()
    if group is None:
        return ()
    params: Params = {
        "brand": key[0],
        "copy": group.copy_id,
        "first": time_id(from_microseconds(group.first_at), 0),
        "last": time_id(from_microseconds(group.last_at), -1),
        "looked": LOOKED_FOR_COPIES,
        "limit": MOST_COPIES + 1,
    }
    places = "" if scope.location_ids is None else f" and m.location_id in ({marks(params, scope.location_ids)})"
    rows = connection.execute(
        text(
            f"select {COLUMNS} from (select * from mention where brand_id = :brand and id between :first and :last"  # noqa: S608
            f" order by id desc limit :looked) as m where m.copy_id = :copy and m.deleted_at is null{places}"
            " order by m.id desc limit :limit"
        ),
        params,
    )
    return tuple(found for row in rows if (found := shown(row)).id != said.id)[:MOST_COPIES]


def _card(connection: Connection, scope: Scope, key: Key) -> Cards:
    rows = rows_of(connection, [key]) if key[0] in scope.brand_ids else []
    places = scope.location_ids
    if not rows or (places is not None and rows[0].shown.location_id not in places):
        raise NotFound(f"no mention {key[1]}")
    return cards_of(connection, scope, rows)


def _versions(connection: Connection, key: Key) -> tuple[Version, ...]:
    rows = connection.execute(
        text(
            "select text, replaced_at from mention_version where brand_id = :brand and mention_id = :id"
            " order by number desc limit :limit"
        ),
        {"brand": key[0], "id": key[1], "limit": MOST_VERSIONS},
    )
    return tuple(Version(row.text, from_microseconds(row.replaced_at)) for row in rows)


def _corrections(connection: Connection, scope: Scope, said: Shown) -> tuple[Correction, ...]:
    """The newest first, in every brand of the scope that the post stood in."""
    relation, params = asked(
        connection, [(brand_id, said.network_id, said.external_id) for brand_id in scope.brand_ids]
    )
    rows = connection.exec_driver_sql(
        f"select c.brand_id, c.field, c.before, c.after, c.at, c.actor from {relation}"  # noqa: S608
        " cross join correction c where c.brand_id = a.a0 and c.network_id = a.a1 and c.external_id = a.a2"
        f" order by c.id desc limit {MOST_CORRECTIONS}",
        tuple(params),
    )
    return tuple(Correction(row[0], row[1], row[2], row[3], from_microseconds(row[4]), row[5]) for row in rows)
