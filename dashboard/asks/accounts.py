"""Accounts of ours: one of them whole, who could post as it on a day, and what may be changed about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from dashboard.asks.ask import Act, Asked, Read
from models import accounts, source_kinds
from models.access import ACCOUNTS
from models.errors import InputError, NotFound
from models.networks import BY_ID
from models.organisation import UNKNOWN
from models.tables import person
from models.who_could_post import who_could_post

MOST_PEOPLE = 2_000


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The account `id`: what is kept about it, what its form offers, whether this person may change it."""
    item = _account(connection, asked)
    may_change = asked.access.may_for(
        ACCOUNTS, asked.organisation, brand_id=item.brand_id, location_id=item.location_id or UNKNOWN
    )
    return {
        "id": str(item.id),
        "title": f"@{item.handle.removeprefix('@')}",
        "network": BY_ID[item.network_id].name,
        "monogram": BY_ID[item.network_id].monogram,
        "owner": str(item.owner_id or ""),
        "deputy": str(item.deputy_id or ""),
        "team": str(item.team_id or ""),
        "purpose": item.purpose,
        "audience": item.audience,
        "greeting": item.voice.get("greeting", ""),
        "sign_off": item.voice.get("sign_off", ""),
        "tone": item.voice.get("tone", ""),
        "forbidden": "\n".join(item.voice.get("forbidden", ())),
        "languages": "\n".join(item.voice.get("languages", ())),
        "connected": item.is_connected,
        "ends": "" if item.secrets_expire_at is None else f"{item.secrets_expire_at:%Y-%m-%d}",
        "needs": list(item.needs(asked.now)),
        "may_change": may_change,
        "people": _people(connection) if may_change else [],
        "teams": [{"id": str(team.id), "name": team.name} for team in asked.organisation.teams if team.id != UNKNOWN],
        "secrets": _secret_fields(BY_ID[item.network_id].key),
        "today": f"{asked.now.astimezone(asked.organisation.zone_info):%Y-%m-%d}",
    }


def could_post(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Who could post as the account `id` on the `day` (the organisation's clock), why, since when, what they sent."""
    tz = asked.organisation.zone_info
    start, end = _day(asked.text("day", longest=10), tz)
    answer = who_could_post(connection, asked.organisation, asked.access, asked.number("id"), start=start, end=end)
    return {
        "day": f"{start.astimezone(tz):%-d %B %Y}",
        "start": start.isoformat(),
        "end": end.isoformat(),
        "could": answer.could,
        "did": answer.did,
        "sent": sum({item.person_id: item.sent for item in answer.people}.values()),
        "others": answer.others,
        "rows": answer.rows,
        "people": [
            {
                "id": str(item.person_id),
                "name": item.name,
                "why": item.why,
                "since": item.since.isoformat(),
                "until": "" if item.until is None else item.until.isoformat(),
                "granted_by": item.granted_by,
                "sent": item.sent,
            }
            for item in answer.people
        ],
    }


def save(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Who answers for the account `id`, for whom it speaks, and how."""
    number = asked.number("id")
    accounts.save(
        connection,
        asked.organisation,
        asked.access,
        number,
        owner_id=_maybe(asked, "owner"),
        deputy_id=_maybe(asked, "deputy"),
        team_id=_maybe(asked, "team"),
        purpose=asked.text("purpose", longest=1_000),
        audience=asked.text("audience", longest=1_000),
        voice={
            "greeting": asked.text("greeting", longest=1_000),
            "sign_off": asked.text("sign_off", longest=1_000),
            "tone": asked.text("tone", longest=1_000),
            "forbidden": asked.text("forbidden").splitlines(),
            "languages": asked.text("languages").splitlines(),
        },
        now=asked.now,
    )
    return {"words": "Saved."}


def connect(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Enter credentials of the account `id`: they are sealed, and never shown again."""
    given = asked.given.get("secrets")
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise InputError("secrets: fields and their values are needed")
    item = _account(connection, asked)
    known = {field["name"] for field in _secret_fields(BY_ID[item.network_id].key)}
    if foreign := sorted(set(given) - known):
        raise InputError(f'"{foreign[0][:40]}" is no field of {BY_ID[item.network_id].name}')
    ends = asked.text("ends", longest=10)
    assert asked.settings is not None
    accounts.connect(
        connection,
        asked.settings,
        asked.organisation,
        asked.access,
        item.id,
        values=given,
        expires_at=_day(ends, asked.organisation.zone_info)[1] if ends else None,
        now=asked.now,
    )
    return {"words": "Credentials are kept, sealed. The next reply uses them."}


def disconnect(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Forget the credentials of the account `id`, for a reason."""
    reason = asked.text("reason", longest=1_000)
    accounts.disconnect(connection, asked.organisation, asked.access, asked.number("id"), reason=reason, now=asked.now)
    return {"words": "Disconnected; nothing is sent as this account any more."}


def _account(connection: Connection, asked: Asked) -> accounts.Kept:
    row = accounts.visible(connection, asked.organisation, asked.access, asked.number("id"))
    found = accounts.kept(connection, (row.brand_id,), account_id=row.id)
    if not found:
        raise NotFound("there is no such account")
    return found[0]


def _people(connection: Connection) -> list[dict[str, str]]:
    rows = connection.execute(
        select(person.c.id, person.c.name)
        .where(person.c.disabled_at.is_(None))
        .order_by(person.c.name, person.c.id)
        .limit(MOST_PEOPLE)
    )
    return [{"id": str(row.id), "name": row.name} for row in rows]


def _secret_fields(network: str) -> list[dict[str, str]]:
    form = next((form for form in source_kinds.FORMS if form.network == network), None)
    # A bearer token speaks for an app, never for an account.
    return [
        {"name": item.name, "label": item.label}
        for item in (form.fields if form is not None else ())
        if item.is_secret and item.name != "bearer_token"
    ]


def _maybe(asked: Asked, name: str) -> int | None:
    return asked.number(name) if asked.given.get(name) else None


def _day(text: str, tz: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        day = date.fromisoformat(text)
        start = datetime.combine(day, time(), tz)
        return start.astimezone(ZoneInfo("UTC")), datetime.combine(day + timedelta(days=1), time(), tz).astimezone(
            ZoneInfo("UTC")
        )
    except (ValueError, OverflowError) as error:
        raise InputError(f'"{text}" is no day; write it like 2026-03-31') from error


READS: dict[str, Read] = {"account": read, "account.could": could_post}
ACTS: dict[str, Act] = {"account.save": save, "account.connect": connect, "account.disconnect": disconnect}
