"""The live link: one WebSocket a tab, and the same bytes by polling where sockets do not get through."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from dashboard.caller import Caller, is_same_origin
from dashboard.channel import Channel, Viewer
from dashboard.gate import CALLER
from dashboard.hub import Hub
from dashboard.unit import PATIENCE_SECONDS
from models.access import Access
from models.errors import AccessDenied, NotFound, WatchfloorError
from models.identity import Signed

log = logging.getLogger("watchfloor.live")

LONGEST_MESSAGE = 8_192
# Messages a tab may send at once, and how many more each second.
BURST, PER_SECOND = 30, 5
SOCKETS_PER_SESSION = 32
SEND_SECONDS = 15.0
RECHECK_SECONDS = 2.0
# How a socket ends that is no fault of ours: it is gone, or took nothing for too long.
GONE = (WebSocketDisconnect, TimeoutError, RuntimeError, OSError)
CLOSE_SECONDS = 2.0
# Close codes: 4000 + what HTTP would say.
BAD_MESSAGE, SESSION_ENDED, FOREIGN_ORIGIN, TOO_MANY = 4400, 4401, 4403, 4429

SERVER_OPTIONS: dict[str, Any] = {
    # Compressing for each viewer apart costs six times the processor; frames come compressed already.
    "ws_per_message_deflate": False,
    "ws_max_size": 2 * LONGEST_MESSAGE,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    # Longer than proxies (60 s) and clients keep an idle connection: who ends it first must not be the one who answers,
    # or a request that is just on its way is lost.
    "timeout_keep_alive": 75,
    "proxy_headers": False,
    "server_header": False,
    "lifespan": "on",
}
"""What uvicorn is to be started with."""


Identify = Callable[[], Signed]
"""Who sends the request under way; AccessDenied where nobody is signed in."""
Recheck = Callable[[Collection[str]], Awaitable[Mapping[str, Signed]]]
"""Which of these sessions are alive, and what they may do now."""


@dataclass(slots=True)
class Budget:
    """How many messages somebody may still send: `BURST` at once, refilled each second."""

    left: float = BURST
    at: float = field(default=0.0)

    def take(self, now: float) -> bool:
        """Use one; False when there is none left."""
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND) if self.at else self.left
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class BadMessage(Exception):
    """A message that no browser of ours sends."""


class Links:
    """All open sockets of this process, by session."""

    def __init__(self, hub: Hub, recheck: Recheck) -> None:
        self._hub = hub
        self._recheck = recheck
        self._open: dict[str, set[Link]] = {}

    def open(self, signed: Signed, socket: WebSocket) -> Link | None:
        """A link for a socket; None when the session has too many."""
        of_session = self._open.setdefault(signed.session_hash, set())
        if len(of_session) >= SOCKETS_PER_SESSION:
            return None
        link = Link(socket, self._hub, signed.access)
        of_session.add(link)
        return link

    def close(self, signed: Signed, link: Link) -> None:
        """Forget a link that has ended."""
        of_session = self._open[signed.session_hash]
        of_session.discard(link)
        if not of_session:
            del self._open[signed.session_hash]

    async def look_after(self) -> None:
        """Cut off, for ever, whose session ended, and narrow anew where rights changed: within five seconds."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self.look()
            except SQLAlchemyError as error:
                # Nobody can sign out while the database does not answer; the next look decides.
                log.warning("recheck_failed error=%s", type(error).__name__)

    async def look(self) -> None:
        """One look at every session with an open socket, in one query."""
        if not self._open:
            return
        asked = tuple(self._open)
        alive = await self._recheck(asked)
        for session in asked:
            signed = alive.get(session)
            for link in self._open.get(session, ()):
                link.allow(signed.access if signed is not None else None)


def mount(server: FastAPI, hub: Hub, links: Links, *, identify: Identify) -> None:
    """Serve `/live` and `/live/state`."""

    @server.websocket("/live")
    async def live(socket: WebSocket) -> None:
        if not is_own_origin(socket.headers, socket.scope.get(CALLER)):
            await socket.close(FOREIGN_ORIGIN)
            return
        signed = identify()
        link = links.open(signed, socket)
        if link is None:
            await socket.accept()
            await socket.close(TOO_MANY, f"more than {SOCKETS_PER_SESSION} tabs of one session")
            return
        try:
            await socket.accept()
            await link.run()
        finally:
            links.close(signed, link)

    @server.get("/live/state", include_in_schema=False)
    async def state(request: Request, path: str = "", search: str = "", retry: str = "") -> Response:
        known = request.headers.get("if-none-match", "")
        return await polled(hub, identify().access, path, search, retry=retry, known=known)


