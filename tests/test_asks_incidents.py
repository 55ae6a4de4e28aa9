"""dashboard/asks/incidents.py: what a browser says about incidents, read, checked and handed to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from dashboard.asks import ACTS, READS, serving
from dashboard.views import by_path
from models import incident_reading
from models.access import Access
from models.database import new_id
from models.errors import AccessDenied, InputError, NotFound
from models.incident_reading import Incident
from models.tables import alert
from tests.builders import CORVANE, HALDEN, NETHERLANDS, NOW
from tests.case_desk import hire
from tests.empty import empty_database
from tests.incident_desk import lines
from tests.reply_desk import Desk

GIVEN: dict[str, Any] = {
    "name": "Orders are late",
    "severity": "2",
    "brands": ["corvane"],
    "locations": [],
    "networks": [],
    "outbound": "frozen",
    "reason": "the carrier is on strike",
    "runs_minutes": "240",
    "next_minutes": "30",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(empty_database(tmp_path))
    yield desk
    desk.database.close()


def read(desk: Desk, by: str, name: str, /, **given: Any) -> dict[str, Any]:
    with desk.database.read() as connection:
        asked = serving.asked(by_path, desk.who[by], desk.organisation, desk.now, given)
        return dict(READS[name](connection, asked))


def act(desk: Desk, by: str, name: str, /, **given: Any) -> dict[str, Any]:
    with desk.database.write() as connection:
        asked = serving.asked(by_path, desk.who[by], desk.organisation, desk.now, given)
        return dict(ACTS[name](connection, asked))


def declare(desk: Desk, by: str = "mona", **given: Any) -> int:
    lead = str(desk.who["mona"].person_id)
    return int(act(desk, by, "incident.declare", **GIVEN | {"lead": lead} | given)["id"])


def standing(desk: Desk, number: int, who: Access | None = None) -> Incident:
    with desk.database.read() as connection:
        return incident_reading.one(connection, desk.organisation, who or desk.who["mona"], number)


def test_keys_and_minutes_of_the_dialog_become_scope_and_instants(desk: Desk) -> None:
    number = declare(desk, locations=["netherlands"], networks=["x"], search=" late   order ")

    found = standing(desk, number)
    assert found.scope == incident_reading.IncidentScope((CORVANE,), (NETHERLANDS,), (2,), "late order")
    assert (found.expires_at, found.next_update_at) == (NOW + timedelta(hours=4), NOW + timedelta(minutes=30))


def test_a_spike_is_named_as_the_bar_of_alerts_names_it(desk: Desk) -> None:
    number = new_id(desk.now)
    with desk.database.write() as connection:
        connection.execute(
            insert(alert).values(
                brand_id=CORVANE, id=number, kind="volume", source_id=0, started_at=NOW, flagged_at=NOW,
                words="165 seen, 52 expected", details={},
            )
        )  # fmt: skip

    found = standing(desk, declare(desk, **{"from": "alert", "from_id": f"{CORVANE}-{number}"}))

    assert found.alert_id == number
    assert lines(desk, found)[0].text == "165 seen, 52 expected"


@pytest.mark.parametrize(
    "given",
    [
        {"severity": "worst"},
        {"runs_minutes": "0"},
        {"runs_minutes": ""},
        {"runs_minutes": "99999"},
        {"brands": "corvane"},
        {"brands": [7]},
        {"networks": ["pigeon"]},
        {"from": "dream", "from_id": "1-1"},
        {"from": "alert", "from_id": "x"},
        {"lead": ""},
    ],
)
def test_what_no_dialog_sends_is_refused(desk: Desk, given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        declare(desk, **given)


def test_a_day_of_an_incident_goes_through_the_browser(desk: Desk) -> None:
    number = declare(desk)
    ana, petra = desk.who["ana"].person_id, desk.who["petra"].person_id

    def do(by: str, name: str, /, **given: Any) -> str:
        return str(act(desk, by, f"incident.{name}", id=number, **given)["words"])

    assert do("mona", "line", kind="note", text="the depot is empty") == "It stands in the timeline."
    assert do("mona", "update", text="We are on it", next_minutes="60") == "Noted; the next update is due 16:32."
    assert do("mona", "task", text="Ask the carrier", owner="", due_minutes="10") == "Task 1 is added."
    assert do("mona", "task_give", task=1, owner=str(ana), due_minutes="") == "Task 1 is given."
    assert do("mona", "join", person=str(petra), part="Signs off") == "They are on it."
    assert do("mona", "statement", text="Orders are late.").startswith("v1 is written")
    assert do("petra", "approve", version=1).startswith("v1 is in use")
    assert do("mona", "severity", severity="1", reason="the press calls") == "Severity 1 from now on."
    assert "manager signs" in do("mona", "outbound", outbound="manager", reason="answers are right again")
    assert do("mona", "scope", **GIVEN | {"brands": ["corvane", "halden"], "reason": "both"}).startswith("The scope")
    assert do("mona", "extend", runs_minutes="720", reason="the strike goes on") == "It runs until Fri 20 Nov, 03:32."
    asks = read(desk, "mona", "incident.ending", id=number)
    assert (asks["statement"]["version"], [task["name"] for task in asks["tasks"]]) == (1, ["Ana"])
    assert do("mona", "task_done", task=1) == "Task 1 is done."
    assert do("mona", "lead", person=str(petra), reason="I go home") == "The lead is handed over."
    ended = act(desk, "petra", "incident.end", id=number, reason="over", held="release", statement=1, tasks={})
    assert ended["report"] == f"/incidents/{number}/report"

    words: dict[str, Any] = {
        "happened": "It broke.",
        "well": ["quick"],
        "badly": [],
        "signers": [str(desk.who["mona"].person_id)],
    }
    words["changes"] = [{"text": "Mend it", "owner": "Ana", "due": "2026-11-24", "done": False}]
    do("petra", "report_write", **words)
    told = read(desk, "petra", "incident.report", id=number)
    assert (told["well"], told["changes"][0]["due"], told["sign"], told["finish"]) == (
        ["quick"], "2026-11-24", True, False,
    )  # fmt: skip
    do("petra", "report_sign", hash=told["hash"])
    do("petra", "report_finish")
    assert read(desk, "petra", "incident.report", id=number)["write"] is False


def test_what_one_may_do_is_told_to_each(desk: Desk) -> None:
    number = declare(desk)

    def may(by: str) -> tuple[bool, bool, bool, bool]:
        said = read(desk, by, "incident.mine", id=number)
        return said["work"], said["lead"], said["approve"], bool(said["people"])

    assert may("mona") == (True, True, True, True)
    assert may("petra") == (False, False, False, False)
    act(desk, "mona", "incident.join", id=number, person=str(desk.who["petra"].person_id), part="Signs off")
    assert may("petra") == (True, False, True, True)


def test_every_name_about_a_foreign_incident_answers_as_about_none(desk: Desk) -> None:
    desk.who["bo"] = hire(desk.database, "Bo", "manager", brand_ids=[HALDEN])
    number = declare(desk)
    given: dict[str, Any] = GIVEN | {
        "kind": "note", "text": "x", "task": 1, "person": 1, "part": "x", "version": 1, "held": "release",
        "happened": "x", "well": [], "badly": [], "changes": [], "signers": [], "hash": "x", "reason": "x",
    }  # fmt: skip
    names = [name for name in ACTS if name.startswith("incident.") and name != "incident.declare"]
    reads = ["incident.mine", "incident.ending", "incident.report"]
    assert len(names) == 18
    for name in (*names, *reads):
        ask = read if name in reads else act
        said = set()
        for which in (number, 99):
            with pytest.raises((NotFound, AccessDenied)) as refused:
                ask(desk, "bo", name, **given | {"id": which})
            said.add((type(refused.value), str(refused.value)))
        # A brand that one may not see is refused before it is asked of which incident.
        words = 'no brand "corvane"' if name == "incident.scope" else incident_reading.NO_SUCH
        assert said == {(NotFound, words)}, name
