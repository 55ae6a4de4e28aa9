"""Spikes by the benchmark's own rule on real companies, false alerts on quiet days, and the expected range."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from models import expected
from models.spikes import COOL_DOWN, PAST_DAYS, RULES, STEP, Counts, Floats, first_of_each, spikes, strength
from tests.bench.demo_counts import told
from tests.bench.figures import Figure, show
from tests.bench.nab import Company, Profile, companies, normalised, profile, raw_score
from tests.data_folder import data_folder

FOLDER = "nab"
# What is chosen from, times the product's own setting.
FACTORS = tuple(round(1.05**power, 3) for power in range(-10, 14))
# A factor is chosen among those that raise no more false alerts a day on the other companies: half of what is allowed
# where it was not chosen.
MOST_FALSE_WHERE_CHOSEN = 0.06
MOST_FALSE = 0.12
LEAST_SCORE = 62.0
QUIET_DAYS = 28
HOME = ZoneInfo("Europe/Amsterdam")
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a factor comes to on a company."""

    raw: float
    false_alerts: int


Outcomes = Mapping[str, Mapping[float, Outcome]]


def run() -> list[Figure]:
    """The companies are left out without the folder of real data."""
    folder = data_folder()
    real = [] if folder is None or not (folder / FOLDER).is_dir() else of_companies(folder / FOLDER)
    return [*real, *of_quiet_days(), *of_expected_range()]


def of_companies(folder: Path) -> list[Figure]:
    """The score, each company with the factor that is best on the others; the product's own setting beside it."""
    rule, found = profile(folder), companies(folder)
    begun = time.process_time()
    outcomes: Outcomes = {company.name: tried(company, rule) for company in found}
    spent = time.process_time() - begun
    chosen = {
        company.name: best_factor([other for other in found if other is not company], outcomes) for company in found
    }
    figures = []
    for company in found:
        factor = chosen[company.name]
        outcome = outcomes[company.name][factor]
        figures.append(
            Figure(
                f"spikes: {company.name}",
                score([company], {company.name: factor}, outcomes, rule),
                "points",
                detail=f"n = {len(company.windows)} windows; false alerts: {outcome.false_alerts} in"
                f" {company.days:.0f} days; {factor:g} × the product's factors",
            )
        )
    ours = dict.fromkeys(chosen, 1.0)
    windows = f"n = {len(found)} companies, {sum(len(company.windows) for company in found)} windows"
    days = f"n = {sum(company.days for company in found):.0f} brand-days outside the windows"
    return [
        *figures,
        Figure(
            "spikes: all, each chosen on the others",
            score(found, chosen, outcomes, rule),
            "points",
            LEAST_SCORE,
            gate=True,
            detail=windows,
        ),
        Figure(
            "spikes: false alerts, each chosen on the others",
            false_a_day(found, chosen, outcomes),
            "a brand-day",
            MOST_FALSE,
            "max",
            gate=True,
            detail=days,
        ),
        Figure("spikes: all, as the product is set", score(found, ours, outcomes, rule), "points", detail=windows),
        Figure(
            "spikes: false alerts, as the product is set",
            false_a_day(found, ours, outcomes),
            "a brand-day",
            MOST_FALSE,
            "max",
            gate=True,
            detail=days,
        ),
        Figure("spikes: judging a company, every factor", spent / len(found), "s", detail="15,900 counts"),
    ]


