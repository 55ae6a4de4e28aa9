"""Where a post was made and where its author lives, on earth and among our locations.

Two facts that are kept apart: the place of the post (coordinates, or the words that the network gives for them) and the
home that its author claims. A home is no visit: it never fills a site of ours, only a country or region.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from ingest.enrich.place_choice import Resolved
from ingest.enrich.place_names import resolve
from ingest.found import Found
from models import geography
from models.geography import NEAR_KILOMETRES as NEAR_CITY_KILOMETRES
from models.geography import Place, key, kilometres
from models.organisation import UNKNOWN, Location, Organisation

# A post made this close to a site of ours is counted there, the nearest site first.
NEAR_KILOMETRES = 60.0
# What is less sure than this says nothing about our locations.
LEAST_CONFIDENCE = 50
# How sure a city is for coordinates: in it, and at the edge of what is looked at.
IN_A_CITY = 95
FAR_FROM_A_CITY = 60
# How many texts are remembered; they are whatever people write, so the memory of them must not grow for ever.
MOST_REMEMBERED = 50_000
# Of a text that was not looked up yet: what was can be None.
_UNSEEN = Resolved(0, 0)
_PARTS = re.compile(r"[,/|;()\-–·]+")

MIDDLE_EAST = "AE BH CY EG IL IQ IR JO KW LB OM PS QA SA SY TR YE"
# What organisations call parts of the world: continents by their two letters, then countries.
PARTS_OF_THE_WORLD: dict[str, tuple[str, str]] = {
    "africa": ("AF", ""),
    "americas": ("NA SA", ""),
    "anz": ("", "AU NZ"),
    "apac": ("AS OC", ""),
    "asia": ("AS", ""),
    "asia pacific": ("AS OC", ""),
    "benelux": ("", "BE NL LU"),
    "dach": ("", "DE AT CH"),
    "emea": ("EU AF", MIDDLE_EAST),
    "europe": ("EU", ""),
    "europe middle east and africa": ("EU AF", MIDDLE_EAST),
    "gcc": ("", "AE BH KW OM QA SA"),
    "iberia": ("", "ES PT"),
    "latam": ("SA", "MX GT HN SV NI CR PA CU DO PR HT JM"),
    "latin america": ("SA", "MX GT HN SV NI CR PA CU DO PR HT JM"),
    "mea": ("AF", MIDDLE_EAST),
    "middle east": ("", MIDDLE_EAST),
    "middle east africa": ("AF", MIDDLE_EAST),
    "middle east and africa": ("AF", MIDDLE_EAST),
    "nordics": ("", "DK FI IS NO SE"),
    "north america": ("NA", ""),
    "oceania": ("OC", ""),
    "scandinavia": ("", "DK NO SE"),
    "south america": ("SA", ""),
    "south east asia": ("", "BN ID KH LA MM MY PH SG TH TL VN"),
    "southeast asia": ("", "BN ID KH LA MM MY PH SG TH TL VN"),
    "uk and ireland": ("", "GB IE"),
}

_Area = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a post is from: GeoNames ids with how sure they are (0..100), and one of our locations.

    `place_by` is coordinates or place. `location_by` is coordinates or name (a site), region (the place of the post
    lies in a country or region of ours), home (its author's home does), None where `location_id` is UNKNOWN.
    """

    home_geo: int | None
    home_confidence: int | None
    place_geo: int | None
    place_by: str | None
    place_confidence: int | None
    location_id: int
    location_by: str | None


