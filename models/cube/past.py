"""Counts of the past from cells alone: what an expected range and a judge of spikes are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from models.access import Scope
from models.cube.cells import DAY, FIVE_MINUTES, HOUR, QUARTER
from models.cube.sums import is_open, where_cells
from models.mentions import Params

Span = tuple[int, int]
"""Seconds since 1970, half-open, on edges of the step."""


def kept_for(scope: Scope, step_seconds: int, *, first: int) -> int | None:
    """The coarsest cells (in seconds) that steps from `first` on can be put together of; None where there are none."""
    if scope.needs_rows or step_seconds >= DAY:
        return None
    kept = (HOUR, FIVE_MINUTES if is_open(scope) else QUARTER)
    return next((size for size in kept if step_seconds % size == 0 and first % size == 0), None)


def mentions_in(
    connection: Connection, scope: Scope, spans: Iterable[Span], *, cells: int, step_seconds: int
) -> dict[int, int]:
    """Mentions of the brands of a scope together by step, as {start of the step: count}; what is not there is zero.

    Steps are counted from the beginning of each span.
    """
    found: dict[int, int] = {}
    for start, end in spans:
        params: Params = {"cells": cells, "from": start, "to": end, "step": step_seconds}
        where = where_cells(scope, scope.brand_ids, params)
        rows = connection.execute(
            text(
                "select (bucket - :from) / :step as place, cast(sum(mentions) as bigint) from cube"  # noqa: S608 - the values are bound
                f" where {where} and granularity = :cells and bucket >= :from and bucket < :to group by place"
            ),
            params,
        )
        found |= {start + int(place) * step_seconds: int(count) for place, count in rows}
    return found


def fine_counts(connection: Connection, brand_id: int, span: Span) -> Sequence[Row[Any]]:
    """(start of five minutes, mentions, negative, scored) of a brand, of those in which anything was said."""
    return connection.execute(
        text(
            "select bucket, mentions, negative, positive + neutral + negative from cube where brand_id = :brand"
            " and granularity = :cells and location_id = 0 and team_id = 0 and network_id = 0"
            " and bucket >= :from and bucket < :to"
        ),
        {"brand": brand_id, "cells": FIVE_MINUTES, "from": span[0], "to": span[1]},
    ).all()
