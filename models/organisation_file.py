"""The organisation brought to what a file says: compared with what is there, applied in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from models import audit
from models.database import raise_change
from models.errors import OrganisationError
from models.organisation import ALL, Organisation, current
from models.organisation_accounts import account_faults, merge_accounts
from models.organisation_entries import EVERYTHING, BrandEntry, LocationEntry, TeamEntry, shown
from models.organisation_reading import OrganisationFile, read
from models.tables import brand, brand_rule, competitor, location, setting, team, team_cover

__all__ = ["Difference", "OrganisationFile", "apply", "read"]

DEEPEST = 8
# A difference is a line: longer values are cut.
LONGEST_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of what a load does: `action` is add or change; `what` says from what to what."""

    action: str
    thing: str
    key: str
    what: str = ""


def apply(connection: Connection, file: OrganisationFile, *, actor: str, now: datetime) -> tuple[Difference, ...]:
    """Bring the organisation to what the file says and return what changed; nothing the file does not name is touched.

    Roll the transaction back to only look. OrganisationError, before anything is written, when a key that the
    file refers to is neither in the file nor in the organisation.
    """
    before = current(connection, now)
    _refer(file, before)
    _refuse_hidden(connection, file, before, now)
    differences = [
        *_apply_settings(connection, file, before),
        *_apply_brands(connection, file.brands, before, now),
        *_apply_locations(connection, file.locations, before, now),
        *_apply_teams(connection, file.teams, before, now),
    ]
    after = current(connection, now)
    differences += _apply_competitors(connection, file.brands, before, after)
    differences += _apply_covers(connection, file.teams, before, after)
    differences += _apply_accounts(connection, file, before, after, now)
    if differences:
        raise_change(connection, "organisation")
        details = {"differences": [f"{d.action} {d.thing} {d.key} {d.what}".strip() for d in differences[:200]]}
        audit.record(connection, at=now, action="organisation.load", subject=after.name, actor=actor, details=details)
    return tuple(differences)


# -- does it hold together with what is there --------------------------------------------------------------


def _refer(file: OrganisationFile, before: Organisation) -> None:
    brands = {item.key for item in before.brands} | {item.key for item in file.brands}
    locations = {item.key for item in before.locations} | {item.key for item in file.locations}
    faults = [
        f'brand "{item.key}": there is no brand "{shown(key)}" to compete with'
        for item in file.brands
        for key in item.competitors
        if key not in brands
    ]
    faults += _tree_faults(file, before, locations)
    faults += account_faults(file.accounts, brands, locations)
    for squad in file.teams:
        for brand_key, location_key in squad.covers:
            if brand_key != EVERYTHING and brand_key not in brands:
                faults.append(f'team "{squad.key}": there is no brand "{shown(brand_key)}" to cover')
            if location_key != EVERYTHING and location_key not in locations:
                faults.append(f'team "{squad.key}": there is no location "{shown(location_key)}" to cover')
    if faults:
        raise OrganisationError(faults)


def _refuse_hidden(connection: Connection, file: OrganisationFile, before: Organisation, now: datetime) -> None:
    """A key that is in use and not to be seen belongs to demo data that is hidden."""
    faults = []
    for thing, table, entries, there in (
        ("brand", brand, file.brands, before.brands),
        ("location", location, file.locations, before.locations),
        ("team", team, file.teams, before.teams),
    ):
        seen = {item.key for item in there}
        wanted = {item.key for item in entries} - seen
        in_use = or_(table.c.valid_to.is_(None), table.c.valid_to > now)
        taken = connection.execute(select(table.c.key).where(in_use)).scalars() if wanted else ()
        faults += [
            f'{thing} "{key}": the key belongs to the hidden demo data; choose another, or remove the demo data'
            for key in taken
            if key in wanted
        ]
    if faults:
        raise OrganisationError(faults)


