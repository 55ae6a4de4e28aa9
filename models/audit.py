"""Who changed what, and when: rows are only added, in the transaction of the change they tell of.

`details` of a change hold {"before": {field: value}, "after": {field: value}} of the fields that differ, as
`difference` makes them; what else is worth knowing (a reason, a count) stands beside these two. What customers wrote
stands there as `hashed` only, so that a deletion leaves no text behind and yet can be compared with what somebody
shows.

Rows are linked into a chain by models/audit_chain.py, within two seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
LONGEST_ADDRESS = 64
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit log. `person_id` is None where nobody was signed in.

    `address` is where it came from, None for the command line, a rule or the clock; `brand_id` and `case_id` say which
    brand and case it belongs to, if any.
    """

    id: int
    at: datetime
    person_id: int | None
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] | None
    address: str | None = None
    brand_id: int | None = None
    case_id: int | None = None


def record(
    connection: Connection,
    *,
    at: datetime,
    action: str,
    subject: str,
    actor: str,
    person_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    address: str | None = None,
    brand_id: int | None = None,
    case_id: int | None = None,
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
            address=None if address is None else shown(address)[:LONGEST_ADDRESS],
            brand_id=brand_id,
            case_id=case_id,
        )
    )
    return identifier


def record_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add many rows at once, each as `record` does; the ids that the entries carry are not used."""
    if not entries:
        return
    rows = [
        {
            "id": new_id(entry.at),
            "at": entry.at,
            "person_id": entry.person_id,
            "actor": shown(entry.actor),
            "action": entry.action,
            "subject": shown(entry.subject),
            "details": None if entry.details is None else _safe(entry.details, "details"),
            "address": None if entry.address is None else shown(entry.address)[:LONGEST_ADDRESS],
            "brand_id": entry.brand_id,
            "case_id": entry.case_id,
        }
        for entry in entries
    ]
    connection.execute(insert(audit), rows)


def newest(connection: Connection, limit: int) -> tuple[Entry, ...]:
    """The newest rows first, at most `limit`."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return tuple(Entry(**row._mapping) for row in rows)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{"before": ..., "after": ...} of the fields whose value changed; None stands for what was not there."""
    fields = sorted({*before, *after})
    changed = [field for field in fields if before.get(field) != after.get(field)]
    return {
        BEFORE: {field: before.get(field) for field in changed},
        AFTER: {field: after.get(field) for field in changed},
    }


def hashed(text: str) -> str:
    """What a customer wrote, as it may stand in the log: "sha256:" and 64 digits, the same for the same text."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def shown(text: str) -> str:
    """Text that cannot hurt a log, a screen or a database: no control, no bidi override, no lone surrogate."""
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)


def _safe(value: Any, place: str) -> Any:
    # Cases write many rows a page: plain values first, and each name is looked at once.
    kind = type(value)
    if kind is str:
        return shown(value)
    if value is None or kind is int or kind is float or kind is bool:
        return value
    if isinstance(value, Mapping):
        return {_named(str(key), place): _safe(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_safe(item, place) for item in items]
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float):
        return value
    raise ValueError(f"audit {place}: {kind.__name__} cannot be kept; give text, numbers, lists or mappings")


@lru_cache(maxsize=4_096)
def _named(key: str, place: str) -> str:
    """The name of a detail as it is kept. ValueError for one that by its name is a secret."""
    folded = key.lower().replace("-", "_")
    for word in SECRET_WORDS:
        if word in folded:
            raise ValueError(f"audit {place}.{key}: a {word} is never written to the audit log; leave it out")
    return shown(key)
