"""Who changed what. Rows are only added, by models/audit.py, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Delete, Index, Integer, String, Table, Text, UniqueConstraint, Update
from sqlalchemy.ext.compiler import compiles

from models.errors import AccessDenied
from models.tables.base import BigId, Json, UtcDateTime, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    # None where nobody was signed in: the command line, or a sign-in that failed.
    Column("person_id", Integer),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    # What was and what is, by field; customers' words as hashes only.
    Column("details", Json),
    # From which address; None = the command line, a rule or the clock.
    Column("address", String(64)),
    # The case it belongs to, if any.
    Column("brand_id", Integer),
    Column("case_id", BigId),
    Index(None, "at"),
    Index(None, "brand_id", "case_id"),
    info={"writer": "models/audit.py"},
)

# The chain over the rows: each link's hash covers the row and the link before it. Written by one chainer at a time,
# within two seconds of the row, so that no change of the product waits for another.
audit_link = Table(
    "audit_link",
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=False),
    Column("audit_id", BigId, nullable=False),
    # When it was linked: a row dated long before the links in front of it was put in afterwards.
    Column("at", UtcDateTime, nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("audit_id"),
    info={"writer": "models/audit_chain.py"},
)

# The head of each day, signed, and where it was written outside the database.
audit_head = Table(
    "audit_head",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("number", BigId, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
    # The public half of the key that signed, in hexadecimal: it names the key, trust comes from elsewhere.
    Column("key", String(64), nullable=False),
    Column("signature", Text, nullable=False),
    Column("exported_to", Text),
    info={"writer": "models/audit_heads.py"},
)

# Whose turn it is to chain: a lease, moved by one conditional update. Beside it how far the chain has been checked.
audit_turn = Table(
    "audit_turn",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(64)),
    Column("fence", BigId, nullable=False),
    Column("expires_at", UtcDateTime),
    # Of these two models/audit_rounds.py is the writer: what it has checked, signed, and when somebody last asked for
    # all of it again.
    Column("checked", Json),
    Column("asked_at", UtcDateTime),
    info={"writer": "models/audit_chain.py"},
)

# Rows of these are only added. Triggers of the database refuse anything else; before it gets there, so do we.
KEPT = (audit, audit_link, audit_head)


# A statement is compiled once and then kept, so this costs nothing; an event at each execution took 16 us of every one.
@compiles(Update)
def _update(statement: Update, compiler: Any, **more: Any) -> str:
    return str(compiler.visit_update(_allowed(statement), **more))


@compiles(Delete)
def _delete(statement: Delete, compiler: Any, **more: Any) -> str:
    return str(compiler.visit_delete(_allowed(statement), **more))


def _allowed(statement: Any) -> Any:
    if any(statement.table is table for table in KEPT):
        raise AccessDenied(f"rows of {statement.table.name} are only added; nothing was changed")
    return statement
