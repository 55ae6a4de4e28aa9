"""What stands beside a case: who writes, similar answers, the promise of time shown working, what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard import style
from dashboard.asks import case_words
from dashboard.asks.case_words import Names
from models.case_view import CaseView
from models.organisation import Account, Organisation
from models.replies import Reply
from models.replyable import Replyable
from models.service_level import MISSED, OVERDUE, Clock, Span
from models.similar_answers import SimilarAnswer

MOST_TRAIL = 40
CLOCKS = {"first": "First answer", "next": "Next answer", "resolution": "Resolution"}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is read of a case for one person. `clock` is the promise that counts, `spans` how it was counted.

    `people` are those who gave similar answers.
    """

    view: CaseView
    replies: tuple[Reply, ...]
    draft: Reply | None
    way: Replyable
    clocks: tuple[Clock, ...]
    clock: Clock | None
    spans: tuple[Span, ...]
    calendar: str
    people: Mapping[int, str]


def customer(facts: Facts, network: str) -> dict[str, Any]:
    """What is known of who writes, and how their last posts sounded: 1, 0, -1, None."""
    view, row = facts.view, facts.view.case
    cases = len(view.author.cases) + 1
    first = min([row.opened_at, *(past.opened_at for past in view.author.cases)])
    found = [
        ("Known since", f"{first:%-d %b %Y}"),
        ("Contacts", f"{cases}, {view.author.solved} solved"),
        ("Posts to us", f"{view.author.posts:,} on {network}"),
        ("Reach", "not given" if row.author_followers is None else f"{row.author_followers:,} followers"),
        ("Language", row.language or "not known"),
    ]
    return {
        "facts": [list(item) for item in found],
        "moods": [mood for _, mood in view.author.sentiments][-12:],
    }


def alike(
    item: SimilarAnswer, people: Mapping[int, str], accounts: Mapping[int, Account], organisation: Organisation
) -> str:
    """Who gave a similar answer, when, and whether it helped."""
    account = accounts.get(item.account_id)
    person = people.get(item.person_id) if item.person_id is not None else None
    words = f"{person or (account.name if account else 'Us')}, {item.at.astimezone(organisation.zone_info):%-d %b %Y}"
    if item.worked is None:
        return words
    return f"{words}, {'thanked or not asked again' if item.worked else 'the customer wrote again'}"


def trail(facts: Facts, names: Names) -> list[dict[str, Any]]:
    """What happened, newest first, and the promises that were missed at the instant they were."""
    rows = [
        (event.at, event.number, {"at": event.at.isoformat(), "words": case_words.said(event, names), "late": False})
        for event in facts.view.events
    ]
    for clock in facts.clocks:
        if clock.state in (MISSED, OVERDUE) and clock.due_at is not None and clock.promised_seconds is not None:
            promised = style.span_words(clock.promised_seconds)
            words = f"Missed: {CLOCKS[clock.kind].lower()} was promised within {promised}"
            rows.append((clock.due_at, 0, {"at": clock.due_at.isoformat(), "words": words, "late": True}))
    return [row for _, _, row in sorted(rows, key=lambda item: item[:2], reverse=True)][:MOST_TRAIL]


def service(facts: Facts, now: datetime) -> dict[str, Any] | None:
    """The promise that counts, shown working: what was counted, what was paused, what is left."""
    clock = facts.clock
    if clock is None:
        return None
    counted, paused = _minutes(facts.spans, counted=True), _minutes(facts.spans, counted=False)
    words = f"{CLOCKS[clock.kind]}: {counted:,} min counted"
    if clock.promised_seconds is not None:
        words += f" of {clock.promised_seconds / 60:,.0f} promised"
    end = max(clock.ended_at or now, clock.due_at or now)
    says = [f"{paused:,} min did not count: {_reasons(facts.spans)}."] if paused else []
    if clock.promised_seconds is None:
        says.append("Nothing is promised here; the time is measured all the same.")
    return {
        "name": facts.calendar,
        "words": f"{words}.",
        "label": f"{words}, {paused:,} min paused",
        "start": clock.started_at.isoformat(),
        "end": end.isoformat(),
        "due": None if clock.due_at is None else clock.due_at.isoformat(),
        "spans": [[span.start.isoformat(), span.end.isoformat(), span.counted] for span in facts.spans[-60:]],
        "says": says,
    }


def _minutes(spans: Sequence[Span], *, counted: bool) -> int:
    return round(sum(span.seconds for span in spans if span.counted is counted) / 60)


def _reasons(spans: Sequence[Span]) -> str:
    return ", ".join(dict.fromkeys(span.why for span in spans if not span.counted))
