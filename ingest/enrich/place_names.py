"""From what people write of where they are to a place on earth: "NYC", "Brooklyn, NY", "Deutschland", "Texas, duh!".

Most of it is free text, and much of it a joke. What is said whole is looked up first, then what stands between
separators, then words inside the text, each with less confidence; what names no place stays None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from ingest.enrich.place_choice import (
    CODED_COUNTRIES,
    Resolved,
    by_code,
    by_name,
    city_of,
    is_own,
    is_within,
    likeliest,
)
from ingest.enrich.place_text import (
    JOINING_WORDS,
    alternatives,
    marks,
    pieces,
    without_addresses,
    without_zip,
    words,
)
from models import geography
from models.geography import Place, key

LONGEST_TEXT = 200
# Confidence, 0..100, by what an answer rests on; of a name or code by itself in `place_choice`.
CONFIRMED = 95  # a city with its region or country beside it
BY_FLAG = 80
BY_COORDINATES = 80
BY_AREA = 65  # a town that we do not know, in a region that we do
BY_WORD = 45  # a name somewhere in a sentence
# A name inside a sentence means a city only where it is a large one.
FEWEST_PEOPLE_IN_A_SENTENCE = 100_000
# "Florida, Arizona" is two places; in "Douglas, MA" Douglas is a town of MA, not the region of that name.
FEWEST_PEOPLE_OF_AN_AREA = 1_000_000
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
# How many words of a sentence make a name at most, and how many a name with what it lies in.
_MOST_WORDS = 4
_MOST_WORDS_WITH_A_SUFFIX = 6
# A code of five letters with a space after each.
_LONGEST_CODE = 9


def resolve(text: str) -> Resolved | None:
    """The place that a text names, the first one where it names several; None where it names none."""
    said = text[:LONGEST_TEXT].strip()
    if not said:
        return None
    if not said.isascii():
        return _flag(said) or _written(said)
    its_marks = marks(said)
    if not its_marks:
        return _plain(said)
    return _written(said) if its_marks.strip(b",") else _with_commas(said)


def _written(said: str) -> Resolved | None:
    """A text that can hold anything."""
    if _DIGIT.search(said) and (found := _coordinates(said)):
        return found
    said = without_addresses(said)
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
    for part in alternatives(said):
        if part and (found := _listed(without_zip(part))):
            return found
    its_words = words(said)
    return _mentioned(said, its_words, [key(word) for word in its_words])


# -- what is said outright ---------------------------------------------------------------------------------


def _plain(said: str) -> Resolved | None:
    """A text of words alone: what `_written` does, without what cannot be in it. So is most that has no comma."""
    its_words, names = said.split(), said.lower().split()
    name = " ".join(names)
    if name in NOWHERE:
        return None
    if found := _alone(said, name):
        return found
    if JOINING_WORDS.isdisjoint(names):
        found = _with_suffix(its_words, names)
    else:
        found = next(filter(None, map(_listed, filter(None, alternatives(said)))), None)
    return found or _mentioned(said, its_words, names)


def _with_commas(said: str) -> Resolved | None:
    """The same of a text of words and commas: "Boston, MA", "Lewes, DE, USA"."""
    head, _, tail = said.partition(",")
    if (areas := _area(tail.strip())) and (found := _inside(key(head), areas)):
        return found
    bare = said.replace(",", " ")
    names = bare.lower().split()
    for part in (said,) if JOINING_WORDS.isdisjoint(names) else alternatives(said):
        if part and (found := _listed(part)):
            return found
    return _mentioned(said, bare.split(), names)


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
    if not said.isupper():
        return by_name(name)
    code = said.replace(".", "").strip()
    if len(code) == 2 and (found := by_code(code)):
        return found
    return by_name(name) or by_code(code)


# -- a name with its region or country beside it -----------------------------------------------------------


def _listed(part: str) -> Resolved | None:
    """ "Lewes, DE, USA", "Paris, TX", "Nigeria,lagos", "Windermere (Seattle)"."""
    said = pieces(part)
    if not said:
        return None
    if len(said) == 1:
        return _alone(said[0], key(said[0])) or _suffixed(said[0])
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
                c for c in geography.named(key(piece)) if any(is_within(c, area) and c is not area for area in outer)
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
        if found_alone := _alone(piece, key(piece)) or _suffixed(piece):
            return found_alone
    return None


def _inside(name: str, areas: Sequence[Place], sure: int = CONFIRMED) -> Resolved | None:
    """The place of a name that lies in one of the areas."""
    found = geography.named(name)
    inside: list[Place] = []
    for place in found:
        country, region = place.country, place.region
        for area in areas:
            if area.country == country and (area.region is None or area.region == region) and area is not place:
                inside.append(place)
                break
    if not inside:
        return None
    best = inside[0] if len(inside) == 1 else max(inside, key=lambda place: _rank(place, name))
    return Resolved(best.id if best.kind == "city" else city_of(best, found).id, sure)


def _rank(place: Place, name: str) -> tuple[bool, int]:
    """Its own name first: "Bethlehem, PA" is no old name of Belém in Pará."""
    return is_own(place, name), place.population


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
        nested = [area for area in areas if any(is_within(area, outer) for outer in here)]
        areas = nested or areas or list(here)
    return areas


@lru_cache(maxsize=4_096)
def _area(piece: str) -> tuple[Place, ...]:
    """The regions and countries that a piece names."""
    name = key(piece)
    found = [place for place in geography.named(name) if place.kind != "city"]
    if len(name) <= _LONGEST_CODE and name.isascii():
        found += _coded_areas(name)
    if not found and " " in piece:
        # "Quebec CA", "CT USA": one inside the other.
        inner, _, outer = piece.rpartition(" ")
        around = _area(outer)
        found = [place for place in _area(inner) if any(is_within(place, area) for area in around)]
    return tuple(found)


def _is_coded(place: Place) -> bool:
    return place.kind == "region" and place.country in CODED_COUNTRIES


def _suffixed(said: str) -> Resolved | None:
    """ "San Francisco CA", "Columbus Ohio USA", "lexington KY"; a town that we do not know in a region: "Belle MO"."""
    its_words = said.split()
    if not 2 <= len(its_words) <= _MOST_WORDS_WITH_A_SUFFIX:
        return None
    return _with_suffix(its_words, [key(word) for word in its_words])


def _with_suffix(its_words: list[str], names: list[str]) -> Resolved | None:
    """The same of words and, word for word, how they are compared."""
    count = len(its_words)
    if not 2 <= count <= _MOST_WORDS_WITH_A_SUFFIX:
        return None
    known = geography.names()
    for size in range(min(3, count - 1), 0, -1):
        name = _joined(names[-size:])
        named = [p for p in geography.named(name) if p.kind != "city"] if name in known and name not in NOWHERE else []
        areas = named or (_coded_areas(name) if len(name) <= _LONGEST_CODE else [])
        if not areas:
            continue
        before = _joined(names[:-size])
        if inside := _inside(before, areas, CONFIRMED - 3):
            return inside
        deeper = _with_suffix(its_words[:-size], names[:-size])
        if deeper and (place := geography.place(deeper.geo_id)) and any(is_within(place, area) for area in areas):
            return Resolved(place.id, CONFIRMED - 3)
        if before in known:
            continue
        head, tail = " ".join(its_words[:-size]), " ".join(its_words[-size:])
        coded = [place for place in areas if place.country in CODED_COUNTRIES]
        if tail.isupper() and not named and head[:1].isupper() and not head.isupper() and coded and count <= 4:
            best = max(coded, key=lambda place: (place.kind == "region", place.population))
            return Resolved(best.id, BY_AREA - 5)
    return None


def _coded_areas(name: str) -> list[Place]:
    """The regions and countries whose code, of two to five letters, a name is: "ny", "u k"."""
    code = name.replace(" ", "").upper()
    return [place for place in geography.coded(code) if place.kind != "city"] if 2 <= len(code) <= 5 else []


def _joined(names: Iterable[str]) -> str:
    """Several words as `key` writes them together: one of nothing but marks leaves no space."""
    return " ".join(filter(None, names))


# -- a name somewhere in a sentence ------------------------------------------------------------------------


def _mentioned(said: str, its_words: Sequence[str], names: Sequence[str]) -> Resolved | None:
    """The first name in a text that is more than a name: of a large city, a region or a country."""
    is_mixed = not said.islower()
    known, joined, count = geography.names(), " ".join(names), len(names)
    begins = [0]
    for name in names:
        begins.append(begins[-1] + len(name) + 1)
    start = 0
    while start < count:
        step = 1
        if not is_mixed or not its_words[start].islower():
            begin = begins[start]
            for size in range(min(_MOST_WORDS, count - start), 0, -1):
                name = joined[begin : begins[start + size] - 1]
                if name in NOWHERE:
                    # "New England" is no England.
                    step = size
                    break
                if name in known and (large := [p for p in geography.named(name) if _is_well_known(p, name)]):
                    return likeliest(large, name, at_most=BY_WORD)
        start += step
    return None


def _is_well_known(place: Place, name: str) -> bool:
    its_own = is_own(place, name)
    if len(name) < 4 or place.kind == "country":
        return len(name) >= 4
    if place.kind == "city":
        return place.population >= FEWEST_PEOPLE_IN_A_SENTENCE * (1 if its_own else 4)
    return place.population >= FEWEST_PEOPLE_OF_AN_AREA and (its_own or place.country in CODED_COUNTRIES)
