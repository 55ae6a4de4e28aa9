"""Hours of business and promises of time, in versions: their only writer, and what everybody reads them through.

A version counts from `valid_from` until the next one's, and is never changed: what was counted or promised stays so.
While nobody has changed anything, what comes with the product counts, since ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from models import audit
from models.access import ADMIN, Access
from models.bulk import lock_brands
from models.database import EARLIEST, raise_change
from models.errors import InputError, NotFound, ServiceLevelError
from models.organisation import ALL, Organisation
from models.organisation_entries import shown, text_of
from models.service_level import Calendar, Calendars, Promise, due_at
from models.tables import calendar, promise

ANY = 0
PRIORITIES = (1, 2, 3)
LONGEST_NAME = 120
LEAST_SECONDS, MOST_SECONDS = 60, 92 * 86_400
MOST_CALENDARS, MOST_VERSIONS = 200, 50
# How far back an answer is still judged: what ended earlier is not read any more.
HISTORY = timedelta(days=800)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SECONDS = ("first_seconds", "next_seconds", "resolution_seconds")

ALWAYS = Calendar("UTC", dict.fromkeys(range(7), ((0, 1_440),)), id=1, name="Around the clock", valid_from=EARLIEST)
DEFAULTS = (
    Promise(1, ALL, 1, 1, 15 * MINUTE, 15 * MINUTE, 1 * DAY, EARLIEST),
    Promise(2, ALL, 2, 1, 60 * MINUTE, 60 * MINUTE, 3 * DAY, EARLIEST),
    Promise(3, ALL, 3, 1, 8 * HOUR, 8 * HOUR, 5 * DAY, EARLIEST),
)


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """The hours and promises that may still be asked for; `calendars`: id -> its versions, oldest first."""

    calendars: Mapping[int, tuple[Calendar, ...]] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()

    def of(self, brand_id: int, priority: int, at: datetime) -> tuple[Promise | None, Calendars]:
        """What is promised to a case, and the hours that count for it: the first calendar's where nothing is."""
        found = promise_for(self, brand_id, priority, at)
        wanted = min(self.calendars, default=0) if found is None else found.calendar_id
        return found, self.calendars.get(wanted, (ALWAYS,))

    def calendars_at(self, at: datetime) -> tuple[Calendar, ...]:
        """The calendars in use, by name."""
        found = [item for versions in self.calendars.values() for item in versions if _counts(item, at)]
        return tuple(sorted(found, key=lambda item: item.name.casefold()))

    def promises_at(self, at: datetime) -> tuple[Promise, ...]:
        """The promises in force, the most general first."""
        return tuple(sorted((p for p in self.promises if _counts(p, at)), key=lambda p: (p.brand_id, p.priority)))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a calendar and who saved it."""

    calendar: Calendar
    actor: str


def promise_for(rules: ServiceRules, brand_id: int, priority: int, at: datetime) -> Promise | None:
    """The most special promise in force: one for the brand before one for all, then one for the priority."""
    fitting = [
        item
        for item in rules.promises
        if item.brand_id in (ALL, brand_id) and item.priority in (ANY, priority) and _counts(item, at)
    ]
    return max(fitting, key=lambda item: (item.brand_id, item.priority), default=None)


def load(connection: Connection, now: datetime) -> ServiceRules:
    """The hours and promises as they were in the last 800 days and are now: two short reads."""
    versions: dict[int, list[Calendar]] = {}
    lately = or_(calendar.c.valid_to.is_(None), calendar.c.valid_to > now - HISTORY)
    for row in connection.execute(select(calendar).where(lately).order_by(calendar.c.id, calendar.c.version)):
        versions.setdefault(row.id, []).append(_calendar(row))
    lately = or_(promise.c.valid_to.is_(None), promise.c.valid_to > now - HISTORY)
    promises = tuple(_promise(row) for row in connection.execute(select(promise).where(lately).order_by(promise.c.id)))
    if not versions and _is_untouched(connection):
        return ServiceRules({ALWAYS.id: (ALWAYS,)}, DEFAULTS)
    return ServiceRules({number: tuple(items) for number, items in versions.items()}, promises)


def write_defaults(connection: Connection, *, zone: str, actor: str, now: datetime) -> bool:
    """Write down what comes with the product, with the organisation's zone; False where it was, or anything else is.

    They count since ever: what was judged by them before stays so.
    """
    lock_brands(connection, [ALL])
    if not _is_untouched(connection):
        return False
    always = Calendar.parse(zone, ALWAYS.written()[0])
    _add_calendar(connection, replace(ALWAYS, zone=always.zone), actor)
    for item in DEFAULTS:
        _add_promise(connection, item, actor)
    after = {"calendar": _said_calendar(ALWAYS) | {"zone": always.zone}}
    after |= {f"promise {item.id}": _said_promise(item) for item in DEFAULTS}
    details = {"before": None, "after": after}
    audit.record(connection, at=now, action="service.begun", subject="service level", actor=actor, details=details)
    raise_change(connection, "settings")
    return True


def calendar_versions(connection: Connection, calendar_id: int) -> tuple[Version, ...]:
    """The versions of a calendar, newest first, at most 50."""
    rows = connection.execute(
        select(calendar).where(calendar.c.id == calendar_id).order_by(calendar.c.version.desc()).limit(MOST_VERSIONS)
    )
    return tuple(Version(_calendar(row), row.actor) for row in rows)


def save_calendar(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    name: object,
    zone: object,
    hours: object,
    exceptions: object,
    now: datetime,
    replaces: int | None = None,
) -> Calendar:
    """Add a calendar, or a version of the one that it replaces, from now on; returns what counts.

    `hours` and `exceptions` are texts as Calendar.parse reads them. Nothing is written where nothing differs.
    ServiceLevelError with every fault, NotFound for a calendar that is not in use, AccessDenied.
    """
    held = _writable(connection, organisation, who, now)
    before = _in_use(held, replaces, now) if replaces is not None else None
    faults: list[str] = []
    title = text_of("calendar", {"name": name}, "name", faults, longest=LONGEST_NAME)
    if title is None and not faults:
        faults.append("calendar: name: say what it is called; e.g. Office hours")
    same = [c for c in held.calendars_at(now) if title and c.name.casefold() == title.casefold() and c.id != replaces]
    if same:
        faults.append(f'calendar: name: "{shown(title)}" is taken; choose another, or change that one')
    if before is None and len(held.calendars_at(now)) >= MOST_CALENDARS:
        faults.append(f"calendar: there are {MOST_CALENDARS} of them, which is the most; retire one")
    try:
        wanted = Calendar.parse(zone, hours, exceptions, name=title or "")
    except ServiceLevelError as error:
        raise ServiceLevelError([*faults, *error.faults]) from error
    if faults:
        raise ServiceLevelError(faults)
    if before is None:
        number = (connection.execute(select(func.max(calendar.c.id))).scalar() or 0) + 1
        saved = replace(wanted, id=number, valid_from=now)
    else:
        if _said_calendar(before) == _said_calendar(wanted):
            return before
        # The clock of another server may be behind: a version never counts from before the one it ends.
        since = max(now, before.valid_from or now)
        _end_calendar(connection, before, since)
        saved = replace(wanted, id=before.id, version=before.version + 1, valid_from=since)
    _add_calendar(connection, saved, who.name)
    said = None if before is None else _said_calendar(before)
    _tell(connection, who, "calendar.saved", saved.name, saved.id, said, _said_calendar(saved), now)
    return saved


def retire_calendar(
    connection: Connection, organisation: Organisation, who: Access, calendar_id: int, *, now: datetime
) -> None:
    """Take a calendar out of use. InputError while a promise counts by it, NotFound where it is not in use."""
    held = _writable(connection, organisation, who, now)
    before = _in_use(held, calendar_id, now)
    using = sum(item.calendar_id == calendar_id for item in held.promises_at(now))
    if using:
        raise InputError(f'{using} promises count by the hours of "{before.name}": give them another calendar first')
    _end_calendar(connection, before, now)
    _tell(connection, who, "calendar.retired", before.name, before.id, _said_calendar(before), None, now)


def save_promise(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    brand_id: int = ALL,
    priority: int = ANY,
    calendar_id: int,
    first_seconds: int | None,
    next_seconds: int | None,
    resolution_seconds: int | None,
    now: datetime,
) -> Promise:
    """Promise so much business time to cases of a brand and priority from now on, in place of what was promised so far.

    Nothing is written where nothing differs. ServiceLevelError with every fault, AccessDenied.
    """
    held = _writable(connection, organisation, who, now)
    wanted = Promise(0, brand_id, priority, calendar_id, first_seconds, next_seconds, resolution_seconds, now)
    faults = promise_faults(wanted, organisation, held.calendars_at(now), now)
    if faults:
        raise ServiceLevelError(faults)
    before = next((p for p in held.promises_at(now) if (p.brand_id, p.priority) == (brand_id, priority)), None)
    if before is not None:
        if _said_promise(before) == _said_promise(wanted):
            return before
        _end_promise(connection, before, now)
    number = (connection.execute(select(func.max(promise.c.id))).scalar() or 0) + 1
    saved = replace(wanted, id=number)
    _add_promise(connection, saved, who.name)
    said = None if before is None else _said_promise(before)
    _tell(connection, who, "promise.saved", _named(saved, organisation), number, said, _said_promise(saved), now)
    return saved


def retire_promise(
    connection: Connection, organisation: Organisation, who: Access, promise_id: int, *, now: datetime
) -> None:
    """End a promise: a more general one counts from now on, if there is one. NotFound where it is not in force."""
    held = _writable(connection, organisation, who, now)
    before = next((item for item in held.promises_at(now) if item.id == promise_id), None)
    if before is None:
        raise NotFound(f"no promise {promise_id}")
    _end_promise(connection, before, now)
    _tell(connection, who, "promise.retired", _named(before, organisation), before.id, _said_promise(before), None, now)


# -- what may be saved -----------------------------------------------------------------------------------------


def _writable(connection: Connection, organisation: Organisation, who: Access, now: datetime) -> ServiceRules:
    """The rules as rows, nobody else changing them; what comes with the product becomes rows with the first change."""
    who.require(ADMIN)
    write_defaults(connection, zone=organisation.zone, actor=who.name, now=now)
    return load(connection, now)


def _in_use(held: ServiceRules, calendar_id: int, now: datetime) -> Calendar:
    found = [item for item in held.calendars.get(calendar_id, ()) if item.valid_to is None]
    if not found:
        raise NotFound(f"no calendar {calendar_id}")
    return found[-1]


def promise_faults(
    wanted: Promise, organisation: Organisation, calendars: Iterable[Calendar], now: datetime
) -> list[str]:
    """A sentence for everything that keeps a promise from being saved."""
    faults = [*_subject_faults(wanted, organisation), *_time_faults(wanted)]
    hours = next((item for item in calendars if item.id == wanted.calendar_id), None)
    if hours is None:
        faults.append(f"promise: there is no calendar {shown(wanted.calendar_id)}; choose one that is in use")
    elif not faults:
        longest = max(seconds for name in SECONDS if (seconds := getattr(wanted, name)))
        if due_at(hours, now, longest) is None:
            faults.append(f'promise: "{hours.name}" opens so seldom that it would not be due within ten years')
    return faults


def _subject_faults(wanted: Promise, organisation: Organisation) -> list[str]:
    own = {brand.id for brand in organisation.brands if brand.kind == "own"}
    for name in ("brand_id", "priority", "calendar_id"):
        if type(getattr(wanted, name)) is not int:
            return [f'promise: {name} "{shown(getattr(wanted, name))}" must be a whole number']
    faults = []
    if wanted.brand_id != ALL and wanted.brand_id not in own:
        faults.append(f"promise: brand {shown(wanted.brand_id)} is none of ours; choose one, or 0 for all of them")
    if wanted.priority not in (ANY, *PRIORITIES):
        faults.append(f"promise: priority {shown(wanted.priority)} is none of 1, 2, 3, or 0 for any")
    return faults


def _time_faults(wanted: Promise) -> list[str]:
    faults = []
    for name in SECONDS:
        value = getattr(wanted, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not LEAST_SECONDS <= value <= MOST_SECONDS:
            faults.append(
                f'promise: {name} "{shown(value)}" must be whole seconds from {LEAST_SECONDS} to {MOST_SECONDS:,}'
                " (92 days), or nothing"
            )
    if faults:
        return faults
    if all(getattr(wanted, name) is None for name in SECONDS):
        faults.append("promise: it promises nothing; give a time for the first or next response or the resolution")
    if wanted.first_seconds and wanted.resolution_seconds and wanted.resolution_seconds < wanted.first_seconds:
        faults.append(
            f"promise: resolution_seconds {wanted.resolution_seconds:,} is less than first_seconds"
            f" {wanted.first_seconds:,}; nothing is resolved before it is answered"
        )
    return faults


# -- rows ------------------------------------------------------------------------------------------------------


def _is_untouched(connection: Connection) -> bool:
    return all(connection.execute(select(table.c.id).limit(1)).first() is None for table in (calendar, promise))


def _counts(item: Calendar | Promise, at: datetime) -> bool:
    return (item.valid_from is None or item.valid_from <= at) and (item.valid_to is None or item.valid_to > at)


def _calendar(row: Any) -> Calendar:
    read = _read(row.zone, json.dumps(row.hours), json.dumps(row.exceptions))
    about = {"id": row.id, "version": row.version, "name": row.name}
    return replace(read, valid_from=row.valid_from, valid_to=row.valid_to, **about)


@lru_cache(maxsize=512)
def _read(zone: str, hours: str, exceptions: str) -> Calendar:
    """Versions are never changed, and reading one takes 300 µs."""
    return Calendar.parse(zone, json.loads(hours), json.loads(exceptions))


def _promise(row: Any) -> Promise:
    return Promise(
        row.id,
        row.brand_id,
        row.priority,
        row.calendar_id,
        row.first_seconds,
        row.next_seconds,
        row.resolution_seconds,
        row.valid_from,
        row.valid_to,
    )


def _add_calendar(connection: Connection, item: Calendar, actor: str) -> None:
    values = {"id": item.id, "version": item.version, "actor": actor, "valid_from": item.valid_from}
    connection.execute(insert(calendar).values(**values, **_said_calendar(item)))


def _add_promise(connection: Connection, item: Promise, actor: str) -> None:
    values = {"id": item.id, "actor": actor, "valid_from": item.valid_from}
    connection.execute(insert(promise).values(**values, **_said_promise(item)))


def _end_calendar(connection: Connection, item: Calendar, now: datetime) -> None:
    this = [calendar.c.id == item.id, calendar.c.version == item.version]
    connection.execute(update(calendar).where(*this).values(valid_to=max(now, item.valid_from or now)))


def _end_promise(connection: Connection, item: Promise, now: datetime) -> None:
    connection.execute(update(promise).where(promise.c.id == item.id).values(valid_to=max(now, item.valid_from)))


def _said_calendar(item: Calendar) -> dict[str, Any]:
    """A calendar as plain values, as its row and the audit log hold it."""
    hours, exceptions = item.written()
    return {"name": item.name, "zone": item.zone, "hours": hours, "exceptions": exceptions}


def _said_promise(item: Promise) -> dict[str, Any]:
    values = {"brand_id": item.brand_id, "priority": item.priority, "calendar_id": item.calendar_id}
    return values | {name: getattr(item, name) for name in SECONDS}


def _named(item: Promise, organisation: Organisation) -> str:
    brand = "all brands" if item.brand_id == ALL else organisation.brand_names.get(item.brand_id, "a brand")
    return f"{brand}, {f'P{item.priority}' if item.priority else 'any priority'}"


def _tell(
    connection: Connection,
    who: Access,
    action: str,
    subject: str,
    number: int,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    details = {"number": number, "before": before, "after": after}
    audit.record(
        connection, at=now, action=action, subject=subject, actor=who.name, person_id=who.person_id, details=details
    )
    raise_change(connection, "settings")
