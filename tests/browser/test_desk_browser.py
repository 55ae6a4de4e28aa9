"""What a person has at hand on every page, as they use it: views, dates, Ctrl K, keys, shift log, since you looked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from dashboard.web import SCREEN
from models import organisation as organisations
from models import preferences, shift_log
from models.access import Access
from models.database import Database
from models.tables import person
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser

RUBEN = Access(901, "ruben@meridian.example", "Ruben Aksoy", frozenset({"admin"}))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = empty_database(tmp_path_factory.mktemp("web"))
    now = datetime.now(UTC)
    fill(database, now=now)
    say(database, [Said(f"number {n}", minutes=2 + n * 6, brand_id=2 + n % 3) for n in range(40)], now=now)
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


_number = itertools.count()


def opened(web: Served, context: BrowserContext, page: Page, search: str = "", *, away: timedelta | None = None) -> str:
    """The screen with its data on it, for somebody new; their name."""
    name = f"desk{next(_number)}"
    key, _, value = web.person(name).cookie.partition("=")
    context.add_cookies([{"name": key, "value": value, "url": web.address}])
    if away is not None:
        now = datetime.now(UTC)
        with web.database.write() as connection:
            number = connection.execute(
                select(person.c.id).where(person.c.email == f"{name}@meridian.example")
            ).scalar_one()
            preferences.put(connection, number, "seen", (now - away).isoformat(), now=now)
    page.goto(f"{web.address}/{search}")
    page.wait_for_selector('#panel-feed[data-drawn="1"]')
    return name


@pytest.mark.prove
def test_a_view_is_saved_opened_updated_and_deleted(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    opened(web, context, page, "?brand=velta&window=7d")
    views = page.locator("#scope-bar .views")

    views.click()
    page.get_by_role("menuitem", name="Save this view as…").click()
    expect(page.get_by_label("Name")).to_have_value("Velta, 7d")
    page.get_by_label("Name").fill("Morning watch")
    page.keyboard.press("Enter")
    expect(views.locator(".v")).to_have_text("Morning watch")

    page.keyboard.press("3")
    expect(page).to_have_url(f"{web.address}/?brand=velta")
    expect(views.locator(".v")).to_have_text("Morning watch, changed")
    views.click()
    page.get_by_role("menuitem", name="Update “Morning watch”").click()
    expect(views.locator(".v")).to_have_text("Morning watch")
    views.click()
    page.get_by_role("menuitem", name="Make it my start page").click()
    expect(page.locator("#logo")).to_have_attribute("href", "/?brand=velta")

    page.goto(f"{web.address}/?brand=halden")
    expect(views.locator(".v")).to_have_text("Morning watch, changed")
    page.locator("#logo").click()
    expect(page).to_have_url(f"{web.address}/?brand=velta")
    page.go_back()
    expect(page).to_have_url(f"{web.address}/?brand=halden")
    # A menu that is opened before the page has followed is closed again by it.
    expect(views.locator(".v")).to_have_text("Morning watch, changed")

    views.click()
    page.get_by_role("menuitem", name="Delete “Morning watch”").click()
    expect(page.locator("#logo")).to_have_attribute("href", "/")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#logo")).to_have_attribute("href", "/?brand=velta")
    assert watched.errors == []


@pytest.mark.prove
def test_dates_are_chosen_on_the_clock_of_the_organisation_and_stand_in_the_address(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    opened(web, context, page)
    dates = page.locator("#scope-bar .dates")

    dates.click()
    page.get_by_label("From", exact=True).fill("2026-02-16T06:00")
    page.get_by_label("To", exact=True).fill("2026-02-16T05:00")
    page.get_by_role("button", name="Use these dates").click()
    expect(page.locator(".date-fault")).to_have_text("It ends before it begins.")
    page.get_by_label("To", exact=True).fill("2026-02-17T12:30")
    page.get_by_role("button", name="Use these dates").click()
    expect(page).to_have_url(f"{web.address}/?window=2026-02-16T06:00..2026-02-17T12:30")
    expect(dates.locator(".v")).to_contain_text("16 Feb 06:00 – 17 Feb")
    expect(page.locator(".notice.plain")).to_contain_text("16 Feb 2026 06:00 to 17 Feb 2026 12:30, as known now")

    page.go_back()
    expect(page).to_have_url(f"{web.address}/")
    expect(dates.locator(".v")).to_have_text("")
    dates.click()
    page.get_by_role("button", name="Yesterday").click()
    expect(page).to_have_url(re.compile(r"\?window=(\d{4}-\d\d-\d\d)\.\.\1$"))
    assert watched.errors == []


@pytest.mark.prove
def test_ctrl_k_finds_by_words_opens_narrows_and_gives_the_focus_back(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    opened(web, context, page)
    page.locator('[data-kind="brand"]').focus()

    page.keyboard.press("Control+k")
    page.keyboard.type("ban hal")
    best = page.locator(".palette-row.at")
    expect(best.locator(".words")).to_have_text("Halden Bank")
    assert best.locator("mark").all_text_contents() == ["Hal", "Ban"]
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.kind") == "brand"

    page.keyboard.press("Control+k")
    page.keyboard.type("halden")
    page.keyboard.press("Shift+Enter")
    expect(page).to_have_url(f"{web.address}/?brand=halden")

    page.keyboard.press("Control+k")
    page.keyboard.type("> 7 days")
    expect(page.locator(".palette-row.at kbd")).to_have_text("4")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{web.address}/?brand=halden&window=7d")

    page.keyboard.press("Control+k")
    page.keyboard.type("card declined")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"brand=halden&window=7d&q=card%20declined$"))
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.prove
def test_single_keys_do_what_the_list_says_and_can_be_turned_off(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    opened(web, context, page)

    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys.get_by_text("Go to")).to_be_visible()
    keys.get_by_label("Find a key").fill("shift")
    expect(keys.locator(".key-row:visible")).to_have_count(2)
    page.keyboard.press("Escape")

    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(f"{web.address}/audience")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(f"{web.address}/")

    page.keyboard.press("?")
    keys.get_by_role("switch").click()
    expect(keys.get_by_text("Single keys off")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    page.keyboard.press("l")
    page.reload()
    page.wait_for_selector('#panel-feed[data-drawn="1"]')
    page.keyboard.press("4")
    page.keyboard.press("Control+k")
    expect(page.locator(".palette")).to_be_visible()
    expect(page).to_have_url(f"{web.address}/")
    expect(page.locator(".side-drawer")).to_have_count(0)
    assert watched.errors == []


@pytest.mark.prove
def test_who_was_away_is_told_once_takes_over_and_writes_a_line(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    now = datetime.now(UTC)
    with web.database.write() as connection:
        there = organisations.current(connection, now)
        shift_log.add(connection, RUBEN, there, "Berlin has no statement yet.", now=now - timedelta(minutes=50))
    name = opened(web, context, page, away=timedelta(hours=2))

    dialog = page.locator("dialog.since")
    expect(dialog.locator("h2")).to_contain_text("Since you looked")
    expect(dialog.locator(".since-about")).to_have_text("2 h 0 min, all brands")
    expect(dialog.locator(".log-line")).to_contain_text("Ruben Aksoy Berlin has no statement yet.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toast")).to_contain_text("You took over; 1 line signed.")
    expect(dialog).to_have_count(0)

    page.keyboard.press("n")
    page.keyboard.type("All quiet on <b>Velta</b>.")
    page.keyboard.press("Control+Enter")
    lines = page.locator(".side-drawer .log-line")
    expect(lines.first).to_contain_text("All quiet on <b>Velta</b>.")
    expect(lines.last).to_contain_text(f"{name.title()}, ")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".side-drawer")).to_have_count(0)

    page.reload()
    page.wait_for_selector('#panel-feed[data-drawn="1"]')
    page.wait_for_timeout(500)
    expect(dialog).to_have_count(0)
    assert watched.errors == []


@pytest.mark.prove
def test_a_phone_has_all_of_it_on_whole_sheets(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(web, context, page)

    page.get_by_role("button", name="You").last.click()
    page.get_by_role("button", name="Shift log").last.click()
    box = page.locator(".side-drawer").bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["height"]) == (0, 390, 844)
    page.locator(".side-drawer .close").click()

    page.locator(".bottom").get_by_role("button", name="More").click()
    page.keyboard.type("velta")
    page.locator(".palette-row").first.click()
    expect(page).to_have_url(re.compile(r"/brand/velta|\?brand=velta"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert watched.errors == []
