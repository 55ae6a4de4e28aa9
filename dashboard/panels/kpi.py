"""The key figures: mentions, net sentiment, reach and share of voice, each against the same hours of a week before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, scope, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import Span
from dashboard.panels.volume import last_whole
from models import cube
from models.access import Window
from models.cube import NOTHING, Reach, Series, Tally
from models.metrics import METRICS, share_of_voice
from models.noise import net_interval, nets_differ, shares_differ

KEY = "kpi"
CELLS = ("mentions", "net_sentiment", "reach", "share_of_voice")
# What the figures are made of.
READ = (*cube.SENTIMENTS, "reach")
WEEK = timedelta(days=7)
# Below these no arrow is drawn: the change would be chance.
LEAST_MENTIONS = METRICS["mentions"].least_n
LEAST_SCORED = METRICS["net_sentiment"].least_n
# What stands in place of an arrow where a ratio moved by no more than chance moves it.
UNCLEAR = "no clear change"
# A comparison needs ears: at least this share of the earlier hours was listened to.
LEAST_HEARD = 0.9
SPARK = (100.0, 32.0)
SPARK_POINTS = 48


@dataclass(frozen=True, slots=True)
class Against:
    """The same hours `weeks` weeks before, over whole steps: both sides of a change.

    `by_brand` holds (before, now) of every brand of the tracked set, `spans` the two windows that are compared.
    """

    weeks: int
    now: Tally
    before: Tally
    tracked_now: int
    tracked_before: int
    reach_before: Reach
    heard: float
    by_brand: Mapping[int, tuple[Tally, Tally]] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """The window's series of the brands in scope and of the tracked set, reach, and what they are compared with.

    `whole` = how many of the steps are over; `end` is that of the window. `by_brand` = mentions of the
    window of every brand of the tracked set.
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
    end: datetime | None = None
    zone: str = "UTC"
    by_brand: Mapping[int, int] = field(default_factory=dict)


