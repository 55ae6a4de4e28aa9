"""The page of the rules in a real browser: a broken rule is pointed at, mended by a click, tried and published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.web import SCREEN
from models.database import Database
from models.organisation_rules import publish_rule, published
from tests import small_store
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said

pytestmark = pytest.mark.browser

SLOWLY = 20_000
HALDEN = 3
BROKEN = "(halden OR haldenbank)\nAND (card OR OR karte)\nNOT norway"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = empty_database(tmp_path_factory.mktemp("rules"))
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    said = [Said(f"halden {('card', 'pas', 'karte')[n % 3]} {n}", minutes=n + 1, brand_id=HALDEN) for n in range(60)]
    small_store.say(database, said, now=now)
    with database.write() as connection:
        publish_rule(connection, HALDEN, "halden", "a test", now)
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


def test_a_broken_rule_is_pointed_at_mended_tried_and_published(
    web: Served, context: BrowserContext, page: Page, watched: Watched, database: Database
) -> None:
    name, _, value = web.person("lina").cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/admin/rules#halden")
    field = page.get_by_role("textbox", name="The rule")
    expect(field).to_have_value("halden", timeout=SLOWLY)

    field.fill(BROKEN)
    callout = page.locator(".ecall")
    expect(callout).to_contain_text("Line 2, column 11: nothing follows this OR", timeout=SLOWLY)
    expect(page.get_by_role("button", name="Error in line 2")).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".rprev")).to_contain_text("With line 2 read as “AND (card OR karte)”")
    # Below the callout a click puts the caret where the line is drawn, not where the textarea alone would have it.
    line = page.locator(".eline").nth(2).bounding_box()
    assert line is not None
    page.mouse.move(line["x"] + line["width"] - 10, line["y"] + 12)
    page.mouse.click(line["x"] + line["width"] - 10, line["y"] + 12)
    assert field.evaluate("field => field.selectionStart") == len(BROKEN)
    page.keyboard.press("F8")
    assert field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == "OR"

    callout.get_by_role("button", name="Remove it").click()
    expect(callout).to_have_count(0)
    expect(page.locator(".rprev .ph")).to_contain_text("40 of the last 60; today’s version 60", timeout=SLOWLY)
    page.locator(".prow", has_text="lacks a word of line 2: “pas”").get_by_role("button", name="Add “pas”").click()
    expect(field).to_have_value("(halden OR haldenbank)\nAND (card OR karte OR pas)\nNOT norway")
    expect(page.locator(".rprev .ph")).to_contain_text("60 of the last 60", timeout=SLOWLY)

    field.focus()
    page.keyboard.press("Control+s")
    expect(page.locator("#toast")).to_contain_text("The draft is saved")
    expect(page.locator(".rrow.on")).to_contain_text("draft open", timeout=SLOWLY)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toast")).to_contain_text("Version 2 counts from now on", timeout=SLOWLY)
    expect(page.locator(".redit")).to_contain_text("version 2, published by Lina")
    with database.read() as connection:
        assert published(connection, HALDEN).query == field.input_value()
    assert watched.errors == []
