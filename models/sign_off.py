"""From a draft to an approval: who submits, who signs, what comes back to its author.

Every act that leads towards sending carries the token of the claim and the number of the last event its author had
seen; a signature binds to the hash of the text. What is signed late, or overtaken by events, returns to its author for
one key: nothing late ever sends by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from models import answer_lock, cases, claims, replies, sign_off_requests
from models.access import DECLARE, SEND, SIGN_OFF, SUBMIT, Access
from models.case_steps import Case
from models.errors import AccessDenied, InputError
from models.organisation import Organisation
from models.outlook import Judged, judge, required_now
from models.policy import Required
from models.replies import UNSIGNED
from models.reply_rows import Reply, ReplyKey
from models.reply_steps import (
    LATE,
    UNDO,
    Blocked,
    Frozen,
    NotReplyable,
    TextChanged,
    WrongStep,
    after,
)
from models.replyable import BLOCKED, NATIVE, Replyable, replyable
from models.tables import signature as signatures


def submit(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    text_hash: str,
    claim_token: str | None,
    event_seen: int,
    now: datetime,
    reason: str | None = None,
) -> Reply:
    """Hand one's draft over: where policy asks nobody it is approved and goes out in UNDO, else others are asked.

    `reason` answers a post that has an answer already. Raises ClaimLapsed, Stale, TextChanged, Blocked, NeedsReason,
    Frozen, NotReplyable, WrongStep.
    """
    row, case = _own(connection, organisation, who, key, SUBMIT, text_hash)
    after("submit", row.state)
    way = _may_go_on(connection, organisation, who, row, case, claim_token, event_seen, now)
    account_id = way.account_id if row.account_id is None else row.account_id
    judged = _judged(connection, organisation, row, case, account_id, now)
    asked = judged.required
    signed_before = _last_number(connection, row)
    values: dict[str, Any] = {
        **UNSIGNED,
        "account_id": account_id,
        "in_reply_to": case.last_post,
        "event_seen": event_seen,
        "changed_at": now,
        "submitted_at": now,
        "signatures": asked.signatures,
        "policy": _kept(asked, signed_before),
        "statement_id": judged.statement_id,
        "is_native": way.how == NATIVE,
        "error": None,
    }
    details = {"account": account_id, "signatures": asked.signatures, "why": list(asked.why), "reason": reason}
    answer_lock.take(connection, organisation, row, case.last_post, reason=reason, now=now)
    if asked.signatures == 0:
        replies.allowed(who, organisation, case, SEND)
        values |= _approved(row, values["is_native"], now)
        replies.advance(connection, row, "send", now=now, who=who, values=values, details=details)
    else:
        replies.advance(connection, row, "submit", now=now, who=who, values=values, details=details)
        sign_off_requests.ask(connection, organisation, row, case, asked, now=now)
    return replies.again(connection, key)


def sign(
    connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, *, text_hash: str, now: datetime
) -> Reply:
    """Sign what somebody else wrote. With the last signature it is approved, or returned where that comes too late."""
    row, case = _to_judge(connection, organisation, who, key, text_hash)
    if any(item.person_id == who.person_id and replies.counts(row, item) for item in _signed(connection, row)):
        raise WrongStep("you have signed this reply already; somebody else signs next")
    asked = required_now(
        connection,
        organisation,
        case,
        text=row.text,
        account_id=row.account_id,
        author_id=row.author_id,
        now=now,
    )
    way = replyable(connection, organisation, case.key, now, row.account_id)
    if way.hold is not None and way.hold.is_frozen:
        raise Frozen(way.hold.name)
    _add(connection, row, who, organisation, case, "signed", None, now)
    values: dict[str, Any] = {
        "signatures": asked.signatures,
        "policy": _kept(asked, (row.policy or {}).get("signed_before", 0)),
    }
    if not suffices(connection, row, asked):
        replies.advance(connection, row, "sign", now=now, who=who, values=values)
        sign_off_requests.ask(connection, organisation, row, case, asked, now=now)
        return replies.again(connection, key)
    overtaken = _overtaken(connection, row, case, now)
    if overtaken is None:
        values |= _approved(row, row.is_native, now)
        replies.advance(connection, row, "approve", now=now, who=who, values=values)
    else:
        values |= {"approved_hash": row.text_hash, "approved_at": now, "error": overtaken}
        replies.advance(connection, row, "approve_late", now=now, who=who, values=values, details={"reason": overtaken})
    return replies.again(connection, key)


def send_back(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    text_hash: str,
    reason: str,
    now: datetime,
) -> Reply:
    """Return a reply to its author with the reason; every signature is void."""
    row, case = _to_judge(connection, organisation, who, key, text_hash)
    given = replies.needed(reason, "tells its author what to change")
    _add(connection, row, who, organisation, case, "returned", given, now)
    values = {"approved_hash": None, "approved_at": None, "error": given}
    # The words that were sent back stay readable: who gets it a second time sees what changed.
    details = {"reason": given, "text": row.text}
    replies.advance(connection, row, "send_back", now=now, who=who, values=values, details=details)
    return replies.again(connection, key)


def confirm(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    text_hash: str,
    claim_token: str | None,
    event_seen: int,
    now: datetime,
    reason: str | None = None,
) -> Reply:
    """The author's one key for what was signed too late: having read what happened since, send it after all."""
    row, case = _own(connection, organisation, who, key, SEND, text_hash)
    after("confirm", row.state)
    if row.approved_hash != row.text_hash:
        raise WrongStep("nobody has signed this text; change it and submit it again")
    way = _may_go_on(connection, organisation, who, row, case, claim_token, event_seen, now)
    judged = _judged(connection, organisation, row, case, row.account_id, now)
    if not suffices(connection, row, judged.required):
        raise WrongStep("policy asks for more than was signed by now; submit it again")
    answer_lock.take(connection, organisation, row, case.last_post, reason=reason, now=now)
    values = {
        **_approved(row, way.how == NATIVE, now),
        "approved_at": row.approved_at,
        "is_native": way.how == NATIVE,
        "in_reply_to": case.last_post,
        "event_seen": event_seen,
        "changed_at": now,
        "error": None,
    }
    replies.advance(connection, row, "confirm", now=now, who=who, values=values, details={"reason": reason})
    return replies.again(connection, key)


