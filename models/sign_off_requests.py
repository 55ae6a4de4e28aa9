"""Who is asked to sign: who may there and is on shift, their deputy while they are away, the next after five minutes.

The only writer of `signature_request`. Anybody with the right may sign, asked or not: a request says whose turn it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from models import shifts
from models.access import DECLARE, ROLES, SIGN_OFF, Access
from models.case_scope import may_see
from models.case_steps import Case, CaseKey, case_of
from models.database import raise_change
from models.organisation import Organisation
from models.policy import Required
from models.reply_rows import Reply, read
from models.reply_steps import AWAITING, PASS_ON
from models.roles import granted, memberships
from models.tables import deputy, desk_case, membership, person, signature_request
from models.tables import reply as replies

SIGNING = tuple(role for role, rights in ROLES.items() if SIGN_OFF in rights)
MOST_SIGNERS = 2_000
MOST_WAITING = 500


@dataclass(frozen=True, slots=True)
class Request:
    """A reply that waits for a signature. `is_mine`: it is this person's turn, until `passes_at`."""

    reply: Reply
    case: CaseKey
    is_mine: bool
    asked_at: datetime | None
    passes_at: datetime | None


def ask(
    connection: Connection,
    organisation: Organisation,
    row: Row[Any],
    case: Case,
    asked: Required,
    *,
    now: datetime,
) -> int:
    """Ask as many people as signatures are missing, anew; how many were found."""
    mine = (signature_request.c.brand_id == row.brand_id, signature_request.c.reply_id == row.id)
    connection.execute(delete(signature_request).where(*mine))
    turns = _turns(connection, organisation, case, row.author_id, asked.needs_manager, now)
    for person_id in turns[: max(asked.signatures, 1)]:
        _put(connection, row, person_id, now)
    return min(len(turns), max(asked.signatures, 1))


def pass_on(connection: Connection, organisation: Organisation, now: datetime) -> int:
    """Give requests that nobody answered for PASS_ON to the next; how many went on. Without a next one they stay."""
    waiting = connection.execute(
        select(replies).where(replies.c.state == AWAITING).order_by(replies.c.submitted_at).limit(MOST_WAITING)
    ).all()
    passed: set[int] = set()
    count = 0
    for row in waiting:
        open_requests = _requests(connection, row)
        late = [item for item in open_requests if item.passed_at is None and item.asked_at <= now - PASS_ON]
        if not late:
            continue
        case = case_row(connection, row)
        if case is None:
            continue
        needs_manager = bool((row.policy or {}).get("needs_manager"))
        known = {item.person_id for item in open_requests}
        turns = _turns(connection, organisation, case, row.author_id, needs_manager, now)
        for item, following in zip(late, (number for number in turns if number not in known), strict=False):
            if _take_off(connection, item, now):
                _put(connection, row, following, now)
                passed.add(row.brand_id)
                count += 1
    raise_change(connection, "replies", passed)
    return count


def requests_for(
    connection: Connection, organisation: Organisation, who: Access, now: datetime, limit: int = 100
) -> tuple[Request, ...]:
    """What waits for a signature that this person may give, their own turns first, then the oldest."""
    if not who.may(SIGN_OFF):
        return ()
    asked = signature_request
    rows = connection.execute(
        select(replies, desk_case.c.location_id, desk_case.c.team_id, asked.c.asked_at, asked.c.passed_at)
        .join(desk_case, (desk_case.c.brand_id == replies.c.brand_id) & (desk_case.c.id == replies.c.case_id))
        .outerjoin(
            asked,
            (asked.c.brand_id == replies.c.brand_id)
            & (asked.c.reply_id == replies.c.id)
            & (asked.c.person_id == who.person_id),
        )
        .where(replies.c.state == AWAITING, replies.c.author_id != who.person_id)
        .order_by(replies.c.submitted_at)
        .limit(MOST_WAITING)
    )
    found = []
    for row in rows:
        at = {"brand_id": row.brand_id, "location_id": row.location_id, "team_id": row.team_id}
        if may_see(who, organisation, **at) and who.may_for(SIGN_OFF, organisation, **at):
            found.append((not (row.asked_at is not None and row.passed_at is None), row))
    shown = sorted(found, key=lambda item: (item[0], item[1].submitted_at))[:limit]
    return tuple(
        Request(
            reply=reply,
            case=CaseKey(row.brand_id, row.case_id),
            is_mine=not is_others,
            asked_at=None if is_others else row.asked_at,
            passes_at=None if is_others else row.asked_at + PASS_ON,
        )
        for (is_others, row), reply in zip(shown, read(connection, [row for _, row in shown]), strict=True)
    )


