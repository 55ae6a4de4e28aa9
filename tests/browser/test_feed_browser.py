"""The feed in a real browser: filters by chips, corrections and hiding with undo, the whole text, the keys."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.web import SCREEN
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser

SLOWLY = 20_000
LONG = "The queue at the gate was long and nobody said why. " * 30
_number = itertools.count()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = empty_database(tmp_path_factory.mktemp("feed"))
    now = datetime.now(UTC)
    fill(database, now=now)
    posts = [
        Said(
            f"My Corvane card is declined, number {n}",
            minutes=5 + n,
            sentiment=-1 if n % 4 == 0 else 1,
            language="nl" if n % 3 == 0 else "en",
            followers=50_000 if n % 10 == 0 else 100,
            author=f"author{n}",
        )
        for n in range(60)
    ]
    say(database, [Said(LONG, minutes=4, author="long"), *posts, Said("of nobody", minutes=3, brand_id=1)], now=now)
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running
    database.close()


def opened(web: Served, page: Page, search: str = "", role: str = "admin", waits: str = "#feed-list article") -> Page:
    name, _, value = web.person(f"reader{next(_number)}", role).cookie.partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/{search}")
    page.wait_for_selector(waits)
    return page


def cards(page: Page) -> Locator:
    return page.locator("#feed-list article")


def card(page: Page, text: str) -> Locator:
    return cards(page).filter(has=page.get_by_text(text, exact=True))


def height(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["height"]


def choose(page: Page, text: str, entry: str) -> None:
    card(page, text).locator("[data-part=menu]").click()
    page.get_by_role("menuitem", name=entry).click()


@pytest.mark.prove
def test_chips_filter_and_order_the_feed_and_stand_in_the_address(web: Served, page: Page, watched: Watched) -> None:
    opened(web, page)

    page.get_by_role("button", name="Negative").click()
    expect(page).to_have_url(f"{web.address}/?show=negative")
    expect(cards(page)).to_have_count(15, timeout=SLOWLY)
    page.get_by_role("button", name="Language: Language").click()
    page.get_by_role("menuitem", name="Dutch").click()
    expect(page).to_have_url(f"{web.address}/?show=negative&lang=nl")
    expect(cards(page)).to_have_count(5, timeout=SLOWLY)
    # What else is chosen leaves the filters alone.
    page.locator("[data-window='7d']").first.click()
    expect(page).to_have_url(f"{web.address}/?window=7d&show=negative&lang=nl")
    expect(page.locator("[data-feed=negative]")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    page.go_back()
    expect(page).to_have_url(f"{web.address}/?show=negative")
    expect(cards(page)).to_have_count(15, timeout=SLOWLY)
    page.get_by_role("button", name="Order:").click()
    page.get_by_role("menuitem", name="Highest reach first").click()
    expect(cards(page).first).to_contain_text("50.0k reach", timeout=SLOWLY)
    assert watched.errors == []


@pytest.mark.prove
def test_a_feed_that_filters_emptied_keeps_its_chips_and_a_way_out(web: Served, page: Page) -> None:
    opened(web, page, "?lang=de", waits="#feed-state.empty")

    expect(page.locator("[data-feed=unmatched]")).to_be_visible()
    page.locator("[data-feed=negative]").click()
    expect(page).to_have_url(f"{web.address}/?show=negative&lang=de")
    page.locator("#feed-state").get_by_role("button", name="Clear filters").click()
    expect(page).to_have_url(f"{web.address}/")


@pytest.mark.prove
def test_what_a_viewer_does_to_a_mention_is_seen_at_once_and_undone(web: Served, page: Page, watched: Watched) -> None:
    opened(web, page, role="viewer")
    expect(page.locator("[data-feed=negative]")).to_be_visible()
    expect(page.locator("[data-feed=unmatched]")).to_be_hidden()
    text = "My Corvane card is declined, number 1"

    choose(page, text, "Sentiment: negative")
    expect(card(page, text).locator(".sent")).to_have_text("▼Negative", timeout=SLOWLY)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(card(page, text).locator(".sent")).to_have_text("▲Positive", timeout=SLOWLY)

    choose(page, text, "Show on lobby walls")
    expect(card(page, text)).to_contain_text("On lobby walls", timeout=SLOWLY)

    choose(page, text, "Correct the place…")
    page.get_by_label("Find a location").fill("ber")
    page.get_by_role("dialog").get_by_role("button", name="Berlin").click()
    expect(card(page, text).locator(".chip").nth(1)).to_have_text("Berlin", timeout=SLOWLY)

    choose(page, text, "Correct the brand…")
    page.get_by_role("dialog").get_by_role("button", name="Velta").click()
    expect(card(page, text).locator(".chip").first).to_have_text("Velta", timeout=SLOWLY)

    # Pointer and focus are in the feed all the while: one's own doing does not wait behind "3 new above".
    choose(page, text, "Hide as irrelevant")
    expect(card(page, text)).to_have_count(0)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(card(page, text)).to_have_count(1, timeout=SLOWLY)
    assert watched.errors == []


@pytest.mark.prove
def test_a_long_text_is_four_lines_until_all_of_it_is_asked_for(web: Served, page: Page) -> None:
    opened(web, page)
    long = cards(page).filter(has_text="nobody said why").first

    assert height(long.locator("p")) < 5 * 19
    expect(cards(page).nth(1).locator("[data-part=all]")).to_be_hidden()
    long.get_by_role("button", name="Show all").click()
    expect(long.locator("p")).to_have_text(LONG.strip(), timeout=SLOWLY)
    long.get_by_role("button", name="Show less").click()
    assert height(long.locator("p")) < 5 * 19


def test_the_feed_works_by_keys_alone(web: Served, page: Page, watched: Watched) -> None:
    opened(web, page)

    page.keyboard.press("j")
    expect(cards(page).nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(cards(page).nth(1)).to_be_focused()
    page.keyboard.press("m")
    expect(page.get_by_role("menuitem", name="Details")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cards(page).nth(1).locator("[data-part=menu]")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer = page.locator(".side-drawer")
    expect(drawer.locator(".whole")).to_contain_text("My Corvane card is declined", timeout=SLOWLY)
    expect(drawer).to_contain_text(re.compile("Author.*Reach.*Network.*Brand", re.DOTALL))
    page.keyboard.press("Escape")
    expect(cards(page).nth(1)).to_be_focused()

    # Other files add entries to the menu of a card.
    page.evaluate(
        "WatchfloorFeed.menu.push((row) => ({words: `Seen: ${row.brand}`, act: () => { window.took = row; }}))"
    )
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Seen: 2").click()
    taken: dict[str, Any] = page.evaluate("window.took")
    assert taken["plain"] == cards(page).nth(1).locator("p").text_content()
    assert taken["mention"].isdigit()
    assert watched.errors == []
