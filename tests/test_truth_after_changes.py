"""New posts, repeats, edits, deletions, corrections and new measurements in any order: rows and rollups stay true."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.enrich.copies import First
from ingest.found import Author, Counts, Found, Gone
from ingest.pipeline import Enriched
from ingest.store import store
from models import cube
from models.corrections import correct
from models.cube import local_day
from models.database import Database
from models.networks import BY_ID
from models.organisation import Organisation
from models.tables.base import to_microseconds
from tests.builders import NOW, NOWHERE, SITES, UNMATCHED, load, rows, scope

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)
BRANDS = (1, 2, 3, 4, 5, 6)
EVERY_BRAND = scope(BRANDS)
# Some are never heard of, one is said to have none.
AUTHORS = (("ada", 5), ("bob", None), ("cid", 0), ("dot", 3_000), ("eve", 999_983), ("fay", 12))
NAMES = ("likes", "replies", "reposts", "impressions")
PLACE = ("location_id", "team_id")
CAMPAIGNS = 5


@dataclass(slots=True)
class Post:
    """A post on its network: what does not change of it, and its texts: (written, text, sentiment)."""

    found: Found
    network_id: int
    location_id: int
    brand_ids: tuple[int, ...]
    versions: list[tuple[datetime | None, str, int | None]]
    campaign: int | None
    is_deleted: bool = False


@dataclass(slots=True)
class Row:
    """What has to stand in a brand."""

    text: str
    edited_at: datetime | None
    sentiment: int | None
    location_id: int
    team_id: int
    counts: list[int | None]
    set_by_person: bool = False
    is_deleted: bool = False


@dataclass
class World:
    """Posts on a network, and what a plain reading of the rules makes of all that happened to them."""

    database: Database
    organisation: Organisation
    dice: random.Random
    posts: dict[str, Post] = field(default_factory=dict)
    stands: dict[tuple[int, str], Row] = field(default_factory=dict)
    went: dict[tuple[int, str], int] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)
    now: datetime = NOW

    def step(self) -> None:
        """One thing happens, in a transaction of its own."""
        self.now += timedelta(seconds=self.dice.random() * 20)
        name, operation = self.dice.choices(
            [
                ("deliver", self.deliver),
                ("repoll", self.repoll),
                ("edit", self.edit),
                ("delete", self.delete),
                ("correct", self.correct),
            ],
            weights=[30, 30, 15, 5, 20],
        )[0]
        operation()
        self.happened[name] = self.happened.get(name, 0) + 1

    # -- what happens

    def deliver(self) -> None:
        """New posts, and some that came before, as a page brings them."""
        fresh = [self.new_post() for _ in range(self.dice.randint(1, 4))]
        again = self.dice.sample(sorted(self.posts), min(len(self.posts), self.dice.randint(0, 3)))
        self.bring([*fresh, *again])

    def repoll(self) -> None:
        """What is known is measured again: more, less, or nothing said."""
        if self.posts:
            self.bring(self.dice.sample(sorted(self.posts), min(len(self.posts), self.dice.randint(1, 5))))

    def edit(self) -> None:
        """A new text, which may come before or after older ones, or twice."""
        if self.posts:
            external_id = self.dice.choice(sorted(self.posts))
            post = self.posts[external_id]
            for _ in range(self.dice.randint(1, 2)):
                number = len(post.versions)
                written = post.found.posted_at + number * MINUTE
                post.versions.append((written, f"edit {number} of {external_id}", self.feeling()))
            self.bring([external_id] * self.dice.randint(1, 3))

    def delete(self) -> None:
        """A post goes; sometimes one that never came."""
        known = sorted(self.posts)
        external_id = self.dice.choice(known) if known and self.dice.random() < 0.9 else self.new_post()
        post = self.posts[external_id]
        post.is_deleted = True
        for (_, other), row in self.stands.items():
            if other == external_id:
                row.text, row.is_deleted = "", True
        gone = Gone(BY_ID[post.network_id].key, external_id, self.dice.choice(("deleted", "protected")))
        with self.database.write() as connection:
            store(connection, [], source_id=1, organisation=self.organisation, now=self.now, gone=[gone])

    def correct(self) -> None:
        """A person sets one thing of one mention that is there."""
        living = [key for key, row in sorted(self.stands.items()) if not row.is_deleted]
        if not living:
            return
        brand_id, external_id = key = self.dice.choice(living)
        name = self.dice.choice(("sentiment", "location", "brand"))
        values = {"sentiment": (-1, 0, 1), "location": (NOWHERE, *SITES), "brand": BRANDS}
        value = self.dice.choice(values[name])
        statement = "select id from mention where brand_id = :b and external_id = :e"
        mention_id = rows(self.database, statement, b=brand_id, e=external_id)[0]["id"]
        with self.database.write() as connection:
            correct(
                connection,
                EVERY_BRAND,
                mention=(brand_id, mention_id),
                field=name,
                value=value,
                organisation=self.organisation,
                by=None,
                actor="a person",
                now=self.now,
            )
        row = self.stands[key]
        if name == "sentiment":
            row.sentiment, row.set_by_person = value, True
        elif name == "location":
            row.location_id, row.team_id = value, self.organisation.team_for(brand_id, value)
        elif value != brand_id:
            del self.stands[key]
            self.went[key] = value
            row.team_id = self.organisation.team_for(value, row.location_id)
            self.stands.setdefault((value, external_id), row)

    # -- how it comes in

    def new_post(self) -> str:
        external_id = str(len(self.posts))
        key, followers = self.dice.choice(AUTHORS)
        campaign = self.dice.randrange(CAMPAIGNS) if self.dice.random() < 0.3 else None
        earlier = self.dice.sample(sorted(self.posts), 1)[0] if self.posts and self.dice.random() < 0.4 else None
        network_id = 2 if earlier is None else self.posts[earlier].network_id
        if earlier is None and self.dice.random() < 0.3:
            network_id = 4
        # Days and edges of days, so that the days of authors fill up.
        ago = self.dice.choice((self.dice.random() * 60, 24 * 60 * self.dice.randint(0, 3), 870 + self.dice.random()))
        found = Found(
            network=BY_ID[network_id].key,
            external_id=external_id,
            posted_at=NOW - ago * MINUTE,
            text=f"copied {campaign}" if campaign is not None else f"text of {external_id}",
            author=Author(key, key, key.title(), followers),
            reply_to=earlier,
            conversation=self.root(external_id, earlier) if self.dice.random() < 0.5 else None,
        )
        self.posts[external_id] = Post(
            found,
            network_id,
            self.dice.choice((NOWHERE, *SITES)),
            tuple(sorted(self.dice.sample(BRANDS[1:], self.dice.choice((1, 1, 2, 3))))) or (UNMATCHED,),
            [(None, found.text, self.feeling())],
            campaign,
        )
        return external_id

    def root(self, external_id: str, parent: str | None) -> str:
        while parent is not None:
            external_id, parent = parent, self.posts[parent].found.reply_to
        return external_id

    def feeling(self) -> int | None:
        return self.dice.choice((-1, 0, 1, None))

    def bring(self, external_ids: list[str]) -> None:
        """One page: each post with one of its texts and new counts, as each of its brands sees it."""
        page = []
        for external_id in external_ids:
            post = self.posts[external_id]
            written, text, sentiment = self.dice.choice(post.versions)
            counts = [self.dice.choice((None, 0, self.dice.randint(0, 10**6))) for _ in NAMES]
            found = replace(post.found, text=text, edited_at=written, counts=Counts(*counts))
            page += [self.enriched(post, found, brand_id, sentiment) for brand_id in post.brand_ids]
        with self.database.write() as connection:
            stored = store(connection, page, source_id=1, organisation=self.organisation, now=self.now)
        before = len(self.stands)
        for item in page:
            self.expect(item)
        assert (stored.new, stored.repeated) == (len(self.stands) - before, len(page) - stored.new)

    def enriched(self, post: Post, found: Found, brand_id: int, sentiment: int | None) -> Enriched:
        first = First("x", "ada", NOW - 9 * 1440 * MINUTE)
        return Enriched(
            post=found,
            brand_id=brand_id,
            network_id=post.network_id,
            language="en",
            language_by="network",
            sentiment=sentiment,
            sentiment_score=None,
            sentiment_by="a test",
            location_id=post.location_id,
            team_id=self.organisation.team_for(brand_id, post.location_id),
            matched=("word",),
            copy_id=post.campaign,
            copy_of=None if post.campaign is None else first,
        )

    def expect(self, item: Enriched) -> None:
        """What must come of a mention: the plain rules, one at a time."""
        external_id, brand_id = item.post.external_id, item.brand_id
        if self.posts[external_id].is_deleted:
            return
        while (brand_id, external_id) not in self.stands and (brand_id, external_id) in self.went:
            brand_id = self.went[brand_id, external_id]
        said = [getattr(item.post.counts, name) for name in NAMES]
        row = self.stands.get((brand_id, external_id))
        if row is None:
            team_id = self.organisation.team_for(brand_id, item.location_id)
            self.stands[brand_id, external_id] = Row(
                item.post.text, item.post.edited_at, item.sentiment, item.location_id, team_id, said
            )
            return
        row.counts = [old if new is None else new for old, new in zip(row.counts, said, strict=True)]
        written = item.post.edited_at
        if written is not None and (row.edited_at is None or written > row.edited_at):
            row.text, row.edited_at = item.post.text, written
            if not row.set_by_person:
                row.sentiment = item.sentiment

    # -- what must be true

    def check(self) -> None:
        """Rows are what the rules say, cells what the rows say, and the days of authors what the living rows say."""
        with self.database.read() as connection:
            assert cube.check(connection, self.organisation, self.now) == []
        held = rows(self.database, "select * from mention")
        found = {(row["brand_id"], row["external_id"]): row for row in held}
        assert len(found) == len(held)
        assert {key: plain(row) for key, row in found.items()} == {
            key: expected(row) for key, row in self.stands.items()
        }
        self.check_authors(held)
        self.check_threads()
        self.check_search(held)

    def check_authors(self, held: list[Any]) -> None:
        spans: dict[tuple[int, int, int, str], list[int]] = {}
        for row in held:
            if row["deleted_at"] is None and row["author_followers"]:
                day, _ = local_day(row["posted_at"] // 1_000_000, self.organisation.zone)
                key = (row["brand_id"], day, row["network_id"], row["author_key"])
                spans.setdefault(key, []).append(row["posted_at"])
        places = {tuple(row[name] for name in ("brand_id", "network_id", "posted_at", *PLACE)) for row in held}
        days = {}
        for row in rows(self.database, "select * from author_day"):
            assert row["first_at"] <= row["counted_at"] <= row["last_at"]
            # Reach is counted where a mention of that instant stands.
            assert tuple(row[name] for name in ("brand_id", "network_id", "counted_at", *PLACE)) in places
            if not row["author_key"].startswith("deleted:"):
                key = (row["brand_id"], row["day"], row["network_id"], row["author_key"])
                days[key] = (row["first_at"], row["last_at"])
        assert days.keys() == spans.keys()
        assert all(days[key][0] <= min(at) and max(at) <= days[key][1] for key, at in spans.items())

    def check_threads(self) -> None:
        parts = {
            (row["network_id"], row["external_id"]): row for row in rows(self.database, "select * from thread_post")
        }
        for (network_id, external_id), part in parts.items():
            above = parts.get((network_id, part["parent"]))
            # A network's own word reaches below a post that never came, which all else cannot.
            said = self.posts[external_id].found.conversation is not None
            assert above is None or above["root"] == part["root"] or said

    def check_search(self, held: list[Any]) -> None:
        if self.database.is_sqlite:
            # The index against its rows; raises where they differ.
            with self.database.write() as connection:
                connection.exec_driver_sql(
                    "insert into mention_text (mention_text, rank) values ('integrity-check', 1)"
                )
        versions = rows(self.database, "select distinct brand_id, mention_id from mention_version")
        living = {(row["brand_id"], row["id"]) for row in held if row["deleted_at"] is None}
        assert {(row["brand_id"], row["mention_id"]) for row in versions} <= living


def plain(row: Any) -> tuple[Any, ...]:
    counts = [row[name] for name in NAMES]
    edited_at = row["edited_at"]
    values = (row["text"], row["sentiment"], row["location_id"], row["team_id"], row["deleted_at"] is not None)
    return (*values, *counts, None if row["deleted_at"] is not None else edited_at)


def expected(row: Row) -> tuple[Any, ...]:
    edited_at = None if row.edited_at is None or row.is_deleted else to_microseconds(row.edited_at)
    return (row.text, row.sentiment, row.location_id, row.team_id, row.is_deleted, *row.counts, edited_at)


def live_through(database: Database, operations: int) -> World:
    seed = random.SystemRandom().getrandbits(32)
    world = World(database, load(database), random.Random(seed))
    try:
        for number in range(operations):
            world.step()
            if (number + 1) % (operations // 4) == 0:
                world.check()
    except Exception as error:
        error.add_note(f"seed {seed}, after {world.happened}")
        raise
    return world


def test_rows_and_rollups_are_true_after_random_changes(database: Database) -> None:
    world = live_through(database, 300)

    assert sum(world.happened.values()) == 300
    assert min(world.happened.values()) > 2


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_rows_and_rollups_are_true_after_ten_thousand_random_changes(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    world = live_through(database, 10_000)

    with capsys.disabled():
        print(f"\n{database.dialect}: true after {world.happened}, {len(world.stands):,} mentions")
    assert sum(world.happened.values()) == 10_000
    assert min(world.happened.values()) > 300
