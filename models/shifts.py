"""Shifts: the weekly pattern of a team, who is on, off or on a break as they said it, and who stands in for whom.

The only writer of `shift_pattern`, `shift_status` and `deputy`. A pattern says who should be there, in minutes of the
local day of the team's zone; what a person said last counts more, until their next shift begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, or_, select, update

from models import audit
from models.access import ADMIN, PEOPLE, UNLIMITED, WORK, Access
from models.database import raise_change
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import Organisation
from models.tables import deputy, membership, person, shift_pattern, shift_status

ON, OFF, BREAK = "on", "off", "break"
STATUSES = (ON, OFF, BREAK)
DAY_MINUTES = 24 * 60
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONGEST_AWAY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One span of a week: `weekday` 0 = Monday; an `end_minute` up to `start_minute` lies on the next day."""

    id: int
    team_id: int
    person_id: int
    name: str
    email: str
    weekday: int
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class Span:
    """When somebody should be there: half-open, UTC."""

    person_id: int
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """What somebody said last."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Away:
    """Who signs for whom, from when until when."""

    person_id: int
    deputy_id: int
    valid_from: datetime
    valid_to: datetime


def zone_of(organisation: Organisation, team_id: int) -> str:
    """The zone of the places that a team covers where they share one, else the organisation's."""
    zones = {
        organisation.zone_of(cover.location_id)
        for cover in organisation.covers
        if cover.team_id == team_id and cover.location_id
    }
    return zones.pop() if len(zones) == 1 else organisation.zone


def patterns(connection: Connection, team_id: int, now: datetime) -> tuple[Pattern, ...]:
    """The pattern of a team that is valid now, by person and weekday."""
    rows = connection.execute(
        select(shift_pattern, person.c.name, person.c.email)
        .join(person, person.c.id == shift_pattern.c.person_id)
        .where(
            shift_pattern.c.team_id == team_id,
            shift_pattern.c.valid_from <= now,
            or_(shift_pattern.c.valid_to.is_(None), shift_pattern.c.valid_to > now),
            person.c.disabled_at.is_(None),
        )
        .order_by(person.c.name, shift_pattern.c.weekday, shift_pattern.c.start_minute)
    )
    return tuple(
        Pattern(r.id, r.team_id, r.person_id, r.name, r.email, r.weekday, r.start_minute, r.end_minute) for r in rows
    )


