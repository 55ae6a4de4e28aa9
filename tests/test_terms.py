"""The terms of a text: one to three words, in every script, without what every mention of a brand says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.organisation import Brand
from models.terms import LONGEST_WORD, barred, barring, stop_words, terms_of, words_of

HALDEN = Brand(
    2,
    "halden",
    "Halden Bank",
    "own",
    "HB",
    (
        '(halden OR haldenbank OR "halden bank" OR @haldenbank OR #haldenbank) NOT (norway OR fortress)',
        "halden NEAR/3 (card OR atm)",
    ),
)


def test_a_term_is_one_to_three_words_that_stand_together() -> None:
    assert terms_of("Card payment declined", "en") == {
        "card",
        "payment",
        "declined",
        "card payment",
        "payment declined",
        "card payment declined",
    }


def test_a_term_neither_begins_nor_ends_with_a_stop_word() -> None:
    found = terms_of("the queue at the counter is long", "en")

    assert {"queue", "counter"} <= found
    assert not any(term.split()[0] in stop_words("en") or term.split()[-1] in stop_words("en") for term in found)
    assert "queue at the" not in found


def test_a_term_may_hold_a_stop_word_inside() -> None:
    assert "queue at station" in terms_of("queue at station", "en")


def test_stop_words_belong_to_a_language() -> None:
    assert "die" not in terms_of("die Karte", "de")
    assert "die" in terms_of("phones die", "en")
    assert "die" in terms_of("die karte", None)


def test_words_that_customers_mean_are_no_stop_words() -> None:
    assert {"website", "bill", "order"} <= terms_of("Website lost my bill, then my order", "en")


def test_a_language_without_a_list_has_no_stop_words_but_the_noise_of_networks() -> None:
    assert terms_of("rt zork", "xx") == {"zork"}


def test_a_term_never_reaches_over_punctuation() -> None:
    assert "declined queue" not in terms_of("Card declined. Queue grows", "en")


def test_links_and_whom_a_text_is_addressed_to_are_no_part_of_what_it_says() -> None:
    found = terms_of("RT @sanne: @ana card broken https://example.org/card?x=1 www.example.org", "en")

    assert found == {"card", "broken", "card broken"}


def test_somebody_who_is_spoken_of_is_a_term_by_himself() -> None:
    found = terms_of("thank you @jan for kindness", "en")

    assert "@jan" in found
    assert not any("@jan" in term and " " in term for term in found)


def test_the_name_the_handles_and_the_rule_of_a_brand_are_no_terms() -> None:
    bars = barred(HALDEN)

    found = terms_of("Halden Bank card declined, @haldenbank! #HaldenBank bank holiday", "en", bars)

    assert found == {"card", "declined", "card declined", "bank", "holiday", "bank holiday"}


def test_what_only_counts_near_the_brand_stays_sayable() -> None:
    assert "atm" in terms_of("Halden ATM", "en", barred(HALDEN))


def test_what_was_searched_for_is_no_term() -> None:
    assert terms_of("card declined again today", "en", barring(["declined"])) == {"card"}


def test_a_number_says_something_behind_a_word_alone() -> None:
    found = terms_of("route 9 delayed 40", "en")

    assert {"route 9", "route 9 delayed"} <= found
    assert "9" not in found
    assert "9 delayed" not in found


def test_a_tag_counts_as_its_word() -> None:
    assert terms_of("#cardgate", "en") == {"cardgate"}


def test_what_belongs_to_somebody_counts_as_him() -> None:
    assert terms_of("the card’s chip", "en") == {"card", "chip", "card chip"}


def test_french_words_lose_what_is_tied_before_them() -> None:
    assert "application" in terms_of("l’application plante", "fr")


def test_words_of_scripts_with_marks_stay_whole() -> None:
    assert {"हिन्दी", "भाषा", "हिन्दी भाषा"} <= terms_of("हिन्दी भाषा", "hi")


def test_japanese_is_cut_where_the_script_changes_and_hiragana_left_out() -> None:
    assert terms_of("新しいアプリにログインできない", "ja") == {"アプリ", "ログイン"}


def test_chinese_and_thai_sentences_become_pairs_and_triples_of_characters() -> None:
    assert {"支付", "支付失"} <= terms_of("银行卡支付失败了怎么办", "zh")
    assert any(len(term) > 1 for term in terms_of("รถไฟฟ้าเสียอีกแล้ว", "th"))
    assert not any(" " in term for term in terms_of("รถไฟฟ้าเสียอีกแล้ว", "th"))


def test_a_word_without_an_end_is_no_term() -> None:
    assert terms_of("a" * (LONGEST_WORD + 1) + " ok.", "en") == frozenset()


@given(st.text(max_size=400), st.sampled_from(["en", "fr", "ja", "th", "xx", None]))
def test_every_text_has_terms_that_fit_their_column(text: str, language: str | None) -> None:
    found = terms_of(text, language, barred(HALDEN))

    assert all(0 < len(term) <= 120 and len(term.split(" ")) <= 3 for term in found)


@pytest.mark.parametrize("text", ["", " ", "...", "@", "#", "@ana", "https://example.org"])
def test_a_text_that_says_nothing_has_no_terms(text: str) -> None:
    assert not {word for word in words_of(text, "en") if word} - {"@ana", "#", "@"}
    assert terms_of(text, "en") <= {"@ana"}
