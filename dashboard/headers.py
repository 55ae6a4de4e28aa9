"""The headers that every answer carries, so that a browser believes only us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

# Mantine and Plotly write style elements, so `style-src` cannot do without 'unsafe-inline'.
_CSP = (
    "default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " connect-src 'self'; worker-src 'self' blob:; font-src 'self' data:; object-src 'none'; base-uri 'self';"
    " form-action 'self'; frame-ancestors 'none'"
)
_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
# A form on a page without any referrer is sent with `Origin: null`; these pages carry the forms.
FORM_PAGES = frozenset({"/signin", "/signin/link", "/signin/company", "/signin/company/back", "/signout"})
YEAR = b"private, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds the headers to what an application sends, replacing its own where ours are stricter."""

    def __init__(self, csp_hashes: Callable[[], Sequence[str]], *, has_tls: bool) -> None:
        self._csp_hashes = csp_hashes
        self._has_tls = has_tls

    def around(self, send: Send, scope: Mapping[str, Any], *, is_signed: bool) -> Send:
        """A `send` that completes the start of the answer and passes the rest on."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._completed(list(message.get("headers", ())), scope, is_signed)
            await send(message)

        return completed

    def _completed(
        self, headers: list[tuple[bytes, bytes]], scope: Mapping[str, Any], is_signed: bool
    ) -> list[tuple[bytes, bytes]]:
        given = {name.lower(): value for name, value in headers}
        is_page = given.get(b"content-type", b"").startswith(b"text/html")
        hashes = "".join(f" {one}" for one in _quoted(self._csp_hashes())) if is_page else ""
        referrer = b"same-origin" if scope["path"] in FORM_PAGES else b"no-referrer"
        ours = [
            *_FIXED,
            (b"content-security-policy", _CSP.format(hashes=hashes).encode("latin-1")),
            (b"referrer-policy", referrer),
        ]
        if self._has_tls:
            ours.append(_HSTS)
        caching = _caching(given, scope, is_signed)
        if caching is not None:
            ours.append((b"cache-control", caching))
        replaced = {name for name, _ in ours} | {b"server", b"x-powered-by"}
        return [(name, value) for name, value in headers if name.lower() not in replaced] + ours


def _quoted(hashes: Sequence[str]) -> list[str]:
    return [one if one.startswith("'") else f"'{one}'" for one in hashes]


def _caching(given: Mapping[bytes, bytes], scope: Mapping[str, Any], is_signed: bool) -> bytes | None:
    """None = leave what the application said."""
    path = scope["path"]
    if path.startswith("/_dash-component-suites/"):
        return None
    if path.startswith("/assets/"):
        # Dash names the state of the file in the address; without that the browser asks each time.
        return YEAR if is_signed and b"m=" in scope.get("query_string", b"") else b"no-cache"
    return b"no-store"
