"""The desk under load on PostgreSQL: agents who claim and write, walls that watch, mentions that come in all the while.

The web process has a core of its own where there are two; agents and walls are one process on the other core, the
ingest another. The number is the seconds: `python -m tests.bench desk=30`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from typing import Any

import httpx
import orjson
import psutil
from websockets.asyncio.client import connect

from models import identity, people
from models.database import Database
from tests import small_store
from tests.bench.figures import Figure, show
from tests.bench.live_processes import free_port, serve
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.small_store import Said

SECONDS = 180
AGENTS = 50
WALLS = 10
MENTIONS_A_SECOND = 20
# Of the mentions one in five asks something and so opens a case: a little more than the agents close.
ONE_ASKS_IN = 5
WAITING_AT_FIRST = 100
STORED_AT_FIRST = 3_000
# How somebody works: reads a case, writes for a while, the draft kept and judged every two seconds, closes it, goes on.
READING_SECONDS = 4.0
DRAFTS = 4
DRAFT_SECONDS = 2.0
LARGEST_GROWTH = 0.05
ERRORS_SHOWN = 3


@dataclass(frozen=True)
class Seat:
    """Somebody signed in, as the headers of a browser; `path` is what it watches."""

    headers: dict[str, str]
    path: str


@dataclass
class Day:
    """What came of it all: milliseconds of each claim that was won, answers by act, what went wrong, frames by seat."""

    claims: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    idle: int = 0
    frames: list[int] = field(default_factory=list)
    last_frame: list[float] = field(default_factory=list)


def run(seconds: int = SECONDS) -> list[Figure]:
    """Claim clicks, refusals that nobody should see, memory of the web process."""
    url = new_postgres_database()
    database = Database(url)
    try:
        with tempfile.TemporaryDirectory(prefix="watchfloor-desk-") as home:
            seats = filled(database)
            return _measured(url, home, seats, seconds)
    finally:
        database.close()
        drop_postgres_database(url)


def _measured(url: str, home: str, seats: Sequence[Seat], seconds: int) -> list[Figure]:
    context, port = multiprocessing.get_context("spawn"), free_port()
    web_end, web_pipe = context.Pipe()
    seats_end, seats_pipe = context.Pipe()
    web = context.Process(target=served, args=(home, url, port, web_pipe))
    crowd = context.Process(target=crowded, args=(port, seats, seconds, seats_pipe))
    writer = context.Process(target=written, args=(url, seconds))
    processes = (web, crowd, writer)
    try:
        web.start()
        web_end.recv()
        watched = psutil.Process(web.pid)
        crowd.start()
        seats_end.recv()
        writer.start()
        memory: list[int] = []
        before = sum(watched.cpu_times()[:2])
        while not seats_end.poll(1.0):
            memory.append(watched.memory_info().rss)
        spent = sum(watched.cpu_times()[:2]) - before
        day = seats_end.recv()
        writer.join(30)
        is_stored = writer.exitcode == 0
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join(10)
    return _figures(day, memory, spent, seconds, is_stored=is_stored)


def _figures(day: Day, memory: Sequence[int], spent: float, seconds: int, *, is_stored: bool) -> list[Figure]:
    requests = day.answers.total()
    p95 = statistics.quantiles(day.claims, n=20)[-1] if len(day.claims) > 1 else float("inf")
    growth, words = grown(memory)
    walls = list(zip(day.frames, day.last_frame, strict=True))[AGENTS:]
    kept_up = sum(frames > 0 and seconds - last < 15 for frames, last in walls)
    busy = f"{AGENTS} agents, {WALLS} walls, {MENTIONS_A_SECOND} mentions a second, {seconds} s"
    return [
        Figure("desk: a claim click, p95", p95, "ms", 300, "max", detail=f"n {len(day.claims):,}; {busy}"),
        Figure("desk: a claim click, median", statistics.median(day.claims or [float("inf")]), "ms"),
        Figure(
            "desk: claims won",
            len(day.claims),
            "claims",
            # A quarter of what the agents want, so that a slow machine still tells something.
            AGENTS * seconds / 60,
            gate=True,
            detail=f"{day.idle} times nothing waited",
        ),
        Figure(
            "desk: errors",
            len(day.errors) + (not is_stored),
            "errors",
            0,
            "max",
            gate=True,
            detail=f"of {requests:,} requests" + "".join(f"; {error}" for error in day.errors[:ERRORS_SHOWN]),
        ),
        Figure(
            "desk: walls that kept up",
            kept_up,
            "walls",
            WALLS,
            gate=True,
            detail=f"{sum(f for f, _ in walls):,} frames",
        ),
        # Before its first minute is over a process still fills what it keeps.
        Figure(
            "desk: memory of the web process after a third of the time",
            growth * 100,
            "%",
            LARGEST_GROWTH * 100,
            "max",
            gate=seconds >= SECONDS,
            detail=words,
        ),
        Figure(
            "desk: CPU of the web process",
            spent / seconds,
            "cores",
            detail=f"{requests / seconds:.0f} requests a second",
        ),
    ]


def grown(memory: Sequence[int]) -> tuple[float, str]:
    """The share by which memory grew from the end of the first third to the end, each over a tenth of the time."""
    if len(memory) < 10:
        return float("inf"), "too short to tell"
    tenth = len(memory) // 10
    third = len(memory) // 3
    first = statistics.median(memory[third : third + tenth])
    last = statistics.median(memory[-tenth:])
    return last / first - 1, f"{first / 2**20:.0f} MiB, then {last / 2**20:.0f} MiB"


# -- before ------------------------------------------------------------------------------------------------------


def filled(database: Database) -> list[Seat]:
    """The small organisation, mentions of a day, cases that wait, and who sits where: agents first."""
    now = datetime.now(UTC)
    small_store.fill(database, now=now)
    every = 24 * 60 / STORED_AT_FIRST
    said = [_said(n, "the flight was late, story", 1 + n * every) for n in range(STORED_AT_FIRST)]
    said += [_said(n, "where is my bag, can you help me? story", 0.1, "first") for n in range(WAITING_AT_FIRST)]
    for start in range(0, len(said), 500):
        small_store.say(database, said[start : start + 500], now=now + timedelta(microseconds=start))
    agents = [_seat(database, f"agent{n}", "agent", "/respond", now) for n in range(AGENTS)]
    return [*agents, *(_seat(database, f"wall{n}", "display", "/", now) for n in range(WALLS))]


def _said(number: int, words: str, minutes: float, author: str = "author") -> Said:
    mood = None if "?" in words else (0, 1)[number % 2]
    return Said(
        f"{words} {number}", minutes=minutes, brand_id=2 + number % 3, sentiment=mood, author=f"{author}{number}"
    )


def _seat(database: Database, name: str, role: str, path: str, now: datetime) -> Seat:
    email = f"{name}@meridian.example"
    with database.write() as connection:
        people.add_person(connection, email=email, name=name.title(), role=role, now=now)
        signed = identity.use_link(connection, identity.make_link(connection, email, now), "127.0.0.1", now)
    assert signed is not None
    return Seat({"Cookie": f"watchfloor={signed.session_id}", "X-CSRFToken": signed.csrf_token}, path)


# -- the processes -----------------------------------------------------------------------------------------------


def stay_on(core: int) -> None:
    """Keep this process to one core, where there are several and the system can."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > core:
        os.sched_setaffinity(0, {cores[core]})


