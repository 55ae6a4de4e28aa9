"""When a part of what is said was said: the hours of each brand that hold mentions of a scope, from the rollups.

A team or a network has no index of its own. Where few mentions of a brand are its, they are looked for in their hours
alone, instead of in everything that the brand was mentioned for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.database import time_id
from models.networks import NETWORKS
from models.tables.base import EPOCH

HOUR, DAY = 3600, 86_400
# The longest local day: a cell of one may begin so long before an instant that lies in it.
LONGEST_DAY = 25 * HOUR
# Where more than one in so many mentions of the brands is one of the scope, walking down them all is as short.
SPARSE = 6
# More hours than these are no longer few.
MOST_HOURS = 5_000
# Days at the end of a window that are looked at for where its newest mentions begin, a few and then more.
LOOKED_AT = (2, 8, 32)

Span = tuple[int, int, int]
"""A brand, its first id, and the first one behind."""
Bucket = tuple[int, int]
"""A brand, and the start of a cell in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Brands of a scope, and the cells that are read: those that start from `first` on, and up to `last` if said."""

    scope: Scope
    brand_ids: Sequence[int]
    first: int
    last: int | None


def spans(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], window: Window, *, limit: int
) -> list[Span] | None:
    """Where the newest `limit` mentions of teams or networks lie; None where they are not few among all others.

    Raises ValueError for a scope of a location: of a location and a team together there are no cells.
    """
    if scope.location_ids is not None:
        raise ValueError("the hours of a location are not told apart by team")
    last = None if window.live else _seconds(window.end)
    asked = _Asked(scope, brand_ids, _seconds(window.start) - LONGEST_DAY, last)
    since, held = _since(asked, _held(connection, asked, DAY), limit)
    if not held:
        return []
    if held > MOST_HOURS or held * SPARSE > _of_all(connection, asked, since):
        return None
    return _joined(sorted(_held(connection, _Asked(scope, brand_ids, since, last), HOUR)))


def since(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], window: Window, *, limit: int
) -> datetime | None:
    """An instant of the window from which on it holds the newest `limit` mentions of a scope; None where none is known.

    Walks down several brands or places stop there, and not each of them at a limit of its own. Of a location and a team
    together there are no cells.
    """
    if scope.search or (scope.location_ids is not None and scope.team_ids is not None):
        return None
    last = None if window.live else _seconds(window.end)
    start, end = _seconds(window.start), _seconds(window.end)
    for days in LOOKED_AT:
        first = end - days * DAY
        if first - LONGEST_DAY <= start:
            return None
        by_day = _held(connection, _Asked(scope, brand_ids, first, last), DAY)
        found = 0
        for bucket in sorted({bucket for _, bucket in by_day}, reverse=True):
            # Of the day in which a window ends, some may lie behind its end.
            if last is None or bucket + LONGEST_DAY <= last:
                found += sum(by_day.get((brand_id, bucket), 0) for brand_id in brand_ids)
            if found >= limit:
                return EPOCH + timedelta(seconds=bucket)
    return None


def _seconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(seconds=1)


def _since(asked: _Asked, days: dict[Bucket, int], limit: int) -> tuple[int, int]:
    """The start of the day with which `limit` mentions are found, and how many there are from then on."""
    found = whole = 0
    by_day: dict[int, int] = {}
    for (_, bucket), count in days.items():
        by_day[bucket] = by_day.get(bucket, 0) + count
    for bucket in sorted(by_day, reverse=True):
        found += by_day[bucket]
        # Of the day in which a window ends, some may lie behind its end.
        if asked.last is None or bucket + LONGEST_DAY <= asked.last:
            whole += by_day[bucket]
        if whole >= limit:
            return bucket, found
    return asked.first, found


def _held(connection: Connection, asked: _Asked, granularity: int) -> dict[Bucket, int]:
    """Mentions of the scope by brand and cell."""
    scope = asked.scope
    # Every network is named, since a place or a team is kept by network alone; of whole brands there are days of all.
    is_open = scope.location_ids is None and scope.team_ids is None and scope.network_ids is None
    network_ids = (0,) if is_open else scope.network_ids or [network.id for network in NETWORKS]
    rows = connection.execute(
        text(
            "select brand_id, bucket, sum(mentions) from cube"  # noqa: S608 - whole numbers of ours
            f" where brand_id in ({_list(asked.brand_ids)}) and granularity = :granularity"
            f" and location_id in ({_list(scope.location_ids or (0,))})"
            f" and team_id in ({_list(scope.team_ids or (0,))}) and network_id in ({_list(network_ids)})"
            f" and bucket >= :first{_until(asked)} group by brand_id, bucket having sum(mentions) > 0"
        ),
        {"granularity": granularity, "first": asked.first, "last": asked.last},
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


def _of_all(connection: Connection, asked: _Asked, since: int) -> int:
    """All mentions of the brands, in days from an instant on."""
    return int(
        connection.execute(
            text(
                "select coalesce(sum(mentions), 0) from cube"  # noqa: S608 - whole numbers of ours
                f" where brand_id in ({_list(asked.brand_ids)}) and granularity = :granularity and location_id = 0"
                " and team_id = 0 and network_id = 0 and bucket >= :first"
                f"{_until(asked)}"
            ),
            {"granularity": DAY, "first": since, "last": asked.last},
        ).scalar_one()
    )


def _until(asked: _Asked) -> str:
    return "" if asked.last is None else " and bucket <= :last"


def _joined(hours: Sequence[Bucket]) -> list[Span]:
    """Hours as spans of ids, neighbours as one."""
    found: list[Span] = []
    for brand_id, hour in hours:
        first, past = (time_id(EPOCH + timedelta(seconds=at), 0) for at in (hour, hour + HOUR))
        if found and found[-1][0] == brand_id and found[-1][2] == first:
            found[-1] = (brand_id, found[-1][1], past)
        else:
            found.append((brand_id, first, past))
    return found


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(str(int(number)) for number in numbers)
