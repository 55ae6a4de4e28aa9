"""models/rule_desk.py and models/organisation_rules.py: drafts, examples, and the step to what counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from ingest.found import Gone
from ingest.pipeline import Pipeline
from ingest.remeasure import AGES
from ingest.schedule import Worker
from ingest.store import store
from models import audit, people, rule_desk, rule_volume
from models import organisation as organisations
from models.database import Database
from models.errors import InputError, NotFound, RuleError
from models.organisation import Brand
from models.organisation_rules import publish_rule, published, versions
from models.rule_desk import Conflict, Draft, Who
from models.rules import LONGEST_RULE, Subject
from models.settings import Settings
from models.tables import change, mention, rule_example
from tests.builders import CORVANE, HALDEN, keep, load, number
from tests.builders import mention as mentioned
from tests.small_organisation import NOW

LINA = Who(1, "lina@meridian.example", "Lina Ferro")
OMAR = Who(2, "omar@meridian.example", "Omar Haddad")
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def halden(database: Database) -> Brand:
    there = load(database)
    with database.write() as connection:
        for who in (LINA, OMAR):
            people.add_person(connection, email=who.email, name=who.name, role="admin", now=NOW)
    return there.brand_by_key("halden")


def save(
    database: Database, query: str, *, who: Who = LINA, base: int = 2, seen: Draft | None = None
) -> Draft | Conflict:
    with database.write() as connection:
        seen_at = None if seen is None else seen.at
        now = NOW if seen is None else seen.at + timedelta(seconds=9)
        return rule_desk.save_draft(connection, HALDEN, query, base_version=base, seen_at=seen_at, who=who, now=now)


def publish(database: Database, of: Brand, query: str, *, base: int = 2, seen: Draft | None = None) -> int | Conflict:
    with database.write() as connection:
        seen_at = None if seen is None else seen.at
        return rule_desk.publish(connection, of, query, base_version=base, seen_at=seen_at, who=LINA, now=LATER)


def example(database: Database, of: Brand, text: str, *, must_match: bool = True, author: str | None = None) -> int:
    with database.write() as connection:
        return rule_desk.add_example(connection, of, Subject(text, author), must_match=must_match, who=LINA, now=NOW)


# -- versions ----------------------------------------------------------------------------------------------


def test_several_rules_of_a_file_are_one_text_with_a_line_each(database: Database, halden: Brand) -> None:
    with database.read() as connection:
        there = published(connection, HALDEN)
        assert (there.version, there.query, there.actor) == (2, "halden\n@halden", None)
        assert published(connection, 1).version == 0


def test_publishing_keeps_every_version_with_who_and_when(database: Database, halden: Brand) -> None:
    assert publish(database, halden, "halden card") == 3
    with database.read() as connection:
        kept = versions(connection, HALDEN)
        there = organisations.current(connection, LATER)
        newest = audit.newest(connection, 1)[0]
    assert [(item.version, item.query, item.actor, item.valid_to) for item in kept] == [
        (3, "halden card", "Lina Ferro", None),
        (2, "@halden", None, LATER),
        (1, "halden", None, LATER),
    ]
    assert there.brand_by_key("halden").rules == ("halden card",)
    assert (newest.action, newest.actor, newest.subject) == ("rule.published", LINA.email, "Halden Bank")
    assert newest.details is not None
    assert newest.details["version"] == 3


def test_ingest_takes_a_published_rule_up_without_a_restart(database: Database, halden: Brand) -> None:
    worker = Worker(database, settings=Settings())

    def brands(pipeline: Pipeline) -> list[int]:
        return [item.brand_id for item in pipeline.enrich([mentioned("1", text="the mortgage desk").post])]

    assert brands(worker._current_pipeline()) == [1]
    publish(database, halden, "halden OR mortgage")
    assert brands(worker._current_pipeline()) == [HALDEN]


def test_a_rule_that_does_not_read_is_never_published(database: Database, halden: Brand) -> None:
    with pytest.raises(RuleError), database.write() as connection:
        publish_rule(connection, HALDEN, "halden OR", "Lina", NOW)
    with database.read() as connection:
        assert published(connection, HALDEN).version == 2


# -- drafts ------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_however_wrong_it_is_and_changes_nothing_that_counts(database: Database, halden: Brand) -> None:
    before = number(database, "select coalesce(sum(n), 0) from change where topic = 'organisation'")
    first = save(database, "halden OR OR")
    assert isinstance(first, Draft)
    second = save(database, "halden OR bank", seen=first)
    assert isinstance(second, Draft)
    with database.read() as connection:
        assert rule_desk.draft_of(connection, HALDEN) == second
        assert rule_desk.drafts(connection, [CORVANE]) == {}
        assert published(connection, HALDEN).version == 2
        topics = {row.topic: row.n for row in connection.execute(select(change))}
    assert topics["rules"] == 2
    # Ingest makes its pipeline anew on each change of the organisation: not for every draft.
    assert topics["organisation"] == before


def test_what_somebody_else_saved_meanwhile_is_answered_and_not_overwritten(database: Database, halden: Brand) -> None:
    theirs = save(database, "halden theirs", who=OMAR)
    assert isinstance(theirs, Draft)
    answered = save(database, "halden mine")
    assert answered == Conflict("draft", "halden theirs", 2, "Omar Haddad", theirs.at)
    with database.read() as connection:
        assert rule_desk.draft_of(connection, HALDEN) == theirs
    mine = save(database, "halden mine", seen=theirs)
    assert isinstance(mine, Draft)
    assert mine.query == "halden mine"


def test_a_newer_published_version_is_answered_with_its_text(database: Database, halden: Brand) -> None:
    draft = save(database, "halden mine")
    assert isinstance(draft, Draft)
    with database.write() as connection:
        publish_rule(connection, HALDEN, "halden newer", "Omar Haddad", NOW)
    expected = Conflict("published", "halden newer", 3, "Omar Haddad", NOW)
    assert save(database, "halden mine, changed", seen=draft) == expected
    assert publish(database, halden, "halden mine", seen=draft) == expected
    with database.read() as connection:
        assert rule_desk.draft_of(connection, HALDEN) == draft
        assert published(connection, HALDEN).query == "halden newer"
    assert publish(database, halden, "halden mine", base=3, seen=draft) == 4
    with database.read() as connection:
        assert rule_desk.draft_of(connection, HALDEN) is None


def test_a_discarded_draft_leaves_its_text_in_the_audit_log(database: Database, halden: Brand) -> None:
    save(database, "halden\nOR bank")
    with database.write() as connection:
        rule_desk.discard_draft(connection, halden, who=OMAR, now=LATER)
        newest = audit.newest(connection, 1)[0]
        assert (newest.action, newest.details) == (
            "rule.draft_discarded",
            {"query": "halden OR bank", "by": "Lina Ferro"},
        )
        with pytest.raises(NotFound):
            rule_desk.discard_draft(connection, halden, who=OMAR, now=LATER)


def test_a_rule_beyond_measure_is_refused(database: Database, halden: Brand) -> None:
    with pytest.raises(InputError, match="20,001 characters"):
        save(database, "a" * (LONGEST_RULE + 1))


# -- examples ----------------------------------------------------------------------------------------------


def test_nothing_is_published_while_it_has_an_error_or_an_example_fails(database: Database, halden: Brand) -> None:
    example(database, halden, "my halden card is declined")
    example(database, halden, "halden fortress, norway", must_match=False)
    example(database, halden, "halden festning", must_match=False)
    with pytest.raises(InputError, match="line 2, column 5: nothing follows this OR"):
        publish(database, halden, "halden card\nbad OR")
    with pytest.raises(InputError, match="“my halden card is declined” must match and does not"):
        publish(database, halden, "halden cards")
    with pytest.raises(InputError, match=r"“halden fortress, norway” must not match and does; one more example fails"):
        publish(database, halden, "halden OR card")
    with pytest.raises(InputError, match="version 2, which counts already"):
        publish_same(database, halden)
    assert publish(database, halden, "halden NOT (norway OR festning)") == 3


def publish_same(database: Database, of: Brand) -> None:
    with database.write() as connection:
        for item in rule_desk.examples(connection, HALDEN):
            rule_desk.remove_example(connection, of, item.id, who=LINA, now=NOW)
        rule_desk.publish(connection, of, "halden\n@halden\n", base_version=2, seen_at=None, who=LINA, now=LATER)


def test_an_example_is_read_with_its_author_network_and_language(database: Database, halden: Brand) -> None:
    subject = Subject("a card", "omar", "nl", "mastodon")
    with database.write() as connection:
        rule_desk.add_example(connection, halden, subject, must_match=True, who=LINA, now=NOW)
        (held,) = rule_desk.examples(connection, HALDEN)
    assert held.subject == subject
    assert rule_desk.hindrance("author:omar lang:nl network:mastodon", [held]) is None
    assert rule_desk.hindrance("author:omar network:x", [held]) is not None


def test_an_example_is_refused_where_it_says_nothing_or_stands_there(database: Database, halden: Brand) -> None:
    example(database, halden, "halden")
    for text, said in ((" ", "needs a text"), ("halden", "already"), ("a" * 2_001, "2,001 characters")):
        with pytest.raises(InputError, match=said):
            example(database, halden, text, must_match=False)
    with pytest.raises(NotFound), database.write() as connection:
        rule_desk.remove_example(connection, halden, 12345, who=LINA, now=NOW)


def pinned(database: Database, of: Brand, *, must_match: bool = False) -> int:
    there = load(database)
    keep(database, [mentioned("9", text="corvane and halden", author="omar", language="nl")], there)
    mention_id = number(database, "select max(id) from mention")
    with database.write() as connection:
        ids = [item.id for item in there.brands]
        return rule_desk.pin_example(connection, of, mention_id, among=ids, must_match=must_match, who=LINA, now=NOW)


def test_an_example_is_pinned_from_a_mention_of_any_brand(database: Database, halden: Brand) -> None:
    pinned(database, halden)
    with database.read() as connection:
        (held,) = rule_desk.examples(connection, HALDEN)
        stored = connection.execute(select(mention.c.id)).scalar()
    assert held.subject == Subject("corvane and halden", "omar", "nl", "x")
    assert (held.must_match, held.mention_id, held.actor) == (False, stored, "Lina Ferro")
    with pytest.raises(NotFound), database.write() as connection:
        rule_desk.pin_example(connection, halden, 1, among=[2, 3], must_match=True, who=LINA, now=NOW)


def test_a_pinned_text_goes_when_its_network_deletes_the_post(database: Database, halden: Brand) -> None:
    pinned(database, halden)
    example(database, halden, "typed in, and stays")
    there = load(database)
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=there, now=LATER, gone=[Gone("x", "9", "deleted")])
        left = connection.execute(select(rule_example.c.text)).scalars().all()
    assert left == ["typed in, and stays"]


# -- volume ------------------------------------------------------------------------------------------------


def test_a_post_measured_again_is_charged_on_three_further_days() -> None:
    # Whatever the hour it was posted at: what networks charge for, they charge once a UTC day.
    for minutes in range(0, 24 * 60, 7):
        posted = NOW.replace(hour=0, minute=0, second=0) + timedelta(minutes=minutes)
        days = {(posted + age).date() for age in AGES} - {posted.date()}
        assert len(days) == rule_volume.PAID_DAYS
