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
    Column("paused_at", UtcDateTime),
    Column("paused_because", Text),
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
    # Encrypted JSON: the settings that are secret. Written whole or not at all, never read into a screen.
    Column("secrets", LargeBinary),
    # Dollars a calendar month (UTC); None = no limit. `spent` is what the ledger holds for `month` (2026 * 12 + 10).
    Column("budget", Float),
    Column("month", Integer),
    Column("spent", Float),
    # When it is polled less or not at all: {"from": "22:00", "to": "06:00", "zone": ..., "every_seconds": n or null}.
    Column("quiet", Json),
    # Whose engagement is measured again: none, ours, all.
    Column("remeasure", String(8), nullable=False, server_default="none"),
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
    # What was asked: fetch, look_up, canary.
    Column("kind", String(16), nullable=False, server_default="fetch"),
    # What is paid for, by the names of the price list: {"post": 100, "user": 80}.
    Column("units", Json),
    Column("error_kind", String(16)),
    Column("error", Text),
    # Holds all that a day's strip and a week's cost add up: without it each row was looked up, four times slower.
    Index(
        "ix_fetch_day",
        "source_id",
        "ended_at",
        "kind",
        "error_kind",
        "fetches",
        "items",
        "new_items",
        "cost",
    ),
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
    # The post it is of, where that is known, so that a deletion finds it.
    Column("network_id", SmallInteger),
    Column("external_id", String(512)),
    UniqueConstraint("digest"),
    Index(None, "network_id", "external_id"),
    Index(None, "source_id", "at"),
    info={"writer": "ingest/store.py"},
)

# Posts whose engagement is measured again: due on a decaying schedule from when they were posted, gone after its last
# step. A post stands here once, whatever number of brands it names, so that it is paid once.
measure_due = Table(
    "measure_due",
    metadata,
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("external_id", String(512), primary_key=True),
    Column("source_id", Integer, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Index(None, "source_id", "due_at"),
    sqlite_with_rowid=False,
    info={"writer": "ingest/remeasure.py"},
)

# What was read today (UTC) of a network that charges for each thing once a day, whichever source reads it: `payer` is
# the app whose bill it stands on. Yesterday's rows go with the first of today.
charged = Table(
    "charged",
    metadata,
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("payer", String(64), primary_key=True),
    # Days since 1970.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("unit", String(16), primary_key=True),
    Column("external_id", String(512), primary_key=True),
    sqlite_with_rowid=False,
    info={"writer": "ingest/charges.py"},
)

# What a source does beside fetching, each with its own clock: compliance (is a stored post still there?) and canary (is
# a quiet network really quiet?).
duty = Table(
    "duty",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("cursor", Json),
    Column("last_at", UtcDateTime),
    # What came of it last, in one word: heard, deaf; for people.
    Column("result", String(16)),
    sqlite_with_rowid=False,
    info={"writer": "ingest/run.py"},
)

# What a network last said of a quota, shared by every worker: one row an (app, endpoint).
rate_limit = Table(
    "rate_limit",
    metadata,
    Column("app", String(64), primary_key=True),
    Column("endpoint", String(64), primary_key=True),
    Column("quota", Integer),
    Column("remaining", Integer),
    Column("resets_at", UtcDateTime),
    # Nobody asks before this instant.
    Column("blocked_until", UtcDateTime),
    # How often it refused in a row, for the back-off.
    Column("refusals", Integer, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "ingest/limits.py"},
)

# A source that a person wants to add or change on the screen: a worker tries it, and only what works is saved.
source_check = Table(
    "source_check",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("person_id", Integer),
    # The source to change; None = a new one.
    Column("source_id", Integer),
    Column("wanted", Json, nullable=False),
    Column("secrets", LargeBinary),
    Column("state", String(16), nullable=False),
    # When a worker began to try it: one that died leaves it to the next.
    Column("taken_at", UtcDateTime),
    Column("answer", Text),
    Column("answered_at", UtcDateTime),
    CheckConstraint("state in ('waiting', 'trying', 'works', 'refused')", name="state"),
    Index(None, "state", "asked_at"),
    info={"writer": "models/source_checks.py"},
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
