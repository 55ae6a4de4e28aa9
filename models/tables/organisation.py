"""Brands, locations, teams: who we are. Written by models/organisation.py alone."""

from __future__ import annotations

from sqlalchemy import (
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

from models.tables.base import Json, UtcDateTime, metadata

WRITER = {"writer": "models/organisation.py"}

# Small numbers 0 and 1 are taken in every dimension: 0 = all, 1 = unmatched or unknown.
FIRST_ID = 2

brand = Table(
    "brand",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("monogram", String(4), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    UniqueConstraint("key"),
    CheckConstraint("kind in ('own', 'competitor', 'unmatched')", name="kind"),
    info=WRITER,
)

# Which competitors share of voice is measured against, for one brand of ours.
competitor = Table(
    "competitor",
    metadata,
    Column("brand_id", ForeignKey("brand.id"), primary_key=True),
    Column("competitor_id", ForeignKey("brand.id"), primary_key=True),
    info=WRITER,
)

# A rule is never changed: a new version is added and the old one gets a valid_to.
brand_rule = Table(
    "brand_rule",
    metadata,
    Column("brand_id", ForeignKey("brand.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("query", Text, nullable=False),
    # Who published it; None = it came with a file.
    Column("actor", Text),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=WRITER,
)

location = Table(
    "location",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("parent_id", ForeignKey("location.id")),
    Column("zone", String(64)),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("aliases", Json, nullable=False),
    Column("monogram", String(4), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    UniqueConstraint("key"),
    CheckConstraint("kind in ('region', 'country', 'site', 'unknown')", name="kind"),
    info=WRITER,
)

team = Table(
    "team",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    UniqueConstraint("key"),
    info=WRITER,
)

# What a team covers: a brand (0 = all of ours) in a location and below it (0 = everywhere).
# The smallest `rank` that fits a mention gives its team.
team_cover = Table(
    "team_cover",
    metadata,
    Column("team_id", ForeignKey("team.id"), primary_key=True),
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("location_id", Integer, primary_key=True, autoincrement=False),
    Column("rank", SmallInteger, nullable=False),
    info=WRITER,
)
Index(None, team_cover.c.rank)

# An account of ours on a network: what it publishes is ours and never a mention. `author_key` is the network's own
# identity of it, the handle where that is not known yet.
account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("handle", String(200), nullable=False),
    Column("author_key", String(512)),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("brand_id", ForeignKey("brand.id"), nullable=False),
    Column("location_id", ForeignKey("location.id")),
    # Who answers for it, and who stands in.
    Column("owner_id", ForeignKey("person.id")),
    Column("deputy_id", ForeignKey("person.id")),
    Column("team_id", ForeignKey("team.id")),
    Column("purpose", Text),
    Column("audience", Text),
    # How it speaks: {"greeting", "sign_off", "forbidden": [words], "tone", "languages"}.
    Column("voice", Json),
    # Sealed as those of sources are (models/secrets.py); None = nothing was entered.
    Column("secrets", LargeBinary),
    Column("secrets_expire_at", UtcDateTime),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    UniqueConstraint("network_id", "handle"),
    CheckConstraint("kind in ('company', 'support', 'site', 'person')", name="kind"),
    info=WRITER,
)

# What an account last managed to do: read, reply, publish. None = never.
account_health = Table(
    "account_health",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("capability", String(16), primary_key=True),
    Column("succeeded_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("error", Text),
    CheckConstraint("capability in ('read', 'reply', 'publish')", name="capability"),
    info={"writer": "models/accounts.py"},
)

# Who owned an account, or stood in, from when until when: "who could post as it on that day?".
account_part = Table(
    "account_part",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("part", String(16), primary_key=True),
    Column("valid_from", UtcDateTime, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("valid_to", UtcDateTime),
    CheckConstraint("part in ('owner', 'deputy')", name="part"),
    info={"writer": "models/accounts.py"},
)

# One row a setting of the organisation: name, zone, languages, simulated.
setting = Table(
    "setting",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Json),
    info=WRITER,
)
