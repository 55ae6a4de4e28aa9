"""models/incident_ending.py: an incident ends when what is open was decided, and then holds nothing."""

from __future__ import annotations

import pytest

from models.database import Database
from models.errors import AccessDenied, InputError
from models.incident_changes import join
from models.incident_ending import RELEASE, RETURN, Ending, end, questions
from models.incident_reading import FROZEN, holding, open_now
from models.incident_statements import approve, write
from models.incident_tasks import add, tasks
from tests.builders import AMSTERDAM_SITE, CORVANE
from tests.incident_desk import again, audited, declare, do, lines
from tests.reply_desk import Desk, X


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_an_end_asks_for_the_last_word_for_what_was_held_and_whose_the_tasks_are(desk: Desk) -> None:
    found = declare(desk)
    do(desk, "mona", join, found, desk.who["petra"].person_id, "Signs off")
    do(desk, "petra", write, found, "Orders are late.")
    do(desk, "mona", approve, found, 1)
    do(desk, "mona", add, found, "Tell the depot")
    ana = desk.who["ana"].person_id

    for ending, words in (
        (Ending("it is over", "forget", 1, {1: ana}), "decide what becomes of it"),
        (Ending("it is over", RELEASE, None, {1: ana}), "v1 is in use"),
        (Ending("it is over", RELEASE, 2, {1: ana}), "v1 is in use"),
        (Ending("it is over", RELEASE, 1), "nobody has: 1 "),
        (Ending("  ", RELEASE, 1, {1: ana}), "the reason"),
    ):
        with pytest.raises(InputError, match=words):
            do(desk, "mona", end, found, ending)
    over = do(desk, "mona", end, found, Ending("the strike is over", RELEASE, 1, {1: ana}))

    assert (over.ended_at, over.ended_by) == (desk.now, "Mona")
    with desk.database.read() as connection:
        assert [(task.owner, task.done_at) for task in tasks(connection, found.id)] == [("Ana", None)]
        assert open_now(connection, desk.now) == ()
    assert lines(desk, found)[-1].text == "Ended: the strike is over"
    assert audited(desk, found)[-1] == "incident.ended"


def test_what_waits_for_a_signature_goes_back_to_its_author_where_that_is_decided(desk: Desk) -> None:
    key = desk.case()
    found = declare(desk)
    draft = desk.draft("ana", key, "We are sorry and look into it.")
    desk.submit("ana", draft, desk.claim("ana", key))
    with desk.database.read() as connection:
        assert questions(connection, found, desk.organisation).awaiting == 1

    do(desk, "mona", end, found, Ending("the strike is over", RETURN))

    assert desk.row(draft).state == "returned"
    assert "INC-1 is over" in (desk.row(draft).error or "")


def test_after_its_end_nothing_is_held_and_nothing_more_is_changed(desk: Desk) -> None:
    found = declare(desk, outbound=FROZEN)
    do(desk, "mona", end, found, Ending("it is over", RELEASE))

    with desk.database.read() as connection:
        held = holding(
            open_now(connection, desk.now), desk.organisation,
            brand_id=CORVANE, location_id=AMSTERDAM_SITE, network_id=X,
        )  # fmt: skip
    assert held is None
    with pytest.raises(InputError, match="is over"):
        do(desk, "mona", end, found, Ending("again", RELEASE))


def test_who_is_on_it_without_the_lead_does_not_end_it(desk: Desk) -> None:
    found = declare(desk)
    do(desk, "mona", join, found, desk.who["ana"].person_id, "Replies")

    with pytest.raises(AccessDenied):
        do(desk, "ana", end, found, Ending("it is over", RELEASE))
    assert again(desk, found).ended_at is None
