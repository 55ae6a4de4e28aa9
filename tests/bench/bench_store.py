"""How fast mentions are stored with the text index and all rollups on, beside what the engine does bare."""

from __future__ import annotations

import time

from ingest.store import store
from models.bulk import insert_rows
from models.database import Database
from tests.bench.figures import Figure, show
from tests.bench.stores import NOW, Clock, enriched_airlines, fresh

NUMBER = 60_000
PAGE = 1_000


def run() -> list[Figure]:
    """Mentions per CPU-second (this process and the database server together) on both databases."""
    figures = []
    for kind in ("sqlite", "postgresql"):
        with fresh(kind) as database:
            made = enriched_airlines(database, NUMBER)
            if made is None:
                print("store: skipped, the folder of real data is absent (WATCHFLOOR_TEST_DATA)")
                return []
            current, mentions = made
            clock, wall = Clock(), time.perf_counter()
            new = 0
            for start in range(0, len(mentions), PAGE):
                with database.write() as connection:
                    page = mentions[start : start + PAGE]
                    new += store(connection, page, source_id=1, organisation=current, now=NOW).new
            own, servers = clock.seconds()
            rate = len(mentions) / (own + servers)
            bare = _bare(database)
            detail = (
                f"n {len(mentions):,}, {new:,} new; {len(mentions) / (time.perf_counter() - wall):,.0f}/s wall;"
                f" client {own / len(mentions) * 1e6:.0f} us + server {servers / len(mentions) * 1e6:.0f} us each"
            )
            figures += [
                Figure(f"store {kind}", rate, "mentions/CPU-s", 8_000, detail=detail),
                Figure(f"bare insert {kind}", bare, "rows/CPU-s", detail="one table, no key, no index, 10 columns"),
                Figure(f"store {kind} / bare", rate / bare, "ratio"),
            ]
    return figures


def _bare(database: Database) -> float:
    rows = [(i, 2, 3, 4, 5, 6, 7, 8, 9, "x" * 100) for i in range(200_000)]
    names = "abcdefghij"
    columns = ", ".join(f"{name} {'text' if name == 'j' else 'bigint'}" for name in names)
    with database.write() as connection:
        connection.exec_driver_sql(f"create table bare ({columns})")
    clock = Clock()
    with database.write() as connection:
        insert_rows(connection, "bare", list(names), rows)
    return len(rows) / sum(clock.seconds())


if __name__ == "__main__":
    show("store", run())
