"""The command screen in a real browser: what stands where, what the keys do, what hostile text cannot do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.panels import volume
from dashboard.web import SCREEN
from models.database import Database
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.few import few
from tests.serving import Served, served
from tests.small_store import Said, fill, say

# The brand of each card; how late an answer is stands in a chip within a pill.
BRANDS = """[...document.querySelectorAll('#feed-list .chip:first-child')]
    .filter(chip => !chip.closest('.deskpill')).map(chip => chip.textContent)"""

pytestmark = pytest.mark.browser

# A panel that took long is computed again the later: on a busy machine a change may take seconds.
SLOWLY = 20_000
DRAWN = '#panel-feed[data-drawn="1"]'


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all tests: those that add mentions add them to the first brand, those that count look at another."""
    database = empty_database(tmp_path_factory.mktemp("web"))
    now = datetime.now(UTC)
    fill(database, now=now)
    posts = [
        Said(
            f"My Corvane card is declined, number {n}",
            minutes=2 + n * 6,
            brand_id=2 + n % 3,
            sentiment=(-1, 0, 1, None)[n % 4],
            author=f"author{n}",
            matched=("corvane", "declined"),
        )
        for n in range(120)
    ]
    say(database, [*posts, Said("a rival", brand_id=5, minutes=30)], now=now)
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


_number = itertools.count()


def sign_in(web: Served, context: BrowserContext, **person: Any) -> None:
    name, _, value = web.person(f"person{next(_number)}", **person).cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])


def opened(web: Served, page: Page, search: str = "") -> Page:
    """The screen with its data on it, for somebody signed in."""
    if not page.context.cookies():
        sign_in(web, page.context)
    page.goto(f"{web.address}/{search}")
    page.wait_for_selector(DRAWN)
    return page


def boxes(page: Page) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-panel]')]"
        ".map(p => [p.dataset.panel, p.getBoundingClientRect().toJSON()]))"
    )
    return found


