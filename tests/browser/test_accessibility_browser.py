"""Every page in a real browser, in both themes: what stops people who read by ear or with weak eyes; other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from dashboard.views import VIEWS
from dashboard.views.view import Address, View
from dashboard.web import SCREEN
from models import incidents, organisation
from models.access import Access, Grant
from models.database import Database
from models.incident_reading import IncidentScope
from models.tables import person
from tests.browser.conftest import Watched
from tests.empty import empty_database
from tests.few import few
from tests.serving import served
from tests.small_store import Said, fill, say

pytestmark = pytest.mark.browser

# axe-core, as the package for Playwright carries it.
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
SUBJECTS = {"brand": "corvane", "location": "nairobi", "team": "care", "incident": "1"}
THEMES = ("dark", "light")
# Another page has come when nothing of the one before is left. Panels behind a bell or a button have no box here.
GO = """path => { if (location.pathname === path) return;
    document.querySelector('main').firstElementChild.dataset.left = '1';
    window.dash_clientside.set_props('url', { pathname: path, search: '' }); }"""
DRAWN = """keys => { const all = keys.map(key => document.getElementById('panel-' + key)).filter(Boolean);
    const feed = document.querySelector('main #feed-list');
    return !document.querySelector('[data-left]') && all.length > 0
        && all.every(panel => panel.dataset.state === 'live') && (!feed || feed.querySelector('article')); }"""
LOOK = """async rules => {
    const found = await axe.run(document, { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] });
    return { checked: found.passes.length + found.violations.length,
        violations: found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
            .flatMap(one => one.nodes.map(node => `${one.id} ${node.target.join(' ')} ${node.failureSummary}`)) }; }"""
# Colours glide from one theme to the other; what is measured on the way is no colour of either.
SHOW = """async theme => { document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.mantineColorScheme = theme; window.LIVE.reapply();
    await new Promise(done => setTimeout(done, 400));
    await Promise.all(document.getAnimations().map(one => one.finish())); }"""


@dataclass(frozen=True)
class Tab:
    """One tab of somebody who walks through the pages, and what went wrong in it."""

    page: Page
    watched: Watched
    requests: list[str]

    def go(self, view: View) -> None:
        """Another page by the address, as a link inside does it, until every panel is drawn."""
        path = Address(view, SUBJECTS.get(view.subject, "")).path
        self.page.evaluate(GO, path)
        keys = [panel.key for panel in view.panels]
        self.page.wait_for_function(DRAWN, arg=keys)

    def look(self, theme: str) -> tuple[int, list[str]]:
        """How many rules applied to what is shown, and where a serious one is broken."""
        self.page.evaluate(SHOW, theme)
        found = self.page.evaluate(LOOK, RULES)
        return found["checked"], found["violations"]


def _declare(database: Database, now: datetime) -> None:
    """One incident, for its page."""
    with database.write() as connection:
        row = connection.execute(select(person).order_by(person.c.id.desc())).first()
        assert row is not None
        incidents.declare(
            connection,
            organisation.current(connection, now),
            Access.granted(row.id, row.email, row.name, [Grant("admin")]),
            name="Cards declined",
            severity=2,
            scope=IncidentScope((2,)),
            reason="Many say so",
            lead_id=row.id,
            expires_at=now + timedelta(hours=8),
            now=now,
        )


@pytest.fixture(scope="module")
def tab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("pages")
    database = empty_database(folder)
    now = datetime.now(UTC)
    fill(database, now=now)
    moods = (-1, 0, 1, None)
    said = [
        Said(f"My Corvane card is declined, {n}", minutes=2 + n * 20, brand_id=2 + n % 4, sentiment=moods[n % 4])
        for n in range(120)
    ]
    say(database, said, now=now)
    with served(database, folder, SCREEN) as web:
        name, _, value = web.person("reader").cookie.partition("=")
        _declare(database, now)
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="dark"
        )
        context.set_default_timeout(60_000)
        context.add_cookies([{"name": name, "value": value, "url": web.address}])
        tab = Tab(context.new_page(), Watched(), [])
        tab.watched.follow(tab.page)
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.goto(web.address)
        tab.page.wait_for_function(DRAWN, arg=[panel.key for panel in VIEWS[0].panels])
        tab.page.evaluate(AXE)
        yield tab
        context.close()
    database.close()


def test_no_page_loads_anything_from_another_host_or_makes_an_error(tab: Tab) -> None:
    for view in VIEWS:
        tab.go(view)

    assert tab.watched.foreign == []
    assert tab.watched.errors == []
    assert len(tab.requests) > 40
    assert tab.page.evaluate("LIVE.stats.errors") == 0


@pytest.mark.prove
@pytest.mark.parametrize("theme", few(THEMES, 1))
def test_the_command_screen_stops_nobody_who_reads_by_ear_or_with_weak_eyes(tab: Tab, theme: str) -> None:
    tab.go(VIEWS[0])

    checked, violations = tab.look(theme)

    assert violations == []
    assert checked >= 15


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_no_page_stops_anybody_who_reads_by_ear_or_with_weak_eyes(tab: Tab, view: View) -> None:
    tab.go(view)

    for theme in THEMES:
        checked, violations = tab.look(theme)
        assert violations == [], theme
        assert checked >= 15


@pytest.mark.prove
def test_what_weak_eyes_cannot_read_is_noticed(tab: Tab) -> None:
    tab.go(VIEWS[0])
    tab.page.evaluate(
        "() => { const e = document.createElement('p'); e.textContent = 'hardly there'; e.id = 'pale';"
        " e.style = 'position:fixed;z-index:99;top:0;left:0;background:#fff;color:#eee'; document.body.append(e); }"
    )

    violations = tab.look("dark")[1]
    tab.page.evaluate("document.getElementById('pale').remove()")

    assert [found.split()[0:2] for found in violations] == [["color-contrast", "#pale"]]
