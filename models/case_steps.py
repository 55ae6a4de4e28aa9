"""What can happen to a case: its states and one table of what leads from which to which; pure.

Claim, level, priority, snooze and whom it was given to are columns of a case, not states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from models.access import DRAFT, WORK
from models.errors import NotFound, WatchfloorError

NEW, OPEN, WAITING, RESOLVED, DISMISSED = "new", "open", "waiting_for_customer", "resolved", "dismissed"
STATES = (NEW, OPEN, WAITING, RESOLVED, DISMISSED)
LIVE = (NEW, OPEN, WAITING)
CLOSED = (RESOLVED, DISMISSED)
# 1 = most urgent.
HIGHEST, LOWEST = 1, 3


@dataclass(frozen=True, slots=True, order=True)
class CaseKey:
    """Names a case; as text, "2-1234", in addresses and in what the browser gets, since ids exceed 2^53."""

    brand_id: int
    id: int

    def __str__(self) -> str:
        return f"{self.brand_id}-{self.id}"

    @staticmethod
    def read(text: str) -> CaseKey:
        """The key that a text names. NotFound for what names none."""
        brand, dash, number = text.partition("-")
        plain = brand.isascii() and brand.isdigit() and number.isascii() and number.isdigit()
        if not dash or not plain or len(brand) > 9 or len(number) > 19 or int(number) >= 1 << 63:
            raise NotFound(f'no case "{text[:40]}"')
        return CaseKey(int(brand), int(number))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case. `kind` is the action; `person_id` None = a rule, the clock, the network."""

    number: int
    at: datetime
    kind: str
    person_id: int | None
    actor: str
    mention_id: int | None
    reply_id: int | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A row of `desk_case`, without the token of its claim."""

    key: CaseKey
    network_id: int
    thread: str
    author_key: str
    author_handle: str | None
    author_name: str | None
    author_followers: int | None
    state: str
    priority: int
    level: int
    team_id: int
    location_id: int
    language: str | None
    sentiment: int | None
    opened_at: datetime
    last_mention_id: int
    last_post: str
    last_customer_at: datetime
    last_ours_at: datetime | None
    waiting_since: datetime | None
    due_kind: str | None
    due_at: datetime | None
    first_answered_at: datetime | None
    first_resolved_at: datetime | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    claimed_by: int | None
    claimed_at: datetime | None
    claim_expires_at: datetime | None
    assigned_to: int | None
    tags: tuple[str, ...]
    incident_id: int | None
    last_event: int

    def holder(self, now: datetime) -> int | None:
        """Who holds it now: an expired claim is no claim."""
        alive = self.claim_expires_at is not None and self.claim_expires_at > now
        return self.claimed_by if alive else None


_FIELDS = tuple(item.name for item in fields(Case) if item.name not in ("key", "tags"))


def case_of(values: Mapping[str, Any]) -> Case:
    """The case that the columns of a row are."""
    key = CaseKey(values["brand_id"], values["id"])
    return Case(key=key, tags=tuple(values["tags"]), **{name: values[name] for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class Step:
    """From one of the states `before` to `after`; `right` None = a rule, the clock or the network does it."""

    before: frozenset[str]
    after: str
    right: str | None


class WrongState(WatchfloorError):
    """What was asked for is not possible in the state that the case is in."""


def _steps(right: str | None, *moves: tuple[tuple[str, ...], str | None]) -> tuple[Step, ...]:
    """One step a move; None in place of `after` = the state stays, whichever of them it is."""
    found: list[Step] = []
    for before, after in moves:
        if after is not None:
            found.append(Step(frozenset(before), after, right))
        else:
            found += [Step(frozenset({state}), state, right) for state in before]
    return tuple(found)


# Action -> what it leads to; the step whose `before` holds the state is the one that counts, and no two do.
STEPS: Mapping[str, tuple[Step, ...]] = {
    # The customer.
    "opened": (Step(frozenset(), NEW, None),),
    "joined": _steps(None, (STATES, None)),
    "came_back": _steps(None, ((WAITING,), OPEN)),
    "reopened_by_customer": _steps(None, ((RESOLVED,), OPEN)),
    "edited": _steps(None, (STATES, None)),
    "deleted": _steps(None, (STATES, None)),
    # We. What answers an older post than the customer's newest ends nothing, nor does an automatic answer.
    "answered": _steps(None, (LIVE, WAITING), (CLOSED, None)),
    "answer_noted": _steps(None, ((NEW,), OPEN), ((OPEN, WAITING, *CLOSED), None)),
    "auto_answered": _steps(None, (STATES, None)),
    # The claim.
    "claimed": _steps(DRAFT, ((NEW,), OPEN), ((OPEN, WAITING), None)),
    "taken_over": _steps(DRAFT, ((NEW,), OPEN), ((OPEN, WAITING), None)),
    "released": _steps(DRAFT, (STATES, None)),
    "lapsed": _steps(None, (STATES, None)),
    # Columns.
    "assigned": _steps(DRAFT, (LIVE, None)),
    "handed_over": _steps(DRAFT, (LIVE, None)),
    "prioritised": _steps(DRAFT, (LIVE, None)),
    "escalated": _steps(DRAFT, (LIVE, None)),
    "rerouted": _steps(None, (LIVE, None)),
    "snoozed": _steps(DRAFT, (LIVE, None)),
    "woken": _steps(DRAFT, (LIVE, None)),
    "tagged": _steps(DRAFT, (STATES, None)),
    "noted": _steps(WORK, (STATES, None)),
    "linked": _steps(DRAFT, (STATES, None)),
    # The end, and back.
    "dismissed": _steps(DRAFT, (LIVE, DISMISSED)),
    "resolved": _steps(DRAFT, (LIVE, RESOLVED)),
    "settled": _steps(None, ((WAITING,), RESOLVED)),
    "reopened": _steps(DRAFT, (CLOSED, OPEN)),
    # Puts back what a bulk action changed; its right is that of what it undoes.
    "undone": _steps(DRAFT, (STATES, None)),
}

# What a reply goes through, told in the case that it answers; the case stays as it is.
REPLY_KINDS = frozenset(
    {
        "drafted",
        "submitted",
        "signed",
        "sent_back",
        "taken_back",
        "returned",
        "approved",
        "withdrawn",
        "sending",
        "sent",
        "unknown",
        "failed",
        "native",
    }
)

# What somebody about to answer must have seen; claims, tags and the like make no draft stale.
MATTERS = frozenset(
    {
        "opened",
        "joined",
        "came_back",
        "reopened_by_customer",
        "edited",
        "deleted",
        "answered",
        "answer_noted",
        "auto_answered",
        "taken_over",
        "handed_over",
        "escalated",
        "noted",
        "linked",
        "dismissed",
        "resolved",
        "reopened",
        "sent",
        "native",
    }
)

_SAID = {
    NEW: "nobody has looked at the case yet",
    OPEN: "the case is open",
    WAITING: "the case waits for the customer",
    RESOLVED: "the case is resolved; reopen it first",
    DISMISSED: "the case is dismissed; reopen it first",
}


def step(action: str, state: str | None) -> Step:
    """The step that an action is in a state, None = before it is opened. WrongState, in words, where there is none."""
    for candidate in STEPS[action]:
        if state in candidate.before or (state is None and not candidate.before):
            return candidate
    said = _SAID[state] if state is not None else "there is no case yet"
    raise WrongState(f"{said}: it cannot be {action.replace('_', ' ')}")