@pytest.mark.parametrize(("width", "height"), few([(1440, 900), (1920, 1080), (1280, 720)], 1))
def test_the_whole_screen_fits_a_desk_without_scrolling_and_without_holes(
    width: int, height: int, web: Served, page: Page, watched: Watched
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    opened(web, page)

    body = page.evaluate(
        "[document.querySelector('.body').scrollHeight <= document.querySelector('.body').clientHeight,"
        " document.documentElement.scrollWidth <= innerWidth]"
    )
    placed = boxes(page)
    assert body == [True, True]
    assert placed["sources"]["bottom"] == pytest.approx(height - 8, abs=1)
    assert placed["kpi"]["height"] == 96
    assert placed["sources"]["height"] == 64
    assert placed["locations"]["left"] - placed["volume"]["right"] == pytest.approx(8, abs=0.5)
    assert placed["feed"]["left"] - placed["locations"]["right"] == pytest.approx(8, abs=0.5)
    assert placed["topics"]["top"] - placed["locations"]["bottom"] == pytest.approx(8, abs=0.5)
    assert placed["sentiment"]["top"] - placed["volume"]["bottom"] == pytest.approx(8, abs=0.5)
    assert placed["feed"]["right"] == pytest.approx(width - 16, abs=0.5)
    assert page.locator("#feed-list article").count() == 50
    assert watched.errors == []
    assert watched.foreign == []


def test_a_phone_shows_everything_under_each_other_and_never_scrolls_sideways(web: Served, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(web, page)

    placed = boxes(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert placed["kpi"]["bottom"] < placed["volume"]["top"] < placed["feed"]["top"] < placed["sources"]["top"]
    small = page.evaluate(
        "[...document.querySelectorAll('.bottom>*,.phone,.m1 .out')].filter(e => e.getBoundingClientRect().width)"
        ".filter(e => e.getBoundingClientRect().height < 44).map(e => e.className)"
    )
    assert small == []

    page.get_by_role("button", name="Scope: all brands").click()
    page.get_by_role("option", name="Halden Bank").click()
    page.get_by_role("button", name="Show").click()

    expect(page).to_have_url(f"{web.address}/?brand=halden")
    expect(page.locator(".phone.sel .v")).to_have_text("Halden Bank")


@pytest.mark.prove
def test_figures_charts_feed_and_sources_say_what_is_stored(web: Served, page: Page) -> None:
    opened(web, page, "?brand=velta")

    expect(page.locator("[data-kpi=mentions] .kv b")).to_have_text("40")
    expect(page.locator("[data-kpi=share_of_voice] .kd")).to_contain_text("no competitors set")
    expect(page.locator("#volume-head h2")).to_have_text("Mentions per 15 min")
    expect(page.locator("#volume-graph .scatterlayer .js-line").first).to_be_attached()
    card = page.locator("#feed-list article").first
    expect(card.locator("p")).to_have_text("My Corvane card is declined, number 2")
    assert card.locator("mark").all_text_contents() == ["Corvane", "declined"]
    expect(page.locator(".src b")).to_have_text("X search")
    expect(page.locator("#live-badge-words")).to_have_text("Live")


def test_a_new_mention_appears_by_itself_and_waits_while_somebody_reads(web: Served, page: Page) -> None:
    opened(web, page)
    say(web.database, [Said("the first of two", minutes=0)], now=datetime.now(UTC))
    expect(page.locator("#feed-list article p").first).to_have_text("the first of two", timeout=SLOWLY)

    page.locator("#feed-list").hover()
    say(web.database, [Said("the second of two", minutes=0)], now=datetime.now(UTC))

    expect(page.locator("#feed-head .above")).to_have_text("1 new above", timeout=SLOWLY)
    expect(page.locator("#feed-list article p").first).to_have_text("the first of two")
    page.locator("#feed-head .above").click()
    expect(page.locator("#feed-list article p").first).to_have_text("the second of two")
    assert page.locator("#feed-list article").count() == 50


def test_hostile_text_of_a_post_is_shown_and_not_run(web: Served, page: Page, watched: Watched) -> None:
    now = datetime.now(UTC)
    hostile = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> \u202eevil'
    say(
        web.database,
        [Said(hostile, minutes=0, author="<b>bold</b>", url="javascript:window.hit=1", media=(("image", hostile),))],
        now=now,
    )
    opened(web, page)

    card = page.locator("#feed-list article").first
    expect(card.locator("p")).to_have_text(hostile)
    assert card.locator("img, script, a").count() == 0
    assert page.evaluate("window.hit") is None
    assert watched.errors == []


@pytest.mark.prove
def test_a_link_to_the_original_tells_the_network_nothing_about_us(web: Served, page: Page) -> None:
    link = opened(web, page).locator("#feed-list article a").first

    assert link.get_attribute("rel") == "noopener noreferrer"
    assert link.get_attribute("referrerpolicy") == "no-referrer"
    assert link.get_attribute("href") == "https://example.org/1"


@pytest.mark.prove
def test_every_control_writes_the_address_and_back_works(web: Served, page: Page) -> None:
    opened(web, page)

    page.locator("#scope-bar [data-kind=location]").click()
    page.keyboard.type("nai")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{web.address}/?location=nairobi")
    page.get_by_role("radio", name="7d").click()
    expect(page).to_have_url(f"{web.address}/?location=nairobi&window=7d")
    page.keyboard.press("/")
    page.keyboard.type("declined")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{web.address}/?location=nairobi&window=7d&q=declined")
    expect(page.locator("#volume-head .sub")).to_contain_text("all brands, Nairobi, “declined”, last 7 days")

    page.go_back()
    expect(page).to_have_url(f"{web.address}/?location=nairobi&window=7d")
    expect(page.locator("#search-text")).to_have_value("")
    page.go_back()
    expect(page.locator("#volume-head .sub")).to_contain_text("all brands, Nairobi, last 24 h")


@pytest.mark.prove
def test_a_link_reproduces_the_screen(web: Served, page: Page) -> None:
    opened(web, page, "?brand=halden&window=7d&q=declined")

    expect(page.locator("[data-kind=brand] .v")).to_have_text("Halden Bank")
    expect(page.get_by_role("radio", name="7d")).to_be_checked()
    expect(page.locator("#search-text")).to_have_value("declined")
    assert set(page.evaluate(BRANDS)) == {"Halden Bank"}


@pytest.mark.prove
def test_choosing_a_region_takes_all_below_it_and_choosing_below_narrows(web: Served, page: Page) -> None:
    opened(web, page)
    page.locator("#scope-bar [data-kind=location]").click()

    page.get_by_role("option", name="Emea").click()
    expect(page.get_by_role("option", name="Nairobi")).to_have_attribute("aria-selected", "true")
    page.get_by_role("option", name="Nairobi").click()

    expect(page).to_have_url(f"{web.address}/?location=nairobi")
    expect(page.get_by_role("option", name="Emea")).to_have_attribute("aria-selected", "false")


@pytest.mark.prove
def test_the_keys_do_what_the_list_says_and_are_off_while_somebody_types(web: Served, page: Page) -> None:
    opened(web, page)

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("4")
    expect(page).to_have_url(f"{web.address}/?window=7d")
    # A pause ends where another view begins, so the new one must stand first.
    expect(page.locator("#volume-head h2")).to_have_text("Mentions per hour", timeout=SLOWLY)
    page.keyboard.press("p")
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "paused")
    page.keyboard.press("P")
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "live")
    page.keyboard.press("/")
    page.keyboard.type("p2?")
    expect(page.locator("#search-text")).to_have_value("p2?")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page).to_have_url(f"{web.address}/?window=7d")
    page.keyboard.press("Escape")
    expect(page.locator("#search-text")).to_have_value("")


