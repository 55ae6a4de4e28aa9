"""Brands, locations and teams: one added or changed by its form, many by a file looked at first, one retired."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from models.errors import InputError, OrganisationError
from models.organisation_entries import brand_entry, location_entry, team_entry
from models.organisation_file import Difference, OrganisationFile, apply
from models.organisation_reading import read_raw
from models.organisation_retire import KEPT, retire

LONGEST_FILE = 900_000
MOST_SHOWN = 500
LISTS = ("competitors", "aliases", "rules")
KINDS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "brand": ("brands", brand_entry),
    "location": ("locations", location_entry),
    "team": ("teams", team_entry),
}
# What a fault begins with -> the field it belongs to.
_FIELDS = (
    (re.compile(r"(the )?key\b"), "key"),
    (re.compile(r"competes with itself|there is no brand .* to compete"), "competitors"),
    (re.compile(r"give both latitude"), "latitude"),
    (re.compile(r"its parents go|stands \d+ levels|there is no location .* to be its parent"), "parent"),
    (re.compile(r"there is no \w+ .* to cover"), "covers"),
    (re.compile(r"(name|kind|monogram|competitors|rules|zone|latitude|longitude|aliases|parent|covers)\b"), ""),
)


def save(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Add or change one from `values` (field -> text); {"faults": {field: sentence}} where something cannot be used."""
    kind, values = asked.text("kind", longest=16), asked.given.get("values")
    if kind not in KINDS or not isinstance(values, Mapping):
        raise InputError("the form did not arrive as it was sent; load the page again")
    given = {str(name): str(value).strip() for name, value in values.items() if isinstance(value, str)}
    section, entry_of = KINDS[kind]
    item, faults = _item(kind, given, asked), {}
    is_new = asked.flag("new")
    held = {one.key for one in getattr(asked.organisation, section)}
    if is_new and given.get("key") in held:
        faults["key"] = f"There is a {kind} with this key already; choose another."
    if not given.get("name"):
        faults["name"] = "A name is needed."
    said: list[str] = []
    entry = entry_of("", item, said)
    if not said and not faults:
        nothing: dict[str, Any] = {"brands": (), "locations": (), "teams": ()}
        file = OrganisationFile(None, None, None, None, **nothing | {section: (entry,)})
        savepoint = connection.begin_nested()
        try:
            done = apply(connection, file, actor=asked.access.email, now=asked.now)
            savepoint.commit()
            return {"words": f"{entry.name} is saved." if done else "Nothing was different.", "faults": {}}
        except OrganisationError as error:
            savepoint.rollback()
            said = [fault.removeprefix(f'{kind} "{entry.key}": ') for fault in error.faults]
    return {"words": "Not everything can be used as it is.", "faults": _at_fields(said) | faults}


def look(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What loading a file (`name`, `content`) would change; nothing is written."""
    file = _file(asked)
    savepoint = connection.begin_nested()
    try:
        done = apply(connection, file, actor=asked.access.email, now=asked.now)
    finally:
        savepoint.rollback()
    return _said(done)


def load(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Load it, where what it changes is still what was looked at (`seen`); else the difference as it is now."""
    file = _file(asked)
    savepoint = connection.begin_nested()
    done = apply(connection, file, actor=asked.access.email, now=asked.now)
    said = _said(done)
    if said["seen"] != asked.text("seen", longest=64):
        savepoint.rollback()
        return {
            **said,
            "words": "The organisation was changed meanwhile: this is the difference now.",
            "done": False,
        }
    savepoint.commit()
    return {**said, "words": f"{len(done):,} change{'' if len(done) == 1 else 's'} loaded.", "done": True}


def retired(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take one out of use."""
    kind, key = asked.text("kind", longest=16), asked.text("key", longest=64)
    who = asked.access
    return {"words": retire(connection, kind, key, actor=who.email, person_id=who.person_id, now=asked.now)}


def about_retiring(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What retiring a `kind` means."""
    return {"words": KEPT.get(asked.text("kind", longest=16), "")}


def _item(kind: str, given: Mapping[str, str], asked: Asked) -> dict[str, Any]:
    """The values of a form as a file has them; an empty field is one the file is silent about."""
    item: dict[str, Any] = {key: value for key, value in given.items() if value}
    for name in LISTS:
        if name in item:
            parts = item[name].splitlines() if name == "rules" else re.split(r"[,\n]", item[name])
            item[name] = [part.strip() for part in parts if part.strip()]
    if kind == "brand" and not asked.flag("new"):
        # Rules have a page of their own: what counts there stays.
        there = {one.key: one for one in asked.organisation.brands}
        item["rules"] = list(there[given["key"]].rules) if given.get("key") in there else []
    if "covers" in item:
        pairs = [part.strip().partition("@") for part in re.split(r"[,\n]", item["covers"]) if part.strip()]
        item["covers"] = [{"brand": b.strip() or "*", "location": place.strip() or "*"} for b, _, place in pairs]
    for axis in ("latitude", "longitude"):
        if axis in item:
            try:
                item[axis] = float(item[axis])
            except ValueError:
                item[axis] = given[axis]
    return item


def _at_fields(faults: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in faults:
        words = fault.removeprefix(": ")
        field = "key"
        for pattern, name in _FIELDS:
            if (hit := pattern.match(words)) is not None:
                field = name or hit[1]
                break
        found.setdefault(field, f"{words[:1].upper()}{words[1:]}")
    return found


def _file(asked: Asked) -> OrganisationFile:
    name = PurePath(asked.text("name", "organisation.csv", longest=255)).name
    content = asked.given.get("content")
    if not isinstance(content, str):
        raise InputError("the file did not arrive; choose it again")
    if len(content) > LONGEST_FILE:
        raise InputError("the file is larger than 900 kB; load it with `watchfloor organisation load FILE`")
    return read_raw(content.encode("utf-8", "replace"), name)


def _said(done: tuple[Difference, ...]) -> dict[str, Any]:
    lines = [(item.action, item.thing, item.key, item.what) for item in done]
    return {
        "rows": [list(line) for line in lines[:MOST_SHOWN]],
        "number": len(lines),
        "seen": hashlib.sha256(repr(lines).encode()).hexdigest(),
    }


READS: dict[str, Read] = {"organisation.retiring": about_retiring}
ACTS: dict[str, Act] = {
    "organisation.save": save,
    "organisation.look": look,
    "organisation.load": load,
    "organisation.retire": retired,
}
