"""Panels computed once per change for everybody, joined to channels whose viewers all get the same bytes.

A unit is one panel for one effective scope; a channel is the units of one page. Nothing here knows of sockets.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from dashboard import scope as url_scope
from dashboard.channel import Channel, State
from dashboard.pace import Pace
from dashboard.panel import Panel, Question
from dashboard.scope import UrlScope
from dashboard.unit import PATIENCE_SECONDS, Job, Key, Unit, failed, next_edge
from models import organisation as organisations
from models import sources
from models.access import VIEWER, Access
from models.database import Change, Database, Watcher
from models.errors import NotFound, ScopeError
from models.feed import NO_FILTERS
from models.organisation import Organisation
from models.sources import Health

if TYPE_CHECKING:
    from dashboard.views.view import Address

log = logging.getLogger("watchfloor.live")

# A panel is computed at most once in a second, and never costs more than a twentieth of its time.
QUIET_SECONDS = 1.0
COST_FACTOR = 20
RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 60.0
# Panels of one change that are ready within this time travel in one frame.
GATHER_SECONDS = 0.2
FORGET_SECONDS = 60.0
BEAT_SECONDS = 5.0
# One that computes beside one that waits for the database: more would only take the interpreter from each other, and
# from requests.
THREADS = 2
# A request asks the database a dozen times, and each time it may wait for so long until a panel lets go of the
# interpreter; with the usual 5 ms a claim took twice as long as without panels.
SWITCH_SECONDS = 0.001
# What a part of the scope is where a panel does not read it.
OPEN: dict[str, Any] = {"location_ids": None, "team_ids": None, "network_ids": None, "search": ""}


class Hub:
    """Everything that is watched. `clock` is monotonic seconds, `wall` the time of day."""

    def __init__(
        self,
        database: Database,
        find_view: Callable[[str], Address | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        version: str = "",
    ) -> None:
        self.clock = clock
        self.wall = wall
        self.epoch = f"{os.getpid():x}-{time.time_ns():x}"
        self.organisation: Organisation | None = None
        self.generation = 0
        self.beat = ""
        self.computations = 0
        self.cpu_seconds = 0.0
        self._version = version
        self._database = database
        self._find_view = find_view
        self._units: dict[Key, Unit] = {}
        self._channels: dict[str, Channel] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._is_outdated = False
        self._badges: tuple[tuple[int, str], ...] | None = None
        self._wake = asyncio.Event()
        self._pace = Pace()
        self._slots = asyncio.Semaphore(THREADS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="panel")
        self._watcher = Watcher(database)
        self._stopped = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ------------------------------------------------------------------------------------------------

    def clicked(self) -> None:
        """Somebody asks or does something: what is only watched gives way. On the loop."""
        self._pace.clicked(self.clock())

    async def start(self) -> None:
        """Read the organisation, note where the database stands, then keep everything that is watched fresh."""
        sys.setswitchinterval(SWITCH_SECONDS)
        await asyncio.to_thread(self._watcher.wait, 0)
        await self.reload()
        await self.take_beat()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._follow, args=(loop,), name="changes", daemon=True).start()
        self._tasks = [asyncio.create_task(kept_up(work)) for work in (self._run, self._beats)]

    async def stop(self) -> None:
        """Stop computing; what runs in a thread is left to end."""
        self._stopped.set()
        self._watcher.close()
        for task in (*self._tasks, *self._jobs):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._jobs, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopped.is_set():
            changes = self._watcher.wait(5.0)
            if changes and not self._stopped.is_set():
                loop.call_soon_threadsafe(self.changed, changes)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            wait = self.step()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.tidy()
            await self.take_beat()

    # -- watching --------------------------------------------------------------------------------------------

    def channel(self, path: str, search: str, access: Access) -> Channel:
        """What this person sees at an address. NotFound or ScopeError in words where there is nothing to see.

        The scope is narrowed here, from the session's access: nothing that a browser says is believed.
        """
        access.require(VIEWER)
        address = self._find_view(path)
        if address is None:
            raise NotFound(f"there is no page at {path[:80]}")
        view = address.view
        access.require(view.right)
        assert self.organisation is not None
        asked = url_scope.parse(search)
        about = (view.subject, address.subject_key) if view.subject else None
        question = url_scope.question(asked, access, self.organisation, self.wall(), about=about)
        window = UrlScope(window=asked.window, span=asked.span, at=asked.at)
        units = []
        for panel in view.panels:
            filters = question.filters if panel.filtered else NO_FILTERS
            if "brand_ids" in panel.ignores:
                units.append(self._everywhere(panel, question, access))
                continue
            key = Key(
                panel=panel.key,
                # The posts that are read are those whose changes wake it.
                scope=replace(
                    filters.applied(question.scope), **{part: OPEN[part] for part in panel.ignores & OPEN.keys()}
                ),
                window=UrlScope() if "window" in panel.ignores else window,
                zone=question.zone,
                subject=question.subject,
                filters=filters,
                reach=access.reach if panel.reads_cases else (),
            )
            units.append(self._units.setdefault(key, Unit(panel, key)))
        name = blake2b(repr((view.key, [unit.key for unit in units])).encode(), digest_size=9).hexdigest()
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(name, self.epoch, tuple(units), self.clock())
            for unit in units:
                unit.channels.add(channel)
        channel.seen_at = self.clock()
        self._wake.set()
        return channel

    def _everywhere(self, panel: Panel, question: Question, access: Access) -> Unit:
        """A panel that is the same on every page: it is asked about all that this person sees, whatever the page."""
        assert self.organisation is not None
        try:
            scope = url_scope.narrowed(UrlScope(), access, self.organisation)
        except ScopeError:
            # Places that differ from brand to brand are no scope; the page's own is one.
            scope = question.scope
        key = Key(panel.key, scope, UrlScope(), self.organisation.zone, reach=access.reach if panel.reads_cases else ())
        return self._units.setdefault(key, Unit(panel, key))

    def changed(self, changes: Iterable[Change]) -> None:
        """Wake what reads any of these."""
        changes = tuple(changes)
        for unit in self._units.values():
            unit.dirty = unit.dirty or any(unit.wakes(change) for change in changes)
        if any(topic in ("organisation", "settings") for topic, _ in changes):
            self._start_job(self._reload_or_say())
        self._wake.set()

    def retry(self, channel: Channel, panel: str) -> None:
        """Compute one panel of a page again without waiting out its failures; at most once a second for all."""
        for unit in channel.units:
            if isinstance(unit, Unit) and unit.name == panel:
                unit.dirty = True
                unit.earliest = min(unit.earliest, unit.started + QUIET_SECONDS)
        self._wake.set()

    async def reload(self) -> None:
        """Read the organisation anew. Whoever watches is asked to subscribe again: what they may see can differ."""

        def read() -> Organisation:
            with self._database.read() as connection:
                return organisations.current(connection, self.wall())

        # Where the database does not answer now, the next beat tries again.
        self._is_outdated = True
        self.organisation = await asyncio.to_thread(read)
        self._is_outdated = False
        self.generation += 1
        for unit in self._units.values():
            unit.dirty = True
        for channel in self._channels.values():
            channel.wake_viewers()
        self._wake.set()

    async def _reload_or_say(self) -> None:
        try:
            await self.reload()
        except SQLAlchemyError as error:
            log.warning("organisation_unread error=%s", type(error).__name__)

    async def tidy(self) -> None:
        """Read again what could not be read, forget what nobody watches."""
        if self._is_outdated:
            await self._reload_or_say()
        self.sweep()

    def sweep(self) -> None:
        """Forget what nobody has watched for a minute."""
        now = self.clock()
        for name, channel in list(self._channels.items()):
            if not channel.is_watched(now) and now - channel.seen_at > FORGET_SECONDS:
                del self._channels[name]
                for unit in channel.units:
                    unit.channels.discard(channel)
        self._units = {key: unit for key, unit in self._units.items() if unit.channels or unit.running}

    # -- computing -------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Start what is due, publish what is ready; the seconds until the next thing to do, None = until woken."""
        now, wall = self.clock(), self.wall()
        next_at: list[float] = []
        free_at = self._pace.free_at(now)
        for unit in self._units.values():
            due = unit.due_at(now, wall)
            if due is not None and unit.state is not None:
                # What shows nothing yet waits for nobody.
                due = max(due, free_at)
            if due is not None and due <= now:
                self._begin(unit, now)
            elif due is not None:
                next_at.append(due)
        for channel in self._channels.values():
            ready_at = channel.ready_at(GATHER_SECONDS)
            if ready_at is not None and ready_at <= now:
                channel.publish(wall)
            elif ready_at is not None:
                next_at.append(ready_at)
        return max(0.001, min(next_at) - now) if next_at else None

    async def settle(self) -> None:
        """Wait until every computation under way has ended."""
        while self._jobs:
            await asyncio.wait(set(self._jobs))

    def _begin(self, unit: Unit, now: float) -> None:
        # Before the read, so that a change that arrives during it counts.
        unit.dirty, unit.running, unit.started = False, True, now
        self._start_job(self._compute(unit))

    def _start_job(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _compute(self, unit: Unit) -> None:
        job = Job(self._database, unit.panel)
        wall = self.wall()
        cost = cpu = 0.0
        try:
            question = self._question(unit, wall)
            unit.edge = next_edge(unit, question, wall)
            async with self._slots:
                running = asyncio.get_running_loop().run_in_executor(self._threads, job.run, question)
                done, _ = await asyncio.wait({running}, timeout=PATIENCE_SECONDS)
                if not done:
                    running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
                    await asyncio.to_thread(job.cancel)
                    raise TimeoutError
            fragment, seconds, cpu = running.result()
            # In one process with the database a second is only what is left of it by the other panels.
            cost = cpu if self._database.is_sqlite else seconds
            state = State("live", at=wall)
            unit.failures = 0
        # One of the three places that catch broadly: a panel that fails is a state of that panel alone.
        except Exception as error:
            fragment, state = unit.fragment, failed(unit, error, wall)
            unit.failures += 1
            unit.dirty = True
        finally:
            unit.running = False
            self.computations += 1
            self.cpu_seconds += cpu
            self._pace.spend(cpu, self.clock())
            unit.earliest = unit.started + max(QUIET_SECONDS, COST_FACTOR * cost)
        if unit.failures:
            pause = min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * 2 ** (unit.failures - 1))
            unit.earliest = self.clock() + pause
        if fragment != unit.fragment or unit.state is None or not state.reads_like(unit.state):
            unit.fragment, unit.state = fragment, state
            for channel in unit.channels:
                channel.add(unit, self.clock())
        self._wake.set()

    def _question(self, unit: Unit, wall: datetime) -> Question:
        assert self.organisation is not None
        window = url_scope.window_at(unit.key.window, self.organisation, wall)
        key = unit.key
        return Question(key.scope, window, key.zone, self.organisation, wall, key.subject, key.filters, key.reach)

    # -- the beat --------------------------------------------------------------------------------------------

    async def take_beat(self) -> None:
        """Say how old the data is, to everybody; a source whose badge changed by mere waiting wakes its panels."""
        wall = self.wall()

        def read() -> tuple[Health, ...]:
            with self._database.read() as connection:
                return sources.health(connection, wall)

        try:
            health = await asyncio.to_thread(read)
        except SQLAlchemyError as error:
            log.warning("beat_failed error=%s", type(error).__name__)
            badge, age = "disconnected", None
        else:
            worst = sources.worst(health)
            badge, age = (worst.badge, worst.data_age_seconds) if worst else ("waiting", None)
            badges = tuple((item.id, item.badge) for item in health)
            if self._badges is not None and badges != self._badges:
                self.changed([("sources", 0)])
            self._badges = badges
        said = {
            "at": int(wall.timestamp() * 1000),
            "badge": badge,
            "age_seconds": None if age is None else round(age, 1),
            "epoch": self.epoch,
            "version": self._version,
        }
        self.beat = orjson.dumps({"beat": said}).decode()
        for channel in self._channels.values():
            channel.wake_viewers()


async def kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """Run something that never ends by itself, and again after a second should it fail: screens would stand still."""
    while True:
        try:
            await work()
        except Exception as error:
            log.error("loop_failed loop=%s error=%s", work.__name__, type(error).__name__, exc_info=error)
            await asyncio.sleep(1)
