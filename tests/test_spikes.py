"""What is a spike and what is not; the benchmark's scoring rule; what a back-test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models import commands_spikes, spike_counts
from models.cube import forget_fine
from models.database import Database
from models.spike import Rule
from models.spikes import (
    CHANCE,
    COOL_DOWN,
    PAST_DAYS,
    RULES,
    STEP,
    Counts,
    chance,
    least_share,
    spikes,
    strength,
)
from tests.bench import nab
from tests.builders import CORVANE, add_source, keep, load, mention
from tests.command_line import Terminal, terminal

__all__ = ["terminal"]

START = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1) // STEP
HOUR = timedelta(hours=1) // STEP
VOLUME = tuple(rule for rule in RULES if rule.kind == "volume")


def ordinary(days: int, *, mean: float = 4.0, seed: int = 1) -> list[int]:
    """What a brand of so many mentions per five minutes gets by chance, more by day than by night."""
    curve = 1 + 0.8 * np.sin(np.arange(days * DAY) * 2 * np.pi / DAY)
    return [int(count) for count in np.random.default_rng(seed).poisson(mean * curve)]


def with_burst(counts: Sequence[int], at: int, *, size: int = 60, steps: int = 12) -> list[int]:
    """The counts with so many more in each of some steps."""
    return [count + (size if at <= place < at + steps else 0) for place, count in enumerate(counts)]


def test_a_burst_is_one_spike_and_said_while_it_lasts() -> None:
    at = 29 * DAY + 100
    found = spikes(Counts.of(START, with_burst(ordinary(30), at)))
    assert [spike.kind for spike in found] == ["volume"]
    assert START + at * STEP < found[0].at <= START + (at + 3) * STEP


def test_ordinary_days_are_no_spike() -> None:
    counts = Counts.of(START, ordinary(56))
    assert spikes(counts) == ()
    # And not because nothing is looked at.
    assert 0.5 < strength(counts, RULES[0]).max() < 1


def test_three_after_nothing_never_alarms_and_thirty_do() -> None:
    nothing = [0] * (30 * DAY)
    for seen in (1, 3, 4):
        assert spikes(Counts.of(START, with_burst(nothing, 29 * DAY, size=seen, steps=1))) == ()
    found = spikes(Counts.of(START, with_burst(nothing, 29 * DAY, size=30, steps=1)))
    assert len(found) == 1
    assert "the least that counts for a brand this small" in found[0].sentence()


@pytest.mark.prove
def test_a_decision_uses_nothing_that_came_later() -> None:
    counts = with_burst(with_burst(ordinary(40), 29 * DAY + 7), 31 * DAY + 100)
    whole = spikes(Counts.of(START, counts))
    assert len(whole) == 2
    for cut in (29 * DAY + 7 + 2, 30 * DAY, 31 * DAY + 103):
        known = START + cut * STEP
        assert spikes(Counts.of(START, counts[:cut])) == tuple(spike for spike in whole if spike.at <= known)


@pytest.mark.parametrize("rule", RULES)
def test_how_strong_a_step_is_does_not_change_when_more_is_known(rule: Rule) -> None:
    # Few days, so that every day's peak is felt.
    mentions = with_burst(ordinary(5, mean=20), 3 * DAY + 30, size=40, steps=40)
    negative = [count // (2 + place % 5) for place, count in enumerate(mentions)]
    whole = strength(Counts.of(START, mentions, negative=negative, scored=mentions), rule)
    assert whole.max() > 0.5
    for cut in range(3 * DAY, 4 * DAY, 37):
        known = Counts.of(START, mentions[:cut], negative=negative[:cut], scored=mentions[:cut])
        assert np.array_equal(strength(known, rule), whole[:cut])


def test_an_event_that_goes_on_alarms_again_only_after_the_cool_down() -> None:
    first, quiet = 29 * DAY, COOL_DOWN // STEP
    during = with_burst(with_burst(ordinary(33), first), first + 12 + quiet // 2)
    after = with_burst(with_burst(ordinary(33), first), first + 12 + quiet + 3)
    lasting = with_burst(ordinary(33), first, steps=quiet + 60)
    assert len(spikes(Counts.of(START, during))) == 1
    assert len(spikes(Counts.of(START, lasting))) == 1
    assert len(spikes(Counts.of(START, after))) == 2


@pytest.mark.prove
def test_what_nobody_listened_to_neither_alarms_nor_counts_into_the_past() -> None:
    at = 29 * DAY + 100
    counts = with_burst(ordinary(30), at)
    blind = [(START + at * STEP, START + (at + 12) * STEP)]
    assert spikes(Counts.of(START, counts, unheard=blind)) == ()
    # Days of silence that were no silence do not bring the level down.
    deaf = [0 if 8 * DAY <= place < 28 * DAY else count for place, count in enumerate(counts)]
    away = [(START + 8 * DAY * STEP, START + 28 * DAY * STEP)]
    level = spikes(Counts.of(START, counts))[0].level
    assert spikes(Counts.of(START, deaf, unheard=away))[0].level == pytest.approx(level, rel=0.15)
    assert spikes(Counts.of(START, deaf))[0].level < 0.9 * level


def test_a_step_that_touches_a_span_is_not_heard() -> None:
    span = (START + timedelta(minutes=7), START + timedelta(minutes=15))
    assert Counts.of(START, [1, 1, 1, 1], unheard=[span]).heard.tolist() == [True, False, False, True]
    assert Counts.of(START, [1, 1], unheard=[(START - STEP, START)]).heard.all()


def test_one_launch_a_week_does_not_hide_the_next() -> None:
    counts = ordinary(36)
    for week in range(5):
        counts = with_burst(counts, (7 * week + 3) * DAY + 150)
    assert [spike.at.date() for spike in spikes(Counts.of(START, counts))] == [
        (START + timedelta(days=7 * week + 3)).date() for week in range(5)
    ]


def test_more_negative_than_on_other_days_is_a_spike_of_its_own() -> None:
    mentions = ordinary(30)
    rng = np.random.default_rng(3)
    negative = [int(rng.binomial(count, 0.2)) for count in mentions]
    at = 29 * DAY + 80
    bad = [round(0.9 * count) if at <= place < at + HOUR else negative[place] for place, count in enumerate(mentions)]
    assert spikes(Counts.of(START, mentions, negative=negative, scored=mentions)) == ()
    found = spikes(Counts.of(START, mentions, negative=bad, scored=mentions))
    assert [spike.kind for spike in found] == ["negative"]
    assert found[0].share_negative is not None
    assert found[0].share_negative > 0.4
    assert "negative of" in found[0].sentence()


def test_a_spike_says_its_arithmetic() -> None:
    at = 29 * DAY + 100
    counts = with_burst(ordinary(30), at)
    negative = [count // 2 for count in counts]
    spike = spikes(Counts.of(START, counts, negative=negative, scored=counts), rules=VOLUME)[0]
    assert spike.count == sum(counts[at - 1 : at + 2]) or spike.count == sum(counts[at - 2 : at + 1])
    assert spike.bar == pytest.approx(spike.rule.factor * spike.level + spike.rule.margin)
    assert spike.days == PAST_DAYS
    said = replace(spike, share_one_post=0.31).sentence()
    for part in (
        f"{spike.count} mentions in 15 minutes, where {spike.expected:.0f} are usual",
        f"over {spike.bar:.1f} = 1.5 × {spike.level:.1f} + 1",
        f"85 % of the past 28 days stay under {spike.level:.1f}",
        " % negative",
        "31 % are copies of one post.",
    ):
        assert part in said
    assert "\n" not in said


@pytest.mark.prove
def test_asking_for_the_newest_finds_what_asking_for_all_finds() -> None:
    counts = Counts.of(START, with_burst(with_burst(ordinary(40), 30 * DAY), 38 * DAY + 50))
    since = START + timedelta(days=36)
    assert spikes(counts, since=since) == tuple(spike for spike in spikes(counts) if spike.at > since)
    assert len(spikes(counts, since=since)) == 1


def test_nothing_is_judged_before_there_are_two_days() -> None:
    assert spikes(Counts.of(START, with_burst([1] * (2 * DAY), DAY + 200))) == ()
    assert spikes(Counts.of(START, [])) == ()
    assert len(spikes(Counts.of(START, with_burst([1] * (3 * DAY), 2 * DAY + 200)))) == 1


def test_counts_that_begin_inside_an_hour_are_judged_like_the_rest_of_them() -> None:
    counts = with_burst(ordinary(40), 38 * DAY + 50)
    whole = spikes(Counts.of(START, counts))
    later = spikes(Counts.of(START + 7 * STEP, counts[7:]))
    assert [spike.at for spike in whole] == [spike.at for spike in later]
    assert whole[0].level == later[0].level


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.5), (4.0, 4.0), (7.0, 40.0)])
def test_the_chance_of_a_count_is_that_of_a_negative_binomial(mean: float, variance: float) -> None:
    rng = np.random.default_rng(5)
    if variance > mean:
        size = mean**2 / (variance - mean)
        drawn = rng.negative_binomial(size, size / (size + mean), 400_000)
    else:
        drawn = rng.poisson(mean, 400_000)
    for count in (1, 3, 8, 15):
        assert chance(count, mean, variance) == pytest.approx(float((drawn >= count).mean()), abs=0.003)
    assert chance(0, mean, variance) == 1.0
    assert chance(500, mean, variance) < CHANCE


def test_the_lower_end_of_a_share_is_wilsons() -> None:
    # 5 of 10 with three deviations: (0.5 + 0.45 - 3 sqrt(0.025 + 0.0225)) / 1.9
    assert least_share(np.array([5.0, 0.0]), np.array([10.0, 0.0]))[0] == pytest.approx(0.1559, abs=1e-4)
    assert np.isnan(least_share(np.array([0.0]), np.array([0.0]))[0])


# -- the benchmark's rule ----------------------------------------------------------------------------------

STANDARD = nab.Profile(1.0, 1.0, 0.11)
MADE_UP = nab.Company("made up", START, (0,) * 2000, ((400, 499), (1000, 1199)))


def points(detections: Sequence[int], company: nab.Company = MADE_UP) -> float:
    return nab.normalised(nab.raw_score(company, detections, STANDARD), len(company.windows), STANDARD)


def test_saying_nothing_scores_0_and_opening_every_window_100() -> None:
    assert points([]) == 0.0
    assert points([400, 1000]) == pytest.approx(100.0)
    assert points([400]) == pytest.approx(50.0)


def test_a_hit_late_in_its_window_earns_less_and_only_the_first_counts() -> None:
    # Half way: sigmoid(-0.5) / sigmoid(-1) = 0.8483 / 0.9866.
    assert nab.raw_score(MADE_UP, [450, 460, 470, 1000], STANDARD) == pytest.approx(0.8483 / 0.9866 + 1.0, abs=1e-4)
    assert 0 < nab.raw_score(MADE_UP, [499, 1000], STANDARD) - 1.0 < 0.05


def test_a_false_alert_costs_011_less_right_after_a_window_and_nothing_while_learning() -> None:
    perfect = [400, 1000]
    full = nab.raw_score(MADE_UP, perfect, STANDARD)
    assert full - nab.raw_score(MADE_UP, [350, *perfect], STANDARD) == pytest.approx(0.11)
    assert full - nab.raw_score(MADE_UP, [510, *perfect], STANDARD) == pytest.approx(0.11 * 0.2709, abs=1e-3)
    assert MADE_UP.probation == 300
    assert nab.raw_score(MADE_UP, [299, *perfect], STANDARD) == full
    assert MADE_UP.false_alerts([299, 300, 399, 400, 500]) == 3
    assert replace(MADE_UP, counts=(0,) * 20_000).probation == 750


def test_the_benchmark_is_read_as_it_was_published(data: Path) -> None:
    rule = nab.profile(data / "nab")
    found = nab.companies(data / "nab")
    assert (rule.hit, rule.miss, rule.false_alert) == (1.0, 1.0, 0.11)
    assert len(found) >= 6
    for company in found:
        assert len(company.counts) > 15_000
        assert points([], company) == 0.0
        assert points([first for first, _ in company.windows], company) == pytest.approx(100.0)


# -- what is stored ----------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 19, 14, 32, 10, tzinfo=UTC)


def test_counts_come_from_the_rollups_and_hours_without_source_or_mention_are_not_heard(database: Database) -> None:
    current = load(database)
    add_source(database)
    at = NOW.replace(minute=0, second=0) - timedelta(hours=3)
    posts = [mention(str(n), posted_at=at + timedelta(minutes=n), sentiment=(-1, 0, None)[n % 3]) for n in range(9)]
    keep(database, posts, current)
    with database.read() as connection:
        counts = spike_counts.counts_of(
            connection, CORVANE, current, start=NOW - timedelta(days=2), end=NOW - timedelta(hours=1)
        )
    place = (at - counts.start) // STEP
    assert counts.start == NOW.replace(minute=0, second=0) - timedelta(days=2)
    assert counts.mentions[place : place + 3].tolist() == [5, 4, 0]
    assert counts.negative[place : place + 2].tolist() == [2, 1]
    assert counts.scored[place : place + 2].tolist() == [4, 2]
    assert counts.heard.nonzero()[0].tolist() == list(range(place, place + 12))
    assert counts.end(len(counts.mentions) - 1) <= NOW - timedelta(hours=1)


def test_days_older_than_the_fine_cells_are_counted_from_rows(database: Database) -> None:
    current = load(database)
    add_source(database)
    at = (NOW - timedelta(days=60)).replace(minute=0, second=0)
    keep(database, [mention(str(n), posted_at=at + timedelta(minutes=n)) for n in range(6)], current)
    with database.write() as connection:
        forget_fine(connection, NOW)
    with database.read() as connection:
        counts = spike_counts.counts_of(connection, CORVANE, current, start=at, end=at + timedelta(days=3))
    assert counts.mentions[:3].tolist() == [5, 1, 0]
    assert counts.mentions.sum() == 6


@pytest.mark.prove
def test_the_back_test_says_when_it_would_have_spoken_and_how_often(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = terminal.database()
    current = load(database)
    source_id = add_source(database)
    edge = NOW.replace(minute=0, second=0)
    burst = edge - timedelta(days=2, hours=3)
    times = [edge - timedelta(minutes=20 * n) for n in range(3 * 24 * 12)]
    times += [burst + timedelta(seconds=10 * n) for n in range(60)]
    keep(database, [mention(str(n), posted_at=at) for n, at in enumerate(times)], current, source_id=source_id)
    database.close()
    monkeypatch.setattr(commands_spikes, "now", lambda: NOW)
    said = terminal.sees("spikes", "backtest", "--brand", "corvane", "--days", "10").splitlines()
    assert len(said) == 2
    assert said[0].startswith("2026-11-17 12:05 CET  ")
    assert "30 mentions in 5 minutes" in said[0] or "mentions in 15 minutes, where 1 are usual" in said[0]
    assert said[1] == "Corvane: 1 spike in 10.0 days in which we listened, 0.10 a day."
    quiet = terminal.sees("spikes", "backtest", "--brand", "corvane", "--days", "10", "--factor", "50")
    assert quiet == "Corvane: 0 spikes in 10.0 days in which we listened, 0.00 a day.\n"
    assert "nobody listened in the past 3 days" in terminal.sees(
        "spikes", "backtest", "--brand", "velta", "--days", "3"
    )


def test_the_back_test_refuses_what_it_cannot_judge(terminal: Terminal) -> None:
    load(terminal.database())
    assert terminal.is_told("spikes", "backtest", "--brand", "nobody").startswith('no brand "nobody"; known: ')
    for flag, value, rule in (
        ("--days", "0", "must be 1 to 400"),
        ("--factor", "0", "must be 0.1 to 100"),
        ("--cool-down", "-1", "must be 0 to 9600 hours"),
    ):
        assert rule in terminal.is_told("spikes", "backtest", "--brand", "corvane", flag, value)
