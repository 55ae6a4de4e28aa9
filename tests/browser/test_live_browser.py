"""assets/live.js and themes.js in a real browser: always the current state, and it comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard import rights
from dashboard.rights import _route
from dashboard.views import VIEWS
from dashboard.web import SCREEN
from models import identity
from models.database import Database
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.live_screen import Screen, fill, mention_comes
from tests.serving import Person, Served, served, shown

pytestmark = pytest.mark.browser


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    fill(database)
    yield database
    database.close()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def web(database: Database, tmp_path: Path, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(rights, "CALLBACKS", {})
    monkeypatch.setattr(rights, "ROUTES", (*rights.ROUTES, _route(r"/wall", rights.READ, "viewer")))
    with served(database, tmp_path, shown(screen)) as running:
        yield running


def sign_in(web: Served, context: BrowserContext) -> Person:
    """The browser of somebody who has signed in."""
    person = web.person()
    name, _, value = person.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    return person


def words(page: Page, text: str) -> None:
    expect(page.locator("#count-words")).to_have_text(text)


def test_a_commit_appears_without_a_reload_and_nothing_else_is_loaded(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    sign_in(web, context)
    # The first request that this server ever gets is a deep link.
    page.goto(f"{web.address}/audience?brand=corvane")
    words(page, "0 for Corvane")
    mention_comes(web.database, 2)
    words(page, "1 for Corvane")
    assert page.evaluate("window.Plotly.version") == "4.1.1"
    assert page.evaluate("LIVE.stats.errors") == 0
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('plotly.min')).length") == 0
    )
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.prove
def test_the_command_screen_loads_without_an_error_and_every_panel_comes_alive(
    database: Database, tmp_path: Path, context: BrowserContext, page: Page, watched: Watched
) -> None:
    with served(database, tmp_path, SCREEN) as web:
        sign_in(web, context)
        page.goto(f"{web.address}/?brand=corvane&window=7d")
        panels = page.locator('[id^="panel-"]')
        # The shift log has a pulse and no box.
        boxed = [panel for panel in VIEWS[0].panels if panel.key != "log"]
        expect(panels).to_have_count(len(boxed))
        for panel in boxed:
            expect(page.locator(f"#panel-{panel.key}")).to_have_attribute("data-state", "live")
        assert page.evaluate("LIVE.stats.errors") == 0
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.prove
def test_another_address_shows_its_own_state_and_never_a_frame_of_the_old_one(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    sign_in(web, context)
    page.goto(f"{web.address}/?brand=corvane")
    words(page, "0 for Corvane")
    page.evaluate("() => { LIVE.sub('/', '?brand=velta'); }")
    words(page, "0 for Velta")
    for _ in range(3):
        mention_comes(web.database, 2)
    mention_comes(web.database, 4)
    words(page, "1 for Velta")
    page.click("#other")
    words(page, "4 for Corvane, Halden, Velta")
    assert watched.errors == []


@pytest.mark.prove
def test_an_address_that_cannot_be_shown_is_explained(web: Served, context: BrowserContext, page: Page) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    page.evaluate(
        """() => { window.addEventListener('live:refused', event => { sessionStorage.reason = event.detail.reason; });
             LIVE.sub('/', '?window=fortnight'); }"""
    )
    reason = page.wait_for_function("sessionStorage.reason").json_value()
    assert "fortnight" in reason
    # The shell then has the server explain the address; the page stands again before the tab is closed.
    words(page, "0 for Corvane, Halden, Velta")


def test_the_screen_comes_back_by_itself_after_the_server_was_away(
    database: Database,
    tmp_path: Path,
    screen: Screen,
    context: BrowserContext,
    page: Page,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights, "CALLBACKS", {})
    with ExitStack() as first:
        web = first.enter_context(served(database, tmp_path, shown(screen)))
        sign_in(web, context)
        page.goto(web.address)
        words(page, "0 for Corvane, Halden, Velta")
        page.evaluate("window.notReloaded = true")
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "reconnecting")
    assert "Reconnecting, try" in (page.locator("#live-badge-words").text_content() or "")
    mention_comes(database, 3)
    with served(database, tmp_path, shown(Screen()), port=web.port):
        words(page, "1 for Corvane, Halden, Velta")
        mention_comes(database, 3)
        words(page, "2 for Corvane, Halden, Velta")
        assert page.evaluate("window.notReloaded") is True
    assert watched.errors == []


@pytest.mark.prove
def test_where_sockets_do_not_get_through_the_same_state_comes_by_polling(
    web: Served, context: BrowserContext, page: Page, watched: Watched
) -> None:
    sign_in(web, context)
    page.add_init_script(
        """window.WebSocket = class { constructor() { setTimeout(() => this.onclose({ code: 1006 }), 5); }
             send() {} close() {} get readyState() { return 3; } };"""
    )
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    mention_comes(web.database, 2)
    words(page, "1 for Corvane, Halden, Velta")
    assert page.evaluate("LIVE.status().link") == "polling"
    assert page.evaluate("LIVE.stats.connects") == 0
    assert watched.errors == []


@pytest.mark.prove
def test_pause_freezes_the_screen_and_counts_what_waits(web: Served, context: BrowserContext, page: Page) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    page.evaluate("() => { LIVE.counts['count-drawn'] = (newest, shown) => newest.n - shown.n; }")
    page.evaluate(
        """() => { LIVE.custom['count-drawn'] = props => {
             document.getElementById('count-drawn').textContent = props.n; return true; }; LIVE.sub('/', ''); }"""
    )
    expect(page.locator("#count-drawn")).to_have_text("0")
    page.evaluate("LIVE.pause()")
    mention_comes(web.database, 2)
    mention_comes(web.database, 3)
    expect(page.locator("#live-badge-detail")).to_have_text("2 new")
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "paused")
    words(page, "0 for Corvane, Halden, Velta")
    page.evaluate("LIVE.resume()")
    words(page, "2 for Corvane, Halden, Velta")
    expect(page.locator("#count-drawn")).to_have_text("2")


@pytest.mark.prove
def test_colours_of_figures_follow_the_theme_without_asking_the_server(
    web: Served, context: BrowserContext, page: Page, screen: Screen
) -> None:
    sign_in(web, context)
    page.emulate_media(color_scheme="dark")
    page.goto(web.address)
    line = page.locator("#count-graph path.js-line")
    expect(line).to_have_css("stroke", "rgb(98, 173, 247)")
    asked = len(screen.questions)
    page.evaluate("() => { document.documentElement.dataset.theme = 'light'; "
                  "document.documentElement.dataset.mantineColorScheme = 'light'; LIVE.reapply(); }")  # fmt: skip
    expect(line).to_have_css("stroke", "rgb(21, 99, 176)")
    assert len(screen.questions) == asked


@pytest.mark.prove
def test_a_panel_that_fails_says_so_alone_and_try_again_brings_it_back(
    web: Served, context: BrowserContext, page: Page, screen: Screen
) -> None:
    sign_in(web, context)
    screen.failing.add("count")
    page.add_init_script(
        "window.told = []; window.addEventListener('live:panel', event => window.told.push(event.detail));"
    )
    page.goto(web.address)
    expect(page.locator("#panel-count")).to_have_attribute("data-state", "error")
    expect(page.locator("#panel-sources")).to_have_attribute("data-state", "live")
    [error] = [told["error"] for told in page.evaluate("window.told") if told["panel"] == "count"]
    assert "tried again" in error["reason"]
    assert len(error["reference"]) == 8
    screen.failing.clear()
    page.evaluate("LIVE.retry('count')")
    expect(page.locator("#panel-count")).to_have_attribute("data-state", "live")
    words(page, "0 for Corvane, Halden, Velta")


@pytest.mark.prove
def test_who_is_signed_out_elsewhere_stands_before_the_sign_in_page(
    web: Served, context: BrowserContext, page: Page
) -> None:
    person = sign_in(web, context)
    page.goto(f"{web.address}/?brand=corvane")
    words(page, "0 for Corvane")
    with web.database.write() as connection:
        identity.sign_out(connection, person.session_hash, datetime.now(UTC))
    page.wait_for_url("**/signin?next=**", timeout=6_000)


@pytest.mark.prove
def test_a_tab_that_comes_back_after_its_session_ended_goes_to_the_sign_in_page(
    web: Served, context: BrowserContext, page: Page
) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    # The link breaks a moment after the cookie is gone; whatever asks first then leads to the sign-in page.
    page.evaluate("() => { setTimeout(() => LIVE.link().close(), 500); }")
    context.clear_cookies()
    page.wait_for_url("**/signin?next=**", timeout=6_000)


@pytest.mark.prove
def test_a_hidden_tab_draws_the_newest_state_when_it_is_looked_at_again(
    web: Served, context: BrowserContext, page: Page
) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    page.evaluate(
        """() => { window.isAway = true;
             Object.defineProperty(document, 'hidden', { get: () => window.isAway, configurable: true }); }"""
    )
    before = page.evaluate("LIVE.stats.frames")
    mention_comes(web.database, 2)
    page.wait_for_function("before => LIVE.stats.frames > before", arg=before)
    words(page, "0 for Corvane, Halden, Velta")
    page.evaluate("() => { window.isAway = false; document.dispatchEvent(new Event('visibilitychange')); }")
    words(page, "1 for Corvane, Halden, Velta")


@pytest.mark.prove
def test_ages_are_told_by_the_clock_of_the_server(web: Served, context: BrowserContext, page: Page) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    since = (datetime.now(UTC) - timedelta(minutes=3, seconds=20)).isoformat()
    page.evaluate("since => { const e = document.createElement('i'); e.id = 'age'; e.dataset.since = since; "
                  "document.body.appendChild(e); }", since)  # fmt: skip
    expect(page.locator("#age")).to_have_text("3 min")


@pytest.mark.prove
def test_what_is_never_an_input_does_not_pile_up_in_the_browser(
    web: Served, context: BrowserContext, page: Page
) -> None:
    sign_in(web, context)
    page.goto(web.address)
    words(page, "0 for Corvane, Halden, Velta")
    # Dash keeps every value of a prop that is an Input in its history, for ever.
    kept = page.evaluate("window.dash_stores[0].getState().history.past.length")
    for n in (1, 2, 3):
        mention_comes(web.database, 2)
        words(page, f"{n} for Corvane, Halden, Velta")
    assert page.evaluate("window.dash_stores[0].getState().history.past.length") == kept
