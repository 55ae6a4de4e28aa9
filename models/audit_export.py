"""The audit log written out: JSON Lines that others can check without the database, and CSV for spreadsheets.

The first line of JSON Lines says how to check it. Every row carries its link and the hash before it, so each can be
checked alone; the signed heads come last. Rows come newest first, a slice at a time, whatever is read meanwhile.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce

from models.audit_chain import BEGINNING, NAMES, RAW
from models.audit_heads import stored_heads
from models.audit_reading import LARGEST_ID, Wanted, restricted
from models.export import guarded
from models.tables import audit, audit_link
from models.tables.base import from_microseconds, to_microseconds

JSONL, CSV = "jsonl", "csv"
SLICE = 1_000
HOW = (
    "hash = SHA-256 of the UTF-8 JSON object with exactly the keys action, actor, address, at, brand_id, case_id,"
    " details, id, linked_at, number, person_id, previous, subject, in this order, without blanks; instants are"
    " microseconds since 1970 UTC, details is the text as given here; previous is the hash of the link before, "
    f"{BEGINNING[:4]}... for the first. A head is signed with Ed25519 over the lines: watchfloor audit head, kind,"
    " day, number, hash, signed_at."
)
COLUMNS = (
    "number", "at", "actor", "action", "subject", "details", "address", "brand_id", "case_id", "id", "linked_at",
    "hash", "previous",
)  # fmt: skip


def json_lines(connection: Connection, wanted: Wanted, *, most: int | None, now: datetime) -> Iterator[str]:
    """The rows that a filter lets through, at most the newest `most`, between what says how to check them and the
    signed heads."""
    rows = _rows(connection, wanted, most)
    yield _line({"kind": "about", "format": 1, "written_at": to_microseconds(now), "how_to_check": HOW})
    count = 0
    for row in rows:
        count += 1
        yield _line({"kind": "row", **row})
    heads = stored_heads(connection)
    for head in heads:
        yield _line(asdict(head) | {"kind": "head", "head": head.kind, "signed_at": to_microseconds(head.signed_at)})
    is_cut = most is not None and count >= most
    yield _line({"kind": "end", "rows": count, "heads": len(heads), "is_cut": is_cut, "most": most})


def csv_lines(connection: Connection, wanted: Wanted, *, most: int | None, now: datetime) -> Iterator[str]:
    """The same rows for a spreadsheet, instants in ISO 8601; no cell is a formula. The last line says where it was
    cut."""
    yield _cells(("about", f"audit log, written {now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, newest first"))
    yield _cells(COLUMNS)
    count = 0
    for row in _rows(connection, wanted, most):
        count += 1
        yield _cells(tuple(_shown(name, row[name]) for name in COLUMNS))
    if most is not None and count >= most:
        yield _cells(("about", f"cut after the newest {count} rows"))


def _rows(connection: Connection, wanted: Wanted, most: int | None) -> Iterator[Mapping[str, Any]]:
    before, left = LARGEST_ID, most
    while left is None or left > 0:
        limit = SLICE if left is None else min(SLICE, left)
        found = connection.execute(_slice(wanted, before).limit(limit)).all()
        for row in found:
            yield dict(zip((*NAMES, "number", "hash", "linked_at", "previous"), row, strict=True))
        if len(found) < limit:
            return
        before = found[-1][0]
        left = None if left is None else left - len(found)


def _slice(wanted: Wanted, before: int) -> Any:
    link, one_before = audit_link.alias(), audit_link.alias()
    linked_at = type_coerce(link.c.at, BigInteger).label("linked_at")
    return (
        select(*RAW, link.c.number, link.c.hash, linked_at, one_before.c.hash.label("previous"))
        .outerjoin(link, link.c.audit_id == audit.c.id)
        .outerjoin(one_before, one_before.c.number == link.c.number - 1)
        .where(*restricted(wanted, before))
        .order_by(audit.c.id.desc())
    )


def _line(said: Mapping[str, Any]) -> str:
    if said.get("number") == 1 and said.get("kind") == "row":
        said = {**said, "previous": BEGINNING}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=repr) + "\n"


def _shown(name: str, value: Any) -> str | int:
    if value is None:
        return ""
    if name in ("at", "linked_at"):
        try:
            return from_microseconds(int(value)).isoformat()
        except (ValueError, TypeError, OverflowError):
            return str(value)
    if name in ("id", "case_id"):
        # A spreadsheet rounds beyond fifteen digits.
        return f"#{value}"
    return value if isinstance(value, int) else guarded(str(value))


def _cells(cells: tuple[str | int, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