def query(connection: Connection, question: Question) -> Frame:
    """The tracked set step by step (its brands in scope are the figures) and once in all before; reach of both."""
    asked, window, organisation = question.scope, question.window, question.organisation
    now = _now(connection, question)
    series = _together([now[brand_id] for brand_id in asked.brand_ids])
    tracked = _together(list(now.values()))
    weeks = max(1, -(-(window.end - window.start) // WEEK))
    count = last_whole(series, window.end) + 1
    whole = replace(window, end=series.starts[count] if count < len(series.starts) else window.end, live=False)
    past = earlier(whole, weeks, organisation.zone)
    before = cube.totals_by(connection, asked, (cube.BRAND,), past, organisation, values=READ)
    unheard = sum((end - start).total_seconds() for start, end in frame.gaps(connection, past))
    length = (past.end - past.start).total_seconds()
    against = Against(
        weeks=weeks,
        now=_sum(series.tallies[:count]),
        before=_sum(before.of(brand_id) for brand_id in asked.brand_ids),
        tracked_now=_sum(tracked.tallies[:count]).mentions,
        tracked_before=sum(before.of(brand_id).mentions for brand_id in asked.tracked_ids),
        # Reach does not add up over steps; the same minutes of both weeks are as fair, and cost one read less.
        reach_before=cube.reach(connection, asked, earlier(window, weeks, organisation.zone), organisation),
        heard=1 - unheard / length if length > 0 else 0.0,
        by_brand={
            brand_id: (before.of(brand_id), _sum(now[brand_id].tallies[:count])) for brand_id in asked.tracked_ids
        },
        spans=((past.start, past.end), (whole.start, whole.end)),
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
        end=window.end,
        zone=question.zone,
        by_brand={brand_id: sum(tally.mentions for tally in part.tallies) for brand_id, part in now.items()},
    )


def _now(connection: Connection, question: Question) -> dict[int, Series]:
    """Every brand of the tracked set step by step; of those that are not in scope the mentions alone."""
    asked, window, there = question.scope, question.window, question.organisation
    rivals = tuple(brand_id for brand_id in asked.tracked_ids if brand_id not in asked.brand_ids)
    if asked.needs_rows or not rivals:
        return cube.by_brand(connection, asked, window, there, values=READ)
    found = cube.by_brand_of(connection, asked, asked.brand_ids, window, there, values=READ)
    found |= cube.by_brand_of(connection, asked, rivals, window, there, values=READ[:1])
    if any(part.partial for part in found.values()):
        # The newest rows of all of them together, so that shares are of the same span.
        return cube.by_brand(connection, asked, window, there, values=READ)
    return {brand_id: found[brand_id] for brand_id in asked.tracked_ids}


def draw(found: Frame) -> Props:
    """Four cells, plain: the browser builds them with textContent."""
    return {"kpi-strip": {"cells": cells(found), "words": found.words}, "kpi-state": frame.NO_STATE}


def cells(found: Frame) -> list[dict[str, Any]]:
    """The figures in the order of CELLS, as the strip shows them."""
    return [_mentions(found), _net_sentiment(found), _reach(found), _share_of_voice(found)]


def table(found: Frame) -> Table:
    """A row a figure: its value over the window, what it is compared with, and the same hours before."""
    against, total, tracked = found.against, found.series.total, found.tracked.total.mentions
    heard = _is_heard(against)
    share = share_of_voice(total.mentions, tracked) if found.has_competitors else None
    share_now = share_of_voice(against.now.mentions, against.tracked_now) if found.has_competitors else None
    share_before = share_of_voice(against.before.mentions, against.tracked_before) if found.has_competitors else None
    values: dict[str, tuple[float | None, float | None, float | None, int]] = {
        "mentions": (total.mentions, against.now.mentions, against.before.mentions, total.mentions),
        "net_sentiment": (
            _tenth(total.net_sentiment),
            _tenth(against.now.net_sentiment),
            _tenth(against.before.net_sentiment),
            total.scored,
        ),
        "reach": (found.reach.value, found.reach.value, against.reach_before.value, total.mentions),
        "share_of_voice": (_tenth(share), _tenth(share_now), _tenth(share_before), tracked),
    }
    weeks = "a week before" if against.weeks == 1 else f"{against.weeks} weeks before"
    return Table(
        title="Key figures",
        about=exported.line(found.words, found.end, found.zone, f"{total.mentions:,} mentions"),
        columns=("Figure", "Value", "Over whole steps", f"Same hours {weeks}", "Unit", "n"),
        rows=tuple(
            (METRICS[key].label, value, now, before if heard else None, METRICS[key].unit or "count", n)
            for key, (value, now, before, n) in values.items()
        ),
    )


def place() -> Component:
    """One row of four cells, at its final height; each is a button that opens how its figure was made."""
    strip = html.Div(id="kpi-strip", className="kpis", role="group", **{"aria-label": "Key figures"})
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
    interval = net_interval(total.positive, total.neutral, total.negative)
    if interval is not None and total.scored < LEAST_SCORED:
        note = f"{style.signed(interval[0])} to {style.signed(interval[1])}, {total.scored} scored"
    change: dict[str, str] = {"words": "no score to compare", "class": "t3"}
    now, before = against.now.net_sentiment, against.before.net_sentiment
    if now is not None and before is not None and _is_heard(against):
        # Of the rounded values, so that the arithmetic on the screen comes out.
        points = round(now) - round(before)
        change = {"was": f"was {style.signed(before)}", "words": "", "class": "t2"}
        if min(against.now.scored, against.before.scored) >= LEAST_SCORED:
            clear = nets_differ(_signs(against.now), _signs(against.before))
            change |= _points(points, f"{abs(points)} pts {'better' if points > 0 else 'worse'}", clear=clear)
            if clear and points:
                change["class"] = "pos" if points > 0 else "neg"
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
                clear = shares_differ(
                    (against.now.mentions, against.tracked_now), (against.before.mentions, against.tracked_before)
                )
                change |= _points(points, f"{abs(points):.1f} pts", clear=clear)
    spark = [
        share_of_voice(sum(t.mentions for t in own), sum(t.mentions for t in every))
        for own, every in zip(_bundles(found, found.series), _bundles(found, found.tracked), strict=True)
    ]
    exact = f"{ours:,} of {tracked:,}, measured against {', '.join(found.tracked_names)}"
    return _cell("share_of_voice", shown, change, f"among {len(found.tracked_names)} brands", spark, exact=exact)


def _points(points: float, words: str, *, clear: bool) -> dict[str, str]:
    """The words of a ratio's change, with an arrow only where it is more than chance."""
    if points == 0:
        return {"words": "no change"}
    return {"words": f"{_arrow(points)} {words}" if clear else UNCLEAR}


def _signs(tally: Tally) -> tuple[int, int, int]:
    return tally.positive, tally.neutral, tally.negative


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


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


def earlier(window: Window, weeks: int, zone: str) -> Window:
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


PANEL = Panel(key=KEY, topics=("mentions", "sources"), query=query, draw=draw, place=place, table=table)
