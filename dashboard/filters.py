"""The filters of the feed in an address: what may be asked for, and what it means for a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.access import Access
from models.errors import ScopeError
from models.feed import Filters

# Which mentions the feed shows, and in which order.
SHOWN = ("needs", "negative", "reach", "unmatched")
ORDERS = ("age", "reach")

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}")


def known(name: str, values: Sequence[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The values, each once and in order. ScopeError for one that is none."""
    for value in values:
        if value not in allowed:
            raise ScopeError(f"{name}: {quoted(value)} is none of {', '.join(allowed)}")
    return tuple(sorted(set(values)))


def languages(codes: Sequence[str]) -> tuple[str, ...]:
    """Codes as mentions carry them, each once and in order. ScopeError for what is none."""
    lowered = sorted({code.lower() for code in codes})
    for code in lowered:
        if not _LANGUAGE.fullmatch(code):
            raise ScopeError(f"lang: {quoted(code)} is no language; write its code, e.g. en or nl")
    return tuple(lowered)


def read(show: Sequence[str], chosen: tuple[str, ...], order: str, access: Access) -> Filters:
    """What the feed is narrowed to. ScopeError for posts of no brand, for whoever may not read those."""
    if "unmatched" in show and not access.sees_all:
        raise ScopeError("show: posts that match no brand are for administrators; leave out “unmatched”")
    return Filters(
        negative="negative" in show,
        high_reach="reach" in show,
        unmatched="unmatched" in show,
        languages=chosen,
        by_reach=order == "reach",
        needs_reply="needs" in show,
    )


def quoted(value: str) -> str:
    """A value from outside, short and without what cannot be seen."""
    clean = "".join(c if c.isprintable() else "·" for c in value)
    return f"“{clean[:60]}…”" if len(clean) > 60 else f"“{clean}”"