def _tree_faults(file: OrganisationFile, before: Organisation, known: set[str]) -> list[str]:
    keys = {item.id: item.key for item in before.locations}
    # As the tree would be: what stands there already, with what the file says over it.
    parents = {item.key: keys.get(item.parent_id) if item.parent_id else None for item in before.locations}
    parents |= {item.key: item.parent for item in file.locations}
    faults = []
    for item in file.locations:
        if item.parent is not None and item.parent not in known:
            faults.append(f'location "{item.key}": there is no location "{shown(item.parent)}" to be its parent')
            continue
        seen, at = {item.key}, item.parent
        while at is not None and at not in seen:
            seen.add(at)
            at = parents.get(at)
        if at is not None:
            faults.append(f'location "{item.key}": its parents go in a circle through "{at}"')
        elif len(seen) > DEEPEST:
            faults.append(f'location "{item.key}": stands {len(seen)} levels deep, at most {DEEPEST} are drawn')
    return faults


# -- settings, brands, locations, teams --------------------------------------------------------------------


def _apply_settings(connection: Connection, file: OrganisationFile, before: Organisation) -> Iterable[Difference]:
    for key in ("name", "zone", "languages", "simulated"):
        wanted = getattr(file, key)
        held = getattr(before, key)
        if wanted is None or wanted == held:
            continue
        connection.execute(delete(setting).where(setting.c.key == key))
        connection.execute(insert(setting).values(key=key, value=list(wanted) if isinstance(wanted, tuple) else wanted))
        yield Difference("change", "organisation", key, f"{_said(held)} -> {_said(wanted)}")


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
        stored = held.get(entry.key)
        if stored is None:
            back = update(table).where(table.c.key == entry.key).values(valid_to=None, **_plain(values))
            if connection.execute(back).rowcount:
                yield Difference("add", thing, entry.key, f"{entry.name}, which was retired, with what it held")
                continue
            connection.execute(insert(table).values(id=next_id, key=entry.key, valid_from=now, **_plain(values)))
            next_id += 1
            yield Difference("add", thing, entry.key, entry.name)
            continue
        old = {key: getattr(stored, key) for key in values}
        changed = {key: value for key, value in values.items() if old[key] != value}
        if changed:
            connection.execute(update(table).where(table.c.id == stored.id).values(**_plain(changed)))
            if "parent_id" in changed:
                keys = {item.id: item.key for item in held.values()}
                changed["parent"] = entry.parent
                old["parent"] = keys.get(old.pop("parent_id"))
                del changed["parent_id"]
            what = [f"{key}: {_said(old[key])} -> {_said(value)}" for key, value in changed.items()]
            yield Difference("change", thing, entry.key, ", ".join(what))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _said(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    text = "none" if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


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
    ids = {row.key: row.id for row in connection.execute(select(brand.c.key, brand.c.id))}
    for entry in entries:
        old = held[entry.key].rules if entry.key in held else ()
        if old != entry.rules:
            _replace_rules(connection, ids[entry.key], entry.rules, now)
            yield from _rule_differences(entry.key, old, entry.rules)


def _replace_rules(connection: Connection, brand_id: int, rules: Sequence[str], now: datetime) -> None:
    of_brand = brand_rule.c.brand_id == brand_id
    connection.execute(update(brand_rule).where(of_brand, brand_rule.c.valid_to.is_(None)).values(valid_to=now))
    version = (connection.execute(select(func.max(brand_rule.c.version)).where(of_brand)).scalar() or 0) + 1
    for i, rule in enumerate(rules):
        row = {"brand_id": brand_id, "version": version + i, "query": rule, "valid_from": now}
        connection.execute(insert(brand_rule).values(**row))


def _rule_differences(key: str, old: Sequence[str], new: Sequence[str]) -> Iterable[Difference]:
    gone = [rule for rule in old if rule not in new]
    come = [rule for rule in new if rule not in old]
    yield from (Difference("change", "brand", key, f"rule removed: {_said(rule)}") for rule in gone)
    yield from (Difference("change", "brand", key, f"rule added: {_said(rule)}") for rule in come)
    if not gone and not come:
        yield Difference("change", "brand", key, "the order of its rules")


def _apply_locations(
    connection: Connection, entries: Sequence[LocationEntry], before: Organisation, now: datetime
) -> Iterable[Difference]:
    ids = {item.key: item.id for item in before.locations}
    held = {item.key: item for item in before.locations}
    waiting = list(entries)
    # Parents before children, whatever their order in the file; circles were refused before.
    while waiting:
        ready = [e for e in waiting if e.parent is None or e.parent in ids]
        waiting = [e for e in waiting if not (e.parent is None or e.parent in ids)]
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
                "aliases": e.aliases,
                "monogram": e.monogram,
            },
            now,
        )
        ids = {row.key: row.id for row in connection.execute(select(location.c.key, location.c.id))}


