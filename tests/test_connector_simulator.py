"""The simulated network: repeatable, exactly once, and alive."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from ingest.connectors import simulator
from ingest.connectors.simulator import Config, fetch, sources
from ingest.found import Cursor, Found, Gone
from ingest.simulation import agenda
from ingest.simulation.drafts import Draft, drafted, lines
from ingest.simulation.events import CARD_OUTAGE, HOME, LAUNCH, around
from ingest.simulation.fate import late_by
from ingest.simulation.identities import number_of
from ingest.simulation.ours import account_by_handle
from ingest.simulation.posts import Simulation
from ingest.simulation.world import MOODS, NETWORKS, NOISE, SITES, TALKS, organisation_file
from models.errors import ConnectorError
from models.networks import BY_KEY
from models.organisation_file import read
from models.rules import Subject, parse
from tests.simulated import SEED, START, history, live, pages

ORGANISATION = Path(__file__).parent.parent / "models" / "demo" / "meridian.toml"


@cache
def two_days() -> tuple[Found, ...]:
    """Everything posted in the two days before START, oldest first."""
    found = [item for page in pages(history(days=2), now=START) for item in page.found]
    return tuple(sorted(found, key=lambda item: item.posted_at))


def drafts(begin: datetime, end: datetime, *, step: int = 1, seed: int = SEED, per_day: float = 6000.0) -> list[Draft]:
    """What is meant by the posts of every `step`th minute, which a text alone does not tell."""
    start = int(START.timestamp())
    return [
        drafted(seed, network, minute, place, event)
        for minute in range(int(begin.timestamp()) // 60, int(end.timestamp()) // 60, step)
        for network, line in enumerate(lines(seed, start, per_day, minute))
        for place, event in enumerate(line)
    ]


def posts_in(begin: datetime, end: datetime, *, step: int, per_day: float = 6000.0) -> Counter[int]:
    """Posts a minute, for every `step`th minute; key = minutes since 1970."""
    start = int(START.timestamp())
    return Counter(
        {
            minute: sum(map(len, lines(SEED, start, per_day, minute)))
            for minute in range(int(begin.timestamp()) // 60, int(end.timestamp()) // 60, step)
        }
    )


@cache
def local_hours() -> dict[str, Counter[int]]:
    """How much was said at each site by the hour on its clock, over six days without its events."""
    hours: dict[str, Counter[int]] = {site.key: Counter() for site in SITES}
    for draft in drafts(START - timedelta(days=9), START - timedelta(days=3), step=7):
        if draft.event is None:
            site = SITES[draft.site]
            hours[site.key][datetime.fromtimestamp(draft.posted / 1_000_000, site.zone).hour] += 1
    return hours


def test_the_same_seed_gives_the_same_posts_whatever_the_size_of_a_page() -> None:
    large = fetch(history(page=1500), None, now=START).found
    small: list[Found] = []
    for page in pages(history(page=37), now=START):
        small += page.found
        if len(small) >= len(large):
            break

    assert small[: len(large)] == list(large)
    assert len(large) >= 1400


def test_another_seed_gives_other_posts() -> None:
    mine = fetch(history(), None, now=START).found
    other = fetch(history(seed=SEED + 1), None, now=START).found

    assert len(mine) > 500
    assert not {item.external_id for item in mine} & {item.external_id for item in other}


@pytest.mark.prove
def test_another_process_gives_the_same_posts() -> None:
    program = (
        "from tests.simulated import *\nprint(repr(fetch(history(page=200), None, now=START).found).encode().hex())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        cwd=ORGANISATION.parent.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert bytes.fromhex(answer.stdout.strip()).decode() == repr(fetch(history(page=200), None, now=START).found)


@pytest.mark.prove
def test_history_comes_newest_first_with_progress_and_ends() -> None:
    got = list(pages(history(), now=START))

    instants = [item.posted_at for page in got for item in page.found]
    assert instants == sorted(instants, reverse=True)
    assert instants[0] < START
    assert instants[-1] >= START - timedelta(days=1)
    progress = [page.progress for page in got]
    assert progress == sorted(progress, key=lambda share: share or 0.0)
    assert got[-1].progress == 1.0
    assert [page.done for page in got] == [False] * (len(got) - 1) + [True]
    assert all(len(page.found) < 1100 for page in got)
    assert got[-1].cursor == {"before": (START - timedelta(days=1)).isoformat()}


def test_a_finished_history_stays_finished() -> None:
    last = list(pages(history(), now=START))[-1]

    again = fetch(history(), last.cursor, now=START + timedelta(hours=1))

    assert again.found == ()
    assert again.done


def test_history_and_live_together_hand_out_every_post_exactly_once() -> None:
    now = START + timedelta(hours=2)
    told = [item for page in pages(history(), now=now) for item in page.found]
    for network in NETWORKS:
        told += [item for page in pages(live(network=network, page=60), now=now) for item in page.found]

    simulation = Simulation(SEED, int(START.timestamp()), 6000.0)
    begin, instant = START - timedelta(days=1), int(now.timestamp()) * 1_000_000
    expected: set[tuple[str, str]] = set()
    slow: set[tuple[str, str]] = set()
    for minute in range(int(begin.timestamp()) // 60, int(now.timestamp()) // 60 + 1):
        for post in agenda.posted(simulation, range(len(NETWORKS)), minute):
            said = agenda.state(simulation, post, instant)
            if isinstance(said, Found) and begin <= said.posted_at < now:
                key = (said.network, said.external_id)
                expected.add(key)
                if said.posted_at >= now - timedelta(minutes=40):
                    slow.add(key)
    again = Counter((item.network, item.external_id) for item in told)
    edited = {(item.network, item.external_id) for item in told if item.edited_at is not None}
    assert len(expected) > 4000
    assert len(expected - slow) > 3800
    assert expected - slow <= again.keys()
    assert {key for key, number in again.items() if number > 1} <= edited
    assert max(again.values()) == 2
    around_the_border = [item for item in told if abs(item.posted_at - START) < timedelta(minutes=1)]
    assert {item.posted_at >= START for item in around_the_border} == {True, False}


@pytest.mark.prove
def test_not_one_post_of_a_busy_minute_is_told_on_both_sides_of_the_border() -> None:
    busy = 150_000.0
    told = [
        *fetch(history(per_day=busy, page=600), None, now=START).found,
        *fetch(live(per_day=busy, page=600), None, now=START + timedelta(minutes=2)).found,
    ]

    border = int(START.timestamp()) // 60
    expected = Counter(
        made.number
        for made in Simulation(SEED, int(START.timestamp()), busy).drafts(range(len(NETWORKS)), border)
        if late_by(made.drawn) is None and not made.who.hides
    )
    near = Counter(
        number_of(item.network, item.external_id)
        for item in told
        if int(item.posted_at.timestamp()) // 60 == border and item.edited_at is None
    )
    assert expected.total() > 50
    assert {number: near[number] for number in expected} == expected


def test_live_hands_out_the_same_whether_asked_each_second_or_once() -> None:
    config = live(per_day=20_000.0)
    end = START + timedelta(minutes=5)
    at_once = [item for page in pages(config, now=end) for item in page.found]
    slow = 0

    ticking: list[Found] = []
    cursor: Cursor | None = None
    now = START
    while now < end:
        now = min(end, now + timedelta(seconds=1.7))
        for page in pages(config, now=now, cursor=cursor):
            cursor = page.cursor
            ticking += page.found
            for item in page.found:
                assert timedelta(seconds=0.5) <= now - item.posted_at
                slow += now - item.posted_at > timedelta(seconds=4 + 1.7)

    assert ticking == at_once
    assert len(at_once) > 50
    assert slow < 0.05 * len(at_once)


def test_a_live_source_that_was_off_catches_up_page_by_page() -> None:
    now = START + timedelta(days=1)

    got = list(pages(live(network="x", page=300), now=now))

    assert [page.more for page in got] == [True] * (len(got) - 1) + [False]
    assert all(290 <= len(page.found) + len(page.gone) <= 310 for page in got[:-1])
    assert sum(len(page.found) for page in got) > 1500
    assert got[-1].cursor == {"after": now.isoformat()}
    assert fetch(live(network="x"), got[-1].cursor, now=now).found == ()


def test_a_clock_that_was_set_back_brings_nothing_and_loses_nothing() -> None:
    cursor = {"after": (START + timedelta(hours=1)).isoformat()}

    page = fetch(live(), cursor, now=START + timedelta(minutes=30))

    assert page.found == ()
    assert page.cursor == cursor


def test_four_weeks_average_six_thousand_posts_a_day() -> None:
    step = 8
    counted = posts_in(START - timedelta(days=28), START, step=step)

    a_day = counted.total() * step / 28
    assert 5400 <= a_day <= 6600


def test_thirty_five_days_are_about_two_hundred_and_ten_thousand_posts() -> None:
    step = 16
    counted = posts_in(START - timedelta(days=35), START, step=step)

    assert 189_000 <= counted.total() * step <= 231_000


def test_the_volume_follows_the_rate() -> None:
    day = (START - timedelta(days=9), START - timedelta(days=8))
    plain = posts_in(*day, step=5).total()
    tenfold = posts_in(*day, step=5, per_day=60_000.0).total()
    slow = posts_in(*day, step=5, per_day=600.0).total()

    assert 9 <= tenfold / plain <= 11
    assert 0.06 <= slow / plain <= 0.15


def test_weekends_are_quieter_than_weekdays() -> None:
    by_day: Counter[int] = Counter()
    for minute, number in posts_in(START - timedelta(days=28), START, step=15).items():
        by_day[datetime.fromtimestamp(minute * 60, UTC).weekday()] += number

    weekday = sum(by_day[day] for day in range(5)) / 5
    weekend = (by_day[5] + by_day[6]) / 2
    assert 0.65 <= weekend / weekday <= 0.9


@pytest.mark.parametrize("key", ["amsterdam", "new-york", "singapore"])
def test_every_site_sleeps_at_its_own_night(key: str) -> None:
    hours = local_hours()[key]

    assert hours.total() > 100
    night = sum(hours[hour] for hour in (1, 2, 3, 4))
    evening = sum(hours[hour] for hour in (17, 18, 19, 20))
    assert night < 0.3 * evening


@pytest.mark.prove
def test_every_brand_every_site_and_every_network_is_heard() -> None:
    got = drafts(START - timedelta(days=2), START)

    assert {TALKS[draft.talk].key for draft in got} == {brand.key for brand in read(ORGANISATION).brands} | {NOISE}
    sites = {item.key for item in read(ORGANISATION).locations if item.kind == "site"}
    assert len(sites) == 24
    assert {SITES[draft.site].key for draft in got} == sites
    assert {item.network for item in two_days()} == set(NETWORKS)


def test_a_launch_six_hours_ago_and_an_outage_two_days_ago_stand_out() -> None:
    def talk(key: str, begin: datetime, end: datetime) -> list[Draft]:
        return [draft for draft in drafts(begin, end) if TALKS[draft.talk].key == key]

    launch = START - timedelta(hours=6)
    loud = talk("corvane", launch, launch + timedelta(hours=1))
    usual = talk("corvane", launch - timedelta(days=1), launch - timedelta(hours=23))
    assert len(loud) > 2.5 * len(usual) > 20

    outage = next(
        event
        for minute in range(int(START.timestamp()) // 60 - 72 * 60, int(START.timestamp()) // 60 - 48 * 60)
        for event in around(minute, SEED, int(START.timestamp()))
        if event.key == CARD_OUTAGE.key
    )
    begin = datetime.fromtimestamp(outage.begins * 60, UTC)
    assert begin.astimezone(HOME).strftime("%H:%M") == "13:58"
    spike = talk("halden-bank", begin + timedelta(minutes=15), begin + timedelta(minutes=75))
    before = talk("halden-bank", begin - timedelta(minutes=60), begin)
    assert 4 <= len(spike) / len(before) <= 9
    assert sum(MOODS[draft.mood] == "negative" for draft in spike) > 0.55 * len(spike)
    touched = Counter(SITES[draft.site].key for draft in spike)
    assert touched["amsterdam"] + touched["berlin"] > 0.9 * len(spike)


@pytest.mark.parametrize("hours", [0, 5, 31, 77, 100, 150])
def test_whenever_the_first_start_is_there_was_a_launch_and_an_outage(hours: int) -> None:
    start = int((START + timedelta(hours=hours)).timestamp())

    def begun(key: str, first: int, last: int) -> set[int]:
        minutes = range(start // 60 - first * 60, start // 60 - last * 60, 5)
        return {start // 60 - e.begins for m in minutes for e in around(m, SEED, start) if e.key == key}

    assert any(6 * 60 <= age <= 6.5 * 60 for age in begun(LAUNCH.key, 7, 5))
    assert any(48 * 60 <= age <= 73 * 60 for age in begun(CARD_OUTAGE.key, 73, 45))


def test_copies_repeat_the_words_of_a_post_that_exists() -> None:
    originals = {(item.network, item.external_id): item for item in two_days()}
    copies = [item for item in two_days() if item.kind == "repost" and item.posted_at > START - timedelta(days=1)]

    assert len(copies) > 200
    assert all(copy.repost_of for copy in copies)
    for copy in copies:
        original = originals[copy.network, copy.repost_of or ""]
        lead = f"RT @{original.author.handle}: " if copy.network == "x" else ""
        assert copy.text.startswith(lead)
        # Who copied before the author edited copied what was there.
        said = copy.text.removeprefix(lead)
        assert original.text.startswith(said) if original.edited_at else original.text == said


def test_answers_point_to_a_post_that_was_there_before() -> None:
    posted = {(item.network, item.external_id): item.posted_at for item in two_days()}
    answers = [item for item in two_days() if item.reply_to and item.posted_at > START - timedelta(days=1)]

    assert len(answers) > 400
    there = [answer for answer in answers if (answer.network, answer.reply_to) in posted]
    # The others answered a post that was deleted since.
    assert len(there) > 0.95 * len(answers)
    assert all(posted[answer.network, answer.reply_to or ""] < answer.posted_at for answer in there)


def test_every_post_is_fit_to_be_stored() -> None:
    for item in two_days():
        assert item.posted_at.utcoffset() == timedelta(0)
        assert item.text.strip()
        assert len(item.text) < 1000
        assert "{" not in item.text
        assert 0 < len(item.external_id) <= 512
        assert item.network in BY_KEY
        assert item.kind in {"post", "reply", "repost", "quote", "article"}
        assert urlsplit(item.url or "").hostname == "social.example"
        assert item.author.key
        assert item.author.handle
        ours = account_by_handle(NETWORKS.index(item.network), item.author.key)
        assert ours or item.author.handle.endswith(("_sim", ".example"))
        counts = (item.counts.likes, item.counts.replies, item.counts.reposts, item.counts.impressions)
        assert all(number is None or number >= 0 for number in counts)
        assert (item.latitude is None) == (item.longitude is None)


def test_a_network_is_silent_about_what_it_does_not_know() -> None:
    by_network = {key: [item for item in two_days() if item.network == key] for key in NETWORKS}

    assert all(item.language is None for key in ("reddit", "rss") for item in by_network[key])
    assert all(item.language for key in ("x", "bluesky", "mastodon", "youtube") for item in by_network[key])
    assert all(item.counts.likes is None and item.author.followers is None for item in by_network["rss"])
    assert all(item.counts.impressions is not None for item in by_network["x"])
    assert all(item.counts.impressions is None for item in by_network["mastodon"])
    assert any(item.place is None for item in by_network["x"])
    assert any(item.latitude is not None for item in by_network["x"])
    assert any(alt for item in two_days() for _, alt in item.media)


def test_a_day_of_texts_does_not_repeat_itself() -> None:
    own_words = [item for item in two_days() if item.kind != "repost" and item.posted_at > START - timedelta(days=1)]

    assert len({item.text for item in own_words}) > 0.85 * len(own_words)


def test_seven_languages_are_written_and_english_most() -> None:
    languages = Counter(draft.language for draft in drafts(START - timedelta(days=1), START))

    assert set(languages) == {"en", "de", "nl", "es", "pt", "ja", "fr"}
    assert 0.45 <= languages["en"] / languages.total() <= 0.75
    assert languages["nl"] / languages.total() > 0.06


def test_authors_write_again_and_stay_who_they_are() -> None:
    authors: dict[tuple[str, str], set[object]] = {}
    written = Counter(item.author.key for item in two_days())
    for item in two_days():
        authors.setdefault((item.network, item.author.key), set()).add((item.network, item.author, item.home))

    assert sum(number > 1 for number in written.values()) > 1000
    assert written.most_common(1)[0][1] < 60
    assert all(len(faces) == 1 for faces in authors.values())


def test_a_few_authors_are_heard_by_many() -> None:
    followers = sorted(item.author.followers for item in two_days() if item.author.followers is not None)

    assert 100 <= followers[len(followers) // 2] <= 500
    assert sum(followers) / len(followers) > 3 * followers[len(followers) // 2]
    assert followers[-1] > 50_000


def test_the_rules_of_the_demo_organisation_find_every_post_and_leave_the_rest_alone() -> None:
    rules = [(brand.key, parse(rule)) for brand in read(ORGANISATION).brands for rule in brand.rules]
    simulation = Simulation(SEED, int(START.timestamp()), 6000.0)
    meant: Counter[str] = Counter()
    for draft in drafts(START - timedelta(hours=8), START, step=2):
        if draft.kind == "repost":
            continue
        found = simulation.state(draft, draft.posted)
        if isinstance(found, Gone):
            continue
        subject = Subject(found.text, found.author.handle, draft.language, found.network)
        named = {key for key, rule in rules if rule.matches(subject) is not None}
        key = TALKS[draft.talk].key
        assert named == (set() if key == NOISE else {key}), found.text
        meant[key] += 1

    assert meant.total() > 800
    assert meant[NOISE] > 20


def test_the_demo_organisation_is_the_one_of_the_pictures() -> None:
    organisation = read(ORGANISATION)

    assert organisation.name == "Meridian Group"
    assert organisation.simulated
    assert [brand.key for brand in organisation.brands if brand.kind == "own"] == [
        "halden-bank",
        "corvane",
        "orchard-row",
        "velta",
    ]
    assert len(organisation.brands) == 11
    assert len(organisation.teams) == 9
    assert organisation_file() == ORGANISATION.read_text("utf-8")


def test_a_first_start_makes_six_live_sources_and_the_history_behind_them() -> None:
    specs = sources(seed=SEED, start=START, rate=2.0)

    assert [spec.name for spec in specs] == ["X", "Bluesky", "Mastodon", "Reddit", "YouTube", "RSS", "History"]
    assert all(spec.kind == "simulator" and spec.network in BY_KEY for spec in specs)
    configs = [Config.model_validate(spec.config) for spec in specs]
    assert {config.per_day for config in configs} == {12_000.0}
    assert {config.start for config in configs} == {START}
    assert all(spec.priority < specs[-1].priority for spec in specs[:-1])
    assert simulator.describe(configs[0]) == "X, simulated: about 12,000 posts a day on six networks, seed 7"
    assert simulator.describe(configs[-1]).startswith("Simulated history: 35 days before 2026-11-19 14:32 UTC")


@pytest.mark.parametrize("cursor", [{}, {"after": "yesterday"}, {"after": None}, {"after": "2026-11-19T14:32:07"}])
def test_a_cursor_that_is_not_ours_is_refused_with_the_way_out(cursor: dict[str, object]) -> None:
    with pytest.raises(ConnectorError, match="remove the source and add it again") as caught:
        fetch(live(), cursor, now=START + timedelta(minutes=1))

    assert caught.value.permanent


@pytest.mark.parametrize(
    "change", [{"network": "usenet"}, {"per_day": 0}, {"speed": 2}, {"start": "2026-11-19T14:32:07"}, {"seed": -1}]
)
def test_a_wrong_setting_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        live(**change)
