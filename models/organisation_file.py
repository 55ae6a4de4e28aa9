"""The organisation from a file: read (TOML or CSV), compared with what is there, applied in one transaction."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, delete, func, insert, select, update

from models import audit
from models.database import raise_change
from models.errors import OrganisationError, RuleError
from models.organisation import ALL, Organisation, current
from models.rules import parse
from models.tables import brand, brand_rule, competitor, location, setting, team, team_cover

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_RESERVED = {"unmatched", "unknown", "none", "all"}
EVERYTHING = "*"
BRAND_KEYS = {"key", "name", "kind", "monogram", "competitors", "rules"}
LOCATION_KEYS = {"key", "name", "kind", "parent", "zone", "latitude", "longitude", "aliases", "monogram"}
TEAM_KEYS = {"key", "name", "covers"}
ORGANISATION_KEYS = {"name", "zone", "languages", "simulated"}


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
    """A location as the file has it; a parent stands before its children."""

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
class OrganisationFile:
    """All that a file says. None in the first four = the file is silent."""

    name: str | None
    zone: str | None
    languages: tuple[str, ...] | None
    simulated: bool | None
    brands: tuple[BrandEntry, ...]
    locations: tuple[LocationEntry, ...]
    teams: tuple[TeamEntry, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of what a load does: `action` is add or change; `what` says from what to what."""

    action: str
    thing: str
    key: str
    what: str = ""


