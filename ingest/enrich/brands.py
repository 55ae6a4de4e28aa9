"""Which brands a post is about: all rules at once, in one pass over its text.

Every literal of every rule stands in one Aho-Corasick automaton. A rule is looked at only when one of the words it
cannot do without is there, so the time depends on what a text says and hardly on how many rules there are.
`Rule.matches` says what a rule means; this finds the same, faster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from models.folding import KIND, WORD, end_of_word, fold, needs_edge_after, needs_edge_before
from models.rule_tree import And, Author, Near, Not, Or, RulePart, Span, Term, handle, words_at
from models.rules import Reading, Rule, Subject, looks


@dataclass(frozen=True, slots=True)
class Match:
    """One brand that a post is about, and the folded words of the text that say so (none where its author does)."""

    brand_id: int
    words: tuple[str, ...]


# The two hot loops unpack plain tuples: an attribute of a dataclass costs as much there as the test made with it.
# A literal: its edge before and after matter, numbers of the exact term and of the prefix (None where no rule asks).
_Pattern = tuple[bool, bool, int | None, int | None]
# Where a term stands: start, end, its number.
_Hit = tuple[int, int, int]


class _Way(NamedTuple):
    """One way for a rule of a brand to hold: a term of each of `every`, none of `none`, and each part of `rest`.

    `every` is also a first sieve for `rest`: terms without which those parts cannot hold. `shown` are the terms that
    are evidence wherever they stand, `telling` the parts that know their evidence themselves.
    """

    brand_id: int
    every: tuple[frozenset[int], ...]
    none: frozenset[int]
    rest: tuple[RulePart, ...]
    shown: frozenset[int]
    telling: tuple[RulePart, ...]


class Matcher:
    """Rules made ready once, for any number of texts and threads."""

    def __init__(self, rules: Sequence[tuple[int, Rule]]) -> None:
        ways = [(brand_id, way) for brand_id, rule in rules for way in _ways(rule.root)]
        terms = tuple(dict.fromkeys(term for _, way in ways for part in way for term in _terms(part)))
        self._numbers = {term: number for number, term in enumerate(terms)}
        self._ways = tuple(_way(brand_id, parts, self._numbers) for brand_id, parts in ways)

        by_term: list[list[int]] = [[] for _ in terms]
        self._by_author: dict[str, list[int]] = defaultdict(list)
        for place, (_, parts) in enumerate(ways):
            for needed in _needed(And(parts)):
                (self._by_author[needed] if isinstance(needed, str) else by_term[self._numbers[needed]]).append(place)
        self._by_term = tuple(map(tuple, by_term))

        literals = tuple(dict.fromkeys(term.literal for term in terms))
        self._patterns: tuple[_Pattern, ...] = tuple(
            (
                needs_edge_before(literal),
                needs_edge_after(literal),
                self._numbers.get(Term(literal)),
                self._numbers.get(Term(literal, prefix=True)),
            )
            for literal in literals
        )
        self._automaton = AhoCorasick(literals, store_patterns=False)

    def match(self, subject: Subject) -> tuple[Match, ...]:
        """The brands that the subject is about, in ascending order, each once however many of its rules hold."""
        folded = fold(subject.text)
        hits = self._hits(folded)
        present = {number for _, _, number in hits}
        by_term = self._by_term
        places = {place for number in present for place in by_term[number]}
        if self._by_author and subject.author:
            places.update(self._by_author.get(handle(subject.author), ()))
        reading: Reading | None = None
        evidence: dict[int, list[Span]] = {}
        for place in places:
            brand_id, every, none, rest, shown, telling = self._ways[place]
            if not none.isdisjoint(present):
                continue
            for one in every:
                if one.isdisjoint(present):
                    break
            else:
                if rest:
                    reading = reading or self._reading(subject, folded, hits)
                    if not all(part.holds(reading) for part in rest):
                        continue
                    for part in telling:
                        evidence.setdefault(brand_id, []).extend(part.evidence(reading))
                evidence.setdefault(brand_id, []).extend([(hit[0], hit[1]) for hit in hits if hit[2] in shown])
        return tuple([Match(brand_id, words_at(folded, evidence[brand_id])) for brand_id in sorted(evidence)])

    def _hits(self, folded: str) -> list[_Hit]:
        """Every term that stands in the text; those of one term in the order of the text."""
        hits: list[_Hit] = []
        length = len(folded)
        patterns = self._patterns
        for pattern, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            edge_before, edge_after, exact, prefix = patterns[pattern]
            if edge_before and start and KIND[folded[start - 1]] == WORD:
                continue
            if exact is not None and (end == length or not edge_after or KIND[folded[end]] != WORD):
                hits.append((start, end, exact))
            if prefix is not None:
                hits.append((start, end_of_word(folded, end), prefix))
        return hits

    def _reading(self, subject: Subject, folded: str, hits: Sequence[_Hit]) -> Reading:
        def look_up(term: Term) -> list[Span]:
            wanted = self._numbers[term]
            return [(start, end) for start, end, number in hits if number == wanted]

        return Reading(subject, folded=folded, look_up=look_up)


def _ways(root: RulePart) -> Iterator[tuple[RulePart, ...]]:
    """A rule as alternatives, each the parts that must all hold: plain words together, every other by itself."""
    if not isinstance(root, Or):
        yield root.parts if isinstance(root, And) else (root,)
        return
    words = tuple(part for part in root.parts if isinstance(part, Term))
    if words:
        yield (Or(words),)
    for part in root.parts:
        if not isinstance(part, Term):
            yield part.parts if isinstance(part, And) else (part,)


def _way(brand_id: int, parts: Iterable[RulePart], numbers: dict[Term, int]) -> _Way:
    every: list[frozenset[int]] = []
    none: set[int] = set()
    shown: set[int] = set()
    rest: list[RulePart] = []
    for part in parts:
        terms = _alternatives(part.part if isinstance(part, Not) else part)
        if terms is None:
            rest.append(part)
            every.extend(frozenset(numbers[term] for term in sieve) for sieve in _sieves(part))
        elif isinstance(part, Not):
            none.update(numbers[term] for term in terms)
        else:
            every.append(frozenset(numbers[term] for term in terms))
            shown.update(numbers[term] for term in terms)
    telling = tuple(part for part in rest if isinstance(part, Near | And | Or))
    return _Way(brand_id, tuple(every), frozenset(none), tuple(rest), frozenset(shown), telling)


def _sieves(part: RulePart) -> Iterator[Iterable[Term]]:
    """Sets of terms of each of which one must be there for the part to hold."""
    if isinstance(part, Near):
        yield from (part.left, part.right)
    elif looks(part):
        needed = _needed(part)
        terms = [each for each in needed if isinstance(each, Term)]
        if len(terms) == len(needed):
            yield terms


def _alternatives(part: RulePart) -> tuple[Term, ...] | None:
    """The terms of which any will do, where the part is no more than that."""
    parts = part.parts if isinstance(part, Or) else (part,)
    terms = tuple(each for each in parts if isinstance(each, Term))
    return terms if len(terms) == len(parts) else None


def _terms(part: RulePart) -> Iterator[Term]:
    if isinstance(part, Term):
        yield part
    elif isinstance(part, And | Or):
        for each in part.parts:
            yield from _terms(each)
    elif isinstance(part, Not):
        yield from _terms(part.part)
    elif isinstance(part, Near):
        yield from part.left
        yield from part.right


def _needed(part: RulePart) -> frozenset[Term | str]:
    """Terms and authors of which at least one is there whenever the part holds; the rarest such set we can name."""
    if isinstance(part, Term):
        return frozenset((part,))
    if isinstance(part, Author):
        return frozenset(part.handles)
    if isinstance(part, Near):
        return min(frozenset[Term | str](part.left), frozenset[Term | str](part.right), key=_commonness)
    if isinstance(part, Or):
        return frozenset[Term | str]().union(*map(_needed, part.parts))
    assert isinstance(part, And)  # The parser lets no rule through that looks for nothing.
    return min((_needed(each) for each in part.parts if looks(each)), key=_commonness)


def _commonness(needed: frozenset[Term | str]) -> float:
    """Short words are common: each further letter makes one about half as frequent. A handle says it all."""
    return sum(0.5 ** len(each.literal) if isinstance(each, Term) else 1e-9 for each in needed)
