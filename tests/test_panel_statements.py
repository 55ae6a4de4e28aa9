"""What panels read: figures that add up come from the rollup alone, whatever page they stand on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from dashboard import scope as scopes
from dashboard.channel import Viewer
from dashboard.hub import Hub
from dashboard.panel import Panel, Question
from dashboard.views import VIEWS, by_path
from dashboard.views.view import View
from models.database import Database, time_id
from models.mentions import newest
from tests.empty import empty_database
from tests.few import few
from tests.small_organisation import ADMIN, NOW, organisation
from tests.small_store import Said, fill, say

# The panels whose figures are sums, and by what they compare beside brands.
ADDITIVE = {
    **dict.fromkeys(("kpi", "volume", "sentiment", "share", "week", "load", "index-brands", "index-brands-days"), ""),
    **dict.fromkeys(("locations", "index-locations", "index-locations-days"), "location"),
    **dict.fromkeys(("index-teams", "index-teams-days"), "team"),
}
# A window that ends inside a cell.
END = datetime.fromisoformat("2026-11-18T13:43:20+00:00")
# Without minutes: the steps of 15m are finer than any cell, and 15 minutes are few rows.
LIVE = ("?window=1h", "", "?window=7d", "?window=30d", "?window=2026-09-01..2026-11-01")
NARROW = ("", "brand=corvane", "brand=velta,rival", "location=kenya", "team=care", "network=x,reddit")
# The reach of up to two days counts each author once: who posted inside the window is looked up for those at its edges.
REACH = "from author_day"
_MENTION = re.compile(r"\b(?:from|join)\s+mention\b", re.IGNORECASE)

Statements = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = empty_database(tmp_path_factory.mktemp("panels"))
    fill(database)
    # Often where a window of an hour ends, and now and then before: nothing asked for is empty.
    often = [1 + 12 * n for n in range(20)] + [(NOW - END).total_seconds() / 60 + 12 * n for n in range(20)]
    said = [
        Said("corvane", minutes=minutes, brand_id=2 + n % 4, network=("x", "reddit")[n // 4 % 2])
        for n, minutes in enumerate([*often, *(700 + 331 * n for n in range(120))])
    ]
    say(database, said)
    yield database
    database.close()


@contextmanager
def logged(database: Database) -> Iterator[Statements]:
    """Every statement, with its values by name."""
    statements: Statements = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        values = getattr(context, "compiled_parameters", None) or [{}]
        statements.append((statement, dict(values[0])))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def asked(view: View, query: str) -> Question:
    """The question of a page; the page of one brand, location or team is that of the first."""
    subject = {"brand": "corvane", "location": "nairobi", "team": "care"}.get(view.subject, "")
    about = (view.subject, subject) if subject else None
    return scopes.question(scopes.parse(query), ADMIN, organisation(), NOW, about=about)


def additive() -> list[tuple[View, Panel]]:
    return [(view, panel) for view in VIEWS for panel in view.panels if panel.key in ADDITIVE]


def queries(view: View, panel: Panel) -> list[str]:
    """Windows and scopes that the page may have beside its subject: of all pairs every other one."""
    own = f"{view.subject}=" if view.subject else "none"
    narrow = [part for part in NARROW if not part.startswith(own)]
    every = ["?" + "&".join(filter(None, (window.removeprefix("?"), part))) for window in LIVE for part in narrow]
    return [query for query in every if is_in_cells(asked(view, query), ADDITIVE[panel.key])][::2]


def is_in_cells(question: Question, compared: str) -> bool:
    """Steps of five minutes are kept for brands alone, a location and a team together not at all."""
    scope = question.scope
    by_location = scope.location_ids is not None or compared == "location"
    by_team = scope.team_ids is not None or compared == "team"
    if by_location and by_team:
        return False
    return question.window.step_seconds >= 900 or not (by_location or by_team or scope.network_ids is not None)


def rows_read(statements: Statements) -> Statements:
    return [one for one in statements if _MENTION.search(one[0]) and REACH not in one[0]]


def test_the_panels_of_the_command_screen_are_among_those_that_add_up() -> None:
    assert {"kpi", "volume", "sentiment"} <= {panel.key for view, panel in additive() if view.key == "command"}


@pytest.mark.parametrize(("view", "panel"), few(additive(), 4), ids=lambda one: one.key)
def test_figures_that_add_up_read_no_mention(stored: Database, view: View, panel: Panel) -> None:
    drawn = 0
    for query in queries(view, panel):
        question = asked(view, query)
        with logged(stored) as statements, stored.read() as connection:
            found = panel.query(connection, question)
        assert rows_read(statements) == [], query
        assert any("cube" in statement for statement, _ in statements), query
        drawn += bool(panel.draw(found))
    assert drawn == len(queries(view, panel)) >= 5


@pytest.mark.parametrize(("view", "panel"), additive(), ids=lambda one: one.key)
@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_a_window_that_ends_inside_a_cell_reads_the_rows_after_its_last_cell_alone(
    stored: Database, view: View, panel: Panel, window: str
) -> None:
    question = asked(view, f"?window={window}&at={END:%Y-%m-%dT%H:%M:%SZ}")
    # The same hours of the weeks before end inside cells too.
    ends = [END - timedelta(days=7 * weeks) for weeks in range(6)]

    with logged(stored) as statements, stored.read() as connection:
        panel.query(connection, question)

    for statement, values in rows_read(statements):
        first, last = values["first_id"], values["past_id"]
        # The largest cell is a local day.
        of_a_day = (
            time_id(end - timedelta(days=1), 0) <= first <= last < time_id(end + timedelta(seconds=1), 0)
            for end in ends
        )
        assert any(of_a_day), (statement, values)


def watched_by_one_and_by_another(database: Database, path: str) -> tuple[Statements, Statements]:
    """What the first viewer of a page made the database do, and what the second one did."""

    async def both() -> tuple[Statements, Statements]:
        hub = Hub(database, by_path, wall=lambda: NOW)
        try:
            await hub.reload()
            with logged(database) as first:
                channel = hub.channel(path, "", ADMIN)
                Viewer().watch(channel, "")
                hub.step()
                await hub.settle()
                hub.step()
            with logged(database) as second:
                viewer = Viewer()
                viewer.watch(hub.channel(path, "", ADMIN), "")
                hub.step()
                await hub.settle()
                hub.step()
                assert viewer.next("") == ""
                assert viewer.next("") == channel.whole
            return first, second
        finally:
            await hub.stop()

    return asyncio.run(both())


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_one_viewer_more_on_a_watched_page_costs_no_query(stored: Database, view: View) -> None:
    subject = {"brand": "/corvane", "location": "/nairobi", "team": "/care"}.get(view.subject, "")

    first, second = watched_by_one_and_by_another(stored, view.path + subject)

    assert len(first) >= len(view.panels) > 0
    assert second == []


def test_a_statement_that_reads_rows_is_noticed(stored: Database) -> None:
    with logged(stored) as statements, stored.read() as connection:
        newest(connection, asked(VIEWS[0], "").scope, asked(VIEWS[0], "").window)

    assert len(rows_read(statements)) == 1
