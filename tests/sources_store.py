"""Sources in every state a source can be in, with a day of ledger each: for tests of the page of the sources."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from models import secrets
from models.bulk import insert_rows
from models.database import Database, new_id, raise_change
from models.settings import Settings
from models.sources import month_number
from models.tables import coverage, duty, source
from models.tables.base import to_microseconds

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEARER = "AAAAAAAAAAAAAAAAAAAAAbearerThatNobodyMayRead"
_FETCH = (
    "id", "source_id", "worker", "started_at", "ended_at", "window_from", "window_to", "fetches", "seconds", "items",
    "new_items", "set_aside", "cost", "rate_left", "kind", "error_kind", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A source to make. `age` since its newest success, `until` = when it stopped asking, `per_quarter` items."""

    name: str
    kind: str
    network_id: int
    every: float
    age: float | None
    per_quarter: float = 0.0
    price: float = 0.0
    until: timedelta = timedelta(0)
    failing: str | None = None
    failed_at: tuple[int, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)


def every_state(now: datetime) -> tuple[Made, ...]:
    """Thirteen conditions on six networks."""
    month = {"month": month_number(now)}
    x = {"what": "search", "longest_query": "512"}
    query = '("halden bank" OR haldenbank OR @HaldenBank_NL OR (halden (card OR karte OR pinpas OR app)))'
    query += ' -is:retweet -"halden norway"'
    error = {"last_error_at": now - 41 * SECOND, "due_at": now + 8 * SECOND, "failures": 3}
    return (
        Made("Halden Bank, recent search", "x", 2, 15, 12, 90, 0.005, config={**x, "query": query},
             columns={**month, "budget": 900.0, "spent": 612.4, "rate_left": 0.71, "remeasure": "ours"}),
        Made("Corvane, recent search", "x", 2, 30, 21, 45, 0.005, config={**x, "query": "corvane OR @corvane"},
             columns={**month, "budget": 700.0, "spent": 212.0, "rate_left": 0.71}),
        Made("Velta, recent search", "x", 2, 60, 7_200, 30, 0.005, until=2 * HOUR, config={**x, "query": "velta"},
             columns={**month, "budget": 260.0, "spent": 260.1, "due_at": now + 12 * DAY}),
        Made("Own accounts, replies to us", "x", 2, 30, 9_000, 20, 0.001, until=150 * MINUTE, failing="dead_token",
             config={"what": "mentions", "handle": "HaldenBank_NL"},
             columns={**error, "state": "disconnected", "last_error": "the token was revoked (401)", "rate_left": 0.4}),
        Made("Stream, all brands", "feed", 3, 5, 1, 180, failed_at=(74,)),
        Made("6 servers, tags and search", "feed", 4, 20, 18, 18),
        Made("Search, all brands", "feed", 5, 60, 95, 32, failing="rate_limited",
             columns={**error, "last_error": "too many requests (429)", "rate_left": 0.0}),
        Made("16 communities, new posts", "feed", 5, 120, 430, 18, columns={"rate_left": 0.41}),
        Made("Comments on 38 videos", "feed", 6, 30, 364, 28, until=6 * MINUTE, columns={"rate_left": 0.21}),
        Made("New videos, search", "feed", 6, 900, 680, 1.0, failing="passing",
             columns={**error, "last_error": "the network did not answer within 20 s"}),
        Made("Press NL and DE", "feed", 7, 300, 168, 12, config={"url": "https://ana:pw-hidden@press.example.org/nl.xml"}),
        Made("Press world", "feed", 7, 600, 242, 6, columns={"last_error": None}, failed_at=(20, 21, 22)),
        Made("Trade press", "feed", 7, 600, 250, 0.0, columns={"canary": "deaf"}),
        Made("Handelskrant", "feed", 7, 600, 30_000, 2, until=8 * HOUR, failing="gone",
             config={"url": "https://handelskrant.example.org/rss"},
             columns={**error, "state": "gone", "last_error": "the feed is gone for good (410)"}),
        Made("Forum of dealers", "feed", 7, 600, 1_900, 3, until=30 * MINUTE, failing="unknown",
             columns={**error, "last_error": "an unforeseen fault (KeyError); the log has the details"}),
        Made("Store reviews, file drop", "file", 1, 3_600, 30_720, 2, until=8 * HOUR,
             columns={"state": "paused", "paused_by": "Hedda Brandt", "paused_at": now - 8 * HOUR,
                      "paused_because": "supplier changes columns"}),
        Made("Regional papers", "feed", 7, 300, None, columns={"created_at": now - 2 * SECOND}),
        Made("reviews-2025.csv", "file", 1, 60, 90_000, until=DAY, columns={"state": "done", "progress": 1.0}),
    )  # fmt: skip


