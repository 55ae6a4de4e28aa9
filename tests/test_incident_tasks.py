"""models/incident_tasks.py: who does what until when."""

from __future__ import annotations

import pytest

from models.database import Database
from models.errors import InputError, NotFound
from models.incident_tasks import add, finish, give, tasks
from tests.incident_desk import MINUTE, audited, declare, do, lines
from tests.reply_desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_task_is_added_given_and_ticked_once(desk: Desk) -> None:
    found = declare(desk)
    number = do(desk, "mona", add, found, "Ask the carrier", due_at=desk.now + 10 * MINUTE)
    do(desk, "mona", give, found, number, owner_id=desk.who["ana"].person_id, due_at=desk.now + 20 * MINUTE)
    desk.wait(minutes=21)
    with desk.database.read() as connection:
        [task] = tasks(connection, found.id)
    assert (task.owner, task.is_late(desk.now)) == ("Ana", True)

    do(desk, "mona", finish, found, number)
    with pytest.raises(InputError, match="done already"):
        do(desk, "mona", finish, found, number)

    with desk.database.read() as connection:
        [task] = tasks(connection, found.id)
    assert (task.done_by, task.done_at, task.is_late(desk.now)) == ("Mona", desk.now, False)
    assert [line.text for line in lines(desk, found)[2:]] == [
        "Task 1: Ask the carrier",
        "Task 1 is Ana's",
        "Task 1 done: Ask the carrier",
    ]
    assert audited(desk, found)[1:] == ["incident.task_added", "incident.task_given", "incident.task_done"]


def test_what_is_no_task_or_nobody_is_refused(desk: Desk) -> None:
    found = declare(desk)

    with pytest.raises(InputError):
        do(desk, "mona", add, found, "  ")
    with pytest.raises(NotFound):
        do(desk, "mona", add, found, "Ask the carrier", owner_id=999)
    with pytest.raises(NotFound):
        do(desk, "mona", finish, found, 1)
    with pytest.raises(NotFound):
        do(desk, "mona", give, found, 1, owner_id=None, due_at=None)
