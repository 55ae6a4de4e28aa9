"""The rollups compared with their rows, counted anew, and thinned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from models.bulk import lock_brands, merge_rows
from models.cube.cells import (
    ADD,
    FINE_KEPT,
    FIVE_MINUTES,
    HOUR,
    KEYS,
    QUARTER,
    VALUES,
    Cells,
    Key,
    Tally,
    packed_mention,
    packed_reach,
    unpack,
)
from models.hung import allow_silence
from models.organisation import Organisation
from models.tables.base import EPOCH

# Of the statement: set on the connection it would hold for every statement after it, and a DELETE cannot be streamed.
STREAMED = {"yield_per": 5000}


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that does not hold what its rows say."""

    key: Key
    stored: Tally
    counted: Tally


def _count(connection: Connection, brand_id: int, zone: str) -> dict[Key, tuple[int, ...]]:
    """Every cell of a brand, counted anew from its mentions and its author days."""
    cells = Cells(zone)
    for row in connection.execute(
        text(
            "select location_id, team_id, network_id, posted_at, sentiment, likes, replies, reposts"
            " from mention where brand_id = :brand"
        ),
        {"brand": brand_id},
        execution_options=STREAMED,
    ):
        cells.add(brand_id, row[0], row[1], row[2], row[3] // 1_000_000, packed_mention(row[4], row[5], row[6], row[7]))
    for row in connection.execute(
        text("select location_id, team_id, network_id, counted_at, followers from author_day where brand_id = :brand"),
        {"brand": brand_id},
        execution_options=STREAMED,
    ):
        cells.add(brand_id, row[0], row[1], row[2], row[3] // 1_000_000, packed_reach(row[4]))
    return {key: unpack(packed) for key, packed in cells.rows().items() if packed}


def _too_old(key: Key, now: datetime) -> bool:
    return key[1] < HOUR and key[5] < (now - FINE_KEPT - EPOCH).total_seconds()


def check(connection: Connection, organisation: Organisation, now: datetime) -> list[Difference]:
    """Every cell that differs from its rows; empty when the rollups are true. One brand is held in memory at a time."""
    differences = []
    zero = (0,) * len(VALUES)
    for brand in organisation.brands:
        counted = _count(connection, brand.id, organisation.zone)
        stored: dict[Key, tuple[int, ...]] = {}
        for row in connection.execute(
            text(f"select {', '.join(KEYS)}, {', '.join(VALUES)} from cube where brand_id = :brand"),  # noqa: S608
            {"brand": brand.id},
        ):
            stored[(row[0], row[1], row[2], row[3], row[4], row[5])] = tuple(row[6:])
        for key in sorted(counted.keys() | stored.keys()):
            if _too_old(key, now):
                continue
            held, true = stored.get(key, zero), counted.get(key, zero)
            if held != true:
                differences.append(Difference(key, Tally(*held), Tally(*true)))
    return differences


def rebuild(connection: Connection, brand_id: int, organisation: Organisation, now: datetime) -> int:
    """Replace the cells of one brand by what its rows say, in the caller's transaction; returns their number."""
    # Counting a large brand here takes minutes in which nothing is asked of the database.
    allow_silence(connection)
    lock_brands(connection, [brand_id])
    counted = _count(connection, brand_id, organisation.zone)
    rows: list[tuple[Any, ...]] = [(*key, *values) for key, values in counted.items() if not _too_old(key, now)]
    connection.execute(text("delete from cube where brand_id = :brand"), {"brand": brand_id})
    merge_rows(connection, "cube", KEYS, VALUES, ADD, rows)
    return len(rows)


def forget_fine(connection: Connection, now: datetime) -> int:
    """Drop the cells finer than an hour that are older than FINE_KEPT; returns how many."""
    before = int((now - FINE_KEPT - EPOCH).total_seconds())
    result = connection.execute(
        text("delete from cube where granularity in (:five, :quarter) and bucket < :before"),
        {"five": FIVE_MINUTES, "quarter": QUARTER, "before": before},
    )
    return int(result.rowcount)
