"""What the full-text index and the columns can say about a search: conditions that hold for all that it finds.

A condition may let more through, never less, since what it lets through is asked again. See models/search.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.folding import KIND, NO_WORD, UNSPACED
from models.networks import BY_KEY
from models.rule_tree import UNKNOWN, And, Author, Language, Near, Not, OnNetwork, Or, Rule, RulePart, Term

# What PostgreSQL searches through, letter by letter as its index has it.
DOCUMENT = "to_tsvector('simple', m.text || ' ' || coalesce(m.author_handle, '') || ' ' || coalesce(m.author_name, ''))"

Bind = Callable[[Any], str]
"""Keeps a value and gives the mark that stands for it in SQL."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What every post that a rule finds fulfils, as SQL: `index` is a condition of the full-text index, `plain` others.

    `index` is "" where the index cannot help.
    """

    index: str
    plain: str


def sieve(rule: Rule, dialect: str, bind: Bind) -> Sieve:
    """The conditions that the databases can look up; `bind` keeps a value and gives its mark."""
    compiler = _SQLITE if dialect == "sqlite" else _POSTGRES
    expression = _index(rule.root, compiler, bind)
    plain = _plain(rule.root, bind)
    if expression is None:
        return Sieve("", plain or "")
    if dialect == "sqlite":
        return Sieve(f"t.mention_text match {bind(expression)}", plain or "")
    return Sieve(f"{DOCUMENT} @@ ({expression})", plain or "")


# -- what the index can propose ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compiler:
    """How one database writes a word of the text, a handle, and the two joints."""

    term: Callable[[str, bool, Bind], str]
    author: Callable[[str, Bind], str]
    both: str
    either: str


def _index(part: RulePart, compiler: _Compiler, bind: Bind) -> str | None:
    """An expression that holds wherever the part does; None where there is none that helps."""
    if isinstance(part, Term):
        return _term(part, compiler, bind)
    if isinstance(part, Author):
        return _joined([compiler.author(name, bind) for name in part.handles if _has_words(name)], compiler.either)
    if isinstance(part, Near):
        # How many words stand between, the index counts otherwise.
        return _every([_any_of(part.left, compiler, bind), _any_of(part.right, compiler, bind)], compiler)
    if isinstance(part, And):
        return _every([_index(each, compiler, bind) for each in part.parts], compiler)
    if isinstance(part, Or):
        return _any_of(part.parts, compiler, bind)
    # What a word excludes the index would exclude too widely: it finds `delta` in delta_force, where no rule does.
    return None


def _every(parts: Sequence[str | None], compiler: _Compiler) -> str | None:
    return _joined([part for part in parts if part is not None], compiler.both)


def _any_of(parts: Sequence[RulePart], compiler: _Compiler, bind: Bind) -> str | None:
    found = [_index(part, compiler, bind) for part in parts]
    return None if None in found else _joined([part for part in found if part is not None], compiler.either)


def _joined(parts: Sequence[str], joint: str) -> str | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"


def _term(term: Term, compiler: _Compiler, bind: Bind) -> str | None:
    if not _has_words(term.literal) or any(KIND[character] == UNSPACED for character in term.literal):
        return None
    return _joined([compiler.term(form, term.prefix, bind) for form in _forms(term.literal)], compiler.either)


def _has_words(literal: str) -> bool:
    return any(character.isalnum() for character in literal)


def _forms(literal: str) -> tuple[str, ...]:
    """The spellings of a folded word that the index keeps apart: decomposed letters, ß for ss, a sigma that ends."""
    forms = dict.fromkeys((literal, literal.replace("ss", "ß"), _with_final_sigmas(literal)))
    return tuple(dict.fromkeys(form for each in forms for form in (each, unicodedata.normalize("NFD", each))))


def _with_final_sigmas(literal: str) -> str:
    if "σ" not in literal:
        return literal
    following = (*literal[1:], " ")
    return "".join(
        "ς" if one == "σ" and KIND[after] == NO_WORD else one for one, after in zip(literal, following, strict=True)
    )


def _quoted(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def _sqlite_term(literal: str, is_prefix: bool, _: Bind) -> str:
    return f"text : {_quoted(literal)}{' *' if is_prefix else ''}"


def _sqlite_author(name: str, _: Bind) -> str:
    return f"author_handle : {_quoted(name)}"


def _postgres_term(literal: str, is_prefix: bool, bind: Bind) -> str:
    # Its words in any order: the index holds no places, and to look them up costs more than to ask the rule.
    if not is_prefix:
        return f"plainto_tsquery('simple', {bind(literal)})"
    start = len(literal)
    while start and KIND[literal[start - 1]] != NO_WORD and literal[start - 1] != "_":
        start -= 1
    last = literal[start:].replace("\\", "\\\\").replace("'", "''")
    parts = [f"plainto_tsquery('simple', {bind(literal[:start])})"] if _has_words(literal[:start]) else []
    if _has_words(last):
        prefix = f"'{last}':*"
        parts.append(f"to_tsquery('simple', {bind(prefix)})")
    return " && ".join(parts)


def _postgres_author(name: str, bind: Bind) -> str:
    return f"(plainto_tsquery('simple', {bind(name)}) || plainto_tsquery('simple', {bind('@' + name)}))"


_SQLITE = _Compiler(_sqlite_term, _sqlite_author, " AND ", " OR ")
_POSTGRES = _Compiler(_postgres_term, _postgres_author, " && ", " || ")


# -- what columns say ---------------------------------------------------------------------------------------


def _plain(part: RulePart, bind: Bind) -> str | None:
    """A condition on language and network that holds wherever the part does; None where there is none."""
    if isinstance(part, And):
        return _joined([each for each in (_plain(one, bind) for one in part.parts) if each is not None], " and ")
    if isinstance(part, Or):
        found = [_plain(one, bind) for one in part.parts]
        return None if None in found else _joined([each for each in found if each is not None], " or ")
    if isinstance(part, Not):
        exact = _exactly(part.part, bind)
        return None if exact is None else f"not {exact}"
    return _exactly(part, bind)


def _exactly(part: RulePart, bind: Bind) -> str | None:
    """The condition that a limit is; None for what is more than that."""
    if isinstance(part, OnNetwork):
        return f"m.network_id in ({', '.join(bind(BY_KEY[key].id) for key in part.keys)})"
    if not isinstance(part, Language):
        return None
    language = f"replace(lower(coalesce(m.language, '{UNKNOWN}')), '_', '-')"
    ways = [f"{language} = {bind(code)} or {language} like {bind(code + '-%')}" for code in part.codes]
    return f"({' or '.join(ways)})"
