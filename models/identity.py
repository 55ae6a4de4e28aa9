"""Signing in: sessions and one-time links. The only writer of `session` and `signin_link`.

Ids of sessions and links are opaque and 256 bits long; only their SHA-256 is kept. Every change writes its audit row in
the same transaction.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from models import audit, passwords, people
from models.access import Access
from models.database import Database, raise_change
from models.errors import InputError
from models.people import COMMAND_LINE, Person, add_person, list_people
from models.tables import person, session, signin_link

IDLE = timedelta(hours=12)
LONGEST_SESSION = timedelta(days=7)
# The expiry slides in steps: a write per request would make every viewer a writer.
TOUCH_EVERY = timedelta(minutes=5)
LINK_VALID = timedelta(minutes=15)
FIRST_LINK_VALID = timedelta(hours=24)
# What ended longer ago than this is swept away at the person's next sign-in; the audit log keeps the story.
KEPT_AFTER_END = timedelta(days=30)
NOBODY = "nobody"
MADE_UP = '"{email}" belongs to the simulated organisation; nobody signs in as one of its people'
# Sessions asked for in one statement.
BATCH = 500

_log = logging.getLogger(__name__)

# Put together once: it runs every two seconds for every open screen.
_ALIVE = (
    select(
        session.c.id_hash,
        session.c.person_id,
        session.c.csrf_token,
        session.c.seen_at,
        person.c.email,
        person.c.name,
    )
    .join(person, person.c.id == session.c.person_id)
    .where(
        session.c.id_hash.in_(bindparam("digests", expanding=True)),
        session.c.revoked_at.is_(None),
        session.c.expires_at > bindparam("now"),
        person.c.disabled_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened. `session_id` is for the cookie: it is not kept anywhere."""

    session_id: str
    csrf_token: str
    person_id: int


@dataclass(frozen=True, slots=True)
class Signed:
    """Who is behind a request: what they may, and the token that their changes must carry."""

    access: Access
    csrf_token: str
    session_hash: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """What a one-time link is: `state` valid, used, expired or unknown; `name` of the person while it is valid."""

    state: str
    name: str = ""


# -- people whose sessions end -----------------------------------------------------------------------------


