"""The rule language: what it finds, what it refuses and where it points."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RuleError
from models.folding import fold, highlights
from models.rule_tree import MOST_WORDS, Rule
from models.rules import DEEPEST, LONGEST_RULE, Subject, parse, parse_all
from tests import rules_made_up
from tests.few import few


def found(rule: str, text: str, **about: str | None) -> tuple[str, ...] | None:
    return parse(rule).matches(Subject(text, **about))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ("delta", "I fly Delta.", ("delta",)),
        ("delta", "the deltas and a subdelta", None),
        ("delta", "delta_force", None),
        ("delta", "#delta, @Delta's", ("delta",)),
        ("DELTA", "ｄｅｌｔａ in full width", ("delta",)),
        ("straße", "STRASSE", ("strasse",)),
        ("café", "cafe\u0301 au lait", ("café",)),
        ("paypal", "pay\u200bpal and pay\u00adpal", ("paypal",)),
        ("fly*", "I was flying, flew, FLY!", ("flying", "fly")),
        ("fly*", "butterfly", None),
        ('"customer service"', "your Customer \n\t service", ("customer service",)),
        ('"customer service"', "customer services", None),
        ('"customer serv*"', "customer services", ("customer services",)),
        ("“customer service”", "customer service", ("customer service",)),
        ("don't", "I don’t", ("don't",)),
        ("@delta", "thanks @Delta!", ("@delta",)),
        ("@delta", "delta me@delta.com @deltaforce", None),
        ("@delta", "＠ｄｅｌｔａ", ("@delta",)),
        ("#delta", "@delta #deltas", None),
        ("#delta", "so#delta", None),
        ("#delta", "(#Delta)", ("#delta",)),
        ('"c++"', "C++ is it", ("c++",)),
        ("\U0001f600", "yes\U0001f600\ufe0f", ("\U0001f600",)),
    ],
)
def test_a_term_is_found_as_a_whole_word_in_whatever_form_it_is_written(
    rule: str, text: str, words: tuple[str, ...] | None
) -> None:
    assert found(rule, text) == words


@pytest.mark.parametrize(
    ("rule", "text", "holds"),
    [
        ("東京", "私は東京都に住む", True),
        ("アップル", "新しいアップルストア", True),
        ("apple", "私はappleが好き", True),
        ("กรุงเทพ", "ฉันรักกรุงเทพมาก", True),
        ("苹果", "香蕉", False),
        ("हिन्द", "हिन्दी", False),
        ("삼성", "삼성은", False),
        ("삼성*", "삼성은", True),
    ],
)
def test_scripts_without_spaces_are_searched_inside_the_text_and_others_by_word(
    rule: str, text: str, holds: bool
) -> None:
    assert (found(rule, text) is not None) is holds


@pytest.mark.parametrize(
    ("rule", "text", "holds"),
    [
        ("a b", "b and a", True),
        ("a AND b", "a", False),
        ("a OR b", "b", True),
        ("a b OR c d", "c d", True),
        ("a b OR c d", "a d", False),
        ("a (b OR c) d", "a c d", True),
        ("a (b OR c) d", "b c d", False),
        ("a -b", "a b", False),
        ("a NOT b", "a", True),
        ("a –(b c)", "a b", True),
        ("a -(b OR c)", "a c", False),
        ('a -"b c"', "a c b", True),
        ("NOT NOT a", "a", True),
        ("a or b", "a b", False),
        ("a or b", "a or b", True),
    ],
)
def test_not_binds_tighter_than_and_and_and_tighter_than_or(rule: str, text: str, holds: bool) -> None:
    assert (found(rule, text) is not None) is holds


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ("gate NEAR/2 agent", "the gate had no agent", ("gate", "agent")),
        ("gate NEAR/2 agent", "agent of that gate", ("agent", "gate")),
        ("gate NEAR/1 agent", "agent of that gate", None),
        ("gate NEAR/0 agent", "gate, agent", ("gate", "agent")),
        ("gate NEAR/2 (agent OR desk)", "desk at gate, agent far off over there", ("desk", "gate", "agent")),
        ('"lost bag" NEAR/3 refund*', "refunded the lost bag", ("refunded", "lost bag")),
        ("fly NEAR/5 fly*", "fly", None),
        ("fly NEAR/5 fly", "fly or fly", ("fly",)),
        ("gate NEAR/2 agent", "the gate can't don't agent", ("gate", "agent")),
        ("東京 NEAR/2 駅", "東京の駅", ("東京", "駅")),
        ("東京 NEAR/2 駅", "東京にある駅", None),
    ],
)
def test_near_counts_the_words_between_in_either_order(rule: str, text: str, words: tuple[str, ...] | None) -> None:
    assert found(rule, text) == words


def test_an_author_is_found_by_the_whole_handle_with_or_without_its_sign() -> None:
    assert found("author:@Delta,united", "hello", author="DELTA") == ()
    assert found("author:delta", "delta", author="@deltaforce") is None
    assert found("delta -author:delta", "delta", author="delta") is None
    assert found("delta -author:delta", "delta", author=None) == ("delta",)


@pytest.mark.parametrize(
    ("limit", "language", "holds"),
    [
        ("lang:en,de", "de", True),
        ("lang:en", "fr", False),
        ("lang:pt", "pt-BR", True),
        ("lang:pt-br", "pt", False),
        ("lang:pt_BR", "pt_br", True),
        ("NOT lang:es", "es-MX", False),
        ("NOT lang:es", "en", True),
        ("lang:en", None, False),
        ("NOT lang:es", None, True),
        ("lang:en,und", None, True),
        ("lang:en,und", "fr", False),
    ],
)
def test_a_language_limit_keeps_what_is_known_to_be_in_the_language_and_und_what_is_unknown(
    limit: str, language: str | None, holds: bool
) -> None:
    assert (found(f"delta {limit}", "delta", language=language) is not None) is holds


def test_a_network_limit_takes_the_keys_of_networks() -> None:
    assert found("delta network:x,Reddit", "delta", network="reddit") == ("delta",)
    assert found("delta network:x", "delta", network="rss") is None


def test_each_line_is_another_way_to_match_and_a_line_that_looks_for_nothing_narrows_them_all() -> None:
    rule = "apple\niphone OR\n  ipad\n-pie\nlang:en"
    assert found(rule, "my ipad", language="en") == ("ipad",)
    assert found(rule, "apple pie", language="en") is None
    assert found(rule, "my iphone", language="de") is None
    assert parse(rule) == parse("(apple OR iphone OR ipad) -pie lang:en")
    assert parse("(apple\nipad)") == parse("apple AND ipad")


def test_the_words_come_in_the_order_of_the_text_once_each_and_never_too_many() -> None:
    assert found("(ipad OR apple*) -pie", "Apples, iPad, APPLES, ipad") == ("apples", "ipad")
    words = found("aa*", " ".join(f"aa{number}" for number in range(500)) + " aa" + "b" * 9_000)
    assert words is not None
    assert len(words) == MOST_WORDS
    longest = found("aa*", "aa" + "b" * 9_000)
    assert longest is not None
    assert len(longest[0]) == 100


REFUSED = [
    ("", "", "the rule is empty"),
    ("  \n ", "  \n ", "the rule is empty"),
    ('delta "sky miles', '"', "quote is never closed"),
    ("delta (gate OR desk", "(", 'add a ")"'),
    ("delta) gate", ")", "closes nothing"),
    ("(delta OR gate)) x", "))", "closes nothing"),
    ("delta ()", "()", "nothing in these parentheses"),
    ("gate NEAR desk", "NEAR", "NEAR/5"),
    ("gate NEAR/ desk", "NEAR/", "NEAR/5"),
    ("gate NEAR/few desk", "NEAR/few", "NEAR/5"),
    ("gate NEAR/1000 desk", "NEAR/1000", "0 to 100"),
    ("gate NEAR/٣ desk", "NEAR/٣", "0 to 100"),
    ("(gate desk) NEAR/3 agent", "(gate desk)", "(agent OR desk)"),
    ("a NEAR/3 b NEAR/3 c", "NEAR/3 c", "(a NEAR/3 b) AND"),
    ("autor:delta x", "autor:", "author:"),
    ("re:invent", "re:", 'quote it to look for it as it stands: "re:invent"'),
    ("author: delta", "author:", "right after the colon"),
    ("author:a,,b", "author:a,,b", "right after the colon"),
    ("author:del*", "del*", "no handle"),
    ("delta lang:english", "english", "write lang:en"),
    ("delta lang:en,e", "e", "two or three letters"),
    ("delta network:x,twitter", "twitter", 'did you mean "x"? known: bluesky'),
    ("delta network:redit", "redit", '"reddit"'),
    ("delta OR", "OR", "nothing follows this OR"),
    ("OR delta", "OR", "nothing stands before this OR"),
    ("delta AND OR gate", "AND", "nothing follows this AND"),
    ("delta -", "-", "no letter or digit"),
    ("delta NOT", "NOT", "nothing follows this NOT"),
    ("f*ly", "f*ly", "only at the end of a word"),
    ("delta a*", "a*", "2 or more characters"),
    ('"fly *"', '"fly *"', "2 or more characters"),
    ("* delta", "*", "no letter or digit"),
    ('delta ""', '""', "nothing to look for between these quotes"),
    ('delta "\u200b"', '"\u200b"', "nothing to look for between these quotes"),
    ("delta | gate", "|", "write OR"),
    ("delta && gate", "&&", "write AND"),
    ("delta !gate", "!gate", "write -gate"),
    ("+delta gate", "+delta", "write delta"),
    ("apple, ipad", "apple,", "write OR"),
    ("-delta lang:en", "-delta lang:en", "must look for something"),
    ("lang:en", "lang:en", "must look for something"),
    ("delta OR lang:en", "lang:en", "give it a word"),
    ("delta OR (gate OR -desk)", "-desk", "give it a word"),
]


@pytest.mark.parametrize(("rule", "place", "repair"), REFUSED)
def test_what_is_wrong_is_pointed_at_and_a_repair_is_named(rule: str, place: str, repair: str) -> None:
    with pytest.raises(RuleError) as refused:
        parse(rule)
    error = refused.value
    assert rule[error.position :].startswith(place[:1])
    assert rule[error.position : error.end] in (place, place[: error.end - error.position], "")
    assert repair in error.reason
    assert "^" in error.pointed()


def test_a_rule_that_is_too_long_or_too_deep_is_refused_at_the_place() -> None:
    with pytest.raises(RuleError, match="20,000") as long:
        parse("a " * LONGEST_RULE)
    assert long.value.position == LONGEST_RULE
    for opening, closing in (("(", ")"), ("NOT ", ""), ("-", ""), ("-(", ")")):
        with pytest.raises(RuleError, match="flatter"):
            parse("b " + opening * 4_000 + "a" + closing * 200)
    assert str(parse("(" * DEEPEST + "a" + ")" * DEEPEST)) == "a"


@pytest.mark.parametrize(
    "rule",
    few(
        [
            "aa\n" * 6_666,
            "aa OR " * 3_333 + "b",
            "(" * 49 + "aa " * 6_600 + ")" * 49,
            "bb -" + "c -" * 6_000 + "a",
            "a NEAR/5 b OR " * 300 + "c",
        ],
        2,
    ),
)
def test_a_hostile_rule_costs_no_more_than_its_length(rule: str) -> None:
    begun = time.process_time()
    read = parse(rule)
    assert len(read.matches(Subject("a b c aa bb " * 50)) or ()) < 5
    assert time.process_time() - begun < 20


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    rule = parse("a NEAR/3 (b OR a) OR aa*")
    begun = time.process_time()
    rule.matches(Subject("a b " * 10_000 + "a" * 5_000))
    assert time.process_time() - begun < 20


@given(st.text(max_size=60) | st.text('ab "()-*@#:,\n/ANDORNEAR3lang', max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_rule_that_writes_itself_again_or_is_refused_with_a_place(text: str) -> None:
    try:
        rule = parse(text)
    except RuleError as error:
        refused = error
    else:
        assert parse(str(rule)) == rule
        return
    assert 0 <= refused.position <= len(text)
    assert refused.reason


@given(rules_made_up.rules)
@settings(max_examples=60, deadline=None)
def test_a_rule_that_is_written_out_reads_as_itself(rule: Rule) -> None:
    assert parse(str(rule)) == rule


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_words_are_highlighted_where_they_stand_in_the_text_as_it_was_written() -> None:
    text = "  Straße\u00a0 und pay\u200bpal, STRASSE; cafe\u0301 paypals"
    spans = highlights(text, ("strasse", "paypal", "café", "strasse und"))
    assert [text[start:end] for start, end in spans] == ["Straße\u00a0 und", "pay\u200bpal", "STRASSE", "cafe\u0301"]
    assert highlights("none of it", ("delta", "")) == ()


def test_the_rules_of_a_brand_are_alternatives_and_an_exclusion_narrows_them_all() -> None:
    rule = parse_all(["halden", "corvane", "-pie"])

    assert rule.matches(Subject("Halden card")) is not None
    assert rule.matches(Subject("Corvane V4")) is not None
    assert rule.matches(Subject("Corvane pie")) is None


def test_an_unfinished_rule_does_not_go_on_in_the_next_one() -> None:
    with pytest.raises(RuleError, match="nothing follows this OR") as caught:
        parse_all(["halden OR", "corvane"])

    assert caught.value.text == "halden OR"
