"""The tables of all brands, locations and teams, and the days of their rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest
from sqlalchemy import event, insert

from dashboard import scope
from dashboard.panel import Panel, Question
from dashboard.panels import index_graphs, index_table
from dashboard.panels.index_cells import Figures, Frame, bundled, change, expected, net
from dashboard.panels.index_table import heard
from dashboard.views.index import BRANDS, LOCATIONS, TEAMS
from models import cube
from models.access import Access, Window
from models.cube import Tally
from models.database import Database, time_id
from models.tables import alert
from tests.few import few
from tests.small_organisation import ADMIN, NOW, asked, organisation, person
from tests.small_store import Said, fill, say

VIEWS = {"brand": BRANDS, "location": LOCATIONS, "team": TEAMS}
KINDS = tuple(VIEWS)


def talk(database: Database) -> None:
    """Five weeks of it: Corvane, its rival and Velta, at Nairobi, Berlin, Kenya and nowhere."""
    fill(database)
    said = [
        Said(
            f"post {n}",
            minutes=4 + n * 120,
            brand_id=(2, 5, 2, 4)[n % 4],
            sentiment=(1, 0, -1, None)[n % 4],
            author=f"a{n % 9}",
            followers=100 * (n % 9),
            location_id=(4, 5, 1, 3, 6)[n % 5],
        )
        for n in range(420)
    ]
    say(database, said)


def drawn(database: Database, kind: str, search: str = "", access: Access = ADMIN) -> dict[str, Any]:
    panel: Panel = VIEWS[kind].panels[0]
    with database.read() as connection:
        props = panel.draw(panel.query(connection, asked(search, access=access)))
    return dict(props[f"index-{kind}s-table"])


def rows(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for group in table["groups"] for row in group["rows"]}


@pytest.mark.parametrize("kind", few(KINDS, 1))
def test_every_table_answers_every_kind_of_scope(kind: str, database: Database) -> None:
    talk(database)
    with database.read() as connection:
        for search in (
            "",
            "?window=15m",
            "?window=7d",
            "?window=30d&brand=corvane",
            "?location=kenya&team=care",
            "?q=post",
        ):
            for panel in VIEWS[kind].panels:
                found = panel.query(connection, asked(search))
                orjson.dumps(dict(panel.draw(found)))
                assert panel.table is not None
                table = panel.table(found)
                assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_an_organisation_of_which_nothing_was_said_is_listed_all_the_same(kind: str, database: Database) -> None:
    fill(database)

    found = rows(drawn(database, kind))

    assert (
        set(found)
        == {
            "brand": {"corvane", "halden", "velta", "rival"},
            "location": {"emea", "kenya", "nairobi", "berlin", "tokyo"},
            "team": {"care"},
        }[kind]
    )
    for row in found.values():
        assert (row["mentions"]["v"], row["net"]["v"], row["times"]["v"]) == (0, None, None)


def test_brands_stand_in_groups_with_a_total_of_ours_and_shares_of_their_own_sets(database: Database) -> None:
    talk(database)
    table = drawn(database, "brand", "?window=7d")
    own, rivals = table["groups"]

    assert (own["name"], rivals["name"], rivals["total"]) == ("Own brands, 3", "Competitors, 1", None)
    found = rows(table)
    ours = found["corvane"]["mentions"]["v"] + found["halden"]["mentions"]["v"] + found["velta"]["mentions"]["v"]
    assert own["total"]["mentions"]["v"] == ours > 0
    # Corvane and its rival are one set, so their shares make it whole; Velta has no competitor.
    assert found["corvane"]["share"]["v"] + found["rival"]["share"]["v"] == pytest.approx(100)
    assert found["velta"]["share"]["v"] == 100
    assert own["total"]["share"]["v"] == pytest.approx(100 * ours / (ours + found["rival"]["mentions"]["v"]))
    assert [found[key]["ours"] for key in ("corvane", "rival")] == [True, False]


@pytest.mark.parametrize("search", few(["", "?window=1h", "?window=30d", "?at=2026-11-17T10:07"], 1))
def test_a_row_says_what_its_page_says(search: str, database: Database) -> None:
    talk(database)
    there = organisation()
    for kind in KINDS:
        for key, row in rows(drawn(database, kind, search)).items():
            question = scope.question(scope.parse(search), ADMIN, there, NOW, about=(kind, key))
            with database.read() as connection:
                truly = cube.series(connection, question.scope, question.window, there).total
            assert row["mentions"]["v"] == truly.mentions
            score = truly.net_sentiment
            assert row["net"]["v"] == (None if score is None else round(score, 2))


def test_places_are_listed_by_kind_and_what_is_not_known_has_a_row(database: Database) -> None:
    talk(database)
    table = drawn(database, "location", "?window=30d")
    found = rows(table)

    assert [group["name"] for group in table["groups"]] == ["Sites, 3", "Countries, 1", "Regions, 1"]
    # A country holds its sites and what was said of it alone.
    assert found["kenya"]["mentions"]["v"] > found["nairobi"]["mentions"]["v"] > 0
    sites = sum(row["mentions"]["v"] for row in table["groups"][0]["rows"])
    only_kenya = found["kenya"]["mentions"]["v"] - found["nairobi"]["mentions"]["v"]
    unknown, total = table["groups"][0]["unknown"], table["groups"][0]["total"]
    assert unknown["name"] == "Place not known"
    assert sites + only_kenya + unknown["mentions"]["v"] == total["mentions"]["v"]


def test_a_person_of_one_place_sees_a_table_of_that_place_and_no_spike(database: Database) -> None:
    talk(database)
    limited = person(location_ids=frozenset({3}))

    assert set(rows(drawn(database, "location", "?window=30d", limited))) == {"emea", "kenya", "nairobi"}
    brands = rows(drawn(database, "brand", "?window=30d", limited))
    assert brands["corvane"]["spikes"]["text"] == "whole brand only"
    assert (
        0
        < brands["corvane"]["mentions"]["v"]
        < rows(drawn(database, "brand", "?window=30d"))["corvane"]["mentions"]["v"]
    )


def test_a_spike_of_the_window_is_flagged_filled_while_it_goes_on(database: Database) -> None:
    talk(database)
    with database.write() as connection:
        for brand_id, hours, ended in ((2, 2, None), (4, 3, NOW), (4, 5, NOW), (5, 40, NOW)):
            at = NOW - timedelta(hours=hours)
            row = {"brand_id": brand_id, "id": time_id(at, hours), "kind": "volume", "source_id": 0, "started_at": at}
            words = f"{brand_id} spoke up"
            connection.execute(insert(alert).values(**row, flagged_at=at, ended_at=ended, words=words, details={}))

    found = rows(drawn(database, "brand"))

    spikes = {key: (row["spikes"]["glyph"], row["spikes"]["text"], row["spikes"]["tip"]) for key, row in found.items()}
    assert spikes["corvane"] == ("◆", "1 at 13:32", "2 spoke up")
    assert spikes["velta"] == ("◇", "2, last 12:32", "4 spoke up")
    assert spikes["rival"] == ("", "none", "")


def test_twenty_places_cost_no_more_statements_than_two(database: Database) -> None:
    talk(database)
    counts = {}
    for kind in KINDS:
        panel = VIEWS[kind].panels[0]
        statements: list[str] = []

        def note(*args: Any, seen: list[str] = statements) -> None:
            seen.append(args[2])

        with database.read() as connection:
            event.listen(connection, "before_cursor_execute", note)
            panel.query(connection, asked())
            event.remove(connection, "before_cursor_execute", note)
        counts[kind] = len(statements)
        # Additive figures read the rollups alone.
        rows_read = [sql for sql in statements if "from mention" in sql and "author_day" not in sql]
        assert not rows_read
    # The window, its steps, four earlier weeks, two of reach, the spans that were heard; spikes for brands alone.
    assert counts["location"] == counts["team"] <= counts["brand"] <= 12


# -- comparing -------------------------------------------------------------------------------------------------


def frame(**changes: Any) -> Frame:
    plain: dict[str, Any] = {
        "kind": "team",
        "groups": (),
        "figures": {},
        "total": figures(),
        "unknown": None,
        "whole_steps": 2,
        "weeks": 1,
        "each_once": True,
        "has_spikes": False,
        "partial": False,
        "words": "all brands, last 24 h",
        "end": NOW,
        "zone": "Europe/Amsterdam",
    }
    return Frame(**(plain | changes))


def figures(counts: tuple[int, ...] = (30, 50, 9), past: tuple[tuple[int, ...], ...] = ()) -> Figures:
    return Figures(Tally(sum(counts)), counts, past, 0, 100)


def test_the_step_that_still_fills_is_compared_with_nothing() -> None:
    assert change(frame(), figures(past=((20, 20),))) == (1.0, "▲ 100%")
    assert change(frame(), figures(past=((40, 60),))) == (-0.2, "▼ 20%")


def test_a_change_of_a_few_is_no_change_worth_an_arrow() -> None:
    assert change(frame(), figures(past=((2, 3),))) == (None, "was 5")
    assert change(frame(), figures()) == (None, "no data before")


def test_the_expected_is_the_median_of_two_earlier_spans_at_least() -> None:
    assert expected(figures(past=((10, 10), (40, 0), (1000, 0)))) == 40
    assert expected(figures(past=((10, 10),))) is None


def test_a_span_in_which_nobody_listened_is_not_compared_with(database: Database) -> None:
    fill(database, listened=timedelta(days=9))
    with database.read() as connection:
        found = VIEWS["brand"].panels[0].query(connection, asked())

    assert len(found.total.past) == 1
    window = Window("x", NOW - timedelta(hours=10), NOW, 3600, live=False)
    assert heard(window, ((NOW - timedelta(hours=12), NOW - timedelta(hours=8)),)) == pytest.approx(0.8)


def test_a_small_net_says_how_wide_it_is_and_takes_no_side() -> None:
    few = net(Tally(4, positive=3, negative=1))
    many = net(Tally(400, positive=300, negative=100))

    assert (few["tone"], few["glyph"], few["text"]) == ("neu", "●", "+50")
    assert (many["tone"], many["glyph"]) == ("pos", "▲")
    assert few["low"] < 0 < few["high"]
    assert many["low"] > 40
    assert net(Tally(3, unscored=3))["v"] is None


def test_steps_are_taken_together_from_the_end() -> None:
    assert bundled((1, 2, 3, 4, 5), 2) == [1, 2.5, 4.5]
    assert bundled((4,), 1) == [4]


@pytest.mark.parametrize("name", ["15m", "1h", "24h", "7d", "30d", "2025-01-01..2026-10-01"])
def test_the_line_of_a_row_has_some_thirty_points_on_the_edges_of_cells(name: str) -> None:
    question: Question = asked(f"?window={name}")
    stepped = index_table.stepped(question.window, question)

    starts: tuple[datetime, ...] = cube.steps(stepped, organisation())
    assert len(starts) <= 49 or stepped.step_seconds == 86_400
    assert starts[0] <= question.window.start + timedelta(seconds=stepped.step_seconds)
    assert all(a < b for a, b in pairwise(starts))


# -- the graphs ------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_the_graphs_have_the_days_that_are_over_of_every_row(database: Database) -> None:
    talk(database)
    with database.read() as connection:
        found = VIEWS["location"].panels[1].query(connection, asked())
    props = index_graphs.draw(found)["index-locations-days-graphs"]

    assert len(props["x"]) == 30
    assert props["x"][-1].startswith("2026-11-18")
    by_key = {row["key"]: row for row in props["rows"]}
    assert sum(by_key["kenya"]["mentions"]) > sum(by_key["nairobi"]["mentions"]) > 0
    # So few are scored a day that no net is drawn.
    assert set(by_key["kenya"]["net"]) == {None}


def test_a_day_without_ears_is_no_zero_in_the_graphs(database: Database) -> None:
    fill(database, listened=timedelta(days=10))
    say(database, [Said("hello", minutes=1440 * 3)])
    with database.read() as connection:
        found = VIEWS["brand"].panels[1].query(connection, asked())
    row = index_graphs.draw(found)["index-brands-days-graphs"]["rows"][0]

    assert row["mentions"][0] is None
    assert row["mentions"][-1] == 0
    assert sum(count or 0 for count in row["mentions"]) == 1