def set_password(
    connection: Connection, email: str, password: str, now: datetime, *, actor: str = COMMAND_LINE
) -> None:
    """Give a person another password and end their sessions. NotFound, InputError."""
    row = people.person_by_email(connection, email)
    if people.is_made_up(connection, row.id):
        raise InputError(MADE_UP.format(email=row.email))
    people.keep_password(connection, row.id, passwords.hashed(password))
    connection.execute(
        update(session).where(session.c.person_id == row.id, session.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    audit.record(connection, at=now, action="person.password_set", subject=row.email, actor=actor)


# -- signing in --------------------------------------------------------------------------------------------


def break_glass(row: Any) -> bool:
    """Only the one who gets in without the company sign-on may."""
    return bool(row.is_break_glass)


def sign_in(
    database: Database,
    email: str,
    password: str,
    address: str,
    now: datetime,
    *,
    previous: str | None = None,
    may: Callable[[Any], bool] | None = None,
) -> SignedIn | None:
    """Open a session for the right mail and password; None otherwise, without a word about which was wrong.

    Takes the database, not a transaction: the comparison takes 50 ms on purpose, and SQLite's only writer must not wait
    for it. `previous` is the session id the browser had before; it ends. `may` says who may use a password at all.
    """
    normal = people.normal_email(email)
    with database.read() as connection:
        row = None
        if normal is not None:
            row = connection.execute(select(person).where(person.c.email == normal)).first()
    is_right = passwords.matches(row.password_hash if row else None, password)
    rehashed = passwords.hashed(password) if row and is_right and passwords.is_outdated(row.password_hash) else None
    with database.write() as connection:
        reason = "wrong password" if row else "unknown email"
        if row and is_right:
            # Read again: the person may have been disabled, or got another password, during the comparison.
            fresh = connection.execute(select(person).where(person.c.id == row.id)).first()
            if fresh and fresh.disabled_at is not None:
                reason = "disabled"
            elif fresh and may is not None and not may(fresh):
                reason = "only company sign-on"
            elif fresh and fresh.password_hash == row.password_hash:
                if rehashed:
                    people.keep_password(connection, row.id, rehashed)
                opened = open_session(connection, fresh, address=address, now=now, previous=previous, by="password")
                if opened:
                    return opened
                reason = "no right valid now"
        _record_failure(connection, normal, row.id if row else None, address=address, reason=reason, now=now)
    return None


def make_link(
    connection: Connection, email: str, now: datetime, *, valid_for: timedelta = LINK_VALID, actor: str = COMMAND_LINE
) -> str:
    """A token that signs this person in once. NotFound for an unknown mail, InputError for a disabled person."""
    row = people.person_by_email(connection, email)
    if row.disabled_at is not None:
        raise InputError(f'"{row.email}" is disabled; a link would not sign them in')
    if people.is_made_up(connection, row.id):
        raise InputError(MADE_UP.format(email=row.email))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(signin_link).values(
            token_hash=_digest(token), person_id=row.id, created_at=now, expires_at=now + valid_for
        )
    )
    details = {"valid_seconds": int(valid_for.total_seconds())}
    audit.record(connection, at=now, action="link.made", subject=row.email, actor=actor, details=details)
    return token


def find_link(connection: Connection, token: str, now: datetime) -> Link:
    """What the link is worth now; nothing is used up."""
    row = connection.execute(
        select(signin_link, person.c.name, person.c.disabled_at)
        .join(person, person.c.id == signin_link.c.person_id)
        .where(signin_link.c.token_hash == _digest(token))
    ).first()
    if row is None or row.disabled_at is not None:
        return Link("unknown")
    if row.used_at is not None:
        return Link("used")
    if row.expires_at <= now:
        return Link("expired")
    return Link("valid", row.name)


def use_link(
    connection: Connection, token: str, address: str, now: datetime, *, previous: str | None = None
) -> SignedIn | None:
    """Open a session by a link, which is then used up; None for a link that is used, expired or unknown.

    One conditional update decides: of two simultaneous uses one gets the session.
    """
    digest = _digest(token)
    won = connection.execute(
        update(signin_link)
        .where(signin_link.c.token_hash == digest, signin_link.c.used_at.is_(None), signin_link.c.expires_at > now)
        .values(used_at=now)
    ).rowcount
    row = connection.execute(
        select(person)
        .join(signin_link, signin_link.c.person_id == person.c.id)
        .where(signin_link.c.token_hash == digest)
    ).first()
    if won and row is not None and row.disabled_at is None:
        opened = open_session(connection, row, address=address, now=now, previous=previous, by="link")
        if opened:
            return opened
    email, person_id = (row.email, row.id) if row else (None, None)
    _record_failure(connection, email, person_id, address=address, reason="link not valid", now=now)
    return None


# -- sessions ----------------------------------------------------------------------------------------------


def session_hash(session_id: str) -> str:
    """How a session is named everywhere but in the cookie."""
    return _digest(session_id)


def access_for(connection: Connection, digest: str, now: datetime) -> Signed | None:
    """Who is behind a session, by `session_hash`; None as in `signed_in`."""
    return signed_in(connection, (digest,), now).get(digest)


def signed_in(connection: Connection, digests: Collection[str], now: datetime) -> dict[str, Signed]:
    """Who is behind each of these sessions (by `session_hash`), with the rights valid now.

    A session that is unknown, revoked or expired is left out, and so is a disabled person's and one without any right.
    """
    asked = sorted(set(digests))
    found: dict[str, Signed] = {}
    for start in range(0, len(asked), BATCH):
        rows = connection.execute(_ALIVE, {"digests": asked[start : start + BATCH], "now": now}).all()
        given = people.memberships(connection, {row.person_id for row in rows}, now)
        for row in rows:
            grants = people.granted(given.get(row.person_id, ()))
            if grants:
                access = Access.granted(row.person_id, row.email, row.name, grants)
                found[row.id_hash] = Signed(access, row.csrf_token, row.id_hash, row.seen_at)
    return found


def has_lapsed(connection: Connection, session_id: str, now: datetime) -> bool:
    """Whether a session ended by time alone: nobody signed out, and its person may sign in again."""
    row = connection.execute(
        select(session.c.revoked_at, session.c.expires_at, person.c.disabled_at)
        .join(person, person.c.id == session.c.person_id)
        .where(session.c.id_hash == _digest(session_id))
    ).first()
    return row is not None and row.revoked_at is None and row.disabled_at is None and row.expires_at <= now


def touch(connection: Connection, digest: str, now: datetime) -> None:
    """The session was used now: its idle expiry moves on, never beyond its longest life, never back to life."""
    row = connection.execute(select(session.c.created_at).where(session.c.id_hash == digest)).first()
    if row is not None:
        expires_at = min(now + IDLE, row.created_at + LONGEST_SESSION)
        connection.execute(
            update(session)
            .where(session.c.id_hash == digest, session.c.revoked_at.is_(None), session.c.expires_at > now)
            .values(seen_at=now, expires_at=expires_at)
        )


def sign_out(connection: Connection, digest: str, now: datetime) -> bool:
    """End a session; False where it had ended already."""
    row = connection.execute(
        select(person).join(session, session.c.person_id == person.c.id).where(session.c.id_hash == digest)
    ).first()
    if row is None or not _revoke(connection, digest, now):
        return False
    audit.record(connection, at=now, action="signin.ended", subject=row.email, actor=row.email, person_id=row.id)
    return True


def open_session(
    connection: Connection, row: Any, *, address: str, now: datetime, previous: str | None, by: str
) -> SignedIn | None:
    """A session for a row of `person` who proved who they are, `by` what; None where they have no role valid now.

    The one who gets in without the company sign-on is audited by a name of its own: nobody is to miss it.
    """
    if not people.memberships(connection, {row.id}, now) or people.is_made_up(connection, row.id):
        return None
    if previous is not None:
        _revoke(connection, _digest(previous), now)
    connection.execute(
        delete(session).where(session.c.person_id == row.id, session.c.expires_at < now - KEPT_AFTER_END)
    )
    connection.execute(
        delete(signin_link).where(signin_link.c.person_id == row.id, signin_link.c.expires_at < now - KEPT_AFTER_END)
    )
    opened = SignedIn(secrets.token_urlsafe(32), secrets.token_urlsafe(32), row.id)
    connection.execute(
        insert(session).values(
            id_hash=_digest(opened.session_id),
            person_id=row.id,
            csrf_token=opened.csrf_token,
            created_at=now,
            seen_at=now,
            expires_at=now + IDLE,
            address=audit.shown(address)[:64],
        )
    )
    audit.record(
        connection,
        at=now,
        action="signin.break_glass" if row.is_break_glass else "signin.succeeded",
        subject=row.email,
        actor=row.email,
        person_id=row.id,
        details={"by": by, "address": address},
        address=address,
    )
    if row.is_break_glass:
        _log.warning("event=break_glass_signin person=%d by=%s", row.id, by)
    raise_change(connection, people.TOPIC)
    return opened


def _revoke(connection: Connection, digest: str, now: datetime) -> bool:
    statement = update(session).where(session.c.id_hash == digest, session.c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=now)).rowcount == 1


def _record_failure(
    connection: Connection, email: str | None, person_id: int | None, *, address: str, reason: str, now: datetime
) -> None:
    # What is no address is not repeated: people type passwords into the wrong field.
    details = {"address": address, "reason": reason, "person_id": person_id}
    subject = email or "(no email address)"
    audit.record(
        connection, at=now, action="signin.failed", subject=subject, actor=NOBODY, details=details, address=address
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


__all__ = [
    "FIRST_LINK_VALID",
    "LINK_VALID",
    "TOUCH_EVERY",
    "Link",
    "Person",
    "Signed",
    "SignedIn",
    "access_for",
    "add_person",
    "find_link",
    "has_lapsed",
    "list_people",
    "make_link",
    "session_hash",
    "set_password",
    "sign_in",
    "sign_out",
    "signed_in",
    "touch",
    "use_link",
]
