"""The line that stands above everything that leaves the screen: whose data, of when, how many."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

# What ends at an instant says so in its own words.
_HAS_END = re.compile(r" to \d{1,2} \w{3} \d{4}\b")


def line(words: str, end: datetime | None, zone: str, counted: str) -> str:
    """“All brands, last 24 h to Thu 19 Nov 2026 14:32 Europe/Amsterdam, 48,216 mentions”."""
    until = ""
    if end is not None and not _HAS_END.search(words):
        until = f" to {end.astimezone(ZoneInfo(zone)):%a %-d %b %Y %H:%M}"
    return f"{words[:1].upper()}{words[1:]}{until} {zone.replace('_', ' ')}, {counted}"
