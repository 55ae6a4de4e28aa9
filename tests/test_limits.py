"""When a network may be asked: quotas shared by every worker, headers believed within bounds, our own back-off."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.limits import LONGEST_WAIT, UNHEARD_REQUESTS, WINDOW, Limiter, own_wait
from models.database import Database
from models.errors import ConnectorError
from tests.few import few

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
APP, ENDPOINT = "acme", "search"
SECOND = timedelta(seconds=1)


def headers(limit: object, remaining: object, reset: datetime | str | None) -> dict[str, str]:
    word = str(int(reset.timestamp())) if isinstance(reset, datetime) else reset
    named = {"x-rate-limit-limit": str(limit), "x-rate-limit-remaining": str(remaining)}
    return named if word is None else {**named, "x-rate-limit-reset": word}


def wait(limiter: Limiter, now: datetime) -> float:
    """Seconds to wait, 0 where a request was allowed and booked."""
    try:
        limiter.ask(APP, ENDPOINT, now)
    except ConnectorError as error:
        refusal = error
    else:
        return 0.0
    assert (refusal.kind, refusal.permanent) == ("rate_limited", False)
    assert refusal.retry_after is not None
    assert 1 <= refusal.retry_after <= 900
    return refusal.retry_after


def allowed(limiter: Limiter, now: datetime, most: int = 1_000) -> int:
    """How many requests are allowed at one instant."""
    return next((number for number in range(most) if wait(limiter, now)), most)


@pytest.fixture
def limiter(database: Database) -> Limiter:
    return Limiter(database, chance=random.Random(1))


def test_a_quota_that_was_heard_is_counted_down_and_begins_anew_at_its_reset(limiter: Limiter) -> None:
    limiter.ask(APP, ENDPOINT, NOW)
    quota = limiter.heard(APP, ENDPOINT, 200, headers(10, 3, NOW + timedelta(minutes=5)), NOW)

    assert quota.left == 0.3
    assert allowed(limiter, NOW) == 3
    assert wait(limiter, NOW) == 301
    assert wait(limiter, NOW + timedelta(seconds=300)) == 1
    assert allowed(limiter, NOW + timedelta(seconds=301)) == 10


def test_apps_and_endpoints_have_quotas_of_their_own(limiter: Limiter) -> None:
    limiter.heard(APP, ENDPOINT, 200, headers(10, 0, NOW + timedelta(minutes=5)), NOW)

    assert wait(limiter, NOW) > 0
    limiter.ask(APP, "look_up", NOW)
    limiter.ask("other", ENDPOINT, NOW)


def test_a_quota_that_nobody_spoke_of_yet_is_tried_a_few_times_a_minute(limiter: Limiter) -> None:
    assert allowed(limiter, NOW) == UNHEARD_REQUESTS
    assert wait(limiter, NOW) == 60
    assert allowed(limiter, NOW + timedelta(minutes=1)) == UNHEARD_REQUESTS


def test_a_network_that_answers_without_a_word_of_quotas_is_asked_freely(limiter: Limiter) -> None:
    limiter.ask(APP, ENDPOINT, NOW)
    limiter.heard(APP, ENDPOINT, 503, {}, NOW)
    assert allowed(limiter, NOW) == UNHEARD_REQUESTS - 1

    assert limiter.heard(APP, ENDPOINT, 200, {}, NOW).left is None
    assert allowed(limiter, NOW, most=100) == 100


def test_answers_that_come_in_another_order_never_give_requests_back(limiter: Limiter) -> None:
    reset = NOW + timedelta(minutes=10)
    limiter.heard(APP, ENDPOINT, 200, headers(10, 5, reset), NOW)
    for _ in range(3):
        limiter.ask(APP, ENDPOINT, NOW)
    limiter.heard(APP, ENDPOINT, 200, headers(10, 4, reset), NOW)

    assert allowed(limiter, NOW) == 2


@pytest.mark.parametrize(
    "reset",
    few([None, "", "soon", "-5", "0", "1e9", "99999999999999999999", "9" * 5000, NOW - SECOND, NOW + 2 * WINDOW], 3),
)
def test_a_refusal_without_a_reset_that_can_be_believed_doubles_our_own_wait(
    limiter: Limiter, reset: datetime | str | None
) -> None:
    now, waits = NOW, []
    for _ in range(14):
        limiter.ask(APP, ENDPOINT, now)
        limiter.heard(APP, ENDPOINT, 429, headers(450, 0, reset), now)
        waits.append(wait(limiter, now))
        now += timedelta(seconds=waits[-1])

    assert 1 <= waits[0] <= 1.25
    assert all(later > earlier * 1.1 for earlier, later in pairwise(waits[1:9]))
    assert min(waits[11:]) >= 768
    assert max(waits) <= 900


def test_a_refusal_with_a_reset_is_waited_for_to_the_second(limiter: Limiter) -> None:
    limiter.ask(APP, ENDPOINT, NOW)
    quota = limiter.heard(APP, ENDPOINT, 429, headers(450, 0, NOW + timedelta(seconds=90)), NOW)

    assert quota.wait_seconds == 91
    assert wait(limiter, NOW + timedelta(seconds=90.5)) == 1
    assert wait(limiter, NOW + timedelta(seconds=91)) == 0


def test_a_reset_that_is_always_a_second_ahead_does_not_become_a_storm(limiter: Limiter) -> None:
    now, asked = NOW, 0
    while now < NOW + timedelta(hours=1):
        seconds = wait(limiter, now)
        if seconds == 0:
            asked += 1
            limiter.heard(APP, ENDPOINT, 429, headers(450, 0, now + SECOND), now)
        now += timedelta(seconds=seconds or 0.1)

    assert 8 <= asked <= 15


def test_after_a_refusal_one_request_tries_and_the_others_wait_for_its_answer(limiter: Limiter) -> None:
    limiter.heard(APP, ENDPOINT, 200, headers(10, 9, NOW + WINDOW), NOW)
    limiter.heard(APP, ENDPOINT, 429, {}, NOW)
    later = NOW + timedelta(seconds=2)

    assert allowed(limiter, later) == 1
    limiter.heard(APP, ENDPOINT, 200, headers(10, 8, NOW + WINDOW), later)
    assert allowed(limiter, later) == 8


def test_refusals_of_requests_that_were_under_way_together_are_one(limiter: Limiter) -> None:
    for _ in range(5):
        limiter.ask(APP, ENDPOINT, NOW)
    for _ in range(5):
        limiter.heard(APP, ENDPOINT, 429, {}, NOW)

    assert wait(limiter, NOW) <= 1.25


def test_a_late_success_does_not_lift_a_refusal(limiter: Limiter) -> None:
    limiter.heard(APP, ENDPOINT, 429, headers(10, 0, NOW + timedelta(minutes=5)), NOW)
    limiter.heard(APP, ENDPOINT, 200, headers(10, 9, NOW + timedelta(minutes=5)), NOW)

    assert wait(limiter, NOW + timedelta(minutes=4)) > 0


def test_a_success_ends_the_row_of_refusals(limiter: Limiter) -> None:
    now = NOW
    for status in (429, 429, 429, 200, 429):
        limiter.ask(APP, ENDPOINT, now)
        limiter.heard(APP, ENDPOINT, status, {}, now)
        now += timedelta(seconds=wait(limiter, now) if status == 429 else 0)

    assert now - NOW < timedelta(seconds=10.1)


def test_the_clock_of_the_network_counts_where_ours_is_off(limiter: Limiter) -> None:
    theirs = NOW - timedelta(seconds=40)
    named = {**headers(10, 0, theirs + timedelta(seconds=100)), "date": format_datetime(theirs, usegmt=True)}
    limiter.heard(APP, ENDPOINT, 429, named, NOW)

    assert wait(limiter, NOW) == 101


def test_a_clock_that_was_a_day_ahead_does_not_block_for_a_day(limiter: Limiter) -> None:
    limiter.heard(APP, ENDPOINT, 429, {}, NOW + timedelta(days=1))

    assert wait(limiter, NOW) == 0


@pytest.mark.parametrize("named", [("x", "3"), ("10", "-1"), ("0", "0"), ("10", "11"), ("9" * 30, "1"), ("10", "")])
def test_a_quota_that_cannot_be_is_not_believed(limiter: Limiter, named: tuple[str, str]) -> None:
    limiter.heard(APP, ENDPOINT, 200, headers(20, 7, NOW + timedelta(minutes=5)), NOW)
    limiter.heard(APP, ENDPOINT, 200, headers(*named, NOW + timedelta(minutes=5)), NOW)

    assert allowed(limiter, NOW) == 7


def test_our_own_wait_is_within_a_second_and_a_quarter_of_an_hour_whatever_the_number() -> None:
    waits = [own_wait(refusals, jitter) for refusals in (-1, 0, 1, 5, 11, 400, 10**9) for jitter in (0.75, 1.25)]
    assert min(waits) == SECOND
    assert max(waits) == LONGEST_WAIT == timedelta(minutes=15)


def test_two_workers_together_never_exceed_the_quota(database: Database) -> None:
    other = Database(database.url)
    limiters = [Limiter(database), Limiter(other)]
    limiters[0].heard(APP, ENDPOINT, 200, headers(40, 25, NOW + timedelta(minutes=5)), NOW)
    granted: list[int] = []

    def work(limiter: Limiter) -> None:
        granted.append(sum(wait(limiter, NOW) == 0 for _ in range(20)))

    threads = [threading.Thread(target=work, args=(limiters[n % 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()

    assert len(granted) == 4
    assert sum(granted) == 25


# Scripted scenarios: a network that behaves by a seed, workers that obey, a clock that is a number


@dataclass
class Network:
    """A network with a quota of its own. It says less than it knows, or nonsense; at times it refuses everybody."""

    dice: random.Random
    limit: int
    style: str
    outages: list[tuple[datetime, datetime]]
    used: int = 0
    window_ends: datetime = NOW
    # Nobody may send before it, by what was said; with the instant from which on everybody knows.
    told: list[tuple[datetime, datetime]] = field(default_factory=list)

    def answer(self, at: datetime) -> tuple[int, dict[str, str], datetime | None]:
        """Status, headers and the instant they forbid requests until, as X would mean it."""
        if at >= self.window_ends:
            self.used, self.window_ends = 0, at + WINDOW
        broken = any(start <= at < end for start, end in self.outages)
        if self.used >= self.limit or broken:
            reset = self._reset()
            until = self.window_ends if isinstance(reset, datetime) else None
            return 429, headers(self.limit, 0, reset), until
        self.used += 1
        if self.style == "silent":
            return 200, {}, None
        left = self.limit - self.used
        reset = self._reset()
        until = self.window_ends if left == 0 and isinstance(reset, datetime) else None
        return 200, headers(self.limit, left, reset), until

    def _reset(self) -> datetime | str | None:
        if self.style == "honest" or (self.style == "mixed" and self.dice.random() < 0.5):
            return self.window_ends
        if self.style == "silent":
            return None
        return self.dice.choice([None, "", "never", "-1", "0", "4102444800", str(2**70), "12.5", "NaN"])


@dataclass
class Played:
    """What came of a scenario: requests sent, those sent too early, the longest wait, the most in one outage."""

    sent: int = 0
    refused: int = 0
    early: int = 0
    longest: float = 0.0
    most_in_outage: int = 0


Asks = Callable[[datetime], float]


def play(seed: int, limiter: Limiter, asks: Asks) -> Played:
    """A hundred minutes of up to six workers who obey; latency up to 5 s, so that answers overtake each other."""
    dice = random.Random(seed)
    start = NOW + timedelta(minutes=dice.uniform(20, 40))
    outages = [(start, start + timedelta(minutes=dice.uniform(1, 45)))] if dice.random() < 0.7 else []
    network = Network(
        dice, dice.choice([1, 2, 15, 60, 450]), dice.choice(["honest", "silent", "nonsense", "mixed"]), outages
    )
    end = NOW + timedelta(minutes=100)
    played = Played()
    events: list[tuple[datetime, int, str, object]] = []
    pace = dice.uniform(5, 60)
    for worker in range(dice.randint(1, 6)):
        heapq.heappush(events, (NOW + timedelta(seconds=dice.uniform(0, 5)), worker, "poll", worker))
    number = 100
    refusals_heard = 0
    forbidden_until = NOW
    in_outage = 0
    while events:
        at, _, kind, what = heapq.heappop(events)
        if at > end:
            break
        number += 1
        if kind == "answer":
            assert isinstance(what, tuple)
            status, named, until = what
            limiter.heard(APP, ENDPOINT, status, named, at)
            if until is not None and until > at:
                forbidden_until = max(forbidden_until, until)
            if status == 429:
                refusals_heard += 1
                forbidden_until = max(forbidden_until, at + SECOND)
            continue
        seconds = asks(at)
        played.longest = max(played.longest, seconds)
        if seconds == 0:
            played.sent += 1
            played.early += at < forbidden_until
            status, named, until = network.answer(at)
            played.refused += status == 429
            in_outage += any(first <= at < last for first, last in outages)
            arrives = at + timedelta(seconds=dice.uniform(0.05, 5))
            heapq.heappush(events, (arrives, number, "answer", (status, named, until)))
        heapq.heappush(events, (at + timedelta(seconds=seconds or pace), number, "poll", what))
    played.most_in_outage = in_outage
    return played


def judge(seeds: range, folder: Path, make: Callable[[Database], Database]) -> list[Played]:
    results = []
    for seed in seeds:
        database = make(Database(f"sqlite:///{folder / f'{seed}.db'}"))
        limiter = Limiter(database, chance=random.Random(seed))
        results.append(play(seed, limiter, lambda at, limiter=limiter: wait(limiter, at)))  # type: ignore[misc]
        database.close()
    return results


def migrated(database: Database) -> Database:
    from models.tables import rate_limit

    with database.write() as connection:
        rate_limit.create(connection)
    return database


def verdict(results: list[Played]) -> dict[str, float]:
    return {
        "scenarios": len(results),
        "sent": sum(played.sent for played in results),
        "refused": sum(played.refused for played in results),
        "early": sum(played.early for played in results),
        "longest": max(played.longest for played in results),
        "most in an outage": max(played.most_in_outage for played in results),
    }


def test_in_scripted_scenarios_nobody_asks_before_it_is_allowed(tmp_path: Path) -> None:
    figures = verdict(judge(range(2), tmp_path, migrated))
    print(figures)

    assert figures["sent"] > 150
    assert figures["refused"] > 3
    assert figures["early"] == 0
    assert figures["longest"] <= 900
    assert figures["most in an outage"] <= 40


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_in_a_hundred_scripted_scenarios_nobody_asks_before_it_is_allowed(tmp_path: Path) -> None:
    figures = verdict(judge(range(100), tmp_path, migrated))
    print(figures)

    assert figures["scenarios"] == 100
    assert figures["sent"] > 10_000
    assert figures["refused"] > 200
    assert figures["early"] == 0
    assert figures["longest"] <= 900
    assert figures["most in an outage"] <= 40


@pytest.mark.prove
def test_a_worker_that_asks_without_the_limiter_is_caught(tmp_path: Path) -> None:
    database = migrated(Database(f"sqlite:///{tmp_path / 'broken.db'}"))
    limiter = Limiter(database, chance=random.Random(0))
    played = [play(seed, limiter, lambda at: 0.0) for seed in (0,)]
    database.close()

    assert sum(one.early for one in played) > 5
