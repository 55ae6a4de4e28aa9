"""The language people write to say which posts are about a brand; the search box speaks it too.

    delta "sky miles" fly*      every one must be there (AND may be written or left out); * goes on to the word's end
    delta OR @delta OR #delta   any of them; @ finds the handle alone, # the tag alone, a bare word finds all three
    delta -force NOT river      exclusions
    gate NEAR/3 (agent OR desk) with at most three words between them, in either order
    author:delta lang:en,pt-br network:x,reddit     limits; lang:und is a post whose language nobody could tell
    (a OR b) c                  NEAR binds tightest, then NOT, then AND, then OR

Operators are upper case; `or` is a word. Each line is another way to match; a line that looks for nothing, only
exclusions and limits, narrows all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import RuleError
from models.rule_tokens import Token, tokens
from models.rule_tree import And, Author, Near, Not, Or, Reading, Rule, RulePart, Subject, Term

__all__ = ["Placed", "Reading", "Rule", "Subject", "looks", "looks_somewhere", "parse", "placed"]

# What a person can oversee, and far from what would exhaust the stack.
LONGEST_RULE = 20_000
DEEPEST = 50


def parse(text: str) -> Rule:
    """The rule that `text` writes; RuleError points at the place that is wrong and says what would be right."""
    if len(text) > LONGEST_RULE:
        raise RuleError(
            f"the rule has {len(text):,} characters, at most {LONGEST_RULE:,} are allowed; make two rules of it",
            text=text,
            position=LONGEST_RULE,
            end=len(text),
        )
    return Rule(_Parser(text).rule())


def parse_all(rules: Sequence[str]) -> Rule:
    """The rules of a brand as one: each is another way to match, one that looks for nothing narrows the others.

    Each must read by itself: an OR at the end of one does not go on in the next. RuleError's offsets are into the rule
    that is wrong, which is its `text`, or into all of them joined by line ends where they are wrong only together.
    """
    for rule in rules:
        _Parser(rule).lines()
    return parse("\n".join(rules))


def placed(text: str) -> tuple[Placed, ...]:
    """What each line of a rule says and where; RuleError where `parse` finds one."""
    parse(text)
    return tuple(_Parser(text).lines())


def looks(part: RulePart) -> bool:
    """Whether the part cannot hold unless some word or author is there."""
    if isinstance(part, And):
        return any(map(looks, part.parts))
    if isinstance(part, Or):
        return all(map(looks, part.parts))
    return isinstance(part, Term | Author | Near)


def looks_somewhere(part: RulePart) -> bool:
    """Whether some way to hold needs a word or an author."""
    return any(map(looks_somewhere, part.parts)) if isinstance(part, And | Or) else looks(part)


@dataclass(frozen=True, slots=True)
class Placed:
    """A part and where it is written: offsets, half-open, parentheses around it inside; `pieces` are those it joins.

    A part that one pair of parentheses makes of a single one has the pieces of that one.
    """

    part: RulePart
    start: int
    end: int
    pieces: tuple[Placed, ...] = ()


class _Parser:
    """One method a level of the grammar, loosest first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tuple(tokens(text))
        self.place = 0
        self.depth = 0

    def rule(self) -> RulePart:
        lines = self.lines()
        ways: list[Placed] = []
        narrowings: list[Placed] = []
        for line in lines:
            (ways if looks_somewhere(line.part) else narrowings).append(line)
        if not lines:
            raise self._error('the rule is empty; write a word, a "phrase", a @handle or a #tag', 0, len(self.text))
        if not ways:
            raise self._error(
                "a rule must look for something, and this one only excludes or limits; "
                'add a word, a "phrase", a @handle, a #tag or an author:',
                lines[0].start,
                lines[-1].end,
            )
        for way in ways:
            if not looks(way.part):
                start, end = _loose(way)
                raise self._error(
                    f'"{self.text[start:end]}" looks for nothing, so joined by OR it would let every post through; '
                    "give it a word to look for, or join it by AND",
                    start,
                    end,
                )
        either = _joined(Or, ways)
        return _joined(And, [either, *narrowings]).part

    def lines(self) -> list[Placed]:
        """What each line says, whether or not it looks for anything."""
        lines: list[Placed] = []
        self._skip_lines()
        while self.token.kind != "end":
            lines.append(self._either())
            if self.token.kind == ")":
                raise self._unopened()
            self._skip_lines()
        return lines

    def _either(self) -> Placed:
        parts = [self._every()]
        while self._takes("OR"):
            parts.append(self._every())
        return _joined(Or, parts)

    def _every(self) -> Placed:
        parts = [self._unary()]
        while self._takes("AND") or self.token.kind in ("part", "(", "-", "NOT"):
            parts.append(self._unary())
        return _joined(And, parts)

    def _unary(self) -> Placed:
        self._skip_lines()
        if self.token.kind not in ("NOT", "-"):
            return self._near()
        sign = self._take()
        self._go_deeper(sign)
        inner = self._unary()
        self.depth -= 1
        part = inner.part.part if isinstance(inner.part, Not) else Not(inner.part)
        return Placed(part, sign.start, inner.end, (inner,))

    def _near(self) -> Placed:
        left = self._primary()
        words = self.token.words
        if not self._takes("NEAR"):
            return left
        right = self._primary()
        if self.token.kind == "NEAR":
            raise self._error(
                "NEAR joins two, not three; write (a NEAR/3 b) AND (b NEAR/3 c)", self.token.start, self.token.end
            )
        return Placed(Near(self._terms(left), self._terms(right), words), left.start, right.end, (left, right))

    def _terms(self, side: Placed) -> tuple[Term, ...]:
        parts = side.part.parts if isinstance(side.part, Or) else (side.part,)
        terms = tuple(part for part in parts if isinstance(part, Term))
        if len(terms) != len(parts):
            raise self._error(
                "NEAR joins words and phrases, or several of them with OR in parentheses: gate NEAR/3 (agent OR desk)",
                side.start,
                side.end,
            )
        return terms

    def _primary(self) -> Placed:
        self._skip_lines()
        token = self._take()
        if token.part is not None:
            return Placed(token.part, token.start, token.end)
        if token.kind != "(":
            raise self._missing(token)
        self._go_deeper(token)
        if self.token.kind == ")":
            raise self._error("there is nothing in these parentheses; remove them", token.start, self.token.end)
        inner = self._either()
        if self.token.kind != ")":
            raise self._error('this "(" is never closed; add a ")" where it ends', token.start, token.end)
        self.depth -= 1
        return Placed(inner.part, token.start, self._take().end, inner.pieces)

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def _take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.place += 1
        return token

    def _skip_lines(self) -> None:
        while self.token.kind == "line":
            self.place += 1

    def _takes(self, operator: str) -> bool:
        """Take `operator` if it is next; a line that begins with an operator goes on where the one before ended."""
        place = self.place
        while self.tokens[place].kind == "line":
            place += 1
        if self.tokens[place].kind in ("AND", "OR", "NEAR"):
            self.place = place
        if self.token.kind != operator:
            return False
        self.place += 1
        return True

    def _go_deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(
                f"parentheses and NOTs are more than {DEEPEST} deep here; write the rule flatter",
                token.start,
                token.end,
            )

    def _missing(self, token: Token) -> RuleError:
        """Why no word stands where one must."""
        before = self.tokens[: self.tokens.index(token)]
        last = next((each for each in reversed(before) if each.kind != "line"), None)
        if last is not None and last.kind in ("AND", "OR", "NOT", "NEAR", "-"):
            return self._error(f"nothing follows this {last.kind}; add a word or remove it", last.start, last.end)
        if token.kind in ("AND", "OR", "NEAR"):
            return self._error(
                f'nothing stands before this {token.kind}; add a word, or quote it to look for it: "{token.kind}"',
                token.start,
                token.end,
            )
        return self._unopened() if token.kind == ")" else self._error("a word is missing here", token.start, token.end)

    def _unopened(self) -> RuleError:
        token = next(each for each in self.tokens[max(0, self.place - 1) :] if each.kind == ")")
        return self._error('this ")" closes nothing; remove it, or add a "(" before', token.start, token.end)

    def _error(self, reason: str, start: int, end: int) -> RuleError:
        return RuleError(reason, text=self.text, position=start, end=end)


def _joined(kind: type[And] | type[Or], pieces: Sequence[Placed]) -> Placed:
    """Several parts as one, flat: (a OR b) OR c is a OR b OR c."""
    if len(pieces) == 1:
        return pieces[0]
    parts: list[RulePart] = []
    for piece in pieces:
        parts.extend(piece.part.parts if isinstance(piece.part, kind) else (piece.part,))
    return Placed(kind(tuple(parts)), pieces[0].start, pieces[-1].end, tuple(pieces))


def _loose(parsed: Placed) -> tuple[int, int]:
    """The place of the alternative that looks for nothing."""
    if isinstance(parsed.part, Or):
        for piece in parsed.pieces:
            if not looks(piece.part):
                return _loose(piece)
    return parsed.start, parsed.end
