"""Company sign-on: flows under way, who is who at the company's. The only writer of `signon_flow` and `identity_link`.

A person is found by issuer and subject, never by email alone. The first link is made once, for somebody an
administrator invited, and only where the company's server vouches for the email. Every outcome is audited in the same
transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from models import audit, group_roles, identity, people, roles
from models.access import Grant
from models.errors import InputError
from models.identity import SignedIn
from models.organisation import Organisation
from models.roles import COMPANY
from models.tables import identity_link, person, signon_flow

FLOW_VALID = timedelta(minutes=10)
# More at one moment are no people.
MOST_FLOWS = 10_000
# An invitation that nobody used is no way in for ever.
INVITED_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Flow:
    """What was agreed when somebody left for the company's: `nonce` and `code_verifier` come back to be compared."""

    nonce: str
    code_verifier: str
    next_path: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who somebody is, as a token says whose every claim was checked. `groups` is None where none were named."""

    issuer: str
    subject: str
    email: str | None
    email_is_verified: bool
    groups: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of it: a session, or a `reason` in words why there is none."""

    opened: SignedIn | None
    reason: str = ""


# -- flows ---------------------------------------------------------------------------------------------------


def begin(connection: Connection, state: str, *, nonce: str, code_verifier: str, next_path: str, now: datetime) -> None:
    """Remember a flow until it is taken, for ten minutes. InputError where far too many are under way."""
    connection.execute(delete(signon_flow).where(signon_flow.c.expires_at <= now))
    if connection.execute(select(func.count()).select_from(signon_flow)).scalar_one() >= MOST_FLOWS:
        raise InputError("too many people are signing in at this moment; try again in a few minutes")
    connection.execute(
        insert(signon_flow).values(
            state_hash=_digest(state),
            nonce=nonce,
            code_verifier=code_verifier,
            next_path=next_path,
            expires_at=now + FLOW_VALID,
        )
    )


def take(connection: Connection, state: str, now: datetime) -> Flow | None:
    """The flow of a state, once: of two who bring the same state one gets it. None where there is none (any more)."""
    row = connection.execute(
        delete(signon_flow)
        .where(signon_flow.c.state_hash == _digest(state))
        .returning(signon_flow.c.nonce, signon_flow.c.code_verifier, signon_flow.c.next_path, signon_flow.c.expires_at)
    ).first()
    if row is None or row.expires_at <= now:
        return None
    return Flow(row.nonce, row.code_verifier, row.next_path)


# -- signing in ----------------------------------------------------------------------------------------------


def enter(
    connection: Connection,
    who: Claimed,
    organisation: Organisation,
    *,
    groups: Mapping[str, str],
    may_link: bool,
    address: str,
    now: datetime,
    previous: str | None = None,
) -> Entered:
    """Open a session for whom the company vouches. `groups` maps theirs to roles; `may_link` allows a first link."""
    row = linked(connection, who)
    reason = ""
    if row is None:
        row, reason = _link(connection, who, may_link=may_link, now=now)
    if row is not None and row.disabled_at is not None:
        reason = "this person was deactivated here"
    elif row is not None and people.is_made_up(connection, row.id):
        reason = "this person belongs to the simulated organisation; nobody signs in as one of its people"
    if row is None or reason:
        return _refused(connection, who, row, reason, address=address, now=now)
    if groups:
        roles.keep_roles(connection, row.id, row.email, granted(who.groups, groups, organisation), now=now)
    opened = identity.open_session(connection, row, address=address, now=now, previous=previous, by=COMPANY)
    if opened is None:
        reason = "no role is yours at this moment; ask an administrator for one"
        return _refused(connection, who, row, reason, address=address, now=now)
    return Entered(opened)


def refuse(connection: Connection, reason: str, *, address: str, now: datetime) -> None:
    """Keep that somebody came back from the company's and was not believed."""
    details = {"by": COMPANY, "address": address, "reason": reason}
    audit.record(
        connection,
        at=now,
        action="signin.failed",
        subject="(not known)",
        actor=identity.NOBODY,
        details=details,
        address=address,
    )


