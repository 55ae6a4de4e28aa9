"""Posts and mentions. Written by ingest/store.py alone."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from models.tables.base import BigId, Json, UtcDateTime, metadata

WRITER = {"writer": "ingest/store.py"}

# What belongs to the post, once, however many brands it names: written when the post is measured again, since its first
# measurement stands in its mentions. None = the network is silent, 0 = it says zero.
post = Table(
    "post",
    metadata,
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("external_id", String(512), primary_key=True),
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("impressions", BigInteger),
    Column("measured_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    sqlite_with_rowid=False,
    info=WRITER,
)

# A post as seen by one brand. The id carries posted_at in its high bits, so id order is time order.
# On SQLite the id alone is the rowid, because full text needs it (see the migration).
mention = Table(
    "mention",
    metadata,
    Column("brand_id", Integer, nullable=False),
    Column("id", BigId, nullable=False, autoincrement=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("external_id", String(512), nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    # The instant as the network gave it, where it was outside 2000 .. now + 1 day and had to be clamped.
    Column("posted_at_given", Text),
    Column("received_at", UtcDateTime, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("author_key", String(512), nullable=False),
    Column("author_handle", Text),
    Column("author_name", Text),
    Column("author_followers", BigInteger),
    Column("text", Text, nullable=False),
    Column("url", Text),
    Column("reply_to", String(512)),
    Column("media", Json),
    Column("language", String(16)),
    Column("language_by", String(32)),
    Column("sentiment", SmallInteger),
    Column("sentiment_score", Float),
    Column("sentiment_by", String(32)),
    Column("place", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("location_id", Integer, nullable=False),
    Column("team_id", Integer, nullable=False),
    Column("matched", Json),
    # Engagement as far as it is counted into this brand's rollups.
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("impressions", BigInteger),
    PrimaryKeyConstraint("brand_id", "id"),
    UniqueConstraint("brand_id", "network_id", "external_id"),
    # No index on posted_at: the id carries it, so a span of time is a span of ids and one index serves both.
    Index(None, "brand_id", "location_id", "id"),
    info=WRITER,
)
