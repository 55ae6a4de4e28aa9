"""The page of the audit log in a real browser: an auditor goes through it by keyboard and takes a copy along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.web import SCREEN
from ingest.chaining import Chaining
from models import audit
from models.database import Database
from tests import small_store
from tests.audit_made_up import fields
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served

pytestmark = pytest.mark.browser

ROWS = 120


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("audit")
    database = empty_database(home)
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    with database.write() as connection:
        for number in range(ROWS):
            at = now - timedelta(minutes=5 * (ROWS - number))
            details = {"before": {"state": "open"}, "after": {"state": "resolved"}, "reason": f"<b>{number}</b>"}
            audit.record(connection, **(fields(number) | {"at": at, "details": details}))
    chaining(database, home).round()
    with served(database, home, SCREEN) as running:
        yield running


def chaining(database: Database, home: Path) -> Chaining:
    return Chaining(
        database, home, "worker", now=lambda: datetime.now(UTC), seconds=iter(range(0, 10**6, 100)).__next__
    )


@pytest.mark.prove
def test_an_auditor_goes_through_the_trail_by_keyboard(
    web: Served, page: Page, watched: Watched, tmp_path: Path
) -> None:
    name, _, value = web.person("vera", "auditor").cookie.partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/audit")
    rows = page.locator(".atab tbody tr")
    expect(page.locator("#audit-chain-bar")).to_contain_text("Verified to")
    expect(rows.filter(has_text="case 119 of Halden Bank")).to_be_visible()
    expect(page.locator(".rail a[href='/audit']")).to_be_visible()

    # The newest rows tell how this person came in; the first of ours is found by its subject.
    page.keyboard.press("/")
    page.keyboard.type("case 11")
    expect(rows).to_have_count(11)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#audit-trail .sfoot")).to_contain_text("Rows 1 to 50")
    rows.filter(has_text="case 118 of Halden Bank").click()
    expect(page.locator("#audit-row")).to_contain_text("<b>118</b>")
    page.keyboard.press("j")
    expect(page.locator("#audit-row")).to_contain_text("case 117 of Halden Bank")
    expect(page.locator("#audit-row s")).to_have_text("open")

    page.keyboard.press("f")
    expect(rows).to_have_count(30)
    assert "who=p%3A2" in page.url
    with page.expect_download() as download:
        page.keyboard.press("Control+e")
    lines = Path(download.value.path()).read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines].count("row") == 30
    page.keyboard.press("f")

    # Older ones come as one goes down.
    page.keyboard.press("PageDown")
    page.locator(".ascroll").evaluate("(host) => host.scrollTo(0, host.scrollHeight)")
    expect(rows.filter(has_text="case 60 of Halden Bank")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#audit-row")).to_contain_text("No row is open")

    # A link reproduces what was filtered, and the export stands in the log, linked soon after.
    page.goto(f"{web.address}/")
    page.goto(f"{web.address}/audit#what=audit.")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("audit.exported")
    expect(rows.first).to_contain_text("not yet")
    chaining(web.database, tmp_path).round()
    expect(rows.first).not_to_contain_text("not yet")
    page.get_by_role("button", name="Verify all again").click()
    expect(page.locator("#toast")).to_contain_text("Every link is being checked again.")
    assert watched.errors == []
    assert watched.foreign == []
