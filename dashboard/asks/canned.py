"""Canned replies for one case, with what is known of it filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.cases import key_of
from dashboard.panels import queue
from models import canned, cases
from models.case_steps import CaseKey


def canned_replies(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Canned replies for `case`, its fields filled in: {canned: [{id, name, text, missing}]}."""
    case = cases.visible(connection, asked.organisation, asked.access, key_of(asked))
    fields = _fields(asked, case.author_name, case.author_handle, case.key, case.location_id)
    rows = []
    for one in canned.listed(connection, case.key.brand_id, case.language, asked.now):
        filled = canned.filled(one.text, fields)
        rows.append({"id": one.id, "name": one.name, "text": filled.text, "missing": list(filled.missing)})
    return {"canned": rows}


def _fields(asked: Asked, name: str | None, handle: str | None, key: CaseKey, location_id: int) -> dict[str, str]:
    places = queue.places(key.brand_id, location_id, asked.organisation)
    called = queue.name_of(name, handle)
    found = {
        "name": called,
        "first_name": called.split()[0],
        "handle": handle or "",
        "brand": places[0],
        "location": places[1] if len(places) > 1 else "",
        "agent": asked.access.name,
        "agent_first_name": asked.access.name.split()[0] if asked.access.name.split() else "",
        "initials": "".join(word[0] for word in asked.access.name.split()[:2]).upper(),
    }
    return {field: value for field, value in found.items() if value and field in canned.FIELDS}


READS: dict[str, Read] = {"reply.canned": canned_replies}
ACTS: dict[str, Act] = {}
