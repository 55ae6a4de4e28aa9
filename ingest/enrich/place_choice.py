"""Which of several places of one name or code is meant, and how sure that is.

A name is mostly that of its largest place; one whose own name it is goes before one that is only also called so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from models import geography
from models.geography import Place, key

# Confidence, 0..100, by what an answer rests on.
BY_NAME = 90
BY_OTHER_NAME = 75  # an old name, a nickname, another language
BY_CODE = 65
# Of two places of one name the one whose own name it is, unless the other has ten times its people.
OTHER_NAME_WEIGHT = 0.1
# Countries whose regions are written as codes ("Belle MO", "ON", "NSW") by people who write nothing else.
CODED_COUNTRIES = ("US", "CA", "AU", "GB")
# The codes of countries that people write by themselves.
COUNTRY_CODES = ("US", "UK", "NZ", "CA", "USA", "UAE", "EEUU", "RSA")


class Resolved(NamedTuple):
    """A place (its GeoNames id) and how sure it is, 0..100. A tuple: one is made for every text that is new."""

    geo_id: int
    confidence: int


@lru_cache(maxsize=16_384)
def by_name(name: str) -> Resolved | None:
    """What a name means by itself. Kept: what stands round a name differs, and large cities share theirs with many."""
    found = geography.named(name)
    if not found and name.startswith("the "):
        found = geography.named(name[4:])
    return likeliest(found, name) if found else None


@lru_cache(maxsize=4_096)
def by_code(code: str) -> Resolved | None:
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


def likeliest(found: Sequence[Place], name: str, *, at_most: int = BY_NAME) -> Resolved:
    """The place of several of one name that is most likely meant, less sure where others are likely too."""
    if len(found) == 1:
        return Resolved(found[0].id, min(BY_NAME if is_own(found[0], name) else BY_OTHER_NAME, at_most))
    own = [is_own(place, name) for place in found]
    weights = [
        (place.population + 1) * (1.0 if its_own else OTHER_NAME_WEIGHT)
        for place, its_own in zip(found, own, strict=True)
    ]
    most = max(weights)
    number = weights.index(most)
    best = found[number]
    alike = sum(
        weight for place, weight in zip(found, weights, strict=True) if place is best or not is_within(place, best)
    )
    share = most / max(alike, 1.0)
    sure = min(BY_NAME if own[number] else BY_OTHER_NAME, at_most)
    city = city_of(best, found)
    if city is not best:
        sure = min(BY_NAME if is_own(city, name) else BY_OTHER_NAME, at_most)
    return Resolved(city.id, round(sure * (0.5 + 0.5 * share)))


def is_own(place: Place, name: str) -> bool:
    """Whether the name, as names are compared, is the place's own and no nickname, old name or other language."""
    return place.name.lower() == name or key(place.name) == name


def is_within(place: Place, area: Place) -> bool:
    """Whether it is in the country or region, or is it."""
    return place.country == area.country and (area.region is None or area.region == place.region)


def city_of(best: Place, found: Iterable[Place]) -> Place:
    """The city that a region is named after, where it is a large part of it: "New York" says the city."""
    if best.kind != "region":
        return best
    cities = (place for place in found if place.kind == "city" and is_within(place, best))
    city = max(cities, key=lambda place: place.population, default=best)
    return city if city.population * 20 > best.population else best
