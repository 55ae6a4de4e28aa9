"""One document from the web, bounded: in time whatever the server does, in bytes after unpacking, in redirects."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import zlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from models.errors import ConnectorError

REDIRECTS = 5
CONNECT_SECONDS = 5.0
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 900.0
USER_AGENT = "Watchfloor (feed reader)"
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `url` is where it came from in the end; `moved_to` is set when every redirect on the way
    was for ever; `headers` in lower case; `body` is unpacked, and empty unless the status is 200."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str | None = None


def download(url: str, headers: Mapping[str, str], *, seconds: float, largest_bytes: int) -> Answer:
    """GET `url`, following redirects. Raises ConnectorError (passing) when no whole answer comes in `seconds`.

    Runs an event loop of its own, because only cancelling ends a server that sends a byte a second, in the
    headers too; call it from a thread without one.
    """
    return _within(seconds, _follow(url, headers, largest_bytes), shown(url))


def exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, name: str, seconds: float, largest_bytes: int
) -> Answer:
    """One request of any method, bounded as `download` is; redirects are not followed.

    The body is kept whatever the status; that of a refusal is left empty where it is too large or does not unpack.
    `name` is who is asked, in the words of the errors: the address may hold what nobody should read.
    """
    return _within(seconds, _exchange(method, url, headers, body, name, largest_bytes), name)


def _within(seconds: float, work: Coroutine[Any, Any, Answer], name: str) -> Answer:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(work, seconds))
    except TimeoutError:
        raise ConnectorError(f"{name} did not answer in full within {seconds:.3g} s") from None
    except httpx.TimeoutException as error:
        raise ConnectorError(f"{name} does not answer: {type(error).__name__}") from error
    except httpx.InvalidURL as error:
        raise ConnectorError(f"{name} leads to no address: {error}", kind="unknown") from error
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        raise ConnectorError(f"{name} does not answer: {error or type(error).__name__}") from error
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds a server asks us to wait (a number or a date), within 1 s .. 15 min; None where it does not say."""
    given = headers.get("retry-after", "").strip()
    try:
        seconds = float(given) if given[:1].isdigit() else (parsedate_to_datetime(given) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds))


def shown(url: str) -> str:
    """`url` as it may stand in a log: without a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def _follow(url: str, headers: Mapping[str, str], largest_bytes: int) -> Answer:
    async with _client({"User-Agent": USER_AGENT, **headers}) as client:
        current, moved_to, for_ever = url, None, True
        for _ in range(REDIRECTS + 1):
            answer = await _get(client, current, largest_bytes)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return replace(answer, moved_to=moved_to)
            target = _target(current, answer.headers["location"])
            for_ever = for_ever and answer.status in _PERMANENT
            moved_to = target if for_ever else moved_to
            current = target
    raise ConnectorError(f"{shown(url)} redirects more than {REDIRECTS} times", kind="unknown")


async def _exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes, name: str, largest_bytes: int
) -> Answer:
    async with _client(headers) as client, client.stream(method, url, content=body) as response:
        answered = _lowered(response.headers)
        try:
            whole = await _whole(response, answered, name, largest_bytes)
        except ConnectorError:
            if response.is_success:
                raise
            whole = b""
        return Answer(response.status_code, answered, whole, url)


def _client(headers: Mapping[str, str]) -> httpx.AsyncClient:
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    own = {"Accept-Encoding": "gzip, deflate"}
    return httpx.AsyncClient(timeout=timeout, headers={**headers, **own}, verify=_certificates())


async def _get(client: httpx.AsyncClient, url: str, largest_bytes: int) -> Answer:
    async with client.stream("GET", url) as response:
        headers = _lowered(response.headers)
        if response.status_code != 200:
            return Answer(response.status_code, headers, b"", url)
        return Answer(200, headers, await _whole(response, headers, shown(url), largest_bytes), url)


async def _whole(response: httpx.Response, headers: Mapping[str, str], name: str, largest_bytes: int) -> bytes:
    unpack = _Unpacking(headers.get("content-encoding", "identity"), largest_bytes, name)
    async for chunk in response.aiter_raw(chunk_size=65_536):
        unpack.add(chunk)
    return unpack.whole()


def _lowered(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _target(current: str, location: str) -> str:
    """Where a redirect leads. Never to a file, and from outside never to an address inside."""
    try:
        target = urljoin(current, location)
        parts = urlsplit(target)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise ConnectorError(f"{shown(current)} redirects to {location[:80]}, which is no http address", kind="unknown")
    if parts.hostname and _is_inside(parts.hostname) and not _is_inside(urlsplit(current).hostname or ""):
        raise ConnectorError(f"{shown(current)} redirects into the private network ({parts.hostname})", kind="unknown")
    return target


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@cache
def _certificates() -> ssl.SSLContext:
    # Reading the certificates takes longer than most answers; once is enough.
    return httpx.create_ssl_context()


class _Unpacking:
    """Bytes unpacked as they come, counted as they grow: 10 KB of gzip can be 10 MB of blanks."""

    def __init__(self, encoding: str, largest_bytes: int, name: str) -> None:
        encoding = encoding.strip().lower() or "identity"
        if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise ConnectorError(
                f'{name} answers in encoding "{encoding[:20]}", which was not asked for', kind="unknown"
            )
        self._packed = encoding != "identity"
        self._largest = largest_bytes
        self._name = name
        self._parts: list[bytes] = []
        self._size = 0
        self._unpacker: zlib._Decompress | None = None

    def add(self, chunk: bytes) -> None:
        if not self._packed:
            self._keep(chunk)
            return
        try:
            while chunk:
                if self._unpacker is None:
                    self._unpacker = _unpacker(chunk)
                self._keep(self._unpacker.decompress(chunk, self._largest - self._size + 1))
                chunk = self._unpacker.unused_data or self._unpacker.unconsumed_tail
                if self._unpacker.eof:
                    self._unpacker = None
        except zlib.error as error:
            raise ConnectorError(f"{self._name} sends a body that does not unpack: {error}") from error

    def whole(self) -> bytes:
        return b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._largest:
            raise ConnectorError(f"{self._name} is larger than {self._largest} bytes", kind="unknown")


def _unpacker(head: bytes) -> zlib._Decompress:
    # "deflate" comes with the header of zlib or, from old servers, without any.
    if head[:2] == b"\x1f\x8b":
        return zlib.decompressobj(31)
    is_zlib = len(head) > 1 and head[0] & 15 == 8 and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.decompressobj(15 if is_zlib else -15)
