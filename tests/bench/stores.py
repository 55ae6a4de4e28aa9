"""Databases and posts for benchmarks: fresh ones of both kinds, the airline posts, and any number of made-up ones."""

from __future__ import annotations

import atexit
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import psutil
import psycopg
from sqlalchemy import insert, text

from ingest.connectors import file as file_connector
from ingest.found import Author, Counts, Found
from ingest.ledger import cover
from ingest.pipeline import Enriched, Pipeline
from ingest.store import store
from models import organisation, topics
from models.cube import DAY, HOUR
from models.database import Database
from models.organisation import Organisation
from models.organisation_file import apply, read
from models.schema import upgrade
from models.tables import source
from tests.conftest import drop_postgres_database, new_postgres_database, postgres_url
from tests.data_folder import ROOT, data_folder

AIRLINES = ROOT / "tests" / "airlines.toml"
COLUMNS = {
    "network": "=x",
    "external_id": "tweet_id",
    "text": "text",
    "author": "name",
    "posted_at": "tweet_created",
    "place": "tweet_location",
    "coordinates": "tweet_coord",
    "reposts": "retweet_count",
    "zone": "America/Los_Angeles",
}
NOW = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)


@contextmanager
def fresh(kind: str) -> Iterator[Database]:
    """A migrated, empty database of a kind (sqlite or postgresql), gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="watchfloor-bench-") as folder:
            database = Database(f"sqlite:///{folder}/bench.db")
            upgrade(database)
            yield database
            database.close()
        return
    url = new_postgres_database()
    with psycopg.connect(url, autocommit=True) as connection:
        # Tests switch off what makes a commit durable; a figure is measured with it on, as people run it.
        connection.execute("alter system reset all")
        connection.execute("select pg_reload_conf()")
    database = Database(url)
    yield database
    database.close()
    drop_postgres_database(url)


@cache
def filled(kind: str, mentions: int) -> tuple[Database, Organisation]:
    """The simulated organisation with so many mentions of a year, listened to by one source; to be read only.

    Made once a run, since it takes minutes; gone when the program ends.
    """
    keeper = ExitStack()
    database = keeper.enter_context(fresh(kind))
    # Registered after the server that it is on, so that it goes before.
    atexit.register(keeper.close)
    current = demo_organisation(database)
    fill(database, current, mentions)
    with database.write() as connection:
        connection.execute(insert(source).values(_source()))
        cover(connection, 1, (NOW - timedelta(days=400), NOW + timedelta(days=1)), joins_all=True)
    count_terms(database, current)
    if kind == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))
    return database, current


def count_terms(database: Database, current: Organisation) -> None:
    """The terms of the last weeks, which the ingest of an installation that has run for them holds."""
    today = int(NOW.timestamp()) // DAY * DAY
    first = today - topics.DAYS_KEPT // timedelta(seconds=1)
    for brand in current.brands:
        for day in range(first, today + DAY, DAY):
            hours = tuple(range(day, min(day + DAY, int(NOW.timestamp())), HOUR))
            topics.count_day(database, brand, topics.Day(brand.id, day, hours), NOW)


def _source() -> dict[str, object]:
    since = NOW - timedelta(days=400)
    return {
        "id": 1,
        "name": "X search",
        "kind": "simulator",
        "network_id": 2,
        "config": {},
        "state": "active",
        "every_seconds": 60.0,
        "priority": 5,
        "fence": 0,
        "due_at": NOW,
        "failures": 0,
        "created_at": since,
        "last_success_at": NOW - timedelta(seconds=1),
    }


class Clock:
    """CPU seconds of this process and of the PostgreSQL server that it started or was given, from its making on."""

    def __init__(self) -> None:
        self._own = time.process_time()
        self._server = _server_seconds()

    def seconds(self) -> tuple[float, float]:
        """(of this process, of the database server)."""
        return time.process_time() - self._own, _server_seconds() - self._server


def _server_seconds() -> float:
    """What the server has used so far: by its name alone a process may be of another server on the machine."""
    if not postgres_url.cache_info().currsize:
        return 0.0
    main = _server_process(postgres_url())
    # What has ended stands with the main process: else a cleaner that is done takes its seconds back.
    ended = main.cpu_times()
    total = float(ended.user + ended.system + ended.children_user + ended.children_system)
    for process in main.children():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


@cache
def _server_process(url: str) -> psutil.Process:
    with psycopg.connect(url) as connection:
        return psutil.Process(psutil.Process(connection.info.backend_pid).ppid())


def airline_posts() -> list[Found] | None:
    """The real posts of data/airline; None where the folder is absent."""
    folder = data_folder()
    if folder is None:
        return None
    config = file_connector.config_from(folder / "airline" / "tweets.csv", COLUMNS)
    posts: list[Found] = []
    cursor = None
    while True:
        page = file_connector.fetch(config, cursor, now=NOW)
        posts += page.found
        cursor = page.cursor
        if page.done:
            return posts


def airlines(database: Database) -> Organisation:
    """The organisation of the five airlines, loaded."""
    with database.write() as connection:
        apply(connection, read(AIRLINES), actor="bench", now=NOW)
    with database.read() as connection:
        return organisation.current(connection, NOW)


def repeated(posts: Sequence[Found], number: int) -> list[Found]:
    """`number` posts: the given ones again and again, a week later and under other ids each time."""
    made = []
    for i in range(number):
        again, post = i // len(posts), posts[i % len(posts)]
        moved = timedelta(days=7 * again)
        made.append(replace(post, external_id=f"{post.external_id}-{again}", posted_at=post.posted_at + moved))
    return made


def enriched_airlines(database: Database, number: int) -> tuple[Organisation, list[Enriched]] | None:
    """The airline organisation and `number` mentions ready to store; None where the data is absent."""
    posts = airline_posts()
    if posts is None:
        return None
    current = airlines(database)
    pipeline = Pipeline(current)
    base = pipeline.enrich(posts)
    mentions: list[Enriched] = []
    for i in range(number):
        again, mention = i // len(base), base[i % len(base)]
        moved = mention.post.posted_at + timedelta(days=7 * again)
        post = replace(mention.post, external_id=f"{mention.post.external_id}-{again}", posted_at=moved)
        mentions.append(replace(mention, post=post))
    return current, mentions


def fill(database: Database, current: Organisation, number: int, *, days: int = 365, seed: int = 7) -> None:
    """Store `number` mentions over the last `days` before NOW: brands, places, teams and networks Zipf-distributed."""
    random = np.random.default_rng(seed)
    brands = [brand.id for brand in current.brands if brand.kind != "unmatched"]
    places = [place.id for place in current.locations if place.kind in ("site", "unknown")]
    networks = [2, 3, 4, 5, 6, 7]
    words = [f"word{i}" for i in range(20_000)]

    def zipf(values: Sequence[int], size: int) -> list[int]:
        weights = 1 / np.arange(1, len(values) + 1)
        return [int(value) for value in random.choice(values, size=size, p=weights / weights.sum())]

    block = 5_000
    span = timedelta(days=days)
    for start in range(0, number, block):
        size = min(block, number - start)
        fractions = np.sort(random.random(size)) * (size / number) + start / number
        chosen = zipf(brands, size), zipf(places, size), zipf(networks, size)
        sentiments = random.choice([-1, 0, 1], size=size, p=[0.3, 0.5, 0.2])
        ranks = np.minimum(random.zipf(1.3, size=(size, 16)), len(words)) - 1
        mentions = []
        for i in range(size):
            author = f"a{random.integers(0, number // 5 + 1)}"
            post = Found(
                network="x",
                external_id=f"p{start + i}",
                posted_at=NOW - span + span * float(fractions[i]),
                text=" ".join(words[rank] for rank in ranks[i]),
                author=Author(author, author, author, int(random.integers(1, 20_000))),
                counts=Counts(int(random.integers(0, 50)), 1, 2),
            )
            brand_id, place_id, network_id = chosen[0][i], chosen[1][i], chosen[2][i]
            mentions.append(
                Enriched(
                    post=post,
                    brand_id=brand_id,
                    network_id=network_id,
                    language="en",
                    language_by="network",
                    sentiment=int(sentiments[i]),
                    sentiment_score=0.0,
                    sentiment_by="bench",
                    location_id=place_id,
                    team_id=current.team_for(brand_id, place_id),
                    matched=(),
                )
            )
        with database.write() as connection:
            store(connection, mentions, source_id=1, organisation=current, now=NOW)


def demo_organisation(database: Database) -> Organisation:
    """The simulated organisation, loaded: many brands, 24 places, 9 teams."""
    import models

    with database.write() as connection:
        apply(connection, read(Path(models.__file__).parent / "demo" / "meridian.toml"), actor="bench", now=NOW)
    with database.read() as connection:
        return organisation.current(connection, NOW)
