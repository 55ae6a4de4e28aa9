"""A rule tried on stored posts before it is published: what it would find of the newest ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ahocorasick_rs import AhoCorasick
from sqlalchemy import Connection, text

from models.folding import KIND, WORD, end_of_word, fold, needs_edge_after, needs_edge_before
from models.networks import BY_ID
from models.organisation import Organisation
from models.rule_tree import And, Author, Near, Not, Or, RulePart, Span, Term, handle, words_at
from models.rules import Reading, Rule, Subject
from models.tables.base import from_microseconds

# A rule is tried on so many posts, the newest of all that is stored, whichever brand they were found for.
MOST_POSTS = 10_000
# A post that several brands hold is read once for each: so many rows more are read to fill the number.
SPARE = 2_000

_WORD = re.compile(r"[^\W\d_]{3,}")
_COLUMNS = (
    "m.network_id, m.external_id, m.brand_id, m.id, m.posted_at, m.author_handle, m.author_name, m.language, m.text"
)


@dataclass(frozen=True)
class Post:
    """A stored post as rules read it. `brand_id` and `id` are those of one of its mentions."""

    network_id: int
    external_id: str
    brand_id: int
    id: int
    posted_at: datetime
    handle: str | None
    name: str | None
    language: str | None
    text: str

    @cached_property
    def folded(self) -> str:
        """Its text in the form that rules compare."""
        return fold(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its folded text that a rule could look for, those of letters alone."""
        return words_of(self.folded)

    @property
    def subject(self) -> Subject:
        """What a rule is asked about it."""
        network = BY_ID.get(self.network_id)
        return Subject(self.text, self.handle, self.language, network.key if network else "other")


def newest_posts(connection: Connection, organisation: Organisation, *, limit: int = MOST_POSTS) -> tuple[Post, ...]:
    """The newest `limit` posts that are stored, newest first, each once; those no brand claimed among them."""
    wanted = limit + SPARE * limit // MOST_POSTS
    if connection.dialect.name == "sqlite":
        # The id alone is the rowid there: one walk down, without a sort.
        statement = f"select {_COLUMNS} from mention m where m.deleted_at is null order by m.id desc limit :wanted"  # noqa: S608
    else:
        walks = " union all ".join(
            f"select * from (select m.brand_id, m.id from mention m where m.brand_id = {item.id:d}"  # noqa: S608
            " order by m.id desc limit :wanted) as w"
            for item in organisation.brands
        )
        statement = (
            f"select {_COLUMNS} from ({walks} order by id desc limit :wanted) as n"  # noqa: S608
            " join mention m on m.brand_id = n.brand_id and m.id = n.id"
            " where m.deleted_at is null order by m.id desc"
        )
    found: dict[tuple[int, str], Post] = {}
    for row in connection.execute(text(statement), {"wanted": wanted}):
        key = (row[0], row[1])
        if key not in found:
            found[key] = Post(row[0], row[1], row[2], row[3], from_microseconds(row[4]), *row[5:9])
            if len(found) == limit:
                break
    return tuple(found.values())


def words_of(folded: str) -> frozenset[str]:
    """The words of a folded text, or of a word of a rule, in letters alone."""
    return frozenset(_WORD.findall(folded))


def terms_of(part: RulePart) -> Iterator[Term]:
    """Every word and phrase that a part of a rule names, what it excludes too."""
    if isinstance(part, Term):
        yield part
    elif isinstance(part, And | Or):
        for each in part.parts:
            yield from terms_of(each)
    elif isinstance(part, Not):
        yield from terms_of(part.part)
    elif isinstance(part, Near):
        yield from (*part.left, *part.right)


class Readings:
    """Posts read once for several rules: where each of their words stands, found in one pass over each text.

    `touched` are the places of the posts that hold a word of a rule, or are by an author of one: no other can match.
    """

    def __init__(self, posts: Sequence[Post], rules: Sequence[Rule]) -> None:
        self.posts = posts
        terms = tuple(dict.fromkeys(term for rule in rules for term in terms_of(rule.root)))
        literals = tuple(dict.fromkeys(term.literal for term in terms))
        held = set(terms)
        exact = [Term(literal) if Term(literal) in held else None for literal in literals]
        prefix = [Term(literal, True) if Term(literal, True) in held else None for literal in literals]
        edges = [(needs_edge_before(literal), needs_edge_after(literal)) for literal in literals]
        authors = {name for rule in rules for name in _authors(rule.root)}
        automaton = AhoCorasick(literals, store_patterns=False) if literals else None
        self.of: dict[int, Reading] = {}
        for place, post in enumerate(posts):
            folded = post.folded
            found = automaton.find_matches_as_indexes(folded, overlapping=True) if automaton is not None else ()
            hits: dict[Term, list[Span]] = {}
            for pattern, start, end in found:
                before, after = edges[pattern]
                if before and start and KIND[folded[start - 1]] == WORD:
                    continue
                whole, begun = exact[pattern], prefix[pattern]
                if whole is not None and not (after and end < len(folded) and KIND[folded[end]] == WORD):
                    hits.setdefault(whole, []).append((start, end))
                if begun is not None:
                    hits.setdefault(begun, []).append((start, end_of_word(folded, end)))
            if hits or (authors and post.handle and handle(post.handle) in authors):
                self.of[place] = _reading(post, hits)

    @property
    def touched(self) -> Iterable[int]:
        """Their places, in order."""
        return self.of.keys()

    def reading(self, place: int) -> Reading:
        """A post as rules read it, touched or not."""
        return self.of.get(place) or _reading(self.posts[place], {})

    def matched(self, rule: Rule) -> tuple[int, ...]:
        """The places of the posts that a rule finds, in their order."""
        return tuple(place for place, reading in self.of.items() if rule.root.holds(reading))

    def words(self, place: int, part: RulePart) -> tuple[str, ...]:
        """The folded words of a post that make a part hold; empty where an author or a limit decided."""
        reading = self.reading(place)
        spans = list(part.evidence(reading))
        return words_at(reading.folded, spans) if spans else ()


def _authors(part: RulePart) -> Iterator[str]:
    if isinstance(part, Author):
        yield from part.handles
    elif isinstance(part, And | Or):
        for each in part.parts:
            yield from _authors(each)


def _reading(post: Post, hits: Mapping[Term, list[Span]]) -> Reading:
    return Reading(post.subject, folded=post.folded, look_up=lambda term: hits.get(term, ()))
