"""Instants as files write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.instants import NoZone, read_instant
from models.database import EARLIEST, latest

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
SAME = datetime(2011, 10, 18, 19, 22, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2011-10-18T19:22:35Z",
        "2011-10-18 12:22:35-07:00",
        "2011-10-18 12:22:35 -0700",
        "2011-10-18 19:22:35 UTC",
        "20111018T192235+0000",
        "Tue Oct 18 19:22:35 +0000 2011",
        "Tue Oct 18 12:22:35 -0700 2011",
        "Tue, 18 Oct 2011 19:22:35 +0000",
        "Tue, 18 Oct 2011 19:22:35 -0000",
        "18 Oct 2011 19:22:35 GMT",
        "1318965755",
        "1318965755000",
        "1318965755000000",
        "1318965755000000000",
        "1318965755.0",
    ],
)
def test_the_same_instant_is_read_from_every_form(text: str) -> None:
    assert read_instant(text, zone=None, form=None, now=NOW).at == SAME


def test_a_named_form_decides_what_could_be_misread() -> None:
    with pytest.raises(ValueError, match="name its form"):
        read_instant("10/18/2011 19:22", zone=UTC, form=None, now=NOW)

    instant = read_instant("10/18/2011 19:22", zone=UTC, form="%m/%d/%Y %H:%M", now=NOW)

    assert instant.at == datetime(2011, 10, 18, 19, 22, tzinfo=UTC)


def test_unix_milliseconds_can_be_named_for_small_numbers() -> None:
    assert read_instant("951868800000", zone=None, form="unix_ms", now=NOW).at == datetime(2000, 3, 1, tzinfo=UTC)


def test_a_local_time_without_any_zone_is_refused() -> None:
    with pytest.raises(NoZone, match="name the zone"):
        read_instant("2011-10-18 19:22:35", zone=None, form=None, now=NOW)


def test_a_local_time_takes_the_offset_of_its_own_season() -> None:
    winter = read_instant("2015-02-22 22:39:18", zone=LOS_ANGELES, form=None, now=NOW)
    summer = read_instant("2015-07-22 22:39:18", zone=LOS_ANGELES, form=None, now=NOW)

    assert winter.at == datetime(2015, 2, 23, 6, 39, 18, tzinfo=UTC)
    assert summer.at == datetime(2015, 7, 23, 5, 39, 18, tzinfo=UTC)


def test_an_hour_that_never_happens_is_read_with_the_offset_before_the_change() -> None:
    instant = read_instant("2015-03-08 02:30:00", zone=LOS_ANGELES, form=None, now=NOW)

    assert instant.at == datetime(2015, 3, 8, 10, 30, tzinfo=UTC)
    assert instant.at.astimezone(LOS_ANGELES).hour == 3


def test_an_hour_that_happens_twice_is_read_as_the_first() -> None:
    instant = read_instant("2015-11-01 01:30:00", zone=LOS_ANGELES, form=None, now=NOW)

    assert instant.at == datetime(2015, 11, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["0000-00-00 00:00:00", "0000-05-06", "-0044-03-15T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_lies_before_2000_is_clamped_and_kept_as_given(text: str) -> None:
    instant = read_instant(text, zone=UTC, form=None, now=NOW)

    assert instant.at == EARLIEST
    assert instant.given is not None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "+012026-01-01", "9" * 24])
def test_what_lies_after_tomorrow_is_clamped_and_kept_as_given(text: str) -> None:
    instant = read_instant(text, zone=UTC, form=None, now=NOW)

    assert instant.at == latest(NOW)
    assert instant.given is not None


def test_a_leap_second_is_the_second_before_it() -> None:
    instant = read_instant("2016-12-31T23:59:60Z", zone=None, form=None, now=NOW)

    assert instant.at == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["yesterday", "2015-13-01", "2015-02-30T00:00:00Z", "17", "٣", "Tue Xxx 18 19:22:35 +0000 2011"]
)
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no date|has no month"):
        read_instant(text, zone=UTC, form=None, now=NOW)
