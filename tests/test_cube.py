"""models/cube: every figure is what a plain count of the mentions gives, whatever cells it is put together of."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from ingest.pipeline import Enriched
from models import cube
from models.access import Scope, Window
from models.cube import NOTHING, Tally, reading, truth
from models.cube import cells as cells_module
from models.database import Database
from models.organisation import Organisation
from tests.builders import (
    AMSTERDAM,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    HALDEN,
    KOLKATA,
    NOW,
    NOWHERE,
    SITES,
    UTRECHT,
    VELTA,
    edge_before,
    keep,
    last,
    load,
    mention,
    number,
    rows,
    scope,
    window,
)
from tests.few import few

pytestmark = pytest.mark.both

MICROSECOND = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Zones with the days on which their clocks change (in 2026), or any day where they do not: an hour, half an hour, at
# midnight; and zones half and a quarter of an hour off.
CHANGES: dict[str, tuple[date, ...]] = {
    AMSTERDAM: (date(2026, 3, 29), date(2026, 10, 25)),
    KOLKATA: (date(2026, 7, 1),),
    "Asia/Kathmandu": (date(2026, 7, 1),),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/Los_Angeles": (date(2026, 3, 8), date(2026, 11, 1)),
}
AUTHORS = [(f"author {n}", followers) for n, followers in enumerate((None, 0, 1, 10, 250, 3_000, 999_983, 7))]
WORDS = ("late", "bag", "refund", "great", "gate")
STEPS = (60, 300, 900, 3_600, 21_600, 86_400)


# -- the plain count ---------------------------------------------------------------------------------------


def is_in(item: Enriched, asked: Scope, brand_ids: Iterable[int]) -> bool:
    return (
        item.brand_id in brand_ids
        and (asked.location_ids is None or item.location_id in asked.location_ids)
        and (asked.team_ids is None or item.team_id in asked.team_ids)
        and (asked.network_ids is None or item.network_id in asked.network_ids)
        and all(word in item.post.text.split() for word in asked.search.split())
    )


def edges_of(asked: Window, zone: str) -> list[datetime]:
    """Where the steps begin, and where the last one ends."""
    edges = [asked.start]
    while edges[-1] < asked.end:
        if asked.step_seconds < 86_400:
            edges.append(edges[-1] + timedelta(seconds=asked.step_seconds))
        else:
            following = edges[-1].astimezone(ZoneInfo(zone)).date() + DAY
            edges.append(datetime.combine(following, time(), ZoneInfo(zone)).astimezone(UTC))
    return edges


def counted(
    mentions: Sequence[Enriched], asked: Scope, brand_ids: Sequence[int], span: Window, zone: str
) -> dict[int, list[Tally]]:
    """One tally a step and brand, reach left out. A live window counts the step that now lies in to its end."""
    edges = edges_of(span, zone)
    end = edges[-1] if span.live else span.end
    found = {brand_id: [NOTHING] * (len(edges) - 1) for brand_id in brand_ids}
    for item in mentions:
        if is_in(item, asked, brand_ids) and span.start <= item.post.posted_at < end:
            step = bisect_right(edges, item.post.posted_at) - 1
            found[item.brand_id][step] = plus(found[item.brand_id][step], tally(item))
    return found


def tally(item: Enriched) -> Tally:
    counts = item.post.counts
    return Tally(
        mentions=1,
        positive=item.sentiment == 1,
        neutral=item.sentiment == 0,
        negative=item.sentiment == -1,
        unscored=item.sentiment is None,
        likes=counts.likes or 0,
        replies=counts.replies or 0,
        reposts=counts.reposts or 0,
    )


def plus(a: Tally, b: Tally) -> Tally:
    return Tally(*(getattr(a, name) + getattr(b, name) for name in cube.VALUES))


def without_reach(tallies: Iterable[Tally]) -> list[Tally]:
    return [replace(item, reach=0) for item in tallies]


def reached(mentions: Sequence[Enriched], asked: Scope, span: Window, zone: str) -> int:
    """Reach of mentions in the order in which they were stored.

    An author counts once a brand and local day, with the followers, the place, the team and the instant of the mention
    that was stored first. Up to two days each author counts once.
    """
    end = span.end + MICROSECOND if span.live else span.end
    each_once: dict[tuple[int, str], int] = {}
    if asked.search or (asked.needs_rows and span.end - span.start > reading.EACH_ONCE):
        for item in mentions:
            if is_in(item, asked, asked.brand_ids) and span.start <= item.post.posted_at < end:
                key = (item.network_id, item.post.author.key)
                each_once[key] = max(each_once.get(key, 0), item.post.author.followers or 0)
        return sum(each_once.values())
    days: dict[tuple[int, date, int, str], list[Enriched]] = {}
    for item in mentions:
        if item.post.author.followers:
            local = item.post.posted_at.astimezone(ZoneInfo(zone)).date()
            days.setdefault((item.brand_id, local, item.network_id, item.post.author.key), []).append(item)
    total = 0
    for (_, local, network_id, author), posts in days.items():
        first = posts[0]
        if not is_in(first, asked, asked.brand_ids):
            continue
        if span.end - span.start > reading.EACH_ONCE:
            at = first.post.posted_at
            # Whole days where the steps are days, else whole hours.
            in_days = span.step_seconds >= 86_400
            cell = midnight(local, zone) if in_days else edge_before(at, 3_600, "UTC")
            if (span.start if in_days else edge_before(span.start, 3_600, "UTC")) <= cell < end:
                total += first.post.author.followers or 0
        elif any(span.start <= item.post.posted_at < end for item in posts):
            key = (network_id, author)
            each_once[key] = max(each_once.get(key, 0), first.post.author.followers or 0)
    return total + sum(each_once.values())


def midnight(local: date, zone: str) -> datetime:
    return datetime.combine(local, time(), ZoneInfo(zone)).astimezone(UTC)


# -- made up -----------------------------------------------------------------------------------------------


def made_up(dice: random.Random, now: datetime, change: date, zone: str, count: int) -> list[Enriched]:
    """Mentions of the last forty days, many on the day the clocks change, on edges of quarters and of days."""
    day = midnight(change, zone)

    def instant() -> datetime:
        return dice.choice(
            (
                lambda: now - dice.random() * 40 * DAY,
                lambda: now - dice.random() * DAY,
                lambda: now - dice.random() * 20 * MINUTE,
                lambda: now + dice.random() * 3 * HOUR,
                lambda: day + dice.random() * DAY,
                lambda: day + dice.choice((-MICROSECOND, 0 * MICROSECOND, DAY, DAY - MICROSECOND)),
                lambda: edge_before(now - dice.random() * 2 * DAY, 900, zone) - dice.choice((0, 1)) * MICROSECOND,
            )
        )()

    found = []
    for n in range(count):
        author, followers = dice.choice(AUTHORS)
        found.append(
            mention(
                str(n),
                brand_id=dice.randint(1, 6),
                location_id=dice.choice((NOWHERE, *SITES)),
                team_id=dice.randint(1, 4),
                network=dice.choice(("x", "mastodon", "rss")),
                posted_at=instant(),
                text=" ".join(dice.sample(WORDS, 3)),
                author=author,
                followers=followers if followers is None else followers + dice.randint(0, 3),
                sentiment=dice.choice((-1, 0, 1, None)),
                likes=dice.choice((None, 0, dice.randint(1, 10**6))),
                replies=dice.choice((None, 2)),
                reposts=dice.choice((None, 5)),
            )
        )
    return found


def any_scope(dice: random.Random) -> Scope:
    def some(values: Sequence[int], odds: float) -> list[int] | None:
        return dice.sample(values, dice.randint(1, len(values))) if dice.random() < odds else None

    brands = dice.sample(range(1, 7), dice.randint(1, 4))
    return scope(
        brands,
        tracked={*brands, 5},
        locations=some((NOWHERE, *SITES), 0.35),
        teams=some((1, 2, 3, 4), 0.35),
        networks=some((2, 4, 7), 0.35),
        search=dice.choice(WORDS) if dice.random() < 0.15 else "",
    )


def any_window(dice: random.Random, now: datetime, zone: str) -> Window:
    live = dice.random() < 0.4
    end = now if live else dice.choice((now, now - dice.random() * 30 * DAY, edge_before(now, 900, zone)))
    end = end.replace(microsecond=0)
    if dice.random() < 0.6:
        return last(dice.choice(("15m", "1h", "24h", "7d", "30d", "1y")), now=end, live=live, zone=zone)
    span = dice.choice((HOUR, 5 * HOUR, DAY, 2 * DAY, 3 * DAY, 20 * DAY)) * (0.5 + dice.random())
    step = next(step for step in STEPS if span.total_seconds() / step <= 400)
    return window(end - span, end, dice.choice([step, *(s for s in STEPS if s > step)][:2]), live=live, zone=zone)


def store_in_chunks(
    database: Database, organisation: Organisation, mentions: list[Enriched], dice: random.Random, now: datetime
) -> None:
    at = 0
    while at < len(mentions):
        size = dice.randint(1, 90)
        keep(database, mentions[at : at + size], organisation, now=now)
        at += size


def emptied(database: Database) -> None:
    with database.write() as connection:
        for table in ("mention", "cube", "author_day", "post", "change"):
            connection.execute(text(f"delete from {table}"))
        if database.is_sqlite:
            connection.execute(text("insert into mention_text (mention_text) values ('delete-all')"))


def compare(database: Database, seed: int, *, mentions: int, questions: int) -> None:
    """One made-up world: what is stored, and everything that is asked of it."""
    dice = random.Random(seed)
    zone = dice.choice(sorted(CHANGES))
    change = dice.choice(CHANGES[zone])
    now = (midnight(change, zone) + dice.random() * 12 * DAY).replace(microsecond=0)
    emptied(database)
    organisation = replace(load(database), zone=zone)
    said = made_up(dice, now, change, zone, mentions)
    store_in_chunks(database, organisation, said, dice, now)
    with database.read() as connection:
        assert cube.check(connection, organisation, now) == []
        for _ in range(questions):
            asked, span = any_scope(dice), any_window(dice, now, zone)
            about = f"seed {seed}, {zone}, {asked}, {span}"
            edges = edges_of(span, zone)
            of_each = cube.by_brand(connection, asked, span, organisation)
            plain = counted(said, asked, asked.tracked_ids, span, zone)
            assert {brand: without_reach(found.tallies) for brand, found in of_each.items()} == plain, about
            together = cube.series(connection, asked, span, organisation)
            plain = counted(said, asked, asked.brand_ids, span, zone)
            sums = [sum_of(column) for column in zip(*plain.values(), strict=True)]
            assert list(together.starts) == edges[:-1], about
            assert without_reach(together.tallies) == sums, about
            assert without_reach([together.total]) == [sum_of(sums)], about
            assert (together.step_seconds, together.partial) == (span.step_seconds, False)
            assert cube.reach(connection, asked, span, organisation).value == reached(said, asked, span, zone), about


def sum_of(tallies: Iterable[Tally]) -> Tally:
    total = NOTHING
    for item in tallies:
        total = plus(total, item)
    return total


MANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


@pytest.mark.prove
@given(seed=st.integers(0, 2**32))
@settings(MANY, max_examples=3)
def test_every_figure_is_what_a_plain_count_gives(database: Database, seed: int) -> None:
    compare(database, seed, mentions=150, questions=12)


@pytest.mark.prove
@pytest.mark.timeout(900)
@given(seed=st.integers(0, 2**32))
@example(seed=282_589)
@settings(MANY, max_examples=100, derandomize=False)
def test_every_figure_of_many_worlds_is_what_a_plain_count_gives(database: Database, seed: int) -> None:
    compare(database, seed, mentions=300, questions=20)


# -- one thing at a time -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "hours"), few([(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)], 1)
)
def test_a_local_day_has_the_hours_of_its_clock(database: Database, change: date, hours: int) -> None:
    organisation = load(database)
    start = midnight(change, AMSTERDAM)
    every_half_hour = [start - HOUR + n * 30 * MINUTE for n in range(54)]
    keep(database, [mention(str(n), posted_at=at) for n, at in enumerate(every_half_hour)], organisation)

    with database.read() as connection:
        found = cube.series(connection, scope(), window(start, start + 26 * HOUR, 86_400), organisation)

    assert found.starts == (start, start + hours * HOUR)
    assert found.tallies[0].mentions == 2 * hours


def test_windows_begin_on_the_clock_of_a_zone_half_an_hour_off(database: Database) -> None:
    """14:30 in Kolkata is 9:00 in UTC: an hour of UTC lies in two hours there."""
    organisation = load(database, zone=KOLKATA)
    hour = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
    keep(database, [mention(str(n), posted_at=hour + n * 20 * MINUTE) for n in range(6)], organisation)

    with database.read() as connection:
        found = cube.series(connection, scope(), last("7d", zone=KOLKATA), organisation)

    counts = {start: tally.mentions for start, tally in zip(found.starts, found.tallies, strict=True) if tally.mentions}
    assert counts == {hour: 3, hour + HOUR: 3}


def test_a_window_in_days_that_ends_at_noon_leaves_the_afternoon_out(database: Database) -> None:
    organisation = load(database)
    noon = datetime(2026, 6, 10, 10, tzinfo=UTC)
    keep(database, [mention("1", posted_at=noon - MINUTE), mention("2", posted_at=noon + MINUTE)], organisation)

    with database.read() as connection:
        found = cube.series(connection, scope(), last("1y", now=noon, live=False), organisation)

    assert found.total.mentions == 1


def test_what_a_network_dates_in_the_future_is_not_counted_yet(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("2", posted_at=NOW + 20 * HOUR, text="corvane early")], organisation)

    with database.read() as connection:
        for name in ("15m", "1h", "24h", "7d"):
            for asked in (scope(), scope(networks=[2]), scope(search="corvane")):
                assert cube.series(connection, asked, last(name), organisation).total.mentions == 1, (name, asked)


def test_rows_and_cells_give_the_same_figures(database: Database) -> None:
    """A word that stands in every text makes a scope that only rows answer."""
    organisation = load(database)
    dice = random.Random(8)
    said = [
        mention(
            str(n), brand_id=dice.choice((CORVANE, HALDEN)), posted_at=NOW - dice.random() * 6 * DAY,
            text="corvane it is", sentiment=dice.choice((-1, 0, 1, None)), likes=dice.randint(0, 9),
            location_id=dice.choice(SITES),
        )
        for n in range(200)
    ]  # fmt: skip
    keep(database, said, organisation)

    with database.read() as connection:
        for name in ("1h", "24h", "7d", "30d"):
            for asked in (scope(), scope([HALDEN]), scope(locations=[UTRECHT]), scope(networks=[2])):
                cells = cube.series(connection, asked, last(name), organisation)
                counted_rows = cube.series(connection, replace(asked, search="corvane"), last(name), organisation)
                assert without_reach(cells.tallies) == without_reach(counted_rows.tallies)
                assert cells.starts == counted_rows.starts


def test_a_mention_is_counted_in_twelve_cells_that_no_sum_can_replace(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", location_id=UTRECHT, team_id=DUTCH_CARE)], organisation)

    kept = rows(database, "select granularity, location_id, team_id, network_id from cube")

    everything, network = (0, 0, 0), (0, 0, 2)
    place, team = (UTRECHT, 0, 2), (0, DUTCH_CARE, 2)
    assert sorted(tuple(cell.values()) for cell in kept) == sorted(
        [(300, *everything)]
        + [(900, *cell) for cell in (network, place, team)]
        + [(granularity, *cell) for granularity in (3_600, 86_400) for cell in (everything, network, place, team)]
    )


def test_cells_of_sets_that_are_no_longer_kept_are_not_counted_and_go_when_rebuilt(database: Database) -> None:
    """Databases of the first schema hold one location and one team without their networks, and quarters of all."""
    organisation = load(database)
    keep(database, made_up(random.Random(3), NOW, date(2026, 10, 25), AMSTERDAM, 120), organisation)
    questions = [
        (asked, last(name))
        for asked in (scope(), scope(locations=[UTRECHT, BERLIN]), scope(teams=[DUTCH_CARE]), scope(networks=[2, 4]))
        for name in ("1h", "24h", "7d", "30d", "1y")
    ]

    def answers() -> list[object]:
        with database.read() as connection:
            return [
                (cube.series(connection, *question, organisation), cube.reach(connection, *question, organisation))
                for question in questions
            ]

    before, kept = answers(), number(database, "select count(*) from cube")
    values = ", ".join(f"sum({name})" for name in cube.VALUES)
    with database.write() as connection:
        for place, team, of in (("location_id", "0", "location_id > 0"), ("0", "team_id", "team_id > 0")):
            connection.execute(
                text(
                    f"insert into cube select brand_id, granularity, {place}, {team}, 0, bucket, {values} from cube"
                    f" where {of} and network_id > 0 group by brand_id, granularity, location_id, team_id, bucket"
                )
            )
        connection.execute(
            text(
                f"insert into cube select brand_id, 900, 0, 0, 0, bucket, {values} from cube where granularity = 900"
                " and location_id = 0 and team_id = 0 group by brand_id, bucket"
            )
        )
    with database.read() as connection:
        found = cube.check(connection, organisation, NOW - 10 * DAY)
    after, added = answers(), number(database, "select count(*) from cube") - kept
    with database.write() as connection:
        for brand in organisation.brands:
            cube.rebuild(connection, brand.id, organisation, NOW - 10 * DAY)

    assert after == before
    assert added > 500
    assert len(found) == added
    assert number(database, "select count(*) from cube") == kept


def test_cells_do_not_depend_on_the_order_of_storing(database: Database) -> None:
    dice = random.Random(4)
    said = made_up(dice, NOW, date(2026, 10, 25), AMSTERDAM, 200)
    columns = ", ".join(name for name in cube.VALUES if name != "reach")
    keys = ", ".join(cells_module.KEYS)
    statement = f"select {keys}, {columns} from cube where mentions <> 0 order by {keys}"
    seen = []
    for _ in range(3):
        emptied(database)
        organisation = load(database)
        dice.shuffle(said)
        store_in_chunks(database, organisation, said, dice, NOW)
        seen.append(rows(database, statement))

    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) > 1_000


def test_a_scope_of_location_and_team_is_counted_from_rows(database: Database) -> None:
    organisation = load(database)
    both = {"location_id": UTRECHT, "team_id": DUTCH_CARE}
    keep(
        database,
        [mention("1", **both), mention("2", location_id=UTRECHT), mention("3", team_id=DUTCH_CARE)],
        organisation,
    )

    with database.read() as connection:
        asked = scope(locations=[UTRECHT], teams=[DUTCH_CARE])
        assert cube.series(connection, asked, last("24h"), organisation).total.mentions == 1


def test_a_figure_from_more_rows_than_are_read_says_that_it_is_a_part(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = load(database)
    keep(database, [mention(str(n), posted_at=NOW - n * MINUTE) for n in range(30)], organisation)
    asked = scope(search="corvane")

    with database.read() as connection:
        assert not cube.series(connection, asked, last("24h"), organisation).partial
        monkeypatch.setattr(reading, "ROW_LIMIT", 29)
        assert cube.series(connection, asked, last("24h"), organisation).partial
        assert not cube.series(connection, scope(), last("24h"), organisation).partial


def test_nobody_has_places_that_are_gone(database: Database) -> None:
    """A person limited to a location that no longer exists sees zero, and no error."""
    organisation = load(database)
    keep(database, [mention("1", followers=5)], organisation)
    nowhere = scope(locations=[])

    with database.read() as connection:
        for asked in (nowhere, replace(nowhere, search="corvane"), replace(nowhere, team_ids=(1,))):
            for name in ("1h", "7d"):
                assert cube.series(connection, asked, last(name), organisation).total == NOTHING
                assert cube.reach(connection, asked, last(name), organisation).value == 0


# -- reach -------------------------------------------------------------------------------------------------


def test_reach_counts_each_author_once_up_to_two_days_and_adds_days_beyond(database: Database) -> None:
    organisation = load(database)
    noon = datetime(2026, 11, 19, 11, tzinfo=UTC)
    posts = [mention(str(n), posted_at=noon - n * 12 * HOUR, author="ada", followers=100) for n in range(9)]
    keep(database, [*posts, mention("other", posted_at=noon, author="bob", followers=7)], organisation)

    with database.read() as connection:
        two_days = cube.reach(connection, scope(), window(noon - 2 * DAY, noon + MINUTE, 900), organisation)
        exactly = cube.reach(connection, scope(), Window("", noon - 2 * DAY, noon, 900, live=True), organisation)
        week = cube.reach(connection, scope(), last("7d", now=noon), organisation)

    assert two_days == cube.Reach(3 * 100 + 7, each_once=False)
    assert exactly == cube.Reach(107, each_once=True)
    assert week == cube.Reach(5 * 100 + 7, each_once=False)


def test_an_author_of_two_brands_is_reached_once(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1", followers=100), mention("1", brand_id=HALDEN, followers=100)], organisation)

    with database.read() as connection:
        assert cube.reach(connection, scope(), last("24h"), organisation).value == 100
        assert cube.reach(connection, scope([HALDEN]), last("24h"), organisation).value == 100


def test_an_author_before_and_after_a_window_was_not_inside(database: Database) -> None:
    organisation = load(database)
    keep(
        database,
        [mention(str(n), posted_at=NOW - n * HOUR, followers=100) for n in (1, 7)]
        + [mention("inside", posted_at=NOW - 4 * HOUR, author="bob", followers=30)],
        organisation,
    )

    with database.read() as connection:
        inside = cube.reach(connection, scope(), window(NOW - 5 * HOUR, NOW - 3 * HOUR, 300), organisation)
        whole = cube.reach(connection, scope(), window(NOW - 5 * HOUR, NOW, 300), organisation)

    assert (inside.value, whole.value) == (30, 130)


# -- holding them true -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    few(
        [
            "update cube set likes = likes + 1 where granularity = 3600 and location_id + team_id + network_id = 0",
            "delete from cube where granularity = 900 and team_id = 3",
            "insert into cube values (2, 86400, 0, 0, 0, 1700000000, 1, 0, 1, 0, 0, 0, 0, 0, 0)",
            "update cube set reach = 0",
            "delete from mention where external_id = '7'",
            "update mention set sentiment = 1 where sentiment = -1",
            "update mention set location_id = 7 where location_id = 6",
            "update author_day set followers = followers + 1",
        ],
        2,
    ),
)
def test_a_cell_that_is_not_what_its_rows_say_is_found_and_mended(database: Database, damage: str) -> None:
    organisation = load(database)
    dice = random.Random(2)
    keep(database, made_up(dice, NOW, date(2026, 10, 25), AMSTERDAM, 120), organisation)
    with database.write() as connection:
        connection.execute(text(damage))

    with database.read() as connection:
        found = cube.check(connection, organisation, NOW)
    with database.write() as connection:
        for brand_id in {difference.key[0] for difference in found}:
            cube.rebuild(connection, brand_id, organisation, NOW)
    with database.read() as connection:
        mended = cube.check(connection, organisation, NOW)

    assert found
    assert all(difference.stored != difference.counted for difference in found)
    assert mended == []


def test_rebuilding_what_is_true_changes_nothing(database: Database) -> None:
    organisation = load(database)
    keep(database, made_up(random.Random(6), NOW, date(2026, 10, 25), AMSTERDAM, 150), organisation)
    keep(database, made_up(random.Random(7), NOW, date(2026, 10, 25), AMSTERDAM, 150), organisation)
    keys = f"{', '.join(cells_module.KEYS)}"
    value = " + ".join(f"abs({name})" for name in cube.VALUES)
    statement = f"select * from cube where {value} > 0 order by {keys}"
    before = rows(database, statement)

    with database.write() as connection:
        for brand in organisation.brands:
            # Cells older than are kept fine are left out, so it is rebuilt as of the day of the oldest.
            cube.rebuild(connection, brand.id, organisation, NOW - 10 * DAY)

    assert rows(database, statement) == before


def test_what_is_forgotten_is_answered_from_rows(database: Database) -> None:
    organisation = load(database)
    old = NOW - 60 * DAY
    posts = [mention(str(n), posted_at=old - n * 7 * MINUTE, location_id=(UTRECHT, BERLIN)[n % 2]) for n in range(100)]
    keep(database, [*posts, mention("new")], organisation)
    questions = [(asked, last(name, now=old, live=False)) for asked in (scope(), scope(locations=[UTRECHT]))
                 for name in ("1h", "24h", "7d")]  # fmt: skip
    with database.read() as connection:
        before = [cube.series(connection, asked, span, organisation) for asked, span in questions]

    with database.write() as connection:
        forgotten = cube.forget_fine(connection, NOW)

    with database.read() as connection:
        after = [cube.series(connection, asked, span, organisation) for asked, span in questions]
        assert cube.check(connection, organisation, NOW) == []
    oldest = number(database, "select min(bucket) from cube where granularity < 3600")
    assert forgotten > 250
    assert oldest >= (NOW - cube.FINE_KEPT).timestamp() - 900
    assert [without_reach(item.tallies) for item in after] == [without_reach(item.tallies) for item in before]
    assert sum(item.total.mentions for item in after) > 100


def test_what_comes_in_late_for_a_forgotten_day_is_counted_whole(database: Database) -> None:
    organisation = load(database)
    old = NOW - 60 * DAY
    keep(database, [mention(str(n), posted_at=old - n * MINUTE) for n in range(20)], organisation)
    with database.write() as connection:
        cube.forget_fine(connection, NOW)

    keep(database, [mention("late", posted_at=old - 3 * MINUTE)], organisation)

    with database.read() as connection:
        found = cube.series(connection, scope(), last("24h", now=old, live=False), organisation)
        long_ago = window(old - 2 * DAY, NOW, 900, live=True)
        assert cube.series(connection, scope(), long_ago, organisation).total.mentions == 21
    assert found.total.mentions == 20


def test_a_check_beside_a_running_ingest_finds_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = load(database)
    keep(database, [mention("before")], organisation)
    count = truth._count

    def count_while_others_write(connection: Connection, brand_id: int, zone: str) -> object:
        found = count(connection, brand_id, zone)
        keep(database, [mention(f"meanwhile {brand_id}")], organisation)
        return found

    monkeypatch.setattr(truth, "_count", count_while_others_write)
    with database.read() as connection:
        assert cube.check(connection, organisation, NOW) == []
    assert number(database, "select count(*) from mention") > 1


def test_a_brand_is_rebuilt_alone(database: Database) -> None:
    organisation = load(database)
    keep(database, [mention("1"), mention("1", brand_id=VELTA)], organisation)
    with database.write() as connection:
        connection.execute(text("update cube set mentions = 9"))
        cube.rebuild(connection, CORVANE, organisation, NOW)

    with database.read() as connection:
        assert {difference.key[0] for difference in cube.check(connection, organisation, NOW)} == {VELTA}


# -- tallies -----------------------------------------------------------------------------------------------


def test_net_sentiment_leaves_out_what_is_not_scored() -> None:
    assert Tally(mentions=10, positive=3, neutral=2, negative=1, unscored=4).net_sentiment == pytest.approx(100 / 3)
    assert Tally(mentions=4, unscored=4).net_sentiment is None
    assert NOTHING.net_sentiment is None


@given(
    st.lists(
        st.tuples(*[st.integers(-(2**50), 2**50)] * 3, st.integers(0, 2**50), st.sampled_from((-1, 0, 1, None))),
        max_size=40,
    )
)
@settings(MANY, max_examples=60)
def test_cells_add_up_whatever_the_signs(changes: list[tuple[int, int, int, int, int | None]]) -> None:
    """A tally travels as one large integer; negative values borrow from the field above them."""
    cells = cube.Cells("UTC")
    expected = [0] * len(cube.VALUES)
    for likes, replies, reposts, reach, sentiment in changes:
        packed = cube.packed_mention(sentiment, likes, replies, reposts) + cube.packed_reach(reach)
        cells.add(2, 1, 1, 2, 1_000_000_000, packed)
        added = tally(mention(sentiment=sentiment))
        one = replace(added, likes=likes, replies=replies, reposts=reposts, reach=reach)
        expected = [sum_ + getattr(one, name) for sum_, name in zip(expected, cube.VALUES, strict=True)]
        cells.add(2, 1, 1, 2, 1_000_000_000, cube.packed_engagement(-1, -2, -3))
        expected = [
            value - {"likes": 1, "replies": 2, "reposts": 3}.get(name, 0)
            for name, value in zip(cube.VALUES, expected, strict=True)
        ]

    found = {tuple(cells_module.unpack(packed)) for packed in cells.rows().values()}

    assert found == ({tuple(expected)} if changes else set())
