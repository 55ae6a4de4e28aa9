"""Topics: what is counted, what stands out, and that counts mend themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from ingest.topics import EVERY, count_topics
from models import topic_reading, topic_texts, topics
from models.cube import DAY, HOUR
from models.database import Database
from models.organisation import Brand
from models.tables import change, term_day, term_hour, term_hour_counted
from models.terms import NOTHING_BARRED
from models.topic_scores import STANDS_OUT, Said, Score, falling, log_odds, rising, scores, varies
from models.topics import Text, distinct, kept_of_day
from tests.small_organisation import NOW, asked
from tests.small_store import Said as Mention
from tests.small_store import fill, say

BRAND = Brand(2, "corvane", "Corvane", "own", "Co")
HOUR_NOW = int(NOW.timestamp()) // HOUR * HOUR
TODAY = HOUR_NOW // DAY * DAY


def said(words: str, **changes: Any) -> Text:
    plain: dict[str, Any] = {"language": "en", "sentiment": None, "copy_id": None, "author": words}
    return Text(text=words, **(plain | changes))


def count(texts: Iterable[Text]) -> dict[topics.Term, Said]:
    return topics.count(distinct(texts), NOTHING_BARRED)


def texts_of(counts: dict[topics.Term, Said]) -> dict[str, int]:
    return {term: value.texts for (_, term), value in counts.items()}


# -- counting --------------------------------------------------------------------------------------------------


def test_a_term_is_counted_once_a_text_with_how_it_was_said() -> None:
    counts = count(
        [
            said("card card declined", sentiment=-1),
            said("card works", sentiment=1),
            said("card kaart", language="nl", sentiment=None),
        ]
    )

    assert counts["en", "card"] == Said(2, positive=1, negative=1, scored=2)
    assert counts["en", ""] == Said(2, positive=1, negative=1, scored=2)
    assert counts["nl", ""] == Said(1)


def test_copies_of_one_text_count_once() -> None:
    counts = count(
        [
            said("win a prize", copy_id=7, author="a"),
            said("win a prize now", copy_id=7, author="b"),
            said("RT @a: win a prize", copy_id=8, author="c"),
        ]
    )

    assert texts_of(counts)["prize"] == 1


def test_one_author_cannot_make_a_topic() -> None:
    counts = count([said(f"prize {word}", author="bot") for word in ("red", "blue", "oak", "elm", "ash")])

    assert texts_of(counts)["prize"] == topics.MOST_OF_AUTHOR


def test_a_day_keeps_its_most_frequent_terms_and_never_what_one_text_alone_held() -> None:
    day = {("en", ""): Said(100), ("en", "once"): Said(1), ("en", "twice"): Said(2)}
    many = {("en", f"term{n}"): Said(3 + n) for n in range(topics.MOST_TERMS_OF_DAY + 50)}

    assert set(kept_of_day(day)) == {("en", ""), ("en", "twice")}
    assert len(kept_of_day(day | many)) == topics.MOST_TERMS_OF_DAY + 1
    assert ("en", "term0") not in kept_of_day(day | many)


# -- scores ----------------------------------------------------------------------------------------------------


def test_what_is_said_as_often_as_ever_scores_about_nothing() -> None:
    assert abs(log_odds(10, 100, 1_000, 10_000)) < 0.1


def test_more_than_usual_is_positive_and_less_negative_and_more_evidence_counts_more() -> None:
    assert log_odds(40, 200, 500, 10_000) > STANDS_OUT
    assert log_odds(40, 2_000, 1_000, 10_000) < -STANDS_OUT
    assert log_odds(80, 400, 500, 10_000) > log_odds(40, 200, 500, 10_000)


def test_a_handful_of_texts_is_no_topic_however_new() -> None:
    window = {(2, "en", ""): Said(25), (2, "en", "prize"): Said(4)}

    assert scores(window, {(2, "en", ""): 5_000}, list(window)) == []
    assert 0 < log_odds(5, 500, 0, 5_000) < STANDS_OUT


def test_a_term_of_every_text_has_a_finite_score() -> None:
    assert abs(log_odds(50, 50, 10_000, 10_000)) < STANDS_OUT


def test_what_comes_and_goes_by_day_needs_more_to_stand_out() -> None:
    steady, bursts = varies(140, 28 * 25, 28), varies(140, 4 * 35 * 35, 28)
    window = {(2, "en", ""): Said(200), (2, "en", "rain"): Said(20)}
    base = {(2, "en", ""): 10_000, (2, "en", "rain"): 140}

    plain, varied = (
        scores(window, base, [(2, "en", "rain")], {(2, "en", "rain"): much})[0].z for much in (steady, bursts)
    )

    assert steady == 1.0
    assert bursts == 2.0
    assert plain == pytest.approx(2**0.5 * varied)


def test_a_language_without_a_past_is_not_scored() -> None:
    window = {(2, "ja", ""): Said(200), (2, "ja", "決済"): Said(100)}

    assert scores(window, {(2, "ja", ""): 20}, list(window)) == []


def scored(term: str, texts: int, z: float, *, brand_id: int = 2, expected: float = 1.0) -> Score:
    return Score(brand_id, "en", term, Said(texts), expected, z)


def test_a_longer_term_swallows_the_shorter_ones_it_explains() -> None:
    found = [scored("declined", 32, 9.0), scored("card", 34, 8.5), scored("card declined", 30, 8.0)]

    assert [score.term for score in rising(found)] == ["card declined"]


def test_a_part_of_a_topic_is_told_by_the_topic() -> None:
    found = [scored("card", 100, 12.0), scored("card declined", 20, 8.0)]

    assert [score.term for score in rising(found)] == ["card"]


def test_the_same_words_of_another_brand_are_another_topic() -> None:
    found = [scored("card", 30, 9.0), scored("card", 30, 8.0, brand_id=3)]

    assert [score.brand_id for score in rising(found)] == [2, 3]


def test_rising_and_falling_are_told_apart_and_weak_ones_left_out() -> None:
    found = [scored("up", 30, 5.0), scored("down", 1, -5.0, expected=30), scored("level", 30, 3.9)]

    assert [score.term for score in rising(found)] == ["up"]
    assert [score.term for score in falling(found)] == ["down"]
    assert falling(found)[0].times == pytest.approx(1 / 30)


# -- counts in the database ------------------------------------------------------------------------------------


def counted(database: Database, now: datetime = NOW) -> int:
    """Count everything that is due; how many days that were."""
    with database.read() as connection:
        due = topics.due(connection, [2], now)
    for day in due:
        topics.count_day(database, BRAND, day, now)
    return len(due)


def stored(database: Database, term: str) -> dict[int, int]:
    with database.read() as connection:
        rows = connection.execute(
            select(term_hour.c.hour, term_hour.c.texts).where(term_hour.c.brand_id == 2, term_hour.c.term == term)
        )
        return {row.hour: row.texts for row in rows}


def test_an_hour_is_counted_and_counted_anew_when_its_mentions_change(database: Database) -> None:
    fill(database)
    say(database, [Mention("Corvane charger broken", minutes=10), Mention("charger is slow", minutes=11, author="b")])

    assert counted(database) == 1
    assert stored(database, "charger") == {HOUR_NOW: 2}
    assert stored(database, "corvane") == {}
    assert counted(database) == 0

    say(database, [Mention("late charger", minutes=12, author="c")])
    assert counted(database) == 1
    assert stored(database, "charger") == {HOUR_NOW: 3}


def test_a_deleted_text_is_counted_no_more(database: Database) -> None:
    fill(database)
    say(database, [Mention("charger broken", minutes=10), Mention("heat pump", minutes=11, author="b")])
    with database.write() as connection:
        connection.execute(text("update mention set text = '', deleted_at = 1 where text = 'charger broken'"))

    counted(database)

    assert stored(database, "charger") == {}
    assert stored(database, "") == {HOUR_NOW: 1}


def test_a_day_that_is_over_keeps_what_more_than_one_text_held(database: Database) -> None:
    fill(database)
    hours_ago = 26 * 60
    say(
        database,
        [Mention(f"charger {word}", minutes=hours_ago + n * 60, author=word) for n, word in enumerate(("oak", "elm"))],
    )

    counted(database, NOW - timedelta(days=1))
    assert len(stored(database, "oak")) == 1
    assert counted(database) == 1

    assert sorted(stored(database, "charger").values()) == [1, 1]
    assert stored(database, "oak") == {}
    with database.read() as connection:
        days = {(row.term, row.texts) for row in connection.execute(select(term_day)) if row.brand_id == 2}
    assert days == {("", 2), ("charger", 2)}
    assert counted(database) == 0


def test_what_is_old_is_forgotten_when_a_day_is_counted(database: Database) -> None:
    fill(database)
    old = {"brand_id": 2, "language": "en", "term": "old", "texts": 2, "positive": 0, "negative": 0, "scored": 0}
    with database.write() as connection:
        connection.execute(insert(term_hour).values(hour=TODAY - 40 * DAY, **old))
        connection.execute(insert(term_day).values(day=TODAY - 70 * DAY, **old))
        connection.execute(insert(term_day).values(day=TODAY - 40 * DAY, **old))
    say(database, [Mention("charger", minutes=26 * 60)])

    counted(database)

    assert stored(database, "old") == {}
    with database.read() as connection:
        days = connection.execute(select(term_day.c.day).where(term_day.c.term == "old")).scalars().all()
    assert days == [TODAY - 40 * DAY]


def test_one_of_many_workers_counts_and_tells_the_screens(database: Database) -> None:
    fill(database)
    say(database, [Mention("charger broken", minutes=10)])

    first = count_topics(database, now=lambda: NOW, wait=lambda _: False)
    second = count_topics(database, now=lambda: NOW, wait=lambda _: False)
    later = count_topics(database, now=lambda: NOW + EVERY, wait=lambda _: False)

    assert first is not None
    assert (first.days, first.mentions) == (1, 1)
    assert second is None
    assert later is not None
    assert later.days == 0
    with database.read() as connection:
        told = connection.execute(select(change.c.brand_id).where(change.c.topic == "topics")).scalars().all()
        turns = connection.execute(
            select(term_hour_counted.c.mentions).where(term_hour_counted.c.brand_id == 0)
        ).scalar()
    assert told == [2]
    assert turns == 2


def test_a_worker_that_is_to_stop_leaves_the_rest_for_the_next_turn(database: Database) -> None:
    fill(database)
    say(database, [Mention(f"charger {n}", minutes=10 + n * 24 * 60, author=f"a{n}") for n in range(3)])

    done = count_topics(database, now=lambda: NOW, wait=lambda _: True)

    assert done is not None
    assert done.is_behind
    assert set(stored(database, "charger")) <= {HOUR_NOW}


# -- reading ---------------------------------------------------------------------------------------------------


def rows(at: int, column: str, terms: Mapping[str, tuple[int, ...]], brand_id: int = 2) -> Iterable[dict[str, Any]]:
    for term, values in terms.items():
        texts, positive, negative = (*values, 0, 0)[:3]
        yield {
            "brand_id": brand_id,
            column: at,
            "language": "en",
            "term": term,
            "texts": texts,
            "positive": positive,
            "negative": negative,
            "scored": texts,
        }


def usual(database: Database, *, days: int = 20) -> None:
    with database.write() as connection:
        for day in range(1, days + 1):
            terms = {"": (400,), "card": (8,), "queue": (120,), "menu": (20,)}
            connection.execute(insert(term_day), list(rows(TODAY - day * DAY, "day", terms)))


def test_a_burst_rises_and_what_is_missing_falls(database: Database) -> None:
    fill(database)
    usual(database)
    terms = {"": (300, 20, 150), "card": (62, 0, 60), "card declined": (60, 0, 60), "queue": (20,), "menu": (14,)}
    with database.write() as connection:
        connection.execute(insert(term_hour), list(rows(HOUR_NOW, "hour", terms)))
    question = asked()

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert [topic.score.term for topic in found.rising] == ["card declined"]
    assert [topic.score.term for topic in found.falling] == ["queue"]
    assert found.rising[0].score.times is None
    assert found.rising[0].score.net_sentiment == -100
    assert found.rising[0].line[-1] == pytest.approx(60 / 300)
    assert found.falling[0].score.expected == pytest.approx(90)
    assert (found.texts, found.base_days, found.base_texts, found.line) == (300, 20, 8_000, "hours")


def test_what_is_said_at_this_hour_of_every_day_does_not_rise(database: Database) -> None:
    fill(database)
    usual(database)
    with database.write() as connection:
        for day in range(20):
            at = HOUR_NOW - day * DAY
            connection.execute(insert(term_hour), list(rows(at, "hour", {"": (60,), "good morning": (30,)})))
    question = asked()

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert found.rising == ()


def test_days_are_compared_with_the_days_before_them(database: Database) -> None:
    fill(database)
    usual(database)
    with database.write() as connection:
        connection.execute(insert(term_day), list(rows(TODAY, "day", {"": (400,), "outage": (150,)})))
    question = asked("?window=7d")

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert [topic.score.term for topic in found.rising] == ["outage"]
    assert (found.line, found.base_days) == ("days", 13)
    assert len(found.rising[0].line) == 8


def test_a_part_of_a_brand_is_scored_by_its_newest_texts(database: Database) -> None:
    fill(database)
    usual(database)
    say(database, [Mention(f"outage at {n} o{n}", minutes=n + 1, author=f"a{n}", location_id=4) for n in range(30)])
    say(database, [Mention(f"lunch {n} b{n}", minutes=n + 1, author=f"b{n}", location_id=5) for n in range(30)])
    question = asked("?location=nairobi")

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert [topic.score.term for topic in found.rising] == ["outage"]
    assert (found.texts, found.is_part, found.line) == (30, False, "steps")


def test_a_network_is_looked_for_among_so_many_mentions_of_its_brands(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_texts, "MOST_WALKED", 10)
    fill(database)
    say(database, [Mention(f"tram t{n}", minutes=n + 1, author=f"a{n}", network="reddit") for n in range(10)])
    say(database, [Mention(f"lunch l{n}", minutes=600 + n, author=f"b{n}", network="bluesky") for n in range(10)])

    found = {}
    for network in ("reddit", "bluesky"):
        question = asked(f"?network={network}")
        with database.read() as connection:
            found[network] = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert (found["reddit"].texts, found["reddit"].is_part) == (10, True)
    assert found["bluesky"].texts == 0


def test_an_old_window_is_compared_with_the_texts_before_it(database: Database) -> None:
    fill(database)
    then = NOW - timedelta(days=100)
    before = [Mention(f"weather w{n} x{n}", minutes=120 + n * 5, author=f"w{n}") for n in range(200)]
    burst = [Mention(f"outage o{n}", minutes=n + 1, author=f"o{n}") for n in range(40)]
    say(database, before + burst, now=then)
    question = asked(f"?at={then:%Y-%m-%dT%H:%MZ}")

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert "outage" in [topic.score.term for topic in found.rising]
    assert found.base_days == 0
    assert found.base_texts == 200


def test_nothing_is_said_of_what_has_no_past(database: Database) -> None:
    fill(database)
    say(database, [Mention(f"outage o{n}", minutes=n + 1, author=f"o{n}") for n in range(40)])
    counted(database)
    question = asked()

    with database.read() as connection:
        found = topic_reading.topics(connection, question.scope, question.window, question.organisation)

    assert (found.rising, found.falling, found.base_texts) == ((), (), 0)
    assert found.texts == 40
