"""Who talks about whom, where, in which language and on which network: the fixed facts of the simulation.

Brands, sites, zones, coordinates and aliases come from models/demo/meridian.toml, the organisation that a first
start loads; the tables here only add how much is said.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

NETWORKS = ("x", "bluesky", "mastodon", "reddit", "youtube", "rss")
# What no brand is meant by: everyday talk that the rules must leave alone.
NOISE = "noise"
MOODS = ("positive", "neutral", "negative")

Weights = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A place people write from. `cities` are the names they use in a sentence, `places` what their profile says."""

    key: str
    zone: ZoneInfo
    latitude: float
    longitude: float
    culture: str
    languages: tuple[tuple[str, float], ...]
    cities: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said about a brand: `networks` and `moods` sum to 1, `presence` has one share per site.

    `names` are the ways it is written, `called` the ways where handles work.
    """

    key: str
    sector: str
    share: float
    networks: Weights
    moods: Weights
    presence: Weights
    names: tuple[str, ...]
    called: tuple[str, ...]
    tag: str
    products: tuple[str, ...]


# Share of all posts, sector, moods, handle, models. Moods sum to 1: positive, neutral, negative.
_TALK: dict[str, tuple[float, str, Weights, str, tuple[str, ...]]] = {
    "halden-bank": (0.165, "bank", (0.22, 0.51, 0.27), "HaldenBank", ()),
    "corvane": (0.115, "cars", (0.36, 0.49, 0.15), "corvane", ("V4", "V4", "V3", "C2")),
    "orchard-row": (0.105, "retail", (0.34, 0.45, 0.21), "orchardrow", ()),
    "velta": (0.095, "mobility", (0.24, 0.48, 0.28), "velta_service", ()),
    "union-trust": (0.125, "bank", (0.24, 0.50, 0.26), "uniontrust", ()),
    "bankhaus-lenz": (0.080, "bank", (0.28, 0.50, 0.22), "bankhauslenz", ()),
    "astera": (0.065, "cars", (0.30, 0.50, 0.20), "astera_cars", ("Lyra", "Lyra Two", "Vela")),
    "nordvik": (0.050, "cars", (0.33, 0.49, 0.18), "nordvik_cars", ("Skald", "Rune")),
    "kestrel": (0.040, "cars", (0.22, 0.50, 0.28), "kestrelmotors", ("Hover", "Glide")),
    "maple-and-main": (0.055, "retail", (0.38, 0.44, 0.18), "mapleandmain", ()),
    "transvia": (0.045, "mobility", (0.16, 0.50, 0.34), "transvia_info", ()),
    NOISE: (0.060, NOISE, (0.10, 0.80, 0.10), "", ()),
}
_NAMES = {
    "halden-bank": ("Halden Bank", "Halden Bank", "Halden"),
    "kestrel": ("Kestrel Motors",),
    "maple-and-main": ("Maple & Main", "Maple and Main"),
}
_TAGS = {"corvane": "Corvane", "velta": "Velta", "astera": "Astera", "nordvik": "Nordvik", "transvia": "Transvia"}

# In the order of NETWORKS, percent.
_NETWORKS = {
    "halden-bank": (52, 12, 6, 11, 14, 5),
    "corvane": (38, 11, 6, 17, 24, 4),
    "orchard-row": (34, 19, 12, 8, 21, 6),
    "velta": (41, 14, 21, 13, 6, 5),
    "bank": (50, 12, 6, 13, 12, 7),
    "cars": (38, 11, 6, 18, 22, 5),
    "retail": (36, 18, 11, 9, 20, 6),
    "mobility": (44, 14, 17, 13, 7, 5),
    NOISE: (44, 20, 14, 12, 8, 2),
}

# Relative weight of a brand at its sites; it is heard everywhere else a little.
_ELSEWHERE = 0.4
_PRESENCE: dict[str, dict[str, float]] = {
    "halden-bank": {"amsterdam": 48, "berlin": 22, "london": 5, "warsaw": 4, "istanbul": 3, "dubai": 2, "new-york": 2,
                    "singapore": 2, "paris": 2, "stockholm": 2, "johannesburg": 1.5, "nairobi": 1, "lagos": 1},
    "corvane": {"berlin": 20, "new-york": 16, "amsterdam": 12, "london": 10, "tokyo": 8, "chicago": 6, "stockholm": 6,
                "toronto": 5, "sydney": 4, "seoul": 4, "paris": 4, "milan": 3, "mexico-city": 3},
    "orchard-row": {"london": 24, "johannesburg": 12, "new-york": 12, "amsterdam": 9, "sydney": 8, "singapore": 8,
                    "dubai": 6, "paris": 6, "toronto": 5, "mumbai": 4, "nairobi": 4, "lagos": 3},
    "velta": {"berlin": 24, "amsterdam": 20, "sao-paulo": 12, "madrid": 9, "warsaw": 8, "mexico-city": 8, "milan": 6,
              "mumbai": 6, "bengaluru": 5, "istanbul": 4, "paris": 3},
    "union-trust": {"london": 34, "amsterdam": 12, "new-york": 12, "singapore": 8, "berlin": 6, "mumbai": 6,
                    "johannesburg": 5, "dubai": 4, "lagos": 4, "bengaluru": 3},
    "bankhaus-lenz": {"berlin": 56, "amsterdam": 10, "warsaw": 8, "london": 5, "istanbul": 3},
    "astera": {"new-york": 20, "berlin": 16, "tokyo": 12, "chicago": 8, "seoul": 8, "london": 8, "sao-paulo": 8,
               "sydney": 5},
    "nordvik": {"stockholm": 34, "amsterdam": 14, "berlin": 14, "london": 10, "toronto": 6},
    "kestrel": {"london": 24, "new-york": 20, "chicago": 18, "sydney": 10, "toronto": 8},
    "maple-and-main": {"toronto": 30, "new-york": 26, "london": 14, "chicago": 10, "sydney": 8, "johannesburg": 4},
    "transvia": {"paris": 20, "sao-paulo": 20, "madrid": 18, "berlin": 12, "amsterdam": 10, "mexico-city": 10},
    NOISE: {"amsterdam": 2, "berlin": 2, "london": 2, "new-york": 2, "mumbai": 1},
}  # fmt: skip

# First names and surnames, and what is spoken: language and share.
_SITES: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "amsterdam": ("dutch", (("nl", 0.62), ("en", 0.38))),
    "berlin": ("german", (("de", 0.66), ("en", 0.34))),
    "paris": ("french", (("fr", 0.72), ("en", 0.28))),
    "madrid": ("spanish", (("es", 0.72), ("en", 0.28))),
    "milan": ("italian", (("en", 0.9), ("fr", 0.1))),
    "warsaw": ("polish", (("en", 0.8), ("de", 0.2))),
    "stockholm": ("swedish", (("en", 1.0),)),
    "istanbul": ("turkish", (("en", 0.88), ("de", 0.12))),
    "dubai": ("turkish", (("en", 1.0),)),
    "johannesburg": ("african", (("en", 1.0),)),
    "lagos": ("african", (("en", 1.0),)),
    "nairobi": ("african", (("en", 1.0),)),
    "new-york": ("english", (("en", 0.9), ("es", 0.1))),
    "toronto": ("english", (("en", 0.8), ("fr", 0.2))),
    "mexico-city": ("spanish", (("es", 0.86), ("en", 0.14))),
    "sao-paulo": ("brazilian", (("pt", 0.88), ("en", 0.12))),
    "mumbai": ("indian", (("en", 1.0),)),
    "bengaluru": ("indian", (("en", 1.0),)),
    "singapore": ("asian", (("en", 1.0),)),
    "seoul": ("asian", (("en", 0.85), ("ja", 0.15))),
    "tokyo": ("japanese", (("ja", 0.84), ("en", 0.16))),
}
_ENGLISH = ("english", (("en", 1.0),))


def organisation_file() -> str:
    """The text of the demo organisation, in the format that `watchfloor organisation load` reads."""
    return files("models").joinpath("demo", "meridian.toml").read_text("utf-8")


def cumulative(weights: Weights) -> Weights:
    """Running sums that end at exactly 1, for a draw by bisection."""
    sums = tuple(accumulate(weights))
    return (*(value / sums[-1] for value in sums[:-1]), 1.0)


def _shares(weights: Weights) -> Weights:
    return tuple(weight / sum(weights) for weight in weights)


def _written(alias: str) -> str:
    return alias.title() if len(alias) > 3 and alias.replace(" ", "").isalpha() else alias


def _sites() -> tuple[Site, ...]:
    locations: list[dict[str, Any]] = tomllib.loads(organisation_file())["location"]
    countries = {item["key"]: item for item in locations if item["kind"] == "country"}
    sites = []
    for item in locations:
        if item["kind"] != "site":
            continue
        country = countries[item["parent"]]
        culture, languages = _SITES.get(item["key"], _ENGLISH)
        name, code, aliases = item["name"], country["monogram"], item["aliases"]
        sites.append(
            Site(
                key=item["key"],
                zone=ZoneInfo(item["zone"]),
                latitude=item["latitude"],
                longitude=item["longitude"],
                culture=culture,
                languages=languages,
                cities=(name, name, *(_written(alias) for alias in aliases[1:] if len(alias) > 3)),
                places=(
                    f"{name}, {code}",
                    name,
                    name.lower(),
                    f"{name}, {country['aliases'][0].title()}",
                    *(_written(alias) for alias in aliases[1:]),
                    *(f"{_written(alias)}, {code}" for alias in aliases[1:] if len(alias) > 3),
                ),
            )
        )
    return tuple(sites)


def _talks() -> tuple[Talk, ...]:
    brands: list[dict[str, str]] = tomllib.loads(organisation_file())["brand"]
    names = {item["key"]: item["name"] for item in brands}
    talks = []
    for key, (share, sector, moods, handle, products) in _TALK.items():
        written = _NAMES.get(key, (names.get(key, ""),))
        tag = _TAGS.get(key, written[0].replace(" ", "").replace("&", "And"))
        talks.append(
            Talk(
                key=key,
                sector=sector,
                share=share,
                networks=_shares(_NETWORKS.get(key, _NETWORKS[sector])),
                moods=cumulative(moods),
                presence=_shares(tuple(_PRESENCE[key].get(site.key, _ELSEWHERE) for site in SITES)),
                names=written,
                called=(*written, *written, f"@{handle}", f"#{tag}"),
                tag=tag,
                products=products or (names.get(key, ""),),
            )
        )
    return tuple(talks)


SITES = _sites()
SITE_BY_KEY = {site.key: number for number, site in enumerate(SITES)}
TALKS = _talks()
TALK_BY_KEY = {talk.key: number for number, talk in enumerate(TALKS)}
