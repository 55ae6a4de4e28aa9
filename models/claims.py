"""Claims: who holds a case, for three minutes at a time. A claim is a token with an end, won by one conditional UPDATE.

It is renewed while its holder works and ends by hand, by its end or with a shift; a colleague takes it over only with a
reason. What leads towards an answer carries the token: `require_claim` refuses the rest.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from models import case_steps, cases
from models.access import DRAFT, Access
from models.case_reading import Filters, candidates
from models.case_steps import LIVE, Case, CaseKey, Event, case_of
from models.case_writing import NO_CLAIM, Raced, Who, Working, tell, write
from models.cases import Taken
from models.errors import InputError, NotFound, WatchfloorError
from models.organisation import Organisation
from models.tables import brand, desk_case

__all__ = ["LEASE", "Claim", "ClaimLapsed", "Taken", "claim", "claim_next", "release", "renew", "take_over"]

LEASE = timedelta(minutes=3)
RENEW_EVERY = timedelta(seconds=60)
LONGEST_REASON = 500
# Of the most urgent so many are tried before somebody is told that colleagues were faster with all of them.
MOST_TRIED = 50
# A case is read again so often when somebody changes it at the same moment, which rarely happens once.
TRIES = 8
_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim somebody holds. `event` is the number of the newest event of its case."""

    key: CaseKey
    token: str
    expires_at: datetime
    event: int


class ClaimLapsed(WatchfloorError):
    """What was sent along is no claim that holds; `ended_at` None = there is none."""

    def __init__(self, ended_at: datetime | None) -> None:
        self.ended_at = ended_at
        when = "you do not hold this case" if ended_at is None else f"your claim ended at {ended_at:%H:%M:%S} UTC"
        super().__init__(f"{when}; claim it again")


def claim(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    *,
    now: datetime,
    address: str | None = None,
) -> Claim:
    """Claim a case: mine already = the same token, renewed. Taken while a colleague holds it; WrongState, NotFound."""
    won = win(connection, organisation, who, key, now=now, address=address)
    tell(connection, [key.brand_id])
    return won


def win(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    *,
    now: datetime,
    address: str | None = None,
) -> Claim:
    """As `claim`, but that the caller tells the screens, when it has all that it wants."""
    for _ in range(TRIES):
        work = _workable(connection, organisation, who, key)
        try:
            return _claim(connection, work, who, now, address)
        except Raced:
            continue
    raise Raced(f"case {key} changes without a pause")


def claim_next(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    now: datetime,
    filters: Filters | None = None,
    address: str | None = None,
) -> Claim | None:
    """Claim the most urgent case that this person may work on and nobody holds; None where there is none.

    First what is theirs, then by what is due first. What was given to a colleague is offered once it is late.
    """
    for key in candidates(connection, organisation, who, filters or Filters(), now=now, limit=MOST_TRIED):
        try:
            work = _workable(connection, organisation, who, key)
            won = _claim(connection, work, who, now, address)
        except (Raced, Taken, NotFound, case_steps.WrongState):
            # A colleague was faster.
            continue
        tell(connection, [key.brand_id])
        return won
    return None


def renew(
    connection: Connection, organisation: Organisation, who: Access, key: CaseKey, token: str, *, now: datetime
) -> Claim:
    """Move the end of a claim that holds. ClaimLapsed, NotFound. No event: nothing happened to the case."""
    cases.visible(connection, organisation, who, key)
    expires_at = now + LEASE
    done = connection.execute(
        update(desk_case)
        .where(*_held(who.person_id, key, token, now))
        .values(claim_expires_at=expires_at)
        .returning(desk_case.c.last_event)
    ).first()
    if done is None:
        raise lapsed(connection, key, token)
    return Claim(key, token, expires_at, done.last_event)


def release(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    token: str,
    *,
    now: datetime,
    address: str | None = None,
) -> Event:
    """Let go of a case. ClaimLapsed where it is not held by this token any more."""
    work = cases.required(connection, organisation, who, key, DRAFT)
    if not _holds(work.values, who.person_id, token, now):
        raise lapsed(connection, key, token)
    event = work.happen("released", Who(who.person_id, who.name, address), now=now, **NO_CLAIM)
    write(connection, [work], now=now)
    tell(connection, [key.brand_id])
    return event


def take_over(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    *,
    reason: str,
    now: datetime,
    address: str | None = None,
) -> Claim:
    """Take a case out of a colleague's hands; where nobody holds it, claim it. InputError without a reason."""
    said = " ".join(reason.split())
    if not said or len(said) > LONGEST_REASON:
        raise InputError(f"say why you take the case over, in 1 to {LONGEST_REASON} characters")
    work = cases.required(connection, organisation, who, key, DRAFT)
    holder = case_of(work.values).holder(now)
    if holder is None or holder == who.person_id:
        won = _claim(connection, work, who, now, address)
    else:
        won = _begin(connection, work, "taken_over", who, now, address, {"reason": said, "from": holder})
    tell(connection, [key.brand_id])
    return won


def require_claim(connection: Connection, who: Access, key: CaseKey, token: str, *, now: datetime) -> None:
    """Nothing where this person holds the case by this token; else ClaimLapsed.

    On PostgreSQL the case stays as it is until the transaction ends: nobody takes it over in between.
    """
    statement = select(desk_case.c.id).where(*_held(who.person_id, key, token, now))
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update()
    if connection.execute(statement).first() is None:
        raise lapsed(connection, key, token)