def served(home: str, url: str, port: int, pipe: Pipe) -> None:
    """The web process."""
    stay_on(0)
    serve(home, url, port, pipe)


def written(url: str, seconds: int) -> None:
    """What the ingest does: mentions twice a second, each in time."""
    stay_on(1)
    database = Database(url)
    begun, number, batch = time.monotonic(), 0, MENTIONS_A_SECOND // 2
    for tick in range(2 * seconds):
        time.sleep(max(0.0, begun + tick / 2 - time.monotonic()))
        said = []
        for _ in range(batch):
            number += 1
            asks = number % ONE_ASKS_IN == 0
            said.append(_said(number, "is anybody there to help?" if asks else "what a day", 0.0, "late"))
        small_store.say(database, said, now=datetime.now(UTC))
    database.close()


def crowded(port: int, seats: Sequence[Seat], seconds: int, pipe: Pipe) -> None:
    """Everybody who sits before a screen, on one loop."""
    stay_on(1)
    pipe.send(asyncio.run(_crowd(port, seats, seconds, pipe)))


async def _crowd(port: int, seats: Sequence[Seat], seconds: int, pipe: Pipe) -> Day:
    day = Day(frames=[0] * len(seats), last_frame=[0.0] * len(seats))
    there = [asyncio.Event() for _ in seats]
    gate = asyncio.Semaphore(10)
    begun, address = time.monotonic(), f"http://localhost:{port}"

    async def watch(number: int, seat: Seat) -> None:
        async with gate:
            link = await connect(
                f"ws://localhost:{port}/live",
                origin=address,  # type: ignore[arg-type]
                additional_headers={"Cookie": seat.headers["Cookie"]},
                compression=None,
                max_size=None,
            )
            await link.send(orjson.dumps({"n": 1, "path": seat.path, "search": ""}).decode())
        while True:
            if isinstance(await link.recv(), bytes):
                day.frames[number] += 1
                day.last_frame[number] = time.monotonic() - begun
                there[number].set()

    watching = [asyncio.create_task(watch(n, seat)) for n, seat in enumerate(seats)]
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in there)), 120)
    begun = time.monotonic()
    pipe.send("ready")
    limits = httpx.Limits(max_connections=AGENTS, max_keepalive_connections=AGENTS)
    async with httpx.AsyncClient(base_url=address, headers={"Origin": address}, limits=limits, timeout=30) as client:
        agents = [seat for seat in seats if seat.path == "/respond"]
        await asyncio.gather(*(work(client, seat, n, begun + seconds, day) for n, seat in enumerate(agents)))
    # A link that broke is an error of its own.
    day.errors += [f"a screen lost its link: {task.exception()!r}" for task in watching if task.done()]
    for task in watching:
        task.cancel()
    return day


