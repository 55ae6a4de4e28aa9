"""The rollups: what is counted is defined, written, read, checked and rebuilt here and nowhere else.

A cell counts one bucket of time for one brand and one combination of location, team and network, where 0 means
"all of them". Six combinations are kept (all, location, team, network, location + network, team + network), at
15 minutes, hours and local days; the combination "all" at 5 minutes too. A figure is a sum of cells.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from datetime import date as date_of
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.database import lock_brands, merge_rows, time_id
from models.mentions import ROW_LIMIT, Params, filtered, marks
from models.organisation import Organisation
from models.tables.base import EPOCH, from_microseconds, to_microseconds

FIVE_MINUTES = 300
QUARTER = 900
HOUR = 3600
DAY = 86_400
GRANULARITIES = (FIVE_MINUTES, QUARTER, HOUR, DAY)
# Finer cells than an hour are kept this long.
FINE_KEPT = timedelta(days=35)
# Up to here reach counts each author once; beyond, it adds up local days.
EACH_ONCE = timedelta(days=2)

KEYS = ("brand_id", "granularity", "location_id", "team_id", "network_id", "bucket")


@dataclass(frozen=True, slots=True)
class Tally:
    """What one cell holds. `reach` = followers of the authors first seen on their local day in this cell."""

    mentions: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
    unscored: int = 0
    likes: int = 0
    replies: int = 0
    reposts: int = 0
    reach: int = 0

    @property
    def scored(self) -> int:
        """Mentions in a language the sentiment model knows: the base of every share of sentiment."""
        return self.positive + self.neutral + self.negative

    @property
    def net_sentiment(self) -> float | None:
        """100 x (positive - negative) / scored, -100..100; None when nothing is scored."""
        return 100 * (self.positive - self.negative) / self.scored if self.scored else None


VALUES = tuple(field.name for field in fields(Tally))
NOTHING = Tally()
_ADD = ", ".join(f"{name} = cube.{name} + excluded.{name}" for name in VALUES)
# Without the cast PostgreSQL answers with decimals, which take five times as long to read.
_SUMS = ", ".join(f"cast(sum({name}) as bigint)" for name in VALUES)


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


@dataclass(frozen=True, slots=True)
class Reach:
    """Followers of the authors, an upper limit. `each_once` is False where local days were added up."""

    value: int
    each_once: bool


def _sum(tallies: Iterable[Tally]) -> Tally:
    held = [0] * len(VALUES)
    for tally in tallies:
        if tally is not NOTHING:
            for i, name in enumerate(VALUES):
                held[i] += getattr(tally, name)
    return Tally(*held)


# -- writing -----------------------------------------------------------------------------------------------

Key = tuple[int, int, int, int, int, int]

# A tally on its way to the cells is one integer, 64 bits a value in the order of Tally, so that adding two is one
# addition (three times faster than adding lists). Negative values borrow from the next field; `_unpack` undoes that.
FIELD_BITS = 64
_FIELD = {name: 1 << (FIELD_BITS * i) for i, name in enumerate(VALUES)}
_LIKES, _REPLIES, _REPOSTS, _REACH = (
    FIELD_BITS * VALUES.index(name) for name in ("likes", "replies", "reposts", "reach")
)
_SENTIMENT = {
    1: _FIELD["mentions"] + _FIELD["positive"],
    0: _FIELD["mentions"] + _FIELD["neutral"],
    -1: _FIELD["mentions"] + _FIELD["negative"],
    None: _FIELD["mentions"] + _FIELD["unscored"],
}
# Half the range of every field: added before the bytes are cut, so that no field is negative while they are.
_HALF = 1 << (FIELD_BITS - 1)
_HALVES = sum(_HALF * field for field in _FIELD.values())
_CUT = struct.Struct(f"<{len(VALUES)}Q")


def packed_mention(sentiment: int | None, likes: int | None, replies: int | None, reposts: int | None) -> int:
    """What one mention adds to its cells; None (the network is silent, the language unknown) counts as nothing."""
    return _SENTIMENT[sentiment] + packed_engagement(likes, replies, reposts)


def packed_engagement(likes: int | None, replies: int | None, reposts: int | None) -> int:
    """What a difference in engagement adds, each of either sign."""
    return ((likes or 0) << _LIKES) + ((replies or 0) << _REPLIES) + ((reposts or 0) << _REPOSTS)


def packed_reach(followers: int) -> int:
    """What an author first seen on a local day adds."""
    return followers << _REACH


def _unpack(packed: int) -> tuple[int, ...]:
    return tuple([half - _HALF for half in _CUT.unpack((packed + _HALVES).to_bytes(_CUT.size, "little"))])


@lru_cache(maxsize=100_000)
def _local_day(quarter: int, zone: str) -> tuple[int, int]:
    info = ZoneInfo(zone)
    date = (EPOCH + timedelta(seconds=quarter * QUARTER)).astimezone(info).date()
    midnight = datetime.combine(date, time(), info)
    return (date - EPOCH.date()).days, int((midnight - EPOCH) // timedelta(seconds=1))


def local_day(seconds: int, zone: str) -> tuple[int, int]:
    """(days since 1970 of the local date, its midnight in seconds since 1970 UTC) of an instant in a zone.

    Every zone's offset since 2000 is whole quarters of an hour, so a quarter lies in one local day.
    """
    return _local_day(seconds // QUARTER, zone)


class Cells:
    """Changes to the rollups of one transaction, added up before they are written."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._base: dict[tuple[int, int, int, int, int], int] = {}

    def add(self, brand_id: int, location_id: int, team_id: int, network_id: int, seconds: int, packed: int) -> None:
        """Add a packed tally (negative to take away) to every cell that covers the instant."""
        key = (brand_id, location_id, team_id, network_id, seconds // FIVE_MINUTES)
        self._base[key] = self._base.get(key, 0) + packed

    def rows(self) -> dict[Key, int]:
        """Every touched cell with the packed tally to be added to it."""
        cells: dict[Key, int] = {}
        get = cells.get
        for (brand, location, team, network, five), packed in self._base.items():
            seconds = five * FIVE_MINUTES
            key: Key = (brand, FIVE_MINUTES, 0, 0, 0, seconds)
            cells[key] = get(key, 0) + packed
            buckets = (
                (QUARTER, seconds - seconds % QUARTER),
                (HOUR, seconds - seconds % HOUR),
                (DAY, _local_day(seconds // QUARTER, self._zone)[1]),
            )
            for granularity, bucket in buckets:
                key = (brand, granularity, 0, 0, 0, bucket)
                cells[key] = get(key, 0) + packed
                key = (brand, granularity, location, 0, 0, bucket)
                cells[key] = get(key, 0) + packed
                key = (brand, granularity, 0, team, 0, bucket)
                cells[key] = get(key, 0) + packed
                key = (brand, granularity, 0, 0, network, bucket)
                cells[key] = get(key, 0) + packed
                key = (brand, granularity, location, 0, network, bucket)
                cells[key] = get(key, 0) + packed
                key = (brand, granularity, 0, team, network, bucket)
                cells[key] = get(key, 0) + packed
        return cells

    def write(self, connection: Connection) -> None:
        """Add everything to the stored cells; the caller holds the lock on each brand."""
        rows = [key + _unpack(packed) for key, packed in self.rows().items() if packed]
        merge_rows(connection, "cube", KEYS, VALUES, _ADD, rows)


# -- reading -----------------------------------------------------------------------------------------------


def series(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Series:
    """The brands of the scope together, one tally a step."""
    return _together(by_brand_of(connection, scope, scope.brand_ids, window, organisation), window, organisation)


def by_brand(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> dict[int, Series]:
    """One series for each brand of the tracked set: what share of voice is made of."""
    return by_brand_of(connection, scope, scope.tracked_ids, window, organisation)


def by_brand_of(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], window: Window, organisation: Organisation
) -> dict[int, Series]:
    """One series a brand, from the cells where they hold the answer, else from at most ROW_LIMIT newest rows."""
    starts, stop = _steps(window, organisation)
    granularity = _granularity(scope, window)
    if granularity is not None and _complete(connection, scope, brand_ids, granularity, window):
        found, partial = _from_cells(connection, scope, brand_ids, granularity, window, stop, organisation)
    else:
        found, partial = _from_rows(connection, scope, brand_ids, window)
    edges = [_seconds(start) for start in starts]
    held: dict[int, list[Tally]] = {brand_id: [NOTHING] * len(starts) for brand_id in brand_ids}
    end = _seconds(stop)
    sums: dict[tuple[int, int], Sequence[int]] = {}
    for brand_id, bucket, values in found:
        index = bisect_right(edges, bucket) - 1
        # A live window counts the step that now lies in to its end, and what a network dates beyond it not yet.
        if index >= 0 and bucket < end:
            key = (brand_id, index)
            sums[key] = values if key not in sums else [a + b for a, b in zip(sums[key], values, strict=True)]
    for (brand_id, index), added in sums.items():
        held[brand_id][index] = Tally(*added)
    return {
        brand_id: Series(tuple(starts), window.step_seconds, tuple(tallies), partial)
        for brand_id, tallies in held.items()
    }


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
    open_scope = scope.location_ids is None and scope.team_ids is None and scope.network_ids is None
    if window.step_seconds % DAY == 0:
        return DAY
    for granularity in (HOUR, QUARTER, FIVE_MINUTES) if open_scope else (HOUR, QUARTER):
        if window.step_seconds % granularity == 0 and _seconds(window.start) % granularity == 0:
            return granularity
    return None


def _where_cells(scope: Scope, brand_ids: Sequence[int], params: Params) -> str:
    parts = [f"brand_id in ({marks(params, brand_ids)})"]
    for column, chosen in (
        ("location_id", scope.location_ids),
        ("team_id", scope.team_ids),
        ("network_id", scope.network_ids),
    ):
        parts.append(f"{column} in ({marks(params, chosen if chosen is not None else (0,))})")
    return " and ".join(parts)


def _from_cells(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    granularity: int,
    window: Window,
    stop: datetime,
    organisation: Organisation,
) -> tuple[list[tuple[int, int, Sequence[int]]], bool]:
    # A window that ends at a given instant is cut there: whole cells before, rows in the cell it ends in.
    end = _seconds(window.end)
    midnight = local_day(end, organisation.zone)[1]
    edge = _seconds(stop) if window.live else midnight if granularity == DAY else end - end % granularity
    found = _sums_of_cells(connection, scope, brand_ids, granularity, (_seconds(window.start), edge))
    if window.live or to_microseconds(window.end) == edge * 1_000_000:
        return found, False
    rest = Window(window.name, EPOCH + timedelta(seconds=edge), window.end, granularity, live=False)
    rows, partial = _from_rows(connection, scope, brand_ids, rest)
    return found + rows, partial


def _sums_of_cells(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], granularity: int, span: tuple[int, int]
) -> list[tuple[int, int, Sequence[int]]]:
    """(brand, bucket, values in the order of Tally) of the cells that start inside a span of seconds since 1970."""
    params: Params = {"granularity": granularity, "from": span[0], "to": span[1]}
    is_open = scope.location_ids is None and scope.team_ids is None and scope.network_ids is None
    # With every dimension open there is one cell a bucket, and nothing to add up.
    columns, grouped = (", ".join(VALUES), "") if is_open else (_SUMS, " group by brand_id, bucket")
    rows = connection.execute(
        text(
            f"select brand_id, bucket, {columns} from cube"  # noqa: S608 - the values are bound
            f" where {_where_cells(scope, brand_ids, params)}"
            f" and granularity = :granularity and bucket >= :from and bucket < :to{grouped}"
        ),
        params,
    ).all()
    return [(row[0], row[1], row[2:]) for row in rows]


def _complete(connection: Connection, scope: Scope, brand_ids: Sequence[int], granularity: int, window: Window) -> bool:
    """Whether cells finer than an hour still hold what the hours hold: they are dropped after FINE_KEPT."""
    if granularity >= HOUR or (window.live and window.end - window.start < FINE_KEPT):
        return True
    start, end = _seconds(window.start), _seconds(window.end)
    params: Params = {"fine": granularity, "hour": HOUR, "from": start - start % HOUR, "to": end - end % -HOUR}
    rows = connection.execute(
        text(
            f"select granularity, sum(mentions) from cube where {_where_cells(scope, brand_ids, params)}"  # noqa: S608
            " and granularity in (:fine, :hour) and bucket >= :from and bucket < :to group by granularity"
        ),
        params,
    )
    sums = {row[0]: row[1] for row in rows}
    return bool(sums.get(granularity, 0) == sums.get(HOUR, 0))


def _from_rows(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], window: Window
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
    )
    rows = connection.execute(
        text(
            "select brand_id, (posted_at - :start) / :unit as step, count(*),"  # noqa: S608 - the values are bound
            " sum(case when sentiment = 1 then 1 else 0 end), sum(case when sentiment = 0 then 1 else 0 end),"
            " sum(case when sentiment = -1 then 1 else 0 end), sum(case when sentiment is null then 1 else 0 end),"
            " sum(coalesce(likes, 0)), sum(coalesce(replies, 0)), sum(coalesce(reposts, 0))"
            f" from ({inner}) as counted group by brand_id, step"
        ),
        params,
    ).all()
    first = start // 1_000_000
    found = [(int(row[0]), first + int(row[1]) * unit, (*map(int, row[2:]), 0)) for row in rows]
    return list(found), sum(values[0] for _, _, values in found) > ROW_LIMIT


def reach(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Reach:
    """Followers of the authors in the scope: each author once up to 2 days, the sum of local days beyond."""
    if scope.search or window.end - window.start > EACH_ONCE:
        if scope.needs_rows:
            return _reach_of_rows(connection, scope, window)
        return Reach(_reach_of_cells(connection, scope, window), each_once=False)
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


def _reach_of_cells(connection: Connection, scope: Scope, window: Window) -> int:
    """The sum of local days: whole ones where the steps are days, else cut to the hour at both ends."""
    granularity = DAY if window.step_seconds % DAY == 0 else HOUR
    start, end = _seconds(window.start), _seconds(window.end) + (1 if window.live else 0)
    span = (start if granularity == DAY else start - start % HOUR, end)
    return sum(values[-1] for _, _, values in _sums_of_cells(connection, scope, scope.brand_ids, granularity, span))


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


# -- holding them true -------------------------------------------------------------------------------------


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
    return {key: _unpack(packed) for key, packed in cells.rows().items() if packed}


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
    lock_brands(connection, [brand_id])
    counted = _count(connection, brand_id, organisation.zone)
    rows: list[tuple[Any, ...]] = [(*key, *values) for key, values in counted.items() if not _too_old(key, now)]
    connection.execute(text("delete from cube where brand_id = :brand"), {"brand": brand_id})
    merge_rows(connection, "cube", KEYS, VALUES, _ADD, rows)
    return len(rows)


def forget_fine(connection: Connection, now: datetime) -> int:
    """Drop the cells finer than an hour that are older than FINE_KEPT; returns how many."""
    before = int((now - FINE_KEPT - EPOCH).total_seconds())
    result = connection.execute(
        text("delete from cube where granularity in (:five, :quarter) and bucket < :before"),
        {"five": FIVE_MINUTES, "quarter": QUARTER, "before": before},
    )
    return int(result.rowcount)


__all__ = [
    "NOTHING",
    "Cells",
    "Difference",
    "Reach",
    "Series",
    "Tally",
    "by_brand",
    "check",
    "forget_fine",
    "from_microseconds",
    "local_day",
    "packed_engagement",
    "packed_mention",
    "packed_reach",
    "reach",
    "rebuild",
    "series",
]
