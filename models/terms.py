"""The terms of a text: what it speaks of, in one to three words; pure.

Words are runs of letters, digits and marks of any script; a term neither begins nor ends with a stop word of its
language and never reaches over punctuation. Scripts that write no spaces are cut lightly, without a dictionary: in
Japanese the runs of one script (Kanji, Katakana) are the words and Hiragana, which carries the grammar, is left out;
longer runs of Han characters, and Thai, Lao, Khmer and Myanmar, become pairs and triples of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

import stopwordsiso

from models.errors import RuleError
from models.folding import KIND, UNSPACED, fold
from models.organisation import Brand
from models.rule_tree import And, Or, RulePart, Term
from models.rules import parse_all

# Three words of this length and their blanks are what the column of a term holds.
LONGEST_WORD = 39
# What stands behind these words of a long text is left out.
MOST_WORDS = 300
# A run of Han characters up to here is a word; a longer one is a sentence.
LONGEST_HAN_WORD = 4
# What stands between blanks, of which it is remembered what words it is: most of a text was said before, and a script
# without blanks is no such thing.
MOST_KNOWN = 100_000
LONGEST_KNOWN = 60
UNKNOWN_LANGUAGE = "und"

# Said of every text of a network, whatever it is about.
_NOISE = frozenset(["rt", "via", "amp", "gt", "lt", "nbsp", "http", "https", "www", "com", "lol", "pls", "plz"])
# What the lists hold although customers mean something by it.
_MEANT = {
    "en": frozenset(
        [
            "bill",
            "call",
            "click",
            "computer",
            "fire",
            "full",
            "goods",
            "home",
            "homepage",
            "information",
            "interest",
            "line",
            "member",
            "members",
            "number",
            "numbers",
            "open",
            "opened",
            "opening",
            "order",
            "ordered",
            "orders",
            "page",
            "pages",
            "point",
            "points",
            "price",
            "problem",
            "problems",
            "research",
            "room",
            "rooms",
            "state",
            "system",
            "test",
            "value",
            "webpage",
            "website",
            "work",
            "worked",
            "working",
            "works",
        ]
    ),
}
# Languages that tie a short word to the next one by an apostrophe: l'application.
_ELIDING = frozenset(["fr", "it", "ca", "oc"])


def _marks() -> str:
    """The combining marks as ranges of a character class: without them an Indian or Arabic word falls apart."""
    ranges: list[list[int]] = []
    for code in range(0x10000):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)


_W = f"[\\w{_marks()}]"
# A word, with the @ or # before it, joined inside by apostrophes, hyphens and ampersands; or one other character.
_PIECES = re.compile(f"[@#]?{_W}+(?:['&.-]{_W}+)*|[^\\s]")
_ASCII_PIECES = re.compile(r"[@#]?\w+(?:['&.-]\w+)*|[^\s]", re.ASCII)
_LINKS = re.compile(r"(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+/\S*")
# Whom a text is addressed to, or whose it repeats: that is no part of what it says.
_ADDRESS = re.compile(r"(?:rt\s+)?(?:@[\w.-]+(?:@[\w.-]+)?:?\s+)+")


@lru_cache(maxsize=200)
def stop_words(language: str) -> frozenset[str]:
    """Words of a language (ISO 639-1) that say nothing by themselves; only the noise of networks without a list."""
    code = language.partition("-")[0].lower()
    listed = frozenset(map(fold, stopwordsiso.stopwords(code))) if stopwordsiso.has_lang(code) else frozenset()
    return (listed - _MEANT.get(code, frozenset())) | _NOISE


@dataclass(frozen=True, slots=True)
class Barred:
    """What makes a text a mention of its brand, which is so for every one: words, @handles, and phrases of words."""

    words: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, ...], ...] = ()

    def joined(self, other: Barred) -> Barred:
        """What either of the two bars."""
        return Barred(self.words | other.words, tuple(dict.fromkeys(self.phrases + other.phrases)))


NOTHING_BARRED = Barred()


@lru_cache(maxsize=2_000)
def barred(brand: Brand) -> Barred:
    """The name of a brand and the terms of its rules that are enough by themselves; their context stays sayable."""
    literals = [fold(brand.name)]
    try:
        root = parse_all(brand.rules).root if brand.rules else None
    except RuleError:
        root = None
    literals += [term.literal for term in _enough(root)]
    return barring(literals)


def barring(literals: Iterable[str]) -> Barred:
    """Bars words and phrases as they are written, the tag and the bare word of each among them."""
    words: set[str] = set()
    phrases: dict[tuple[str, ...], None] = {}
    for literal in literals:
        pieces = [_bare(piece) for piece in _PIECES.findall(fold(literal)) if KIND[piece[-1]]]
        if len(pieces) == 1:
            words |= {pieces[0], "@" + pieces[0].lstrip("@")}
        elif pieces:
            phrases[tuple(pieces)] = None
            words.add("".join(pieces))
    return Barred(frozenset(words), tuple(phrases))


def _enough(part: RulePart | None) -> Iterator[Term]:
    """The terms of a rule of which each makes a match without another one beside it."""
    if isinstance(part, Term):
        yield part
    elif isinstance(part, Or):
        for one in part.parts:
            yield from _enough(one)
    elif isinstance(part, And):
        looking = [one for one in part.parts if isinstance(one, Term | Or)]
        if len(looking) == 1:
            yield from _enough(looking[0])


def terms_of(text: str, language: str | None, bars: Barred = NOTHING_BARRED) -> frozenset[str]:
    """Every term of a text, each once: one to three words, folded, joined by a blank."""
    return terms_in(words_of(text, language), language, bars)


def terms_in(words: Sequence[str], language: str | None, bars: Barred = NOTHING_BARRED) -> frozenset[str]:
    """Every term of a text that is cut into words already (see `words_of`)."""
    stops, barred_words = stop_words(language or UNKNOWN_LANGUAGE), bars.words
    found: set[str] = set()
    # The word before the one at hand, "" behind a cut; it and the one before it where they may begin a term.
    before = begins = two_begin = ""
    for word in without_phrases(words, bars.phrases):
        if not word or word in barred_words:
            before = begins = two_begin = ""
            continue
        if word not in stops and (len(word) > 1 or word.isdecimal()):
            if begins:
                found.add(f"{begins} {word}")
            if two_begin:
                found.add(f"{two_begin} {before} {word}")
            two_begin, before = begins, word
            # A number says something behind a word (route 9), never by itself.
            begins = "" if word.isdecimal() else word
            if begins:
                found.add(word)
        else:
            two_begin, before, begins = begins, word, ""
    return frozenset(found)


def without_phrases(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> Sequence[str]:
    """The words of a text with "" in the place of those that make one of the phrases."""
    cut: list[str] | None = None
    for phrase in phrases:
        head, size, at = phrase[0], len(phrase), 0
        while head in words[at:]:
            at = words.index(head, at)
            if tuple(words[at : at + size]) == phrase:
                cut = list(words) if cut is None else cut
                cut[at : at + size] = [""] * size
            at += 1
    return words if cut is None else cut


@lru_cache(maxsize=8_192)
def words_of(text: str, language: str | None) -> tuple[str, ...]:
    """The words of a text in their order; "" where a term may not reach over.

    Kept for the texts that were asked for last: screens that show the same mentions cut them once.
    """
    folded = fold(text)
    if folded[:1] in "@r":
        address = _ADDRESS.match(folded)
        folded = folded[address.end() :] if address else folded
    if "/" in folded or "www." in folded:
        folded = _LINKS.sub(" . ", folded)
    known = _ELIDED if language is not None and language[:2] in _ELIDING else _PLAIN
    if len(known) > MOST_KNOWN:
        known.clear()
    words = chain.from_iterable(map(known.__getitem__, folded.split()[: 2 * MOST_WORDS]))
    return tuple(islice(words, MOST_WORDS))


class _Words(dict[str, tuple[str, ...]]):
    """The words that stand between two blanks of a text, worked out once for what is seen often; "" = a cut."""

    def __init__(self, *, elides: bool) -> None:
        super().__init__()
        self._elides = elides

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        pieces = (_ASCII_PIECES if chunk.isascii() else _PIECES).findall(chunk)[: 2 * MOST_WORDS]
        words = tuple(word for piece in pieces for word in self._of_piece(piece))
        if len(chunk) <= LONGEST_KNOWN:
            self[chunk] = words
        return words

    def _of_piece(self, piece: str) -> tuple[str, ...]:
        if not any(map(KIND.__getitem__, piece)):
            return ("",)
        if not piece.isascii() and any(KIND[character] == UNSPACED for character in piece):
            return tuple(_unspaced(piece))
        if piece[0] == "@":
            # Somebody who is spoken of: a term by itself.
            return ("", piece if len(piece) <= LONGEST_WORD else "", "")
        bare = _bare(_without_apostrophe(piece, self._elides))
        return (bare if len(bare) <= LONGEST_WORD else "",)


_PLAIN, _ELIDED = _Words(elides=False), _Words(elides=True)


def _bare(piece: str) -> str:
    return piece[1:] if piece[0] == "#" and len(piece) > 1 else piece


def _without_apostrophe(piece: str, elides: bool) -> str:
    if elides and "'" in piece:
        return piece.rpartition("'")[2]
    return piece[:-2] if piece.endswith("'s") else piece


# -- scripts without spaces ------------------------------------------------------------------------------------


def _script(character: str) -> str:
    code = ord(character)
    if KIND[character] != UNSPACED:
        # The long vowel mark belongs to Katakana.
        return "kata" if character == "ー" else "other"
    if 0x3040 <= code <= 0x309F:
        return "hira"
    if 0x30A0 <= code <= 0x30FF or 0x31F0 <= code <= 0x31FF:
        return "kata"
    return "han" if code >= 0x3100 or 0x3005 <= code <= 0x3007 else "syllables"


def _unspaced(piece: str) -> Iterator[str]:
    """A run without blanks as words, with "" between what is no neighbour."""
    script, held = "", ""
    for character in piece:
        if unicodedata.category(character)[0] == "M" and held:
            held += character
            continue
        now = _script(character)
        if now != script:
            yield from _words_of_run(script, held)
            script, held = now, ""
        held += character
    yield from _words_of_run(script, held)


def _words_of_run(script: str, held: str) -> Iterator[str]:
    if script == "other" and held.strip("@#&'.-"):
        yield held.strip("@#&'.-")
    elif script == "kata" or (script == "han" and len(held) <= LONGEST_HAN_WORD):
        # Neighbours make no longer term: joined by a blank they would be found nowhere.
        yield from ("", held if len(held) > 1 else "", "")
    elif script in ("han", "syllables"):
        characters = _clusters(held)
        for size in (2, 3):
            for at in range(len(characters) - size + 1):
                yield from ("", "".join(characters[at : at + size]), "")


def _clusters(held: str) -> list[str]:
    """Characters with the marks on them."""
    clusters: list[str] = []
    for character in held:
        if clusters and unicodedata.category(character)[0] == "M":
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters
