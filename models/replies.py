"""What we want to say to a customer: drafts, and the one place where a reply goes from a state to the next.

The only writer of `reply` and `signature`, with models/sign_off.py (from a draft to an approval) and models/outbox.py
(from an approval to the network), which go through `advance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from models import answer_lock, cases
from models.access import DRAFT, SIGN_OFF, Access
from models.case_steps import Case, CaseKey
from models.database import new_id, raise_change
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from models.reply_rows import Reply, ReplyKey, Signature, counts, hash_of, read, row_of
from models.reply_steps import (
    APPROVED,
    AWAITING,
    DRAFTED,
    LIVE,
    OPEN,
    RETURNED,
    STEPS,
    WITHDRAWN,
    WrongStep,
    after,
)
from models.tables import reply as replies

LONGEST_TEXT = 10_000
LONGEST_REASON = 500
# Replies of one case that are read, the newest.
MOST = 200
# Action -> the kind of event that the case gets.
KINDS: Mapping[str, str] = {
    "draft": "drafted",
    "edit": "taken_back",
    "submit": "submitted",
    "send": "approved",
    "sign": "signed",
    "approve": "approved",
    "approve_late": "returned",
    "send_back": "sent_back",
    "confirm": "approved",
    "withdraw": "withdrawn",
    "give_back": "returned",
    "begin": "sending",
    "deliver": "sent",
    "doubt": "unknown",
    "refuse": "failed",
    "answer_natively": "native",
    "mark_sent": "sent",
    "mark_not_sent": "failed",
}
# What a text that is written on again loses.
UNSIGNED: Mapping[str, Any] = {
    "submitted_at": None,
    "approved_hash": None,
    "approved_at": None,
    "send_at": None,
    "signatures": 0,
    "policy": None,
    "is_native": False,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What came of saving a draft. `newer` counts what happened in the case since its author looked."""

    key: ReplyKey
    text_hash: str
    saved_at: datetime
    claim_is_live: bool
    newer: int


def save_draft(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    case: CaseKey,
    *,
    text: str,
    account_id: int | None,
    claim_token: str | None,
    event_seen: int,
    now: datetime,
) -> Draft:
    """Keep what somebody writes: one draft a person and case, one UPDATE.

    Words are never lost: a claim that is over and newer events are told, not refused. WrongStep while one's own reply
    waits for sign-off or is about to be sent: take it back first.
    """
    held = cases.visible(connection, organisation, who, case)
    who.require_for(DRAFT, organisation, brand_id=case.brand_id, location_id=held.location_id, team_id=held.team_id)
    written = _written(text)
    text_hash = hash_of(written)
    values = {
        "text": written,
        "text_hash": text_hash,
        "account_id": _account(organisation, held, account_id),
        "event_seen": min(event_seen, held.last_event),
        "changed_at": now,
    }
    mine = {"this_brand_id": case.brand_id, "this_case_id": case.id, "this_author_id": who.person_id}
    saved = connection.execute(_WRITE, {**values, **mine}).scalar()
    if saved is None:
        # Locked, so that of two windows of one person one begins the draft and the other finds it.
        held = cases.require(connection, organisation, who, case, DRAFT)
        saved = connection.execute(_WRITE, {**values, **mine}).scalar() or _begun_again(connection, mine, values)
    if saved is None:
        saved = _begin(connection, who, held, values, now)
    newer = 0
    if held.last_event > event_seen:
        newer = len(cases.newer(connection, case, event_seen, person_id=who.person_id))
    is_live = claim_token is not None and held.holder(now) == who.person_id
    return Draft(ReplyKey(case.brand_id, int(saved)), text_hash, now, is_live, newer)


# A draft is kept every two seconds by everybody who writes: the statement is built once.
_MINE = tuple(replies.c[name] == bindparam(f"this_{name}") for name in ("brand_id", "case_id", "author_id"))
_WRITE = update(replies).where(*_MINE, replies.c.state == DRAFTED).returning(replies.c.id)


