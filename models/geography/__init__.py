"""Where on earth: countries, their first-level regions and their cities, by id, by name, by code and by coordinates.

The data is `places.tsv.gz` beside this file: GeoNames (CC BY 4.0), pruned by `python -m models.geography.prune`. It is
read on first use, once a process.
"""

from __future__ import annotations

import gzip
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["country", "region", "city"]

DATA = Path(__file__).parent / "places.tsv.gz"
COLUMNS = ("kind", "id", "country", "region", "name", "latitude", "longitude", "population", "names", "codes")
KINDS: dict[str, Kind] = {"C": "country", "R": "region", "P": "city"}
NEAR_KILOMETRES = 50.0
EARTH_KILOMETRES = 6371.0
CELLS_A_DEGREE = 2
CELLS_ROUND = 360 * CELLS_A_DEGREE
KILOMETRES_A_DEGREE = math.pi * EARTH_KILOMETRES / 180

_MARKS = re.compile("[\u0300-\u036f]")
_ASCII_WORDS = re.compile("[a-z0-9]+")
_ASCII_DROPPED = re.compile("[.'`]")
# Letters that have no decomposition, as people type them in a hurry, and points and apostrophes, which they leave out.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | dict.fromkeys(".'`\u2018\u2019\u02bb\u02bc\u02be\u02bf\u00b4", "")
)
_WORDS = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u0dff\u0e00-\u0e7f])+")


@dataclass(frozen=True, slots=True)
class Place:
    """A country, a first-level region of one, or a city of 15,000 people or more (or a capital).

    `id` is the GeoNames id, `country` an ISO 3166-1 code of two letters, `region` the GeoNames code of the region
    inside its country ("TX"; None for a country). Coordinates and population of a country or region are those of its
    largest city and the sum of its cities: good for weighing, not for quoting; None where it has no such city.
    """

    id: int
    kind: Kind
    name: str
    country: str
    region: str | None
    latitude: float | None
    longitude: float | None
    population: int


def place(geo_id: int) -> Place | None:
    """The place with this GeoNames id."""
    row = _gazetteer().by_id.get(geo_id)
    return None if row is None else _place(row)


def country(code: str) -> Place | None:
    """The country of an ISO 3166-1 code of two letters."""
    row = _gazetteer().by_area.get((code, None))
    return None if row is None else _place(row)


def region(country_code: str, region_code: str) -> Place | None:
    """The first-level region of a country by its GeoNames code: ("US", "TX")."""
    row = _gazetteer().by_area.get((country_code, region_code))
    return None if row is None else _place(row)


def country_name(code: str) -> str:
    """The English name of a country; the code itself for one we do not know."""
    found = country(code)
    return code if found is None else found.name


def region_name(country_code: str, region_code: str) -> str:
    """The name of a first-level region, mostly in its own language; its code for one we do not know."""
    found = region(country_code, region_code)
    return region_code if found is None else found.name


def continent(country_code: str) -> str | None:
    """AF, AN, AS, EU, NA, OC or SA."""
    return _gazetteer().continents.get(country_code)


def countries() -> tuple[str, ...]:
    """The code of every country."""
    return tuple(_gazetteer().continents)


def named(name: str) -> tuple[Place, ...]:
    """Every place with this name, written as `key` writes it."""
    rows = _gazetteer().by_name.get(name)
    if rows is None:
        return ()
    return (_place(rows),) if isinstance(rows, int) else tuple(map(_place, rows))


def coded(code: str) -> tuple[Place, ...]:
    """Every place with this code in capitals: US, USA, TX, NSW, LAX."""
    return tuple(map(_place, _gazetteer().by_code.get(code, ())))


