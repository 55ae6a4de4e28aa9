"""The simulated data of a first start: what belongs to it, hidden, shown again, and asked to be removed.

How it is removed stands in models/demo_removal.py, which an ingest worker calls.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from models import audit, demo_people
from models.cube import DAY
from models.database import raise_change
from models.errors import InputError
from models.organisation import DEMO, UNKNOWN
from models.organisation_file import read
from models.tables import account, brand, cube, location, mention, person, setting, source, team, team_cover

FILE = Path(__file__).parent / "demo" / "meridian.toml"
KIND = "simulator"
# No demo, seen, hidden, being removed, gone for good.
NONE, SHOWN, HIDDEN, REMOVING, REMOVED = "none", "shown", "hidden", "removing", "removed"
BECAUSE = "the demo data is hidden"


@dataclass(frozen=True, slots=True)
class Demo:
    """What belongs to the demo, by id. `paused` are the sources that hiding paused, `away` the people it sent away;
    `removed` of `of` are gone."""

    state: str = NONE
    name: str = ""
    brands: tuple[int, ...] = ()
    locations: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    people: tuple[int, ...] = ()
    away: tuple[int, ...] = ()
    paused: tuple[int, ...] = ()
    hidden_locations: tuple[int, ...] = ()
    hidden_teams: tuple[int, ...] = ()
    removed: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of it: what a person is told before it is removed."""

    brands: int
    locations: int
    teams: int
    sources: int
    mentions: int


def of(connection: Connection) -> Demo:
    """The demo as it was recorded; in a database of an earlier release, as its sources and keys show it."""
    held = connection.execute(select(setting.c.value).where(setting.c.key == DEMO)).scalar()
    if isinstance(held, Mapping):
        said: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in held.items()}
        return Demo(**said)
    return _recognised(connection)


def record(connection: Connection) -> Demo:
    """Note down what belongs to the demo that was just created."""
    found = _recognised(connection)
    put(connection, found)
    return found


def put(connection: Connection, demo: Demo) -> None:
    """Write the demo's row, in the caller's transaction."""
    value = {key: getattr(demo, key) for key in Demo.__dataclass_fields__}
    value = {key: list(item) if isinstance(item, tuple) else item for key, item in value.items()}
    connection.execute(delete(setting).where(setting.c.key == DEMO))
    connection.execute(insert(setting).values(key=DEMO, value=value))


def counts(connection: Connection, demo: Demo) -> Counts:
    """Read from the rollups: posts of the demo's brands, and those that no brand claimed."""
    return Counts(
        brands=len(demo.brands),
        locations=len(demo.locations),
        teams=len(demo.teams),
        sources=len(demo.sources),
        mentions=sum(mentions_of(connection, brand_id) for brand_id in demo.brands),
    )


def mentions_of(connection: Connection, brand_id: int) -> int:
    """The mentions of a brand, all there are, from its days."""
    return int(
        connection.execute(
            text(
                "select coalesce(sum(mentions), 0) from cube where brand_id = :brand and granularity = :day"
                " and location_id = 0 and team_id = 0 and network_id = 0"
            ),
            {"brand": brand_id, "day": DAY},
        ).scalar_one()
    )


def hide(connection: Connection, *, by: str, actor: str, person_id: int | None, now: datetime) -> Demo:
    """Leave the demo out of everything and pause its sources. InputError where there is nothing to hide."""
    demo = of(connection)
    if demo.state != SHOWN:
        raise InputError("there is no demo data to hide")
    done = _hidden(connection, demo, by=by, now=now)
    put(connection, done)
    _tell(connection, "demo.hidden", done, actor=actor, person_id=person_id, now=now)
    return done


def show(connection: Connection, *, actor: str, person_id: int | None, now: datetime) -> Demo:
    """Bring the demo back as it was, its sources polled again."""
    demo = of(connection)
    if demo.state != HIDDEN:
        raise InputError("no demo data is hidden")
    waiting = source.c.id.in_(demo.paused)
    connection.execute(
        update(source)
        .where(waiting, source.c.state == "paused", source.c.paused_because == BECAUSE)
        .values(state="active", paused_by=None, paused_at=None, paused_because=None, due_at=now)
    )
    demo_people.come_back(connection, demo.away, now=now)
    done = _with(demo, state=SHOWN, paused=(), away=(), hidden_locations=(), hidden_teams=())
    put(connection, done)
    _tell(connection, "demo.shown", done, actor=actor, person_id=person_id, now=now)
    return done


def ask_removal(connection: Connection, *, by: str, actor: str, person_id: int | None, now: datetime) -> Demo:
    """Hide the demo at once and have an ingest worker remove it for good; there is no way back from here."""
    demo = of(connection)
    if demo.state not in (SHOWN, HIDDEN):
        raise InputError("there is no demo data to remove")
    if demo.state == SHOWN:
        demo = _hidden(connection, demo, by=by, now=now)
    number = counts(connection, demo).mentions
    done = _with(demo, state=REMOVING, removed=0, of=number)
    put(connection, done)
    _tell(connection, "demo.removal_asked", done, actor=actor, person_id=person_id, now=now)
    return done


def is_gone(connection: Connection) -> bool:
    """Whether a demo was removed here, or is being removed: then none is created again."""
    return of(connection).state in (REMOVING, REMOVED)


