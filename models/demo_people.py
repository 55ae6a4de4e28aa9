"""The people of the simulated organisation: made at a first start, away while it is hidden, gone when it is removed.

They have roles, shifts and accounts to answer for, so that a first look shows who does what. Nobody signs in as one of
them, by any way, and none is an administrator. What is done in their making is told of the first start, not of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from models import accounts, canned, organisation, people, roles, shift_file
from models.access import ADMIN, Access, Grant
from models.database import raise_change
from models.organisation import Organisation
from models.shifts import WEEKDAYS
from models.tables import account, desk_case, membership, metadata, person, shift_pattern

FILE = Path(__file__).parent / "demo" / "people.toml"
ACTOR = "first start"
# Nobody has the id 0: the audit log names the actor then.
_MAKER = Access.granted(0, ACTOR, ACTOR, [Grant(ADMIN)])
# What is of a person alone and goes with them; whatever else refers to one keeps them, deactivated.
_THEIRS = frozenset(
    {"membership", "shift_pattern", "shift_status", "session", "signin_link", "identity_link", "saved_view"}
    | {"preference", "deputy"}
)


@cache
def _said() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text("utf-8"))


def emails() -> frozenset[str]:
    """By which they are known in a database."""
    return frozenset(item["email"] for item in _said()["person"])


def create(connection: Connection, *, now: datetime) -> tuple[int, ...]:
    """Add them to the simulated organisation that stands there, with what they look after; their ids."""
    there = organisation.current(connection, now)
    ids = _hired(connection, there, now)
    _give_shifts(connection, there, now)
    _give_accounts(connection, there, ids, now)
    for item in _said()["canned"]:
        brand_id = there.brand_by_key(item["brand"]).id
        given = {name: item[name] for name in ("language", "name", "text")}
        canned.save(connection, there, _MAKER, brand_id=brand_id, now=now, **given)
    return tuple(sorted(ids.values()))


def leave(connection: Connection, ids: Collection[int], *, now: datetime) -> tuple[int, ...]:
    """Deactivate those who are not yet; who that was."""
    rows = connection.execute(select(person).where(person.c.id.in_(ids), person.c.disabled_at.is_(None))).all()
    for row in rows:
        people.close_person(connection, row, now)
    return tuple(sorted(row.id for row in rows))


def come_back(connection: Connection, ids: Collection[int], *, now: datetime) -> None:
    """They are there again, those who still are somebody."""
    for number in connection.execute(select(person.c.id).where(person.c.id.in_(ids))).scalars():
        people.reopen_person(connection, number, now=now, actor=ACTOR)


def remove(connection: Connection, ids: Collection[int], *, now: datetime) -> tuple[int, ...]:
    """Take them out; who is still named by something real stays, deactivated and without a role: their ids.

    Called when the accounts and cases of the demo are gone.
    """
    leave(connection, ids, now=now)
    kept = _named(connection, ids)
    for table in reversed(metadata.sorted_tables):
        if table.name in _THEIRS:
            mine = [column.in_(ids) for column in _people_columns(table)]
            connection.execute(delete(table).where(or_(*mine)))
    connection.execute(delete(person).where(person.c.id.in_(set(ids) - kept)))
    raise_change(connection, people.TOPIC)
    return tuple(sorted(kept))


def give_up_scope(
    connection: Connection, brands: Collection[int], places: Collection[int], teams: Collection[int]
) -> None:
    """Brands, places and teams are taken out of the organisation: nobody's role, shift or account names them any more.

    Ids are given again: nobody may see a new brand because they could see one of the demo.
    """
    gone = {"brand_ids": brands, "location_ids": places, "team_ids": teams}
    limited = or_(*(membership.c[name].is_not(None) for name in gone))
    for row in connection.execute(select(membership).where(limited)).all():
        held = {name: getattr(row, name) for name in gone}
        kept = {
            name: None if listed is None else [one for one in listed if one not in gone[name]]
            for name, listed in held.items()
        }
        if kept != held:
            connection.execute(update(membership).where(membership.c.id == row.id).values(**kept))
    connection.execute(delete(shift_pattern).where(shift_pattern.c.team_id.in_(teams)))
    connection.execute(update(account).where(account.c.team_id.in_(teams)).values(team_id=None))


# -- making them -------------------------------------------------------------------------------------------


def _hired(connection: Connection, there: Organisation, now: datetime) -> dict[str, int]:
    entries: Sequence[Mapping[str, Any]] = _said()["person"]
    named = [(people.checked_email(item["email"]), people.checked_name(item["name"])) for item in entries]
    ids = people.add_people(connection, named, now=now, actor=ACTOR)
    for item in entries:
        number = ids[item["email"]]
        # Invited, the company sign-on could be linked to them.
        people.use_invitation(connection, number)
        brands = [there.brand_by_key(key).id for key in item.get("brands", ())]
        teams = [there.team_by_key(key).id for key in item.get("teams", ())]
        roles.give_role(
            connection, number, item["role"], brand_ids=brands or None, team_ids=teams or None, now=now, actor=ACTOR
        )
        if item.get("trainee"):
            people.set_trainee(connection, number, True, now=now, actor=ACTOR)
    return ids


def _give_shifts(connection: Connection, there: Organisation, now: datetime) -> None:
    lines: dict[str, list[str]] = {}
    for item in _said()["person"]:
        for shift in item.get("shifts", ()):
            for day in _days(shift["days"]):
                line = f"{item['email']},{day},{shift['from']},{shift['to']}"
                lines.setdefault(shift["team"], [",".join(shift_file.COLUMNS)]).append(line)
    for key, written in lines.items():
        shift_file.load(connection, there, _MAKER, there.team_by_key(key).id, "\n".join(written), now)


def _days(said: str) -> list[str]:
    """The weekdays of "Thu-Mon", the last one included."""
    first, last = (WEEKDAYS.index(name) for name in said.split("-"))
    return [WEEKDAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)]


def _give_accounts(connection: Connection, there: Organisation, ids: Mapping[str, int], now: datetime) -> None:
    for item in _said()["keep"]:
        brand_id = there.brand_by_key(item["brand"]).id
        for one in there.accounts:
            if one.brand_id == brand_id:
                accounts.save(
                    connection,
                    there,
                    _MAKER,
                    one.id,
                    owner_id=ids[item["owner"]],
                    deputy_id=ids[item["deputy"]],
                    team_id=there.team_by_key(item["team"]).id,
                    purpose=item["purpose"].get(one.kind, ""),
                    audience=item["audience"],
                    voice=item["voice"],
                    now=now,
                )


# -- taking them out ---------------------------------------------------------------------------------------


def _named(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of them whom something refers to that is not theirs alone, and who has the highest number of all.

    Numbers are given again from the highest on: nobody new may become who a line of the audit log speaks of.
    """
    found = {connection.execute(select(func.max(person.c.id))).scalar_one()}
    columns = [
        column for table in metadata.sorted_tables if table.name not in _THEIRS for column in _people_columns(table)
    ]
    for column in (*columns, desk_case.c.assigned_to):
        found |= set(connection.execute(select(column).where(column.in_(ids)).distinct()).scalars())
    return found & set(ids)


def _people_columns(table: Any) -> list[Any]:
    return [column for column in table.c if any(key.column is person.c.id for key in column.foreign_keys)]
