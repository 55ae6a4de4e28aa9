"""When a reply is due and which promises were kept: the three clocks of a case, from what happened to it; pure.

First response runs from the customer's first post to the first answer of a human; next response in every later round,
while the customer waits; resolution until the case stays resolved. What pauses which clock stands in PAUSED_BY.
Business time itself is in models/business_time.py, the hours in models/calendars.py; both are read through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.business_time import (
    RESOLVED,
    SNOOZED,
    WAITING_FOR_CUSTOMER,
    Calendars,
    Pause,
    Span,
    business_seconds,
    due_at,
    working,
)
from models.calendars import CLOSED, HOLIDAY, OPEN, Calendar

__all__ = [
    "CLOSED",
    "HOLIDAY",
    "OPEN",
    "RESOLVED",
    "SNOOZED",
    "WAITING_FOR_CUSTOMER",
    "Calendar",
    "Calendars",
    "Clock",
    "Event",
    "HitRate",
    "Pause",
    "Promise",
    "Span",
    "business_seconds",
    "clocks",
    "due_at",
    "hit_rate",
    "next_due",
    "shown_working",
    "working",
]

# The clocks, as desk_case.due_kind has them.
FIRST, NEXT, RESOLUTION = "first", "next", "resolution"

# What happens to a case, as far as a clock is concerned.
CUSTOMER, ANSWER, AUTOMATIC = "customer", "answer", "automatic"
RESOLVE, REOPEN, DISMISS = "resolve", "reopen", "dismiss"
SNOOZE, WAKE, WAIT, WORK = "snooze", "wake", "wait", "work"

MET, MISSED, PENDING, OVERDUE, PAUSED = "met", "missed", "pending", "overdue", "paused"
# Closed before it was due, without what was promised: neither kept nor missed.
WAIVED = "waived"
# Nothing is promised; its times are measured all the same.
UNPROMISED = "unpromised"

# A person who waits for an answer goes on waiting while we look away, so a snooze pauses no response.
PAUSED_BY: Mapping[str, frozenset[str]] = {
    FIRST: frozenset(),
    NEXT: frozenset(),
    RESOLUTION: frozenset({RESOLVED, WAITING_FOR_CUSTOMER, SNOOZED}),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case. `until` is for a snooze: when it ends by itself, None = with an answer.

    customer: a post of theirs. answer: one of ours by a human; automatic: by none. resolve, dismiss and reopen close
    and open the case. snooze and wake; wait (for the customer) and work (no longer).
    """

    at: datetime
    kind: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised to cases of a brand (0 = all of ours) and priority (0 = any), in seconds of business time.

    None = nothing of that kind is promised.
    """

    id: int
    brand_id: int
    priority: int
    calendar_id: int
    first_seconds: int | None
    next_seconds: int | None
    resolution_seconds: int | None
    valid_from: datetime
    valid_to: datetime | None = None

    def seconds(self, kind: str) -> int | None:
        """What is promised of one kind."""
        return {FIRST: self.first_seconds, NEXT: self.next_seconds, RESOLUTION: self.resolution_seconds}[kind]


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise to one person: when it began to run, when it is due, whether it was kept.

    `due_at` None = nothing is promised, or it is paused and nobody knows until when. `ended_at` is when it stopped: by
    what was promised, in time or late (then it is `met_at` too), or by closing the case. The seconds run to that end,
    else to now; `pauses` are what stopped it meanwhile. What is done at the due instant is in time.
    """

    kind: str
    started_at: datetime
    due_at: datetime | None
    met_at: datetime | None
    ended_at: datetime | None
    state: str
    promised_seconds: int | None
    business_seconds: float
    plain_seconds: float
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class HitRate:
    """Promises kept and missed; open and overdue counts as missed. Those still running or waived stand beside it."""

    met: int
    missed: int
    pending: int
    waived: int

    @property
    def n(self) -> int:
        """How many are decided."""
        return self.met + self.missed

    @property
    def share(self) -> float | None:
        """met / (met + missed), 0..1; None where nothing is decided."""
        return self.met / self.n if self.n else None


def clocks(
    events: Iterable[Event], promise: Promise | None, calendar_versions: Calendars, now: datetime
) -> tuple[Clock, ...]:
    """The clocks of a case at `now`: a response for each round, oldest first, then the resolution.

    Events may come in any order; later ones than `now` have not happened. Empty where the customer has not posted.
    A response that is due stays first until a human has answered once, whatever was resolved before.
    """
    teller = _Teller()
    # A post that opens a case again begins a round of its own, though both are noted at the same instant.
    for event in sorted(events, key=lambda event: (event.at, event.kind == REOPEN)):
        if event.at <= now:
            teller.take(event)
    return tuple(_clock(turn, promise, calendar_versions, teller.pausing(turn.kind), now) for turn in teller.turns())


def next_due(found: Iterable[Clock]) -> Clock | None:
    """The clock that falls due first of those that run; None where nothing runs, or all is paused without an end."""
    running = [clock for clock in found if clock.ended_at is None and clock.due_at is not None]
    return min(running, key=lambda clock: clock.due_at or clock.started_at, default=None)


def shown_working(clock: Clock, calendar_versions: Calendars, now: datetime) -> tuple[Span, ...]:
    """How the clock counted, from its start to its end, else to `now`."""
    return working(calendar_versions, clock.started_at, clock.ended_at or now, clock.pauses)


def hit_rate(found: Iterable[Clock]) -> HitRate:
    """How many promises were kept."""
    states = [clock.state for clock in found]
    return HitRate(
        met=states.count(MET),
        missed=states.count(MISSED) + states.count(OVERDUE),
        pending=states.count(PENDING) + states.count(PAUSED),
        waived=states.count(WAIVED),
    )


