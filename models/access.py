"""Rights and row scope: the one place that narrows a query to what a person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.errors import AccessDenied, NotFound, ScopeError
from models.organisation import UNKNOWN, Organisation

# What a person may do. `admin` is the right to set the product up, and whoever has it may everything.
ADMIN = "admin"
VIEWER = "viewer"
# Mark, correct, acknowledge, write in the shift log.
WORK = "work"
DRAFT = "draft"
SUBMIT = "submit"
SEND = "send"
SIGN_OFF = "sign_off"
DECLARE = "declare_incident"
PEOPLE = "manage_people"
ACCOUNTS = "manage_accounts"
AUDIT = "read_audit"
RIGHTS = (VIEWER, WORK, DRAFT, SUBMIT, SEND, SIGN_OFF, DECLARE, PEOPLE, ACCOUNTS, AUDIT, ADMIN)

MANAGER = "manager"
AUDITOR = "auditor"
DISPLAY = "display"
# What each role may. An auditor reads everything and changes nothing; a display shows.
ROLES: Mapping[str, frozenset[str]] = {
    VIEWER: frozenset({VIEWER, WORK}),
    "agent": frozenset({VIEWER, WORK, DRAFT, SUBMIT, SEND}),
    "approver": frozenset({VIEWER, WORK, DRAFT, SUBMIT, SEND, SIGN_OFF}),
    MANAGER: frozenset({VIEWER, WORK, DRAFT, SUBMIT, SEND, SIGN_OFF, DECLARE, PEOPLE, ACCOUNTS}),
    ADMIN: frozenset(RIGHTS),
    AUDITOR: frozenset({VIEWER, AUDIT}),
    DISPLAY: frozenset({VIEWER}),
}
# Roles without a row scope.
UNLIMITED = frozenset({ADMIN, AUDITOR})


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person, valid now; None = for all of them. `team_ids` narrow cases and replies, never mentions."""

    role: str
    brand_ids: frozenset[int] | None = None
    location_ids: frozenset[int] | None = None
    team_ids: frozenset[int] | None = None

    @property
    def rights(self) -> frozenset[str]:
        """What the role may."""
        return ROLES[self.role]

    def covers(self, other: Grant) -> bool:
        """Whether this one shows everything that the other shows."""
        return _holds(self.brand_ids, other.brand_ids) and _holds(self.location_ids, other.location_ids)


@dataclass(frozen=True, slots=True)
class Access:
    """What one signed-in person may do. None in `brand_ids` or `location_ids` = all of them.

    These two are what the person may see, whatever the role that shows it; admins and auditors see everything,
    unmatched posts included. `grants` say what the person may *do*, and where: ask `may_for`.
    """

    person_id: int
    email: str
    name: str
    rights: frozenset[str]
    brand_ids: frozenset[int] | None = None
    location_ids: frozenset[int] | None = None
    grants: tuple[Grant, ...] = ()

    @classmethod
    def granted(cls, person_id: int, email: str, name: str, grants: Iterable[Grant]) -> Access:
        """What the grants of a person add up to."""
        held = tuple(grants)
        rights = frozenset(right for grant in held for right in grant.rights)
        brands, locations = _seen(held)
        return cls(person_id, email, name, rights, brands, locations, held)

    @property
    def sees_all(self) -> bool:
        """Whether no row is kept from them, posts that match no brand among them."""
        return ADMIN in self.rights or any(
            grant.role in UNLIMITED or (grant.role == MANAGER and grant.covers(Grant(VIEWER))) for grant in self.grants
        )

    @property
    def reach(self) -> tuple[Grant, ...]:
        """Where this person sees cases: equal for two people who see the same, whatever they may do there."""
        if ADMIN in self.rights or any(grant.role in UNLIMITED for grant in self.grants):
            return (Grant(AUDITOR),)
        seen = {Grant(VIEWER, grant.brand_ids, grant.location_ids, grant.team_ids) for grant in self.grants}
        return tuple(sorted(seen, key=_order))

    def may(self, right: str) -> bool:
        """Whether the person has the right anywhere. Admins may everything."""
        return right in self.rights or ADMIN in self.rights

    def require(self, right: str) -> None:
        """AccessDenied, in words, when the person lacks the right."""
        if not self.may(right):
            raise AccessDenied(f"this needs the right “{right}”; ask an administrator for it")

    def may_for(
        self,
        right: str,
        organisation: Organisation,
        *,
        brand_id: int,
        location_id: int = UNKNOWN,
        team_id: int = UNKNOWN,
    ) -> bool:
        """Whether the person has the right for what stands in this brand, location and team."""
        if ADMIN in self.rights:
            return True
        return any(
            right in grant.rights
            and (grant.role in UNLIMITED or grant.brand_ids is None or brand_id in grant.brand_ids)
            and (
                grant.location_ids is None or any(location_id in organisation.below(top) for top in grant.location_ids)
            )
            and (grant.team_ids is None or team_id in grant.team_ids)
            for grant in self.grants
        )

    def require_for(
        self,
        right: str,
        organisation: Organisation,
        *,
        brand_id: int,
        location_id: int = UNKNOWN,
        team_id: int = UNKNOWN,
    ) -> None:
        """AccessDenied, in words, when the person lacks the right there."""
        if not self.may_for(right, organisation, brand_id=brand_id, location_id=location_id, team_id=team_id):
            raise AccessDenied(f"this needs the right “{right}” there; ask an administrator for it")


