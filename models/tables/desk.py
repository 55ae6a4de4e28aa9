"""What people keep on the watch floor: alerts, saved views, preferences, the shift log, marks, drafts of rules."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from models.tables.base import BigId, Json, UtcDateTime, metadata

# What wants somebody to look: a spike of a brand (volume, or its negative share), or a source that went blind
# (brand_id 0). One row an event; `started_at` is its first unusual step, or when the source was last heard.
alert = Table(
    "alert",
    metadata,
    Column("brand_id", Integer, nullable=False),
    Column("id", BigId, nullable=False, autoincrement=False),
    Column("kind", String(16), nullable=False),
    # 0 for a spike.
    Column("source_id", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("flagged_at", UtcDateTime, nullable=False),
    # None while it goes on.
    Column("ended_at", UtcDateTime),
    # What was seen and what was to be expected in a step: mentions, or for `negative` a share 0..1.
    Column("seen", Float),
    Column("expected", Float),
    # The arithmetic in one sentence, and the values it was made of.
    Column("words", Text, nullable=False),
    Column("details", Json),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", Text),
    Column("acknowledged_person_id", Integer),
    PrimaryKeyConstraint("brand_id", "id"),
    UniqueConstraint("brand_id", "kind", "source_id", "started_at"),
    CheckConstraint("kind in ('volume', 'negative', 'blind')", name="kind"),
    info={"writer": "models/alerts.py"},
)

# How far each brand was judged (brand_id 0 = the sources), and when it is due again. Who moves `due_at` does the work;
# who finds it moved meanwhile was too slow, and writes nothing.
alert_judged = Table(
    "alert_judged",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("due_at", UtcDateTime, nullable=False),
    # None = not yet; the first time everything that is kept is looked at.
    Column("judged_to", UtcDateTime),
    # How often its mentions had changed by then, and whether they had before that as well: then nothing is left to
    # look at until they change again.
    Column("seen", BigInteger, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "ingest/alerts.py"},
)

# A scope that a person gave a name. At most one of a person is where `/` begins.
saved_view = Table(
    "saved_view",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("name", String(80), nullable=False),
    # The address: path and the part after "?".
    Column("path", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("is_start", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("person_id", "name"),
    info={"writer": "models/saved_views.py"},
)

# One row a person and setting: look_here, single_keys, seen (when the screen was last looked at).
preference = Table(
    "preference",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", Json),
    Column("at", UtcDateTime, nullable=False),
    info={"writer": "models/preferences.py"},
)

# The shift log: timed lines that anyone may add and nobody changes. `brand_id` 0 = about no brand; a line about a
# brand is read by those who may read it. `signed_*` is the next operator, who has read it.
log_entry = Table(
    "log_entry",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("brand_id", Integer, nullable=False),
    # What it is pinned to: a mention, an alert or a source; None = nothing.
    Column("pinned", String(16)),
    Column("pinned_id", BigInteger),
    Column("signed_at", UtcDateTime),
    Column("signed_by", Text),
    Column("signed_person_id", Integer),
    CheckConstraint("pinned in ('mention', 'alert', 'source')", name="pinned"),
    info={"writer": "models/shift_log.py"},
)

# What a person marked on a mention: hidden as irrelevant, or fit for lobby walls.
mention_mark = Table(
    "mention_mark",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("mention_id", BigId, primary_key=True, autoincrement=False),
    Column("mark", String(16), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person_id", Integer),
    Column("actor", Text, nullable=False),
    CheckConstraint("mark in ('hidden', 'wall')", name="mark"),
    info={"writer": "models/mention_marks.py"},
)

# What was talked about: mentions of a brand in a language within one hour (seconds since 1970, UTC) whose text holds a
# term of one to three words, copies of one text once. The term "" counts every text: the base of a share. Kept 35 days.
term_hour = Table(
    "term_hour",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("language", String(16), primary_key=True),
    Column("term", String(120), primary_key=True),
    Column("texts", Integer, nullable=False),
    Column("positive", Integer, nullable=False),
    Column("negative", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "models/topics.py"},
)

# The same by day (its first second since 1970, UTC): the terms of a day that more than one text held, at most a few
# hundred of a brand. What an hour and a longer window are compared with. When a day is over its hours keep these alone.
term_day = Table(
    "term_day",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("language", String(16), primary_key=True),
    Column("term", String(120), primary_key=True),
    Column("texts", Integer, nullable=False),
    Column("positive", Integer, nullable=False),
    Column("negative", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "models/topics.py"},
)

# Which hours of a brand are in term_hour, and how many mentions they held when they were counted: an hour whose
# rollup says another number is counted anew. Brand 0, hour 0 says when somebody last took the turn to count.
term_hour_counted = Table(
    "term_hour_counted",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("mentions", Integer, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "models/topics.py"},
)

# A rule that is being written, one a brand, over the published version it began from.
rule_draft = Table(
    "rule_draft",
    metadata,
    Column("brand_id", ForeignKey("brand.id"), primary_key=True),
    Column("base_version", Integer, nullable=False),
    Column("query", Text, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    info={"writer": "models/rule_desk.py"},
)

# What a brand's rule must match or must not, whoever changes it. `facts` are what rules read besides the text:
# author, network, language.
rule_example = Table(
    "rule_example",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("brand_id", ForeignKey("brand.id"), nullable=False),
    Column("must_match", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", Json, nullable=False),
    # The mention it was pinned from; None = typed in.
    Column("mention_id", BigId),
    Column("person_id", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "brand_id"),
    info={"writer": "models/rule_desk.py"},
)

# Whom a brand wants to reach, declared by a person: {"place": [...], "network": [...], "language": [...], "media":
# [...]}. A declaration is never changed: a new version is added and the old one gets a valid_to.
core_audience = Table(
    "core_audience",
    metadata,
    Column("brand_id", ForeignKey("brand.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("declared", Json, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info={"writer": "models/audience.py"},
)
