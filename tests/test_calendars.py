"""models/calendars.py: hours of business as texts, what is refused, and how a day of UTC is cut."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models.calendars import Calendar
from models.errors import ServiceLevelError

DAY_1970 = date(1970, 1, 1)
OFFICE = {str(day): [["09:00", "17:30"]] for day in range(5)}


def number(text: str) -> int:
    return (date.fromisoformat(text) - DAY_1970).days


def faults(zone: object = "Europe/Amsterdam", hours: object = OFFICE, exceptions: object = None) -> tuple[str, ...]:
    with pytest.raises(ServiceLevelError) as refused:
        Calendar.parse(zone, hours, exceptions)
    return refused.value.faults


def test_hours_are_read_and_written_alike() -> None:
    hours = {
        "0": [["13:00", "17:30"], ["9:00", "12:00"]],
        "4": [["22:00", "06:00"]],
        "5": [["00:00", "24:00"]],
        "6": [],
    }
    exceptions = {"2026-12-31": [["09:00", "00:00"]], "2026-12-25": []}
    calendar = Calendar.parse("Europe/Amsterdam", hours, exceptions, name="Office")

    assert calendar.hours == {0: ((540, 720), (780, 1_050)), 4: ((1_320, 1_800),), 5: ((0, 1_440),)}
    assert calendar.exceptions == {date(2026, 12, 25): (), date(2026, 12, 31): ((540, 1_440),)}
    written = calendar.written()
    assert written[0] == {
        "0": [["09:00", "12:00"], ["13:00", "17:30"]],
        "4": [["22:00", "06:00"]],
        "5": [["00:00", "24:00"]],
    }
    assert written[1] == {"2026-12-25": [], "2026-12-31": [["09:00", "24:00"]]}
    assert Calendar.parse("Europe/Amsterdam", *written, name="Office") == calendar


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"zone": "Europe/Atlantis"}, 'zone "Europe/Atlantis" is no IANA zone; e.g. Europe/Amsterdam'),
        ({"zone": "Europe"}, 'zone "Europe" is no IANA zone'),
        ({"zone": None}, "name the IANA zone of its hours"),
        ({"hours": []}, "give the intervals of each weekday"),
        ({"hours": {}}, "no weekday opens"),
        ({"hours": {"0": [], "1": []}}, "no weekday opens"),
        ({"hours": {"7": [["09:00", "10:00"]]}}, 'no weekday "7"; 0 is Monday and 6 is Sunday'),
        ({"hours": {"0": "09:00-10:00"}}, 'hours of Monday: "09:00-10:00" must be a list of intervals'),
        ({"hours": {"0": [["09:00"]]}}, "must be an opening and a close"),
        ({"hours": {"0": [["9am", "10:00"]]}}, 'hours of Monday: "9am" is no time of the day; write 00:00 to 24:00'),
        ({"hours": {"0": [["09:00", "24:01"]]}}, '"24:01" is no time of the day'),
        ({"hours": {"0": [[540, "10:00"]]}}, '"540" is no time of the day'),
        ({"hours": {"0": [["24:00", "06:00"]]}}, "nothing opens at 24:00; open at 00:00 of the next day"),
        ({"hours": {"0": [["09:00", "09:00"]]}}, "opens and closes at 09:00; the whole day is 00:00 to 24:00"),
        ({"hours": {"0": [["12:00", "17:00"], ["09:00", "12:01"]]}}, "09:00-12:01 and 12:00-17:00 overlap; join them"),
        ({"hours": {"0": [["22:00", "02:00"], ["23:00", "24:00"]]}}, "22:00-02:00 and 23:00-24:00 overlap"),
        ({"hours": {"0": [["00:00", "00:01"]] * 13}}, "13 intervals are more than 12"),
        ({"exceptions": []}, "give what opens on each date instead"),
        ({"exceptions": {"25.12.2026": []}}, '"25.12.2026" is no date from 2000 to 2100; write it as 2026-12-25'),
        ({"exceptions": {"2026-02-29": []}}, '"2026-02-29" is no date'),
        ({"exceptions": {"1999-12-31": []}}, '"1999-12-31" is no date from 2000'),
        ({"exceptions": {"2026-12-24": [["10:00", "25:00"]]}}, 'exception 2026-12-24: "25:00" is no time'),
        (
            {"exceptions": {f"{2000 + n // 300}-01-{n % 300}": [] for n in range(1_001)}},
            "1,001 dates are more than 1,000",
        ),
    ],
)
def test_what_cannot_be_hours_is_refused_with_its_value_and_a_way_out(given: dict[str, object], said: str) -> None:
    found = faults(**given)
    assert len(found) == 1
    assert said in found[0]


def test_intervals_that_touch_are_one_after_the_other() -> None:
    calendar = Calendar.parse("UTC", {"0": [["12:00", "13:00"], ["09:00", "12:00"]]})
    assert [why for _, _, why in calendar.days[number("2026-11-16")].pieces] == ["closed", "open", "closed"]


def test_every_fault_is_told_at_once_and_none_hurts_a_terminal() -> None:
    found = faults("No\x1b[31mwhere", {"0": [["x", "y"]], "9": []}, {"soon": []})
    assert len(found) == 5
    assert all("\x1b" not in fault for fault in found)


def test_a_day_of_utc_is_cut_without_a_gap_at_the_hours_of_the_zone() -> None:
    calendar = Calendar.parse("Asia/Kathmandu", {"0": [["09:00", "17:00"]]})
    # Monday from 09:00 to 17:00, 5 h 45 min ahead.
    day = calendar.days[number("2026-11-16")]
    midnight = datetime(2026, 11, 16, tzinfo=UTC)
    pieces = [
        (datetime.fromtimestamp(a / 1e6, UTC) - midnight, datetime.fromtimestamp(b / 1e6, UTC) - midnight, why)
        for a, b, why in day.pieces
    ]
    hours = timedelta(hours=1)
    assert pieces == [
        (0 * hours, 3.25 * hours, "closed"),
        (3.25 * hours, 11.25 * hours, "open"),
        (11.25 * hours, 24 * hours, "closed"),
    ]
    assert day.counted == 8 * 3_600 * 1_000_000


def test_calendars_that_say_the_same_share_what_was_worked_out() -> None:
    one = Calendar.parse("Asia/Tokyo", OFFICE, {"2026-11-23": []}, id=1)
    other = Calendar.parse("Asia/Tokyo", OFFICE, {"2026-11-23": []}, id=2, version=5)
    assert one.days is other.days
    assert one.days is not Calendar.parse("Asia/Tokyo", OFFICE).days


def test_an_exception_replaces_what_opens_on_its_day_even_to_open_on_a_sunday() -> None:
    calendar = Calendar.parse("UTC", OFFICE, {"2026-12-20": [["10:00", "14:00"]], "2026-12-21": [["10:00", "11:00"]]})
    whys = [(why, (b - a) // 3_600_000_000) for a, b, why in calendar.days[number("2026-12-20")].pieces]
    assert whys == [("holiday 2026-12-20", 10), ("open", 4), ("holiday 2026-12-20", 10)]
    assert calendar.days[number("2026-12-21")].counted == 3_600_000_000
