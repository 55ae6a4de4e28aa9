"""How a person and a role look: a line of the table for each role, and the same person in full. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from models import group_roles
from models.access import Grant
from models.organisation import Organisation
from models.people_reading import Role, Row


def line(row: Row, organisation: Organisation, now: datetime) -> list[dict[str, Any]]:
    """One line a role, one without a role where there is none. `first` marks the one that shows who it is."""
    who = {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "initials": initials(row.name),
        "state": state(row),
        "tone": "wn" if row.disabled_at is not None and row.accounts else "t3" if row.disabled_at is not None else "",
        "seen": None if row.last_seen_at is None else row.last_seen_at.isoformat(),
        "left": row.disabled_at is not None,
        "leaver": row.disabled_at is not None and row.accounts > 0,
    }
    if not row.roles or row.disabled_at is not None:
        until = "" if row.disabled_at is None else f"left {_day(row.disabled_at, organisation)}"
        none = {"role": "No role", "for": "", "from": "", "until": until, "pill": bool(until), "team": "", "due": False}
        return [{**who, "key": f"{row.id}", "first": True, "number": 0, "soon": False, **none}]
    return [
        {**who, "key": f"{row.id}-{role.number}", "first": place == 0, **said(role, organisation, now)}
        for place, role in enumerate(row.roles)
    ]


def person(row: Row, organisation: Organisation, now: datetime) -> dict[str, Any]:
    """One person for the drawer."""
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "initials": initials(row.name),
        "state": state(row),
        "added": _day(row.created_at, organisation),
        "seen": None if row.last_seen_at is None else row.last_seen_at.isoformat(),
        "left": None if row.disabled_at is None else _day(row.disabled_at, organisation),
        "trainee": row.is_trainee,
        "newcomer": row.last_seen_at is None and not row.has_password and not row.is_linked and not row.is_made_up,
        "madeUp": row.is_made_up,
        "linked": row.is_linked,
        "invited": row.invited_at is not None,
        "breakGlass": row.is_break_glass,
        "accounts": row.accounts,
        "roles": [
            {**said(role, organisation, now), "over": role.is_over(now), "by": role.given_by or "not known"}
            for role in sorted(row.roles, key=lambda role: (role.is_over(now), role.valid_from, role.number))
        ],
    }


def said(role: Role, organisation: Organisation, now: datetime) -> dict[str, Any]:
    """A role in words: what, what for, from when until when; `pill` where it ends within a week."""
    teams = role.grant.team_ids
    names = organisation.team_names
    without_teams = Grant(role.grant.role, role.grant.brand_ids, role.grant.location_ids)
    return {
        "number": role.number,
        "role": role.grant.role.capitalize(),
        "for": group_roles.words(without_teams, organisation),
        "from": _day(role.valid_from, organisation),
        "until": "open" if role.valid_to is None else _until(role.valid_to, organisation, now),
        "pill": role.ends_soon(now),
        "soon": role.ends_soon(now),
        "team": "" if teams is None else ", ".join(sorted(names.get(one, "one that is gone") for one in teams)),
        "due": role.is_due(now),
    }


def state(row: Row) -> str:
    """How somebody gets in, in a word or two."""
    if row.disabled_at is not None:
        still = f"answers for {row.accounts} account{'' if row.accounts == 1 else 's'}"
        return still if row.accounts else "deactivated"
    if row.is_made_up:
        return "simulated"
    if row.is_break_glass:
        return "break-glass"
    if row.is_linked:
        return "company sign-on"
    if row.has_password:
        return "password"
    if row.last_seen_at is not None:
        return "sign-in link"
    return "invited" if row.invited_at is not None else "no way in yet"


def initials(name: str) -> str:
    """At most two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()


def _day(instant: datetime, organisation: Organisation) -> str:
    return f"{instant.astimezone(organisation.zone_info):%-d %b %Y}"


def _until(instant: datetime, organisation: Organisation, now: datetime) -> str:
    """The last day of something; with its time where that is not the end of the day and within a week."""
    local = instant.astimezone(organisation.zone_info)
    if local.hour == local.minute == 0:
        return f"{local - timedelta(minutes=1):%-d %b %Y}"
    return f"{local:%-d %b %H:%M}" if now < instant < now + timedelta(days=8) else f"{local:%-d %b %Y}"