# -- from events to spans --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turn:
    """A clock's stretch: its start, when it was met, when it was closed without."""

    kind: str
    started_at: datetime
    met_at: datetime | None = None
    closed_at: datetime | None = None


class _Teller:
    """The state of a case while its events are read."""

    def __init__(self) -> None:
        self.rounds: list[_Turn] = []
        self.pauses: list[Pause] = []
        self.opened_at: datetime | None = None
        self.waiting_since: datetime | None = None
        self.is_answered = False
        self.closing: Event | None = None
        self.waits_from: datetime | None = None
        self.snooze: Event | None = None

    def take(self, event: Event) -> None:
        if event.kind == CUSTOMER:
            self._posted(event.at)
        elif event.kind == ANSWER and self.waiting_since is not None:
            self.rounds.append(_Turn(self._kind(), self.waiting_since, met_at=event.at))
            self.waiting_since, self.is_answered = None, True
        elif event.kind in (RESOLVE, DISMISS) and self.opened_at is not None:
            self._closed(event)
        elif event.kind == REOPEN and self.closing is not None:
            self._reopened(event.at)
        elif event.kind == SNOOZE:
            self._woken(event.at)
            self.snooze = event
        elif event.kind == WAKE:
            self._woken(event.at)
        elif event.kind == WAIT and self.waits_from is None:
            self.waits_from = event.at
        elif event.kind == WORK:
            self._waited(event.at)

    def turns(self) -> list[_Turn]:
        """A stretch for each round and the whole case; none where the customer has not posted."""
        found = list(self.rounds)
        if self.waiting_since is not None:
            found.append(_Turn(self._kind(), self.waiting_since))
        if self.opened_at is not None and self.closing is None:
            found.append(_Turn(RESOLUTION, self.opened_at))
        elif self.opened_at is not None and self.closing is not None:
            end = {"met_at" if self.closing.kind == RESOLVE else "closed_at": self.closing.at}
            found.append(_Turn(RESOLUTION, self.opened_at, **end))
        return found

    def pausing(self, kind: str) -> tuple[Pause, ...]:
        """What pauses clocks of a kind."""
        found = list(self.pauses)
        if self.waits_from is not None:
            found.append(Pause(self.waits_from, None, WAITING_FOR_CUSTOMER))
        if self.snooze is not None:
            found.append(Pause(self.snooze.at, self.snooze.until, SNOOZED))
        return tuple(pause for pause in found if pause.why in PAUSED_BY[kind])

    def _kind(self) -> str:
        return NEXT if self.is_answered else FIRST

    def _posted(self, at: datetime) -> None:
        self._ends_closing(at)
        self._waited(at)
        self._woken(at)
        if self.opened_at is None:
            self.opened_at = at
        if self.waiting_since is None:
            self.waiting_since = at

    def _closed(self, event: Event) -> None:
        if self.closing is not None:
            return
        if self.waiting_since is not None:
            self.rounds.append(_Turn(self._kind(), self.waiting_since, closed_at=event.at))
            self.waiting_since = None
        self._waited(event.at)
        self._woken(event.at)
        self.closing = event

    def _reopened(self, at: datetime) -> None:
        closed_at = self.closing.at if self.closing else None
        self._ends_closing(at)
        # Whoever was left without an answer by closing it waits again, since the beginning.
        if self.rounds and self.rounds[-1].closed_at is not None and self.rounds[-1].closed_at == closed_at:
            self.waiting_since = self.rounds.pop().started_at

    def _ends_closing(self, at: datetime) -> None:
        if self.closing is not None:
            self.pauses.append(Pause(self.closing.at, at, RESOLVED))
            self.closing = None

    def _waited(self, at: datetime) -> None:
        if self.waits_from is not None:
            self.pauses.append(Pause(self.waits_from, at, WAITING_FOR_CUSTOMER))
            self.waits_from = None

    def _woken(self, at: datetime) -> None:
        if self.snooze is not None:
            until = self.snooze.until
            self.pauses.append(Pause(self.snooze.at, at if until is None else min(until, at), SNOOZED))
            self.snooze = None


def _clock(
    turn: _Turn, promise: Promise | None, calendars: Calendars, pauses: tuple[Pause, ...], now: datetime
) -> Clock:
    seconds = None if promise is None else promise.seconds(turn.kind)
    ended_at = turn.met_at or turn.closed_at
    due = None if seconds is None else due_at(calendars, turn.started_at, seconds, pauses)
    end = ended_at or now
    return Clock(
        kind=turn.kind,
        started_at=turn.started_at,
        due_at=due,
        met_at=turn.met_at,
        ended_at=ended_at,
        state=UNPROMISED if seconds is None else _state(turn, due, pauses, now),
        promised_seconds=seconds,
        business_seconds=business_seconds(calendars, turn.started_at, end, pauses),
        plain_seconds=(end - turn.started_at).total_seconds(),
        pauses=pauses,
    )


def _state(turn: _Turn, due: datetime | None, pauses: Sequence[Pause], now: datetime) -> str:
    ended_at = turn.met_at or turn.closed_at
    is_late = due is not None and (ended_at or now) > due
    if turn.met_at is not None:
        return MISSED if is_late else MET
    if turn.closed_at is not None:
        return MISSED if is_late else WAIVED
    if is_late:
        return OVERDUE
    is_paused = any(pause.start <= now and (pause.end is None or now < pause.end) for pause in pauses)
    return PAUSED if is_paused else PENDING
