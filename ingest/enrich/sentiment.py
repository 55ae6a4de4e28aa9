"""What a post feels like: negative, neutral or positive, for the languages a model knows, unscored for all others.

A model is anything with the three members of `Scorer`; its name goes with every row it scored. The one that comes with
the product is VADER with thresholds tuned on public posts, and with the text prepared the way posts need it.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

from vaderSentiment import vaderSentiment as vader

# On the even rows of 2,000 labelled posts these two gave the best mean recall over the three classes; people write
# politely, so a post must be clearly positive and need only be a little negative.
NEGATIVE_AT = -0.1
POSITIVE_AT = 0.35

# A text of a megabyte is no post, and the words about "but" are weighed in quadratic time.
LONGEST_SAMPLE = 4_000
MOST_WORDS_KEPT = 100_000

_HANDLE = re.compile(r"@\w+")
_TAG = re.compile(r"#(\w+)")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Score:
    """`label` is -1, 0 or 1; `value` is what the model said, -1..1."""

    label: int
    value: float


class Scorer(Protocol):
    """A model of sentiment."""

    @property
    def name(self) -> str:
        """The model and its version, as rows keep it: 32 characters at most."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """The primary codes of the languages it knows."""
        ...

    def score(self, texts: Sequence[str]) -> list[Score | None]:
        """One score per text of a language it knows; None where it cannot tell."""
        ...


def score_known(scorer: Scorer, posts: Sequence[tuple[str, str | None]]) -> list[Score | None]:
    """One score per (text, language); None, unscored, where the scorer does not know the language or nobody does."""
    known = [
        place
        for place, (_, language) in enumerate(posts)
        if language is not None and language.partition("-")[0] in scorer.languages
    ]
    scores: list[Score | None] = [None] * len(posts)
    for place, score in zip(known, scorer.score([posts[place][0] for place in known]), strict=True):
        scores[place] = score
    return scores


class VaderScorer:
    """VADER for English posts. It keeps what it knows of each word, and threads may share it."""

    name = f"vader-{version('vaderSentiment')}+1"
    languages = frozenset(("en",))

    def __init__(self) -> None:
        self._analyzer = Analyzer()

    def score(self, texts: Sequence[str]) -> list[Score | None]:
        """A score for every text; one without a word that carries feeling is neutral."""
        return [self._one(self._analyzer.compound(prepared(text))) for text in texts]

    def _one(self, value: float) -> Score:
        label = -1 if value <= NEGATIVE_AT else 1 if value >= POSITIVE_AT else 0
        return Score(label, value)


def prepared(text: str) -> str:
    """A post as VADER should read it.

    Entities are characters, apostrophes straight (it knows don't, not don’t), #SoHappy is two words, and @handles are
    gone: @united and @virtuoso praise nobody.
    """
    text = text[:LONGEST_SAMPLE]
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = text.translate(_STRAIGHT)
    if "@" in text:
        text = _HANDLE.sub(" ", text)
    if "#" in text:
        text = _TAG.sub(_tag_as_words, text)
    return text


def _tag_as_words(tag: re.Match[str]) -> str:
    return _INNER_CAPITAL.sub(" ", tag[1])


class _Word(NamedTuple):
    """What VADER knows of one token. `valence` is None for a word that has none of its own."""

    valence: float | None
    in_lexicon: bool
    lower: str
    is_upper: bool
    booster: float
    negates: bool


class _Words(dict[str, _Word]):
    """Tokens as they stand in texts, each looked into once."""

    def __init__(self, lexicon: dict[str, float]) -> None:
        self.lexicon = lexicon

    def __missing__(self, token: str) -> _Word:
        stripped = token.strip(_PUNCTUATION)
        word = token if len(stripped) <= 2 else stripped
        lower = word.lower()
        valence = None if lower in vader.BOOSTER_DICT else self.lexicon.get(lower)
        known = _Word(
            valence,
            lower in self.lexicon,
            lower,
            word.isupper(),
            vader.BOOSTER_DICT.get(lower, 0.0),
            lower in _NEGATING or "n't" in lower,
        )
        if len(self) >= MOST_WORDS_KEPT:
            self.clear()
        self[token] = known
        return known


_NEGATING = frozenset(vader.NEGATE)


@cache
def _whole() -> Any:
    """VADER as it comes, read from its files once: a pipeline is made anew whenever the organisation changes."""
    return vader.SentimentIntensityAnalyzer()


class Analyzer:
    """VADER's compound score, number for number that of its own `polarity_scores`, several times as fast.

    Its own looks every word up again for each word around it. This one knows a word when it has seen it once, and
    looks around only where a word has a valence.
    """

    def __init__(self) -> None:
        whole = _whole()
        self._lexicon: dict[str, float] = whole.lexicon
        self._emojis: dict[str, str] = whole.emojis
        self._emoji_characters = frozenset(whole.emojis)
        self._words = _Words(self._lexicon)

    def compound(self, text: str) -> float:
        """From -1, all negative, to 1; 0 where no word has a valence."""
        if not text.isascii() and not self._emoji_characters.isdisjoint(text):
            text = self._emojis_as_words(text)
        known = self._words
        words = [known[token] for token in text.split()]
        places = [place for place, word in enumerate(words) if word[0] is not None]
        if not places:
            return 0.0
        capitals = sum([word.is_upper for word in words])
        stands_out = 0 < capitals < len(words)
        valences = [self._valence(words, place, stands_out=stands_out) for place in places]
        if any(word.lower == "but" for word in words):
            every: list[float] = [0] * len(words)
            for place, valence in zip(places, valences, strict=True):
                every[place] = valence
            valences = vader.SentimentIntensityAnalyzer._but_check([word.lower for word in words], every)
        return _compound(sum(valences), text)

    def _emojis_as_words(self, text: str) -> str:
        pieces: list[str] = []
        after_space = True
        for character in text:
            description = self._emojis.get(character)
            if description is None:
                pieces.append(character)
                after_space = character == " "
            else:
                pieces.append(description if after_space else f" {description}")
                after_space = False
        return "".join(pieces)

    def _valence(self, words: Sequence[_Word], place: int, *, stands_out: bool) -> float:
        """The valence of the word at `place` among the words before and after it."""
        word = words[place]
        following = words[place + 1] if place + 1 < len(words) else None
        if word.lower == "kind" and following is not None and following.lower == "of":
            return 0.0
        own = self._lexicon[word.lower]
        valence = own
        before = [words[place - back] for back in range(1, min(place, 3) + 1)]
        if word.lower == "no" and following is not None and following.in_lexicon:
            valence = 0.0
        if _follows_no(before):
            valence = own * vader.N_SCALAR
        if word.is_upper and stands_out:
            valence += vader.C_INCR if valence > 0 else -vader.C_INCR
        for back, earlier in enumerate(before):
            if earlier.in_lexicon:
                continue
            if earlier.booster:
                valence += _boost(earlier, valence, stands_out=stands_out) * (1.0, 0.95, 0.9)[back]
            valence = _negated(valence, before, back)
            if back == 2:
                valence = self._idioms(valence, words, place)
        if before and before[0].lower == "least" and not before[0].in_lexicon:
            only = len(before) == 1 or before[1].lower not in ("at", "very")
            valence = valence * vader.N_SCALAR if only else valence
        return valence

    def _idioms(self, valence: float, words: Sequence[_Word], place: int) -> float:
        lowers = [word.lower for word in words[place - 3 : place + 3]]
        adjusted: float = vader.SentimentIntensityAnalyzer._special_idioms_check(valence, lowers, 3)
        return adjusted


def _follows_no(before: Sequence[_Word]) -> bool:
    """Whether a "no" stands one or two words before, or three with an or between."""
    for back, earlier in enumerate(before):
        if earlier.lower == "no" and (back < 2 or before[0].lower in ("or", "nor")):
            return True
    return False


def _boost(booster: _Word, valence: float, *, stands_out: bool) -> float:
    boost = -booster.booster if valence < 0 else booster.booster
    if booster.is_upper and stands_out:
        boost += vader.C_INCR if valence > 0 else -vader.C_INCR
    return boost


def _negated(valence: float, before: Sequence[_Word], back: int) -> float:
    """`valence` as the word `back` + 1 places before it turns it."""
    lowers = [word.lower for word in before[: back + 1]]
    if back and lowers[back] == "never" and not {"so", "this"}.isdisjoint(lowers[:back]):
        return valence * 1.25
    # VADER itself takes "so" and "this" right before a word for "never so" when it looks three words back.
    if back == 2 and lowers[0] in ("so", "this"):
        return valence * 1.25
    if back and lowers[back] == "without" and "doubt" in lowers[:back]:
        return valence
    return valence * vader.N_SCALAR if before[back].negates else valence


def _compound(total: float, text: str) -> float:
    """The sum of valences with the emphasis of ! and ?, brought into -1..1."""
    questions = text.count("?")
    emphasis = min(text.count("!"), 4) * 0.292 + (0 if questions < 2 else questions * 0.18 if questions <= 3 else 0.96)
    if total > 0:
        total += emphasis
    elif total < 0:
        total -= emphasis
    return round(total / math.sqrt(total * total + 15), 4)
