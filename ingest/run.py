"""One run of one source: fetch pages, enrich, store, say in the ledger what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from pydantic import ValidationError

from ingest import leases
from ingest.asking import asking
from ingest.cadence import LONGEST_WAIT, wait_after
from ingest.door import safe_text
from ingest.duties import Work
from ingest.found import Page
from ingest.keep import Answer, Kept, keep, next_due
from ingest.leases import Lease
from ingest.ledger import Fetched, write_ledger
from ingest.pipeline import Pipeline
from models.database import DATABASE_ERRORS, Database, raise_change
from models.errors import ConnectorError, InputError, LeaseLost, SettingsError
from models.settings import Settings

log = logging.getLogger("watchfloor.ingest")

# A run stores pages for this long at most and then lets other sources have its place.
LONGEST_RUN_SECONDS = 20.0
# What a network answers can be a page of a megabyte.
LONGEST_REASON = 500
DEFAULTS = Settings()


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
    settings: Settings = DEFAULTS,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Outcome, Page], None] = lambda outcome, page: None,
    now: Callable[[], datetime] = clock,
) -> Outcome:
    """Fetch and store pages until the source has no more, the run was long enough, or `stopping` says so; then do what
    the source has to do beside fetching.

    The failure of one source is a value: it is written to the ledger and the source, and the next source is not late.
    """
    outcome = Outcome()
    began = monotonic()
    started = now()

    def is_over() -> bool:
        return stopping() or monotonic() - began >= LONGEST_RUN_SECONDS

    try:
        ask = asking(database, settings, lease)
        cursor = lease.cursor
        held_at = lease.taken_at or started
        while True:
            started = now()
            if started - held_at > leases.TTL * leases.FRESH:
                # This process may have hung, and another may have taken over: who lost the source asks nothing.
                with database.write() as connection:
                    leases.hold(connection, lease, now=started)
            page = ask.fetch(cursor, now=started)
            more = page.more and not page.done and not is_over()
            work = Work(database, pipeline, lease, ask, now, is_over, brought=bool(outcome.items or page.found))
            duties = not more and not page.more and not page.done and not is_over() and work.is_waiting()
            answer = Answer(page, started, more=more or duties)
            kept = keep(database, pipeline, lease, answer, settings=settings, now=now)
            outcome = _with(outcome, page, kept)
            cursor, held_at = page.cursor, started
            progress(outcome, page)
            if duties:
                work.do()
                with database.write() as connection:
                    due_at = next_due(lease, page, started, now(), kept.cost)
                    leases.release(connection, lease, due_at=due_at)
            if not more:
                return outcome
    except LeaseLost as lost:
        log.warning("lease_lost source=%r", lease.name)
        return _failed(outcome, str(lost))
    except ConnectorError as error:
        return _failure(database, lease, outcome, started, now(), error)
    except (InputError, SettingsError) as error:
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


def _with(outcome: Outcome, page: Page, kept: Kept) -> Outcome:
    return Outcome(
        items=outcome.items + kept.items,
        new=outcome.new + kept.new,
        repeated=outcome.repeated + kept.repeated,
        set_aside=outcome.set_aside + kept.set_aside,
        pages=outcome.pages + 1,
        done=page.done,
    )


def _failure(
    database: Database, lease: Lease, outcome: Outcome, started: datetime, ended: datetime, error: ConnectorError
) -> Outcome:
    reason = safe_text(str(error))[:LONGEST_REASON]
    # A page that was stored in this run ended the row of failures before it.
    failures = 0 if outcome.pages else lease.failures
    log.warning("fetch_failed source=%r kind=%s reason=%r", lease.name, error.kind, reason)
    # A dead token is the one fault that only a person can mend; all else may be over by itself.
    state = {"gone": "gone", "dead_token": "disconnected"}.get(error.kind)
    wait = LONGEST_WAIT if error.permanent and state is None else wait_after(failures, error.retry_after)
    try:
        with database.write() as connection:
            leases.release(
                connection,
                lease,
                failures=failures + 1,
                last_error=reason,
                last_error_at=ended,
                due_at=ended + wait,
                **({} if state is None else {"state": state}),
            )
            line = Fetched(started_at=started, ended_at=ended, error_kind=error.kind, error=reason)
            write_ledger(connection, line, source_id=lease.source_id, worker=lease.owner)
            raise_change(connection, "sources")
    except LeaseLost:
        log.warning("lease_lost source=%r", lease.name)
    except DATABASE_ERRORS:
        # The lease runs out by itself, and the source is polled again.
        log.exception("failure_not_written source=%r", lease.name)
    return _failed(outcome, reason)


def _failed(outcome: Outcome, reason: str) -> Outcome:
    return Outcome(outcome.items, outcome.new, outcome.repeated, outcome.set_aside, outcome.pages, error=reason)
