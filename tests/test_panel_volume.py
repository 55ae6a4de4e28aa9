"""Mentions over time: the expected range, what was flagged, and whether a low count is quiet or blind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from dashboard.panels import flagged, volume
from dashboard.panels.flagged import Flag
from dashboard.panels.frame import About
from models import alerts
from models.alerts import Alert
from models.bands import Band
from models.blind import Listening
from models.cube import Series, Tally
from models.database import Database
from models.expected import Expected
from tests.small_organisation import NOW, asked
from tests.small_store import Said, fill, say
from tests.test_alerts import event

STEP = timedelta(minutes=15)
END = datetime.fromisoformat("2026-11-19T14:30:00+00:00")
ABOUT = About("all brands, last 24 h", "all brands", "24h", True, 900, "Europe/Amsterdam", NOW)
UNKNOWN = Expected(None, None, 3)


def frame(*counts: int, band: Band | None = None, **more: Any) -> volume.Frame:
    """Whole steps of 15 minutes that end at 15:30 in Amsterdam, each with a range of 40 to 60."""
    starts = tuple(END - (len(counts) - n) * STEP for n in range(len(counts)))
    tallies = tuple(Tally(mentions=count, neutral=count) for count in counts)
    band = band or Band(tuple(Expected(40.0, 60.0, 36, 0, 50.0) for _ in counts))
    return replace(volume.Frame(Series(starts, 900, tallies), END, (), ABOUT, band), **more)


def figure(found: volume.Frame) -> dict[str, Any]:
    drawn: dict[str, Any] = volume.draw(found)["volume-graph"]["figure"]
    orjson.dumps(drawn)
    return drawn


def notes(found: volume.Frame) -> list[str]:
    return [note["text"] for note in figure(found)["layout"]["annotations"]]


def bands(found: volume.Frame) -> list[list[str]]:
    return [trace["customdata"] for trace in figure(found)["data"] if trace.get("fill") == "tonexty"]


def flag(minutes: int, brand: str = "Corvane", **more: Any) -> Flag:
    return Flag(END - timedelta(minutes=minutes), brand, "31 in 15 min, 7 usual", "31 mentions …", **more)


def alert(kind: str = "volume", **more: Any) -> Alert:
    told = {"window_seconds": 900, "count": 1_031, "usual": 7.0}
    plain = Alert(2, 1, kind, 0, END, END, None, 0.84, 0.3, "1,031 mentions in 15 minutes, …", told)
    return replace(plain, **more)


# -- the expected range ------------------------------------------------------------------------------------


def test_the_range_is_a_band_with_a_dashed_middle_and_the_lines_are_named() -> None:
    found = frame(*[50] * 24)

    assert bands(found) == [["40 to 60"] * 24]
    dashed = [trace for trace in figure(found)["data"] if trace["line" if "line" in trace else "marker"].get("dash")]
    assert [trace["y"] for trace in dashed if trace["line"]["dash"] == "4px,3px"] == [[50.0] * 24]
    assert {"Actual", "Expected range, 5–95%"} <= set(notes(found))
    assert "band = same hours of the past 4 weeks" in volume.draw(found)["volume-head"]["sub"]


def test_the_band_never_bridges_a_span_in_which_nobody_listened() -> None:
    gap = ((END - 4 * STEP, END - 2 * STEP),)
    found = frame(50, 50, 0, 0, 50, 50, gaps=gap)

    assert [len(run) for run in bands(found)] == [2, 2]
    middle = next(t for t in figure(found)["data"] if t.get("line", {}).get("dash") == "4px,3px")
    assert middle["y"] == [50.0, 50.0, None, None, 50.0, 50.0]


def test_a_step_without_a_range_is_left_out_of_the_band() -> None:
    known = Expected(40.0, 60.0, 36, 0, 50.0)
    assert [len(run) for run in bands(frame(1, 2, 3, 4, band=Band((UNKNOWN, known, known, known))))] == [3]


def test_without_a_band_the_head_says_why() -> None:
    why = "no band: 3 comparable counts in the past 4 weeks, 24 are needed"
    found = frame(5, 6, 7, band=Band((UNKNOWN,) * 3, why))

    assert bands(found) == []
    assert volume.draw(found)["volume-head"]["sub"] == f"all brands, last 24 h; {why}"
    assert not {"Actual", "Expected range, 5–95%"} & set(notes(found))


@pytest.mark.parametrize(("last", "words"), [(195, "×3.9<br>expected"), (20, "×0.4<br>expected")])
def test_a_last_value_out_of_its_range_says_how_far(last: int, words: str) -> None:
    assert words in notes(frame(50, 50, last))


def test_a_last_value_in_its_range_says_no_more_than_its_count() -> None:
    assert not any("expected" in words for words in notes(frame(50, 50, 60)))


def test_the_axis_has_room_for_the_range() -> None:
    high = Band((Expected(40.0, 900.0, 36, 0, 50.0),) * 3)
    assert figure(frame(5, 5, 5, band=high))["layout"]["yaxis"]["range"][1] >= 900


# -- what was flagged --------------------------------------------------------------------------------------


def test_flagged_spikes_are_open_diamonds_with_their_words_and_a_count_in_the_head() -> None:
    found = frame(*[50] * 90, 180, 170, 50, 50, flags=(flag(20 * 15), flag(4 * 15)))
    marks = [trace for trace in figure(found)["data"] if trace.get("name") == "flagged"]

    assert marks[0]["marker"]["symbol"] == "diamond"
    assert marks[0]["marker"]["color"] == "$bg-panel"
    assert marks[0]["y"] == [50, 180]
    assert any("14:30 Corvane</b><br>31 in 15 min, 7 usual" in words for words in notes(found))
    assert volume.draw(found)["volume-head"]["side"] == "2 spikes flagged"


def test_words_that_would_lie_on_each_other_are_said_by_pointing_alone() -> None:
    found = frame(*[50] * 96, flags=(flag(75), flag(60)))
    assert sum("31 in 15 min" in words for words in notes(found)) == 1
    trace = next(trace for trace in figure(found)["data"] if trace.get("name") == "flagged")
    assert len(trace["text"]) == 2


def test_a_diamond_never_stands_where_nobody_listened() -> None:
    found = frame(50, 0, 50, flags=(flag(25),), gaps=((END - 2 * STEP, END - STEP),))
    assert not any(trace.get("name") == "flagged" for trace in figure(found)["data"])


def test_names_of_brands_and_people_stay_text() -> None:
    found = frame(*[50] * 30, flags=(flag(30, "<b>A&B", by="<i>Ana is on it"),))
    (words,) = [words for words in notes(found) if "31 in" in words]
    assert "&lt;b&gt;A&amp;B" in words
    assert "&lt;i&gt;Ana is on it" in words


def test_a_spike_is_said_in_a_few_words() -> None:
    assert flagged.short(alert()) == "1,031 in 15 min, 7 usual"
    told = {"window_seconds": 3600, "count": 50, "usual": 7.0}
    assert flagged.short(alert("negative", details=told)) == "84% of 50 negative in 1 h"
    assert flagged.flag(alert(acknowledged_by="Ana"), "Corvane").by == "Ana is on it"
    assert flagged.flag(alert(acknowledged_by="Ana", ended_at=END), "Corvane").by == ""


# -- quiet or blind ----------------------------------------------------------------------------------------


def test_a_low_count_that_every_source_heard_is_quiet() -> None:
    found = frame(50, 50, 20, listening=Listening(6, (), None, END - timedelta(minutes=10)))
    assert "Quiet: 6 of 6 sources listened<br>the canary was heard at 15:20" in notes(found)
    assert "Quiet: 6 of 6 sources listened" in volume.draw(found)["volume-head"]["label"]


def test_a_low_count_of_which_a_source_was_missing_is_blind_and_names_it() -> None:
    heard = Listening(6, ("YouTube", "X", "Reddit"), END - timedelta(minutes=70), None)
    found = frame(50, 50, 20, listening=heard)
    (note,) = [note for note in figure(found)["layout"]["annotations"] if "Blind" in note["text"]]
    assert note["text"].split("<br>") == [
        "Blind: 3 of 6 sources did not listen",
        "YouTube, X and 1 more",
        "not heard since 14:20",
    ]
    assert note["font"]["color"] == "$warn"


def test_a_source_whose_canary_failed_is_blind_although_it_answers() -> None:
    found = frame(50, 50, 20, listening=Listening(2, ("X",), None, None))
    assert any("its canary found nothing" in words for words in notes(found))


# -- asked of a database -----------------------------------------------------------------------------------


def test_a_window_brings_its_flags_and_asks_who_listened_only_where_it_is_low(database: Database) -> None:
    fill(database)
    say(database, [Said(f"card {n}", minutes=n * 15 + 40, author=f"a{n}") for n in range(60)])
    with database.write() as connection:
        at = END - timedelta(hours=3)
        alerts.keep_spikes(connection, 2, [event(at)], judged_to=END, now=NOW)
        alerts.keep_spikes(connection, 3, [event(at - timedelta(days=3))], judged_to=END, now=NOW)
    with database.read() as connection:
        whole = volume.query(connection, asked())
        place = volume.query(connection, asked("?location=kenya"))

    assert [flag.brand for flag in whole.flags] == ["Corvane"]
    assert place.flags == ()
    assert volume.draw(whole)["volume-head"]["side"] == "1 spike flagged"
    # The last whole step has none, where one is the least of four weeks of silence: not low.
    assert whole.listening is None


def test_an_unheard_last_step_asks_who_did_not_listen(database: Database) -> None:
    fill(database, listened=timedelta(days=40))
    say(database, [Said(f"card {n}", minutes=n * 15 + 40, author=f"a{n}") for n in range(60)])
    with database.write() as connection:
        ended = int((NOW - timedelta(hours=2)).timestamp() * 1_000_000)
        connection.exec_driver_sql(f"update coverage set covered_to = {ended}")
    with database.read() as connection:
        found = volume.query(connection, asked())

    assert found.listening is not None
    assert found.listening.missing == ("X search",)


def test_the_table_has_a_row_a_step_with_its_range(database: Database) -> None:
    gap = ((END - 3 * STEP, END - 2 * STEP),)
    table = volume.table(frame(0, 50, 80, gaps=gap, flags=(flag(10),)))

    assert table.columns == ("From", "Mentions", "Expected from", "Expected middle", "Expected to", "Flagged")
    assert [row[1:] for row in table.rows] == [
        (None, 40.0, 50.0, 60.0, None),
        (50, 40.0, 50.0, 60.0, None),
        (80, 40.0, 50.0, 60.0, "Corvane: 31 in 15 min, 7 usual"),
    ]
    assert "130 mentions" in table.about
