"""All brands, locations or teams beside each other: a row each, from the rollups alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import scope
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, kpi
from dashboard.panels.frame import Span
from dashboard.panels.index_cells import Figures, Frame, plain, row
from dashboard.panels.index_rows import COLUMNS, groups_of
from models import alerts, cube
from models.access import Window
from models.alerts import Alert
from models.cube import NOTHING, Tally

NAMES = {"brand": "All brands", "location": "All locations", "team": "All teams"}
DIMENSIONS = {"brand": cube.BRAND, "location": cube.LOCATION, "team": cube.TEAM}
SHARES = {
    "brand": "share within each brand's own tracked set",
    "location": "share of brand volume",
    "team": "share of all mentions",
}
# As many earlier spans of the same hours are compared with.
SPANS = 4
# Of an earlier span at least this share must have been listened to.
LEAST_HEARD = 0.9
# What a row shows of a tally.
VALUES = (*cube.SENTIMENTS, "reach")
QUARTER, HOUR, DAY = 900, 3600, 86_400
UTC = ZoneInfo("UTC")


def draw(found: Frame) -> Props:
    """Rows as plain values with what they are sorted by; the browser draws and sorts them."""
    kind = found.kind
    groups = [
        {
            "key": group.key,
            "name": f"{group.name}, {len(group.members)}",
            "rows": [
                row(found, member.name, found.figures[member.key], member=member, kind=kind) for member in group.members
            ],
            "total": row(found, group.total, found.total) if group.total else None,
        }
        for group in found.groups
    ]
    if found.unknown is not None and found.unknown.tally.mentions:
        label = "Place not known" if kind == "location" else "No team"
        groups[0]["unknown"] = row(found, label, found.unknown)
    before = "a week" if found.weeks == 1 else f"{found.weeks} weeks"
    sub = f"{found.words}, against the same hours {before} before; {SHARES[kind]}"
    if found.partial:
        sub += "; newest 50,000 counted"
    return {
        f"index-{kind}s-table": {
            "kind": kind,
            "columns": [
                {"key": column.key, "label": column.label, "tip": column.tip}
                for column in COLUMNS
                if kind in column.kinds
            ],
            "groups": groups,
        },
        f"index-{kind}s-head": frame.head(NAMES[kind], sub),
        f"index-{kind}s-state": frame.NO_STATE,
    }


def table(found: Frame) -> Table:
    """A row a member, as the columns on the screen; the total and what is not known below."""
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for group in found.groups:
        rows += [plain(found, group.name, member.name, found.figures[member.key]) for member in group.members]
        if group.total:
            rows.append(plain(found, group.name, group.total, found.total))
    return Table(
        title=NAMES[found.kind],
        about=exported.line(found.words, found.end, found.zone, f"{found.total.tally.mentions:,} mentions of ours"),
        columns=(
            "Group",
            "Name",
            "Mentions",
            "Same hours before",
            "x expected",
            "Share (%)",
            "Net (pts)",
            "Net from",
            "Net to",
            "Scored",
            "Reach, estimated",
            "Spikes",
        ),
        rows=tuple(rows),
    )


def panel(kind: str) -> Panel:
    """The table of one kind."""
    return Panel(
        key=f"index-{kind}s",
        topics=("mentions", "sources", "organisation", "alerts"),
        query=_query(kind),
        draw=draw,
        place=_place(kind),
        table=table,
    )


def _place(kind: str) -> Callable[[], Component]:
    def place() -> Component:
        """The box with an empty table; the browser builds it."""
        body = html.Div(id=f"index-{kind}s-table", className="index-table", **{"data-index": f"{kind}s"})
        return frame.box(f"index-{kind}s", NAMES[kind], body, class_name="index-panel")

    return place


# -- reading ---------------------------------------------------------------------------------------------------


def _query(kind: str) -> Callable[[Connection, Question], Frame]:
    def query(connection: Connection, question: Question) -> Frame:
        """One statement for the window, one for its steps, one an earlier span that was listened to, one for reach."""
        there, asked, dimension = question.organisation, question.scope, DIMENSIONS[kind]
        totals = cube.totals_by(connection, asked, (dimension,), question.window, there, values=VALUES)
        steps = stepped(question.window, question)
        counts = cube.counts_by(connection, asked, dimension, steps, there)
        starts = cube.steps(steps, there)
        whole = sum(start + timedelta(seconds=steps.step_seconds) <= question.window.end for start in starts)
        whole = max(1, min(whole, len(starts)))
        over = replace(steps, end=starts[whole] if whole < len(starts) else steps.end, live=False)
        weeks = max(1, -(-(question.window.end - question.window.start) // timedelta(weeks=1)))
        past = [
            cube.counts_by(connection, asked, dimension, span, there)
            for span in _earlier(connection, over, weeks, there)
        ]
        reach, each_once = _reach(connection, question, dimension, totals)
        # A spike counts the whole brand: where only a part of it is looked at it would say too much.
        has_spikes = kind == "brand" and asked.location_ids is None
        spikes: dict[int, list[Alert]] = {}
        if has_spikes:
            for item in alerts.of_brands(
                connection, asked.tracked_ids, start=question.window.start, end=question.window.end
            ):
                spikes.setdefault(item.brand_id, []).append(item)

        def made(ids: Iterable[int], among: Iterable[int]) -> Figures:
            members, total = tuple(ids), sum(totals.of(one).mentions for one in among)
            return Figures(
                tally=added(totals.of(one) for one in members),
                counts=_sum([counts[one] for one in members if one in counts], len(starts)),
                past=tuple(_sum([span[one] for one in members if one in span], whole) for span in past),
                reach=sum(reach.get(one, 0) for one in members),
                whole=total,
                spikes=tuple(item for one in members for item in spikes.get(one, ())),
            )

        groups, ours, unknown = groups_of(kind, question)
        everything = asked.tracked_ids if kind == "brand" else tuple(group[0] for group in totals.tallies)
        total = made(ours if kind == "brand" else everything, everything)
        # An author of two of them counts once in the sum.
        total = replace(total, reach=cube.reach(connection, asked, question.window, there).value)
        return Frame(
            kind=kind,
            groups=groups,
            figures={
                member.key: made(member.ids, member.among or everything) for group in groups for member in group.members
            },
            total=total,
            unknown=made((unknown,), everything) if unknown is not None else None,
            whole_steps=whole,
            weeks=weeks,
            each_once=each_once,
            has_spikes=has_spikes,
            partial=totals.partial,
            words=scope.words(asked, question.window, there),
            end=question.window.end,
            zone=question.zone,
        )

    return query


def _reach(
    connection: Connection, question: Question, dimension: str, totals: cube.Totals
) -> tuple[dict[int, int], bool]:
    """Followers by the ids of a dimension; of a longer live window they stand in the cells that were read already."""
    asked, window = question.scope, question.window
    if window.live and window.end - window.start > cube.EACH_ONCE and not cube.needs_rows(asked, dimension):
        return {group[0]: tally.reach for group, tally in totals.tallies.items()}, False
    return cube.reach_by(connection, asked, dimension, window, question.organisation)


def stepped(window: Window, question: Question) -> Window:
    """The window in the steps of its line: some thirty of them, each of whole cells as large as there are."""
    if window.step_seconds >= DAY // 4:
        start = scope.edge_before(window.start, DAY, question.organisation.zone_info)
        return replace(window, start=start, step_seconds=DAY)
    if window.step_seconds < QUARTER:
        return window
    start = scope.edge_before(window.start, HOUR, UTC)
    return replace(window, start=start, step_seconds=HOUR if window.step_seconds < HOUR else 4 * HOUR)


def _earlier(connection: Connection, over: Window, weeks: int, there: Any) -> list[Window]:
    """The same hours up to SPANS times before, as far as somebody listened then."""
    spans = [kpi.earlier(over, weeks * n, there.zone) for n in range(1, SPANS + 1)]
    gaps = frame.gaps(connection, replace(over, start=spans[-1].start))
    return [span for span in spans if heard(span, gaps) >= LEAST_HEARD]


def heard(window: Window, gaps: Sequence[Span]) -> float:
    """The share (0..1) of a window in which somebody listened."""
    length = (window.end - window.start).total_seconds()
    missed = sum(max(0.0, (min(end, window.end) - max(start, window.start)).total_seconds()) for start, end in gaps)
    return 1 - missed / length if length > 0 else 0.0


def added(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies, without what no row shows."""
    mentions = positive = neutral = negative = unscored = 0
    for tally in tallies:
        if tally is not NOTHING:
            mentions += tally.mentions
            positive += tally.positive
            neutral += tally.neutral
            negative += tally.negative
            unscored += tally.unscored
    return Tally(mentions, positive, neutral, negative, unscored)


def _sum(parts: Sequence[Sequence[int]], length: int) -> tuple[int, ...]:
    # A week with a change of clocks has an hour more or less.
    return tuple(islice(map(sum, zip_longest(*parts, fillvalue=0)), length)) if parts else (0,) * length
