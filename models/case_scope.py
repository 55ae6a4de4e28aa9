"""Which cases somebody may see, or work on, and which of them were asked for: conditions on rows of `desk_case`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, literal, or_, select, true

from models.access import ADMIN, UNLIMITED, VIEWER, Access
from models.case_steps import CLOSED, LIVE, NEW, OPEN, WAITING
from models.errors import InputError
from models.organisation import UNKNOWN, Organisation
from models.tables import desk_case, reply

TEAM, MINE, SIGN_OFF = "team", "mine", "sign_off"
WHOSE = (TEAM, MINE, SIGN_OFF)
NEEDS_REPLY, WAITS, SNOOZED, UNCLAIMED, ALL_OPEN, DONE = (
    "needs_reply", "waiting", "snoozed", "unclaimed", "all", "closed",
)  # fmt: skip
# What is shown -> the states it is in.
SHOWS: Mapping[str, tuple[str, ...]] = {
    NEEDS_REPLY: (NEW, OPEN),
    WAITS: (WAITING,),
    SNOOZED: LIVE,
    UNCLAIMED: (NEW, OPEN),
    ALL_OPEN: LIVE,
    DONE: CLOSED,
}
AWAITING = "awaiting_sign_off"

Condition = ColumnElement[bool]
Instant = datetime | ColumnElement[datetime]
"""An instant, or the name that one gets when the statement is asked."""
Places = tuple[tuple[tuple[frozenset[int] | None, frozenset[int] | None], ...], ...]
"""Where cases are: of each group they fit one pair of locations and teams, None = all of them."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody asked to see of the queue; None = everything they may. `whose` and `show` are of the lists above.

    needs_reply leaves out what is snoozed; waiting = for the customer; closed = the newest that are.
    """

    brand_ids: tuple[int, ...] | None = None
    location_ids: tuple[int, ...] | None = None
    team_ids: tuple[int, ...] | None = None
    network_ids: tuple[int, ...] | None = None
    whose: str = TEAM
    show: str = NEEDS_REPLY
    tag: str | None = None
    priority: int | None = None

    def __post_init__(self) -> None:
        if self.whose not in WHOSE:
            raise InputError(f'whose "{self.whose}": use one of {", ".join(WHOSE)}')
        if self.show not in SHOWS:
            raise InputError(f'show "{self.show}": use one of {", ".join(SHOWS)}')


def may_see(who: Access, organisation: Organisation, brand_id: int, location_id: int, team_id: int) -> bool:
    """Whether a case of that brand, location and team is shown to a person."""
    in_scope = who.sees_all or (
        (who.brand_ids is None or brand_id in who.brand_ids)
        and (who.location_ids is None or any(location_id in organisation.below(top) for top in who.location_ids))
    )
    where = {"brand_id": brand_id, "location_id": location_id, "team_id": team_id}
    return in_scope and brand_id != UNKNOWN and who.may_for(VIEWER, organisation, **where)


def allowed(
    organisation: Organisation, who: Access, brand_id: int, right: str = VIEWER, *, columns: Any = desk_case.c
) -> Condition | None:
    """The cases of a brand that somebody may see and has the right for, as `may_see` and `may_for` say; None = none.

    `columns` of another table that has location_id and team_id narrow what is kept of cases there.
    """
    places = places_of(organisation, who, brand_id, right)
    return None if places is None else within(places, columns=columns)


def places_of(organisation: Organisation, who: Access, brand_id: int, right: str = VIEWER) -> Places | None:
    """What `allowed` says, as plain values; None = nowhere."""
    if ADMIN in who.rights:
        return ()
    if not who.sees_all and who.brand_ids is not None and brand_id not in who.brand_ids:
        return None
    ways = tuple(
        (_below(organisation, grant.location_ids), grant.team_ids)
        for grant in who.grants
        if right in grant.rights and (grant.role in UNLIMITED or grant.brand_ids is None or brand_id in grant.brand_ids)
    )
    if not ways:
        return None
    if right != VIEWER:
        visible = places_of(organisation, who, brand_id)
        return None if visible is None else (*visible, ways)
    seen = None if who.sees_all else _below(organisation, who.location_ids)
    return (((seen, None),), ways)


def within(places: Places, *, columns: Any = desk_case.c) -> Condition:
    """The rows that stand in these places."""
    return and_(
        true(),
        *(
            or_(*(and_(_among(columns.location_id, sites), _among(columns.team_id, teams)) for sites, teams in ways))
            for ways in places
        ),
    )


def readable_brands(organisation: Organisation, who: Access, filters: Filters) -> tuple[int, ...]:
    """The brands of ours that were asked for and of whose cases somebody may see at least some."""
    own = sorted(brand.id for brand in organisation.brands if brand.kind == "own")
    return tuple(
        brand_id
        for brand_id in own
        if (filters.brand_ids is None or brand_id in filters.brand_ids)
        and places_of(organisation, who, brand_id) is not None
    )


def asked_for(filters: Filters) -> Condition:
    """What was asked of places, teams, networks, tag and priority."""
    found = [
        _among(desk_case.c.location_id, filters.location_ids),
        _among(desk_case.c.team_id, filters.team_ids),
        _among(desk_case.c.network_id, filters.network_ids),
    ]
    if filters.priority is not None:
        found.append(desk_case.c.priority == filters.priority)
    if filters.tag is not None:
        # Tags are a JSON list: what stands in it is the word in quotes, as JSON writes it.
        found.append(cast(desk_case.c.tags, Text).contains(json.dumps(filters.tag), autoescape=True))
    return and_(*found)


def of(whose: str, person_id: int | ColumnElement[int], now: Instant) -> Condition:
    """Whose cases."""
    if whose == MINE:
        return or_(and_(is_held(now), desk_case.c.claimed_by == person_id), desk_case.c.assigned_to == person_id)
    return awaits_signature() if whose == SIGN_OFF else true()


def listed(show: str, now: Instant) -> Condition:
    """What a list shows, its states included."""
    states = desk_case.c.state.in_(SHOWS[show])
    if show == NEEDS_REPLY:
        return and_(states, ~is_asleep(now))
    if show == UNCLAIMED:
        return and_(states, ~is_asleep(now), ~is_held(now))
    return and_(states, is_asleep(now)) if show == SNOOZED else states


def is_held(now: Instant) -> Condition:
    """Somebody holds it: an expired claim is no claim."""
    return and_(desk_case.c.claim_expires_at.is_not(None), desk_case.c.claim_expires_at > now)


def is_asleep(now: Instant) -> Condition:
    """It is snoozed."""
    return and_(desk_case.c.snoozed_until.is_not(None), desk_case.c.snoozed_until > now)


def awaits_signature() -> Condition:
    """One of its replies waits to be signed."""
    waiting = (reply.c.brand_id == desk_case.c.brand_id, reply.c.case_id == desk_case.c.id, reply.c.state == AWAITING)
    return select(literal(1)).where(*waiting).exists()


def _below(organisation: Organisation, tops: frozenset[int] | None) -> frozenset[int] | None:
    return None if tops is None else frozenset(below for top in tops for below in organisation.below(top))


def _among(column: Any, values: Iterable[int] | None) -> Condition:
    if values is None:
        return true()
    condition: Condition = column.in_(sorted(values))
    return condition
