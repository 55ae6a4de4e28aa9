"""models/audience_mix.py and models/detection_lag.py: of what mentions are made, and how late they came."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import audience_mix, detection_lag
from models.audience_mix import mix
from models.database import Database
from tests.builders import NOW, add_source, keep, last, load, mention, scope


def test_what_is_not_known_is_in_no_share(database: Database) -> None:
    there = load(database)
    keep(
        database,
        [
            mention("1", language="nl", media=(("video", ""), ("image", "a cat"))),
            mention("2", language=None, media=(("image", "a dog"),)),
            mention("3", language="en", network="reddit"),
        ],
        there,
    )
    with database.read() as connection:
        found = mix(connection, scope(), last("24h"), there)

    assert found.networks == {"x": 2, "reddit": 1}
    assert found.forms == {"video": 1, "picture": 1, "text": 1}
    assert found.languages == {"nl": 1, "en": 1}
    assert (found.rows, found.is_part) == (3, False)
    assert found.countries == {}


def test_of_very_many_only_the_newest_are_looked_at_and_that_is_said(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_mix, "SAMPLE", 5)
    there = load(database)
    said = [
        mention(str(n), posted_at=NOW - timedelta(minutes=n), language="en" if n <= 5 else "nl") for n in range(1, 9)
    ]
    keep(database, said, there)
    with database.read() as connection:
        found = mix(connection, scope(), last("24h"), there)

    assert found.is_part
    assert found.rows == 5
    assert found.networks == {"x": 8}


def test_the_lag_leaves_out_what_was_posted_before_its_source_was_there(database: Database) -> None:
    there = load(database)
    source_id = add_source(database)
    said = [mention(f"n{n}", posted_at=NOW - timedelta(seconds=30 + n)) for n in range(25)]
    history = [mention(f"h{n}", posted_at=NOW - timedelta(hours=5 + n / 60)) for n in range(25)]
    keep(database, said + history, there, source_id=source_id)
    with database.read() as connection:
        lag = detection_lag.detection_lag(connection, scope(), last("24h"))

    assert lag.posts == 25
    assert lag.median == pytest.approx(42)
    assert lag.p95 == pytest.approx(52.8)


def test_of_a_few_mentions_no_lag_is_said(database: Database) -> None:
    there = load(database)
    source_id = add_source(database)
    keep(database, [mention("1")], there, source_id=source_id)
    with database.read() as connection:
        assert detection_lag.detection_lag(connection, scope(), last("24h")) == detection_lag.Lag(None, None, 1)
