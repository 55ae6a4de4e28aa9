"""A worker killed with SIGKILL at any moment loses nothing and stores nothing twice."""

from __future__ import annotations

import pytest

from models.database import Database
from tests.crash.parent import Verdict, prove
from tests.few import few


def _assert_proved(verdict: Verdict, *, kills: int, inside: int, rows: int) -> None:
    print(verdict)
    assert (verdict.lost, verdict.twice, verdict.wrong_cells) == (0, 0, 0), verdict
    # A proof that hardly killed, or hardly stored, is none.
    assert verdict.kills >= kills
    assert verdict.kills_inside >= inside
    assert verdict.rows > rows


def test_twenty_kills_lose_nothing_and_store_nothing_twice(database: Database) -> None:
    verdict = prove(database, posts=3_000, kills=20, seed=5)

    _assert_proved(verdict, kills=20, inside=10, rows=2_000)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_nothing_and_store_nothing_twice(database: Database) -> None:
    verdict = prove(database, posts=12_000, kills=200, seed=11)

    _assert_proved(verdict, kills=200, inside=100, rows=10_000)


@pytest.mark.parametrize("database", few(["sqlite", "postgresql"], 1), indirect=True)
def test_a_cursor_that_moves_before_its_rows_is_caught(database: Database) -> None:
    """The same kills, the same count: what is broken on purpose must lose posts, or the proof proves nothing."""
    verdict = prove(database, posts=1_500, kills=8, seed=5, variant="cursor-first")

    print(verdict)
    assert verdict.lost > 0
    assert verdict.kills == 8
