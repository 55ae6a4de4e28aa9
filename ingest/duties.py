"""What a source does beside fetching: measure engagement again, ask whether posts are still there, sing to the canary.

All of it happens under the source's lease, behind its fetch, and only in the time that the fetch has left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ingest import leases, remeasure
from ingest.asking import Asking
from ingest.keep import Answer, cost_of, keep_looked_up, spent
from ingest.leases import Lease
from ingest.ledger import Fetched, write_ledger
from ingest.pipeline import Pipeline
from models.database import Database, raise_change, time_id
from models.errors import ConnectorError
from models.tables import duty

log = logging.getLogger("watchfloor.ingest")

# A network of which nothing new came for this many intervals, and this long, is asked what always has an answer.
QUIET_INTERVALS = 10
QUIET_FOR = timedelta(minutes=10)
CANARY_EVERY = timedelta(minutes=15)
# One pass over stored posts begins this long after the one before it began.
PASS_EVERY = timedelta(hours=24)
HEARD, DEAF = "heard", "deaf"
COMPLIANCE, CANARY = "compliance", "canary"


@dataclass(frozen=True, slots=True)
class Work:
    """One source's duties in one run; `until` says when the time of the run is over."""

    database: Database
    pipeline: Pipeline
    lease: Lease
    asking: Asking
    now: Callable[[], datetime]
    is_over: Callable[[], bool]
    # Whether the fetch before brought anything.
    brought: bool

    def is_waiting(self) -> bool:
        """Whether anything is due now."""
        at = self.now()
        with self.database.read() as connection:
            if self.asking.can("look_up") and remeasure.due(connection, self.lease.source_id, at, 1):
                return True
            return bool(self._due(connection, at))

    def do(self) -> None:
        """Do what is due. A network that refuses postpones the duty; only a dead token ends the run."""
        if self.asking.can("look_up"):
            self._measure()
        at = self.now()
        with self.database.read() as connection:
            waiting = self._due(connection, at)
        if COMPLIANCE in waiting:
            self._comply(waiting[COMPLIANCE])
        if CANARY in waiting:
            self._sing()

    def _due(self, connection: Connection, at: datetime) -> dict[str, Mapping[str, Any]]:
        """Kind -> cursor of the duties that are due; a duty that was never done is."""
        rows = {
            row.kind: row for row in connection.execute(select(duty).where(duty.c.source_id == self.lease.source_id))
        }
        kinds = []
        if self.asking.can("look_up") and self.asking.compliance_days > 0:
            kinds.append(COMPLIANCE)
        if self.asking.can("canary") and self._is_quiet(at):
            kinds.append(CANARY)
        return {
            kind: (rows[kind].cursor or {}) if kind in rows else {}
            for kind in kinds
            if kind not in rows or rows[kind].due_at <= at
        }

    def _is_quiet(self, at: datetime) -> bool:
        if self.brought:
            return False
        quiet_for = max(QUIET_FOR, QUIET_INTERVALS * timedelta(seconds=self.lease.every_seconds))
        return self.lease.last_new_at is None or at - self.lease.last_new_at > quiet_for

    # -- engagement ----------------------------------------------------------------------------------------

    def _measure(self) -> None:
        while not self.is_over():
            at = self.now()
            with self.database.read() as connection:
                posts = remeasure.due(connection, self.lease.source_id, at, self.asking.look_up_size)
            if not posts or not self._look_up(list(posts), partial(self._measured, posts)):
                return

    def _measured(self, posts: Mapping[str, datetime], connection: Connection, at: datetime) -> None:
        remeasure.measured(connection, self.lease.source_id, posts, at)

    def _look_up(self, external_ids: Sequence[str], with_it: Callable[[Connection, datetime], None]) -> bool:
        """Ask for posts we know, and keep the answer; False when the network refused."""
        started = self.now()
        try:
            page = self.asking.look_up(external_ids, now=started)
        except ConnectorError as error:
            if error.kind == "dead_token":
                raise
            self._refused("look_up", started, error)
            return False
        keep_looked_up(
            self.database,
            self.pipeline,
            self.lease,
            Answer(page, started, more=True),
            settings=self.asking.settings,
            now=self.now,
            with_it=with_it,
        )
        return True

    def _refused(self, kind: str, started: datetime, error: ConnectorError) -> None:
        log.warning("%s_failed source=%r kind=%s reason=%r", kind, self.lease.name, error.kind, str(error))
        ended = self.now()
        line = Fetched(started_at=started, ended_at=ended, kind=kind, error_kind=error.kind, error=str(error)[:500])
        with self.database.write() as connection:
            leases.hold(connection, self.lease, now=ended)
            write_ledger(connection, line, source_id=self.lease.source_id, worker=self.lease.owner)

    # -- is it still there? --------------------------------------------------------------------------------

    def _comply(self, cursor: Mapping[str, Any]) -> None:
        """Walk over the stored posts of the last days, brand by brand; the cursor says how far it came."""
        began = self.now() if "began" not in cursor else datetime.fromisoformat(cursor["began"])
        after = (int(cursor.get("brand", 0)), int(cursor.get("id", 0)))
        since = time_id(began - timedelta(days=self.asking.compliance_days), 0)
        brands = [brand.id for brand in self.pipeline.organisation.brands]
        while not self.is_over():
            with self.database.read() as connection:
                posts = remeasure.to_compare(
                    connection, self.lease.source_id, brands, after, since, self.asking.look_up_size
                )
            if not posts:
                with self.database.write() as connection:
                    leases.hold(connection, self.lease, now=self.now())
                    self._next(connection, COMPLIANCE, began + PASS_EVERY, {}, "done")
                return
            after = posts[-1][:2]
            reached = {"began": began.isoformat(), "brand": after[0], "id": after[1]}
            if not self._look_up([post[3] for post in posts], partial(self._walked, reached)):
                return

    def _walked(self, reached: Mapping[str, Any], connection: Connection, at: datetime) -> None:
        self._next(connection, COMPLIANCE, at, reached, "walking")

    # -- quiet or deaf -------------------------------------------------------------------------------------

    def _sing(self) -> None:
        started = self.now()
        kind, reason = None, None
        try:
            heard = self.asking.canary(now=started)
        except ConnectorError as error:
            if error.kind == "dead_token":
                raise
            heard, kind, reason = False, error.kind, str(error)[:500]
        ended = self.now()
        # An answer without posts and a refusal cost nothing.
        units = self.asking.canary_units if heard else {}
        cost = cost_of(units, self.lease, self.asking.settings)
        with self.database.write() as connection:
            leases.hold(connection, self.lease, now=ended, **spent(ended, cost))
            if not heard and reason is None:
                kind, reason = "unknown", "the network gave no answer to a query that always has one"
            line = Fetched(
                started_at=started,
                ended_at=ended,
                items=1 if heard else 0,
                kind="canary",
                cost=cost,
                units=units,
                error_kind=kind,
                error=reason,
            )
            write_ledger(connection, line, source_id=self.lease.source_id, worker=self.lease.owner)
            self._next(connection, CANARY, ended + CANARY_EVERY, {}, HEARD if heard else DEAF)
            raise_change(connection, "sources")

    def _next(
        self, connection: Connection, kind: str, due_at: datetime, cursor: Mapping[str, Any], result: str
    ) -> None:
        values = {"due_at": due_at, "cursor": dict(cursor), "last_at": self.now(), "result": result}
        mine = (duty.c.source_id == self.lease.source_id, duty.c.kind == kind)
        if connection.execute(update(duty).where(*mine).values(**values)).rowcount == 0:
            connection.execute(insert(duty).values(source_id=self.lease.source_id, kind=kind, **values))
