"""Whether a text says something: words and phrases looked for as people mean them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Written without spaces between words: there a word is found wherever it stands.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def plain(text: str) -> str:
    """The text as it is compared: compatible letters made one, no case, straight quotes, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("’", "'").replace("‘", "'").split())


def first_said(text: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases that the text says, in whole words; None where it says none. `fraud*` = any ending."""
    read = plain(text)
    return next((phrase for phrase in phrases if _pattern(phrase).search(read)), None)


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> re.Pattern[str]:
    wanted = plain(phrase)
    open_ended = wanted.endswith("*")
    body = re.escape(wanted.rstrip("*").strip())
    if not body:
        return re.compile(r"(?!)")
    if _UNSPACED.search(wanted):
        return re.compile(body)
    return re.compile(rf"(?<!\w){body}" if open_ended else rf"(?<!\w){body}(?!\w)")
