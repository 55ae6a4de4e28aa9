"""models/service_rules.py: hours and promises in versions, who may change them, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from models import audit
from models.database import EARLIEST, Database
from models.errors import AccessDenied, InputError, NotFound, ServiceLevelError
from models.service_level import Calendar, Promise, business_seconds
from models.service_rules import (
    ALWAYS,
    ServiceRules,
    calendar_versions,
    load,
    promise_faults,
    promise_for,
    retire_calendar,
    retire_promise,
    save_calendar,
    save_promise,
    write_defaults,
)
from models.tables import calendar, change, promise
from tests.small_organisation import ADMIN, NOW, organisation, person

HOUR = 3_600
DAY = timedelta(days=1)
OFFICE = {str(day): [["09:00", "17:30"]] for day in range(5)}
HERE = organisation()


def rules(database: Database, now: datetime = NOW) -> ServiceRules:
    with database.read() as connection:
        return load(connection, now)


def save_hours(database: Database, **how: Any) -> Calendar:
    given: dict[str, Any] = {"name": "Office hours", "zone": "Europe/Amsterdam", "hours": OFFICE, "exceptions": {}}
    given |= {"now": NOW} | how
    with database.write() as connection:
        return save_calendar(connection, HERE, given.pop("who", ADMIN), **given)


def save(database: Database, **how: Any) -> Promise:
    given: dict[str, Any] = {"calendar_id": 1, "first_seconds": 600, "next_seconds": None, "resolution_seconds": None}
    given |= {"now": NOW} | how
    with database.write() as connection:
        return save_promise(connection, HERE, given.pop("who", ADMIN), **given)


def told(database: Database) -> list[audit.Entry]:
    with database.read() as connection:
        return list(reversed(audit.newest(connection, 20)))


def rows(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (calendar, promise)
        ]
        return counts[0], counts[1]


def test_an_organisation_that_changed_nothing_has_the_promises_of_the_product(database: Database) -> None:
    found = rules(database)
    said = [
        (p.priority, p.first_seconds, p.next_seconds, p.resolution_seconds)
        for priority in (1, 2, 3)
        if (p := promise_for(found, 2, priority, NOW)) is not None
    ]
    assert said == [(1, 900, 900, 86_400), (2, HOUR, HOUR, 3 * 86_400), (3, 8 * HOUR, 8 * HOUR, 5 * 86_400)]
    hours = found.of(2, 1, NOW)[1]
    assert business_seconds(hours, NOW, NOW + 7 * DAY) == 7 * 86_400


def test_what_comes_with_the_product_is_written_down_once_and_changes_nothing(database: Database) -> None:
    before = rules(database)
    for expected in (True, False):
        with database.write() as connection:
            assert write_defaults(connection, zone="Asia/Tokyo", actor="demo", now=NOW) is expected
    after = rules(database)
    assert after.promises == before.promises
    assert [(c.name, c.zone, c.hours) for c in after.calendars_at(NOW)] == [
        ("Around the clock", "Asia/Tokyo", before.calendars[1][0].hours)
    ]
    assert [(entry.action, entry.actor) for entry in told(database)] == [("service.begun", "demo")]


def test_the_most_special_promise_counts_and_the_brand_goes_before_the_priority() -> None:
    def of(number: int, brand_id: int, priority: int) -> Promise:
        return Promise(number, brand_id, priority, 1, number, None, None, EARLIEST)

    found = ServiceRules(promises=(of(1, 0, 0), of(2, 0, 1), of(3, 2, 0), of(4, 3, 1)))
    asked = [(2, 1), (2, 3), (3, 1), (3, 2), (7, 1), (7, 2)]
    assert [getattr(promise_for(found, *key, NOW), "id", None) for key in asked] == [3, 3, 4, 1, 2, 1]
    assert promise_for(ServiceRules(), 2, 1, NOW) is None


def test_a_new_promise_counts_from_now_on_and_the_earlier_one_for_what_was_before(database: Database) -> None:
    saved = save(database, brand_id=3, priority=1, first_seconds=300)
    again = save(database, brand_id=3, priority=1, first_seconds=120, now=NOW + DAY)
    found = rules(database, NOW + 2 * DAY)

    def first(at: datetime) -> int | None:
        decided = promise_for(found, 3, 1, at)
        return None if decided is None else decided.first_seconds

    assert [first(NOW - DAY), first(NOW), first(NOW + DAY)] == [900, 300, 120]
    assert (saved.id, again.id) == (4, 5)
    with database.write() as connection:
        retire_promise(connection, HERE, ADMIN, again.id, now=NOW + 2 * DAY)
    found = rules(database, NOW + 3 * DAY)
    assert [first(NOW + DAY), first(NOW + 2 * DAY)] == [120, 900]
    last = told(database)[-1]
    assert (last.action, last.subject, last.actor) == ("promise.retired", "Halden Bank, P1", "Admin")
    assert last.details is not None
    assert (last.details["before"]["first_seconds"], last.details["after"]) == (120, None)
    with pytest.raises(NotFound), database.write() as connection:
        retire_promise(connection, HERE, ADMIN, again.id, now=NOW + 3 * DAY)


def test_a_changed_calendar_is_a_version_that_leaves_the_past_as_it_was_counted(database: Database) -> None:
    first = save_hours(database, now=NOW - 10 * DAY)
    whole = {str(day): [["00:00", "24:00"]] for day in range(7)}
    second = save_hours(database, hours=whole, replaces=first.id, now=NOW)
    versions = rules(database).calendars[first.id]

    assert [(c.id, c.version, c.valid_from, c.valid_to) for c in versions] == [
        (2, 1, NOW - 10 * DAY, NOW),
        (2, 2, NOW, None),
    ]
    assert second.version == 2
    # A week of office hours, then a week around the clock.
    assert business_seconds(versions, NOW - 7 * DAY, NOW) == 5 * 8.5 * HOUR
    assert business_seconds(versions, NOW, NOW + 7 * DAY) == 7 * 24 * HOUR
    with database.read() as connection:
        history = calendar_versions(connection, first.id)
    assert [(item.calendar.version, item.actor) for item in history] == [(2, "Admin"), (1, "Admin")]
    last = told(database)[-1]
    assert (last.action, last.subject, last.person_id) == ("calendar.saved", "Office hours", 1)
    assert last.details is not None
    assert (last.details["before"]["hours"], last.details["after"]["hours"]) == (OFFICE, whole)


def test_saving_what_is_there_already_writes_nothing(database: Database) -> None:
    hours, made = save_hours(database), save(database, priority=2)
    before = (rows(database), len(told(database)))
    assert save_hours(database, replaces=hours.id, now=NOW + DAY).version == 1
    assert save(database, priority=2, now=NOW + DAY).id == made.id
    assert (rows(database), len(told(database))) == before


def test_a_version_saved_by_a_server_whose_clock_is_behind_does_not_count_from_the_past(database: Database) -> None:
    first = save_hours(database)
    second = save_hours(database, zone="UTC", replaces=first.id, now=NOW - DAY / 24)
    assert second.valid_from == NOW
    assert [c.zone for c in rules(database).calendars_at(NOW) if c.id == first.id] == ["UTC"]


def test_a_calendar_that_is_none_is_refused_with_every_fault_and_nothing_is_written(database: Database) -> None:
    for how, said in (
        ({"name": "  "}, "must be a text of 1 to 120"),
        ({"name": None}, "name: say what it is called"),
        ({"name": "around THE clock"}, '"around THE clock" is taken'),
        ({"zone": "Mars/Olympus"}, 'zone "Mars/Olympus" is no IANA zone'),
        ({"hours": {"0": [["9", "17:00"]]}}, 'hours of Monday: "9" is no time of the day'),
        ({"exceptions": {"tomorrow": []}}, '"tomorrow" is no date'),
    ):
        with pytest.raises(ServiceLevelError) as refused:
            save_hours(database, **how)
        assert [said in fault for fault in refused.value.faults] == [True], refused.value.faults
    with pytest.raises(ServiceLevelError) as refused:
        save_hours(database, name=None, zone="x", exceptions={"tomorrow": []})
    assert len(refused.value.faults) == 3
    with pytest.raises(ServiceLevelError, match="promises nothing"):
        save(database, first_seconds=None)
    assert rows(database) == (0, 0)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"brand_id": 5}, "brand 5 is none of ours"),
        ({"brand_id": 99}, "brand 99 is none of ours"),
        ({"brand_id": [2]}, 'brand_id "[2]" must be a whole number'),
        ({"priority": 4}, "priority 4 is none of 1, 2, 3, or 0 for any"),
        ({"calendar_id": 9}, "there is no calendar 9"),
        ({"first_seconds": None}, "it promises nothing"),
        ({"first_seconds": 59}, 'first_seconds "59" must be whole seconds from 60'),
        ({"next_seconds": 93 * 86_400}, "7,948,800 (92 days), or nothing"),
        ({"next_seconds": "soon"}, 'next_seconds "soon" must be whole seconds'),
        ({"first_seconds": True}, 'first_seconds "True" must be whole seconds'),
        ({"resolution_seconds": 300}, "resolution_seconds 300 is less than first_seconds 600"),
    ],
)
def test_a_promise_that_cannot_be_kept_track_of_is_refused(how: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"calendar_id": 1, "first_seconds": 600, "next_seconds": None, "resolution_seconds": None}
    given = {"brand_id": 0, "priority": 0} | given | how
    faults = promise_faults(Promise(0, valid_from=NOW, **given), HERE, (ALWAYS,), NOW)
    assert len(faults) == 1
    assert said in faults[0]


def test_hours_that_open_too_seldom_for_a_promise_are_refused() -> None:
    seldom = Calendar.parse("UTC", {"6": [["10:00", "10:05"]]}, id=1, name="Seldom")
    five_days = Promise(0, 0, 0, 1, 5 * 86_400, None, None, NOW)
    assert promise_faults(five_days, HERE, (seldom,), NOW) == [
        'promise: "Seldom" opens so seldom that it would not be due within ten years'
    ]


def test_a_calendar_by_which_something_is_promised_is_not_retired(database: Database) -> None:
    hours = save_hours(database)
    save(database, brand_id=2, calendar_id=hours.id)
    with (
        pytest.raises(InputError, match='1 promises count by the hours of "Office hours"'),
        database.write() as connection,
    ):
        retire_calendar(connection, HERE, ADMIN, hours.id, now=NOW + DAY)
    save(database, brand_id=2, calendar_id=1, now=NOW + DAY)
    with database.write() as connection:
        retire_calendar(connection, HERE, ADMIN, hours.id, now=NOW + 2 * DAY)
    assert [c.id for c in rules(database, NOW + 3 * DAY).calendars_at(NOW + 3 * DAY)] == [1]
    # What was promised by it is still counted by it.
    assert rules(database, NOW + 3 * DAY).of(2, 1, NOW)[1][0].zone == "Europe/Amsterdam"  # type: ignore[index]
    with pytest.raises(NotFound), database.write() as connection:
        retire_calendar(connection, HERE, ADMIN, hours.id, now=NOW + 3 * DAY)
    with pytest.raises(NotFound):
        save_hours(database, replaces=hours.id, now=NOW + 3 * DAY)


def test_what_was_promised_years_ago_is_read_no_more(database: Database) -> None:
    save(database, priority=1, first_seconds=61, now=NOW - 1_000 * DAY)
    save(database, priority=1, first_seconds=62, now=NOW - 900 * DAY)
    save(database, priority=1, first_seconds=63, now=NOW - 100 * DAY)
    assert [p.first_seconds for p in rules(database).promises if p.priority == 1] == [62, 63]


def test_only_administrators_change_what_is_promised(database: Database) -> None:
    with pytest.raises(AccessDenied):
        save_hours(database, who=person())
    with pytest.raises(AccessDenied):
        save(database, who=person())
    for end in (retire_calendar, retire_promise):
        with pytest.raises(AccessDenied), database.write() as connection:
            end(connection, HERE, person(), 1, now=NOW)
    assert rows(database) == (0, 0)


def test_a_change_wakes_the_screens(database: Database) -> None:
    save(database)
    with database.read() as connection:
        topics = set(connection.execute(select(change.c.topic)).scalars())
    assert topics == {"settings"}


def test_where_nothing_is_promised_the_first_calendar_measures() -> None:
    found, hours = ServiceRules({7: (ALWAYS,), 3: (Calendar.parse("UTC", OFFICE),)}).of(2, 1, NOW)
    assert found is None
    assert business_seconds(hours, NOW, NOW + 7 * DAY) == 5 * 8.5 * HOUR
    assert business_seconds(ServiceRules().of(2, 1, NOW)[1], NOW, NOW + DAY) == 86_400
