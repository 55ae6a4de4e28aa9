"""models/business_time.py: what counts between two instants, held against a count of minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.business_time import Pause, business_seconds, due_at, working
from models.calendars import Calendar
from tests.business_time_made_up import FIRST, MINUTE, Made, changes, counted_minutes, made, zones_that_change

OFFICE = {str(day): [["09:00", "17:30"]] for day in range(5)}
ALWAYS = {str(day): [["00:00", "24:00"]] for day in range(7)}
HOUR = 3_600


def amsterdam(text: str) -> datetime:
    """An instant of local time; with an offset where a clock shows it twice."""
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("Europe/Amsterdam"))).astimezone(UTC)


def office(**about: object) -> Calendar:
    return Calendar.parse("Europe/Amsterdam", OFFICE, {"2026-12-25": []}, **about)  # type: ignore[arg-type]


def agrees_with_the_oracle(case: Made, chance: Random) -> None:
    """Sum, working and due instants are those of counting minute by minute."""
    minutes, calendars = counted_minutes(case), case.calendars()
    assert business_seconds(calendars, case.start, case.end, case.pauses) == 60 * sum(minutes), case

    spans = working(calendars, case.start, case.end, case.pauses)
    shown = [span.counted for span in spans for _ in range((span.end - span.start) // MINUTE)]
    assert shown == minutes, case
    assert (spans[0].start, spans[-1].end) == (case.start, case.end)
    assert all(one.end == other.start and one.why != other.why for one, other in pairwise(spans)), case

    wanted = chance.randint(1, max(1, sum(minutes)))
    due = due_at(calendars, case.start, wanted * 60, case.pauses)
    if wanted <= sum(minutes):
        place = [n for n, counts in enumerate(minutes) if counts][wanted - 1]
        assert due == case.start + (place + 1) * MINUTE, case
    else:
        assert due is None or due > case.end, case


def test_time_of_business_is_what_counting_minutes_gives_about_300_clock_changes() -> None:
    zones = [zone for zone in Random(1).sample(sorted(available_timezones()), 120) if changes(zone)]
    assert len(zones) >= 30
    for number in range(300):
        chance = Random(number)
        agrees_with_the_oracle(made(zones[number % len(zones)], chance, most_minutes=400), chance)


@pytest.mark.prove
@pytest.mark.timeout(1_200)
def test_time_of_business_is_what_counting_minutes_gives_in_10000_cases() -> None:
    zones = zones_that_change()
    assert len(zones) > 200
    for number in range(10_000):
        chance = Random(1_000 + number)
        agrees_with_the_oracle(
            made(zones[number % len(zones)], chance, most_minutes=14_400 if number % 50 == 0 else 1_440), chance
        )


def test_a_count_that_knew_no_clock_change_would_be_found() -> None:
    """The oracle is no mirror: the same hours at a fixed distance to UTC differ from it."""
    wrong = 0
    for number in range(40):
        chance = Random(number)
        case = made("Europe/Amsterdam", chance, most_minutes=1_000)
        fixed = [
            Calendar("Etc/GMT-1", item.hours, item.exceptions, valid_from=item.valid_from) for item in case.calendars()
        ]
        wrong += business_seconds(fixed, case.start, case.end, case.pauses) != 60 * sum(counted_minutes(case))
    assert wrong >= 5


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-16T08:00", "2026-11-16T18:00", 8.5),
        ("2026-11-16T17:29", "2026-11-17T09:01", 2 / 60),
        ("2026-11-20T17:30", "2026-11-23T09:00", 0),
        ("2026-12-24T09:00", "2026-12-28T09:00", 8.5),
        ("2026-11-16T10:00", "2026-11-16T10:00", 0),
        ("2026-11-17T10:00", "2026-11-16T10:00", 0),
    ],
)
def test_only_hours_of_business_count(start: str, end: str, hours: float) -> None:
    assert business_seconds(office(), amsterdam(start), amsterdam(end)) == hours * HOUR


def test_an_hour_that_the_clock_shows_twice_counts_twice_and_one_that_it_skips_does_not() -> None:
    nights = Calendar.parse("Europe/Amsterdam", {"6": [["01:00", "04:00"]]})
    always = Calendar.parse("Europe/Amsterdam", ALWAYS)
    for day, counted, whole in (("2026-10-25", 4, 25), ("2026-03-29", 2, 23), ("2026-11-01", 3, 24)):
        begins = amsterdam(f"{day}T00:00")
        ends = begins + timedelta(hours=whole)
        assert ends == amsterdam((datetime.fromisoformat(day) + timedelta(days=1)).isoformat())
        assert business_seconds(nights, begins, ends) == counted * HOUR
        assert business_seconds(always, begins, ends) == whole * HOUR


def test_hours_that_begin_within_a_repeated_hour_are_open_in_both_passages() -> None:
    small_hours = Calendar.parse("Europe/Amsterdam", {"6": [["02:30", "03:30"]]})
    spans = working(small_hours, amsterdam("2026-10-25T02:00+02:00"), amsterdam("2026-10-25T04:00"))
    assert [(span.why, span.seconds / 60) for span in spans] == [
        ("closed", 30),
        ("open", 30),
        ("closed", 30),
        ("open", 60),
        ("closed", 30),
    ]


def test_hours_past_midnight_belong_to_the_day_on_which_they_open() -> None:
    nights = Calendar.parse("Europe/Amsterdam", {"4": [["22:00", "06:00"]]}, {"2026-12-25": []})
    spans = working(nights, amsterdam("2026-12-18T20:00"), amsterdam("2026-12-19T08:00"))
    assert [(span.why, span.seconds / HOUR) for span in spans] == [("closed", 2), ("open", 8), ("closed", 2)]
    spans = working(nights, amsterdam("2026-12-25T20:00"), amsterdam("2026-12-26T08:00"))
    assert [(span.why, span.seconds / HOUR) for span in spans] == [("holiday 2026-12-25", 10), ("closed", 2)]


def test_the_shown_working_says_why_each_part_did_not_count() -> None:
    start, end = amsterdam("2026-12-23T16:30"), amsterdam("2026-12-28T10:00")
    waiting = Pause(amsterdam("2026-12-24T12:00"), amsterdam("2026-12-24T13:00"))
    snoozed = Pause(amsterdam("2026-12-24T12:30"), amsterdam("2026-12-24T14:00"), "snoozed")
    spans = working(office(), start, end, [waiting, snoozed])
    assert [(span.why, span.counted, span.seconds / HOUR) for span in spans] == [
        ("open", True, 1),
        ("closed", False, 15.5),
        ("open", True, 3),
        ("waiting for customer", False, 1),
        ("snoozed", False, 1),
        ("open", True, 3.5),
        ("closed", False, 6.5),
        ("holiday 2026-12-25", False, 24),
        ("closed", False, 57),
        ("open", True, 1),
    ]
    counted = sum(span.seconds for span in spans if span.counted)
    assert counted == business_seconds(office(), start, end, [waiting, snoozed]) == 8.5 * HOUR


@pytest.mark.parametrize(
    ("start", "seconds", "due"),
    [
        ("2026-11-16T09:00", 60, "2026-11-16T09:01"),
        ("2026-11-16T17:00", HOUR, "2026-11-17T09:30"),
        # The last minute of the day is still today's.
        ("2026-11-16T17:00", HOUR // 2, "2026-11-16T17:30"),
        ("2026-11-16T16:30", 19 * HOUR // 2, "2026-11-17T17:30"),
        ("2026-11-21T12:00", 900, "2026-11-23T09:15"),
        ("2026-12-24T17:00", HOUR, "2026-12-28T09:30"),
        ("2026-11-21T12:00", 0, "2026-11-21T12:00"),
    ],
)
def test_a_reply_is_due_when_so_much_has_been_counted(start: str, seconds: int, due: str) -> None:
    assert due_at(office(), amsterdam(start), seconds) == amsterdam(due)


def test_a_pause_moves_what_is_due_and_without_an_end_nobody_knows() -> None:
    start = amsterdam("2026-11-16T10:00")
    hour = Pause(amsterdam("2026-11-16T10:30"), amsterdam("2026-11-16T11:30"))
    assert due_at(office(), start, HOUR, [hour]) == amsterdam("2026-11-16T12:00")
    endless = Pause(amsterdam("2026-11-16T10:30"), None)
    assert due_at(office(), start, HOUR, [endless]) is None
    assert due_at(office(), start, HOUR // 4, [endless]) == amsterdam("2026-11-16T10:15")


def test_hours_that_never_open_again_make_nothing_due() -> None:
    once = Calendar("UTC", {}, {datetime(2026, 11, 16, tzinfo=UTC).date(): ((540, 600),)})
    start = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    assert due_at(once, start, 1_800) == start + timedelta(minutes=30)
    assert due_at(once, start, 1_801) is None


def test_a_change_of_hours_does_not_rewrite_what_was_counted_before() -> None:
    changed_at = amsterdam("2026-11-16T12:00")
    old, new = office(valid_from=amsterdam("2026-01-01T00:00")), Calendar.parse("UTC", ALWAYS, valid_from=changed_at)
    start, end = amsterdam("2026-11-16T08:00"), amsterdam("2026-11-16T20:00")
    assert business_seconds((old, new), start, changed_at) == 3 * HOUR
    assert business_seconds((old, new), start, end) == (3 + 8) * HOUR
    assert due_at((old, new), start, 4 * HOUR) == changed_at + timedelta(hours=1)
    # Before the oldest version there is none older.
    assert business_seconds((old, new), amsterdam("2025-11-17T09:00"), amsterdam("2025-11-17T10:00")) == HOUR


def test_a_version_that_was_replaced_at_once_counts_nothing() -> None:
    at = amsterdam("2026-11-16T00:00")
    versions = (office(valid_from=at), Calendar.parse("UTC", ALWAYS, valid_from=at))
    assert business_seconds(versions, at, at + timedelta(days=1)) == 24 * HOUR


def test_versions_that_do_not_say_since_when_are_refused() -> None:
    with pytest.raises(ValueError, match="calendar 3: version 2 does not say from when"):
        business_seconds(
            (office(), office(id=3, version=2)), amsterdam("2026-11-16T00:00"), amsterdam("2026-11-17T00:00")
        )
    with pytest.raises(ValueError, match="at least one"):
        business_seconds((), amsterdam("2026-11-16T00:00"), amsterdam("2026-11-17T00:00"))


INSTANTS = st.integers(0, 90_000_000_000_000).map(lambda n: FIRST + timedelta(microseconds=n))


@settings(max_examples=40, deadline=None)
@given(a=INSTANTS, b=INSTANTS, c=INSTANTS, seconds=st.integers(0, 400_000))
def test_counts_add_up_to_the_microsecond_and_what_is_due_has_been_counted(
    a: datetime, b: datetime, c: datetime, seconds: int
) -> None:
    a, b, c = sorted((a, b, c))
    here = office()
    parts = business_seconds(here, a, b) + business_seconds(here, b, c)
    assert business_seconds(here, a, c) == pytest.approx(parts, abs=1e-6)
    due = due_at(here, a, seconds)
    assert due is not None
    assert business_seconds(here, a, due) == seconds
    if seconds:
        assert business_seconds(here, a, due - timedelta(microseconds=1)) < seconds
