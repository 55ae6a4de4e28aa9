"""From what people write of where they are to a place on earth: "NYC", "Brooklyn, NY", "Deutschland", "Texas, duh!".

Most of it is free text, and much of it a joke. What is said whole is looked up first, then what stands between
separators, then words inside the text, each with less confidence; what names no place stays None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from models import geography
from models.geography import Place, key

LONGEST_TEXT = 200
# Confidence, 0..100, by what an answer rests on.
CONFIRMED = 95  # a city with its region or country beside it
BY_FLAG = 80
BY_COORDINATES = 80
BY_NAME = 90
BY_OTHER_NAME = 75  # an old name, a nickname, another language
BY_CODE = 65
BY_AREA = 65  # a town that we do not know, in a region that we do
BY_WORD = 45  # a name somewhere in a sentence
# Of two places of one name the one whose own name it is, unless the other has ten times its people.
OTHER_NAME_WEIGHT = 0.1
# A name inside a sentence means a city only where it is a large one.
FEWEST_PEOPLE_IN_A_SENTENCE = 100_000
# "Florida, Arizona" is two places; in "Douglas, MA" Douglas is a town of MA, not the region of that name.
FEWEST_PEOPLE_OF_AN_AREA = 1_000_000
# Countries whose regions are written as codes ("Belle MO", "ON", "NSW") by people who write nothing else.
CODED_COUNTRIES = ("US", "CA", "AU", "GB")
# The codes of countries that people write by themselves.
COUNTRY_CODES = ("US", "UK", "NZ", "CA", "USA", "UAE", "EEUU", "RSA")
# No places on earth, whatever gazetteer has a town of that name.
NOWHERE = frozenset(
    key(name)
    for line in (Path(__file__).parent / "nowhere.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for name in line.split(",")
) - {""}

_COORDINATES = re.compile(r"(-?\d{1,2}\.\d{2,})\s*°?\s*([NS])?\s*,\s*(-?\d{1,3}\.\d{2,})\s*°?\s*([EW])?", re.IGNORECASE)
_DIGIT = re.compile("[0-9]")
_FLAG = re.compile("([\U0001f1e6-\U0001f1ff])([\U0001f1e6-\U0001f1ff])")
_FIRST_LETTER_OF_FLAGS = 0x1F1E6
_ADDRESSES = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+|@\w+|#(?=\w)")
_ALTERNATIVES = re.compile(
    r"\s*(?:[/|;&+•·→➡✈⇄↔<>~*\n]+|--+|\s[-–—]+\s|…|\.\.+|\b(?:or|and|via|by way of|but|with)\b)\s*", re.IGNORECASE
)
# What must be there for any of them to be.
_SEPARATED = re.compile(r"[/|;&+•·→➡✈⇄↔<>~*\n…]|[-.]{2}|\s[-–—]|\b(?:or|and|via|by|but|with)\b", re.IGNORECASE)
_COMMAS = re.compile(r"[,()\[\]]+|\s\.|\.\s(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W\d_]+(?:['’.][^\W\d_]+)*")
_ZIP = re.compile(r"\s*\b\d{5}(?:-\d{4})?\b\s*$")
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Resolved:
    """A place (its GeoNames id) and how sure it is, 0..100."""

    geo_id: int
    confidence: int


def resolve(text: str) -> Resolved | None:
    """The place that a text names, the first one where it names several; None where it names none."""
    said = text[:LONGEST_TEXT].strip()
    if not said:
        return None
    if not said.isascii() and (found := _flag(said)):
        return found
    if _DIGIT.search(said) and (found := _coordinates(said)):
        return found
    if "@" in said or "#" in said or "http" in said or "www." in said:
        said = _ADDRESSES.sub(" ", said).strip()
    head, comma, tail = said.partition(",")
    if comma:
        # What most people write, "Boston, MA", before anything is taken apart.
        if (areas := _area(tail.strip())) and (found := _inside(key(head), areas)):
            return found
    else:
        whole = key(said)
        if whole in NOWHERE or not whole:
            return None
        if found := _alone(said, whole):
            return found
    for part in _ALTERNATIVES.split(said) if _SEPARATED.search(said) else (said,):
        if part and (found := _listed(_ZIP.sub("", part))):
            return found
    return _mentioned(said)


# -- what is said outright ---------------------------------------------------------------------------------


def _flag(said: str) -> Resolved | None:
    """The first flag; a text that says more than flags is looked at first for what it says."""
    flag = _FLAG.search(said)
    if flag is None:
        return None
    code = "".join(chr(ord(letter) - _FIRST_LETTER_OF_FLAGS + ord("A")) for letter in flag.groups())
    words = _FLAG.sub(" ", said)
    if (found := resolve(words)) and found.confidence > BY_WORD:
        return found
    country = geography.country(code)
    return None if country is None else Resolved(country.id, BY_FLAG)


def _coordinates(said: str) -> Resolved | None:
    """What a phone wrote: "ÜT: 38.907675,-76.944183"."""
    match = _COORDINATES.search(said)
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[3])
    latitude = -latitude if (match[2] or "").upper() == "S" else latitude
    longitude = -longitude if (match[4] or "").upper() == "W" else longitude
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    near = geography.nearest_city(latitude, longitude)
    return None if near is None else Resolved(near[0].id, BY_COORDINATES)


def _alone(said: str, name: str) -> Resolved | None:
    """A text that is one name or one code."""
    if name in NOWHERE:
        return None
    code = said.replace(".", "").strip()
    if len(code) == 2 and code.isupper() and (by_code := _by_code(code)):
        return by_code
    found = geography.named(name)
    if not found and name.startswith("the "):
        found = geography.named(name[4:])
    if found:
        return _best(found, name)
    return _by_code(code) if code.isupper() else None


def _by_code(code: str) -> Resolved | None:
    """A code by itself: of a country that people call so, a region of a country that writes them, a city."""
    if len(code) < 2:
        return None
    known = [
        place
        for place in geography.coded(code)
        if place.kind == "city"
        or (place.kind == "region" and place.country in CODED_COUNTRIES)
        or (place.kind == "country" and code in COUNTRY_CODES)
    ]
    if not known:
        return None
    # "LA" is a city that writes so as well as Louisiana, "CA" is California as well as Canada.
    best = max(known, key=lambda place: (place.kind != "country" or len(code) > 2, place.population))
    return Resolved(best.id, BY_CODE - 10 * (len(known) > 1))


def _best(found: Sequence[Place], name: str, *, at_most: int = BY_NAME) -> Resolved:
    """The place of several of one name that is most likely meant, less sure where others are likely too."""
    if len(found) == 1:
        best, share = found[0], 1.0
    else:
        best = max(found, key=lambda place: _weight(place, name))
        alike = sum(_weight(place, name) for place in found if not _is_within(place, best) or place is best)
        share = _weight(best, name) / max(alike, 1.0)
        best = _city_of(best, found)
    sure = BY_NAME if key(best.name) == name else BY_OTHER_NAME
    return Resolved(best.id, round(min(sure, at_most) * (0.5 + 0.5 * share)))


def _weight(place: Place, name: str) -> float:
    return (place.population + 1) * (1.0 if key(place.name) == name else OTHER_NAME_WEIGHT)


# -- a name with its region or country beside it -----------------------------------------------------------


def _listed(part: str) -> Resolved | None:
    """ "Lewes, DE, USA", "Paris, TX", "Nigeria,lagos", "Windermere (Seattle)"."""
    said = [piece.strip(" .!?:-–—'\"") for piece in _COMMAS.split(part)]
    said = [piece for piece in said if piece]
    if not said:
        return None
    if len(said) == 1:
        return _alone(said[0], key(said[0])) or _with_suffix(said[0])
    areas = _areas(said[1:])
    first = key(said[0])
    if areas and (inside := _inside(first, areas)):
        return inside
    found = () if first in NOWHERE and not areas else _places(said[0], first)
    outer = [
        place for place in found if place.kind != "city" and (not areas or place.population >= FEWEST_PEOPLE_OF_AN_AREA)
    ]
    if outer:
        # The other way round, "Nigeria, Lagos"; else several places, of which the first counts.
        for piece in said[1:]:
            cities = [
                c for c in geography.named(key(piece)) if any(_is_within(c, area) and c is not area for area in outer)
            ]
            if cities:
                return Resolved(max(cities, key=lambda city: city.population).id, CONFIRMED - 5)
        return _alone(said[0], first)
    if said[0].isupper() and (found_alone := _alone(said[0], first)):
        # "LA, NY": codes are no towns.
        return found_alone
    if areas:
        for piece in said[1:]:
            if inside := _inside(key(piece), areas, CONFIRMED - 10):
                return inside
        # A town that we do not know: its region. "US" is a country and no region of El Salvador.
        area = max(areas, key=lambda place: (_is_coded(place), place.kind == "country", place.population))
        return Resolved(area.id, BY_AREA)
    for piece in said:
        if found_alone := _alone(piece, key(piece)) or _with_suffix(piece):
            return found_alone
    return None


def _inside(name: str, areas: Sequence[Place], sure: int = CONFIRMED) -> Resolved | None:
    """The place of a name that lies in one of the areas."""
    best: Place | None = None
    for place in geography.named(name):
        for area in areas:
            if (
                place.country == area.country
                and (area.region is None or area.region == place.region)
                and place is not area
                and (best is None or _rank(place, name) > _rank(best, name))
            ):
                best = place
    return None if best is None else Resolved(_city_of(best, geography.named(name)).id, sure)


def _rank(place: Place, name: str) -> tuple[bool, int]:
    """Its own name first: "Bethlehem, PA" is no old name of Belém in Pará."""
    return key(place.name) == name, place.population


def _city_of(best: Place, found: Iterable[Place]) -> Place:
    """The city that a region is named after, where it is a large part of it: "New York" says the city."""
    if best.kind != "region":
        return best
    cities = (place for place in found if place.kind == "city" and _is_within(place, best))
    city = max(cities, key=lambda place: place.population, default=best)
    return city if city.population * 20 > best.population else best


def _places(said: str, name: str) -> tuple[Place, ...]:
    found = geography.named(name)
    if not found and name.startswith("the "):
        found = geography.named(name[4:])
    code = said.replace(".", "")
    return found or (geography.coded(code) if code.isupper() else ())


def _areas(pieces: Iterable[str]) -> list[Place]:
    """Regions and countries that the pieces after a name can mean; those that fit into one another, where some do."""
    areas: list[Place] = []
    for piece in pieces:
        here = _area(piece)
        nested = [area for area in areas if any(_is_within(area, outer) for outer in here)]
        areas = nested or areas or list(here)
    return areas


@lru_cache(maxsize=4_096)
def _area(piece: str) -> tuple[Place, ...]:
    """The regions and countries that a piece names."""
    name = key(piece)
    found = [place for place in geography.named(name) if place.kind != "city"]
    code = name.replace(" ", "").upper()
    if 2 <= len(code) <= 5 and code.isascii():
        found += [place for place in geography.coded(code) if place.kind != "city"]
    if not found and " " in piece:
        # "Quebec CA", "CT USA": one inside the other.
        inner, _, outer = piece.rpartition(" ")
        around = _area(outer)
        found = [place for place in _area(inner) if any(_is_within(place, area) for area in around)]
    return tuple(found)


def _is_coded(place: Place) -> bool:
    return place.kind == "region" and place.country in CODED_COUNTRIES


def _is_within(place: Place, area: Place) -> bool:
    """Whether it is in the country or region, or is it."""
    return place.country == area.country and (area.region is None or area.region == place.region)


def _with_suffix(said: str) -> Resolved | None:
    """ "San Francisco CA", "Columbus Ohio USA", "lexington KY"; a town that we do not know in a region: "Belle MO"."""
    words = said.replace(",", " ").split()
    if not 2 <= len(words) <= 6:
        return None
    for size in (3, 2, 1):
        if size >= len(words):
            continue
        tail = " ".join(words[-size:])
        name = key(tail)
        named = [place for place in geography.named(name) if place.kind != "city"] if name not in NOWHERE else []
        code = name.replace(" ", "").upper()
        areas = named or ([p for p in geography.coded(code) if p.kind != "city"] if 2 <= len(code) <= 5 else [])
        if not areas:
            continue
        head = " ".join(words[:-size])
        before = geography.named(key(head))
        if inside := _inside(key(head), areas, CONFIRMED - 3):
            return inside
        deeper = _with_suffix(head)
        if deeper and (place := geography.place(deeper.geo_id)) and any(_is_within(place, area) for area in areas):
            return Resolved(place.id, CONFIRMED - 3)
        if before:
            continue
        coded = [place for place in areas if place.country in CODED_COUNTRIES]
        if tail.isupper() and not named and head[:1].isupper() and not head.isupper() and coded and len(words) <= 4:
            best = max(coded, key=lambda place: (place.kind == "region", place.population))
            return Resolved(best.id, BY_AREA - 5)
    return None


# -- a name somewhere in a sentence ------------------------------------------------------------------------


def _mentioned(said: str) -> Resolved | None:
    """The first name in a text that is more than a name: of a large city, a region or a country."""
    words = _WORDS.findall(said)
    mixed = not said.islower()
    names = [key(word) for word in words]
    start = 0
    while start < len(words):
        step = 1
        if not mixed or not words[start].islower():
            for size in range(min(_MOST_WORDS, len(words) - start), 0, -1):
                name = " ".join(names[start : start + size])
                if name in NOWHERE:
                    # "New England" is no England.
                    step = size
                    break
                known = [place for place in geography.named(name) if _is_well_known(place, name)]
                if known:
                    return _best(known, name, at_most=BY_WORD)
        start += step
    return None


def _is_well_known(place: Place, name: str) -> bool:
    is_own = key(place.name) == name
    if len(name) < 4 or place.kind == "country":
        return len(name) >= 4
    if place.kind == "city":
        return place.population >= FEWEST_PEOPLE_IN_A_SENTENCE * (1 if is_own else 4)
    return place.population >= FEWEST_PEOPLE_OF_AN_AREA and (is_own or place.country in CODED_COUNTRIES)
