"""The page of the audit log: the bar of the chain, the trail as it is asked for, the file that goes out."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from dashboard import audit_export
from dashboard.asks import ACTS, READS
from dashboard.asks import audit as asks
from dashboard.asks.ask import Asked
from dashboard.panels import audit_chain as panel
from dashboard.web import SCREEN
from models import audit as log
from models import audit_rounds, people
from models.access import AUDITOR, Access, Grant
from models.audit_heads import Outside
from models.audit_rounds import step
from models.database import Database
from models.errors import InputError, NotFound
from tests.audit_made_up import BEGAN, OWNER, STEP, link, made, tampering, write
from tests.empty import empty_database
from tests.serving import served
from tests.small_organisation import asked as question
from tests.small_organisation import organisation
from tests.small_store import fill

ROWS = 24
NOW = BEGAN + ROWS * STEP
SECOND = timedelta(seconds=1)


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    database = empty_database(tmp_path)
    fill(database)
    return database


@pytest.fixture
def auditor(empty: Database) -> Access:
    with empty.write() as connection:
        number = people.add_person(
            connection, email="vera@meridian.example", name="Vera Lind", role=AUDITOR, now=BEGAN - STEP
        )
    return Access.granted(number, "vera@meridian.example", "Vera Lind", [Grant(AUDITOR)])


@pytest.fixture
def there(empty: Database, auditor: Access, tmp_path: Path) -> Database:
    """A day of rows, checked."""
    outside = made(empty, tmp_path, ROWS)
    checked(empty, outside, NOW)
    return empty


def checked(database: Database, outside: Outside, now: datetime) -> None:
    while step(database, outside, OWNER, now=lambda: now):
        pass


def drawn(database: Database, now: datetime = NOW) -> dict[str, Any]:
    with database.read() as connection:
        props = panel.draw(panel.query(connection, question(now=now)))
    orjson.dumps(dict(props))
    return dict(props["audit-chain-bar"])


def read(database: Database, who: Access, name: str, /, **given: Any) -> dict[str, Any]:
    with database.read() as connection:
        return dict(READS[name](connection, Asked(who, organisation(), NOW, given)))


# -- the chain ---------------------------------------------------------------------------------------------


def test_an_empty_log_says_so(empty: Database) -> None:
    bar = drawn(empty)
    assert (bar["kind"], bar["title"], bar["line"]) == ("unknown", "Not checked yet", "Nothing is linked yet")
    assert (bar["rows"], bar["rows_line"], bar["head"]) == ("No rows", "nothing is written yet", "No head signed yet")


def test_a_checked_log_says_how_far_and_since_when(there: Database) -> None:
    bar = drawn(there)
    assert (bar["kind"], bar["title"]) == ("verified", "Verified to 06:00:01")
    assert bar["line"] == "row 25; every link checked again 07:00:00"
    assert bar["rows"] == "25 rows"
    assert bar["rows_line"] == "since 20 Nov 2026, none removed"
    assert bar["head_line"].startswith("Sat 21 Nov, row 19, key ")
    assert bar["waiting"] == {"rows": 0, "since": ""}


def test_rows_that_wait_for_their_link_are_counted_with_their_age(there: Database) -> None:
    write(there, ROWS)
    assert drawn(there, NOW + 9 * SECOND)["waiting"] == {"rows": 1, "since": NOW.isoformat()}


def test_a_check_under_way_says_how_far_it_is(there: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(audit_rounds, "SLICE", 10)
    with there.write() as connection:
        audit_rounds.ask(connection, now=NOW + SECOND)
    assert drawn(there)["line"] == "row 0 of 25"
    assert step(there, Outside(tmp_path), OWNER, now=lambda: NOW + 2 * SECOND)
    bar = drawn(there)
    assert (bar["kind"], bar["line"], bar["share"]) == ("checking", "row 10 of 25", "0.4")


def test_a_broken_log_names_the_row_and_what_was_done(there: Database, tmp_path: Path) -> None:
    with tampering(there) as connection:
        connection.exec_driver_sql("update audit set actor = 'x' where subject = 'case 5 of Halden Bank'")
        connection.exec_driver_sql("commit")
        connection.exec_driver_sql("begin")
    checked(there, Outside(tmp_path), NOW + timedelta(hours=2))
    bar = drawn(there)
    assert (bar["kind"], bar["title"]) == ("broken", "Broken at row 7")
    assert bar["line"] == "Row 7 was edited: it is not what was linked"
    assert bar["rows_line"] == "since 20 Nov 2026"
    assert bar["fault"]["number"] == 7
    # The row can still be looked at, by its id as text.
    assert bar["fault"]["id"].isdigit()


# -- the trail ---------------------------------------------------------------------------------------------


def test_the_trail_is_plain_and_its_ids_are_text(there: Database, auditor: Access) -> None:
    found = read(there, auditor, "audit.trail", window="24h")
    assert len(found["rows"]) == ROWS
    first = found["rows"][0]
    assert first["id"].isdigit()
    assert {name: first[name] for name in ("number", "clock", "who", "action", "subject", "change", "monogram")} == {
        "number": "25",
        "clock": "06:00:00",
        "who": "person3@meridian.example",
        "action": "reply.draft",
        "subject": "case 23 of Halden Bank",
        "change": "none → 4",
        "monogram": "ha",
    }
    orjson.dumps(found)


def test_what_came_since_is_asked_for_again_until_it_has_its_link(there: Database, auditor: Access) -> None:
    newest = read(there, auditor, "audit.trail")["rows"][0]
    fresh = write(there, ROWS, at=NOW - SECOND)
    first = read(there, auditor, "audit.since", after=newest["id"])
    assert [(row["id"], row["linked_at"]) for row in first["rows"]] == [(str(fresh), "")]
    assert first["waiting"]["rows"] == 1
    link(there, NOW)
    again = read(there, auditor, "audit.since", after=newest["id"])
    assert [row["number"] for row in again["rows"]] == ["26"]
    assert again["waiting"]["rows"] == 0


def test_the_filter_of_the_page_is_the_filter_of_the_rows(there: Database, auditor: Access) -> None:
    def subjects(**given: str) -> list[str]:
        return [row["subject"].split()[1] for row in read(there, auditor, "audit.trail", window="all", **given)["rows"]]

    assert subjects(who="p:2", what="reply.") == ["17", "5"]
    assert subjects(who="a:person0@meridian.example", find="case 1") == ["16", "12"]
    assert len(subjects(brand="halden")) == ROWS
    assert subjects(brand="corvane") == []
    day = read(there, auditor, "audit.trail", window="2026-11-21..2026-11-21")["rows"]
    assert day[-1]["clock"] == "00:00:00"
    for given in ({"who": "p:x"}, {"window": "2h"}, {"window": "2026-11-21..2026-11-20"}, {"window": "x..y"}):
        with pytest.raises(InputError):
            read(there, auditor, "audit.trail", **given)
    with pytest.raises(NotFound):
        read(there, auditor, "audit.trail", brand="nobody")


def test_how_much_was_done_when_is_counted_within_the_filter(there: Database, auditor: Access) -> None:
    day = read(there, auditor, "audit.counts", window="24h")
    assert (day["rows"], sum(day["bars"]), len(day["bars"])) == (ROWS, ROWS, 96)
    assert read(there, auditor, "audit.counts", window="24h", what="case.claim")["rows"] == 8
    assert read(there, auditor, "audit.counts", window="all")["rows"] == ROWS + 1


def test_what_can_be_chosen_has_names(there: Database, auditor: Access) -> None:
    found = read(there, auditor, "audit.choices")
    assert found["families"] == ["case."]
    assert {"key": "p:1", "name": "Vera Lind"} in found["actors"]
    assert {"key": "halden", "name": "Halden Bank"} in found["brands"]


def test_a_row_tells_what_it_changed_and_where_it_stands(there: Database, auditor: Access) -> None:
    before, after = {"state": "open", "team": "care"}, {"state": "resolved", "team": "care", "n": [1, 2]}
    details = {**log.difference(before, after), "reason": "solved", "text": log.hashed("thanks")}
    number = write(there, ROWS - 1, action="case.resolve", details=details, at=NOW - SECOND)
    link(there, NOW)
    row = read(there, auditor, "audit.row", id=str(number))
    assert row["fields"] == [
        {"name": "n", "before": "", "after": "1, 2"},
        {"name": "state", "before": "open", "after": "resolved"},
    ]
    assert row["why"] == "solved"
    assert row["rest"] == [{"name": "text", "value": log.hashed("thanks")}]
    assert row["linked"] == "07:00:00, 1.0 s after it was written"
    assert row["head"] == "to be signed after 21 Nov, 24:00 UTC"
    assert (len(row["hash"]), len(row["previous"])) == (64, 64)
    first = read(there, auditor, "audit.trail", window="all")["rows"][-1]
    assert read(there, auditor, "audit.row", id=first["id"])["head"].startswith("signed 2026-11-21")
    with pytest.raises(NotFound):
        read(there, auditor, "audit.row", id="12")


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (None, ""),
        ({"before": None, "after": "x"}, "none → x"),
        ({"after": {"a": True, "b": 2, "c": 3}}, "a none → yes; b none → 2 and 1 more"),
        (
            {"rows": 12_000, "none": None, "list": [], "deep": {"a": "b"}},
            "rows 12,000, none none, list nothing, deep a b",
        ),
        ({"text": log.hashed("x")}, "text sha256:2d711642…"),
        ({"long": "x" * 500}, "long " + "x" * 154 + "…"),
    ],
)
def test_a_change_is_one_line(details: dict[str, Any] | None, words: str) -> None:
    assert asks.change_words(details) == words


def test_whoever_asks_for_a_check_stands_in_the_log(there: Database, auditor: Access) -> None:
    with there.write() as connection:
        said = ACTS["audit.check"](connection, Asked(auditor, organisation(), NOW + SECOND, {}))
        assert said["words"] == "Every link is being checked again."
        assert log.newest(connection, 1)[0].action == "audit.check_asked"
    assert drawn(there)["kind"] == "checking"


# -- the file ----------------------------------------------------------------------------------------------


def test_an_export_holds_what_the_filter_shows_and_leaves_a_row(there: Database, auditor: Access) -> None:
    body = json.dumps({"format": "csv", "what": "case.claim", "window": "24h"}).encode()
    file, headers = audit_export.written(there, auditor, body, NOW)
    with file:
        lines = list(csv.reader(io.StringIO(file.read().decode())))
    assert (headers["X-Rows"], headers["X-Cut"]) == ("8", "no")
    assert headers["Content-Disposition"] == 'attachment; filename="audit-20261121-070000.csv"'
    assert len(lines) == 10
    with there.read() as connection:
        newest = log.newest(connection, 1)[0]
    assert (newest.action, newest.person_id) == ("audit.exported", auditor.person_id)
    assert newest.details == {"rows": 8, "format": "csv", "filter": {"what": "case.claim", "window": "24h"}}


def test_an_export_is_bounded_and_says_that_it_was_cut(
    there: Database, auditor: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "MOST", 5)
    file, headers = audit_export.written(there, auditor, b'{"window": "all"}', NOW)
    with file:
        lines = [json.loads(line) for line in file]
    assert (headers["X-Rows"], headers["X-Cut"]) == ("5", "yes")
    assert [line["kind"] for line in lines].count("row") == 5


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"format": "pdf"}', b'{"format": []}', b'{"window": 7}'])
def test_what_cannot_be_exported_is_refused(body: bytes, there: Database, auditor: Access) -> None:
    with pytest.raises(InputError):
        audit_export.written(there, auditor, body, NOW)


def test_only_who_may_read_the_log_gets_the_file_or_the_page(there: Database, tmp_path: Path) -> None:
    with served(there, tmp_path, SCREEN) as web, httpx.Client(base_url=web.address) as browser:
        for role, status in (("agent", 403), ("auditor", 200)):
            person = web.person(role, role)
            headers = person.headers | {"Origin": web.address}
            page = browser.get("/audit", headers=headers)
            assert page.status_code == status
            token = browser.get("/", headers=headers).cookies.get("_csrf_token") or ""
            for address, given in (("/export/audit", {"window": "all"}), ("/act/audit.check", {})):
                send = headers | {"X-CSRFToken": token, "Cookie": f"{person.cookie}; _csrf_token={token}"}
                assert browser.post(address, json=given, headers=send).status_code == status
                assert browser.post(address, json=given, headers=headers).status_code == 403
            assert browser.get("/read/audit.trail", headers=headers).status_code == status
        assert browser.post("/export/audit", json={}).status_code == 401
