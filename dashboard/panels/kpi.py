"""The key figures: mentions, net sentiment, reach and share of voice, each against the same hours of a week before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from dashboard.panels.frame import Span
from dashboard.panels.volume import last_whole
from models import cube
from models.access import Window
from models.cube import NOTHING, Reach, Series, Tally
from models.metrics import METRICS, share_of_voice

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
    reach_before: Reach
    heard: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The window's series of the brands in scope and of the tracked set, reach, and what they are compared with.

    `whole` = how many of the steps are over.
    """

    series: Series
    tracked: Series
    tracked_names: tuple[str, ...]
    has_competitors: bool
    reach: Reach
    against: Against
    gaps: tuple[Span, ...]
    whole: int
    words: str


def query(connection: Connection, question: Question) -> Frame:
    """Two reads of the tracked set (its brands in scope are the figures) and reach of both spans."""
    asked, window, organisation = question.scope, question.window, question.organisation
    now = cube.by_brand(connection, asked, window, organisation)
    series = _together([now[brand_id] for brand_id in asked.brand_ids])
    tracked = _together(list(now.values()))
    weeks = max(1, -(-(window.end - window.start) // WEEK))
    count = last_whole(series, window.end) + 1
    whole = replace(window, end=series.starts[count] if count < len(series.starts) else window.end, live=False)
    earlier = _earlier(whole, weeks, organisation.zone)
    before = cube.by_brand(connection, asked, earlier, organisation)
    unheard = sum((end - start).total_seconds() for start, end in frame.gaps(connection, earlier))
    length = (earlier.end - earlier.start).total_seconds()
    against = Against(
        weeks=weeks,
        now=_sum(series.tallies[:count]),
        before=_together([before[brand_id] for brand_id in asked.brand_ids]).total,
        tracked_now=_sum(tracked.tallies[:count]).mentions,
        tracked_before=_together(list(before.values())).total.mentions,
        # Reach does not add up over steps; the same minutes of both weeks are as fair, and cost one read less.
        reach_before=cube.reach(connection, asked, _earlier(window, weeks, organisation.zone), organisation),
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
        gaps=frame.gaps(connection, window),
        whole=count,
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
    spark = [_mean(tallies, lambda tally: tally.mentions) for tallies in _bundles(found, found.series)]
    return _cell("mentions", style.number(total), change, note, spark, exact=f"{total:,}")


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
            words = (
                "no change"
                if points == 0
                else f"{_arrow(points)} {abs(points)} pts {'better' if points > 0 else 'worse'}"
            )
            change |= {"words": words, "class": "pos" if points > 0 else "neg" if points < 0 else "t2"}
    elif not _is_heard(against):
        change = _unheard(against)
    spark = [_net(tallies) for tallies in _bundles(found, found.series)]
    exact = f"{total.positive:,} positive, {total.negative:,} negative, {total.neutral:,} neutral"
    exact += f", {total.unscored:,} not scored"
    return _cell("net_sentiment", shown, change, note, spark, exact=exact)


def _reach(found: Frame) -> dict[str, Any]:
    against = found.against
    change = _relative(found.reach.value, against.reach_before.value, against)
    note = "estimated" if found.reach.each_once else "estimated, days added"
    note = note if found.series.total.mentions else ""
    spark = [_mean(tallies, lambda tally: tally.reach) for tallies in _bundles(found, found.series)]
    exact = f"{found.reach.value:,}"
    shown = style.number(found.reach.value) if found.series.total.mentions else (style.NO_VALUE, "")
    if found.series.total.mentions and not found.reach.value:
        # Not one author with a known follower: the networks are silent, and silence is not zero.
        shown, note, exact = (style.NO_VALUE, ""), "no followers given", "no network told how many followers there are"
    return _cell("reach", shown, change, note, spark, exact=exact)


def _share_of_voice(found: Frame) -> dict[str, Any]:
    against, tracked = found.against, found.tracked.total.mentions
    ours = found.series.total.mentions
    if not found.has_competitors:
        change = {"words": "no competitors set", "class": "t3"}
        return _cell("share_of_voice", (style.NO_VALUE, ""), change, "", [], exact="")
    share = share_of_voice(ours, tracked)
    shown = (style.NO_VALUE, "") if share is None else (f"{share:.1f}", "%")
    change = _unheard(against)
    if _is_heard(against):
        change = {"words": "nothing to compare", "class": "t3"}
        now = share_of_voice(against.now.mentions, against.tracked_now)
        before = share_of_voice(against.before.mentions, against.tracked_before)
        if now is not None and before is not None:
            points = round(round(now, 1) - round(before, 1), 1)
            change = {"was": f"was {before:.1f}%", "words": "", "class": "t2"}
            if min(against.tracked_now, against.tracked_before) >= LEAST_MENTIONS:
                change["words"] = "no change" if points == 0 else f"{_arrow(points)} {abs(points):.1f} pts"
    spark = [
        share_of_voice(sum(t.mentions for t in own), sum(t.mentions for t in every))
        for own, every in zip(_bundles(found, found.series), _bundles(found, found.tracked), strict=True)
    ]
    exact = f"{ours:,} of {tracked:,}, measured against {', '.join(found.tracked_names)}"
    return _cell("share_of_voice", shown, change, f"among {len(found.tracked_names)} brands", spark, exact=exact)


def _cell(
    key: str,
    shown: tuple[str, str],
    change: dict[str, str],
    note: str,
    spark: Sequence[float | None],
    *,
    exact: str,
) -> dict[str, Any]:
    metric = METRICS[key]
    drawn = len(spark) > 1 and any(spark)
    points = figures.sparkline(spark, width=SPARK[0], height=SPARK[1]) if drawn else []
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


def _earlier(window: Window, weeks: int, zone: str) -> Window:
    """The same hours on the wall clock, some weeks before."""

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


def _sum(tallies: Iterable[Tally]) -> Tally:
    """What the figures need of a sum. Most steps of most brands are the one empty tally: those cost nothing."""
    mentions = positive = neutral = negative = unscored = reach = 0
    for tally in tallies:
        if tally is NOTHING:
            continue
        mentions += tally.mentions
        positive += tally.positive
        neutral += tally.neutral
        negative += tally.negative
        unscored += tally.unscored
        reach += tally.reach
    if not mentions and not reach:
        return NOTHING
    return Tally(mentions, positive, neutral, negative, unscored, reach=reach)


def _bundles(found: Frame, series: Series) -> list[Sequence[Tally]]:
    """Steps next to each other taken together, at most SPARK_POINTS; empty where nobody listened."""
    # Without the step that still fills, which would end every line in a fall.
    step, tallies = series.step_seconds, series.tallies[: found.whole or 1]
    size = max(1, -(-len(tallies) // SPARK_POINTS))
    first = len(tallies) % size
    edges = ([0] if first else []) + list(range(first, len(tallies), size))
    bundles: list[Sequence[Tally]] = []
    for start, end in zip(edges, [*edges[1:], len(tallies)], strict=True):
        heard = zip(series.starts[start:end], tallies[start:end], found.series.tallies[start:end], strict=True)
        bundles.append(
            [tally for at, tally, own in heard if not frame.unheard(at, step, found.gaps, count=own.mentions)]
        )
    return bundles


def _mean(tallies: Sequence[Tally], value: Callable[[Tally], int]) -> float | None:
    """A mean, so that a shorter group does not look like a slump; None where nobody listened."""
    return sum(map(value, tallies)) / len(tallies) if tallies else None


def _net(tallies: Sequence[Tally]) -> float | None:
    return _sum(tallies).net_sentiment


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place)
