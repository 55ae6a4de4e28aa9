"""Hostile text and instants made safe without loss, once, for every connector."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from models.database import EARLIEST, latest

# Longer than any network we know allows (Reddit: 40,000); what is cut is set aside whole.
LONGEST_TEXT = 40_000
# A thousand times what any network counts, and a million of them still add up inside 63 bits.
LARGEST_COUNT = 2**40
LONGEST_ID = 512
LONGEST_NAME = 500
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def safe_text(text: str) -> str:
    r"""`text` with NUL and lone surrogates written out as `\u0000`: SQLite takes a NUL, PostgreSQL refuses the row.

    Bidirectional controls stay, since people write with them; the screen isolates every text it shows.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def safe_count(value: float | None) -> int | None:
    """A count as a whole number in 0 .. 2^40; None for what is no such count (negative, huge, not a number)."""
    if value is None or not math.isfinite(value) or value < 0 or value > LARGEST_COUNT:
        return None
    return int(value)


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant that can be stored, and the one that was given where it had to be clamped."""

    at: datetime
    given: str | None


def clamp(instant: datetime, now: datetime) -> Instant:
    """`instant` inside 2000 .. now + 1 day, in UTC; the given one is kept as text where it was outside."""
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        # Year 1 east of Greenwich, year 9999 west of it.
        utc = datetime.min.replace(tzinfo=UTC) if instant.year < EARLIEST.year else datetime.max.replace(tzinfo=UTC)
    if utc < EARLIEST:
        return Instant(EARLIEST, instant.isoformat())
    if utc > latest(now):
        return Instant(latest(now), instant.isoformat())
    return Instant(utc, None)
