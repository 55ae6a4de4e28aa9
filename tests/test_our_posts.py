"""models/our_posts.py: what we published, by engagement."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from models.database import Database, time_id
from models.our_posts import last_published_at, our_posts
from models.tables import our_post
from tests.builders import CORVANE, HALDEN, NOW, last, load


def publish(database: Database, number: int, **given: Any) -> None:
    """A post of ours so many minutes ago; engagement by name."""
    minutes = given.pop("minutes", number)
    at: datetime = NOW - timedelta(minutes=minutes)
    values = {
        "brand_id": CORVANE,
        "id": time_id(at, number),
        "account_id": 2,
        "network_id": 2,
        "external_id": f"o{number}",
        "posted_at": at,
        "kind": "post",
        "text": f"post {number}",
        "measured_at": NOW,
    }
    with database.write() as connection:
        connection.execute(insert(our_post).values(**(values | given)))


def test_the_most_engaged_with_comes_first_and_answers_are_left_out(database: Database) -> None:
    load(database)
    publish(database, 1, likes=5, replies=1, reposts=None)
    publish(database, 2, likes=50, replies=0, reposts=10)
    publish(database, 3, likes=900, reply_to="somebody")
    publish(database, 4, likes=700, deleted_at=NOW)
    publish(database, 5, likes=None)
    publish(database, 6, likes=400, brand_id=HALDEN)
    with database.read() as connection:
        found = our_posts(connection, (CORVANE,), None, last("24h"))

    assert [(post.text, post.engaged) for post in found.best] == [("post 2", 60), ("post 1", 6), ("post 5", None)]
    assert (found.posts, found.is_part) == (3, False)


def test_the_rate_is_of_measured_impressions_and_of_nothing_else(database: Database) -> None:
    load(database)
    publish(database, 1, likes=20, replies=5, reposts=0, impressions=1000)
    publish(database, 2, likes=20, impressions=None)
    publish(database, 3, likes=None, impressions=1000)
    publish(database, 4, likes=1, impressions=0)
    with database.read() as connection:
        rates = {post.text: post.rate for post in our_posts(connection, (CORVANE,), None, last("24h")).best}

    assert rates == {"post 1": 0.025, "post 2": None, "post 3": None, "post 4": None}


def test_only_the_window_and_the_networks_asked_for_are_compared(database: Database) -> None:
    load(database)
    publish(database, 1, likes=1)
    publish(database, 2, likes=2, minutes=3000)
    publish(database, 3, likes=3, network_id=5)
    with database.read() as connection:
        assert [post.text for post in our_posts(connection, (CORVANE,), (2,), last("24h")).best] == ["post 1"]
        assert [post.text for post in our_posts(connection, (CORVANE,), None, last("7d"), limit=2).best] == [
            "post 3",
            "post 2",
        ]
        assert our_posts(connection, (), None, last("7d")).posts == 0


def test_the_newest_one_is_known_however_long_ago(database: Database) -> None:
    load(database)
    with database.read() as connection:
        assert last_published_at(connection, (CORVANE, HALDEN)) is None
    publish(database, 1, minutes=100_000)
    publish(database, 2, minutes=50, reply_to="somebody")
    with database.read() as connection:
        assert last_published_at(connection, (CORVANE, HALDEN)) == NOW - timedelta(minutes=100_000)
