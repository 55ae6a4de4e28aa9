"""The gate before everything: nobody passes, over HTTP or WebSocket, whom `rights.py` does not let pass."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, quote

from sqlalchemy.exc import SQLAlchemyError

from dashboard import cookies, rights
from dashboard.callback_request import check_callback
from dashboard.caller import Caller, Callers, is_same_origin
from dashboard.headers import SecurityHeaders
from dashboard.notice import notice_page
from dashboard.refusal import Refused
from dashboard.sessions import Sessions
from models.errors import AccessDenied
from models.identity import Signed
from models.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1_048_576
# Mail and password need little; what is larger is refused before anything is computed.
LARGEST_FORM = 16_384
LONGEST_PATH = 2_048
LONGEST_QUERY = 8_192
LARGEST_HEADERS = 32_768
BODY_SECONDS = 20
MOST_FIELDS = 20
CALLBACK_PATH = "/_dash-update-component"
# Asked for by machines that know no host name of ours.
HEALTH = frozenset({"/healthz", "/readyz"})
SAFE = frozenset({"GET", "HEAD"})

# Where the gate leaves what it knows about a request, for the routes behind it.
CALLER = "watchfloor.caller"
FORM = "watchfloor.form"
COOKIES = "watchfloor.cookies"

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_log = logging.getLogger(__name__)
_signed: ContextVar[Signed | None] = ContextVar("watchfloor_signed", default=None)


def current() -> Signed:
    """Who is behind this request or socket: in routes, callbacks and threads. AccessDenied where nobody is."""
    signed = _signed.get()
    if signed is None:
        raise AccessDenied("nobody is signed in; open the sign-in page")
    return signed


def somebody() -> Signed | None:
    """As `current`, None where nobody is signed in: for the pages that are open."""
    return _signed.get()


class Gate:
    """Wraps the whole application, so that its error pages carry the headers too.

    `csp_hashes` gives the hashes of the page's inline scripts, asked for at every HTML answer; `callbacks` is Dash's
    callback map.
    """

    def __init__(
        self,
        app: Application,
        *,
        sessions: Sessions,
        settings: Settings,
        csp_hashes: Callable[[], Sequence[str]] = tuple,
        callbacks: Mapping[str, Any] | None = None,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._callers = Callers(settings)
        self._headers = SecurityHeaders(csp_hashes, has_tls=settings.public_url.startswith("https:"))
        self._callbacks = callbacks if callbacks is not None else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[str, str] = {}
        signed: Signed | None = None
        try:
            headers = _checked_headers(scope)
            caller = self._caller(scope, headers)
            signed = await self._known(headers, caller)
            receive = await self._admitted(scope, receive, headers, caller, signed)
        except Refused as refusal:
            send = self._headers.around(send, scope, is_signed=signed is not None)
            await _refuse(refusal, scope, headers, send)
            return
        send = self._headers.around(send, scope, is_signed=signed is not None)
        if signed is not None and _lacks_token(scope, signed):
            send = _with_cookie(send, cookies.for_csrf(signed.csrf_token, caller.is_secure))
        token = _signed.set(signed)
        try:
            await self._app(scope, receive, send)
        finally:
            _signed.reset(token)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = _checked_headers(scope)
            caller = self._caller(scope, headers)
            right = rights.SOCKETS.get(scope["path"])
            # Browsers send Origin with every handshake, and cookies with those of foreign pages.
            if right is None or not is_same_origin(headers, caller):
                raise Refused(403, "this socket is not for you")
            signed = await self._known(headers, caller)
            if signed is None or not signed.access.may(right):
                raise Refused(403, "this socket is not for you")
        except Refused:
            # Closing before accepting makes the server answer 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        token = _signed.set(signed)
        try:
            await self._app(scope, receive, send)
        finally:
            _signed.reset(token)

    def _caller(self, scope: Scope, headers: Mapping[str, str]) -> Caller:
        caller = self._callers.caller(scope, headers)
        if caller is None:
            if scope["path"] in HEALTH:
                return Caller((scope.get("client") or ("", 0))[0], "http", "")
            raise Refused(400, "this server does not answer to that host; an administrator sets WATCHFLOOR_PUBLIC_URL")
        scope[CALLER] = caller
        scope[COOKIES] = cookies.parsed(headers.get("cookie", ""))
        return caller

    async def _known(self, headers: Mapping[str, str], caller: Caller) -> Signed | None:
        session_id = cookies.parsed(headers.get("cookie", "")).get(cookies.session_name(caller.is_secure), "")
        if not _SESSION_ID.fullmatch(session_id):
            return None
        try:
            return await self._sessions.find(session_id)
        except SQLAlchemyError as error:
            _log.error("event=session_lookup_failed error=%s", type(error).__name__)
            raise Refused(503, "the database does not answer; try again in a moment") from error

    async def _admitted(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], caller: Caller, signed: Signed | None
    ) -> Receive:
        """What the application reads the body from, once the request may pass. Refused otherwise."""
        path, method = scope["path"], scope["method"]
        route = rights.route_for(path)
        if route is None or route.right != rights.OPEN:
            if signed is None:
                raise Refused(401, "sign in first", sign_in_for=_wanted(scope))
            if route is None:
                raise Refused(404, "there is no such page")
            if not signed.access.may(route.right):
                raise Refused(403, f"this needs the right “{route.right}”; ask an administrator for it")
        if method not in route.methods:
            raise Refused(405, f"{method} is not for this address", headers={"Allow": ", ".join(sorted(route.methods))})
        if method in SAFE:
            return _bodiless(receive)
        if not is_same_origin(headers, caller):
            raise Refused(403, "this request came from another site")
        is_open = route.right == rights.OPEN
        body = await _body(receive, headers, LARGEST_FORM if is_open else LARGEST_BODY)
        form = _form(body, headers)
        if is_open:
            expected = scope[COOKIES].get(cookies.form_name(caller.is_secure), "")
            if form is None:
                raise Refused(415, "send the form as application/x-www-form-urlencoded")
        else:
            expected = signed.csrf_token if signed else ""
        given = headers.get("x-csrftoken") or (form or {}).get("csrf_token", "")
        if not expected or not hmac.compare_digest(
            given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")
        ):
            raise Refused(403, "this page is out of date; load it again", way_back="/signin" if is_open else "/")
        scope[FORM] = form or {}
        if path == CALLBACK_PATH and signed is not None:
            check_callback(body, headers, signed.access, self._callbacks)
        return _replayed(body, receive)


def _lacks_token(scope: Scope, signed: Signed) -> bool:
    """True where a page is asked for by a browser that lost the token its changes must carry."""
    return bool(
        scope["method"] in SAFE
        and rights.is_page(scope["path"])
        and scope[COOKIES].get(cookies.CSRF) != signed.csrf_token
    )


def _checked_headers(scope: Scope) -> dict[str, str]:
    """Names in lower case. Refused for a path, a query or headers that no honest client sends."""
    pairs: list[tuple[bytes, bytes]] = scope.get("headers", [])
    if sum(len(name) + len(value) for name, value in pairs) > LARGEST_HEADERS:
        raise Refused(431, "the headers are too large; clear the cookies of this site")
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers and name in ("host", "content-length", "origin", "x-csrftoken", "content-type"):
            raise Refused(400, f"the header {name} came twice")
        joiner = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joiner}{value}" if name in headers else value
    path: str = scope["path"]
    if len(path) > LONGEST_PATH or len(scope.get("query_string", b"")) > LONGEST_QUERY:
        raise Refused(414, "the address is too long")
    segments = path.split("/")
    is_strange = not path.startswith("/") or "//" in path or "\\" in path or not path.isprintable()
    if is_strange or "." in segments or ".." in segments:
        raise Refused(400, "this is no address of ours")
    return headers


def _wanted(scope: Scope) -> str:
    """The address to come back to after signing in."""
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = quote(scope["path"]) + (f"?{query}" if query else "")
    return "" if wanted == "/" else wanted


async def _body(receive: Receive, headers: Mapping[str, str], largest: int) -> bytes:
    """The whole body, counted while it comes: a stream may be longer than it said, or say nothing."""
    said = headers.get("content-length")
    if said is not None and not (said.isascii() and said.isdigit()):
        raise Refused(400, "the header content-length is no number")
    if said is not None and int(said[:20]) > largest:
        raise Refused(413, f"the body is larger than {largest} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the body ended early")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > largest:
                    raise Refused(413, f"the body is larger than {largest} bytes")
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {BODY_SECONDS} s") from None


def _form(body: bytes, headers: Mapping[str, str]) -> dict[str, str] | None:
    """The fields of a form, the first of each name; None where the body is none."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, "the form cannot be read") from error
    return {name: values[0] for name, values in fields.items()}


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


