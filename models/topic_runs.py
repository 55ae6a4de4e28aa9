"""How often words stand beside each other in some texts, counted for all of them at once; pure.

Every run of one to three neighbouring words is counted as it stands, and only what is asked about is looked at as a
term: of twenty thousand runs in two thousand texts some hundreds are said often enough to matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise

from models.terms import Barred, stop_words, without_phrases

Run = tuple[str, ...]


class Runs:
    """In how many of `texts` texts of one language each term stands. What is barred is part of none."""

    def __init__(self, texts: Sequence[Sequence[str]], language: str, bars: Barred) -> None:
        """`texts` are cut into words already (see `terms.words_of`)."""
        if bars.phrases:
            texts = [without_phrases(words, bars.phrases) for words in texts]
        self.texts = len(texts)
        self._barred, self._stops = bars.words, stop_words(language)
        self._words = Counter(chain.from_iterable(map(set, texts)))
        self._longer: tuple[Mapping[Run, int], ...] = (
            Counter(chain.from_iterable(set(pairwise(words)) for words in texts)),
            Counter(chain.from_iterable(set(zip(words, words[1:], words[2:], strict=False)) for words in texts)),
        )

    def of(self, term: str) -> int:
        """In how many of the texts a term stands."""
        run = tuple(term.split(" "))
        return self._words[term] if len(run) == 1 else self._longer[len(run) - 2].get(run, 0)

    def often(self, least: int) -> dict[str, int]:
        """Every term that stands in so many of the texts."""
        found = {word: n for word, n in self._words.items() if n >= least and self._begins(word)}
        for runs in self._longer:
            found |= {" ".join(run): n for run, n in runs.items() if n >= least and self._is_term(run)}
        return found

    def is_term(self, term: str) -> bool:
        """Whether nothing of it is barred."""
        return self._is_term(tuple(term.split(" ")))

    def _is_term(self, run: Run) -> bool:
        """As `terms.terms_in` has it: no stop word at either end, no cut between, no number by itself or ahead."""
        return self._begins(run[0]) and self._ends(run[-1]) and all(map(self._stands, run[1:-1]))

    def _stands(self, word: str) -> bool:
        return bool(word) and word not in self._barred

    def _ends(self, word: str) -> bool:
        return self._stands(word) and word not in self._stops and (len(word) > 1 or word.isdecimal())

    def _begins(self, word: str) -> bool:
        return self._ends(word) and not word.isdecimal()
