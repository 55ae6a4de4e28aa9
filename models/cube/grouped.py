"""Figures of every brand, location, team or network at once: one statement for all of them, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube import routed
from models.cube.cells import DAY, HOUR, NOTHING, QUARTER, VALUES, Tally, local_day
from models.cube.reading import OF_ROWS, Series, _complete, _granularity, _seconds, _steps, steps_of
from models.cube.sums import last_hour, where_cells
from models.database import EARLIEST, time_id
from models.mentions import CUT_SHORT, ROW_LIMIT, Params, filtered
from models.networks import NETWORKS
from models.organisation import Organisation
from models.tables.base import EPOCH, to_microseconds

BRAND, LOCATION, TEAM, NETWORK = "brand_id", "location_id", "team_id", "network_id"
# What a net sentiment is made of.
SENTIMENTS = VALUES[:5]
Group = tuple[int, ...]
"""The values of the dimensions that are kept apart, in the order they were asked for."""


@dataclass(frozen=True, slots=True)
class Totals:
    """A tally for each group that has mentions; `partial` where only the newest ROW_LIMIT rows were counted."""

    tallies: Mapping[Group, Tally]
    partial: bool = False

    def of(self, *group: int) -> Tally:
        """What one group holds, nothing where it is not there."""
        return self.tallies.get(group, NOTHING)


def steps(window: Window, organisation: Organisation) -> tuple[datetime, ...]:
    """Where each step of a window starts."""
    return tuple(_steps(window, organisation)[0])


def by_team(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> dict[int, Series]:
    """One series for each team that something was routed to."""
    return series_by(connection, scope, TEAM, window, organisation)


def series_by(
    connection: Connection,
    scope: Scope,
    dimension: str,
    window: Window,
    organisation: Organisation,
    *,
    values: tuple[str, ...] = VALUES,
) -> dict[int, Series]:
    """One series for each value of a dimension that has mentions in the window; others are left out.

    `values` = the first ones of VALUES that are read; what is not read is zero.

    The brands are those of the tracked set where brands are kept apart, else those of the scope.
    """
    starts, stop = _steps(window, organisation)
    edges = [_seconds(start) for start in (*starts, stop)]
    rows, partial = _read(connection, scope, (dimension,), window, edges, organisation, values)
    index = steps_of((edges[:-1], edges[-1]), {row[1] for row in rows})
    sums: dict[tuple[int, int], Sequence[int]] = {}
    for (value,), bucket, counted in rows:
        step = index.get(bucket)
        if step is not None:
            key = (value, step)
            known = sums.get(key)
            sums[key] = counted if known is None else [a + b for a, b in zip(known, counted, strict=True)]
    held: dict[int, list[Tally]] = {}
    for (value, step), added in sums.items():
        if value not in held:
            held[value] = [NOTHING] * len(starts)
        held[value][step] = Tally(*added)
    return {
        value: Series(tuple(starts), window.step_seconds, tuple(tallies), partial) for value, tallies in held.items()
    }


def counts(
    connection: Connection, scope: Scope, window: Window, organisation: Organisation
) -> tuple[tuple[int, ...], bool]:
    """Mentions a step of the whole scope, and whether only the newest ROW_LIMIT rows were counted."""
    found, length, partial = _counted(connection, scope, (), window, organisation)
    return tuple(found.get((), (0,) * length)), partial


def counts_by(
    connection: Connection, scope: Scope, dimension: str, window: Window, organisation: Organisation
) -> dict[int, tuple[int, ...]]:
    """Mentions a step for each value of a dimension that has any: a fifth of what `series_by` costs."""
    found, _, _ = _counted(connection, scope, (dimension,), window, organisation)
    return {group[0]: tuple(held) for group, held in found.items()}


def _counted(
    connection: Connection, scope: Scope, dimensions: tuple[str, ...], window: Window, organisation: Organisation
) -> tuple[dict[Group, list[int]], int, bool]:
    """Mentions a step by group, how many steps there are, and whether only the newest ROW_LIMIT rows were counted."""
    starts, stop = _steps(window, organisation)
    edges = [_seconds(start) for start in (*starts, stop)]
    rows, partial = _read(connection, scope, dimensions, window, edges, organisation, ("mentions",))
    index = steps_of((edges[:-1], edges[-1]), {row[1] for row in rows})
    found: dict[Group, list[int]] = {}
    for group, bucket, (mentions,) in rows:
        if bucket in index:
            if group not in found:
                found[group] = [0] * len(starts)
            found[group][index[bucket]] += mentions
    return found, len(starts), partial


def totals_by(
    connection: Connection,
    scope: Scope,
    dimensions: Sequence[str],
    window: Window,
    organisation: Organisation,
    *,
    values: tuple[str, ...] = VALUES,
) -> Totals:
    """A tally of the whole window for each combination of values of some dimensions.

    Whole local days inside the window are read as days, which are a tenth of the cells. `values` = those of VALUES
    that are read; what is not read is zero.
    """
    sums: dict[Group, Sequence[int]] = {}
    partial = False
    # A live window counts the step that now lies in to its end.
    stop = _seconds(_steps(window, organisation)[1])
    for part in _parts(scope, tuple(dimensions), window, organisation):
        edges = [_seconds(part.start), stop if part.end == window.end else _seconds(part.end)]
        rows, is_part = _read(connection, scope, tuple(dimensions), part, edges, organisation, values)
        partial |= is_part
        for group, bucket, counted in rows:
            if edges[0] <= bucket < edges[1]:
                known = sums.get(group)
                sums[group] = counted if known is None else [a + b for a, b in zip(known, counted, strict=True)]
    return Totals({group: Tally(**dict(zip(values, held, strict=True))) for group, held in sums.items()}, partial)


def _parts(scope: Scope, dimensions: tuple[str, ...], window: Window, organisation: Organisation) -> tuple[Window, ...]:
    granularity = _granularity(routed.in_cells(_named(scope, dimensions, organisation)), window)
    first = EPOCH + timedelta(seconds=local_day(_seconds(window.start) + DAY - 1, organisation.zone)[1])
    last = EPOCH + timedelta(seconds=local_day(_seconds(window.end), organisation.zone)[1])
    if granularity is None or granularity == DAY or first < window.start or last - first < timedelta(days=2):
        return (window,)
    days = Window(window.name, first, last, DAY, live=False)
    # Steps of the cells' own length: longer ones need not end where the days begin.
    head = replace(window, end=first, step_seconds=granularity)
    tail = replace(window, start=last, step_seconds=granularity)
    parts = (head, days, tail)
    return tuple(part for part in parts if part.start < part.end)


def needs_rows(scope: Scope, dimension: str) -> bool:
    """Whether no cells hold a scope with the values of a dimension kept apart: places of a team, teams of a place."""
    kept_apart = {LOCATION: scope.team_ids, TEAM: scope.location_ids}.get(dimension)
    return scope.needs_rows or kept_apart is not None


# -- reading -------------------------------------------------------------------------------------------------

Row = tuple[Group, int, Sequence[int]]
"""A group, the second since 1970 that its bucket starts at, values in the order of Tally."""


def _read(
    connection: Connection,
    scope: Scope,
    dimensions: tuple[str, ...],
    window: Window,
    edges: Sequence[int],
    organisation: Organisation,
    values: tuple[str, ...],
) -> tuple[list[Row], bool]:
    brands = scope.tracked_ids if BRAND in dimensions else scope.brand_ids
    named = _named(scope, dimensions, organisation)
    cells = routed.in_cells(named)
    if values == ("mentions",) and cells is not named:
        counted = routed.counts(connection, named, brands, dimensions, window, edges)
        if counted is not None:
            return counted, False
    granularity = _granularity(cells, window)
    if granularity is None or not _complete(connection, cells, brands, granularity, window):
        return _from_rows(connection, scope, brands, dimensions, window, edges, values)
    # A window that ends at a given instant is cut there: whole cells before, rows in the cell it ends in.
    end = _seconds(window.end)
    midnight = local_day(end, organisation.zone)[1]
    edge = edges[-1] if window.live else midnight if granularity == DAY else end - end % granularity
    partial = False
    if named.needs_rows:
        told = routed.routed(connection, named, brands, (edges[0], edge), granularity, organisation)
        if told is None:
            return _from_rows(connection, scope, brands, dimensions, window, edges, values)
        found, partial = _of_routed(connection, named, told, dimensions, granularity, window, (edges, edge), values)
    else:
        found = _from_cells(connection, named, brands, dimensions, granularity, (edges, edge), values)
    if window.live or to_microseconds(window.end) == edge * 1_000_000:
        return found, partial
    hour = last_hour(named, edge, end, granularity, values)
    if hour > edge:
        found += _from_cells(connection, named, brands, dimensions, HOUR, ([edge, hour], hour), values)
        edge = hour
    rest = Window(window.name, EPOCH + timedelta(seconds=edge), window.end, granularity, live=False)
    rows, is_part = _from_rows(connection, scope, brands, dimensions, rest, [edge, end], values)
    return found + rows, partial or is_part


def _of_routed(
    connection: Connection,
    named: Scope,
    told: routed.Routed,
    dimensions: tuple[str, ...],
    granularity: int,
    window: Window,
    span: tuple[Sequence[int], int],
    values: tuple[str, ...],
) -> tuple[list[Row], bool]:
    """As `_from_cells`, for places and teams together: what is mixed is counted from its rows."""
    (edges, stop), (step, start_of) = span, _stepped(span[0], granularity)
    rows = routed.sums(
        connection,
        told.of_teams(named.team_ids or ()),
        named.network_ids,
        granularity,
        (edges[0], stop),
        dimensions,
        step,
        values,
    )
    count = len(dimensions)
    found: list[Row] = [(tuple(row[:count]), start_of(row[count]), row[count + 1 :]) for row in rows]
    if not told.mixed or edges[0] >= stop:
        return found, False
    narrowed, also = told.mixed_in(named)
    whole, brands = replace(window, end=EPOCH + timedelta(seconds=stop), live=False), narrowed.brand_ids
    counted, partial = _from_rows(connection, narrowed, brands, dimensions, whole, edges, values, also=also)
    return found + counted, partial


def _stepped(edges: Sequence[int], granularity: int) -> tuple[str, Callable[[int], int]]:
    """What of a cell's bucket its sums are kept apart by, and where such a step begins.

    Adding up is done where the cells are. Local days differ in length.
    """
    first, size = edges[0], edges[1] - edges[0]
    if len(edges) == 2:
        return "0", lambda step: first
    if granularity == DAY:
        return "bucket", lambda step: step
    return f"(bucket - :from) / {size}", lambda step: first + step * size


def _named(scope: Scope, dimensions: tuple[str, ...], organisation: Organisation) -> Scope:
    """The scope with every value of the dimensions that are kept apart named, as the cells are read for it."""
    everything = {
        LOCATION: tuple(item.id for item in organisation.locations),
        TEAM: tuple(item.id for item in organisation.teams),
        NETWORK: tuple(network.id for network in NETWORKS),
    }

    def ids(column: str, chosen: tuple[int, ...] | None) -> tuple[int, ...] | None:
        return everything[column] if chosen is None and column in dimensions else chosen

    return replace(
        scope,
        location_ids=ids(LOCATION, scope.location_ids),
        team_ids=ids(TEAM, scope.team_ids),
        network_ids=ids(NETWORK, scope.network_ids),
    )


def _from_cells(
    connection: Connection,
    named: Scope,
    brands: Sequence[int],
    dimensions: tuple[str, ...],
    granularity: int,
    span: tuple[Sequence[int], int],
    values: tuple[str, ...],
) -> list[Row]:
    edges, stop = span
    params: Params = {"granularity": granularity, "from": edges[0], "to": stop}
    where = where_cells(named, brands, params)
    columns = "".join(f"{name}, " for name in dimensions)
    # Without the cast PostgreSQL answers with decimals, which take five times as long to read.
    sums = ", ".join(f"cast(sum({name}) as bigint)" for name in values)
    step, start_of = _stepped(edges, granularity)
    by = ", ".join(dimensions if len(edges) == 2 else (*dimensions, "step"))
    rows = connection.execute(
        text(
            f"select {columns}{step} as step, {sums} from cube where {where} and granularity = :granularity"  # noqa: S608
            f" and bucket >= :from and bucket < :to{f' group by {by}' if by else ''}"
        ),
        params,
    )
    count = len(dimensions)
    # Of nothing at all there is one sum, and it is none.
    return [
        (tuple(row[:count]), start_of(row[count]), tuple(row[count + 1 :]))
        for row in rows
        if row[count + 1] is not None
    ]


def _from_rows(
    connection: Connection,
    scope: Scope,
    brands: Sequence[int],
    dimensions: tuple[str, ...],
    window: Window,
    edges: Sequence[int],
    values: tuple[str, ...],
    *,
    also: str = "",
) -> tuple[list[Row], bool]:
    """Counted from the newest ROW_LIMIT rows of the scope; True beside them where there were more."""
    unit = QUARTER if window.step_seconds % DAY == 0 else window.step_seconds
    # An id carries its instant: what is only counted is found in the index, without reading a row.
    params: Params = {"start": time_id(window.start, 0), "unit": time_id(EARLIEST + timedelta(seconds=unit), 0)}
    columns, sums = "".join(f"{name}, " for name in dimensions), ", ".join(OF_ROWS[name] for name in values)
    counted = [name for name in ("sentiment", "likes", "replies", "reposts") if name in sums]
    inner = filtered(
        connection,
        scope,
        brands,
        window,
        params,
        columns=", ".join(f"m.{name}" for name in ("id", *dimensions, *counted)),
        limit=ROW_LIMIT + 1,
        also=also,
    )
    rows = connection.execute(
        text(
            f"select {columns}(id - :start) / :unit as step, {sums} from ({inner}) as counted"  # noqa: S608
            f" group by {columns}step"
        ),
        params,
    )
    count, first = len(dimensions), _seconds(window.start)
    found: list[Row] = [
        (tuple(map(int, row[:count])), first + int(row[count]) * unit, tuple(map(int, row[count + 1 :])))
        for row in rows
    ]
    return found, bool(params.get(CUT_SHORT)) or sum(held[0] for _, _, held in found) > ROW_LIMIT
