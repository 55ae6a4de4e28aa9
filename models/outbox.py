"""From an approval to the network: at most one call a reply, whatever dies in between.

A worker takes the turn of an account, marks a reply `sending` and commits, and only then calls the network. What came
of the call is written after it. Whoever finds `sending` where nobody calls any more knows that nobody knows: it is
`unknown`, is looked for, and then a person decides. Nothing is ever handed over twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, text, update

from models import answer_lock, cases, replies, sign_off
from models.breaker import Breaker, breaker, note_failure, note_success
from models.case_steps import CaseKey
from models.errors import LeaseLost
from models.holds import Hold, holds
from models.organisation import Organisation
from models.outlook import required_now
from models.reply_rows import ReplyKey, hash_of
from models.reply_steps import APPROVED, LATE, SENDING, SENT
from models.replyable import BLOCKED, replyable
from models.sign_off_requests import case_row
from models.tables import account, account_breaker
from models.tables import reply as rows_of_replies
from models.text_length import has_link

# How long a worker has the turn of an account; longer than a call may take.
TURN = timedelta(seconds=60)
# What is looked at in one round.
MOST_DUE = 50
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """An account in the hands of one worker until `expires_at`."""

    account_id: int
    owner: str
    fence: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """What is handed to the network, once. `key` names the attempt where the network has such a thing."""

    reply: ReplyKey
    account_id: int
    network_id: int
    handle: str
    reply_to: str
    text: str
    key: str
    has_link: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Why an approved reply is not sent now; it waits."""

    reason: str


# -- the worker's side -------------------------------------------------------------------------------------------------


def due_accounts(connection: Connection, owner: str, now: datetime) -> tuple[int, ...]:
    """Accounts with something to send, or with a call that nobody answers for, that no other worker serves now."""
    waits = (rows_of_replies.c.state == APPROVED) & (rows_of_replies.c.send_at <= now)
    turn = account_breaker.c
    is_free = or_(turn.owner.is_(None), turn.owner == owner, turn.expires_at < now)
    rows = connection.execute(
        select(rows_of_replies.c.account_id)
        .distinct()
        .outerjoin(account_breaker, turn.account_id == rows_of_replies.c.account_id)
        .where(or_(waits, rows_of_replies.c.state == SENDING), is_free)
    )
    return tuple(sorted(row[0] for row in rows if row[0] is not None))


def take_turn(connection: Connection, account_id: int, owner: str, *, now: datetime) -> Turn | None:
    """The turn of an account; None while another worker has it. What its last holder left `sending` is in doubt."""
    connection.execute(
        text(
            "insert into account_breaker (account_id, failures, fence) values (:account, 0, 0) on conflict do nothing"
        ),
        {"account": account_id},
    )
    table = account_breaker.c
    row = connection.execute(
        update(account_breaker)
        .where(
            table.account_id == account_id,
            or_(table.owner.is_(None), table.owner == owner, table.expires_at < now),
        )
        .values(owner=owner, fence=table.fence + 1, expires_at=now + TURN)
        .returning(table.fence)
    ).first()
    if row is None:
        return None
    left = connection.execute(
        select(rows_of_replies).where(rows_of_replies.c.state == SENDING, rows_of_replies.c.account_id == account_id)
    ).all()
    for item in left:
        replies.advance(
            connection,
            item,
            "doubt",
            now=now,
            values={"error": "the program ended while it sent this; it may be out"},
        )
    return Turn(account_id, owner, row.fence, now + TURN)


def give_turn_back(connection: Connection, turn: Turn) -> None:
    """Let another worker have the account; nothing where it has it already."""
    connection.execute(update(account_breaker).where(*_mine(turn)).values(owner=None, expires_at=None))


def due(connection: Connection, account_id: int, now: datetime) -> tuple[ReplyKey, ...]:
    """What this account has to send, who waits longest first."""
    found = connection.execute(
        select(rows_of_replies.c.brand_id, rows_of_replies.c.id)
        .where(
            rows_of_replies.c.state == APPROVED,
            rows_of_replies.c.send_at <= now,
            rows_of_replies.c.account_id == account_id,
        )
        .order_by(rows_of_replies.c.send_at, rows_of_replies.c.id)
        .limit(MOST_DUE)
    )
    return tuple(ReplyKey(row.brand_id, row.id) for row in found)


def begin(
    connection: Connection, organisation: Organisation, turn: Turn, key: ReplyKey, *, now: datetime
) -> Call | Held | None:
    """Mark a reply `sending`, to be committed before the network is called. LeaseLost where the turn is over.

    Held while an incident freezes it or the account's breaker is open; None where it is no longer to be sent: taken
    back, or given back to its author because it is late, overtaken by events, or policy asks for more by now.
    """
    renewed = connection.execute(update(account_breaker).where(*_mine(turn)).values(expires_at=now + TURN))
    if renewed.rowcount != 1:
        raise LeaseLost(f"another worker sends for the account {turn.account_id} now; nothing was sent by this one")
    row = replies.row_of(connection, key)
    if row is None or row.state != APPROVED or row.send_at is None or row.send_at > now:
        return None
    cases.locked(connection, CaseKey(row.brand_id, row.case_id))
    row = replies.row_of(connection, key)
    if row is None or row.state != APPROVED:
        return None
    why = unfit(connection, organisation, row, now)
    if why is not None:
        replies.advance(connection, row, "give_back", now=now, values={"error": why}, details={"reason": why})
        return None
    held = held_back(connection, organisation, row, now)
    if held is not None:
        if row.error != held.reason:
            connection.execute(_this(row).values(error=held.reason))
        return held
    handle = connection.execute(select(account.c.handle).where(account.c.id == row.account_id)).scalar_one()
    call_key = f"watchfloor-{row.brand_id}-{row.id}"
    replies.advance(connection, row, "begin", now=now, values={"sending_at": now, "call_key": call_key, "error": None})
    return Call(
        reply=key,
        account_id=row.account_id,
        network_id=row.network_id,
        handle=handle,
        reply_to=row.in_reply_to,
        text=row.text,
        key=call_key,
        has_link=has_link(row.text),
    )


