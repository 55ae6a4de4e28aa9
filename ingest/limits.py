"""When a network may be asked: one quota an (app, endpoint), shared by every worker through the database."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.database import Database
from models.errors import ConnectorError
from models.tables import rate_limit

# No window of any network we know is longer; what a header says beyond it is nonsense.
WINDOW = timedelta(minutes=15)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=15)
# While nothing was ever heard of a quota: so many requests a minute, whatever the number of workers.
UNHEARD_REQUESTS, UNHEARD_WINDOW = 5, timedelta(minutes=1)
# After a refusal one request at a time tries whether it is over; so long it may be under way.
TRIAL = timedelta(seconds=30)
# Their clock and ours may differ so much; beyond it their `Date` is not believed.
LARGEST_SKEW = timedelta(minutes=5)
LARGEST_QUOTA = 1_000_000
# 2^10 s is more than the longest wait.
_DOUBLINGS = 10
_HEADERS = {name: f"x-rate-limit-{name}" for name in ("limit", "remaining", "reset")}


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one quota. `remaining` counts down in the window that ends at `resets_at`; None = unknown."""

    quota: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None
    blocked_until: datetime | None = None
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """What an answer left: the share of the quota, 0..1, None where the network is silent; the wait it asks for."""

    left: float | None
    wait_seconds: float


class Limiter:
    """Asks before a request, hears after it. `chance` spreads the back-off of many workers."""

    def __init__(self, database: Database, *, chance: random.Random | None = None) -> None:
        self._database = database
        self._chance = chance or random.Random()  # noqa: S311 - jitter

    def ask(self, app: str, endpoint: str, now: datetime) -> None:
        """Book one request, or raise ConnectorError (rate_limited) with the seconds to wait, 1 s .. 15 min."""
        with self._database.write() as connection:
            before = _held(connection, app, endpoint, now)
            wait = wait_of(before, now)
            if wait is None:
                _write(connection, app, endpoint, booked(before, now))
        if wait is not None:
            seconds = min(max(wait, SHORTEST_WAIT), LONGEST_WAIT).total_seconds()
            raise ConnectorError(
                f'the quota of "{endpoint}" is used up; asked again in {seconds:.0f} s',
                retry_after=seconds,
                kind="rate_limited",
            )

    def heard(self, app: str, endpoint: str, status: int, headers: Mapping[str, str], now: datetime) -> Quota:
        """Learn from an answer: its `status` and its headers (names in lower case)."""
        with self._database.write() as connection:
            before = _held(connection, app, endpoint, now)
            after = learned(before, status, headers, now, jitter=self._chance.uniform(0.75, 1.25))
            _write(connection, app, endpoint, after, heard_at=now)
        left = after.remaining / after.quota if after.quota and after.remaining is not None else None
        return Quota(left, (wait_of(after, now) or timedelta()).total_seconds())


def wait_of(state: State, now: datetime) -> timedelta | None:
    """How long nobody may ask, or None when one may."""
    until = [state.blocked_until, state.resets_at if state.remaining == 0 else None]
    waits = [instant - now for instant in until if instant is not None and now < instant]
    # Written by a clock that has been set back since: no quota lasts so long.
    waits = [wait for wait in waits if wait <= LONGEST_WAIT + LARGEST_SKEW]
    return min(max(waits), LONGEST_WAIT) if waits else None


def booked(state: State, now: datetime) -> State:
    """The state with one request taken from it. A window that ended begins anew, as if at this instant."""
    if state.refusals:
        return replace(state, remaining=0, resets_at=now + TRIAL)
    if state.remaining and _runs(state, now):
        return replace(state, remaining=state.remaining - 1)
    if state.quota is not None:
        return replace(state, remaining=state.quota - 1, resets_at=now + WINDOW)
    if state.remaining is not None:
        return replace(state, remaining=UNHEARD_REQUESTS - 1, resets_at=now + UNHEARD_WINDOW)
    return state


