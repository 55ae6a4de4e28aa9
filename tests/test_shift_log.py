"""models/shift_log.py: what one shift tells the next, who reads it, and who signed that they did."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from models import audit, shift_log
from models.access import Access
from models.database import Database, new_id
from models.errors import InputError, NotFound
from models.organisation import Organisation
from models.shift_log import Line, Pin
from models.tables import alert, mention
from tests.small_organisation import ADMIN, NOW, person
from tests.small_store import Said, fill, say

INES = person()
ANA = Access(8, "ana@meridian.example", "Ana Novak", frozenset({"viewer"}))
BANK_ONLY = Access(9, "bob@meridian.example", "Bob", frozenset({"viewer"}), brand_ids=frozenset({3}))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def there(database: Database) -> Organisation:
    return fill(database)


def add(database: Database, who: Access, words: str, *, minutes: float = 0, **about: object) -> Line:
    organisation = read_organisation(database)
    with database.write() as connection:
        return shift_log.add(connection, who, organisation, words, now=NOW - minutes * MINUTE, **about)  # type: ignore[arg-type]


def read_organisation(database: Database) -> Organisation:
    from models import organisation as organisations

    with database.read() as connection:
        return organisations.current(connection, NOW)


def lines(database: Database, who: Access, **how: int) -> tuple[Line, ...]:
    organisation = read_organisation(database)
    with database.read() as connection:
        return shift_log.lines(connection, who, organisation, **how)


def texts(database: Database, who: Access, **how: int) -> list[str]:
    return [line.text for line in lines(database, who, **how)]


def sign(database: Database, who: Access, up_to: int) -> int:
    organisation = read_organisation(database)
    with database.write() as connection:
        return shift_log.sign(connection, who, organisation, up_to, now=NOW)


def waiting(database: Database, who: Access) -> int:
    organisation = read_organisation(database)
    with database.read() as connection:
        return shift_log.waiting(connection, who, organisation, now=NOW)


def mention_id(database: Database, brand_id: int) -> int:
    with database.read() as connection:
        found: int = connection.execute(select(mention.c.id).where(mention.c.brand_id == brand_id)).scalars().one()
        return found


def test_lines_are_read_newest_first_and_page_by_page(database: Database, there: Organisation) -> None:
    made = [add(database, INES, f"line {n}", minutes=10 - n) for n in range(5)]

    assert texts(database, ANA) == ["line 4", "line 3", "line 2", "line 1", "line 0"]
    assert texts(database, ANA, limit=2) == ["line 4", "line 3"]
    assert texts(database, ANA, limit=2, before_id=made[3].id) == ["line 2", "line 1"]
    assert lines(database, ANA)[0].author == "Ines Kramer"


def test_a_line_about_a_brand_is_read_by_those_who_may_read_it(database: Database, there: Organisation) -> None:
    add(database, INES, "about nobody", minutes=3)
    add(database, INES, "about the bank", minutes=2, brand="halden")
    add(database, INES, "about Corvane", minutes=1, brand="corvane")

    assert texts(database, BANK_ONLY) == ["about the bank", "about nobody"]
    assert texts(database, ADMIN) == ["about Corvane", "about the bank", "about nobody"]
    assert waiting(database, BANK_ONLY) == 2


def test_a_brand_of_others_is_refused_in_the_words_of_one_that_does_not_exist(
    database: Database, there: Organisation
) -> None:
    said = []
    for key in ("corvane", "nobody"):
        with pytest.raises(NotFound) as refused:
            add(database, BANK_ONLY, "hello", brand=key)
        said.append(str(refused.value).replace(key, "…"))
    assert said[0] == said[1]


@pytest.mark.parametrize("words", ["", "   ", "x" * 1_001])
def test_a_line_has_words_and_is_no_novel(database: Database, there: Organisation, words: str) -> None:
    with pytest.raises(InputError, match="1 to 1,000"):
        add(database, INES, words)


def test_a_line_pinned_to_a_mention_belongs_to_its_brand(database: Database, there: Organisation) -> None:
    say(database, [Said("My card is declined", brand_id=3, author="sanne")])
    number = mention_id(database, 3)

    line = add(database, INES, "She waits for an answer", pinned="mention", pinned_id=number)

    assert (line.brand_id, line.pin) == (3, Pin("mention", number, "sanne on X", NOW - 5 * MINUTE, 3))
    assert lines(database, BANK_ONLY)[0].pin == line.pin


def test_a_mention_that_one_may_not_see_cannot_be_pinned_and_is_not_named(
    database: Database, there: Organisation
) -> None:
    say(database, [Said("in Nairobi", brand_id=2, location_id=4), Said("in Tokyo", brand_id=3, location_id=6)])
    corvane, bank = mention_id(database, 2), mention_id(database, 3)
    nairobi_only = person(location_ids=frozenset({4}))
    for who, number in ((BANK_ONLY, corvane), (nairobi_only, bank), (INES, 17)):
        with pytest.raises(NotFound, match="there is no such mention that you may see"):
            add(database, who, "look", pinned="mention", pinned_id=number)

    add(database, INES, "look at Tokyo", pinned="mention", pinned_id=bank)
    assert lines(database, nairobi_only)[0].pin == Pin("mention", bank)


def test_a_line_is_pinned_to_an_alert_or_a_source(database: Database, there: Organisation) -> None:
    number = new_id(NOW)
    with database.write() as connection:
        connection.execute(
            insert(alert).values(
                brand_id=2, id=number, kind="volume", source_id=0, started_at=NOW, flagged_at=NOW, words="far more"
            )
        )
    spike = add(database, INES, "the reveal, planned", minutes=2, pinned="alert", pinned_id=number)
    source = add(database, INES, "token renewed", minutes=1, pinned="source", pinned_id=1)

    assert spike.pin == Pin("alert", number, "the spike of Corvane", NOW, 2)
    assert (source.pin, source.brand_id) == (Pin("source", 1, "X search"), 0)
    assert texts(database, BANK_ONLY) == ["token renewed"]
    with pytest.raises(InputError, match="known: mention, alert, source"):
        add(database, INES, "what", pinned="weather", pinned_id=1)


def test_the_next_operator_signs_what_others_wrote_and_nobody_signed(database: Database, there: Organisation) -> None:
    first = add(database, INES, "first", minutes=9)
    mine = add(database, ANA, "my own", minutes=8)
    last = add(database, INES, "last", minutes=7)
    assert waiting(database, ANA) == 2

    assert sign(database, ANA, mine.id) == 1
    signed = {line.text: (line.signed_by, line.signed_at) for line in lines(database, INES)}
    assert signed == {"first": ("Ana Novak", NOW), "my own": (None, None), "last": (None, None)}
    assert sign(database, ANA, last.id) == 1
    with pytest.raises(InputError, match="nothing is left to take over"):
        sign(database, ANA, last.id)
    assert waiting(database, ANA) == 0
    assert sign(database, INES, last.id) == 1
    with database.read() as connection:
        rows = [entry for entry in audit.newest(connection, 20) if entry.action.startswith("log.")]
    assert [entry.action for entry in reversed(rows)] == ["log.added"] * 3 + ["log.signed"] * 3
    assert rows[0].details == {"lines": 1, "up_to": str(last.id)}
    assert first.signed_by is None


def test_a_line_is_signed_once_however_many_take_over_at_once(database: Database, there: Organisation) -> None:
    last = add(database, INES, "only one")
    won: list[int] = []
    lost: list[str] = []

    def take(number: int) -> None:
        who = Access(20 + number, f"p{number}@meridian.example", f"P{number}", frozenset({"viewer"}))
        try:
            won.append(sign(database, who, last.id))
        except InputError as error:
            lost.append(str(error))

    threads = [threading.Thread(target=take, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (won, len(lost)) == ([1], 3)


def test_nobody_signs_lines_that_are_not_for_their_eyes(database: Database, there: Organisation) -> None:
    line = add(database, INES, "about Corvane", brand="corvane")
    with pytest.raises(InputError):
        sign(database, BANK_ONLY, line.id)
    assert lines(database, ADMIN)[0].signed_by is None


def test_what_nobody_took_over_for_two_weeks_is_no_hand_over_any_more(database: Database, there: Organisation) -> None:
    add(database, INES, "long ago", minutes=15 * 24 * 60)
    assert waiting(database, ANA) == 0
    assert texts(database, ANA) == ["long ago"]


def test_a_new_line_and_a_signature_wake_the_screens_of_their_brand(database: Database, there: Organisation) -> None:
    def counted() -> dict[int, int]:
        with database.read() as connection:
            rows = connection.execute(text("select brand_id, n from change where topic = 'log'"))
            return {row.brand_id: row.n for row in rows}

    line = add(database, INES, "about the bank", brand="halden")
    assert counted() == {3: 1}
    sign(database, ANA, line.id)
    assert counted() == {3: 2}
    add(database, INES, "about nobody")
    assert counted() == {3: 2, 0: 1}


def test_the_pulse_is_the_newest_line_and_the_newest_signature_of_the_scope(
    database: Database, there: Organisation
) -> None:
    def pulse(*brands: int) -> tuple[int, object]:
        with database.read() as connection:
            return (
                shift_log.newest_id(connection, brands),
                shift_log.newest_signature(connection, brands, now=NOW),
            )

    assert pulse(2, 3) == (0, None)
    bank = add(database, INES, "about the bank", minutes=1, brand="halden")
    assert (pulse(2), pulse(3)) == ((0, None), (bank.id, None))
    sign(database, ANA, bank.id)
    assert pulse(3) == (bank.id, NOW)
