"""What the page of the rules says of a rule that is being tried: posts, near misses and examples as plain JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dashboard.panels.feed import TEXT_SHOWN
from models.folding import highlights
from models.networks import BY_ID, BY_KEY
from models.rule_desk import Example
from models.rule_faults import Checked, Repair
from models.rule_near import Miss, Missed, Ways, addition
from models.rule_tree import Not, words_at
from models.rule_trial import Post, words_of
from models.rules import Reading, Rule

HIT, STRUCK = 1, 2
LINE_SHOWN = 60
WORDS_SHOWN = 3


def utf16(text: str, position: int) -> int:
    """A place in a text as a browser counts it."""
    return len(text[:position].encode("utf-16-le", "surrogatepass")) // 2


def repair_of(text: str, repair: Repair | None) -> dict[str, Any] | None:
    """A repair as the editor makes it."""
    if repair is None:
        return None
    start, end = utf16(text, repair.start), utf16(text, repair.end)
    return {"start": start, "end": end, "text": repair.text, "words": repair.words}


def errors_of(text: str, checked: Checked) -> list[dict[str, Any]]:
    """Each fault with its place, its words and one repair."""
    return [
        {
            "start": utf16(text, fault.start),
            "end": utf16(text, fault.end),
            "line": fault.line,
            "column": fault.column,
            "words": _sentence(fault.reason),
            "repair": repair_of(text, fault.repair),
        }
        for fault in checked.faults
    ]


def read_as(text: str, checked: Checked) -> str:
    """How a rule with faults was read instead; "" where it has none."""
    if not checked.faults:
        return ""
    if checked.mended is None:
        return "This cannot be read yet: mend the error first."
    before, after = text.split("\n"), checked.mended.split("\n")
    changed = [n for n, pair in enumerate(zip(before, after, strict=False), start=1) if pair[0] != pair[1]]
    if len(before) == len(after) and len(changed) == 1:
        return f"With line {changed[0]} read as “{_short(after[changed[0] - 1].strip())}”"
    lines = sorted({fault.line for fault in checked.faults})
    return f"With the {'error' if len(checked.faults) == 1 else 'errors'} in line {_and(lines)} mended"


def row(post: Post, words: Sequence[str], *, is_new: bool = False, struck: Collection[str] = ()) -> dict[str, Any]:
    """One post of the preview."""
    network = BY_ID.get(post.network_id)
    handle = (post.handle or post.name or "").strip()
    return {
        "id": str(post.id),
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "text": cut(post.text, words, struck),
        "whole": post.text[:TEXT_SHOWN],
        "lang": post.language or "",
        "who": f"@{handle}" if handle.replace("_", "").isalnum() else handle[:LINE_SHOWN],
        "at": post.posted_at.isoformat(),
        "fresh": is_new,
    }


def cut(text: str, words: Sequence[str], struck: Collection[str] = ()) -> list[list[Any]]:
    """The text cut where words begin and end: [piece, 0 plain, 1 matched, 2 struck out]."""
    clipped = " ".join(text[:TEXT_SHOWN].split())
    spans = [(*span, HIT) for span in highlights(clipped, [word for word in words if word not in struck])]
    spans += [(*span, STRUCK) for span in highlights(clipped, struck)]
    pieces: list[list[Any]] = []
    at = 0
    for start, end, kind in sorted(spans):
        if start < at:
            continue
        if start > at:
            pieces.append([clipped[at:start], 0])
        pieces.append([clipped[start:end], kind])
        at = end
    if at < len(clipped):
        pieces.append([clipped[at:], 0])
    return pieces


def near(missed: Missed, text: str, of: int) -> dict[str, Any]:
    """The near misses: how many of each kind, and a few with what would bring them in."""
    parts = []
    if missed.half:
        parts.append(f"{_posts(missed.half)} one of the halves")
    if missed.letter:
        parts.append(f"{missed.letter:,} one letter off")
    if missed.shut:
        parts.append(f"{missed.shut:,} shut out")
    rows = [_miss(item, text, of) for item in missed.shown]
    return {"words": ", ".join(parts) or "none", "rows": rows}


def _miss(item: Miss, text: str, of: int) -> dict[str, Any]:
    struck = (item.word,) if item.word and item.kind != "half" else ()
    words: list[list[Any]]
    if item.kind == "half":
        has = _quoted(item.words)
        words = [[f"has {has}, lacks a word of line {item.line}" if has else f"lacks a word of line {item.line}", 0]]
        if item.word:
            words += [[": ", 0], [f"“{item.word}”", 1], [f" in {item.count:,} of {of:,}.", 0]]
    elif item.kind == "letter":
        times = "once" if item.count == 1 else f"{item.count:,} times"
        words = [[f"one letter off “{item.meant}”: “{item.word}” {times} in {of:,}.", 0]]
    else:
        because = f"“{item.word}”, " if item.word else f"{_short(item.lacks)}, "
        words = [[f"shut out by line {item.line}: {because}{item.count:,} in {of:,}", 0]]
    return row(item.post, item.words, struck=struck) | {
        "kind": item.kind,
        "why": words,
        "repair": repair_of(text, item.repair),
    }


def example(
    item: Example, rule: Rule | None, ways: Ways | None, text: str, hints: Mapping[int, tuple[str, ...]]
) -> dict[str, Any]:
    """One example with whether it passes against the rule as it stands in the editor, and why not."""
    said: dict[str, Any] = {
        "id": str(item.id),
        "must": item.must_match,
        "text": " ".join(item.subject.text.split()),
        "network": BY_KEY[item.subject.network].name if item.subject.network in BY_KEY else "",
        "pinned": item.mention_id is not None,
        "by": item.actor,
        "at": item.at.isoformat(),
        "passes": None,
        "why": "",
        "repair": None,
    }
    if rule is None or ways is None:
        return said
    found = rule.matches(item.subject)
    said["passes"] = (found is not None) == item.must_match
    if said["passes"]:
        return said
    if found is not None:
        said["why"] = f"matches by {_quoted(found)}" if found else "matches by its author"
        return said
    reading = Reading(item.subject)
    failing = ways.failing(reading)
    if failing is None:
        said["why"] = "too little of the rule is in it"
        return said
    line = ways.line(failing.piece)
    if failing.kind == "half":
        there = words_of(reading.folded)
        word = next((hint for hint in hints.get(failing.piece.start, ()) if hint in there), "")
        said["why"] = f"“{word}” is no word of line {line}." if word else f"no word of line {line} is in it"
        said["repair"] = repair_of(text, addition(failing.piece, None, word, ways.text)) if word else None
        return said
    inner = failing.piece.part.part if isinstance(failing.piece.part, Not) else None
    spans = list(inner.evidence(reading)) if inner is not None else []
    because = f": {_quoted(words_at(reading.folded, spans))}" if spans else ""
    said["why"] = f"shut out by line {line}{because}"
    return said


def _posts(count: int) -> str:
    return "1 post has" if count == 1 else f"{count:,} posts have"


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words[:WORDS_SHOWN])


def _short(text: str) -> str:
    return text if len(text) <= LINE_SHOWN else f"{text[: LINE_SHOWN - 1]}…"


def _and(lines: Sequence[int]) -> str:
    listed = [str(line) for line in lines]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "?", "!")) else f"{reason}."
