"""Posts out of a CSV or JSON Lines file, a page at a time from a byte offset, so that memory stays the same
however large the file is, and a process that was killed goes on where its last stored page ended.

How to read a file stands in its `Config`, or in a TOML of the same words beside it (`tweets.toml` or
`tweets.csv.toml` for `tweets.csv`); the config wins. What neither names is guessed where the names are well known.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ingest.found import Cursor, Found, Page, SetAside
from ingest.instants import UNIX, UNIX_MILLISECONDS, NoZone
from ingest.json_lines import json_columns, json_rows
from ingest.mapping import FIELDS, Columns, close_to, columns_of
from ingest.opened import border, is_packed, open_at, open_file, park, position, stand
from ingest.records import Codec, Fault, Lines, codec_of, csv_records
from ingest.rows import Reading, RowError, RowReader
from models.errors import InputError

EVERY_SECONDS = 60.0
NETWORK: str | None = None
# What a file holds is one span of time, in whatever order its rows stand.
CONTINUOUS = True
# Begins the reason of what is set aside although its row is stored, without the value that was wrong.
STORED = "stored"
PAGE_BYTES = 8 * 1024 * 1024
FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Config(BaseModel):
    """Which file, and how it is read. `columns`: field -> column, network or "=constant"; `brands`: cell -> key.

    `zone` is for instants that name none, `posted_at_form` is unix, unix_ms or a strptime form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    columns: dict[str, str] = {}
    brands: dict[str, str] = {}
    zone: str | None = None
    posted_at_form: str | None = None
    coordinates_order: Literal["lat,lon", "lon,lat"] = "lat,lon"
    encoding: str = "utf-8"
    format: Literal["csv", "tsv", "jsonl"] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    id_from: Literal["column", "hash"] = "column"
    text_is: Literal["plain", "html"] = "plain"
    page_rows: int = Field(default=1_000, ge=1, le=10_000)

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        for field in value:
            if field not in FIELDS:
                raise ValueError(f'no field "{field}"{close_to(field, FIELDS)}; known: {", ".join(FIELDS)}')
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (KeyError, OSError, ValueError):
            raise ValueError(f'no zone "{value}"; e.g. UTC, Europe/Berlin, America/Los_Angeles') from None

    @field_validator("posted_at_form")
    @classmethod
    def _usable_form(cls, value: str | None) -> str | None:
        if value is not None and value not in (UNIX, UNIX_MILLISECONDS) and "%" not in value:
            raise ValueError(f'"{value}" is no form; unix, unix_ms or one like %d.%m.%Y %H:%M')
        return value


def config_from(path: Path, flags: Mapping[str, str]) -> Config:
    """The config of flags as people give them: fields of a post name columns, the rest are settings of the file."""
    columns = {name: value for name, value in flags.items() if name in FIELDS}
    settings = {name: value for name, value in flags.items() if name not in FIELDS}
    known = [name for name in Config.model_fields if name not in ("path", "columns", "brands")]
    for name in settings:
        if name not in known:
            words = (*FIELDS, *known)
            raise InputError(f'no field or setting "{name}"{close_to(name, words)}; known: {", ".join(words)}')
    return _validated({"path": path, "columns": columns, **settings}, "the flags")


def describe(config: Config) -> str:
    """One line for lists of sources."""
    return f"file {config.path.name}" + (f", zone {config.zone}" if config.zone else "")


def explained(config: Config) -> tuple[str, ...]:
    """One line a field: what it is read from in this file, and what of that was guessed. Raises InputError."""
    config = _with_toml(config)
    with border(config.path), open_file(config.path) as file:
        return _layout(file, config).columns.explained()


