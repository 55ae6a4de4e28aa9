"""Bulk writes and bulk questions, the same for both databases: many rows or keys in one statement."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from typing import Any, cast

import orjson
import psycopg
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection, text

Row = Sequence[Any]
# First key of the advisory locks that order the writers of one brand.
BRAND_LOCK = 0x57464C52


def lock_brands(connection: Connection, brand_ids: Iterable[int]) -> None:
    """Order the writers of each brand until the transaction ends, in ascending order so that nobody deadlocks.

    SQLite has one writer already. The rollup cells of a brand serialise its writers anyway; taking the
    lock first lets the store ask what is there and then write, with the same code on both databases.
    """
    if connection.dialect.name == "postgresql":
        for brand_id in sorted(set(brand_ids)):
            connection.execute(
                text("select pg_advisory_xact_lock(:space, :brand)"), {"space": BRAND_LOCK, "brand": brand_id}
            )


def insert_rows(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows` of plain database values (instants as microseconds, JSON as text); COPY on PostgreSQL."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
    else:
        marks = ", ".join("?" * len(columns))
        _sqlite_cursor(connection).executemany(
            f"insert into {table} ({', '.join(columns)}) values ({marks})",  # noqa: S608 - names are constants
            rows,
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
        # One array a column: less than COPY into a temporary table, and no catalogue to bloat.
        arrays = ", ".join(f"%s::{'text' if isinstance(value, str) else 'bigint'}[]" for value in ordered[0])
        _postgres(connection).execute(
            f"insert into {table} ({', '.join(columns)}) select * from unnest({arrays}) {action}".encode(),  # noqa: S608
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


def asked(connection: Connection, keys: Iterable[Row]) -> tuple[str, Row]:
    """A relation `a (a0, a1, ...)` of many keys as one bound value, so that one statement asks for all of them."""
    ordered: list[Any] = sorted(cast(Any, keys))
    width = len(ordered[0])
    if connection.dialect.name == "sqlite":
        columns = ", ".join(f"value ->> {i} as a{i}" for i in range(width))
        return f"(select {columns} from json_each(?)) as a", (orjson.dumps(ordered).decode(),)  # noqa: S608
    kinds = ["text[]" if isinstance(value, str) else "bigint[]" for value in ordered[0]]
    names = ", ".join(f"a{i}" for i in range(width))
    values = tuple(array_literal(column) for column in zip(*ordered, strict=True))
    return f"unnest({', '.join(f'%s::{kind}' for kind in kinds)}) as a({names})", values


def array_literal(column: Sequence[Any]) -> str | _Numbers:
    """A PostgreSQL array of whole numbers or texts: a tenth of the time of adapting it value by value."""
    if isinstance(column[0], str):
        return "{" + ",".join(['"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in column]) + "}"
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


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with _postgres(connection).cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _postgres(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _sqlite_cursor(connection: Connection) -> sqlite3.Cursor:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.cursor()