def _begun_again(connection: Connection, mine: Mapping[str, int], values: Mapping[str, Any]) -> int | None:
    """What was returned is a draft again as soon as its text changes, and its signatures are void."""
    row = connection.execute(
        select(replies)
        .where(*_MINE, replies.c.state.in_((RETURNED, AWAITING, APPROVED)))
        .order_by(replies.c.id.desc())
        .limit(1),
        mine,
    ).first()
    if row is None:
        return None
    if row.text_hash == values["text_hash"] and row.account_id == values["account_id"]:
        return int(row.id)
    if row.state != RETURNED:
        said = "waits for sign-off" if row.state == AWAITING else "is about to be sent"
        raise WrongStep(f"your reply {said}; take it back, then write on")
    advance(connection, row, "edit", now=values["changed_at"], values={**UNSIGNED, **values, "error": None})
    return int(row.id)


def _begin(connection: Connection, who: Access, case: Case, values: Mapping[str, Any], now: datetime) -> int:
    number = new_id(now)
    connection.execute(
        insert(replies).values(
            brand_id=case.key.brand_id,
            id=number,
            case_id=case.key.id,
            network_id=case.network_id,
            in_reply_to=case.last_post,
            state=DRAFTED,
            author_id=who.person_id,
            author=who.name,
            drafted_at=now,
            **{**UNSIGNED, **values},
        )
    )
    _tell(connection, case.key, number, "draft", now, who.person_id, who.name, {"to": DRAFTED})
    return number


