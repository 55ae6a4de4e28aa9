"""200 viewers of `/` and a mention a second: what an update costs the server, and whether anybody falls behind."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import socket
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from dashboard import create_app
from dashboard.live import SERVER_OPTIONS
from models import identity, people
from models.database import Database
from models.schema import upgrade
from models.settings import Settings
from tests import small_store
from tests.bench.figures import Figure, show
from tests.live_screen import opened
from tests.small_store import Said

VIEWERS = 200
SECONDS = 10
MENTIONS = 6_000
# After the last change every viewer must have it within this time.
PATIENCE_SECONDS = 3.0
LARGEST_FIRST_LOAD = 1_800_000
# What the page asks for by itself once it runs.
LATER = (
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/dcc/async-graph.js",
)


@dataclass(frozen=True)
class Seen:
    """What one viewer got: when each frame came (seconds of the day), its size, and its last number."""

    arrivals: list[float]
    sizes: list[int]
    last_number: int


def run() -> list[Figure]:
    """Server, viewers and writer are three processes, so that the server's processor time is its own."""
    with tempfile.TemporaryDirectory(prefix="watchfloor-bench-") as folder:
        database = Database(f"sqlite:///{folder}/watchfloor.db")
        upgrade(database)
        cookies = filled(database)
        context = multiprocessing.get_context("spawn")
        server_end, server = context.Pipe()
        viewers_end, viewers = context.Pipe()
        port = free_port()
        processes = [
            context.Process(target=serve, args=(folder, database.url.render_as_string(), port, server_end)),
            context.Process(target=view, args=(port, cookies, viewers_end)),
        ]
        try:
            processes[0].start()
            server.recv()
            load, requests = first_load(port, cookies[0])
            processes[1].start()
            viewers.recv()
            return measured(database, server, viewers, load, requests)
        finally:
            for process in processes:
                if process.is_alive():
                    process.terminate()
                    process.join(10)
            database.close()


def measured(database: Database, server: Pipe, viewers: Pipe, load: int, requests: int) -> list[Figure]:
    """The figures of ten seconds."""
    before = asked(server, "figures")
    asked(viewers, "begin")
    commits = []
    for number in range(SECONDS):
        started = time.monotonic()
        now = datetime.now(UTC)
        small_store.say(database, [Said(f"the flight was late again, number {number}", minutes=0)], now=now)
        commits.append(time.time())
        time.sleep(max(0.0, 1.0 - (time.monotonic() - started)))
    time.sleep(PATIENCE_SECONDS)
    seen: list[Seen] = asked(viewers, "end")
    after = asked(server, "figures")
    spent, computing, computations = (after[key] - before[key] for key in ("cpu", "computing", "computations"))
    frames = sum(len(one.arrivals) for one in seen)
    newest = max(one.last_number for one in seen)
    last = commits[-1]
    stale = sum(1 for one in seen if one.last_number != newest or not one.arrivals or one.arrivals[-1] < last)
    delays = [
        min((at - commit for at in one.arrivals if at >= commit), default=float("inf")) * 1000
        for one in seen
        for commit in commits
    ]
    sizes = [size for one in seen for size in one.sizes]
    quantiles = statistics.quantiles(delays, n=20)
    return [
        Figure(
            "live: server CPU per delivered update, beside computing",
            (spent - computing) * 1000 / max(frames, 1),
            "ms",
            0.2,
            "max",
            detail=f"{len(seen)} viewers, {frames:,} updates in {SECONDS} s, {spent:.2f} s in all",
        ),
        Figure(
            "live: computing the view once",
            computing * 1000 / SECONDS,
            "ms CPU",
            100,
            "max",
            detail=f"{computations} panels for {SECONDS} changes, {MENTIONS:,} mentions stored",
        ),
        Figure(
            "live: viewers that are not up to date", stale, "viewers", 0, "max", gate=True, detail=f"of {len(seen)}"
        ),
        Figure("live: viewers", len(seen), "viewers", VIEWERS, gate=True),
        Figure(
            "live: updates per viewer",
            frames / len(seen),
            "updates",
            0.9 * SECONDS,
            gate=True,
            detail=f"{SECONDS} changes",
        ),
        Figure("live: commit to bytes, median", statistics.median(delays), "ms", detail=f"p95 {quantiles[-1]:.0f} ms"),
        Figure("live: bytes per frame, median", statistics.median(sizes), "bytes", 20_000, "max", gate=True),
        Figure(
            "live: first load on the wire",
            load / 1e6,
            "MB",
            LARGEST_FIRST_LOAD / 1e6,
            "max",
            gate=True,
            detail=f"{requests} requests, gzip",
        ),
    ]


def filled(database: Database) -> list[str]:
    """The small organisation, a day of mentions, a signed-in person for each viewer; their cookies."""
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    every = 24 * 60 / MENTIONS
    said = [
        Said(
            f"my bag did not arrive in Nairobi, story {number}",
            minutes=1 + number * every,
            brand_id=2 + number % 4,
            sentiment=(-1, 0, 1, None)[number % 4],
            author=f"author{number % 1500}",
        )
        for number in range(MENTIONS)
    ]
    for start in range(0, MENTIONS, 500):
        small_store.say(database, said[start : start + 500], now=now + timedelta(microseconds=start))
    return [signed_in(database, number, now) for number in range(VIEWERS)]


def signed_in(database: Database, number: int, now: datetime) -> str:
    """The cookie of a person of their own."""
    email = f"viewer{number}@meridian.example"
    with database.write() as connection:
        people.add_person(connection, email=email, name=f"Viewer {number}", right="viewer", now=now)
        link = identity.make_link(connection, email, now)
        signed = identity.use_link(connection, link, "127.0.0.1", now)
    assert signed is not None
    return f"watchfloor={signed.session_id}"


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


def view(port: int, cookies: list[str], pipe: Pipe) -> None:
    """All viewers, on one loop of their own."""
    asyncio.run(viewing(port, cookies, pipe))


async def viewing(port: int, cookies: list[str], pipe: Pipe) -> None:
    """Connect everybody, say so, note what comes between "begin" and "end"."""
    notes: list[list[tuple[float, bytes]]] = [[] for _ in cookies]
    ready = [asyncio.Event() for _ in cookies]
    gate = asyncio.Semaphore(20)

    async def follow(number: int) -> None:
        async with gate:
            link = await opened_link(port, cookies[number])
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
    pipe.send([noted_as_seen(noted) for noted in notes])
    for task in tasks:
        task.cancel()


def noted_as_seen(noted: list[tuple[float, bytes]]) -> Seen:
    """One viewer's notes."""
    number = opened(noted[-1][1])["n"] if noted else -1
    return Seen([at for at, _ in noted], [len(frame) for _, frame in noted], number)


async def opened_link(port: int, cookie: str) -> ClientConnection:
    """A socket that has asked for `/`."""
    link = await connect(
        f"ws://localhost:{port}/live",
        origin=f"http://localhost:{port}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        compression=None,
        max_size=None,
    )
    await link.send(orjson.dumps({"n": 1, "path": "/", "search": ""}).decode())
    return link


if __name__ == "__main__":
    show("live", run())
