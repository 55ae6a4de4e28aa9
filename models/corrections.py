"""What people correct of a mention: its sentiment, its location (and with it the team), its brand.

A correction is counted in its own transaction, minus the old cell and plus the new one, and it stands whatever comes of
the post later: an edit does not overwrite a person's sentiment, a post that is read again does not return to the brand
that it was taken out of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from models import audit
from models.access import Scope
from models.bulk import asked, lock_brands
from models.cube import Cells, packed_mention, packed_sentiment
from models.database import new_id, raise_change
from models.errors import InputError, NotFound
from models.moving import copy_mention, join_day, leave_day, recount_copies, remove_mention, resite_day
from models.organisation import UNKNOWN, Organisation
from models.tables import correction
from models.tables.base import from_microseconds

# Who set a sentiment or a location, where a person did.
PERSON = "person"
EXPORT_PAGE = 500

Key = tuple[int, int, str]
"""(brand, network, external id)."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction with the text that the person had read, for training.

    `before` and `after` are -1, 0, 1 or None (unscored) for sentiment, ids for location and brand; `brand_id` is the
    brand it stood in then.
    """

    brand_id: int
    network_id: int
    external_id: str
    field: str
    text: str
    language: str | None
    before: int | None
    after: int
    at: datetime


def correct(
    connection: Connection,
    scope: Scope,
    *,
    mention: tuple[int, int],
    field: str,
    value: int,
    organisation: Organisation,
    by: int | None,
    actor: str,
    now: datetime,
) -> None:
    """Set `field` (sentiment, location, brand) of a mention (brand, id) to `value`, in the caller's transaction.

    `scope` is what the person may read; a search in it does not matter. NotFound for a mention, a location or a brand
    outside it, foreign and missing alike, and for what its network deleted; any mention may be taken out of its brand
    (to 1, unmatched) and out of its location (to 1, unknown). A mention that moves gets a new id; where the other
    brand holds its post already, it only leaves. InputError for a value that is none.
    """
    brand_id, mention_id = mention
    rule = _FIELDS.get(field)
    if rule is None:
        raise InputError(f'no field "{field}" to correct; known: {", ".join(_FIELDS)}')
    rule.require(value, scope, organisation)
    if brand_id not in scope.brand_ids:
        raise NotFound(f"no mention {mention_id}")
    lock_brands(connection, {brand_id, value} if field == "brand" else {brand_id})
    row = _row(connection, brand_id, mention_id)
    if row is None or not _is_in(row, scope):
        raise NotFound(f"no mention {mention_id}")
    before = getattr(row, rule.column)
    if before == value and (rule.by_column is None or getattr(row, rule.by_column) == PERSON):
        return
    cells = Cells(organisation.zone)
    touched = rule.apply(connection, row, value, organisation, cells)
    cells.write(connection)
    connection.execute(
        insert(correction).values(
            brand_id=brand_id,
            id=new_id(now),
            network_id=row.network_id,
            external_id=row.external_id,
            field=field,
            before=before,
            after=value,
            edited_at=None if row.edited_at is None else from_microseconds(row.edited_at),
            at=now,
            person_id=by,
            actor=audit.shown(actor),
        )
    )
    audit.record(
        connection,
        at=now,
        action="mention.corrected",
        subject=f"mention {mention_id} of {organisation.brand_names.get(brand_id, brand_id)}",
        actor=actor,
        person_id=by,
        details={"field": field, "before": before, "after": value, "brand": brand_id},
    )
    raise_change(connection, "mentions", touched)


def moved(connection: Connection, keys: Collection[Key]) -> dict[Key, int]:
    """The brand where a post stands that a person took out of another one, for those of `keys` that were."""
    steps: dict[Key, int] = {}
    asking = set(keys)
    seen: set[Key] = set()
    while asking:
        seen |= asking
        relation, params = asked(connection, asking)
        # What came back, by a person or otherwise, is not away.
        rows = connection.exec_driver_sql(
            f"select c.brand_id, c.network_id, c.external_id, c.after from {relation} cross join correction c"  # noqa: S608
            " where c.brand_id = a.a0 and c.network_id = a.a1 and c.external_id = a.a2 and c.field = 'brand'"
            " and not exists (select 1 from mention m where m.brand_id = c.brand_id"
            " and m.network_id = c.network_id and m.external_id = c.external_id) order by c.at, c.id",
            params,
        ).all()
        found = {(row[0], row[1], row[2]): row[3] for row in rows}
        steps |= found
        asking = {(brand_id, key[1], key[2]) for key, brand_id in found.items()} - seen
    return {key: _end(key, steps) for key in keys if key in steps}


def export(connection: Connection, scope: Scope) -> Iterator[Corrected]:
    """Every correction of a scope, brand by brand, oldest first, with the text that it was made of.

    Left out is what was deleted since, and what went to where the scope does not reach.
    """
    for brand_id in scope.brand_ids:
        after = 0
        while True:
            page = connection.execute(
                text(
                    "select id, network_id, external_id, field, before, after, edited_at, at from correction"
                    " where brand_id = :brand and id > :after order by id limit :limit"
                ),
                {"brand": brand_id, "after": after, "limit": EXPORT_PAGE},
            ).all()
            if not page:
                break
            after = page[-1].id
            keys = {(brand_id, row.network_id, row.external_id) for row in page}
            away = moved(connection, keys)
            for row in page:
                key = (brand_id, row.network_id, row.external_id)
                said = _read_text(connection, scope, (away.get(key, brand_id), *key[1:]), row.edited_at)
                if said is not None:
                    at = from_microseconds(row.at)
                    yield Corrected(*key, row.field, *said, row.before, row.after, at)


def _read_text(connection: Connection, scope: Scope, key: Key, edited_at: int | None) -> tuple[str, str | None] | None:
    """The text of a mention that was written at `edited_at`, and its language; None where it may not be read."""
    row = connection.execute(
        text(f"select {_COLUMNS} from mention where brand_id = :b and network_id = :n and external_id = :e"),  # noqa: S608
        dict(zip("bne", key, strict=True)),
    ).first()
    if row is None or row.deleted_at is not None or row.brand_id not in scope.brand_ids or not _is_in(row, scope):
        return None
    if row.edited_at == edited_at:
        return row.text, row.language
    versions = connection.execute(
        text("select text, edited_at from mention_version where brand_id = :b and mention_id = :id"),
        {"b": row.brand_id, "id": row.id},
    )
    said = next((version.text for version in versions if version.edited_at == edited_at), None)
    return None if said is None else (said, row.language)


def _end(key: Key, steps: Mapping[Key, int]) -> int:
    walked = {key}
    while key in steps:
        key = (steps[key], key[1], key[2])
        if key in walked:
            break
        walked.add(key)
    return key[0]


_COLUMNS = (
    "brand_id, id, network_id, external_id, posted_at, author_key, author_handle, author_name, author_followers, text,"
    " language, sentiment, sentiment_by, location_id, location_by, team_id, likes, replies, reposts, copy_id,"
    " edited_at, deleted_at"
)


def _row(connection: Connection, brand_id: int, mention_id: int) -> Any:
    return connection.execute(
        text(f"select {_COLUMNS} from mention where brand_id = :brand and id = :id and deleted_at is null"),  # noqa: S608
        {"brand": brand_id, "id": mention_id},
    ).first()


def _is_in(row: Any, scope: Scope) -> bool:
    return all(
        chosen is None or value in chosen
        for value, chosen in (
            (row.location_id, scope.location_ids),
            (row.team_id, scope.team_ids),
            (row.network_id, scope.network_ids),
        )
    )


# -- the three fields ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Field:
    """What may be set, where it stands, who set it, and what follows; `apply` returns the brands touched."""

    column: str
    by_column: str | None
    require: Callable[[int, Scope, Organisation], None]
    apply: Callable[[Connection, Any, int, Organisation, Cells], set[int]]


def _require_sentiment(value: int, scope: Scope, organisation: Organisation) -> None:
    if isinstance(value, bool) or value not in (-1, 0, 1):
        raise InputError(f"sentiment {value!r}: use -1 (negative), 0 (neutral) or 1 (positive)")


def _require_location(value: int, scope: Scope, organisation: Organisation) -> None:
    allowed = organisation.location_names if scope.location_ids is None else {UNKNOWN, *scope.location_ids}
    if value not in organisation.location_names or value not in allowed:
        raise NotFound(f"no location {value}")


def _require_brand(value: int, scope: Scope, organisation: Organisation) -> None:
    if value not in organisation.brand_names or value not in {UNKNOWN, *scope.brand_ids, *scope.tracked_ids}:
        raise NotFound(f"no brand {value}")


def _set_sentiment(connection: Connection, row: Any, value: int, organisation: Organisation, cells: Cells) -> set[int]:
    packed = packed_sentiment(row.sentiment, value)
    cells.add(row.brand_id, row.location_id, row.team_id, row.network_id, row.posted_at // 1_000_000, packed)
    connection.execute(
        text(
            "update mention set sentiment = :value, sentiment_score = null, sentiment_by = :by"
            " where brand_id = :brand and id = :id"
        ),
        {"value": value, "by": PERSON, "brand": row.brand_id, "id": row.id},
    )
    return {row.brand_id}


def _set_location(connection: Connection, row: Any, value: int, organisation: Organisation, cells: Cells) -> set[int]:
    team_id = organisation.team_for(row.brand_id, value)
    seconds, packed = row.posted_at // 1_000_000, _packed(row)
    cells.add(row.brand_id, row.location_id, row.team_id, row.network_id, seconds, -packed)
    cells.add(row.brand_id, value, team_id, row.network_id, seconds, packed)
    connection.execute(
        text(
            "update mention set location_id = :value, location_by = :by, team_id = :team"
            " where brand_id = :brand and id = :id"
        ),
        {"value": value, "by": PERSON, "team": team_id, "brand": row.brand_id, "id": row.id},
    )
    resite_day(connection, row, (value, team_id), organisation.zone, cells)
    return {row.brand_id}


def _set_brand(connection: Connection, row: Any, value: int, organisation: Organisation, cells: Cells) -> set[int]:
    seconds, packed = row.posted_at // 1_000_000, _packed(row)
    cells.add(row.brand_id, row.location_id, row.team_id, row.network_id, seconds, -packed)
    held = connection.execute(
        text("select 1 from mention where brand_id = :b and network_id = :n and external_id = :e"),
        {"b": value, "n": row.network_id, "e": row.external_id},
    ).first()
    if held is None:
        team_id = organisation.team_for(value, row.location_id)
        copy_mention(connection, row, value, team_id)
        cells.add(value, row.location_id, team_id, row.network_id, seconds, packed)
        join_day(connection, row, value, team_id, organisation.zone, cells)
    remove_mention(connection, row)
    leave_day(connection, row, organisation.zone, cells)
    if row.copy_id is not None:
        recount_copies(connection, {row.brand_id, value}, row.copy_id, row.posted_at)
    return {row.brand_id, value}


_FIELDS: Mapping[str, _Field] = {
    "sentiment": _Field("sentiment", "sentiment_by", _require_sentiment, _set_sentiment),
    "location": _Field("location_id", "location_by", _require_location, _set_location),
    "brand": _Field("brand_id", None, _require_brand, _set_brand),
}


def _packed(row: Any) -> int:
    return packed_mention(row.sentiment, row.likes, row.replies, row.reposts)
