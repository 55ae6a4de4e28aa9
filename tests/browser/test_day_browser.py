"""An agent's day in real browsers: one web program, one ingest worker, the simulated network, six people.

Everything that has a key is done by its key. What was said to whom is looked up where the network keeps it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.web import SCREEN
from ingest import demo
from ingest.connectors import simulator
from ingest.schedule import Worker
from ingest.simulation.identities import REMEMBERED, external_id, number_of, numbered
from ingest.simulation.memory import Memory, Remembered
from models import organisation as organisations
from models import people, policy, sources
from models.access import Access, Grant
from models.audit_check import Known, verify
from models.database import Database
from models.networks import network_by_key
from models.organisation_file import apply, read
from models.settings import Settings
from models.tables.base import to_microseconds
from tests.browser.conftest import Watched
from tests.builders import rows
from tests.empty import empty_database
from tests.house import PASSWORD
from tests.serving import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.prove, pytest.mark.timeout(400)]

SLOWLY = 60_000
ADA, HANDLE = orjson.dumps(["ada_rook", "ada_rook", "Ada Rook", 240, "Berlin"]).decode(), "corvane_care"
FIRST, SECOND, LAST = (
    f"@{HANDLE} my V4 does not charge since the update. I want a refund.",
    f"@{HANDLE} never mind the refund, just tell me when it is mended.",
    f"@{HANDLE} thank you! And what do I do until then?",
)
PLAIN = f"@{HANDLE} my V4 does not charge since the update, is that known?"
TEXT, MORE = "Hello Ada, we are sorry about the charging.", " The workshop in Berlin sees to it today. Corvane Care"
PEOPLE = {"ana": "agent", "petra": "approver", "mona": "manager", "vera": "auditor"}


@dataclass
class Day:
    """What runs, and the network's own memory of what was said."""

    database: Database
    memory: Memory
    web: Served

    def customer_writes(self, text: str, *, answering: str | None = None, root: str | None = None) -> str:
        """Ada posts on the simulated network; its name there. The worker finds it by itself."""
        posted = to_microseconds(datetime.now(UTC))
        post = Remembered(
            "x", numbered(posted, REMEMBERED), posted, posted, None, ADA, text, "en", _number(answering), _number(root)
        )
        assert self.memory.keep(post, []) is not None
        return external_id("x", post.number)

    def published(self) -> list[Remembered]:
        """What our account was made to publish, as the network keeps it."""
        return self.memory.posts_by("x", HANDLE, 0, 2**62)

    def one(self, statement: str) -> dict[str, Any]:
        (found,) = rows(self.database, statement)
        return dict(found)


def _number(post: str | None) -> int | None:
    return None if post is None else number_of("x", post)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """The simulated organisation on a network where only Ada speaks, and people who know their password."""
    database, memory, now = empty_database(tmp_path), str(tmp_path / "simulated-network.db"), datetime.now(UTC)
    with database.write() as connection:
        apply(connection, read(demo.FILE), actor="first start", now=now)
        (spec,) = (one for one in simulator.sources(seed=1, start=now, rate=1e-9, memory=memory) if one.network == "x")
        sources.add(
            connection, name=spec.name, kind=spec.kind, network_id=network_by_key("x").id, config=spec.config,
            every_seconds=spec.every_seconds, now=now,
        )  # fmt: skip
        for name, role in PEOPLE.items():
            email = f"{name}@meridian.example"
            people.add_person(connection, email=email, name=name.title(), role=role, now=now, password=PASSWORD)
        there = organisations.current(connection, now)
        admin = Access.granted(900, "admin@meridian.example", "Admin", [Grant("admin")])
        policy.save(connection, there, admin, policy.Rule("Refunds", policy.When(words=("refund*",)), 1), now=now)
    worker = Worker(database, settings=Settings(home=tmp_path))
    with served(database, tmp_path, SCREEN) as web:
        worker.start()
        try:
            yield Day(database, Memory(memory), web)
        finally:
            worker.stop()
    database.close()


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Profiles that are closed at the end."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


