"""Figures as sums of cells, or of the newest rows where no cells hold them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from datetime import date as date_of
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube import routed
from models.cube.cells import DAY, FINE_KEPT, FIVE_MINUTES, HOUR, NOTHING, QUARTER, VALUES, Tally, local_day
from models.cube.sums import is_open, last_hour, sums_of_cells, where_cells
from models.mentions import CUT_SHORT, ROW_LIMIT, Params, filtered
from models.organisation import Organisation
from models.tables.base import EPOCH, to_microseconds

# Up to here reach counts each author once; beyond, it adds up local days.
EACH_ONCE = timedelta(days=2)

# The values of a tally as they are counted from rows; reach is not.
OF_ROWS = {
    "mentions": "count(*)",
    "positive": "sum(case when sentiment = 1 then 1 else 0 end)",
    "neutral": "sum(case when sentiment = 0 then 1 else 0 end)",
    "negative": "sum(case when sentiment = -1 then 1 else 0 end)",
    "unscored": "sum(case when sentiment is null then 1 else 0 end)",
    "likes": "sum(coalesce(likes, 0))",
    "replies": "sum(coalesce(replies, 0))",
    "reposts": "sum(coalesce(reposts, 0))",
    "reach": "0",
}


@dataclass(frozen=True, slots=True)
class Series:
    """A window cut in steps: `starts` (UTC) and as many `tallies`, zero where nothing was said.

    `partial` is True where more than ROW_LIMIT rows stand behind it and only the newest are counted.
    """

    starts: tuple[datetime, ...]
    step_seconds: int
    tallies: tuple[Tally, ...]
    partial: bool = False

    @property
    def total(self) -> Tally:
        """The sum over all steps."""
        return _sum(self.tallies)


_values_of = attrgetter(*VALUES)


def _sum(tallies: Iterable[Tally]) -> Tally:
    held = [_values_of(tally) for tally in tallies if tally is not NOTHING]
    return Tally(*map(sum, zip(*held, strict=True))) if held else NOTHING


def series(
    connection: Connection,
    scope: Scope,
    window: Window,
    organisation: Organisation,
    *,
    values: tuple[str, ...] = VALUES,
) -> Series:
    """The brands of the scope together, one tally a step. `values` = those that are read, mentions first."""
    found = by_brand_of(connection, scope, scope.brand_ids, window, organisation, values=values)
    return _together(found, window, organisation)


def by_brand(
    connection: Connection,
    scope: Scope,
    window: Window,
    organisation: Organisation,
    *,
    values: tuple[str, ...] = VALUES,
) -> dict[int, Series]:
    """One series for each brand of the tracked set: what share of voice is made of. `values` as for `series`."""
    return by_brand_of(connection, scope, scope.tracked_ids, window, organisation, values=values)


def by_brand_of(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    window: Window,
    organisation: Organisation,
    *,
    values: tuple[str, ...] = VALUES,
) -> dict[int, Series]:
    """One series a brand, from the cells where they hold the answer, else from at most ROW_LIMIT newest rows."""
    starts, stop = _steps(window, organisation)
    cells = routed.in_cells(scope)
    granularity = _granularity(cells, window)
    looked_up = None
    if values == ("mentions",) and cells is not scope:
        every = [_seconds(start) for start in (*starts, stop)]
        looked_up = routed.counts(connection, scope, brand_ids, ("brand_id",), window, every)
    found: list[tuple[int, int, Sequence[int]]]
    if looked_up is not None:
        found, partial = [(group[0], bucket, counted) for group, bucket, counted in looked_up], False
    elif granularity is not None and _complete(connection, cells, brand_ids, granularity, window):
        found, partial = _from_cells(connection, scope, brand_ids, granularity, window, stop, organisation, values)
    else:
        found, partial = _from_rows(connection, scope, brand_ids, window, values)
    held: dict[int, list[Tally]] = {brand_id: [NOTHING] * len(starts) for brand_id in brand_ids}
    index = steps_of(([_seconds(start) for start in starts], _seconds(stop)), {row[1] for row in found})
    sums: dict[tuple[int, int], Sequence[int]] = {}
    for brand_id, bucket, counted in found:
        # A live window counts the step that now lies in to its end, and what a network dates beyond it not yet.
        step = index.get(bucket)
        if step is not None:
            key = (brand_id, step)
            sums[key] = counted if key not in sums else [a + b for a, b in zip(sums[key], counted, strict=True)]
    make = tally_of(values)
    for (brand_id, step), added in sums.items():
        held[brand_id][step] = make(added)
    return {
        brand_id: Series(tuple(starts), window.step_seconds, tuple(tallies), partial)
        for brand_id, tallies in held.items()
    }


def steps_of(steps: tuple[Sequence[int], int], buckets: Iterable[int]) -> dict[int, int]:
    """Which step each bucket lies in; those outside of all are left out.

    `steps` are the seconds since 1970 that they begin at, and where the last one ends. Looked up once a bucket and not
    once a cell, of which there are as many as brands, places and networks.
    """
    starts, end = steps
    return {bucket: at for bucket in buckets if (at := bisect_right(starts, bucket) - 1) >= 0 and bucket < end}


def tally_of(values: tuple[str, ...]) -> Callable[[Sequence[int]], Tally]:
    """What makes a tally of some of its values, in their order."""
    if values == VALUES[: len(values)]:
        return lambda counted: Tally(*counted)
    return lambda counted: Tally(**dict(zip(values, counted, strict=True)))


def _together(parts: Mapping[int, Series], window: Window, organisation: Organisation) -> Series:
    if len(parts) == 1:
        return next(iter(parts.values()))
    columns = zip(*(part.tallies for part in parts.values()), strict=True)
    return Series(
        tuple(_steps(window, organisation)[0]),
        window.step_seconds,
        tuple(_sum(column) for column in columns),
        any(part.partial for part in parts.values()),
    )


def _steps(window: Window, organisation: Organisation) -> tuple[list[datetime], datetime]:
    """Where each step of a window starts, and where the last one ends."""
    edges = [window.start]
    if window.step_seconds % DAY:
        step = timedelta(seconds=window.step_seconds)
        while edges[-1] < window.end:
            edges.append(edges[-1] + step)
    else:
        days = timedelta(days=window.step_seconds // DAY)
        date = window.start.astimezone(organisation.zone_info).date()
        while edges[-1] < window.end:
            date += days
            edges.append(_midnight(date, organisation.zone))
    return edges[:-1], edges[-1]


@lru_cache(maxsize=10_000)
def _midnight(date: date_of, zone: str) -> datetime:
    return datetime.combine(date, time(), ZoneInfo(zone)).astimezone(UTC)


def _seconds(instant: datetime) -> int:
    since = instant - EPOCH
    return since.days * DAY + since.seconds


def _granularity(scope: Scope, window: Window) -> int | None:
    """The coarsest cells that the steps can be put together of; None where only rows will do.

    Steps begin on the clock of the organisation: where that is half an hour off, no hour of UTC lies inside one step.
    """
    if scope.needs_rows:
        return None
    if window.step_seconds % DAY == 0:
        return DAY
    for granularity in (HOUR, FIVE_MINUTES if is_open(scope) else QUARTER):
        if window.step_seconds % granularity == 0 and _seconds(window.start) % granularity == 0:
            return granularity
    return None


def _from_cells(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    granularity: int,
    window: Window,
    stop: datetime,
    organisation: Organisation,
    values: tuple[str, ...],
) -> tuple[list[tuple[int, int, Sequence[int]]], bool]:
    # A window that ends at a given instant is cut there: whole cells before, rows in the cell it ends in.
    end = _seconds(window.end)
    midnight = local_day(end, organisation.zone)[1]
    edge = _seconds(stop) if window.live else midnight if granularity == DAY else end - end % granularity
    span = (_seconds(window.start), edge)
    # Local days are of 23 to 25 hours: they are cells of their own, and put into steps by their starts.
    step_seconds = granularity if granularity == DAY else window.step_seconds
    partial = False
    if scope.needs_rows:
        told = routed.routed(connection, scope, brand_ids, span, granularity, organisation)
        if told is None:
            return _from_rows(connection, scope, brand_ids, window, values)
        found, partial = _of_routed(connection, scope, told, granularity, window, (span, step_seconds), values)
    else:
        found = sums_of_cells(connection, scope, brand_ids, granularity, span, step_seconds, values)
    if window.live or to_microseconds(window.end) == edge * 1_000_000:
        return found, partial
    hour = last_hour(scope, edge, end, granularity, values)
    if hour > edge:
        found += sums_of_cells(connection, scope, brand_ids, HOUR, (edge, hour), hour - edge, values)
        edge = hour
    rest = Window(window.name, EPOCH + timedelta(seconds=edge), window.end, granularity, live=False)
    rows, is_part = _from_rows(connection, scope, brand_ids, rest, values)
    return found + rows, partial or is_part


def _of_routed(
    connection: Connection,
    scope: Scope,
    told: routed.Routed,
    granularity: int,
    window: Window,
    steps: tuple[tuple[int, int], int],
    values: tuple[str, ...],
) -> tuple[list[tuple[int, int, Sequence[int]]], bool]:
    """As `sums_of_cells`, for places and teams together: what is mixed is counted from its rows."""
    span, size = steps
    step = "bucket" if size == granularity else f"(bucket - :from) / {size}"
    rows = routed.sums(
        connection,
        told.of_teams(scope.team_ids or ()),
        scope.network_ids,
        granularity,
        span,
        ("brand_id",),
        step,
        values,
    )
    found = [(row[0], row[1] if size == granularity else span[0] + row[1] * size, row[2:]) for row in rows]
    if not told.mixed or span[0] >= span[1]:
        return found, False
    narrowed, also = told.mixed_in(scope)
    whole = replace(window, end=EPOCH + timedelta(seconds=span[1]), live=False)
    counted, partial = _from_rows(connection, narrowed, narrowed.brand_ids, whole, values, also=also)
    return found + counted, partial


def _complete(connection: Connection, scope: Scope, brand_ids: Sequence[int], granularity: int, window: Window) -> bool:
    """Whether cells finer than an hour still hold what the hours hold: they are dropped after FINE_KEPT."""
    if granularity >= HOUR or (window.live and window.end - window.start < FINE_KEPT):
        return True
    start, end = _seconds(window.start), _seconds(window.end)
    params: Params = {"fine": granularity, "hour": HOUR, "from": start - start % HOUR, "to": end - end % -HOUR}
    rows = connection.execute(
        text(
            f"select granularity, sum(mentions) from cube where {where_cells(scope, brand_ids, params)}"  # noqa: S608
            " and granularity in (:fine, :hour) and bucket >= :from and bucket < :to group by granularity"
        ),
        params,
    )
    sums = {row[0]: row[1] for row in rows}
    return bool(sums.get(granularity, 0) == sums.get(HOUR, 0))


def _from_rows(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    window: Window,
    values: tuple[str, ...],
    *,
    also: str = "",
) -> tuple[list[tuple[int, int, Sequence[int]]], bool]:
    """Counted from the newest ROW_LIMIT rows of the scope; True beside them where there were more."""
    unit = QUARTER if window.step_seconds % DAY == 0 else window.step_seconds
    start = to_microseconds(window.start)
    params: Params = {"start": start, "unit": unit * 1_000_000}
    inner = filtered(
        connection,
        scope,
        brand_ids,
        window,
        params,
        columns="m.brand_id, m.posted_at, m.sentiment, m.likes, m.replies, m.reposts",
        limit=ROW_LIMIT + 1,
        also=also,
    )
    rows = connection.execute(
        text(
            "select brand_id, (posted_at - :start) / :unit as step,"  # noqa: S608 - the values are bound
            f" {', '.join(OF_ROWS[name] for name in values)} from ({inner}) as counted group by brand_id, step"
        ),
        params,
    ).all()
    first = start // 1_000_000
    found = [(int(row[0]), first + int(row[1]) * unit, tuple(map(int, row[2:]))) for row in rows]
    is_part = bool(params.get(CUT_SHORT)) or sum(counted[0] for _, _, counted in found) > ROW_LIMIT
    return list(found), is_part
