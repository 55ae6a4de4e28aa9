"""Since you looked: what happened while somebody was away, in lines that each lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard import scope, style
from dashboard.asks import log
from dashboard.asks.ask import Act, Asked, Read
from models import preferences, shift_log, since
from models.access import ADMIN
from models.alerts import NEGATIVE, Alert
from models.errors import ScopeError
from models.organisation import Organisation
from models.since import Since

SEEN = "seen"
MOST_SPIKES = 3
# Below this the sentiment of a span says nothing.
LEAST_SCORED = 30
# The window around a spike that a line leads to.
BEFORE, AFTER = timedelta(hours=2), timedelta(hours=1)

Line = dict[str, Any]


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """{away: false, newest} for one who was here, and once more with what happened for one who was away.

    Whoever looked last is known from their preference "seen"; `newest` is the newest line of the shift log.
    """
    seen_at = _seen(preferences.of(connection, asked.access.person_id).get(SEEN))
    if seen_at is None or not since.is_away(seen_at, asked.now):
        brands = tuple(shift_log.readable(asked.access, asked.organisation))
        return {"away": False, "newest": str(shift_log.newest_id(connection, brands) or "")}
    try:
        found = since.since(connection, asked.access, asked.organisation, seen_at, now=asked.now)
    except ScopeError:
        return {"away": False, "newest": ""}
    zone = asked.organisation.zone_info
    return {
        "away": True,
        "newest": str(found.newest_line_id or ""),
        "clock": _clock(found.seen_at, asked.now, zone),
        "about": f"{_away_words(asked.now - seen_at)}, {_scope_words(found, asked.organisation)}",
        "lines": lines(found, asked),
        "log": [log.said(line, asked) for line in found.lines],
        "more": found.more_lines,
        "unsigned": found.unsigned,
    }


def lines(found: Since, asked: Asked) -> list[Line]:
    """Spikes, volume, sentiment, topics, sources: each with where it leads, and a glyph beside every colour."""
    organisation, now = asked.organisation, asked.now
    spikes = [_spike(item, organisation, now) for item in found.alerts[:MOST_SPIKES]]
    if len(found.alerts) > MOST_SPIKES:
        spikes[-1]["sub"] += f" And {len(found.alerts) - MOST_SPIKES} more spikes."
    topics = [_topics(found, organisation)] if found.rising else []
    return [*spikes, _volume(found), _mood(found, organisation), *topics, _sources(found, asked)]


def _spike(item: Alert, organisation: Organisation, now: datetime) -> Line:
    name = organisation.brand_names.get(item.brand_id, "A brand")
    key = next((brand.key for brand in organisation.brands if brand.id == item.brand_id), "")
    ended = "" if item.ended_at is None else f", over at {_clock(item.ended_at, now, organisation.zone_info)}"
    negative = item.kind == NEGATIVE
    value = ""
    if negative and item.seen is not None:
        value = f"{100 * item.seen:.0f}% negative"
    elif item.seen is not None and item.expected:
        value = f"×{item.seen / item.expected:.1f}"
    return {
        "glyph": "▼" if negative else "◆",
        "tone": "neg" if negative else "",
        "title": f"{name}, {_clock(item.started_at, now, organisation.zone_info)}{ended}",
        "sub": item.words,
        "value": value,
        "href": f"/?brand={key}&window={_span(item.started_at - BEFORE, min(item.last_at + AFTER, now))}",
    }


def _volume(found: Since) -> Line:
    told = found.volume
    sub, value = "nothing to compare with: too few weeks were listened to", ""
    if told.usual is not None:
        sub = f"these hours usually hold {told.usual:,.0f}, the median of {told.weeks} weeks"
        if told.compared != told.mentions:
            sub = f"{told.compared:,} in whole steps; {sub}"
        value = f"×{told.compared / told.usual:.1f}" if told.usual else ""
    if not found.alerts:
        sub += "; no spike was flagged"
    return {
        "glyph": "●",
        "tone": "",
        "title": f"{told.mentions:,} mention{'s' if told.mentions != 1 else ''}",
        "sub": sub,
        "value": value,
        "href": f"/?window={_span(told.start, found.now)}",
    }


def _mood(found: Since, organisation: Organisation) -> Line:
    mood = found.mood
    now, before = mood.now.net_sentiment, mood.before.net_sentiment
    known = now is not None and before is not None and min(mood.now.scored, mood.before.scored) >= LEAST_SCORED
    sub = f"{mood.now.scored:,} scored, {mood.before.scored:,} in the 24 h before"
    value, tone, glyph = "", "", "●"
    if not known or now is None or before is None:
        sub = f"too few were scored to compare: {sub}"
        value = style.NO_VALUE if now is None else style.signed(now)
    else:
        value = f"{style.signed(before)} → {style.signed(now)}"
        if mood.is_clear:
            tone, glyph = ("pos", "▲") if now > before else ("neg", "▼")
        else:
            sub = f"no clear change; {sub}"
    href = "/"
    if mood.brand_id is not None:
        name = organisation.brand_names.get(mood.brand_id, "A brand")
        change = f"{_signed(mood.brand_before.net_sentiment)} → {_signed(mood.brand_now.net_sentiment)}"
        sub = f"most of all {name}, {change}"
        href = f"/?brand={_key(mood.brand_id, organisation)}"
    return {"glyph": glyph, "tone": tone, "title": "Net sentiment", "sub": sub, "value": value, "href": href}


def _topics(found: Since, organisation: Organisation) -> Line:
    first, more = found.rising[0], [score.term for score in found.rising[1:]]
    sub = organisation.brand_names.get(first.brand_id, "")
    if more:
        sub += f"; also {' and '.join(more)}"
    asked = first.term if first.term.startswith("@") else f'"{first.term}"'
    return {
        "glyph": "▲",
        "tone": "",
        "title": f"Rising: {first.term}",
        "sub": sub,
        "value": "new" if first.times is None else f"×{min(first.times, 99.0):.1f}",
        "href": f"/?brand={_key(first.brand_id, organisation)}&q={quote(asked)}",
    }


def _sources(found: Since, asked: Asked) -> Line:
    whole, failing = len(found.sources), len(found.failing)
    href = "/admin/sources" if asked.access.may(ADMIN) else "/"
    value = f"{whole - failing} of {whole}"
    if not failing:
        sub = "every source that should listen does" if whole else "no source is connected yet"
        return {"glyph": "●", "tone": "", "title": "Sources", "sub": sub, "value": value, "href": href}
    names = ", ".join(f"{item.name} ({item.condition})" for item in found.failing[:3])
    more = f" and {failing - 3} more" if failing > 3 else ""
    return {
        "glyph": "○",
        "tone": "wn",
        "title": f"{failing} source{'s need' if failing != 1 else ' needs'} somebody",
        "sub": f"{names}{more}",
        "value": value,
        "href": href,
    }


def _seen(value: Any) -> datetime | None:
    """When the person looked last; None for what no browser of ours has written."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _scope_words(found: Since, organisation: Organisation) -> str:
    return ", ".join(scope.scope_words(found.scope, organisation))


def _away_words(gone: timedelta) -> str:
    minutes = int(gone.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    words = f"{minutes // 1_440} days"
    return f"{words}; the last 7 are told" if gone > since.LONGEST else words


def _clock(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    local, today = at.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%a %-d %b, %H:%M}"


def _span(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%dT%H:%M}Z..{end:%Y-%m-%dT%H:%M}Z"


def _key(brand_id: int, organisation: Organisation) -> str:
    return next((brand.key for brand in organisation.brands if brand.id == brand_id), "")


def _signed(value: float | None) -> str:
    return style.NO_VALUE if value is None else style.signed(value)


READS: dict[str, Read] = {"since": read}
ACTS: dict[str, Act] = {}
