"""Accounts of ours, as people keep them: who answers for one, how it speaks, its credentials, what it last did.

The only writer of `account_health` and `account_part`, and of the columns of `account` that a file of the organisation
does not know. Credentials go in and never come out again but to the worker that calls the network: an empty field keeps
what was entered before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from models import audit, breaker, secrets
from models.access import ACCOUNTS, Access
from models.database import raise_change
from models.errors import InputError, NotFound, SettingsError
from models.networks import BY_ID
from models.organisation import UNKNOWN, Organisation
from models.settings import Settings
from models.tables import account, account_health, account_part, person, team

READ, REPLY, PUBLISH = "read", "reply", "publish"
CAPABILITIES = (READ, REPLY, PUBLISH)
OWNER, DEPUTY = "owner", "deputy"
LONGEST_WORDS = 300
LONGEST_SECRET = 4_000
# Days before credentials run out at which it is said, each time more loudly.
WARN_DAYS = (14, 7, 1)
VOICE_TEXTS = ("greeting", "sign_off", "tone")
VOICE_LISTS = ("forbidden", "languages")
MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Health:
    """What an account last did, by capability. None = never."""

    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    error: str | None = None

    @property
    def state(self) -> str:
        """works, lost (the newest try failed) or never."""
        if self.failed_at is not None and (self.succeeded_at is None or self.failed_at > self.succeeded_at):
            return "lost"
        return "never" if self.succeeded_at is None else "works"


@dataclass(frozen=True, slots=True)
class Kept:
    """An account with what people keep about it. A person who was disabled still is the owner: `owner_left` says so."""

    id: int
    network_id: int
    handle: str
    name: str
    kind: str
    brand_id: int
    location_id: int | None
    team_id: int | None
    team: str
    owner_id: int | None
    owner: str
    owner_left: bool
    deputy_id: int | None
    deputy: str
    deputy_left: bool
    purpose: str
    audience: str
    voice: Mapping[str, Any]
    is_connected: bool
    secrets_expire_at: datetime | None
    health: Mapping[str, Health] = field(default_factory=dict)

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the credentials run out, negative when they did; None = they do not, as far as we know."""
        return None if self.secrets_expire_at is None else (self.secrets_expire_at - now) // timedelta(days=1)

    def warns(self, now: datetime) -> int | None:
        """Which of WARN_DAYS it has come to, the smallest; None while there is time."""
        left = self.days_left(now)
        return None if left is None else min((days for days in WARN_DAYS if left < days), default=None)

    def needs(self, now: datetime) -> tuple[str, ...]:
        """What somebody must put right, in words; empty where all is well."""
        found = []
        if self.owner_id is None:
            found.append("no owner")
        elif self.owner_left:
            found.append("the owner left")
        if self.deputy_id is None:
            found.append("no deputy")
        elif self.deputy_left:
            found.append("the deputy left")
        found += [f"{name} lost" for name in CAPABILITIES if self.health.get(name, Health()).state == "lost"]
        if self.warns(now) is not None:
            left = self.days_left(now) or 0
            found.append("credentials ran out" if left < 0 else f"credentials run out in {left} days")
        return tuple(found)


def kept(
    connection: Connection,
    brand_ids: Collection[int],
    location_ids: Collection[int] | None = None,
    *,
    account_id: int | None = None,
) -> tuple[Kept, ...]:
    """The accounts of some brands and places (None = all; an account of no place is seen everywhere), by brand."""
    owner, deputy = person.alias(), person.alias()
    rows = connection.execute(
        select(
            account,
            team.c.name.label("team_name"),
            owner.c.name.label("owner_name"),
            owner.c.disabled_at.label("owner_left_at"),
            deputy.c.name.label("deputy_name"),
            deputy.c.disabled_at.label("deputy_left_at"),
        )
        .outerjoin(team, team.c.id == account.c.team_id)
        .outerjoin(owner, owner.c.id == account.c.owner_id)
        .outerjoin(deputy, deputy.c.id == account.c.deputy_id)
        .where(
            account.c.valid_to.is_(None),
            account.c.brand_id.in_(sorted(brand_ids)),
            *([] if account_id is None else [account.c.id == account_id]),
        )
        .order_by(account.c.brand_id, account.c.network_id, account.c.handle)
    ).all()
    health: dict[int, dict[str, Health]] = {}
    numbers = [row.id for row in rows]
    for row in connection.execute(select(account_health).where(account_health.c.account_id.in_(numbers))):
        health.setdefault(row.account_id, {})[row.capability] = Health(row.succeeded_at, row.failed_at, row.error)
    return tuple(
        _kept(row, health.get(row.id, {}))
        for row in rows
        if location_ids is None or row.location_id is None or row.location_id in location_ids
    )


