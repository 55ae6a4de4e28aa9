"""What is looked at in a text before it goes out, and the words in which it is told."""

from __future__ import annotations

from typing import Any

import pytest

from models.checks import BLOCK, OFF, OK, WARN, Context, Pinned, Voice, blocking, check
from models.text_length import graphemes, has_link, length
from models.wording import first_said

FAMILY = "👨‍👩‍👧‍👦"


def verdict(text: str, name: str, levels: dict[str, str] | None = None, **given: Any) -> tuple[str, str]:
    context = Context(given.pop("network", "x"), **given)
    found = {item.name: item for item in check(text, context, levels or {})}[name]
    return found.verdict, found.words


# -- length ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "network", "used"),
    [
        ("hello", "x", 5),
        ("日本語", "x", 6),
        ("naïve – “quoted”", "x", 16),
        ("see https://example.com/" + "a" * 200, "x", 4 + 23),
        ("see example.com now", "x", 4 + 23 + 4),
        ("e.g. this and.that", "x", 18),
        ("👍", "x", 2),
        (FAMILY, "x", 2),
        ("👍🏽", "x", 2),
        ("e\u0301", "x", 1),
        ("hello", "bluesky", 5),
        (FAMILY * 3, "bluesky", 3),
        ("🇳🇱🇩🇪", "bluesky", 2),
        ("日本語", "bluesky", 3),
        ("see https://example.com/" + "a" * 200, "mastodon", 4 + 23),
        ("hi @ada@social.example!", "mastodon", 8),
        ("see https://example.com/a", "reddit", 25),
    ],
)
def test_length_is_what_the_network_counts(text: str, network: str, used: int) -> None:
    assert length(text, network).used == used


def test_a_text_too_long_says_by_how_much() -> None:
    assert verdict("日" * 140, "length") == (OK, "280 of 280 characters as X counts them.")
    assert verdict("日" * 141, "length") == (BLOCK, "2 too many: 282 of 280 characters as X counts them.")
    assert verdict("a" * 301, "length", network="bluesky")[0] == BLOCK
    assert verdict(" ", "length") == (BLOCK, "There is no text yet.")
    assert verdict("a" * 50_000, "length", network="rss")[0] == OK


def test_graphemes_put_together_what_a_reader_sees_as_one() -> None:
    assert list(graphemes("a" + FAMILY + "é\r\n")) == ["a", FAMILY, "é", "\r\n"]
    assert list(graphemes("")) == []


# -- voice -------------------------------------------------------------------------------------------------------------


def test_greeting_and_sign_off_follow_the_voice_guide() -> None:
    voice = Voice(greeting="Hi {name},", sign_off="^{initials}")
    assert verdict("Hi Ada, we look. ^PB", "greeting", voice=voice)[0] == OK
    assert verdict("@ada @bob Hi Ada, we look.", "greeting", voice=voice)[0] == OK
    assert verdict("Dear Ada, we look.", "greeting", voice=voice)[0] == WARN
    assert verdict("Hi Ada, we look. ^PB ", "sign_off", voice=voice)[0] == OK
    assert verdict("Hi Ada, ^PB looks.", "sign_off", voice=Voice(sign_off="^PB"))[0] == WARN
    assert verdict("anything", "greeting")[0] == verdict("anything", "sign_off")[0] == OK


def test_a_forbidden_word_is_named() -> None:
    voice = Voice(forbidden=("cheap", "unfortunately"))
    assert verdict("UNFORTUNATELY we cannot.", "forbidden", voice=voice) == (
        BLOCK,
        "The voice guide never says “unfortunately”.",
    )
    assert verdict("Cheaper than ever.", "forbidden", voice=voice)[0] == OK


def test_the_voice_of_an_account_is_read_as_it_was_kept() -> None:
    assert Voice.of({"greeting": "Hi", "forbidden": ["x"], "tone": "warm"}) == Voice("Hi", "", ("x",), ())
    assert Voice.of(None) == Voice()
    assert Voice.of({"forbidden": "not a list"}).forbidden == ()


def test_phrases_are_found_in_whole_words_however_they_are_written() -> None:
    assert first_said("They LEAKED our data,  all of it", ["data, all"]) == "data, all"
    assert first_said("It’s fine", ["it's"]) == "it's"
    assert first_said("wegen Betrugs", ["betrug"]) is None
    assert first_said("wegen Betrugs", ["betrug*"]) == "betrug*"
    assert first_said("返金してください", ["返金"]) == "返金"
    assert first_said("anything", ["", " * "]) is None


# -- language ----------------------------------------------------------------------------------------------------------


