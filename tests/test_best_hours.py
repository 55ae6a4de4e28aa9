"""models/best_hours.py: windows of the week compared, and nothing said from too few posts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from models.best_hours import FEWEST_POSTS, Published, best_hours

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# A Monday at midnight in Amsterdam.
MONDAY = datetime(2026, 11, 15, 23, tzinfo=UTC)


def posts(count: int, *, day: int, hour: int, engagement: float | None) -> list[Published]:
    at = MONDAY + timedelta(days=day, hours=hour)
    return [Published(at + timedelta(minutes=n), engagement) for n in range(count)]


def test_the_best_window_is_the_one_whose_posts_are_engaged_with_most() -> None:
    found = best_hours(
        posts(10, day=1, hour=9, engagement=0.01)
        + posts(6, day=2, hour=12, engagement=0.04)
        + posts(6, day=5, hour=10, engagement=0.03),
        AMSTERDAM,
    )

    assert [span.words() for span in found.best] == ["weekdays 12–14", "weekend 10–12"]
    assert found.mostly == "weekdays 08–10"
    assert found.usual is not None
    assert round(found.usual, 4) == round((0.1 + 0.24 + 0.18) / 22, 4)
    assert found.factor == 0.04 / found.usual


def test_a_window_of_too_few_posts_is_no_best_one() -> None:
    found = best_hours(posts(20, day=1, hour=9, engagement=0.01) + posts(4, day=2, hour=12, engagement=9.0), AMSTERDAM)

    assert "12" not in " ".join(span.words() for span in found.best)


def test_below_twenty_measured_posts_nothing_is_said() -> None:
    found = best_hours(
        posts(FEWEST_POSTS - 1, day=1, hour=9, engagement=0.01) + posts(30, day=1, hour=15, engagement=None), AMSTERDAM
    )

    assert (found.best, found.factor, found.posts) == ((), None, FEWEST_POSTS - 1)
    assert found.mostly == "weekdays 14–16"


def test_no_posts_are_no_error() -> None:
    assert best_hours([], AMSTERDAM).usual is None


def test_hours_are_those_of_the_zone() -> None:
    found = best_hours(posts(FEWEST_POSTS, day=1, hour=12, engagement=1.0), ZoneInfo("Asia/Tokyo"))

    assert found.mostly == "weekdays 20–22"
