"""What a screen asks, at 100,000 and at 1,000,000 mentions, beside what it costs without rollups."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pandas as pd
from sqlalchemy import text

from models import cube
from models.access import Scope, Window
from models.database import Database, time_id
from models.mentions import newest
from models.organisation import Organisation
from models.tables.base import to_microseconds
from tests.bench.figures import Figure, show
from tests.bench.stores import NOW, filled

SMALL, LARGE = 100_000, 1_000_000
SCOPES = 200
BOUNDS = {"sqlite": 5.0, "postgresql": 15.0}
YEAR = Window("1y", NOW - timedelta(days=365), NOW, 86_400, live=True)


def run(large: int = LARGE) -> list[Figure]:
    """Medians in milliseconds; the ratio of large to small, and of rollup to GROUP BY and pandas."""
    figures = []
    for kind in ("sqlite", "postgresql"):
        medians = {}
        for number in (SMALL, large):
            database, current = filled(kind, number)
            medians[number] = _kpi(database, current)
            if number == large:
                figures += _beside(database, current, kind, number, medians[number])
                figures += _feed(database, current, kind, number)
        detail = f"n {large:,}; {medians[SMALL]:.2f} ms at {SMALL:,}"
        name = f"KPI + series, 1 brand, 1 year {kind}"
        figures.append(Figure(name, medians[large], "ms", BOUNDS[kind], "max", detail=detail))
        ratio = medians[large] / medians[SMALL]
        figures.append(Figure(f"  {kind}: {large:,} / {SMALL:,}", ratio, "ratio", 2.0, "max", gate=True))
    return figures


def _milliseconds(work: Callable[[], object], times: int = 15) -> float:
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _scope(brand_id: int) -> Scope:
    return Scope((brand_id,), (brand_id,))


def _kpi(database: Database, current: Organisation) -> float:
    brand_id = current.brands[1].id

    def read() -> None:
        with database.read() as connection:
            found = cube.series(connection, _scope(brand_id), YEAR, current)
            assert found.total.mentions > 0

    return _milliseconds(read)


def _beside(database: Database, current: Organisation, kind: str, number: int, rollup: float) -> list[Figure]:
    """The same year from rows: GROUP BY in the database, and read into pandas."""
    brand_id = current.brands[1].id
    day = to_microseconds(YEAR.start + timedelta(days=1)) - to_microseconds(YEAR.start)
    grouped = text(
        "select posted_at / :day as d, count(*), sum(case when sentiment = 1 then 1 else 0 end),"
        " sum(case when sentiment = -1 then 1 else 0 end), sum(likes) from mention"
        " where brand_id = :brand and id >= :first group by d"
    )
    params = {"day": day, "brand": brand_id, "first": time_id(YEAR.start, 0)}

    def group_by() -> None:
        with database.read() as connection:
            connection.execute(grouped, params).all()

    def into_pandas() -> None:
        with database.read() as connection:
            query = text("select posted_at, sentiment, likes from mention where brand_id = :brand and id >= :first")
            frame = pd.read_sql(query, connection, params={"brand": brand_id, "first": params["first"]})
        frame.groupby(frame.posted_at // day).agg({"sentiment": "mean", "likes": "sum"})

    rows, frame = _milliseconds(group_by, 3), _milliseconds(into_pandas, 1)
    return [
        Figure(f"  {kind}: GROUP BY on rows", rows, "ms", detail=f"n {number:,}"),
        Figure(f"  {kind}: GROUP BY / rollup", rows / rollup, "ratio", 5.0, gate=True),
        Figure(f"  {kind}: pandas / rollup", frame / rollup, "ratio", 5.0, gate=True, detail=f"{frame:,.0f} ms"),
    ]


def _feed(database: Database, current: Organisation, kind: str, number: int) -> list[Figure]:
    """Newest 50 over random scopes: brands, places, teams, networks, windows, and now and then a word."""
    choice = random.Random(11)
    own = [brand.id for brand in current.brands if brand.kind == "own"]
    places = [place.id for place in current.locations if place.kind == "site"]
    teams = [team.id for team in current.teams]
    windows = [timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30), timedelta(days=365)]
    taken = []
    for _ in range(SCOPES):
        brand_ids = tuple(sorted(choice.sample(own, choice.randint(1, len(own)))))
        scope = Scope(
            brand_ids,
            brand_ids,
            tuple(sorted(choice.sample(places, choice.randint(1, 6)))) if choice.random() < 0.4 else None,
            tuple(sorted(choice.sample(teams, choice.randint(1, 2)))) if choice.random() < 0.3 else None,
            tuple(sorted(choice.sample([2, 3, 4, 5, 6, 7], choice.randint(1, 3)))) if choice.random() < 0.4 else None,
            f"word{choice.randint(0, 3_000)}" if choice.random() < 0.15 else "",
        )
        window = Window("w", NOW - choice.choice(windows), NOW, 3600, live=True)
        with database.read() as connection:
            began = time.perf_counter()
            newest(connection, scope, window)
            taken.append(1000 * (time.perf_counter() - began))
    p95 = statistics.quantiles(taken, n=20)[18]
    detail = f"n {number:,}, {SCOPES} random scopes, worst {max(taken):.1f} ms"
    return [
        Figure(f"feed newest 50, median {kind}", statistics.median(taken), "ms", 5.0, "max", detail=detail),
        Figure(f"feed newest 50, p95 {kind}", p95, "ms", 50.0, "max", detail=detail),
    ]


if __name__ == "__main__":
    show("reads", run())
