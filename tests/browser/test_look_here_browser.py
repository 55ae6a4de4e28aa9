"""Look here in a real browser: a new alert calls once, who acknowledges is named, each person sets what calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from dash import html
from dash.development.base_component import Component
from playwright.sync_api import Page, expect

from dashboard import shell
from dashboard.panels import alerts as panel
from dashboard.views import Address, by_path
from dashboard.web import SCREEN
from models import preferences
from models.alerts import keep_spikes
from models.database import raise_change
from models.spikes import EPOCH, STEP
from models.tables import alert
from tests.empty import empty_database
from tests.serving import Served, served
from tests.small_store import Said, fill, say
from tests.test_alerts import event

pytestmark = pytest.mark.browser

# Counts the tones instead of playing them, and the notifications instead of showing them.
STUBS = """
window.rung = 0; window.notified = [];
const Real = window.AudioContext;
window.AudioContext = class extends Real { createOscillator() { window.rung += 1; return super.createOscillator(); } };
window.Notification = class {
  static permission = "default";
  static async requestPermission() { Notification.permission = "granted"; return "granted"; }
  constructor(title, how) { window.notified.push(title + ": " + how.body); }
  close() {}
};
document.hasFocus = () => !window.elsewhere;
"""


def _with_alerts(path: str) -> Address | None:
    """The pages, with the bar over the command screen wherever that has its own place."""
    found = by_path(path)
    if found is None or found.view.key != "command" or any(one.key == panel.KEY for one in found.view.panels):
        return found
    view = found.view

    def place() -> Component:
        return html.Div([panel.PANEL.place(), view.place()])

    return replace(found, view=replace(view, panels=(panel.PANEL, *view.panels), place=place))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = empty_database(tmp_path_factory.mktemp("web"))
    fill(database, now=datetime.now(UTC))
    say(database, [Said(f"Corvane {n}", minutes=n * 9) for n in range(20)], now=datetime.now(UTC))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell, "by_path", _with_alerts)
        with served(database, tmp_path_factory.mktemp("home"), replace(SCREEN, find_view=_with_alerts)) as running:
            yield running
    database.close()


@pytest.fixture
def screen(web: Served, page: Page) -> Page:
    """The command screen without alerts, for somebody who has clicked on it."""
    with web.database.write() as connection:
        connection.execute(alert.delete())
        raise_change(connection, "alerts", (2,))
    name, _, value = web.person(f"ines{datetime.now(UTC).timestamp()}").cookie.partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.add_init_script(STUBS)
    page.goto(web.address)
    expect(page.locator('#panel-volume[data-drawn="1"]')).to_be_visible()
    # What another test left may still be on its way.
    expect(page.locator("#panel-alerts")).to_be_hidden()
    page.locator("#panel-volume h2").click()
    page.evaluate("window.rung = 0")
    return page


def until(page: Page, claim: str, seconds: float = 20) -> None:
    """Wait for a claim about the page: the policy forbids what Playwright would wait with."""
    for _ in range(int(20 * seconds)):
        if page.evaluate(claim):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{claim} did not come true within {seconds:.0f} s")


def flag(web: Served) -> None:
    now = datetime.now(UTC)
    at = now - (now - EPOCH) % STEP
    with web.database.write() as connection:
        keep_spikes(connection, 2, [event(at)], judged_to=at, now=now)


@pytest.mark.prove
def test_a_new_spike_calls_once_until_somebody_acknowledges_it(web: Served, screen: Page) -> None:
    screen.evaluate("window.elsewhere = true")

    flag(web)

    bar = screen.locator("#alerts-bar")
    expect(bar).to_contain_text("60 in 15 min, 11 usual")
    until(screen, "window.rung > 0 && document.title.startsWith('◆ 1 · ')")
    assert screen.evaluate("window.notified") == []
    bar.get_by_role("button", name="Acknowledge Corvane").click()
    expect(bar).to_contain_text("is on it")
    until(screen, "!document.title.startsWith('◆')")

    screen.reload()
    expect(bar).to_contain_text("is on it")
    assert screen.evaluate("window.rung") == 0


@pytest.mark.prove
def test_a_paused_screen_calls_all_the_same(web: Served, screen: Page) -> None:
    screen.keyboard.press("p")
    flag(web)
    until(screen, "window.rung > 0")


@pytest.mark.prove
def test_a_person_sets_what_calls_and_tries_it(web: Served, screen: Page) -> None:
    screen.locator("[data-do=person]").first.click()
    screen.get_by_role("button", name="Alerts and sounds").click()
    form = screen.locator(".look-form")
    form.get_by_label("Chime").check()
    until(screen, "window.rung === 3")
    form.get_by_label("Notify me through the browser").check()
    form.get_by_label("Quiet hours").check()
    form.get_by_label("from").fill("21:00")

    form.get_by_role("button", name="Test").click()
    until(screen, "window.rung === 6 && window.notified.length === 1")
    form.get_by_role("button", name="Save").click()
    expect(screen.locator("#toast")).to_contain_text("Saved for you")

    with web.database.read() as connection:
        newest = connection.exec_driver_sql("select max(id) from person").scalar_one()
        assert preferences.of(connection, newest)["look_here"] == {
            "sound": "chime",
            "title": True,
            "notify": True,
            "quiet": {"from": "21:00", "to": "06:00"},
        }


@pytest.mark.prove
def test_quiet_hours_go_by_the_clock_of_the_browser_and_may_cross_midnight(screen: Page) -> None:
    quiet = """([from, to, hour, minute]) =>
        WatchfloorLook.isQuiet({ from, to }, new Date(2026, 10, 19, hour, minute))"""
    asked = [
        ("22:00", "06:00", 23, 0, True),
        ("22:00", "06:00", 5, 59, True),
        ("22:00", "06:00", 6, 0, False),
        ("22:00", "06:00", 12, 0, False),
        ("12:00", "13:30", 13, 29, True),
        ("12:00", "13:30", 13, 30, False),
        ("00:00", "00:00", 3, 0, True),
    ]
    assert [screen.evaluate(quiet, list(given[:4])) for given in asked] == [given[4] for given in asked]