def fetch(config: Config, cursor: Cursor | None, *, now: datetime) -> Page:
    """The next `page_rows` rows (or 8 MB) from the cursor's byte on; a file that is another one begins again.

    Raises InputError where the mapping does not fit the file, ConnectorError where the file cannot be read.
    """
    config = _with_toml(config)
    with border(config.path):
        begun = stand(config.path, cursor)
        with open_file(config.path) as file:
            layout = _layout(file, config)
        first = begun.offset == 0
        begun = replace(begun, offset=layout.offset, line=layout.line) if first else begun
        file = open_at(config.path, begun)
        try:
            lines = Lines(file, codec=layout.codec, offset=begun.offset, line=begun.line)
            found, set_aside, done = _read(lines, layout, config, now=now, first=first)
            done = done or (not is_packed(config.path) and lines.offset >= begun.size)
            progress = 1.0 if done else position(file, lines.offset) / max(1, begun.size)
        except BaseException:
            file.close()
            raise
        ended = replace(begun, offset=lines.offset, line=lines.line)
        file.close() if done else park(config.path, ended, file)
    return Page(
        found=tuple(found),
        set_aside=tuple(set_aside),
        cursor=ended.cursor(),
        more=not done,
        done=done,
        progress=min(1.0, progress),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the file is built: its columns, its header (CSV), and where its rows begin."""

    codec: Codec
    columns: Columns
    header: list[str] | None
    delimiter: str
    offset: int
    line: int


def _read(
    lines: Lines, layout: _Layout, config: Config, *, now: datetime, first: bool
) -> tuple[list[Found], list[SetAside], bool]:
    reader = RowReader(layout.columns, _reading(config), now)
    found: list[Found] = []
    set_aside: list[SetAside] = []
    end = lines.offset + PAGE_BYTES
    try:
        for cells in _rows(lines, layout):
            if isinstance(cells, Fault):
                set_aside.append(SetAside(lines.place, cells.reason, lines.raw))
            else:
                try:
                    post, notes = reader.post(cells)
                except NoZone as error:
                    if first and not found:
                        raise InputError(f"{config.path.name}, {lines.place}: posted_at {error}") from None
                    set_aside.append(SetAside(lines.place, f"posted_at {error}", lines.raw))
                except RowError as error:
                    set_aside.append(SetAside(lines.place, str(error), lines.raw))
                else:
                    found.append(post)
                    if notes:
                        reason = f"{STORED} without {'; '.join(notes)}"
                        set_aside.append(SetAside(lines.place, reason, lines.raw))
            if len(found) + len(set_aside) >= config.page_rows or lines.offset > end:
                lines.begin()
                return found, set_aside, False
    except (EOFError, OSError, zlib.error):
        # What came before the fault is stored first; the next page meets the fault alone and names it.
        if not found and not set_aside:
            raise
        return found, set_aside, False
    return found, set_aside, True


def _rows(lines: Lines, layout: _Layout) -> Iterator[list[str] | Fault]:
    if layout.header is None:
        yield from json_rows(lines, layout.columns)
        return
    for cells in csv_records(lines, delimiter=layout.delimiter, width=len(layout.header)):
        yield Fault("the line repeats the header") if cells == layout.header else cells


def _layout(file: IO[bytes], config: Config) -> _Layout:
    head = file.read(4096)
    if not head.strip():
        raise InputError(f"{config.path.name} is empty")
    codec = codec_of(head, config.encoding)
    lines = Lines(file, codec=codec, offset=codec.mark, line=1)
    kind = _format(config)
    hash_ids = config.id_from == "hash"
    if kind == "jsonl":
        columns = json_columns(lines, config.columns, hash_ids=hash_ids)
        return _Layout(codec, columns, None, ",", codec.mark, 1)
    delimiter = config.delimiter or ("\t" if kind == "tsv" else ",")
    header = next(csv_records(lines, delimiter=delimiter, width=None), Fault("there is no line in it"))
    if isinstance(header, Fault):
        raise InputError(f"{config.path.name}: the header cannot be read: {header.reason}")
    if len(header) == 1 and (other := next((mark for mark in ";\t|," if mark in header[0]), None)):
        raise InputError(f'{config.path.name}: the header is one column "{header[0][:80]}"; name delimiter = {other!r}')
    lines.begin()
    columns = columns_of(header, config.columns, hash_ids=hash_ids)
    return _Layout(codec, columns, header, delimiter, lines.offset, lines.line)


def _format(config: Config) -> str:
    if config.format:
        return config.format
    suffixes = [suffix.lower() for suffix in config.path.suffixes if suffix.lower() != ".gz"]
    if not suffixes or suffixes[-1] not in FORMATS:
        raise InputError(f"{config.path.name}: name its format: csv, tsv or jsonl (known by {', '.join(FORMATS)}, .gz)")
    return FORMATS[suffixes[-1]]


def _reading(config: Config) -> Reading:
    return Reading(
        zone=ZoneInfo(config.zone) if config.zone else None,
        instant_form=config.posted_at_form,
        longitude_first=config.coordinates_order == "lon,lat",
        brands=config.brands,
        hash_ids=config.id_from == "hash",
        html=config.text_is == "html",
    )


def _with_toml(config: Config) -> Config:
    """The config, completed by the TOML beside the file where there is one."""
    beside = (config.path.with_suffix(".toml"), config.path.with_name(config.path.name + ".toml"))
    toml = next((path for path in beside if path.is_file()), None)
    if toml is None:
        return config
    try:
        given = tomllib.loads(toml.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{toml.name} cannot be read: {error}") from error
    named = {name: getattr(config, name) for name in config.model_fields_set}
    for table in ("columns", "brands"):
        if isinstance(given.get(table), dict):
            named[table] = {**given[table], **named.get(table, {})}
    return _validated({**given, **named}, toml.name)


def _validated(values: Mapping[str, Any], whose: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InputError(f"{whose}: {'; '.join(faults)}") from None
