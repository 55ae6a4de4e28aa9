"""What may become of a reply: one table of steps, and the words with which a step is refused. Pure.

A reply is `drafted` by its author; where policy asks for signatures it is `awaiting_sign_off`, else, and when they are
given, `approved`: the text is frozen by its hash, and goes out when the time to take it back is over. `sending` is
committed before the network is called, so that no text is ever handed over twice; where no answer came it is `unknown`
until it is found there or a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.access import DRAFT, SEND, SIGN_OFF, SUBMIT
from models.errors import WatchfloorError

DRAFTED, AWAITING, RETURNED, APPROVED = "drafted", "awaiting_sign_off", "returned", "approved"
SENDING, SENT, UNKNOWN, FAILED, WITHDRAWN = "sending", "sent", "unknown", "failed", "withdrawn"
STATES = (DRAFTED, AWAITING, RETURNED, APPROVED, SENDING, SENT, UNKNOWN, FAILED, WITHDRAWN)
# On its way: a case has at most one such reply.
LIVE = frozenset({APPROVED, SENDING, UNKNOWN})
# What its author may still write on.
OPEN = frozenset({DRAFTED, RETURNED})

# The time in which one key takes an approved reply back.
UNDO = timedelta(seconds=10)
# What is approved, or could go out, later than this goes back to its author: nothing late sends by itself.
LATE = timedelta(minutes=30)
# A request to sign that nobody answered goes to the next person.
PASS_ON = timedelta(minutes=5)
# For so long an unknown reply is looked for before a person is asked.
LOOK_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """From which states an action may be taken, what the reply is after it, and the right it needs.

    `before` empty = there was no reply. `right` None = no person: the clock, or what the network answered.
    """

    before: frozenset[str]
    after: str
    right: str | None


STEPS: Mapping[str, Step] = {
    "draft": Step(frozenset(), DRAFTED, DRAFT),
    "edit": Step(frozenset({AWAITING, RETURNED, APPROVED}), DRAFTED, DRAFT),
    "submit": Step(frozenset({DRAFTED, RETURNED}), AWAITING, SUBMIT),
    # Where policy asks for nobody's signature.
    "send": Step(frozenset({DRAFTED, RETURNED}), APPROVED, SEND),
    "sign": Step(frozenset({AWAITING}), AWAITING, SIGN_OFF),
    "approve": Step(frozenset({AWAITING}), APPROVED, SIGN_OFF),
    "approve_late": Step(frozenset({AWAITING}), RETURNED, SIGN_OFF),
    "send_back": Step(frozenset({AWAITING}), RETURNED, SIGN_OFF),
    "confirm": Step(frozenset({RETURNED}), APPROVED, SEND),
    "withdraw": Step(frozenset({DRAFTED, AWAITING, RETURNED, APPROVED}), WITHDRAWN, DRAFT),
    "give_back": Step(frozenset({APPROVED}), RETURNED, None),
    "begin": Step(frozenset({APPROVED}), SENDING, None),
    # Found on the network it is sent, whatever a person had decided before.
    "deliver": Step(frozenset({SENDING, UNKNOWN, FAILED}), SENT, None),
    "doubt": Step(frozenset({SENDING}), UNKNOWN, None),
    "refuse": Step(frozenset({SENDING}), FAILED, None),
    "answer_natively": Step(frozenset({APPROVED}), UNKNOWN, SEND),
    "mark_sent": Step(frozenset({UNKNOWN}), SENT, SEND),
    "mark_not_sent": Step(frozenset({UNKNOWN}), FAILED, SEND),
}
_SAID = {
    DRAFTED: "is a draft",
    AWAITING: "waits for sign-off",
    RETURNED: "was returned to its author",
    APPROVED: "is approved and about to be sent",
    SENDING: "is being sent",
    SENT: "was sent",
    UNKNOWN: "may or may not have been sent",
    FAILED: "was refused by the network",
    WITHDRAWN: "was withdrawn",
}


class ReplyRefused(WatchfloorError):
    """A reply cannot go on as asked; the message is for people."""


class WrongStep(ReplyRefused):
    """The reply is not in a state for that."""


class TextChanged(ReplyRefused):
    """Who signs saw another text than the one that stands now."""

    def __init__(self) -> None:
        super().__init__("its author changed the text since you read it; read it again, then sign")


class NeedsReason(ReplyRefused):
    """The post has an answer of ours already, or is about to get one; a reason is needed for a second."""

    def __init__(self, brand: str, by: str, at: datetime) -> None:
        self.brand, self.by, self.at = brand, by, at
        super().__init__(f"{brand} ({by}) answers this post already; give a reason to answer it once more")


class Blocked(ReplyRefused):
    """A check of the text that policy blocks on; `words` holds a sentence each."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        super().__init__(" ".join(self.words))


class NotReplyable(ReplyRefused):
    """There is no way to answer it, or not this way."""


class Frozen(NotReplyable):
    """An incident keeps everything in its scope from being sent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"outbound is frozen by the incident “{name}”; its lead lifts that")


def after(action: str, state: str) -> str:
    """The state after an action; WrongStep, in words, where it cannot be taken."""
    step = STEPS[action]
    if state not in step.before:
        raise WrongStep(f"this reply {_SAID[state]}: it cannot be “{action.replace('_', ' ')}” now")
    return step.after
