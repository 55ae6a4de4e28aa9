"""models/rule_trial.py, rule_near.py, rule_slips.py: a rule tried on stored posts, and what it all but finds."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest

from models import organisation as organisations
from models.database import Database
from models.networks import BY_KEY
from models.rule_near import Missed, Ways, missed
from models.rule_slips import is_one_edit, slips
from models.rule_trial import Post, Readings, newest_posts, terms_of
from models.rules import parse
from tests.small_organisation import NOW
from tests.small_store import Said, fill, say

RULE = '(halden OR "halden bank")\nAND (card OR karte)\nNOT (norway OR "gift card")\nlang:en,de,und'


def posts(*texts: str, language: str | None = "en", author: str = "ana") -> tuple[Post, ...]:
    return tuple(
        Post(BY_KEY["x"].id, str(n), 2, 1000 - n, NOW - timedelta(minutes=n), author, None, language, text)
        for n, text in enumerate(texts)
    )


def near(text: str, *texts: str, language: str | None = "en") -> Missed:
    rule = parse(text)
    readings = Readings(posts(*texts, language=language), [rule])
    return missed(text, rule, readings, readings.matched(rule))


# -- stored posts ------------------------------------------------------------------------------------------


def test_the_newest_posts_of_all_brands_come_once_each_newest_first(database: Database) -> None:
    fill(database)
    say(database, [Said(f"post {n}", minutes=n, brand_id=(1, 2, 5)[n % 3]) for n in range(9)])
    with database.read() as connection:
        there = organisations.current(connection, NOW)
        found = newest_posts(connection, there)
        few = newest_posts(connection, there, limit=4)
    assert [post.text for post in found] == [f"post {n}" for n in range(9)]
    assert {post.brand_id for post in found} == {1, 2, 5}
    assert few == found[:4]


def test_a_post_that_two_brands_hold_is_tried_once_and_a_deleted_one_never(database: Database) -> None:
    fill(database)
    say(database, [Said("both", minutes=3), Said("gone", minutes=1)])
    with database.write() as connection:
        connection.exec_driver_sql("update mention set deleted_at = 1, text = '' where text = 'gone'")
        columns = (
            "network_id, external_id, posted_at, received_at, source_id, kind, author_key, text, location_id, team_id"
        )
        connection.exec_driver_sql(
            f"insert into mention (brand_id, id, {columns}) select 3, id + 1, {columns}"
            " from mention where text = 'both'"
        )
    with database.read() as connection:
        found = newest_posts(connection, organisations.current(connection, NOW))
    assert [post.text for post in found] == ["both"]


# -- trying ------------------------------------------------------------------------------------------------


def test_the_pass_over_all_texts_finds_what_each_rule_means() -> None:
    dice = random.Random(11)
    words = ["halden", "card", "cards", "gift card", "@halden", "#card", "norway", "haldenbank", "karte", "x", "."]
    made = posts(*(" ".join(dice.choice(words) for _ in range(dice.randint(0, 6))) for _ in range(300)))
    rules = [
        parse(text)
        for text in (
            RULE,
            "halden*",
            "@halden OR #card",
            "halden NEAR/1 card",
            "author:ana -x",
            "card (author:bo OR x)",
        )
    ]
    readings = Readings(made, rules)
    found = 0
    for rule in rules:
        meant = tuple(n for n, post in enumerate(made) if rule.matches(post.subject) is not None)
        assert readings.matched(rule) == meant
        for place in meant:
            assert readings.words(place, rule.root) == rule.matches(made[place].subject)
        found += len(meant)
    assert found > 300


# -- near misses -------------------------------------------------------------------------------------------


def test_a_post_that_has_one_half_names_the_word_that_would_bring_it_in() -> None:
    others = [f"nothing of it {n}" for n in range(40)]
    found = near(RULE, "halden pas is stuk", "my halden pas again", "halden card", *others)
    assert (found.half, found.letter, found.shut) == (2, 0, 0)
    miss = found.shown[0]
    assert (miss.kind, miss.word, miss.count, miss.line, miss.words) == ("half", "pas", 2, 2, ("halden",))
    assert miss.repair is not None
    mended = RULE[: miss.repair.start] + miss.repair.text + RULE[miss.repair.end :]
    assert "(card OR karte OR pas)\n" in mended
    assert parse(mended).matches(miss.post.subject) is not None
    assert found.hints[Ways(RULE).ways[0][1].start][0] == "pas"


def test_a_word_that_is_as_common_elsewhere_is_not_proposed() -> None:
    found = near(RULE, "halden with the news", "the halden with tea", *[f"the sea with {n}" for n in range(40)])
    assert found.half == 2
    assert [miss.word for miss in found.shown] == [""]


def test_a_word_of_another_brand_is_no_word_that_this_rule_lacks() -> None:
    rule = parse(RULE)
    made = posts("halden velta one", "halden velta two", *[f"the sea {n}" for n in range(40)])
    readings = Readings(made, [rule])
    said = missed(RULE, rule, readings, (), others=terms_of(parse("velta OR other").root))
    assert "velta" not in [miss.word for miss in said.shown]


@pytest.mark.parametrize(
    ("text", "word", "meant", "repaired"),
    [
        ("halden card", "haldn", "halden", "(halden OR haldn) card"),
        ("(halden OR bank) card", "haldem", "halden", "(halden OR haldem OR bank) card"),
        ("halden NEAR/2 card", "hadlen", "halden", "(halden OR hadlen) NEAR/2 card"),
        ("halden OR velta", "vetla", "velta", "halden OR velta OR vetla"),
    ],
)
def test_a_word_one_letter_off_is_found_where_it_alone_kept_the_post_out(
    text: str, word: str, meant: str, repaired: str
) -> None:
    found = near(text, f"my {word} card", f"{word} without the other" if "velta" not in text else "other", "nothing")
    assert found.letter == 1
    (miss,) = [miss for miss in found.shown if miss.kind == "letter"]
    assert (miss.word, miss.meant, miss.count) == (word, meant, 1)
    assert miss.repair is not None
    mended = text[: miss.repair.start] + miss.repair.text + text[miss.repair.end :]
    assert mended == repaired
    assert parse(mended).matches(miss.post.subject) is not None


def test_a_word_that_many_posts_hold_is_no_slip() -> None:
    assert near("halden card", *[f"halten card {n}" for n in range(5)]).letter == 0
    assert near("halden card", *[f"halten card {n}" for n in range(3)]).letter == 3


def test_what_an_exclusion_shuts_out_says_its_line_and_its_word() -> None:
    found = near(RULE, "halden gift card", "halden card norway", "halden gift card again", "halden card")
    assert (found.half, found.shut) == (0, 3)
    assert [(miss.kind, miss.word, miss.count, miss.line) for miss in found.shown] == [
        ("shut", "gift card", 2, 3),
        ("shut", "norway", 1, 3),
    ]


def test_what_a_limit_shuts_out_says_its_line() -> None:
    found = near(RULE, "halden card", language="fr")
    assert [(miss.kind, miss.word, miss.line, miss.lacks) for miss in found.shown] == [
        ("shut", "", 4, "lang:en,de,und")
    ]


def test_what_lacks_two_things_is_no_near_miss() -> None:
    found = near(RULE, "halden in norway", "gift card", "nothing at all")
    assert (found.half, found.letter, found.shut, found.shown) == (0, 0, 0, ())


def test_one_edit_is_one_letter_more_less_other_or_two_swapped() -> None:
    word, letters = "halden", "abh"
    near_by = {word[:i] + word[i + 1 :] for i in range(6)}
    near_by |= {word[:i] + c + word[i:] for i, c in itertools.product(range(7), letters)}
    near_by |= {word[:i] + c + word[i + 1 :] for i, c in itertools.product(range(6), letters)}
    near_by |= {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(5)}
    near_by -= {word}
    assert all(is_one_edit(word, other) and is_one_edit(other, word) for other in near_by)
    assert not any(is_one_edit(word, other) for other in ("halden", "hldn", "haldenss", "dlahen", "velta", ""))
    assert slips([word], [" ".join(near_by)], ()) == dict.fromkeys(near_by, word)
