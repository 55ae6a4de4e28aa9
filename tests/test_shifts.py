"""Shifts: who should be there, who is, who signs for whom, and the pattern as a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.panel import Question, Subject
from dashboard.panels import shifts as panel
from models import shift_file, shifts
from models.access import Access, Scope, Window
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from models.shifts import Pattern, spans
from tests.builders import NOW
from tests.case_desk import DAY, HOUR, hire, open_desk

MONDAY = datetime(2026, 10, 19, tzinfo=UTC)


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


def team(desk: Organisation) -> int:
    return next(item.id for item in desk.teams if item.id != 1)


def pattern(weekday: int, start: int, end: int) -> Pattern:
    return Pattern(1, 2, 3, "Ana", "ana@meridian.example", weekday, start, end)


def of(*given: Pattern, start: datetime = MONDAY, days: int = 14, zone: str = "Europe/Amsterdam") -> list[str]:
    found = spans(given, zone, start=start, end=start + timedelta(days=days))
    return [f"{span.start:%a %d %H:%M}-{span.end:%a %d %H:%M}" for span in found]


def test_a_shift_keeps_its_clock_when_the_clocks_change() -> None:
    # Summer time ends on Sunday the 25th: nine o'clock is seven, then eight in UTC.
    assert of(pattern(0, 540, 1020)) == ["Mon 19 07:00-Mon 19 15:00", "Mon 26 08:00-Mon 26 16:00"]


def test_a_shift_past_midnight_belongs_to_the_day_it_begins() -> None:
    night = pattern(5, 22 * 60, 6 * 60)
    assert of(night, start=MONDAY + 5 * DAY, days=3) == ["Sat 24 20:00-Sun 25 05:00"]
    assert of(night, start=datetime(2026, 10, 25, 1, tzinfo=UTC), days=1) == ["Sat 24 20:00-Sun 25 05:00"]


def test_what_somebody_said_counts_until_their_next_shift_begins(database: Database, desk: Organisation) -> None:
    boss, ana, mo = hire(database, "Boss", "admin"), hire(database, "Ana"), hire(database, "Mo")
    local = NOW.astimezone(desk.zone_info)
    begins = local.hour * 60 + local.minute - 60

    def here(at: datetime) -> list[int]:
        with database.read() as connection:
            return shifts.on_now(connection, desk, [mo.person_id, ana.person_id], at)

    # A team that keeps no shifts is not away.
    assert here(NOW) == [mo.person_id, ana.person_id]
    with database.write() as connection:
        shifts.add(
            connection,
            desk,
            boss,
            team_id=team(desk),
            person_id=ana.person_id,
            weekday=local.weekday(),
            start_minute=max(begins, 0),
            end_minute=min(begins + 180, 1440),
            now=NOW - DAY,
        )
    assert here(NOW) == [mo.person_id, ana.person_id]
    assert here(NOW - 2 * HOUR) == [mo.person_id]
    with database.write() as connection:
        shifts.say(connection, ana, "break", now=NOW)
        shifts.say(connection, mo, "off", now=NOW)
    assert here(NOW) == []
    assert ana.person_id in here(NOW + 7 * DAY)


def test_only_who_manages_the_people_of_a_team_changes_its_shifts(database: Database, desk: Organisation) -> None:
    agent, other = hire(database, "Ana"), hire(database, "Bea", "manager", team_ids=[1])
    given = {"team_id": team(desk), "person_id": agent.person_id, "weekday": 0, "start_minute": 0, "end_minute": 60}

    def add(who: Access, **more: int) -> None:
        with database.write() as connection:
            shifts.add(connection, desk, who, now=NOW, **{**given, **more})

    with pytest.raises(AccessDenied):
        add(agent)
    with pytest.raises(NotFound, match="there is no such team"):
        add(other)
    boss = hire(database, "Boss", "manager")
    with pytest.raises(NotFound, match="there is no such team"):
        add(boss, team_id=99)
    with pytest.raises(InputError, match="has a length"):
        add(boss, end_minute=0)


def test_a_file_of_shifts_adds_what_is_new_and_ends_what_is_not_in_it(database: Database, desk: Organisation) -> None:
    boss = hire(database, "Boss", "manager")
    hire(database, "Ana")
    number = team(desk)

    def load(text: str, how: object = shift_file.load) -> shift_file.Loaded:
        with database.write() as connection:
            return how(connection, desk, boss, number, text, NOW)  # type: ignore[operator, no-any-return]

    head = "email,weekday,start,end\n"
    first = load(head + "ana@meridian.example,Mon,09:00,17:30\nana@meridian.example,Sat,22:00,06:00\n")
    assert (len(first.new), len(first.gone), first.same) == (2, 0, 0)
    with database.read() as connection:
        written = shift_file.written(shifts.patterns(connection, number, NOW))
    assert load(written).same == 2
    seen = load(head + "ana@meridian.example,Mon,09:00,17:30\nbob@x.example,Tue,1,2\n", shift_file.look)
    assert seen.gone == (("ana@meridian.example", "Sat 22:00–06:00"),)
    assert seen.faults == ('line 3: no person "bob@x.example"',)
    with pytest.raises(InputError, match="line 3"):
        load(head + "ana@meridian.example,Mon,09:00,17:30\nana@meridian.example,Someday,09:00,10:00\n")
    assert load("name,day\n", shift_file.look).faults == ("line 1: the columns must be email, weekday, start, end",)


def test_a_deputy_signs_while_somebody_is_away(database: Database, desk: Organisation) -> None:
    boss, other, ana = hire(database, "Boss", "manager"), hire(database, "Bea", "manager"), hire(database, "Ana")
    away = {"person_id": boss.person_id, "deputy_id": other.person_id, "valid_from": NOW, "valid_to": NOW + 3 * DAY}

    def name(who: Access, **more: object) -> None:
        with database.write() as connection:
            shifts.stand_in(connection, who, now=NOW, **{**away, **more})  # type: ignore[arg-type]

    name(boss)
    with database.read() as connection:
        people = [boss.person_id, ana.person_id]
        assert shifts.deputies(connection, people, NOW + DAY) == {boss.person_id: other.person_id}
        assert shifts.deputies(connection, people, NOW + 3 * DAY) == {}
    with pytest.raises(AccessDenied):
        name(ana)
    with pytest.raises(InputError, match="nobody stands in for themselves"):
        name(boss, deputy_id=boss.person_id)
    with pytest.raises(InputError, match="name 1 to 90 days"):
        name(boss, valid_to=NOW)


def test_the_page_of_a_team_shows_who_is_planned_and_who_is_there(database: Database, desk: Organisation) -> None:
    boss, ana = hire(database, "Boss", "manager"), hire(database, "Ana", team_ids=[team(desk)])
    asked = Question(
        scope=Scope((2,), (2,)),
        window=Window("24h", NOW - DAY, NOW, 900, True),
        zone=desk.zone,
        organisation=desk,
        now=NOW,
        subject=Subject("team", team(desk)),
    )

    def shown() -> dict[str, Any]:
        with database.read() as connection:
            return dict(panel.draw(panel.query(connection, asked)))

    empty = shown()
    assert [row["name"] for row in empty["shifts-rows"]["rows"]] == ["Ana"]
    assert (empty["shifts-state"]["kind"], empty["shifts-rows"]["gaps"]) == ("", panel.HOURS)
    with database.write() as connection:
        shifts.add(
            connection,
            desk,
            boss,
            team_id=team(desk),
            person_id=ana.person_id,
            weekday=NOW.astimezone(desk.zone_info).weekday(),
            start_minute=0,
            end_minute=1440,
            now=NOW - 2 * DAY,
        )
    full = shown()["shifts-rows"]
    assert full["gaps"] == panel.HOURS - 24
    assert [(bar["left"], bar["width"], bar["now"]) for bar in full["rows"][0]["bars"]] == [(0.0, 25.0, True)]
    with database.read() as connection:
        table = panel.table(panel.query(connection, asked))
    assert [row[0] for row in table.rows] == ["Ana"]
