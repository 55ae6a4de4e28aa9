"""Which language a post is in, and when nobody can tell."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid import langid

from ingest.enrich import language
from ingest.enrich.language import DETECTOR, NETWORK, detect, known_languages
from tests.data_folder import lines

CONFIGURED = ("en", "fr", "it", "es", "ar")
FOLDERS = {"english": "en", "french": "fr", "italian": "it", "spanish": "es", "arabic": "ar"}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [("en", "en"), ("PT_BR", "pt-br"), (" de ", "de"), ("in", "id"), ("iw-IL", "he-il"), ("no", "no")],
)
def test_the_networks_own_word_comes_first(hint: str, expected: str) -> None:
    assert detect("Bonjour tout le monde, comment allez-vous ?", hint, CONFIGURED) == (expected, NETWORK)


@pytest.mark.parametrize(
    "hint", [None, "", "und", "zxx", "qme", "english", "e", "en-" + "x" * 20, "\x00", "en\n; drop"]
)
def test_a_word_that_names_no_language_is_no_word(hint: str | None) -> None:
    assert detect("Bonjour tout le monde, comment allez-vous ?", hint, CONFIGURED) == ("fr", DETECTOR)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "12345 :) !!! 😂😂😂",
        "https://example.org/a/long/english/address/of/something @delta @united",
        "RT @delta: https://t.co/abc",
        "ok",
        "東",
        "&amp;&gt;&lt;",
    ],
)
def test_a_post_without_enough_letters_is_in_no_known_language(text: str) -> None:
    assert detect(text, None, (*CONFIGURED, "ja", "zh")) == (None, DETECTOR)


@pytest.mark.parametrize(
    ("text", "configured", "expected"),
    [
        ("شكرا جزيلا على الخدمة الممتازة #Delta #Airlines", ("en", "ar"), "ar"),
        ("شكرا جزيلا على الخدمة الممتازة", ("en", "fr"), None),
        ("Спасибо за отличный сервис, Samsung Galaxy", ("en", "ru"), "ru"),
        ("Спасибо за отличный сервис", ("en", "de"), None),
        ("#Samsung #Google #Android: Galaxy Nexus, смартфон года", ("en", "ru"), "ru"),
        ("ショウケース@apple store 銀座", ("en", "ja", "zh"), "ja"),
        ("銀座の新しい店", ("en", "ja", "zh"), "ja"),
        ("บริการดีมากครับ", ("en", "th"), "th"),
        ("서비스가 정말 좋아요", ("ja", "ko"), "ko"),
        ("thank you for the great service", ("ar", "ru"), None),
        ("thank you for the great service", ("ar", "en"), "en"),
        ("Хвала на одличној услузи у хотелу", ("sr", "ru"), "sr"),
        ("thank you for the great service", (), None),
    ],
)
def test_the_script_leaves_only_the_languages_that_are_written_in_it(
    text: str, configured: tuple[str, ...], expected: str | None
) -> None:
    assert detect(text, None, configured).language == expected


def test_every_language_with_a_script_of_its_own_is_one_that_can_be_configured() -> None:
    assert known_languages() >= language._NEVER_LATIN
    assert {"en", "de", "pt"} <= known_languages()
    assert "zxx" not in known_languages()


def test_the_answer_is_that_of_the_library_among_the_same_languages() -> None:
    own = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    candidates = ("de", "en", "es", "fr", "it", "nl", "pt", "sv")
    own.set_languages(candidates)
    texts = [
        "thanks for nothing", "danke für gar nichts", "gracias por nada", "grazie di niente", "obrigado por tudo isso",
        "merci pour rien du tout", "bedankt voor niets hoor", "tack för ingenting alls", "LOVE THIS PHONE", "no no no",
    ]  # fmt: skip
    for text in texts:
        code, confidence = own.classify(text)
        expected = code if confidence >= language.LEAST_CONFIDENCE else None
        assert detect(text, None, candidates).language == expected, text


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_configured_language_or_none(text: str) -> None:
    assert detect(text, None, CONFIGURED).language in (None, *CONFIGURED)


def test_a_text_of_a_megabyte_takes_no_longer_than_a_post() -> None:
    assert detect("thanks for the great service " * 40_000, None, CONFIGURED).language == "en"


def test_threads_share_the_model() -> None:
    language._model_of.cache_clear()
    texts = ["thank you so much", "merci beaucoup à vous", "muchas gracias a todos", "grazie mille a tutti"] * 50
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: detect(text, None, CONFIGURED).language, texts))
    assert found == ["en", "fr", "es", "it"] * 50


@pytest.mark.data
def test_labelled_posts_in_five_languages_are_told_apart(data: Path) -> None:
    right: Counter[str] = Counter()
    posts: Counter[str] = Counter()
    for folder, code in FOLDERS.items():
        for text in lines(data, f"xlmt/{folder}/test_text.txt"):
            posts[code] += 1
            right[code] += detect(text, None, CONFIGURED).language == code
    assert posts.total() >= 4_000
    assert min(right[code] / posts[code] for code in posts) >= 0.94
    assert right.total() / posts.total() >= 0.98
