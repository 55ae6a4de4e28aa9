"""Text search: the rule language of models/rules.py over what is stored.

A search means what the same words mean as a rule of a brand. The index proposes and the rule decides: the index knows
neither where a handle ends nor how many words stand between two, so each post that it proposes is asked again. Where it
can propose nothing (a script without spaces, a smiley), the newest posts of the scope are asked one by one. What is
proposed must hold every post that the rule finds. On PostgreSQL, whose words are cut as rules cut them, it does; on
SQLite it lacks these few, since its index cuts and folds otherwise:

- a word inside which somebody hid invisible characters, or wrote in full-width letters or ligatures;
- a Latin word that Chinese, Japanese or Thai text surrounds without a space, unless that text is asked for too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from models.errors import RuleError, SearchError
from models.folding import KIND, WORD, fold, needs_edge_after, needs_edge_before
from models.networks import BY_ID
from models.rule_tree import And, Near, Not, Or, Reading, Rule, RulePart, Subject, Term
from models.rules import parse

# Where what the index proposed did not hold, the next page is so many times as long.
GROWTH = 4
COLUMNS = "m.id, m.text, m.author_handle, m.language, m.network_id"
"""What a post is asked about, in the order of `Search.holds`."""


@dataclass(frozen=True)
class Search:
    """A search that was read."""

    rule: Rule

    def holds(self, text: str, author: str | None, language: str | None, network_id: int) -> bool:
        """Whether it finds a stored post: what `rule.matches` says, told faster."""
        return self._asked(_Post(text, author, language, network_id))

    @cached_property
    def _asked(self) -> Callable[[_Post], bool]:
        return _asked(self.rule.root)


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of mentions that hold, newest first; `is_part` where older ones were not looked at any more."""

    ids: tuple[int, ...]
    is_part: bool


@lru_cache(maxsize=1_000)
def read(query: str) -> Search:
    """What was typed into the search field. SearchError marks the place that is wrong and names one repair."""
    typed = query.replace("\0", " ").encode("utf-8", "ignore").decode()
    try:
        return Search(parse(" ".join(typed.split())))
    except RuleError as error:
        raise SearchError(_said(error)) from error


def _said(error: RuleError) -> str:
    text = error.text
    reason = error.reason.replace("a rule ", "a search ").replace("the rule ", "the search ")
    if not text:
        return reason
    pointed = f"{text[: error.position]}▸{text[error.position : error.end]}◂{text[error.end :]}"
    return f"“{pointed}”: {reason}"


def words(query: str) -> tuple[str, ...]:
    """The words and phrases that a search looks for, folded, each once; what it excludes is none of them."""
    return tuple(dict.fromkeys(term.literal for term in _wanted(read(query).rule.root))) if query else ()


def words_in(query: str, text: str) -> tuple[str, ...]:
    """The words of a post that make a search find it: also what `fly*` stands for, and only where NEAR holds."""
    if not query:
        return ()
    reading = Reading(Subject(text))
    spans = sorted({span for part in _telling(read(query).rule.root) for span in part.evidence(reading)})
    return tuple(dict.fromkeys(reading.folded[start:end] for start, end in spans))


def found(
    page: Callable[[int, int | None], Sequence[Any]], search: Search, *, limit: int, first: int, most: int
) -> Found:
    """The newest `limit` ids that hold among the posts that `page(size, before_id)` proposes, newest first.

    A row is what COLUMNS names; at most `most` are read, `first` of them at once.
    """
    ids: list[int] = []
    size, read_so_far = min(first, most), 0
    before: int | None = None
    while True:
        rows = page(size, before)
        ids += [row[0] for row in rows if search.holds(row[1], row[2], row[3], row[4])]
        read_so_far += len(rows)
        if len(ids) >= limit or len(rows) < size:
            return Found(tuple(ids[:limit]), is_part=False)
        if read_so_far >= most:
            return Found(tuple(ids), is_part=True)
        before = rows[-1][0]
        size = min(size * GROWTH, most - read_so_far)


def _telling(part: RulePart) -> Iterable[RulePart]:
    if isinstance(part, And | Or):
        for each in part.parts:
            yield from _telling(each)
    elif isinstance(part, Term | Near):
        yield part


def _wanted(part: RulePart) -> Iterable[Term]:
    for each in _telling(part):
        if isinstance(each, Near):
            yield from (*each.left, *each.right)
        elif isinstance(each, Term):
            yield each


# -- asking fifty thousand posts ----------------------------------------------------------------------------


class _Post:
    """A post made ready as far as it is asked: most questions are answered by its small letters."""

    __slots__ = ("_author", "_folded", "_language", "_network_id", "_reading", "is_plain", "small", "text")

    def __init__(self, text: str, author: str | None, language: str | None, network_id: int) -> None:
        self.text = text
        self.is_plain = text.isascii()
        # Of plain letters the folded form is the small one, but for the blanks.
        self.small = text.lower() if self.is_plain else ""
        self._author, self._language, self._network_id = author, language, network_id
        self._folded: str | None = None
        self._reading: Reading | None = None

    @property
    def folded(self) -> str:
        if self._folded is None:
            self._folded = fold(self.text)
        return self._folded

    @property
    def reading(self) -> Reading:
        if self._reading is None:
            network = BY_ID[self._network_id].key if self._network_id in BY_ID else "other"
            subject = Subject(self.text, self._author, self._language, network)
            self._reading = Reading(subject, folded=self.folded)
        return self._reading


def _asked(part: RulePart) -> Callable[[_Post], bool]:
    """The part as a function: a tree of closures is walked in a third of the time that its objects take."""
    if isinstance(part, Term):
        return _term(part)
    if isinstance(part, Not):
        inner = _asked(part.part)
        return lambda post: not inner(post)
    if isinstance(part, And | Or):
        # Words first: they are told faster than anything else.
        asked = tuple(map(_asked, sorted(part.parts, key=lambda each: not isinstance(each, Term))))
        if isinstance(part, And):
            return lambda post: all(one(post) for one in asked)
        return lambda post: any(one(post) for one in asked)
    if isinstance(part, Near):
        left, right = _asked(Or(part.left)), _asked(Or(part.right))
        return lambda post: left(post) and right(post) and part.holds(post.reading)
    return lambda post: part.holds(post.reading)


def _term(term: Term) -> Callable[[_Post], bool]:
    literal = term.literal
    edge_before, edge_after = needs_edge_before(literal), needs_edge_after(literal) and not term.prefix
    is_plain, is_one_word = literal.isascii(), " " not in literal
    length = len(literal)

    def holds(post: _Post) -> bool:
        if post.is_plain and not is_plain:
            return False
        text = post.small if post.is_plain and is_one_word else post.folded
        position = text.find(literal)
        while position != -1:
            end = position + length
            if not (edge_before and position and KIND[text[position - 1]] == WORD) and not (
                edge_after and end < len(text) and KIND[text[end]] == WORD
            ):
                return True
            position = text.find(literal, position + 1)
        return False

    return holds
