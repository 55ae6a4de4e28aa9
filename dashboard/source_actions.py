"""What an administrator does to a source: pause, start, fetch now, ask for one to be added or changed. Each is audited.

What comes from the browser is only what is asked for; who asks is known from the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models import audit, source_checks, sources
from models.access import ADMIN, Access
from models.database import Database
from models.errors import WatchfloorError
from models.settings import Settings
from models.source_kinds import FormFault

LONGEST_FIELD = 10_000
MOST_FIELDS = 40


def act(database: Database, access: Access, asked: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    """Do `asked["do"]` (pause, resume, fetch) to `asked["source"]`; {n, ok, words} for the browser.

    AccessDenied without the right `admin`; whatever else cannot be done is a sentence in `words`.
    """
    access.require(ADMIN)
    given = dict(asked) if isinstance(asked, Mapping) else {}
    step = STEPS.get(str(given.get("do")))
    source_id = _id(given.get("source"))
    if step is None or source_id is None:
        return _said(given, ok=False, words="That is nothing that can be done to a source; load the page again.")
    action, do = step
    try:
        with database.write() as connection:
            name = sources.name_of(connection, source_id)
            words, details = do(connection, name, str(given.get("because") or ""), access, now)
            audit.record(
                connection,
                at=now,
                action=action,
                subject=name,
                actor=access.email,
                person_id=access.person_id,
                details=details or None,
            )
    except WatchfloorError as fault:
        return _said(given, ok=False, words=_sentence(str(fault)))
    return _said(given, ok=True, words=words)


def ask(
    database: Database, settings: Settings, access: Access, asked: Mapping[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """Ask a worker to try the source of a filled-in form; {n, ok, words, faults, check} for the browser.

    Nothing that was entered comes back. AccessDenied without the right `admin`.
    """
    access.require(ADMIN)
    given = dict(asked) if isinstance(asked, Mapping) else {}
    values = given.get("values")
    is_readable = isinstance(values, Mapping) and len(values) <= MOST_FIELDS
    is_change = given.get("source") not in (None, "")
    source_id = _id(given.get("source"))
    if not is_readable or (is_change and source_id is None):
        return _said(given, ok=False, words="The form did not arrive as it was sent; load the page again.")
    fields = {str(name): str(value)[:LONGEST_FIELD] for name, value in dict(values or {}).items()}
    try:
        with database.write() as connection:
            check_id = source_checks.ask(
                connection,
                settings,
                fields,
                kind=str(given.get("kind")),
                source_id=source_id,
                by=access.email,
                person_id=access.person_id,
                now=now,
            )
    except FormFault as fault:
        return _said(given, ok=False, words="Not everything can be used as it is.") | {"faults": fault.faults}
    except WatchfloorError as fault:
        return _said(given, ok=False, words=_sentence(str(fault)))
    return _said(given, ok=True, words="") | {"check": str(check_id)}


Done = tuple[str, dict[str, Any]]


def _pause(connection: Connection, name: str, because: str, access: Access, now: datetime) -> Done:
    sources.pause(connection, name, by=access.name, at=now, because=audit.shown(because))
    return f"{name} is paused.", {"because": because[: sources.LONGEST_REASON]} if because else {}


def _resume(connection: Connection, name: str, because: str, access: Access, now: datetime) -> Done:
    sources.resume(connection, name, now=now)
    return f"{name} is asked again.", {}


def _fetch(connection: Connection, name: str, because: str, access: Access, now: datetime) -> Done:
    sources.fetch_now(connection, name, now=now)
    return f"{name} is fetched now.", {}


STEPS: dict[str, tuple[str, Callable[[Connection, str, str, Access, datetime], Done]]] = {
    "pause": ("source.paused", _pause),
    "resume": ("source.resumed", _resume),
    "fetch": ("source.fetch_asked", _fetch),
}


def _id(value: Any) -> int | None:
    """The id of a source as the browser names it; None for what is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _said(given: Mapping[str, Any], *, ok: bool, words: str) -> dict[str, Any]:
    number = given.get("n")
    return {"n": number if isinstance(number, int) else 0, "ok": ok, "words": words, "faults": {}, "check": ""}


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
