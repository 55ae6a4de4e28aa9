"""Viewers of `/` and a mention a second: what an update costs the server, and whether anybody falls behind."""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe

from models import identity, people
from models.database import Database
from models.schema import upgrade
from tests import small_store
from tests.bench.figures import Figure, show
from tests.bench.live_processes import Seen, asked, first_load, free_port, serve, view
from tests.small_store import Said

VIEWERS = 200
MANY_VIEWERS = 500
SCOPES = (
    "",
    "?brand=corvane",
    "?brand=halden",
    "?brand=velta",
    "?brand=rival",
    "?window=7d",
    "?window=1h",
    "?network=x",
    "?location=kenya",
    "?team=care",
)
SECONDS = 10
MENTIONS = 6_000
# After a change every viewer must have it within this time.
CURRENT_SECONDS = 2.0
# What comes later is still counted.
PATIENCE_SECONDS = 3.0
LARGEST_FIRST_LOAD = 1_800_000


def run() -> list[Figure]:
    """The spine's figure, then the same for more people who look at different things."""
    return [*one_scope(), *ten_scopes()]


def one_scope(viewers: int = VIEWERS) -> list[Figure]:
    """Everybody watches `/`, and a mention comes each second."""
    with watching(viewers, ("",)) as watched:
        load, requests = watched.first_load
        found = watched.measured(brand_ids=(2,))
    p95 = f"p95 {statistics.quantiles(found.delays, n=20)[-1]:.0f} ms"
    return [
        _delivered("live", found, 0.2, viewers),
        Figure(
            "live: computing the view once",
            found.computing * 1000 / SECONDS,
            "ms CPU",
            100,
            "max",
            detail=f"{found.computations} panels for {SECONDS} changes, {MENTIONS:,} mentions stored",
        ),
        _stale("live", found),
        Figure("live: viewers", len(found.seen), "viewers", viewers, gate=True),
        Figure(
            "live: updates per viewer",
            found.frames / len(found.seen),
            "updates",
            0.9 * SECONDS,
            gate=True,
            detail=f"{SECONDS} changes",
        ),
        Figure("live: commit to bytes, median", statistics.median(found.delays), "ms", detail=p95),
        Figure("live: bytes per update, median", statistics.median(found.sizes), "bytes", 10_000, "max", gate=True),
        Figure("live: bytes of the whole state", found.whole, "bytes", 25_000, "max", gate=True),
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


def ten_scopes(viewers: int = MANY_VIEWERS) -> list[Figure]:
    """The viewers are spread over ten scopes, each of which changes every second."""
    with watching(viewers, SCOPES) as watched:
        found = watched.measured(brand_ids=(2, 3, 4, 5))
    p95 = f"p95 {statistics.quantiles(found.delays, n=20)[-1]:.0f} ms"
    name = f"live, {len(SCOPES)} scopes"
    return [
        _delivered(name, found, 0.1, viewers),
        Figure(
            f"{name}: computing a scope once",
            found.computing * 1000 / SECONDS / len(SCOPES),
            "ms CPU",
            100,
            "max",
            detail=f"{found.computations} panels for {SECONDS} changes of {len(SCOPES)} scopes",
        ),
        _stale(name, found),
        Figure(f"{name}: viewers", len(found.seen), "viewers", viewers, gate=True),
        Figure(f"{name}: commit to bytes, median", statistics.median(found.delays), "ms", detail=p95),
    ]


def _delivered(name: str, found: Measured, bound: float, viewers: int) -> Figure:
    return Figure(
        f"{name}: server CPU per delivered update, beside computing",
        (found.spent - found.computing) * 1000 / max(found.frames, 1),
        "ms",
        bound,
        "max",
        detail=f"{viewers} viewers, {found.frames:,} updates in {SECONDS} s, {found.spent:.2f} s in all",
    )


def _stale(name: str, found: Measured) -> Figure:
    return Figure(
        f"{name}: viewers not up to date {CURRENT_SECONDS:.0f} s after a change",
        found.stale,
        "viewers",
        0,
        "max",
        gate=True,
        detail=f"of {len(found.seen)}",
    )


@dataclass(frozen=True)
class Measured:
    """What ten seconds brought: seconds of the server's core, in all and for computing; delays in milliseconds."""

    seen: list[Seen]
    spent: float
    computing: float
    computations: int
    delays: list[float]
    stale: int
    whole: int

    @property
    def frames(self) -> int:
        """Updates that were delivered."""
        return sum(len(one.frames) for one in self.seen)

    @property
    def sizes(self) -> list[int]:
        """Of every update that was delivered."""
        return [size for one in self.seen for _, _, size in one.frames]


@dataclass(frozen=True)
class Watched:
    """A server with viewers, each in a process of their own, and a writer here."""

    database: Database
    server: Pipe
    viewers: Pipe
    first_load: tuple[int, int]

    def measured(self, *, brand_ids: tuple[int, ...]) -> Measured:
        """A mention of each of these brands every second, ten times."""
        before = asked(self.server, "figures")
        asked(self.viewers, "begin")
        commits = []
        for number in range(SECONDS):
            started = time.monotonic()
            said = [Said(f"the flight was late again, number {number}", minutes=0, brand_id=n) for n in brand_ids]
            small_store.say(self.database, said, now=datetime.now(UTC))
            commits.append(time.time())
            time.sleep(max(0.0, 1.0 - (time.monotonic() - started)))
        time.sleep(PATIENCE_SECONDS)
        seen, whole = asked(self.viewers, "end")
        after = asked(self.server, "figures")
        spent, computing, computations = (after[key] - before[key] for key in ("cpu", "computing", "computations"))
        delays = [
            min((at - commit for at, _, _ in one.frames if at >= commit), default=float("inf")) * 1000
            for one in seen
            for commit in commits
        ]
        return Measured(seen, spent, computing, computations, delays, stale(seen, commits[-1]), whole)


def stale(seen: list[Seen], last: float) -> int:
    """Viewers who, so long after the last change, had no frame of it or not the newest that others of the scope had."""
    until = last + CURRENT_SECONDS
    had = [
        (one.search, max((number for at, number, _ in one.frames if last <= at <= until), default=-1)) for one in seen
    ]
    newest: dict[str, int] = {}
    for search, number in had:
        newest[search] = max(newest.get(search, -1), number)
    return sum(number == -1 or number < newest[search] for search, number in had)


@contextmanager
def watching(viewers: int, searches: tuple[str, ...]) -> Iterator[Watched]:
    """Server, viewers and writer are three processes, so that the server's processor time is its own."""
    with tempfile.TemporaryDirectory(prefix="watchfloor-bench-") as folder:
        database = Database(f"sqlite:///{folder}/watchfloor.db")
        upgrade(database)
        cookies = filled(database, viewers)
        context = multiprocessing.get_context("spawn")
        server_end, server = context.Pipe()
        viewers_end, watchers = context.Pipe()
        port = free_port()
        processes = [
            context.Process(target=serve, args=(folder, database.url.render_as_string(), port, server_end)),
            context.Process(target=view, args=(port, cookies, searches, viewers_end)),
        ]
        try:
            processes[0].start()
            server.recv()
            load = first_load(port, cookies[0])
            processes[1].start()
            watchers.recv()
            yield Watched(database, server, watchers, load)
        finally:
            for process in processes:
                if process.is_alive():
                    process.terminate()
                    process.join(10)
            database.close()


def filled(database: Database, viewers: int) -> list[str]:
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
    return [signed_in(database, number, now) for number in range(viewers)]


def signed_in(database: Database, number: int, now: datetime) -> str:
    """The cookie of a person of their own."""
    email = f"viewer{number}@meridian.example"
    with database.write() as connection:
        people.add_person(connection, email=email, name=f"Viewer {number}", role="viewer", now=now)
        link = identity.make_link(connection, email, now)
        signed = identity.use_link(connection, link, "127.0.0.1", now)
    assert signed is not None
    return f"watchfloor={signed.session_id}"


if __name__ == "__main__":
    show("live", run())
