"""How numbers, ages and colours look. Colours are names of assets/tokens.css; the browser fills in the theme's."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

MINUS = "−"
UP, DOWN, LEVEL = "▲", "▼", "●"
NO_VALUE = "–"
# Steps of an axis of time that read well, in seconds.
TICK_STEPS = (60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000)


def icon(name: str, size: str = "") -> Component:
    """A symbol of assets/icons.svg in the colour of the text; never the only carrier of a meaning."""
    return html.I(className=" ".join(filter(None, ("ic", size, f"ic-{name}"))), **{"aria-hidden": "true"})


def number(value: float) -> tuple[str, str]:
    """A count as (number, unit): 48,213 is ("48.2", "k"); up to 9,999 it is written out."""
    if abs(value) < 10_000:
        return f"{value:,.0f}".replace("-", MINUS), ""
    for size, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return (f"{scaled:,.0f}" if abs(scaled) >= 99.95 else f"{scaled:.1f}").replace("-", MINUS), unit
    raise AssertionError(value)


def short(value: float) -> str:
    """A count in one word: 48.2k."""
    return "".join(number(value))


def signed(value: float, digits: int = 0) -> str:
    """+11, −4, 0: with a real minus."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def percent(value: float, digits: int = 1) -> str:
    """34.1% of 0..1."""
    return f"{100 * value:.{digits}f}%"


def span_words(seconds: float) -> str:
    """A length of time in its largest unit: 12 s, 3 min, 2 h, 4 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def step_words(step_seconds: int) -> str:
    """What one point of a chart counts: 15 min, 6 h, day."""
    named = {60: "minute", 3_600: "hour", 86_400: "day"}
    size, unit = next(
        (size, unit) for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")) if step_seconds >= size
    )
    return named.get(step_seconds, f"{step_seconds // size} {unit}")


def clock(instant: datetime, step_seconds: int) -> str:
    """An instant (in the zone it carries) as precisely as a step of a chart needs it."""
    if step_seconds >= 86_400:
        return f"{instant:%a %-d %b %Y}"
    return f"{instant:%a %-d %b, %H:%M}"


def ticks(start: datetime, end: datetime, zone: ZoneInfo, *, most: int) -> tuple[list[float], list[str]]:
    """At most `most` marks of an axis of time: seconds since 1970 and local labels, the day named where it begins."""
    span = (end - start).total_seconds()
    step = next((s for s in TICK_STEPS if span / s <= most), TICK_STEPS[-1])
    local = start.astimezone(zone)
    at = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    values: list[float] = []
    labels: list[str] = []
    last = end.astimezone(zone).replace(tzinfo=None)
    # Walks the wall clock, not the seconds: a mark stays at 06:00 across summer time.
    while at <= last:
        instant = at.replace(tzinfo=zone)
        if start <= instant <= end:
            values.append(instant.timestamp())
            labels.append(_tick_label(at, step))
        at += timedelta(seconds=step)
    return values, labels


def _tick_label(at: datetime, step: int) -> str:
    if step >= 86_400 * 28:
        return f"{at:%b %Y}"
    if step >= 86_400:
        return f"{at:%a %-d %b}" if step < 604_800 else f"{at:%-d %b}"
    return f"{at:%a %H:%M}" if (at.hour, at.minute) == (0, 0) else f"{at:%H:%M}"


def escaped(text: str) -> str:
    """Text for a Plotly label, which reads some HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis_top(highest: float) -> tuple[float, float]:
    """(top, distance of grid lines) of an axis from 0 that holds `highest` between three and five lines."""
    highest = max(highest, 4)
    size = 10 ** (len(str(int(highest / 5))) - 1)
    # Lines at 25, 50, 75; never at two and a half mentions.
    multiples = (1, 2, 2.5, 5, 10) if size >= 10 else (1, 2, 5, 10)
    step = next(n * size for n in multiples if n * size * 5 >= highest)
    return -(-highest // step) * step, step
