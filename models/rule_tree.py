"""What a brand rule is once it is read: a tree of frozen parts, what each part means, and how it is written.

This is the reference meaning of the language; `ingest.enrich.brands` finds the same posts faster.

- A term is found as a whole word, or as a part of the text in scripts that write no spaces. `#` and `@` are no part of
  a word, so `delta` finds #delta and @delta too, while `@delta` finds the handle alone.
- A limit is a limit: `lang:en` leaves out a post whose language nobody could tell (two words, a link, a smiley), and
  `NOT lang:es` keeps it. `und` is how such a post is asked for: `lang:en,und`.
- A post without an author is by nobody: `author:x` does not hold for it, `NOT author:x` does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from models.folding import KIND, WORD, end_of_word, fold, needs_edge_after, needs_edge_before, word_starts

# What is kept with a mention for the highlighting; a hostile text could hold ten thousand.
MOST_WORDS = 50
LONGEST_WORD = 100
UNKNOWN = "und"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule is asked about: `author` is a handle, `language` BCP 47 or None for unknown, `network` a key."""

    text: str
    author: str | None = None
    language: str | None = None
    network: str = "other"


class Reading:
    """A subject made ready: folded, and where each term stands looked up once.

    `look_up` is for those who know already where every term of their rules stands.
    """

    __slots__ = ("_author", "_found", "_look_up", "_starts", "folded", "language", "network")

    def __init__(
        self,
        subject: Subject,
        *,
        folded: str | None = None,
        look_up: Callable[[Term], Sequence[Span]] | None = None,
    ) -> None:
        self.folded = fold(subject.text) if folded is None else folded
        self.language = subject.language.lower().replace("_", "-") if subject.language else UNKNOWN
        self.network = subject.network
        self._author = subject.author
        self._look_up = look_up
        self._found: dict[Term, Sequence[Span]] = {}
        self._starts: list[int] | None = None

    @property
    def author(self) -> str | None:
        """The author's handle as rules compare it; None where there is none."""
        return handle(self._author) if self._author else None

    def spans(self, term: Term) -> Sequence[Span]:
        """Where `term` stands in the folded text, in order; the span of a prefix reaches to the end of its word."""
        spans = self._found.get(term)
        if spans is None:
            spans = tuple(occurrences(self.folded, term)) if self._look_up is None else self._look_up(term)
            self._found[term] = spans
        return spans

    def words_between(self, start: int, end: int) -> int:
        """How many words begin in [start, end) of the folded text."""
        if self._starts is None:
            self._starts = word_starts(self.folded)
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)


def handle(name: str) -> str:
    """A handle as rules compare it: folded, without the leading @."""
    return fold(name).lstrip("@")


def occurrences(folded: str, term: Term) -> Iterator[Span]:
    """Every place where `term` stands in a folded text."""
    literal = term.literal
    edge_before, edge_after = needs_edge_before(literal), needs_edge_after(literal)
    position = folded.find(literal)
    while position != -1:
        end = position + len(literal)
        is_start = not (edge_before and position and KIND[folded[position - 1]] == WORD)
        if is_start and term.prefix:
            yield position, end_of_word(folded, end)
        elif is_start and not (edge_after and end < len(folded) and KIND[folded[end]] == WORD):
            yield position, end
        position = folded.find(literal, position + 1)


# Every part of a rule answers the same three questions. `holds(reading)`: does it hold? `evidence(reading)`: where do
# the words stand that make a part that holds hold? `str(part)`: how is it written? `tightness` decides where that needs
# parentheses.


@dataclass(frozen=True, slots=True)
class Term:
    """A keyword, phrase, @handle or #tag, folded; with `prefix` the last word may go on."""

    literal: str
    prefix: bool = False
    tightness: ClassVar[int] = 4

    def __hash__(self) -> int:
        # A string remembers its hash, a tuple made for the purpose does not: terms are looked up for every text.
        return hash(self.literal)

    def holds(self, reading: Reading) -> bool:
        return bool(reading.spans(self))

    def evidence(self, reading: Reading) -> Iterator[Span]:
        yield from reading.spans(self)

    def __str__(self) -> str:
        star = "*" if self.prefix else ""
        bare = self.literal[1:] if self.literal[0] in "@#" else self.literal
        if bare and all(KIND[character] for character in bare):
            return self.literal + star
        return f'"{self.literal}{star}"'


@dataclass(frozen=True, slots=True)
class Author:
    """The post is by one of these handles."""

    handles: tuple[str, ...]
    tightness: ClassVar[int] = 4

    def holds(self, reading: Reading) -> bool:
        return reading.author is not None and reading.author in self.handles

    def evidence(self, reading: Reading) -> Iterator[Span]:
        return iter(())

    def __str__(self) -> str:
        return "author:" + ",".join(self.handles)


