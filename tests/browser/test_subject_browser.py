"""The tables of all brands and the page of one, in a real browser: sorted, ticked, opened by mouse and by keyboard."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.web import SCREEN
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser

NAMES = "#index-brands-table tbody tr.is-row a"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three days of talk: most about Corvane, a little about Velta, some about a rival."""
    database = empty_database(tmp_path_factory.mktemp("web"))
    now = datetime.now(UTC)
    fill(database, now=now)
    brands = (2, 2, 2, 4, 5)
    said = [
        Said(
            f"<b>Post</b> {n}",
            minutes=2 + n * 11,
            brand_id=brands[n % 5],
            sentiment=(1, 1, -1)[n % 3],
            author=f"a{n}",
            location_id=(4, 5)[n % 2],
        )
        for n in range(400)
    ]
    say(database, said, now=now)
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running
    database.close()


_number = itertools.count()


@pytest.fixture
def signed_in(web: Served, context: BrowserContext, page: Page) -> Page:
    name, _, value = web.person(f"person{next(_number)}").cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    return page


def test_a_table_is_sorted_ticked_and_opened_by_the_keyboard_alone(
    web: Served, signed_in: Page, watched: Watched
) -> None:
    page = signed_in
    page.goto(f"{web.address}/brands")
    expect(page.locator(NAMES)).to_have_text(["Corvane", "Halden Bank", "Velta", "Rival"])
    # What was never spoken of is not ticked by itself; sorting keeps the groups apart.
    expect(page.locator("[role=checkbox][aria-checked=true]")).to_have_count(2)
    page.keyboard.press("s")
    page.keyboard.press("1")
    page.keyboard.press("s")
    page.keyboard.press("1")
    expect(page.locator("#index-brands-table th[data-sort=name]")).to_have_attribute("aria-sort", "descending")
    expect(page.locator(NAMES)).to_have_text(["Velta", "Halden Bank", "Corvane", "Rival"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.url.endswith("#tick=corvane,velta,halden&sort=-name")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/brand/halden$"))
    expect(page.locator("#subject-name")).to_have_text("Halden Bank")
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.prove
def test_a_link_brings_back_what_was_ticked_and_how_it_was_sorted(
    web: Served, signed_in: Page, watched: Watched
) -> None:
    page = signed_in
    page.goto(f"{web.address}/brands#tick=rival&sort=net")
    expect(page.locator("#index-brands-table th[data-sort=net]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[role=checkbox][aria-checked=true]")).to_have_attribute(
        "aria-label", "Draw Rival in the graphs"
    )
    expect(page.locator("#index-brands-days-mentions-graph .annotation")).to_have_count(1)
    page.locator("#index-brands-table tr[data-key=corvane] [role=checkbox]").click()
    expect(page.locator("#index-brands-days-mentions-graph .annotation")).to_have_count(2)
    assert "tick=rival,corvane" in page.url
    # Another window keeps both.
    page.keyboard.press("4")
    expect(page).to_have_url(re.compile(r"/brands\?window=7d#tick=rival,corvane&sort=net$"))
    expect(page.locator("[role=checkbox][aria-checked=true]")).to_have_count(2)
    assert watched.errors == []


@pytest.mark.prove
def test_the_page_of_a_competitor_says_not_ours_and_has_no_posts_of_ours(
    web: Served, signed_in: Page, watched: Watched
) -> None:
    page = signed_in
    page.goto(f"{web.address}/brands")
    page.locator("#index-brands-table tr[data-key=rival]").click(position={"x": 300, "y": 10})
    expect(page.locator("#subject-name")).to_have_text("Rival")
    expect(page.locator("#subject-line .chip")).to_have_text("not ours")
    expect(page.locator("#panel-our-posts")).to_be_hidden()
    expect(page.locator("#panel-share .annotation")).not_to_have_count(0)
    # Text of others stays text.
    expect(page.locator("#feed-list p b")).to_have_count(0)
    page.go_back()
    expect(page.locator(NAMES).first).to_be_visible()
    assert watched.errors == []
    assert watched.foreign == []
