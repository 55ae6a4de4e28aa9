"""What a browser asks for beside the live screen: something to read once, or something to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dashboard.panel import Question
from dashboard.views.view import Address
from models.access import Access
from models.errors import InputError, WatchfloorError
from models.organisation import Organisation
from models.settings import Settings

LONGEST_TEXT = 10_000


class Conflict(WatchfloorError):
    """What was asked for met something that has changed: answered as 409, with `kind` and what `told` holds."""

    def __init__(self, words: str, kind: str, **told: Any) -> None:
        self.told: Mapping[str, Any] = {"kind": kind, **told}
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, from which page, and what for. `given` comes from outside: read it with the methods below.

    `address` and `question` are those of the page it was asked from, row scope applied; None where none was named, and
    where the page cannot be shown: `fault` says why, for who needs the page.
    """

    access: Access
    organisation: Organisation
    now: datetime
    given: Mapping[str, Any]
    address: Address | None = None
    question: Question | None = None
    fault: WatchfloorError | None = None
    settings: Settings | None = None

    def text(self, name: str, default: str = "", *, longest: int = LONGEST_TEXT) -> str:
        """A text without what cannot be stored or seen. InputError where it is another thing, or too long."""
        value = self.given.get(name, default)
        if value is None:
            return default
        if not isinstance(value, str):
            raise InputError(f"{name}: a text is needed, not {type(value).__name__}")
        clean = "".join(c for c in value if c in "\n\t" or (c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF)).strip()
        if len(clean) > longest:
            raise InputError(f"{name}: {len(clean):,} characters; at most {longest:,} fit")
        return clean

    def number(self, name: str) -> int:
        """A whole number; ids come as text, since a browser rounds beyond 2^53. InputError for anything else."""
        value = self.given.get(name)
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 19) or abs(int(text)) >= 1 << 63:
            raise InputError(f"{name}: a whole number is needed")
        return int(text)

    def flag(self, name: str) -> bool:
        """True or false; absent is false. InputError for anything else."""
        value = self.given.get(name, False)
        if not isinstance(value, bool):
            raise InputError(f"{name}: true or false is needed")
        return value

    def asked(self) -> Question:
        """The question of the page. InputError where no page was named, the page's own fault where it has one."""
        if self.fault is not None:
            raise self.fault
        if self.question is None:
            raise InputError("say from which page this is asked: path and search")
        return self.question


Read = Callable[[Connection, Asked], Mapping[str, Any]]
"""Answers in a read transaction; plain JSON, ids beyond 2^53 as text."""
Act = Callable[[Connection, Asked], Mapping[str, Any]]
"""Does one thing in one write transaction, its audit row in it; answers {"words": what was done, ...}."""
