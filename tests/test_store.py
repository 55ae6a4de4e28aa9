"""ingest/store.py: what comes in is stored once and counted once, whatever is said twice."""

from __future__ import annotations

import itertools
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.door import LARGEST_COUNT, safe_text
from ingest.found import SetAside
from ingest.ledger import Fetched, cover, put_aside, write_ledger
from ingest.store import Stored
from models import cube
from models.database import DATABASE_ERRORS, Database
from models.sources import gaps
from tests.builders import (
    CORVANE,
    HALDEN,
    NOW,
    UNMATCHED,
    VELTA,
    add_source,
    keep,
    load,
    mention,
    number,
    rows,
    window,
)
from tests.few import few

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)


def page(count: int = 40, **given: Any) -> list[Any]:
    return [
        mention(str(n), posted_at=NOW - n * MINUTE, author=f"author {n % 7}", followers=10 * (n % 7), likes=n, **given)
        for n in range(count)
    ]


def cells(database: Database, brand_id: int = CORVANE) -> dict[str, int]:
    """The sums of one brand's days."""
    found = rows(
        database,
        "select coalesce(sum(mentions), 0) as mentions, coalesce(sum(likes), 0) as likes,"
        " coalesce(sum(replies), 0) as replies, coalesce(sum(reposts), 0) as reposts, coalesce(sum(reach), 0) as reach"
        " from cube where brand_id = :brand and granularity = 86400 and location_id = 0 and team_id = 0"
        " and network_id = 0",
        brand=brand_id,
    )[0]
    return {name: int(value) for name, value in found.items()}


def changes(database: Database) -> dict[tuple[str, int], int]:
    found = rows(database, "select topic, brand_id, n from change")
    return {(row["topic"], row["brand_id"]): row["n"] for row in found}


def test_a_page_read_twice_adds_nothing(database: Database) -> None:
    organisation = load(database)
    first = keep(database, page(), organisation)
    before = cells(database), changes(database)

    again = keep(database, page(), organisation, now=NOW + MINUTE)

    assert first == Stored(40, 0, (CORVANE,))
    assert again == Stored(0, 40, ())
    assert (cells(database), changes(database)) == before
    assert before[0]["mentions"] == number(database, "select count(*) from mention") == 40


def test_equal_ids_on_two_networks_are_two_posts(database: Database) -> None:
    organisation = load(database)

    stored = keep(database, [mention("7"), mention("7", network="mastodon")], organisation)

    assert stored.new == 2
    assert number(database, "select count(*) from mention where external_id = '7'") == 2


def test_a_post_that_names_two_brands_is_two_mentions(database: Database) -> None:
    organisation = load(database)

    stored = keep(database, [mention("7"), mention("7", brand_id=HALDEN)], organisation)

    assert stored == Stored(2, 0, (CORVANE, HALDEN))
    assert cells(database)["mentions"] == cells(database, HALDEN)["mentions"] == 1


def test_what_no_brand_claims_belongs_to_brand_one(database: Database) -> None:
    organisation = load(database)

    keep(database, [mention("7", brand_id=UNMATCHED)], organisation)

    assert cells(database, UNMATCHED)["mentions"] == 1
    assert cells(database)["mentions"] == 0


def test_a_post_twice_in_one_page_is_stored_once_with_its_later_counts(database: Database) -> None:
    organisation = load(database)
    twice = [mention("7", likes=3, replies=1, text="corvane first"), mention("7", likes=5, text="corvane second")]

    stored = keep(database, twice, organisation)

    assert stored == Stored(1, 1, (CORVANE,))
    assert rows(database, "select text, likes, replies from mention") == [
        {"text": "corvane first", "likes": 5, "replies": 1}
    ]
    assert cells(database) == {"mentions": 1, "likes": 5, "replies": 1, "reposts": 0, "reach": 0}


def test_the_later_counts_of_a_known_post_twice_in_one_page_win(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("7", likes=1)], organisation)

    keep(database, [mention("7", likes=3, replies=2), mention("7", likes=5)], organisation)

    assert cells(database)["likes"] == 5
    assert cells(database)["replies"] == 2


def test_ids_follow_the_instants(database: Database) -> None:
    organisation = load(database)
    shuffled = page(300)
    random.Random(5).shuffle(shuffled)

    for start in range(0, 300, 37):
        keep(database, shuffled[start : start + 37], organisation)

    by_id = rows(database, "select posted_at from mention order by id")
    assert by_id == sorted(by_id, key=lambda row: row["posted_at"])
    assert len(by_id) == 300


