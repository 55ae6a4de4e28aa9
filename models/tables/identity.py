"""People and what they may do, written by models/people.py alone; their sessions, by models/identity.py alone."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from models.tables.base import Json, UtcDateTime, metadata

PEOPLE = {"writer": "models/people.py"}
SIGN_IN = {"writer": "models/identity.py"}
SIGN_ON = {"writer": "models/signon.py"}

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("email", String(320), nullable=False),
    Column("name", String(200), nullable=False),
    Column("password_hash", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    # The one local administrator who gets in when the company sign-on is down; every use is audited.
    Column("is_break_glass", Boolean, nullable=False, default=False, server_default=false()),
    # In training: policies may ask for a signature.
    Column("is_trainee", Boolean, nullable=False, default=False, server_default=false()),
    # Since when the company sign-on may be linked to this person, once; None = it may not (any more).
    Column("invited_at", UtcDateTime),
    UniqueConstraint("email"),
    info=PEOPLE,
)

# Who somebody is at the company sign-on: found by issuer and subject, never by email alone.
identity_link = Table(
    "identity_link",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "person_id"),
    info=SIGN_ON,
)

# A sign-on under way at the company's: used once, within minutes. Only the hash of the state is kept.
signon_flow = Table(
    "signon_flow",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("code_verifier", String(128), nullable=False),
    Column("next_path", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    info=SIGN_ON,
)

# Which role a person has, for which brands, locations and teams (None = all), from when until when. `right` holds the
# role: viewer, agent, approver, manager, admin, auditor or display (see models/access.py).
membership = Table(
    "membership",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("right", String(16), nullable=False),
    Column("brand_ids", Json),
    Column("location_ids", Json),
    Column("team_ids", Json),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    Column("granted_by", Text),
    # When somebody last said that it is still right.
    Column("reviewed_at", UtcDateTime),
    CheckConstraint(
        "\"right\" in ('viewer', 'agent', 'approver', 'manager', 'admin', 'auditor', 'display')", name="right"
    ),
    Index(None, "person_id"),
    info={"writer": "models/roles.py"},
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
