"""Hostile text, counts and instants are made safe at the door, without loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.door import LARGEST_COUNT, clamp, safe_count, safe_text
from models.database import EARLIEST, latest

NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)


def test_nul_and_lone_surrogates_are_written_out() -> None:
    assert safe_text("a\x00b\ud800c\udfff") == "a\\u0000b\\ud800c\\udfff"


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("", "Guten Tag", "日本語", "👩‍👩‍👧", "‮abc‬"):
        assert safe_text(text) == text


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_safe_text_can_always_be_stored_as_utf8_without_nul(text: str) -> None:
    assert b"\x00" not in safe_text(text).encode("utf-8")


@pytest.mark.parametrize("value", [-1, -0.5, float("nan"), float("inf"), 2.0**80, LARGEST_COUNT + 1])
def test_what_is_no_count_is_none(value: float) -> None:
    assert safe_count(value) is None


def test_zero_is_a_count_and_silence_is_none() -> None:
    assert safe_count(0) == 0
    assert safe_count(None) is None
    assert safe_count(LARGEST_COUNT) == LARGEST_COUNT


def test_an_instant_inside_the_range_is_only_brought_to_utc() -> None:
    local = datetime(2026, 11, 19, 9, 32, tzinfo=timezone(timedelta(hours=-5)))
    assert clamp(local, NOW).at == NOW
    assert clamp(local, NOW).given is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), EARLIEST),
        (datetime(1970, 1, 1, tzinfo=UTC), EARLIEST),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), latest(NOW)),
        (NOW + timedelta(days=2), latest(NOW)),
    ],
)
def test_an_instant_outside_is_clamped_and_kept_as_text(given: datetime, kept: datetime) -> None:
    instant = clamp(given, NOW)
    assert instant.at == kept
    assert instant.given == given.isoformat()
