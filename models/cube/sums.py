"""Which cells add up to a scope, and their sums step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, text

from models.access import Scope
from models.cube.cells import DAY, HOUR
from models.mentions import Params, marks
from models.networks import NETWORKS

# More ranges of the cube's key than these are not looked up one by one.
MOST_RANGES = 4_000


def sums_of_cells(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    granularity: int,
    span: tuple[int, int],
    step_seconds: int,
    values: tuple[str, ...],
) -> list[tuple[int, int, Sequence[int]]]:
    """(brand, start of the step, the values) of the cells that start inside a span of seconds.

    Seconds are those since 1970. Steps are counted from the beginning of the span.
    """
    params: Params = {"granularity": granularity, "from": span[0], "to": span[1]}
    where = f"{where_cells(scope, brand_ids, params)} and granularity = :granularity and bucket >= :from"
    if is_open(scope) and step_seconds == granularity:
        # With every dimension open there is one cell a bucket, and nothing to add up.
        rows = connection.execute(
            text(f"select brand_id, bucket, {', '.join(values)} from cube where {where} and bucket < :to"),  # noqa: S608
            params,
        ).all()
        return [(row[0], row[1], row[2:]) for row in rows]
    if connection.dialect.name == "sqlite" and _are_few_ranges(scope, brand_ids, granularity, span, step_seconds):
        return _sums_of_ranges(connection, scope, brand_ids, granularity, span, step_seconds, values)
    # Adding up is done where the cells are: a sixth of the rows are handed over where an hour is a sixth of a step.
    step = "bucket" if step_seconds == granularity else f"(bucket - :from) / {step_seconds}"
    # Without the cast PostgreSQL answers with decimals, which take five times as long to read.
    sums = ", ".join(f"cast(sum({name}) as bigint)" for name in values)
    rows = connection.execute(
        text(
            f"select brand_id, {step} as step, {sums} from cube where {where} and bucket < :to"  # noqa: S608
            " group by brand_id, step"
        ),
        params,
    ).all()
    if step_seconds == granularity:
        return [(row[0], row[1], row[2:]) for row in rows]
    return [(row[0], span[0] + row[1] * step_seconds, row[2:]) for row in rows]


def _are_few_ranges(
    scope: Scope, brand_ids: Sequence[int], granularity: int, span: tuple[int, int], step_seconds: int
) -> bool:
    """Whether each step of each brand, place, team and network is to be looked up: a few full ranges of the key."""
    networks = 1 if is_open(scope) else len(scope.network_ids or NETWORKS)
    ranges = len(brand_ids) * len(scope.location_ids or (0,)) * len(scope.team_ids or (0,)) * networks
    return step_seconds >= 4 * granularity and ranges * (span[1] - span[0]) <= MOST_RANGES * step_seconds


def _sums_of_ranges(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    granularity: int,
    span: tuple[int, int],
    step_seconds: int,
    values: tuple[str, ...],
) -> list[tuple[int, int, Sequence[int]]]:
    """As `sums_of_cells`, step by step: SQLite sorts what it groups, which takes twice as long as reading it."""
    params: Params = {"granularity": granularity, "to": span[1], "step": step_seconds}
    params |= {"brands": json.dumps(brand_ids), "starts": json.dumps([*range(*span, step_seconds)])}
    where = f"brand_id = brands.value and {_where_dimensions(scope, params)}"
    sums = " || ' ' || ".join(f"sum({name})" for name in values) + " || ''"
    rows = connection.execute(
        text(
            f"select brands.value, starts.value, (select {sums} from cube where {where}"  # noqa: S608
            " and granularity = :granularity and bucket >= starts.value and bucket < starts.value + :step"
            " and bucket < :to) from json_each(:brands) brands cross join json_each(:starts) starts"
        ),
        params,
    )
    return [(brand_id, start, tuple(map(int, sums.split()))) for brand_id, start, sums in rows if sums is not None]


def is_open(scope: Scope) -> bool:
    """Whether no place, team or network is asked for: of that there is one cell a bucket."""
    return scope.location_ids is None and scope.team_ids is None and scope.network_ids is None


def last_hour(scope: Scope, edge: int, end: int, granularity: int, values: tuple[str, ...]) -> int:
    """Up to where hours hold what lies behind the last whole day of a window; `edge` where they do not.

    Rows tell no reach: where it is read the days behind are left as they are.
    """
    if granularity != DAY or edge % HOUR or scope.needs_rows or "reach" in values:
        return edge
    return max(edge, end - end % HOUR)


def where_cells(scope: Scope, brand_ids: Sequence[int], params: Params) -> str:
    """The cells that add up to the scope, each mention in one of them."""
    return f"brand_id in ({marks(params, brand_ids)}) and {_where_dimensions(scope, params)}"


def _where_dimensions(scope: Scope, params: Params) -> str:
    # One place or team is kept by network alone. Every network is named, so that each is a range of the key.
    networks = scope.network_ids
    if networks is None:
        networks = (0,) if is_open(scope) else tuple(network.id for network in NETWORKS)
    parts = []
    for column, chosen in (
        ("location_id", scope.location_ids),
        ("team_id", scope.team_ids),
        ("network_id", networks),
    ):
        parts.append(f"{column} in ({marks(params, chosen if chosen is not None else (0,))})")
    return " and ".join(parts)
