"""What a cell is, what a mention adds to which cells, and how that is written."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from models.bulk import merge_rows
from models.tables.base import EPOCH

FIVE_MINUTES = 300
QUARTER = 900
HOUR = 3600
DAY = 86_400
# Finer cells than an hour are kept this long.
FINE_KEPT = timedelta(days=35)

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
ADD = ", ".join(f"{name} = cube.{name} + excluded.{name}" for name in VALUES)


Key = tuple[int, int, int, int, int, int]
# Brand, location, team, network, and the number or the start of a bucket.
_Base = tuple[int, int, int, int, int]

# A tally on its way to the cells is one integer, 64 bits a value in the order of Tally, so that adding two is one
# addition (three times faster than adding lists). Negative values borrow from the next field; `unpack` undoes that.
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
# Half the range of every field: added so that no field is negative and none borrows while the bytes are cut, and then
# taken out of each by turning its highest bit, which leaves the two's complement.
_HALVES = sum(field << (FIELD_BITS - 1) for field in _FIELD.values())
_CUT = struct.Struct(f"<{len(VALUES)}q")


def packed_mention(sentiment: int | None, likes: int | None, replies: int | None, reposts: int | None) -> int:
    """What one mention adds to its cells; None (the network is silent, the language unknown) counts as nothing."""
    return _SENTIMENT[sentiment] + packed_engagement(likes, replies, reposts)


def packed_engagement(likes: int | None, replies: int | None, reposts: int | None) -> int:
    """What a difference in engagement adds, each of either sign."""
    return ((likes or 0) << _LIKES) + ((replies or 0) << _REPLIES) + ((reposts or 0) << _REPOSTS)


def packed_sentiment(before: int | None, after: int | None) -> int:
    """What a mention whose sentiment changed adds: minus the old one, plus the new one."""
    return _SENTIMENT[after] - _SENTIMENT[before]


def packed_reach(followers: int) -> int:
    """What an author first seen on a local day adds."""
    return followers << _REACH


def unpack(packed: int) -> tuple[int, ...]:
    """The values of Tally, in its order."""
    return _CUT.unpack(((packed + _HALVES) ^ _HALVES).to_bytes(_CUT.size, "little"))


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
        self._base: dict[_Base, int] = {}

    def add(self, brand_id: int, location_id: int, team_id: int, network_id: int, seconds: int, packed: int) -> None:
        """Add a packed tally (negative to take away) to every cell that covers the instant."""
        key = (brand_id, location_id, team_id, network_id, seconds // FIVE_MINUTES)
        self._base[key] = self._base.get(key, 0) + packed

    def rows(self) -> dict[Key, int]:
        """Every touched cell with the packed tally to be added to it.

        One location or one team is not kept by itself: it is the sum of its networks, which are nine at most. Nor is
        a quarter of an hour of everything: it is three times five minutes.
        """
        cells: dict[Key, int] = {}
        get = cells.get
        # Added up step by step, so that what lies in one quarter of an hour is added to its hour and day once.
        quarters: dict[_Base, int] = {}
        for (brand, location, team, network, five), packed in self._base.items():
            key: Key = (brand, FIVE_MINUTES, 0, 0, 0, five * FIVE_MINUTES)
            cells[key] = get(key, 0) + packed
            base = (brand, location, team, network, five * FIVE_MINUTES // QUARTER)
            quarters[base] = quarters.get(base, 0) + packed
        hours: dict[_Base, int] = {}
        days: dict[_Base, int] = {}
        for (brand, location, team, network, quarter), packed in quarters.items():
            base = (brand, location, team, network, quarter * QUARTER // HOUR)
            hours[base] = hours.get(base, 0) + packed
            base = (brand, location, team, network, _local_day(quarter, self._zone)[1])
            days[base] = days.get(base, 0) + packed
        for granularity, unit, sums in ((QUARTER, QUARTER, quarters), (HOUR, HOUR, hours), (DAY, 1, days)):
            for (brand, location, team, network, step), packed in sums.items():
                bucket = step * unit
                if granularity != QUARTER:
                    key = (brand, granularity, 0, 0, 0, bucket)
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
        rows = [key + unpack(packed) for key, packed in self.rows().items() if packed]
        merge_rows(connection, "cube", KEYS, VALUES, ADD, rows)
