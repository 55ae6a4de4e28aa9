"""Canned replies: texts with {fields}, per brand and language, in versions. The only writer of `canned_reply`.

They are a beginning: what is left unfilled is told, and nothing is sent from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from models import audit
from models.access import ADMIN, SIGN_OFF, Access
from models.database import raise_change
from models.errors import AccessDenied, InputError, NotFound
from models.organisation import ALL, Organisation
from models.tables import canned_reply

# What stands in a text between braces, and what it becomes.
FIELDS: Mapping[str, str] = {
    "name": "the customer's name",
    "first_name": "the customer's first name",
    "handle": "the customer's handle",
    "brand": "the brand's name",
    "location": "the place's name",
    "agent": "who answers",
    "agent_first_name": "the first name of who answers",
    "initials": "the initials of who answers",
}
PRODUCT = "Watchfloor"
LONGEST_TEXT, LONGEST_NAME = 2_000, 80
MOST = 500
# What there is until somebody changes one: (language, name, text).
DEFAULTS: tuple[tuple[str, str, str], ...] = (
    (
        "en", "Ask for the details",
        "Hi {first_name}, sorry about this. Which order or "
        "booking is it about? ^{initials}",
    ),
    (
        "en", "We look into it",
        "Hi {first_name}, thank you for telling us. We look into "
        "it and come back to you here. ^{initials}",
    ),
    ("en", "Thank you", "Thank you, {first_name}! We pass it on to the team. ^{initials}"),
    (
        "de", "Nachfragen",
        "Hallo {first_name}, das tut uns leid. Um welche "
        "Bestellung oder Buchung geht es? ^{initials}",
    ),
    (
        "de", "Wir kümmern uns",
        "Hallo {first_name}, danke für den Hinweis. Wir sehen "
        "nach und melden uns hier. ^{initials}",
    ),
    ("de", "Danke", "Danke, {first_name}! Wir geben es an das Team weiter. ^{initials}"),
    ("nl", "Navragen", "Hoi {first_name}, wat vervelend. Om welke bestelling of boeking gaat het? ^{initials}"),
    (
        "nl", "We zoeken het uit",
        "Hoi {first_name}, bedankt voor je bericht. We zoeken het "
        "uit en laten het je hier weten. ^{initials}",
    ),
    ("nl", "Bedankt", "Bedankt, {first_name}! We geven het door aan het team. ^{initials}"),
    (
        "fr", "Demander des précisions",
        "Bonjour {first_name}, désolés pour cela. De quelle "
        "commande ou réservation s'agit-il ? ^{initials}",
    ),
    (
        "fr", "Nous vérifions",
        "Bonjour {first_name}, merci de nous l'avoir signalé. Nous "
        "vérifions et revenons vers vous ici. ^{initials}",
    ),
    ("fr", "Merci", "Merci, {first_name} ! Nous transmettons à l'équipe. ^{initials}"),
    ("es", "Pedir detalles", "Hola {first_name}, lo sentimos. ¿De qué pedido o reserva se trata? ^{initials}"),
    (
        "es", "Lo revisamos",
        "Hola {first_name}, gracias por avisarnos. Lo revisamos "
        "y te contestamos por aquí. ^{initials}",
    ),
    ("es", "Gracias", "¡Gracias, {first_name}! Se lo pasamos al equipo. ^{initials}"),
)  # fmt: skip
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Canned:
    """One text. `brand_id` 0 = for all of ours; `language` None = whatever the customer speaks."""

    id: int
    brand_id: int
    language: str | None
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its fields filled in; those nothing is known for stand as they were, and in `missing`."""

    text: str
    missing: tuple[str, ...]


def listed(connection: Connection, brand_id: int, language: str | None, now: datetime) -> tuple[Canned, ...]:
    """What can be said for a brand to somebody of a language: its own before those of all, by name."""
    wanted = canned_reply.c
    code = (language or "").split("-")[0]
    if not _was_changed(connection):
        return tuple(text for text in _numbered() if text.language == code)
    rows = connection.execute(
        select(canned_reply)
        .where(
            wanted.brand_id.in_((ALL, brand_id)),
            or_(wanted.language.is_(None), wanted.language == code),
            *_valid(now),
        )
        .order_by(wanted.brand_id.desc(), wanted.name, wanted.id)
        .limit(MOST)
    )
    return tuple(Canned(row.id, row.brand_id, row.language, row.name, row.text) for row in rows)


def filled(text: str, fields: Mapping[str, str]) -> Filled:
    """The text with what is known in place of its {fields}."""
    missing: list[str] = []

    def put(found: re.Match[str]) -> str:
        value = fields.get(found.group(1), "").strip()
        if value:
            return value
        missing.append(found.group(1))
        return found.group()

    return Filled(_FIELD.sub(put, text), tuple(dict.fromkeys(missing)))


