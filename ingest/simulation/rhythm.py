"""When people write: a curve of the day and of the week at every site, in its own zone."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import NamedTuple

from ingest.simulation.world import NETWORKS, SITES, TALKS, Weights, cumulative

BLOCK_MINUTES = 10

# Relative weight at each full hour of local time; between them the curve is straight.
_DAY = (
    0.42, 0.28, 0.20, 0.16, 0.17, 0.28, 0.58, 0.95, 1.15, 1.22, 1.24, 1.28,
    1.40, 1.36, 1.26, 1.22, 1.26, 1.38, 1.46, 1.52, 1.56, 1.46, 1.12, 0.74,
)  # fmt: skip
# Monday first. The weekend is quieter.
_WEEK = (1.06, 1.08, 1.08, 1.07, 1.05, 0.86, 0.80)
_DAY_MEAN = sum(_DAY) / 24
_WEEK_MEAN = sum(_WEEK) / 7

# What a sector's hours favour; they change which brand is spoken of, never how much is said in all.
_SECTOR = {
    "bank": (0.7,) * 7 + (0.9,) + (1.25,) * 10 + (1.0,) * 3 + (0.8,) * 3,
    "cars": (0.9,) * 7 + (0.9,) * 10 + (1.2,) * 6 + (1.0,),
    "retail": (0.7,) * 7 + (0.8,) * 4 + (1.35,) * 3 + (1.0,) * 3 + (1.35,) * 3 + (0.9,) * 4,
    "mobility": (1.0,) * 6 + (1.5, 1.8, 1.6) + (0.8,) * 6 + (1.1, 1.6, 1.7, 1.4) + (0.8,) * 5,
    "noise": (1.0,) * 24,
}


class Pace(NamedTuple):
    """How much is said on a network during ten minutes: `total` is its share of an average minute of all networks.

    `sites` are running sums over world.SITES that end at `total`.
    """

    total: float
    sites: Weights


@lru_cache(maxsize=1024)
def clocks(block: int) -> tuple[datetime, ...]:
    """What the clocks of world.SITES show at the beginning of a ten-minute block since 1970."""
    instant = block * BLOCK_MINUTES * 60
    at = {zone: datetime.fromtimestamp(instant, zone) for zone in _ZONES}
    return tuple(at[site.zone] for site in SITES)


@lru_cache(maxsize=1024)
def activity(block: int) -> Weights:
    """How awake each site is; 1 on average over a week."""
    return tuple(_awake(local) for local in clocks(block))


def _awake(local: datetime) -> float:
    part = local.minute / 60
    hour = _DAY[local.hour] * (1 - part) + _DAY[(local.hour + 1) % 24] * part
    return hour * _WEEK[local.weekday()] / (_DAY_MEAN * _WEEK_MEAN)


@lru_cache(maxsize=4096)
def pace(network: int, block: int) -> Pace:
    """The pace of a network in a block: what every site says there, awake as it is."""
    sums = tuple(accumulate(map(mul, SITE_SHARES[network], activity(block))))
    return Pace(total=sums[-1], sites=sums)


@lru_cache(maxsize=4096)
def talks(network: int, site: int, hour: int) -> Weights:
    """Which brand a post at a site and local hour is about: running sums over world.TALKS that end at 1."""
    return cumulative(
        tuple(talk.share * talk.presence[site] * talk.networks[network] * _SECTOR[talk.sector][hour] for talk in TALKS)
    )


_ZONES = {site.zone for site in SITES}
# Of all posts, the share of each network and site; sums to 1 over both.
SITE_SHARES: tuple[Weights, ...] = tuple(
    tuple(
        sum(talk.share * talk.presence[site] * talk.networks[network] for talk in TALKS) for site in range(len(SITES))
    )
    for network in range(len(NETWORKS))
)
