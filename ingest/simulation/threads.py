"""Conversations: which customers an account of ours answers, who comes back, and who still waits.

A conversation is decided whole from the post it begins with, so that any part of it can be made alone.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import NamedTuple

from ingest.found import Found, Gone
from ingest.simulation import desk
from ingest.simulation.dice import UNIT, sixteen
from ingest.simulation.drafts import Draft, delivered_at
from ingest.simulation.fate import MINUTE, deleted_at
from ingest.simulation.identities import CONVERSATION, external_id, numbered
from ingest.simulation.ours import Account, who_answers
from ingest.simulation.people import Person
from ingest.simulation.posts import EPOCH, SAY_LANGUAGE, WITH_HANDLES, Simulation, counts, link
from ingest.simulation.world import NETWORKS, SITES, TALKS, cumulative

# The longest script below, with its late delivery, ends before that.
LONGEST_HOURS = 15
# How many want an answer: in the order of world.MOODS.
_WANTED = (0.15, 0.5, 1.0)
_LATE_SHARE = 0.04
_LATE_MINUTES = 40

# Share of those who want an answer, and how it goes on.
_SCRIPTS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.50, ()),
    (0.09, (desk.ANSWER,)),
    (0.13, (desk.ANSWER, desk.CONTENT)),
    (0.05, (desk.ANSWER, desk.UNSURE, desk.MORE, desk.CONTENT)),
    (0.03, (desk.ANSWER, desk.UNSURE)),
    (0.04, (desk.ANSWER, desk.ANGRY, desk.MORE)),
    (0.03, (desk.ANSWER, desk.ANGRY)),
    (0.06, (desk.WAITING,)),
    (0.04, (desk.WAITING, desk.ANSWER, desk.CONTENT)),
    (0.03, (desk.WAITING, desk.LONGER)),
)
# Minutes after what came before, shortest and longest.
_PAUSES = {
    desk.ANSWER: (3.0, 150.0),
    desk.MORE: (2.0, 60.0),
    desk.CONTENT: (1.0, 60.0),
    desk.UNSURE: (1.0, 40.0),
    desk.ANGRY: (1.0, 40.0),
    desk.WAITING: (90.0, 360.0),
    desk.LONGER: (180.0, 420.0),
}
_SUMS = cumulative(tuple(share for share, _ in _SCRIPTS))


class Step(NamedTuple):
    """What one side says in a conversation: the customer who wrote `root`, or the account of ours.

    `posted` and `at` (delivery) in microseconds since 1970; `parent` is the number of the post that it answers.
    """

    network: int
    posted: int
    number: int
    at: int
    root: Draft
    parent: int
    tone: str
    account: Account
    drawn: tuple[int, ...]


def conversation(root: Draft) -> list[Step]:
    """How it goes on after a customer's post, oldest first; empty for most."""
    account = who_answers(root.network, root.talk, root.site)
    if account is None:
        return []
    chance = sixteen(root.subject + b"conversation")
    if chance[0] * UNIT >= _WANTED[root.mood]:
        return []
    ends = deleted_at(root.drawn, root.posted)
    steps: list[Step] = []
    posted, parent = root.posted, root.number
    for place, tone in enumerate(_SCRIPTS[bisect_right(_SUMS, chance[1] * UNIT)][1]):
        drawn = sixteen(root.subject + b"step" + bytes((place,)))
        shortest, longest = _PAUSES[tone]
        posted += int(shortest * (longest / shortest) ** (drawn[0] * UNIT) * MINUTE)
        if ends is not None and posted >= ends:
            break
        number = numbered(posted, CONVERSATION + place)
        at = delivered_at(root.network, posted, drawn)
        if drawn[1] * UNIT < _LATE_SHARE:
            at = posted + int(_LATE_MINUTES * drawn[2] * UNIT * MINUTE)
        steps.append(Step(root.network, posted, number, at, root, parent, tone, account, drawn))
        parent = number
    return steps


def step_state(simulation: Simulation, step: Step, as_of: int) -> Found | Gone:
    """What the network shows of a step at an instant (microseconds since 1970)."""
    key, root = NETWORKS[step.network], step.root
    is_ours = step.tone in desk.OF_OURS
    who: Person = step.account.who if is_ours else root.who
    if not is_ours and simulation.is_private(who, as_of):
        return Gone(key, external_id(key, step.number), "protected")
    text = desk.said(
        root.language,
        step.tone,
        step.drawn[3] & 0xFFFF,
        brand=TALKS[root.talk].names[0],
        name=first_name(root.who.author.name),
    )
    to = root.who if is_ours else step.account.who
    if key in WITH_HANDLES:
        text = f"@{to.author.handle} {text}"
    elif is_ours and key == "youtube":
        text = f"@{to.author.name} {text}"
    # A customer has a phone in the hand; the desk says nothing of where it stands.
    place = None if is_ours or step.drawn[4] & 1 else SITES[root.site].places[0]
    return Found(
        network=key,
        external_id=external_id(key, step.number),
        posted_at=EPOCH + timedelta(0, 0, step.posted),
        text=text,
        author=who.author,
        kind="reply",
        url=link(key, who.author.handle or "", step.number),
        reply_to=external_id(key, step.parent),
        conversation=external_id(key, root.number),
        language=root.language if key in SAY_LANGUAGE else None,
        # An answer deep in a conversation is read by a few, however large the account.
        counts=counts(key, who._replace(carried=min(who.carried, 0.6)), step.drawn, as_of - step.posted),
        place=place,
        home=who.home,
    )


def first_name(name: str | None) -> str:
    """How one speaks to somebody."""
    return (name or "").split(" ")[0].split("_")[0]
