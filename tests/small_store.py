"""The small organisation in a database, with mentions in it: for tests of the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from ingest.found import Author, Found
from ingest.ledger import cover
from ingest.pipeline import Enriched
from ingest.store import store
from models import organisation as organisations
from models.database import Database, raise_change
from models.networks import BY_KEY
from models.organisation import Organisation
from models.tables import brand, competitor, location, setting, source, team
from tests.small_organisation import NOW, organisation


@dataclass(frozen=True)
class Said:
    """One mention to store; `minutes` before the test's now."""

    text: str
    minutes: float = 5.0
    brand_id: int = 2
    sentiment: int | None = 0
    followers: int | None = 100
    author: str = "sanne"
    network: str = "x"
    location_id: int = 4
    url: str | None = "https://example.org/1"
    matched: tuple[str, ...] = ()
    language: str | None = "en"
    media: tuple[tuple[str, str], ...] = ()


def fill(database: Database, *, now: datetime = NOW, listened: timedelta = timedelta(days=40)) -> Organisation:
    """Write the organisation and one source that has listened since a while and answered a second ago."""
    there, since = organisation(), now - timedelta(days=900)
    with database.write() as connection:
        known = {name: set(connection.execute(text(f"select id from {name}")).scalars()) for name in _NAMES}
        for item in there.brands:
            if item.id not in known["brand"]:
                values = {"id": item.id, "key": item.key, "name": item.name, "kind": item.kind}
                connection.execute(insert(brand).values(**values, monogram=item.monogram, valid_from=since))
        for spot in there.locations:
            if spot.id not in known["location"]:
                values = {"id": spot.id, "key": spot.key, "name": spot.name, "kind": spot.kind}
                values |= {"parent_id": spot.parent_id, "aliases": [], "monogram": spot.monogram, "valid_from": since}
                connection.execute(insert(location).values(**values))
        for group in there.teams:
            if group.id not in known["team"]:
                connection.execute(insert(team).values(id=group.id, key=group.key, name=group.name, valid_from=since))
        connection.execute(insert(competitor).values(brand_id=2, competitor_id=5))
        for key, value in (("name", there.name), ("zone", there.zone), ("simulated", True)):
            connection.execute(text("delete from setting where key = :key"), {"key": key})
            connection.execute(insert(setting).values(key=key, value=value))
        connection.execute(insert(source).values(**_source(now, since)))
        cover(connection, 1, (now - listened, now + timedelta(days=1)), joins_all=True)
    return there


def say(database: Database, said: Iterable[Said], *, now: datetime = NOW) -> None:
    """Store mentions as the ingest does."""
    mentions = [_enriched(item, number, now) for number, item in enumerate(said)]
    with database.write() as connection:
        there = organisations.current(connection, now)
        store(connection, mentions, source_id=1, organisation=there, now=now)
        raise_change(connection, "sources")


_NAMES = ("brand", "location", "team")


def _source(now: datetime, since: datetime) -> dict[str, Any]:
    return {
        "id": 1,
        "name": "X search",
        "kind": "simulator",
        "network_id": 2,
        "config": {},
        "state": "active",
        # Rarely, so that it stays live for as long as a test takes.
        "every_seconds": 3600.0,
        "priority": 5,
        "fence": 0,
        "due_at": now,
        "failures": 0,
        "created_at": since,
        "last_success_at": now - timedelta(seconds=1),
        "rate_left": 0.71,
    }


def _enriched(said: Said, number: int, now: datetime) -> Enriched:
    at = now - timedelta(minutes=said.minutes)
    post = Found(
        network=said.network,
        external_id=f"{said.brand_id}-{at.timestamp():.6f}-{number}",
        posted_at=at,
        text=said.text,
        author=Author(said.author, said.author, said.author.title(), said.followers),
        url=said.url,
        language=said.language,
        media=said.media,
    )
    return Enriched(
        post=post,
        brand_id=said.brand_id,
        network_id=BY_KEY[said.network].id,
        language=said.language,
        language_by="network",
        sentiment=said.sentiment,
        sentiment_score=None if said.sentiment is None else float(said.sentiment),
        sentiment_by=None if said.sentiment is None else "test",
        location_id=said.location_id,
        team_id=2,
        matched=said.matched,
    )
