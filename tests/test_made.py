"""dashboard/asks/made.py and what stands behind it: the drawer says what the strip says, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from dashboard.asks import made
from dashboard.asks.ask import Asked
from dashboard.asks.serving import asked as asked_of
from dashboard.panels import kpi
from dashboard.views import by_path
from models import organisation as organisations
from models import rows_behind
from models.access import Access
from models.corrections import correct
from models.database import Database
from models.errors import NotFound, ScopeError
from models.mention_marks import Who, hide
from models.metrics import METRICS
from tests.few import few
from tests.small_organisation import ADMIN, NOW, asked, person
from tests.small_store import Said, fill, say

WEEK = 7 * 24 * 60
SCOPES = (
    "",
    "?window=15m",
    "?window=7d",
    "?window=2026-11-01..2026-11-19",
    "?at=2026-11-19T14:10Z",
    "?brand=rival",
    "?location=kenya",
    "?location=kenya&team=care",
    "?q=card&network=x",
    "?q=nothing",
)


def filled(database: Database) -> None:
    """Some hundred mentions of three brands and a competitor, this week and the week before."""
    fill(database)
    said = [
        Said(
            "" if n % 31 == 0 else f"my card {n}",
            minutes=n * 9 + (WEEK if n // 3 % 3 == 0 else 0),
            brand_id=(2, 2, 3, 5, 4)[n % 5],
            sentiment=(1, 0, -1, None)[(n // 2) % 4],
            author=f"a{n % 40}",
            followers=(100 + n % 40 if n % 7 else None),
            network=("x", "reddit")[n % 2],
            location_id=(4, 5, 1)[n % 3],
            language=("en", "nl", None)[n % 3],
        )
        for n in range(300)
    ]
    say(database, said)


def asking(connection: Any, search: str = "", *, access: Access = ADMIN, path: str = "/", **given: Any) -> Asked:
    organisation = organisations.current(connection, NOW)
    return asked_of(by_path, access, organisation, NOW, {"path": path, "search": search, **given})


def told(database: Database, metric: str, search: str = "", *, access: Access = ADMIN) -> Mapping[str, Any]:
    with database.read() as connection:
        found = made.made(connection, asking(connection, search, access=access, metric=metric))
    orjson.dumps(dict(found))
    return found


def by_words(lines: list[Mapping[str, Any]]) -> dict[str, int | None]:
    return {line["words"]: line["n"] for line in lines}


# -- the numbers -------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_the_drawer_says_what_the_strip_says_whatever_the_scope(database: Database) -> None:
    filled(database)
    compared = 0
    for search in SCOPES:
        with database.read() as connection:
            frame = kpi.query(connection, asking(connection, search).asked())
        cells = {cell["key"]: cell for cell in kpi.cells(frame)}
        for key in kpi.CELLS:
            found = told(database, key, search)
            cell, total = cells[key], frame.series.total
            assert found["change"]["words"] == cell["change"]
            if key == "mentions":
                assert found["value"] == f"{total.mentions:,}" == cell["exact"]
            if cell["value"] == "–":
                assert found["value"] == "–", (search, key)
                continue
            compared += 1
            value = float(found["value"].replace("−", "-").replace(",", ""))
            if key == "net_sentiment":
                assert value == pytest.approx(total.net_sentiment, abs=0.051)
            elif key == "reach":
                assert value == frame.reach.value
            elif key == "share_of_voice":
                assert found["value"] == cell["value"]
    assert compared >= 30


def test_what_is_counted_and_left_out_adds_up(database: Database) -> None:
    filled(database)
    for search in ("", "?window=7d", "?window=7d&location=kenya&team=care", "?q=card"):
        whole, out, base = (line["n"] for line in told(database, "net_sentiment", search)["counted"])
        assert whole == out + base
        counted = told(database, "mentions", search)["counted"]
        brands = [line["n"] for line in counted if line["kind"] == "brand"]
        assert not brands or sum(brands) == counted[0]["n"]
        shares = told(database, "share_of_voice", search)["counted"]
        parts = [line["n"] for line in shares if line["kind"] == "brand"]
        assert not parts or sum(parts) == shares[0]["n"]


@pytest.mark.prove
def test_rows_say_why_mentions_were_not_scored(database: Database) -> None:
    filled(database)
    for search in ("?window=7d", "?location=kenya", "?q=card"):
        with database.read() as connection:
            whole = told(database, "net_sentiment", search)["counted"]
            under = made.kinds(connection, asking(connection, search, metric="net_sentiment"))["under"]
            assert sum(line["n"] for line in under) == whole[1]["n"]
    found = by_words(under)
    assert "Language not known: en, nl" in found
    assert "No language recognised" in found


@pytest.mark.prove
def test_the_changes_bars_add_up_on_the_screen(database: Database) -> None:
    filled(database)
    drawn = 0
    for search in ("?window=7d", "?window=7d&location=kenya", "?window=7d&brand=corvane", "?window=7d&network=x"):
        for key in kpi.CELLS:
            bars = told(database, key, search)["change"]["bars"]
            if not bars:
                continue
            drawn += 1
            start, *parts, end = bars
            assert start["value"] + sum(bar["value"] for bar in parts) == pytest.approx(end["value"], abs=1e-9)
            assert start["kind"] == end["kind"] == "end"
    assert drawn >= 12


def test_better_is_blue_worse_is_orange_and_more_is_neither(database: Database) -> None:
    fill(database)
    now = [Said("good", minutes=30 + n, sentiment=1, author=f"a{n}") for n in range(40)]
    then = [Said("bad", minutes=WEEK + 30 + n, sentiment=-1, author=f"b{n}") for n in range(60)]
    say(database, [*now, *then])

    net = told(database, "net_sentiment")["change"]
    mentions = told(database, "mentions")["change"]

    assert (net["bars"][1]["label"], net["bars"][1]["tone"]) == ("Corvane", "pos")
    assert net["tone"] == "pos"
    assert mentions["bars"][1]["words"] == "▼ −20"
    assert not any(bar["tone"] for bar in mentions["bars"])


def test_a_span_that_was_not_heard_is_not_taken_apart(database: Database) -> None:
    fill(database, listened=timedelta(days=2))
    say(database, [Said("card", minutes=30 + n) for n in range(30)])

    found = told(database, "mentions")["change"]

    assert found["bars"] == []
    assert "no data a week before" in found["why"]


def test_a_small_n_gets_no_interval_but_the_n_that_is_needed(database: Database) -> None:
    fill(database)
    say(database, [Said("card", minutes=n, sentiment=1) for n in range(1, 13)])
    few = told(database, "net_sentiment")["interval"]
    say(database, [Said("more", minutes=n / 10, sentiment=n % 3 - 1, author=f"m{n}") for n in range(20, 400)])

    assert few == "n 12 is too small for an interval; 30 scored are needed"
    assert "95% interval (n 392)" in told(database, "net_sentiment")["interval"]


# -- rows --------------------------------------------------------------------------------------------------


def all_rows(database: Database, metric: str, search: str, part: str, access: Access = ADMIN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    with database.read() as connection:
        for _ in range(100):
            page = made.rows(
                connection, asking(connection, search, access=access, metric=metric, part=part, after=after)
            )
            orjson.dumps(dict(page))
            found += page["rows"]
            after = page["next"]
            if not after:
                return found
    raise AssertionError("the pages do not end")


@pytest.mark.prove
def test_every_part_has_as_many_rows_as_its_chip_says_newest_first(database: Database) -> None:
    filled(database)
    looked = 0
    for search in ("?window=7d", "?q=card&location=kenya"):
        for key in ("net_sentiment", "mentions"):
            for chip in told(database, key, search)["chips"]:
                rows = all_rows(database, key, search, chip["part"])
                assert len(rows) == chip["n"], (search, key, chip)
                assert len({row["id"] for row in rows}) == len(rows)
                assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
                looked += len(rows)
    assert looked > 250


def test_no_more_than_the_newest_rows_are_shown(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database)
    monkeypatch.setattr(rows_behind, "MOST", 120)

    assert len(all_rows(database, "mentions", "?window=7d", "all")) == 120


def test_a_part_is_found_far_behind_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database)
    monkeypatch.setattr(rows_behind, "WALK", 7)

    negative = all_rows(database, "net_sentiment", "?window=30d", "negative")

    assert len(negative) == next(
        chip["n"] for chip in told(database, "net_sentiment", "?window=30d")["chips"] if chip["part"] == "negative"
    )


def test_a_person_reads_the_rows_of_their_brands_and_places_alone(database: Database) -> None:
    filled(database)
    limited = person(brand_ids=frozenset({3}), location_ids=frozenset({3}))

    rows = all_rows(database, "mentions", "?window=7d", "all", limited)

    assert rows
    assert {row["cells"][0]["text"] for row in rows} == {"Halden Bank"}
    assert {row["cells"][1]["text"] for row in rows} <= {"Nairobi", "Kenya"}
    with pytest.raises(NotFound), database.read() as connection:
        made.rows(connection, asking(connection, "?brand=corvane", access=limited, metric="mentions"))


def test_who_sees_no_competitors_page_gets_no_way_to_it(database: Database) -> None:
    filled(database)
    limited = person(brand_ids=frozenset({3}))

    lines = told(database, "mentions", "?window=7d", access=limited)["counted"]

    assert not any("no brand" in line["words"] for line in lines), "posts of no brand are told to administrators"
    assert any("no brand" in line["words"] for line in told(database, "mentions", "?window=7d")["counted"])


def test_a_correction_says_who_set_it(database: Database) -> None:
    there = fill(database)
    say(database, [Said("my card", minutes=5, sentiment=-1)])
    with database.write() as connection:
        scope = asking(connection).asked().scope
        row = connection.execute(text("select brand_id, id from mention")).one()
        correct(
            connection,
            scope,
            mention=(row.brand_id, row.id),
            field="sentiment",
            value=1,
            organisation=there,
            by=None,
            actor="Ana Novak",
            now=NOW,
        )

    cells = all_rows(database, "net_sentiment", "", "scored")[0]["cells"]

    assert [cell["text"] for cell in cells] == ["▲ Positive", "", "set by Ana Novak"]


def test_what_was_hidden_is_left_out_and_said(database: Database) -> None:
    there = fill(database)
    say(database, [Said(f"my card {n}", minutes=5 + n) for n in range(3)])
    with database.write() as connection:
        scope = asking(connection).asked().scope
        key = connection.execute(text("select brand_id, id from mention order by id limit 1")).one()
        hide(connection, scope, (key.brand_id, key.id), organisation=there, who=Who(1, "ana@meridian.example", NOW))

    with database.read() as connection:
        kept = by_words(made.kinds(connection, asking(connection, metric="mentions"))["kept"])
        other = by_words(made.kinds(connection, asking(connection, "?brand=halden", metric="mentions"))["kept"])

    assert kept["Hidden as irrelevant by a person, left out"] == 1
    assert other["Hidden as irrelevant by a person, left out"] == 0
    assert told(database, "mentions")["value"] == "2"


def test_what_was_deleted_stays_counted_and_is_said(database: Database) -> None:
    fill(database)
    say(database, [Said(f"my card {n}", minutes=5 + n) for n in range(3)])
    with database.write() as connection:
        connection.execute(
            text("update mention set deleted_at = 1, text = '' where id = (select min(id) from mention)")
        )

    with database.read() as connection:
        kept = by_words(made.kinds(connection, asking(connection, metric="mentions"))["kept"])
    gone = all_rows(database, "mentions", "", "deleted")

    assert kept["Deleted at the network, counted all the same"] == 1
    assert [(row["text"], row["gone"]) for row in gone] == [("", "deleted at the network")]


def test_more_rows_than_are_looked_at_say_which_part_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database)
    monkeypatch.setattr(rows_behind, "ROW_LIMIT", 50)
    with database.read() as connection:
        found = made.kinds(connection, asking(connection, "?window=7d", metric="net_sentiment"))

    assert found["note"].startswith("by the newest 50 of ")


# -- everything else ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", few(sorted(METRICS), 2))
def test_every_figure_of_the_registry_opens(key: str, tmp_path: Any) -> None:
    from tests.empty import empty_database

    database = empty_database(tmp_path)
    fill(database)
    found = told(database, key)
    database.close()

    assert found["definition"] == METRICS[key].definition
    assert found["version"] == METRICS[key].version
    assert [age["name"] for age in found["ages"]] == ["X search"]


def test_a_figure_that_is_none_is_not_found(database: Database) -> None:
    fill(database)

    with pytest.raises(NotFound, match='there is no figure "weather"'):
        told(database, "weather")


def test_the_link_holds_a_live_window_at_this_instant_and_keeps_the_scope(database: Database) -> None:
    fill(database)

    assert told(database, "reach", "?brand=corvane")["link"] == "/?brand=corvane&at=2026-11-19T14:32:10Z#made=reach"
    assert told(database, "reach", "?at=2026-11-18")["link"] == "/?at=2026-11-18#made=reach"
    assert told(database, "reach", "?window=2026-11-01..2026-11-02")["link"].count("at=") == 0


def test_the_same_link_shows_the_same_figures(database: Database) -> None:
    filled(database)
    for window in ("15m", "24h", "30d"):
        live = told(database, "mentions", f"?window={window}")
        held = told(database, "mentions", live["link"].partition("#")[0].removeprefix("/"))
        assert held["value"] == live["value"]


def test_without_ears_the_age_of_the_data_is_a_dash(database: Database) -> None:
    fill(database)
    with database.write() as connection:
        connection.execute(text("update source set last_success_at = null"))

    assert told(database, "data_age")["value"] == "–"


def test_the_age_of_the_data_is_that_of_the_worst_source(database: Database) -> None:
    fill(database)

    found = told(database, "data_age")

    assert found["value"] == "1.0 s"
    assert "14:32" in found["formula"]["over"][0]["text"] or "15:32" in found["formula"]["over"][0]["text"]


def test_a_cursor_that_is_none_begins_at_the_newest(database: Database) -> None:
    filled(database)
    with database.read() as connection:
        first = made.rows(connection, asking(connection, "?window=7d", metric="mentions"))
        for after in ("x", "12", "12.x", "-1.5", "٣.٣"):
            again = made.rows(connection, asking(connection, "?window=7d", metric="mentions", after=after))
            assert again["rows"][0] == first["rows"][0]


def test_a_wrong_scope_is_refused_as_the_page_refuses_it(database: Database) -> None:
    fill(database)

    with pytest.raises(ScopeError):
        told(database, "mentions", "?window=2h")


def test_the_window_of_the_rows_ends_with_its_last_step() -> None:
    for search, end in (("", "14:45"), ("?window=15m", "14:33"), ("?window=30d", "17:00")):
        assert f"{made.counted_window(asked(search)).end:%H:%M}" == end
    days = asked("?window=2025-01-01..2026-11-25")
    assert days.window.step_seconds == 86_400
    # Midnight in Amsterdam.
    assert made.counted_window(days).end == datetime(2026, 11, 19, 23, tzinfo=UTC)
