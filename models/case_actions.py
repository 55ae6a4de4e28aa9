"""What people ask of a case, checked and turned into columns and the words of an event; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.case_clocks import LONGEST_SNOOZE
from models.case_steps import HIGHEST, LOWEST, Case
from models.case_writing import NO_CLAIM
from models.errors import InputError, NotFound
from models.organisation import Organisation

LONGEST_NOTE = 4_000
LONGEST_REASON = 500
LONGEST_TAG = 40
MOST_TAGS = 20
MOST_PEOPLE = 20
SHORTEST_SNOOZE = timedelta(minutes=1)

Details = Mapping[str, Any]
# What a closed case lets go of.
CLOSING: Details = {"snoozed_until": None, "assigned_to": None, **NO_CLAIM}


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns an action changes, and what its event says beside them."""

    values: Mapping[str, Any]
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """An action under way: on which case, by whom, with what."""

    case: Case
    person_id: int
    organisation: Organisation
    details: Details
    now: datetime


def plan(action: str, asked: Asked) -> Plan:
    """What an action comes to. InputError in words for what cannot be; KeyError for an action nobody asks for."""
    return PLANS[action](asked)


def _assigned(asked: Asked) -> Plan:
    if not asked.details.keys() & {"team_id", "assigned_to"}:
        raise InputError("name the team or the person who gets the case")
    values: dict[str, Any] = {}
    if asked.details.get("team_id") is not None:
        values["team_id"] = _team(asked, asked.details["team_id"])
    if "assigned_to" in asked.details:
        values["assigned_to"] = asked.details["assigned_to"]
    return Plan(values, _reason(asked))


def _handed_over(asked: Asked) -> Plan:
    text = _text(asked.details.get("text"), LONGEST_NOTE, "say in a word or two what the next one has to know")
    # Whoever hands a case over lets go of it, so that the other can take it up at once.
    return Plan({**_assigned(asked).values, **NO_CLAIM}, {"text": text})


def _prioritised(asked: Asked) -> Plan:
    priority = asked.details.get("priority")
    if not isinstance(priority, int) or not HIGHEST <= priority <= LOWEST:
        raise InputError(f"priority {priority}: use {HIGHEST} (most urgent) to {LOWEST}")
    return Plan({"priority": priority}, _reason(asked))


def _escalated(asked: Asked) -> Plan:
    reason = _text(asked.details.get("reason"), LONGEST_REASON, "say why the case is escalated")
    values: dict[str, Any] = {"level": asked.case.level + 1, "priority": HIGHEST}
    if asked.details.get("team_id") is not None:
        values["team_id"] = _team(asked, asked.details["team_id"])
    return Plan(values, {"reason": reason})


def _snoozed(asked: Asked) -> Plan:
    until = asked.details.get("until")
    latest = asked.now + LONGEST_SNOOZE
    if until is not None and not asked.now + SHORTEST_SNOOZE <= until <= latest:
        raise InputError(f"snooze until {until:%Y-%m-%d %H:%M}: use a time from a minute to 30 days ahead")
    # With a customer's post it wakes in any case.
    return Plan({"snoozed_until": until or latest, **NO_CLAIM}, {"until": until or latest, **_reason(asked)})


def _woken(asked: Asked) -> Plan:
    if asked.case.snoozed_until is None:
        raise InputError("the case is not snoozed")
    return Plan({"snoozed_until": None}, {})


def _tagged(asked: Asked) -> Plan:
    added = [_tag(tag) for tag in asked.details.get("add", ())]
    removed = {_tag(tag) for tag in asked.details.get("remove", ())}
    tags = [tag for tag in dict.fromkeys([*asked.case.tags, *added]) if tag not in removed]
    if len(tags) > MOST_TAGS:
        raise InputError(f"{len(tags)} tags are more than {MOST_TAGS}; remove some first")
    if tags == list(asked.case.tags):
        raise InputError("the case has these tags already" if added else "name a tag to add or remove")
    return Plan({"tags": tags}, {})


def _noted(asked: Asked) -> Plan:
    people = sorted({int(person) for person in asked.details.get("people", ())})
    if len(people) > MOST_PEOPLE:
        raise InputError(f"{len(people)} people are more than {MOST_PEOPLE}; name fewer")
    text = _text(asked.details.get("text"), LONGEST_NOTE, "write something")
    return Plan({}, {"text": text, **({"people": people} if people else {})})


def _linked(asked: Asked) -> Plan:
    incident_id = asked.details.get("incident_id")
    if incident_id == asked.case.incident_id:
        raise InputError("the case belongs to that incident already" if incident_id else "it belongs to no incident")
    return Plan({"incident_id": incident_id}, {})


def _dismissed(asked: Asked) -> Plan:
    return Plan(CLOSING, _reason(asked))


def _resolved(asked: Asked) -> Plan:
    first = asked.case.first_resolved_at or asked.now
    return Plan({**CLOSING, "first_resolved_at": first, "resolved_at": asked.now}, _reason(asked))


def _reopened(asked: Asked) -> Plan:
    return Plan({"resolved_at": None}, _reason(asked))


PLANS: Mapping[str, Callable[[Asked], Plan]] = {
    "assigned": _assigned,
    "handed_over": _handed_over,
    "prioritised": _prioritised,
    "escalated": _escalated,
    "snoozed": _snoozed,
    "woken": _woken,
    "tagged": _tagged,
    "noted": _noted,
    "linked": _linked,
    "dismissed": _dismissed,
    "resolved": _resolved,
    "reopened": _reopened,
}
# What does not disturb a colleague who holds the case.
BESIDE = frozenset({"prioritised", "escalated", "tagged", "noted", "linked"})


def _team(asked: Asked, team_id: int) -> int:
    if team_id not in asked.organisation.team_names:
        raise NotFound(f"no team {team_id}")
    return team_id


def _tag(given: object) -> str:
    tag = " ".join(str(given).lower().removeprefix("#").split())
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable():
        raise InputError(f'tag "{tag[:LONGEST_TAG]}": use 1 to {LONGEST_TAG} characters')
    return tag


def _reason(asked: Asked) -> dict[str, Any]:
    given = asked.details.get("reason")
    return {} if not given else {"reason": _text(given, LONGEST_REASON, "say why")}


def _text(given: object, longest: int, needed: str) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise InputError(needed)
    if len(text) > longest:
        raise InputError(f"{len(text):,} characters are more than {longest:,}; shorten it")
    return text
