"""Who changed what. Rows are only added, by models/audit.py, in the transaction of the change."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

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
    Column("details", Json),
    Index(None, "at"),
    info={"writer": "models/audit.py"},
)
