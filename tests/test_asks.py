"""dashboard/asks: what is asked for beside the live screen is checked by name, person and body, and never breaks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dashboard import rights
from dashboard.asks import ACTS, READS, serving, tables
from dashboard.asks.ask import Asked
from dashboard.panel import Table
from dashboard.views import by_path
from dashboard.web import SCREEN
from models import organisation as organisations
from models.access import ADMIN, VIEWER, Access
from models.database import Database
from models.errors import AccessDenied, InputError
from models.settings import Settings
from tests.empty import empty_database
from tests.few import few
from tests.serving import Person, Served, served
from tests.small_organisation import ADMIN as ADMINISTRATOR
from tests.small_organisation import NOW, organisation, person
from tests.small_store import Said, fill, say

NOBODY = Access(9, "new@meridian.example", "New", frozenset())
NAMES = [*(("read", name) for name in READS), *(("act", name) for name in ACTS)]
FORMULAS = ("=1+1", "+1", "-1", "@sum(a1)", "\tx", "\rx", "'=1")


@dataclass
class Browser:
    """Somebody's requests, with the token that changes must carry."""

    client: httpx.Client
    token: str

    def read(self, name: str, /, **given: Any) -> httpx.Response:
        return self.client.get(f"/read/{name}", params=given)

    def act(self, name: str, /, body: Any = None, **headers: str) -> httpx.Response:
        return self.post(f"/act/{name}", body, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps({} if body is None else body)
        sent = {"Content-Type": "application/json", "Origin": str(self.client.base_url).rstrip("/")}
        return self.client.post(path, content=content, headers=sent | {"X-CSRFToken": self.token} | headers)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("asks")
    database = empty_database(folder)
    fill(database)
    say(database, [Said(f"card {n}", minutes=n + 1, brand_id=2 + n % 2, author=f"a{n}") for n in range(12)])
    with served(database, folder, SCREEN) as running:
        yield running
    database.close()


def browser(web: Served, person: Person) -> Browser:
    client = httpx.Client(base_url=web.address, headers=person.headers)
    page = client.get("/", headers={"Accept": "text/html"})
    client.headers["Cookie"] = f"{person.cookie}; _csrf_token={page.cookies['_csrf_token']}"
    return Browser(client, page.cookies["_csrf_token"])


@pytest.fixture(scope="module")
def admin(web: Served) -> Iterator[Browser]:
    found = browser(web, web.person("admin"))
    yield found
    found.client.close()


@pytest.fixture(scope="module")
def halden(web: Served) -> Iterator[Browser]:
    """Somebody who may read one brand."""
    found = browser(web, web.person("halden", "viewer", frozenset({3})))
    yield found
    found.client.close()


# -- who, what, how ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["read", "act"])
def test_a_name_that_there_is_not_is_not_found(admin: Browser, kind: str) -> None:
    answer = admin.read("no.such") if kind == "read" else admin.act("no.such")

    assert answer.status_code == 404
    assert "no.such" in answer.json()["error"]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_without_the_right_nothing_is_read_and_nothing_done(kind: str, name: str, tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    ask = serving._read if kind == "read" else serving._act
    given: Any = {} if kind == "read" else b"{}"
    declared = (rights.READS if kind == "read" else rights.ACTS)[name]
    denied = [NOBODY] if declared == VIEWER else [NOBODY, person()]
    for access in denied:
        with pytest.raises(AccessDenied):
            ask(serving._House(database, by_path, Settings(home=tmp_path)), name, access, given)
    database.close()


def test_somebody_without_the_right_is_told_so(halden: Browser) -> None:
    for_admins = [(kind, name) for kind, name in NAMES if (rights.READS | rights.ACTS)[name] == ADMIN]
    for kind, name in for_admins:
        answer = halden.read(name) if kind == "read" else halden.act(name)
        assert answer.status_code == 403, name
        assert "ask an administrator" in answer.json()["error"]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_nobody_who_is_not_signed_in_gets_or_does_anything(web: Served, kind: str, name: str) -> None:
    headers = {"Accept": "application/json", "Origin": web.address}
    with httpx.Client(base_url=web.address, headers=headers) as client:
        answer = client.get(f"/read/{name}") if kind == "read" else client.post(f"/act/{name}", content=b"{}")

    assert answer.status_code == 401


@pytest.mark.parametrize("name", ACTS)
def test_without_the_token_or_from_another_site_nothing_is_done(admin: Browser, name: str) -> None:
    assert admin.act(name, **{"X-CSRFToken": ""}).status_code == 403
    assert admin.act(name, **{"X-CSRFToken": "x" * 43}).status_code == 403
    assert admin.act(name, Origin="https://elsewhere.example").status_code == 403


def test_a_method_that_is_not_for_an_address_is_refused(admin: Browser) -> None:
    for method, path in (("PUT", "/read/made"), ("DELETE", "/read/made"), ("GET", "/act/export.csv")):
        headers = {"Origin": str(admin.client.base_url).rstrip("/"), "X-CSRFToken": admin.token}
        assert admin.client.request(method, path, headers=headers).status_code == 405


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null", b"{", b"\xff", b"[" * 2_000])
def test_a_body_that_is_no_object_is_refused(admin: Browser, body: bytes) -> None:
    answer = admin.act("export.csv", body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The body")


@pytest.mark.parametrize("given", [{"path": 5}, {"path": "/", "search": ["x"]}, {"path": None}, {}])
def test_a_page_that_is_none_is_refused_in_words(admin: Browser, given: dict[str, Any]) -> None:
    answer = admin.act("export.csv", {"panel": "kpi", **given})

    assert answer.status_code == 400
    assert "path and search" in answer.json()["error"].lower()


def test_a_foreign_brand_is_not_found_in_the_words_of_one_that_there_is_not(halden: Browser) -> None:
    def said(key: str) -> str:
        answers = [
            halden.read("made", path="/", search=f"?brand={key}", metric="mentions"),
            halden.read("made.rows", path="/", search=f"?brand={key}", metric="mentions"),
            halden.act("export.csv", {"path": "/", "search": f"?brand={key}", "panel": "kpi"}),
            halden.act("export.rows", {"path": "/", "search": f"?brand={key}", "metric": "mentions"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
        return "".join(answer.text for answer in answers).replace(key, "…")

    assert said("corvane") == said("nosuch")


def test_a_page_for_administrators_is_no_way_around_their_right(halden: Browser, admin: Browser) -> None:
    given = {"path": "/admin/sources", "search": "", "panel": "admin-sources"}

    assert halden.read("table", **given).status_code == 403
    assert admin.read("table", **given).status_code in (200, 404)


JUNK: tuple[Any, ...] = (None, True, -1, 2**63, "x", "\uffff\0", "x" * 12_000, [1], {"a": [None]})
FIELDS = (
    "panel",
    "metric",
    "part",
    "after",
    "key",
    "value",
    "id",
    "brand",
    "text",
    "name",
    "query",
    "mention",
    "search",
)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_whatever_is_given_the_answer_is_a_sentence_and_no_breakdown(admin: Browser, kind: str, name: str) -> None:
    bodies = [{field: junk for field in FIELDS if field != "search"} | {"path": "/"} for junk in JUNK]
    bodies += [{"path": path, "search": search} for path, search in (("/nowhere", ""), ("/", "?x=\uffff"), ("", ""))]
    for body in bodies:
        answer = admin.post(f"/{kind}/{name}", body)
        assert answer.status_code < 500, (str(body)[:80], answer.text[:300])
        if answer.status_code != 200 and answer.headers["content-type"] == "application/json":
            said = answer.json()
            assert (said.get("error") or said.get("reason") or "").endswith((".", "?", "!"))


# -- what is given -----------------------------------------------------------------------------------------


def plain(**given: Any) -> Asked:
    return Asked(ADMINISTRATOR, organisation(), NOW, given)


@pytest.mark.prove
@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4))
def test_what_is_given_is_of_its_kind_or_refused(value: Any) -> None:
    asked = plain(x=value)
    for read in (asked.text, asked.number, asked.flag):
        try:
            found = read("x")
        except InputError:
            continue
        if isinstance(found, str):
            found.encode()
            assert "\0" not in found
        else:
            assert abs(found) < 1 << 63


def test_ids_beyond_what_a_browser_counts_come_as_text() -> None:
    assert plain(id="9223372036854775807").number("id") == 2**63 - 1
    assert plain(id="-5").number("id") == -5
    for wrong in ("9223372036854775808", "1.5", "٣", "", "1e3", True, None, "- 5"):
        with pytest.raises(InputError):
            plain(id=wrong).number("id")


def test_a_text_that_is_too_long_says_how_long_it_is() -> None:
    with pytest.raises(InputError, match="x: 11 characters; at most 10 fit"):
        plain(x="x" * 11).text("x", longest=10)
    assert plain(x=" a\u202eb\ud800 ").text("x") == "ab"
    assert plain(x=None).text("x", "there") == "there"


# -- tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", few(["", "?window=7d", "?q=card", "?location=kenya&team=care", "?brand=rival"], 2))
def test_every_panel_with_rows_gives_them_as_a_table(search: str, database: Database) -> None:
    fill(database)
    say(database, [Said(f"card {n}", minutes=n * 7, sentiment=n % 3 - 1, author=f"a{n}") for n in range(20)])
    with database.read() as connection:
        here = organisations.current(connection, NOW)

        def asked(**given: Any) -> Asked:
            return serving.asked(by_path, ADMINISTRATOR, here, NOW, {"path": "/", "search": search, **given})

        offered = tables.panels(connection, asked())["panels"]
        given = [key for key, what in offered.items() if what["table"]]
        for key in given:
            found = tables.table(connection, asked(panel=key))
            assert found["about"]
            assert all(len(row) == len(found["columns"]) for row in found["rows"])
            orjson.dumps(dict(found))
    assert {"kpi", "sentiment", "sources"} <= set(given)
    assert offered["sentiment"]["metric"] == "net_sentiment"


def test_the_table_of_the_key_figures_is_what_the_strip_shows(database: Database) -> None:
    fill(database)
    say(database, [Said(f"card {n}", minutes=n * 3 + 40, sentiment=n % 3 - 1, author=f"a{n}") for n in range(20)])
    with database.read() as connection:
        here = organisations.current(connection, NOW)
        asked = serving.asked(by_path, ADMINISTRATOR, here, NOW, {"path": "/", "search": "", "panel": "kpi"})
        found = tables.table(connection, asked)

    assert found["about"] == "All brands, last 24 h to Thu 19 Nov 2026 15:32 Europe/Amsterdam, 20 mentions"
    rows = {row[0]: row[1:] for row in found["rows"]}
    assert rows["Mentions"][0] == 20
    assert rows["Net sentiment"] == [-5.0, -5.0, None, "pts", 20]
    assert rows["Share of voice"][0] == 100.0


def test_a_csv_says_what_it_is_of_and_holds_no_formula() -> None:
    found = Table("t", "=about", ("+name", "at", "n"), tuple((text, NOW, n) for n, text in enumerate(FORMULAS)))

    rows = list(csv.reader(io.StringIO(tables.as_csv(found, ZoneInfo("Europe/Amsterdam")), newline="")))

    assert rows[0] == ["about", "'=about"]
    assert rows[1] == ["'+name", "at", "n"]
    assert [row[0] for row in rows[2:]] == [f"'{text}" for text in FORMULAS]
    assert rows[2][1:] == ["2026-11-19T15:32:10+01:00", "0"]


def test_what_leaves_the_screen_leaves_an_audit_row(web: Served, admin: Browser) -> None:
    exports = [
        admin.act("export.csv", {"path": "/", "search": "?at=2026-11-19T14:32Z", "panel": "kpi"}),
        admin.act("export.rows", {"path": "/", "search": "?at=2026-11-19T14:32Z", "metric": "net_sentiment"}),
    ]

    assert [answer.status_code for answer in exports] == [200, 200]
    lines = list(csv.reader(io.StringIO(exports[1].json()["text"])))
    assert len(lines) == 2 + 12
    assert {line[6] for line in lines[2:]} == {f"card {n}" for n in range(12)}
    with web.database.read() as connection:
        rows = connection.execute(
            text("select subject, actor, details from audit where action = 'panel.exported' order by id desc limit 2")
        ).all()
    assert {row.subject for row in rows} == {"Key figures", "Rows behind Net sentiment"}
    assert {row.actor for row in rows} == {"admin@meridian.example"}
    assert "newest 12 rows" in str(rows)


def test_an_export_that_fails_leaves_none(web: Served, admin: Browser) -> None:
    def count() -> int:
        with web.database.read() as connection:
            found = connection.execute(text("select count(*) from audit where action = 'panel.exported'"))
            return int(found.scalar_one())

    before = count()
    assert admin.act("export.csv", {"path": "/", "search": "", "panel": "nosuch"}).status_code == 404
    assert admin.act("export.rows", {"path": "/", "search": "", "metric": "mentions", "part": "x"}).status_code == 400
    assert count() == before


def test_a_limited_person_takes_away_their_rows_alone(halden: Browser) -> None:
    answer = halden.act("export.rows", {"path": "/", "search": "?at=2026-11-19T14:32Z", "metric": "mentions"})

    lines = list(csv.reader(io.StringIO(answer.json()["text"])))
    assert len(lines) == 2 + 6
    assert {line[0] for line in lines[2:]} == {"Halden Bank"}
