"""What is wrong with a rule that is being written: every fault with its place, one repair each, and the rule mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from models.errors import RuleError
from models.networks import BY_KEY
from models.rule_tokens import FIELD_ALIASES, FIELDS, FOREIGN_OPERATORS, LANGUAGE_NAMES, NETWORK_ALIASES, QUOTES
from models.rules import parse

# A rule with more than this has not been written yet.
MOST_FAULTS = 8
# More than this nobody throws away by one click.
LONGEST_REMOVED = 40

_NO_WORDS = re.compile(r"-|NOT\b|(?:lang|network|author):\S")
_JOINED = re.compile(r"\s+(?:AND|OR)\s+$")


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that takes a fault away: what stands in [start, end) becomes `text`. `words` name it on a button."""

    start: int
    end: int
    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at [start, end) of the text, on `line` and `column` (from 1). None = no one change takes it away."""

    start: int
    end: int
    line: int
    column: int
    reason: str
    repair: Repair | None


@dataclass(frozen=True, slots=True)
class Checked:
    """The faults of a text, in its order, and the text with all repairs made; None where that fails."""

    faults: tuple[Fault, ...]
    mended: str | None


def check(text: str) -> Checked:
    """Every fault of a rule: each is found after the one before it has been repaired."""
    faults: list[Fault] = []
    edits: list[Repair] = []
    mended = text
    for _ in range(MOST_FAULTS):
        error = fault_of(mended)
        if error is None:
            return Checked(_ordered(faults), mended)
        repair = _repair(mended, error)
        start, end = _original(edits, error.position), _original(edits, error.end)
        # What the reader of rules says about nothing at all points behind the text.
        start = min(start, len(text))
        line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
        shown = None
        if repair is not None:
            shown = Repair(_original(edits, repair.start), _original(edits, repair.end), repair.text, repair.words)
        faults.append(Fault(start, max(start, min(end, len(text))), line, column, error.reason, shown))
        if repair is None:
            return Checked(_ordered(faults), None)
        edits.append(repair)
        mended = _edited(mended, repair)
    return Checked(_ordered(faults), mended if fault_of(mended) is None else None)


def _ordered(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: fault.start))


def fault_of(text: str) -> RuleError | None:
    """The first fault of a rule; None where it reads."""
    try:
        parse(text)
    except RuleError as error:
        return error
    return None


def _repair(text: str, error: RuleError) -> Repair | None:
    """The first change that takes the fault away; best one that leaves what is wrong behind it alone, if anything."""
    second: Repair | None = None
    for repair in _candidates(text, error):
        mended = _edited(text, repair)
        if not mended.strip():
            continue
        after = fault_of(mended)
        if after is None or after.position + len(text) - len(mended) > error.position:
            return repair
        # A fault that stands before this one can be met after it: words are read before parentheses are counted.
        if second is None and after.reason != error.reason and after.position < error.position:
            second = repair
    return second


def _candidates(text: str, error: RuleError) -> Iterator[Repair]:
    start, end = error.position, min(error.end, len(text))
    wrong = text[start:end]
    if not wrong.strip():
        return
    if wrong[0] in QUOTES:
        line_end = text.find("\n", start)
        stop = len(text) if line_end == -1 else line_end
        if wrong.strip(QUOTES).strip() == "" and len(wrong) > 1:
            yield _without(text, start, end, "Remove it")
        # Where a closing parenthesis stands at the end of the line, the phrase most likely ends before it.
        stem = text[start:stop].rstrip()
        inside = stem.rstrip(")")
        if text.count("(", 0, start) > text.count(")", 0, start) and inside != stem and len(inside) > 1:
            yield Repair(start + len(inside), start + len(inside), '"', "Close the quote")
        yield Repair(start + len(stem), start + len(stem), '"', "Close the quote")
    elif wrong == "(" or (wrong[0] == "(" and wrong != "()"):
        yield Repair(len(text.rstrip()), len(text.rstrip()), ")", "Close it at the end")
    elif wrong.split("/")[0] == "NEAR":
        yield Repair(start, end, "NEAR/5", "Write NEAR/5")
    yield from _of_values(text, start, end)
    if wrong in FOREIGN_OPERATORS:
        yield Repair(start, end, FOREIGN_OPERATORS[wrong], f"Write {FOREIGN_OPERATORS[wrong]}")
    if wrong[-1] in ",;":
        yield Repair(end - 1, end, " OR", "Write OR")
        yield Repair(end - 1, end, "", f"Remove the {wrong[-1]}")
    if wrong[0] == "!" and len(wrong) > 1:
        yield Repair(start, start + 1, "-", f"Write -{wrong[1:]}")
    if wrong[0] == "+" and len(wrong) > 1:
        yield Repair(start, start + 1, "", f"Write {wrong[1:]}")
    if wrong not in ("AND", "OR", "NOT", "-", "(", ")") and "*" in wrong.rstrip("*"):
        yield Repair(start, end, wrong.replace("*", "") + "*", f"Write {wrong.replace('*', '')}*")
    if len(wrong) <= LONGEST_REMOVED:
        joined = _JOINED.search(text[:start])
        if joined and wrong not in ("AND", "OR", "NOT"):
            yield Repair(joined.start(), end, "", "Remove it")
        yield _without(text, start, end, "Remove it")
    if '"' not in wrong and "\n" not in wrong and not _NO_WORDS.match(wrong):
        yield Repair(start, end, f'"{wrong}"', "Quote it")


def _of_values(text: str, start: int, end: int) -> Iterator[Repair]:
    """A field, a language or a network by another name."""
    wrong = text[start:end]
    name = wrong.rstrip(":").lower()
    if wrong.endswith(":"):
        near = FIELD_ALIASES.get(name) or next(iter(get_close_matches(name, FIELDS, n=1)), None)
        if near:
            yield Repair(start, end, f"{near}:", f"Write {near}:")
        word = re.match(r"\S*", text[start:])
        stop = start + (word.end() if word else 0)
        yield Repair(start, stop, f'"{text[start:stop]}"', "Quote it")
    value = name.replace("_", "-")
    if value in LANGUAGE_NAMES:
        yield Repair(start, end, LANGUAGE_NAMES[value], f"Write {LANGUAGE_NAMES[value]}")
    if start and text[start - 1] in ":,":
        near = next(iter(get_close_matches(value, [*BY_KEY, *NETWORK_ALIASES], n=1)), "")
        network = NETWORK_ALIASES.get(value) or NETWORK_ALIASES.get(near) or near
        if network:
            yield Repair(start, end, network, f"Write {network}")


def _without(text: str, start: int, end: int, words: str) -> Repair:
    """Remove a part with the space before it, or behind it where it begins the line."""
    before = len(text[:start]) - len(text[:start].rstrip(" "))
    behind = len(text[end:]) - len(text[end:].lstrip(" "))
    is_first = start - before == 0 or text[start - before - 1] in "\n("
    return Repair(start, end + behind, "", words) if is_first else Repair(start - before, end, "", words)


def _edited(text: str, repair: Repair) -> str:
    return text[: repair.start] + repair.text + text[repair.end :]


def _original(edits: list[Repair], position: int) -> int:
    """Where a place of the mended text stands in the text as it was written."""
    for edit in reversed(edits):
        grown = len(edit.text) - (edit.end - edit.start)
        if position >= edit.start + len(edit.text):
            position -= grown
        elif position > edit.start:
            position = edit.start
    return position
