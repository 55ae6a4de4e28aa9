"""A client that sends an ASGI application exactly the bytes a test names: no library tidies the path up first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

HOST = "localhost:8050"
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names in lower case; `cookies` are the Set-Cookie headers by name, whole."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    text: str


@dataclass(slots=True)
class Browser:
    """Keeps cookies, sends Host, Origin and what browsers send beside them."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = HOST
    client: str = "127.0.0.1"
    scheme: str = "http"

    def get(self, target: str, **headers: str) -> Answer:
        return self.ask("GET", target, PAGE | headers)

    def post_form(self, target: str, fields: dict[str, str], **headers: str) -> Answer:
        sent = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": f"{self.scheme}://{self.host}",
            "sec-fetch-site": "same-origin",
        }
        return self.ask("POST", target, PAGE | sent | headers, (urlencode(fields).encode(),))

    def ask(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: Sequence[bytes] = (b"",)
    ) -> Answer:
        """One request; `target` goes out as it is. A header that is empty is left out."""
        return asyncio.run(self._ask(method, target, headers or {}, body))

    async def _ask(self, method: str, target: str, headers: dict[str, str], body: Sequence[bytes]) -> Answer:
        scope = self._scope("http", target, headers) | {"method": method}
        chunks = [
            {"type": "http.request", "body": part, "more_body": place < len(body) - 1}
            for place, part in enumerate(body)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return chunks.pop(0) if chunks else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        text = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        pairs = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
        set_cookies = {value.split("=", 1)[0]: value for name, value in pairs if name == "set-cookie"}
        for name, value in set_cookies.items():
            parsed = SimpleCookie(value)[name]
            if parsed["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = parsed.value
        return Answer(start["status"], dict(pairs), set_cookies, text.decode("utf-8", "replace"))

    def open_socket(self, target: str, **headers: str) -> list[Any]:
        """What the application sends during a handshake: accepted or closed."""

        async def run() -> list[Any]:
            scope = self._scope("websocket", target, headers) | {"subprotocols": []}
            incoming: list[Any] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
            sent: list[Any] = []

            async def receive() -> Any:
                return incoming.pop(0)

            async def send(message: Any) -> None:
                sent.append(message)

            await self.app(scope, receive, send)
            return sent

        return asyncio.run(run())

    def _scope(self, kind: str, target: str, headers: dict[str, str]) -> dict[str, Any]:
        raw, _, query = target.partition("?")
        pairs: Iterable[tuple[str, str]] = ({"host": self.host} | headers).items()
        sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in pairs if value]
        if self.cookies and "cookie" not in headers:
            sent.append((b"cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()).encode()))
        scheme = self.scheme if kind == "http" else self.scheme.replace("http", "ws")
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": scheme,
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw.encode(),
            "query_string": query.encode("latin-1"),
            "headers": sent,
            "client": (self.client, 50_000),
            "server": ("127.0.0.1", 8050),
            "root_path": "",
        }
