"""How an incident ends: which text was the last word, what becomes of what was held back, whose the open tasks are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, select

from models import replies
from models.access import Access
from models.errors import InputError
from models.incident_reading import DECISION, STEP, Incident, one
from models.incident_statements import DRAFT, IN_USE, Statement, versions
from models.incident_tasks import Task, give, tasks
from models.incident_writing import LONGEST_TEXT, change, clean, leadable, noted
from models.organisation import Organisation
from models.reply_steps import APPROVED, AWAITING, WrongStep
from models.tables import desk_case, reply

# What becomes of replies that wait for a signature.
RELEASE, RETURN = "release", "return"
HELD: Mapping[str, str] = {
    RELEASE: "what waits goes on as policy asks",
    RETURN: "what waits goes back to its authors, who look at it again",
}
MOST_HELD = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """What has to be decided. `statement` is the version that was the last word, None where none is in use.

    `held` is one of HELD; `tasks` gives open tasks to somebody: number -> person.
    """

    reason: str
    held: str
    statement: int | None = None
    tasks: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Questions:
    """What is still open: the statement in use, its drafts, what waits for a signature, the tasks that are not done."""

    statement: Statement | None
    drafts: tuple[Statement, ...]
    awaiting: int
    approved: int
    open_tasks: tuple[Task, ...]


def questions(connection: Connection, found: Incident, organisation: Organisation) -> Questions:
    """What its end asks."""
    written = versions(connection, found.id)
    waits = held(connection, found, organisation)
    return Questions(
        statement=next((item for item in written if item.state == IN_USE), None),
        drafts=tuple(item for item in written if item.state == DRAFT),
        awaiting=sum(row.state == AWAITING for row in waits),
        approved=sum(row.state == APPROVED for row in waits),
        open_tasks=tuple(task for task in tasks(connection, found.id) if task.done_at is None),
    )


def held(connection: Connection, found: Incident, organisation: Organisation) -> tuple[Row[tuple[object, ...]], ...]:
    """Replies of its cases that wait for a signature, or are approved and not sent, oldest first; at most MOST_HELD."""
    brands = found.scope.brand_ids or tuple(item.id for item in organisation.brands if item.kind == "own")
    rows = connection.execute(
        select(reply)
        .join(desk_case, (desk_case.c.brand_id == reply.c.brand_id) & (desk_case.c.id == reply.c.case_id))
        .where(
            reply.c.state.in_((AWAITING, APPROVED)), reply.c.brand_id.in_(brands), desk_case.c.incident_id == found.id
        )
        .order_by(reply.c.id)
        .limit(MOST_HELD)
    )
    return tuple(rows)


def end(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    ending: Ending,
    *,
    now: datetime,
) -> Incident:
    """End an incident that goes on: nothing is held any more. InputError while something of it is undecided."""
    found = leadable(connection, organisation, who, incident_id, now)
    why = clean(ending.reason, "the reason", LONGEST_TEXT)
    asked = questions(connection, found, organisation)
    _check(found, ending, asked)
    if asked.statement is not None:
        text = f"Statement {asked.statement.label} was the last word"
        noted(connection, organisation, who, found, DECISION, text, now)
    for task in asked.open_tasks:
        if task.number in ending.tasks:
            owner_id = ending.tasks[task.number]
            give(
                connection, organisation, who, found.id, task.number, owner_id=owner_id, due_at=task.due_at, now=now
            )  # fmt: skip
    if asked.awaiting or asked.approved:
        returned = _return(connection, organisation, who, found, now) if ending.held == RETURN else 0
        count = f", {returned} of them" if returned else ""
        noted(connection, organisation, who, found, DECISION, f"Held back: {HELD[ending.held]}{count}", now)
    noted(connection, organisation, who, found, STEP, f"Ended: {why}", now)
    change(connection, who, found, "incident.ended", now, ended_at=now, ended_by=who.name)
    return one(connection, organisation, who, incident_id)


def _check(found: Incident, ending: Ending, asked: Questions) -> None:
    """The rules; the words say what has to be decided."""
    if ending.held not in HELD:
        raise InputError(f'held "{ending.held[:32]}": decide what becomes of it: {", ".join(HELD)}')
    in_use = None if asked.statement is None else asked.statement.version
    if ending.statement != in_use:
        said = "no statement is in use" if in_use is None else f"v{in_use} is in use"
        raise InputError(f"{said}; look at it again and say that it is the last word")
    without = [task for task in asked.open_tasks if task.owner_id is None and task.number not in ending.tasks]
    if without:
        named = ", ".join(f"{task.number} ({task.text[:60]})" for task in without[:5])
        raise InputError(f"tasks of {found.label} that nobody has: {named}; give them to somebody, or tick them")


def _return(connection: Connection, organisation: Organisation, who: Access, found: Incident, now: datetime) -> int:
    reason = f"{found.label} is over: look whether this still holds"
    returned = 0
    for row in held(connection, found, organisation):
        if row.state != AWAITING:
            continue
        values = {"approved_hash": None, "approved_at": None, "error": reason}
        try:
            with connection.begin_nested():
                details = {"reason": reason, "text": row.text}
                replies.advance(connection, row, "send_back", now=now, who=who, values=values, details=details)
        except WrongStep:
            # Somebody signed it at this moment: it goes on as policy asks.
            continue
        returned += 1
    return returned