def waiting(connection: Connection, organisation: Organisation, who: Access, now: datetime) -> int:
    """How many replies this person could sign now."""
    return len(requests_for(connection, organisation, who, now, limit=MOST_WAITING))


def could_sign(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    *,
    author_id: int,
    needs_manager: bool,
    now: datetime,
    limit: int = 3,
) -> tuple[str, ...]:
    """The names of the first who would be asked to sign what this author writes there."""
    turns = _turns(connection, organisation, case, author_id, needs_manager, now)[:limit]
    named = {
        row.id: row.name for row in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(turns)))
    }
    return tuple(named[number] for number in turns)


def case_row(connection: Connection, row: Row[Any]) -> Case | None:
    """The case of a reply, whoever asks."""
    found = connection.execute(
        select(desk_case).where(desk_case.c.brand_id == row.brand_id, desk_case.c.id == row.case_id)
    ).one_or_none()
    return None if found is None else case_of({**found._mapping})


def _turns(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    author_id: int,
    needs_manager: bool,
    now: datetime,
) -> list[int]:
    """Who could sign, in the order of their turns: on shift before others, then who has fewest requests open."""
    signers = _signers(connection, now)
    at = {"brand_id": case.key.brand_id, "location_id": case.location_id, "team_id": case.team_id}
    right = DECLARE if needs_manager else SIGN_OFF

    def may(person_id: int) -> bool:
        access = signers.get(person_id)
        return person_id != author_id and access is not None and access.may_for(right, organisation, **at)

    away = connection.execute(
        select(deputy).where(deputy.c.valid_from <= now, deputy.c.valid_to > now).limit(MOST_SIGNERS)
    ).all()
    absent = {item.person_id for item in away}
    # Who stands in for somebody is asked as if on shift; they need the right as well.
    standing_in = {item.deputy_id for item in away if may(item.person_id)}
    candidates = [number for number in sorted(signers) if may(number) and number not in absent]
    here = set(shifts.on_now(connection, organisation, candidates, now)) | standing_in
    busy = _open_requests(connection)
    return sorted(candidates, key=lambda number: (number not in here, busy.get(number, 0), number))


def _signers(connection: Connection, now: datetime) -> Mapping[int, Access]:
    """Everybody active who may sign anything, with what they may."""
    rows = connection.execute(
        select(person.c.id, person.c.email, person.c.name)
        .where(
            person.c.disabled_at.is_(None),
            person.c.id.in_(
                select(membership.c.person_id).where(
                    membership.c.right.in_(SIGNING),
                    membership.c.valid_from <= now,
                    or_(membership.c.valid_to.is_(None), membership.c.valid_to > now),
                )
            ),
        )
        .order_by(person.c.id)
        .limit(MOST_SIGNERS)
    ).all()
    given = memberships(connection, [row.id for row in rows], now)
    return {row.id: Access.granted(row.id, row.email, row.name, granted(given.get(row.id, ()))) for row in rows}


def _open_requests(connection: Connection) -> dict[int, int]:
    rows = connection.execute(
        select(signature_request.c.person_id)
        .join(
            replies,
            (replies.c.brand_id == signature_request.c.brand_id) & (replies.c.id == signature_request.c.reply_id),
        )
        .where(replies.c.state == AWAITING, signature_request.c.passed_at.is_(None))
        .limit(MOST_SIGNERS)
    )
    counted: dict[int, int] = {}
    for row in rows:
        counted[row.person_id] = counted.get(row.person_id, 0) + 1
    return counted


def _requests(connection: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    return connection.execute(
        select(signature_request)
        .where(signature_request.c.brand_id == row.brand_id, signature_request.c.reply_id == row.id)
        .order_by(signature_request.c.asked_at)
    ).all()


def _put(connection: Connection, row: Row[Any], person_id: int, now: datetime) -> None:
    connection.execute(
        insert(signature_request).values(brand_id=row.brand_id, reply_id=row.id, person_id=person_id, asked_at=now)
    )


def _take_off(connection: Connection, item: Row[Any], now: datetime) -> bool:
    """Conditional: of two that pass it on at once, one does."""
    changed = connection.execute(
        update(signature_request)
        .where(
            signature_request.c.brand_id == item.brand_id,
            signature_request.c.reply_id == item.reply_id,
            signature_request.c.person_id == item.person_id,
            signature_request.c.passed_at.is_(None),
        )
        .values(passed_at=now)
    )
    return changed.rowcount == 1
