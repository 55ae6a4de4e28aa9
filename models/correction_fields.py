"""The three fields that people correct: which values they take, and what follows from a change of one.

The steps of models/corrections.py, which holds the locks of the brands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.access import Scope
from models.cube import Cells, packed_mention, packed_sentiment
from models.errors import InputError, NotFound
from models.moving import copy_mention, join_day, leave_day, recount_copies, remove_mention, resite_day
from models.organisation import UNKNOWN, Organisation

# Who set a sentiment or a location, where a person did.
PERSON = "person"

Apply = Callable[[Connection, Any, Any, Organisation, Cells], set[int]]
"""Changes a mention, adds to the cells what that changes of the figures, returns the brands touched."""


@dataclass(frozen=True, slots=True)
class Field:
    """What may be set, where it stands, who set it, and what follows."""

    column: str
    by_column: str | None
    require: Callable[[int, Scope, Organisation], None]
    apply: Apply


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


def _set_sentiment(
    connection: Connection, row: Any, value: int | None, organisation: Organisation, cells: Cells
) -> set[int]:
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
    _copy_to(connection, row, value, organisation, cells)
    seconds, packed = row.posted_at // 1_000_000, _packed(row)
    cells.add(row.brand_id, row.location_id, row.team_id, row.network_id, seconds, -packed)
    remove_mention(connection, row)
    leave_day(connection, row, organisation.zone, cells)
    if row.copy_id is not None:
        recount_copies(connection, {row.brand_id, value}, row.copy_id, row.posted_at)
    return {row.brand_id, value}


def join_brand(connection: Connection, row: Any, value: int, organisation: Organisation, cells: Cells) -> set[int]:
    """Bring a mention to another brand that stays in its own, too."""
    _copy_to(connection, row, value, organisation, cells)
    if row.copy_id is not None:
        recount_copies(connection, {row.brand_id, value}, row.copy_id, row.posted_at)
    return {row.brand_id, value}


def _copy_to(connection: Connection, row: Any, value: int, organisation: Organisation, cells: Cells) -> None:
    held = connection.execute(
        text("select 1 from mention where brand_id = :b and network_id = :n and external_id = :e"),
        {"b": value, "n": row.network_id, "e": row.external_id},
    ).first()
    if held is not None:
        return
    team_id = organisation.team_for(value, row.location_id)
    copy_mention(connection, row, value, team_id)
    cells.add(value, row.location_id, team_id, row.network_id, row.posted_at // 1_000_000, _packed(row))
    join_day(connection, row, value, team_id, organisation.zone, cells)


FIELDS: Mapping[str, Field] = {
    "sentiment": Field("sentiment", "sentiment_by", _require_sentiment, _set_sentiment),
    "location": Field("location_id", "location_by", _require_location, _set_location),
    "brand": Field("brand_id", None, _require_brand, _set_brand),
}


def _packed(row: Any) -> int:
    return packed_mention(row.sentiment, row.likes, row.replies, row.reposts)
