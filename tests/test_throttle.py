"""models/throttle.py: guessing gets slow, forgetting does not."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from models.throttle import ACCOUNT, ADDRESS, FORGOTTEN_AFTER, Throttle, network_of

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ANA = "ana@meridian.example"


def test_five_failures_are_free_and_then_the_wait_doubles_up_to_a_minute() -> None:
    throttle, now, waits = Throttle(), NOW, []
    for _ in range(12):
        assert throttle.begin(ANA, "192.0.2.7", now) == 0
        wait = next_wait(throttle, now)
        waits.append(wait)
        now += timedelta(seconds=wait)
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]


def next_wait(throttle: Throttle, now: datetime) -> float:
    """How long the account waits now, without an attempt of its own."""
    record = throttle._records["account", ANA]
    return (record.until - now).total_seconds()


def test_attempts_at_the_same_moment_are_counted_from_their_beginning() -> None:
    throttle, start, passed = Throttle(), threading.Barrier(20), []

    def attempt(number: int) -> None:
        start.wait()
        if throttle.begin(ANA, f"192.0.2.{number}", NOW) == 0:
            passed.append(number)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == ACCOUNT.free


def test_who_signs_in_starts_anew_and_an_office_keeps_working() -> None:
    throttle = Throttle()
    for number in range(200):
        assert throttle.begin(f"person{number}@meridian.example", "192.0.2.7", NOW) == 0
        throttle.succeeded(f"person{number}@meridian.example", "192.0.2.7")
    assert len(throttle) == 0


def test_one_address_that_tries_many_accounts_waits_too() -> None:
    throttle = Throttle()
    tried = 0
    while throttle.begin(f"person{tried}@meridian.example", "2001:db8::1", NOW) == 0:
        tried += 1
    assert tried == ADDRESS.free
    assert throttle.begin("another@meridian.example", "2001:db8::ffff", NOW) > 0
    assert throttle.begin("another@meridian.example", "2001:db8:0:1::1", NOW) == 0


def test_failures_are_forgotten_after_an_hour() -> None:
    throttle = Throttle()
    for _ in range(ACCOUNT.free):
        throttle.begin(ANA, "192.0.2.7", NOW)
    later = NOW + FORGOTTEN_AFTER
    assert throttle.begin("other@meridian.example", "192.0.2.8", later) == 0
    assert len(throttle) == 2


def test_the_table_is_bounded_whatever_is_tried() -> None:
    throttle = Throttle(most_keys=100)
    for number in range(5_000):
        throttle.begin(f"person{number}@meridian.example", f"10.0.{number // 256}.{number % 256}", NOW)
    assert len(throttle) == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unix socket", "unix socket"),
    ],
)
def test_what_one_sender_can_change_at_will_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
