"""The response desk: cases and replies, routing, policy, promises of time, presence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _tell_places_apart()
    op.create_table(
        "answer_lock",
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("reply_id", BIG_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "external_id", name="pk_answer_lock"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answer_time",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("class", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "day", "location_id", "team_id", "kind", "class", name="pk_answer_time"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("exceptions", sa.JSON(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", "version", name="pk_calendar"),
    )
    op.create_table(
        "canned_reply",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_canned_reply"),
    )
    op.create_table(
        "case_event",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("mention_id", BIG_ID, nullable=True),
        sa.Column("reply_id", BIG_ID, nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", "case_id", "number", name="pk_case_event"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_event_brand_id_mention_id", "case_event", ["brand_id", "mention_id"])
    op.create_table(
        "desk_case",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("open_key", sa.String(length=600), nullable=True),
        sa.Column("thread", sa.String(length=512), nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=False),
        sa.Column("author_handle", sa.Text(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("author_followers", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("sentiment", sa.SmallInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_mention_id", BIG_ID, nullable=False),
        sa.Column("last_post", sa.String(length=512), nullable=False),
        sa.Column("last_customer_at", sa.BigInteger(), nullable=False),
        sa.Column("last_ours_at", sa.BigInteger(), nullable=True),
        sa.Column("waiting_since", sa.BigInteger(), nullable=True),
        sa.Column("due_kind", sa.String(length=16), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("first_answered_at", sa.BigInteger(), nullable=True),
        sa.Column("first_resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", sa.Integer(), nullable=True),
        sa.Column("claim_token", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("claim_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("assigned_to", sa.Integer(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('new', 'open', 'waiting_for_customer', 'resolved', 'dismissed')", name="ck_desk_case_state"
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name="pk_desk_case"),
        sa.UniqueConstraint("brand_id", "network_id", "open_key", name="uq_desk_case_brand_id_network_id_open_key"),
    )
    op.create_index(
        "ix_desk_case_brand_id_network_id_author_key", "desk_case", ["brand_id", "network_id", "author_key"]
    )
    op.create_index("ix_desk_case_brand_id_network_id_thread", "desk_case", ["brand_id", "network_id", "thread"])
    op.create_index("ix_desk_case_brand_id_state_due_at", "desk_case", ["brand_id", "state", "due_at"])
    op.create_index(
        "ix_desk_case_brand_id_incident_id",
        "desk_case",
        ["brand_id", "incident_id"],
        sqlite_where=sa.text("incident_id is not null"),
        postgresql_where=sa.text("incident_id is not null"),
    )
    op.create_table(
        "policy_rule",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("when", sa.JSON(), nullable=False),
        sa.Column("signatures", sa.SmallInteger(), nullable=False),
        sa.Column("needs_manager", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_policy_rule"),
    )
    op.create_table(
        "presence",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("doing", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "case_id", "person_id", name="pk_presence"),
    )
    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("first_seconds", sa.Integer(), nullable=True),
        sa.Column("next_seconds", sa.Integer(), nullable=True),
        sa.Column("resolution_seconds", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_promise"),
    )
    op.create_table(
        "reply",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("in_reply_to", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("live_slot", sa.SmallInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("signatures", sa.SmallInteger(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=True),
        sa.Column("approved_hash", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("event_seen", sa.Integer(), nullable=False),
        sa.Column("send_at", sa.BigInteger(), nullable=True),
        sa.Column("sending_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("call_key", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=512), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("is_native", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("statement_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state in ('drafted', 'awaiting_sign_off', 'returned', 'approved', 'sending', 'sent', 'unknown', 'failed',"
            " 'withdrawn')",
            name="ck_reply_state",
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name="pk_reply"),
        sa.UniqueConstraint("brand_id", "case_id", "live_slot", name="uq_reply_brand_id_case_id_live_slot"),
    )
    op.create_index("ix_reply_brand_id_case_id", "reply", ["brand_id", "case_id"])
    op.create_index("ix_reply_state_send_at", "reply", ["state", "send_at"])
    op.create_index("ix_reply_brand_id_external_id", "reply", ["brand_id", "external_id"])
    op.create_index("ix_reply_brand_id_in_reply_to", "reply", ["brand_id", "in_reply_to"])
    op.create_table(
        "routing_rule",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("when", sa.JSON(), nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("overload", sa.Integer(), nullable=True),
        sa.Column("overflow_team_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_routing_rule"),
    )
    op.create_table(
        "signature",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reply_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("is_manager", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", "reply_id", "number", name="pk_signature"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signature_request",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reply_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("passed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", "reply_id", "person_id", name="pk_signature_request"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table presence set unlogged")


def _tell_places_apart() -> None:
    """The index of places holds team and network as well, so that those of a place are found without its rows."""
    columns = ["brand_id", "location_id", "id", "team_id", "network_id"]
    op.create_index("ix_mention_brand_id_location_id_id_team_id_network_id", "mention", columns)
    op.drop_index("ix_mention_brand_id_location_id_id", "mention")
