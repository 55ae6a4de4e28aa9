"""The page of the sources in a real browser: the table, the drawer, the keys, the forms and what comes of a check."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select, text

from dashboard.web import SCREEN
from models import source_checks, sources
from models.database import Database
from models.secrets import unseal
from models.settings import Settings
from models.sources import CONDITIONS
from models.tables import source
from tests import small_store, sources_store
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.serving import Served, served

pytestmark = pytest.mark.browser

SLOWLY = 20_000
HALDEN, STREAM, PRESS = 1, 5, 11


LASTING = "Halden Bank, recent search"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def database(home: Path) -> Iterator[Database]:
    database = empty_database(home)
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    with database.write() as connection:
        connection.execute(text("delete from coverage"))
        connection.execute(text("delete from source"))
    # Asked so rarely that it is still live when the last of these tests has run.
    made = [replace(item, every=3_600) if item.name == LASTING else item for item in sources_store.every_state(now)]
    sources_store.fill(database, Settings(home=home), now=now, made=tuple(made))
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, home: Path) -> Iterator[Served]:
    with served(database, home, SCREEN) as running:
        yield running


_number = itertools.count()


def sign_in(web: Served, context: BrowserContext, **person: Any) -> None:
    name, _, value = web.person(f"person{next(_number)}", **person).cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])


def opened(web: Served, page: Page, after: str = "") -> Page:
    """The page with its rows on it, for an administrator."""
    if not page.context.cookies():
        sign_in(web, page.context)
    page.goto(f"{web.address}/admin/sources{after}")
    expect(row(page, HALDEN)).to_be_visible(timeout=SLOWLY)
    return page


def row(page: Page, number: int) -> Any:
    return page.locator(f'.srow[data-id="{number}"]')


def source_of(database: Database, number: int) -> Any:
    with database.read() as connection:
        return connection.execute(select(source).where(source.c.id == number)).one()


def answered(database: Database, *, works: bool, words: str) -> source_checks.Check:
    """What an ingest worker does with the check that waits."""
    now = datetime.now(UTC)
    with database.write() as connection:
        check = source_checks.take(connection, now)
        assert check is not None
        if works:
            source_checks.accept(connection, check, words, now)
        else:
            source_checks.refuse(connection, check, words, now)
    return check


@pytest.mark.prove
def test_every_source_is_on_the_page_with_its_state(web: Served, page: Page, watched: Watched) -> None:
    opened(web, page)

    shown = page.locator(".srow").evaluate_all("rows => rows.map((row) => row.dataset.condition)")
    # Chosen by itself: what was read to its end.
    assert set(shown) >= set(CONDITIONS) - {"done", "live", "slow"}
    expect(row(page, 4).locator(".chip")).to_have_text("✕ Disconnected")
    expect(row(page, 16)).to_contain_text("Paused by Hedda Brandt")
    expect(page.locator(".srow svg")).to_have_count(17)
    assert (watched.errors, watched.foreign) == ([], [])


@pytest.mark.prove
def test_viewers_see_neither_the_page_nor_the_way_to_it(web: Served, page: Page) -> None:
    sign_in(web, page.context, role="viewer")
    page.goto(web.address)
    expect(page.locator("#panel-feed")).to_be_visible()
    expect(page.locator('.rail a[href="/admin/sources"]')).to_be_hidden()

    page.goto(f"{web.address}/admin/sources")
    expect(page.locator("body")).to_contain_text("right “admin”")


@pytest.mark.prove
def test_administrators_find_the_page_in_the_rail(web: Served, page: Page) -> None:
    sign_in(web, page.context)
    page.goto(web.address)
    page.locator('.rail a[href="/admin/sources"]').click()
    expect(row(page, HALDEN)).to_be_visible(timeout=SLOWLY)
    expect(page.locator("#admin-tabs a.on")).to_have_text("Sources")
    expect(page.locator('#scope-bar [data-kind="brand"]')).to_be_hidden()

    page.locator('.rail a.ri[href="/"]').click()
    expect(page.locator('#scope-bar [data-kind="brand"]')).to_be_visible()
    expect(page.locator("#bar-own")).to_be_empty()


@pytest.mark.prove
def test_keys_walk_through_the_sources_and_open_one(web: Served, page: Page) -> None:
    opened(web, page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row(page, 2)).to_have_class("srow on")
    page.keyboard.press("Enter")
    expect(page.locator("#source-drawer h2")).to_have_text("Corvane, recent search")
    assert page.url.endswith("#source-2")

    page.keyboard.press("k")
    expect(page.locator("#source-drawer h2")).to_have_text("Halden Bank, recent search")
    expect(page.locator("#source-drawer")).to_contain_text("1 h poll +")
    expect(page.locator("#source-drawer .ft tbody tr")).to_have_count(10)

    page.keyboard.press("Escape")
    expect(page.locator("#source-drawer")).to_be_hidden()
    assert "#" not in page.url


@pytest.mark.prove
def test_a_link_to_a_source_opens_it(web: Served, page: Page) -> None:
    opened(web, page, "#source-4")
    expect(page.locator("#source-drawer")).to_contain_text("the token was revoked (401)", ignore_case=True)


@pytest.mark.prove
def test_filters_and_the_search_narrow_the_table(web: Served, page: Page) -> None:
    opened(web, page)
    page.locator(".fchips .chip", has_text="Needs you").click()
    expect(row(page, HALDEN)).to_be_hidden()
    expect(row(page, 4)).to_be_visible()
    page.locator(".fchips .chip", has_text="All").click()

    page.keyboard.press("/")
    page.keyboard.type("press")
    expect(page.locator(".srow")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".srow")).to_have_count(17)


@pytest.mark.prove
def test_a_source_is_paused_with_a_reason_and_started_again(web: Served, database: Database, page: Page) -> None:
    opened(web, page, f"#source-{STREAM}")
    page.keyboard.press("p")
    expect(page.locator("#source-why")).to_be_focused()
    page.keyboard.type("the supplier is down")
    page.keyboard.press("Enter")
    expect(row(page, STREAM)).to_contain_text("the supplier is down", timeout=SLOWLY)
    assert source_of(database, STREAM).state == "paused"

    row(page, STREAM).get_by_role("button", name="Start again").click()
    expect(row(page, STREAM)).not_to_contain_text("the supplier is down", timeout=SLOWLY)
    assert source_of(database, STREAM).state == "active"


@pytest.mark.prove
def test_fetch_now_makes_a_source_due(web: Served, database: Database, page: Page) -> None:
    before = source_of(database, PRESS).due_at
    opened(web, page, f"#source-{PRESS}")
    page.keyboard.press("f")
    expect(page.locator("#source-toast")).to_have_text("Press NL and DE is fetched now.")
    assert source_of(database, PRESS).due_at < before


def test_a_feed_is_added_when_it_works_and_not_before(web: Served, database: Database, page: Page) -> None:
    opened(web, page)
    page.locator("#source-add").click()
    page.locator(".kcard", has_text="Feed").click()
    page.get_by_label("Name").fill("Harbour news")
    page.get_by_role("button", name="Check and add").click()
    expect(page.locator("#source-field-url-fault")).to_have_text("Is needed")

    page.get_by_label("Address").fill("https://harbour.example.org/feed.xml")
    page.get_by_role("button", name="Check and add").click()
    expect(page.locator(".fstat")).to_contain_text("an ingest worker tries it now")
    answered(database, works=False, words="harbour.example.org is not there; look for its new address")
    expect(page.locator(".fstat")).to_contain_text("look for its new address", timeout=SLOWLY)
    with database.read() as connection:
        assert "Harbour news" not in connection.execute(select(source.c.name)).scalars().all()

    page.get_by_role("button", name="Check and add").click()
    expect(page.locator(".fstat")).to_contain_text("an ingest worker tries it now")
    answered(database, works=True, words="12 entries, the newest of today")
    expect(page.locator("#source-toast")).to_contain_text("12 entries", timeout=SLOWLY)
    expect(page.locator("#source-drawer h2")).to_have_text("Harbour news")


@pytest.mark.prove
def test_secrets_go_out_once_and_never_come_back(
    web: Served, database: Database, home: Path, page: Page, watched: Watched
) -> None:
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    page.on("response", lambda answer: heard.append(answer.text()) if "_dash-update" in answer.url else None)
    opened(web, page, f"#source-{HALDEN}")
    page.keyboard.press("e")
    token = page.get_by_label("Bearer token of the app")
    expect(token).to_have_value("")
    expect(token).to_have_attribute("type", "password")
    token.fill("DDDDthatOnlyTheServerReads")
    page.get_by_label("Seconds between two fetches").fill("20")
    page.get_by_role("button", name="Check and save").click()
    expect(page.locator(".fstat")).to_contain_text("an ingest worker tries it now")
    answered(database, works=True, words="reads as app “listen”")
    expect(page.locator("#source-toast")).to_contain_text("reads as app", timeout=SLOWLY)

    saved = source_of(database, HALDEN)
    assert saved.every_seconds == 20.0
    assert unseal(Settings(home=home), saved.secrets) == {"bearer_token": "DDDDthatOnlyTheServerReads"}
    assert "DDDDthatOnlyTheServerReads" not in page.content()
    assert not page.evaluate("JSON.stringify(dash_component_api.getLayout('source-form-asked')).includes('DDDD')")
    assert heard
    assert not any("DDDDthatOnlyTheServerReads" in one or sources_store.BEARER in one for one in heard)
    assert watched.errors == []


@pytest.mark.prove
def test_a_check_that_no_worker_takes_says_that_ingest_is_not_running(web: Served, page: Page) -> None:
    page.clock.install()
    opened(web, page)
    page.locator("#source-add").click()
    page.locator(".kcard", has_text="Feed").click()
    page.get_by_label("Name").fill("Nobody listens")
    page.get_by_label("Address").fill("https://nobody.example.org/feed.xml")
    page.get_by_role("button", name="Check and add").click()
    expect(page.locator(".fstat")).to_contain_text("an ingest worker tries it now")
    page.clock.fast_forward(16_000)
    expect(page.locator(".fstat")).to_contain_text("Is “watchfloor ingest” running?")


@pytest.mark.prove
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (390, 844)])
def test_the_page_fits_every_screen_in_both_themes(
    web: Served, page: Page, watched: Watched, width: int, height: int, theme: Any
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    opened(web, page)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row(page, HALDEN).locator(".nm").click()
    expect(page.locator("#source-drawer h2")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.locator(".drawer .btn:visible, .kc .kl").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert cut == 0
    assert (watched.errors, watched.foreign) == ([], [])


@pytest.mark.prove
def test_the_page_follows_what_happens_without_being_asked(web: Served, database: Database, page: Page) -> None:
    opened(web, page)
    with database.write() as connection:
        sources.pause(connection, "Press world", by="Ana Novak", at=datetime.now(UTC), because="moved")
    expect(row(page, 12)).to_contain_text("Paused by Ana Novak", timeout=SLOWLY)
    with database.write() as connection:
        sources.resume(connection, "Press world", now=datetime.now(UTC))
    expect(row(page, 12)).not_to_contain_text("Paused by Ana Novak", timeout=SLOWLY)
