"""The page of the sources: what it says of each state, who may see and change it, and that no secret leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from sqlalchemy import select

from dashboard import source_actions
from dashboard import source_words as words
from dashboard.hub import Hub
from dashboard.panels import admin_sources
from dashboard.rights import is_page, route_for
from dashboard.shell import route
from dashboard.views import COMMON, VIEWS, by_path
from dashboard.web import SCREEN
from models import source_checks, sources
from models.access import ADMIN as ADMIN_RIGHT
from models.audit import newest
from models.database import Database
from models.errors import AccessDenied
from models.settings import Settings
from models.sources import CONDITIONS, Health, Setup
from models.tables import source, source_check
from tests import small_store, sources_store
from tests.few import few
from tests.serving import Served, served
from tests.small_organisation import ADMIN, NOW, asked, organisation, person
from tests.sources_store import BEARER, Made, every_state

ZONE = ZoneInfo("Europe/Amsterdam")
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def filled(database: Database, settings: Settings) -> Database:
    """Sources in every state."""
    sources_store.fill(database, settings, now=NOW)
    return database


def drawn(database: Database) -> dict[str, Any]:
    with database.read() as connection:
        found = admin_sources.query(connection, asked())
    props = admin_sources.draw(found)
    table: dict[str, Any] = orjson.loads(orjson.dumps(props["admin-sources-table"]))
    return table


def rows(database: Database) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in drawn(database)["rows"]}


# -- what it says ------------------------------------------------------------------------------------------


def test_every_condition_has_a_word_and_a_mark_of_its_own_and_occurs_in_the_store(filled: Database) -> None:
    assert set(words.CHIPS) == set(CONDITIONS)
    assert len({word for _, word, _ in words.CHIPS.values()}) == len(CONDITIONS)
    assert {row["condition"] for row in rows(filled).values()} == set(CONDITIONS)


@pytest.mark.parametrize(
    ("name", "said", "ways"),
    few([
        ("Velta, recent search", "The budget of $260 a month is spent. It listens again on 1 December.", ["edit"]),
        ("Own accounts, replies to us", "The network refused the credentials at 15:31: The token was revoked (401).",
         ["edit", "resume"]),
        ("Search, all brands", "The network's limit is reached at 15:31: Too many requests (429). It is asked again by"
         " itself at 15:32. Nothing to do.", ["edit"]),
        ("New videos, search", "Failed at 15:31: The network did not answer within 20 s. It is asked again by itself at"
         " 15:32.", ["fetch"]),
        ("Forum of dealers", "Failed at 15:31 for a reason nobody foresaw: An unforeseen fault (KeyError); the log has"
         " the details. It is asked again by itself at 15:32.", ["fetch", "edit"]),
        ("Handelskrant", "Gone for good at 15:31: The feed is gone for good (410).", ["edit", "resume"]),
        ("Trade press", "It answers, but a query that always finds something found nothing: quiet here may be deaf.",
         ["fetch", "edit"]),
        ("Store reviews, file drop", "Paused by Hedda Brandt 07:32: “supplier changes columns”.", ["resume"]),
    ], 3),
)  # fmt: skip
def test_trouble_is_a_sentence_with_a_way_out(filled: Database, name: str, said: str, ways: list[str]) -> None:
    matter = rows(filled)[name]["matter"]

    assert matter["words"] == said
    assert [way["do"] for way in matter["ways"]] == ways


def test_what_is_well_has_no_second_line(filled: Database) -> None:
    well = [row for row in rows(filled).values() if row["condition"] == "live"]
    assert len(well) >= 4
    assert [row["matter"] for row in well] == [None] * len(well)
    assert not any(row["needs"] for row in well)


def test_a_source_that_no_worker_takes_asks_whether_ingest_runs() -> None:
    late = Health(
        id=1, name="Press", kind="feed", network_id=7, state="active", paused_by=None, every_seconds=60,
        normal_seconds=61, data_age_seconds=500, last_success_at=NOW - 500 * SECOND, last_error=None,
        last_error_at=None, rate_left=None, progress=None,
    )  # fmt: skip
    setup = Setup(1, {}, 5, None, "none", False, NOW - 440 * SECOND, False, NOW - timedelta(days=2))

    found = words.trouble(late, setup, NOW, ZONE)
    assert found is not None
    assert found.words == "It was due at 15:24 and no worker took it. Is “watchfloor ingest” running?"

    resting = words.trouble(late, replace(setup, due_at=NOW + timedelta(hours=5)), NOW, ZONE)
    assert resting is not None
    assert resting.words.startswith("It rests until 20:32")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "every 1 s"), (15, "every 15 s"), (60, "every 1 min"), (300, "every 5 min"), (5_400, "every 1.5 h"),
     (86_400, "once a day"), (259_200, "every 3 d")],
)  # fmt: skip
def test_a_cadence_reads_as_people_say_it(seconds: float, said: str) -> None:
    assert words.cadence(seconds) == said.replace("every 3 d", "every 3 days")


def test_the_figures_above_agree_with_the_rows(filled: Database) -> None:
    table = drawn(filled)
    listed = [row for row in table["rows"] if not row["done"]]
    kpis = {cell["key"]: cell for cell in table["kpis"]}

    well = [row for row in listed if row["condition"] in ("live", "slow")]
    assert (kpis["listening"]["value"], kpis["listening"]["unit"]) == (str(len(well)), f"of {len(listed)}")
    assert kpis["listening"]["attention"]
    assert kpis["oldest"]["opens"] == next(row["id"] for row in listed if row["name"] == "Velta, recent search")
    assert kpis["new"]["unit"] == "k"
    cost = sum(float(row["cost"].strip("$").replace(",", "")) for row in listed if row["paid"])
    assert float(kpis["today"]["value"].strip("$")) == pytest.approx(cost, abs=0.02)
    assert kpis["month"]["unit"] == "of $1,860"
    assert kpis["month"]["line"] == "1 budget is spent"


def test_the_day_of_a_source_is_ninety_six_numbers(filled: Database) -> None:
    found = rows(filled)
    for row in found.values():
        assert len(row["strip"]["bars"]) == 96
    assert found["Stream, all brands"]["strip"]["bars"].count(-1) == 1
    assert found["Press world"]["strip"]["bars"].count(-1) == 3
    # Last asked at 06:00; the quarter hour that runs is the last one.
    assert found["Store reviews, file drop"]["strip"]["bars"].count(-2) == 34
    assert found["Halden Bank, recent search"]["strip"]["bars"].count(-2) == 0
    assert set(found["reviews-2025.csv"]["strip"]["bars"]) == {-3}
    assert found["Trade press"]["strip"]["bars"].count(0) > 90


def test_a_budget_that_will_not_last_says_the_day(database: Database, settings: Settings) -> None:
    columns = {"budget": 100.0, "spent": 95.0, "month": sources.month_number(NOW)}
    sources_store.fill(database, settings, now=NOW, made=(Made("A", "x", 2, 60, 10, 30, 0.05, columns=columns),))
    with database.write() as connection:
        connection.execute(source.update().values(created_at=NOW - timedelta(days=1)))

    (row,) = drawn(database)["rows"]

    # About 80 dollars a day: what is left ends today or tomorrow.
    assert row["ends"] in ("ends 19 Nov", "ends 20 Nov")
    assert row["drawer"]["month"]["ends"].startswith("at this pace ends")
    assert row["drawer"]["month"]["spent"] == "95% spent"


def test_the_drawer_tells_the_arithmetic_of_normal_and_the_last_fetches(filled: Database) -> None:
    row = rows(filled)["Halden Bank, recent search"]
    drawer = row["drawer"]

    assert drawer["normal"].startswith("normal 16 s = 15 s poll + 1.")
    assert drawer["query"].startswith('("halden bank" OR haldenbank')
    assert len(drawer["fetches"]) == 10
    assert drawer["fetches"][0]["result"] in ("ok", "quiet")
    assert ["Listen to", "A search"] in drawer["settings"]
    assert drawer["credentials"][0][:2] == ["Read", "Works"]
    refused = rows(filled)["Own accounts, replies to us"]["drawer"]
    assert refused["credentials"][0][1] == "Refused"
    assert refused["fetches"][0]["result"] == "token refused"
    assert refused["fetches"][0]["why"] == "the token was revoked (401)"


def test_nothing_of_a_secret_reaches_the_page(filled: Database, settings: Settings) -> None:
    with filled.read() as connection:
        sealed = connection.execute(select(source.c.secrets).where(source.c.kind == "x")).scalars().first()
    assert sealed
    page = orjson.dumps(drawn(filled)).decode()

    assert BEARER not in page
    assert bytes(sealed).decode()[:24] not in page
    assert "pw-hidden" not in page
    assert "https://press.example.org/nl.xml" in page


def test_an_installation_without_a_source_says_how_to_begin(database: Database) -> None:
    with database.read() as connection:
        props = admin_sources.draw(admin_sources.query(connection, asked()))
    assert props["admin-sources-state"]["kind"] == "empty"
    assert props["admin-sources-table"]["rows"] == []
    assert props["admin-sources-table"]["kpis"][0]["value"] == "0"


# -- what is done ------------------------------------------------------------------------------------------


def act(database: Database, what: str, number: int = 5, **more: Any) -> dict[str, Any]:
    return source_actions.act(database, ADMIN, {"n": 3, "do": what, "source": str(number), **more}, NOW)


def test_a_source_is_paused_with_a_reason_and_started_again(filled: Database) -> None:
    done = act(filled, "pause", because="supplier is down")
    with filled.read() as connection:
        paused = next(item for item in sources.health(connection, NOW) if item.id == 5)
    assert (done["n"], done["ok"], done["words"]) == (3, True, "Stream, all brands is paused.")
    assert (paused.state, paused.paused_by, paused.paused_at) == ("paused", ADMIN.name, NOW)

    assert act(filled, "resume")["ok"]
    with filled.read() as connection:
        entries = newest(connection, 2)
    assert {entry.action for entry in entries} == {"source.resumed", "source.paused"}
    assert {(entry.subject, entry.person_id) for entry in entries} == {("Stream, all brands", ADMIN.person_id)}
    assert {"because": "supplier is down"} in [entry.details for entry in entries]


def test_fetch_now_is_asked_for_and_audited(filled: Database) -> None:
    assert act(filled, "fetch", 1) == {
        "n": 3, "ok": True, "words": "Halden Bank, recent search is fetched now.", "faults": {}, "check": "",
    }  # fmt: skip
    with filled.read() as connection:
        assert sources.setups(connection, NOW)[1].due_at == NOW
        assert newest(connection, 1)[0].action == "source.fetch_asked"


def test_what_cannot_be_done_is_said_and_leaves_no_trace(filled: Database) -> None:
    done = act(filled, "fetch", 4)
    assert (done["ok"], done["words"]) == (
        False,
        '"Own accounts, replies to us" is disconnected: mend it, then start it again.',
    )
    assert act(filled, "pause", 4_711)["words"] == "There is no source 4711."
    with filled.read() as connection:
        assert newest(connection, 5) == ()


@pytest.mark.parametrize(
    "asked_for",
    few([None, [], {}, {"do": "delete", "source": "1"}, {"do": "pause"}, {"do": "pause", "source": "1; drop"},
     {"do": "pause", "source": {"a": 1}}, {"do": ["pause"], "source": 1}, {"do": "pause", "source": "9" * 40}], 3),
)  # fmt: skip
def test_nonsense_from_a_browser_does_nothing(filled: Database, asked_for: Any) -> None:
    assert not source_actions.act(filled, ADMIN, asked_for, NOW)["ok"]
    with filled.read() as connection:
        assert newest(connection, 5) == ()


def test_who_is_no_administrator_changes_nothing(filled: Database, settings: Settings) -> None:
    with pytest.raises(AccessDenied):
        source_actions.act(filled, person(), {"n": 1, "do": "pause", "source": "5"}, NOW)
    with pytest.raises(AccessDenied):
        source_actions.ask(filled, settings, person(), {"n": 1, "kind": "feed", "values": {}}, NOW)
    with filled.read() as connection:
        assert newest(connection, 5) == ()


def test_a_form_asks_for_a_check_and_answers_without_what_was_entered(filled: Database, settings: Settings) -> None:
    values = {"name": "New", "what": "search", "query": "halden", "longest_query": "512", "bearer_token": "CCCCsecret"}
    done = source_actions.ask(filled, settings, ADMIN, {"n": 9, "kind": "x", "source": None, "values": values}, NOW)

    assert (done["n"], done["ok"], done["faults"]) == (9, True, {})
    assert "CCCCsecret" not in str(done)
    with filled.read() as connection:
        (check,) = source_checks.recent(connection, NOW)
        row = connection.execute(select(source_check)).one()
    assert (str(check.id), check.state) == (done["check"], "waiting")
    assert (row.asked_by, row.person_id) == (ADMIN.email, ADMIN.person_id)
    assert "CCCCsecret" not in orjson.dumps(drawn(filled)).decode()
    assert drawn(filled)["checks"][0]["id"] == done["check"]


def test_a_form_with_faults_names_the_fields(filled: Database, settings: Settings) -> None:
    asked_for = {"n": 9, "kind": "feed", "source": "11", "values": {"name": "Press world", "url": "x"}}
    done = source_actions.ask(filled, settings, ADMIN, asked_for, NOW)

    assert set(done["faults"]) == {"name", "url"}
    with filled.read() as connection:
        assert source_checks.recent(connection, NOW) == ()


@pytest.mark.parametrize(
    "asked_for",
    few(
        [
            None,
            {},
            {"kind": "x", "values": []},
            {"kind": "x", "values": {}, "source": "x"},
            {"kind": "simulator", "values": {"name": "y"}},
            {"kind": 7, "values": {str(n): "" for n in range(99)}},
        ],
        2,
    ),
)
def test_a_form_that_is_none_asks_nobody(filled: Database, settings: Settings, asked_for: Any) -> None:
    assert not source_actions.ask(filled, settings, ADMIN, asked_for, NOW)["ok"]
    with filled.read() as connection:
        assert source_checks.recent(connection, NOW) == ()


# -- who may ------------------------------------------------------------------------------------------------


def test_every_page_has_a_route_with_its_right_and_brings_the_token() -> None:
    for view in VIEWS:
        found = route_for(f"{view.path}/halden" if view.subject else view.path)
        assert found is not None
        assert found.right == view.right
    assert all(is_page(f"{view.path}/halden" if view.subject else view.path) for view in VIEWS)


def test_the_page_is_shown_to_administrators_alone() -> None:
    shown = route("/admin/sources", "", ADMIN, organisation(), NOW)
    hidden = route("/admin/sources", "", person(), organisation(), NOW)

    assert (shown.page, shown.view["scope"]) == ("admin-sources", False)
    assert set(shown.view["rights"]) >= {"admin", "viewer"}
    assert (hidden.page, hidden.view["path"], hidden.view["rights"]) == ("denied", None, ["viewer"])


def test_nobody_else_gets_its_data_over_the_live_link(filled: Database) -> None:
    hub = Hub(filled, by_path)
    hub.organisation = organisation()

    with pytest.raises(AccessDenied):
        hub.channel("/admin/sources", "", person())
    names = [unit.name for unit in hub.channel("/admin/sources", "", ADMIN).units]
    assert names == ["admin-sources", *(panel.key for panel in COMMON)]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    from tests.empty import empty_database

    database = empty_database(tmp_path)
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    with served(database, tmp_path, SCREEN) as running:
        yield running
    database.close()


def body(what: str) -> dict[str, Any]:
    data = {"n": 1, "do": what, "source": "1"}
    return {
        "output": "source-done.data",
        "outputs": {"id": "source-done", "property": "data"},
        "inputs": [{"id": "source-asked", "property": "data", "value": data}],
        "changedPropIds": ["source-asked.data"],
        "state": [],
    }


def test_a_change_needs_the_right_the_token_and_a_page_of_ours(web: Served) -> None:
    admin, viewer = web.person("hedda"), web.person("ines", role="viewer")

    def post(cookie: str, *, token: str | None = None, origin: str = "") -> int:
        headers = {"Cookie": cookie, "Origin": origin or web.address}
        with httpx.Client(base_url=web.address, headers=headers) as browser:
            page = browser.get("/", headers={"Accept": "text/html"})
            given = page.cookies.get("_csrf_token", "") if token is None else token
            headers = {"X-CSRFToken": given} if given else {}
            return browser.post("/_dash-update-component", json=body("pause"), headers=headers).status_code

    def state() -> str:
        with web.database.read() as connection:
            return str(connection.execute(select(source.c.state)).scalar_one())

    assert post(viewer.cookie) == 403
    assert post(admin.cookie, token="forged") == 403
    assert post(admin.cookie, token="") == 403
    assert post(admin.cookie, origin="https://elsewhere.example") == 403
    assert state() == "active"
    assert post(admin.cookie) == 200
    assert state() == "paused"


def test_the_page_itself_is_not_for_viewers(web: Served) -> None:
    for role, status in (("admin", 200), ("viewer", 403)):
        with httpx.Client(base_url=web.address, headers=web.person(role, role=role).headers) as browser:
            page = browser.get("/admin/sources", headers={"Accept": "text/html"})
            assert page.status_code == status
    with httpx.Client(base_url=web.address) as nobody:
        assert nobody.get("/admin/sources", headers={"Accept": "text/html"}).status_code == 303
    assert ADMIN_RIGHT == "admin"


def test_the_sources_in_every_state_are_those_of_the_store() -> None:
    assert len({made.name for made in every_state(NOW)}) == len(every_state(NOW))
