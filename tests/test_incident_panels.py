"""dashboard/panels/incident_*.py: the banner, the list and the page of an incident, empty, ordinary, foreign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard import scope
from dashboard.panel import INCIDENT, Panel, Question
from dashboard.panels import incident_banner, incident_list
from dashboard.views import COMMON, by_path, incidents
from models.errors import NotFound
from models.incident_changes import join, write_line
from models.incident_ending import RELEASE, Ending, end
from models.incident_reading import FROZEN
from models.incident_statements import approve, write
from models.incident_tasks import add
from tests.builders import AMSTERDAM_SITE, HALDEN, keep, mention
from tests.case_desk import hire
from tests.empty import empty_database
from tests.incident_desk import HOUR, MINUTE, declare, do
from tests.reply_desk import Desk

PANELS = incidents.ONE.panels


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(empty_database(tmp_path))
    yield desk
    desk.database.close()


def question(desk: Desk, by: str = "mona", number: int | None = None) -> Question:
    who = desk.who[by]
    about = None if number is None else (INCIDENT, str(number))
    asked = scope.question(scope.parse(""), who, desk.organisation, desk.now, about=about)
    return Question(
        asked.scope, asked.window, asked.zone, asked.organisation, asked.now, asked.subject, reach=who.reach
    )


def drawn(desk: Desk, panel: Panel, by: str = "mona", number: int | None = None) -> dict[str, Any]:
    with desk.database.read() as connection:
        found = panel.query(connection, question(desk, by, number))
    if panel.table is not None:
        shown = panel.table(found)
        assert all(len(row) == len(shown.columns) for row in shown.rows)
    return {key: dict(props) for key, props in panel.draw(found).items()}


def test_every_page_carries_the_banner_and_it_is_empty_while_nothing_is_open(desk: Desk) -> None:
    assert COMMON[0] is incident_banner.PANEL
    assert drawn(desk, incident_banner.PANEL)["banner-list"] == {"items": [], "more": 0}

    found = declare(desk, expires_at=desk.now + HOUR)
    assert [item["id"] for item in drawn(desk, incident_banner.PANEL)["banner-list"]["items"]] == [found.id]
    desk.wait(hours=2)
    assert drawn(desk, incident_banner.PANEL)["banner-list"]["items"] == []


def test_the_banner_shows_the_two_worst_and_counts_the_others(desk: Desk) -> None:
    for severity in (3, 1, 2):
        declare(desk, severity=severity)

    shown = drawn(desk, incident_banner.PANEL)["banner-list"]

    assert ([item["severity"] for item in shown["items"]], shown["more"]) == ([1, 2], 1)


def test_the_banner_says_how_loud_it_is_who_leads_and_what_we_say(desk: Desk) -> None:
    found = declare(desk, outbound=FROZEN)
    do(desk, "mona", write, found, "Orders are late.")
    do(desk, "mona", join, found, desk.who["petra"].person_id, "Signs off")
    do(desk, "petra", approve, found, 1)
    desk.wait(minutes=12)
    made = [
        mention(
            f"m{n}", posted_at=desk.now - 6 * MINUTE, author=f"a{n}", sentiment=-1, location_id=AMSTERDAM_SITE,
        )
        for n in range(40)
    ]  # fmt: skip
    keep(desk.database, made, desk.organisation, now=desk.now)

    [item] = drawn(desk, incident_banner.PANEL)["banner-list"]["items"]

    assert (item["lead"], item["on"], item["held"]) == ("Mona", 2, "Nothing is sent")
    assert (item["net"], item["tone"], item["statement"]) == ("−100", "neg", "Statement v1 approved 15:32")


def test_whoever_sees_nothing_of_its_scope_sees_neither_banner_nor_list_nor_page(desk: Desk) -> None:
    desk.who["bo"] = hire(desk.database, "Bo", "viewer", brand_ids=[HALDEN])
    found = declare(desk)

    assert drawn(desk, incident_banner.PANEL, "bo")["banner-list"]["items"] == []
    assert drawn(desk, incident_list.PANEL, "bo")["incidents-list"] == {"open": [], "over": []}
    for panel in PANELS:
        if panel not in COMMON:
            with pytest.raises(NotFound):
                drawn(desk, panel, "bo", found.id)
            with pytest.raises(NotFound):
                drawn(desk, panel, "mona", 99)


def test_every_panel_draws_an_incident_that_has_just_begun_and_one_that_is_over(desk: Desk) -> None:
    found = declare(desk)
    fresh = {panel.key: drawn(desk, panel, "mona", found.id) for panel in incidents.ONE.panels}
    do(desk, "mona", add, found, "Ask the carrier", owner_id=desk.who["ana"].person_id, due_at=desk.now + MINUTE)
    do(desk, "mona", write_line, found, "decision", "No discounts: the shop is not at fault")
    desk.wait(minutes=30)
    do(desk, "mona", end, found, Ending("over", RELEASE))
    over = {panel.key: drawn(desk, panel, "mona", found.id) for panel in incidents.ONE.panels}

    assert fresh["incident"]["incident-card"]["state"] == "open"
    assert over["incident"]["incident-card"]["state"] == "ended"
    assert fresh["incident-narratives"]["incident-narratives-state"]["text"] == "Nothing was said yet in its scope."
    assert [row["text"] for row in over["incident-tasks"]["incident-tasks-list"]["rows"]] == ["Ask the carrier"]
    texts = [row["text"] for row in over["incident-timeline"]["incident-timeline-list"]["rows"]]
    assert texts[0] == "Ended: over"
    assert over["incident-scope"]["incident-scope-list"]["open"] is False
    assert drawn(desk, incident_list.PANEL)["incidents-list"]["over"][0]["ended_by"] == "Mona"


def test_the_curve_names_its_last_value_and_what_was_flagged(desk: Desk) -> None:
    found = declare(desk)
    desk.wait(minutes=20)
    keep(
        desk.database,
        [mention(f"c{n}", posted_at=desk.now - 7 * MINUTE, author=f"c{n}") for n in range(9)],
        desk.organisation,
        now=desk.now,
    )
    figure = drawn(desk, incidents.ONE.panels[2], "mona", found.id)["incident-curve-graph"]["figure"]

    counts = next(trace["y"] for trace in figure["data"] if trace.get("name") == "mentions")
    assert sum(count or 0 for count in counts) == 9
    assert any("now" in note["text"] for note in figure["layout"]["annotations"])


@pytest.mark.parametrize("path", ["/incidents/x", "/incidents/1234567890123", "/incidents/-1"])
def test_an_address_that_names_no_incident_is_not_found(desk: Desk, path: str) -> None:
    address = by_path(path)
    assert address is not None
    with pytest.raises(NotFound):
        scope.question(
            scope.parse(""), desk.who["mona"], desk.organisation, desk.now, about=(INCIDENT, address.subject_key)
        )


def test_the_list_and_one_incident_have_their_addresses() -> None:
    there = {path: by_path(path) for path in ("/incidents", "/incidents/7", "/incidents/7/report")}
    assert there["/incidents"] is not None
    assert there["/incidents"].view.key == "incidents"
    assert there["/incidents/7"] is not None
    assert (there["/incidents/7"].view.key, there["/incidents/7"].subject_key) == ("incident", "7")
    # A document of its own, that prints.
    assert there["/incidents/7/report"] is None
