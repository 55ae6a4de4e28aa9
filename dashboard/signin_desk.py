"""What the ways of signing in share: whose house it is, the form with its token, the cookies of a new session."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard import cookies, signin_pages
from dashboard.caller import Caller
from dashboard.gate import CALLER, COOKIES
from dashboard.sessions import Sessions
from dashboard.signin_pages import House
from models import organisation, saved_views
from models.database import Database
from models.identity import SignedIn
from models.people import LONGEST_EMAIL
from models.settings import Settings
from models.throttle import Throttle

HOUSE_SECONDS = 30.0
LONGEST_WANTED = 2_000
# Where a window that was opened for signing in ends: it closes itself.
DONE = "/signin/done"

Result = TypeVar("Result")


class Desk:
    """One for a process. `threads` are its own: nobody is kept from working by who signs in."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sessions: Sessions,
        version: str,
        throttle: Throttle,
        clock: Callable[[], datetime],
        *,
        threads: int,
    ) -> None:
        self.database = database
        self.settings = settings
        self.sessions = sessions
        self.throttle = throttle
        self.clock = clock
        self.waiting = 0
        self._version = version
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="signin")
        self._house: tuple[float, House] | None = None

    async def form(
        self,
        request: Request,
        *,
        wanted: str,
        email: str = "",
        fault: str = "",
        status: int = 200,
        retry_after: int | None = None,
    ) -> Response:
        """The sign-in page, with what was wrong before."""
        caller = caller_of(request)
        token = form_token(request)
        page = signin_pages.sign_in_page(
            await self.around(), token=token, wanted=wanted, email=email[:LONGEST_EMAIL], fault=fault
        )
        answer = HTMLResponse(page, status_code=status)
        if retry_after is not None:
            answer.headers["retry-after"] = str(retry_after)
        return with_form_cookie(answer, token, caller)

    def first_page(self, opened: SignedIn, wanted: str) -> str:
        """The page that was wanted; where none was, the one that the person begins at."""
        if wanted != "/":
            return wanted
        with self.database.read() as connection:
            return safe_next(saved_views.start_address(connection, opened.person_id))

    async def around(self) -> House:
        """Whose house it is, remembered for half a minute."""
        started = time.monotonic()
        if self._house is None or started - self._house[0] > HOUSE_SECONDS:
            now, settings = self.clock(), self.settings

            def read() -> House:
                with self.database.read() as connection:
                    ours = organisation.current(connection, now)
                return House(
                    ours.name,
                    urlsplit(settings.address).netloc,
                    self._version,
                    ours.simulated,
                    has_company=settings.has_company_signon,
                    needs_company=settings.oidc_required,
                )

            self._house = (started, await asyncio.to_thread(read))
        return self._house[1]

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Do what takes its time beside the event loop; `waiting` counts who does."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self.waiting -= 1


def safe_next(wanted: str) -> str:
    """The page to go to after signing in: an address of ours, else the start page.

    A browser reads `//host`, `/\\host` and `/<tab>/host` as another host.
    """
    if not wanted.startswith("/") or len(wanted) > LONGEST_WANTED or not wanted.isascii() or not wanted.isprintable():
        return "/"
    if wanted.startswith("//") or "\\" in wanted or " " in wanted:
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_page = not parts.scheme and not parts.netloc and not parts.path.startswith(("/signin", "/signout", "/_dash"))
    return wanted if is_page else "/"


def caller_of(request: Request) -> Caller:
    """Who calls, as the gate found it."""
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


def session_cookie(request: Request) -> str | None:
    """The session that the browser had before, if any."""
    value: str | None = request.scope[COOKIES].get(cookies.session_name(caller_of(request).is_secure))
    return value


def form_token(request: Request) -> str:
    """The token of the form: it stays while the cookie does, so that a second tab does not spoil the first one's."""
    token: str = request.scope[COOKIES].get(cookies.form_name(caller_of(request).is_secure), "")
    if len(token) != len(secrets.token_urlsafe(32)) or not token.isascii():
        return secrets.token_urlsafe(32)
    return token


def opened_at(opened: SignedIn, wanted: str, caller: Caller) -> Response:
    """On to the page, with the session's cookies."""
    return with_session(RedirectResponse(wanted, status_code=303), opened, caller)


def with_session(answer: Response, opened: SignedIn, caller: Caller) -> Response:
    """The answer, with the cookies of a new session."""
    for cookie in _session_cookies(opened, caller):
        answer.headers.append("set-cookie", cookie)
    return answer


def with_form_cookie(answer: Response, token: str, caller: Caller) -> Response:
    """The answer, with the cookie that a form is compared with."""
    answer.headers.append("set-cookie", cookies.for_form(token, caller.is_secure))
    return answer


def _session_cookies(opened: SignedIn, caller: Caller) -> Sequence[str]:
    return (
        cookies.for_session(opened.session_id, caller.is_secure),
        cookies.for_csrf(opened.csrf_token, caller.is_secure),
    )
