"""What each panel of each page takes to read and to draw, over random scopes and windows of a full store."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from dashboard import scope as url_scope
from dashboard.hub import OPEN
from dashboard.panel import Panel, Question
from dashboard.scope import UrlScope
from dashboard.unit import Job
from dashboard.views import VIEWS
from dashboard.views.view import View
from models.access import ADMIN, Access
from models.database import Database
from models.networks import NETWORKS
from models.organisation import UNKNOWN, Organisation
from tests.bench.figures import Figure, show
from tests.bench.stores import NOW, filled

MENTIONS = 1_000_000
SCOPES = 200
BOUNDS = {"sqlite": 50.0, "postgresql": 100.0}
SOMEBODY = Access(1, "admin@meridian.example", "Admin", frozenset({ADMIN}))
SUBJECTS = ("", "brand", "location", "team")
WINDOWS = ("15m", "1h", "24h", "24h", "7d", "30d")


def run(mentions: int = MENTIONS, scopes: int = SCOPES) -> list[Figure]:
    """p95 of each panel, the worst first; a panel that fails breaks the run."""
    figures = []
    for kind in ("sqlite", "postgresql"):
        database, current = filled(kind, mentions)
        for view in VIEWS:
            if view.subject not in SUBJECTS:
                # The page of one incident: the store that is read has none.
                continue
            asked = questions(view, current, scopes)
            figures += [_measured(database, kind, view, panel, asked, mentions) for panel in view.panels]
    return sorted(figures, key=lambda figure: -figure.value)


def questions(view: View, current: Organisation, number: int, *, seed: int = 11) -> list[Question]:
    """What people ask of a page: brands, places, teams, networks, live windows, ends in the past, spans of a year."""
    dice = random.Random(f"{seed} {view.key}")
    return [_question(view, current, dice) for _ in range(number)]


def _question(view: View, current: Organisation, dice: random.Random) -> Question:
    own = [brand.key for brand in current.brands if brand.kind == "own"]
    places = [place.key for place in current.locations if place.id != UNKNOWN]
    teams = [team.key for team in current.teams if team.id != UNKNOWN]
    asked = UrlScope(
        brands=_some(dice, own, 0.6),
        locations=_some(dice, places, 0.4),
        teams=_some(dice, teams, 0.3),
        networks=_some(dice, [network.key for network in NETWORKS[1:]], 0.3),
    )
    asked = _windowed(asked, dice) if view.has_scope else UrlScope()
    if not view.subject:
        return url_scope.question(asked, SOMEBODY, current, NOW)
    subjects = {"brand": own, "location": places, "team": teams}[view.subject]
    asked = replace(asked, brands=()) if view.subject == "brand" else asked
    asked = replace(asked, locations=()) if view.subject == "location" else asked
    asked = replace(asked, teams=()) if view.subject == "team" else asked
    return url_scope.question(asked, SOMEBODY, current, NOW, about=(view.subject, dice.choice(subjects)))


def _windowed(asked: UrlScope, dice: random.Random) -> UrlScope:
    past = NOW - timedelta(days=dice.random() * 300)
    if dice.random() < 0.15:
        return replace(asked, window="custom", span=(past - timedelta(days=dice.random() * 60), past))
    return replace(asked, window=dice.choice(WINDOWS), at=past if dice.random() < 0.15 else None)


def _some(dice: random.Random, keys: Sequence[str], odds: float) -> tuple[str, ...]:
    return tuple(sorted(dice.sample(keys, dice.randint(1, min(3, len(keys)))))) if dice.random() < odds else ()


def _measured(
    database: Database, kind: str, view: View, panel: Panel, asked: Sequence[Question], mentions: int
) -> Figure:
    shared = [_as_shared(panel, question) for question in asked]
    Job(database, panel).run(shared[0])
    ran = [Job(database, panel).run(question) for question in shared]
    taken = [1000 * seconds for _, seconds, _ in ran]
    here = statistics.quantiles([1000 * cpu for _, _, cpu in ran], n=20)[18]
    return Figure(
        f"panel {view.key}: {panel.key}, p95 {kind}",
        statistics.quantiles(taken, n=20)[18],
        "ms",
        BOUNDS[kind],
        "max",
        detail=f"n {mentions:,}, {len(taken)} scopes; median {statistics.median(taken):.1f}, worst {max(taken):.0f} ms,"
        f" p95 of a core here {here:.1f} ms",
    )


def _as_shared(panel: Panel, question: Question) -> Question:
    """What the hub asks: without the parts of the scope that the panel does not read."""
    scope = replace(question.scope, **{part: OPEN[part] for part in panel.ignores & OPEN.keys()})
    return replace(question, scope=scope)


if __name__ == "__main__":
    show("panels", run())
