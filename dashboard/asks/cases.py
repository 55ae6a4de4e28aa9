"""Cases on the desk: one read whole, the queue's personal parts, claims, what is done to one or to several, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dashboard import attendance
from dashboard.asks import case_beside, case_shown
from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.refused import told
from dashboard.panels import queue
from models import (
    case_bulk,
    case_clocks,
    case_reading,
    case_view,
    case_writing,
    cases,
    claims,
    colleagues,
    replies,
    replyable,
    service_level,
    service_rules,
    sign_off_requests,
)
from models.access import DRAFT
from models.case_bulk import Bulk, Done
from models.case_steps import CaseKey
from models.database import raise_change
from models.errors import InputError
from models.organisation import UNKNOWN
from models.presence import LOOKING, TYPING

MOST_AT_ONCE = 200
TABS = {"mine": ("mine", "all"), "sign": ("sign_off", "all"), "closed": ("team", "closed")}
# What a step is called once it is done.
DONE = {
    "assigned": "Assigned.",
    "handed_over": "Handed over.",
    "prioritised": "Priority set.",
    "escalated": "Escalated.",
    "snoozed": "Snoozed.",
    "woken": "Awake again.",
    "tagged": "Tagged.",
    "noted": "Noted.",
    "dismissed": "Dismissed.",
    "resolved": "Closed as resolved.",
    "reopened": "Open again.",
}
MANY = {"claimed": "claimed", "assigned": "assigned", "tagged": "tagged", "dismissed": "dismissed"}


# -- reading -------------------------------------------------------------------------------------------------


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`case` as the desk draws it, with the token of this person's own claim. NotFound out of scope."""
    key, who, organisation, now = key_of(asked), asked.access, asked.organisation, asked.now
    view = case_view.case(connection, organisation, who, key, now=now)
    events = case_writing.clock_events(connection, [key]).get(key, [])
    rules = service_rules.load(connection, now)
    promise, calendars = rules.of(key.brand_id, view.case.priority, view.case.opened_at)
    clocks = case_clocks.standing(events, promise, calendars, now).clocks
    clock = service_level.next_due(clocks) or (clocks[0] if clocks else None)
    facts = case_beside.Facts(
        view=view,
        replies=replies.replies_of(connection, organisation, who, key, now),
        draft=replies.own_draft(connection, organisation, who, key, now),
        way=replyable.replyable(connection, organisation, key, now),
        clocks=clocks,
        clock=clock,
        spans=service_level.shown_working(clock, calendars, now) if clock is not None else (),
        calendar=_calendar(calendars),
        people=case_reading.names_of(connection, (item.person_id for item in view.similar)),
    )
    return case_shown.case(facts, who, organisation, now)


