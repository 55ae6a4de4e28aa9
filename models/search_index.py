"""What the full-text index and the columns can say about a search: conditions that hold for all that it finds.

A condition may let more through, never less, since what it lets through is asked again. See models/search.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.folding import KIND, NO_WORD, UNSPACED, WORD, words_alone
from models.networks import BY_KEY
from models.rule_tree import UNKNOWN, And, Author, Language, Near, Not, OnNetwork, Or, Rule, RulePart, Term

# PostgreSQL refuses a word of more than 2,046 bytes: what stands behind so many letters its index does not know.
LONGEST_WORD = 500

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
    expression = _index(rule.root, compiler)
    plain = _plain(rule.root, bind)
    if expression is None:
        return Sieve("", plain or "")
    if dialect == "sqlite":
        return Sieve(f"t.mention_text match {bind(expression)}", plain or "")
    return Sieve(f"m.words @@ cast({bind(expression)} as tsquery)", plain or "")


def words_of(text: str, author_handle: str | None) -> str:
    """The words of a post as `mention.words` holds them on PostgreSQL, which reads each of them once.

    They hold neither quotes nor marks, so that with blanks between them they are a tsvector as they are.
    """
    words = words_alone(f"{text} {author_handle}" if author_handle else text)
    return words if len(words) <= LONGEST_WORD else " ".join(_cut(words))


def _cut(words: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in words.split()]


# -- what the index can propose ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compiler:
    """How one database writes what the text says, a handle, and the two joints; None where it knows no word of it."""

    term: Callable[[str, bool], str | None]
    author: Callable[[str], str | None]
    both: str
    either: str


def _index(part: RulePart, compiler: _Compiler) -> str | None:
    """An expression that holds wherever the part does; None where there is none that helps."""
    if isinstance(part, Term):
        return _term(part, compiler)
    if isinstance(part, Author):
        return _either([compiler.author(name) for name in part.handles], compiler)
    if isinstance(part, Near):
        # How many words stand between, the index counts otherwise.
        return _every([_any_of(part.left, compiler), _any_of(part.right, compiler)], compiler)
    if isinstance(part, And):
        return _every([_index(each, compiler) for each in part.parts], compiler)
    if isinstance(part, Or):
        return _any_of(part.parts, compiler)
    # What a word excludes the index would exclude too widely: it finds `delta` in delta_force, where no rule does.
    return None


def _every(parts: Sequence[str | None], compiler: _Compiler) -> str | None:
    return _joined([part for part in parts if part is not None], compiler.both)


def _any_of(parts: Sequence[RulePart], compiler: _Compiler) -> str | None:
    return _either([_index(part, compiler) for part in parts], compiler)


def _either(parts: Sequence[str | None], compiler: _Compiler) -> str | None:
    return None if None in parts else _joined([part for part in parts if part is not None], compiler.either)


def _joined(parts: Sequence[str], joint: str) -> str | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"


def _term(term: Term, compiler: _Compiler) -> str | None:
    if any(KIND[character] == UNSPACED for character in term.literal):
        return None
    return compiler.term(term.literal, term.prefix)


def _has_words(literal: str) -> bool:
    return any(character.isalnum() for character in literal)


def _forms(literal: str) -> tuple[str, ...]:
    """The spellings of a folded word that SQLite's index keeps apart: decomposed letters, ß for ss, a last sigma."""
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


def _sqlite_term(literal: str, is_prefix: bool) -> str | None:
    if not _has_words(literal):
        return None
    return _joined([f"text : {_quoted(form)}{' *' if is_prefix else ''}" for form in _forms(literal)], " OR ")


def _sqlite_author(name: str) -> str | None:
    return f"author_handle : {_quoted(name)}" if _has_words(name) else None


def _postgres_term(literal: str, is_prefix: bool) -> str | None:
    # Its words in any order: the index holds no places, and to look them up costs more than to ask the rule.
    found = [f"'{word}'" for word in _cut(words_alone(literal))]
    if is_prefix and found and KIND[literal[-1]] == WORD:
        found[-1] += ":*"
    return _joined(found, " & ")


def _postgres_author(name: str) -> str | None:
    return _postgres_term(name, False)


_SQLITE = _Compiler(_sqlite_term, _sqlite_author, " AND ", " OR ")
_POSTGRES = _Compiler(_postgres_term, _postgres_author, " & ", " | ")


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
