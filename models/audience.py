"""Who talks about a brand: where, in which language and form, from which country; and whom the brand wants to reach.

People are authors, each counted once however often they wrote, with the language, place and form of their newest post.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from models import audit, geography
from models.access import Access, Scope, Window
from models.database import raise_change
from models.errors import InputError
from models.mentions import filtered
from models.networks import NETWORKS, network_by_key
from models.organisation import Organisation
from models.tables import core_audience

# People are looked at through the newest posts of a scope; a figure of more posts than these says so.
SAMPLE = 2_000
FORMATS = ("text", "picture", "video", "audio")
DIMENSIONS = ("network", "place", "language", "format")
MOST_VALUES = 40
# Of the kinds of media that a post holds, the most telling one is its form.
_FORMS = (("video", "video"), ("gif", "video"), ("audio", "audio"), ("image", "picture"), ("photo", "picture"))


_COLUMNS = "m.id, m.brand_id, m.network_id, m.author_key, m.language, cast(m.media as text), m.home_geo, m.place_geo"

Profile = tuple[str | None, str | None, str | None, str | None]
"""What is known of a person, in the order of DIMENSIONS: network key, country, language, form."""


@dataclass(frozen=True, slots=True)
class People:
    """People of one brand (or of all in scope) behind `posts` posts; `repeated` of them wrote more than once."""

    people: int = 0
    posts: int = 0
    repeated: int = 0
    profiles: Mapping[Profile, int] = field(default_factory=dict)

    def by(self, dimension: str) -> Mapping[str, int]:
        """value -> people whose value is known: keys of networks, codes of languages and countries, forms."""
        place = DIMENSIONS.index(dimension)
        counts: Counter[str] = Counter()
        for profile, people in self.profiles.items():
            if (value := profile[place]) is not None:
                counts[value] += people
        return counts

    def known(self, dimension: str) -> int:
        """People whose value is known: the base of every share of it."""
        return sum(self.by(dimension).values())

    def inside(self, values: Mapping[str, Sequence[str]]) -> tuple[int, int]:
        """(people inside every dimension that names values, people whose values there are all known)."""
        named = [(DIMENSIONS.index(name), frozenset(wanted)) for name, wanted in values.items() if wanted]
        inside = known = 0
        for profile, people in self.profiles.items():
            if all(profile[place] is not None for place, _ in named):
                known += people
                inside += people if all(profile[place] in wanted for place, wanted in named) else 0
        return inside, known


@dataclass(frozen=True, slots=True)
class Sample:
    """The people behind the newest posts of a scope. `is_part` = there were more than SAMPLE posts."""

    all: People
    by_brand: Mapping[int, People]
    is_part: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """Whom a brand wants to reach. `shares` is the part (0..1) of its people that is meant to lie inside, if said."""

    brand_id: int
    version: int
    values: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, float]
    actor: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Compared:
    """One dimension of a declaration beside what is. `inside` of `known` people have a declared value."""

    dimension: str
    declared: tuple[str, ...]
    actual: tuple[str, ...]
    inside: int
    known: int
    meant: float | None

    @property
    def share(self) -> float | None:
        """0..1 of the people whose value is known; None where it is known of nobody."""
        return self.inside / self.known if self.known else None

    @property
    def missing(self) -> tuple[str, ...]:
        """What is among the most frequent values and was not declared."""
        return tuple(value for value in self.actual if value not in self.declared)


def sample(connection: Connection, scope: Scope, window: Window) -> Sample:
    """The people behind the newest SAMPLE posts of a scope in a window."""
    params: dict[str, Any] = {}
    statement = filtered(
        connection,
        scope,
        scope.brand_ids,
        window,
        params,
        columns=_COLUMNS,
        limit=SAMPLE + 1,
    )
    rows = connection.execute(text(statement), params).all()
    is_part = len(rows) > SAMPLE
    rows = rows[:SAMPLE]
    of_brand: dict[int, list[Any]] = {}
    for row in rows:
        of_brand.setdefault(row[1], []).append(row)
    return Sample(_people(rows), {brand_id: _people(found) for brand_id, found in of_brand.items()}, is_part)


def _people(rows: Sequence[Any]) -> People:
    posts: Counter[tuple[int, str]] = Counter((row[2], row[3]) for row in rows)
    newest = {(row[2], row[3]): row for row in reversed(rows)}
    profiles: Counter[Profile] = Counter(
        (_NETWORK_KEYS[row[2]], _country(row[6] or row[7]), row[4] or None, form(row[5])) for row in newest.values()
    )
    return People(len(newest), len(rows), sum(1 for count in posts.values() if count > 1), dict(profiles))


_NETWORK_KEYS = {network.id: network.key for network in NETWORKS}


@lru_cache(maxsize=50_000)
def _country(geo_id: int | None) -> str | None:
    found = geography.place(geo_id) if geo_id else None
    return found.country if found is not None and found.country else None


@lru_cache(maxsize=10_000)
def form(media: str | None) -> str:
    """The form of a post by its media (JSON, [kind, alt text] each): text, picture, video or audio."""
    if not media:
        return "text"
    kinds = {str(item[0]) for item in json.loads(media)}
    return next((form for kind, form in _FORMS if kind in kinds), "text")


def declared(connection: Connection, brand_ids: Sequence[int]) -> tuple[Declared, ...]:
    """What is declared now for these brands; brands that declared nothing are left out."""
    alive = core_audience.c.brand_id.in_(brand_ids) & core_audience.c.valid_to.is_(None)
    rows = connection.execute(select(core_audience).where(alive).order_by(core_audience.c.brand_id))
    return tuple(
        Declared(
            brand_id=row.brand_id,
            version=row.version,
            values={name: tuple(row.declared.get(name, {}).get("values", ())) for name in DIMENSIONS},
            shares={name: part["share"] for name, part in row.declared.items() if part.get("share") is not None},
            actor=row.actor,
            since=row.valid_from,
        )
        for row in rows
    )


def compared(found: People, declarations: Sequence[Declared]) -> tuple[Compared, ...]:
    """Each declared dimension beside the people there are; several brands' declarations are joined. Pure."""
    blocks = []
    for dimension in DIMENSIONS:
        wanted = tuple(sorted({value for item in declarations for value in item.values[dimension]}))
        if not wanted:
            continue
        counts = found.by(dimension)
        order = sorted(counts, key=lambda value: (-counts[value], value))
        meant = [item.shares[dimension] for item in declarations if dimension in item.shares]
        blocks.append(
            Compared(
                dimension=dimension,
                declared=wanted,
                actual=tuple(order[: len(wanted)]),
                inside=sum(counts.get(value, 0) for value in wanted),
                known=found.known(dimension),
                meant=meant[0] if len(declarations) == 1 and meant else None,
            )
        )
    return tuple(blocks)


