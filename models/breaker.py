"""A circuit breaker an account: after failures it sends nothing for a while, longer with each. Writes
`account_breaker`, beside the turns of models/outbox.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from models.tables import account_breaker

# Failures in a row that open it, and for how long then, doubled each time.
FAILURES = 3
SHORTEST, LONGEST = timedelta(seconds=60), timedelta(minutes=15)
LONGEST_ERROR = 500
# What says something about the account, not about one text.
OF_ACCOUNT = frozenset({"passing", "rate_limited", "dead_token"})


@dataclass(frozen=True, slots=True)
class Breaker:
    """`open_until` None = closed; then `failures` counts those in a row."""

    failures: int
    open_until: datetime | None
    error: str | None


def breaker(connection: Connection, account_id: int, now: datetime) -> Breaker | None:
    """How the breaker of an account stands; None where nothing was ever sent as it."""
    row = connection.execute(select(account_breaker).where(account_breaker.c.account_id == account_id)).one_or_none()
    if row is None:
        return None
    is_open = row.open_until is not None and row.open_until > now
    return Breaker(row.failures, row.open_until if is_open else None, row.error)


def opens_until(failures: int, kind: str, retry_after: float | None, now: datetime) -> datetime | None:
    """Until when nothing is sent after so many failures in a row, the last of this kind; None = go on. Pure."""
    if kind == "dead_token":
        return now + LONGEST
    if kind == "rate_limited":
        wait = timedelta(seconds=min(max(retry_after or 0.0, 1.0), LONGEST.total_seconds()))
        return now + (wait if retry_after else SHORTEST)
    if failures < FAILURES:
        return None
    seconds = SHORTEST.total_seconds() * 2.0 ** min(failures - FAILURES, 10)
    return now + min(timedelta(seconds=seconds), LONGEST)


def note_success(connection: Connection, account_id: int, *, now: datetime) -> None:
    """The account sends: closed."""
    connection.execute(
        update(account_breaker)
        .where(account_breaker.c.account_id == account_id)
        .values(failures=0, open_until=None, error=None)
    )


def note_failure(
    connection: Connection, account_id: int, kind: str, error: str, retry_after: float | None, *, now: datetime
) -> None:
    """Count a failure that is the account's."""
    if kind not in OF_ACCOUNT:
        return
    row = connection.execute(
        update(account_breaker)
        .where(account_breaker.c.account_id == account_id)
        .values(failures=account_breaker.c.failures + 1, error=error[:LONGEST_ERROR])
        .returning(account_breaker.c.failures)
    ).first()
    if row is not None:
        until = opens_until(row.failures, kind, retry_after, now)
        connection.execute(
            update(account_breaker).where(account_breaker.c.account_id == account_id).values(open_until=until)
        )