def running_out(connection: Connection, organisation: Organisation, who: Access, now: datetime) -> tuple[Kept, ...]:
    """The accounts whose credentials ran out or soon will, that this person answers for or manages; the first first."""
    edge = now + timedelta(days=max(WARN_DAYS))
    brands = connection.execute(
        select(account.c.brand_id).where(account.c.valid_to.is_(None), account.c.secrets_expire_at < edge).distinct()
    ).scalars()
    found = [
        item
        for item in kept(connection, tuple(brands))
        if item.warns(now) is not None
        and (
            who.person_id in (item.owner_id, item.deputy_id)
            or who.may_for(ACCOUNTS, organisation, brand_id=item.brand_id, location_id=item.location_id or UNKNOWN)
        )
    ]
    return tuple(sorted(found, key=lambda item: (item.secrets_expire_at or now, item.id)))


def may_see(organisation: Organisation, who: Access, *, brand_id: int, location_id: int | None) -> bool:
    """Whether an account of that brand and place is for the eyes of this person."""
    if who.sees_all:
        return True
    if who.brand_ids is not None and brand_id not in who.brand_ids:
        return False
    if who.location_ids is None or location_id is None:
        return True
    return any(location_id in organisation.below(top) for top in who.location_ids)


def visible(connection: Connection, organisation: Organisation, who: Access, account_id: int) -> Row[Any]:
    """The row of an account; NotFound, in the same words, for one that is foreign and one that is not there."""
    row = connection.execute(select(account).where(account.c.id == account_id)).first()
    if row is None or not may_see(organisation, who, brand_id=row.brand_id, location_id=row.location_id):
        raise NotFound("there is no such account")
    return row


# -- what people keep --------------------------------------------------------------------------------------


def save(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    account_id: int,
    *,
    owner_id: int | None,
    deputy_id: int | None,
    team_id: int | None,
    purpose: str,
    audience: str,
    voice: Mapping[str, Any],
    now: datetime,
) -> None:
    """Say who answers for an account, for whom it speaks and how. InputError, NotFound, AccessDenied."""
    row = _mine(connection, organisation, who, account_id)
    if owner_id is not None and owner_id == deputy_id:
        raise InputError("owner and deputy must be two people: the deputy acts when the owner cannot")
    for person_id in (owner_id, deputy_id):
        if person_id is not None:
            _active(connection, person_id)
    if team_id is not None and team_id not in organisation.team_names:
        raise NotFound(f"no team {team_id}")
    values: dict[str, Any] = {
        "owner_id": owner_id,
        "deputy_id": deputy_id,
        "team_id": team_id,
        "purpose": _words(purpose, "the purpose"),
        "audience": _words(audience, "the audience"),
        "voice": _voice(voice) or None,
    }
    changed = {key: value for key, value in values.items() if getattr(row, key) != value}
    if not changed:
        return
    connection.execute(update(account).where(account.c.id == account_id).values(**changed))
    for part, column in ((OWNER, "owner_id"), (DEPUTY, "deputy_id")):
        if column in changed:
            give_part(connection, account_id, part, changed[column], now)
    details = {"before": {key: getattr(row, key) for key in changed}, "after": changed}
    _record(connection, who, row, "account.changed", now, details)


