"""What we say about an incident, in versions: written, approved by another person, withdrawn. One is in use at most.

The only writer of `incident_statement`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.access import SIGN_OFF, Access
from models.database import time_id
from models.errors import AccessDenied, InputError, NotFound
from models.incident_reading import DECISION, STEP, Incident
from models.incident_writing import audited, clean, leadable, noted, require_in, workable
from models.organisation import Organisation
from models.tables import incident_statement, reply

DRAFT, IN_USE, WITHDRAWN = "draft", "in_use", "withdrawn"
LONGEST = 2_000
# Versions of one incident; the number of an incident and of a version make one number for replies that quote it.
MOST_VERSIONS = 999
SAME, ADDED, REMOVED = "same", "added", "removed"


@dataclass(frozen=True, slots=True)
class Statement:
    """One version. `approved_by` and `in_use_at` are None for a draft."""

    incident_id: int
    version: int
    text: str
    state: str
    author_id: int
    author: str
    written_at: datetime
    in_use_at: datetime | None
    approved_by: str | None
    withdrawn_at: datetime | None

    @property
    def id(self) -> int:
        """How a reply names the version that it quotes (`reply.statement_id`)."""
        return self.incident_id * (MOST_VERSIONS + 1) + self.version

    @property
    def label(self) -> str:
        """How people call it."""
        return f"v{self.version}"


def versions(connection: Connection, incident_id: int) -> tuple[Statement, ...]:
    """All of them, newest first."""
    rows = connection.execute(
        select(incident_statement)
        .where(incident_statement.c.incident_id == incident_id)
        .order_by(incident_statement.c.version.desc())
    )
    return tuple(_statement(row) for row in rows)


def in_use(connection: Connection, incident_ids: Iterable[int]) -> dict[int, Statement]:
    """Incident -> the version that is to be said now; without those that have none."""
    rows = connection.execute(
        select(incident_statement).where(
            incident_statement.c.incident_id.in_(sorted(set(incident_ids))), incident_statement.c.state == IN_USE
        )
    )
    return {row.incident_id: _statement(row) for row in rows}


def quoted_by(
    connection: Connection, found: Incident, statements: Iterable[Statement], now: datetime
) -> dict[int, int]:
    """Version -> sent replies that stand on it, of the brands of the incident and of its time."""
    by_id = {item.id: item.version for item in statements}
    if not by_id:
        return {}
    until = found.ended_at or now
    asked = select(reply.c.statement_id, func.count()).where(
        reply.c.statement_id.in_(sorted(by_id)),
        reply.c.state == "sent",
        reply.c.id >= time_id(found.declared_at, 0),
        reply.c.id <= time_id(until, (1 << 22) - 1),
    )
    if found.scope.brand_ids is not None:
        asked = asked.where(reply.c.brand_id.in_(found.scope.brand_ids))
    return {by_id[number]: count for number, count in connection.execute(asked.group_by(reply.c.statement_id))}


def difference(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """(same, added or removed, words) in the order they are to be read: what a version changed in the one before."""
    old, new = before.split(), after.split()
    pieces: list[tuple[str, str]] = []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append((SAME, " ".join(new[new_start:new_end])))
            continue
        if end > start:
            pieces.append((REMOVED, " ".join(old[start:end])))
        if new_end > new_start:
            pieces.append((ADDED, " ".join(new[new_start:new_end])))
    return tuple(pieces)


def write(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, text: str, *, now: datetime
) -> Statement:
    """Add a version, as a draft. InputError where the incident is over, or the text is none."""
    found = workable(connection, organisation, who, incident_id, now)
    words = clean(text, "the statement", LONGEST)
    highest = select(func.coalesce(func.max(incident_statement.c.version), 0)).where(
        incident_statement.c.incident_id == incident_id
    )
    version = int(connection.execute(highest).scalar_one()) + 1
    if version > MOST_VERSIONS:
        raise InputError(f"{found.label} has {MOST_VERSIONS} versions of its statement; more are not kept")
    try:
        with connection.begin_nested():
            connection.execute(
                insert(incident_statement).values(
                    incident_id=incident_id,
                    version=version,
                    text=words,
                    state=DRAFT,
                    author_id=who.person_id,
                    author=who.name,
                    written_at=now,
                )
            )
    except IntegrityError as error:
        raise InputError(f"somebody else wrote v{version} at the same moment; read it first") from error
    details = {"version": version, "characters": len(words)}
    audited(connection, who, incident_id, "incident.statement_written", now, details)
    noted(connection, organisation, who, found, STEP, f"Statement v{version} written", now)
    return _one(connection, incident_id, version)


def approve(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, version: int, *, now: datetime
) -> Statement:
    """Put a draft into use; the one before it is withdrawn. AccessDenied for its own author, and without the right."""
    found = workable(connection, organisation, who, incident_id, now)
    require_in(who, organisation, found.scope, SIGN_OFF)
    asked = _one(connection, incident_id, version)
    if asked.state != DRAFT:
        raise InputError(f"v{version} is {asked.state.replace('_', ' ')}; only a draft can be put into use")
    if asked.author_id == who.person_id:
        raise AccessDenied("somebody else must approve what you wrote")
    this = incident_statement.c.incident_id == incident_id
    connection.execute(
        update(incident_statement)
        .where(this, incident_statement.c.state == IN_USE)
        .values(state=WITHDRAWN, withdrawn_at=now)
    )
    connection.execute(
        update(incident_statement)
        .where(this, incident_statement.c.version == version, incident_statement.c.state == DRAFT)
        .values(state=IN_USE, in_use_at=now, approved_by=who.name)
    )
    details = {"version": version, "before": {"state": DRAFT}, "after": {"state": IN_USE}}
    audited(connection, who, incident_id, "incident.statement_approved", now, details)
    noted(connection, organisation, who, found, DECISION, f"Statement v{version} approved", now)
    return _one(connection, incident_id, version)


def withdraw(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    version: int,
    *,
    reason: str,
    now: datetime,
) -> Statement:
    """Take a version out of use, or a draft off the table, for a reason."""
    found = leadable(connection, organisation, who, incident_id, now)
    asked, why = _one(connection, incident_id, version), clean(reason, "the reason", LONGEST)
    if asked.state == WITHDRAWN:
        raise InputError(f"v{version} is withdrawn already")
    connection.execute(
        update(incident_statement)
        .where(incident_statement.c.incident_id == incident_id, incident_statement.c.version == version)
        .values(state=WITHDRAWN, withdrawn_at=now)
    )
    details: Mapping[str, Any] = {"version": version, "before": {"state": asked.state}, "after": {"state": WITHDRAWN}}
    audited(connection, who, incident_id, "incident.statement_withdrawn", now, details)
    noted(connection, organisation, who, found, DECISION, f"Statement v{version} withdrawn: {why}", now)
    return _one(connection, incident_id, version)


def _one(connection: Connection, incident_id: int, version: int) -> Statement:
    row = connection.execute(
        select(incident_statement).where(
            incident_statement.c.incident_id == incident_id, incident_statement.c.version == version
        )
    ).first()
    if row is None:
        raise NotFound(f"there is no version {version} of this statement")
    return _statement(row)


def _statement(row: Row[Any]) -> Statement:
    return Statement(**row._mapping)
