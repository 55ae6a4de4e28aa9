"""Cases, the replies to them, and what is agreed about both: routing, policy, promises of time, shifts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from models.tables.base import BigId, Json, UtcDateTime, metadata

CASES = {"writer": "models/case_writing.py"}
REPLIES = {"writer": "models/replies.py"}
REQUESTS = {"writer": "models/sign_off_requests.py"}
ROUTING = {"writer": "models/routing.py"}
POLICY = {"writer": "models/policy.py"}
SERVICE = {"writer": "models/service_rules.py"}
SHIFTS = {"writer": "models/shifts.py"}
_IN_INCIDENT = text("incident_id is not null")

# One person's conversation with one brand on one network. `open_key` (author, or the thread where no author is known)
# is None in a closed case, so at most one is open. Claim, level, priority and snooze are columns, not states.
desk_case = Table(
    "desk_case",
    metadata,
    Column("brand_id", Integer, nullable=False),
    # Carries opened_at in its high bits.
    Column("id", BigId, nullable=False, autoincrement=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("open_key", String(600)),
    # The root of its newest thread.
    Column("thread", String(512), nullable=False),
    Column("author_key", String(512), nullable=False),
    Column("author_handle", Text),
    Column("author_name", Text),
    Column("author_followers", BigInteger),
    Column("state", String(24), nullable=False),
    # 1 = most urgent .. 3; `level` counts escalations.
    Column("priority", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("team_id", Integer, nullable=False),
    Column("location_id", Integer, nullable=False),
    Column("language", String(16)),
    Column("sentiment", SmallInteger),
    Column("opened_at", UtcDateTime, nullable=False),
    # The customer's newest post: its mention, what answers it, when it was posted.
    Column("last_mention_id", BigId, nullable=False),
    Column("last_post", String(512), nullable=False),
    Column("last_customer_at", UtcDateTime, nullable=False),
    Column("last_ours_at", UtcDateTime),
    # The first post of the round that waits for an answer of ours; None = nobody waits.
    Column("waiting_since", UtcDateTime),
    # The next promise: first, next or resolution, and when it is due; None = nothing is promised, or it is paused.
    Column("due_kind", String(16)),
    Column("due_at", UtcDateTime),
    Column("first_answered_at", UtcDateTime),
    Column("first_resolved_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("claimed_by", Integer),
    Column("claim_token", String(64)),
    Column("claimed_at", UtcDateTime),
    Column("claim_expires_at", UtcDateTime),
    # Whose it is beyond the lease: who was asked to do it. None = whoever is free.
    Column("assigned_to", Integer),
    Column("tags", Json, nullable=False),
    Column("incident_id", Integer),
    # The number of its newest event.
    Column("last_event", Integer, nullable=False),
    PrimaryKeyConstraint("brand_id", "id"),
    UniqueConstraint("brand_id", "network_id", "open_key"),
    CheckConstraint("state in ('new', 'open', 'waiting_for_customer', 'resolved', 'dismissed')", name="state"),
    Index(None, "brand_id", "state", "due_at"),
    Index(None, "brand_id", "network_id", "author_key"),
    Index(None, "brand_id", "network_id", "thread"),
    # Few cases belong to an incident: the others stand in no index of it.
    Index(None, "brand_id", "incident_id", sqlite_where=_IN_INCIDENT, postgresql_where=_IN_INCIDENT),
    info=CASES,
)

# What happened to a case, numbered from 1. Customers' texts are not repeated here: a mention is named.
case_event = Table(
    "case_event",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("case_id", BigId, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(24), nullable=False),
    # None = a rule, the clock or the network.
    Column("person_id", Integer),
    Column("actor", Text, nullable=False),
    Column("mention_id", BigId),
    Column("reply_id", BigId),
    # Before and after, words of a note, colleagues named, a reason.
    Column("details", Json),
    Index(None, "brand_id", "mention_id"),
    sqlite_with_rowid=False,
    info=CASES,
)

# What we want to say. `text_hash` (SHA-256) names the text; `approved_hash` the one that was signed. `live_slot` is 1
# from approved to unknown, else None: a case has at most one such reply.
reply = Table(
    "reply",
    metadata,
    Column("brand_id", Integer, nullable=False),
    Column("id", BigId, nullable=False, autoincrement=False),
    Column("case_id", BigId, nullable=False),
    Column("network_id", SmallInteger, nullable=False),
    Column("account_id", Integer),
    # The post it answers.
    Column("in_reply_to", String(512), nullable=False),
    Column("state", String(24), nullable=False),
    Column("live_slot", SmallInteger),
    Column("text", Text, nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("author_id", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("drafted_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("submitted_at", UtcDateTime),
    # How many must sign, whether one of them a manager, and why: the policy's words as they were then.
    Column("signatures", SmallInteger, nullable=False),
    Column("policy", Json),
    Column("approved_hash", String(64)),
    Column("approved_at", UtcDateTime),
    # The number of the newest event that its author had seen.
    Column("event_seen", Integer, nullable=False),
    # Not before: the time to take it back.
    Column("send_at", UtcDateTime),
    Column("sending_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    # What the network is told before the call, where it has such a thing: the same again publishes nothing.
    Column("call_key", String(64)),
    Column("external_id", String(512)),
    Column("url", Text),
    Column("is_native", Boolean, nullable=False),
    Column("error", Text),
    Column("statement_id", Integer),
    PrimaryKeyConstraint("brand_id", "id"),
    UniqueConstraint("brand_id", "case_id", "live_slot"),
    CheckConstraint(
        "state in ('drafted', 'awaiting_sign_off', 'returned', 'approved', 'sending', 'sent', 'unknown', 'failed',"
        " 'withdrawn')",
        name="state",
    ),
    Index(None, "brand_id", "case_id"),
    Index(None, "state", "send_at"),
    # What is read back from the network is found by its id, or by what it answers.
    Index(None, "brand_id", "external_id"),
    Index(None, "brand_id", "in_reply_to"),
    info=REPLIES,
)

# Who signed which text, or sent it back, and why. Rows are only added.
signature = Table(
    "signature",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("reply_id", BigId, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text_hash", String(64), nullable=False),
    # signed or returned.
    Column("verdict", String(16), nullable=False),
    Column("is_manager", Boolean, nullable=False),
    Column("reason", Text),
    sqlite_with_rowid=False,
    info={"writer": "models/sign_off.py"},
)

# Who is asked to sign, one after the other: unanswered for five minutes it goes to the next.
signature_request = Table(
    "signature_request",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("reply_id", BigId, primary_key=True, autoincrement=False),
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("passed_at", UtcDateTime),
    sqlite_with_rowid=False,
    info=REQUESTS,
)

# Which reply answers a post: two brands that one post names never both answer it by accident. Its key is the post's.
answer_lock = Table(
    "answer_lock",
    metadata,
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("external_id", String(512), primary_key=True),
    Column("brand_id", Integer, nullable=False),
    Column("reply_id", BigId, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Why a second brand answered all the same; else None.
    Column("reason", Text),
    sqlite_with_rowid=False,
    info={"writer": "models/answer_lock.py"},
)

# A circuit breaker an account: closed while `open_until` is None or over. Beside it which worker sends for the account,
# as a source says who polls it.
account_breaker = Table(
    "account_breaker",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("open_until", UtcDateTime),
    Column("error", Text),
    Column("owner", String(64)),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime),
    info={"writer": "models/outbox.py"},
)

# Canned texts with {fields}; brand 0 = all of ours, language None = any.
canned_reply = Table(
    "canned_reply",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("brand_id", Integer, nullable=False),
    Column("language", String(16)),
    Column("name", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info={"writer": "models/canned.py"},
)

# Which mentions open cases, how urgent they are and whose they are: the first rule by position that fits decides.
# `when` = {"brands", "locations", "networks", "languages", "kinds", "topic", "reach", "sentiment", "hours", "asks",
# "addressed"}, absent = any.
routing_rule = Table(
    "routing_rule",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("name", String(120), nullable=False),
    Column("when", Json, nullable=False),
    Column("opens", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    # None = the team the mention is stamped with.
    Column("team_id", Integer),
    # Above so many open cases of that team the overflow team gets it; None = never.
    Column("overload", Integer),
    Column("overflow_team_id", Integer),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=ROUTING,
)

# Who must sign what: all rules that fit add up to the strictest. `when` = {"brands", "locations", "teams", "accounts",
# "words", "reach", "incident", "trainee"}; `checks` = composer check -> block, warn or off.
policy_rule = Table(
    "policy_rule",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(120), nullable=False),
    Column("when", Json, nullable=False),
    Column("signatures", SmallInteger, nullable=False),
    Column("needs_manager", Boolean, nullable=False),
    Column("checks", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=POLICY,
)

# Hours of business, in versions: a change does not rewrite the past. `hours` = {weekday 0..6: [["09:00", "17:30"]]},
# `exceptions` = {"2026-12-25": []}.
calendar = Table(
    "calendar",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(120), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("hours", Json, nullable=False),
    Column("exceptions", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=SERVICE,
)

# What is promised, in seconds of business time; None = nothing. The most special row that fits counts: brand before
# all (0), then priority before any (0).
promise = Table(
    "promise",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("brand_id", Integer, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("calendar_id", Integer, nullable=False),
    Column("first_seconds", Integer),
    Column("next_seconds", Integer),
    Column("resolution_seconds", Integer),
    Column("actor", Text, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=SERVICE,
)

# First responses and resolutions in logarithmic classes of their duration, by local day of the organisation. `kind`:
# first, next, resolved, initial (the first resolve) in business time, each also with ":plain" behind it in plain time;
# `class` -1 counts promises missed, -2 promises kept.
answer_time = Table(
    "answer_time",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("location_id", Integer, primary_key=True, autoincrement=False),
    Column("team_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("class", Integer, primary_key=True, autoincrement=False),
    Column("cases", Integer, nullable=False),
    sqlite_with_rowid=False,
    info={"writer": "models/case_counts.py"},
)

# Who looks at or types in a case. Of the moment only: unlogged on PostgreSQL, where it may be lost in a crash.
presence = Table(
    "presence",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("case_id", BigId, primary_key=True, autoincrement=False),
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # looking or typing.
    Column("doing", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    info={"writer": "models/presence.py"},
)

# The weekly pattern: local minutes of the day in the team's zone, half-open; may cross midnight.
shift_pattern = Table(
    "shift_pattern",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("team_id", ForeignKey("team.id"), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("start_minute", SmallInteger, nullable=False),
    Column("end_minute", SmallInteger, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_to", UtcDateTime),
    info=SHIFTS,
)

# On, off or on a break, as the person said: a row a change.
shift_status = Table(
    "shift_status",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("status", String(8), nullable=False),
    CheckConstraint("status in ('on', 'off', 'break')", name="status"),
    info=SHIFTS,
)

# Who signs in somebody's place while they are away.
deputy = Table(
    "deputy",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("valid_from", UtcDateTime, primary_key=True),
    Column("deputy_id", ForeignKey("person.id"), nullable=False),
    Column("valid_to", UtcDateTime, nullable=False),
    info=SHIFTS,
)