def _order(grant: Grant) -> tuple[list[int], ...]:
    # All before some: an empty set of a grant stands for nothing, and None for everything.
    limits = (grant.brand_ids, grant.location_ids, grant.team_ids)
    return tuple([-1] if ids is None else sorted(ids) for ids in limits)


def _holds(these: frozenset[int] | None, those: frozenset[int] | None) -> bool:
    return these is None or (those is not None and those <= these)


def _seen(grants: Sequence[Grant]) -> tuple[frozenset[int] | None, frozenset[int] | None]:
    """Brands and locations that somebody with these grants sees.

    A grant within another adds nothing. Of grants that differ in their locations only what all of them show is shown:
    a query has one set of brands and one of locations, and must never show a place in a brand where it was not given.
    """
    if any(grant.role in UNLIMITED for grant in grants):
        return None, None
    widest = [
        grant
        for place, grant in enumerate(grants)
        if not any(
            other.covers(grant) and (place > index or not grant.covers(other))
            for index, other in enumerate(grants)
            if index != place
        )
    ]
    brands: frozenset[int] | None = frozenset()
    locations: frozenset[int] | None = None
    for grant in widest:
        brands = None if brands is None or grant.brand_ids is None else brands | grant.brand_ids
        if grant.location_ids is not None:
            locations = grant.location_ids if locations is None else locations & grant.location_ids
    return brands, locations


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
        brand_ids = tuple(sorted(own)) or ((UNKNOWN,) if access.sees_all else ())
    if not brand_ids:
        raise ScopeError("there is no brand you may see; ask an administrator for one")
    tracked = set(brand_ids)
    for brand_id in brand_ids:
        tracked |= set(organisation.competitors.get(brand_id, ())) & (readable | _rivals(organisation))
    return Scope(
        brand_ids=brand_ids,
        tracked_ids=tuple(sorted(tracked)),
        location_ids=_locations(request.locations, access, organisation, brand_ids),
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
    """Every location whose mentions this person may see in some brand, those below included; None = all of them."""
    own = {brand.id for brand in organisation.brands if brand.kind == "own"} & _readable_brands(access, organisation)
    seen: set[int] = set()
    for brand_id in own:
        there = _places(access, organisation, (brand_id,))
        if there is None:
            return None
        seen |= there
    return tuple(sorted(seen))


def everything(access: Access, organisation: Organisation) -> Scope:
    """All that a person may read: competitors too, and for administrators the posts that match no brand."""
    readable = tuple(sorted(_readable_brands(access, organisation)))
    if not readable:
        raise ScopeError("there is no brand you may see; ask an administrator for one")
    return Scope(readable, readable, location_ids=_locations((), access, organisation, readable))


def _readable_brands(access: Access, organisation: Organisation) -> set[int]:
    everything = {brand.id for brand in organisation.brands}
    if access.sees_all:
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


def _locations(
    keys: tuple[str, ...], access: Access, organisation: Organisation, brand_ids: Sequence[int]
) -> tuple[int, ...] | None:
    allowed = _places(access, organisation, brand_ids)
    if not keys:
        if allowed is not None and not allowed and all(_places(access, organisation, (one,)) for one in brand_ids):
            raise ScopeError("the places you may see differ from brand to brand; choose one brand")
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


def _places(access: Access, organisation: Organisation, brand_ids: Iterable[int]) -> set[int] | None:
    """Locations whose mentions this person may see in every one of these brands; None = all of them.

    A query has one set of brands and one of locations: what differs from brand to brand is narrowed to what all of them
    show. A competitor is seen where the brands of ours are that it competes with.
    """
    if access.sees_all:
        return None
    grants = access.grants or (Grant(VIEWER, access.brand_ids, access.location_ids),)
    seen: set[int] | None = None
    for brand_id in brand_ids:
        ours = [one for one, rivals in organisation.competitors.items() if brand_id in rivals]
        is_rival = brand_id in _rivals(organisation)
        for one in (*ours, brand_id) if is_rival else (brand_id,):
            there = [grant for grant in grants if grant.brand_ids is None or one in grant.brand_ids]
            if (is_rival and not there) or any(grant.location_ids is None for grant in there):
                continue
            tops = (top for grant in there for top in grant.location_ids or ())
            below = {place for top in tops for place in organisation.below(top)}
            seen = below if seen is None else seen & below
    return seen


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
