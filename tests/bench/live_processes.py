"""A server and its viewers in processes of their own, for measuring what an update costs the server."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from dashboard import create_app
from dashboard.live import SERVER_OPTIONS
from models.database import Database
from models.settings import Settings
from tests.live_screen import opened

# What the page asks for by itself once it runs.
LATER = (
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/dcc/async-graph.js",
)


@dataclass(frozen=True)
class Seen:
    """What one viewer got: when each frame came (seconds of the day), its number and its size."""

    search: str
    frames: list[tuple[float, int, int]]


def first_load(port: int, cookie: str) -> tuple[int, int]:
    """Bytes of bodies and headers that a browser without a cache gets for `/`, and the number of requests."""
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    with httpx.Client(base_url=f"http://localhost:{port}", headers=headers) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        found = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        addresses = ["/", *found, *LATER]
        total = 0
        for address in addresses:
            with browser.stream("GET", address, headers={"Accept": "text/html"}) as answer:
                assert answer.status_code == 200, address
                total += sum(len(chunk) for chunk in answer.iter_raw())
                total += sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    return total, len(addresses)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def asked(pipe: Pipe, what: str) -> Any:
    """The answer of another process."""
    pipe.send(what)
    return pipe.recv()


# -- the server's process ----------------------------------------------------------------------------------


def serve(home: str, url: str, port: int, pipe: Pipe) -> None:
    """The program on uvicorn; tells its own processor time when asked."""
    program = create_app(Settings(home=Path(home), database_url=url), Database(url))
    server = uvicorn.Server(uvicorn.Config(program, port=port, log_level="warning", **SERVER_OPTIONS))

    def answer() -> None:
        while not server.started:
            time.sleep(0.02)
        pipe.send("ready")
        while True:
            pipe.recv()
            hub = program.hub
            pipe.send({"cpu": time.process_time(), "computing": hub.cpu_seconds, "computations": hub.computations})

    threading.Thread(target=answer, daemon=True).start()
    server.run()


# -- the viewers' process ----------------------------------------------------------------------------------


def view(port: int, cookies: list[str], searches: tuple[str, ...], pipe: Pipe) -> None:
    """All viewers, on one loop of their own."""
    asyncio.run(viewing(port, cookies, searches, pipe))


async def viewing(port: int, cookies: list[str], searches: tuple[str, ...], pipe: Pipe) -> None:
    """Connect everybody, say so, note what comes between "begin" and "end"."""
    notes: list[list[tuple[float, bytes]]] = [[] for _ in cookies]
    ready = [asyncio.Event() for _ in cookies]
    gate = asyncio.Semaphore(20)

    async def follow(number: int) -> None:
        async with gate:
            link = await opened_link(port, cookies[number], searches[number % len(searches)])
        while True:
            message = await link.recv()
            if isinstance(message, bytes):
                notes[number].append((time.time(), message))
                ready[number].set()

    tasks = [asyncio.create_task(follow(number)) for number in range(len(cookies))]
    for event in ready:
        await event.wait()
    await asyncio.sleep(2)
    pipe.send("ready")
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, pipe.recv)
    for noted in notes:
        noted.clear()
    pipe.send("begun")
    await loop.run_in_executor(None, pipe.recv)
    whole = await whole_state(port, cookies[0])
    pipe.send(([noted_as_seen(searches[n % len(searches)], noted) for n, noted in enumerate(notes)], whole))
    for task in tasks:
        task.cancel()


def noted_as_seen(search: str, noted: list[tuple[float, bytes]]) -> Seen:
    """One viewer's notes."""
    return Seen(search, [(at, opened(frame)["n"], len(frame)) for at, frame in noted])


async def whole_state(port: int, cookie: str) -> int:
    """The bytes that somebody gets who opens `/` now, while others watch it."""
    link = await opened_link(port, cookie, "")
    while True:
        message = await link.recv()
        if isinstance(message, bytes):
            await link.close()
            return len(message)


async def opened_link(port: int, cookie: str, search: str) -> ClientConnection:
    """A socket that has asked for `/` in a scope."""
    link = await connect(
        f"ws://localhost:{port}/live",
        origin=f"http://localhost:{port}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        compression=None,
        max_size=None,
    )
    await link.send(orjson.dumps({"n": 1, "path": "/", "search": search}).decode())
    return link
