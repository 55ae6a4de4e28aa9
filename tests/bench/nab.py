"""The scoring rule of the Numenta Anomaly Benchmark, standard profile, as its paper and profiles define it.

A company's counts have labelled windows. The earliest detection in a window earns up to 1 (more the earlier), a window
without one costs 1, and every detection outside costs up to 0.11 (less right after a window). A sum is brought to
0 .. 100 between a detector that says nothing and one that opens every window with its first step.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

# The first steps are there to learn from and are not scored: 15 %, of at most 5,000 steps.
PROBATION_SHARE = 0.15
PROBATION_STEPS = 5_000
STEPS_A_DAY = 288
# Beyond three widths of a window the sigmoid is flat.
FAR = 3.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hit earns, what a miss and a false alert cost."""

    hit: float
    miss: float
    false_alert: float


@dataclass(frozen=True)
class Company:
    """Posts per five minutes; `windows` are first and last place of each labelled window."""

    name: str
    start: datetime
    counts: tuple[int, ...]
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """How many steps are not scored."""
        length = len(self.counts)
        return int(min(PROBATION_SHARE * length, PROBATION_SHARE * PROBATION_STEPS))

    @cached_property
    def days(self) -> float:
        """Scored days outside the windows: where an alert is a false one."""
        inside = sum(last - first + 1 for first, last in self.windows)
        return (len(self.counts) - self.probation - inside) / STEPS_A_DAY

    def window_of(self, place: int) -> int | None:
        """The number of the window that a place lies in."""
        return next((n for n, (first, last) in enumerate(self.windows) if first <= place <= last), None)

    def false_alerts(self, detections: Sequence[int]) -> int:
        """Scored detections outside every window."""
        return sum(place >= self.probation and self.window_of(place) is None for place in detections)


def profile(folder: Path, name: str = "standard") -> Profile:
    """A profile of the benchmark's own file."""
    weights = json.loads((folder / "profiles.json").read_text("utf-8"))[name]["CostMatrix"]
    return Profile(weights["tpWeight"], weights["fnWeight"], weights["fpWeight"])


def companies(folder: Path) -> list[Company]:
    """Every company of the folder that has labelled windows."""
    found = []
    for path, windows in json.loads((folder / "windows.json").read_text("utf-8")).items():
        file = folder / Path(path).name
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        places = {row["timestamp"]: place for place, row in enumerate(rows)}
        found.append(
            Company(
                file.stem.removeprefix("Twitter_volume_"),
                datetime.fromisoformat(rows[0]["timestamp"]).replace(tzinfo=UTC),
                tuple(int(row["value"]) for row in rows),
                tuple((places[first[:19]], places[last[:19]]) for first, last in windows),
            )
        )
    return found


def sigmoid(position: float) -> float:
    """1 far before, 0 at the end of a window, -1 far after it."""
    return -1.0 if position > FAR else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def raw_score(company: Company, detections: Sequence[int], profile: Profile) -> float:
    """The sum over windows and false alerts."""
    best = [-profile.miss] * len(company.windows)
    total = 0.0
    for place in detections:
        if place < company.probation:
            continue
        number = company.window_of(place)
        if number is None:
            total += profile.false_alert * _after(company, place)
        else:
            first, last = company.windows[number]
            earned = sigmoid(-(last - place + 1) / (last - first + 1)) / sigmoid(-1.0)
            best[number] = max(best[number], earned * profile.hit)
    return total + sum(best)


def _after(company: Company, place: int) -> float:
    passed = [(first, last) for first, last in company.windows if last < place]
    if not passed:
        return -1.0
    first, last = passed[-1]
    return sigmoid((place - last) / (last - first))


def normalised(raw: float, windows: int, profile: Profile) -> float:
    """0 = says nothing, 100 = perfect."""
    null = -profile.miss * windows
    return 100.0 * (raw - null) / (profile.hit * windows - null)
