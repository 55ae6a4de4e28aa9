"""dashboard/web.py: the program as one uvicorn process serves it, from the first request on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from plotly.offline import get_plotlyjs_version
from sqlalchemy import text

import dashboard
from dashboard.web import ASSETS, SCREEN, only_process
from models.database import Database
from models.errors import SchemaError, SettingsError
from models.settings import Settings
from tests.empty import empty_database
from tests.live_screen import fill
from tests.serving import Served, served

VENDOR = ASSETS / "vendor"
LARGEST_FIRST_LOAD = 1_800_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    fill(database)
    yield database
    database.close()


@pytest.fixture
def web(database: Database, tmp_path: Path) -> Iterator[Served]:
    with served(database, tmp_path, SCREEN) as running:
        yield running


def test_the_first_request_ever_carries_the_scripts_of_assets_also_for_a_link_with_a_scope(web: Served) -> None:
    with httpx.Client(base_url=web.address, headers=web.person().headers) as browser:
        page = browser.get("/?brand=corvane&window=7d", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "/assets/live.js?m=" in page.text
    assert "/assets/vendor/plotly-cartesian.min.js?m=" in page.text


def test_dash_is_set_up_before_the_first_request(web: Served) -> None:
    # Dash does it at its first / or /_dash-*; whatever is served before would lack scripts and their hashes.
    assert web.program.dash._got_first_request["setup_server"]


def test_nobody_without_a_session_gets_anything_of_the_screen(web: Served) -> None:
    with httpx.Client(base_url=web.address) as browser:
        for path in (
            "/_dash-layout",
            "/_dash-dependencies",
            "/live/state",
            "/assets/live.js",
            "/docs",
            "/openapi.json",
        ):
            assert (path, browser.get(path).status_code) == (path, 401)
        page = browser.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/signin")


def test_the_program_says_whether_it_is_up_and_ready(web: Served) -> None:
    with httpx.Client(base_url=web.address) as anybody:
        assert anybody.get("/healthz").json() == {"status": "up"}
        assert anybody.get("/readyz").json() == {"status": "ready"}
        with web.database.write() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        answer = anybody.get("/readyz")
        assert answer.status_code == 503
        assert "watchfloor db upgrade" in answer.json()["reason"]
        assert anybody.get("/healthz").status_code == 200


def test_another_schema_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SchemaError, match="watchfloor db upgrade"):
        dashboard.create_app(Settings(home=tmp_path), database)
    database.close()


def test_sqlite_is_served_by_one_web_process(database: Database, tmp_path: Path) -> None:
    path = Path(database.url.database or "")
    held = only_process(path)
    with pytest.raises(SettingsError, match="another web process"):
        dashboard.create_app(Settings(home=tmp_path), database)
    held.close()
    only_process(path).close()


def test_plotly_comes_from_assets_in_the_version_of_the_installed_package(web: Served) -> None:
    [bundle] = VENDOR.glob("plotly-*.min.js")
    assert bundle.name == "plotly-cartesian.min.js"
    found = re.search(r"plotly\.js \(cartesian - minified\) v([\d.]+)", bundle.read_text("utf-8")[:300])
    assert found is not None
    assert found.group(1) == get_plotlyjs_version()


def test_every_library_in_vendor_has_its_licence_beside_it() -> None:
    for library in VENDOR.glob("*.js"):
        licence = VENDOR / f"{library.name.split('.')[0]}.LICENSE.txt"
        assert "Permission is hereby granted" in licence.read_text("utf-8"), library.name


def test_the_first_load_is_small_and_holds_no_grid_and_no_full_plotly(web: Served) -> None:
    with httpx.Client(base_url=web.address, headers=web.person().headers | {"Accept-Encoding": "gzip"}) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        addresses = [*re.findall(r'(?:src|href)="(/[^"]+)"', page.text), "/_dash-layout", "/_dash-dependencies"]
        assert len(addresses) > 8
        sizes = {address: on_the_wire(browser, address) for address in addresses}
    assert not [address for address in sizes if "ag_grid" in address or "plotly.min" in address]
    assert sum(sizes.values()) + len(page.content) <= LARGEST_FIRST_LOAD


def on_the_wire(browser: httpx.Client, address: str) -> int:
    with browser.stream("GET", address) as answer:
        assert answer.status_code == 200, address
        return sum(len(chunk) for chunk in answer.iter_raw())


def test_dash_opens_no_socket_of_its_own(web: Served) -> None:
    with httpx.Client(base_url=web.address, headers=web.person().headers) as browser:
        page = browser.get("/", headers={"Accept": "text/html"}).text
    config = re.search(r'<script id="_dash-config"[^>]*>(.*?)</script>', page, re.S)
    assert config is not None
    assert "websocket" not in config.group(1).lower() or '"websocket":null' in config.group(1).lower()
