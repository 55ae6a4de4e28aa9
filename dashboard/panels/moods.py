"""Net sentiment as the map and the topics show it: a number always, an arrow and a colour where enough was scored."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import style

# Net sentiment of fewer scored mentions says little: it gets no arrow and no colour.
LEAST_SCORED = 20
# Closer to zero than this many points is neither positive nor negative.
LEVEL_UP_TO = 5.0


@dataclass(frozen=True, slots=True)
class Mood:
    """`net` is "" where nothing was scored; `glyph` and `tone` (pos, neu, neg) are "" where too little was."""

    net: str
    glyph: str = ""
    tone: str = ""


def mood(net: float | None, scored: int) -> Mood:
    """How a net sentiment of so many scored mentions is shown."""
    if net is None:
        return Mood("")
    if scored < LEAST_SCORED:
        return Mood(style.signed(net))
    if abs(net) < LEVEL_UP_TO:
        return Mood(style.signed(net), style.LEVEL, "neu")
    return Mood(style.signed(net), style.UP if net > 0 else style.DOWN, "pos" if net > 0 else "neg")
