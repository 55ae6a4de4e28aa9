"""One brand, location or team as a file has it, checked by itself; faults are gathered, not raised."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from models.errors import RuleError
from models.networks import BY_KEY
from models.rules import parse_all

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
RESERVED = {"unmatched", "unknown", "none", "all"}
EVERYTHING = "*"
BRAND_KEYS = {"key", "name", "kind", "monogram", "competitors", "rules"}
LOCATION_KEYS = {"key", "name", "kind", "parent", "zone", "latitude", "longitude", "aliases", "monogram"}
TEAM_KEYS = {"key", "name", "covers"}
ACCOUNT_KEYS = {"network", "handle", "author", "name", "kind", "brand", "location"}
COVER_KEYS = {"brand", "location"}
ORGANISATION_KEYS = {"name", "zone", "languages", "simulated"}
LONGEST_NAME = 200
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
LONGEST_MONOGRAM = 4

Item = Mapping[str, Any]
Faults = list[str]


@dataclass(frozen=True, slots=True)
class BrandEntry:
    """A brand as the file has it. Several rules are alternatives: any of them makes a post a mention."""

    key: str
    name: str
    kind: str
    monogram: str
    competitors: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocationEntry:
    """A location as the file has it; `aliases` are lower case."""

    key: str
    name: str
    kind: str
    parent: str | None
    zone: str | None
    latitude: float | None
    longitude: float | None
    aliases: tuple[str, ...]
    monogram: str


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A team and what it covers, as (brand key or *, location key or *)."""

    key: str
    name: str
    covers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account of ours: what it publishes is ours. `author` is the network's own identity of it, where known."""

    network: str
    handle: str
    author: str | None
    name: str
    kind: str
    brand: str
    location: str | None

    @property
    def key(self) -> str:
        """How the account is called in differences and faults."""
        return f"{self.network}/{self.handle}"


