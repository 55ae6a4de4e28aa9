"""The curve of the report as plain shapes in points, for SVG on the page and vectors in the PDF. y runs downwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard import style
from models.incident_figures import Curve, Point
from models.incident_report import Report

Place = tuple[float, float]
Across = Callable[[datetime], float]
Down = Callable[[float], float]
LEFT, RIGHT, TOP, BOTTOM = 36.0, 8.0, 30.0, 18.0
# Words over the curve, at least so far apart (points).
LEAST_APART = 90.0


@dataclass(frozen=True, slots=True)
class Shapes:
    """`grid` are (y, label), `ticks` (x, label), `marks` (x, label)."""

    width: float
    height: float
    line: tuple[Place, ...]
    band: tuple[tuple[Place, ...], ...]
    excess: tuple[tuple[Place, ...], ...]
    middle: tuple[tuple[Place, ...], ...]
    grid: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    peak: Place | None


def shapes(report: Report, zone: str, *, width: float, height: float) -> Shapes:
    """Where everything stands in a box of this size."""
    curve = report.figures.curve
    points = curve.whole or curve.points
    step = timedelta(seconds=curve.step_seconds)
    start, end = points[0].at, points[-1].at + step
    highs = [point.high for point in points if point.high is not None]
    top, grid = style.axis_top(max([point.mentions for point in points] + highs, default=0))
    span = (end - start).total_seconds()

    def x(at: datetime) -> float:
        return LEFT + (width - LEFT - RIGHT) * (at - start).total_seconds() / span

    def y(value: float) -> float:
        return height - BOTTOM - (height - TOP - BOTTOM) * min(value / top, 1.0) if top else height - BOTTOM

    values, labels = style.ticks(start, end, ZoneInfo(zone), most=8)
    ticks = [
        (x(datetime.fromtimestamp(value, start.tzinfo)), label) for value, label in zip(values, labels, strict=True)
    ]
    lines = [grid * number for number in range(int(top / grid) + 1)] if grid else [0.0]
    peak = curve.peak
    return Shapes(
        width=width,
        height=height,
        line=tuple((x(point.at), y(point.mentions)) for point in points),
        band=tuple(_between(run, x, y) for run in _runs(points)),
        excess=tuple(_above(run, x, y) for run in _runs(points) if any(_is_above(point) for point in run)),
        middle=tuple(tuple((x(p.at), y(p.middle or 0.0)) for p in run) for run in _runs(points)),
        grid=tuple((y(value), style.short(value)) for value in lines),
        ticks=tuple((at, label.replace("<br>", " ")) for at, label in ticks if LEFT <= at <= width - RIGHT),
        marks=tuple(_marks(report, zone, curve, x, (start, end))),
        peak=None if peak is None else (x(peak.at), y(peak.mentions)),
    )


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Unbroken runs of steps whose range is known."""
    runs: list[list[Point]] = []
    before = False
    for point in points:
        known = point.low is not None and point.high is not None
        if known and not before:
            runs.append([])
        if known:
            runs[-1].append(point)
        before = known
    return [run for run in runs if len(run) > 1]


def _is_above(point: Point) -> bool:
    return point.high is not None and point.mentions > point.high


def _between(run: Sequence[Point], x: Across, y: Down) -> tuple[Place, ...]:
    upper = [(x(point.at), y(point.high or 0.0)) for point in run]
    return (*upper, *((x(point.at), y(point.low or 0.0)) for point in reversed(run)))


def _above(run: Sequence[Point], x: Across, y: Down) -> tuple[Place, ...]:
    upper = [(x(point.at), y(max(float(point.mentions), point.high or 0.0))) for point in run]
    return (*upper, *((x(point.at), y(point.high or 0.0)) for point in reversed(run)))


def _marks(
    report: Report, zone: str, curve: Curve, x: Across, span: tuple[datetime, datetime]
) -> list[tuple[float, str]]:
    item, peak = report.incident, curve.peak

    def clock(at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"

    wanted: list[tuple[datetime, str]] = []
    if peak is not None:
        times = f", ×{peak.mentions / peak.middle:.1f}" if peak.middle else ""
        wanted.append((peak.at, f"peak {clock(peak.at)}{times}"))
    if item.ended_at is not None:
        wanted.append((item.ended_at, f"ended {clock(item.ended_at)}"))
    wanted.append((item.declared_at, f"declared {clock(item.declared_at)}"))
    back = curve.back_in_range(item.declared_at)
    if back is not None:
        wanted.append((back, f"back in range {clock(back)}"))
    placed: list[tuple[float, str]] = []
    for at, words in wanted:
        if span[0] <= at <= span[1] and all(abs(x(at) - other) >= LEAST_APART for other, _ in placed):
            placed.append((x(at), words))
    return sorted(placed)