def suffices(connection: Connection, row: Row[Any], asked: Required) -> bool:
    """Whether the signatures in force on a text are those that policy asks for; each person counts once."""
    signed = [item for item in _signed(connection, row) if replies.counts(row, item)]
    people = {item.person_id for item in signed}
    return len(people) >= asked.signatures and (not asked.needs_manager or any(item.is_manager for item in signed))


def is_manager(who: Access, organisation: Organisation, case: Case) -> bool:
    """Whether somebody is a senior manager there: those who may declare an incident."""
    return who.may_for(
        DECLARE, organisation, brand_id=case.key.brand_id, location_id=case.location_id, team_id=case.team_id
    )


def _own(
    connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, right: str, text_hash: str
) -> tuple[Row[Any], Case]:
    row, case = replies.loaded(connection, organisation, who, key, right)
    if row.author_id != who.person_id:
        raise AccessDenied(f"this reply is {row.author}'s; write one of your own")
    if row.text_hash != text_hash:
        raise TextChanged
    return row, case


def _to_judge(
    connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, text_hash: str
) -> tuple[Row[Any], Case]:
    row, case = replies.loaded(connection, organisation, who, key, SIGN_OFF)
    after("sign", row.state)
    if row.author_id == who.person_id:
        raise AccessDenied("nobody signs their own reply; ask a colleague")
    if row.text_hash != text_hash:
        raise TextChanged
    return row, case


def _may_go_on(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    row: Row[Any],
    case: Case,
    claim_token: str | None,
    event_seen: int,
    now: datetime,
) -> Replyable:
    """Refuse what is stale, what nobody claims, what has no way out."""
    claims.require_claim(connection, who, case.key, claim_token or "", now=now)
    newer = cases.newer(connection, case.key, event_seen, person_id=who.person_id)
    if newer:
        raise cases.Stale(newer)
    way = replyable(connection, organisation, case.key, now, row.account_id)
    if way.hold is not None and way.hold.is_frozen:
        raise Frozen(way.hold.name)
    if way.how == BLOCKED:
        raise NotReplyable(way.reason)
    return way


def _judged(
    connection: Connection,
    organisation: Organisation,
    row: Row[Any],
    case: Case,
    account_id: int | None,
    now: datetime,
) -> Judged:
    if not row.text.strip():
        raise InputError("there is no text yet; write one")
    judged = judge(
        connection,
        organisation,
        case,
        text=row.text,
        account_id=account_id,
        author_id=row.author_id,
        now=now,
    )
    if judged.blocked:
        raise Blocked(judged.blocked)
    return judged


def _overtaken(connection: Connection, row: Row[Any], case: Case, now: datetime) -> str | None:
    """Why what is signed now must not go out by itself."""
    waited = now - row.submitted_at
    if waited > LATE:
        return f"signed {waited.total_seconds() / 60:.0f} minutes after it was submitted; send it if it still fits"
    newer = cases.newer(connection, case.key, row.event_seen, person_id=row.author_id)
    return str(cases.Stale(newer)) if newer else None


def _approved(row: Row[Any], is_native: bool, now: datetime) -> dict[str, Any]:
    # By hand there is nothing for the outbox to do, and no second in which to undo it.
    send_at = None if is_native else now + UNDO
    return {"approved_hash": row.text_hash, "approved_at": now, "send_at": send_at}


def _kept(asked: Required, signed_before: int) -> dict[str, Any]:
    return {"needs_manager": asked.needs_manager, "why": list(asked.why), "signed_before": signed_before}


def _signed(connection: Connection, row: Row[Any]) -> list[Row[Any]]:
    return list(
        connection.execute(
            select(signatures).where(signatures.c.brand_id == row.brand_id, signatures.c.reply_id == row.id)
        )
    )


def _last_number(connection: Connection, row: Row[Any]) -> int:
    return int(
        connection.execute(
            select(func.coalesce(func.max(signatures.c.number), 0)).where(
                signatures.c.brand_id == row.brand_id, signatures.c.reply_id == row.id
            )
        ).scalar_one()
    )


def _add(
    connection: Connection,
    row: Row[Any],
    who: Access,
    organisation: Organisation,
    case: Case,
    verdict: str,
    reason: str | None,
    now: datetime,
) -> None:
    connection.execute(
        insert(signatures).values(
            brand_id=row.brand_id,
            reply_id=row.id,
            number=_last_number(connection, row) + 1,
            at=now,
            person_id=who.person_id,
            actor=who.name,
            text_hash=row.text_hash,
            verdict=verdict,
            is_manager=is_manager(who, organisation, case),
            reason=reason,
        )
    )
