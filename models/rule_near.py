"""What a rule all but finds: posts that one half of it matches, one letter off, or shut out by an exclusion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.rule_faults import Repair
from models.rule_slips import SHORTEST, bare_words, slips
from models.rule_tree import And, Near, Not, Or, Reading, Rule, Span, Term, words_at
from models.rule_trial import Post, Readings, terms_of, words_of
from models.rules import Placed, looks, looks_somewhere, placed

SHOWN_OF_A_KIND = 3
# A word is worth adding from so many posts on, and where it is so many times as frequent there as elsewhere.
LEAST_POSTS = 2
LEAST_LIFT = 1.5
MOST_LIKELY = 300
# What stands in more than this share of all posts, and in more than so many, is a word of its own and no slip.
MOST_SLIPS = 0.005
LEAST_SLIPS = 3
SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Miss:
    """One post that was missed. `kind` is half, letter or shut.

    half: `word` is one that would bring it in. letter: `word` is written for `meant`. shut: `word` made the exclusion
    or limit on `line` hold, "" where a limit alone did. `count` posts are missed by the same word. `words` are those of
    the text that the rule knows; `repair` adds the word to the rule.
    """

    post: Post
    kind: str
    words: tuple[str, ...]
    word: str
    meant: str
    count: int
    line: int
    lacks: str
    repair: Repair | None


@dataclass(frozen=True, slots=True)
class Missed:
    """How many posts were missed in each way, and a few of each, the newest for each word."""

    half: int
    letter: int
    shut: int
    shown: tuple[Miss, ...]
    # Where a piece of the rule begins: the words that would bring posts in which lack that piece alone, best first.
    hints: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Failing:
    """The one piece of a rule that keeps a post out, and the pieces that let it in."""

    piece: Placed
    kind: str
    holding: tuple[Placed, ...]


class Ways:
    """A rule as alternatives, each with the pieces that must all hold, and where each is written."""

    def __init__(self, text: str) -> None:
        self.text = text
        lines = placed(text)
        self.narrowings = tuple(piece for line in lines if not looks_somewhere(line.part) for piece in _every(line))
        self.ways = tuple(
            tuple(_every(way))
            for line in lines
            if looks_somewhere(line.part)
            for way in (line.pieces if isinstance(line.part, Or) and not _is_plain(line) else (line,))
        )

    def failing(self, reading: Reading) -> Failing | None:
        """What alone keeps a post out that does not match; None where more than one thing does."""
        for way in self.ways:
            pieces = (*way, *self.narrowings)
            missing = [piece for piece in pieces if not piece.part.holds(reading)]
            if len(missing) != 1:
                continue
            holding = tuple(piece for piece in way if piece is not missing[0] and looks(piece.part))
            if holding:
                return Failing(missing[0], "half" if looks(missing[0].part) else "shut", holding)
        return None

    def line(self, piece: Placed) -> int:
        """The line that a piece begins on, from 1."""
        return self.text.count("\n", 0, piece.start) + 1

    def leaves(self) -> Iterator[tuple[Term, Placed, Placed | None]]:
        """The words that are looked for, each with its place and what joins it; none that an exclusion names."""
        for way in self.ways:
            for piece in way:
                if looks(piece.part):
                    yield from _leaves(piece, None)


def missed(text: str, rule: Rule, readings: Readings, matched: Sequence[int], *, others: Iterable[Term] = ()) -> Missed:
    """What `rule`, written as `text`, all but finds of the posts that were read.

    `others` are what other brands are found by: a word of them is no word that this rule lacks.
    """
    ways, inside = Ways(text), set(matched)
    letters, slipped = _misspelt(ways, rule, readings, inside)
    half: dict[Placed, list[int]] = {}
    shut: dict[Placed, list[int]] = {}
    holding: dict[int, Failing] = {}
    for place in readings.touched:
        # A slip alone explains it: no other word is lacking.
        if place in inside or place in slipped:
            continue
        failing = ways.failing(readings.reading(place))
        if failing is not None:
            holding[place] = failing
            (half if failing.kind == "half" else shut).setdefault(failing.piece, []).append(place)
    known = {word for term in (*terms_of(rule.root), *others) for word in words_of(term.literal)}
    shown: list[Miss] = []
    hints: dict[int, tuple[str, ...]] = {}
    # What stands first in a rule is the brand: a post that has it and lacks the rest is the likelier one.
    for piece, places in sorted(half.items(), key=lambda item: -item[0].start):
        telling = missing_words(places, readings, known)
        hints[piece.start] = tuple(word for word, _ in telling)
        shown += list(_lacking(ways, piece, places, holding, readings, telling))[: SHOWN_OF_A_KIND + 1 - len(shown)]
    shown += letters
    for piece, places in shut.items():
        shown += _shut_out(ways, piece, places, holding, readings)
    return Missed(
        half=sum(map(len, half.values())),
        letter=len(slipped),
        shut=sum(map(len, shut.values())),
        shown=tuple(shown),
        hints=hints,
    )


def missing_words(places: Sequence[int], readings: Readings, known: Collection[str]) -> list[tuple[str, int]]:
    """Words that tell these posts from the others, the most telling first, with the posts that hold each.

    A word is compared with the other posts of the same language, or every article and preposition would be one.
    """
    counts: Counter[str] = Counter()
    languages: Counter[str | None] = Counter()
    for place in places:
        post = readings.posts[place]
        languages[post.language] += 1
        counts.update(post.words)
    likely = [(word, count) for word, count in counts.most_common(MOST_LIKELY) if count >= LEAST_POSTS]
    likely = [(word, count) for word, count in likely if word not in known]
    if not likely:
        return []
    wanted = {word for word, _ in likely}
    elsewhere: dict[str | None, Counter[str]] = {language: Counter() for language in languages}
    sampled: Counter[str | None] = Counter()
    for post in readings.posts[::SAMPLE]:
        if post.language in elsewhere:
            sampled[post.language] += 1
            elsewhere[post.language].update(wanted.intersection(post.words))
    scored = []
    for word, count in likely:
        usual = sum(n * (elsewhere[lang][word] + 1) / (sampled[lang] + 2) for lang, n in languages.items())
        if count / usual >= LEAST_LIFT:
            scored.append((math.log(count / usual) * math.log1p(count), word, count))
    return [(word, count) for _, word, count in sorted(scored, reverse=True)]


def addition(piece: Placed, joins: Placed | None, word: str, text: str) -> Repair:
    """Add a word to a piece of a rule, as another one of which any will do."""
    if isinstance(piece.part, Or) and piece.pieces:
        end = piece.pieces[-1].end
        return Repair(end, end, f" OR {word}", f"Add “{word}”")
    if joins is not None and isinstance(joins.part, Or):
        return Repair(piece.end, piece.end, f" OR {word}", f"Add “{word}”")
    return Repair(piece.start, piece.end, f"({text[piece.start : piece.end]} OR {word})", f"Add “{word}”")


def _every(placed_part: Placed) -> Iterator[Placed]:
    """The parts that must all hold."""
    if isinstance(placed_part.part, And):
        for piece in placed_part.pieces:
            yield from _every(piece)
    else:
        yield placed_part


def _is_plain(line: Placed) -> bool:
    return all(isinstance(piece.part, Term | Or) for piece in line.pieces)


def _leaves(piece: Placed, joins: Placed | None) -> Iterator[tuple[Term, Placed, Placed | None]]:
    if isinstance(piece.part, Term):
        yield piece.part, piece, joins
    elif not isinstance(piece.part, Not):
        for inner in piece.pieces:
            yield from _leaves(inner, piece)


def _lacking(
    ways: Ways,
    piece: Placed,
    places: Sequence[int],
    holding: dict[int, Failing],
    readings: Readings,
    telling: Sequence[tuple[str, int]],
) -> Iterator[Miss]:
    lacks = ways.text[piece.start : piece.end]
    taken: set[int] = set()
    for word, count in telling:
        place = next((at for at in places if at not in taken and word in readings.posts[at].words), None)
        if place is None:
            continue
        taken.add(place)
        repair = addition(piece, None, word, ways.text)
        yield _miss(ways, holding[place], place, readings, "half", word=word, count=count, lacks=lacks, repair=repair)
        if len(taken) == SHOWN_OF_A_KIND:
            return
    for place in [at for at in places if at not in taken][: max(0, 1 - len(taken))]:
        yield _miss(ways, holding[place], place, readings, "half", word="", count=0, lacks=lacks, repair=None)


def _shut_out(
    ways: Ways, piece: Placed, places: Sequence[int], holding: dict[int, Failing], readings: Readings
) -> Iterator[Miss]:
    inner = piece.part.part if isinstance(piece.part, Not) else piece.part
    by_word: dict[str, list[int]] = {}
    for place in places:
        words = readings.words(place, inner) if isinstance(piece.part, Not) else ()
        by_word.setdefault(words[0] if words else "", []).append(place)
    for word, held in sorted(by_word.items(), key=lambda item: -len(item[1]))[:SHOWN_OF_A_KIND]:
        lacks = ways.text[piece.start : piece.end]
        yield _miss(
            ways, holding[held[0]], held[0], readings, "shut", word=word, count=len(held), lacks=lacks, repair=None
        )


def _miss(
    ways: Ways,
    failing: Failing,
    place: int,
    readings: Readings,
    kind: str,
    *,
    word: str,
    count: int,
    lacks: str,
    repair: Repair | None,
) -> Miss:
    reading = readings.reading(place)
    spans = [span for piece in failing.holding for span in piece.part.evidence(reading)]
    return Miss(
        post=readings.posts[place],
        kind=kind,
        words=words_at(reading.folded, spans) if spans else (),
        word=word,
        meant="",
        count=count,
        line=ways.line(failing.piece),
        lacks=lacks,
        repair=repair,
    )


# -- one letter off ------------------------------------------------------------------------------------------


def _misspelt(ways: Ways, rule: Rule, readings: Readings, inside: set[int]) -> tuple[list[Miss], set[int]]:
    leaves: dict[str, tuple[Term, Placed, Placed | None]] = {}
    for term, piece, joins in ways.leaves():
        bare = term.literal.lstrip("@#")
        if not term.prefix and len(bare) >= SHORTEST and bare.isalpha():
            leaves.setdefault(bare, (term, piece, joins))
    terms = tuple(terms_of(rule.root))
    known = {term.literal.lstrip("@#") for term in terms}
    meant = slips(leaves, (post.folded for post in readings.posts), known) if leaves else {}
    found: dict[str, list[int]] = {}
    for place, post in enumerate(readings.posts):
        if not meant or place in inside:
            continue
        for word in bare_words(post.folded) & meant.keys():
            if _would_match(rule, post, readings.reading(place), leaves[meant[word]][0], word):
                found.setdefault(word, []).append(place)
    most = max(LEAST_SLIPS, MOST_SLIPS * len(readings.posts))
    few = {word: places for word, places in found.items() if len(places) <= most}
    shown = []
    for word, places in sorted(few.items(), key=lambda item: -len(item[1]))[:SHOWN_OF_A_KIND]:
        term, piece, joins = leaves[meant[word]]
        reading = readings.reading(places[0])
        spans = [span for each in terms for span in reading.spans(each)]
        shown.append(
            Miss(
                post=readings.posts[places[0]],
                kind="letter",
                words=words_at(reading.folded, spans) if spans else (),
                word=word,
                meant=term.literal,
                count=len(places),
                line=ways.line(piece),
                lacks="",
                repair=addition(piece, _outer(joins), word, ways.text),
            )
        )
    return shown, {place for places in few.values() for place in places}


def _outer(joins: Placed | None) -> Placed | None:
    # Both sides of a NEAR are joined by it alone.
    return None if joins is None or isinstance(joins.part, Near | And) else joins


def _would_match(rule: Rule, post: Post, reading: Reading, meant: Term, word: str) -> bool:
    start = reading.folded.find(word)
    there: list[Span] = [(start, start + len(word))]

    def look_up(term: Term) -> Sequence[Span]:
        return there if term == meant else reading.spans(term)

    return rule.root.holds(Reading(post.subject, folded=reading.folded, look_up=look_up))
