"""Who changed what, and when: rows are only added, in the transaction of the change they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from models.database import new_id
from models.tables import audit

# A detail whose name contains one of these never reaches the table, whatever it holds.
SECRET_WORDS = (
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "cookie",
    "authorization",
    "api_key",
    "apikey",
)
LONGEST_TEXT = 1_000
LONGEST_ACTION = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit log. `person_id` is None where nobody was signed in."""

    id: int
    at: datetime
    person_id: int | None
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] | None


def record(
    connection: Connection,
    *,
    at: datetime,
    action: str,
    subject: str,
    actor: str,
    person_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Add a row in the caller's transaction and return its id: it stands if, and only if, the change does.

    `action` is "thing.verb" (`signin.failed`). Unprintable characters are shown as U+FFFD and long texts are cut.
    ValueError for an action that is none and for a detail that by its name is a secret.
    """
    if not action or len(action) > LONGEST_ACTION or not action.isascii():
        raise ValueError(f'audit action "{action}": use "thing.verb", at most {LONGEST_ACTION} ASCII characters')
    identifier = new_id(at)
    connection.execute(
        insert(audit).values(
            id=identifier,
            at=at,
            person_id=person_id,
            actor=shown(actor),
            action=action,
            subject=shown(subject),
            details=None if details is None else _safe(details, "details"),
        )
    )
    return identifier


def newest(connection: Connection, limit: int) -> tuple[Entry, ...]:
    """The newest rows first, at most `limit`."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return tuple(Entry(r.id, r.at, r.person_id, r.actor, r.action, r.subject, r.details) for r in rows)


def shown(text: str) -> str:
    """Text that cannot hurt a log, a screen or a database: no control, no bidi override, no lone surrogate."""
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)


def _safe(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        return {shown(str(key)): _safe(item, _named(str(key), place)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_safe(item, place) for item in items]
    if isinstance(value, str):
        return shown(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    raise ValueError(f"audit {place}: {type(value).__name__} cannot be kept; give text, numbers, lists or mappings")


def _named(key: str, place: str) -> str:
    folded = key.lower().replace("-", "_")
    for word in SECRET_WORDS:
        if word in folded:
            raise ValueError(f"audit {place}.{key}: a {word} is never written to the audit log; leave it out")
    return f"{place}.{key}"
