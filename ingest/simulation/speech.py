"""What people write: sentences with slots from words/<language>.toml, filled in by chance.

A file has `openings` and `closings` by mood, `slots` that a sentence names in braces, sentences by mood for each
sector (directly, or by theme: [bank.card]), for each event ([event.card_outage]), for news ([article.bank]) and
for `noise`. {brand}, {product} and {city} come from the post.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from ingest.simulation.dice import Draw
from ingest.simulation.world import MOODS, NOISE

LANGUAGES = ("en", "de", "nl", "es", "pt", "ja", "fr")

_SLOT = re.compile(r"\{(\w+)\}")
_GIVEN = {"brand": 0, "product": 1, "city": 2}
# How often a sentence is led in, followed by a second one, and rounded off.
_OPENING, _SECOND, _CLOSING = (int(share * 65536) for share in (0.34, 0.16, 0.42))
_SECOND_WHERE_LONG = int(0.62 * 65536)
# Sentences of these languages are joined without a space.
_CLOSE_SET = {"ja"}

Given = tuple[Sequence[str], Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Template, ...]


_Part: TypeAlias = "str | int | _Choice"
_Template: TypeAlias = "str | tuple[_Part, ...]"
_ByMood: TypeAlias = tuple[tuple[_Template, ...], ...]


@dataclass(frozen=True, slots=True)
class Speech:
    """One language. Tables are by theme, then by mood in the order of world.MOODS."""

    language: str
    openings: _ByMood
    closings: _ByMood
    sectors: Mapping[str, tuple[_ByMood, ...]]
    events: Mapping[str, _ByMood]
    articles: Mapping[str, _ByMood]

    def post(self, draw: Draw, given: Given, *, sector: str, mood: int, event: str | None, is_long: bool) -> str:
        """What somebody writes about a brand of `sector`, of an event where the language has words for it."""
        table = self.events.get(event) if event else None
        if table is None:
            themes = self.sectors[sector]
            table = themes[draw() * len(themes) >> 16]
        bodies = table[mood]
        first = draw() * len(bodies) >> 16
        text = _sentence(bodies[first], draw, given)
        if sector == NOISE:
            return text
        gap = "" if self.language in _CLOSE_SET else " "
        if draw() < _OPENING:
            openings = self.openings[mood]
            text = f"{_sentence(openings[draw() * len(openings) >> 16], draw, given)}{gap}{text}"
        if draw() < (_SECOND_WHERE_LONG if is_long else _SECOND) and len(bodies) > 1:
            # Never the same sentence twice.
            other = (first + 1 + (draw() * (len(bodies) - 1) >> 16)) % len(bodies)
            text = f"{text}{gap}{_sentence(bodies[other], draw, given)}"
        if draw() < _CLOSING:
            closings = self.closings[mood]
            text = f"{text}{gap}{_sentence(closings[draw() * len(closings) >> 16], draw, given)}"
        return text

    def article(self, draw: Draw, given: Given, *, sector: str, mood: int) -> str:
        """What a newspaper writes about a brand of `sector`; only languages with `articles` have newspapers."""
        options = self.articles[sector][mood]
        return _sentence(options[draw() * len(options) >> 16], draw, given)


def _sentence(template: _Template, draw: Draw, given: Given) -> str:
    if isinstance(template, str):
        return template
    said: list[str] = []
    _say(template, draw, given, said)
    first = said[0]
    if first[0].islower():
        said[0] = first[0].upper() + first[1:]
    return "".join(said)


def _say(template: tuple[_Part, ...], draw: Draw, given: Given, said: list[str]) -> None:
    for part in template:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, int):
            names = given[part]
            said.append(names[draw() * len(names) >> 16])
        else:
            options = part.options
            option = options[draw() * len(options) >> 16]
            if isinstance(option, str):
                said.append(option)
            else:
                _say(option, draw, given, said)


@cache
def speech(language: str) -> Speech:
    """The words of one of LANGUAGES, read once."""
    text = files("ingest.simulation").joinpath("words", f"{language}.toml").read_text("utf-8")
    words = tomllib.loads(text)
    compiled: dict[str, _Choice] = {}

    def template(sentence: str) -> _Template:
        parts: list[_Part] = []
        for number, piece in enumerate(_SLOT.split(sentence)):
            if number % 2 == 0:
                if piece:
                    parts.append(piece)
            else:
                parts.append(_GIVEN[piece] if piece in _GIVEN else choice(piece))
        return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else tuple(parts)

    def choice(slot: str) -> _Choice:
        if slot not in compiled:
            compiled[slot] = _Choice(tuple(map(template, words["slots"][slot])))
        return compiled[slot]

    return Speech(
        language=language,
        openings=_by_mood(words["openings"], template),
        closings=_by_mood(words["closings"], template),
        sectors={
            sector: tuple(_by_mood(theme, template) for theme in _themes(words[sector]))
            for sector in ("bank", "cars", "retail", "mobility", NOISE)
        },
        events={key: _by_mood(table, template) for key, table in words["event"].items()},
        articles={key: _by_mood(table, template) for key, table in words.get("article", {}).items()},
    )


def _themes(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [table] if isinstance(next(iter(table.values())), list) else list(table.values())


def _by_mood(table: Mapping[str, Sequence[str]], template: Callable[[str], _Template]) -> _ByMood:
    # A mood without words of its own speaks plainly.
    return tuple(tuple(map(template, table.get(mood) or table["neutral"])) for mood in MOODS)