def read(path: Path) -> OrganisationFile:
    """What a file says; OrganisationError with every fault and its place. `.csv` is CSV, all else TOML."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise OrganisationError([f'there is no file "{path}"']) from error
    except (OSError, UnicodeDecodeError) as error:
        raise OrganisationError([f"{path}: cannot be read as UTF-8 text: {error}"]) from error
    entries = _from_csv(text, path) if path.suffix.lower() == ".csv" else _from_toml(text, path)
    return _checked(entries)


# -- from text to entries ----------------------------------------------------------------------------------

Entry = tuple[str, Mapping[str, Any]]
"""(place in the file, what stands there)."""


@dataclass(slots=True)
class _Entries:
    organisation: Mapping[str, Any]
    brands: list[Entry]
    locations: list[Entry]
    teams: list[Entry]
    faults: list[str]


def _from_toml(text: str, path: Path) -> _Entries:
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OrganisationError([f"{path}: is no TOML: {error}"]) from error
    faults = [
        f'{key}: there is no section "{key}"; known: organisation, brand, location, team'
        for key in whole
        if key not in ("organisation", "brand", "location", "team")
    ]

    def section(name: str) -> list[Entry]:
        found = whole.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            faults.append(f"{name}: write each one under its own [[{name}]]")
            return []
        return [(f'{name}[{i}] "{item.get("key", "?")}"', item) for i, item in enumerate(found)]

    organisation = whole.get("organisation", {})
    if not isinstance(organisation, dict):
        faults.append("organisation: write it under [organisation]")
        organisation = {}
    return _Entries(organisation, section("brand"), section("location"), section("team"), faults)


def _from_csv(text: str, path: Path) -> _Entries:
    """Columns: thing (organisation, brand, location, team), key, and those of the thing; lists are split at `;`."""
    entries = _Entries({}, [], [], [], [])
    reader = csv.DictReader(text.splitlines(keepends=True))
    columns = set(reader.fieldnames or ())
    known = {"thing"} | BRAND_KEYS | LOCATION_KEYS | TEAM_KEYS | ORGANISATION_KEYS
    if missing := {"thing", "key", "name"} - columns:
        raise OrganisationError([f"{path}: the columns {', '.join(sorted(missing))} are missing in the first line"])
    entries.faults += [f'{path}: there is no column "{c}"; known: {", ".join(sorted(known))}' for c in columns - known]
    for row in reader:
        place = f'line {reader.line_num} "{row.get("key") or row.get("name") or "?"}"'
        values: dict[str, Any] = {
            k: v.strip() for k, v in row.items() if k in known and isinstance(v, str) and v.strip()
        }
        thing = values.pop("thing", "")
        for key in ("competitors", "rules", "aliases", "languages"):
            if key in values:
                values[key] = [part.strip() for part in values[key].split(";") if part.strip()]
        if "covers" in values:
            pairs = [part.strip().partition("@") for part in values["covers"].split(";") if part.strip()]
            values["covers"] = [{"brand": b.strip() or "*", "location": where.strip() or "*"} for b, _, where in pairs]
        for key in ("latitude", "longitude"):
            if key in values:
                try:
                    values[key] = float(values[key])
                except ValueError:
                    entries.faults.append(f'{place}: {key} "{values.pop(key)}" is no number')
        if "simulated" in values:
            values["simulated"] = values["simulated"].lower() in ("1", "true", "yes")
        if thing == "organisation":
            values.pop("key", None)
            entries.organisation = values
        elif thing in ("brand", "location", "team"):
            {"brand": entries.brands, "location": entries.locations, "team": entries.teams}[thing].append(
                (place, values)
            )
        else:
            entries.faults.append(f'{place}: thing "{thing}" is none of organisation, brand, location, team')
    return entries


# -- from entries to a file that holds together ------------------------------------------------------------


def _checked(entries: _Entries) -> OrganisationFile:
    faults = list(entries.faults)
    organisation = entries.organisation
    _unknown_keys("organisation", organisation, ORGANISATION_KEYS, faults)
    zone = organisation.get("zone")
    if zone is not None and zone not in available_timezones():
        faults.append(f'organisation: zone "{zone}" is no IANA zone; e.g. Europe/Amsterdam')
    brands = [_brand(place, item, faults) for place, item in entries.brands]
    locations = [_location(place, item, faults) for place, item in entries.locations]
    teams = [_team(place, item, faults) for place, item in entries.teams]
    for thing, items in (("brand", brands), ("location", locations), ("team", teams)):
        keys: set[str] = set()
        for item in items:
            if item.key in keys:
                faults.append(f'{thing} "{item.key}" stands twice in the file')
            keys.add(item.key)
    if faults:
        raise OrganisationError(faults)
    languages = organisation.get("languages")
    return OrganisationFile(
        organisation.get("name"),
        zone,
        None if languages is None else tuple(str(language).lower() for language in languages),
        organisation.get("simulated"),
        tuple(brands),
        tuple(locations),
        tuple(teams),
    )


def _unknown_keys(place: str, item: Mapping[str, Any], known: set[str], faults: list[str]) -> None:
    faults += [f'{place}: there is no "{key}"; known: {", ".join(sorted(known))}' for key in item if key not in known]


def _key_and_name(place: str, item: Mapping[str, Any], faults: list[str]) -> tuple[str, str]:
    key = item.get("key", "")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        faults.append(f'{place}: key "{key}" must be small letters, digits and hyphens, e.g. halden-bank')
        key = str(key)
    if key in _RESERVED:
        faults.append(f'{place}: the key "{key}" is taken by the product; choose another')
    name = item.get("name", key)
    if not isinstance(name, str) or not name.strip() or len(name) > 200:
        faults.append(f"{place}: name must be a text of 1 to 200 characters")
    return key, str(name)


def _texts(place: str, item: Mapping[str, Any], key: str, faults: list[str]) -> tuple[str, ...]:
    found = item.get(key, [])
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        faults.append(f'{place}: {key} must be a list of texts, e.g. {key} = ["…"]')
        return ()
    return tuple(found)


def _monogram(item: Mapping[str, Any], name: str) -> str:
    given = item.get("monogram")
    if isinstance(given, str) and given:
        return given[:4]
    words = re.findall(r"\w+", name)
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]).upper()


def _brand(place: str, item: Mapping[str, Any], faults: list[str]) -> BrandEntry:
    _unknown_keys(place, item, BRAND_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    kind = item.get("kind", "own")
    if kind not in ("own", "competitor"):
        faults.append(f'{place}: kind "{kind}" is neither own nor competitor')
    rules = _texts(place, item, "rules", faults)
    for i, rule in enumerate(rules):
        try:
            parse(rule)
        except RuleError as error:
            faults.append(f"{place}: rules[{i}]: {error.reason}\n{error.pointed()}")
    return BrandEntry(key, name, str(kind), _monogram(item, name), _texts(place, item, "competitors", faults), rules)


def _location(place: str, item: Mapping[str, Any], faults: list[str]) -> LocationEntry:
    _unknown_keys(place, item, LOCATION_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    kind = item.get("kind", "site")
    if kind not in ("region", "country", "site"):
        faults.append(f'{place}: kind "{kind}" is none of region, country, site')
    zone = item.get("zone")
    if zone is not None and zone not in available_timezones():
        faults.append(f'{place}: zone "{zone}" is no IANA zone; e.g. Europe/Amsterdam')
    numbers: dict[str, float | None] = {}
    for axis, limit in (("latitude", 90.0), ("longitude", 180.0)):
        value = item.get(axis)
        if value is not None and (not isinstance(value, int | float) or not -limit <= value <= limit):
            faults.append(f'{place}: {axis} "{value}" must be a number from -{limit:g} to {limit:g}')
            value = None
        numbers[axis] = None if value is None else float(value)
    aliases = tuple(alias.casefold() for alias in _texts(place, item, "aliases", faults))
    monogram = item.get("monogram") or re.sub(r"\W", "", name)[:3].upper()
    return LocationEntry(
        key, name, str(kind), item.get("parent"), zone, numbers["latitude"], numbers["longitude"], aliases, monogram[:4]
    )


def _team(place: str, item: Mapping[str, Any], faults: list[str]) -> TeamEntry:
    _unknown_keys(place, item, TEAM_KEYS, faults)
    key, name = _key_and_name(place, item, faults)
    covers = item.get("covers", [])
    if not isinstance(covers, list) or not all(isinstance(cover, dict) for cover in covers):
        faults.append(f'{place}: covers must be a list like [{{brand = "halden-bank", location = "*"}}]')
        covers = []
    return TeamEntry(key, name, tuple((str(c.get("brand", "*")), str(c.get("location", "*"))) for c in covers))


# -- from a file to the database ---------------------------------------------------------------------------


def apply(connection: Connection, file: OrganisationFile, *, actor: str, now: datetime) -> tuple[Difference, ...]:
    """Bring the organisation to what the file says and return what changed; nothing the file does not name is touched.

    Roll the transaction back to only look. OrganisationError, before anything is written, when a key that the
    file refers to is neither in the file nor in the organisation.
    """
    before = current(connection, now)
    _refer(file, before)
    differences = [
        *_apply_settings(connection, file, before),
        *_apply_brands(connection, file.brands, before, now),
        *_apply_locations(connection, file.locations, before, now),
        *_apply_teams(connection, file.teams, before, now),
    ]
    after = current(connection, now)
    differences += _apply_competitors(connection, file.brands, before, after)
    differences += _apply_covers(connection, file.teams, before, after)
    if differences:
        raise_change(connection, "organisation")
        details = {"differences": [f"{d.action} {d.thing} {d.key} {d.what}".strip() for d in differences[:200]]}
        audit.record(connection, at=now, action="organisation.load", subject=after.name, actor=actor, details=details)
    return tuple(differences)


def _refer(file: OrganisationFile, before: Organisation) -> None:
    brands = {item.key for item in before.brands} | {item.key for item in file.brands}
    locations = {item.key for item in before.locations} | {item.key for item in file.locations}
    faults = [
        f'brand "{item.key}": there is no brand "{key}" to compete with'
        for item in file.brands
        for key in item.competitors
        if key not in brands
    ]
    parents = {item.key: item.parent for item in file.locations}
    for item in file.locations:
        if item.parent is not None and item.parent not in locations:
            faults.append(f'location "{item.key}": there is no location "{item.parent}" to be its parent')
        seen, at = {item.key}, item.parent
        while at is not None and at in parents:
            if at in seen:
                faults.append(f'location "{item.key}": its parents go in a circle through "{at}"')
                break
            seen.add(at)
            at = parents[at]
    for squad in file.teams:
        for brand_key, location_key in squad.covers:
            if brand_key != EVERYTHING and brand_key not in brands:
                faults.append(f'team "{squad.key}": there is no brand "{brand_key}" to cover')
            if location_key != EVERYTHING and location_key not in locations:
                faults.append(f'team "{squad.key}": there is no location "{location_key}" to cover')
    if faults:
        raise OrganisationError(faults)


def _apply_settings(connection: Connection, file: OrganisationFile, before: Organisation) -> Iterable[Difference]:
    for key in ("name", "zone", "languages", "simulated"):
        wanted = getattr(file, key)
        stored = list(wanted) if isinstance(wanted, tuple) else wanted
        if wanted is None or wanted == getattr(before, key):
            continue
        connection.execute(delete(setting).where(setting.c.key == key))
        connection.execute(insert(setting).values(key=key, value=stored))
        yield Difference("change", "organisation", key, f"{getattr(before, key)!r} -> {wanted!r}")


def _changes(wanted: Mapping[str, Any], held: Any) -> dict[str, tuple[Any, Any]]:
    return {key: (getattr(held, key), value) for key, value in wanted.items() if getattr(held, key) != value}


def _said(changed: Mapping[str, tuple[Any, Any]]) -> str:
    return ", ".join(f"{key}: {old!r} -> {new!r}" for key, (old, new) in changed.items())


def _merge(
    connection: Connection,
    table: Any,
    thing: str,
    entries: Sequence[Any],
    held: Mapping[str, Any],
    columns: Callable[[Any], dict[str, Any]],
    now: datetime,
) -> Iterable[Difference]:
    """Add the entries that are new and change those that differ; ids go on from the largest there ever was."""
    next_id = (connection.execute(select(func.max(table.c.id))).scalar() or 1) + 1
    for entry in entries:
        values = columns(entry)
        if entry.key not in held:
            connection.execute(insert(table).values(id=next_id, key=entry.key, valid_from=now, **values))
            next_id += 1
            yield Difference("add", thing, entry.key, entry.name)
            continue
        stored = held[entry.key]
        changed = _changes({k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}, stored)
        if changed:
            new = {k: list(v) if isinstance(v, tuple) else v for k, (_, v) in changed.items()}
            connection.execute(update(table).where(table.c.id == stored.id).values(**new))
            yield Difference("change", thing, entry.key, _said(changed))


def _apply_brands(
    connection: Connection, entries: Sequence[BrandEntry], before: Organisation, now: datetime
) -> Iterable[Difference]:
    held = {item.key: item for item in before.brands}
    yield from _merge(
        connection,
        brand,
        "brand",
        entries,
        held,
        lambda e: {"name": e.name, "kind": e.kind, "monogram": e.monogram},
        now,
    )
    ids = dict(connection.execute(select(brand.c.key, brand.c.id)).tuples().all())
    for entry in entries:
        old = held[entry.key].rules if entry.key in held else ()
        if old == entry.rules:
            continue
        brand_id = ids[entry.key]
        connection.execute(
            update(brand_rule)
            .where(brand_rule.c.brand_id == brand_id, brand_rule.c.valid_to.is_(None))
            .values(valid_to=now)
        )
        highest = select(func.max(brand_rule.c.version)).where(brand_rule.c.brand_id == brand_id)
        version = (connection.execute(highest).scalar() or 0) + 1
        for i, rule in enumerate(entry.rules):
            row = {"brand_id": brand_id, "version": version + i, "query": rule, "valid_from": now}
            connection.execute(insert(brand_rule).values(**row))
        if entry.key in held:
            yield Difference(
                "change", "brand", entry.key, f"rules: {len(old)} -> {len(entry.rules)}, version {version}"
            )


def _apply_locations(
    connection: Connection, entries: Sequence[LocationEntry], before: Organisation, now: datetime
) -> Iterable[Difference]:
    ids = {item.key: item.id for item in before.locations}
    waiting = list(entries)
    # Parents before children, whatever their order in the file; circles were refused before.
    while waiting:
        ready = [e for e in waiting if e.parent is None or e.parent in ids]
        held = {item.key: item for item in before.locations}
        yield from _merge(
            connection,
            location,
            "location",
            ready,
            held,
            lambda e, ids=ids: {  # type: ignore[misc]
                "name": e.name,
                "kind": e.kind,
                "parent_id": ids[e.parent] if e.parent else None,
                "zone": e.zone,
                "latitude": e.latitude,
                "longitude": e.longitude,
                "aliases": list(e.aliases),
                "monogram": e.monogram,
            },
            now,
        )
        ids = dict(connection.execute(select(location.c.key, location.c.id)).tuples().all())
        waiting = [e for e in waiting if e not in ready]


def _apply_teams(
    connection: Connection, entries: Sequence[TeamEntry], before: Organisation, now: datetime
) -> Iterable[Difference]:
    held = {item.key: item for item in before.teams}
    return _merge(connection, team, "team", entries, held, lambda e: {"name": e.name}, now)


def _apply_competitors(
    connection: Connection, entries: Sequence[BrandEntry], before: Organisation, after: Organisation
) -> list[Difference]:
    differences = []
    for entry in entries:
        held = after.brand_by_key(entry.key)
        wanted = tuple(sorted(after.brand_by_key(key).id for key in entry.competitors))
        if wanted == before.competitors.get(held.id, ()):
            continue
        connection.execute(delete(competitor).where(competitor.c.brand_id == held.id))
        for competitor_id in wanted:
            connection.execute(insert(competitor).values(brand_id=held.id, competitor_id=competitor_id))
        differences.append(Difference("change", "brand", entry.key, f"competitors: {', '.join(entry.competitors)}"))
    return differences


def _apply_covers(
    connection: Connection, entries: Sequence[TeamEntry], before: Organisation, after: Organisation
) -> list[Difference]:
    """The narrower a cover the smaller its rank: brand and place, place, brand, everything; then the file's order."""
    differences = []
    depth = {item.id: _depth(item.id, after) for item in after.locations}
    for order, entry in enumerate(entries):
        team_id = after.team_by_key(entry.key).id
        rows = []
        for brand_key, location_key in entry.covers:
            brand_id = ALL if brand_key == EVERYTHING else after.brand_by_key(brand_key).id
            location_id = ALL if location_key == EVERYTHING else after.location_by_key(location_key).id
            width = 100 * (9 - depth.get(location_id, 0)) + (0 if brand_id else 50)
            row = {
                "team_id": team_id,
                "brand_id": brand_id,
                "location_id": location_id,
                "rank": 20 * width + min(order, 900),
            }
            rows.append(row)
        wanted = {(r["brand_id"], r["location_id"], r["rank"]) for r in rows}
        if wanted == {(c.brand_id, c.location_id, c.rank) for c in before.covers if c.team_id == team_id}:
            continue
        connection.execute(delete(team_cover).where(team_cover.c.team_id == team_id))
        for row in rows:
            connection.execute(insert(team_cover).values(**row))
        differences.append(Difference("change", "team", entry.key, f"covers {len(rows)}"))
    return differences


def _depth(location_id: int, organisation: Organisation) -> int:
    parents = {item.id: item.parent_id for item in organisation.locations}
    depth, at = 0, location_id
    while (parent := parents.get(at)) is not None:
        depth, at = depth + 1, parent
    return depth + 1
