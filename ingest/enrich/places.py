"""From what a post says of its place to one of our locations: coordinates first, then names and aliases."""

from __future__ import annotations

import math
import re
import unicodedata

from models.organisation import UNKNOWN, Location, Organisation

# A post made this close to a site of ours is counted there, the nearest site first.
NEAR_KILOMETRES = 60.0
EARTH_KILOMETRES = 6371.0
_WORDS = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[,/|;()\-–·]+")


class Places:
    """Finds the site of a post; UNKNOWN (1) where nothing is said or nothing fits. Pure."""

    def __init__(self, organisation: Organisation) -> None:
        self._sites = [
            site
            for site in organisation.locations
            if site.kind == "site" and site.latitude is not None and site.longitude is not None
        ]
        self._names: dict[str, int] = {}
        for site in organisation.locations:
            if site.kind == "site":
                for name in filter(None, map(_folded, (site.name, *site.aliases))):
                    self._names.setdefault(name, site.id)
        self._known: dict[str, int] = {}

    def locate(self, place: str | None, latitude: float | None, longitude: float | None) -> int:
        """The location id for the coordinates a post was made at, else for its author's words for the place."""
        if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
            near = self._nearest(latitude, longitude)
            if near is not None:
                return near
        if not place:
            return UNKNOWN
        found = self._known.get(place)
        if found is None:
            if len(self._known) > 50_000:
                self._known.clear()
            found = self._known[place] = self._named(place)
        return found

    def _named(self, place: str) -> int:
        """The whole text, then each part between separators, left to right: "Utrecht / Amsterdam, NL"."""
        for part in (place, *_PARTS.split(place)):
            found = self._names.get(_folded(part))
            if found is not None:
                return found
        return UNKNOWN

    def _nearest(self, latitude: float, longitude: float) -> int | None:
        best, best_distance = None, NEAR_KILOMETRES
        for site in self._sites:
            distance = _kilometres(latitude, longitude, site)
            if distance <= best_distance:
                best, best_distance = site.id, distance
        return best


def _folded(name: str) -> str:
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", name).casefold()))


def _kilometres(latitude: float, longitude: float, site: Location) -> float:
    """Great-circle distance (haversine)."""
    assert site.latitude is not None
    assert site.longitude is not None
    a, b = math.radians(latitude), math.radians(site.latitude)
    half = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(site.longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KILOMETRES * math.asin(math.sqrt(half))
