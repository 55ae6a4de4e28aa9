"""A company's sign-on server on loopback, for tests: a mock, whose tokens can be twisted on their way."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import oidc_provider_mock
import requests
from authlib.jose import RSAKey as SmallKey
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from tests.asgi import Answer, Browser

Claims = dict[str, Any]
Twist = Callable[[Claims], str | None]


class Company:
    """Runs at `issuer`; `twist` may change the claims in place, or answer a whole token of its own.

    `asked` holds what was sent to each endpoint. `keys` can be renewed, as companies do.
    """

    def __init__(self) -> None:
        self._app = oidc_provider_mock.app(require_nonce=True)
        with self._app.test_request_context():
            self._app.preprocess_request()
            # It reads its key anew for every token, which takes half a second at 2048 bits; ours signs what we see.
            flask.g.oidc_provider_mock_storage.jwk = SmallKey.generate_key(1024, is_private=True)
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.twist: Twist = lambda claims: None
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.said: Callable[[dict[str, Any]], None] = lambda published: None
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.issuer = ""

    def sign(self, claims: Claims, **header: str) -> str:
        """A token signed with the company's key of today."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or "", **header}, claims, self.key)

    def user(self, subject: str, **claims: Any) -> None:
        """Somebody who works there."""
        requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=5).raise_for_status()

    def consent(self, address: str, subject: str, *, action: str = "") -> str:
        """The address that the company sends a person back to, after they said yes there."""
        data = {"sub": subject, **({"action": action} if action else {})}
        answer = requests.post(address, data=data, allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _Body(body)
        self.asked.append((path, parse_qs(environ.get("QUERY_STRING", "")) | parse_qs(body.decode("utf-8", "replace"))))
        if path in self.broken:
            status, content = self.broken[path]
            start_response(f"{status} X", [("Content-Type", "application/json")])
            return [content]
        if method == "GET" and path == "/jwks":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(KeySet([self.key]).as_dict()).encode()]
        sent: list[Any] = []
        content = b"".join(self._app(environ, lambda *given: sent.append(given)))
        status, headers = sent[0][0], [pair for pair in sent[0][1] if pair[0].lower() != "content-length"]
        if status.startswith("200") and path == "/oauth2/token":
            content = self._twisted(json.loads(content))
        if status.startswith("200") and path.endswith("openid-configuration"):
            published = json.loads(content)
            self.said(published)
            content = json.dumps(published).encode()
        start_response(status, headers)
        return [content]

    def _twisted(self, given: dict[str, Any]) -> bytes:
        claims = json.loads(jws.extract_compact(given["id_token"].encode()).payload)
        own = self.twist(claims)
        return json.dumps({**given, "id_token": self.sign(claims) if own is None else own}).encode()


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        size = len(self._content) if size is None or size < 0 else size
        part, self._content = self._content[:size], self._content[size:]
        return part

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


@contextmanager
def running() -> Iterator[Company]:
    """The company's server, until the block ends. It serves plain http, which only a test may."""
    company = Company()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("localhost", 0, company, threaded=True)
    company.issuer = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield company
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def sent_back(browser: Browser, company: Company, subject: str, wanted: str = "/") -> str:
    """The path that the company sends the browser to, which began at our page."""
    answer = browser.get(f"/signin/company?next={wanted}")
    assert answer.status == 303, answer
    back = urlsplit(company.consent(answer.headers["location"], subject))
    return f"{back.path}?{back.query}"


def signed_on(browser: Browser, company: Company, subject: str, wanted: str = "/") -> Answer:
    """The whole way: out to the company, back, and what we answer."""
    return browser.get(sent_back(browser, company, subject, wanted))