def end_claims_of(
    connection: Connection, person_id: int, *, now: datetime, why: str = "shift ended", actor: str = "rule"
) -> int:
    """End what somebody holds and give back what was given to them; how many cases that were."""
    everywhere = connection.execute(select(brand.c.id).where(brand.c.kind == "own")).scalars()
    mine = (desk_case.c.claimed_by == person_id) | (desk_case.c.assigned_to == person_id)
    statement = (
        select(desk_case)
        .where(desk_case.c.brand_id.in_(sorted(everywhere)), desk_case.c.state.in_(LIVE), mine)
        .order_by(desk_case.c.brand_id, desk_case.c.id)
    )
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update()
    works = [Working.of(row._asdict()) for row in connection.execute(statement)]
    for work in works:
        values: dict[str, Any] = dict(NO_CLAIM) if work.values["claimed_by"] == person_id else {}
        if work.values["assigned_to"] == person_id:
            values["assigned_to"] = None
        work.happen("released", Who(None, actor), now=now, details={"reason": why, "person_id": person_id}, **values)
    write(connection, works, now=now)
    tell(connection, {work.key.brand_id for work in works})
    return len(works)


def expire(connection: Connection, brand_id: int, *, now: datetime) -> int:
    """Take claims that are over out of the rows, so that screens need not look twice; how many there were."""
    statement = (
        select(desk_case)
        .where(desk_case.c.brand_id == brand_id, desk_case.c.state.in_(LIVE), desk_case.c.claim_expires_at <= now)
        .order_by(desk_case.c.id)
        .limit(500)
    )
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    works = [Working.of(row._asdict()) for row in connection.execute(statement)]
    for work in works:
        details = {"person_id": work.values["claimed_by"], "ended_at": work.values["claim_expires_at"]}
        work.happen("lapsed", Who(None, "clock"), now=now, details=details, **NO_CLAIM)
    write(connection, works, now=now)
    tell(connection, {work.key.brand_id for work in works})
    return len(works)


def lapsed(connection: Connection, key: CaseKey, token: str) -> ClaimLapsed:
    """The refusal of a token: when its claim ended, as far as the case still knows."""
    row = connection.execute(
        select(desk_case.c.claim_token, desk_case.c.claim_expires_at).where(
            desk_case.c.brand_id == key.brand_id, desk_case.c.id == key.id
        )
    ).first()
    return ClaimLapsed(row.claim_expires_at if row is not None and row.claim_token == token else None)


def _workable(connection: Connection, organisation: Organisation, who: Access, key: CaseKey) -> Working:
    """The case as it is, not held against others: the UPDATE decides who wins it."""
    found = cases.visible_row(connection, organisation, who, key)
    place = {name: found[name] for name in ("brand_id", "location_id", "team_id")}
    who.require_for(DRAFT, organisation, **place)
    return Working.of(found)


def _claim(connection: Connection, work: Working, who: Access, now: datetime, address: str | None) -> Claim:
    case = case_of(work.values)
    case_steps.step("claimed", case.state)
    holder = case.holder(now)
    if holder == who.person_id:
        return _renewed(connection, work, who, now)
    if holder is not None:
        raise cases.taken(connection, case)
    return _begin(connection, work, "claimed", who, now, address, _after(case))


def _renewed(connection: Connection, work: Working, who: Access, now: datetime) -> Claim:
    token, expires_at = work.values["claim_token"], now + LEASE
    done = connection.execute(
        update(desk_case).where(*_held(who.person_id, work.key, token, now)).values(claim_expires_at=expires_at)
    )
    if done.rowcount != 1:
        raise Raced(f"case {work.key} changed meanwhile")
    return Claim(work.key, token, expires_at, work.values["last_event"])


def _begin(
    connection: Connection,
    work: Working,
    kind: str,
    who: Access,
    now: datetime,
    address: str | None,
    details: Mapping[str, Any],
) -> Claim:
    """Write a new claim: it stands if, and only if, nobody changed the case since it was read."""
    token, expires_at = secrets.token_urlsafe(_TOKEN_BYTES), now + LEASE
    if kind == "claimed":
        # A renewal is no event: one that came in between is seen by the UPDATE alone.
        work.guard = or_(desk_case.c.claim_expires_at.is_(None), desk_case.c.claim_expires_at <= now)
    event = work.happen(
        kind,
        Who(who.person_id, who.name, address),
        now=now,
        details=details,
        claimed_by=who.person_id,
        claim_token=token,
        claimed_at=now,
        claim_expires_at=expires_at,
    )
    write(connection, [work], now=now)
    return Claim(work.key, token, expires_at, event.number)


def _after(case: Case) -> dict[str, Any]:
    """Whose claim was over before this one."""
    return {} if case.claimed_by is None else {"lapsed": case.claimed_by, "ended_at": case.claim_expires_at}


def _held(person_id: int, key: CaseKey, token: str, now: datetime) -> tuple[Any, ...]:
    return (
        desk_case.c.brand_id == key.brand_id,
        desk_case.c.id == key.id,
        desk_case.c.claimed_by == person_id,
        desk_case.c.claim_token == token,
        desk_case.c.claim_expires_at > now,
    )


def _holds(values: Mapping[str, Any], person_id: int, token: str, now: datetime) -> bool:
    expires_at = values["claim_expires_at"]
    is_mine = values["claimed_by"] == person_id and secrets.compare_digest(values["claim_token"] or "", token)
    return is_mine and expires_at is not None and expires_at > now
