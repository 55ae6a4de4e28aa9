"""What is looked at in a text before it goes out: each check says what it found and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import stopwordsiso

from models.text_length import has_link, length, without_links
from models.wording import first_said, plain

OFF, WARN, BLOCK, OK = "off", "warn", "block", "ok"
# The checks in the order of the screen, and how strictly each is taken where no policy says otherwise.
LEVELS: Mapping[str, str] = {
    "length": BLOCK,
    "greeting": WARN,
    "sign_off": WARN,
    "forbidden": BLOCK,
    "language": WARN,
    "promise": WARN,
    "statement": BLOCK,
    "link_cost": WARN,
}
NAMES = tuple(LEVELS)
# Of a statement, what is long enough to be a quotation.
SHORTEST_QUOTE = 24
# Function words that must be said before a language is told, and by how much it must lead.
FEWEST_WORDS = 3
# Languages that a text may be in by mistake, whoever writes.
TOLD_APART = frozenset({"en", "de", "nl", "fr", "es", "pt", "it"})
LEAD = 1.3


@dataclass(frozen=True, slots=True)
class Voice:
    """How an account speaks. Greeting and sign-off may hold {fields}, which stand for any short word or two."""

    greeting: str = ""
    sign_off: str = ""
    forbidden: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Voice:
        """The voice that the row of an account holds."""
        given = row or {}

        def listed(name: str) -> tuple[str, ...]:
            value = given.get(name)
            return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()

        return cls(
            str(given.get("greeting") or ""),
            str(given.get("sign_off") or ""),
            listed("forbidden"),
            listed("languages"),
        )


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is said about an open incident: the statement in use, its number (reply.statement_id) and its label, and the
    texts that were in use before it. `text` empty = it was withdrawn and none took its place."""

    incident: str
    id: int
    label: str
    text: str
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a text is held against. `language` is the customer's; prices are dollars for an answer, without and with
    a link, None where the network takes nothing."""

    network: str
    voice: Voice = Voice()
    language: str | None = None
    statement: Pinned | None = None
    price: float | None = None
    price_with_link: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """`verdict` is ok, warn or block; `words` say why, to the person who writes."""

    name: str
    verdict: str
    words: str


def check(text: str, context: Context, levels: Mapping[str, str] = LEVELS) -> tuple[Check, ...]:
    """Every check that is not off, in the order of LEVELS."""
    checks = []
    for name, look in _LOOKS.items():
        level = levels.get(name, LEVELS[name])
        if level == OFF:
            continue
        is_fine, words = look(text, context)
        checks.append(Check(name, OK if is_fine else level, words))
    return tuple(checks)


def blocking(checks: Sequence[Check]) -> tuple[str, ...]:
    """The words of the checks that keep the text from going on."""
    return tuple(item.words for item in checks if item.verdict == BLOCK)


Found = tuple[bool, str]


def _length(text: str, context: Context) -> Found:
    measured = length(text, context.network)
    if not text.strip():
        return False, "There is no text yet."
    if measured.allowed is None:
        return True, f"{measured.used:,} {measured.unit}."
    if measured.is_too_long:
        over = measured.used - measured.allowed
        return False, f"{over:,} too many: {measured.used:,} of {measured.allowed:,} {measured.unit}."
    return True, f"{measured.used:,} of {measured.allowed:,} {measured.unit}."


def _greeting(text: str, context: Context) -> Found:
    wanted = context.voice.greeting
    if not wanted:
        return True, "The voice guide asks for no greeting."
    # On X and its like the handle of whom is answered may stand first.
    said = re.sub(r"^(?:@[\w.@-]+\s+)+", "", plain(text))
    is_there = re.match(_shape(wanted), said) is not None
    return is_there, f"Begins with “{wanted}”." if is_there else f"The voice guide begins an answer with “{wanted}”."


def _sign_off(text: str, context: Context) -> Found:
    wanted = context.voice.sign_off
    if not wanted:
        return True, "The voice guide asks for no sign-off."
    is_there = re.search(_shape(wanted) + r"[\s.!]*$", plain(text)) is not None
    return is_there, f"Ends with “{wanted}”." if is_there else f"The voice guide ends an answer with “{wanted}”."


def _forbidden(text: str, context: Context) -> Found:
    word = first_said(text, context.voice.forbidden)
    return word is None, "No forbidden word." if word is None else f"The voice guide never says “{word}”."


def _language(text: str, context: Context) -> Found:
    if context.language is None:
        return True, "The customer's language is not known."
    theirs = context.language.split("-")[0]
    ours = language_of(text, {theirs, *context.voice.languages, *TOLD_APART})
    if ours is None:
        return True, "Too short to tell its language."
    if ours == theirs:
        return True, f"In the customer's language ({theirs})."
    return False, f"The customer writes “{theirs}”, this reads as “{ours}”."


def _promise(text: str, context: Context) -> Found:
    read = plain(text)
    for what, pattern in _PROMISES:
        found = pattern.search(read)
        if found is not None:
            return False, f"Promises {what}: “{found.group().strip()}”. Is it yours to promise?"
    return True, "Promises neither time nor money."


def _statement(text: str, context: Context) -> Found:
    pinned = context.statement
    if pinned is None:
        return True, "No statement is pinned here."
    name = f"the statement {pinned.label} on “{pinned.incident}”"
    current = plain(pinned.text)
    for earlier in pinned.earlier:
        old = next((part for part in quoted(text, earlier) if part not in current), None)
        if old is not None:
            return False, f"Quotes an earlier statement (“{old[:60]}”); {name} says otherwise now."
    strange = [figure for figure in _figures(text) if figure not in _figures(pinned.text)]
    if strange and _figures(pinned.text):
        return False, f"Names “{strange[0]}”, which {name} does not."
    return True, f"Agrees with {name}."


def _link_cost(text: str, context: Context) -> Found:
    if context.price_with_link is None or context.price is None:
        return True, "This network takes nothing for an answer."
    if not has_link(text) or context.price_with_link <= context.price:
        return True, f"Costs {context.price:.3f} dollars."
    return False, f"With a link it costs {context.price_with_link:.3f} dollars instead of {context.price:.3f}."


_LOOKS: Mapping[str, Callable[[str, Context], Found]] = {
    "length": _length,
    "greeting": _greeting,
    "sign_off": _sign_off,
    "forbidden": _forbidden,
    "language": _language,
    "promise": _promise,
    "statement": _statement,
    "link_cost": _link_cost,
}


def quoted(text: str, statement: str) -> tuple[str, ...]:
    """The sentences of a statement that a text repeats word for word, as they are compared."""
    read = plain(text)
    sentences = re.split(r"(?<=[.!?。！？])\s+|\n+", statement)
    return tuple(part for part in map(plain, sentences) if len(part) >= SHORTEST_QUOTE and part.rstrip(".!") in read)


def language_of(text: str, among: set[str]) -> str | None:
    """Which of the languages a text is in, by its script and its function words; None where that does not tell."""
    read = plain(without_links(text))
    for code, pattern in _SCRIPTS:
        if code in among and len(pattern.findall(read)) >= FEWEST_WORDS:
            return code
    words = re.findall(r"[^\W\d_]+", re.sub(r"[@#]\S+", " ", read))
    ranked = sorted(((sum(word in _function_words(code) for word in words), code) for code in among), reverse=True)
    if not ranked or ranked[0][0] < FEWEST_WORDS:
        return None
    if len(ranked) > 1 and ranked[0][0] < LEAD * ranked[1][0]:
        return None
    return ranked[0][1]


@cache
def _function_words(code: str) -> frozenset[str]:
    return frozenset(stopwordsiso.stopwords(code)) if stopwordsiso.has_lang(code) else frozenset()


@cache
def _shape(wanted: str) -> str:
    parts = re.split(r"\{[^{}]*\}", plain(wanted))
    return r"[^\n]{1,40}?".join(re.escape(part.strip()) if len(parts) == 1 else re.escape(part) for part in parts)


_TIME = r"\b\d{1,2}[:.h]\d{2}\b(?:\s?[ap]m)?|\b\d{1,2}\s?[ap]m\b"
_MONEY = r"(?:[€$£¥₹]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:€|£|eur|euros?|usd|dollars?|gbp|pounds?|kr|chf)(?!\w))"


def _figures(text: str) -> list[str]:
    found = re.findall(rf"{_MONEY}|{_TIME}|\b\d[\d.,]*\s?%", plain(text))
    return [re.sub(r"\s|[.,]$", "", item).replace(".", ":") for item in found]


_UNIT = (
    r"(?:minut\w*|min|hours?|hrs?|days?|weeks?|months?|uur|uren|dag\w*|we[ek]k?\w*|maand\w*|stunden?|tag\w*|woche\w*"
    r"|heures?|jours?|semaines?|horas?|d[ií]as?|semanas?|ore|giorni|settiman\w*)"
)
_PROMISES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("money", re.compile(_MONEY)),
    (
        "money",
        re.compile(
            r"\b(?:(?:full |partial )?refund(?:s|ed)?|reimburse\w*|compensat\w*|vouchers?|free of charge|terugbetal\w*"
            r"|vergoed\w*|schadevergoeding|gratis|erstatt\w*|gutschein\w*|entschädig\w*|kostenlos\w*|rembours\w*"
            r"|indemnis\w*|reembols\w*|indemniz\w*|rimbors\w*)\b"
        ),
    ),
    (
        "a time",
        re.compile(
            rf"\b(?:within|in|binnen|innerhalb(?: von)?|dans(?: les)?|en|dentro de|entro)\s+(?:the next\s+)?"
            rf"(?:\d+|one|two|a few|een|één|twee|ein|eine[rnm]?|zwei|une?|deux|una?|dos|due)\s?{_UNIT}\b"
        ),
    ),
    (
        "a time",
        re.compile(
            r"\b(?:by|until|before|at)\s+(?:tomorrow|tonight|noon|midnight|monday|tuesday|wednesday|thursday|friday"
            r"|saturday|sunday|the end of (?:the )?(?:day|week|month))\b|\b(?:today|tomorrow|tonight|morgen|heute"
            r"|demain|mañana|domani)\b"
        ),
    ),
    ("a time", re.compile(_TIME)),
)

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
)
