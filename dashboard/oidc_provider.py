"""The company's sign-on server: what it says about itself, its keys, and the exchange of a code for a token.

Every call has a time limit and a size limit; every fault is a sentence. What it publishes is remembered for an hour,
its keys until a token names one that is not among them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from models.audit import shown
from models.errors import WatchfloorError
from models.settings import LOOPBACK, Settings

CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
# A server that sends a byte a second never times out.
LONGEST_SECONDS = 10.0
LARGEST_ANSWER = 1 << 20
REMEMBERED_SECONDS = 3_600.0
# A token with a made-up key must not make us ask the company each time.
KEYS_AGAIN_SECONDS = 10.0
METHODS = ("client_secret_basic", "client_secret_post")


class ProviderError(WatchfloorError):
    """The company's sign-on server does not answer, or not as it should; the message says what it did."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the server says about itself. `userinfo` is "" where it has none."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    methods: tuple[str, ...]
    says_issuer: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str
    access_token: str


class Provider:
    """One for a process; safe to use from several threads."""

    def __init__(self, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._published: tuple[float, Published] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None

    def address(self, *, state: str, nonce: str, code_verifier: str, back: str) -> str:
        """Where to send a person, who comes back to `back`. ProviderError."""
        published = self.published()
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": back,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(code_verifier),
            "code_challenge_method": "S256",
        }
        joined = "&" if urlsplit(published.authorization).query else "?"
        return f"{published.authorization}{joined}{urlencode(asked)}"

    def exchange(self, code: str, *, code_verifier: str, back: str) -> Tokens:
        """The tokens for a code, which the server gives once. ProviderError."""
        published, secret = self.published(), self._settings.oidc_client_secret.get_secret_value()
        method = next((one for one in METHODS if one in published.methods), METHODS[0]) if secret else "none"
        with OAuth2Session(
            self._settings.oidc_client_id,
            secret or None,
            token_endpoint_auth_method=method,
            default_timeout=(CONNECT_SECONDS, READ_SECONDS),
        ) as session:
            session.max_redirects = 0
            try:
                given = session.fetch_token(
                    published.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                    redirect_uri=back,
                )
            except OAuthError as error:
                said = error.error or "no reason"
                raise ProviderError(f"the company's server refused the code: {shown(said)}") from error
            except (requests.RequestException, ValueError, TypeError, KeyError) as error:
                raise ProviderError(f"the company's server did not exchange the code: {_plain(error)}") from error
        id_token, access_token = given.get("id_token"), given.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderError("the company's server sent no token that says who somebody is (id_token)")
        return Tokens(id_token, access_token)

    def about(self, access_token: str) -> Mapping[str, Any]:
        """The claims of the userinfo endpoint; empty where there is none, or where it says nothing of use."""
        published = self.published()
        if not published.userinfo:
            return {}
        try:
            return self._get(published.userinfo, {"Authorization": f"Bearer {access_token}"})
        except ProviderError:
            return {}

    def published(self) -> Published:
        """What the server says about itself, remembered for an hour. ProviderError."""
        now = self._monotonic()
        if self._published is not None and now - self._published[0] < REMEMBERED_SECONDS:
            return self._published[1]
        issuer = self._settings.oidc_issuer
        said = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise ProviderError(
                f"the company's server calls itself “{shown(str(said.get('issuer')))}”, settings say “{issuer}”"
            )
        methods = said.get("token_endpoint_auth_methods_supported")
        found = Published(
            authorization=self._endpoint(said, "authorization_endpoint"),
            token=self._endpoint(said, "token_endpoint"),
            keys=self._endpoint(said, "jwks_uri"),
            userinfo=self._endpoint(said, "userinfo_endpoint") if said.get("userinfo_endpoint") else "",
            methods=tuple(one for one in methods if isinstance(one, str)) if isinstance(methods, list) else METHODS[:1],
            says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        )
        self._published = (now, found)
        return found

    def keys(self, kid: str) -> tuple[Key, ...]:
        """The keys that the server signs with; asked for again when `kid` is not among them. ProviderError."""
        with self._lock:
            now = self._monotonic()
            if self._keys is not None:
                at, held = self._keys
                is_known = not kid or any(key.kid == kid for key in held)
                if now - at < (REMEMBERED_SECONDS if is_known else KEYS_AGAIN_SECONDS):
                    return held
            said = self._get(self.published().keys)
            listed = said.get("keys")
            usable = [
                one
                for one in (listed if isinstance(listed, list) else ())
                if isinstance(one, dict) and one.get("use", "sig") == "sig" and one.get("kty") != "oct"
            ]
            try:
                found = tuple(KeySet.import_key_set({"keys": usable}))
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise ProviderError(f"the keys of the company's server cannot be read: {_plain(error)}") from error
            self._keys = (now, found)
            return found

    def _endpoint(self, said: Mapping[str, Any], name: str) -> str:
        value = said.get(name)
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        own = urlsplit(self._settings.oidc_issuer)
        # Plain http only where the issuer itself is tried out on this machine.
        is_safe = parts.scheme == "https" or (own.scheme == "http" and parts.hostname in LOOPBACK)
        if not isinstance(value, str) or not parts.hostname or not is_safe:
            raise ProviderError(f"the company's server names no {name} that begins with https://")
        return value

    def _get(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        started = time.monotonic()
        body = b""
        try:
            with requests.get(
                address,
                headers={"Accept": "application/json", **(headers or {})},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code != 200:
                    raise ProviderError(f"{_host(address)} answers {answer.status_code}")
                for chunk in answer.iter_content(65_536):
                    body += chunk
                    if len(body) > LARGEST_ANSWER or time.monotonic() - started > LONGEST_SECONDS:
                        raise ProviderError(f"{_host(address)} sends too much, or too slowly")
            said = orjson.loads(body)
        except requests.RequestException as error:
            raise ProviderError(f"{_host(address)} does not answer: {_plain(error)}") from error
        except ValueError as error:
            raise ProviderError(f"{_host(address)} sends no JSON") from error
        if not isinstance(said, dict):
            raise ProviderError(f"{_host(address)} sends no object")
        return said


def _host(address: str) -> str:
    return urlsplit(address).netloc or address


def _plain(error: Exception) -> str:
    """A fault without addresses, tokens and codes, which the words of a library may repeat."""
    if isinstance(error, requests.Timeout):
        return "it took too long"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
