"""models/cube.py: every figure is what a plain count of the mentions gives, whatever cells it is put together of."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ingest.pipeline import Enriched
from models import cube
from models.access import Scope, Window
from models.cube import NOTHING, Tally
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
    if asked.search or (asked.needs_rows and span.end - span.start > cube.EACH_ONCE):
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
        if span.end - span.start > cube.EACH_ONCE:
            at = first.post.posted_at
            cell = edge_before(at, 3_600, "UTC") if span.step_seconds < 86_400 else midnight(local, zone)
            if edge_before(span.start, min(span.step_seconds, 3_600), "UTC") <= cell < end:
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


@given(seed=st.integers(0, 2**32))
@settings(MANY, max_examples=12)
def test_every_figure_is_what_a_plain_count_gives(database: Database, seed: int) -> None:
    compare(database, seed, mentions=150, questions=12)


@pytest.mark.prove
@pytest.mark.timeout(900)
@given(seed=st.integers(0, 2**32))
@settings(MANY, max_examples=250, derandomize=False)
def test_every_figure_of_many_worlds_is_what_a_plain_count_gives(database: Database, seed: int) -> None:
    compare(database, seed, mentions=300, questions=20)
