"""Tasks of an incident: who does what until when. The only writer of `incident_task`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.access import Access
from models.errors import InputError, NotFound
from models.incident_reading import STEP
from models.incident_writing import active_person, audited, clean, noted, workable
from models.organisation import Organisation
from models.tables import incident_task, person

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `owner` is "" while nobody has it."""

    number: int
    text: str
    owner_id: int | None
    owner: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str | None

    def is_late(self, now: datetime) -> bool:
        """Whether it should be done by now and is not."""
        return self.done_at is None and self.due_at is not None and now >= self.due_at


def tasks(connection: Connection, incident_id: int) -> tuple[Task, ...]:
    """In the order they were written."""
    rows = connection.execute(
        select(incident_task, person.c.name)
        .outerjoin(person, person.c.id == incident_task.c.owner_id)
        .where(incident_task.c.incident_id == incident_id)
        .order_by(incident_task.c.number)
    )
    return tuple(Task(r.number, r.text, r.owner_id, r.name or "", r.due_at, r.done_at, r.done_by) for r in rows)


def add(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    text: str,
    *,
    now: datetime,
    owner_id: int | None = None,
    due_at: datetime | None = None,
) -> int:
    """The number of the new task. InputError, NotFound."""
    found = workable(connection, organisation, who, incident_id, now)
    words = clean(text, "the task", LONGEST)
    if owner_id is not None:
        active_person(connection, owner_id)
    highest = select(func.coalesce(func.max(incident_task.c.number), 0)).where(
        incident_task.c.incident_id == incident_id
    )
    number = int(connection.execute(highest).scalar_one()) + 1
    try:
        with connection.begin_nested():
            connection.execute(
                insert(incident_task).values(
                    incident_id=incident_id, number=number, text=words, owner_id=owner_id, due_at=due_at
                )
            )
    except IntegrityError as error:
        raise InputError("somebody else added a task at the same moment; try again") from error
    details = {"task": number, "after": {"owner_id": owner_id, "due_at": due_at}}
    audited(connection, who, incident_id, "incident.task_added", now, details)
    noted(connection, organisation, who, found, STEP, f"Task {number}: {words}", now)
    return number


def finish(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, number: int, *, now: datetime
) -> None:
    """Tick it. InputError where it was ticked before, NotFound."""
    found = workable(connection, organisation, who, incident_id, now)
    this = (incident_task.c.incident_id == incident_id, incident_task.c.number == number)
    row = connection.execute(select(incident_task).where(*this)).first()
    if row is None:
        raise NotFound(f"there is no task {number}")
    won = connection.execute(
        update(incident_task).where(*this, incident_task.c.done_at.is_(None)).values(done_at=now, done_by=who.name)
    ).rowcount
    if not won:
        raise InputError(f"task {number} is done already")
    details = {"task": number, "before": {"done_at": None}, "after": {"done_at": now}}
    audited(connection, who, incident_id, "incident.task_done", now, details)
    noted(connection, organisation, who, found, STEP, f"Task {number} done: {row.text}", now)


def give(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    number: int,
    *,
    owner_id: int | None,
    due_at: datetime | None,
    now: datetime,
) -> None:
    """Say who does it, and until when. NotFound."""
    found = workable(connection, organisation, who, incident_id, now)
    this = (incident_task.c.incident_id == incident_id, incident_task.c.number == number)
    row = connection.execute(select(incident_task).where(*this)).first()
    if row is None:
        raise NotFound(f"there is no task {number}")
    owner = None if owner_id is None else active_person(connection, owner_id).name
    connection.execute(update(incident_task).where(*this).values(owner_id=owner_id, due_at=due_at))
    details = {
        "task": number,
        "before": {"owner_id": row.owner_id, "due_at": row.due_at},
        "after": {"owner_id": owner_id, "due_at": due_at},
    }
    audited(connection, who, incident_id, "incident.task_given", now, details)
    said = f"Task {number} is {owner}'s" if owner else f"Task {number} is nobody's"
    noted(connection, organisation, who, found, STEP, said, now)
