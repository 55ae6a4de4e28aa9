"""From the events of a case to its clocks: rounds, who waits since when, what is due next; pure.

A round lasts from the first post of the customer that follows our last answer until our next one. Posts count from when
they were published, whatever order they came in; what we do with the case counts from when we did it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import service_level
from models.case_steps import CLOSED, LIVE, Event
from models.service_level import Calendars, Clock, Promise

# A snooze "until an answer" ends by itself after so long: nothing sleeps for ever.
LONGEST_SNOOZE = timedelta(days=30)

# Kinds of events that no clock knows are left out when events are read for clocks.
_CUSTOMER = frozenset({"opened", "joined", "came_back", "reopened_by_customer"})
_ANSWER = frozenset({"answered", "answer_noted"})
_CLOSING = {
    "resolved": service_level.RESOLVE,
    "settled": service_level.RESOLVE,
    "dismissed": service_level.DISMISS,
    "reopened": service_level.REOPEN,
}
COUNTED = (*sorted(_CUSTOMER | _ANSWER), "auto_answered", *_CLOSING, "snoozed", "woken", "undone")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands in time: what the row keeps, and the clocks it was read from."""

    waiting_since: datetime | None
    first_answered_at: datetime | None
    last_ours_at: datetime | None
    due_kind: str | None
    due_at: datetime | None
    clocks: tuple[Clock, ...]

    def kept(self) -> dict[str, Any]:
        """The columns of the row."""
        return {
            "waiting_since": self.waiting_since,
            "first_answered_at": self.first_answered_at,
            "last_ours_at": self.last_ours_at,
            "due_kind": self.due_kind,
            "due_at": self.due_at,
        }


def standing(events: Sequence[Event], promise: Promise | None, calendars: Calendars, now: datetime) -> Standing:
    """The clocks of a case by its events, in any order, and what follows from them."""
    told = timeline(events)
    # A network's clock may be a little ahead of ours: what it says has happened.
    latest = max((event.at for event in told), default=now)
    found = service_level.clocks(told, promise, calendars, max(now, latest))
    due = service_level.next_due(found)
    answers = [event.at for event in told if event.kind == service_level.ANSWER]
    responses = [clock for clock in found if clock.kind != service_level.RESOLUTION]
    return Standing(
        waiting_since=next((clock.started_at for clock in responses if clock.ended_at is None), None),
        first_answered_at=min((clock.met_at for clock in responses if clock.met_at is not None), default=None),
        last_ours_at=max(answers, default=None),
        due_kind=None if due is None else due.kind,
        due_at=None if due is None else due.due_at,
        clocks=found,
    )


def timeline(events: Iterable[Event]) -> list[service_level.Event]:
    """What the clocks know of these events."""
    told: list[service_level.Event] = []
    for event in events:
        told += _told(event)
    return told


def posted_at(event: Event) -> datetime:
    """When the post that an event is about was published; the event's own instant where it is about none."""
    said = event.details.get("posted_at")
    return event.at if said is None else datetime.fromisoformat(said)


def _told(event: Event) -> list[service_level.Event]:
    at = posted_at(event)
    if event.kind == "reopened_by_customer":
        # A post may have been published before we resolved the case and read after it: the round begins with the
        # post, the case is open again from when we read it.
        return [
            service_level.Event(at, service_level.CUSTOMER),
            service_level.Event(max(at, event.at), service_level.REOPEN),
        ]
    if event.kind in _CUSTOMER:
        return [service_level.Event(at, service_level.CUSTOMER)]
    if event.kind in _ANSWER:
        return [service_level.Event(at, service_level.ANSWER), service_level.Event(at, service_level.WAIT)]
    if event.kind == "auto_answered":
        return [service_level.Event(at, service_level.AUTOMATIC)]
    if event.kind in _CLOSING:
        return [service_level.Event(event.at, _CLOSING[event.kind])]
    if event.kind == "snoozed":
        until = event.details.get("until")
        end = event.at + LONGEST_SNOOZE if until is None else datetime.fromisoformat(until)
        return [service_level.Event(event.at, service_level.SNOOZE, end)]
    if event.kind == "woken":
        return [service_level.Event(event.at, service_level.WAKE)]
    if event.kind == "undone":
        return _undone(event)
    return []


def _undone(event: Event) -> list[service_level.Event]:
    was, became = (event.details.get(side, {}).get("state") for side in ("before", "after"))
    if was in CLOSED and became in LIVE:
        return [service_level.Event(event.at, service_level.REOPEN)]
    return []