class Places:
    """Places of one state of the organisation. Pure; may be used by several threads."""

    def __init__(self, organisation: Organisation) -> None:
        self._sites = [
            (site.id, site.latitude, site.longitude)
            for site in organisation.locations
            if site.kind == "site" and site.latitude is not None and site.longitude is not None
        ]
        self._site_names = _names(site for site in organisation.locations if site.kind == "site")
        self._area_names = _names(area for area in organisation.locations if area.kind in ("country", "region"))
        areas, parts_of_world = _areas(organisation.locations)
        self._regions = {(country, region): number for (country, region), number in areas.items() if region}
        whole = {country: number for (country, region), number in areas.items() if not region}
        self._countries = parts_of_world | whole
        self._resolved: dict[str, Resolved | None] = {}
        self._living: dict[Resolved | None, Located] = {}
        self._located: dict[str | tuple[str, str | None] | None, Located] = {}

    def resolve(self, text: str) -> Resolved | None:
        """The place on earth that a text names, None where it names none."""
        found = self._resolved.get(text, _UNSEEN)
        if found is _UNSEEN:
            if len(self._resolved) >= MOST_REMEMBERED:
                self._resolved.clear()
            found = self._resolved[text] = resolve(text)
        return found

    def locate(self, post: Found) -> Located:
        """Home and place of a post, and the location of ours that they speak for."""
        if post.latitude is not None and (at := _coordinates(post)) is not None:
            return self._located_at(post, at)
        # Few have coordinates or a place, and many the same words.
        place, home = post.place, post.home
        said = (place, home) if place else home
        found = self._located.get(said)
        if found is None:
            if len(self._located) >= MOST_REMEMBERED:
                self._located.clear()
            found = self._located[said] = self._located_at(post, None) if place else self._at_home(home)
        return found

    def _at_home(self, home: str | None) -> Located:
        """What `_located_at` says where all that is known is a home, which is most that is new."""
        if not home:
            return _NOWHERE
        found = resolve(home)
        if self._area_names and (area := self._area_names.get(key(home))) is not None:
            return _living(found, area)
        located = self._living.get(found)
        if located is None:
            if len(self._living) >= MOST_REMEMBERED:
                self._living.clear()
            located = self._living[found] = _living(found, None if found is None else self._area(found))
        return located

    def _located_at(self, post: Found, at: tuple[float, float] | None) -> Located:
        home = self.resolve(post.home) if post.home else None
        place = None if at is None else _of_coordinates(*at)
        place_by = "coordinates"
        if place is None:
            place = self.resolve(post.place) if post.place else None
            place_by = "place"
        location_id, location_by = self._location(post, at, place, home)
        return _located(
            None if home is None else home.geo_id,
            None if home is None else home.confidence,
            None if place is None else place.geo_id,
            None if place is None else place_by,
            None if place is None else place.confidence,
            location_id,
            location_by,
        )

    def _location(
        self, post: Found, at: tuple[float, float] | None, place: Resolved | None, home: Resolved | None
    ) -> tuple[int, str | None]:
        if at is not None and (site := self._nearest_site(*at)) is not None:
            return site, "coordinates"
        if post.place:
            if (site := self._site_said(post.place)) is not None:
                return site, "name"
            if (area := self._area_names.get(key(post.place))) is not None:
                return area, "region"
        if place is not None:
            # Somewhere that is none of ours: where its author lives is beside the point.
            area = self._area(place)
            return (UNKNOWN, None) if area is None else (area, "region")
        if post.home:
            area = self._area_names.get(key(post.home))
            if area is None and home is not None:
                area = self._area(home)
            if area is not None:
                return area, "home"
        return UNKNOWN, None

    def _nearest_site(self, latitude: float, longitude: float) -> int | None:
        best, best_distance = None, NEAR_KILOMETRES
        for site, north, east in self._sites:
            distance = kilometres(latitude, longitude, north, east)
            if distance <= best_distance:
                best, best_distance = site, distance
        return best

    def _site_said(self, place: str) -> int | None:
        """The whole text, then each part between separators, left to right: "Utrecht / Amsterdam, NL"."""
        names = map(key, (place, *_PARTS.split(place)))
        return next((self._site_names[name] for name in names if name in self._site_names), None)

    def _area(self, found: Resolved) -> int | None:
        """The location that holds a place, the smallest: region of a country, country, part of the world."""
        if found.confidence < LEAST_CONFIDENCE or not (self._countries or self._regions):
            return None
        place = geography.place(found.geo_id)
        if place is None:
            return None
        region = self._regions.get((place.country, place.region or "")) if self._regions else None
        return self._countries.get(place.country) if region is None else region