def tried(company: Company, rule: Profile) -> dict[float, Outcome]:
    """Every factor on a company: one alert an event, as the product does it, the volume rules alone."""
    strengths = strongest(company)
    found = {}
    for factor in FACTORS:
        alerts = list(first_of_each(strengths, factor, steps=COOL_DOWN // STEP))
        found[factor] = Outcome(raw_score(company, alerts, rule), company.false_alerts(alerts))
    return found


def strongest(company: Company) -> Floats:
    """How strongly each step passes the rule it passes most."""
    start = company.start - timedelta(minutes=company.start.minute % 5, seconds=company.start.second)
    counts = Counts.of(start, company.counts)
    found: Floats = np.max([strength(counts, rule) for rule in RULES if rule.kind == "volume"], axis=0)
    return found


def best_factor(others: Sequence[Company], outcomes: Outcomes) -> float:
    """The factor with the highest sum of scores on some companies that keeps false alerts there low."""
    names = [company.name for company in others]
    kept = [f for f in FACTORS if false_a_day(others, dict.fromkeys(names, f), outcomes) <= MOST_FALSE_WHERE_CHOSEN]
    return max(kept, key=lambda factor: sum(outcomes[name][factor].raw for name in names), default=FACTORS[-1])


def score(found: Sequence[Company], chosen: Mapping[str, float], outcomes: Outcomes, rule: Profile) -> float:
    """0 .. 100 over some companies."""
    raw = sum(outcomes[company.name][chosen[company.name]].raw for company in found)
    return normalised(raw, sum(len(company.windows) for company in found), rule)


def false_a_day(found: Sequence[Company], chosen: Mapping[str, float], outcomes: Outcomes) -> float:
    """False alerts a brand-day outside the windows."""
    alerts = sum(outcomes[company.name][chosen[company.name]].false_alerts for company in found)
    return alerts / sum(company.days for company in found)


def of_quiet_days() -> list[Figure]:
    """Alerts of the whole simulated organisation without its launches and outages, and how many of these are seen."""
    demo = told(PAST_DAYS + QUIET_DAYS)
    size = f"n = {QUIET_DAYS} days, {len(demo.quiet)} brands"
    since = next(iter(demo.quiet.values())).start + timedelta(days=PAST_DAYS)
    begun = time.process_time()
    quiet = [spike for counts in demo.quiet.values() for spike in spikes(counts, since=since)]
    spent = time.process_time() - begun
    seen = {key: [spike.at for spike in spikes(counts, since=since)] for key, counts in demo.everything.items()}
    events = [(brand, begin, end) for brand, begin, end in demo.events if begin > since]
    caught = sum(any(begin <= at <= end for at in seen[brand]) for brand, begin, end in events)
    negative = sum(spike.kind == "negative" for spike in quiet)
    return [
        Figure(
            "spikes: alerts on quiet days, whole organisation",
            len(quiet) / QUIET_DAYS,
            "a day",
            1.0,
            "max",
            gate=True,
            detail=f"{size}; {negative} of {len(quiet)} for the share negative",
        ),
        Figure("spikes: launches and outages seen", caught, "events", detail=f"of {len(events)}"),
        Figure("spikes: judging a brand's 56 days", spent / len(demo.quiet), "s"),
    ]


def of_expected_range() -> list[Figure]:
    """The share of ordinary quarters of an hour outside the range, brand by brand and for all of ours together."""
    demo = told(PAST_DAYS + QUIET_DAYS)
    figures = []
    for name, brands in (("a brand", tuple(demo.quiet)), ("all together", ())):
        rows = [demo.quiet[key].mentions for key in brands] or [
            np.sum([counts.mentions for counts in demo.quiet.values()], axis=0)
        ]
        start = next(iter(demo.quiet.values())).start
        outside = known = 0
        for row in rows:
            more, of = outside_range(start, row)
            outside, known = outside + more, known + of
        for bound, direction in ((5.0, "min"), (15.0, "max")):
            figures.append(
                Figure(
                    f"expected range: ordinary quarters outside, {name}",
                    100 * outside / known,
                    "%",
                    bound,
                    "min" if direction == "min" else "max",
                    gate=name == "all together",
                    detail=f"n = {known:,} quarters of an hour",
                )
            )
    return figures


def outside_range(start: datetime, mentions: Floats) -> tuple[int, int]:
    """How many quarters of the last QUIET_DAYS lie outside their range, and how many have one."""
    quarters = mentions.reshape(-1, QUARTER // STEP).sum(axis=1)
    past = expected.Counts(start, QUARTER, [int(count) for count in quarters])
    first = timedelta(days=PAST_DAYS) // QUARTER
    answers = [
        expected.expected(past, start + place * QUARTER, HOME).holds(quarters[place])
        for place in range(first, len(quarters))
    ]
    return answers.count(False), len(answers) - answers.count(None)


if __name__ == "__main__":
    show("Spikes", run())
