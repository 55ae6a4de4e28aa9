"""One panel for one effective scope: its last answer, when it is due again, and its computation in a thread."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson
import psycopg
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import scope as url_scope
from dashboard.channel import Channel, State
from dashboard.panel import Panel, Question, Subject
from dashboard.scope import UrlScope
from models.access import Grant, Scope
from models.database import Change, Database
from models.errors import WatchfloorError
from models.feed import NO_FILTERS, Filters

log = logging.getLogger("watchfloor.live")

# What a panel may take before the screen says that it failed.
PATIENCE_SECONDS = 5.0
# Whole numbers beyond 2^53 fail here, where a test sees it, and not in a browser that rounds them.
ENCODING = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_STRICT_INTEGER


@dataclass(frozen=True, slots=True)
class Key:
    """What two viewers must have in common to share a panel; nothing of the person is in it."""

    panel: str
    scope: Scope
    window: UrlScope
    zone: str
    subject: Subject | None = None
    filters: Filters = NO_FILTERS
    reach: tuple[Grant, ...] = ()


class Unit:
    """One panel for one effective scope: its last answer, and when it may be computed again. Used on the loop only."""

    def __init__(self, panel: Panel, key: Key) -> None:
        self.panel = panel
        self.key = key
        self.fragment = b""
        self.state: State | None = None
        self.dirty = True
        self.running = False
        self.started = 0.0
        self.earliest = 0.0
        self.edge: datetime | None = None
        self.failures = 0
        self.channels: set[Channel] = set()

    @property
    def name(self) -> str:
        """The panel's key."""
        return self.panel.key

    def wakes(self, change: Change) -> bool:
        """Whether a change concerns what this panel reads."""
        topic, brand_id = change
        if topic not in self.panel.topics:
            return False
        return brand_id == 0 or brand_id in self.key.scope.brand_ids or brand_id in self.key.scope.tracked_ids

    def due_at(self, now: float, wall: datetime) -> float | None:
        """The instant (of the monotonic clock) to compute this unit at; None while nothing asks for it."""
        if self.running or not any(channel.is_watched(now) for channel in self.channels):
            return None
        if self.dirty:
            return self.earliest
        if self.edge is None:
            return None
        return max(self.earliest, now + (self.edge - wall).total_seconds())


class Job:
    """One computation in a thread, which another thread can cut short."""

    def __init__(self, database: Database, panel: Panel) -> None:
        self._database = database
        self._panel = panel
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def run(self, question: Question) -> tuple[bytes, float, float]:
        """The panel's props as the inside of a JSON object, the seconds it took and those of a core."""
        started, cpu = time.perf_counter(), time.thread_time()
        with self._database.read() as connection:
            with self._lock:
                self._connection = connection
            try:
                answer = self._panel.query(connection, question)
            finally:
                # From here on the connection may serve another panel.
                with self._lock:
                    self._connection = None
        props = self._panel.draw(answer)
        fragment = orjson.dumps(props, default=_plain, option=ENCODING)[1:-1]
        return fragment, time.perf_counter() - started, time.thread_time() - cpu

    def cancel(self) -> None:
        """Make the database give up the statement that is running, if one is."""
        with self._lock:
            if self._connection is None:
                return
            driver: Any = self._connection.connection.driver_connection
            try:
                driver.cancel() if isinstance(driver, psycopg.Connection) else driver.interrupt()
            except Exception as error:
                log.warning("cancel_failed panel=%s error=%s", self._panel.key, type(error).__name__)


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return value.to_plotly_json()
    raise TypeError(f"a panel pushes plain values, not {type(value).__name__}")


def failed(unit: Unit, error: Exception, wall: datetime) -> State:
    reference = blake2b(f"{unit.key}{wall}".encode(), digest_size=4).hexdigest().upper()
    if isinstance(error, WatchfloorError):
        reason = str(error)
    elif isinstance(error, TimeoutError):
        reason = f"This took longer than {PATIENCE_SECONDS:.0f} s and was given up."
    else:
        reason = "This could not be read. It is tried again by itself."
    log.error(
        "panel_failed panel=%s reference=%s error=%s",
        unit.panel.key,
        reference,
        type(error).__name__,
        exc_info=None if isinstance(error, (WatchfloorError, TimeoutError)) else error,
    )
    return State("error", at=wall, reason=reason, reference=reference)


def next_edge(unit: Unit, question: Question, wall: datetime) -> datetime | None:
    """When a live window moves on by a step although nothing happened; None where it never does."""
    window = question.window
    if not window.live or "window" in unit.panel.ignores:
        return None
    zone = question.organisation.zone_info
    step = timedelta(seconds=window.step_seconds)
    edge = url_scope.edge_before(wall, window.step_seconds, zone)
    # A local day has 23 to 25 hours, so the edge is looked up and not added.
    return url_scope.edge_before(edge + step * 1.5, window.step_seconds, zone)
