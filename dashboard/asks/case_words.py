"""What happened to a case, in words: between the posts, in its trail, and above a text that it made stale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.case_steps import Event
from models.organisation import UNKNOWN, Organisation

# Shown between the posts; what a post or a reply says itself is not said again.
BETWEEN = frozenset(
    {
        "claimed", "released", "lapsed", "taken_over", "assigned", "handed_over", "prioritised", "escalated", "snoozed",
        "woken", "noted", "dismissed", "resolved", "reopened", "reopened_by_customer", "settled", "linked", "rerouted",
        "undone", "signed", "sent_back",
    }
)  # fmt: skip

_PLAIN: Mapping[str, str] = {
    "joined": "{customer} wrote again",
    "came_back": "{customer} came back",
    "reopened_by_customer": "{customer} wrote again and opened the case again",
    "edited": "{customer} changed a post",
    "deleted": "A post was deleted on its network",
    "answered": "Answered by {actor}",
    "answer_noted": "{actor} answered an earlier post",
    "auto_answered": "An automatic answer went out",
    "claimed": "Claimed by {actor}",
    "released": "{actor} let go of it",
    "lapsed": "The claim of {held} ended",
    "taken_over": "{actor} took it over",
    "assigned": "{actor} gave it to {given}",
    "handed_over": "{actor} handed it over to {given}",
    "prioritised": "{actor} set P{priority}",
    "escalated": "{actor} escalated it",
    "snoozed": "{actor} put it off until {until}",
    "woken": "{actor} woke it up",
    "tagged": "{actor} tagged it {tags}",
    "noted": "Note of {actor}",
    "dismissed": "{actor} dismissed it",
    "resolved": "{actor} closed it as resolved",
    "reopened": "{actor} opened it again",
    "settled": "Resolved by itself: the customer did not come back",
    "linked": "{actor} linked it to {incident}",
    "rerouted": "Routed to {team}: its team had too many",
    "undone": "{actor} undid that",
    "drafted": "{actor} started a draft",
    "submitted": "{actor} asked for sign-off",
    "signed": "{actor} signed",
    "sent_back": "{actor} sent the reply back",
    "taken_back": "{actor} took the reply back",
    "returned": "The reply went back to its author",
    "approved": "The reply was approved",
    "withdrawn": "{actor} withdrew the reply",
    "sending": "The reply was handed to the network",
    "sent": "The reply of {actor} was sent",
    "unknown": "Not known whether the reply arrived",
    "failed": "The reply was not sent",
    "native": "{actor} answers on the network itself",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of events stand for; `customer` and `network` are those of the case."""

    people: Mapping[int, str]
    organisation: Organisation
    customer: str
    network: str


def said(event: Event, names: Names) -> str:
    """One event in one sentence, its reason behind it."""
    details = event.details
    if event.kind == "opened":
        return _opened(event, names)
    words = _PLAIN.get(event.kind, event.kind.replace("_", " ").capitalize())
    changed = details.get("after", {})
    if event.kind == "linked" and event.person_id is None and changed.get("incident_id"):
        words = "In the scope of {incident}"
    held = details.get("person_id")
    words = words.format(
        actor=event.actor[:1].upper() + event.actor[1:],
        customer=names.customer,
        held=names.people.get(held, "a colleague") if isinstance(held, int) else "a colleague",
        given=_given(changed, names),
        priority=changed.get("priority", "?"),
        until=_until(details.get("until"), names.organisation),
        tags=", ".join(changed.get("tags", ())) or "with nothing",
        incident=f"INC-{changed['incident_id']}" if changed.get("incident_id") else "no incident",
        team=names.organisation.team_names.get(changed.get("team_id", UNKNOWN), "another team"),
    )
    reason = details.get("reason")
    return f"{words}: {reason}" if isinstance(reason, str) and reason else words


def _opened(event: Event, names: Names) -> str:
    changed = event.details.get("after", {})
    rule, team = event.details.get("rule"), changed.get("team_id", UNKNOWN)
    words = f"Received from {names.network}"
    if team != UNKNOWN:
        words += f", routed to {names.organisation.team_names.get(team, 'a team')}"
    return f"{words}: rule “{rule}”" if rule else words


def _given(changed: Mapping[str, Any], names: Names) -> str:
    person, team = changed.get("assigned_to"), changed.get("team_id")
    if person is not None:
        return names.people.get(person, "a colleague")
    return names.organisation.team_names.get(team, "a team") if team is not None else "the team"


def _until(instant: object, organisation: Organisation) -> str:
    if not isinstance(instant, str):
        return "an answer"
    return f"{datetime.fromisoformat(instant).astimezone(organisation.zone_info):%a %-d %b, %H:%M}"
