"""Reach: followers of the authors, which do not add up within a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube.cells import DAY, HOUR, local_day
from models.cube.grouped import BRAND, LOCATION, NETWORK, TEAM, _named, totals_by
from models.cube.reading import EACH_ONCE, _seconds
from models.cube.sums import where_cells
from models.database import time_id
from models.mentions import ROW_LIMIT, Params, filtered, marks
from models.organisation import Organisation
from models.tables.base import EPOCH, to_microseconds


@dataclass(frozen=True, slots=True)
class Reach:
    """Followers of the authors, an upper limit. `each_once` is False where local days were added up."""

    value: int
    each_once: bool


def reach(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Reach:
    """Followers of the authors in the scope: each author once up to 2 days, the sum of local days beyond."""
    if scope.search or window.end - window.start > EACH_ONCE:
        if scope.needs_rows:
            return _reach_of_rows(connection, scope, window)
        return Reach(_reach_of_cells(connection, scope, window, organisation), each_once=False)
    first, _ = local_day(_seconds(window.start), organisation.zone)
    last, _ = local_day(_seconds(window.end), organisation.zone)
    params: Params = {
        "first": first,
        "last": last,
        "start": to_microseconds(window.start),
        "end": to_microseconds(window.end) + (1 if window.live else 0),
    }
    where = [f"brand_id in ({marks(params, scope.brand_ids)})"]
    for column, chosen in (
        ("location_id", scope.location_ids),
        ("team_id", scope.team_ids),
        ("network_id", scope.network_ids),
    ):
        if chosen is not None:
            where.append(f"{column} in ({marks(params, chosen)})")
    # Who posted before the window and after it need not have posted inside.
    params |= {"first_id": time_id(window.start, 0), "last_id": time_id(window.end, -1)}
    where.append(
        "(first_at >= :start or last_at < :end or (brand_id, network_id, author_key) in (select m.brand_id,"  # noqa: S608
        f" m.network_id, m.author_key from mention m where m.brand_id in ({marks(params, scope.brand_ids)})"
        " and m.id >= :first_id and m.id <= :last_id and m.posted_at < :end and m.author_followers > 0))"
    )
    value = connection.execute(
        text(
            "select coalesce(sum(followers), 0) from (select max(followers) as followers from author_day"  # noqa: S608
            f" where {' and '.join(where)} and day between :first and :last"
            " and last_at >= :start and first_at < :end group by network_id, author_key) as authors"
        ),
        params,
    ).scalar_one()
    return Reach(int(value), each_once=True)


def reach_by(
    connection: Connection, scope: Scope, dimension: str, window: Window, organisation: Organisation
) -> tuple[dict[int, int], bool]:
    """Followers of the authors for each value of a dimension, and whether each author counts once.

    As `reach` does for one scope: each author once up to 2 days, local days added up beyond. Empty where only rows
    could say it: with a text search, and for places of a team or teams of a place over more than 2 days.
    """
    named = _named(scope, (dimension,), organisation)
    if scope.search:
        return {}, True
    if window.end - window.start > EACH_ONCE:
        if named.needs_rows:
            return {}, False
        # Whole cells up to the one that the window ends in, as for one scope.
        start, unit = _seconds(window.start), DAY if window.step_seconds % DAY == 0 else HOUR
        if unit == HOUR:
            start -= start % HOUR
        cells = replace(window, start=EPOCH + timedelta(seconds=start), step_seconds=unit, live=True)
        found = totals_by(connection, scope, (dimension,), cells, organisation, values=("reach",))
        return {group[0]: tally.reach for group, tally in found.tallies.items()}, False
    brands = scope.tracked_ids if dimension == BRAND else scope.brand_ids
    params: Params = {
        "first": local_day(_seconds(window.start), organisation.zone)[0],
        "last": local_day(_seconds(window.end), organisation.zone)[0],
        "start": to_microseconds(window.start),
        "end": to_microseconds(window.end) + (1 if window.live else 0),
        "first_id": time_id(window.start, 0),
        "last_id": time_id(window.end, -1),
    }
    where = f"brand_id in ({marks(params, brands)})"
    for column, chosen in (
        (LOCATION, scope.location_ids),
        (TEAM, scope.team_ids),
        (NETWORK, scope.network_ids),
    ):
        if chosen is not None:
            where += f" and {column} in ({marks(params, chosen)})"
    # Who posted before the window and after it need not have posted inside.
    inside = (
        "first_at >= :start or last_at < :end or (brand_id, network_id, author_key) in (select m.brand_id,"  # noqa: S608
        f" m.network_id, m.author_key from mention m where m.brand_id in ({marks(params, brands)})"
        " and m.id >= :first_id and m.id <= :last_id and m.posted_at < :end and m.author_followers > 0)"
    )
    rows = connection.execute(
        text(
            f"select {dimension}, sum(followers) from (select {dimension}, max(followers) as followers"  # noqa: S608
            f" from author_day where {where} and day between :first and :last and last_at >= :start"
            f" and first_at < :end and ({inside}) group by {dimension}, network_id, author_key) as authors"
            f" group by {dimension}"
        ),
        params,
    )
    return {int(row[0]): int(row[1]) for row in rows}, True


def _reach_of_cells(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> int:
    """The sum of local days: whole ones where the steps are days, else cut to the hour at both ends."""
    start, end = _seconds(window.start), _seconds(window.end) + (1 if window.live else 0)
    if window.step_seconds % DAY == 0:
        return _reach_in(connection, scope, DAY, (start, end))
    start -= start % HOUR
    first = local_day(start + DAY - 1, organisation.zone)[1]
    last = local_day(end, organisation.zone)[1]
    if first % HOUR or last % HOUR or not start <= first < last:
        return _reach_in(connection, scope, HOUR, (start, end))
    # What whole days hold is read as days, a twentieth of the cells.
    parts = ((HOUR, (start, first)), (DAY, (first, last)), (HOUR, (last, end)))
    return sum(_reach_in(connection, scope, cells, span) for cells, span in parts if span[0] < span[1])


def _reach_in(connection: Connection, scope: Scope, granularity: int, span: tuple[int, int]) -> int:
    params: Params = {"granularity": granularity, "from": span[0], "to": span[1]}
    value = connection.execute(
        text(
            "select cast(coalesce(sum(reach), 0) as bigint) from cube"  # noqa: S608 - the values are bound
            f" where {where_cells(scope, scope.brand_ids, params)} and granularity = :granularity"
            " and bucket >= :from and bucket < :to"
        ),
        params,
    ).scalar_one()
    return int(value)


def _reach_of_rows(connection: Connection, scope: Scope, window: Window) -> Reach:
    params: Params = {}
    if window.live:
        window = replace(window, end=window.end + timedelta(microseconds=1), live=False)
    inner = filtered(
        connection,
        scope,
        scope.brand_ids,
        window,
        params,
        columns="m.network_id, m.author_key, m.author_followers",
        limit=ROW_LIMIT,
    )
    value = connection.execute(
        text(
            "select coalesce(sum(followers), 0) from (select max(author_followers) as followers"  # noqa: S608
            f" from ({inner}) as counted group by network_id, author_key) as authors"
        ),
        params,
    ).scalar_one()
    return Reach(int(value), each_once=True)
