"""Every page with nothing but naughty strings in it, opened by every role: no script of theirs runs, none gets lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page
from playwright.sync_api import TimeoutError as TooLate
from sqlalchemy import select, update

from dashboard.views import VIEWS
from dashboard.views.view import View
from dashboard.web import SCREEN
from models.access import ROLES
from models.tables import mention, person
from tests.browser.conftest import Watched
from tests.browser.test_accessibility_browser import DRAWN, GO
from tests.empty import empty_database
from tests.hostile_payloads import naughty_strings
from tests.naughty_organisation import Naughty, made
from tests.serving import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]

# What a page must not do, noted before anything of it runs.
NOTED = """window.noted = [];
    addEventListener('securitypolicyviolation', e => noted.push(`policy: ${e.violatedDirective} ${e.blockedURI}`));
    for (const name of ['alert', 'confirm', 'prompt', 'open', 'print'])
        window[name] = (...given) => { noted.push(`${name}: ${given}`); };"""
# Elements and attributes that no page of ours makes of a text, and links to what is no address.
FOREIGN = """() => {
    const made = 'script, iframe, object, embed, base, meta, link, style, marquee, img:not([src^="/assets/"])';
    const leads = one => one.getAttribute('href') ?? one.getAttribute('src') ?? '';
    const fair = /^(https?:|\\/(?!\\/)|#|data:image\\/|blob:|$)/;
    return [
        ...[...document.querySelectorAll('body [href], body [src]')].filter(one => !fair.test(leads(one))),
        ...document.querySelectorAll(`main :is(${made})`),
        ...[...document.querySelectorAll('body *')].filter(one => [...one.attributes].some(a => /^on/i.test(a.name))),
    ].map(one => one.outerHTML.slice(0, 200)); }"""
STATES = """keys => keys.map(key => document.getElementById('panel-' + key)).filter(Boolean)
    .map(one => one.id + ' ' + one.dataset.state + ' ' + one.innerText.slice(0, 80))"""
SHOWN = "() => [...document.querySelectorAll('#feed-list article')].map(one => one.textContent)"


@pytest.fixture(scope="module")
def naughty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Naughty]:
    database = empty_database(tmp_path_factory.mktemp("naughty"))
    yield made(database)
    database.close()


@pytest.fixture(scope="module")
def web(naughty: Naughty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(naughty.database, tmp_path_factory.mktemp("web"), SCREEN) as running:
        yield running


def path_of(view: View, naughty: Naughty) -> str:
    return f"{view.path}/{naughty.subjects[view.subject]}{view.tail}" if view.subject else view.path


def drawn(page: Page, view: View) -> None:
    """Wait until every panel of a page is there; else say which one is not."""
    keys = [panel.key for panel in view.panels]
    try:
        page.wait_for_function(DRAWN, arg=keys)
    except TooLate:
        pytest.fail(f"{view.path} is not drawn: {page.evaluate(STATES, keys)}")


def looked_closely(page: Page, view: View) -> None:
    """Open what stands behind the first rows."""
    if view.key == "command":
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector(".side-drawer")
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
    elif view.key == "respond":
        for _ in range(3):
            page.keyboard.press("j")
            page.wait_for_timeout(500)
        page.wait_for_selector("#desk-thread .msg")


def put_away(dialog: Dialog, dialogs: list[str]) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()


def squeezed(text: str) -> str:
    """Without what a page may set in another way: spaces and lines."""
    return "".join(text.split())


@pytest.mark.parametrize("role", list(ROLES))
def test_no_naughty_string_runs_on_any_page(naughty: Naughty, web: Served, browser: Browser, role: str) -> None:
    cookie, _, value = web.person(f"somebody-{role}", role).cookie.partition("=")
    with naughty.database.write() as connection:
        mine = person.c.email == f"somebody-{role}@meridian.example"
        number = connection.execute(select(person.c.id).where(mine)).scalar_one()
        connection.execute(update(person).where(mine).values(name=naughty_strings()[number % 400 + 20]))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": cookie, "value": value, "url": web.address}])
    context.add_init_script(NOTED)
    dialogs: list[str] = []
    page, watched = context.new_page(), Watched()
    watched.follow(page)
    page.on("dialog", lambda dialog: put_away(dialog, dialogs))
    opened = 0
    noted: list[str] = []
    foreign: list[str] = []
    page.goto(web.address)
    drawn(page, VIEWS[0])
    for view in VIEWS:
        if view.right not in ROLES[role]:
            continue
        page.evaluate(GO, path_of(view, naughty))
        drawn(page, view)
        looked_closely(page, view)
        foreign += [f"{view.path}: {one}" for one in page.evaluate(FOREIGN)]
        noted += [f"{view.path}: {one}" for one in page.evaluate("noted.splice(0)")]
        opened += 1
    context.close()
    print(f"{role}: {opened} pages, {naughty.texts:,} naughty texts")
    assert dialogs == []
    assert noted == []
    assert foreign == []
    assert watched.errors == []
    assert watched.foreign == []
    assert opened >= 13
    assert naughty.texts >= 5_000


def test_no_naughty_string_is_lost_in_the_feed(naughty: Naughty, web: Served, browser: Browser) -> None:
    cookie, _, value = web.person("reader", "admin").cookie.partition("=")
    context = browser.new_context()
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": cookie, "value": value, "url": web.address}])
    page = context.new_page()
    page.goto(f"{web.address}/brand/corvane")
    page.wait_for_selector("#feed-list article")
    shown = [squeezed(text) for text in page.evaluate(SHOWN)]
    context.close()
    with naughty.database.read() as connection:
        newest = connection.execute(select(mention.c.text).order_by(mention.c.id.desc()).limit(3 * len(shown)))
        texts = [row.text for row in newest]
    found = [text for text in texts if any(squeezed(text) in one for one in shown)]
    assert len(shown) >= 20
    assert len(found) >= len(shown)