def _bodiless(receive: Receive) -> Receive:
    """What the application reads from for a request that has no body by right: whatever comes is dropped."""
    is_first = True

    async def nothing() -> Message:
        nonlocal is_first
        if is_first:
            is_first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return message

    return nothing


def _with_cookie(send: Send, cookie: str) -> Send:
    async def with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"set-cookie", cookie.encode("latin-1"))]
        await send(message)

    return with_cookie


async def _refuse(refusal: Refused, scope: Scope, headers: Mapping[str, str], send: Send) -> None:
    wants_page = scope["method"] in SAFE | rights.CHANGE and "text/html" in headers.get("accept", "")
    extra = dict(refusal.headers)
    status, kind = refusal.status, "application/json"
    if refusal.status == 401 and wants_page and scope["method"] in SAFE:
        status, body = 303, b""
        wanted = refusal.sign_in_for
        extra["Location"] = f"/signin?next={quote(wanted, safe='/')}" if wanted else "/signin"
    elif wants_page:
        kind, body = "text/html; charset=utf-8", notice_page(refusal.sentence, refusal.way_back).encode()
    else:
        body = refusal.as_json()
    if refusal.status in (408, 413):
        # Part of the body may still be on its way; the next request must not begin in the middle of it.
        extra["Connection"] = "close"
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in extra.items()]
    raw += [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