def spans(found: Iterable[Pattern], zone: str, *, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The spans of some patterns that touch [start, end), by instant. A span past midnight belongs to its first day."""
    tz = ZoneInfo(zone)
    first, last = (start.astimezone(tz) - timedelta(days=1)).date(), end.astimezone(tz).date()
    made = []
    for item in found:
        day = first + timedelta(days=(item.weekday - first.weekday()) % 7)
        while day <= last:
            begins = _instant(day, item.start_minute, tz)
            over = item.end_minute if item.end_minute > item.start_minute else item.end_minute + DAY_MINUTES
            ends = _instant(day, over, tz)
            if begins < end and ends > start:
                made.append(Span(item.person_id, item.name, begins, ends))
            day += timedelta(days=7)
    return tuple(sorted(made, key=lambda span: (span.start, span.name)))


def statuses(connection: Connection, person_ids: Iterable[int], now: datetime) -> dict[int, Status]:
    """Person -> what they said last, within two days; who said nothing is left out."""
    asked = sorted(set(person_ids))
    newest = (
        select(shift_status.c.person_id, func.max(shift_status.c.at).label("at"))
        .where(shift_status.c.person_id.in_(asked), shift_status.c.at > now - timedelta(days=2))
        .group_by(shift_status.c.person_id)
        .subquery()
    )
    rows = connection.execute(
        select(shift_status).join(
            newest, (shift_status.c.person_id == newest.c.person_id) & (shift_status.c.at == newest.c.at)
        )
    )
    return {row.person_id: Status(row.status, row.at) for row in rows}


def on_now(connection: Connection, organisation: Organisation, person_ids: Sequence[int], now: datetime) -> list[int]:
    """Of these people those who are there, in the order given.

    Whoever said something since their shift began is what they said; else the pattern decides. Where no pattern is kept
    for a person, they are there unless they said otherwise: a team that keeps no shifts is not away.
    """
    if not person_ids:
        return []
    said = statuses(connection, person_ids, now)
    rows = connection.execute(
        select(shift_pattern, person.c.name, person.c.email)
        .join(person, person.c.id == shift_pattern.c.person_id)
        .where(
            shift_pattern.c.person_id.in_(sorted(set(person_ids))),
            shift_pattern.c.valid_from <= now,
            or_(shift_pattern.c.valid_to.is_(None), shift_pattern.c.valid_to > now),
        )
    ).all()
    kept: dict[int, list[Pattern]] = {}
    for r in rows:
        kept.setdefault(r.person_id, []).append(
            Pattern(r.id, r.team_id, r.person_id, r.name, r.email, r.weekday, r.start_minute, r.end_minute)
        )
    return [number for number in person_ids if _is_on(organisation, said.get(number), kept.get(number, ()), now)]


def _is_on(organisation: Organisation, said: Status | None, kept: Sequence[Pattern], now: datetime) -> bool:
    covering: list[Span] = []
    for item in kept:
        zone = zone_of(organisation, item.team_id)
        covering += spans((item,), zone, start=now, end=now + timedelta(microseconds=1))
    began = max((span.start for span in covering), default=None)
    if said is not None and (began is None or said.at >= began):
        return said.status == ON
    return bool(covering) if kept else True


# -- what people do ----------------------------------------------------------------------------------------


def say(connection: Connection, who: Access, status: str, *, now: datetime) -> None:
    """I am on, off or on a break."""
    if status not in STATUSES:
        raise InputError(f'status "{status[:16]}": known: {", ".join(STATUSES)}')
    who.require(WORK)
    same = (shift_status.c.person_id == who.person_id, shift_status.c.at == now)
    if not connection.execute(update(shift_status).where(*same).values(status=status)).rowcount:
        connection.execute(insert(shift_status).values(person_id=who.person_id, at=now, status=status))
    audit.record(
        connection,
        at=now,
        action=f"shift.{status}",
        subject=who.email,
        actor=who.email,
        person_id=who.person_id,
    )
    raise_change(connection, "shifts")


def add(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    team_id: int,
    person_id: int,
    weekday: int,
    start_minute: int,
    end_minute: int,
    now: datetime,
) -> int:
    """Add a span to the pattern of a team; its number. InputError, NotFound, AccessDenied."""
    require_team(who, organisation, team_id)
    check_span(weekday, start_minute, end_minute)
    row = connection.execute(select(person).where(person.c.id == person_id, person.c.disabled_at.is_(None))).first()
    if row is None:
        raise NotFound(f"no person {person_id}")
    number = insert_span(connection, team_id, person_id, (weekday, start_minute, end_minute), now)
    added = {"after": {row.email: said_of(weekday, start_minute, end_minute)}}
    recorded(connection, organisation, who, team_id, "shift.added", now, added)
    return number


def remove(connection: Connection, organisation: Organisation, who: Access, number: int, *, now: datetime) -> None:
    """End a span of a pattern. NotFound for one that is over or not there."""
    row = connection.execute(
        select(shift_pattern, person.c.email)
        .join(person, person.c.id == shift_pattern.c.person_id)
        .where(shift_pattern.c.id == number, shift_pattern.c.valid_to.is_(None))
    ).first()
    try:
        if row is None:
            raise NotFound("")
        require_team(who, organisation, row.team_id)
    except NotFound:
        # Of a team that one may not see not even the shifts are there.
        raise NotFound("there is no such shift") from None
    end_span(connection, number, now)
    was = said_of(row.weekday, row.start_minute, row.end_minute)
    recorded(connection, organisation, who, row.team_id, "shift.removed", now, {"before": {row.email: was}})


def stand_in(
    connection: Connection,
    who: Access,
    *,
    person_id: int,
    deputy_id: int,
    valid_from: datetime,
    valid_to: datetime,
    now: datetime,
) -> None:
    """Let somebody sign in another's place: for oneself, or for others with the right to manage people."""
    if person_id != who.person_id:
        who.require(PEOPLE)
    if person_id == deputy_id:
        raise InputError("nobody stands in for themselves; name another person")
    if not valid_from < valid_to <= valid_from + LONGEST_AWAY:
        raise InputError(f"from {valid_from:%Y-%m-%d} until {valid_to:%Y-%m-%d}: name 1 to {LONGEST_AWAY.days} days")
    names = {
        row.id: row.email
        for row in connection.execute(
            select(person.c.id, person.c.email).where(
                person.c.id.in_((person_id, deputy_id)), person.c.disabled_at.is_(None)
            )
        )
    }
    if len(names) != 2:
        raise NotFound("there is no such person")
    this = (deputy.c.person_id == person_id, deputy.c.valid_from == valid_from)
    values = {"deputy_id": deputy_id, "valid_to": valid_to}
    if not connection.execute(update(deputy).where(*this).values(**values)).rowcount:
        connection.execute(insert(deputy).values(person_id=person_id, valid_from=valid_from, **values))
    audit.record(
        connection,
        at=now,
        action="shift.deputy_named",
        subject=names[person_id],
        actor=who.email,
        person_id=who.person_id,
        details={"after": {"deputy": names[deputy_id], "from": valid_from, "until": valid_to}},
    )
    raise_change(connection, "shifts")


def deputies(connection: Connection, person_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """Person -> who signs for them now."""
    rows = connection.execute(
        select(deputy.c.person_id, deputy.c.deputy_id)
        .where(deputy.c.person_id.in_(sorted(set(person_ids))), deputy.c.valid_from <= now, deputy.c.valid_to > now)
        .order_by(deputy.c.valid_from)
    )
    return {row.person_id: row.deputy_id for row in rows}


# -- shared with the file of shifts ------------------------------------------------------------------------


def check_span(weekday: int, start_minute: int, end_minute: int) -> None:
    """InputError for what is no span of a week."""
    if not 0 <= weekday <= 6:
        raise InputError(f"weekday {weekday}: 0 (Monday) to 6 (Sunday)")
    if not (0 <= start_minute < DAY_MINUTES and 0 <= end_minute <= DAY_MINUTES) or start_minute == end_minute:
        raise InputError(f"{clock(start_minute)}–{clock(end_minute)}: a shift begins before 24:00 and has a length")


def insert_span(connection: Connection, team_id: int, person_id: int, span: tuple[int, int, int], now: datetime) -> int:
    """Add a span of (weekday, start minute, end minute); its number."""
    number = int(connection.execute(select(func.coalesce(func.max(shift_pattern.c.id), 0))).scalar_one()) + 1
    weekday, start_minute, end_minute = span
    connection.execute(
        insert(shift_pattern).values(
            id=number,
            team_id=team_id,
            person_id=person_id,
            weekday=weekday,
            start_minute=start_minute,
            end_minute=end_minute,
            valid_from=now,
        )
    )
    return number


def end_span(connection: Connection, number: int, now: datetime) -> None:
    """A span counts no more from now on."""
    connection.execute(update(shift_pattern).where(shift_pattern.c.id == number).values(valid_to=now))


def require_team(who: Access, organisation: Organisation, team_id: int) -> None:
    """Whoever manages people of that team may change its shifts; a team one may not see is not there."""
    if team_id not in organisation.team_names:
        raise NotFound("there is no such team")
    if ADMIN in who.rights:
        return
    seen = any(grant.role in UNLIMITED or grant.team_ids is None or team_id in grant.team_ids for grant in who.grants)
    if not seen:
        raise NotFound("there is no such team")
    if not any(
        PEOPLE in grant.rights and (grant.team_ids is None or team_id in grant.team_ids) for grant in who.grants
    ):
        raise AccessDenied(f"this needs the right “{PEOPLE}” for that team; ask an administrator for it")


def recorded(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    team_id: int,
    action: str,
    now: datetime,
    details: Mapping[str, object],
) -> None:
    """The audit row of a change of a pattern, and the word that it happened."""
    audit.record(
        connection,
        at=now,
        action=action,
        subject=organisation.team_names.get(team_id, str(team_id)),
        actor=who.email,
        person_id=who.person_id,
        details=details,
    )
    raise_change(connection, "shifts")


def team_people(connection: Connection, team_id: int, now: datetime) -> tuple[tuple[int, str], ...]:
    """(id, name) of those who have a role for that team by name, or a shift in it; by name."""
    rows = connection.execute(
        select(membership.c.person_id, membership.c.team_ids, person.c.name)
        .join(person, person.c.id == membership.c.person_id)
        .where(
            membership.c.valid_from <= now,
            or_(membership.c.valid_to.is_(None), membership.c.valid_to > now),
            person.c.disabled_at.is_(None),
        )
    )
    named = {row.person_id: row.name for row in rows if row.team_ids is not None and team_id in row.team_ids}
    named |= {item.person_id: item.name for item in patterns(connection, team_id, now)}
    return tuple(sorted(named.items(), key=lambda item: (item[1], item[0])))


def _instant(day: date, minute: int, tz: ZoneInfo) -> datetime:
    after = day + timedelta(days=minute // DAY_MINUTES)
    local = datetime.combine(after, time(minute % DAY_MINUTES // 60, minute % 60), tz)
    return local.astimezone(ZoneInfo("UTC"))


def said_of(weekday: int, start_minute: int, end_minute: int) -> str:
    """A span as people say it."""
    return f"{WEEKDAYS[weekday]} {clock(start_minute)}–{clock(end_minute)}"


def clock(minute: int) -> str:
    """A minute of the day as hours and minutes."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