def fill(database: Database, settings: Settings, *, now: datetime, made: tuple[Made, ...] | None = None) -> None:
    """Write them with ids from 1 on; those of X have sealed credentials."""
    dice = random.Random(7)
    with database.write() as connection:
        for number, item in enumerate(made or every_state(now), start=1):
            columns = dict(item.columns)
            canary = columns.pop("canary", None)
            values = {
                "id": number, "name": item.name, "kind": item.kind, "network_id": item.network_id,
                "config": item.config or {"url": f"https://example.org/{number}.xml"}, "state": "active",
                "every_seconds": item.every, "priority": 5, "fence": 0, "due_at": now + item.every * SECOND,
                "failures": 0, "created_at": now - 40 * DAY,
                "last_success_at": None if item.age is None else now - item.age * SECOND,
                "secrets": secrets.seal(settings, {"bearer_token": BEARER}) if item.kind == "x" else None,
            }  # fmt: skip
            connection.execute(insert(source).values(**values | columns))
            if canary is not None:
                connection.execute(
                    insert(duty).values(source_id=number, kind="canary", due_at=now, last_at=now, result=canary)
                )
            if item.age is not None:
                _ledger(connection, number, item, now, dice)
        raise_change(connection, "sources")


def _ledger(connection: Any, number: int, item: Made, now: datetime, dice: random.Random) -> None:
    first = now - DAY
    rows = []
    heard_until = min(now - item.until, now - (item.age or 0) * SECOND)
    for quarter in range(96):
        start = first + quarter * 15 * MINUTE
        if start > heard_until:
            break
        day = 0.6 + 0.4 * math.sin((quarter - 30) / 96 * 2 * math.pi)
        items = int(item.per_quarter * day * dice.uniform(0.8, 1.2))
        failed = quarter in item.failed_at
        fetches = max(1, int(900 / item.every))
        end = min(start + 14 * MINUTE, heard_until)
        took = dice.uniform(0.4, 1.5)
        if failed:
            rows.append(_row(number, end, error="no answer", seconds=took))
            continue
        said: dict[str, Any] = {"items": items, "new": int(items * 0.86), "cost": items * item.price}
        rows.append(_row(number, end, **said, fetches=1 if items else fetches, seconds=took))
    for n in range(8):
        ago = (item.age or 0) * SECOND + n * item.every * SECOND
        items = dice.randint(0, max(1, int(2 * item.per_quarter * item.every / 900)))
        rows.append(
            _row(
                number,
                now - ago,
                items=items,
                new=items,
                cost=items * item.price,
                seconds=dice.uniform(0.4, 1.5),
                window=item.every,
            )
        )
    if item.failing is not None:
        reason = item.columns["last_error"]
        rows.append(_row(number, now - 41 * SECOND, error=reason, kind=item.failing, seconds=10.0))
    insert_rows(connection, "fetch", _FETCH, rows)
    connection.execute(insert(coverage).values(source_id=number, covered_from=now - 40 * DAY, covered_to=heard_until))


def _row(
    number: int,
    end: datetime,
    *,
    items: int = 0,
    new: int = 0,
    cost: float = 0.0,
    fetches: int = 1,
    error: str | None = None,
    kind: str = "passing",
    seconds: float = 1.0,
    window: float | None = None,
) -> tuple[Any, ...]:
    at = to_microseconds(end)
    span = (None, None) if window is None else (to_microseconds(end - window * SECOND), at)
    return (
        new_id(end), number, "worker-1", to_microseconds(end - seconds * SECOND), at, *span, fetches,
        seconds, items, new, 0, cost, None, "fetch", None if error is None else kind, error,
    )  # fmt: skip