# One for all posts that say the same place: half of what people write differently is the same city.
_located = lru_cache(maxsize=MOST_REMEMBERED)(Located)
_NOWHERE = _located(None, None, None, None, None, UNKNOWN, None)


def _living(home: Resolved | None, area: int | None) -> Located:
    """Of a post of which a home alone is known."""
    geo_id, confidence = (None, None) if home is None else home
    location_id, location_by = (UNKNOWN, None) if area is None else (area, "home")
    return _located(geo_id, confidence, None, None, None, location_id, location_by)


# -- places of posts ---------------------------------------------------------------------------------------


def _coordinates(post: Found) -> tuple[float, float] | None:
    latitude, longitude = post.latitude, post.longitude
    if latitude is None or longitude is None:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _of_coordinates(latitude: float, longitude: float) -> Resolved | None:
    near = geography.nearest_city(latitude, longitude)
    if near is None:
        return None
    city, away = near
    return Resolved(city.id, round(IN_A_CITY - (IN_A_CITY - FAR_FROM_A_CITY) * away / NEAR_CITY_KILOMETRES))


# -- locations of ours -------------------------------------------------------------------------------------


def _names(locations: Iterable[Location]) -> dict[str, int]:
    """Names and aliases as they are compared -> id; the first of two of one name has it."""
    found: dict[str, int] = {}
    for location in locations:
        for name in filter(None, map(key, (location.name, *location.aliases))):
            found.setdefault(name, location.id)
    return found


def _areas(locations: Iterable[Location]) -> tuple[dict[_Area, int], dict[str, int]]:
    """What countries and regions of ours hold: areas -> id, and for parts of the world, countries -> id."""
    areas: dict[_Area, int] = {}
    parts: list[tuple[frozenset[str], int]] = []
    within: dict[int, _Area] = {}
    kinds = ("country", "region")
    # Countries first: a region below one ("Georgia") is looked for inside it.
    for location in sorted((each for each in locations if each.kind in kinds), key=lambda each: kinds.index(each.kind)):
        held = [area for name in (location.name, *location.aliases) for area in _held(location, key(name), within)]
        if not held and location.kind == "country" and (country := _country_of_zone(location.zone)):
            held = [(country, None)]
        if held:
            within[location.id] = held[0]
        for area in held:
            areas.setdefault(area, location.id)
        if location.kind == "region" and not held:
            names = map(key, (location.name, *location.aliases))
            parts.extend((countries, location.id) for name in names if (countries := _countries(name)))
    # Of two parts of the world that hold a country, the smaller one has it.
    by_country: dict[str, int] = {}
    for countries, location_id in sorted(parts, key=lambda part: len(part[0])):
        for country in countries:
            by_country.setdefault(country, location_id)
    return areas, by_country


def _held(location: Location, name: str, within: dict[int, _Area]) -> list[_Area]:
    """The area with this name, as one that fits the kind and the parent of the location."""
    if name in PARTS_OF_THE_WORLD:
        return []
    found = [place for place in geography.named(name) if place.kind != "city"]
    if not found and name.isascii():
        found = [place for place in geography.coded(name.upper()) if place.kind == "country"]
    parent = None if location.parent_id is None else within.get(location.parent_id)
    if parent is not None:
        found = [place for place in found if place.country == parent[0]]

    def likely(place: Place) -> tuple[bool, bool, int]:
        fits = place.kind == ("country" if location.kind == "country" else "region")
        return fits, key(place.name) == name, place.population

    best = max(found, key=likely, default=None)
    return [] if best is None else [(best.country, best.region)]


def _countries(name: str) -> frozenset[str]:
    continents, countries = PARTS_OF_THE_WORLD.get(name, ("", ""))
    held = {code for code in geography.countries() if geography.continent(code) in continents.split()}
    if name in ("apac", "asia pacific", "asia"):
        held -= set(MIDDLE_EAST.split())
    return frozenset(held | set(countries.split()))


def _country_of_zone(zone: str | None) -> str | None:
    """The country that an IANA zone is kept for; None for one of several countries."""
    if zone is None:
        return None
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and fields[2] == zone:
            return fields[0]
    return None
