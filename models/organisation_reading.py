"""What a file says of the organisation: TOML or CSV into entries that hold together, with every fault and its place."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import OrganisationError
from models.organisation_entries import (
    ACCOUNT_KEYS,
    BRAND_KEYS,
    LOCATION_KEYS,
    ORGANISATION_KEYS,
    TEAM_KEYS,
    AccountEntry,
    BrandEntry,
    LocationEntry,
    TeamEntry,
    account_entry,
    brand_entry,
    key_faults,
    languages_of,
    location_entry,
    shown,
    team_entry,
    text_of,
    zone_of,
)

# Ten thousand locations with their aliases have 2 MB.
MOST_BYTES = 16 << 20
SECTIONS = ("organisation", "brand", "location", "team", "account")
LISTS = ("competitors", "rules", "aliases", "languages")
YES, NO = ("1", "true", "yes"), ("0", "false", "no")

Entry = tuple[str, Mapping[str, Any]]
"""(place in the file, what stands there)."""


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
    accounts: tuple[AccountEntry, ...] = ()


def read(path: Path) -> OrganisationFile:
    """What a file says; OrganisationError with every fault and its place. `.csv` is CSV, all else TOML."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise OrganisationError([f'there is no file "{path}"']) from error
    except OSError as error:
        raise OrganisationError([f"{path}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise OrganisationError([f'"{shown(str(path))}" is no name of a file']) from error
    return read_raw(raw, str(path))


def read_raw(raw: bytes, name: str) -> OrganisationFile:
    """As `read`, of bytes that came another way; `name` is that of the file."""
    path = Path(name)
    if len(raw) > MOST_BYTES:
        raise OrganisationError([f"{path}: has more than {MOST_BYTES >> 20} MB; is it the right file?"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"byte 0x{raw[error.start]:02X} in line {line} is not UTF-8; save the file as UTF-8"
        raise OrganisationError([f"{path}: {reason}"]) from error
    entries = _from_csv(text, path) if path.suffix.lower() == ".csv" else _from_toml(text, path)
    return _checked(entries)


@dataclass(slots=True)
class _Entries:
    organisation: Mapping[str, Any]
    brands: list[Entry]
    locations: list[Entry]
    teams: list[Entry]
    accounts: list[Entry]
    faults: list[str]


# -- TOML --------------------------------------------------------------------------------------------------


def _from_toml(text: str, path: Path) -> _Entries:
    try:
        whole = tomllib.loads(text)
    except ValueError as error:
        raise OrganisationError([f"{path}: is no TOML: {error}"]) from error
    except RecursionError:
        raise OrganisationError([f"{path}: is nested too deeply to be an organisation"]) from None
    known = ", ".join(SECTIONS)
    faults = [f'there is no section "{shown(key)}"; known: {known}' for key in whole if key not in SECTIONS]

    def section(name: str) -> list[Entry]:
        found = whole.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            faults.append(f"{name}: write each one under its own [[{name}]]")
            return []
        called = "handle" if name == "account" else "key"
        return [(f'{name}[{i}] "{shown(item.get(called, "?"))}"', item) for i, item in enumerate(found)]

    organisation = whole.get("organisation", {})
    if not isinstance(organisation, dict):
        faults.append("organisation: write it once, under [organisation]")
        organisation = {}
    return _Entries(organisation, section("brand"), section("location"), section("team"), section("account"), faults)


# -- CSV ---------------------------------------------------------------------------------------------------


def _from_csv(text: str, path: Path) -> _Entries:
    """Columns: thing (organisation, brand, location, team, account), key, and those of the thing.

    Lists are split at `;`, a doubled `;;` is one that belongs to a text. A cover is brand@location.
    """
    entries = _Entries({}, [], [], [], [], [])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    known = {"thing"} | BRAND_KEYS | LOCATION_KEYS | TEAM_KEYS | ACCOUNT_KEYS | ORGANISATION_KEYS
    try:
        columns = [name.strip() for name in next(reader, [])]
        if missing := {"thing", "key", "name"} - set(columns):
            listed = ", ".join(sorted(missing))
            raise OrganisationError(
                [f"{path}: the first line must name the columns {listed} (known: {_listed(known)})"]
            )
        for name in sorted({name for name in columns if columns.count(name) > 1}):
            entries.faults.append(f'the first line names the column "{shown(name)}" twice')
        entries.faults += [
            f'there is no column "{shown(name)}"; known: {_listed(known)}' for name in columns if name not in known
        ]
        line = reader.line_num + 1
        for cells in reader:
            place, line = f"line {line}", reader.line_num + 1
            if any(cell.strip() for cell in cells[len(columns) :]):
                entries.faults.append(f"{place}: has {len(cells)} cells, the first line names {len(columns)} columns")
            values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
            if values:
                _take_row(place, {name: cell for name, cell in values.items() if name in known}, entries)
    except csv.Error as error:
        raise OrganisationError([*entries.faults, f"{path}: line {reader.line_num} is no CSV: {error}"]) from error
    return entries


def _take_row(place: str, cells: dict[str, str], entries: _Entries) -> None:
    place = f'{place} "{shown(cells.get("key") or cells.get("name") or "?")}"'
    thing = cells.pop("thing", "")
    values: dict[str, Any] = dict(cells)
    for name in LISTS:
        if name in values:
            values[name] = _split(values[name])
    if "covers" in values:
        pairs = [part.partition("@") for part in _split(values["covers"])]
        values["covers"] = [{"brand": b.strip() or "*", "location": where.strip() or "*"} for b, _, where in pairs]
    for axis in ("latitude", "longitude"):
        if axis in values:
            try:
                values[axis] = float(values[axis])
            except ValueError:
                entries.faults.append(f'{place}: {axis} "{shown(values.pop(axis))}" is no number')
    if (simulated := cells.get("simulated", "").lower()) in YES + NO:
        values["simulated"] = simulated in YES
    if thing == "organisation":
        values.pop("key", None)
        if entries.organisation:
            entries.faults.append(f"{place}: organisation stands twice in the file")
        entries.organisation = values
        return
    sections = {
        "brand": entries.brands,
        "location": entries.locations,
        "team": entries.teams,
        "account": entries.accounts,
    }
    if thing in sections:
        sections[thing].append((place, values))
    else:
        entries.faults.append(f'{place}: thing "{shown(thing)}" is none of {", ".join(SECTIONS)}')


def _split(cell: str) -> list[str]:
    parts = cell.replace(";;", "\0").split(";")
    return [part.replace("\0", ";").strip() for part in parts if part.strip()]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


# -- from entries to a file that holds together ------------------------------------------------------------


def _checked(entries: _Entries) -> OrganisationFile:
    faults = list(entries.faults)
    organisation = entries.organisation
    key_faults("organisation", organisation, ORGANISATION_KEYS, faults)
    name = text_of("organisation", organisation, "name", faults, longest=200)
    zone = zone_of("organisation", organisation, faults)
    languages = languages_of("organisation", organisation, faults)
    simulated = organisation.get("simulated")
    if simulated is not None and not isinstance(simulated, bool):
        faults.append(f'organisation: simulated "{shown(simulated)}" is neither true nor false')
    brands = [brand_entry(place, item, faults) for place, item in entries.brands]
    locations = [location_entry(place, item, faults) for place, item in entries.locations]
    teams = [team_entry(place, item, faults) for place, item in entries.teams]
    accounts = [account_entry(place, item, faults) for place, item in entries.accounts]
    _twice("brand", entries.brands, faults)
    _twice("location", entries.locations, faults)
    _twice("team", entries.teams, faults)
    _twice(
        "account",
        [(place, {"key": entry.key}) for (place, _), entry in zip(entries.accounts, accounts, strict=True)],
        faults,
    )
    if faults:
        raise OrganisationError(faults)
    return OrganisationFile(
        name, zone, languages, simulated, tuple(brands), tuple(locations), tuple(teams), tuple(accounts)
    )


def _twice(thing: str, entries: list[Entry], faults: list[str]) -> None:
    first: dict[str, str] = {}
    for place, item in entries:
        key = item.get("key")
        if isinstance(key, str) and key and key in first:
            faults.append(f'{place}: {thing} "{shown(key)}" stands twice in the file, first at {first[key]}')
        elif isinstance(key, str):
            first[key] = place