def delivered(
    connection: Connection, key: ReplyKey, *, external_id: str, url: str | None, now: datetime, found: bool = False
) -> None:
    """The network has it. `found`: it was seen there afterwards, and says nothing about the account's health."""
    row = replies.row_of(connection, key)
    if row is None or (row.state == SENT and row.external_id == external_id):
        return
    if row.state == SENT:
        connection.execute(_this(row).values(external_id=external_id, url=url or row.url))
        return
    if not found and row.account_id is not None:
        # Before the case, as everywhere: whoever wants both rows takes them in one order.
        note_success(connection, row.account_id, now=now)
    values = {"external_id": external_id, "url": url, "sent_at": now, "error": None}
    replies.advance(connection, row, "deliver", now=now, values=values, details={"post": external_id})
    answer_lock.keep(connection, row, row.in_reply_to, now=now)
    cases.answered(
        connection,
        CaseKey(row.brand_id, row.case_id),
        post=external_id,
        # What the customer wrote while it was under way is not answered by it.
        posted_at=row.sending_at or now,
        now=now,
        actor=row.author,
        person_id=row.author_id,
        reply_id=row.id,
        account_id=row.account_id,
    )


def doubtful(connection: Connection, key: ReplyKey, *, error: str, now: datetime) -> None:
    """The network did not say whether it has it."""
    row = replies.row_of(connection, key)
    if row is None or row.state != SENDING:
        return
    note_failure(connection, row.account_id, "passing", error, None, now=now)
    replies.advance(connection, row, "doubt", now=now, values={"error": error[:LONGEST_ERROR]})


def refused(
    connection: Connection, key: ReplyKey, *, error: str, kind: str, retry_after: float | None, now: datetime
) -> None:
    """The network said that it does not take it: it is not out, and nobody sends it again by themselves."""
    row = replies.row_of(connection, key)
    if row is None or row.state != SENDING:
        return
    note_failure(connection, row.account_id, kind, error, retry_after, now=now)
    replies.advance(connection, row, "refuse", now=now, values={"error": error[:LONGEST_ERROR]})


# -- decisions ---------------------------------------------------------------------------------------------------------


def unfit(connection: Connection, organisation: Organisation, row: Row[Any], now: datetime) -> str | None:
    """Why what was approved must not go out by itself any more."""
    if not row.text_hash == row.approved_hash == hash_of(row.text):
        return "the text is not the one that was approved"
    due_at = row.send_at or row.approved_at
    if now - due_at > LATE:
        return f"it could not be sent for {(now - due_at).total_seconds() / 60:.0f} minutes; send it if it still fits"
    case = case_row(connection, row)
    if case is None:
        return "its case is gone"
    newer = cases.newer(connection, case.key, row.event_seen, person_id=row.author_id)
    if newer:
        return str(cases.Stale(newer))
    asked = required_now(
        connection,
        organisation,
        case,
        text=row.text,
        account_id=row.account_id,
        author_id=row.author_id,
        now=now,
    )
    if not sign_off.suffices(connection, row, asked):
        return f"policy asks for more by now ({'; '.join(asked.why)}); submit it again"
    way = replyable(connection, organisation, case.key, now, row.account_id)
    frozen = way.hold is not None and way.hold.is_frozen
    open_breaker = _breaker_open(connection, row.account_id, now)
    return way.reason if way.how == BLOCKED and not frozen and open_breaker is None else None


def held_back(connection: Connection, organisation: Organisation, row: Row[Any], now: datetime) -> Held | None:
    """What keeps an approved reply waiting: an incident, or the account's breaker."""
    case = case_row(connection, row)
    assert case is not None
    hold = holds(connection, organisation, row.brand_id, case.location_id, row.network_id, now)
    if hold is not None and hold.is_frozen:
        return Held(f"held: outbound is frozen by the incident “{hold.name}”")
    stopped = _breaker_open(connection, row.account_id, now)
    return None if stopped is None else Held(f"held: {stopped.error}")


def _breaker_open(connection: Connection, account_id: int, now: datetime) -> Breaker | None:
    found = breaker(connection, account_id, now)
    return found if found is not None and found.open_until is not None else None


def _mine(turn: Turn) -> tuple[Any, ...]:
    return (
        account_breaker.c.account_id == turn.account_id,
        account_breaker.c.owner == turn.owner,
        account_breaker.c.fence == turn.fence,
    )


def _this(row: Row[Any]) -> Any:
    return update(rows_of_replies).where(rows_of_replies.c.brand_id == row.brand_id, rows_of_replies.c.id == row.id)


__all__ = ["Breaker", "Hold", "breaker", "holds"]
