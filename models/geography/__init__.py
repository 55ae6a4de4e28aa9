"""Where on earth: countries, their first-level regions and their cities, by id, by name, by code and by coordinates.

The data is `places.tsv.gz` beside this file: GeoNames (CC BY 4.0), pruned by `python -m models.geography.prune`. It is
read on first use, once a process.
"""

from __future__ import annotations

import gzip
import math
import re
import unicodedata
from collections.abc import KeysView
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["country", "region", "city"]

DATA = Path(__file__).parent / "places.tsv.gz"
COLUMNS = ("kind", "id", "country", "region", "name", "latitude", "longitude", "population", "names", "codes")
KINDS: dict[str, Kind] = {"C": "country", "R": "region", "P": "city"}
NEAR_KILOMETRES = 50.0
EARTH_KILOMETRES = 6371.0
CELLS_A_DEGREE = 2
CELLS_ROUND = 360 * CELLS_A_DEGREE
HALF_ROUND = CELLS_ROUND // 2
KILOMETRES_A_DEGREE = math.pi * EARTH_KILOMETRES / 180

_MARKS = re.compile("[\u0300-\u036f]")
_ASCII_DROPPED = b".'`"
# Each byte as it is compared, a space for what stands between words.
_ASCII_COMPARED = bytes(byte if byte < 128 and chr(byte).isalnum() else 32 for byte in range(256)).lower()
# Letters that have no decomposition, as people type them in a hurry, and points and apostrophes, which they leave out.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | dict.fromkeys(".'`\u2018\u2019\u02bb\u02bc\u02be\u02bf\u00b4", "")
)
_WORDS = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u0dff\u0e00-\u0e7f])+")


class Place(NamedTuple):
    """A country, a first-level region of one, or a city of 15,000 people or more (or a capital).

    `id` is the GeoNames id, `country` an ISO 3166-1 code of two letters, `region` the GeoNames code of the region
    inside its country ("TX"; None for a country). Coordinates and population of a country or region are those of its
    largest city and the sum of its cities: good for weighing, not for quoting; None where it has no such city.

    A tuple, since many are made while texts are read: a row of the file becomes one in a sixth of a dataclass's time.
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
    gazetteer = _gazetteer()
    found = gazetteer.named.get(name)
    if found is None:
        number = gazetteer.by_name.get(name)
        if number is None:
            return ()
        # Made when first asked for: most names of the file never are.
        found = gazetteer.named[name] = _places(number)
    return found


def names() -> KeysView[str]:
    """Every name there is, written as `key` writes it: what is none is seen sooner here than by `named`."""
    return _gazetteer().by_name.keys()


def coded(code: str) -> tuple[Place, ...]:
    """Every place with this code in capitals: US, USA, TX, NSW, LAX."""
    gazetteer = _gazetteer()
    found = gazetteer.coded.get(code)
    if found is None:
        number = gazetteer.by_code.get(code)
        if number is None:
            return ()
        found = gazetteer.coded[code] = _places(number)
    return found


def nearest_city(latitude: float, longitude: float) -> tuple[Place, float] | None:
    """The city nearest to a point and its distance in kilometres; None where there is none within 50."""
    grid = _grid()
    reach = NEAR_KILOMETRES / KILOMETRES_A_DEGREE
    # A degree of longitude shrinks towards the poles; beyond 85 degrees there are no cities.
    wide = reach / max(math.cos(math.radians(min(abs(latitude) + reach, 85.0))), 0.05)
    narrow = math.cos(math.radians(latitude))
    nearest: int | None = None
    least = math.inf
    # A column beyond the date line is that many degrees from where its cities say.
    columns = [
        ((away * narrow) ** 2, column % CELLS_ROUND, longitude - (column + HALF_ROUND) // CELLS_ROUND * 360)
        for away, column in _cells(longitude, wide)
    ]
    for up, row in _cells(latitude, reach):
        for aside, column, from_east in columns:
            if aside + up * up >= least:
                # Every city of the cells that follow is further off than one that is found.
                break
            for north, east, at in grid.get((row, column), ()):
                # Flat is exact enough to tell which of them is nearest; the sphere then says how far it is.
                x = (east - from_east) * narrow
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
        # Most of what is written; a table of bytes takes a third of the time of a pattern.
        return b" ".join(text.encode().translate(_ASCII_COMPARED, _ASCII_DROPPED).split()).decode()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = unicodedata.normalize("NFC", _MARKS.sub("", plain)).translate(_PLAIN)
    return " ".join(_WORDS.findall(bare.lower()))


_Row = tuple[int, Kind, str, str, str | None, float | None, float | None, int]


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """The file, as numbers of rows: plain values that the garbage collector need not walk, unlike 38,000 objects.

    A name or code has the number of its row, or ~ the number in `several` of the rows of its places. What was asked for
    stands apart in `named` and `coded`: one object among the numbers, and the collector walks 236,000 names (16 ms).
    """

    rows: list[_Row]
    by_id: dict[int, int]
    by_area: dict[tuple[str, str | None], int]
    continents: dict[str, str]
    by_name: dict[str, int]
    by_code: dict[str, int]
    several: list[tuple[int, ...]]
    named: dict[str, tuple[Place, ...]]
    coded: dict[str, tuple[Place, ...]]


@cache
def _place(row: int) -> Place:
    return Place._make(_gazetteer().rows[row])


def _places(number: int) -> tuple[Place, ...]:
    return (_place(number),) if number >= 0 else tuple(map(_place, _gazetteer().several[~number]))


@cache
def _gazetteer() -> _Gazetteer:
    made = _Gazetteer([], {}, {}, {}, {}, {}, [], {}, {})
    by_name, by_code = made.by_name, made.by_code
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
            if (others := by_name.setdefault(each, row)) != row:
                by_name[each] = _shared(others, row, made.several)
        for each in codes.split("|") if codes else ():
            if (others := by_code.setdefault(each, row)) != row:
                by_code[each] = _shared(others, row, made.several)
    return made


def _shared(others: int, row: int, several: list[tuple[int, ...]]) -> int:
    """The number of a name or code that one more place has."""
    if others >= 0:
        several.append((others, row))
        return ~(len(several) - 1)
    several[~others] = (*several[~others], row)
    return others


@cache
def _grid() -> dict[tuple[int, int], list[tuple[float, float, int]]]:
    """Latitude, longitude and row of the cities of each cell."""
    cells: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
    for row, (_, kind, _, _, _, latitude, longitude, _) in enumerate(_gazetteer().rows):
        if kind == "city" and latitude is not None and longitude is not None:
            cell = (_cell(latitude), _cell(longitude) % CELLS_ROUND)
            cells.setdefault(cell, []).append((latitude, longitude, row))
    return cells


def _cells(degrees: float, reach: float) -> list[tuple[float, int]]:
    """The rows or columns within reach, the nearest first, each after its distance in degrees: 0 for the own one."""
    own = _cell(degrees)
    after = [(cell / CELLS_A_DEGREE - degrees, cell) for cell in range(own + 1, _cell(degrees + reach) + 1)]
    before = [(degrees - (cell + 1) / CELLS_A_DEGREE, cell) for cell in range(_cell(degrees - reach), own)]
    return [(0.0, own), *sorted(after + before)]


def _cell(degrees: float) -> int:
    return math.floor(degrees * CELLS_A_DEGREE)