@pytest.mark.prove
def test_paused_keeps_what_stands_and_counts_what_waits(web: Served, page: Page) -> None:
    opened(web, page)
    page.keyboard.press("p")

    say(web.database, [Said("while paused", minutes=0)], now=datetime.now(UTC))

    expect(page.locator("#live-badge-detail")).to_have_text("1 new", timeout=SLOWLY)
    assert page.locator("#feed-list article p").first.text_content() != "while paused"
    page.keyboard.press("p")
    expect(page.locator("#feed-list article p").first).to_have_text("while paused", timeout=SLOWLY)


@pytest.mark.prove
def test_the_theme_follows_the_system_until_somebody_chooses_and_then_stays(web: Served, browser: Browser) -> None:
    context = browser.new_context(color_scheme="light")
    page = opened(web, context.new_page())
    assert page.evaluate("document.documentElement.dataset.theme") == "light"

    page.get_by_role("button", name="Switch between dark and light").click()
    page.reload()
    page.wait_for_selector(DRAWN)

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"
    lines = page.locator("#volume-graph .scatterlayer .js-line")
    assert "rgb(220, 227, 236)" in lines.evaluate_all("all => all.map(e => getComputedStyle(e).stroke)")
    context.close()


@pytest.mark.prove
def test_a_panel_that_fails_says_so_alone_and_can_be_tried_again(
    web: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = boxes(opened(web, page, "?brand=velta"))

    def broken(*_: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(volume, "cube", SimpleNamespace(series=broken))
    page.keyboard.press("5")
    page.wait_for_selector("#volume-state.error")

    state = page.locator("#volume-state")
    expect(state.locator("b")).to_have_text("This chart could not load")
    expect(state).to_contain_text("Ref ")
    expect(page.locator("#panel-feed")).to_have_attribute("data-state", "live")
    assert boxes(page) == before
    monkeypatch.undo()
    state.get_by_role("button", name="Try again").click()
    expect(page.locator("#volume-state.error")).to_have_count(0)
    expect(page.locator("#volume-head h2")).to_have_text("Mentions per 6 h")


@pytest.mark.prove
def test_an_empty_scope_keeps_the_sizes_and_offers_the_ways_out(web: Served, page: Page) -> None:
    before = boxes(opened(web, page))
    page.goto(f"{web.address}/?q=zebra&window=15m")
    page.wait_for_selector("#feed-state.empty")

    assert boxes(page) == before
    expect(page.locator("#feed-state b")).to_have_text("No mentions match this scope")
    page.locator("#feed-state").get_by_role("button", name="Widen to 1 h").click()
    expect(page).to_have_url(f"{web.address}/?window=1h&q=zebra")
    page.locator("#feed-state").get_by_role("button", name="Clear filters").click()
    expect(page).to_have_url(f"{web.address}/?window=1h")


@pytest.mark.prove
def test_a_wrong_link_is_a_message_that_leads_back(web: Served, page: Page, watched: Watched) -> None:
    sign_in(web, page.context)
    page.goto(f"{web.address}/?window=2h")

    expect(page.get_by_role("alert")).to_contain_text("“2h” is none of 15m, 1h, 24h, 7d, 30d")
    page.get_by_role("link", name="Clear filters").click()

    page.wait_for_selector(DRAWN)
    expect(page).to_have_url(f"{web.address}/")
    assert watched.errors == []


@pytest.mark.prove
def test_the_past_is_not_live(web: Served, page: Page) -> None:
    at = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%MZ")
    opened(web, page, f"?at={at}")

    expect(page.locator(".notice.plain")).to_contain_text("as known now")
    expect(page.locator("#live-badge")).to_be_hidden()
    expect(page.locator(".badge.not-live")).to_be_visible()
    page.get_by_role("link", name="Back to live").click()
    expect(page.locator("#live-badge-words")).to_have_text("Live")


@pytest.mark.prove
def test_somebody_with_one_brand_is_offered_and_shown_that_brand_alone(web: Served, page: Page) -> None:
    sign_in(web, page.context, role="viewer", brand_ids=[3])
    opened(web, page)
    page.locator("#scope-bar [data-kind=brand]").click()

    assert page.get_by_role("option").all_text_contents() == ["Halden Bank"]
    assert set(page.evaluate(BRANDS)) == {"Halden Bank"}


@pytest.mark.prove
def test_everything_that_can_be_used_has_a_name_and_the_graphs_say_their_last_value(web: Served, page: Page) -> None:
    opened(web, page)

    nameless = page.evaluate(
        "[...document.querySelectorAll('button,a,input,[role=listbox],[role=feed]')].filter(e => !e.hidden)"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.title))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert nameless == []
    assert "in the last whole step" in (page.locator("[data-graph=volume]").get_attribute("aria-label") or "")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
