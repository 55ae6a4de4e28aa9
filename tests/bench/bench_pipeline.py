"""The whole way of a post, from the bytes of a file to a counted row, with a line per step."""

from __future__ import annotations

import time

from ingest.connectors import file as file_connector
from ingest.pipeline import Pipeline, chunks
from ingest.store import SQLITE_ROWS, store
from tests.bench.figures import Figure, show
from tests.bench.stores import COLUMNS, NOW, airlines, fresh
from tests.data_folder import data_folder

ROUNDS = 2


def run() -> list[Figure]:
    """Mentions per CPU-second on SQLite in transactions as a worker beside a web process makes them."""
    folder = data_folder()
    if folder is None:
        print("pipeline: skipped, the folder of real data is absent (WATCHFLOOR_TEST_DATA)")
        return []
    config = file_connector.config_from(folder / "airline" / "tweets.csv", COLUMNS)
    steps: dict[str, float] = {}
    posts = mentions = 0
    total = 0.0
    for _ in range(ROUNDS):
        with fresh("sqlite") as database:
            pipeline = Pipeline(airlines(database))
            # Models and gazetteer are read once a process, not once a post.
            pipeline.enrich(file_connector.fetch(config, None, now=NOW).found[:1])
            pipeline = Pipeline(pipeline.organisation)
            cursor = None
            done = False
            while not done:
                began = time.process_time()
                page = file_connector.fetch(config, cursor, now=NOW)
                fetched = time.process_time()
                enriched = pipeline.enrich(page.found)
                ready = time.process_time()
                for part in chunks(enriched, SQLITE_ROWS):
                    with database.write() as connection:
                        store(connection, part, source_id=1, organisation=pipeline.organisation, now=NOW)
                ended = time.process_time()
                for step, seconds in (("fetch", fetched - began), ("store", ended - ready)):
                    steps[step] = steps.get(step, 0.0) + seconds
                total += ended - began
                posts, mentions = posts + len(page.found), mentions + len(enriched)
                cursor, done = page.cursor, page.done
            for step, seconds in pipeline.seconds.items():
                steps[step] = steps.get(step, 0.0) + seconds
    detail = f"n {posts:,} posts in {ROUNDS} rounds, {mentions:,} mentions"
    figures = [Figure("end to end sqlite", mentions / total, "mentions/CPU-s", 2_000, detail=detail)]
    order = ("fetch", "language", "brands", "places", "sentiment", "copies", "store")
    figures += [Figure(f"  {step}", steps[step] / posts * 1e6, "us/post") for step in order]
    return figures


if __name__ == "__main__":
    show("pipeline", run())
