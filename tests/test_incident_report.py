"""models/incident_report.py, incident_figures.py, incident_deeds.py: figures filled in, words signed, then final."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import incident_figures, incident_report
from models.access import Access
from models.database import Database
from models.errors import AccessDenied, InputError
from models.incident_changes import join
from models.incident_ending import RELEASE, Ending, end
from models.incident_report import Change, Report, Words, finish, sign, write_words
from models.incident_statements import approve, write
from models.tables import reply
from tests.builders import AMSTERDAM_SITE, BERLIN, NETHERLANDS, NOW, keep, mention
from tests.case_desk import hire
from tests.empty import empty_database
from tests.incident_desk import MINUTE, declare, do
from tests.reply_desk import Desk

TOLD = Words(
    happened="The carrier was on strike.",
    well=("Flag to declaration in 4 min",),
    badly=("v1 promised a time",),
    changes=(Change("Holding statements in three languages", "Ana", "2026-11-24"),),
)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def report(desk: Desk, number: int, who: Access | None = None) -> Report:
    with desk.database.read() as connection:
        return incident_report.report(
            connection, desk.organisation, who or desk.who["mona"], number, now=desk.now
        )  # fmt: skip


def talk(desk: Desk, minutes: int, count: int, **given: Any) -> None:
    """Mentions of Corvane so many minutes before now."""
    at = desk.now - minutes * MINUTE
    given = {"location_id": AMSTERDAM_SITE, "author": "bea", **given}
    made = [
        mention(f"said {minutes} {n} {given['location_id']}", posted_at=at, kind="post", **given) for n in range(count)
    ]
    keep(desk.database, made, desk.organisation, now=desk.now)


def test_figures_are_filled_in_from_counts_cases_replies_and_the_timeline(desk: Desk) -> None:
    found = declare(desk)
    desk.wait(minutes=20)
    talk(desk, 12, 8, sentiment=-1)
    talk(desk, 2, 4, sentiment=1, location_id=BERLIN)
    first = do(desk, "mona", write, found, "Orders are late, we are on it.")
    do(desk, "mona", join, found, desk.who["petra"].person_id, "Signs off")
    do(desk, "petra", approve, found, 1)
    key = desk.case()
    draft = desk.draft("ana", key, "We are sorry and look into it.")
    desk.submit("ana", draft, desk.claim("ana", key))
    desk.wait(minutes=1)
    desk.sign("mona", draft)
    sent_at = desk.wait(minutes=1)
    with desk.database.write() as connection:
        mine = (reply.c.brand_id == key.brand_id, reply.c.id == draft.id)
        values = {"state": "sent", "sent_at": sent_at, "statement_id": first.id}
        connection.execute(update(reply).where(*mine).values(**values))
    desk.wait(minutes=30)
    do(desk, "mona", end, found, Ending("the strike is over", RELEASE, 1))

    told = report(desk, found.id).figures

    assert (told.said.mentions, told.said.scored) == (13, 13)
    assert told.said.net == pytest.approx(100 * (4 - 8) / 13)
    assert sum(point.mentions for point in told.curve.points) == 13
    assert told.curve.peak is not None
    assert told.curve.peak.mentions == 8
    # Whoever complains has a case as well.
    assert (told.work.cases, told.work.waiting, told.work.sent) == (2, 2, 1)
    assert told.work.first_sent_at == sent_at
    assert told.work.first_signed_at == sent_at - MINUTE
    assert [(item.version, item.state, item.replies) for item in told.statements] == [(1, "in_use", 1)]
    did = {item.name: (item.part, item.sent, item.signed) for item in told.people}
    assert did == {"Mona": ("Lead", 0, 1), "Petra": ("Signs off", 0, 0), "Ana": ("", 1, 0)}
    assert told.timeline[-1].text == "Ended: the strike is over"


def test_who_sees_a_part_gets_the_figures_of_that_part(desk: Desk) -> None:
    dutch = hire(desk.database, "Di", "viewer", location_ids=[NETHERLANDS])
    found = declare(desk)
    desk.wait(minutes=20)
    talk(desk, 5, 3)
    talk(desk, 5, 4, location_id=BERLIN)

    assert report(desk, found.id).figures.said.mentions == 7
    assert report(desk, found.id, dutch).figures.said.mentions == 3


def test_a_report_is_written_when_it_is_over_and_a_changed_word_voids_every_signature(desk: Desk) -> None:
    found = declare(desk)
    with pytest.raises(InputError, match="goes on"):
        do(desk, "mona", write_words, found, TOLD)
    do(desk, "mona", end, found, Ending("it is over", RELEASE))
    with pytest.raises(InputError, match="nothing to sign"):
        do(desk, "mona", sign, found, words_hash=Words().hash)

    do(desk, "mona", write_words, found, TOLD)
    do(desk, "mona", sign, found, words_hash=TOLD.hash)
    assert [item.at for item in report(desk, found.id).signed] == [desk.now]
    do(desk, "mona", write_words, found, Words(happened="The carrier went on strike."))

    assert [item.at for item in report(desk, found.id).signed] == [None]
    with pytest.raises(InputError, match="changed since you read it"):
        do(desk, "mona", sign, found, words_hash=TOLD.hash)


def test_only_who_is_asked_signs_and_the_lead_has_to_before_it_is_final(desk: Desk) -> None:
    found = declare(desk)
    do(desk, "mona", end, found, Ending("it is over", RELEASE))
    with pytest.raises(AccessDenied):
        do(desk, "ana", write_words, found, TOLD)
    words = Words(happened="The carrier was on strike.", signers=(desk.who["petra"].person_id,))
    do(desk, "mona", write_words, found, words)

    with pytest.raises(AccessDenied):
        do(desk, "ana", sign, found, words_hash=words.hash)
    do(desk, "petra", sign, found, words_hash=words.hash)
    with pytest.raises(InputError, match="lead has not signed"):
        do(desk, "mona", finish, found)
    do(desk, "mona", sign, found, words_hash=words.hash)
    do(desk, "mona", finish, found)

    assert report(desk, found.id).is_final
    with pytest.raises(InputError, match="is final"):
        do(desk, "mona", write_words, found, TOLD)


def test_a_final_report_keeps_its_figures_whatever_is_counted_later(desk: Desk) -> None:
    found = declare(desk)
    desk.wait(minutes=20)
    talk(desk, 5, 3)
    do(desk, "mona", end, found, Ending("it is over", RELEASE))
    do(desk, "mona", write_words, found, TOLD)
    do(desk, "mona", sign, found, words_hash=TOLD.hash)
    do(desk, "mona", finish, found)
    kept = report(desk, found.id)

    talk(desk, 6, 5)
    desk.wait(hours=3)

    assert report(desk, found.id) == kept
    assert kept.figures.said.mentions == 3


@pytest.mark.parametrize(
    "words",
    [
        Words(),
        Words(happened="x" * 5_001),
        Words(happened="It broke.", well=("",)),
        Words(happened="It broke.", changes=(Change("Mend it", ""),)),
        Words(happened="It broke.", changes=(Change("Mend it", "Ana", "soon"),)),
        Words(happened="It broke.", signers=(999,)),
    ],
)
def test_words_that_are_none_are_refused(tmp_path: Any, words: Words) -> None:
    desk = Desk(empty_database(tmp_path))
    found = declare(desk)
    do(desk, "mona", end, found, Ending("it is over", RELEASE))

    with pytest.raises(InputError):
        do(desk, "mona", write_words, found, words)


def test_the_curve_says_since_when_it_is_back_in_its_range() -> None:
    def point(minutes: int, mentions: int, high: float | None = 10) -> incident_figures.Point:
        return incident_figures.Point(NOW + timedelta(minutes=minutes), mentions, 1, 5, high)

    points = tuple(point(n * 5, count) for n, count in enumerate((4, 30, 40, 9, 8, 3)))
    told = incident_figures.Curve(points, 300, "", False, is_growing=True)

    assert told.back_in_range(NOW) == NOW + 15 * MINUTE
    assert told.peak is not None
    assert told.peak.mentions == 40
    still = incident_figures.Curve(points[:3], 300, "", False, is_growing=False)
    assert still.back_in_range(NOW) is None
