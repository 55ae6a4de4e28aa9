"""A page in the system's Chromium that notes what a page must not do: errors, forbidden scripts, other hosts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

REQUIRE_BROWSER = "WATCHFLOOR_REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OWN_HOSTS = {"localhost", "127.0.0.1", ""}
# What Chromium says while the server is away, which some tests bring about.
AWAY = ("ERR_CONNECTION_REFUSED", "WebSocket connection to", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")


@dataclass
class Watched:
    """What went wrong on a page: console errors and violations of the policy, and requests to other hosts."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in AWAY):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in OWN_HOSTS:
            self.foreign.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one the tests are skipped, or fail where it is required.

    For a module and not for the session: while it is there, an event loop runs in this thread, and no other test of
    the process could run its own.
    """
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        sentence = "there is no Chromium on this machine: install it, e.g. apt-get install -y chromium"
        if os.environ.get(REQUIRE_BROWSER) == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    yield context
    context.close()


@pytest.fixture
def watched() -> Watched:
    """What went wrong on the page."""
    return Watched()


@pytest.fixture
def page(context: BrowserContext, watched: Watched) -> Page:
    """An empty tab whose faults are noted in `watched`."""
    page = context.new_page()
    watched.follow(page)
    return page
