"""The worker: a tick looks for due sources, takes their leases, and runs them side by side.

APScheduler is only the tick. What is due and who does it lives in the rows of `source`, so that any number of workers
may run this against one database.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

from apscheduler.executors.pool import ThreadPoolExecutor as TickExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select

from ingest import alerts, chaining, leases
from ingest.checks import answer_one
from ingest.enrich.copies import Copies
from ingest.leases import Lease
from ingest.pipeline import Pipeline
from ingest.publish import Publisher
from ingest.recent import catch_up
from ingest.run import Outcome, clock, run
from ingest.topics import EVERY as TOPICS_EVERY
from ingest.topics import count_topics
from models import case_duties, cube, hung, incidents, organisation
from models.alerts import NO_BRAND
from models.blind import BLIND_AFTER
from models.database import Database
from models.demo_removal import remove_some
from models.settings import Settings
from models.tables import change

log = logging.getLogger("watchfloor.ingest")

TICK_SECONDS = 0.25
CHECK_SECONDS = 1.0
PUBLISH_SECONDS = 1.0
# Cases that are over are settled, claims that ended taken out.
CASES_SECONDS = 60.0
CATCH_UP_SECONDS = 10.0
JUDGE_SECONDS = 15.0
DEMO_REST = 0.002
HOUSEKEEPING = timedelta(hours=1)
# Sources that run side by side in one worker.
SIDE_BY_SIDE = 6


class Worker:
    """Polls due sources until stopped."""

    def __init__(
        self, database: Database, *, settings: Settings | None = None, side_by_side: int = SIDE_BY_SIDE
    ) -> None:
        self._settings = settings or Settings()
        self.name = f"{socket.gethostname()[:24]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._database = database
        self._side_by_side = side_by_side
        self._pool = ThreadPoolExecutor(side_by_side, thread_name_prefix="source")
        self._running: dict[int, Future[Outcome]] = {}
        self._stopping = threading.Event()
        self._pipeline: Pipeline | None = None
        self._pipeline_of: int | None = None
        self._copies = Copies()
        self._caught_up = monotonic() - CATCH_UP_SECONDS
        self._began = monotonic()
        # What proves the audit log lies in home: who was given none leaves it to others.
        self._chaining = chaining.Chaining(database, settings.home, self.name, now=clock) if settings else None
        self._publisher = Publisher(database, self._settings, self.name, now=clock)
        self._scheduler = BackgroundScheduler(timezone="UTC", executors={"default": TickExecutor(7)})

    def start(self) -> None:
        """Begin to tick. What the tick does survives a database that goes away and comes back."""
        log.info("worker_started name=%s", self.name)
        jobs = {"coalesce": True, "max_instances": 1}
        # Its default grace is one second, after which a late tick is dropped.
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_SECONDS, misfire_grace_time=60, **jobs)
        self._scheduler.add_job(self._answer, "interval", seconds=CHECK_SECONDS, misfire_grace_time=60, **jobs)
        self._scheduler.add_job(self._judge, "interval", seconds=JUDGE_SECONDS, misfire_grace_time=60, **jobs)
        self._scheduler.add_job(
            self._keep_house, "interval", seconds=HOUSEKEEPING.total_seconds(), misfire_grace_time=3600, **jobs
        )
        self._scheduler.add_job(
            self._count_topics, "interval", seconds=TOPICS_EVERY.total_seconds(), misfire_grace_time=60, **jobs
        )
        self._scheduler.add_job(self._remove_demo, "interval", seconds=CHECK_SECONDS, misfire_grace_time=60, **jobs)
        self._scheduler.add_job(self._publish, "interval", seconds=PUBLISH_SECONDS, misfire_grace_time=60, **jobs)
        self._scheduler.add_job(self._keep_cases, "interval", seconds=CASES_SECONDS, misfire_grace_time=60, **jobs)
        if self._chaining is not None:
            every = chaining.EVERY_SECONDS
            self._scheduler.add_job(self._chain, "interval", seconds=every, misfire_grace_time=60, **jobs)
        if not self._database.is_sqlite:
            self._scheduler.add_job(self._end_hung, "interval", seconds=hung.LOOK_EVERY, misfire_grace_time=60, **jobs)
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the pages under way, take no new ones, and return."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)
        self._pool.shutdown(wait=True)
        self._publisher.stop()
        log.info("worker_stopped name=%s", self.name)

    def _tick(self) -> None:
        try:
            self._running = {key: future for key, future in self._running.items() if not future.done()}
            while len(self._running) < self._side_by_side and not self._stopping.is_set():
                # Before the lease: an organisation that cannot be read must not hold up every source in turn.
                pipeline = self._current_pipeline()
                lease = leases.take(self._database, self.name, now=clock(), busy=tuple(self._running))
                if lease is None:
                    return
                self._running[lease.source_id] = self._pool.submit(self._run, pipeline, lease)
        except Exception:
            # One of the three places that catch broadly: a job. The next tick tries again.
            log.exception("tick_failed worker=%s", self.name)

    def _run(self, pipeline: Pipeline, lease: Lease) -> Outcome:
        outcome = run(self._database, pipeline, lease, settings=self._settings, stopping=self._stopping.is_set)
        if outcome.items or outcome.error:
            log.info(
                "fetched source=%r items=%d new=%d set_aside=%d error=%r",
                lease.name,
                outcome.items,
                outcome.new,
                outcome.set_aside,
                outcome.error,
            )
        return outcome

    def _current_pipeline(self) -> Pipeline:
        """The pipeline for the organisation as it is now; made anew when somebody changed it."""
        with self._database.read() as connection:
            version = (
                connection.execute(
                    select(change.c.n).where(change.c.topic == "organisation", change.c.brand_id == 0)
                ).scalar()
                or 0
            )
            if self._pipeline is None or version != self._pipeline_of:
                self._pipeline = Pipeline(organisation.current(connection, clock()), copies=self._copies)
                self._pipeline_of = version
            if monotonic() - self._caught_up >= CATCH_UP_SECONDS:
                # What other workers stored: a text that they brought may be copied by one of ours.
                self._caught_up = monotonic()
                catch_up(connection, self._copies, self._pipeline.organisation, clock())
        return self._pipeline

    def _answer(self) -> None:
        """Try what people want to add on the screen."""
        try:
            while answer_one(self._database, self._settings, now=clock):
                pass
        except Exception:
            log.exception("check_failed worker=%s", self.name)

    def _judge(self) -> None:
        """Say what is unusual, and which sources are blind."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        try:
            brand_ids = alerts.judged_brands(pipeline.organisation)
            # Until it was asked once, a source is late because nobody worked.
            if monotonic() - self._began > BLIND_AFTER.total_seconds():
                brand_ids = (NO_BRAND, *brand_ids)
            # The first time of a brand is its whole past: one a round, so that it disturbs nobody.
            while (
                not self._stopping.is_set() and alerts.judge_one(self._database, brand_ids, now=clock) == alerts.AGAIN
            ):
                pass
            incidents.keep_time(self._database, pipeline.organisation, now=clock())
        except Exception:
            log.exception("judge_failed worker=%s", self.name)

    def _count_topics(self) -> None:
        """Count what is talked about, where it is this worker's turn."""
        try:
            done = count_topics(self._database, now=clock, wait=self._stopping.wait)
            if done is not None and done.days:
                log.info("topics_counted days=%d mentions=%d cpu=%.2f", done.days, done.mentions, done.cpu_seconds)
        except Exception:
            log.exception("topics_failed worker=%s", self.name)

    def _remove_demo(self) -> None:
        """Go on removing the demo, where somebody asked for that."""
        try:
            # Between two steps the sources that wait for SQLite have their turn.
            if remove_some(self._database, now=clock, is_over=lambda: self._stopping.wait(DEMO_REST)):
                log.info("demo_removed worker=%s", self.name)
        except Exception:
            log.exception("demo_removal_failed worker=%s", self.name)

    def _publish(self) -> None:
        """Hand approved replies to their networks, account by account."""
        try:
            self._publisher.round()
        except Exception:
            log.exception("publish_failed worker=%s", self.name)

    def _keep_cases(self) -> None:
        """Settle what is over, help teams that are overrun, take out claims that ended."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        try:
            with self._database.write() as connection:
                kept = case_duties.keep_in_order(connection, pipeline.organisation, now=clock())
            if kept.settled or kept.moved:
                log.info("cases_kept settled=%d moved=%d lapsed=%d", kept.settled, kept.moved, kept.lapsed)
        except Exception:
            log.exception("cases_failed worker=%s", self.name)

    def _chain(self) -> None:
        """Link new rows of the audit log, where it is this worker's turn, and check it."""
        try:
            if self._chaining is not None:
                self._chaining.round(self._stopping.is_set)
        except Exception:
            log.exception("chaining_failed worker=%s", self.name)

    def _end_hung(self) -> None:
        """Free what a worker that hangs keeps from all others."""
        try:
            with self._database.read() as connection:
                ended = hung.end_hung(connection)
            if ended:
                log.warning("hung_sessions_ended number=%d", ended)
        except Exception:
            log.exception("end_hung_failed worker=%s", self.name)

    def _keep_house(self) -> None:
        try:
            with self._database.write() as connection:
                forgotten = cube.forget_fine(connection, clock())
            log.info("housekeeping cells_forgotten=%d", forgotten)
        except Exception:
            log.exception("housekeeping_failed worker=%s", self.name)
