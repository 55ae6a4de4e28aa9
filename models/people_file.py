"""Many people from a file: what it would change, and then, when somebody says so, the change.

What a file does not name stays as it is. New people get no role unless their line says so. Nothing is written before
the difference was seen: `load` refuses where it is another one by then.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from models import group_roles, leaving, people, roles
from models.access import ADMIN, Access, Grant
from models.errors import InputError, WatchfloorError
from models.organisation import Organisation
from models.people_acts import Span, check_gift, check_leaves, is_seen, may_over
from models.people_lines import Line, Lines, Unread, read
from models.roles import BATCH, granted
from models.tables import account, membership, person

NEW, CHANGED, LEAVER = "new", "changed", "leaver"
_ORDER = {LEAVER: 0, CHANGED: 1, NEW: 2}


@dataclass(frozen=True, slots=True)
class _Give:
    grant: Grant
    span: Span


@dataclass(frozen=True, slots=True)
class _End:
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


@dataclass(frozen=True, slots=True)
class _Train:
    is_trainee: bool


@dataclass(frozen=True, slots=True)
class _Back:
    pass


@dataclass(frozen=True, slots=True)
class _Leave:
    pass


Step = _Give | _End | _Name | _Train | _Back | _Leave


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one person: `what` in words, `since` when they left; `accounts` a leaver still answers for."""

    kind: str
    email: str
    name: str
    what: tuple[str, ...]
    steps: tuple[Step, ...]
    since: datetime | None = None
    accounts: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """A file compared with what is there. `changes` are leavers first, then changed, then new people.

    `absent` people have a role and stand in no line: nothing happens to them. `seen` names this difference.
    """

    changes: tuple[Change, ...]
    same: int
    absent: int
    unread: tuple[Unread, ...]
    ignored: tuple[str, ...]
    lines: int
    seen: str

    def count(self, kind: str) -> int:
        """How many changes are of this kind."""
        return sum(change.kind == kind for change in self.changes)


def preview(connection: Connection, organisation: Organisation, who: Access, content: str, *, now: datetime) -> Preview:
    """What loading the file would do; nothing is written. InputError where it is no table of people."""
    found = read(content, organisation, now=now)
    by_email = _by_email(found)
    desk = _Desk.of(connection, organisation, who, set(by_email), now)
    unread, changes, same = list(found.unread), [], 0
    for email, lines in by_email.items():
        try:
            change = desk.change(email, lines)
        except WatchfloorError as error:
            unread.append(Unread(lines[0].number, str(error)))
            continue
        same += change is None
        changes += [] if change is None else [change]
    changes.sort(key=lambda one: (_ORDER[one.kind], -one.accounts, one.name.casefold(), one.email))
    said = [(one.kind, one.email, one.name, one.what) for one in changes]
    return Preview(
        changes=tuple(changes),
        same=same,
        absent=desk.absent,
        unread=tuple(sorted(unread, key=lambda one: one.number)),
        ignored=found.ignored,
        lines=len(found.lines) + len(found.unread),
        seen=hashlib.sha256(repr(said).encode()).hexdigest(),
    )


def load(
    connection: Connection, organisation: Organisation, who: Access, content: str, *, seen: str, now: datetime
) -> tuple[Preview, bool]:
    """Do what was looked at (`seen`); the difference as it is now, and False, where that is another one."""
    found = preview(connection, organisation, who, content, now=now)
    if found.seen != seen:
        return found, False
    fresh = [(one.email, one.name) for one in found.changes if one.kind == NEW]
    numbers = people.add_people(connection, fresh, now=now, actor=who.email, actor_id=who.person_id)
    known = _people(connection, {one.email for one in found.changes if one.kind != NEW})
    for change in found.changes:
        number = numbers[change.email] if change.kind == NEW else int(known[change.email].id)
        for step in change.steps:
            _do(connection, step, number, change.email, who, now)
    return found, True


