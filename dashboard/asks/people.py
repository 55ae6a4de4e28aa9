"""People: found, looked at, added; roles given, ended and looked at again; many from a file that is looked at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.panels.people_rows import line, person
from models import group_roles, people_acts, people_file, people_lines, people_reading
from models.access import ADMIN, PEOPLE, ROLES, UNLIMITED
from models.errors import InputError
from models.group_roles import RoleFor
from models.organisation import UNKNOWN
from models.people_acts import Span
from models.people_file import LEAVER, Preview

LONGEST_FILE = 900_000
MOST_SHOWN = 300
MOST_TICKED = 500
MOST_CHOSEN = 100


def find(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Rows of the table for who is found by a part of name or email `q`."""
    text = asked.text("q", longest=people_reading.LONGEST_QUERY)
    found = people_reading.find(connection, asked.organisation, asked.access.reach, text, now=asked.now)
    return {"rows": [one for row in found for one in line(row, asked.organisation, asked.now)]}


def one(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """One person with every role, those that are over too, and whether this reader may change them."""
    number = asked.number("id")
    row = people_reading.one(connection, asked.organisation, asked.access.reach, number, now=asked.now)
    held = [role.grant for role in row.roles if not role.is_over(asked.now)]
    is_mine = people_acts.may_over(asked.access, held, asked.organisation) and number != asked.access.person_id
    return {**person(row, asked.organisation, asked.now), "mine": is_mine, "self": number == asked.access.person_id}


def choices(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What a role can be for, and the roles that this reader may give."""
    there, who = asked.organisation, asked.access
    held = frozenset(right for grant in who.grants if PEOPLE in grant.rights for right in grant.rights)
    roles = [role for role, rights in ROLES.items() if who.may(ADMIN) or (role not in UNLIMITED and rights <= held)]
    return {
        "roles": [{"key": role, "limited": role not in UNLIMITED} for role in roles],
        "brands": [_choice(item.key, item.name) for item in there.brands if item.kind == "own"],
        "locations": [_choice(item.key, item.name) for item in there.locations if item.id != UNKNOWN],
        "teams": [_choice(item.key, item.name) for item in there.teams if item.id != UNKNOWN],
    }


def look(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What loading a file (`content`) would change; nothing is written."""
    found = people_file.preview(connection, asked.organisation, asked.access, _content(asked), now=asked.now)
    return _said(found, asked)


def load(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Load it, where what it changes is still what was looked at (`seen`); else the difference as it is now."""
    content, seen = _content(asked), asked.text("seen", longest=64)
    savepoint = connection.begin_nested()
    found, done = people_file.load(connection, asked.organisation, asked.access, content, seen=seen, now=asked.now)
    if not done:
        savepoint.rollback()
        words = "People were changed meanwhile: this is the difference now."
        return {**_said(found, asked), "words": words, "done": False}
    savepoint.commit()
    number = len(found.changes)
    words = f"{number:,} change{'' if number == 1 else 's'} loaded."
    return {**_said(found, asked), "words": words, "done": True}


def add(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Add `email` and `name`, with a role where one is chosen; they are invited."""
    wanted = _wanted(asked) if asked.text("role", longest=16) else None
    number = people_acts.add(
        connection,
        asked.organisation,
        asked.access,
        email=asked.text("email", longest=320),
        name=asked.text("name", longest=400),
        wanted=wanted,
        span=_span(asked),
        now=asked.now,
    )
    return {"words": f"{asked.text('name')} is added and invited.", "id": number}


def give(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Give `person` a role for what is chosen, from when until when."""
    wanted = _wanted(asked)
    people_acts.give(
        connection,
        asked.organisation,
        asked.access,
        asked.number("person"),
        wanted,
        span=_span(asked),
        now=asked.now,
    )
    return {"words": f"The role {wanted.role} is given."}


def end(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """End the role `number`, at the end of the day `at` or now."""
    text = asked.text("at", longest=40)
    at = people_lines.instant(text, "until", asked.organisation.zone_info, ends=True) if text else asked.now
    people_acts.end(connection, asked.organisation, asked.access, asked.number("number"), at=at, now=asked.now)
    return {"words": "The role has ended." if at <= asked.now else "The role ends then."}


def review(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Say of the roles in `numbers` that they are still right."""
    given = asked.given.get("numbers")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_TICKED:
        raise InputError(f"numbers: a list of 1 to {MOST_TICKED} roles is needed")
    numbers = [Asked(asked.access, asked.organisation, asked.now, {"number": one}).number("number") for one in given]
    count = people_acts.review(connection, asked.organisation, asked.access, numbers, now=asked.now)
    return {"words": f"{count} role{'' if count == 1 else 's'} looked at: still right."}


def deactivate(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep `person` out from now on."""
    ended = people_acts.deactivate(connection, asked.organisation, asked.access, asked.number("person"), now=asked.now)
    sessions = f"{ended.sessions} session{'' if ended.sessions == 1 else 's'}"
    claims = f"{ended.claims} claim{'' if ended.claims == 1 else 's'}"
    return {"words": f"Deactivated; {sessions} and {claims} ended.{ended.accounts_words}"}


def activate(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Let `person` in again."""
    people_acts.activate(connection, asked.organisation, asked.access, asked.number("person"), now=asked.now)
    return {"words": "They may sign in again, with the roles that go on."}


def invite(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Let the company sign-on be linked to `person`, once."""
    people_acts.invite(connection, asked.organisation, asked.access, asked.number("person"), now=asked.now)
    return {"words": "Invited: the next company sign-on with this email is linked to them."}


def link(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The path of a link that signs `person` in for the first time, within a day."""
    token = people_acts.first_link(connection, asked.organisation, asked.access, asked.number("person"), now=asked.now)
    return {"words": "The link works once, within 24 hours.", "link": f"/signin/link?token={token}"}


def train(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Whether `person` is in training: policies may then ask for a signature."""
    is_trainee = asked.flag("trainee")
    people_acts.train(
        connection,
        asked.organisation,
        asked.access,
        asked.number("person"),
        is_trainee=is_trainee,
        now=asked.now,
    )
    return {"words": "In training now." if is_trainee else "Trained."}


def _wanted(asked: Asked) -> RoleFor:
    return group_roles.checked(
        asked.text("role", longest=16), _keys(asked, "brands"), _keys(asked, "locations"), _keys(asked, "teams")
    )


def _keys(asked: Asked, name: str) -> list[str]:
    given = asked.given.get(name, [])
    if not isinstance(given, list) or len(given) > MOST_CHOSEN or not all(isinstance(one, str) for one in given):
        raise InputError(f"{name}: a list of at most {MOST_CHOSEN} keys is needed")
    return given


def _span(asked: Asked) -> Span:
    zone = asked.organisation.zone_info
    start, until = asked.text("from", longest=40), asked.text("until", longest=40)
    return Span(
        people_lines.instant(start, "from", zone, ends=False) if start else None,
        people_lines.instant(until, "until", zone, ends=True) if until else None,
    )


def _content(asked: Asked) -> str:
    content = asked.given.get("content")
    if not isinstance(content, str):
        raise InputError("the file did not arrive; choose it again")
    if len(content) > LONGEST_FILE:
        raise InputError("the file is larger than 900 kB; load it with `watchfloor user import FILE`")
    return content


def _said(found: Preview, asked: Asked) -> dict[str, Any]:
    zone = asked.organisation.zone_info
    shown = found.changes[:MOST_SHOWN]
    return {
        "lines": found.lines,
        "counts": {kind: found.count(kind) for kind in ("new", "changed", LEAVER)} | {"same": found.same},
        "changes": [
            {
                "kind": change.kind,
                "name": change.name,
                "email": change.email,
                "what": "; ".join(change.what),
                "since": "" if change.since is None else f"{change.since.astimezone(zone):%-d %b %Y}",
                "accounts": change.accounts,
            }
            for change in shown
        ],
        "number": len(found.changes),
        "unread": [[one.number, one.reason] for one in found.unread[:MOST_SHOWN]],
        "unread_number": len(found.unread),
        "ignored": list(found.ignored),
        "absent": found.absent,
        "seen": found.seen,
    }


def _choice(key: str, name: str) -> dict[str, str]:
    return {"key": key, "name": name}


READS: dict[str, Read] = {
    "people.find": find,
    "people.one": one,
    "people.choices": choices,
    "people.look": look,
}
ACTS: dict[str, Act] = {
    "people.add": add,
    "people.give": give,
    "people.end": end,
    "people.review": review,
    "people.deactivate": deactivate,
    "people.activate": activate,
    "people.invite": invite,
    "people.link": link,
    "people.train": train,
    "people.load": load,
}