def _apply_teams(
    connection: Connection, entries: Sequence[TeamEntry], before: Organisation, now: datetime
) -> Iterable[Difference]:
    held = {item.key: item for item in before.teams}
    return _merge(connection, team, "team", entries, held, lambda e: {"name": e.name}, now)


# -- competitors and covers --------------------------------------------------------------------------------


def _apply_competitors(
    connection: Connection, entries: Sequence[BrandEntry], before: Organisation, after: Organisation
) -> list[Difference]:
    differences = []
    for entry in entries:
        held = after.brand_by_key(entry.key)
        wanted = tuple(sorted(after.brand_by_key(key).id for key in entry.competitors))
        old = before.competitors.get(held.id, ())
        if wanted == old:
            continue
        connection.execute(delete(competitor).where(competitor.c.brand_id == held.id))
        for competitor_id in wanted:
            connection.execute(insert(competitor).values(brand_id=held.id, competitor_id=competitor_id))
        names = [", ".join(after.brand_names[i] for i in ids) or "none" for ids in (old, wanted)]
        differences.append(
            Difference("change", "brand", entry.key, f"competitors: {_said(names[0])} -> {_said(names[1])}")
        )
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
            width = 100 * (DEEPEST + 1 - depth.get(location_id, 0)) + (0 if brand_id else 50)
            rank = 20 * width + min(order, 900)
            rows.append({"team_id": team_id, "brand_id": brand_id, "location_id": location_id, "rank": rank})
        held = {(c.brand_id, c.location_id, c.rank) for c in before.covers if c.team_id == team_id}
        wanted = {(r["brand_id"], r["location_id"], r["rank"]) for r in rows}
        if wanted == held:
            continue
        connection.execute(delete(team_cover).where(team_cover.c.team_id == team_id))
        for row in rows:
            connection.execute(insert(team_cover).values(**row))
        spans = [_covers_said(item, before if item is held else after) for item in (held, wanted)]
        what = "the order of teams" if spans[0] == spans[1] else f"covers {spans[0]} -> {spans[1]}"
        differences.append(Difference("change", "team", entry.key, what))
    return differences


def _apply_accounts(
    connection: Connection, file: OrganisationFile, before: Organisation, after: Organisation, now: datetime
) -> Iterable[Difference]:
    for entry, changed in merge_accounts(connection, file.accounts, before, after, now):
        if changed is None:
            yield Difference("add", "account", entry.key, entry.name)
        else:
            what = [f"{key.removesuffix('_id')}: {_said(old)} -> {_said(new)}" for key, (old, new) in changed.items()]
            yield Difference("change", "account", entry.key, ", ".join(what))


def _covers_said(covers: Iterable[tuple[int, int, int]], organisation: Organisation) -> str:
    brands, places = organisation.brand_names, organisation.location_names
    pairs = sorted(covers)
    return _said(tuple(f"{brands.get(b, EVERYTHING)}@{places.get(place, EVERYTHING)}" for b, place, _ in pairs))


def _depth(location_id: int, organisation: Organisation) -> int:
    parents = {item.id: item.parent_id for item in organisation.locations}
    depth, at = 0, location_id
    while (parent := parents.get(at)) is not None:
        depth, at = depth + 1, parent
    return depth + 1
