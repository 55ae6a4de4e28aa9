"""What fills a database, copied once and put into others: a fraction of the time of making it each time by rules."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON

from models.database import Database
from models.tables import metadata

Rows = list[tuple[str, list[Any]]]
"""For each table that holds something a statement, and the rows for it."""


def copied(database: Database) -> Rows:
    """What fills each table: a statement, and the rows for it. JSON as the text that it is."""
    found = []
    mark = "?" if database.is_sqlite else "%s"
    with database.read() as connection:
        for table in metadata.sorted_tables:
            names = [f'"{column.name}"' for column in table.columns]
            cast = [] if database.is_sqlite else [f'"{c.name}"' for c in table.columns if isinstance(c.type, JSON)]
            read = ", ".join(f"{name}::text" if name in cast else name for name in names)
            rows = connection.exec_driver_sql(f'select {read} from "{table.name}"').fetchall()
            if rows:
                into = f'insert into "{table.name}" ({", ".join(names)}) values ({", ".join(mark for _ in names)})'
                found.append((f"{into} on conflict do nothing", [tuple(row) for row in rows]))
    return found


def put_back(database: Database, tables: Rows) -> None:
    with database.write() as connection:
        for into, rows in tables:
            connection.exec_driver_sql(into, rows)
