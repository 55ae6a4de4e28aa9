"""The trail of the audit log as a person filters it, one row with what it changed, and the wish to check everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.panels import audit_chain
from models import audit, audit_rounds
from models.audit_heads import stored_heads
from models.audit_reading import PAGE, Row, Wanted, around, choices, counted, names, newer, page
from models.audit_why import at_words
from models.errors import InputError
from models.organisation import Organisation
from models.tables.base import to_microseconds

WINDOWS: Mapping[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
# Bars of the small picture of how much was done when.
BARS = 96
LONGEST_WORDS = 160
MOST_FIELDS = 60
MOST_SHOWN_FIELDS = 2


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, for as long as one answer is made."""

    people: Mapping[int, str]
    organisation: Organisation
    now: datetime


def trail(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The newest rows that the filter lets through, or those behind `before`: {rows, before, looked_to}."""
    before = asked.number("before") if asked.given.get("before") else None
    found = page(connection, wanted(asked), before_id=before)
    called = _names(connection, asked)
    return {
        "rows": [said(row, called) for row in found.rows],
        "before": "" if found.before_id is None else str(found.before_id),
        "looked_to": "" if found.looked_to is None else found.looked_to.isoformat(),
    }


def since(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What came behind the id `after`, and what waits for its link now: {rows, more, waiting}."""
    rows = newer(connection, wanted(asked), after_id=asked.number("after"), limit=PAGE)
    called = _names(connection, asked)
    state = audit_rounds.state(connection, now=asked.now)
    return {
        "rows": [said(row, called) for row in rows],
        "more": len(rows) == PAGE,
        "waiting": audit_chain.waiting(state),
    }


def counts(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """How many rows the filter lets through, and when they were written: {rows, is_part, bars, about}."""
    filtered = wanted(asked)
    end = filtered.end or asked.now
    start = filtered.start
    if start is None:
        start = audit_rounds.state(connection, now=asked.now).first_at or end - timedelta(days=1)
    step = max(timedelta(minutes=1), (end - start) / BARS)
    found = counted(connection, filtered, step=step)
    bars = [0] * BARS
    for at, rows in found.steps.items():
        bars[min(BARS - 1, max(0, int((at - start) / step)))] += rows
    return {"rows": found.rows, "is_part": found.is_part, "bars": bars}


def choice(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What can be filtered by: kinds of actions, who acted lately, brands."""
    there, called = choices(connection), names(connection)
    families = sorted({action.partition(".")[0] + "." for action in there.actions})
    return {
        "actions": list(there.actions),
        "families": [family for family in families if sum(a.startswith(family) for a in there.actions) > 1],
        "actors": [
            {"key": _who(person_id, actor), "name": called.get(person_id, actor) if person_id else actor}
            for person_id, actor in there.actors
        ],
        "brands": [{"key": brand.key, "name": brand.name} for brand in asked.organisation.brands if brand.id != 1],
    }


def one(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """One row: when, who, from where, what it changed, its place in the chain, what followed."""
    found = around(connection, asked.number("id"))
    row, called = found.row, _names(connection, asked)
    zone = asked.organisation.zone_info
    local = row.at.astimezone(zone)
    before, after, rest = _parts(row.details)
    fields = sorted({*before, *after})[:MOST_FIELDS]
    reason = rest.pop("reason", None)
    head = next((h for h in stored_heads(connection) if row.number is not None and h.number >= row.number), None)
    brand = _brand(row.brand_id, called)
    return {
        **said(row, called),
        "when": f"{local:%a %-d %b %Y, %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}",
        "email": row.actor,
        "address": row.address or "",
        "brand": "" if brand is None else brand.name,
        "case": "" if row.case_id is None else str(row.case_id),
        "why": "" if reason is None else value_words(reason),
        "fields": [
            {
                "name": name.replace("_", " "),
                "before": value_words(before[name]) if before.get(name) is not None else "",
                "after": value_words(after[name]) if after.get(name) is not None else "",
            }
            for name in fields
        ],
        "rest": [
            {"name": name.replace("_", " "), "value": value_words(value)}
            for name, value in list(rest.items())[:MOST_FIELDS]
        ],
        "hash": row.hash or "",
        "previous": found.previous or "",
        "linked": _linked_words(row, asked),
        "head": f"signed {at_words(to_microseconds(head.signed_at))}" if head is not None else _unsigned(row),
        "followed": [said(other, called) for other in found.followed],
    }


def check(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Have every link checked again."""
    audit_rounds.ask(connection, now=asked.now)
    audit.record(
        connection,
        at=asked.now,
        action="audit.check_asked",
        subject="audit log",
        actor=asked.access.email,
        person_id=asked.access.person_id,
    )
    return {"words": "Every link is being checked again."}


def wanted(asked: Asked) -> Wanted:
    """The filter that the page was asked with. InputError for one that is none."""
    organisation, zone = asked.organisation, asked.organisation.zone_info
    who, brand = asked.text("who", longest=330), asked.text("brand", longest=64)
    start, end = _window(asked.text("window", "24h", longest=32), asked.now, zone)
    return Wanted(
        start=start,
        end=end,
        person_id=_person(who) if who.startswith("p:") else None,
        actor=who[2:] if who.startswith("a:") else "",
        action=asked.text("what", longest=64),
        brand_id=organisation.brand_by_key(brand).id if brand else None,
        text=asked.text("find", longest=200),
    )


def said(row: Row, called: Names) -> dict[str, Any]:
    """A row of the trail, plain: the browser writes it with textContent."""
    zone = called.organisation.zone_info
    local = row.at.astimezone(zone)
    is_today = local.date() == called.now.astimezone(zone).date()
    brand = _brand(row.brand_id, called)
    is_person = row.person_id is not None
    return {
        "id": str(row.id),
        "number": "" if row.number is None else f"{row.number:,}",
        "at": row.at.isoformat(),
        "clock": f"{local:%H:%M:%S}" if is_today else f"{local:%-d %b %H:%M}",
        "who": called.people.get(row.person_id, row.actor) if row.person_id is not None else row.actor,
        "who_key": _who(row.person_id, row.actor),
        "person": is_person,
        "action": row.action,
        "subject": row.subject,
        "change": change_words(row.details),
        "monogram": "" if brand is None else brand.monogram,
        "linked_at": "" if row.linked_at is None else row.linked_at.isoformat(),
    }


def _brief(value: Any) -> str:
    """A value where one line holds several: of a hash enough to tell it from others."""
    words = value_words(value)
    return f"{words[:15]}…" if words.startswith("sha256:") else words


def change_words(details: Mapping[str, Any] | None) -> str:
    """What a row changed, in one line: before → after of its first fields, else what else it says."""
    before, after, rest = _parts(details)
    fields = sorted({*before, *after})
    if fields:
        shown = fields[:MOST_SHOWN_FIELDS]
        pairs = [f"{_brief(before.get(name))} → {_brief(after.get(name))}" for name in shown]
        if len(fields) > 1:
            pairs = [f"{name.replace('_', ' ')} {pair}" for name, pair in zip(shown, pairs, strict=True)]
        more = f" and {len(fields) - len(shown)} more" if len(fields) > len(shown) else ""
        words = "; ".join(pairs) + more
    else:
        words = ", ".join(f"{name.replace('_', ' ')} {_brief(rest[name])}" for name in rest)
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def value_words(value: Any) -> str:
    """One value of the details as people read it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else str(value)
    if isinstance(value, str):
        return value or "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {value_words(item)}" for name, item in value.items()) or "nothing"
    if isinstance(value, Sequence):
        return ", ".join(value_words(item) for item in value) or "nothing"
    return str(value)


def _parts(details: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What was, what is, and the rest. A value on one side alone stands for a change from or to none."""
    held = dict(details or {})
    before, after = held.pop(audit.BEFORE, None), held.pop(audit.AFTER, None)
    sides = [side if isinstance(side, Mapping) else {} if side is None else {"value": side} for side in (before, after)]
    return dict(sides[0]), dict(sides[1]), held


def _names(connection: Connection, asked: Asked) -> Names:
    return Names(names(connection), asked.organisation, asked.now)


def _who(person_id: int | None, actor: str) -> str:
    return f"a:{actor}" if person_id is None else f"p:{person_id}"


def _person(who: str) -> int:
    if not (who[2:].isascii() and who[2:].isdigit() and len(who) < 12):
        raise InputError("who: choose somebody of the list")
    return int(who[2:])


def _brand(brand_id: int | None, called: Names) -> Any:
    return next((brand for brand in called.organisation.brands if brand.id == brand_id), None)


def _window(given: str, now: datetime, zone: Any) -> tuple[datetime | None, datetime | None]:
    if given in WINDOWS:
        span = WINDOWS[given]
        return (None if span is None else now - span), None
    first, _, last = given.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last)
        start, end = (datetime.combine(day, time(), zone) for day in (days[0], days[1] + timedelta(days=1)))
    except (ValueError, OverflowError) as error:
        raise InputError(f'window "{given[:40]}": use {", ".join(WINDOWS)} or 2026-11-01..2026-11-19') from error
    if days[0] > days[1]:
        raise InputError("window: it ends before it begins")
    return start.astimezone(UTC), end.astimezone(UTC)


def _linked_words(row: Row, asked: Asked) -> str:
    if row.linked_at is None:
        return "not yet"
    local = row.linked_at.astimezone(asked.organisation.zone_info)
    after = max(0.0, (row.linked_at - row.at).total_seconds())
    words = f"{after:.1f} s" if after < 120 else f"{after / 60:,.0f} min" if after < 7_200 else f"{after / 3600:,.0f} h"
    return f"{local:%H:%M:%S}, {words} after it was written"


def _unsigned(row: Row) -> str:
    if row.linked_at is None:
        return "when it is linked"
    return f"to be signed after {row.linked_at.astimezone(UTC):%-d %b}, 24:00 UTC"


READS: dict[str, Read] = {
    "audit.trail": trail,
    "audit.since": since,
    "audit.counts": counts,
    "audit.choices": choice,
    "audit.row": one,
}
ACTS: dict[str, Act] = {"audit.check": check}
