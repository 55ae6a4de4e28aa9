"""People and what they may do, written by models/people.py alone; their sessions, by models/identity.py alone."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from models.tables.base import Json, UtcDateTime, metadata

PEOPLE = {"writer": "models/people.py"}
SIGN_IN = {"writer": "models/identity.py"}

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("password_hash", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    UniqueConstraint("email"),
    info=PEOPLE,
)

# What a person may do, for which brands and locations (None = all), from when until when.
membership = Table(
    "membership",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("right", String(16), primary_key=True),
    Column("brand_ids", Json),
    Column("location_ids", Json),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    CheckConstraint("\"right\" in ('admin', 'viewer')", name="right"),
    info=PEOPLE,
)

# Only the hash of the opaque id is kept: a copy of the database signs nobody in.
session = Table(
    "session",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("address", String(64)),
    Index(None, "person_id"),
    info=SIGN_IN,
)

signin_link = Table(
    "signin_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    info=SIGN_IN,
)
