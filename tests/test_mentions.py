"""models/mentions.py: a feed shows the newest of its scope, each once, whatever was typed into the search box."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.pipeline import Enriched
from models import mentions
from models.access import Scope, Window
from models.database import Database
from models.errors import SearchError
from models.mentions import Shown, last_posted_at, newest
from models.networks import BY_KEY
from models.rules import Subject, parse
from tests.builders import (
    AMSTERDAM_SITE,
    CORVANE,
    EVERYTHING,
    HALDEN,
    NOW,
    NOWHERE,
    SITES,
    UTRECHT,
    VELTA,
    keep,
    last,
    load,
    mention,
    scope,
    window,
)
from tests.few import few

pytestmark = pytest.mark.both

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

TEXTS = (
    "corvane lost my bag at the gate",
    "The gate was closed; my BAG is lost!",
    "OR so they say, AND nobody knows NEAR what",
    "refund of 12,50 euro, please: bag-less since June",
    "don't fly corvane",
    "it's a “great” day… für Ärger über Zürich",
    "प्लेन हिन्दी में देर से आया",
    "飛行機 が 遅れた",
    "самолёт опоздал снова",
    "DROP TABLE mention; -- or 1=1",
    "100% late * again (really) ^_^",
    "see #gate and @corvane now",
    "a\u202ereversed\u202c word",
    "🚀 to the moon",
)
SEARCHES = (
    "bag", "BAG", "lost bag", '"lost my bag"', '"my lost bag"', "gate -bag", "gate NOT bag", "ba*", '"AND"', "or they",
    "gate OR refund", "lost NEAR/2 bag", "my NEAR/0 bag", "':limit'", "'%s'", "🚀", "für", "zürich", "ZÜRICH",
    "हिन्दी", "самолёт", "опоздал СНОВА", "飛行機", "don't", "author:ada", "author:ada bag", "#gate", "@corvane",
    "bag-less", "12,50", "network:x bag", "lang:en gate", "lang:de gate", "(bag OR gate) -lost", "euro", "great day",
)  # fmt: skip
TYPED = (
    *SEARCHES, "NOT bag", "AND", "OR", "NEAR", "NEAR/3", "*", "^bag", "text:bag", "{bag gate}", '"', '""', '"bag',
    "bag\"'", "';--", "' OR '1'='1", "%", "_", ":limit", "!!! ???", "\x00", "bag\x00", "\ud800 bag", "(really)",
)  # fmt: skip


def made_up(dice: random.Random, count: int) -> list[Enriched]:
    return [
        mention(
            str(n),
            brand_id=dice.randint(1, 4),
            location_id=dice.choice((NOWHERE, *SITES)),
            team_id=dice.randint(1, 3),
            network=dice.choice(("x", "mastodon", "rss")),
            # Some share an instant, so that only the rest of the id tells them apart.
            posted_at=NOW - dice.choice((dice.random() * DAY, dice.random() * 40 * DAY, dice.randint(0, 9) * MINUTE)),
            text=dice.choice(TEXTS),
            author=dice.choice(("ada", "bob_the_builder")),
            name=dice.choice((None, "Grace Hopper")),
        )
        for n in range(count)
    ]


def holds(item: Enriched, search: str) -> bool:
    """What a rule of the same words says."""
    author, network = item.post.author.handle, item.post.network
    subject = Subject(item.post.text, author, item.language, network)
    return not search or parse(search).matches(subject) is not None


def plain(said: Sequence[Enriched], asked: Scope, span: Window) -> set[tuple[int, int, str]]:
    """(brand, network, external id) of what belongs to a scope and a window."""
    return {
        (item.brand_id, item.network_id, item.post.external_id)
        for item in said
        if item.brand_id in asked.brand_ids
        and (asked.location_ids is None or item.location_id in asked.location_ids)
        and (asked.team_ids is None or item.team_id in asked.team_ids)
        and (asked.network_ids is None or item.network_id in asked.network_ids)
        and span.start <= item.post.posted_at
        and (span.live or item.post.posted_at < span.end)
        and holds(item, asked.search)
    }


def keys(shown: Sequence[Shown]) -> list[tuple[int, int, str]]:
    return [(item.brand_id, item.network_id, item.external_id) for item in shown]


def any_scope(dice: random.Random) -> Scope:
    def some(values: Sequence[int], odds: float) -> list[int] | None:
        return dice.sample(values, dice.randint(1, len(values))) if dice.random() < odds else None

    return scope(
        dice.sample(range(1, 6), dice.randint(1, 5)),
        locations=some((NOWHERE, *SITES), 0.3),
        teams=some((1, 2, 3), 0.3),
        networks=some((2, 4, 7), 0.3),
        search=dice.choice(SEARCHES) if dice.random() < 0.5 else "",
    )


def any_window(dice: random.Random) -> Window:
    if dice.random() < 0.4:
        return last(dice.choice(("15m", "24h", "30d")))
    end = NOW - dice.random() * 20 * DAY
    return window(end - dice.random() * 20 * DAY, end.replace(microsecond=0), 900)


@pytest.mark.parametrize("seed", few(range(4), 1))
def test_the_newest_of_any_scope_are_the_newest_and_paging_finds_each_once(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    organisation = load(database)
    said = made_up(dice, 400)
    keep(database, said, organisation)
    asked_for = 0
    with database.read() as connection:
        for _ in range(60):
            asked, span = any_scope(dice), any_window(dice)
            belongs = plain(said, asked, span)
            page = dice.choice((7, 50))
            first = newest(connection, asked, span, limit=page)
            found = list(first)
            while len(found) % page == 0 and found:
                following = newest(connection, asked, span, limit=page, before_id=found[-1].id)
                if not following:
                    break
                found += following
            about = f"seed {seed}, {asked}, {span}"
            assert len(keys(found)) == len(set(keys(found))), about
            assert set(keys(found)) == belongs, about
            assert [item.id for item in found] == sorted((item.id for item in found), reverse=True), about
            instants = [item.posted_at.replace(microsecond=item.posted_at.microsecond // 1000 * 1000) for item in found]
            assert instants == sorted(instants, reverse=True), about
            asked_for += len(belongs)
    assert asked_for > 500


@pytest.mark.prove
@given(typed=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(TYPED), max_size=4).map(" ".join)))
@example(typed="AND")
@example(typed='"')
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_whatever_is_typed_is_searched_or_refused_and_breaks_nothing(database: Database, typed: str) -> None:
    asked = scope(range(1, 7), search=typed)
    with database.read() as connection:
        try:
            found = newest(connection, asked, EVERYTHING)
        except SearchError:
            found = ()
    assert all(isinstance(item, Shown) for item in found)


@pytest.mark.parametrize("typed", few(SEARCHES, 6))
def test_a_search_finds_what_holds_its_words(database: Database, typed: str) -> None:
    organisation = load(database)
    said = [mention(str(n), text=text, name="Grace Hopper" if n % 5 == 0 else None) for n, text in enumerate(TEXTS)]
    keep(database, said, organisation)
    asked = scope(search=typed)

    with database.read() as connection:
        found = newest(connection, asked, last("24h"))

    assert set(keys(found)) == plain(said, asked, last("24h"))


def test_people_are_searched_by_their_handle_and_texts_by_their_words(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", author="ada_l", name="Ada Lovelace", text="corvane")], organisation)

    with database.read() as connection:
        for typed, count in (("author:ada_l", 1), ("author:@Ada_L corvane", 1), ("lovelace", 0), ("author:ada", 0)):
            assert len(newest(connection, scope(search=typed), last("24h"))) == count, typed


def test_a_mention_is_shown_as_it_came(database: Database) -> None:
    organisation = load(database)
    said = mention(
        "7", text="corvane & <b>co</b>", author="ada", name="Ada", followers=12, url="https://example.org/7",
        place="Utrecht", location_id=UTRECHT, team_id=2, media=(("image", "a bag"), ("video", "")),
        matched=("corvane",), likes=3, replies=0, sentiment=-1,
    )  # fmt: skip
    keep(database, [said], organisation)

    with database.read() as connection:
        (shown,) = newest(connection, scope(), last("24h"))

    assert shown == Shown(
        brand_id=CORVANE, id=shown.id, network_id=BY_KEY["x"].id, external_id="7", posted_at=NOW - MINUTE,
        received_at=NOW, kind="post", author_handle="ada", author_name="Ada", author_followers=12,
        text="corvane & <b>co</b>", url="https://example.org/7", language="en", sentiment=-1,
        place="Utrecht", location_id=UTRECHT, team_id=2, media=(("image", "a bag"), ("video", "")),
        matched=("corvane",), likes=3, replies=0, reposts=None,
    )  # fmt: skip


def test_windows_are_half_open(database: Database) -> None:
    organisation = load(database)
    start, end = NOW - DAY, NOW - DAY + 15 * MINUTE
    start, end = (instant.replace(second=0, minute=instant.minute // 15 * 15) for instant in (start, end))
    tick = timedelta(microseconds=1)
    instants = {"before": start - tick, "first": start, "last": end - tick, "after": end}
    keep(database, [mention(name, posted_at=at) for name, at in instants.items()], organisation)

    with database.read() as connection:
        found = newest(connection, scope(), Window("", start, end, 60, live=False))

    assert [item.external_id for item in found] == ["last", "first"]


@pytest.mark.parametrize("pairs", [0, 64])
def test_many_places_are_walked_either_way(database: Database, monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    monkeypatch.setattr(mentions, "MOST_PAIRS", pairs)
    organisation = load(database)
    said = made_up(random.Random(9), 200)
    keep(database, said, organisation)
    asked = scope([CORVANE, HALDEN, VELTA], locations=[UTRECHT, AMSTERDAM_SITE])

    with database.read() as connection:
        found = newest(connection, asked, last("30d"), limit=500)

    assert set(keys(found)) == plain(said, asked, last("30d"))
    assert len(found) > 10


def test_a_thousand_brands_have_one_feed(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("1", brand_id=VELTA)], organisation)

    with database.read() as connection:
        found = newest(connection, scope(range(1, 1_001)), last("24h"))

    assert [item.brand_id for item in found] in ([CORVANE, VELTA], [VELTA, CORVANE])


def test_the_newest_instant_of_a_scope_is_known_however_old(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", posted_at=NOW - 900 * DAY), mention("2", brand_id=HALDEN)], organisation)

    with database.read() as connection:
        assert last_posted_at(connection, scope([CORVANE])) == NOW - 900 * DAY
        assert last_posted_at(connection, scope()) == NOW - MINUTE
        assert last_posted_at(connection, scope([VELTA])) is None
        assert last_posted_at(connection, scope([CORVANE], search="nothing of this")) is None


def test_an_export_holds_every_mention_of_its_scope(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "EXPORT_PAGE", 11)
    organisation = load(database)
    said = made_up(random.Random(3), 150)
    keep(database, said, organisation)

    with database.read() as connection:
        found = list(mentions.export_rows(connection, scope(), last("30d"), organisation))

    named = {(row["brand"], row["network"], row["external_id"]) for row in found}
    brands = {brand.id: brand.key for brand in organisation.brands}
    networks = {network.id: key for key, network in BY_KEY.items()}
    assert named == {(brands[b], networks[n], x) for b, n, x in plain(said, scope(), last("30d"))}
    assert len(found) == len(named) > 50
