"""One run of one source: fetch pages, enrich, store, say in the ledger what came of it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Protocol, cast

import orjson
from pydantic import BaseModel, ValidationError

from ingest import connectors, leases, store
from ingest.door import safe_text
from ingest.found import Cursor, Page, SetAside
from ingest.leases import Lease
from ingest.pipeline import Enriched, Pipeline, chunks
from models.database import DATABASE_ERRORS, Database, raise_change
from models.errors import ConnectorError, InputError, LeaseLost

log = logging.getLogger("watchfloor.ingest")

# A run stores pages for this long at most and then lets other sources have its place.
LONGEST_RUN_SECONDS = 20.0
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
# A quiet fetch tells the screens that data is fresh at most this often.
FRESH_EVERY = timedelta(seconds=5)
# What a network answers can be a page of a megabyte.
LONGEST_REASON = 500


class Connector(Protocol):
    """A module of ingest/connectors."""

    EVERY_SECONDS: float
    NETWORK: str | None
    Config: type[BaseModel]

    def fetch(self, config: Any, cursor: Cursor | None, *, now: datetime) -> Page:
        """One page since the cursor."""

    def describe(self, config: Any) -> str:
        """What is polled, in one line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a source came to. `error` is a sentence, None where all went well."""

    items: int = 0
    new: int = 0
    repeated: int = 0
    set_aside: int = 0
    pages: int = 0
    done: bool = False
    error: str | None = None


def clock() -> datetime:
    """The instant that a run calls now."""
    return datetime.now(UTC)


def run(
    database: Database,
    pipeline: Pipeline,
    lease: Lease,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Outcome, Page], None] = lambda outcome, page: None,
    now: Callable[[], datetime] = clock,
) -> Outcome:
    """Fetch and store pages until the source has no more, the run was long enough, or `stopping` says so.

    The failure of one source is a value: it is written to the ledger and the source, and the next source is not late.
    """
    outcome = Outcome()
    began = monotonic()
    started = now()
    try:
        connector = cast(Connector, connectors.by_kind(lease.kind))
        config = connector.Config.model_validate(lease.config)
        cursor = lease.cursor
        while True:
            started = now()
            page = connector.fetch(config, cursor, now=started)
            more = page.more and not page.done and not stopping() and monotonic() - began < LONGEST_RUN_SECONDS
            outcome = _keep(database, pipeline, lease, page, outcome, started, more=more, now=now)
            cursor = page.cursor
            progress(outcome, page)
            if not more:
                return outcome
    except LeaseLost as lost:
        log.warning("lease_lost source=%r", lease.name)
        return _failed(outcome, str(lost))
    except ConnectorError as error:
        return _failure(database, lease, outcome, started, now(), error)
    except InputError as error:
        return _failure(
            database, lease, outcome, started, now(), ConnectorError(str(error), permanent=True, kind="unknown")
        )
    except ValidationError as error:
        reason = f"the settings of this source cannot be used: {error.errors()[0]['msg']}"
        return _failure(
            database, lease, outcome, started, now(), ConnectorError(reason, permanent=True, kind="unknown")
        )
    except DATABASE_ERRORS as error:
        # Nothing of the page was stored and the cursor did not move: the next run reads it again.
        log.exception("store_failed source=%r", lease.name)
        reason = f"the database refused a page: {str(getattr(error, 'orig', error)).splitlines()[0]}"
        return _failure(database, lease, outcome, started, now(), ConnectorError(reason, kind="unknown"))
    except Exception as error:
        log.exception("run_failed source=%r", lease.name)
        reason = f"an unforeseen fault ({type(error).__name__}); the log has the details"
        return _failure(database, lease, outcome, started, now(), ConnectorError(reason, kind="unknown"))


def _keep(
    database: Database,
    pipeline: Pipeline,
    lease: Lease,
    page: Page,
    outcome: Outcome,
    started: datetime,
    *,
    more: bool,
    now: Callable[[], datetime],
) -> Outcome:
    """Store a page. On SQLite its rows go in several transactions, the cursor with the last: a kill in between costs
    reading the page again, never a mention."""
    page = _with_known_brands(page, pipeline)
    enriched = pipeline.enrich(page.found)
    size = store.SQLITE_ROWS if database.is_sqlite else store.POSTGRES_ROWS
    parts: list[list[Enriched]] = [list(part) for part in chunks(enriched, size)] or [[]]
    new = repeated = aside = 0
    for number, part in enumerate(parts):
        instant = now()
        with database.write() as connection:
            if number < len(parts) - 1:
                leases.hold(connection, lease, now=instant)
            else:
                _advance(connection, lease, page, started, instant, more=more)
            stored = store.store(
                connection, part, source_id=lease.source_id, organisation=pipeline.organisation, now=instant
            )
            new, repeated = new + stored.new, repeated + stored.repeated
            if number == len(parts) - 1:
                aside = store.put_aside(connection, page.set_aside, source_id=lease.source_id, now=instant)
                line = store.Fetched(
                    started_at=started,
                    ended_at=instant,
                    items=len(page.found),
                    new_items=new,
                    set_aside=aside,
                    window=page.window,
                    cost=page.cost,
                    rate_left=page.rate_left,
                )
                store.write_ledger(connection, line, source_id=lease.source_id, worker=lease.owner)
                _cover(connection, lease, page, started)
    return Outcome(
        items=outcome.items + len(page.found),
        new=outcome.new + new,
        repeated=outcome.repeated + repeated,
        set_aside=outcome.set_aside + aside,
        pages=outcome.pages + 1,
        done=page.done,
    )


def _with_known_brands(page: Page, pipeline: Pipeline) -> Page:
    """The page, with posts whose file names a brand that is not in the organisation set aside."""
    known = {brand.key for brand in pipeline.organisation.brands}
    strange = [post for post in page.found if post.brand is not None and post.brand not in known]
    if not strange:
        return page
    records = [
        SetAside(
            place=f"post {post.external_id}",
            reason=f'there is no brand "{post.brand}"; load it with `watchfloor organisation load`, then import again',
            raw=orjson.dumps(asdict(post), default=str),
        )
        for post in strange
    ]
    kept = tuple(post for post in page.found if post.brand is None or post.brand in known)
    return replace(page, found=kept, set_aside=(*page.set_aside, *records))


def _advance(connection: Any, lease: Lease, page: Page, started: datetime, now: datetime, *, more: bool) -> None:
    every = page.next_due_seconds if page.next_due_seconds is not None else lease.every_seconds
    values: dict[str, Any] = {
        "cursor": page.cursor,
        "progress": page.progress,
        "failures": 0,
        "last_success_at": now,
        "last_error": None,
        "rate_left": page.rate_left,
    }
    if page.found:
        values["last_new_at"] = now
    if page.done:
        values["state"] = "done"
    if more:
        leases.hold(connection, lease, now=now, **values)
    elif page.more and not page.done:
        # The run was long enough, the source has more: it is due again as soon as others had their turn.
        leases.release(connection, lease, due_at=now, **values)
    else:
        leases.release(connection, lease, due_at=max(now, started + timedelta(seconds=every)), **values)
    stale = lease.last_success_at is None or now - lease.last_success_at > FRESH_EVERY
    if page.found or page.done or lease.last_error or stale:
        raise_change(connection, "sources")


def _cover(connection: Any, lease: Lease, page: Page, started: datetime) -> None:
    joins_all = bool(getattr(connectors.by_kind(lease.kind), "CONTINUOUS", False))
    span = page.window
    if span is None and joins_all and page.found:
        instants = [post.posted_at for post in page.found]
        span = (min(instants), max(instants))
    elif span is None and not joins_all:
        # A poll since the cursor covers all that was posted since the poll before it began.
        span, joins_all = (started, started), True
    if span is not None:
        store.cover(connection, lease.source_id, span, joins_all=joins_all)


def wait_after(failures: int, retry_after: float | None) -> timedelta:
    """How long to leave a source alone: what the network asked for, else doubling with jitter; 1 s .. 15 min."""
    seconds = retry_after
    if seconds is None:
        seconds = SHORTEST_WAIT.total_seconds() * 2 ** min(failures, 12) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
    return timedelta(seconds=min(max(seconds, SHORTEST_WAIT.total_seconds()), LONGEST_WAIT.total_seconds()))


def _failure(
    database: Database, lease: Lease, outcome: Outcome, started: datetime, ended: datetime, error: ConnectorError
) -> Outcome:
    reason = safe_text(str(error))[:LONGEST_REASON]
    # A page that was stored in this run ended the row of failures before it.
    failures = 0 if outcome.pages else lease.failures
    log.warning("fetch_failed source=%r kind=%s reason=%r", lease.name, error.kind, reason)
    state = "gone" if error.kind == "gone" else "disconnected" if error.permanent else None
    try:
        with database.write() as connection:
            leases.release(
                connection,
                lease,
                failures=failures + 1,
                last_error=reason,
                last_error_at=ended,
                due_at=ended + wait_after(failures, error.retry_after),
                **({} if state is None else {"state": state}),
            )
            line = store.Fetched(started_at=started, ended_at=ended, error_kind=error.kind, error=reason)
            store.write_ledger(connection, line, source_id=lease.source_id, worker=lease.owner)
            raise_change(connection, "sources")
    except LeaseLost:
        log.warning("lease_lost source=%r", lease.name)
    except DATABASE_ERRORS:
        # The lease runs out by itself, and the source is polled again.
        log.exception("failure_not_written source=%r", lease.name)
    return _failed(outcome, reason)


def _failed(outcome: Outcome, reason: str) -> Outcome:
    return Outcome(outcome.items, outcome.new, outcome.repeated, outcome.set_aside, outcome.pages, error=reason)
