"""A worker killed at any moment of a send hands no reply over twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.database import Database
from tests.crash.publish_parent import Verdict, prove


def assert_proved(verdict: Verdict, kills: int) -> None:
    print(verdict)
    assert (verdict.twice, verdict.retried, verdict.not_unknown, verdict.wrong) == (0, 0, 0, 0), verdict
    # A proof that hardly killed, or never in doubt, is none.
    assert verdict.kills == kills
    assert verdict.doubtful >= kills // 2


def test_six_kills_send_nothing_twice(database: Database, tmp_path: Path) -> None:
    if not database.is_sqlite:
        pytest.skip("a hundred kills run on both")
    assert_proved(prove(database, tmp_path, kills=6, seed=3), 6)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_twenty_kills_send_nothing_twice(database: Database, tmp_path: Path) -> None:
    if not database.is_sqlite:
        pytest.skip("a hundred kills run on both")
    assert_proved(prove(database, tmp_path, kills=20, seed=5), 20)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_hundred_kills_send_nothing_twice(database: Database, tmp_path: Path) -> None:
    assert_proved(prove(database, tmp_path, kills=100, seed=9), 100)


@pytest.mark.prove
def test_a_worker_that_hands_over_again_is_caught(database: Database, tmp_path: Path) -> None:
    """The same kills, the same count: what is broken on purpose must send twice, or the proof proves nothing."""
    if not database.is_sqlite:
        pytest.skip("the same on both")
    verdict = prove(database, tmp_path, kills=4, seed=3, variant="again")
    print(verdict)
    assert verdict.twice + verdict.retried > 0
