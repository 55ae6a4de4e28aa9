"""models/incident_statements.py: versions of what we say, approved by another person, one in use at most."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.incident_changes import join
from models.incident_statements import (
    ADDED,
    REMOVED,
    SAME,
    approve,
    difference,
    in_use,
    quoted_by,
    versions,
    withdraw,
    write,
)
from models.tables import reply
from tests.incident_desk import HOUR, declare, do, lines
from tests.reply_desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def states(desk: Desk, number: int) -> dict[int, str]:
    with desk.database.read() as connection:
        return {item.version: item.state for item in versions(connection, number)}


def test_a_version_comes_into_use_by_another_person_and_withdraws_the_one_before(desk: Desk) -> None:
    found = declare(desk)
    for text in ("Orders are late. We expect a fix soon.", "Orders are late. We post here every 30 minutes."):
        number = do(desk, "mona", write, found, text).version
        with pytest.raises(AccessDenied):
            do(desk, "mona", approve, found, number)
        do(desk, "mona", join, found, desk.who["petra"].person_id, "Signs off")
        do(desk, "petra", approve, found, number)

    assert states(desk, found.id) == {1: "withdrawn", 2: "in_use"}
    with desk.database.read() as connection:
        pinned = in_use(connection, [found.id, 99])[found.id]
    assert (pinned.label, pinned.approved_by, pinned.id) == ("v2", "Petra", 1002)
    assert [line.text for line in lines(desk, found) if line.kind == "decision"][1:] == [
        "Statement v1 approved",
        "Statement v2 approved",
    ]


def test_what_is_in_use_or_gone_is_not_put_into_use_again(desk: Desk) -> None:
    found = declare(desk)
    do(desk, "mona", write, found, "Orders are late.")
    do(desk, "mona", withdraw, found, 1, reason="it promised too much")

    with pytest.raises(InputError, match="only a draft"):
        do(desk, "mona", approve, found, 1)
    with pytest.raises(InputError, match="withdrawn already"):
        do(desk, "mona", withdraw, found, 1, reason="again")
    with pytest.raises(NotFound):
        do(desk, "mona", approve, found, 7)
    with pytest.raises(InputError):
        do(desk, "mona", write, found, "   ")


def test_an_agent_on_it_writes_and_neither_approves_nor_withdraws(desk: Desk) -> None:
    found = declare(desk)
    do(desk, "mona", join, found, desk.who["ana"].person_id, "Words")
    do(desk, "mona", write, found, "Orders are late.")
    do(desk, "ana", write, found, "Orders are late, sorry.")

    with pytest.raises(AccessDenied):
        do(desk, "ana", approve, found, 1)
    with pytest.raises(AccessDenied):
        do(desk, "ana", withdraw, found, 1, reason="no")
    do(desk, "mona", approve, found, 2)
    assert states(desk, found.id) == {1: "draft", 2: "in_use"}


def test_nothing_is_written_about_an_incident_that_is_over(desk: Desk) -> None:
    found = declare(desk, expires_at=desk.now + HOUR)
    desk.wait(hours=2)

    with pytest.raises(InputError, match="is over"):
        do(desk, "mona", write, found, "Orders are late.")


def test_a_version_counts_the_sent_replies_that_stand_on_it(desk: Desk) -> None:
    found = declare(desk)
    first = do(desk, "mona", write, found, "Orders are late.")
    key = desk.case()
    draft = desk.draft("ana", key, "Orders are late.")
    with desk.database.write() as connection:
        mine = (reply.c.brand_id == key.brand_id, reply.c.id == draft.id)
        connection.execute(update(reply).where(*mine).values(state="sent", sent_at=desk.now, statement_id=first.id))

    with desk.database.read() as connection:
        assert quoted_by(connection, found, [first], desk.now) == {1: 1}


def test_the_difference_of_two_versions_reads_in_order() -> None:
    assert difference("We are working on it and expect a fix soon", "We are working on it and post here") == (
        (SAME, "We are working on it and"),
        (REMOVED, "expect a fix soon"),
        (ADDED, "post here"),
    )
