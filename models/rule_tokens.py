"""The words of a rule, one by one: operators, parentheses, and what is looked for, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from string import punctuation

from models.errors import RuleError
from models.folding import KIND, fold
from models.networks import BY_KEY
from models.rule_tree import Author, Language, OnNetwork, RulePart, Term, handle

FARTHEST = 100
SHORTEST_STEM = 2

QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d-"
_LEXEMES = re.compile(
    rf"(?P<space>\s+)|(?P<open>\()|(?P<close>\))|(?P<quote>[{QUOTES}])|(?P<minus>[{_DASHES}](?=[^\s)]))"
    rf"|(?P<word>[^\s(){QUOTES}]+)"
)
_CLOSING_QUOTE = re.compile(f"[{QUOTES}]")
_NEAR = re.compile(r"NEAR(?P<slash>/(?P<words>.*))?", re.DOTALL)
_FIELD = re.compile(r"(?P<name>[A-Za-z]+):(?P<values>.*)", re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_HANDLE = re.compile(r"[^\s()\",*]+")
FIELDS = ("author", "lang", "network")
FIELD_ALIASES = {"from": "author", "by": "author", "user": "author", "language": "lang", "site": "network"}
NETWORK_ALIASES = {
    "twitter": "x",
    "fb": "facebook",
    "insta": "instagram",
    "yt": "youtube",
    "feed": "rss",
    "bsky": "bluesky",
}
FOREIGN_OPERATORS = {"|": "OR", "||": "OR", "&": "AND", "&&": "AND", "!": "NOT", "+": "AND"}
LANGUAGE_NAMES = {
    "arabic": "ar", "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr", "german": "de", "hindi": "hi",
    "italian": "it", "japanese": "ja", "korean": "ko", "polish": "pl", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "turkish": "tr",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is part, (, ), -, AND, OR, NOT, NEAR, line or end; a part carries what it looks for, NEAR its number."""

    kind: str
    start: int
    end: int
    part: RulePart | None = None
    words: int = 0


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a rule, an end last. A line break inside parentheses is a space; RuleError for what is no token."""
    position, inside = 0, 0
    while position < len(text):
        found = _LEXEMES.match(text, position)
        assert found is not None  # Every character is in one of the groups.
        kind, end = found.lastgroup, found.end()
        place = _Place(text, position, end)
        if kind == "quote":
            closing = _CLOSING_QUOTE.search(text, end)
            if closing is None:
                raise place.error('this quote is never closed; add a " where the phrase ends')
            place = _Place(text, position, closing.end())
            yield Token("part", position, closing.end(), _term(place, text[end : closing.start()], is_quoted=True))
            end = closing.end()
        elif kind == "space":
            if inside <= 0 and ("\n" in found.group() or "\r" in found.group()):
                yield Token("line", position, end)
        elif kind == "word":
            yield _word(place, found.group())
        elif kind == "minus":
            yield Token("-", position, end)
        else:
            inside += 1 if kind == "open" else -1
            yield Token("(" if kind == "open" else ")", position, end)
        position = end
    yield Token("end", len(text), len(text))


@dataclass(frozen=True, slots=True)
class _Place:
    text: str
    start: int
    end: int

    def error(self, reason: str) -> RuleError:
        return RuleError(reason, text=self.text, position=self.start, end=self.end)


def _word(place: _Place, word: str) -> Token:
    if word in ("AND", "OR", "NOT"):
        return Token(word, place.start, place.end)
    near = _NEAR.fullmatch(word)
    if near is not None:
        return Token("NEAR", place.start, place.end, words=_words_between(place, near))
    field = _FIELD.fullmatch(word)
    if field is not None:
        return Token("part", place.start, place.end, _field(place, field["name"], field["values"]))
    return Token("part", place.start, place.end, _term(place, word, is_quoted=False))


def _words_between(place: _Place, near: re.Match[str]) -> int:
    words = near["words"]
    if not words:
        raise place.error(f"NEAR needs the number of words that may stand between, 0 to {FARTHEST}: NEAR/5")
    if not (words.isascii() and words.isdigit() and len(words) <= 4 and int(words) <= FARTHEST):
        raise place.error(f'NEAR takes a number of words from 0 to {FARTHEST}, not "{words}": NEAR/5')
    return int(words)


def _term(place: _Place, written: str, *, is_quoted: bool) -> Term:
    """A keyword or a phrase. Only what stands in quotes may be punctuation alone."""
    literal = fold(written)
    stem = literal.rstrip("*")
    is_prefix = stem != literal and stem != ""
    bare = stem.lstrip("@#")
    if not literal or (is_quoted and not is_prefix and not fold(written.strip())):
        raise place.error("there is nothing to look for between these quotes; write a word, or remove them")
    if not is_quoted:
        _refuse_punctuation(place, written, stem)
    if is_prefix and (stem != stem.rstrip() or len(bare) < SHORTEST_STEM):
        raise place.error(
            f'the * in "{written}" needs {SHORTEST_STEM} or more characters of the word before it: fly* finds flying'
        )
    return Term(stem if is_prefix else literal, is_prefix)


def _refuse_punctuation(place: _Place, written: str, stem: str) -> None:
    """What looks like an operator of another language, or would look for a comma nobody meant."""
    quoted = f'quote it to look for it as it stands: "{written}"'
    if written in FOREIGN_OPERATORS:
        raise place.error(f'"{written}" is no operator here; write {FOREIGN_OPERATORS[written]}, or {quoted}')
    if all(character in punctuation or character in _DASHES for character in stem):
        raise place.error(f'"{written}" has no letter or digit to look for; remove it, or {quoted}')
    if "*" in stem:
        raise place.error(f'the * may stand only at the end of a word, not inside "{written}"; remove it, or {quoted}')
    if written[0] in "!+" and KIND[stem[1]]:
        wanted = f"-{written[1:]}" if written[0] == "!" else written[1:]
        raise place.error(f'"{written[0]}" is no operator here; write {wanted}, or {quoted}')
    if written[-1] in ",;":
        raise place.error(f'"{written[-1]}" joins nothing; write OR between words of which any will do, or {quoted}')


def _field(place: _Place, name: str, written: str) -> RulePart:
    reader = _READERS.get(name.lower())
    if reader is None:
        near = FIELD_ALIASES.get(name.lower()) or next(iter(get_close_matches(name.lower(), FIELDS, n=1)), None)
        meant = f"write {near}:" if near else "known: author:, lang:, network:"
        raise _Place(place.text, place.start, place.start + len(name) + 1).error(
            f'there is no field "{name}:"; {meant}, or quote it to look for it as it stands: "{name}:{written}"'
        )
    values: list[tuple[str, _Place]] = []
    start = place.start + len(name) + 1
    for value in written.split(","):
        if not value:
            raise place.error(
                f"{name}: needs its value right after the colon, several joined by commas without a space"
            )
        values.append((value, _Place(place.text, start, start + len(value))))
        start += len(value) + 1
    return reader(values)


def _author(values: list[tuple[str, _Place]]) -> Author:
    handles: dict[str, None] = {}
    for value, place in values:
        name = handle(value)
        if not _HANDLE.fullmatch(name):
            raise place.error(f'"{value}" is no handle; write the whole one, with or without @: author:delta')
        handles[name] = None
    return Author(tuple(handles))


def _language(values: list[tuple[str, _Place]]) -> Language:
    codes: dict[str, None] = {}
    for value, place in values:
        code = value.lower().replace("_", "-")
        if not _LANGUAGE.fullmatch(code):
            meant = LANGUAGE_NAMES.get(code)
            repair = f"write lang:{meant}" if meant else "write two or three letters: lang:en or lang:pt-br"
            raise place.error(f'"{value}" is no language code; {repair}')
        codes[code] = None
    return Language(tuple(codes))


def _network(values: list[tuple[str, _Place]]) -> OnNetwork:
    keys: dict[str, None] = {}
    for value, place in values:
        key = value.lower()
        if key not in BY_KEY:
            near = NETWORK_ALIASES.get(key) or next(iter(get_close_matches(key, BY_KEY, n=1)), None)
            meant = f'did you mean "{near}"? ' if near else ""
            raise place.error(f'there is no network "{value}"; {meant}known: {", ".join(sorted(BY_KEY))}')
        keys[key] = None
    return OnNetwork(tuple(keys))


_READERS: dict[str, Callable[[list[tuple[str, _Place]]], RulePart]] = {
    "author": _author,
    "lang": _language,
    "network": _network,
}
