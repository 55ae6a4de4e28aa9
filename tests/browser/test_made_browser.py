"""How a figure was made, and the menu of a panel, in a real browser: by the mouse, by keys, by a link."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from dashboard.web import SCREEN
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_organisation import NOW
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser

AT = "?at=2026-11-19T14:32Z"
# More than a page of rows.
COUNT = 130


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = empty_database(tmp_path_factory.mktemp("made"))
    fill(database)
    week = 7 * 24 * 60
    hostile = "<img src=x onerror=alert(1)> my card"
    say(
        database,
        [
            Said(
                hostile if n == 0 else f"my card {n}",
                minutes=40 + n * 3 + (week if n % 4 == 0 and n else 0),
                brand_id=2 + n % 3,
                sentiment=(1, 0, -1, None)[n // 2 % 4],
                author=f"a{n}",
            )
            for n in range(COUNT)
        ],
        now=NOW,
    )
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running
    database.close()


def opened(web: Served, page: Page, search: str = AT) -> Page:
    if not page.context.cookies():
        name, _, value = web.person(f"p{id(page)}").cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/{search}")
    page.wait_for_selector("[data-kpi=reach]")
    return page


@pytest.mark.prove
def test_a_click_on_a_figure_shows_how_it_was_made_and_escape_returns(
    web: Served, page: Page, watched: Watched
) -> None:
    figure = opened(web, page).locator("[data-kpi=net_sentiment]")
    figure.click()
    drawer = page.locator(".side-drawer.made")

    expect(drawer.locator("h2")).to_have_text("Net sentiment")
    expect(drawer.locator(".made-formula")).to_contain_text("100 × (positive − negative)")
    expect(drawer.locator(".made-lines .base")).to_contain_text("Scored, the base")
    expect(drawer.locator(".made-lines")).to_contain_text("Language not known: en")
    expect(drawer.locator(".wf .wb")).to_have_count(6)
    expect(drawer.locator("tbody tr").first).to_contain_text("<img src=x onerror=alert(1)> my card")
    expect(figure).to_have_attribute("aria-expanded", "true")
    expect(page).to_have_url(re.compile("#made=net_sentiment$"))
    box, strip = drawer.bounding_box(), page.locator("#panel-kpi").bounding_box()
    assert box is not None
    assert strip is not None
    assert box["width"] == 744
    assert box["y"] >= strip["y"] + strip["height"], "the figures stay in sight"

    page.keyboard.press("Escape")

    expect(drawer).to_have_count(0)
    expect(figure).to_be_focused()
    assert "#" not in page.url
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.prove
def test_h_opens_it_parts_narrow_the_rows_and_more_come_by_the_page(web: Served, page: Page) -> None:
    opened(web, page, f"{AT}&window=30d").locator("[data-kpi=net_sentiment]").focus()
    page.keyboard.press("h")
    drawer = page.locator(".side-drawer.made")
    drawer.get_by_role("button", name="▼").click()
    expect(drawer.locator("tbody tr").first).to_contain_text("▼ Negative")
    page.keyboard.press("Escape")

    page.locator("[data-kpi=mentions]").click()
    expect(drawer.locator("tbody tr")).to_have_count(100)
    drawer.get_by_role("button", name="Show more").click()

    expect(drawer.locator("tbody tr")).to_have_count(COUNT)
    expect(drawer.get_by_role("button", name="Show more")).to_be_hidden()


@pytest.mark.prove
def test_a_link_opens_the_figure_and_a_brand_of_it_narrows_the_page(web: Served, page: Page) -> None:
    opened(web, page, f"{AT}#made=mentions")
    drawer = page.locator(".side-drawer.made")

    drawer.locator(".made-lines .cl", has_text="Halden Bank").click()

    expect(page).to_have_url(re.compile(r"brand=halden.*#made=mentions$"))
    expect(drawer.locator(".made-head .sub")).to_contain_text("Halden Bank")


@pytest.mark.prove
def test_a_panel_is_read_as_a_table_copied_as_text_and_taken_away_as_csv(
    web: Served, page: Page, watched: Watched
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(web, page)
    menu = page.get_by_role("button", name="Sentiment over time: more")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem")).to_have_text(
        ["How this was made", "View as table", "Copy as text", "Copy as picture", "Download CSV"]
    )
    page.get_by_role("menuitem", name="View as table").click()
    dialog = page.get_by_role("dialog", name="Sentiment per")
    expect(dialog.locator("thead th")).to_have_text(
        ["From", "Positive", "Neutral", "Negative", "Not scored", "Net (pts)"]
    )
    assert dialog.locator("tbody tr").count() >= 12
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(menu).to_be_focused()

    menu.click()
    page.get_by_role("menuitem", name="Copy as text").click()
    expect(page.locator("#toast")).to_contain_text("Copied as text.")
    lines = page.evaluate("navigator.clipboard.readText()").replace("\r", "").split("\n")
    assert lines[0].startswith("Sentiment per")
    assert lines[3].split("\t")[0] == "From"
    assert len(lines[4].split("\t")) == 6

    menu.click()
    page.get_by_role("menuitem", name="Copy as picture").click()
    expect(page.locator("#toast")).to_contain_text("picture")

    menu.click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("sentiment-")
    text = download.value.path().read_text("utf-8-sig")
    assert text.startswith("about,")
    assert watched.errors == []