def nearest_city(latitude: float, longitude: float) -> tuple[Place, float] | None:
    """The city nearest to a point and its distance in kilometres; None where there is none within 50."""
    grid = _grid()
    reach = NEAR_KILOMETRES / KILOMETRES_A_DEGREE
    # A degree of longitude shrinks towards the poles; beyond 85 degrees there are no cities.
    wide = reach / max(math.cos(math.radians(min(abs(latitude) + reach, 85.0))), 0.05)
    narrow = math.cos(math.radians(latitude))
    nearest: int | None = None
    least = math.inf
    for row in range(_cell(latitude - reach), _cell(latitude + reach) + 1):
        for column in range(_cell(longitude - wide), _cell(longitude + wide) + 1):
            for north, east, at in grid.get((row, column % CELLS_ROUND), ()):
                # Flat is exact enough to tell which of them is nearest; the sphere then says how far it is.
                x = ((east - longitude + 180) % 360 - 180) * narrow
                y = north - latitude
                if (square := x * x + y * y) < least:
                    nearest, least = at, square
    if nearest is None:
        return None
    best = _place(nearest)
    assert best.latitude is not None
    assert best.longitude is not None
    away = kilometres(latitude, longitude, best.latitude, best.longitude)
    return (best, away) if away <= NEAR_KILOMETRES else None


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance (haversine)."""
    a, b = math.radians(latitude), math.radians(other_latitude)
    half = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KILOMETRES * math.asin(math.sqrt(min(half, 1.0)))


@lru_cache(maxsize=65_536)
def key(text: str) -> str:
    """A name in the one form that names are compared in: small letters without marks, points and apostrophes."""
    if text.isascii():
        return " ".join(_ASCII_WORDS.findall(_ASCII_DROPPED.sub("", text.lower())))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = unicodedata.normalize("NFC", _MARKS.sub("", plain)).translate(_PLAIN)
    return " ".join(_WORDS.findall(bare.lower()))


_Row = tuple[int, Kind, str, str, str | None, float | None, float | None, int]


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """The file, as numbers of rows: plain values that the garbage collector need not walk, unlike 38,000 objects."""

    rows: list[_Row]
    by_id: dict[int, int]
    by_area: dict[tuple[str, str | None], int]
    continents: dict[str, str]
    by_name: dict[str, int | tuple[int, ...]]
    by_code: dict[str, tuple[int, ...]]


@cache
def _place(row: int) -> Place:
    return Place(*_gazetteer().rows[row])


@cache
def _gazetteer() -> _Gazetteer:
    made = _Gazetteer([], {}, {}, {}, {}, {})
    by_name = made.by_name
    # Line by line: decoded whole, one rare letter makes every character four bytes wide.
    for encoded in gzip.decompress(DATA.read_bytes()).split(b"\n"):
        if not encoded or encoded.startswith(b"#"):
            continue
        line = encoded.decode()
        kind, geo_id, code, area, name, latitude, longitude, people, names, codes = line.split("\t")
        row = len(made.rows)
        its_region = area if kind != "C" and area else None
        made.rows.append(
            (
                int(geo_id),
                KINDS[kind],
                name,
                code,
                its_region,
                float(latitude) if latitude else None,
                float(longitude) if longitude else None,
                int(people),
            )
        )
        made.by_id[int(geo_id)] = row
        if kind != "P":
            made.by_area[code, its_region] = row
        if kind == "C":
            made.continents[code] = area
        for each in names.split("|") if names else ():
            # Most names are of one place: a tuple only for the others.
            others = by_name.setdefault(each, row)
            if others != row:
                by_name[each] = (*others, row) if isinstance(others, tuple) else (others, row)
        if codes:
            for each in codes.split("|"):
                made.by_code[each] = (*made.by_code.get(each, ()), row)
    return made


@cache
def _grid() -> dict[tuple[int, int], list[tuple[float, float, int]]]:
    """Latitude, longitude and row of the cities of each cell."""
    cells: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
    for row, (_, kind, _, _, _, latitude, longitude, _) in enumerate(_gazetteer().rows):
        if kind == "city" and latitude is not None and longitude is not None:
            cell = (_cell(latitude), _cell(longitude) % CELLS_ROUND)
            cells.setdefault(cell, []).append((latitude, longitude, row))
    return cells


def _cell(degrees: float) -> int:
    return math.floor(degrees * CELLS_A_DEGREE)