def brand_entry(place: str, item: Item, faults: Faults) -> BrandEntry:
    """The brand at a place of the file."""
    key_faults(place, item, BRAND_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    kind = _one_of(place, item, "kind", ("own", "competitor"), faults)
    competitors = _texts(place, item, "competitors", faults)
    if key in competitors:
        faults.append(f"{place}: competes with itself; take it out of competitors")
    rules = _texts(place, item, "rules", faults)
    if rules:
        try:
            parse_all(rules)
        except RuleError as error:
            which = f"[{rules.index(error.text)}]" if error.text in rules else ""
            faults.append(f"{place}: rules{which} does not parse:\n{error.pointed()}")
    monogram = _monogram(place, item, _initials(name), faults)
    return BrandEntry(key, name, kind, monogram, competitors, rules)


def location_entry(place: str, item: Item, faults: Faults) -> LocationEntry:
    """The location at a place of the file."""
    key_faults(place, item, LOCATION_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    kind = _one_of(place, item, "kind", ("site", "country", "region"), faults)
    latitude = _degrees(place, item, "latitude", 90.0, faults)
    longitude = _degrees(place, item, "longitude", 180.0, faults)
    if ("latitude" in item) != ("longitude" in item):
        faults.append(f"{place}: give both latitude and longitude, or neither")
    return LocationEntry(
        key=key,
        name=name,
        kind=kind,
        parent=text_of(place, item, "parent", faults, longest=64),
        zone=zone_of(place, item, faults),
        latitude=latitude,
        longitude=longitude,
        aliases=tuple(dict.fromkeys(alias.casefold() for alias in _texts(place, item, "aliases", faults))),
        monogram=_monogram(place, item, re.sub(r"\W", "", name)[:3].upper(), faults),
    )


def team_entry(place: str, item: Item, faults: Faults) -> TeamEntry:
    """The team at a place of the file."""
    key_faults(place, item, TEAM_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    given = item.get("covers", [])
    if not isinstance(given, list) or not all(isinstance(cover, dict) for cover in given):
        faults.append(f'{place}: covers must be a list like [{{brand = "halden-bank", location = "*"}}]')
        given = []
    covers: dict[tuple[str, str], None] = {}
    for i, cover in enumerate(given):
        at = f"{place}: covers[{i}]"
        key_faults(at, cover, COVER_KEYS, faults)
        pair = (
            text_of(at, cover, "brand", faults, longest=64) or EVERYTHING,
            text_of(at, cover, "location", faults, longest=64) or EVERYTHING,
        )
        if pair in covers:
            faults.append(f"{at}: {shown(pair[0])}@{shown(pair[1])} stands twice")
        covers[pair] = None
    return TeamEntry(key, name, tuple(covers))


def account_entry(place: str, item: Item, faults: Faults) -> AccountEntry:
    """The account of ours at a place of the file."""
    key_faults(place, item, ACCOUNT_KEYS, faults)
    network = str(item.get("network", "")).strip().lower()
    if network not in BY_KEY:
        faults.append(f'{place}: network "{shown(network)}" is none of {", ".join(sorted(BY_KEY))}')
    handle = (text_of(place, item, "handle", faults, longest=LONGEST_NAME) or "").removeprefix("@")
    if not handle:
        faults.append(f"{place}: an account needs its handle; e.g. haldenbank")
    brand = text_of(place, item, "brand", faults, longest=64)
    if brand is None:
        faults.append(f"{place}: an account speaks for a brand; name its key as brand")
    return AccountEntry(
        network=network,
        handle=handle,
        author=text_of(place, item, "author", faults, longest=512),
        name=text_of(place, item, "name", faults, longest=LONGEST_NAME) or handle,
        kind=_one_of(place, item, "kind", ("company", "support", "site", "person"), faults),
        brand=brand or "",
        location=text_of(place, item, "location", faults, longest=64),
    )


# -- single values -----------------------------------------------------------------------------------------


def key_faults(place: str, item: Item, known: set[str], faults: Faults) -> None:
    """A fault for every word that the file format does not know."""
    words = ", ".join(sorted(known))
    faults += [f'{place}: there is no "{shown(key)}"; known: {words}' for key in item if key not in known]


def text_of(place: str, item: Item, key: str, faults: Faults, *, longest: int) -> str | None:
    """A text of one line, None where the file is silent."""
    value = item.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not _prints(value):
        faults.append(f'{place}: {key} "{shown(value)}" must be a text of 1 to {longest} printable characters')
        return None
    return " ".join(value.split())


def zone_of(place: str, item: Item, faults: Faults) -> str | None:
    """An IANA zone, None where the file is silent."""
    zone = item.get("zone")
    if zone is None:
        return None
    if not isinstance(zone, str) or zone not in _zones():
        faults.append(f'{place}: zone "{shown(zone)}" is no IANA zone; e.g. Europe/Amsterdam')
        return None
    return ZoneInfo(zone).key


def languages_of(place: str, item: Item, faults: Faults) -> tuple[str, ...] | None:
    """Language codes, None where the file is silent."""
    if "languages" not in item:
        return None
    languages = tuple(dict.fromkeys(text.lower() for text in _texts(place, item, "languages", faults)))
    faults += [
        f'{place}: languages: "{shown(language)}" is no language code of two or three letters; e.g. en'
        for language in languages
        if not LANGUAGE.fullmatch(language)
    ]
    return languages


def shown(value: object) -> str:
    """A value of a file in a sentence: at most 80 characters, none that would hurt a terminal."""
    text = str(value)
    cut = text if len(text) <= 80 else text[:79] + "…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)


def _prints(text: str) -> bool:
    """Spaces of every script, line ends and the joiners of words and emoji, but no control and no bidi override."""
    return all(c.isprintable() or c in JOINERS or c in "\n\r\t" or unicodedata.category(c) == "Zs" for c in text)


@cache
def _zones() -> frozenset[str]:
    # 30 ms a call: it walks the folder of zones.
    return frozenset(available_timezones())


def _key_and_name(place: str, item: Item, faults: Faults) -> tuple[str, str]:
    key = item.get("key", "")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        faults.append(
            f'{place}: key "{shown(key)}" must be 1 to 63 small letters, digits and hyphens; e.g. halden-bank'
        )
    elif key in RESERVED:
        faults.append(f'{place}: the key "{key}" is taken by the product; choose another')
    name = text_of(place, item, "name", faults, longest=LONGEST_NAME)
    return str(key), name or shown(key)


def _one_of(place: str, item: Item, key: str, known: tuple[str, ...], faults: Faults) -> str:
    value = item.get(key, known[0])
    if not isinstance(value, str) or value not in known:
        faults.append(f'{place}: {key} "{shown(value)}" is none of {", ".join(known)}')
        return known[0]
    return value


def _texts(place: str, item: Item, key: str, faults: Faults) -> tuple[str, ...]:
    """A list of texts, stripped; a text may have several lines (a rule) but nothing else that does not print."""
    found = item.get(key, [])
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        faults.append(f'{place}: {key} must be a list of texts, e.g. {key} = ["…"]')
        return ()
    texts = tuple(part.strip() for part in found)
    for i, part in enumerate(texts):
        if not part or not _prints(part):
            faults.append(f'{place}: {key}[{i}] "{shown(part)}" must be a text of printable characters')
        elif part in texts[:i]:
            faults.append(f'{place}: {key}[{i}] "{shown(part)}" stands twice')
    return texts


def _degrees(place: str, item: Item, axis: str, limit: float, faults: Faults) -> float | None:
    value = item.get(axis)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or math.isnan(value) or not -limit <= value <= limit:
        faults.append(f'{place}: {axis} "{shown(value)}" must be a number from -{limit:g} to {limit:g}')
        return None
    return float(value)


def _monogram(place: str, item: Item, otherwise: str, faults: Faults) -> str:
    given = text_of(place, item, "monogram", faults, longest=LONGEST_MONOGRAM)
    # Some letters become two or three in upper case.
    return given or otherwise[:LONGEST_MONOGRAM] or "·"


def _initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]).upper()
