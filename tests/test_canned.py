"""Canned replies: in the customer's language, with their fields filled in, kept by who may sign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import canned
from models.access import Access, Grant
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from tests.builders import CORVANE, HALDEN, NOW, load, rows
from tests.test_policy import ADMIN

PETRA = Access.granted(5, "petra@meridian.example", "Petra", (Grant("approver", frozenset({CORVANE})),))
LATER = NOW + timedelta(seconds=1)


def test_a_fresh_organisation_has_texts_in_the_customers_language(database: Database) -> None:
    with database.read() as connection:
        german = canned.listed(connection, CORVANE, "de-AT", NOW)
        unknown = canned.listed(connection, CORVANE, None, NOW)
    assert len(german) == 3
    assert {text.language for text in german} == {"de"}
    assert unknown == ()


def test_fields_are_filled_in_and_what_is_not_known_is_told() -> None:
    done = canned.filled(
        "Hi {first_name}, {brand} here. {first_name}? ^{initials}", {"brand": "Corvane", "initials": ""}
    )
    assert done.text == "Hi {first_name}, Corvane here. {first_name}? ^{initials}"
    assert done.missing == ("first_name", "initials")
    assert all(not canned.filled(text, dict.fromkeys(canned.FIELDS, "x")).missing for _, _, text in canned.DEFAULTS)


def test_a_brands_own_texts_come_first_and_other_brands_do_not_see_them(database: Database) -> None:
    organisation = load(database)
    with database.write() as connection:
        number = canned.save(
            connection,
            organisation,
            PETRA,
            brand_id=CORVANE,
            language=None,
            name="Charging",
            text="Charge it, {first_name}.",
            now=NOW,
        )
        ours = canned.listed(connection, CORVANE, "en", LATER)
        theirs = canned.listed(connection, HALDEN, "en", LATER)
        canned.retire(connection, organisation, PETRA, number, now=LATER)
        after = canned.listed(connection, CORVANE, "en", LATER)

    assert ours[0].name == "Charging"
    assert len(ours) == len(theirs) + 1 == len(after) + 1 == 4
    assert [row["action"] for row in rows(database, "select action from audit where action like 'canned%'")] == [
        "canned.saved",
        "canned.retired",
    ]


def test_a_new_version_takes_the_place_of_the_one_before(database: Database) -> None:
    organisation = load(database)
    with database.write() as connection:
        first = canned.listed(connection, CORVANE, "en", NOW)[0]
        given = {"brand_id": 0, "language": "en", "name": first.name, "now": NOW}
        canned.save(connection, organisation, ADMIN, text="Shorter.", replaces=first.id, **given)  # type: ignore[arg-type]
        texts = [text.text for text in canned.listed(connection, CORVANE, "en", LATER) if text.name == first.name]
    assert texts == ["Shorter."]


def test_who_may_not_sign_there_changes_no_text(database: Database) -> None:
    organisation = load(database)
    given = {"language": "en", "name": "a", "text": "b", "now": NOW}
    with database.write() as connection:
        for brand_id in (HALDEN, 0):
            with pytest.raises(AccessDenied):
                canned.save(connection, organisation, PETRA, brand_id=brand_id, **given)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            canned.save(connection, organisation, PETRA, brand_id=99, **given)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            canned.retire(connection, organisation, ADMIN, 99, now=NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "Hi {nickname}"}, "no field {nickname}"),
        ({"text": " "}, "1 to 2,000"),
        ({"name": ""}, "name"),
        ({"language": "English"}, "no code of a language"),
    ],
)
def test_a_text_that_could_not_be_filled_is_refused(database: Database, change: dict[str, str], said: str) -> None:
    if not database.is_sqlite:
        pytest.skip("nothing of it is the database's")
    organisation = load(database)
    given = {"language": "en", "name": "a", "text": "b", "brand_id": 0, "now": NOW, **change}
    with database.write() as connection, pytest.raises(InputError, match=said):
        canned.save(connection, organisation, ADMIN, **given)  # type: ignore[arg-type]