def comes(
    day: Day, browser: Browser, contexts: list[BrowserContext], watched: Watched, name: str, path: str, **how: Any
) -> Page:
    """Somebody sits down, asks for a page and signs in with their password on the way."""
    size = how or {"viewport": {"width": 1440, "height": 900}}
    contexts.append(browser.new_context(reduced_motion="reduce", **size))
    page = contexts[-1].new_page()
    page.set_default_timeout(SLOWLY)
    watched.follow(page)
    page.goto(f"{day.web.address}{path}")
    # Nobody types before the cursor stands there.
    expect(page.get_by_label("Work email")).to_be_focused(timeout=SLOWLY)
    page.keyboard.type(f"{name}@meridian.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    # The page knows who this is, and where its keys lead.
    expect(page.locator("#zone")).to_have_text("Europe/Amsterdam", timeout=SLOWLY)
    return page


def unexpected(watched: Watched) -> list[str]:
    """What the browser complained of, but for the refusal of a stale text, which it was."""
    return [said for said in watched.errors if "409" not in said]


def go(page: Page, letter: str, title: str) -> None:
    """To a page by its chord, the second key within a second of the first."""
    page.keyboard.type(f"g{letter}")
    expect(page).to_have_title(re.compile(rf"^{title} "), timeout=SLOWLY)


def test_a_day_at_the_desk_by_keyboard_from_the_claim_to_the_proof(
    day: Day, browser: Browser, contexts: list[BrowserContext], watched: Watched
) -> None:
    expect.set_options(timeout=SLOWLY)
    first = day.customer_writes(FIRST)
    ana = comes(day, browser, contexts, watched, "ana", "/")

    # The agent takes the most urgent case and writes; meanwhile the customer writes again.
    go(ana, "r", "Respond")
    expect(ana.locator(".qi")).to_have_count(1)
    ana.keyboard.press("Shift+C")
    expect(ana.locator(".qi .own")).to_contain_text("You claimed")
    ana.keyboard.press("r")
    ana.keyboard.type(TEXT)
    day.customer_writes(SECOND, answering=first, root=first)
    strip = ana.locator(".c-strip")
    expect(strip).to_contain_text(SECOND)
    ana.keyboard.press("Control+Enter")
    expect(strip).to_contain_text("Not sent")
    assert day.one("select state from reply") == {"state": "drafted"}
    ana.keyboard.press("Control+Enter")
    expect(strip).to_be_hidden()
    ana.keyboard.press("Control+Enter")
    expect(ana.locator(".sign-head")).to_contain_text("Your reply waits for sign-off")

    # An approver sends it back; its author adds what was missing; it is signed.
    petra = comes(day, browser, contexts, watched, "petra", "/respond")
    expect(petra.locator(".q-tabs button").nth(2)).to_have_text("Sign-off 1")
    petra.keyboard.press("3")
    petra.keyboard.press("b")
    petra.keyboard.type("Say where, and who we are.")
    petra.keyboard.press("Control+Enter")
    expect(ana.locator(".r-says")).to_have_text("Petra: Say where, and who we are.")
    expect(ana.locator("#desk-reply")).to_have_value(TEXT)
    ana.keyboard.press("r")
    ana.keyboard.press("Control+End")
    ana.keyboard.type(MORE)
    ana.keyboard.press("Control+Enter")
    expect(petra.locator(".sign-text ins")).to_have_text(MORE)
    petra.keyboard.press("Control+Enter")
    expect(ana.locator(".reply-approved .r-state")).to_contain_text("Goes out in")
    assert day.published() == []

    # It is out, once, in the words that were signed; the page says so.
    expect(ana.locator(".qi")).to_have_count(0)
    expect(ana.locator(".msg.out")).to_contain_text(TEXT + MORE)
    (sent,) = day.published()
    assert (sent.body, sent.attempts) == (TEXT + MORE, 1)
    reply = day.one("select state, external_id, text_hash, approved_hash from reply")
    assert (reply["state"], reply["external_id"]) == ("sent", external_id("x", sent.number))
    assert reply["text_hash"] == reply["approved_hash"]

    # The customer comes back: the case is in the queue again.
    day.customer_writes(LAST, answering=external_id("x", sent.number), root=first)
    expect(ana.locator(".qi")).to_contain_text("And what do I do until then?")
    expect(ana.locator(".msg").last).to_contain_text("And what do I do until then?")

    assert unexpected(watched) == []
    assert watched.foreign == []


def settled(database: Database) -> list[Mapping[str, Any]]:
    """The cases once nothing changes them any more: what was sent is noted by its own process, when it gets to it."""
    found = rows(database, "select * from desk_case")
    for _ in range(10):
        time.sleep(2)
        before, found = found, rows(database, "select * from desk_case")
        if found == before:
            break
    return found


def test_an_incident_holds_what_is_sent_and_an_auditor_proves_what_happened(
    day: Day, browser: Browser, contexts: list[BrowserContext], watched: Watched
) -> None:
    expect.set_options(timeout=SLOWLY)
    day.customer_writes(PLAIN)
    ana = comes(day, browser, contexts, watched, "ana", "/respond")
    expect(ana.locator(".qi")).to_have_count(1)
    ana.keyboard.press("Shift+C")
    expect(ana.locator(".qi .own")).to_contain_text("You claimed")
    ana.keyboard.press("r")
    ana.keyboard.type(TEXT)

    # A manager declares an incident: everybody is told, and nothing goes out in its scope.
    mona = comes(day, browser, contexts, watched, "mona", "/respond")
    go(mona, "i", "Incidents")
    mona.keyboard.press("i")
    dialog = mona.get_by_role("dialog", name="Declare an incident")
    dialog.get_by_label("Name").fill("V4 does not charge")
    dialog.get_by_role("radio", name="Nothing is sent").press("Enter")
    dialog.get_by_label("Reason").fill("many of the same update")
    dialog.get_by_role("button", name="Declare").press("Enter")
    expect(mona).to_have_url(re.compile("/incidents/1$"))
    banner = ana.locator("#banner-list .banner").filter(has_text="INC-1")
    expect(banner).to_contain_text("V4 does not charge")
    expect(banner).to_contain_text("Nothing is sent")
    ana.keyboard.press("Control+Enter")
    expect(ana.locator(".c-strip, .so-words").filter(has_text="V4 does not charge").first).to_be_visible()
    assert [row["state"] for row in rows(day.database, "select state from reply")] == ["drafted"]

    # It ends: the report is there, and the same text goes out.
    mona.get_by_role("button", name="Close incident").press("Enter")
    mona.get_by_label("Why it is over").fill("the update was withdrawn")
    mona.get_by_role("button", name="Close, nothing is held any more").press("Enter")
    mona.get_by_role("link", name="Open the report").press("Enter")
    expect(mona.get_by_role("heading", name="After-action report, INC-1")).to_be_visible()
    expect(banner).to_have_count(0)
    expect(ana.locator("#desk-reply")).to_have_value(TEXT)
    ana.locator("#desk-reply").focus()
    expect(ana.locator(".so .btn")).to_be_enabled()
    # Where the incident is news to the text's author, the same keys are refused, say that it is read, and send.
    for _ in range(3):
        ana.keyboard.press("Control+Enter")
        ana.wait_for_timeout(1500)
        if ana.locator("#desk-reply").input_value() == "":
            break
    expect(ana.locator("#desk-reply")).to_have_value("")
    expect(ana.locator(".qi")).to_have_count(0)
    assert [(post.body, post.attempts) for post in day.published()] == [(TEXT, 1)]

    # An auditor finds the trail of the case and its proof, and may change none of it.
    before = settled(day.database)
    vera = comes(day, browser, contexts, watched, "vera", "/respond")
    # It was answered and waits for nobody: a link to it opens it.
    vera.goto(f"{day.web.address}/respond#case-{before[0]['brand_id']}-{before[0]['id']}")
    expect(vera.locator("#desk-head")).to_be_visible()
    expect(vera.get_by_role("button", name="Claim next")).to_be_hidden()
    vera.keyboard.press("c")
    vera.keyboard.press("e")
    vera.goto(f"{day.web.address}/audit")
    expect(vera.locator("#audit-chain-bar")).to_contain_text("Verified to")
    vera.keyboard.press("/")
    vera.keyboard.type(str(before[0]["id"]))
    trail = vera.locator(".atab tbody tr")
    expect(trail.filter(has_text="reply.sent")).to_have_count(1)
    trail.filter(has_text="reply.sent").click()
    expect(vera.locator("#audit-row")).to_contain_text("Row ")
    assert rows(day.database, "select * from desk_case") == before
    assert watched.foreign == []
    with day.database.read() as connection:
        found = verify(connection, Known(), now=datetime.now(UTC))
    assert found.is_whole
    assert found.rows >= 15


def test_a_phone_claims_writes_and_sends(
    day: Day, browser: Browser, contexts: list[BrowserContext], watched: Watched
) -> None:
    expect.set_options(timeout=SLOWLY)
    day.customer_writes(PLAIN)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    ana = comes(day, browser, contexts, watched, "ana", "/respond", **phone)
    expect(ana.locator(".qi")).to_have_count(1)
    ana.get_by_role("button", name="Claim next").tap()
    expect(ana.locator(".desk-case")).to_be_visible()
    expect(ana.locator("#desk-reply")).to_be_enabled()
    ana.locator("#desk-reply").tap()
    ana.keyboard.type(TEXT)
    ana.locator(".so .btn").tap()
    expect(ana.locator(".reply-approved .r-state")).to_contain_text("Goes out in")
    expect(ana.locator(".msg.out")).to_contain_text(TEXT)
    expect(ana.locator(".reply-approved")).to_have_count(0)
    ana.go_back()
    expect(ana.locator(".qi")).to_have_count(0)
    assert [(post.body, post.attempts) for post in day.published()] == [(TEXT, 1)]
    assert ana.evaluate("document.documentElement.scrollWidth") == 390
    assert unexpected(watched) == []
