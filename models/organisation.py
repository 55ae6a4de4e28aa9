"""Brands, locations, teams and what they cover: as they are now, read once and handed around frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select

from models.errors import NotFound
from models.networks import BY_ID
from models.tables import account, brand, brand_rule, change, competitor, location, setting, team, team_cover

# In every dimension 0 = all, 1 = unmatched / unknown / none.
ALL = 0
UNKNOWN = 1
NAMELESS = "Watchfloor"
# The setting that says what belongs to the demo; models/demo_data.py writes it.
DEMO = "demo"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Brand:
    """`kind` is own, competitor, or unmatched for the one row that holds what no brand claimed."""

    id: int
    key: str
    name: str
    kind: str
    monogram: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """A node of the tree: region, country or site. Only sites hold mentions; `aliases` are lower case."""

    id: int
    key: str
    name: str
    kind: str
    parent_id: int | None
    zone: str | None
    latitude: float | None
    longitude: float | None
    aliases: tuple[str, ...]
    monogram: str


@dataclass(frozen=True, slots=True)
class Cover:
    """What a team covers: brand (0 = all of ours), location and below (0 = everywhere); smaller rank wins."""

    team_id: int
    brand_id: int
    location_id: int
    rank: int


@dataclass(frozen=True, slots=True)
class Team:
    """A group of people that mentions are routed to."""

    id: int
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account of ours on a network. `author_key` is the network's own identity of it, None where not known."""

    id: int
    network_id: int
    handle: str
    author_key: str | None
    name: str
    kind: str
    brand_id: int
    location_id: int | None

    @property
    def key(self) -> str:
        """`network/handle`, the way people name it."""
        return f"{BY_ID[self.network_id].key}/{self.handle}"


@dataclass(frozen=True)
class Organisation:
    """The organisation as it is now. Brand 1 holds unmatched posts, location 1 and team 1 hold unknown."""

    name: str
    zone: str
    languages: tuple[str, ...]
    simulated: bool
    brands: tuple[Brand, ...]
    locations: tuple[Location, ...]
    teams: tuple[Team, ...]
    covers: tuple[Cover, ...]
    competitors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()

    @cached_property
    def zone_info(self) -> ZoneInfo:
        """The zone that pages are drawn in and local days are counted in."""
        return ZoneInfo(self.zone)

    @cached_property
    def _brands(self) -> dict[str, Brand]:
        return {item.key: item for item in self.brands}

    @cached_property
    def _locations(self) -> dict[str, Location]:
        return {item.key: item for item in self.locations}

    @cached_property
    def _teams(self) -> dict[str, Team]:
        return {item.key: item for item in self.teams}

    @cached_property
    def brand_names(self) -> dict[int, str]:
        """id -> name."""
        return {item.id: item.name for item in self.brands}

    @cached_property
    def location_names(self) -> dict[int, str]:
        """id -> name."""
        return {item.id: item.name for item in self.locations}

    @cached_property
    def team_names(self) -> dict[int, str]:
        """id -> name."""
        return {item.id: item.name for item in self.teams}

    def brand_by_key(self, key: str) -> Brand:
        """NotFound for an unknown key."""
        return _found(self._brands, key, "brand")

    def location_by_key(self, key: str) -> Location:
        """NotFound for an unknown key."""
        return _found(self._locations, key, "location")

    def team_by_key(self, key: str) -> Team:
        """NotFound for an unknown key."""
        return _found(self._teams, key, "team")

    @cached_property
    def _accounts(self) -> dict[tuple[int, str], Account]:
        """By the network's own identity where it is known, else by the handle: handles change hands."""
        found = {(item.network_id, item.handle.casefold()): item for item in self.accounts if not item.author_key}
        return found | {(item.network_id, item.author_key): item for item in self.accounts if item.author_key}

    def account_of(self, network_id: int, author_key: str, handle: str | None) -> Account | None:
        """The account of ours that an author is; None for everybody else."""
        if not self._accounts:
            return None
        found = self._accounts.get((network_id, author_key))
        if found is None and handle:
            found = self._accounts.get((network_id, handle.casefold()))
        return found

    @cached_property
    def _below(self) -> dict[int, tuple[int, ...]]:
        children: dict[int | None, list[int]] = {}
        for item in self.locations:
            children.setdefault(item.parent_id, []).append(item.id)

        def walk(top: int) -> list[int]:
            return [top, *(below for child in children.get(top, ()) for below in walk(child))]

        return {item.id: tuple(walk(item.id)) for item in self.locations}

    def below(self, location_id: int) -> tuple[int, ...]:
        """The location itself and everything below it in the tree; empty for an unknown id."""
        return self._below.get(location_id, ())

    @cached_property
    def _above(self) -> dict[int, tuple[int, ...]]:
        parents = {item.id: item.parent_id for item in self.locations}

        def walk(at: int | None) -> tuple[int, ...]:
            return () if at is None else (at, *walk(parents.get(at)))

        return {item.id: walk(item.id) for item in self.locations}

    def zone_of(self, location_id: int) -> str:
        """The zone of a location: its own, else of the nearest one above it, else the organisation's."""
        zones = {item.id: item.zone for item in self.locations}
        return next((zone for at in self._above.get(location_id, ()) if (zone := zones.get(at))), self.zone)

    @cached_property
    def _teams_of(self) -> dict[tuple[int, int], int]:
        return {}

    def team_for(self, brand_id: int, location_id: int) -> int:
        """The team that covers a brand at a location now: the smallest rank that fits, 1 where none does."""
        key = (brand_id, location_id)
        if key not in self._teams_of:
            above = {ALL, *self._above.get(location_id, ())}
            fitting = [c for c in self.covers if c.brand_id in (ALL, brand_id) and c.location_id in above]
            self._teams_of[key] = min(fitting, key=lambda c: c.rank).team_id if fitting else UNKNOWN
        return self._teams_of[key]


