"""What people correct of a mention: its sentiment, its location (and with it the team), its brand.

A correction is counted in its own transaction, minus the old cell and plus the new one, and it stands whatever comes of
the post later: an edit does not overwrite a person's sentiment, a post that is read again does not return to the brand
that it was taken out of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from models import audit
from models.access import Scope
from models.bulk import Asked, asked, lock_brands
from models.case_edits import posts_moved
from models.case_writing import Who
from models.correction_fields import FIELDS, PERSON, Apply, join_brand
from models.cube import Cells
from models.database import new_id, raise_change
from models.errors import InputError, NotFound
from models.organisation import UNKNOWN, Organisation
from models.tables import correction as correction_rows
from models.tables.base import from_microseconds

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
) -> int | None:
    """Set `field` (sentiment, location, brand) of a mention (brand, id) to `value`, in the caller's transaction.

    `scope` is what the person may read; a search in it does not matter. NotFound for a mention, a location or a brand
    outside it, foreign and missing alike, and for what its network deleted; any mention may be taken out of its brand
    (to 1, unmatched) and out of its location (to 1, unknown). A mention that moves gets a new id; where the other
    brand holds its post already, it only leaves. InputError for a value that is none. Returns the id of the
    correction, which stands in the brand that the mention stood in; None where nothing had to be corrected.
    """
    brand_id, mention_id = mention
    rule = FIELDS.get(field)
    if rule is None:
        raise InputError(f'no field "{field}" to correct; known: {", ".join(FIELDS)}')
    rule.require(value, scope, organisation)
    if brand_id not in scope.brand_ids:
        raise NotFound(f"no mention {mention_id}")
    lock_brands(connection, {brand_id, value} if field == "brand" else {brand_id})
    row = _row(connection, brand_id, mention_id)
    if row is None or not _is_in(row, scope):
        raise NotFound(f"no mention {mention_id}")
    before = getattr(row, rule.column)
    if before == value and (rule.by_column is None or getattr(row, rule.by_column) == PERSON):
        return None
    done = _Done(field, before, value, "mention.corrected", organisation, by, actor, now)
    return _carry_out(connection, row, rule.apply, done)


def take_back(
    connection: Connection,
    scope: Scope,
    *,
    correction: tuple[int, int],
    organisation: Organisation,
    by: int | None,
    actor: str,
    now: datetime,
) -> int:
    """Undo a correction (brand, id) by the person who made it, as a correction of its own, whose id is returned.

    NotFound for another person's, for what has left the scope and what was deleted since; InputError where it was
    corrected again. A post that the other brand held already, or that another brand left too, stays there as well.
    """
    brand_id, correction_id = correction
    made = connection.execute(
        text("select * from correction where brand_id = :brand and id = :id"),
        {"brand": brand_id, "id": correction_id},
    ).first()
    if made is None or made.person_id is None or made.person_id != by or brand_id not in scope.brand_ids:
        raise NotFound(f"no correction {correction_id} of yours")
    is_move = made.field == "brand"
    standing_id = made.after if is_move else brand_id
    lock_brands(connection, {brand_id, standing_id})
    key = (standing_id, made.network_id, made.external_id)
    if _is_corrected_since(connection, made):
        raise InputError("this was corrected again since; correct it as it stands now")
    found = connection.execute(
        text("select id from mention where brand_id = :b and network_id = :n and external_id = :e"),
        dict(zip("bne", key, strict=True)),
    ).scalar()
    row = None if found is None else _row(connection, standing_id, found)
    if row is None or not _is_in(row, scope):
        raise NotFound(f"no correction {correction_id} of yours")
    apply: Apply = FIELDS[made.field].apply
    if is_move and _stands_by_itself(connection, row, brand_id, organisation):
        apply = join_brand
    done = _Done(made.field, made.after, made.before, "mention.taken_back", organisation, by, actor, now)
    return _carry_out(connection, row, apply, done)


@dataclass(frozen=True, slots=True)
class _Done:
    """What is written down of a change."""

    field: str
    before: int | None
    after: int | None
    action: str
    organisation: Organisation
    by: int | None
    actor: str
    now: datetime


def _carry_out(connection: Connection, row: Any, apply: Apply, done: _Done) -> int:
    organisation = done.organisation
    cells = Cells(organisation.zone)
    touched = apply(connection, row, done.after, organisation, cells)
    cells.write(connection)
    identifier = new_id(done.now)
    connection.execute(
        insert(correction_rows).values(
            brand_id=row.brand_id,
            id=identifier,
            network_id=row.network_id,
            external_id=row.external_id,
            field=done.field,
            before=done.before,
            after=done.after,
            edited_at=None if row.edited_at is None else from_microseconds(row.edited_at),
            at=done.now,
            person_id=done.by,
            actor=audit.shown(done.actor),
        )
    )
    audit.record(
        connection,
        at=done.now,
        action=done.action,
        subject=f"mention {row.id} of {organisation.brand_names.get(row.brand_id, row.brand_id)}",
        actor=done.actor,
        person_id=done.by,
        details={"field": done.field, "before": done.before, "after": done.after, "brand": row.brand_id},
    )
    if done.field == "brand":
        posts_moved(connection, (row.brand_id, row.id), Who(done.by, done.actor), now=done.now)
    raise_change(connection, "mentions", touched)
    return identifier


def _is_corrected_since(connection: Connection, made: Any) -> bool:
    newest = connection.execute(
        text(
            "select max(id) from correction where brand_id = :b and network_id = :n and external_id = :e and field = :f"
        ),
        {"b": made.brand_id, "n": made.network_id, "e": made.external_id, "f": made.field},
    ).scalar()
    return bool(newest != made.id)


def _stands_by_itself(connection: Connection, row: Any, but_for: int, organisation: Organisation) -> bool:
    """Whether a mention would stand in its brand without the one that was moved there from the brand `but_for`.

    It was matched by the brand's own rule (what is moved loses the words that matched), or another brand left it there
    too.
    """
    if row.matched is not None and row.brand_id != UNKNOWN:
        return True
    others = [brand.id for brand in organisation.brands if brand.id not in (but_for, row.brand_id)]
    if not others:
        return False
    relation, params = asked(connection, [(brand_id, row.network_id, row.external_id) for brand_id in others])
    left = connection.exec_driver_sql(
        f"select c.after from {relation} cross join correction c where c.brand_id = a.a0"  # noqa: S608
        " and c.network_id = a.a1 and c.external_id = a.a2 and c.field = 'brand'"
        " and not exists (select 1 from mention m where m.brand_id = c.brand_id"
        " and m.network_id = c.network_id and m.external_id = c.external_id)",
        tuple(params),
    )
    return row.brand_id in {after for (after,) in left}


def moved(connection: Connection, keys: Asked) -> dict[Key, int]:
    """The brand where a post stands that a person took out of another one, for those of `keys` that were."""
    first = found = _taken_out(connection, keys)
    steps = dict(first)
    while further := {(brand_id, key[1], key[2]) for key, brand_id in found.items()} - steps.keys():
        found = _taken_out(connection, asked(connection, further))
        steps |= found
    return {key: _end(key, steps) for key in first}


def _taken_out(connection: Connection, keys: Asked) -> dict[Key, int]:
    """Where a person last put what is not in its brand; what came back, by a person or otherwise, is not away."""
    rows = connection.exec_driver_sql(
        f"select c.brand_id, c.network_id, c.external_id, c.after from {keys.relation} cross join correction c"  # noqa: S608
        " where c.brand_id = a.a0 and c.network_id = a.a1 and c.external_id = a.a2 and c.field = 'brand'"
        " and not exists (select 1 from mention m where m.brand_id = c.brand_id"
        " and m.network_id = c.network_id and m.external_id = c.external_id) order by c.at, c.id",
        keys.params,
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


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
            away = moved(connection, asked(connection, keys))
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
    " edited_at, deleted_at, matched"
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