def linked(connection: Connection, who: Claimed) -> Any:
    """The person behind issuer and subject; None where nobody is linked to them."""
    return connection.execute(
        select(person)
        .join(identity_link, identity_link.c.person_id == person.c.id)
        .where(identity_link.c.issuer == who.issuer, identity_link.c.subject == who.subject)
    ).first()


def may_be_linked(connection: Connection, who: Claimed, *, may_link: bool, now: datetime) -> tuple[Any, str]:
    """Whom a first link would be made for, or None and why nobody; nothing is written."""
    if not may_link:
        return None, "nobody is linked to this account of the company, and settings forbid to do it by email"
    address = people.normal_email(who.email or "")
    if address is None:
        return None, "nobody is linked to this account of the company, and it names no email address"
    if not who.email_is_verified:
        return None, "the company does not vouch for the email address of this account (email_verified)"
    row = connection.execute(select(person).where(person.c.email == address)).first()
    is_invited = row is not None and row.invited_at is not None and now - row.invited_at < INVITED_FOR
    if row is None or not is_invited or row.is_break_glass or row.disabled_at is not None:
        return None, f"nobody invited {address}; ask an administrator for an invitation"
    other = connection.execute(select(identity_link.c.issuer).where(identity_link.c.person_id == row.id)).first()
    if other is not None:
        return None, f"{address} is linked to another account of the company; ask an administrator"
    return row, ""


def granted(
    named: Iterable[str] | None, groups: Mapping[str, str], organisation: Organisation
) -> dict[Grant, list[str]]:
    """Grant -> the groups that give it. A group whose brand, location or team is gone gives nothing."""
    found: dict[Grant, list[str]] = {}
    for name in sorted(set(named or ()) & groups.keys()):
        try:
            grant = group_roles.grant_of(group_roles.read(groups[name]), organisation)
        except InputError:
            continue
        found.setdefault(grant, []).append(name)
    return found


def unlink(connection: Connection, person_id: int) -> int:
    """Forget who this person is at the company's; how many links that were."""
    return connection.execute(delete(identity_link).where(identity_link.c.person_id == person_id)).rowcount


def linked_people(connection: Connection, person_ids: Iterable[int]) -> frozenset[int]:
    """Those of them who are linked to an account of the company."""
    asked = sorted(set(person_ids))
    found: set[int] = set()
    for start in range(0, len(asked), roles.BATCH):
        some = asked[start : start + roles.BATCH]
        found |= set(
            connection.execute(select(identity_link.c.person_id).where(identity_link.c.person_id.in_(some))).scalars()
        )
    return frozenset(found)


def _link(connection: Connection, who: Claimed, *, may_link: bool, now: datetime) -> tuple[Any, str]:
    row, reason = may_be_linked(connection, who, may_link=may_link, now=now)
    # The invitation is used up by one conditional update: of two who come at once one is linked.
    if row is not None and not people.use_invitation(connection, row.id):
        return None, "this invitation was used a moment ago"
    if row is None:
        return None, reason
    connection.execute(
        insert(identity_link).values(issuer=who.issuer, subject=who.subject, person_id=row.id, created_at=now)
    )
    details = {"issuer": who.issuer, "subject": who.subject}
    audit.record(
        connection,
        at=now,
        action="person.linked",
        subject=row.email,
        actor=row.email,
        person_id=row.id,
        details=details,
    )
    return row, ""


def _refused(connection: Connection, who: Claimed, row: Any, reason: str, *, address: str, now: datetime) -> Entered:
    details = {
        "by": COMPANY,
        "address": address,
        "reason": reason,
        "issuer": who.issuer,
        "subject": who.subject,
        "person_id": row.id if row is not None else None,
    }
    subject = row.email if row is not None else people.normal_email(who.email or "") or "(no email address)"
    audit.record(
        connection,
        at=now,
        action="signin.failed",
        subject=subject,
        actor=identity.NOBODY,
        details=details,
        address=address,
    )
    return Entered(None, reason)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
