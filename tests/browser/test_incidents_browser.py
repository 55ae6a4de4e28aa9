"""An incident in the browser: declared, seen on another page, its replies held, ended, told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.web import SCREEN
from models import holds
from models import organisation as organisations
from models.database import Database
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = empty_database(tmp_path_factory.mktemp("web"))
    now = datetime.now(UTC)
    fill(database, now=now)
    say(
        database,
        [Said(f"card declined, number {n}", minutes=2 + n, brand_id=3, sentiment=-1) for n in range(30)],
        now=now,
    )
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


def held(database: Database) -> str | None:
    now = datetime.now(UTC)
    with database.read() as connection:
        organisation = organisations.current(connection, now)
        found = holds.holds(connection, organisation, 3, 4, 2, now)
    return None if found is None else found.outbound


@pytest.mark.prove
def test_a_manager_declares_everybody_sees_it_replies_are_held_and_its_end_makes_a_report(
    web: Served, database: Database, context: BrowserContext, page: Page, watched: Watched
) -> None:
    name, _, value = web.person("ruben", role="manager").cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/?brand=halden")
    page.wait_for_selector('#panel-feed[data-drawn="1"]')
    assert held(database) is None

    page.keyboard.press("i")
    dialog = page.get_by_role("dialog", name="Declare an incident")
    dialog.get_by_label("Name").fill("Card payments declined")
    expect(dialog.get_by_role("button", name="Take out Halden Bank")).to_be_visible()
    dialog.get_by_role("radio", name="Nothing is sent").click()
    dialog.get_by_role("button", name="Declare").click()
    expect(dialog.get_by_role("alert")).to_have_text("Reason: this is needed.")
    dialog.get_by_label("Reason").fill("payments fail at the till")
    dialog.get_by_role("button", name="Declare").click()

    expect(page).to_have_url(f"{web.address}/incidents/1")
    expect(page.locator("#incident-card h2")).to_have_text("Card payments declined")
    expect(page.locator("#incident-timeline-list")).to_contain_text("payments fail at the till")
    assert held(database) == "frozen"

    page.goto(f"{web.address}/audience")
    banner = page.get_by_role("alert").filter(has_text="INC-1")
    expect(banner).to_contain_text("Card payments declined")
    expect(banner).to_contain_text("Nothing is sent")
    page.keyboard.press("i")
    expect(page).to_have_url(f"{web.address}/incidents/1")

    page.locator(".itools").get_by_role("button", name="Note").wait_for()
    page.keyboard.press("n")
    page.get_by_label("What others must know").fill("The card processor is down")
    page.get_by_role("button", name="Add to the timeline").click()
    expect(page.locator("#incident-timeline-list")).to_contain_text("The card processor is down")

    page.get_by_role("button", name="Close incident").click()
    page.get_by_label("Why it is over").fill("payments work again")
    page.get_by_role("button", name="Close, nothing is held any more").click()
    page.get_by_role("link", name="Open the report").click()
    expect(page.get_by_role("heading", name="After-action report, INC-1")).to_be_visible()
    assert held(database) is None

    page.get_by_role("button", name="Write").click()
    page.get_by_label("What happened").fill("A certificate expired.")
    page.get_by_label("What changes, a line each").fill("Watch certificates | Ines Kramer | 2026-12-01")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("main")).to_contain_text("A certificate expired.")
    page.get_by_role("button", name="Sign").click()
    page.get_by_role("button", name="Make it final").click()
    expect(page.locator(".aar-head")).to_contain_text("Final")
    expect(page.locator(".aar-curve")).to_be_visible()
    file = context.request.get(f"{web.address}/incidents/1/report.pdf")
    assert (file.status, file.body()[:5]) == (200, b"%PDF-")
    assert watched.errors == []