@pytest.mark.prove
def test_three_thousand_posts_of_one_millisecond_get_three_thousand_ids(database: Database) -> None:
    organisation = load(database)
    posts = [mention(f"post {n}", brand_id=(CORVANE, HALDEN)[n % 2]) for n in range(3_000)]

    for start in range(0, 3_000, 500):
        keep(database, posts[start : start + 500], organisation)

    assert number(database, "select count(distinct id) from mention") == 3_000


def test_ids_that_collide_are_moved_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is 22 bits wide, so that a busy millisecond has collisions: here every post of it collides."""
    organisation = load(database)
    monkeypatch.setattr("ingest.store.zlib.crc32", lambda _: 11)

    keep(database, [mention(f"first {n}") for n in range(30)], organisation)
    keep(database, [mention(f"second {n}") for n in range(30)], organisation)

    assert number(database, "select count(distinct id) from mention") == 60
    assert number(database, "select max(id) - min(id) from mention") == 59


@pytest.mark.parametrize(
    ("said", "kept"),
    few(
        [
            ((5, 7), 7),
            ((7, 5), 5),
            ((7, 0), 0),
            ((7, None), 7),
            ((None, 7), 7),
            ((None, None), None),
            ((5, 7, 7, 5, None, 9), 9),
        ],
        3,
    ),
)
def test_engagement_is_counted_once_as_it_changes(
    database: Database, said: tuple[int | None, ...], kept: int | None
) -> None:
    organisation = load(database)

    for hour, likes in enumerate(said):
        keep(database, [mention("7", likes=likes, reposts=2)], organisation, now=NOW + timedelta(hours=hour))

    assert rows(database, "select likes, reposts from mention") == [{"likes": kept, "reposts": 2}]
    assert cells(database) == {"mentions": 1, "likes": kept or 0, "replies": 0, "reposts": 2, "reach": 0}
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []


def test_a_difference_reaches_every_brand_of_the_post_and_no_other(database: Database) -> None:
    organisation = load(database)
    both = [mention("7", likes=1), mention("7", brand_id=HALDEN, likes=1), mention("8", brand_id=VELTA, likes=1)]
    keep(database, both, organisation)
    before = changes(database)

    again = keep(database, [mention("7", likes=9), mention("7", brand_id=HALDEN, likes=9), both[2]], organisation)

    assert again == Stored(0, 3, (CORVANE, HALDEN))
    assert [cells(database, brand)["likes"] for brand in (CORVANE, HALDEN, VELTA)] == [9, 9, 1]
    raised = {key for key, count in changes(database).items() if count != before.get(key)}
    assert raised == {("mentions", CORVANE), ("mentions", HALDEN)}


def test_the_post_keeps_its_newest_measurement(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("7", likes=1, replies=4)], organisation)
    assert rows(database, "select * from post") == []

    keep(database, [mention("7", likes=6)], organisation, now=NOW + timedelta(hours=1))
    keep(database, [mention("7", likes=4, impressions=900)], organisation, now=NOW + timedelta(hours=2))

    measured = rows(database, "select likes, replies, impressions, measured_at from post")
    newest = int((NOW + timedelta(hours=2)).timestamp() * 1_000_000)
    assert measured == [{"likes": 4, "replies": None, "impressions": 900, "measured_at": newest}]


def test_impressions_that_grow_alone_are_kept(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("7", likes=1, impressions=10)], organisation)

    keep(database, [mention("7", likes=1, impressions=90)], organisation)

    assert number(database, "select impressions from mention") == 90
    assert number(database, "select impressions from post") == 90


def test_text_that_databases_dislike_is_kept_as_the_door_wrote_it(database: Database) -> None:
    organisation = load(database)
    hostile = "corvane \x00 \ud800 \u202e {\"a\": 'b'} \\ NULL %s :x \U0001f680 " + "x" * 1_000_000
    safe = safe_text(hostile)

    keep(database, [mention('{"7"}, \\ NULL', text=safe, author='"a", {b} \\', likes=1)], organisation)
    again = keep(database, [mention('{"7"}, \\ NULL', text=safe, author='"a", {b} \\', likes=2)], organisation)

    assert again.repeated == 1
    assert rows(database, "select text, author_key, likes from mention") == [
        {"text": safe, "author_key": '"a", {b} \\', "likes": 2}
    ]


@pytest.mark.prove
def test_the_largest_counts_a_thousand_times_do_not_break_a_page(database: Database) -> None:
    organisation = load(database)
    posts = [mention(str(n), likes=LARGEST_COUNT, followers=LARGEST_COUNT, author=f"a{n}") for n in range(2_000)]

    for start in range(0, 2_000, 500):
        keep(database, posts[start : start + 500], organisation)

    assert cells(database)["likes"] == 2_000 * LARGEST_COUNT
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []


def test_an_author_is_reached_once_a_brand_and_day(database: Database) -> None:
    organisation = load(database)
    day = timedelta(days=1)
    posts = [
        mention("1", followers=500),
        mention("2", followers=700),
        mention("3", followers=500, posted_at=NOW - day),
        mention("4", followers=500, brand_id=HALDEN),
        mention("5", followers=500, network="bluesky"),
        mention("6", followers=None, author="silent"),
        mention("7", followers=0, author="nobody"),
    ]

    keep(database, posts[:1], organisation)
    keep(database, posts[1:], organisation)

    assert cells(database)["reach"] == 1_500
    assert cells(database, HALDEN)["reach"] == 500


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    organisation = load(database)
    before = changes(database)
    broken = [*page(5), mention("6", brand_id=HALDEN, kind=None)]

    with pytest.raises(DATABASE_ERRORS):
        keep(database, broken, organisation)

    assert number(database, "select count(*) from mention") == 0
    assert number(database, "select count(*) from cube") == 0
    assert changes(database) == before


def test_workers_that_store_the_same_posts_at_once_store_each_once(database: Database) -> None:
    """Four sources bring overlapping posts of the same brands in different orders."""
    organisation = load(database)
    everything = [
        mention(str(n), brand_id=brand, author=f"a{n % 5}", followers=10, likes=n, posted_at=NOW - n * MINUTE)
        for n in range(60)
        for brand in (CORVANE, HALDEN, VELTA)
    ]
    started = threading.Barrier(4)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        mine = dice.sample(everything, 150)
        started.wait(10)
        try:
            for start in range(0, 150, 25):
                keep(database, mine[start : start + 25], organisation, source_id=seed)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    brought = {
        (item.brand_id, item.post.external_id)
        for seed in range(1, 5)
        for item in random.Random(seed).sample(everything, 150)
    }
    assert failures == []
    assert number(database, "select count(*) from mention") == len(brought) > 150
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []


# -- set aside ---------------------------------------------------------------------------------------------


def test_what_cannot_be_stored_is_kept_once_with_its_bytes(database: Database) -> None:
    source_id = add_source(database)
    raw = bytes(range(256)) * 3
    records = [
        SetAside("line 17", "there is no text", raw),
        SetAside("line 17", "there is no text", raw),
        SetAside("line 18", "there is no text", raw),
    ]

    for expected in (2, 0):
        with database.write() as connection:
            assert put_aside(connection, records, source_id=source_id, now=NOW) == expected

    kept = rows(database, "select place, reason, raw from set_aside order by place")
    assert [(row["place"], bytes(row["raw"])) for row in kept] == [("line 17", raw), ("line 18", raw)]


def test_a_reason_that_quotes_hostile_text_is_kept(database: Database) -> None:
    source_id = add_source(database)
    record = SetAside("line \x00", 'followers "\x00\udc80" is no number', b"\x00")

    with database.write() as connection:
        put_aside(connection, [record], source_id=source_id, now=NOW)

    assert rows(database, "select place, reason from set_aside") == [
        {"place": "line \\u0000", "reason": 'followers "\\u0000\\udc80" is no number'}
    ]


# -- the ledger --------------------------------------------------------------------------------------------


def write(database: Database, source_id: int, at: datetime, *, worker: str = "w", **given: Any) -> None:
    with database.write() as connection:
        line = Fetched(started_at=at, ended_at=at + timedelta(seconds=given.pop("seconds", 1)), **given)
        write_ledger(connection, line, source_id=source_id, worker=worker)


def ledger(database: Database) -> list[tuple[Any, ...]]:
    found = rows(database, 'select fetches, items, error_kind, seconds from "fetch" order by ended_at')
    return [tuple(row.values()) for row in found]


def test_quiet_fetches_of_a_quarter_of_an_hour_are_one_line(database: Database) -> None:
    source_id = add_source(database)
    quarter = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)

    for second in range(0, 900, 60):
        write(database, source_id, quarter + timedelta(seconds=second), seconds=1 + second / 60)
    write(database, source_id, quarter + timedelta(minutes=15))

    assert ledger(database) == [(15, 0, None, 15.0), (1, 0, None, 1.0)]


@pytest.mark.parametrize(
    "between",
    [{"items": 3}, {"set_aside": 1}, {"cost": 0.5}, {"error_kind": "passing", "error": "no answer"}, {"worker": "v"}],
)
def test_a_fetch_that_was_not_quiet_stands_alone(database: Database, between: dict[str, Any]) -> None:
    source_id = add_source(database)
    quarter = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)

    write(database, source_id, quarter)
    write(database, source_id, quarter + MINUTE, **between)
    write(database, source_id, quarter + 2 * MINUTE)
    write(database, source_id, quarter + 3 * MINUTE)

    assert [row[0] for row in ledger(database)] == [1, 1, 2]


def test_two_sources_have_lines_of_their_own(database: Database) -> None:
    one, two = add_source(database), add_source(database, "another")

    write(database, one, NOW)
    write(database, two, NOW + timedelta(seconds=2))
    write(database, one, NOW + timedelta(seconds=4))

    assert rows(database, 'select source_id, fetches from "fetch" order by source_id') == [
        {"source_id": one, "fetches": 2},
        {"source_id": two, "fetches": 1},
    ]


# -- coverage ----------------------------------------------------------------------------------------------


def at(hour: float) -> datetime:
    return datetime(2026, 11, 19, tzinfo=UTC) + timedelta(hours=hour)


def spans(database: Database) -> list[tuple[float, float]]:
    start = int(at(0).timestamp() * 1_000_000)
    found = rows(database, "select covered_from, covered_to from coverage order by source_id, covered_from")
    return [((row["covered_from"] - start) / 3.6e9, (row["covered_to"] - start) / 3.6e9) for row in found]


@pytest.mark.parametrize(
    ("asked", "joined"),
    [
        ([(1, 2), (2, 3)], [(1, 3)]),
        ([(2, 3), (1, 2)], [(1, 3)]),
        ([(1, 2), (4, 5)], [(1, 2), (4, 5)]),
        ([(1, 2), (4, 5), (2, 4)], [(1, 5)]),
        ([(1, 2), (4, 5), (0, 9)], [(0, 9)]),
        ([(1, 5), (2, 3)], [(1, 5)]),
        ([(2, 3), (2, 5)], [(2, 5)]),
        ([(1, 2), (3, 4), (5, 6), (1.5, 3.5)], [(1, 4), (5, 6)]),
    ],
)
def test_spans_of_a_source_join_where_they_touch(
    database: Database, asked: list[tuple[float, float]], joined: list[tuple[float, float]]
) -> None:
    source_id = add_source(database)

    for start, end in asked:
        with database.write() as connection:
            cover(connection, source_id, (at(start), at(end)), joins_all=False)

    assert spans(database) == joined


def test_spans_in_any_order_cover_what_was_asked(database: Database) -> None:
    """Against a count of minutes, for a hundred random spans."""
    dice = random.Random(3)
    source_id = add_source(database)
    asked: set[int] = set()
    for _ in range(100):
        start = dice.randrange(0, 1_400)
        end = start + dice.randrange(1, 30)
        asked |= set(range(start, end))
        with database.write() as connection:
            cover(connection, source_id, (at(start / 60), at(end / 60)), joins_all=False)

    covered = [minute for start, end in spans(database) for minute in range(round(start * 60), round(end * 60))]
    assert covered == sorted(asked)
    ends = spans(database)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))


@pytest.mark.parametrize("order", [[(1, 2), (5, 6)], [(5, 6), (1, 2)], [(1, 9), (2, 3)]])
def test_a_continuous_source_has_one_span(database: Database, order: list[tuple[float, float]]) -> None:
    source_id = add_source(database)

    for start, end in order:
        with database.write() as connection:
            cover(connection, source_id, (at(start), at(end)), joins_all=True)

    assert spans(database) == [(1, max(end for _, end in order))]


def test_a_gap_is_what_no_source_covered(database: Database) -> None:
    one, two = add_source(database), add_source(database, "another")
    with database.write() as connection:
        for source_id, start, end in ((one, 1, 4), (two, 3, 6), (one, 8, 9), (two, 8.25, 8.5)):
            cover(connection, source_id, (at(start), at(end)), joins_all=False)

    with database.read() as connection:
        assert gaps(connection, window(at(0), at(10), 900)) == ((at(0), at(1)), (at(6), at(8)), (at(9), at(10)))
        assert gaps(connection, window(at(2), at(5), 900)) == ()
        assert gaps(connection, window(at(6.5), at(7.5), 900)) == ((at(6.5), at(7.5)),)
