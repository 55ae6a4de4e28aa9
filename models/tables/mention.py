"""Posts and mentions. Written by ingest/store.py; what a person corrects, by models/corrections.py."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
from sqlalchemy.dialects.postgresql import TSVECTOR

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
    # On PostgreSQL what its full-text index holds (models/search_index.py); SQLite has a table for that.
    Column("words", Text().with_variant(TSVECTOR(), "postgresql")),
    Column("url", Text),
    Column("reply_to", String(512)),
    Column("quote_of", String(512)),
    Column("repost_of", String(512)),
    Column("media", Json),
    Column("language", String(16)),
    Column("language_by", String(32)),
    Column("sentiment", SmallInteger),
    Column("sentiment_score", Float),
    Column("sentiment_by", String(32)),
    # Where the author lives and where the post was made are two facts: what was said, the GeoNames id it was resolved
    # to, what that rests on (coordinates, place) and how sure it is, 0..100.
    Column("home", Text),
    Column("home_geo", Integer),
    Column("home_confidence", SmallInteger),
    Column("place", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("place_geo", Integer),
    Column("place_by", String(16)),
    Column("place_confidence", SmallInteger),
    Column("location_id", Integer, nullable=False),
    # What the location rests on: coordinates, name, region, home (never a site), a person's correction; None = unknown.
    Column("location_by", String(16)),
    Column("team_id", Integer, nullable=False),
    Column("matched", Json),
    # Engagement as far as it is counted into this brand's rollups.
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("impressions", BigInteger),
    # The group of copies it belongs to; equal for all copies of one text (see copy_group for those with more than one).
    Column("copy_id", BigInteger),
    # When the text that stands here was written, where it is not the first one; earlier ones are in mention_version.
    Column("edited_at", UtcDateTime),
    # Deleted or protected at the network: text and author are emptied, the count stays.
    Column("deleted_at", UtcDateTime),
    PrimaryKeyConstraint("brand_id", "id"),
    UniqueConstraint("brand_id", "network_id", "external_id"),
    # No index on posted_at: the id carries it, so a span of time is a span of ids and one index serves both.
    # Team and network stand beside them, so that those of a place are told apart without reading its rows.
    Index(None, "brand_id", "location_id", "id", "team_id", "network_id"),
    info=WRITER,
)

# A text that an edit replaced. `edited_at` is when it was written, None for the first one.
mention_version = Table(
    "mention_version",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("mention_id", BigId, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("replaced_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
    info=WRITER,
)

# Texts that came more than once, of one brand: a row from the second copy on.
copy_group = Table(
    "copy_group",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("copy_id", BigInteger, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
    info=WRITER,
)

# Which accounts published a text that came more than once.
copy_account = Table(
    "copy_account",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("copy_id", BigInteger, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("author_key", String(512), primary_key=True),
    sqlite_with_rowid=False,
    info=WRITER,
)

# The posts of conversations: who answers whom. A row for every post that answers another one, ours among them; the
# root itself needs none. `root` is the oldest post known above it; when an older one turns up, the thread moves.
thread_post = Table(
    "thread_post",
    metadata,
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("external_id", String(512), primary_key=True),
    Column("parent", String(512), nullable=False),
    Column("root", String(512), nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("author_key", String(512), nullable=False),
    # The account of ours that published it; None for everybody else.
    Column("account_id", Integer),
    Index(None, "network_id", "root", "posted_at"),
    sqlite_with_rowid=False,
    info=WRITER,
)

# What accounts of ours published. Never a mention: who talks about itself is not talked about.
our_post = Table(
    "our_post",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("account_id", Integer, nullable=False),
    # Who of us published it, where it went through the product; None = on the network itself.
    Column("person_id", Integer),
    Column("network_id", SmallInteger, nullable=False),
    Column("external_id", String(512), nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text),
    Column("reply_to", String(512)),
    Column("media", Json),
    Column("language", String(16)),
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("impressions", BigInteger),
    Column("measured_at", UtcDateTime, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    UniqueConstraint("brand_id", "network_id", "external_id"),
    Index(None, "brand_id", "account_id", "id"),
    info=WRITER,
)

# The engagement of posts of ours as it grew: a row for each measurement that brought a change.
engagement = Table(
    "engagement",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("external_id", String(512), primary_key=True),
    Column("measured_at", UtcDateTime, primary_key=True),
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("impressions", BigInteger),
    sqlite_with_rowid=False,
    info=WRITER,
)

# What a person corrected: a row a change, in the brand that the mention stood in then. `before` and `after` are -1, 0,
# 1 or None for sentiment, ids for location and brand. `edited_at` says which text the person had read. What was taken
# out of a brand stays out of it: the store finds here where it went.
correction = Table(
    "correction",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("external_id", String(512), nullable=False),
    Column("field", String(16), nullable=False),
    Column("before", Integer),
    Column("after", Integer),
    Column("edited_at", UtcDateTime),
    Column("at", UtcDateTime, nullable=False),
    # None where nobody was signed in.
    Column("person_id", Integer),
    Column("actor", Text, nullable=False),
    CheckConstraint("field in ('sentiment', 'location', 'brand')", name="field"),
    Index(None, "brand_id", "network_id", "external_id"),
    sqlite_with_rowid=False,
    info={"writer": "models/corrections.py"},
)
