"""Scripts, styles and the layout go over the wire compressed, and are compressed once, not once a request."""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from hashlib import blake2b

from dash import Dash
from dash.fingerprint import check_fingerprint
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SUITES = "/_dash-component-suites/"
PREFIXES = ("/assets/", SUITES, "/_dash-layout", "/_dash-dependencies")
TYPES = ("text/", "application/javascript", "application/json", "image/svg+xml")
SMALLEST = 1_024
MOST_BYTES = 32 * 1024 * 1024
LEVEL = 9


class Registered:
    """ASGI middleware: a file of a component that Dash did not register is not found. Dash itself answers 500."""

    def __init__(self, app: ASGIApp, dash: Dash) -> None:
        self._app = app
        self._dash = dash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is there."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(SUITES) and not self._is_there(path.removeprefix(SUITES)):
            await JSONResponse({"error": "there is no such file"}, 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_there(self, rest: str) -> bool:
        package, _, file = rest.partition("/")
        return check_fingerprint(file)[0] in self._dash.registered_paths.get(package, ())


class Compressed:
    """ASGI middleware. Holds what it compressed by content, the least used dropped beyond 32 MB."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self.compressions = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only GET of what is the same for everybody; anything personal passes untouched."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PREFIXES):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if "gzip" not in asked.get("accept-encoding", "") or "range" in asked:
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                assert start is not None
                await self._answer(start, bytes(body), send)

        await self._app(scope, receive, collect)

    async def _answer(self, start: Message, body: bytes, send: Send) -> None:
        headers = MutableHeaders(raw=start["headers"])
        headers.add_vary_header("Accept-Encoding")
        fits = headers.get("content-type", "").startswith(TYPES) and "content-encoding" not in headers
        if start["status"] == 200 and fits and len(body) >= SMALLEST:
            body = await self._packed(body)
            headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
            if "etag" in headers and not headers["etag"].startswith("W/"):
                headers["ETag"] = f"W/{headers['etag']}"
            del headers["accept-ranges"]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    async def _packed(self, body: bytes) -> bytes:
        key = blake2b(body, digest_size=16).digest()
        packed = self._kept.get(key)
        if packed is None:
            self.compressions += 1
            packed = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
            if key not in self._kept:
                self._kept[key] = packed
                self._bytes += len(packed)
            while self._bytes > MOST_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        else:
            self._kept.move_to_end(key)
        return packed
