"""Rules and texts as hypothesis makes them up: few words, so that rules and texts meet often."""

from __future__ import annotations

from hypothesis import strategies as st

from models.folding import fold
from models.rule_tree import And, Author, Language, Near, Not, OnNetwork, Or, Rule, RulePart, Term
from models.rules import Subject, looks

_WORDS = (
    "fly",
    "flying",
    "delta",
    "del",
    "ab",
    "o'hare",
    "straße",
    "c++",
    "東京",
    "京都",
    "ทำ",
    "\U0001f600",
    "मैं",
    "7",
)
_LANGUAGES = ("en", "de", "pt", "pt-br", "und")
_NETWORKS = ("x", "reddit", "other")
_HANDLES = ("delta", "united", "a.b@c.social")

# Folded as the parser folds, so that a rule made of these can be written and read again.
literals = st.one_of(
    st.sampled_from([fold(word) for word in _WORDS]),
    st.sampled_from(["@delta", "#delta", "@del", "#fly"]),
    st.lists(st.sampled_from(("fly", "delta", "ab", "東京")), min_size=2, max_size=3).map(" ".join),
)
terms = st.one_of(
    st.builds(Term, literals),
    st.builds(Term, st.sampled_from(("fly", "del", "@del", "#fl", "fly de", "東京")), st.just(True)),
)
near = st.builds(
    Near,
    st.lists(terms, min_size=1, max_size=3).map(tuple),
    st.lists(terms, min_size=1, max_size=3).map(tuple),
    st.integers(0, 4),
)


def _some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


leaves: st.SearchStrategy[RulePart] = st.one_of(
    terms,
    terms,
    near,
    _some(_HANDLES).map(Author),
    _some(_LANGUAGES).map(Language),
    _some(_NETWORKS).map(OnNetwork),
)


def _joined(kind: type[And] | type[Or], parts: list[RulePart]) -> RulePart:
    flat: list[RulePart] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def _larger(parts: st.SearchStrategy[RulePart]) -> st.SearchStrategy[RulePart]:
    several = st.lists(parts, min_size=2, max_size=4)
    return st.one_of(
        several.map(lambda each: _joined(And, each)),
        several.map(lambda each: _joined(Or, each)),
        parts.map(lambda part: part.part if isinstance(part, Not) else Not(part)),
    )


rules = st.recursive(leaves, _larger, max_leaves=12).filter(looks).map(Rule)

_pieces = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(("@delta", "#delta", "Fly", "DELTA", "flydelta", "delta's", "tokyo", "and", "STRASSE", "me@delta")),
    st.sampled_from((" ", " ", " ", "\n", "\u00a0", ".", ",", "-", "_", "\u200d", "\u2019", "\u0301")),
)
texts = st.lists(_pieces, max_size=14).map("".join) | st.lists(_pieces, max_size=10).map(" ".join)
subjects = st.builds(
    Subject,
    texts,
    st.none() | st.sampled_from(("delta", "@United", "someone", "a.b@c.social")),
    st.none() | st.sampled_from(("en", "de", "pt", "pt-BR", "pt_br")),
    st.sampled_from(_NETWORKS),
)