async def work(client: httpx.AsyncClient, seat: Seat, number: int, until: float, day: Day) -> None:
    """One agent's time: claim the most urgent, read it, write, close it, claim the next."""
    dice = random.Random(number)
    page = {"path": "/respond", "search": ""}

    async def ask(way: str, **given: Any) -> dict[str, Any]:
        try:
            answer = await client.post(way, json=given, headers=seat.headers)
        except httpx.HTTPError as error:
            day.errors.append(f"{way}: {error!r}")
            return {}
        day.answers[f"{way} {answer.status_code}"] += 1
        if answer.status_code != 200:
            day.errors.append(f"{way}: {answer.status_code} {answer.text[:200]}")
            return {}
        told: dict[str, Any] = answer.json()
        return told

    await asyncio.sleep(dice.uniform(0, READING_SECONDS + DRAFTS * DRAFT_SECONDS))
    while time.monotonic() < until:
        clicked = time.perf_counter()
        won = await ask("/act/case.next", **page)
        if "case" not in won:
            day.idle += "words" in won
            await asyncio.sleep(1)
            continue
        day.claims.append((time.perf_counter() - clicked) * 1000)
        held = {"case": won["case"], "token": won["token"]}
        seen = (await ask("/read/case", case=won["case"])).get("n", 1)
        await ask("/read/case.presence", case=won["case"], doing="looking")
        await asyncio.sleep(dice.uniform(0.5, 1.5) * READING_SECONDS)
        await ask("/read/case.presence", case=won["case"], doing="typing")
        for draft in range(DRAFTS):
            text = "I am sorry to hear that. We are looking into it. " * (1 + draft)
            await ask("/read/reply.checks", case=won["case"], text=text)
            await ask("/act/reply.save", **held, text=text, event=seen)
            await asyncio.sleep(DRAFT_SECONDS)
        await ask("/act/case.step", **held, step="resolved", details={})
        await ask("/read/case.presence", case=won["case"], doing="")
        await asyncio.sleep(dice.uniform(0.5, 2))


if __name__ == "__main__":
    show("desk", run())