def learned(state: State, status: int, headers: Mapping[str, str], now: datetime, *, jitter: float) -> State:
    """The state after an answer. Headers are believed within bounds; without them a refusal doubles our own wait."""
    quota, remaining = _whole(headers, "limit"), _whole(headers, "remaining")
    resets_at = _reset(headers, now)
    if not quota or quota > LARGEST_QUOTA or remaining is None or remaining > quota:
        quota, remaining = None, None
    if status == 429:
        return _refused(state, quota, resets_at, now, jitter)
    if state.blocked_until is not None and now < state.blocked_until:
        # It was asked before the refusal came, and says nothing of it.
        return state
    works = 200 <= status < 300
    settled = replace(state, refusals=0, blocked_until=None) if works else state
    if quota is None or remaining is None:
        # A network that answers without a word of a quota has none that we could count.
        return replace(settled, remaining=None, resets_at=None) if works and state.quota is None else settled
    same_window = state.quota is not None and not state.refusals and _runs(state, now)
    if same_window and state.remaining is not None:
        # Answers come in another order than requests went out, and some are still on their way.
        remaining = min(remaining, state.remaining)
    kept = state.resets_at if same_window else now + WINDOW
    return replace(settled, quota=quota, remaining=remaining, resets_at=resets_at or kept)


def _runs(state: State, now: datetime) -> bool:
    return state.resets_at is not None and now < state.resets_at


def _refused(state: State, quota: int | None, resets_at: datetime | None, now: datetime, jitter: float) -> State:
    # The refusals of requests that were under way together are one.
    again = state.blocked_until is None or now >= state.blocked_until
    refusals = state.refusals + 1 if again else state.refusals
    own = now + own_wait(refusals, jitter)
    # The first time their word is enough; a reset that is always a second ahead must not become a storm.
    until = own if resets_at is None else resets_at if refusals <= 1 else max(resets_at, own)
    if state.blocked_until is not None:
        until = max(until, state.blocked_until)
    return State(
        quota=quota or state.quota,
        remaining=0,
        resets_at=until,
        blocked_until=until,
        refusals=refusals,
    )


def own_wait(refusals: int, jitter: float) -> timedelta:
    """Our own back-off after so many refusals in a row: doubling from 1 s, spread by `jitter`, 1 s .. 15 min."""
    seconds = 2.0 ** min(max(refusals - 1, 0), _DOUBLINGS) * jitter
    return min(max(timedelta(seconds=seconds), SHORTEST_WAIT), LONGEST_WAIT)


def _reset(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the window ends by our clock, a second of rounding added; None for what is past, too far or no number."""
    given = _whole(headers, "reset")
    if given is None:
        return None
    wait = timedelta(seconds=given) - (_their_clock(headers, now) - datetime(1970, 1, 1, tzinfo=UTC))
    if not timedelta() < wait <= WINDOW + SHORTEST_WAIT:
        return None
    return now + min(wait + SHORTEST_WAIT, LONGEST_WAIT)


def _their_clock(headers: Mapping[str, str], now: datetime) -> datetime:
    """The network's own now, so that a clock of ours that is off by a minute does not ask a minute early."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
        return theirs if abs(theirs - now) <= LARGEST_SKEW else now
    except (ValueError, TypeError, OverflowError):
        return now


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    given = headers.get(_HEADERS[name], "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 12 else None


def _held(connection: Connection, app: str, endpoint: str, now: datetime) -> State:
    """The row of this quota, locked until the transaction ends; made where there is none."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    unheard = {"remaining": UNHEARD_REQUESTS, "resets_at": now + UNHEARD_WINDOW, "refusals": 0, "heard_at": now}
    connection.execute(
        dialect.insert(rate_limit).values(app=app, endpoint=endpoint, **unheard).on_conflict_do_nothing()
    )
    row = connection.execute(
        select(
            rate_limit.c.quota,
            rate_limit.c.remaining,
            rate_limit.c.resets_at,
            rate_limit.c.blocked_until,
            rate_limit.c.refusals,
        )
        .where(rate_limit.c.app == app, rate_limit.c.endpoint == endpoint)
        .with_for_update()
    ).one()
    return State(*row)


def _write(connection: Connection, app: str, endpoint: str, state: State, *, heard_at: datetime | None = None) -> None:
    values: dict[str, Any] = {name: getattr(state, name) for name in State.__slots__}
    if heard_at is not None:
        values["heard_at"] = heard_at
    connection.execute(
        update(rate_limit).where(rate_limit.c.app == app, rate_limit.c.endpoint == endpoint).values(**values)
    )
