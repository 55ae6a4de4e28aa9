"""models/status.py: the figures of an installation are those of its rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from ingest.found import Author, Found, SetAside
from ingest.ledger import put_aside
from ingest.pipeline import Pipeline
from ingest.store import store
from models import sources
from models.database import Database
from models.organisation import current
from models.organisation_file import apply, read
from models.status import status
from models.tables import brand, mention, set_aside, setting, source
from tests.command_line import AIRLINES
from tests.conftest import drop_postgres_database, new_postgres_database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def filled(database: Database, zone: str = "America/Los_Angeles") -> None:
    """Twenty posts over twenty days, one row set aside, one source."""
    texts = ["@united late", "@united @virginamerica both", "nothing of ours", "@usairways"] * 5
    with database.write() as connection:
        apply(connection, read(AIRLINES), actor="test", now=NOW)
        connection.execute(setting.update().where(setting.c.key == "zone").values(value=zone))
        organisation = current(connection, NOW)
        source_id = sources.add(
            connection, name="Press", kind="feed", network_id=7, config={}, every_seconds=300, now=NOW
        )
        posts = [
            Found("x", str(i), NOW - timedelta(days=i), text, Author(f"a{i}", None, None, i))
            for i, text in enumerate(texts)
        ]
        store(connection, Pipeline(organisation).enrich(posts), source_id=source_id, organisation=organisation, now=NOW)
        put_aside(connection, [SetAside("line 7", "no text", b"raw")], source_id=source_id, now=NOW)
        connection.execute(
            source.update().values(last_success_at=NOW - timedelta(seconds=42), last_error="the feed said 503")
        )


def test_the_counts_are_those_of_the_rows(database: Database) -> None:
    filled(database)
    found = status(database, NOW).as_json()
    with database.read() as connection:
        rows = {
            row.key: row.n
            for row in connection.execute(
                select(brand.c.key, func.count(mention.c.id).label("n"))
                .select_from(brand.outerjoin(mention, mention.c.brand_id == brand.c.id))
                .group_by(brand.c.key)
            )
        }
        aside = connection.execute(select(func.count()).select_from(set_aside)).scalar_one()
    unmatched = rows.pop("unmatched")
    assert (unmatched, rows["united"], rows["virgin-america"], rows["american"]) == (5, 10, 5, 0)
    assert found["mentions"] == {"total": sum(rows.values()) + unmatched, "by_brand": rows, "unmatched": unmatched}
    assert found["set_aside"] == aside == 1


def test_a_monitor_finds_the_words_it_was_promised(database: Database) -> None:
    filled(database)
    found = json.loads(json.dumps(status(database, NOW).as_json()))
    (press,) = found["sources"]
    expected = {"name": "Press", "kind": "feed", "state": "live", "data_age_s": 42.0, "last_error": "the feed said 503"}
    assert expected.items() <= press.items()
    assert found["version"]
    assert found["database"].startswith(("sqlite:///", "postgresql"))


def test_an_empty_installation_counts_zero(database: Database) -> None:
    found = status(database, NOW)
    assert found.mentions == {"total": 0, "by_brand": {}, "unmatched": 0}
    assert (found.set_aside, found.sources, found.simulated) == (0, (), False)


def test_a_password_is_never_shown() -> None:
    url = new_postgres_database()
    try:
        database = Database(make_url(url).set(password="hunter2"))
        shown = json.dumps(status(database, NOW).as_json())
        database.close()
    finally:
        drop_postgres_database(url)
    assert "hunter2" not in shown
    assert ":***@" in shown
