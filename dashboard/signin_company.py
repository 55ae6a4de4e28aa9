"""Signing in at the company's: authorization code with PKCE, a nonce, and a state bound to the browser that began.

The browser keeps a secret in a short-lived cookie; the state is a random part and the hash of both, so that who only
sees an address cannot finish what another began. Each state is a row that is taken once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard import cookies, oidc, signin_pages
from dashboard.gate import COOKIES, somebody
from dashboard.notice import notice_page
from dashboard.oidc import Examined
from dashboard.oidc_provider import Provider, ProviderError
from dashboard.signin_desk import DONE, Desk, caller_of, opened_at, safe_next, session_cookie
from models import organisation, signon
from models.access import ADMIN
from models.errors import InputError
from models.signon import Entered, Flow
from models.throttle import Limit, Throttle

BACK = "/signin/company/back"
TEST = "/signin/company/test"
LONGEST_CODE = 4_000
MOST_WAITING = 16
# An office behind one address begins many; who begins thousands is no office.
FLOWS = Limit(free=60, first_seconds=2, longest_seconds=300)

_BINDING = re.compile(r"[A-Za-z0-9_-]{43}")
_log = logging.getLogger(__name__)


def add_routes(routes: APIRouter, desk: Desk, provider: Provider) -> None:
    """`/signin/company` and below it."""
    company = _Company(desk, provider)
    routes.add_api_route("/signin/company", company.leave, methods=["GET", "HEAD"])
    routes.add_api_route(BACK, company.back, methods=["GET", "HEAD"])
    routes.add_api_route(TEST, company.about, methods=["GET", "HEAD"])
    routes.add_api_route("/signin/company/try", company.try_it, methods=["GET", "HEAD"])


class _Company:
    def __init__(self, desk: Desk, provider: Provider) -> None:
        # Threads of its own: a company's server that hangs must not keep the local administrator out.
        self._desk = Desk(
            desk.database,
            desk.settings,
            desk.sessions,
            "",
            Throttle(account=FLOWS, address=FLOWS),
            desk.clock,
            threads=4,
        )
        self._front = desk
        self._provider = provider
        self._settings = desk.settings
        self._back = f"{desk.settings.address}{BACK}"

    async def leave(self, request: Request) -> Response:
        """On to the company's; back at the form, with the reason, where its server does not answer."""
        wanted = safe_next(request.query_params.get("next", ""))
        return await self._leave(request, DONE if request.query_params.get("over") == "1" else wanted, wanted)

    async def try_it(self, request: Request) -> Response:
        """The same as a test: what comes back is shown, and nobody is signed in by it."""
        return await self._leave(request, TEST, "/")

    async def _leave(self, request: Request, next_path: str, wanted: str) -> Response:
        if not self._settings.has_company_signon:
            return HTMLResponse(notice_page("company sign-on is not set up here", "/signin"), status_code=404)
        caller, now, desk = caller_of(request), self._desk.clock(), self._desk
        wait = ceil(desk.throttle.begin(caller.address, caller.address, now))
        if wait > 0 or desk.waiting >= MOST_WAITING:
            fault = "Too many people are signing in at this moment. Try again in a minute."
            return await self._front.form(request, wanted=wanted, fault=fault, status=429, retry_after=max(wait, 5))
        binding = request.scope[COOKIES].get(cookies.flow_name(caller.is_secure), "")
        if not _BINDING.fullmatch(binding):
            binding = secrets.token_urlsafe(32)
        state, nonce, verifier = new_state(binding), secrets.token_urlsafe(32), secrets.token_urlsafe(48)

        def begin() -> str:
            address = self._provider.address(state=state, nonce=nonce, code_verifier=verifier, back=self._back)
            with desk.database.write() as connection:
                signon.begin(connection, state, nonce=nonce, code_verifier=verifier, next_path=next_path, now=now)
            return address

        try:
            address = await desk.in_thread(begin)
        except (ProviderError, InputError) as error:
            _log.warning("event=company_signon_unreachable reason=%s", error)
            fault = f"Company sign-on does not work at this moment: {error}. Try again, or use a local account."
            return await self._front.form(request, wanted=wanted, fault=fault, status=503)
        answer = RedirectResponse(address, status_code=303)
        answer.headers.append("set-cookie", cookies.for_flow(binding, caller.is_secure))
        return answer

    async def back(self, request: Request) -> Response:
        """Somebody comes back: believed only where the state is this browser's, the flow open, every claim right."""
        if not self._settings.has_company_signon:
            return HTMLResponse(notice_page("company sign-on is not set up here", "/signin"), status_code=404)
        given, caller, now = request.query_params, caller_of(request), self._desk.clock()
        binding = request.scope[COOKIES].get(cookies.flow_name(caller.is_secure), "")
        if not is_state_of(given.get("state", ""), binding):
            fault = "This sign-in was begun in another browser, or too long ago. Begin again."
            return await self._front.form(request, wanted="/", fault=fault, status=400)
        if self._desk.waiting >= MOST_WAITING:
            fault = "Too many people are signing in at this moment. Try again in a few seconds."
            return await self._front.form(request, wanted="/", fault=fault, status=503, retry_after=5)

        def take() -> Flow | None:
            with self._desk.database.write() as connection:
                return signon.take(connection, given["state"], now)

        flow = await self._desk.in_thread(take)
        if flow is None:
            fault = "This sign-in was used already, or took longer than ten minutes. Begin again."
            return await self._front.form(request, wanted="/", fault=fault, status=400)
        if flow.next_path == TEST:
            return await self._report(dict(given), flow, now)
        return await self._finish(request, dict(given), flow, now)

    async def _finish(self, request: Request, given: Mapping[str, str], flow: Flow, now: datetime) -> Response:
        caller, previous = caller_of(request), session_cookie(request)

        def enter() -> tuple[Entered, str]:
            found, reason = self._examined(given, flow, now)
            with self._desk.database.write() as connection:
                if found is None or found.claimed is None:
                    reason = reason or (found.fault if found else "")
                    signon.refuse(connection, reason, address=caller.address, now=now)
                    return Entered(None, reason), "/"
                entered = signon.enter(
                    connection,
                    found.claimed,
                    organisation.current(connection, now),
                    groups=self._settings.oidc_groups,
                    may_link=self._settings.oidc_link_invited,
                    address=caller.address,
                    now=now,
                    previous=previous,
                )
            opened = entered.opened
            return entered, flow.next_path if opened is None else self._desk.first_page(opened, flow.next_path)

        entered, page = await self._desk.in_thread(enter)
        if entered.opened is None:
            _log.warning("event=company_signon_refused reason=%s", entered.reason)
            wanted = "/" if flow.next_path == DONE else flow.next_path
            fault = f"Company sign-on did not let you in: {entered.reason}."
            return await self._front.form(request, wanted=wanted, fault=fault, status=401)
        self._desk.throttle.succeeded(caller.address, caller.address)
        return opened_at(entered.opened, page, caller)

    def _examined(self, given: Mapping[str, str], flow: Flow, now: datetime) -> tuple[Examined | None, str]:
        """What the token says, or why there is none."""
        settings, provider = self._settings, self._provider
        if "error" in given:
            is_no = given["error"] == "access_denied"
            return None, "it was cancelled, or the company refused" if is_no else f"the company says “{_word(given)}”"
        code, issuer = given.get("code", ""), given.get("iss")
        if not code or len(code) > LONGEST_CODE:
            return None, "the company sent no code"
        try:
            # Who answers must be who was asked, where it says so: else a second server could slip its code in.
            if issuer != settings.oidc_issuer and (issuer is not None or provider.published().says_issuer):
                return None, "iss: another server than the company's answered"
            tokens = provider.exchange(code, code_verifier=flow.code_verifier, back=self._back)
            header = oidc.header(tokens.id_token)
            keys = provider.keys(header.kid if header is not None else "")
            wanted = oidc.Wanted(
                settings.oidc_issuer,
                settings.oidc_client_id,
                flow.nonce,
                tokens.access_token,
                settings.oidc_groups_claim,
                now,
            )
            found = oidc.examine(tokens.id_token, keys, {}, wanted)
            is_short = found.claimed is not None and (
                found.claimed.email is None or (settings.oidc_groups and found.claimed.groups is None)
            )
            if is_short:
                found = oidc.examine(tokens.id_token, keys, provider.about(tokens.access_token), wanted)
        except ProviderError as error:
            return None, str(error)
        return found, ""

    async def about(self) -> Response:
        """For administrators: what is set up, whether the company's server answers, and the way to try it."""
        settings = self._settings
        rows = [
            ("Issuer", settings.oidc_issuer or "not set (WATCHFLOOR_OIDC_ISSUER)", ""),
            ("Client", settings.oidc_client_id or "not set (WATCHFLOOR_OIDC_CLIENT_ID)", ""),
            ("Client secret", "set" if settings.oidc_client_secret.get_secret_value() else "none", ""),
            ("Address to register there", self._back, ""),
            ("Groups to roles", _pairs(settings.oidc_groups) or "none", ""),
            ("First link of invited people by verified email", "yes" if settings.oidc_link_invited else "no", ""),
            ("Passwords", "only the break-glass administrator" if settings.oidc_required else "local accounts too", ""),
        ]
        if settings.has_company_signon:
            try:
                published = await self._desk.in_thread(self._provider.published)
                keys = await self._desk.in_thread(lambda: self._provider.keys(""))
                rows.append(("The company's server", f"answers; tokens from {published.token}", ""))
                rows.append(("Its keys", ", ".join(key.kid or key.key_type for key in keys) or "none", ""))
            except ProviderError as error:
                rows.append(("The company's server", "", str(error)))
        house = await self._front.around()
        return HTMLResponse(signin_pages.test_page(house, rows=rows, can_try=settings.has_company_signon))

    async def _report(self, given: Mapping[str, str], flow: Flow, now: datetime) -> Response:
        signed = somebody()
        if signed is None or not signed.access.may(ADMIN):
            return HTMLResponse(notice_page("a test of the sign-on is for administrators", "/signin"), status_code=403)

        def look() -> list[tuple[str, str, str]]:
            found, reason = self._examined(given, flow, now)
            if found is None:
                return [("Company sign-on", "", reason)]
            rows = [(check.name, check.seen, check.fault) for check in found.checks]
            return rows + self._would(found, now)

        rows = await self._desk.in_thread(look)
        return HTMLResponse(signin_pages.test_page(await self._front.around(), rows=rows, can_try=True))

    def _would(self, found: Examined, now: datetime) -> list[tuple[str, str, str]]:
        """Whom it would sign in, and with which roles by group."""
        if found.claimed is None:
            return []
        settings = self._settings
        with self._desk.database.read() as connection:
            row = signon.linked(connection, found.claimed)
            how, reason = "linked", ""
            if row is None:
                row, reason = signon.may_be_linked(
                    connection, found.claimed, may_link=settings.oidc_link_invited, now=now
                )
                how = "would be linked now"
            grants = signon.granted(found.claimed.groups, settings.oidc_groups, organisation.current(connection, now))
        roles = ", ".join(f"{grant.role} ({', '.join(named)})" for grant, named in grants.items())
        who = f"{row.name}, {row.email}: {how}" if row is not None else ""
        return [("Person", who, reason), ("Roles by group", roles or "none", "")]


def new_state(binding: str) -> str:
    """A state that only the browser with this secret can bring back."""
    part = secrets.token_urlsafe(24)
    return f"{part}.{_bound(part, binding)}"


def is_state_of(state: str, binding: str) -> bool:
    """Whether a state belongs to the browser with this secret."""
    part, dot, bound = state.partition(".")
    if not dot or not _BINDING.fullmatch(binding) or not state.isascii():
        return False
    return hmac.compare_digest(bound, _bound(part, binding))


def _bound(part: str, binding: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(f"{part}:{binding}".encode()).digest()).decode().rstrip("=")


def _word(given: Mapping[str, Any]) -> str:
    return re.sub(r"[^A-Za-z0-9_. -]", "", str(given["error"]))[:64]


def _pairs(groups: Mapping[str, str]) -> str:
    return ", ".join(f"{group} = {role}" for group, role in sorted(groups.items()))
