"""The one writer of `answer_time`: how long answers and resolutions took, counted in classes as they happen.

A fact stands under the team and location that its case had when it happened. What is undone later, a resolve after
which the customer came back, is taken out again, so that the sums always say what stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from models.answer_times import KEPT, MISSED, class_of
from models.bulk import merge_rows
from models.case_clocks import posted_at
from models.case_steps import Event
from models.cube import local_day
from models.service_level import FIRST, MET, NEXT, RESOLUTION, Clock
from models.service_level import MISSED as LATE
from models.tables import setting
from models.tables.base import to_microseconds

# `kind` of a row: a clock, in business time; with PLAIN behind it in plain time. A resolution counts where the case
# stayed resolved; INITIAL is the one to the first resolve, whatever came after it.
RESOLVED, INITIAL, PLAIN = "resolved", "initial", ":plain"
KINDS = {FIRST: FIRST, NEXT: NEXT, RESOLUTION: RESOLVED}
_KEYS = ("brand_id", "day", "location_id", "team_id", "kind", "class")
# Events that stop a clock; they say the place of their case.
ENDINGS = frozenset({"answered", "answer_noted", "resolved", "settled"})

Counted = tuple[int, datetime, int, int, str, int, int]
"""(brand, instant, location, team, kind, class, +1 or -1)."""


def counts(brand_id: int, before: Sequence[Clock], after: Sequence[Clock], events: Sequence[Event]) -> list[Counted]:
    """What the figures gain and lose by the clocks of a case becoming what they are."""
    old, new = _met(before), _met(after)
    found: list[Counted] = []
    for clock, sign in [*((clock, -1) for clock in old - new), *((clock, 1) for clock in new - old)]:
        found += _of(brand_id, clock, events, sign)
    resolves = sorted(event.at for event in events if event.kind in ("resolved", "settled"))
    known = {clock.met_at for clock in old if clock.kind == RESOLUTION}
    for clock in new - old:
        if clock.kind == RESOLUTION and clock.met_at not in known and clock.met_at == resolves[0]:
            location_id, team_id = _place(events, clock)
            assert clock.met_at is not None
            for kind, seconds in ((INITIAL, clock.business_seconds), (INITIAL + PLAIN, clock.plain_seconds)):
                found.append((brand_id, clock.met_at, location_id, team_id, kind, class_of(seconds), 1))
    return found


def count(connection: Connection, counted: Iterable[Counted]) -> None:
    """Add it to the figures, by local day of the organisation."""
    facts = list(counted)
    if not facts:
        return
    zone = connection.execute(select(setting.c.value).where(setting.c.key == "zone")).scalar() or "UTC"
    cells: Counter[tuple[int, int, int, int, str, int]] = Counter()
    for brand_id, at, location_id, team_id, kind, number, sign in facts:
        day, _ = local_day(to_microseconds(at) // 1_000_000, zone)
        cells[(brand_id, day, location_id, team_id, kind, number)] += sign
    rows = [(*key, cases) for key, cases in cells.items() if cases]
    merge_rows(connection, "answer_time", _KEYS, ("cases",), "cases = answer_time.cases + excluded.cases", rows)


def _of(brand_id: int, clock: Clock, events: Sequence[Event], sign: int) -> Iterator[Counted]:
    assert clock.met_at is not None
    kind = KINDS[clock.kind]
    location_id, team_id = _place(events, clock)
    where = (brand_id, clock.met_at, location_id, team_id)
    yield (*where, kind, class_of(clock.business_seconds), sign)
    yield (*where, kind + PLAIN, class_of(clock.plain_seconds), sign)
    if clock.state in (MET, LATE):
        yield (*where, kind, KEPT if clock.state == MET else MISSED, sign)


def _met(clocks: Iterable[Clock]) -> set[Clock]:
    """Those that ended by what was promised, kept or late."""
    return {clock for clock in clocks if clock.met_at is not None}


def _place(events: Sequence[Event], clock: Clock) -> tuple[int, int]:
    """Location and team that the case had when the clock stopped, as the event says that stopped it."""
    for event in events:
        if event.kind in ENDINGS and clock.met_at in (posted_at(event), event.at) and "team_id" in event.details:
            return event.details["location_id"], event.details["team_id"]
    raise LookupError(f"no event of the case stopped the clock {clock.kind} at {clock.met_at}")
