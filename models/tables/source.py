"""What we poll, what came of each fetch, what could not be stored, and what changed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from models.tables.base import BigId, Json, UtcDateTime, metadata

# A source carries who polls it (owner, fence, expires_at), where it stands (cursor) and when it is due.
source = Table(
    "source",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("config", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("paused_by", Text),
    Column("every_seconds", Float, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("cursor", Json),
    Column("progress", Float),
    Column("owner", String(64)),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("due_at", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_success_at", UtcDateTime),
    Column("last_new_at", UtcDateTime),
    Column("last_error", Text),
    Column("last_error_at", UtcDateTime),
    Column("rate_left", Float),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("name"),
    CheckConstraint("state in ('active', 'paused', 'disconnected', 'gone', 'done')", name="state"),
    Index(None, "state", "due_at"),
    info={"writer": "ingest/leases.py; created and paused by models/sources.py"},
)

# The ledger: one row a fetch. It tells "nothing was said" from "we were not listening". Quiet fetches that follow one
# another within a quarter of an hour are one row with their number: a source polled each second would else write
# 86,400 rows a day that say nothing.
fetch = Table(
    "fetch",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("worker", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("window_from", UtcDateTime),
    Column("window_to", UtcDateTime),
    Column("fetches", Integer, nullable=False),
    # How long the longest of these fetches took.
    Column("seconds", Float, nullable=False),
    Column("items", Integer, nullable=False),
    Column("new_items", Integer, nullable=False),
    Column("set_aside", Integer, nullable=False),
    Column("cost", Float, nullable=False),
    Column("rate_left", Float),
    Column("error_kind", String(16)),
    Column("error", Text),
    Index(None, "source_id", "ended_at"),
    info={"writer": "ingest/store.py"},
)

# The spans of posted_at that a source has asked for with success, joined where they touch: a few rows a source,
# where the ledger has thousands. What no source covers, nobody listened to.
coverage = Table(
    "coverage",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("covered_from", UtcDateTime, primary_key=True),
    Column("covered_to", UtcDateTime, nullable=False),
    info={"writer": "ingest/store.py"},
)

# What could not become a mention: the raw bytes, where it stood and why. Nothing is lost at the door.
set_aside = Table(
    "set_aside",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # Hash of source, place and bytes: the same bad row of a file read twice is one row here.
    Column("digest", String(64), nullable=False),
    UniqueConstraint("digest"),
    Index(None, "source_id", "at"),
    info={"writer": "ingest/store.py"},
)

# "Something changed": a counter per topic and brand (0 = not about a brand), raised in the writer's transaction.
# Counters, not a sequence: two transactions may commit in the other order than they numbered themselves.
change = Table(
    "change",
    metadata,
    Column("topic", String(32), primary_key=True),
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    info={"writer": "models/database.py"},
)