def version(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The number of the newest event of `case`: whether it is worth reading again."""
    found = cases.visible(connection, asked.organisation, asked.access, key_of(asked))
    return {"n": found.last_event}


def own_queue(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The rows of `tab` for this person: mine, sign (what waits for their signature) or closed."""
    tab = asked.text("tab", longest=16)
    if tab not in TABS:
        raise InputError(f'tab: "{tab}" is none of {", ".join(TABS)}')
    whose, show = TABS[tab]
    filters = queue.filters_of(asked.asked().scope, whose=whose, show=show)
    found = case_reading.queue(connection, asked.organisation, asked.access, filters, now=asked.now, limit=queue.MOST)
    rows = {row.case.key: row for row in found.rows}
    keys: Sequence[CaseKey] = tuple(rows)
    if tab == "sign":
        asked_for = sign_off_requests.requests_for(connection, asked.organisation, asked.access, asked.now)
        keys = tuple(dict.fromkeys(request.case for request in asked_for if request.case in rows))
    names = case_reading.names_of(connection, (row.case.assigned_to for row in found.rows))
    return {"rows": [queue.row(rows[key], asked.organisation, names) for key in keys]}


def people(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Whom `case` can be given to: {people: [{id, name, note}], teams: [{id, name}]}."""
    found = cases.visible(connection, asked.organisation, asked.access, key_of(asked))
    able = colleagues.who_may(
        connection,
        asked.organisation,
        DRAFT,
        brand_id=found.key.brand_id,
        location_id=found.location_id,
        team_id=found.team_id,
        now=asked.now,
    )
    teams = [
        {"id": team, "name": name}
        for team, name in sorted(asked.organisation.team_names.items(), key=lambda item: item[1].casefold())
        if team not in (UNKNOWN, found.team_id)
    ]
    return {"people": [{"id": one.id, "name": one.name, "note": ", ".join(one.roles)} for one in able], "teams": teams}


def presence(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Say that this person is `doing` (looking, typing; "" = gone) something in `case`.

    A read, because nothing of the case changes: a beat is written down, by itself, only where it is news.
    """
    key, doing = key_of(asked), asked.text("doing", longest=16)
    if doing not in ("", LOOKING, TYPING):
        raise InputError(f'doing: "{doing}" is none of {LOOKING}, {TYPING}')
    cases.visible(connection, asked.organisation, asked.access, key)
    here = attendance.here(connection)
    if here is None:
        return {"there": False}
    if doing:
        here.beat(asked.access, key, doing, now=asked.now)
    else:
        here.leave(asked.access, key, now=asked.now)
    here.tidy(now=asked.now)
    return {"there": bool(doing)}


# -- claiming ------------------------------------------------------------------------------------------------


def claim(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Claim `case`; a conflict "taken" where a colleague has it."""
    with told(asked):
        got = claims.claim(connection, asked.organisation, asked.access, key_of(asked), now=asked.now)
    return _claimed(got, "Claimed for three minutes, and longer while you are here.")


def claim_next(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Claim the most urgent case in scope that this person may take; {case} is absent where there is none."""
    filters = queue.filters_of(asked.asked().scope)
    got = claims.claim_next(connection, asked.organisation, asked.access, now=asked.now, filters=filters)
    if got is None:
        return {"words": "Nothing waits that you may take."}
    return _claimed(got, "The most urgent case is yours.")


def renew(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep this person's claim of `case` alive by its `token`."""
    key = key_of(asked)
    with told(asked):
        got = claims.renew(connection, asked.organisation, asked.access, key, token(asked), now=asked.now)
    # The queue shows until when somebody holds a case.
    raise_change(connection, "cases", [key.brand_id])
    return _claimed(got, "Renewed.")


def release(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Let go of `case`."""
    with told(asked):
        claims.release(connection, asked.organisation, asked.access, key_of(asked), token(asked), now=asked.now)
    return {"words": "Released; anybody may claim it."}


def take(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take `case` over from the colleague who holds it, with a `reason`."""
    key, reason = key_of(asked), asked.text("reason", longest=500)
    with told(asked):
        got = claims.take_over(connection, asked.organisation, asked.access, key, reason=reason, now=asked.now)
    return _claimed(got, "It is yours now.")


def _claimed(got: claims.Claim, words: str) -> dict[str, Any]:
    return {"words": words, "case": str(got.key), "token": got.token, "until": got.expires_at.isoformat()}


# -- steps ---------------------------------------------------------------------------------------------------


def step(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Do `step` with `details` to `case`."""
    what = asked.text("step", longest=24)
    if what not in DONE:
        raise InputError(f'step: "{what}" is none of {", ".join(DONE)}')
    with told(asked):
        cases.advance(
            connection,
            asked.organisation,
            asked.access,
            key_of(asked),
            what,
            now=asked.now,
            details=details_of(asked),
        )
    return {"words": DONE[what]}


def bulk(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Do `step` with `details` to each of `cases`; {words, undo: what can be undone, refused: [[case, why]]}."""
    what = asked.text("step", longest=24)
    if what not in MANY:
        raise InputError(f'step: "{what}" is not done to several cases; known: {", ".join(MANY)}')
    with told(asked):
        done = case_bulk.bulk(
            connection,
            asked.organisation,
            asked.access,
            _keys(asked),
            what,
            now=asked.now,
            details=details_of(asked),
        )
    return _told(done, MANY[what])


def undo(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take back what `bulk` answered as undo, where nobody changed the case since."""
    given = asked.given.get("done")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_AT_ONCE:
        raise InputError(f"done: 1 to {MOST_AT_ONCE} of what was answered are needed")
    with told(asked):
        back = case_bulk.undo(
            connection, asked.organisation, asked.access, [_done(item) for item in given], now=asked.now
        )
    return {key: value for key, value in _told(back, "put back").items() if key != "undo"}


def _told(done: Bulk, verb: str) -> dict[str, Any]:
    count = len(done.done)
    words = f"{count} case {verb}." if count == 1 else f"{count} cases {verb}."
    if done.refused:
        words += f" {len(done.refused)} not: {done.refused[0][1]}."
    return {
        "words": words,
        "undo": [[str(item.key), item.event] for item in done.done],
        "refused": [[str(key), why] for key, why in done.refused],
    }


# -- what is given -------------------------------------------------------------------------------------------


def key_of(asked: Asked) -> CaseKey:
    """The case that is asked about. NotFound for what names none."""
    return CaseKey.read(asked.text("case", longest=40))


def token(asked: Asked) -> str:
    """The token of the claim; "" where none was sent, which is none that holds."""
    return asked.text("token", longest=128)


def details_of(asked: Asked) -> dict[str, Any]:
    """The details of a step, in the types that the rules expect."""
    given = asked.given.get("details", {})
    if not isinstance(given, dict):
        raise InputError("details: an object is needed")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "until":
            found[name] = None if value is None else _instant(value)
        elif name in ("team_id", "assigned_to", "priority", "incident_id"):
            found[name] = None if value is None else _whole(name, value)
        elif name == "people":
            found[name] = [_whole(name, one) for one in _listed(name, value)]
        elif name in ("add", "remove"):
            found[name] = [str(one) for one in _listed(name, value)]
        elif name in ("text", "reason"):
            if not isinstance(value, str):
                raise InputError(f"{name}: a text is needed")
            found[name] = value
        else:
            raise InputError(f'details: nothing is called "{str(name)[:40]}"')
    return found


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_AT_ONCE:
        raise InputError(f"{name}: a list of at most {MOST_AT_ONCE} is needed")
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 31:
        raise InputError(f"{name}: a whole number is needed")
    return value


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError("until: an instant is needed, e.g. 2026-11-22T14:30:00Z") from None
    if at.tzinfo is None:
        raise InputError("until: an instant with its zone is needed")
    return at


def _keys(asked: Asked) -> list[CaseKey]:
    given = _listed("cases", asked.given.get("cases"))
    if not given or not all(isinstance(one, str) for one in given):
        raise InputError("cases: name at least one")
    return [CaseKey.read(one) for one in dict.fromkeys(given)]


def _done(item: Any) -> Done:
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
        raise InputError("done: pairs of a case and an event are needed")
    return Done(CaseKey.read(item[0]), _whole("done", item[1]))


def _calendar(calendars: Any) -> str:
    """The calendar whose hours count, by name and version."""
    newest = calendars[-1] if isinstance(calendars, Sequence) and calendars else calendars
    name = getattr(newest, "name", "")
    number = getattr(newest, "version", 0)
    return f"{name}, version {number}" if name and number else name


READS: dict[str, Read] = {
    "case": read,
    "case.version": version,
    "case.people": people,
    "case.presence": presence,
    "queue": own_queue,
}
ACTS: dict[str, Act] = {
    "case.claim": claim,
    "case.next": claim_next,
    "case.renew": renew,
    "case.release": release,
    "case.take": take,
    "case.step": step,
    "case.bulk": bulk,
    "case.undo": undo,
}
