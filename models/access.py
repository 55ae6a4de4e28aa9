"""Rights and row scope: the one place that narrows a query to what a person may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models.errors import AccessDenied, NotFound, ScopeError
from models.organisation import UNKNOWN, Organisation

ADMIN = "admin"
VIEWER = "viewer"
RIGHTS = (ADMIN, VIEWER)


@dataclass(frozen=True, slots=True)
class Access:
    """What one signed-in person may do. None in `brand_ids` or `location_ids` = all of them.

    Row scope holds for every right but `admin`, which sees everything, unmatched posts included.
    """

    person_id: int
    email: str
    name: str
    rights: frozenset[str]
    brand_ids: frozenset[int] | None = None
    location_ids: frozenset[int] | None = None

    def may(self, right: str) -> bool:
        """Admins may everything; everybody else what they were given."""
        return right in self.rights or ADMIN in self.rights

    def require(self, right: str) -> None:
        """AccessDenied, in words, when the person lacks the right."""
        if not self.may(right):
            raise AccessDenied(f"this needs the right “{right}”; ask an administrator for it")


@dataclass(frozen=True, slots=True)
class Request:
    """What a URL asks for, as keys: empty = everything the person may see."""

    brands: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query reads: already narrowed, normalised, and equal for two people who see the same.

    `brand_ids` is never empty and ascending; None elsewhere = everything, and then the rollup's 0 cells are
    read. `location_ids` holds every site below what was chosen. `tracked_ids` = the brands that share of voice
    is measured against (ours in scope and their competitors).
    """

    brand_ids: tuple[int, ...]
    tracked_ids: tuple[int, ...]
    location_ids: tuple[int, ...] | None = None
    team_ids: tuple[int, ...] | None = None
    network_ids: tuple[int, ...] | None = None
    search: str = ""

    @property
    def needs_rows(self) -> bool:
        """True where no rollup answers: location and team together, or a text search."""
        return bool(self.search) or (self.location_ids is not None and self.team_ids is not None)


def narrow(request: Request, access: Access, organisation: Organisation) -> Scope:
    """The scope a person gets for a request. NotFound, by the asked key, for what is foreign or unknown."""
    readable = _readable_brands(access, organisation)
    if request.brands:
        brand_ids = tuple(sorted({_brand(key, readable, organisation) for key in request.brands}))
    else:
        own = {brand.id for brand in organisation.brands if brand.kind == "own"} & readable
        # Until there is a brand of ours, an administrator's pages are about what no brand claims.
        brand_ids = tuple(sorted(own)) or ((UNKNOWN,) if access.may(ADMIN) else ())
    if not brand_ids:
        raise ScopeError("there is no brand you may see; ask an administrator for one")
    tracked = set(brand_ids)
    for brand_id in brand_ids:
        tracked |= set(organisation.competitors.get(brand_id, ())) & (readable | _rivals(organisation))
    return Scope(
        brand_ids=brand_ids,
        tracked_ids=tuple(sorted(tracked)),
        location_ids=_locations(request.locations, access, organisation),
        team_ids=tuple(sorted({organisation.team_by_key(key).id for key in request.teams})) or None,
        network_ids=tuple(sorted(set(request.networks))) or None,
        search=" ".join(request.search.split()),
    )


def tracked_with(brand_id: int, access: Access, organisation: Organisation) -> tuple[int, ...]:
    """The set that the page of one brand measures share of voice within, as far as this person may see it.

    For a brand of ours it and its competitors; for a competitor the sets of all brands of ours that name it.
    """
    readable, rivals = _readable_brands(access, organisation), _rivals(organisation)
    tracked = {brand_id, *organisation.competitors.get(brand_id, ())}
    if brand_id in rivals:
        for ours, named in organisation.competitors.items():
            if brand_id in named and ours in readable:
                tracked |= {ours, *named}
    return tuple(sorted({brand_id} | tracked & (readable | rivals)))


def allowed_locations(access: Access, organisation: Organisation) -> tuple[int, ...] | None:
    """Every location whose mentions this person may see, those below included; None = all of them."""
    return _locations((), access, organisation)


def everything(access: Access, organisation: Organisation) -> Scope:
    """All that a person may read: competitors too, and for administrators the posts that match no brand."""
    readable = tuple(sorted(_readable_brands(access, organisation)))
    if not readable:
        raise ScopeError("there is no brand you may see; ask an administrator for one")
    return Scope(readable, readable, location_ids=_locations((), access, organisation))


def _readable_brands(access: Access, organisation: Organisation) -> set[int]:
    everything = {brand.id for brand in organisation.brands}
    if access.may(ADMIN):
        return everything
    if access.brand_ids is None:
        return everything - {UNKNOWN}
    # A person limited to brands of ours still compares them with their competitors; another brand of ours that is
    # set as one stays closed.
    given = set(access.brand_ids) & everything
    rivals = {rival for brand_id in given for rival in organisation.competitors.get(brand_id, ())}
    return (given | rivals & _rivals(organisation)) - {UNKNOWN}


def _rivals(organisation: Organisation) -> set[int]:
    return {brand.id for brand in organisation.brands if brand.kind == "competitor"}


def _brand(key: str, readable: Iterable[int], organisation: Organisation) -> int:
    brand = organisation.brand_by_key(key)
    if brand.id not in readable:
        raise NotFound(f'no brand "{key}"')
    return brand.id


def _locations(keys: tuple[str, ...], access: Access, organisation: Organisation) -> tuple[int, ...] | None:
    allowed = None
    if not access.may(ADMIN) and access.location_ids is not None:
        allowed = {below for top in access.location_ids for below in organisation.below(top)}
    if not keys:
        return None if allowed is None else tuple(sorted(allowed))
    asked: set[int] = set()
    for key in keys:
        below = set(organisation.below(organisation.location_by_key(key).id))
        if allowed is not None:
            below &= allowed
        if not below:
            raise NotFound(f'no location "{key}"')
        asked |= below
    return tuple(sorted(asked))


@dataclass(frozen=True, slots=True)
class Window:
    """A span of posted_at, half-open, cut in steps. `live` ends now; else `end` is what the URL says.

    `start` stands on an edge of `step_seconds` (of a local day where the step is a day).
    """

    name: str
    start: datetime
    end: datetime
    step_seconds: int
    live: bool
