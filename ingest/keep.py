"""A page kept: enriched before BEGIN, then stored with rollups, ledger and cursor, fenced by the lease."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, case, func

from ingest import cadence, connectors, leases, remeasure, store
from ingest.charges import charged_units
from ingest.found import Gone, Page, SetAside
from ingest.leases import Lease
from ingest.ledger import Fetched, cover, put_aside, write_ledger
from ingest.pipeline import Enriched, Ours, Pipeline, chunks
from models.database import Database, raise_change
from models.networks import BY_ID
from models.settings import Settings
from models.sources import month_number
from models.tables import source

# A quiet fetch tells the screens that data is fresh at most this often.
FRESH_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one page; `items` without the posts that were set aside."""

    items: int
    new: int
    repeated: int
    set_aside: int
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, and when it was asked for. `more` = the run goes on after it and keeps the source."""

    page: Page
    started: datetime
    more: bool


def keep(
    database: Database,
    pipeline: Pipeline,
    lease: Lease,
    answer: Answer,
    *,
    settings: Settings,
    now: Callable[[], datetime],
) -> Kept:
    """Store a page. On SQLite its rows go in several transactions, the cursor with the last: a kill in between costs
    reading the page again, never a mention."""
    page = _with_known_brands(answer.page, pipeline)
    ours, others = pipeline.ours(page.found)
    enriched = pipeline.enrich(others)
    size = store.SQLITE_ROWS if database.is_sqlite else store.POSTGRES_ROWS
    parts: list[Sequence[Enriched]] = [*chunks(enriched, size)] or [()]
    new = repeated = 0
    for part in parts[:-1]:
        instant = now()
        with database.write() as connection:
            leases.hold(connection, lease, now=instant)
            stored = _store(connection, lease, pipeline, part, (), (), instant)
            new, repeated = new + stored.new, repeated + stored.repeated
    instant = now()
    with database.write() as connection:
        units = charged_units(connection, lease.network_id, page, instant)
        cost = cost_of(units, lease, settings)
        _advance(connection, lease, answer, cost, instant)
        stored = _store(connection, lease, pipeline, parts[-1], ours, page.gone, instant)
        new, repeated = new + stored.new, repeated + stored.repeated
        aside = put_aside(connection, page.set_aside, source_id=lease.source_id, now=instant)
        line = Fetched(
            started_at=answer.started,
            ended_at=instant,
            items=len(page.found),
            new_items=new,
            set_aside=aside,
            window=page.window,
            cost=cost,
            units=units,
            rate_left=page.rate_left,
        )
        write_ledger(connection, line, source_id=lease.source_id, worker=lease.owner)
        _cover(connection, lease, page, answer.started)
        if _is_news(lease, page, instant):
            # Last: all workers raise this one row, and would wait for each other from here to the commit.
            raise_change(connection, "sources")
    return Kept(len(page.found), new, repeated, aside, cost)


def keep_looked_up(
    database: Database,
    pipeline: Pipeline,
    lease: Lease,
    answer: Answer,
    *,
    settings: Settings,
    now: Callable[[], datetime],
    with_it: Callable[[Connection, datetime], None],
) -> Kept:
    """Store what a network says now of posts we know; `with_it` is written in the same transaction."""
    page = answer.page
    ours, others = pipeline.ours(page.found)
    enriched = pipeline.enrich(others)
    instant = now()
    with database.write() as connection:
        units = charged_units(connection, lease.network_id, page, instant)
        cost = cost_of(units, lease, settings)
        leases.hold(connection, lease, now=instant, **spent(instant, cost))
        stored = _store(connection, lease, pipeline, enriched, ours, page.gone, instant)
        with_it(connection, instant)
        aside = put_aside(connection, page.set_aside, source_id=lease.source_id, now=instant)
        line = Fetched(
            started_at=answer.started,
            ended_at=instant,
            items=len(page.found) + len(page.gone),
            new_items=stored.new,
            set_aside=aside,
            cost=cost,
            units=units,
            rate_left=page.rate_left,
            kind="look_up",
        )
        write_ledger(connection, line, source_id=lease.source_id, worker=lease.owner)
    return Kept(len(page.found), stored.new, stored.repeated, aside, cost)


def cost_of(units: Mapping[str, int], lease: Lease, settings: Settings) -> float:
    """Dollars for what a network charges for, by the price list."""
    network = BY_ID[lease.network_id].key
    return sum(number * settings.price(network, unit) for unit, number in units.items())


def next_due(lease: Lease, page: Page, started: datetime, now: datetime, cost: float) -> datetime:
    """When the source is due after this page."""
    so_far = (lease.spent if lease.month == month_number(now) else 0.0) + cost
    return cadence.next_due(
        started,
        now,
        every_seconds=page.next_due_seconds if page.next_due_seconds is not None else lease.every_seconds,
        priority=lease.priority,
        quiet=lease.quiet,
        money=cadence.Money(lease.budget, so_far),
    )


def _store(
    connection: Connection,
    lease: Lease,
    pipeline: Pipeline,
    mentions: Sequence[Enriched],
    ours: Sequence[Ours],
    gone: Sequence[Gone],
    now: datetime,
) -> store.Stored:
    stored = store.store(
        connection,
        mentions,
        source_id=lease.source_id,
        organisation=pipeline.organisation,
        now=now,
        ours=ours,
        gone=gone,
    )
    remeasure.enlist(
        connection, source_id=lease.source_id, whose=lease.remeasure, mentions=mentions, ours=ours, now=now
    )
    return stored


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


def _advance(connection: Connection, lease: Lease, answer: Answer, cost: float, now: datetime) -> None:
    page = answer.page
    values: dict[str, Any] = {
        "cursor": page.cursor,
        "progress": page.progress,
        "failures": 0,
        "last_success_at": now,
        "last_error": None,
        "rate_left": page.rate_left,
        **spent(now, cost),
    }
    if page.found:
        values["last_new_at"] = now
    if page.done:
        values["state"] = "done"
    if answer.more:
        leases.hold(connection, lease, now=now, **values)
    elif page.more and not page.done:
        # The run was long enough, the source has more: it is due again as soon as others had their turn.
        leases.release(connection, lease, due_at=now, **values)
    else:
        leases.release(connection, lease, due_at=next_due(lease, page, answer.started, now, cost), **values)


def _is_news(lease: Lease, page: Page, now: datetime) -> bool:
    stale = lease.last_success_at is None or now - lease.last_success_at > FRESH_EVERY
    return bool(page.found or page.gone or page.done or lease.last_error or stale)


def spent(now: datetime, cost: float) -> dict[str, Any]:
    """The month's money, begun anew with each month; nothing to write where nothing was paid."""
    if not cost:
        return {}
    month = month_number(now)
    before = case((source.c.month == month, func.coalesce(source.c.spent, 0.0)), else_=0.0)
    return {"month": month, "spent": before + cost}


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
        cover(connection, lease.source_id, span, joins_all=joins_all)