def declare(
    connection: Connection,
    brand_key: str,
    given: Mapping[str, Any],
    organisation: Organisation,
    *,
    access: Access,
    now: datetime,
) -> Declared:
    """Declare a brand's core audience anew: {dimension: {"values": [...], "share": 0..1 or None}}.

    The one before is kept with the time it held. InputError names the value that is none.
    """
    brand = organisation.brand_by_key(brand_key)
    if brand.kind != "own":
        raise InputError(f"brand: {brand.name} is not ours; a core audience is declared for a brand of ours")
    checked = {name: _checked(name, given[name], organisation) for name in DIMENSIONS if given.get(name)}
    checked = {name: part for name, part in checked.items() if part["values"]}
    if unknown := sorted(set(given) - set(DIMENSIONS)):
        raise InputError(f"{unknown[0][:40]}: no dimension of an audience; known: {', '.join(DIMENSIONS)}")
    if not checked:
        raise InputError("choose at least one network, country, language or form")
    mine = core_audience.c.brand_id == brand.id
    newest = select(func.coalesce(func.max(core_audience.c.version), 0)).where(mine)
    version = int(connection.execute(newest).scalar_one())
    connection.execute(update(core_audience).where(mine & core_audience.c.valid_to.is_(None)).values(valid_to=now))
    connection.execute(
        insert(core_audience).values(
            brand_id=brand.id,
            version=version + 1,
            declared=checked,
            person_id=access.person_id,
            actor=access.name,
            valid_from=now,
        )
    )
    audit.record(
        connection,
        at=now,
        action="audience.declared",
        subject=brand.key,
        actor=access.email,
        person_id=access.person_id,
        details={"version": version + 1, **checked},
    )
    raise_change(connection, "audience", [brand.id])
    return declared(connection, [brand.id])[0]


def _checked(dimension: str, part: Any, organisation: Organisation) -> dict[str, Any]:
    values = part.get("values") if isinstance(part, Mapping) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(f'{dimension}: a list of texts is needed as "values"')
    if len(values) > MOST_VALUES:
        raise InputError(f"{dimension}: {len(values)} values; at most {MOST_VALUES}")
    for value in values:
        _CHECKS[dimension](value, organisation)
    share = part.get("share")
    if share is not None and (isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1):
        raise InputError(f"{dimension}: the share meant is between 1 % and 100 %")
    return {"values": sorted(set(values)), "share": share}


def _check_network(value: str, organisation: Organisation) -> None:
    network_by_key(value)


def _check_place(value: str, organisation: Organisation) -> None:
    if geography.country(value) is None:
        raise InputError(f'place: "{value[:40]}" is no country code of ISO 3166-1, e.g. NL')


def _check_language(value: str, organisation: Organisation) -> None:
    if not (value.isascii() and value.isalpha() and value.islower() and 2 <= len(value) <= 3):
        raise InputError(f'language: "{value[:40]}" is no code of ISO 639, e.g. nl')


def _check_format(value: str, organisation: Organisation) -> None:
    if value not in FORMATS:
        raise InputError(f'format: "{value[:40]}" is none of {", ".join(FORMATS)}')


_CHECKS = {"network": _check_network, "place": _check_place, "language": _check_language, "format": _check_format}
