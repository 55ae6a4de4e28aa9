"""Why a figure changed against the same hours before: a bar a brand, that add up on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard import style
from dashboard.asks.made_figures import Reading, span_words
from dashboard.panels import kpi
from models import cube
from models.access import Window
from models.cube import Tally
from models.decomposition import Split, Steps, added, averaged, joined, overlapping, rounded, shared
from models.rows_behind import of_brands

# A bar a brand, the largest; the others together in one.
MOST_BARS = 7
OTHERS = 0
# Reach is read a brand at a time, twice.
MOST_READ = 12
DIGITS = {"mentions": 0, "net_sentiment": 1, "reach": 0, "share_of_voice": 1}
REST = {"net_sentiment": "Mix of brands", "reach": "Counted once"}
NOTES = {
    "mentions": "mentions each brand added",
    "net_sentiment": "points each brand's own net added",
    "reach": "followers each brand's authors added",
    "share_of_voice": "points each brand's own mentions added",
}


def change(connection: Connection, reading: Reading) -> dict[str, Any]:
    """{title, words, tone, was, note, bars, why}: `why` says in a sentence why there are no bars."""
    against, key = reading.frame.against, reading.metric.key
    before = "last week" if against.weeks == 1 else f"{against.weeks} weeks before"
    said: dict[str, Any] = {"title": f"Change on the same {span_words(reading.frame)} {before}", "bars": [], "why": ""}
    cell = next(cell for cell in kpi.cells(reading.frame) if cell["key"] == key)
    said |= {"words": cell["change"], "tone": cell["tone"], "was": cell["was"], "note": "", "unit": reading.metric.unit}
    said["compared"] = _compared(reading)
    if against.heard < kpi.LEAST_HEARD:
        return said | {"why": f"Nothing to take apart: {cell['change']}. What was not heard is not zero."}
    split = _split(connection, reading)
    if split is None:
        return said | {"why": "Nothing to take apart: one of the two spans counted nothing."}
    if len(reading.question.scope.brand_ids) == 1 and len(split.parts) == 1:
        said["note"] = "one brand in scope"
    else:
        said["note"] = f"{NOTES[key]}; click one to narrow"
    steps = rounded(joined(split, most=MOST_BARS, as_key=OTHERS), digits=DIGITS[key])
    return said | {"bars": _bars(reading, steps)}


def _split(connection: Connection, reading: Reading) -> Split | None:
    key, found = reading.metric.key, reading.frame.against.by_brand
    ours = reading.question.scope.brand_ids
    before = {brand_id: found[brand_id][0] for brand_id in found}
    now = {brand_id: found[brand_id][1] for brand_id in found}
    if key == "net_sentiment":
        return averaged(_values(before, ours), _values(now, ours))
    if key == "share_of_voice":
        rivals = tuple(brand_id for brand_id in found if brand_id not in ours)
        if not rivals:
            return None
        return shared((_counts(before, ours), _counts(now, ours)), (_counts(before, rivals), _counts(now, rivals)))
    if key == "reach":
        return _reach(connection, reading)
    return added(_counts(before, ours), _counts(now, ours))


def _reach(connection: Connection, reading: Reading) -> Split | None:
    question, frame = reading.question, reading.frame
    ends = frame.against.reach_before.value, frame.reach.value
    if not any(ends) or len(question.scope.brand_ids) > MOST_READ:
        return None
    window = question.window
    earlier = kpi.earlier(window, frame.against.weeks, question.organisation.zone)

    def by_brand(span: Window) -> dict[int, int]:
        return {
            brand_id: cube.reach(connection, of_brands(question.scope, (brand_id,)), span, question.organisation).value
            for brand_id in question.scope.brand_ids
        }

    return overlapping(by_brand(earlier), by_brand(window), start=ends[0], end=ends[1])


def _counts(tallies: Mapping[int, Tally], brand_ids: tuple[int, ...]) -> dict[int, int]:
    return {brand_id: tallies[brand_id].mentions for brand_id in brand_ids}


def _values(tallies: Mapping[int, Tally], brand_ids: tuple[int, ...]) -> dict[int, tuple[int, int]]:
    of = {brand_id: tallies[brand_id] for brand_id in brand_ids}
    return {brand_id: (tally.positive - tally.negative, tally.scored) for brand_id, tally in of.items()}


def _bars(reading: Reading, steps: Steps) -> list[dict[str, Any]]:
    """Start, a bar a brand (those of ours first, largest first), what belongs to none, end."""
    better, ours = reading.metric.higher_is_better, reading.question.scope.brand_ids
    unit = 10**steps.digits
    sign = reading.metric.key == "net_sentiment"

    def part(label: str, value: int, narrow: Mapping[str, str]) -> dict[str, Any]:
        tone = "" if better is None or not value else "pos" if (value > 0) == better else "neg"
        words = style.signed(value / unit, steps.digits)
        if steps.digits == 0:
            words = style.short(value) if value <= 0 else f"+{style.short(value)}"
        mark = "" if not value else f"{style.UP if value > 0 else style.DOWN} "
        return {
            "kind": "part",
            "label": label,
            "value": value / unit,
            "words": f"{mark}{words}",
            "tone": tone,
            "narrow": narrow,
        }

    def end(label: str, value: int) -> dict[str, Any]:
        shown = style.signed(value / unit, steps.digits) if sign else f"{value / unit:.{steps.digits}f}"
        words = style.short(value) if steps.digits == 0 else shown
        return {"kind": "end", "label": label, "value": value / unit, "words": words, "tone": "", "narrow": {}}

    ranked = sorted(steps.parts, key=lambda item: (item[0] == OTHERS, item[0] not in ours, -abs(item[1]), item[0]))
    bars = [end("Last week" if reading.frame.against.weeks == 1 else "Before", steps.start)]
    for brand_id, value in ranked:
        label = "Other brands" if brand_id == OTHERS else reading.brand(brand_id)
        bars.append(part(label, value, {} if brand_id == OTHERS else reading.narrow(brand_id)))
    if steps.rest is not None and (len(steps.parts) > 1 or steps.rest):
        bars.append(part(REST[reading.metric.key], steps.rest, {}))
    return [*bars, end("Now", steps.end)]


def _compared(reading: Reading) -> str:
    """Which two spans stand against each other: whole steps, so that neither is still filling."""
    zone = ZoneInfo(reading.question.zone)
    if reading.metric.key == "reach":
        return "the whole window against the same minutes before"
    (start, end), (now_start, now_end) = (
        tuple(at.astimezone(zone) for at in span) for span in reading.frame.against.spans
    )
    until = "%H:%M" if now_start.date() == now_end.date() else "%a %-d %b %H:%M"
    return f"whole steps: {now_start:%a %-d %b %H:%M}–{now_end:{until}} against {start:%a %-d %b %H:%M}–{end:{until}}"
