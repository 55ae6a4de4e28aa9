"""ingest/enrich/place_text.py: how what people write of where they are comes apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.enrich import place_text
from ingest.enrich.place_text import alternatives, marks, pieces, without_addresses, without_zip, words

# Everything that is cut at, in texts of few other letters, so that it stands beside everything else.
MARKS = st.text(st.sampled_from("aZ9é_ \t\n.,-–—…/|;&+•·→<>~*()[]'’"), max_size=12)
JOINED = st.lists(
    st.one_of(MARKS, st.sampled_from(["or", "AND", "via", "by way of", "But", "with", "bor", "90210"])), max_size=6
).map(lambda parts: "".join(parts).strip())


@pytest.mark.parametrize("text", ["London", "New York City", "or", " ", ""])
def test_letters_and_spaces_are_no_marks(text: str) -> None:
    assert marks(text) == b""


@pytest.mark.parametrize(
    ("text", "found"),
    [("Boston, MA", b","), ("St. Louis, MO", b".,"), ("a\nb", b"\n"), ("Seat 4B", b"4"), ("@home", b"@")],
)
def test_all_else_is_a_mark(text: str, found: bytes) -> None:
    assert marks(text) == found


def test_links_addresses_and_handles_are_taken_out_and_the_word_of_a_hashtag_stays() -> None:
    assert without_addresses("Berlin https://example.com/paris @me") == "Berlin"
    assert without_addresses("london@example.com") == ""
    assert without_addresses("#Chicago") == "Chicago"
    assert without_addresses("Nice, France") == "Nice, France"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("London / Paris", ["London", "Paris"]),
        ("NYC via LA", ["NYC", "LA"]),
        ("Dallas by way of Austin", ["Dallas", "Austin"]),
        ("Rome - Milan", ["Rome", "Milan"]),
        ("Rome--Milan...Turin", ["Rome", "Milan", "Turin"]),
        ("Köln→Bonn", ["Köln", "Bonn"]),
        ("Stratford-upon-Avon", ["Stratford-upon-Avon"]),
        ("Orlando", ["Orlando"]),
    ],
)
def test_marks_and_joining_words_part_two_places(text: str, found: list[str]) -> None:
    assert list(alternatives(text)) == found


@given(JOINED)
def test_the_look_before_a_cut_misses_no_place_to_cut(text: str) -> None:
    """Cut without a look, each text gives the same."""
    assert list(alternatives(text)) == place_text._ALTERNATIVES.split(text)
    assert without_zip(text) == place_text._ZIP.sub("", text)
    stripped = (piece.strip(place_text._AROUND_A_PIECE) for piece in place_text._COMMAS.split(text))
    assert pieces(text) == list(filter(None, stripped))


@given(st.text(st.sampled_from("abZ  "), max_size=12))
def test_the_words_of_a_plain_text_stand_between_its_spaces(text: str) -> None:
    assert words(text) == text.split()


def test_pieces_are_cut_at_commas_brackets_and_the_points_of_sentences() -> None:
    assert pieces("Lewes, DE, USA") == ["Lewes", "DE", "USA"]
    assert pieces("Windermere (Seattle)") == ["Windermere", "Seattle"]
    assert pieces("St. Louis. Missouri") == ["St", "Louis", "Missouri"]
    assert pieces(" , ! ") == []


def test_a_zip_code_at_the_end_is_taken_off() -> None:
    assert without_zip("Beverly Hills, CA 90210") == "Beverly Hills, CA"
    assert without_zip("Austin TX 78701-1234 ") == "Austin TX"
    assert without_zip("Area 51") == "Area 51"


def test_points_and_apostrophes_inside_a_word_stay() -> None:
    assert words("404 St.Louis, Coeur d'Alene!") == ["St.Louis", "Coeur", "d'Alene"]