def referred_locations(connection: Connection, demo: Demo, *, but: Collection[int]) -> set[int]:
    """Locations of the demo that something real refers to, and those above them.

    Real are mentions of all brands but those in `but`, accounts and covers that are not of the demo, and locations
    below that somebody added.
    """
    parents = {row.id: row.parent_id for row in connection.execute(select(location.c.id, location.c.parent_id))}
    mine = set(demo.locations)
    used = {parent for key, parent in parents.items() if key not in mine and parent in mine}
    used |= {
        row.location_id
        for row in connection.execute(select(account.c.id, account.c.location_id))
        if row.id not in demo.accounts and row.location_id in mine
    }
    used |= {
        row.location_id
        for row in connection.execute(select(team_cover.c.team_id, team_cover.c.location_id))
        if row.team_id not in demo.teams and row.location_id in mine
    }
    for brand_id in _real_brands(connection, but):
        used |= {one for one in mine - used if _stands(connection, brand_id, location_id=one)}
    kept: set[int] = set()
    for one in used:
        at: int | None = one
        while at is not None and at not in kept:
            kept.add(at)
            at = parents.get(at)
    return kept & mine


def referred_teams(connection: Connection, demo: Demo, *, but: Collection[int]) -> set[int]:
    """Teams of the demo that cover a brand or a location that is not of the demo, or hold mentions of such a brand."""
    used = {
        row.team_id
        for row in connection.execute(select(team_cover))
        if row.team_id in demo.teams
        and (
            (row.brand_id > UNKNOWN and row.brand_id not in demo.brands)
            or (row.location_id > UNKNOWN and row.location_id not in demo.locations)
        )
    }
    for brand_id in _real_brands(connection, but):
        used |= {one for one in set(demo.teams) - used if _stands(connection, brand_id, location_id=0, team_id=one)}
    return used


def _real_brands(connection: Connection, but: Collection[int]) -> list[int]:
    return [one for one in connection.execute(select(brand.c.id)).scalars() if one not in but]


def _stands(connection: Connection, brand_id: int, *, location_id: int, team_id: int = 0) -> bool:
    """Whether the days of a brand count anything there."""
    statement = select(cube.c.bucket).where(
        cube.c.brand_id == brand_id,
        cube.c.granularity == DAY,
        cube.c.location_id == location_id,
        (cube.c.mentions > 0) | (cube.c.reach > 0),
    )
    if team_id:
        statement = statement.where(cube.c.team_id == team_id)
    if connection.execute(statement.limit(1)).first() is not None:
        return True
    if team_id or not location_id:
        return False
    rows = select(mention.c.id).where(mention.c.brand_id == brand_id, mention.c.location_id == location_id)
    return connection.execute(rows.limit(1)).first() is not None


def _hidden(connection: Connection, demo: Demo, *, by: str, now: datetime) -> Demo:
    mine = source.c.id.in_(demo.sources)
    paused = tuple(connection.execute(select(source.c.id).where(mine, source.c.state == "active")).scalars())
    connection.execute(
        update(source)
        .where(source.c.id.in_(paused))
        .values(state="paused", paused_by=by, paused_at=now, paused_because=BECAUSE)
    )
    # What no brand claims is made up like the rest.
    but = {*demo.brands, UNKNOWN}
    return _with(
        demo,
        state=HIDDEN,
        paused=paused,
        away=demo_people.leave(connection, demo.people, now=now),
        hidden_locations=tuple(sorted(set(demo.locations) - referred_locations(connection, demo, but=but))),
        hidden_teams=tuple(sorted(set(demo.teams) - referred_teams(connection, demo, but=but))),
    )


def _with(demo: Demo, **changed: Any) -> Demo:
    return Demo(**{key: getattr(demo, key) for key in Demo.__dataclass_fields__} | changed)


def _tell(connection: Connection, action: str, demo: Demo, *, actor: str, person_id: int | None, now: datetime) -> None:
    for topic in ("organisation", "sources"):
        raise_change(connection, topic)
    details = {"brands": len(demo.brands), "sources": len(demo.sources), "posts": demo.of}
    audit.record(
        connection, at=now, action=action, subject="demo data", actor=actor, person_id=person_id, details=details
    )


def _recognised(connection: Connection) -> Demo:
    simulated = connection.execute(select(setting.c.value).where(setting.c.key == "simulated")).scalar()
    sources = tuple(connection.execute(select(source.c.id).where(source.c.kind == KIND)).scalars())
    if not simulated or not sources:
        return Demo()
    said = read(FILE)

    def ids(table: Any, entries: Any) -> tuple[int, ...]:
        keys = {entry.key for entry in entries}
        rows = connection.execute(select(table.c.id, table.c.key).where(table.c.id > UNKNOWN))
        return tuple(sorted(row.id for row in rows if row.key in keys))

    brands = ids(brand, said.brands)
    handles = {entry.handle.casefold() for entry in said.accounts}
    rows = connection.execute(select(account.c.id, account.c.handle, account.c.brand_id))
    known = select(person.c.id).where(person.c.email.in_(demo_people.emails()))
    return Demo(
        state=SHOWN,
        name=said.name or "",
        brands=brands,
        locations=ids(location, said.locations),
        teams=ids(team, said.teams),
        accounts=tuple(row.id for row in rows if row.brand_id in brands and row.handle.casefold() in handles),
        sources=tuple(sorted(sources)),
        people=tuple(sorted(connection.execute(known).scalars())),
    )