def own_draft(
    connection: Connection, organisation: Organisation, who: Access, case: CaseKey, now: datetime
) -> Reply | None:
    """What this person was writing in a case, a returned reply included; None where nothing stands."""
    cases.visible(connection, organisation, who, case)
    row = connection.execute(
        select(replies)
        .where(
            replies.c.brand_id == case.brand_id,
            replies.c.case_id == case.id,
            replies.c.author_id == who.person_id,
            replies.c.state.in_(tuple(OPEN)),
        )
        .order_by(replies.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else read(connection, [row])[0]


def edit(connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, *, now: datetime) -> Reply:
    """Take one's own reply back, out of sign-off or out of the seconds before it is sent: every signature is void."""
    row, _ = loaded(connection, organisation, who, key, STEPS["edit"].right)
    if row.author_id != who.person_id:
        raise AccessDenied(f"this reply is {row.author}'s; send it back, or withdraw it with a reason")
    advance(connection, row, "edit", now=now, who=who, values={**UNSIGNED, "changed_at": now, "error": None})
    return again(connection, key)


def withdraw(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: ReplyKey,
    *,
    reason: str | None,
    now: datetime,
) -> Reply:
    """End a reply that was not sent: its author, or with a reason whoever may sign there."""
    row, case = loaded(connection, organisation, who, key, STEPS["withdraw"].right)
    if row.author_id != who.person_id:
        allowed(who, organisation, case, SIGN_OFF)
        reason = needed(reason, "withdraws what somebody else wrote")
    given = _short(reason)
    advance(connection, row, "withdraw", now=now, who=who, values={"error": given}, details={"reason": given})
    return again(connection, key)


def replies_of(
    connection: Connection, organisation: Organisation, who: Access, case: CaseKey, now: datetime
) -> tuple[Reply, ...]:
    """The replies of a case, oldest first, the newest MOST; what others are still writing is left out."""
    cases.visible(connection, organisation, who, case)
    rows = connection.execute(
        select(replies)
        .where(replies.c.brand_id == case.brand_id, replies.c.case_id == case.id)
        .order_by(replies.c.id.desc())
        .limit(MOST)
    ).all()
    return tuple(read(connection, [row for row in reversed(rows) if _shows(row, who)]))


def reply(connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, now: datetime) -> Reply:
    """One reply. NotFound."""
    row, _ = loaded(connection, organisation, who, key, None)
    return read(connection, [row])[0]


# -- for models/sign_off.py and models/outbox.py -----------------------------------------------------------------------


def loaded(
    connection: Connection, organisation: Organisation, who: Access, key: ReplyKey, right: str | None
) -> tuple[Row[Any], Case]:
    """The row and its case, which the person may see and, where a right is named, has there; the case locked then."""
    row = row_of(connection, key)
    missing = NotFound(f'no reply "{key}"')
    if row is None or not _shows(row, who):
        raise missing
    case = CaseKey(row.brand_id, row.case_id)
    try:
        if right is None:
            return row, cases.visible(connection, organisation, who, case)
        held = cases.require(connection, organisation, who, case, right)
    except NotFound:
        raise missing from None
    # Read again: what is locked now is what nobody changes until this transaction is over.
    return row_of(connection, key) or row, held


def again(connection: Connection, key: ReplyKey) -> Reply:
    """The reply as it stands after a step."""
    row = row_of(connection, key)
    assert row is not None
    return read(connection, [row])[0]


def advance(
    connection: Connection,
    row: Row[Any],
    action: str,
    *,
    now: datetime,
    who: Access | None = None,
    values: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Take a step: one conditional UPDATE, its event, its audit row. WrongStep where it is not possible (any more).

    Without `who` the clock or the network takes it, in the name of the author.
    """
    state = after(action, row.state)
    key = CaseKey(row.brand_id, row.case_id)
    if state in LIVE and row.state not in LIVE:
        _alone(connection, row)
    changed = connection.execute(
        update(replies)
        .where(
            replies.c.brand_id == row.brand_id,
            replies.c.id == row.id,
            replies.c.state == row.state,
            # What was judged is what goes on.
            replies.c.text_hash == row.text_hash,
        )
        .values(state=state, live_slot=1 if state in LIVE else None, **(values or {}))
    )
    if changed.rowcount != 1:
        raise WrongStep("somebody else changed this reply at the same moment; look at it again")
    if state in {DRAFTED, RETURNED, WITHDRAWN} or action in {"refuse", "mark_not_sent"}:
        answer_lock.give_up(connection, row)
    text_hash = (values or {}).get("text_hash", row.text_hash)
    told = {"from": row.state, "to": state, "text_hash": text_hash, **(details or {})}
    person_id, actor = (row.author_id, row.author) if who is None else (who.person_id, who.name)
    _tell(connection, key, row.id, action, now, person_id, actor, told)


def allowed(who: Access, organisation: Organisation, case: Case, right: str) -> None:
    """AccessDenied where the person lacks a right in a case."""
    who.require_for(right, organisation, brand_id=case.key.brand_id, location_id=case.location_id, team_id=case.team_id)


def needed(reason: str | None, what: str) -> str:
    """The reason; InputError where there is none."""
    given = _short(reason)
    if not given:
        raise InputError(f"give a reason: it {what}")
    return given


def _short(reason: str | None) -> str | None:
    return " ".join(reason.split())[:LONGEST_REASON] or None if reason else None


def _tell(
    connection: Connection,
    case: CaseKey,
    reply_id: int,
    action: str,
    now: datetime,
    person_id: int,
    actor: str,
    details: Mapping[str, Any],
) -> None:
    cases.note_reply(
        connection,
        case,
        KINDS[action],
        reply_id=reply_id,
        now=now,
        person_id=person_id,
        actor=actor,
        details={"action": action, **details},
    )
    raise_change(connection, "replies", [case.brand_id])


def _alone(connection: Connection, row: Row[Any]) -> None:
    other = connection.execute(
        select(replies.c.author).where(
            replies.c.brand_id == row.brand_id,
            replies.c.case_id == row.case_id,
            replies.c.live_slot == 1,
            replies.c.id != row.id,
        )
    ).scalar()
    if other is not None:
        raise WrongStep(f"another reply of this case, by {other}, is on its way; wait until it is sent or decided")


def _shows(row: Row[Any], who: Access) -> bool:
    return row.author_id == who.person_id or row.submitted_at is not None or row.state not in (DRAFTED, WITHDRAWN)


def _written(text: str) -> str:
    """What is kept of what was typed: no NUL, no half characters, lines ended one way."""
    if len(text) > LONGEST_TEXT:
        raise InputError(f"a reply has at most {LONGEST_TEXT:,} characters, not {len(text):,}")
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _account(organisation: Organisation, case: Case, account_id: int | None) -> int | None:
    if account_id is None:
        return None
    for account in organisation.accounts:
        if account.id == account_id:
            if (account.brand_id, account.network_id) != (case.key.brand_id, case.network_id):
                raise InputError(f"{account.name} speaks for another brand or on another network")
            return account_id
    raise NotFound(f"no account {account_id}")


__all__ = [
    "Draft",
    "Reply",
    "ReplyKey",
    "Signature",
    "advance",
    "counts",
    "edit",
    "hash_of",
    "own_draft",
    "read",
    "replies_of",
    "reply",
    "row_of",
    "save_draft",
    "withdraw",
]
