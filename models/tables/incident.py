"""Incidents: declared, worked on, ended, told."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, SmallInteger, String, Table, Text

from models.tables.base import BigId, Json, UtcDateTime, metadata

WRITER = {"writer": "models/incidents.py"}

# `scope` = {"brand_ids", "location_ids", "network_ids": null = all, "search"}: frozen when it is declared, and any
# change of it is an event. `outbound`: frozen, or manager (a manager signs every reply).
incident = Table(
    "incident",
    metadata,
    # INC-<id> to people.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("scope", Json, nullable=False),
    Column("outbound", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("lead_id", ForeignKey("person.id"), nullable=False),
    Column("detected_at", UtcDateTime),
    # The spike it was declared from.
    Column("alert_id", BigId),
    Column("declared_at", UtcDateTime, nullable=False),
    Column("declared_by", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("next_update_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    CheckConstraint("severity in (1, 2, 3)", name="severity"),
    CheckConstraint("outbound in ('frozen', 'manager')", name="outbound"),
    info=WRITER,
)

# The timeline: evidence, decision, note, step, update, late. Rows are only added.
incident_event = Table(
    "incident_event",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("person_id", Integer),
    Column("actor", Text, nullable=False),
    # The address of the row it speaks of; None = none.
    Column("href", Text),
    info=WRITER,
)

# What we say about it, in versions: draft, in_use (at most one), withdrawn.
incident_statement = Table(
    "incident_statement",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("author_id", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
    Column("in_use_at", UtcDateTime),
    Column("approved_by", Text),
    Column("withdrawn_at", UtcDateTime),
    CheckConstraint("state in ('draft', 'in_use', 'withdrawn')", name="state"),
    info={"writer": "models/incident_statements.py"},
)

incident_task = Table(
    "incident_task",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("owner_id", ForeignKey("person.id")),
    Column("due_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("done_by", Text),
    info={"writer": "models/incident_tasks.py"},
)

# Who is on it, and as what.
incident_person = Table(
    "incident_person",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("part", String(80), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    info=WRITER,
)

# The words of the report that people write: what went well, what badly, what changes (owner, due), who signed it.
incident_report = Table(
    "incident_report",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("words", Json, nullable=False),
    Column("signed", Json, nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    info={"writer": "models/incident_report.py"},
)