def save(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    *,
    brand_id: int,
    language: str | None,
    name: str,
    text: str,
    now: datetime,
    replaces: int | None = None,
) -> int:
    """Add a text, or a new version of the text `replaces`; returns its number. InputError, NotFound, AccessDenied."""
    _require(who, organisation, brand_id)
    title = _name(name)
    given = {"brand_id": brand_id, "language": _language(language), "name": title, "text": _text(text)}
    _keep_defaults(connection, now)
    before = None if replaces is None else _one(connection, organisation, who, replaces, now)
    if before is not None:
        _end(connection, before.id, now)
    number = int(connection.execute(select(func.coalesce(func.max(canned_reply.c.id), 0))).scalar_one()) + 1
    connection.execute(insert(canned_reply).values(id=number, actor=who.name, valid_from=now, **given))
    _record(connection, who, "canned.saved", title, now, None if before is None else _said(before), given)
    return number


def retire(connection: Connection, organisation: Organisation, who: Access, canned_id: int, *, now: datetime) -> None:
    """End a text. NotFound where there is none in force."""
    _keep_defaults(connection, now)
    before = _one(connection, organisation, who, canned_id, now)
    _end(connection, canned_id, now)
    _record(connection, who, "canned.retired", before.name, now, _said(before), None)


def _was_changed(connection: Connection) -> bool:
    return connection.execute(select(canned_reply.c.id).limit(1)).first() is not None


def _numbered() -> tuple[Canned, ...]:
    return tuple(Canned(number, ALL, *text) for number, text in enumerate(DEFAULTS, start=1))


def _keep_defaults(connection: Connection, now: datetime) -> None:
    """What came with the product becomes rows with the first change."""
    if not _was_changed(connection):
        rows = [{"id": text.id, "actor": PRODUCT, "valid_from": now, **_said(text)} for text in _numbered()]
        connection.execute(insert(canned_reply), rows)


def _require(who: Access, organisation: Organisation, brand_id: int) -> None:
    """Texts of a brand are kept by who may sign there; those of all brands by administrators."""
    if brand_id == ALL:
        who.require(ADMIN)
    elif not any(brand.id == brand_id and brand.kind == "own" for brand in organisation.brands):
        raise NotFound(f"no brand {brand_id}")
    elif not any(
        SIGN_OFF in grant.rights and (grant.brand_ids is None or brand_id in grant.brand_ids) for grant in who.grants
    ):
        raise AccessDenied(f"this needs the right “{SIGN_OFF}” for the brand; ask an administrator for it")


def _one(connection: Connection, organisation: Organisation, who: Access, canned_id: int, now: datetime) -> Canned:
    row = connection.execute(select(canned_reply).where(canned_reply.c.id == canned_id, *_valid(now))).first()
    if row is None:
        raise NotFound(f"no canned reply {canned_id}")
    _require(who, organisation, row.brand_id)
    return Canned(row.id, row.brand_id, row.language, row.name, row.text)


def _valid(now: datetime) -> tuple[Any, ...]:
    return (
        canned_reply.c.valid_from <= now,
        or_(canned_reply.c.valid_to.is_(None), canned_reply.c.valid_to > now),
    )


def _language(language: str | None) -> str | None:
    code = (language or "").strip().lower()
    if code and not re.fullmatch(r"[a-z]{2,3}", code):
        raise InputError(f'"{code[:20]}" is no code of a language; use one like en, or none')
    return code or None


def _name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME:
        raise InputError(f"the name of a canned reply has 1 to {LONGEST_NAME} characters, not {len(clean)}")
    return clean


def _text(text: str) -> str:
    clean = text.strip()
    if not clean or len(clean) > LONGEST_TEXT:
        raise InputError(f"a canned reply has 1 to {LONGEST_TEXT:,} characters, not {len(clean):,}")
    strange = sorted({field for field in _FIELD.findall(clean) if field not in FIELDS})
    if strange:
        raise InputError(
            f"there is no field {{{strange[0][:40]}}}; use {', '.join(f'{{{field}}}' for field in FIELDS)}"
        )
    return clean


def _said(text: Canned) -> dict[str, Any]:
    return {"brand_id": text.brand_id, "language": text.language, "name": text.name, "text": text.text}


def _end(connection: Connection, canned_id: int, now: datetime) -> None:
    connection.execute(update(canned_reply).where(canned_reply.c.id == canned_id).values(valid_to=now))


def _record(
    connection: Connection,
    who: Access,
    action: str,
    name: str,
    now: datetime,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    audit.record(
        connection,
        at=now,
        action=action,
        subject=name,
        actor=who.name,
        person_id=who.person_id,
        details={"before": before, "after": after},
    )
    raise_change(connection, "settings")