def test_an_answer_in_another_language_than_the_customers_is_told() -> None:
    dutch = "Wat vervelend, we gaan het voor je uitzoeken en laten het je hier weten."
    assert verdict(dutch, "language", language="nl")[0] == OK
    mistaken = (WARN, "The customer writes “en”, this reads as “nl”.")
    assert verdict(dutch, "language", language="en") == mistaken
    assert verdict(dutch, "language", language="en-GB") == mistaken
    swedish = "Vi är ledsna och vi ska titta på det för dig nu."
    assert verdict(swedish, "language", language="en", voice=Voice(languages=("sv",)))[0] == WARN
    assert verdict("OK!", "language", language="ja")[0] == OK
    assert verdict(dutch, "language")[0] == OK
    assert verdict("We are sorry and we will look into it for you.", "language", language="ja")[0] == WARN
    assert verdict("ご不便をおかけして申し訳ありません。", "language", language="ja")[0] == OK


# -- promises ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("You get it within 24 hours.", "a time"),
        ("It works again by tomorrow.", "a time"),
        ("Um 16:00 geht es wieder.", "a time"),
        ("Binnen 2 dagen heb je het.", "a time"),
        ("Innerhalb von 3 Tagen ist es da.", "a time"),
        ("We refund you.", "money"),
        ("You get €25.", "money"),
        ("Das sind 30 Euro.", "money"),
        ("Wir erstatten es.", "money"),
    ],
)
def test_a_promise_of_time_or_money_is_told_in_its_words(text: str, what: str) -> None:
    level, words = verdict(text, "promise")
    assert level == WARN
    assert words.startswith(f"Promises {what}: “")


def test_what_promises_nothing_passes() -> None:
    for text in ("We look into it.", "The V4 has 3 doors.", "Order 4711 is with us.", "In Berlin und Utrecht."):
        assert verdict(text, "promise")[0] == OK, text


# -- the pinned statement ----------------------------------------------------------------------------------------------

OLD = "Our app is down since this morning. We expect it back at 16:00 today."
NEW = "Our app is down since this morning. We expect it back at 18:30 today."


def pinned(text: str = NEW, *earlier: str) -> Pinned:
    return Pinned("INC-4 Data centre", 4002, "v2", text, earlier or (OLD,))


def test_a_draft_that_quotes_the_statement_before_is_marked() -> None:
    level, words = verdict("Hi! We expect it back at 16:00 today.", "statement", statement=pinned())
    assert level == BLOCK
    assert "earlier statement" in words
    assert "v2" in words
    assert verdict("Hi! We expect it back at 18:30 today.", "statement", statement=pinned())[0] == OK
    # A sentence that both have is no mistake.
    assert verdict("Our app is down since this morning.", "statement", statement=pinned())[0] == OK


def test_a_time_that_the_statement_does_not_name_is_told() -> None:
    level, words = verdict("It is back at 17:00.", "statement", statement=pinned())
    assert (level, "17:00" in words) == (BLOCK, True)
    assert verdict("It is back at 18:30.", "statement", statement=pinned())[0] == OK
    assert verdict("We are on it.", "statement", statement=pinned())[0] == OK
    assert verdict("It is back at 17:00.", "statement")[0] == OK


def test_a_withdrawn_statement_is_not_quoted_any_more() -> None:
    assert verdict("We expect it back at 16:00 today.", "statement", statement=pinned(""))[0] == BLOCK
    assert verdict("We are on it.", "statement", statement=pinned(""))[0] == OK


# -- cost and strictness -----------------------------------------------------------------------------------------------


def test_a_link_on_x_says_what_it_costs() -> None:
    prices: dict[str, Any] = {"price": 0.015, "price_with_link": 0.2}
    assert verdict("See corvane.example/help or www.corvane.com", "link_cost", **prices) == (
        WARN,
        "With a link it costs 0.200 dollars instead of 0.015.",
    )
    assert verdict("We look into it.", "link_cost", **prices) == (OK, "Costs 0.015 dollars.")
    assert verdict("https://a.example", "link_cost")[0] == OK
    assert has_link("https://a.example/x")
    assert not has_link("mail ana@corvane.example please")


def test_policy_says_how_strictly_each_check_is_taken() -> None:
    checks = check("You get €25 at 16:00.", Context("x"), {"promise": BLOCK, "greeting": OFF})
    assert "greeting" not in {item.name for item in checks}
    assert [text[:14] for text in blocking(checks)] == ["Promises money"]
    assert len(check("a", Context("x"))) == 8


def test_hostile_texts_are_checked_quickly_and_without_a_fault() -> None:
    for text in ("@" * 5_000, "a." * 5_000, "{" * 5_000, "1:" * 5_000, "\u0301" * 5_000, "https://" * 1_200):
        context = Context("x", Voice("Hi {name}", "^{a}{b}{c}", ("x",), ("nl",)), "nl", pinned(), 0.1, 0.2)
        assert len(check(text, context)) == 8