def connect(
    connection: Connection,
    settings: Settings,
    organisation: Organisation,
    who: Access,
    account_id: int,
    *,
    values: Mapping[str, str],
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Enter credentials. A field that is left empty keeps what was entered before; all empty is an InputError."""
    row = _mine(connection, organisation, who, account_id)
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    if not given:
        raise InputError("nothing was entered; what is there stays")
    for name, value in given.items():
        if len(value) > LONGEST_SECRET or not value.isprintable():
            raise InputError(f"{name}: 1 to {LONGEST_SECRET:,} printable characters are needed")
    if expires_at is not None and expires_at <= now:
        raise InputError(f"credentials that ran out at {expires_at:%Y-%m-%d %H:%M} UTC are of no use; enter newer ones")
    before: dict[str, str] = {}
    if row.secrets is not None:
        try:
            before = secrets.unseal(settings, row.secrets)
        except SettingsError:
            # The key is another one: only a whole new set is of use, and what cannot be opened is lost anyway.
            before = {}
    sealed = secrets.seal(settings, {**before, **given})
    connection.execute(
        update(account).where(account.c.id == account_id).values(secrets=sealed, secrets_expire_at=expires_at)
    )
    # What was refused for the old ones is tried again.
    breaker.note_success(connection, account_id, now=now)
    fields = sorted(given)
    details = {"fields": fields, "before": {"ends": row.secrets_expire_at}, "after": {"ends": expires_at}}
    _record(connection, who, row, "account.connected", now, details)


def disconnect(
    connection: Connection, organisation: Organisation, who: Access, account_id: int, *, reason: str, now: datetime
) -> None:
    """Forget the credentials, for a reason. InputError where there are none."""
    row = _mine(connection, organisation, who, account_id)
    if row.secrets is None:
        raise InputError(f"{row.name} is not connected")
    why = _words(reason, "the reason")
    if why is None:
        raise InputError("say why it is disconnected")
    connection.execute(update(account).where(account.c.id == account_id).values(secrets=None, secrets_expire_at=None))
    _record(connection, who, row, "account.disconnected", now, {"reason": why})


# -- what it managed to do ---------------------------------------------------------------------------------


def note_health(
    connection: Connection, account_id: int, capability: str, *, now: datetime, error: str | None = None
) -> None:
    """An account read, replied or published just now, or failed to, and why."""
    if capability not in CAPABILITIES:
        raise ValueError(f'capability "{capability}": known: {", ".join(CAPABILITIES)}')
    values: dict[str, Any] = (
        {"succeeded_at": now, "error": None} if error is None else {"failed_at": now, "error": error[:1_000]}
    )
    this = (account_health.c.account_id == account_id, account_health.c.capability == capability)
    if not connection.execute(update(account_health).where(*this).values(**values)).rowcount:
        connection.execute(insert(account_health).values(account_id=account_id, capability=capability, **values))


# -- inside ------------------------------------------------------------------------------------------------


def _mine(connection: Connection, organisation: Organisation, who: Access, account_id: int) -> Row[Any]:
    row = visible(connection, organisation, who, account_id)
    who.require_for(ACCOUNTS, organisation, brand_id=row.brand_id, location_id=row.location_id or UNKNOWN)
    return row


def _active(connection: Connection, person_id: int) -> None:
    row = connection.execute(select(person.c.disabled_at).where(person.c.id == person_id)).first()
    if row is None:
        raise NotFound(f"no person {person_id}")
    if row.disabled_at is not None:
        raise InputError("somebody who left cannot answer for an account; name another person")


def give_part(connection: Connection, account_id: int, part: str, person_id: int | None, now: datetime) -> None:
    """Note from when on somebody (None = nobody) is owner or deputy; the account itself is the caller's."""
    this = (account_part.c.account_id == account_id, account_part.c.part == part)
    connection.execute(update(account_part).where(*this, account_part.c.valid_to.is_(None)).values(valid_to=now))
    if person_id is not None:
        connection.execute(
            insert(account_part).values(account_id=account_id, part=part, person_id=person_id, valid_from=now)
        )


def _record(
    connection: Connection, who: Access, row: Row[Any], action: str, now: datetime, details: Mapping[str, Any]
) -> None:
    audit.record(
        connection,
        at=now,
        action=action,
        subject=f"{BY_ID[row.network_id].key}/{row.handle}",
        actor=who.email,
        person_id=who.person_id,
        details=details,
        brand_id=row.brand_id,
    )
    raise_change(connection, "accounts", [row.brand_id])


def _words(text: str, what: str) -> str | None:
    clean = " ".join(text.split())
    if len(clean) > LONGEST_WORDS:
        raise InputError(f"{what} has {len(clean):,} characters; at most {LONGEST_WORDS} fit")
    return clean or None


def _voice(given: Mapping[str, Any]) -> dict[str, Any]:
    voice: dict[str, Any] = {}
    for name in VOICE_TEXTS:
        if clean := _words(str(given.get(name) or ""), f"the {name.replace('_', '-')}"):
            voice[name] = clean
    for name in VOICE_LISTS:
        words: Collection[Any] = given.get(name) or ()
        if isinstance(words, str) or len(words) > MOST_WORDS:
            raise InputError(f"{name}: a list of at most {MOST_WORDS} words is needed")
        if clean_words := [" ".join(str(word).split()) for word in words if str(word).strip()]:
            voice[name] = clean_words
    return voice


def _kept(row: Row[Any], health: Mapping[str, Health]) -> Kept:
    return Kept(
        id=row.id,
        network_id=row.network_id,
        handle=row.handle,
        name=row.name,
        kind=row.kind,
        brand_id=row.brand_id,
        location_id=row.location_id,
        team_id=row.team_id,
        team=row.team_name or "",
        owner_id=row.owner_id,
        owner=row.owner_name or "",
        owner_left=row.owner_left_at is not None,
        deputy_id=row.deputy_id,
        deputy=row.deputy_name or "",
        deputy_left=row.deputy_left_at is not None,
        purpose=row.purpose or "",
        audience=row.audience or "",
        voice=row.voice or {},
        is_connected=row.secrets is not None,
        secrets_expire_at=row.secrets_expire_at,
        health=health,
    )