@dataclass(frozen=True, slots=True)
class Language:
    """The post is in one of these languages: `pt` covers `pt-br`, not the other way round, `und` an unknown one."""

    codes: tuple[str, ...]
    tightness: ClassVar[int] = 4

    def holds(self, reading: Reading) -> bool:
        language = reading.language
        return any(language == code or language.startswith(f"{code}-") for code in self.codes)

    def evidence(self, reading: Reading) -> Iterator[Span]:
        return iter(())

    def __str__(self) -> str:
        return "lang:" + ",".join(self.codes)


@dataclass(frozen=True, slots=True)
class OnNetwork:
    """The post is on one of these networks."""

    keys: tuple[str, ...]
    tightness: ClassVar[int] = 4

    def holds(self, reading: Reading) -> bool:
        return reading.network in self.keys

    def evidence(self, reading: Reading) -> Iterator[Span]:
        return iter(())

    def __str__(self) -> str:
        return "network:" + ",".join(self.keys)


@dataclass(frozen=True, slots=True)
class Near:
    """A term of `left` and one of `right`, side by side with at most `words` words between, in either order."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    words: int
    tightness: ClassVar[int] = 3

    def holds(self, reading: Reading) -> bool:
        return next(self.evidence(reading), None) is not None

    def evidence(self, reading: Reading) -> Iterator[Span]:
        left = sorted({span for term in self.left for span in reading.spans(term)})
        right = sorted({span for term in self.right for span in reading.spans(term)})
        yield from self._close(reading, left, right)
        yield from self._close(reading, right, left)

    def _close(self, reading: Reading, earlier: Sequence[Span], later: Sequence[Span]) -> Iterator[Span]:
        for start, end in earlier:
            place = bisect_left(later, (end, end))
            if place < len(later) and reading.words_between(end, later[place][0]) <= self.words:
                yield start, end
                yield later[place]

    def __str__(self) -> str:
        return f"{_either(self.left)} NEAR/{self.words} {_either(self.right)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: RulePart
    tightness: ClassVar[int] = 2

    def holds(self, reading: Reading) -> bool:
        return not self.part.holds(reading)

    def evidence(self, reading: Reading) -> Iterator[Span]:
        return iter(())

    def __str__(self) -> str:
        return f"NOT {_written(self.part, self.tightness)}"


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple[RulePart, ...]
    tightness: ClassVar[int] = 1

    def holds(self, reading: Reading) -> bool:
        return all(part.holds(reading) for part in self.parts)

    def evidence(self, reading: Reading) -> Iterator[Span]:
        for part in self.parts:
            yield from part.evidence(reading)

    def __str__(self) -> str:
        return " AND ".join(_written(part, self.tightness) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[RulePart, ...]
    tightness: ClassVar[int] = 0

    def holds(self, reading: Reading) -> bool:
        return any(part.holds(reading) for part in self.parts)

    def evidence(self, reading: Reading) -> Iterator[Span]:
        for part in self.parts:
            if part.holds(reading):
                yield from part.evidence(reading)

    def __str__(self) -> str:
        return " OR ".join(_written(part, self.tightness) for part in self.parts)


RulePart = Term | Author | Language | OnNetwork | Near | Not | And | Or


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read. `str(rule)` writes it so that reading it again gives an equal rule."""

    root: RulePart

    def matches(self, subject: Subject) -> tuple[str, ...] | None:
        """The words of the text that make the rule hold, or None where it does not.

        Folded, each once, in the order of the text, at most MOST_WORDS; empty where an author alone decided.
        """
        reading = Reading(subject)
        return words_at(reading.folded, list(self.root.evidence(reading))) if self.root.holds(reading) else None

    def __str__(self) -> str:
        return str(self.root)


def words_at(folded: str, spans: Collection[Span]) -> tuple[str, ...]:
    """The words at these places: each once, in the order of the text, no more and no longer than can be kept."""
    if len(spans) == 1:
        ((start, end),) = spans
        return (folded[start:end][:LONGEST_WORD],)
    words = dict.fromkeys([folded[start:end][:LONGEST_WORD] for start, end in sorted(spans)])
    return tuple(words)[:MOST_WORDS]


def _written(part: RulePart, inside: int) -> str:
    """A part as text, in parentheses where it would not stay together; a NOT needs none inside a NOT or an AND."""
    return f"({part})" if part.tightness < inside or part.tightness == inside != Not.tightness else str(part)


def _either(terms: Sequence[Term]) -> str:
    return str(terms[0]) if len(terms) == 1 else "(" + " OR ".join(map(str, terms)) + ")"
