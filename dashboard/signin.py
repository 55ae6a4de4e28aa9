"""Signing in and out: plain forms outside Dash. The gate has checked origin, size and token before these run."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from math import ceil
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard import cookies, signin_pages
from dashboard.caller import Caller
from dashboard.gate import CALLER, COOKIES, FORM, current, somebody
from dashboard.sessions import Sessions
from dashboard.signin_pages import House
from models import identity, organisation, saved_views
from models.database import Database
from models.identity import SignedIn
from models.people import LONGEST_EMAIL, normal_email
from models.settings import Settings
from models.throttle import Throttle

WRONG = "That email and password do not go together. Check both, or ask an administrator for a sign-in link."
EMPTY = "Give your email and your password."
BUSY = "Too many people are signing in at this moment. Try again in a few seconds."
# A comparison takes 64 MB and 50 ms: two at a time, and a queue that is soon full, so that nobody is kept from working
# by somebody who guesses.
COMPARISONS = 2
MOST_WAITING = 16
HOUSE_SECONDS = 30.0
LONGEST_WANTED = 2_000

Result = TypeVar("Result")


def router(
    database: Database,
    settings: Settings,
    sessions: Sessions,
    *,
    version: str,
    throttle: Throttle | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """`/signin`, `/signin/link`, `/signout`. `throttle` is one for the process."""
    desk = _Desk(database, settings, sessions, version, throttle or Throttle(), clock)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/signin", desk.form, methods=["GET", "HEAD"])
    routes.add_api_route("/signin", desk.sign_in, methods=["POST"])
    routes.add_api_route("/signin/link", desk.link, methods=["GET", "HEAD"])
    routes.add_api_route("/signin/link", desk.use_link, methods=["POST"])
    routes.add_api_route("/signout", desk.leaving, methods=["GET", "HEAD"])
    routes.add_api_route("/signout", desk.sign_out, methods=["POST"])
    return routes


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


class _Desk:
    """The six answers, and what they share."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sessions: Sessions,
        version: str,
        throttle: Throttle,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._address = urlsplit(settings.address).netloc
        self._sessions = sessions
        self._version = version
        self._throttle = throttle
        self._clock = clock
        self._comparisons = ThreadPoolExecutor(COMPARISONS, thread_name_prefix="signin")
        self._waiting = 0
        self._house: tuple[float, House] | None = None

    async def form(self, request: Request) -> Response:
        """The form; who is signed in already goes on."""
        wanted = safe_next(request.query_params.get("next", ""))
        if somebody() is not None:
            return RedirectResponse(wanted, status_code=303)
        return await self._form(request, wanted=wanted)

    async def sign_in(self, request: Request) -> Response:
        """Compare mail and password: 303 to the wanted page, 401 with one message for every reason, 429, 503."""
        form, caller = request.scope[FORM], _caller(request)
        email, password = form.get("email", "").strip(), form.get("password", "")
        wanted = safe_next(form.get("next", ""))
        if not email or not password:
            return await self._form(request, wanted=wanted, email=email, fault=EMPTY, status=400)
        now = self._clock()
        account = normal_email(email) or "(no email address)"
        if self._waiting >= MOST_WAITING:
            return await self._form(request, wanted=wanted, email=email, fault=BUSY, status=503, retry_after=5)
        wait = ceil(self._throttle.begin(account, caller.address, now))
        if wait > 0:
            fault = f"Too many attempts. Try again in {_span(wait)}."
            return await self._form(request, wanted=wanted, email=email, fault=fault, status=429, retry_after=wait)
        previous = _session_cookie(request)

        def compare() -> tuple[SignedIn | None, str]:
            opened = identity.sign_in(self._database, email, password, caller.address, now, previous=previous)
            return opened, wanted if opened is None else self._first_page(opened, wanted)

        opened, page = await self._in_thread(compare)
        if opened is None:
            return await self._form(request, wanted=wanted, email=email, fault=WRONG, status=401)
        self._throttle.succeeded(account, caller.address)
        return _opened(opened, page, caller)

    async def link(self, request: Request) -> Response:
        """What the link would do, with the button that does it."""
        token = request.query_params.get("token", "")
        now = self._clock()

        def find() -> identity.Link:
            with self._database.read() as connection:
                return identity.find_link(connection, token, now)

        found, house = await self._in_thread(find), await self._around()
        if found.state != "valid":
            return HTMLResponse(signin_pages.link_fault_page(house, state=found.state), status_code=410)
        form_token = secrets.token_urlsafe(32)
        page = signin_pages.link_page(house, name=found.name, link=token, token=form_token)
        return _with_form_cookie(HTMLResponse(page), form_token, _caller(request))

    async def use_link(self, request: Request) -> Response:
        """Use the link up and open a session; of two simultaneous uses one gets it."""
        caller, token, now = _caller(request), request.scope[FORM].get("token", ""), self._clock()
        previous = _session_cookie(request)

        def use() -> tuple[SignedIn | None, identity.Link, str]:
            with self._database.write() as connection:
                opened = identity.use_link(connection, token, caller.address, now, previous=previous)
                found = identity.find_link(connection, token, now)
            return opened, found, "/" if opened is None else self._first_page(opened, "/")

        opened, found, page = await self._in_thread(use)
        if opened is None:
            state = "used" if found.state == "valid" else found.state
            return HTMLResponse(signin_pages.link_fault_page(await self._around(), state=state), status_code=410)
        return _opened(opened, page, caller)

    async def leaving(self) -> Response:
        """One button, because a link must not sign anybody out."""
        signed = current()
        page = signin_pages.sign_out_page(await self._around(), name=signed.access.name, token=signed.csrf_token)
        return HTMLResponse(page)

    async def sign_out(self, request: Request) -> Response:
        """End the session and have the browser forget it."""
        await self._sessions.sign_out(current().session_hash)
        answer = RedirectResponse("/signin", status_code=303)
        for cookie in cookies.ended(_caller(request).is_secure):
            answer.headers.append("set-cookie", cookie)
        return answer

    async def _form(
        self,
        request: Request,
        *,
        wanted: str,
        email: str = "",
        fault: str = "",
        status: int = 200,
        retry_after: int | None = None,
    ) -> Response:
        caller = _caller(request)
        # The token stays while the cookie does, so that a second tab does not spoil the first one's form.
        token = request.scope[COOKIES].get(cookies.form_name(caller.is_secure), "")
        if len(token) != len(secrets.token_urlsafe(32)) or not token.isascii():
            token = secrets.token_urlsafe(32)
        page = signin_pages.sign_in_page(
            await self._around(), token=token, wanted=wanted, email=email[:LONGEST_EMAIL], fault=fault
        )
        answer = HTMLResponse(page, status_code=status)
        if retry_after is not None:
            answer.headers["retry-after"] = str(retry_after)
        return _with_form_cookie(answer, token, caller)

    def _first_page(self, opened: SignedIn, wanted: str) -> str:
        """The page that was wanted; where none was, the one that the person begins at."""
        if wanted != "/":
            return wanted
        with self._database.read() as connection:
            return safe_next(saved_views.start_address(connection, opened.person_id))

    async def _around(self) -> House:
        started = time.monotonic()
        if self._house is None or started - self._house[0] > HOUSE_SECONDS:
            now = self._clock()

            def read() -> House:
                with self._database.read() as connection:
                    ours = organisation.current(connection, now)
                return House(ours.name, self._address, self._version, ours.simulated)

            self._house = (started, await asyncio.to_thread(read))
        return self._house[1]

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._comparisons, work)
        finally:
            self._waiting -= 1


def _caller(request: Request) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


def _session_cookie(request: Request) -> str | None:
    value: str | None = request.scope[COOKIES].get(cookies.session_name(_caller(request).is_secure))
    return value


def _opened(opened: SignedIn, wanted: str, caller: Caller) -> Response:
    answer = RedirectResponse(wanted, status_code=303)
    for cookie in _session_cookies(opened, caller):
        answer.headers.append("set-cookie", cookie)
    return answer


def _session_cookies(opened: SignedIn, caller: Caller) -> Sequence[str]:
    return (
        cookies.for_session(opened.session_id, caller.is_secure),
        cookies.for_csrf(opened.csrf_token, caller.is_secure),
    )


def _with_form_cookie(answer: Response, token: str, caller: Caller) -> Response:
    answer.headers.append("set-cookie", cookies.for_form(token, caller.is_secure))
    return answer


def _span(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{ceil(seconds / 60)} minutes"
