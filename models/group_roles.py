"""A role and what it is for, in one line of text: how settings and files give roles to groups and people. Pure.

agent                                   everywhere
agent@brand:halden-bank                 for one brand
approver@brand:a+brand:b+location:nl+team:care
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.access import ROLES, UNLIMITED, Grant
from models.errors import InputError, NotFound
from models.organisation import Organisation

KINDS = ("brand", "location", "team")
MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class RoleFor:
    """A role by name, and the keys of what it is for; empty = for all of them."""

    role: str
    brands: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    def __str__(self) -> str:
        pairs = zip(KINDS, (self.brands, self.locations, self.teams), strict=True)
        keys = [f"{kind}:{key}" for kind, given in pairs for key in given]
        return f"{self.role}@{'+'.join(keys)}" if keys else self.role


def read(text: str) -> RoleFor:
    """What the line says. InputError names what is wrong in it."""
    text = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text.strip())
    role, at, rest = (part.strip() for part in text.partition("@"))
    keys: dict[str, list[str]] = {kind: [] for kind in KINDS}
    if at and not rest:
        raise InputError(f'"{text[:80]}" says nothing behind the @; e.g. agent@brand:halden-bank')
    for part in rest.split("+") if at else ():
        kind, colon, key = (piece.strip() for piece in part.partition(":"))
        if kind not in keys or not colon or not key:
            raise InputError(f'"{part.strip()[:80]}" is no brand:KEY, location:KEY or team:KEY')
        keys[kind].append(key)
    if sum(len(given) for given in keys.values()) > MOST_KEYS:
        raise InputError(f"a role can be for at most {MOST_KEYS} brands, locations and teams by name")
    return checked(role, keys["brand"], keys["location"], keys["team"])


def checked(role: str, brands: Iterable[str], locations: Iterable[str], teams: Iterable[str]) -> RoleFor:
    """The same, from its parts. InputError for a role that is none, and for one that cannot be limited."""
    if role not in ROLES:
        raise InputError(f'no role "{role[:80]}"; known: {", ".join(ROLES)}')
    found = RoleFor(role, _ordered(brands), _ordered(locations), _ordered(teams))
    if role in UNLIMITED and (found.brands or found.locations or found.teams):
        raise InputError(f'the role "{role}" is for everything; leave out brands, locations and teams')
    return found


def grant_of(wanted: RoleFor, organisation: Organisation) -> Grant:
    """The grant it stands for today. InputError for a key that there is not."""
    try:
        return Grant(
            wanted.role,
            _ids(organisation.brand_by_key(key).id for key in wanted.brands),
            _ids(organisation.location_by_key(key).id for key in wanted.locations),
            _ids(organisation.team_by_key(key).id for key in wanted.teams),
        )
    except NotFound as error:
        raise InputError(str(error)) from error


def words(grant: Grant, organisation: Organisation) -> str:
    """What a grant is for, as people say it: "Halden Bank, Netherlands"; "everything" where it is not limited."""
    parts = [
        _names(grant.brand_ids, organisation.brand_names),
        _names(grant.location_ids, organisation.location_names),
        _names(grant.team_ids, organisation.team_names),
    ]
    return ", ".join(part for part in parts if part) or "everything"


def _names(ids: frozenset[int] | None, names: dict[int, str]) -> str:
    return "" if ids is None else ", ".join(sorted(names.get(one, "one that is gone") for one in ids))


def _ids(found: Iterable[int]) -> frozenset[int] | None:
    return frozenset(found) or None


def _ordered(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(keys)))