def _do(connection: Connection, step: Step, number: int, email: str, who: Access, now: datetime) -> None:
    actor, actor_id = who.email, who.person_id
    match step:
        case _Give(grant, span):
            roles.give_role(
                connection,
                number,
                grant.role,
                now=now,
                brand_ids=grant.brand_ids,
                location_ids=grant.location_ids,
                team_ids=grant.team_ids,
                valid_from=span.valid_from,
                valid_to=span.valid_to,
                actor=actor,
                actor_id=actor_id,
            )
        case _End(role, at):
            roles.end_role(connection, role, at=at, now=now, actor=actor, actor_id=actor_id)
        case _Name(name):
            people.rename(connection, number, name, now=now, actor=actor, actor_id=actor_id)
        case _Train(is_trainee):
            people.set_trainee(connection, number, is_trainee, now=now, actor=actor, actor_id=actor_id)
        case _Back():
            people.reopen_person(connection, number, now=now, actor=actor, actor_id=actor_id)
        case _Leave():
            # Each alone may leave; all administrators together may not.
            check_leaves(connection, number, now)
            leaving.disable_person(connection, email, now, actor=actor, actor_id=actor_id)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who asks, and what is held of the people whom a file names."""

    connection: Connection
    organisation: Organisation
    who: Access
    now: datetime
    rows: Mapping[str, Any]
    held: Mapping[int, Sequence[Any]]
    accounts: Counter[int]
    absent: int

    @classmethod
    def of(
        cls, connection: Connection, organisation: Organisation, who: Access, emails: set[str], now: datetime
    ) -> _Desk:
        held: dict[int, list[Any]] = {}
        elsewhere: set[int] = set()
        going_on = (
            select(membership, person.c.email, person.c.disabled_at)
            .join(person, person.c.id == membership.c.person_id)
            .where(or_(membership.c.valid_to.is_(None), membership.c.valid_to > now))
        )
        for row in connection.execute(going_on):
            held.setdefault(row.person_id, []).append(row)
            if row.email not in emails and row.disabled_at is None:
                elsewhere.add(row.person_id)
        if not who.may(ADMIN):
            elsewhere = {one for one in elsewhere if is_seen(who.reach, granted(held[one]), organisation)}
        owners = connection.execute(select(account.c.owner_id, account.c.deputy_id).where(account.c.valid_to.is_(None)))
        accounts = Counter(number for row in owners for number in row if number is not None)
        rows = _people(connection, emails)
        return cls(connection, organisation, who, now, rows, held, accounts, len(elsewhere))

    def change(self, email: str, lines: Sequence[Line]) -> Change | None:
        """What the lines of one person change; None where nothing does. InputError says why they cannot be used."""
        row, names = self.rows.get(email), {line.name for line in lines if line.name}
        if len(names) > 1:
            raise InputError(f"{email} has two names: {', '.join(sorted(map(str, names)))}")
        name = next(iter(names), None)
        left = next((line.left for line in lines if line.left is not None), None)
        return self._new(email, name, lines, left) if row is None else self._known(row, name, lines, left)

    def _new(self, email: str, name: str | None, lines: Sequence[Line], left: datetime | None) -> Change | None:
        if left is not None:
            return None
        if name is None:
            raise InputError(f"{email} is new and has no name")
        what, steps = self._roles(lines, ())
        if any(line.is_trainee for line in lines):
            what, steps = [*what, "in training"], [*steps, _Train(True)]
        return Change(NEW, email, name, tuple(what) or ("no role yet",), tuple(steps))

    def _known(self, row: Any, name: str | None, lines: Sequence[Line], left: datetime | None) -> Change | None:
        going_on = self.held.get(row.id, ())
        held = granted(going_on)
        if not self.who.may(ADMIN) and not (
            is_seen(self.who.reach, held, self.organisation) and may_over(self.who, held, self.organisation)
        ):
            raise InputError(f"{row.email} is not yours to change")
        if left is not None:
            return self._leaver(row, going_on, left)
        what, steps = self._roles(lines, going_on)
        if row.disabled_at is not None:
            what, steps = ["back again", *what], [_Back(), *steps]
        if name is not None and name != row.name:
            what, steps = [*what, f"name: {row.name} → {name}"], [*steps, _Name(name)]
        trainee = next((line.is_trainee for line in lines if line.is_trainee is not None), row.is_trainee)
        if trainee != row.is_trainee:
            what, steps = [*what, "in training" if trainee else "trained"], [*steps, _Train(trainee)]
        if steps and row.id == self.who.person_id:
            raise InputError("nobody changes their own roles")
        return Change(CHANGED, row.email, name or row.name, tuple(what), tuple(steps)) if steps else None

    def _leaver(self, row: Any, going_on: Sequence[Any], left: datetime) -> Change | None:
        if row.id == self.who.person_id:
            raise InputError("nobody deactivates themselves")
        if left > self.now:
            late = [one for one in going_on if one.valid_to is None or one.valid_to > left]
            steps = tuple(_End(one.id, left) for one in late)
            what = (f"leaves {self._day(left)}: roles end then",)
            return Change(CHANGED, row.email, row.name, what, steps, since=left) if steps else None
        if row.disabled_at is not None:
            return None
        check_leaves(self.connection, row.id, self.now)
        number = len(going_on)
        what = (f"deactivated; {number} role{'' if number == 1 else 's'}, sessions and claims end",)
        return Change(LEAVER, row.email, row.name, what, (_Leave(),), since=left, accounts=self.accounts[row.id])

    def _roles(self, lines: Sequence[Line], going_on: Sequence[Any]) -> tuple[list[str], list[Step]]:
        there = {granted([one])[0]: one for one in going_on}
        what: list[str] = []
        steps: list[Step] = []
        for line in lines:
            if line.wanted is None:
                continue
            grant = group_roles.grant_of(line.wanted, self.organisation)
            words = f"{grant.role} for {group_roles.words(grant, self.organisation)}"
            until = "" if line.valid_to is None else f" until {self._day(line.valid_to)}"
            held = there.get(grant)
            if held is None:
                check_gift(self.who, grant, self.organisation)
                since = "" if line.valid_from is None else f" from {self._day(line.valid_from)}"
                what.append(f"{words}{since}{until}")
                steps.append(_Give(grant, Span(line.valid_from, line.valid_to)))
            elif line.valid_to is not None and held.valid_to != line.valid_to:
                what.append(f"{words}: ends {self._day(line.valid_to)}")
                steps.append(_End(held.id, line.valid_to))
        return what, steps

    def _day(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.organisation.zone_info):%-d %b %Y %H:%M}".removesuffix(" 00:00")


def _by_email(found: Lines) -> dict[str, list[Line]]:
    lines: dict[str, list[Line]] = {}
    for line in found.lines:
        lines.setdefault(line.email, []).append(line)
    return lines


def _people(connection: Connection, emails: set[str]) -> dict[str, Any]:
    asked, found = sorted(emails), {}
    for start in range(0, len(asked), BATCH):
        for row in connection.execute(select(person).where(person.c.email.in_(asked[start : start + BATCH]))):
            found[row.email] = row
    return found
