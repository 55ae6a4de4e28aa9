"""JSON Lines read as rows of cells, so that everything after it is the same as for CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from ingest.mapping import NECESSARY, Columns, columns_of
from ingest.records import Fault, Lines, json_records

# Keys are read off this many lines at the head of the file.
SAMPLE_LINES = 100


def json_columns(lines: Lines, named: Mapping[str, str], *, hash_ids: bool) -> Columns:
    """The columns of a JSON Lines file, its header cut down to the keys in use (`user.name` goes inside).

    Raises InputError that names the keys of the first lines.
    """
    keys: dict[str, None] = {}
    for _, text in zip(range(SAMPLE_LINES), json_records(lines)):  # noqa: B905 - the sample may be shorter
        if not isinstance(text, Fault):
            keys.update(dict.fromkeys(_keys(_value(text))))
    # A field that few posts have may be missing in the first lines.
    sparse = [name for field, name in named.items() if field not in NECESSARY and name and name[0] != "="]
    columns = columns_of([*keys, *(name for name in sparse if name not in keys)], named, hash_ids=hash_ids)
    used = sorted(set(columns.at.values()))
    at = {field: used.index(place) for field, place in columns.at.items()}
    return replace(columns, header=tuple(columns.header[place] for place in used), at=at)


def json_rows(lines: Lines, columns: Columns) -> Iterator[list[str] | Fault]:
    """One row of cells per line that holds an object, in the order of the header; a fault for any other."""
    keys = [(name, name.split(".")) for name in columns.header]
    for text in json_records(lines):
        yield text if isinstance(text, Fault) else _cells(text, keys)


def _keys(value: Any, before: str = "", depth: int = 3) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        yield before + key
        if depth > 1:
            yield from _keys(inner, f"{before}{key}.", depth - 1)


def _value(text: str) -> Any:
    """The value of a line, or a Fault. Half a character (`\\ud800`) and NaN are taken: the door makes them safe."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)
    except RecursionError:
        return Fault("malformed JSON: nested too deeply")
    except ValueError as error:
        return Fault(f"malformed JSON: {error}")


def _cells(text: str, keys: list[tuple[str, list[str]]]) -> list[str] | Fault:
    value = _value(text)
    if isinstance(value, Fault):
        return value
    if not isinstance(value, dict):
        return Fault(f"the line is JSON, but no object: {text[:40].strip()}")
    cells = []
    for name, path in keys:
        inner = value.get(name)
        if inner is None and len(path) > 1:
            inner = value
            for step in path:
                inner = inner.get(step) if isinstance(inner, dict) else None
        cells.append(inner if isinstance(inner, str) else _cell(inner))
    return cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if type(value) in (int, float) else json.dumps(value)
