"""Shifts: what I say about myself, the pattern of a team, a file of it, who stands in for whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select

from dashboard.asks.ask import Act, Asked, Read
from models import claims, shift_file, shifts
from models.access import ROLES, SIGN_OFF
from models.errors import InputError
from models.shifts import OFF, WEEKDAYS
from models.tables import membership, person

LONGEST_FILE = 400_000
WORDS = {"on": "You are on.", "off": "You are off; what you had claimed is free again.", "break": "You are on a break."}


def form(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Who can be given a shift, the days, and the pattern of the team as a file."""
    rows = connection.execute(
        select(person.c.id, person.c.name).where(person.c.disabled_at.is_(None)).order_by(person.c.name).limit(2_000)
    )
    found = shifts.patterns(connection, _team(asked), asked.now)
    return {
        "people": [{"id": str(row.id), "name": row.name} for row in rows],
        "days": list(WEEKDAYS),
        "csv": shift_file.written(found),
    }


def mine(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Whether I am there, and what I said last."""
    me = asked.access.person_id
    said = shifts.statuses(connection, (me,), asked.now).get(me)
    return {
        "here": bool(shifts.on_now(connection, asked.organisation, (me,), asked.now)),
        "said": "" if said is None else said.status,
    }


def stand_ins(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Who could sign in my place: everybody with a role that may sign."""
    signing = [role for role, rights in ROLES.items() if SIGN_OFF in rights]
    rows = connection.execute(
        select(person.c.id, person.c.name)
        .where(
            person.c.disabled_at.is_(None),
            person.c.id != asked.access.person_id,
            person.c.id.in_(
                select(membership.c.person_id).where(
                    membership.c.right.in_(signing),
                    membership.c.valid_from <= asked.now,
                    or_(membership.c.valid_to.is_(None), membership.c.valid_to > asked.now),
                )
            ),
        )
        .order_by(person.c.name)
        .limit(2_000)
    )
    return {
        "people": [{"id": str(row.id), "name": row.name} for row in rows],
        "today": f"{asked.now.astimezone(asked.organisation.zone_info):%Y-%m-%d}",
    }


def say(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """I am `status`: on, off or break. Who goes off holds no case any more."""
    status = asked.text("status", longest=8)
    shifts.say(connection, asked.access, status, now=asked.now)
    if status == OFF:
        claims.end_claims_of(connection, asked.access.person_id, now=asked.now, actor=asked.access.email)
    return {"words": WORDS[status], "status": status}


def add(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """A span of the week for `person` in the team of the page."""
    shifts.add(
        connection,
        asked.organisation,
        asked.access,
        team_id=_team(asked),
        person_id=asked.number("person"),
        weekday=asked.number("weekday"),
        start_minute=_minutes(asked.text("start", longest=5)),
        end_minute=_minutes(asked.text("end", longest=5)),
        now=asked.now,
    )
    return {"words": "Added."}


def remove(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """End the span `id`."""
    shifts.remove(connection, asked.organisation, asked.access, asked.number("id"), now=asked.now)
    return {"words": "Taken out, from now on."}


def look(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What loading `text` would change; nothing is written."""
    text = asked.text("text", longest=LONGEST_FILE)
    return _loaded(shift_file.look(connection, asked.organisation, asked.access, _team(asked), text, asked.now))


def load(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Bring the pattern of the team to what `text` says."""
    text = asked.text("text", longest=LONGEST_FILE)
    done = shift_file.load(connection, asked.organisation, asked.access, _team(asked), text, asked.now)
    return {**_loaded(done), "words": f"{len(done.new)} added, {len(done.gone)} ended, {done.same} as before."}


def deputy(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`deputy` signs in my place, from the day `start` to the day `end`, both included."""
    tz = asked.organisation.zone_info
    shifts.stand_in(
        connection,
        asked.access,
        person_id=asked.access.person_id,
        deputy_id=asked.number("deputy"),
        valid_from=_day(asked.text("start", longest=10), tz, 0),
        valid_to=_day(asked.text("end", longest=10), tz, 1),
        now=asked.now,
    )
    return {"words": "Noted: requests go to your deputy then."}


def _team(asked: Asked) -> int:
    subject = asked.asked().subject
    if subject is None or subject.kind != "team":
        raise InputError("say from which page this is asked: that of a team")
    return subject.id


def _loaded(found: shift_file.Loaded) -> dict[str, Any]:
    return {
        "new": [f"{email} {span}" for email, span in found.new],
        "gone": [f"{email} {span}" for email, span in found.gone],
        "same": found.same,
        "faults": list(found.faults),
    }


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        raise InputError(f'"{text}" is no time of day; write it like 08:30')
    return int(hours) * 60 + int(minutes)


def _day(text: str, tz: ZoneInfo, after: int) -> datetime:
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
        return datetime.combine(day, time(), tz).astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError) as error:
        raise InputError(f'"{text}" is no day; write it like 2026-03-31') from error


READS: dict[str, Read] = {"shifts.form": form, "shifts.mine": mine, "shifts.deputies": stand_ins}
ACTS: dict[str, Act] = {
    "shift.say": say,
    "shift.add": add,
    "shift.remove": remove,
    "shift.look": look,
    "shift.load": load,
    "shift.deputy": deputy,
}
