"""Text as rules compare it: one form for every spelling, where words begin and end, in every script.

Folded text is NFKC and casefolded, with straight apostrophes, single spaces, and without the invisible characters
that people and tricksters put inside words. Rules and texts both pass through `fold`, so they meet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NO_WORD = 0
WORD = 1
# A character of a script that writes no spaces between words: it is a word's edge on both of its sides.
UNSPACED = 2

_UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # their extensions
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # half-width Katakana, for text that is not folded
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)

# Soft hyphen, joiners, zero width space, direction marks, byte order mark, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc]")


def fold(text: str) -> str:
    """`text` in the one form that rules compare: `fold(fold(text)) == fold(text)`."""
    if text.isascii():
        return " ".join(text.lower().split())
    visible = _APOSTROPHES.sub("'", _INVISIBLE.sub("", text))
    cased = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    if not cased.isascii():
        # Composing can bring out a capital or an invisible character again; one more round settles it.
        again = _APOSTROPHES.sub("'", _INVISIBLE.sub("", cased)).casefold()
        cased = unicodedata.normalize("NFKC", again)
    return " ".join(cased.split())


class _Kinds(dict[str, int]):
    """NO_WORD, WORD or UNSPACED for a character, worked out once for each that is seen."""

    def __missing__(self, character: str) -> int:
        code = ord(character)
        if not (character == "_" or character.isalnum() or unicodedata.category(character)[0] == "M"):
            kind = NO_WORD
        elif any(first <= code <= last for first, last in _UNSPACED_RANGES):
            kind = UNSPACED
        else:
            kind = WORD
        self[character] = kind
        return kind


KIND = _Kinds()


class _Words(dict[int, str]):
    """For `str.translate`: a blank for every character that belongs to no word, worked out once for each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = found = character if KIND[character] == WORD else " "
        return found


_WORDS = _Words()
# The same for plain text, which becomes small on the way: a tenth of the time.
_PLAIN_WORDS = bytes(ord(_WORDS[ord(chr(code).lower())]) if code < 128 else 0 for code in range(256))


def words_alone(text: str) -> str:
    """The words of a text, folded, in their order, with blanks between them and for all that is no word.

    They are cut where rules see an edge; characters of scripts that write no spaces are none.
    """
    if text.isascii():
        return text.encode().translate(_PLAIN_WORDS).decode()
    return fold(text).translate(_WORDS)


def needs_edge_before(literal: str) -> bool:
    """Whether a word character right before `literal` means that it is only a part of a longer word, handle or tag."""
    return literal[0] in "@#" or KIND[literal[0]] == WORD


def needs_edge_after(literal: str) -> bool:
    """Whether a word character right after `literal` means that it is only a part of a longer one."""
    return KIND[literal[-1]] == WORD


def end_of_word(folded: str, position: int) -> int:
    """Where the word that reaches `position` ends."""
    length = len(folded)
    while position < length and KIND[folded[position]] == WORD:
        position += 1
    return position


def word_starts(folded: str) -> list[int]:
    """Where each word begins; every character of a script without spaces counts as one, an inner apostrophe as none."""
    starts: list[int] = []
    inside = False
    for position, character in enumerate(folded):
        kind = KIND[character]
        if kind == UNSPACED:
            starts.append(position)
            inside = False
        elif kind == WORD:
            if not inside:
                starts.append(position)
            inside = True
        elif character != "'":
            inside = False
    return starts


def highlights(text: str, words: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Where the folded `words` stand in `text` as it was written: offsets, half-open, in order, without overlaps."""
    folded, origins = _folded_with_origins(text)
    spans: list[tuple[int, int]] = []
    for word in words:
        position = folded.find(word) if word else -1
        while position != -1:
            end = position + len(word)
            before = position and needs_edge_before(word) and KIND[folded[position - 1]] == WORD
            after = end < len(folded) and needs_edge_after(word) and KIND[folded[end]] == WORD
            if not before and not after:
                spans.append((origins[position][0], origins[end - 1][1]))
            position = folded.find(word, position + 1)
    return _without_overlaps(spans)


def _folded_with_origins(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text, and for each of its characters the span of `text` that it came from."""
    pieces: list[str] = []
    origins: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        is_space = text[start].isspace()
        while end < len(text) and (
            text[end].isspace() if is_space else not text[end].isascii() and _belongs_to_the_one_before(text[end])
        ):
            end += 1
        piece = " " if is_space else fold(text[start:end])
        if piece != " " or (pieces and pieces[-1] != " "):
            pieces.append(piece)
            origins.extend([(start, end)] * len(piece))
        start = end
    return "".join(pieces), origins


def _belongs_to_the_one_before(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or _INVISIBLE.match(character) is not None


def _without_overlaps(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)
