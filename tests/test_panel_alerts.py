"""The bar of alerts, and what a person may read and acknowledge of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from dashboard.asks import alerts as asks
from dashboard.asks import preferences as preference_asks
from dashboard.asks.ask import Asked
from dashboard.panels import alerts as panel
from models import people
from models.access import Access
from models.alerts import keep_blind, keep_spikes
from models.blind import Blind
from models.database import Database
from models.errors import InputError, NotFound
from models.tables import source
from tests.few import few
from tests.small_organisation import ADMIN, NOW, asked, organisation, person
from tests.small_store import fill
from tests.test_alerts import AT, event

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CORVANE, HALDEN = 2, 3


@pytest.fixture
def filled(database: Database) -> Database:
    """Corvane has a spike that goes on, Halden one of two hours ago; nothing is blind."""
    fill(database)
    with database.write() as connection:
        keep_spikes(connection, CORVANE, [event(AT, lasts=2 * HOUR)], judged_to=AT + 2 * HOUR, now=AT)
        keep_spikes(connection, HALDEN, [event(AT)], judged_to=AT + 2 * HOUR, now=AT)
    return database


def drawn(database: Database, search: str = "", **more: Any) -> dict[str, Any]:
    with database.read() as connection:
        props = panel.draw(panel.query(connection, asked(search, **more)))
    orjson.dumps(dict(props))
    assert props["alerts-state"]["kind"] == ""
    return dict(props["alerts-bar"])


def by(access: Access, given: dict[str, Any] | None = None, search: str = "") -> Asked:
    return Asked(access, organisation(), NOW, given or {}, None, asked(search, access=access))


def listed(database: Database, access: Access = ADMIN, search: str = "") -> list[dict[str, Any]]:
    with database.read() as connection:
        return list(asks.read(connection, by(access, search=search))["alerts"])


def acknowledge(database: Database, access: Access, alert_id: str) -> dict[str, Any]:
    with database.write() as connection:
        return dict(asks.acknowledge(connection, by(access, {"id": alert_id})))


# -- the bar -----------------------------------------------------------------------------------------------


def test_the_bar_shows_what_goes_on_and_what_nobody_acknowledged(filled: Database) -> None:
    items = drawn(filled)["items"]

    assert {item["title"] for item in items} == {"Corvane", "Halden Bank"}
    assert all(item["text"] == "60 in 15 min, 11 usual" and item["id"].count("-") == 1 for item in items)
    assert [bool(item["ended"]) for item in sorted(items, key=lambda item: item["title"])] == [False, True]


def test_without_alerts_the_bar_is_empty(database: Database) -> None:
    fill(database)
    assert drawn(database) == {"items": [], "changes": None}


def test_the_bar_shows_the_brands_of_its_scope_and_every_blind_source(filled: Database) -> None:
    with filled.write() as connection:
        keep_blind(connection, [Blind(1, NOW - HOUR, "X search is gone.")], [1], NOW)

    items = drawn(filled, "?brand=halden")["items"]

    assert [(item["title"], item["kind"]) for item in items if item["kind"] == "blind"] == [("Blind", "blind")]
    assert {item["title"] for item in items} == {"Halden Bank", "Blind"}


def test_a_scope_of_some_places_counts_the_changes_instead_of_showing_whole_brands(filled: Database) -> None:
    bar = drawn(filled, "?location=kenya")
    assert bar["items"] == []
    assert bar["changes"] > 0


def test_when_no_source_is_heard_and_nobody_records_it_the_bar_says_so(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(update(source).values(last_success_at=NOW - 30 * DAY, due_at=NOW - 30 * DAY))
    (first, *_) = drawn(filled)["items"]
    assert first["text"] == "No source is heard. Is “watchfloor ingest” running?"
    assert first["id"].startswith("nobody-")


# -- reading and acknowledging -----------------------------------------------------------------------------


def test_a_person_reads_the_alerts_of_a_week(filled: Database) -> None:
    with filled.write() as connection:
        keep_spikes(connection, CORVANE, [event(AT - 9 * DAY)], judged_to=AT, now=AT)
    assert len(listed(filled)) == 2
    assert len(listed(filled, search="?brand=corvane")) == 1


def test_who_sees_some_places_alone_reads_no_spikes(filled: Database) -> None:
    limited = person(location_ids=frozenset({3}))
    assert listed(filled, limited) == []
    # Who chose a place and may see all of them reads all of them.
    assert len(listed(filled, person(), "?location=kenya")) == 2


def test_who_acknowledges_is_named_and_the_second_one_is_told(filled: Database) -> None:
    (wanted,) = [item["id"] for item in listed(filled) if item["title"] == "Corvane"]

    first = acknowledge(filled, person(), wanted)
    second = acknowledge(filled, ADMIN, wanted)

    assert first["alert"]["by"] == second["alert"]["by"] == "Ines Kramer"
    assert second["words"] in ("Ines Kramer was first.", first["words"])
    bar = {item["title"]: item["by"] for item in drawn(filled)["items"]}
    assert bar == {"Corvane": "Ines Kramer", "Halden Bank": ""}


@pytest.mark.parametrize("limits", [{"brand_ids": frozenset({3})}, {"location_ids": frozenset({3})}])
def test_a_foreign_alert_is_as_little_found_as_one_that_does_not_exist(
    filled: Database, limits: dict[str, Any]
) -> None:
    (foreign,) = [item["id"] for item in listed(filled) if item["title"] == "Corvane"]
    for wanted in (foreign, "2-17", "999-1"):
        with pytest.raises(NotFound, match=r"^there is no such alert$"):
            acknowledge(filled, person(**limits), wanted)
    assert all(not item["by"] for item in drawn(filled)["items"])


@pytest.mark.parametrize("wanted", few(["", "7", "a-b", "1-", "-1-2", f"1-{2**63}", f"{2**31}-1", "٣-1"], 2))
def test_what_is_no_alert_is_refused(filled: Database, wanted: str) -> None:
    with pytest.raises(InputError, match="that is no alert"):
        acknowledge(filled, ADMIN, wanted)


# -- preferences -------------------------------------------------------------------------------------------


def test_a_person_puts_and_reads_their_own_preferences(database: Database) -> None:
    with database.write() as connection:
        ana, ben = (
            people.add_person(connection, email=f"{n}@meridian.example", name=n, role="viewer", now=NOW)
            for n in ("ana", "ben")
        )
    asking = {n: Access(n, "x@meridian.example", "X", frozenset({"viewer"})) for n in (ana, ben)}
    wanted = {"sound": "chime", "quiet": {"from": "22:00", "to": "06:00"}}
    with database.write() as connection:
        given = {"key": "look_here", "value": wanted}
        preference_asks.put(connection, Asked(asking[ana], organisation(), NOW, given))
    with database.read() as connection:
        told = {
            n: preference_asks.read(connection, Asked(asking[n], organisation(), NOW, {}))["preferences"]
            for n in (ana, ben)
        }
    assert told == {ana: {"look_here": wanted}, ben: {}}
