"""The key figures: mentions, net sentiment, reach and share of voice, each against the same hours of a week before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from models import cube
from models.access import Window
from models.cube import NOTHING, Reach, Series, Tally
from models.metrics import METRICS

KEY = "kpi"
CELLS = ("mentions", "net_sentiment", "reach", "share_of_voice")
WEEK = timedelta(days=7)
# Below these no arrow is drawn: the change would be chance.
LEAST_MENTIONS = 20
LEAST_SCORED = 30
# A comparison needs ears: at least this share of the earlier hours was listened to.
LEAST_HEARD = 0.9
SPARK = (100.0, 32.0)
SPARK_POINTS = 48


@dataclass(frozen=True, slots=True)
class Against:
    """The same hours `weeks` weeks before, over whole steps: both sides of a change. None where we did not listen."""

    weeks: int
    now: Tally
    before: Tally
    tracked_now: int
    tracked_before: int
    reach_now: Reach
    reach_before: Reach
    heard: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The window's series of the brands in scope, of the tracked set, reach, and what it is compared with."""

    series: Series
    tracked: Series
    tracked_names: tuple[str, ...]
    has_competitors: bool
    reach: Reach
    against: Against
    words: str


def query(connection: Connection, question: Question) -> Frame:
    """Two reads of the tracked set (its brands in scope are the figures) and reach of both spans."""
    asked, window, organisation = question.scope, question.window, question.organisation
    now = cube.by_brand(connection, asked, window, organisation)
    series = _together([now[brand_id] for brand_id in asked.brand_ids])
    tracked = _together(list(now.values()))
    weeks = max(1, -(-(window.end - window.start) // WEEK))
    whole = _whole_steps(window, organisation.zone)
    earlier = _earlier(whole, weeks, organisation.zone)
    before = cube.by_brand(connection, asked, earlier, organisation)
    count = sum(start < whole.end for start in series.starts)
    unheard = sum((end - start).total_seconds() for start, end in frame.gaps(connection, earlier))
    length = (earlier.end - earlier.start).total_seconds()
    against = Against(
        weeks=weeks,
        now=_sum(series.tallies[:count]),
        before=_together([before[brand_id] for brand_id in asked.brand_ids]).total,
        tracked_now=_sum(tracked.tallies[:count]).mentions,
        tracked_before=_together(list(before.values())).total.mentions,
        reach_now=cube.reach(connection, asked, whole, organisation),
        reach_before=cube.reach(connection, asked, earlier, organisation),
        heard=1 - unheard / length if length > 0 else 0.0,
    )
    names = organisation.brand_names
    return Frame(
        series=series,
        tracked=tracked,
        tracked_names=tuple(names.get(brand_id, "?") for brand_id in asked.tracked_ids),
        has_competitors=len(asked.tracked_ids) > len(asked.brand_ids),
        reach=cube.reach(connection, asked, window, organisation),
        against=against,
        words=scope.words(asked, window, organisation),
    )


def draw(found: Frame) -> Props:
    """Four cells, plain: the browser builds them with textContent."""
    cells = [_mentions(found), _net_sentiment(found), _reach(found), _share_of_voice(found)]
    return {"kpi-strip": {"cells": cells, "words": found.words}, "kpi-state": frame.NO_STATE}


def place() -> Component:
    """One row of four cells, at its final height."""
    strip = html.Div(id="kpi-strip", className="kpis", role="list", **{"aria-label": "Key figures"})
    return frame.box(KEY, "Key figures", strip, head=False, class_name="kpi-panel")


def _mentions(found: Frame) -> dict[str, Any]:
    total, against = found.series.total.mentions, found.against
    change = _relative(against.now.mentions, against.before.mentions, against)
    note = "newest 50,000 counted" if found.series.partial else ""
    spark = [tally.mentions for tally in found.series.tallies]
    return _cell("mentions", style.number(total), change, note, _bundled(spark), exact=f"{total:,}")


def _net_sentiment(found: Frame) -> dict[str, Any]:
    total, against = found.series.total, found.against
    value, note = total.net_sentiment, ""
    shown = (style.NO_VALUE, "") if value is None else (style.signed(value), "pts")
    if total.mentions:
        note = f"{style.short(total.scored)} scored, {style.short(total.unscored)} not"
    change: dict[str, str] = {"words": "no score to compare", "class": "t3"}
    now, before = against.now.net_sentiment, against.before.net_sentiment
    if now is not None and before is not None and _is_heard(against):
        # Of the rounded values, so that the arithmetic on the screen comes out.
        points = round(now) - round(before)
        change = {"was": f"was {style.signed(before)}", "words": "", "class": "t2"}
        if min(against.now.scored, against.before.scored) >= LEAST_SCORED:
            words = "no change" if points == 0 else f"{_arrow(points)} {abs(points)} pts {'better' if points > 0 else 'worse'}"
            change |= {"words": words, "class": "pos" if points > 0 else "neg" if points < 0 else "t2"}
    elif not _is_heard(against):
        change = _unheard(against)
    spark = [_net(tallies) for tallies in _bundles(found.series.tallies)]
    exact = f"{total.positive:,} positive, {total.negative:,} negative, {total.neutral:,} neutral, {total.unscored:,} not scored"
    return _cell("net_sentiment", shown, change, note, spark, exact=exact)


def _reach(found: Frame) -> dict[str, Any]:
    against = found.against
    change = _relative(against.reach_now.value, against.reach_before.value, against)
    note = "estimated" if found.reach.each_once else "estimated, days added"
    spark = [tally.reach for tally in found.series.tallies]
    exact = f"{found.reach.value:,}"
    shown = style.number(found.reach.value) if found.series.total.mentions else (style.NO_VALUE, "")
    return _cell("reach", shown, change, note, _bundled(spark), exact=exact)


def _share_of_voice(found: Frame) -> dict[str, Any]:
    against, tracked = found.against, found.tracked.total.mentions
    ours = found.series.total.mentions
    if not found.has_competitors:
        change = {"words": "no competitors set", "class": "t3"}
        return _cell("share_of_voice", (style.NO_VALUE, ""), change, "", [], exact="")
    shown = (f"{100 * ours / tracked:.1f}", "%") if tracked else (style.NO_VALUE, "")
    change = _unheard(against)
    if _is_heard(against):
        change = {"words": "nothing to compare", "class": "t3"}
        if against.tracked_now and against.tracked_before:
            now = round(100 * against.now.mentions / against.tracked_now, 1)
            before = round(100 * against.before.mentions / against.tracked_before, 1)
            points = round(now - before, 1)
            change = {"was": f"was {before:.1f}%", "words": "", "class": "t2"}
            if min(against.tracked_now, against.tracked_before) >= LEAST_MENTIONS:
                change["words"] = "no change" if points == 0 else f"{_arrow(points)} {abs(points):.1f} pts"
    spark = [
        100 * sum(t.mentions for t in own) / sum(t.mentions for t in every) if any(t.mentions for t in every) else None
        for own, every in zip(_bundles(found.series.tallies), _bundles(found.tracked.tallies), strict=True)
    ]
    exact = f"{ours:,} of {tracked:,}, measured against {', '.join(found.tracked_names)}"
    return _cell("share_of_voice", shown, change, f"of {len(found.tracked_names)} brands", spark, exact=exact)


def _cell(
    key: str,
    shown: tuple[str, str],
    change: dict[str, str],
    note: str,
    spark: Sequence[float | int | None],
    *,
    exact: str,
) -> dict[str, Any]:
    metric = METRICS[key]
    points = figures.sparkline(spark, width=SPARK[0], height=SPARK[1]) if len(spark) > 1 else []
    return {
        "key": key,
        "label": metric.label,
        "value": shown[0],
        "unit": shown[1],
        "note": note,
        "change": change.get("words", ""),
        "tone": change.get("class", "t2"),
        "was": change.get("was", ""),
        "spark": points,
        "tip": metric.definition,
        "exact": exact,
    }


def _relative(now: int, before: int, against: Against) -> dict[str, str]:
    if not _is_heard(against):
        return _unheard(against)
    was = f"was {style.short(before)}"
    if against.weeks > 1:
        was += f" {against.weeks} weeks before"
    if min(against.now.mentions, against.before.mentions) < LEAST_MENTIONS or not before:
        return {"was": was, "class": "t2"}
    points = round(100 * (now - before) / before)
    words = "no change" if points == 0 else f"{_arrow(points)} {abs(points):,}%"
    return {"words": words, "was": was, "class": "t2"}


def _is_heard(against: Against) -> bool:
    return against.heard >= LEAST_HEARD


def _unheard(against: Against) -> dict[str, str]:
    before = "a week before" if against.weeks == 1 else f"{against.weeks} weeks before"
    if against.heard <= 0.005:
        return {"words": f"no data {before}", "class": "t3"}
    return {"words": f"only {100 * against.heard:.0f}% heard {before}", "class": "t3"}


def _arrow(change: float) -> str:
    return style.UP if change > 0 else style.DOWN


def _whole_steps(window: Window, zone: str) -> Window:
    """The window without the step that still fills."""
    from zoneinfo import ZoneInfo

    end = scope.edge_before(window.end, window.step_seconds, ZoneInfo(zone))
    return replace(window, end=max(end, window.start), live=False)


def _earlier(window: Window, weeks: int, zone: str) -> Window:
    """The same hours on the wall clock, some weeks before."""
    from zoneinfo import ZoneInfo

    def back(instant: datetime) -> datetime:
        local = instant.astimezone(ZoneInfo(zone))
        return (local - weeks * WEEK).astimezone(instant.tzinfo)

    return replace(window, start=back(window.start), end=back(window.end), live=False)


def _together(parts: Sequence[Series]) -> Series:
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.tallies for part in parts), strict=True)
    return replace(
        parts[0],
        tallies=tuple(_sum(column) for column in columns),
        partial=any(part.partial for part in parts),
    )


def _sum(tallies: Sequence[Tally]) -> Tally:
    return sum(tallies, NOTHING)


def _bundles(tallies: Sequence[Tally]) -> list[Sequence[Tally]]:
    """Steps next to each other taken together, so that a sparkline has at most SPARK_POINTS points."""
    size = max(1, -(-len(tallies) // SPARK_POINTS))
    first = len(tallies) % size
    edges = ([0] if first else []) + list(range(first, len(tallies), size))
    return [tallies[a:b] for a, b in zip(edges, [*edges[1:], len(tallies)], strict=True)]


def _bundled(values: Sequence[int]) -> list[float]:
    size = max(1, -(-len(values) // SPARK_POINTS))
    first = len(values) % size
    edges = ([0] if first else []) + list(range(first, len(values), size))
    groups = [values[a:b] for a, b in zip(edges, [*edges[1:], len(values)], strict=True)]
    # A mean, so that a shorter first group does not look like a slump.
    return [sum(group) / len(group) for group in groups]


def _net(tallies: Sequence[Tally]) -> float | None:
    return _sum(tallies).net_sentiment


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place)
