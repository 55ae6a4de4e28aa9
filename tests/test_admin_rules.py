"""dashboard/asks/rules.py, rule_words.py, panels/rule_list.py: the page of the rules says what is so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text

from dashboard import rights
from dashboard.asks import rules
from dashboard.asks.ask import Asked
from dashboard.panels import rule_list
from dashboard.rule_words import cut, read_as, utf16
from dashboard.views import by_path
from models import organisation as organisations
from models import people
from models.access import ADMIN
from models.database import Database
from models.errors import InputError, NotFound
from models.rule_faults import check
from models.tables import brand_rule, fetch, mention, source
from tests.small_organisation import ADMIN as ADMINISTRATOR
from tests.small_organisation import NOW
from tests.small_organisation import asked as question
from tests.small_store import Said, fill, say

RULE = "(halden OR haldenbank)\nAND (card OR karte)\nNOT norway"
TEXTS = (
    "my Halden card is declined",
    "die karte von haldenbank",
    "halden pas kapot",
    "halden pas weg",
    "day in Halden, Norway with my card",
    "haldn card at the till",
    "the sea",
)


@pytest.fixture
def filled(database: Database) -> Database:
    """Halden Bank with a published rule, and posts of it, of another brand and of none."""
    fill(database)
    said = [Said(words, minutes=n + 1, brand_id=(3, 2, 1)[n % 3]) for n, words in enumerate(TEXTS)]
    said += [Said(f"nothing of it {n}", minutes=30 + n, brand_id=1) for n in range(60)]
    say(database, said)
    with database.write() as connection:
        people.add_person(connection, email=ADMINISTRATOR.email, name="Admin", role="admin", now=NOW)
        values = {"brand_id": 3, "version": 1, "query": "halden", "valid_from": NOW - timedelta(days=9)}
        connection.execute(brand_rule.insert().values(**values))
    return database


def asked(connection: Any, **given: Any) -> Asked:
    there = organisations.current(connection, NOW)
    return Asked(ADMINISTRATOR, there, NOW, {"brand": "halden", **given})


def read(database: Database, name: str, **given: Any) -> Mapping[str, Any]:
    with database.read() as connection:
        found = rules.READS[name](connection, asked(connection, **given))
    orjson.dumps(found, option=orjson.OPT_STRICT_INTEGER)
    return found


def act(database: Database, name: str, **given: Any) -> Mapping[str, Any]:
    with database.write() as connection:
        found = rules.ACTS[name](connection, asked(connection, **given))
    orjson.dumps(found, option=orjson.OPT_STRICT_INTEGER)
    return found


def preview(database: Database, query: str, **given: Any) -> Mapping[str, Any]:
    return read(database, "rules.preview", query=query, **given)


# -- the preview -------------------------------------------------------------------------------------------


def test_the_preview_counts_both_versions_and_shows_the_newest_with_their_words(filled: Database) -> None:
    said = preview(filled, RULE)
    assert (said["of"], said["matched"], said["published"], said["fresh"], said["version"]) == (67, 2, 4, 1, 1)
    assert said["errors"] == []
    assert said["read_as"] == ""
    first, second = said["rows"]
    assert first["text"] == [["my ", 0], ["Halden", 1], [" ", 0], ["card", 1], [" is declined", 0]]
    assert (first["fresh"], second["fresh"]) == (False, True)
    assert [row["id"] for row in preview(filled, RULE, show="new")["rows"]] == [second["id"]]


def test_the_preview_shows_eight_and_more_only_when_asked(filled: Database) -> None:
    assert len(preview(filled, "nothing")["rows"]) == 8
    assert len(preview(filled, "nothing", show="all")["rows"]) == 60
    with pytest.raises(InputError, match="show"):
        preview(filled, "nothing", show="some")


def test_an_error_says_its_place_its_repair_and_how_the_rule_was_read_instead(filled: Database) -> None:
    said = preview(filled, "(halden OR haldenbank)\nAND (card OR OR karte)\nNOT norway")
    (error,) = said["errors"]
    assert (error["line"], error["column"], error["start"], error["end"]) == (2, 11, 33, 35)
    assert error["words"] == "nothing follows this OR; add a word or remove it."
    assert error["repair"] == {"start": 32, "end": 35, "text": "", "words": "Remove it"}
    assert said["read_as"] == "With line 2 read as “AND (card OR karte)”"
    assert said["matched"] == 2
    assert said["hindrance"].startswith("line 2, column 11")


def test_a_rule_that_cannot_be_read_at_all_finds_nothing_and_says_so(filled: Database) -> None:
    act(filled, "rules.example", text="halden", must_match=True)
    said = preview(filled, "")
    assert (said["matched"], said["rows"], said["near"], said["volume"]) == (None, [], None, None)
    assert said["published"] == 4
    assert said["read_as"] == "This cannot be read yet: mend the error first."
    assert [item["passes"] for item in said["examples"]] == [None]


def test_near_misses_say_what_kept_each_out_and_what_would_bring_it_in(filled: Database) -> None:
    said = preview(filled, RULE)["near"]
    assert said["words"] == "2 posts have one of the halves, 1 one letter off, 1 shut out"
    half, letter, shut = said["rows"]
    assert "".join(piece for piece, _ in half["why"]) == "has “halden”, lacks a word of line 2: “pas” in 2 of 67."
    assert half["repair"] == {"start": 41, "end": 41, "text": " OR pas", "words": "Add “pas”"}
    assert letter["why"][0][0] == "one letter off “halden”: “haldn” once in 67."
    assert ["haldn", 2] in letter["text"]
    assert shut["why"][0][0] == "shut out by line 3: “norway”, 1 in 67"
    assert (["Norway", 2] in shut["text"], shut["repair"]) == (True, None)


def test_places_are_those_that_a_browser_counts(filled: Database) -> None:
    assert utf16("a\N{GRINNING FACE}b", 2) == 3
    (error,) = preview(filled, '"\N{GRINNING FACE}" OR OR halden')["errors"]
    assert (error["start"], error["end"], error["column"]) == (5, 7, 5)


def test_what_cannot_be_stored_keeps_its_place(filled: Database) -> None:
    assert preview(filled, "halden\0OR\ud800OR card")["errors"][0]["start"] == 7
    for wrong, said in ((7, "a text is needed"), ("a" * 20_001, "20,001 characters")):
        with pytest.raises(InputError, match=said):
            preview(filled, wrong)  # type: ignore[arg-type]


def test_lines_that_were_mended_are_named() -> None:
    assert read_as("a OR OR b", check("a OR OR b")) == "With line 1 read as “a OR b”"
    two = "a OR OR b\nOR OR c"
    assert read_as(two, check(two)) == "With the errors in line 1 and 2 mended"
    assert cut("Halden  card\nand more", ["halden card"], ["more"]) == [
        ["Halden card", 1],
        [" and ", 0],
        ["more", 2],
    ]


def test_what_no_brand_claims_and_what_nobody_knows_has_no_rule(filled: Database) -> None:
    for key, error in (("unmatched", InputError), ("nobody", NotFound)):
        with pytest.raises(error):
            preview(filled, RULE, brand=key)


# -- examples ----------------------------------------------------------------------------------------------


def test_every_example_says_whether_it_passes_against_what_is_typed_and_why_not(filled: Database) -> None:
    for words, must in (
        ("halden card", True),
        ("mijn halden pas", True),
        ("halden card in norway", True),
        ("the sea", True),
        ("halden zzz", True),
        ("halden karte", False),
    ):
        act(filled, "rules.example", text=words, must_match=must)
    examples = {item["text"]: item for item in preview(filled, RULE)["examples"]}
    assert {words: (item["passes"], item["why"]) for words, item in examples.items()} == {
        "halden card": (True, ""),
        "mijn halden pas": (False, "“pas” is no word of line 2."),
        "halden card in norway": (False, "shut out by line 3: “norway”"),
        "the sea": (False, "too little of the rule is in it"),
        "halden zzz": (False, "no word of line 2 is in it"),
        "halden karte": (False, "matches by “halden”, “karte”"),
    }
    assert examples["mijn halden pas"]["repair"]["text"] == " OR pas"
    with pytest.raises(InputError, match="must match and does not"):
        act(filled, "rules.publish", query=RULE, base=1)


def test_a_mention_is_pinned_and_taken_away_again(filled: Database) -> None:
    with filled.read() as connection:
        stored = connection.execute(select(mention.c.id).where(mention.c.text == "the sea")).scalar_one()
    said = act(filled, "rules.pin", mention=str(stored), must_match=False)
    assert said["words"] == "Pinned: the rule of Halden Bank must not match it."
    (item,) = preview(filled, RULE)["examples"]
    assert (item["text"], item["must"], item["passes"], item["pinned"]) == ("the sea", False, True, True)
    act(filled, "rules.unpin", example=item["id"])
    assert preview(filled, RULE)["examples"] == []


# -- volume ------------------------------------------------------------------------------------------------


def test_the_volume_is_counted_before_and_estimated_after(filled: Database) -> None:
    say(filled, [Said(f"halden card {n}", minutes=24 * 60 + n, brand_id=3) for n in range(20)])
    say(filled, [Said(f"halden {n}", minutes=24 * 60 + 30 + n, brand_id=3) for n in range(20)])
    rules._kept.clear()
    said = preview(filled, RULE)["volume"]
    assert sum(said["now"]) == 43
    assert (len(said["now"]), len(said["after"]), len(said["days"])) == (30, 30, 30)
    assert said["now"][-2:] == [40, 3]
    # 22 of the posts instead of 44.
    assert said["after"][-2] == 20.0
    assert (said["change"], said["cost"]) == ("▼ 50%", "no extra cost")
    assert said["about"] == "estimated on the newest 107 posts"


def test_too_few_posts_are_no_estimate(filled: Database) -> None:
    said = preview(filled, RULE)["volume"]
    assert (said["after"], said["change"]) == (None, "")
    assert said["about"].startswith("too few of the newest 67 posts")


def test_a_paid_network_costs_more_where_all_mentions_are_measured_again(filled: Database) -> None:
    posts = [Said(f"velta {n}", minutes=60 + n, brand_id=1) for n in range(100)]
    say(filled, posts)
    with filled.write() as connection:
        connection.execute(source.update().values(budget=50.0, remeasure="ours"))
        values = {"id": 1, "source_id": 1, "worker": "one", "started_at": NOW, "ended_at": NOW, "fetches": 1}
        values |= {"seconds": 1.0, "items": 100, "new_items": 0, "set_aside": 0, "cost": 1.5}
        connection.execute(fetch.insert().values(**values))
    rules._kept.clear()
    assert preview(filled, "halden OR velta")["volume"]["cost"] == "no extra cost on X"
    with filled.write() as connection:
        connection.execute(source.update().values(remeasure="all"))
    said = preview(filled, "halden OR velta")["volume"]["cost"]
    # 100 posts more in the 158 minutes that all of them cover, three days each, 30 days, at 1.5 cents.
    dollars = 100 / (158 * 60 / 86_400) * 30 * 3 * 0.015
    assert said == f"at most ${dollars:,.2f} a month more on X"


def test_the_longest_query_of_a_search_is_said_where_there_is_one(filled: Database) -> None:
    assert preview(filled, RULE)["counter"] is None
    with filled.write() as connection:
        config = {"what": "search", "query": "halden"}
        connection.execute(source.update().values(kind="x", config=config))
    assert preview(filled, RULE)["counter"] == {"network": "X", "used": len(RULE), "limit": 512}


# -- saving and publishing ---------------------------------------------------------------------------------


def test_a_draft_is_saved_gone_on_from_and_published(filled: Database) -> None:
    first = act(filled, "rules.save", query=RULE, base=1)["draft"]
    assert first == {"by": "Admin", "at": NOW.isoformat(), "base": 1}
    held = read(filled, "rules.rule")
    assert held["draft"] == {"query": RULE, "base": 1, "by": "Admin", "at": first["at"]}
    done = act(filled, "rules.publish", query=RULE, base=1, seen=first["at"])
    assert done["version"] == 2
    after = read(filled, "rules.rule")
    assert (after["published"]["query"], after["published"]["by"], after["draft"]) == (RULE, "Admin", None)
    assert [(item["version"], item["by"]) for item in after["versions"]] == [(2, "Admin"), (1, "a file")]


def test_a_conflict_comes_with_the_other_text(filled: Database) -> None:
    act(filled, "rules.save", query="halden one", base=1)
    said = act(filled, "rules.save", query="halden two", base=1)
    assert said["conflict"] == {
        "kind": "draft",
        "query": "halden one",
        "version": 1,
        "by": "Admin",
        "at": NOW.isoformat(),
    }
    assert said["words"] == "Admin saved another draft of the rule of Halden Bank meanwhile."
    act(filled, "rules.discard")
    late = act(filled, "rules.save", query="halden two", base=0)
    assert (late["conflict"]["kind"], late["conflict"]["query"]) == ("published", "halden")
    with pytest.raises(InputError, match="seen"):
        act(filled, "rules.save", query="halden", base=1, seen="yesterday")


def test_only_administrators_see_and_change_rules() -> None:
    names = [name for name in (*rights.READS, *rights.ACTS) if name.startswith("rules.")]
    assert set(names) == {*rules.READS, *rules.ACTS}
    assert {(rights.READS | rights.ACTS)[name] for name in names} == {ADMIN}
    route = rights.route_for("/admin/rules")
    address = by_path("/admin/rules")
    assert route is not None
    assert address is not None
    assert (route.right, address.view.right, address.view.rail_path) == (ADMIN, ADMIN, "/admin/sources")


# -- the list ----------------------------------------------------------------------------------------------


def test_the_list_has_every_brand_with_its_day_its_languages_and_whether_it_is_written_at(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(brand_rule.update().values(query="halden lang:nl,de"))
    act(filled, "rules.save", query="halden", base=1)
    with filled.read() as connection:
        frame = rule_list.query(connection, question())
    rows = rule_list.draw(frame)["rule-list-rows"]["rows"]
    assert [(row["key"], row["kind"], row["about"]) for row in rows] == [
        ("corvane", "own", "no rule yet"),
        ("halden", "own", "nl, de"),
        ("velta", "own", "no rule yet"),
        ("rival", "competitor", "no rule yet"),
    ]
    assert [row["mentions"] for row in rows] == ["2", "3", "0", "0"]
    assert rows[1]["draft"]["by"] == "Admin"
    assert rows[0]["draft"] is None
    table = rule_list.table(frame)
    assert table.rows[1] == ("Halden Bank", "own", 3, 1, "Admin", "halden lang:nl,de")


def test_an_organisation_without_brands_has_an_empty_list_that_says_so(database: Database) -> None:
    with database.read() as connection:
        there = organisations.current(connection, NOW)
        frame = rule_list.Frame((), {}, {}, {}, there.name, there.zone)
    props = rule_list.draw(frame)
    assert props["rule-list-rows"]["rows"] == []
    assert props["rule-list-state"]["title"] == "No brand yet"


def test_a_list_that_cannot_be_read_fails_by_itself(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(text("alter table brand_rule rename to brand_rule_away"))
    with filled.read() as connection, pytest.raises(Exception, match="brand_rule"):
        rule_list.query(connection, question())
    with filled.write() as connection:
        connection.execute(text("alter table brand_rule_away rename to brand_rule"))
