"""Bulk writes and bulk questions, the same for both databases: many rows or keys in one statement."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson
import psycopg
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection

Row = Sequence[Any]
# Into how many lists the keys of a question are cut on SQLite at most, and how many keys make each worth its preparing.
MOST_LISTS = 32
KEYS_A_LIST = 8
# First key of the advisory locks that order the writers of one brand.
BRAND_LOCK = 0x57464C52


class Asked(NamedTuple):
    """Keys to ask for: a relation `a` for a statement, and the values that it binds."""

    relation: str
    params: Row


def lock_brands(connection: Connection, brand_ids: Iterable[int]) -> None:
    """Order the writers of each brand until the transaction ends, in ascending order so that nobody deadlocks.

    SQLite has one writer already. The rollup cells of a brand serialise its writers anyway; taking the
    lock first lets the store ask what is there and then write, with the same code on both databases.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "select pg_advisory_xact_lock(%s, brand) from unnest(%s::int[]) as brand",
            (BRAND_LOCK, sorted(set(brand_ids))),
        )


def insert_rows(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows` of plain database values (instants as microseconds, JSON as text); COPY on PostgreSQL.

    None stands for no value: a column that nothing is said in may be left out, and has no default of its own.
    """
    if not rows:
        return
    # Most networks are silent about a third of the columns, and to bind a None takes longer than to bind a number.
    by_column = list(zip(*rows, strict=True))
    said = [i for i, values in enumerate(by_column) if values.count(None) < len(rows)]
    names, filled = [columns[i] for i in said], [by_column[i] for i in said]
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, filled)
    else:
        marks = ", ".join("?" * len(said))
        _sqlite_cursor(connection).executemany(
            f"insert into {table} ({', '.join(names)}) values ({marks})",  # noqa: S608 - names are constants
            zip(*filled, strict=True),
        )


def merge_rows(
    connection: Connection,
    table: str,
    keys: Sequence[str],
    values: Sequence[str],
    merge: str,
    rows: Sequence[Row],
) -> None:
    """Insert `rows` (keys, then values) and merge those that stand already, sorted by key so that nobody deadlocks.

    `merge` is the SET list of the upsert over `{table}` (old) and `excluded` (new), e.g. `n = t.n + excluded.n`.
    """
    if not rows:
        return
    # Keys are unique among the rows, so that comparing whole rows never gets past them.
    ordered: list[Any] = sorted(cast(Any, rows))
    columns = [*keys, *values]
    action = f"on conflict ({', '.join(keys)}) do update set {merge}"
    if connection.dialect.name == "postgresql":
        # One array a column: less than COPY into a temporary table, and no catalogue to bloat. Taken apart in the list
        # of columns, since in FROM each array is first written to a store of its own (a seventh of the statement).
        arrays = ", ".join(f"unnest(%s::{'text' if isinstance(value, str) else 'bigint'}[])" for value in ordered[0])
        _postgres(connection).execute(
            f"insert into {table} ({', '.join(columns)}) select {arrays} {action}".encode(),
            [array_literal(column) for column in zip(*ordered, strict=True)],
        )
    else:
        marks = ", ".join("?" * len(columns))
        _sqlite_cursor(connection).executemany(
            f"insert into {table} ({', '.join(columns)}) values ({marks}) {action}",  # noqa: S608
            ordered,
        )


class _Numbers(bytes):
    """Whole numbers as PostgreSQL itself writes an array of them: half the time of text to write, and less to read."""


class _NumbersDumper(Dumper):
    format = Format.BINARY
    oid = 1016  # bigint[]

    def dump(self, obj: _Numbers) -> bytes:
        return obj


psycopg.adapters.register_dumper(_Numbers, _NumbersDumper)


def asked(connection: Connection, keys: Iterable[Row]) -> Asked:
    """A relation `a (a0, a1, ...)` of many keys in a few bound values, so that one statement asks for all of them.

    It may be asked again and again while the keys are the same. Raises IndexError where there are none.
    """
    ordered: list[Any] = sorted(cast(Any, keys))
    width = len(ordered[0])
    if connection.dialect.name == "sqlite":
        return _asked_of_json(ordered, width)
    kinds = ["text[]" if isinstance(value, str) else "bigint[]" for value in ordered[0]]
    names = ", ".join(f"a{i}" for i in range(width))
    values = tuple(array_literal(column) for column in zip(*ordered, strict=True))
    return Asked(f"unnest({', '.join(f'%s::{kind}' for kind in kinds)}) as a({names})", values)


def _asked_of_json(ordered: list[Any], width: int) -> Asked:
    """A list of last values for each beginning that several keys share: taking a key apart takes most of the time."""
    last = width - 1
    lists = {start: [key[last] for key in keys] for start, keys in groupby(ordered, itemgetter(slice(last)))}
    if len(lists) <= min(MOST_LISTS, len(ordered) // KEYS_A_LIST):
        # The values are bound, so that a statement has as many texts as there are numbers of lists.
        part = f"select {''.join(f'? as a{i}, ' for i in range(last))}value as a{last} from json_each(?)"  # noqa: S608
        params = [value for start, ends in lists.items() for value in (*start, orjson.dumps(ends).decode())]
        return Asked(f"({' union all '.join([part] * len(lists))}) as a", tuple(params))
    columns = ", ".join(f"value ->> {i} as a{i}" for i in range(width))
    return Asked(f"(select {columns} from json_each(?)) as a", (orjson.dumps(ordered).decode(),))  # noqa: S608


def array_literal(column: Sequence[Any]) -> str | _Numbers:
    """A PostgreSQL array of whole numbers or texts: a tenth of the time of adapting it value by value."""
    if isinstance(column[0], str):
        # All in one go: no text holds a NUL, which PostgreSQL refuses.
        joined = "\0".join(column).replace("\\", "\\\\").replace('"', '\\"')
        return '{"' + joined.replace("\0", '","') + '"}'
    if None in column:
        return "{" + ",".join(["NULL" if v is None else str(v) for v in column]) + "}"
    count = len(column)
    numbers = struct.pack(f">{count}q", *column)
    # Each number stands behind its length in bytes.
    array = bytearray(12 * count)
    array[3::12] = b"\x08" * count
    for i in range(8):
        array[4 + i :: 12] = numbers[i::8]
    # One dimension, nothing null, of bigint (20), so many, counted from 1.
    return _Numbers(struct.pack(">iiIii", 1, 0, 20, count, 1) + array)


def _copy(connection: Connection, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    lines = "\n".join(map("\t".join, zip(*map(_copied, values), strict=True)))
    with _postgres(connection).cursor().copy(statement) as copy:
        copy.write(lines)


def _copied(column: Sequence[Any]) -> Sequence[str]:
    """The values of a column as COPY reads them: a fraction of the time of handing over row by row."""
    if column.count(column[0]) == len(column):
        return [_copied_value(column[0])] * len(column)
    kinds = set(map(type, column))
    if kinds <= {str, type(None)}:
        return _copied_texts(column)
    if str in kinds or bytes in kinds:
        return [_copied_value(value) for value in column]
    return [_NULL if value is None else str(value) for value in column]


_NULL = "\\N"


def _copied_texts(column: Sequence[str | None]) -> Sequence[str]:
    # All in one go: no text holds a NUL, which PostgreSQL refuses.
    said = iter(_escaped("\0".join([value for value in column if value is not None])).split("\0"))
    return [_NULL if value is None else next(said) for value in column]


def _copied_value(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return _escaped(value) if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _postgres(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _sqlite_cursor(connection: Connection) -> sqlite3.Cursor:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.cursor()
