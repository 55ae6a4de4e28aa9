"""Who calls, and under which address: behind a proxy or not. Pure; the gate and the sign-in pages ask here."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.settings import Settings

DEFAULT_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?")
LONGEST_HOST = 260

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` of the browser; `scheme` (http, https) and `host` (lower case, no default port) as it sees us."""

    address: str
    scheme: str
    host: str

    @property
    def origin(self) -> str:
        """What the browser says in `Origin` when a page of ours asks."""
        return f"{self.scheme}://{self.host}"

    @property
    def is_secure(self) -> bool:
        """True where the browser speaks TLS, to us or to the proxy."""
        return self.scheme == "https"


class Callers:
    """Reads callers off requests. Forwarding headers count only from `trusted_proxies`."""

    def __init__(self, settings: Settings) -> None:
        self._networks = tuple(ipaddress.ip_network(part, strict=False) for part in settings.trusted_proxies)
        self._public = urlsplit(settings.public_url) if settings.public_url else None
        own = {settings.host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
        self._names = {"localhost", *own}

    def caller(self, scope: Mapping[str, Any], headers: Headers) -> Caller | None:
        """None where the request names a host that this server does not answer to."""
        peer = (scope.get("client") or ("", 0))[0]
        is_proxied = self._is_trusted(peer)
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
        address, named = peer, headers.get("host", "")
        if is_proxied:
            address = self._forwarded_for(headers.get("x-forwarded-for", ""), peer)
            forwarded = _last(headers.get("x-forwarded-proto", "")).lower()
            scheme = forwarded if forwarded in DEFAULT_PORTS else scheme
            named = _last(headers.get("x-forwarded-host", "")) or named
        if self._public is not None:
            # A proxy that we trust may name us as it likes: people see the public address.
            public = _normal_host(self._public.netloc, self._public.scheme)
            is_ours = is_proxied or _normal_host(named, self._public.scheme) == public
            return Caller(address, self._public.scheme, public) if is_ours and public else None
        host = _normal_host(named, scheme)
        return Caller(address, scheme, host) if host and self._is_own(host) else None

    def _is_own(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            # An address cannot be rebound to another server, a foreign name can.
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def _forwarded_for(self, header: str, peer: str) -> str:
        # From the right: what stands left of the first stranger, anybody may have written.
        address = peer
        for part in reversed(header.split(",")):
            try:
                address = str(ipaddress.ip_address(part.strip()))
            except ValueError:
                return address
            if not self._is_trusted(address):
                return address
        return address


def is_same_origin(headers: Headers, caller: Caller) -> bool:
    """False where the browser says that another site is asking.

    `Sec-Fetch-Site` decides where it is sent, `Origin` else. Programs that are no browsers send neither; the token
    decides about them.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None or (origin == "null" and site == "same-origin"):
        return True
    parts = urlsplit_or_none(origin)
    return parts is not None and f"{parts[0]}://{_normal_host(parts[1], parts[0])}" == caller.origin


def urlsplit_or_none(text: str) -> tuple[str, str] | None:
    """(scheme, host and port) of an address, lower case; None for what is none."""
    try:
        parts = urlsplit(text.lower())
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.scheme and parts.netloc else None


def _normal_host(text: str, scheme: str) -> str:
    found = _HOST.fullmatch(text.strip().lower()) if len(text) <= LONGEST_HOST else None
    if found is None:
        return ""
    name, port = found.group(1).rstrip("."), found.group(2)
    return name if port is None or port == DEFAULT_PORTS.get(scheme) else f"{name}:{port}"


def _last(header: str) -> str:
    return header.rsplit(",", 1)[-1].strip()
