"""Runs of words in many texts: counted at once, they say what text by text says."""

from __future__ import annotations

from collections import Counter

import pytest

from models.terms import NOTHING_BARRED, Barred, barring, terms_in, words_of
from models.topic_runs import Runs

TEXTS = (
    "The charger at gate 9 is broken, again the charger at gate 9",
    "Charger broken! Who repairs the charger at gate 9?",
    "win a prize now, win a heat pump",
    "@ana the heat pump of Corvane Motors is great",
    "heat pump heat pump 2026 heat",
    "corvane motors: 充电桩坏了 und the heat pump",
    "",
)


def runs(bars: Barred) -> Runs:
    return Runs([words_of(text, "en") for text in TEXTS], "en", bars)


@pytest.mark.parametrize("bars", [NOTHING_BARRED, barring(["corvane motors", "prize"])], ids=["nothing", "barred"])
def test_terms_are_those_of_each_text(bars: Barred) -> None:
    expected = Counter(term for text in TEXTS for term in terms_in(words_of(text, "en"), "en", bars))
    found = runs(bars)

    assert found.texts == len(TEXTS)
    assert found.often(1) == dict(expected)
    assert {term: found.of(term) for term in expected} == dict(expected)
    assert found.often(3) == {term: n for term, n in expected.items() if n >= 3}


def test_what_nobody_says_stands_in_none() -> None:
    assert [runs(NOTHING_BARRED).of(term) for term in ("oak", "oak tree", "an oak tree")] == [0, 0, 0]


def test_what_is_barred_is_no_term() -> None:
    found = runs(barring(["prize"]))

    assert [found.is_term(term) for term in ("heat pump", "prize", "prize now", "the pump")] == [
        True,
        False,
        False,
        False,
    ]
