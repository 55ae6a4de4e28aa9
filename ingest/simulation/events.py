"""What stands out: a product launch and an outage a week, and something smaller every day.

They are placed from the instant of the first start, so that a new screen always has a launch of six hours ago and
an outage of two to three days ago to show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.simulation.dice import sixteen
from ingest.simulation.world import Weights, cumulative

HOME = ZoneInfo("Europe/Amsterdam")
# Posts a day that the paces below are written for; they grow with the volume.
REFERENCE_PER_DAY = 6000.0


# Compared by identity: drafts are cached by what they are made of, and eleven fields would be hashed each time.
@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something many people write about at once.

    `begins` counts minutes since 1970; `peak` is posts a minute at 6,000 a day, reached after `rise` minutes, held
    for `hold` and halved every `half_life`. `sites` None = wherever the brand is known; `moods` are running sums.
    """

    key: str
    brand: str
    peak: float
    rise: float
    hold: float
    half_life: float
    minutes: int
    networks: Weights
    moods: Weights
    sites: tuple[str, ...] | None = None
    begins: int = 0

    def pace(self, minute: int) -> float:
        """Posts in that minute on all networks at 6,000 a day."""
        age = minute - self.begins
        if age < 0 or age >= self.minutes:
            return 0.0
        if age < self.rise:
            return self.peak * (age + 1) / (self.rise + 1)
        return self.peak * math.exp2(-max(0.0, age - self.rise - self.hold) / self.half_life)


_SPOKEN = (0.60, 0.12, 0.08, 0.12, 0.05, 0.03)
_SHOWN = (0.40, 0.11, 0.06, 0.14, 0.26, 0.03)
_BAD = cumulative((0.05, 0.21, 0.74))
_GOOD = cumulative((0.62, 0.32, 0.06))
_MIXED = cumulative((0.24, 0.46, 0.30))
_WORRIED = cumulative((0.08, 0.52, 0.40))
_HOME_SITES = ("amsterdam", "amsterdam", "amsterdam", "berlin", "berlin")

LAUNCH = Event("v4_reveal", "corvane", 3.4, 10, 40, 60, 420, _SHOWN, _GOOD)
TEST_DRIVES = replace(LAUNCH, key="test_drives", peak=2.6)
WINTER_MENU = Event("winter_menu", "orchard-row", 2.4, 20, 45, 55, 360, _SHOWN, _MIXED)
CARD_OUTAGE = Event("card_outage", "halden-bank", 3.7, 12, 95, 22, 180, _SPOKEN, _BAD, _HOME_SITES)
APP_OUTAGE = replace(CARD_OUTAGE, key="app_outage", peak=3.0, hold=70)

_RIPPLE = Event("", "", 0.8, 8, 25, 20, 120, _SPOKEN, _MIXED)
RIPPLES = (
    replace(_RIPPLE, key="winter_menu", brand="orchard-row"),
    replace(_RIPPLE, key="strike_rumour", brand="velta", moods=_WORRIED),
    replace(_RIPPLE, key="mortgage_rate", brand="halden-bank", moods=cumulative((0.4, 0.5, 0.1))),
    replace(_RIPPLE, key="loyalty_glitch", brand="orchard-row", moods=_BAD),
    replace(_RIPPLE, key="app_outage", brand="bankhaus-lenz", moods=_BAD, sites=("berlin",)),
    replace(_RIPPLE, key="delays", brand="transvia", moods=_BAD),
    replace(_RIPPLE, key="recall", brand="astera", moods=_WORRIED),
)
# Away from the hour of the first one, or the expected range would learn the event as ordinary.
_OTHER_HOURS = (7, 9, 17, 19, 20)


def around(minute: int, seed: int, start: int) -> tuple[Event, ...]:
    """The events people write about in that minute; `start` in seconds since 1970."""
    day = _of_day(minute // 1440, seed, start)
    return tuple(event for event in day if event.begins <= minute < event.begins + event.minutes) if day else ()


@lru_cache(maxsize=256)
def _of_day(day: int, seed: int, start: int) -> tuple[Event, ...]:
    first, last = day * 1440, (day + 1) * 1440
    week = (first - start // 60) // (7 * 1440)
    found = [_ripple(number, seed) for number in (day - 1, day)]
    for number in range(week - 1, week + 3):
        found += [_launch(number, seed, start), _outage(number, seed, start)]
    return tuple(event for event in found if event.begins < last and event.begins + event.minutes > first)


def _launch(week: int, seed: int, start: int) -> Event:
    hours, minutes = sixteen(f"{seed}/launch/{week}".encode())[:2]
    if week == 0:
        return replace(LAUNCH, begins=start // 60 - 360 - minutes % 20)
    kind = TEST_DRIVES if week > 0 else WINTER_MENU
    shift = (hours % 16 + 4) * 60 + minutes % 60
    return replace(kind, begins=start // 60 - 360 + week * 7 * 1440 - shift)


def _outage(week: int, seed: int, start: int) -> Event:
    # The only 13:58 at home that lies 48 to 72 hours before the start.
    latest = datetime.fromtimestamp(start, UTC) - timedelta(hours=48)
    home = latest.astimezone(HOME).replace(hour=13, minute=58, second=0, microsecond=0)
    if home > latest:
        home -= timedelta(days=1)
    kind = CARD_OUTAGE
    if week != 0:
        days, hours, minutes = sixteen(f"{seed}/outage/{week}".encode())[:3]
        home += timedelta(days=7 * week + days % 3 - 1)
        home = home.replace(hour=_OTHER_HOURS[hours % len(_OTHER_HOURS)], minute=minutes % 60)
        kind = APP_OUTAGE if week % 2 else CARD_OUTAGE
    return replace(kind, begins=int(home.timestamp()) // 60)


def _ripple(day: int, seed: int) -> Event:
    which, when = sixteen(f"{seed}/ripple/{day}".encode())[:2]
    return replace(RIPPLES[which % len(RIPPLES)], begins=day * 1440 + 360 + when % 720)
