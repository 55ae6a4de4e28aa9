"""Signing in and out: plain forms outside Dash. The gate has checked origin, size and token before these run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from dashboard import cookies, signin_company, signin_pages
from dashboard.gate import FORM, current, somebody
from dashboard.oidc_provider import Provider
from dashboard.sessions import Sessions
from dashboard.signin_desk import (
    DONE,
    Desk,
    caller_of,
    form_token,
    opened_at,
    safe_next,
    session_cookie,
    with_form_cookie,
    with_session,
)
from models import identity
from models.database import Database
from models.identity import SignedIn
from models.people import normal_email
from models.settings import Settings
from models.throttle import Throttle

WRONG = "That email and password do not go together. Check both, or ask an administrator for a sign-in link."
ONLY_COMPANY = "That is not the way in. Continue with company sign-on, or ask an administrator for a sign-in link."
EMPTY = "Give your email and your password."
BUSY = "Too many people are signing in at this moment. Try again in a few seconds."
# A comparison takes 64 MB and 50 ms: two at a time, and a queue that is soon full, so that nobody is kept from working
# by somebody who guesses.
COMPARISONS = 2
MOST_WAITING = 16


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of mail and password: a session and its person's mail, or what was wrong."""

    email: str
    opened: SignedIn | None = None
    fault: str = ""
    status: int = 200
    retry_after: int | None = None


def router(
    database: Database,
    settings: Settings,
    sessions: Sessions,
    *,
    version: str,
    throttle: Throttle | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    provider: Provider | None = None,
) -> APIRouter:
    """`/signin` and below it, `/signout`. `throttle` and `provider` are one for the process."""
    desk = Desk(database, settings, sessions, version, throttle or Throttle(), clock, threads=COMPARISONS)
    local = _Local(desk)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/signin", local.form, methods=["GET", "HEAD"])
    routes.add_api_route("/signin", local.sign_in, methods=["POST"])
    routes.add_api_route("/signin/over", local.about_over, methods=["GET", "HEAD"])
    routes.add_api_route("/signin/over", local.over, methods=["POST"])
    routes.add_api_route(DONE, local.done, methods=["GET", "HEAD"])
    routes.add_api_route("/signin/link", local.link, methods=["GET", "HEAD"])
    routes.add_api_route("/signin/link", local.use_link, methods=["POST"])
    routes.add_api_route("/signout", local.leaving, methods=["GET", "HEAD"])
    routes.add_api_route("/signout", local.sign_out, methods=["POST"])
    signin_company.add_routes(routes, desk, provider or Provider(settings))
    return routes


