"""What the workers listen to in the long run: X and a feed on loopback, a file, six simulated networks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from ingest import demo
from ingest.connectors import simulator
from models import secrets, sources
from models.database import Database
from models.networks import network_by_key
from models.organisation_file import apply, read
from models.settings import Settings
from tests.feed_server import FeedServer, feed_server
from tests.x_server import BEARER, XServer, x_server

X, FEED, FILE = "X search", "Press feed", "Archive"
POLLED_SECONDS = 5.0
FILE_ROWS = 20_000
# A feed shows its newest entries only.
FEED_SHOWS = 100
# Times the posts a day that the simulated networks have by themselves.
RATE = 20.0
AUTHORS = 40
SAYINGS = (
    "corvane is late again, number {}",
    "I love my corvane {}",
    "velta lost my parcel {}",
    "halden closed my account {} and corvane too",
    "nobody names a brand in corvanes {}",
)


@dataclass
class Networks:
    """The servers, and every post that they have served so far."""

    x: XServer
    feed: FeedServer
    x_ids: list[str] = field(default_factory=list)
    feed_ids: list[str] = field(default_factory=list)
    _dice: random.Random = field(default_factory=lambda: random.Random(5))
    _items: list[str] = field(default_factory=list)

    def say_on_x(self) -> None:
        """One more post on X, and a few more likes on earlier ones."""
        number = len(self.x_ids)
        with self.x.lock:
            identity = self.x.add_post(
                _saying(number), by=str(100 + number % AUTHORS), at=datetime.now(UTC), low=number % 4096
            )
            for liked in self._dice.sample(self.x_ids, min(3, len(self.x_ids))):
                self.x.posts[int(liked)]["public_metrics"]["like_count"] += 1
        self.x_ids.append(identity)

    def say_in_the_feed(self) -> None:
        """One more entry; the oldest one leaves."""
        identity = f"urn:entry:{len(self.feed_ids)}"
        self._items.append(
            f"<item><guid>{identity}</guid><title>{_saying(len(self.feed_ids))}</title>"
            f"<pubDate>{format_datetime(datetime.now(UTC))}</pubDate></item>"
        )
        self.feed_ids.append(identity)
        self.show()

    def show(self) -> None:
        """The feed as it is now."""
        items = "".join(self._items[-FEED_SHOWS:])
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Press</title>{items}</channel></rss>'
        self.feed.answer("/press.xml", body.encode(), headers={"ETag": f'"{len(self.feed_ids)}"'})


@contextmanager
def networks() -> Iterator[Networks]:
    """The servers on loopback, with their first posts."""
    with x_server(lambda: datetime.now(UTC)) as x, feed_server() as feed:
        for number in range(AUTHORS):
            x.add_user(str(100 + number), f"author{number}", public_metrics={"followers_count": number})
        them = Networks(x, feed)
        them.show()
        yield them


def add_sources(database: Database, settings: Settings, them: Networks, now: datetime) -> None:
    """The simulated organisation, and everything that is listened to but the file."""
    with database.write() as connection:
        apply(connection, read(demo.FILE), actor="a long run", now=now)
        sources.add(
            connection,
            name=X,
            kind="x",
            network_id=network_by_key("x").id,
            config={"query": "corvane"},
            every_seconds=POLLED_SECONDS,
            now=now,
            secrets=secrets.seal(settings, {"bearer_token": BEARER}),
            remeasure="all",
        )
        sources.add(
            connection,
            name=FEED,
            kind="feed",
            network_id=network_by_key("rss").id,
            config={"url": f"{them.feed.url}/press.xml"},
            every_seconds=POLLED_SECONDS,
            now=now,
        )
        for spec in simulator.sources(seed=9, start=now, rate=RATE):
            if spec.config["mode"] == "live":
                sources.add(
                    connection,
                    name=f"simulated {spec.name}",
                    kind=spec.kind,
                    network_id=network_by_key(spec.network).id,
                    config=spec.config,
                    every_seconds=spec.every_seconds,
                    priority=spec.priority,
                    now=now,
                )


def add_file(database: Database, path: Path, now: datetime) -> None:
    """A file to import, of the month before."""
    start = now - timedelta(days=30)
    lines = ["external_id,author,text,posted_at"]
    for number in range(FILE_ROWS):
        posted_at = (start + timedelta(minutes=number)).isoformat()
        lines.append(f'{file_id(number)},reader{number % AUTHORS},"{_saying(number)}",{posted_at}')
    path.write_text("\n".join(lines) + "\n")
    config = {"path": str(path), "columns": {"network": "=reddit"}}
    with database.write() as connection:
        sources.add(connection, name=FILE, kind="file", network_id=1, config=config, every_seconds=1.0, now=now)


def file_id(number: int) -> str:
    """What a row of the file is called."""
    return f"archive-{number}"


def _saying(number: int) -> str:
    return SAYINGS[number % len(SAYINGS)].format(number)
