"""The set-up in a real browser: the demo hidden from its notice and shown again, a brand added by its form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.web import SCREEN
from ingest import demo
from models import organisation as organisations
from models.database import Database
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served

pytestmark = pytest.mark.browser

SLOWLY = 20_000


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    home: Path = tmp_path_factory.mktemp("setup")
    database = empty_database(home)
    with database.write() as connection:
        demo.create(connection, rate=1.0, home=home, now=datetime.now(UTC))
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


@pytest.mark.prove
def test_the_demo_is_hidden_and_shown_again_and_a_brand_is_added(
    web: Served, context: BrowserContext, page: Page, watched: Watched, database: Database
) -> None:
    name, _, value = web.person("lina").cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/")
    page.get_by_role("button", name="Hide demo data").click(timeout=SLOWLY)
    expect(page.get_by_role("button", name="Show again")).to_be_visible(timeout=SLOWLY)
    expect(page.get_by_text("You are looking at simulated data.")).to_have_count(0)

    page.goto(f"{web.address}/admin/brands")
    page.get_by_role("button", name="Add a brand").click(timeout=SLOWLY)
    page.get_by_label("Name", exact=True).fill("Acme Tools")
    expect(page.get_by_label("Key", exact=True)).to_have_value("acme-tools")
    page.get_by_label("Key", exact=True).fill("Acme Tools")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#org-key-fault")).to_contain_text("must be 1 to 63 small letters", timeout=SLOWLY)
    page.get_by_label("Key", exact=True).fill("acme-tools")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("button", name="Acme Tools")).to_be_visible(timeout=SLOWLY)

    page.goto(f"{web.address}/admin/setup")
    page.get_by_role("button", name="Show again").click(timeout=SLOWLY)
    expect(page.get_by_role("button", name="Hide demo data").first).to_be_visible(timeout=SLOWLY)
    with database.read() as connection:
        keys = {item.key for item in organisations.current(connection, datetime.now(UTC)).brands}
    assert {"acme-tools", "halden-bank"} <= keys