def _found(items: Mapping[str, Item], key: str, kind: str) -> Item:
    try:
        return items[key]
    except KeyError:
        raise NotFound(f'no {kind} "{key}"') from None


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What of the demo is left out while it is hidden."""

    name: str | None = None
    brands: frozenset[int] = frozenset()
    locations: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()

    @staticmethod
    def of(demo: Any) -> _Hidden:
        if not isinstance(demo, Mapping) or demo.get("state") not in ("hidden", "removing"):
            return _Hidden()
        lists = [frozenset(demo[key]) for key in ("brands", "hidden_locations", "hidden_teams")]
        return _Hidden(demo["name"], *lists)


def current(connection: Connection, now: datetime) -> Organisation:
    """The organisation as it is at `now`."""
    settings: dict[str, Any] = {row.key: row.value for row in connection.execute(select(setting))}
    rules: dict[int, list[str]] = {}
    alive = [
        brand_rule.c.valid_from <= now,
        or_(brand_rule.c.valid_to.is_(None), brand_rule.c.valid_to > now),
    ]
    for row in connection.execute(select(brand_rule).where(*alive).order_by(brand_rule.c.version)):
        rules.setdefault(row.brand_id, []).append(row.query)
    hidden = _Hidden.of(settings.get(DEMO))
    rivals: dict[int, list[int]] = {}
    for row in connection.execute(select(competitor).order_by(competitor.c.competitor_id)):
        if row.brand_id in hidden.brands or row.competitor_id in hidden.brands:
            continue
        rivals.setdefault(row.brand_id, []).append(row.competitor_id)

    def alive_rows(table: Any, but: frozenset[int]) -> Any:
        rows = connection.execute(
            select(table).where(or_(table.c.valid_to.is_(None), table.c.valid_to > now)).order_by(table.c.id)
        )
        return (row for row in rows if row.id not in but)

    name = settings.get("name", NAMELESS)
    return Organisation(
        name=NAMELESS if name == hidden.name else name,
        zone=settings.get("zone", "UTC"),
        languages=tuple(settings.get("languages", ("en",))),
        simulated=bool(settings.get("simulated", False)) and not hidden.brands,
        brands=tuple(
            Brand(r.id, r.key, r.name, r.kind, r.monogram, tuple(rules.get(r.id, ())))
            for r in alive_rows(brand, hidden.brands)
        ),
        locations=tuple(
            Location(
                r.id,
                r.key,
                r.name,
                r.kind,
                r.parent_id,
                r.zone,
                r.latitude,
                r.longitude,
                tuple(r.aliases),
                r.monogram,
            )
            for r in alive_rows(location, hidden.locations)
        ),
        teams=tuple(Team(r.id, r.key, r.name) for r in alive_rows(team, hidden.teams)),
        covers=tuple(
            Cover(r.team_id, r.brand_id, r.location_id, r.rank)
            for r in connection.execute(select(team_cover).order_by(team_cover.c.rank))
            if r.team_id not in hidden.teams
            and r.brand_id not in hidden.brands
            and r.location_id not in hidden.locations
        ),
        competitors={brand_id: tuple(ids) for brand_id, ids in rivals.items()},
        accounts=tuple(
            Account(r.id, r.network_id, r.handle, r.author_key, r.name, r.kind, r.brand_id, r.location_id)
            for r in alive_rows(account, frozenset())
            if r.brand_id not in hidden.brands
        ),
    )


class Remembered:
    """The organisation of one database as long as nothing of it changes: for requests, many a second, on any thread.

    It is read anew when a change of it was raised, and after a minute, since what ends at an instant raises none then.
    """

    TOPICS = ("organisation", "settings", "accounts", "demo")
    HOLDS = timedelta(minutes=1)
    _CHANGES = select(func.coalesce(func.sum(change.c.n), 0)).where(change.c.topic.in_(TOPICS))

    def __init__(self) -> None:
        self._kept: tuple[int, datetime, Organisation] | None = None

    def current(self, connection: Connection, now: datetime) -> Organisation:
        """What `current` gives, by one statement where it stands."""
        # Counted before it is read: what is committed between the two is read again the next time.
        version = int(connection.execute(self._CHANGES).scalar_one())
        kept = self._kept
        if kept is not None and kept[0] == version and timedelta() <= now - kept[1] < self.HOLDS:
            return kept[2]
        found = current(connection, now)
        self._kept = (version, now, found)
        return found
