"""models/bands.py: the expected range along a window, from cells alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert

from ingest.ledger import cover
from models import bands, cube
from models.access import Scope
from models.bands import Band, band, recent_band
from models.database import Database
from models.organisation import Organisation
from models.tables import cube as cells
from tests.builders import AMSTERDAM_SITE, CORVANE, HALDEN, KOLKATA, NOW, OWN, add_source, load
from tests.few import few

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
END = datetime.fromisoformat("2026-11-19T14:30:00+00:00")
OPEN = Scope((CORVANE,), (CORVANE,))
VALUES = dict.fromkeys(cube.VALUES, 0)


def starts(step: timedelta = QUARTER, count: int = 8, end: datetime = END) -> list[datetime]:
    return [end - (count - n) * step for n in range(count)]


def count(
    database: Database,
    said: Callable[[datetime], int],
    *,
    days: int = 29,
    hours: tuple[int, int] = (10, 17),
    brand_id: int = CORVANE,
    cell: int = 300,
    place: int = 0,
    network: int = 0,
    end: datetime = END,
) -> None:
    """Fill the cells of one size as if so much had been said in each of them, in some hours (UTC) of every day."""
    every = [end - n * timedelta(seconds=cell) for n in range(1, int(days * DAY / timedelta(seconds=cell)) + 1)]
    instants = [at for at in every if hours[0] <= at.hour < hours[1]]
    made = [
        VALUES
        | {
            "brand_id": brand_id,
            "granularity": cell,
            "location_id": place,
            "team_id": 0,
            "network_id": network,
            "bucket": int(at.timestamp()),
            "mentions": said(at),
        }
        for at in instants
    ]
    with database.write() as connection:
        connection.execute(insert(cells), made)


def listened(database: Database, start: datetime, end: datetime = END + DAY) -> None:
    source_id = add_source(database, f"heard from {start}")
    with database.write() as connection:
        cover(connection, source_id, (start, end), joins_all=True)


def asked(
    database: Database,
    there: Organisation,
    *,
    scope: Scope = OPEN,
    at: list[datetime] | None = None,
    step: timedelta = QUARTER,
    now: datetime = NOW,
) -> Band:
    with database.read() as connection:
        return band(connection, scope, at or starts(step), int(step.total_seconds()), there, now=now)


def test_the_range_of_a_step_is_what_like_hours_held(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    # 4 in five minutes on Thursdays, 9 on all other days.
    count(database, lambda at: 4 if at.weekday() == 3 else 9)

    found = asked(database, there)

    assert len(found.ranges) == 8
    assert {(one.low, one.middle, one.high, one.n) for one in found.ranges} == {(12.0, 12.0, 12.0, 36)}
    assert found.why_not == ""


def test_only_the_same_weekdays_are_read_where_they_are_enough(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    count(database, lambda at: 4)
    read: list[tuple[int, int]] = []

    def note(_c: object, _cur: object, _s: str, parameters: object, _x: object, _m: object) -> None:
        given = parameters if isinstance(parameters, dict) else {}
        if "from" in given and "to" in given:
            read.append((given["from"], given["to"]))

    if not database.is_sqlite:
        event.listen(database.engine, "before_cursor_execute", note)
        asked(database, there)
        assert len(read) == 4
        # Two hours of steps, an hour either side, an hour for a change of clocks.
        assert sum(end - start for start, end in read) <= 4 * 6.5 * 3600
    assert asked(database, there).is_known


def test_the_brands_of_a_scope_are_counted_together(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    for brand_id in OWN:
        count(database, lambda at: 2, brand_id=brand_id)

    assert asked(database, there, scope=Scope(OWN, OWN)).ranges[0].middle == 18.0


def test_a_place_is_the_sum_of_its_networks(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    for network in (1, 2):
        count(database, lambda at: 5, cell=900, place=AMSTERDAM_SITE, network=network)

    found = asked(database, there, scope=replace(OPEN, location_ids=(AMSTERDAM_SITE,)))

    assert found.ranges[0].middle == 10.0


def test_nothing_was_said_is_zero_and_nobody_listened_is_nothing(database: Database) -> None:
    there = load(database)
    count(database, lambda at: 0, days=1)
    listened(database, END - 60 * DAY, END - 14 * DAY - 3 * HOUR)
    listened(database, END - 7 * DAY - 3 * HOUR)

    heard = asked(database, there)

    # Of four Thursdays one was not listened to.
    assert {one.n for one in heard.ranges} == {27}
    assert heard.ranges[0].high == 0.0


def test_too_short_a_past_gives_no_band_and_says_so(database: Database) -> None:
    there = load(database)
    listened(database, END - 2 * HOUR)
    count(database, lambda at: 4, days=1)

    found = asked(database, there)

    assert not found.is_known
    assert found.why_not == "no band: 0 comparable counts in the past 4 weeks, 24 are needed"


def test_a_week_of_past_joins_like_days(database: Database) -> None:
    there = load(database)
    listened(database, END - 8 * DAY)
    count(database, lambda at: 4, days=8, hours=(0, 24))

    found = asked(database, there)

    assert found.is_known
    assert all(one.joined for one in found.ranges)


def test_hours_are_compared_with_hours(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    end = END.replace(minute=0)
    count(database, lambda at: 30, cell=3600, days=40, hours=(0, 24), end=end)

    found = asked(database, there, at=starts(HOUR, 168, end), step=HOUR)

    assert len(found.ranges) == 168
    assert {one.middle for one in found.ranges} == {30.0}
    assert all(one.n >= 24 for one in found.ranges)


def test_hours_of_a_zone_that_is_half_an_hour_off_are_put_together_of_finer_cells(database: Database) -> None:
    there = load(database, zone=KOLKATA)
    listened(database, END - 60 * DAY)
    count(database, lambda at: 2, cell=900, hours=(0, 24), network=2)

    found = asked(database, there, scope=replace(OPEN, network_ids=(2,)), at=starts(HOUR, 24), step=HOUR)

    assert {one.middle for one in found.ranges} == {8.0}


@pytest.mark.prove
def test_what_was_forgotten_is_not_taken_for_silence(database: Database) -> None:
    there = load(database)
    listened(database, END - 90 * DAY)
    count(database, lambda at: 4, days=35)
    # A window of 20 days ago: its past reaches beyond what is kept.
    at = [start - 20 * DAY for start in starts()]

    found = asked(database, there, at=at)

    assert all(one.low in (None, 12.0) for one in found.ranges)


@pytest.mark.parametrize(
    ("scope", "seconds", "why"),
    few(
        [
            (OPEN, 60, "no band for single minutes"),
            (OPEN, 21_600, "no band for steps of more than an hour"),
            (replace(OPEN, search="card"), 900, "no band for a search"),
            (replace(OPEN, location_ids=(4,), team_ids=(2,)), 900, "no band for a place and a team together"),
            (replace(OPEN, network_ids=(2,)), 300, "no band for 5 minutes of a part of a brand"),
        ],
        2,
    ),
)
def test_where_no_cells_are_kept_the_band_says_why_it_is_missing(
    database: Database, scope: Scope, seconds: int, why: str
) -> None:
    there = load(database)
    step = timedelta(seconds=seconds)
    found = asked(database, there, scope=scope, at=starts(step), step=step)
    assert (found.why_not, found.is_known) == (why, False)
    assert len(found.ranges) == 8


def test_five_minutes_of_whole_brands_have_a_band(database: Database) -> None:
    there = load(database)
    listened(database, END - 60 * DAY)
    count(database, lambda at: 4)
    step = timedelta(minutes=5)

    found = asked(database, there, at=starts(step, 12), step=step)

    assert {(one.middle, one.n) for one in found.ranges} == {(4.0, 100)}


def test_a_band_is_worked_out_once_a_minute_for_all_who_ask(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = load(database)
    calls: list[Scope] = []

    def counted(_connection: object, scope: Scope, at: list[datetime], *_rest: object, **_more: object) -> Band:
        calls.append(scope)
        return Band((bands.UNKNOWN,) * len(at))

    monkeypatch.setattr(bands, "band", counted)
    with database.read() as connection:
        for seconds in (0, 1, 59, 60, 61):
            recent_band(connection, OPEN, starts(), 900, there, now=NOW + timedelta(seconds=seconds))
        other = replace(OPEN, brand_ids=(HALDEN,))
        recent_band(connection, other, starts(), 900, there, now=NOW)
        recent_band(connection, OPEN, starts(count=9), 900, there, now=NOW)
    assert len(calls) == 4
