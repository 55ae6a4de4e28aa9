"""dashboard/pace.py: what the panels may take of a core together."""

from __future__ import annotations

import pytest

from dashboard.pace import BURST_SECONDS, CLICKING_SECONDS, SHARE, Pace


def test_what_fits_into_a_burst_waits_for_nothing() -> None:
    pace = Pace()
    pace.spend(BURST_SECONDS, 100)
    assert pace.free_at(100) == 100


def test_while_somebody_clicks_panels_take_their_share_and_no_more() -> None:
    pace, now, spent = Pace(), 100.0, 0.0
    while now < 160:
        pace.clicked(now)
        now = pace.free_at(now)
        pace.spend(0.2, now)
        spent += 0.2
    assert spent == pytest.approx(60 * SHARE + BURST_SECONDS, abs=0.4)


def test_where_nobody_clicks_panels_wait_for_nobody() -> None:
    pace = Pace()
    pace.spend(10, 100)
    assert pace.free_at(100) == 100
    pace.clicked(101)
    assert pace.free_at(101) == 101 + CLICKING_SECONDS
    assert pace.free_at(104) == 104


def test_a_debt_is_forgotten_with_time() -> None:
    pace = Pace()
    pace.spend(BURST_SECONDS + SHARE, 100)
    pace.clicked(100)
    assert pace.free_at(100) == pytest.approx(101)
    pace.clicked(101)
    assert pace.free_at(101) == 101
