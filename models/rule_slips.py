"""Words that are one edit away from a word of a rule: what people type for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

# A shorter word is one letter away from too many others.
SHORTEST = 5

_EDGE = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())


def bare_words(folded: str) -> set[str]:
    """The words of a folded text without the signs around them."""
    return {part.strip(_EDGE) for part in set(folded.split())}


def slips(meant: Collection[str], texts: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Words of folded texts that are one edit from a word of `meant`, with that word; none that is `known`."""
    heads: dict[str, list[str]] = {}
    tails: dict[str, list[str]] = {}
    for word in meant:
        # One edit in five letters or more leaves the first two or the last two as they are.
        heads.setdefault(word[:2], []).append(word)
        tails.setdefault(word[-2:], []).append(word)
    found: dict[str, str] = {}
    for word in bare_words(" ".join(texts)):
        near = heads.get(word[:2], []) + tails.get(word[-2:], [])
        if near and len(word) >= SHORTEST - 1 and word.isalpha() and word not in known:
            right = next((each for each in near if is_one_edit(word, each)), None)
            if right is not None:
                found[word] = right
    return found


def is_one_edit(a: str, b: str) -> bool:
    """Whether one letter more, less, other, or two neighbours swapped make one word of the other."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if len(a) > len(b):
        a, b = b, a
    start = next((i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), len(a))
    if len(a) < len(b):
        return a[start:] == b[start + 1 :]
    return a[start + 1 :] == b[start + 1 :] or (
        a[start : start + 2] == b[start : start + 2][::-1] and a[start + 2 :] == b[start + 2 :]
    )
