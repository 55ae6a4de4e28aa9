"""The desk in a real browser: by keyboard, overtaken, across a restart of the server, with a signature, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.web import SCREEN
from models import organisation as organisations
from models.database import Database
from models.organisation import Organisation
from models.policy import Rule, When, save
from models.tables import account
from tests.browser.conftest import Watched
from tests.builders import AMSTERDAM_SITE, CORVANE, DUTCH_CARE, rows
from tests.case_desk import arrive, open_desk, said
from tests.empty import empty_database
from tests.serving import Served, served
from tests.test_policy import ADMIN

pytestmark = pytest.mark.browser

SLOWLY = 30_000
TEXT = "We are sorry, Ada. Which order is it?"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    open_desk(database)
    with database.write() as connection:
        connection.execute(account.update().values(secrets=b"sealed"))
    customer_writes(database, "1", "@corvane where is my order? It is late.", "Ada")
    yield database
    database.close()


def customer_writes(database: Database, post: str, text: str, name: str) -> None:
    """A post comes in, as from the ingest."""
    now = datetime.now(UTC)
    place = {"location_id": AMSTERDAM_SITE, "team_id": DUTCH_CARE}
    made = said(post, text=text, author=name.lower(), name=name, posted_at=now, **place)
    arrive(database, there(database), made, now=now)


def there(database: Database) -> Organisation:
    with database.read() as connection:
        return organisations.current(connection, datetime.now(UTC))


def enter(web: Served, page: Page, name: str, role: str = "agent") -> Page:
    """Somebody opens the desk, and the most urgent case stands open."""
    page.set_default_timeout(SLOWLY)
    key, _, value = web.person(name, role).cookie.partition("=")
    page.context.add_cookies([{"name": key, "value": value, "url": web.address}])
    page.goto(f"{web.address}/respond")
    expect(page.locator("#desk-reply")).to_be_attached(timeout=SLOWLY)
    return page


def write(page: Page, text: str) -> None:
    """By keyboard: R claims the case, and whoever types on types into the reply."""
    page.keyboard.press("r")
    page.keyboard.type(text)
    expect(page.locator("#desk-reply")).to_have_value(text)


def states(database: Database) -> list[str]:
    return [row["state"] for row in rows(database, "select state from reply order by id")]


def test_an_answer_is_given_by_keyboard_and_taken_back(
    database: Database, tmp_path: Path, page: Page, watched: Watched
) -> None:
    with served(database, tmp_path, SCREEN) as web:
        enter(web, page, "ana")
        page.keyboard.press("Shift+C")
        expect(page.locator(".qi .own")).to_contain_text("You claimed", timeout=SLOWLY)
        write(page, TEXT)
        expect(page.locator(".qi .own")).to_contain_text("You are drafting", timeout=SLOWLY)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reply-approved .r-state")).to_contain_text("Goes out in", timeout=SLOWLY)
        expect(page.locator("#desk-reply")).to_have_value("")
        page.locator("#toast").get_by_role("button", name="Undo").click()

        expect(page.locator("#desk-reply")).to_have_value(TEXT, timeout=SLOWLY)
        expect(page.locator(".msg.out")).to_have_count(0)
        assert states(database) == ["drafted"]
        # Out of the text, then what is no text: a note, a snooze by its letter.
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.type("Ask the depot.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".ev-note p")).to_have_text("Ask the depot.", timeout=SLOWLY)
    assert watched.errors == []


@pytest.mark.prove
def test_a_text_that_the_customer_overtook_is_kept_and_sent_after_reading(
    database: Database, tmp_path: Path, page: Page
) -> None:
    with served(database, tmp_path, SCREEN) as web:
        enter(web, page, "ana")
        write(page, TEXT)
        expect(page.locator(".c-saved")).to_contain_text("Saved", timeout=SLOWLY)
        customer_writes(database, "2", "@corvane never mind, it came.", "Ada")
        strip = page.locator(".c-strip")
        expect(strip).to_contain_text("@corvane never mind, it came.", timeout=SLOWLY)
        page.keyboard.press("Control+Enter")
        expect(strip).to_contain_text("Not sent", timeout=SLOWLY)
        expect(page.locator("#desk-reply")).to_have_value(TEXT)
        assert states(database) == ["drafted"]

        strip.get_by_role("button", name="I have read it").click()
        page.keyboard.press("Control+Enter")

        expect(page.locator(".reply-approved")).to_be_visible(timeout=SLOWLY)
    assert states(database) == ["approved"]


@pytest.mark.prove
def test_what_is_typed_outlives_a_lost_connection_a_restart_and_a_reload(
    database: Database, tmp_path: Path, page: Page
) -> None:
    with served(database, tmp_path, SCREEN) as web:
        enter(web, page, "ana")
        write(page, TEXT)
        port = web.port
    page.keyboard.type(" More.")
    expect(page.locator(".c-saved")).to_contain_text("kept in this browser", timeout=SLOWLY)
    expect(page.locator("#desk-reply")).to_have_value(f"{TEXT} More.")
    with served(database, tmp_path, SCREEN, port=port):
        expect(page.locator(".c-saved")).to_contain_text("Saved", timeout=SLOWLY)
        assert [row["text"] for row in rows(database, "select text from reply")] == [f"{TEXT} More."]
        expect(page.locator("#desk-reply")).to_be_focused()
        page.keyboard.type(" Last word.")
        page.reload()
        expect(page.locator("#desk-reply")).to_have_value(f"{TEXT} More. Last word.", timeout=SLOWLY)


@pytest.mark.prove
def test_an_approver_sends_back_and_signs_by_keyboard(
    database: Database, tmp_path: Path, page: Page, browser: Browser
) -> None:
    with database.write() as connection:
        rule = Rule("Answers of Corvane", When(brands=frozenset({CORVANE})), 1)
        save(connection, there(database), ADMIN, rule, now=datetime.now(UTC))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    with served(database, tmp_path, SCREEN) as web:
        enter(web, page, "ana")
        write(page, TEXT)
        expect(page.locator(".so b")).to_have_text("A colleague signs off", timeout=SLOWLY)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reply-awaiting_sign_off")).to_be_visible(timeout=SLOWLY)

        petra = enter(web, context.new_page(), "petra", "approver")
        expect(petra.locator(".q-tabs button").nth(2)).to_have_text("Sign-off 1", timeout=SLOWLY)
        petra.keyboard.press("3")
        petra.keyboard.press("b")
        petra.keyboard.type("Say which depot.")
        petra.keyboard.press("Control+Enter")
        expect(page.locator(".reply-returned .r-says")).to_have_text("Petra: Say which depot.", timeout=SLOWLY)

        # It stands in the composer again; what is added is what the approver sees underlined.
        expect(page.locator("#desk-reply")).to_have_value(TEXT)
        page.locator("#desk-reply").press("End")
        page.keyboard.type(" Utrecht")
        page.keyboard.press("Control+Enter")
        expect(petra.locator(".sign-text ins")).to_have_text(" Utrecht", timeout=SLOWLY)
        petra.keyboard.press("Control+Enter")
        expect(page.locator(".reply-approved")).to_be_visible(timeout=SLOWLY)
    context.close()
    assert states(database) == ["approved"]


SMALL = """() => [...document.querySelectorAll('.respond button, .respond a, .respond select, .bottom > *')]
    .filter(one => one.checkVisibility() && one.getBoundingClientRect().width)
    .map(one => { const box = one.getBoundingClientRect(), more = getComputedStyle(one, '::after').content !== 'none'
        ? -2 * parseFloat(getComputedStyle(one, '::after').top) : 0;
        return [one.className || one.textContent, Math.round(box.height + more)]; })
    .filter(([, height]) => height < 44)"""


@pytest.mark.prove
def test_on_a_phone_queue_and_reply_are_two_screens_for_a_thumb(
    database: Database, tmp_path: Path, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", has_touch=True)
    with served(database, tmp_path, SCREEN) as web:
        page = context.new_page()
        page.set_default_timeout(SLOWLY)
        key, _, value = web.person("ana", "agent").cookie.partition("=")
        context.add_cookies([{"name": key, "value": value, "url": web.address}])
        page.goto(f"{web.address}/respond")
        expect(page.locator(".qi")).to_have_count(1, timeout=SLOWLY)
        expect(page.locator(".desk-case")).to_be_hidden()
        expect(page.locator(".bottom > *")).to_have_count(4)
        assert page.evaluate(SMALL) == []

        page.locator(".q-open").tap()
        page.locator(".desk-ways .btn.pri").tap()
        expect(page.locator("#desk-reply")).to_be_enabled(timeout=SLOWLY)
        page.locator("#desk-reply").fill(TEXT)
        expect(page.locator(".so .btn")).to_be_enabled(timeout=SLOWLY)
        assert page.evaluate(SMALL) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390

        page.go_back()
        expect(page.locator(".desk-case")).to_be_hidden()
        expect(page.locator(".qi .own")).to_contain_text("You", timeout=SLOWLY)
    context.close()