class _Local:
    """Mail and password, one-time links, and the way out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._may = identity.break_glass if desk.settings.oidc_required else None

    async def form(self, request: Request) -> Response:
        """The form; who is signed in already goes on."""
        wanted = safe_next(request.query_params.get("next", ""))
        if somebody() is not None:
            return RedirectResponse(wanted, status_code=303)
        return await self._desk.form(request, wanted=wanted)

    async def sign_in(self, request: Request) -> Response:
        """Compare mail and password: 303 to the wanted page, 401 with one message for every reason, 429, 503."""
        wanted = safe_next(request.scope[FORM].get("next", ""))
        tried = await self._try(request)
        if tried.opened is None:
            return await self._desk.form(
                request,
                wanted=wanted,
                email=tried.email,
                fault=tried.fault,
                status=tried.status,
                retry_after=tried.retry_after,
            )
        opened = tried.opened
        page = await self._desk.in_thread(lambda: self._desk.first_page(opened, wanted))
        return opened_at(opened, page, caller_of(request))

    async def about_over(self, request: Request) -> Response:
        """What a page needs to sign in over itself: who is signed in, the ways in, the token of the form.

        `lapsed` says that the session ended by time alone; otherwise the page is to be left.
        """
        desk, token, signed, before = self._desk, form_token(request), somebody(), session_cookie(request)
        house, now = await desk.around(), desk.clock()

        def look() -> bool:
            with desk.database.read() as connection:
                return identity.has_lapsed(connection, before or "", now)

        said = {
            "token": token,
            "email": signed.access.email if signed is not None else "",
            "lapsed": signed is None and before is not None and await desk.in_thread(look),
            "company": house.has_company,
            "only_company": house.needs_company,
        }
        return with_form_cookie(JSONResponse(said), token, caller_of(request))

    async def over(self, request: Request) -> Response:
        """As `sign_in`, for a page that stays open: who it is now, or what was wrong, as JSON."""
        tried = await self._try(request)
        if tried.opened is None:
            headers = {} if tried.retry_after is None else {"Retry-After": str(tried.retry_after)}
            return JSONResponse({"error": tried.fault}, tried.status, headers)
        return with_session(JSONResponse({"email": tried.email}), tried.opened, caller_of(request))

    async def done(self) -> Response:
        """Where a window ends that was opened for signing in: it tells the page behind it, and closes."""
        return HTMLResponse(signin_pages.done_page(await self._desk.around(), email=current().access.email))

    async def _try(self, request: Request) -> _Attempt:
        desk, form, caller = self._desk, request.scope[FORM], caller_of(request)
        email, password = form.get("email", "").strip(), form.get("password", "")
        if not email or not password:
            return _Attempt(email, fault=EMPTY, status=400)
        now = desk.clock()
        account = normal_email(email) or "(no email address)"
        if desk.waiting >= MOST_WAITING:
            return _Attempt(email, fault=BUSY, status=503, retry_after=5)
        wait = ceil(desk.throttle.begin(account, caller.address, now))
        if wait > 0:
            fault = f"Too many attempts. Try again in {span(wait)}."
            return _Attempt(email, fault=fault, status=429, retry_after=wait)
        previous = session_cookie(request)

        def compare() -> SignedIn | None:
            return identity.sign_in(
                desk.database, email, password, caller.address, now, previous=previous, may=self._may
            )

        opened = await desk.in_thread(compare)
        if opened is None:
            return _Attempt(email, fault=ONLY_COMPANY if desk.settings.oidc_required else WRONG, status=401)
        desk.throttle.succeeded(account, caller.address)
        return _Attempt(account, opened)

    async def link(self, request: Request) -> Response:
        """What the link would do, with the button that does it."""
        token = request.query_params.get("token", "")
        now = self._desk.clock()

        def find() -> identity.Link:
            with self._desk.database.read() as connection:
                return identity.find_link(connection, token, now)

        found, house = await self._desk.in_thread(find), await self._desk.around()
        if found.state != "valid":
            return HTMLResponse(signin_pages.link_fault_page(house, state=found.state), status_code=410)
        own_token = secrets.token_urlsafe(32)
        page = signin_pages.link_page(house, name=found.name, link=token, token=own_token)
        return with_form_cookie(HTMLResponse(page), own_token, caller_of(request))

    async def use_link(self, request: Request) -> Response:
        """Use the link up and open a session; of two simultaneous uses one gets it."""
        desk, caller = self._desk, caller_of(request)
        token, now, previous = request.scope[FORM].get("token", ""), desk.clock(), session_cookie(request)

        def use() -> tuple[SignedIn | None, identity.Link, str]:
            with desk.database.write() as connection:
                opened = identity.use_link(connection, token, caller.address, now, previous=previous)
                found = identity.find_link(connection, token, now)
            return opened, found, "/" if opened is None else desk.first_page(opened, "/")

        opened, found, page = await desk.in_thread(use)
        if opened is None:
            state = "used" if found.state == "valid" else found.state
            return HTMLResponse(signin_pages.link_fault_page(await desk.around(), state=state), status_code=410)
        return opened_at(opened, page, caller)

    async def leaving(self) -> Response:
        """One button, because a link must not sign anybody out."""
        signed = current()
        page = signin_pages.sign_out_page(await self._desk.around(), name=signed.access.name, token=signed.csrf_token)
        return HTMLResponse(page)

    async def sign_out(self, request: Request) -> Response:
        """End the session and have the browser forget it."""
        await self._desk.sessions.sign_out(current().session_hash)
        answer = RedirectResponse("/signin", status_code=303)
        for cookie in cookies.ended(caller_of(request).is_secure):
            answer.headers.append("set-cookie", cookie)
        return answer


def span(seconds: int) -> str:
    """ "12 seconds", "3 minutes"."""
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{ceil(seconds / 60)} minutes"


__all__ = ["router", "safe_next", "span"]