async def polled(hub: Hub, access: Access, path: str, search: str, *, retry: str = "", known: str = "") -> Response:
    """The whole state of an address, as a socket would send it; 304 where `known` names it, 204 for no address."""
    headers = {"Cache-Control": "no-store", "X-Live-Beat": hub.beat}
    if not path:
        return Response(status_code=204, headers=headers)
    try:
        channel = hub.channel(path, search, access)
    except WatchfloorError as error:
        said = {"error": refusal(error)}
        status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, AccessDenied) else 400
        return Response(orjson.dumps(said), status, headers, media_type="application/json")
    if retry:
        hub.retry(channel, retry)
    if channel.number == 0:
        await _first_frame(channel)
    headers |= {"ETag": f'"{hub.epoch}.{channel.name}.{channel.number}"', "X-Live-Channel": channel.name}
    if channel.number == 0:
        return Response(status_code=204, headers=headers)
    if known == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(channel.whole, headers=headers, media_type="application/octet-stream")


async def _first_frame(channel: Channel) -> None:
    waiting = Viewer()
    channel.viewers.add(waiting)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while channel.number == 0:
                    await waiting.wake.wait()
                    waiting.wake.clear()
    finally:
        channel.viewers.discard(waiting)


class Link:
    """One open socket: what it asked for, and two tasks that read and write."""

    def __init__(self, socket: WebSocket, hub: Hub, access: Access) -> None:
        self._socket = socket
        self._hub = hub
        self._access = access
        self._viewer = Viewer()
        self._asked: tuple[int, str, str] | None = None
        self._generation = hub.generation
        self._budget = Budget()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def allow(self, access: Access | None) -> None:
        """What the session may do now: the scope is narrowed anew where that changed; None ends the link."""
        if access is None:
            self._end(SESSION_ENDED)
        elif access != self._access:
            self._access = access
            if self._asked is not None:
                self._subscribe()

    async def run(self) -> None:
        """Until either side closes."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        ends: list[asyncio.Future[Any]] = [*tasks, self._ended]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._viewer.watch(None, "")
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        code, reason = (self._ended.result(), "") if self._ended.done() else (1000, "")
        for error in results:
            if isinstance(error, BadMessage):
                code, reason = BAD_MESSAGE, str(error)
            elif isinstance(error, Exception) and not isinstance(error, GONE):
                log.error("link_failed error=%s", type(error).__name__, exc_info=error)
                code = 1011
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(*GONE):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._socket.close(code, reason[:120])

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            if not self._budget.take(self._hub.clock()):
                self._end(TOO_MANY)
                return
            self._take(read_message(message.get("text")))

    def _take(self, message: dict[str, Any]) -> None:
        if "retry" in message:
            if self._viewer.channel is not None:
                self._hub.retry(self._viewer.channel, message["retry"])
        elif "leave" in message:
            self._asked = None
            self._viewer.watch(None, orjson.dumps({"n": message["n"], "left": True}).decode())
        else:
            self._asked = (message["n"], message["path"], message["search"])
            self._subscribe()

    def _subscribe(self) -> None:
        assert self._asked is not None
        number, path, search = self._asked
        try:
            channel = self._hub.channel(path, search, self._access)
        except WatchfloorError as error:
            self._viewer.watch(None, orjson.dumps({"n": number, "error": refusal(error)}).decode())
        else:
            self._viewer.watch(channel, orjson.dumps({"n": number, "channel": channel.name}).decode())

    async def _write(self) -> None:
        viewer, hub, socket = self._viewer, self._hub, self._socket
        viewer.wake.set()
        while True:
            await viewer.wake.wait()
            viewer.wake.clear()
            if self._generation != hub.generation:
                # The organisation changed, and with it perhaps what this person sees.
                self._generation = hub.generation
                if self._asked is not None:
                    self._subscribe()
            while (message := viewer.next(hub.beat)) is not None:
                async with asyncio.timeout(SEND_SECONDS):
                    if isinstance(message, bytes):
                        await socket.send_bytes(message)
                    else:
                        await socket.send_text(message)


def is_own_origin(headers: Mapping[str, str], caller: Caller | None) -> bool:
    """Whether a page of ours opens the socket. Browsers always say where a socket comes from."""
    return caller is not None and "origin" in headers and is_same_origin(headers, caller)


def read_message(text: str | None) -> dict[str, Any]:
    """A message of the browser, checked; BadMessage for anything else."""
    if text is None:
        raise BadMessage("a message is text, not bytes")
    if len(text) > LONGEST_MESSAGE:
        raise BadMessage(f"a message has at most {LONGEST_MESSAGE} characters")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage("a message is JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message is an object")
    if "retry" in message:
        if not isinstance(message["retry"], str):
            raise BadMessage("retry names a panel")
        return message
    if isinstance(message.get("n"), bool) or not isinstance(message.get("n"), int):
        raise BadMessage("n is a whole number")
    if "leave" in message:
        return message
    if not isinstance(message.get("path"), str) or not isinstance(message.get("search"), str):
        raise BadMessage("path and search are text")
    return message


def refusal(error: WatchfloorError) -> dict[str, str]:
    """Why an address cannot be shown, as the browser gets it."""
    kind = "not_found" if isinstance(error, NotFound) else "denied" if isinstance(error, AccessDenied) else "scope"
    return {"kind": kind, "reason": str(error), "at": datetime.now(UTC).isoformat()}
